"""May a principal have reports about a bucket written into another one? Asked when a configuration is stored.

Reports are written by the store itself, later, and a bucket of the same account takes them without a policy (see
`objects.services.deposit`). So whoever asks for them must be let by that bucket's policy, which names the service, or be
allowed to write there himself. Other accounts' buckets are for their policies to open, whenever a report is written.
"""

from __future__ import annotations

from accesscontrol.authorization import decide
from accesscontrol.principal import service_principal
from buckets.context import RequestContext
from buckets.identified import bucket_of_arn
from buckets.selectors import find_bucket

SERVICE = "s3.amazonaws.com"


def require_deposit(context: RequestContext, destination_arn: str, prefix: str | None, name: str) -> None:
    """Raise AccessDenied for a report that is to go where the principal may not write. Cost: one statement."""
    source = context.bucket
    destination = find_bucket(bucket_of_arn(destination_arn))
    if destination is None or destination.owner_id != source.owner_id:
        return
    key = "/".join(filter(None, (prefix, source.name, name))) + "/"
    decision = decide(
        service_principal(SERVICE),
        action="s3:PutObject",
        bucket=destination,
        key=key,
        facts=context.facts,
        stated={
            "aws:sourcearn": f"arn:aws:s3:::{source.name}",
            "aws:sourceaccount": source.owner_id,
            "aws:securetransport": "true",
            "s3:x-amz-acl": "bucket-owner-full-control",
        },
    )
    if not decision.is_allowed:
        context.authorize("s3:PutObject", bucket=destination, key=key)
