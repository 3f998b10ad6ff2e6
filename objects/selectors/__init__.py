"""Reads of objects: look-ups of one, listings of many, uploads in progress, usage and history."""
