"""Measurements of a whole running system, each against a reference measured in the same run.

Absolute figures say more about the machine than about us; ratios to a reference that alternates with the subject, round
by round, stay. `make bench` runs `__main__`; `listing`, `latency` and `memory` are longer and run by themselves.
"""
