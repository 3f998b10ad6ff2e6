"""Words for sharing: policies, grants, and the accounts of the cast."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


def statement(bucket: str, *actions: str, **elements: Any) -> dict[str, Any]:
    """Return a statement that lets everyone do the actions on the bucket and all in it, unless elements say otherwise."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    defaults = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    if "NotPrincipal" not in elements:
        defaults["Principal"] = "*"
    return {**defaults, **elements}


def policy(*statements: Mapping[str, Any]) -> str:
    """Return a policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(owner: Any, bucket: str, *actions: str, **elements: Any) -> None:
    """Give the bucket a policy of one statement."""
    owner.put_bucket_policy(Bucket=bucket, Policy=policy(statement(bucket, *actions, **elements)))


def canonical_id(client: Any) -> str:
    """Return the canonical id of a client's account."""
    return str(client.list_buckets()["Owner"]["ID"])


def grants_of(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the grants of an answer as (grantee, permission)."""
    return [(grant["Grantee"].get("URI") or grant["Grantee"]["ID"], grant["Permission"]) for grant in answer["Grants"]]
