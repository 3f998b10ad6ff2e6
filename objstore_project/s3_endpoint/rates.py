"""Hold a request to the rates of its account, its bucket and its access key."""

from __future__ import annotations

from audit.draft import AuditDraft
from buckets.selectors import BucketRecord
from limits.rates import admit


def keep_rates(draft: AuditDraft, bucket: BucketRecord | None) -> None:
    """Let the request in, and have what it moves counted when it has ended. Raises SlowDown, ServiceUnavailable."""
    subjects = []
    if draft.account_id is not None:
        subjects.append(f"account:{draft.account_id}")
    if bucket is not None:
        subjects.append(f"bucket:{bucket.id}")
    if draft.access_key_id is not None:
        subjects.append(f"key:{draft.access_key_id}")
    spend = admit(subjects)
    if spend is not None:
        draft.when_finished = lambda ended: spend(ended.bytes_in + ended.bytes_out)
