"""Tell others what happened: targets that operators register, the outbox, and its delivery, at least once, in order per key.

Rows of the outbox are written by `objects/sql` in the transaction of the change. docs/design/events.md
"""
