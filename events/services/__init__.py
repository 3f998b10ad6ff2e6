"""Writes of targets and of the outbox."""
