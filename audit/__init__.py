"""The audit log: who did, or was refused, what, when and by which statement; sealed, searchable, kept for a while.

A change's row is written in the transaction of the change; reads and refusals go by batches that no request waits for.
docs/design/audit.md. Not for: deciding about anything (`accesscontrol`), nor the programs' own logs.
"""
