"""Hold a request to the rates of its account, its bucket and its access key."""

from __future__ import annotations

from audit.draft import AuditDraft
from buckets.selectors import BucketRecord
from limits.rates import admit


def keep_rates(draft: AuditDraft, bucket: BucketRecord | None) -> None:
    """Let the request in, and have what it moves counted when it has ended. Raises SlowDown, ServiceUnavailable."""
    keep_rates_of(draft, account_id=draft.account_id, bucket_id=None if bucket is None else bucket.id)


def keep_rates_of(draft: AuditDraft, *, account_id: str | None, bucket_id: int | None) -> None:
    """Likewise, for an account that is not the one that asks: who made a share link answers for its visitors."""
    subjects = []
    if account_id is not None:
        subjects.append(f"account:{account_id}")
    if bucket_id is not None:
        subjects.append(f"bucket:{bucket_id}")
    if draft.access_key_id is not None:
        subjects.append(f"key:{draft.access_key_id}")
    spend = admit(subjects)
    if spend is not None:
        draft.when_finished = lambda ended: spend(ended.bytes_in + ended.bytes_out)
