"""The rule of a bucket's default encryption: what PutBucketEncryption takes. Pure.

Rules: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s3protocol import errors

SSE_S3 = "AES256"
SSE_KMS = "aws:kms"
CUSTOMER_KEYS = "SSE-C"
DEFAULT_RULE: dict[str, Any] = {
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": SSE_S3},
    "BucketKeyEnabled": False,
}
"""What a bucket without a rule shows where the installation encrypts everything."""


def checked_rule(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the one rule of a configuration. Raises MalformedXML, InvalidArgument, NotImplemented.

    Whether a key exists is not asked: it may be made later, and writes say so until then.
    """
    rules = configuration.get("Rules", [])
    if len(rules) != 1:
        raise errors.MalformedXML
    rule = dict(rules[0])
    default, blocked = rule.get("ApplyServerSideEncryptionByDefault"), rule.get("BlockedEncryptionTypes")
    if default is None and blocked is None:
        raise errors.MalformedXML
    if default is not None:
        _check_default(default)
    if blocked is not None and not set(blocked.get("EncryptionType", [])) <= {"NONE", CUSTOMER_KEYS}:
        raise errors.MalformedXML
    return rule


def _check_default(default: Mapping[str, Any]) -> None:
    algorithm = default.get("SSEAlgorithm")
    if algorithm == "aws:kms:dsse":
        raise errors.NotImplemented("Dual-layer encryption (aws:kms:dsse) is not implemented.")
    if algorithm not in (SSE_S3, SSE_KMS):
        raise errors.MalformedXML
    if algorithm == SSE_S3 and default.get("KMSMasterKeyID"):
        raise errors.InvalidArgument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )


def blocks_customer_keys(rule: Mapping[str, Any] | None) -> bool:
    """Say whether a bucket takes no objects encrypted by customers' keys."""
    return CUSTOMER_KEYS in ((rule or {}).get("BlockedEncryptionTypes") or {}).get("EncryptionType", [])
