"""The admin of every app's rows, for operators.

It stands here, on the top floor, and not in the apps, because its pages lead from floor to floor (a bucket's usage, an
object's extents, a chunk's nodes), and because the gateway, which has no admin, loads the lower floors, too. What
`chunks.admin` says of storage is extended.
"""

from console.admin import accounts, buckets, events, identities, limits, objects, schedule, sign_in, storage

__all__ = ["accounts", "buckets", "events", "identities", "limits", "objects", "schedule", "sign_in", "storage"]
