"""The signature of a browser's upload: fields of the form that sign its policy, by Version 4 or 2.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html. The string to sign is the policy as it was sent,
in Base64; so a signature says nothing of the form beyond what the policy does. How long it holds, the policy says, too.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from s3protocol import errors, timestamps
from s3protocol.signatures import canonical
from s3protocol.signatures.credentials import (
    AcceptedScope,
    MalformedCredentialError,
    check_scope_date,
    parse_credential,
)
from s3protocol.signatures.presented import CredentialScope

_V4_FIELDS = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
_V2_FIELDS = ("awsaccesskeyid", "signature")


@dataclass(frozen=True, slots=True)
class PostSignature:
    """A form's signature as presented; without a scope it is of Version 2."""

    access_key_id: str
    scope: CredentialScope | None
    policy: str
    signature: str
    session_token: str | None

    @property
    def algorithm(self) -> str:
        """What signs, in the words of `s3:signatureversion`."""
        return "AWS" if self.scope is None else canonical.ALGORITHM


def read_post_signature(
    fields: Mapping[str, str], *, region: str, accepted_regions: frozenset[str] | None = None
) -> PostSignature | None:
    """Read the signature of a form, by lower-case field names; None for one that bears neither policy nor signature.

    Raises InvalidArgument for a field that is missing or malformed.
    """
    is_v4 = any(name in fields for name in _V4_FIELDS)
    if not is_v4 and "policy" not in fields and not any(name in fields for name in _V2_FIELDS):
        return None
    for name in ("policy", *(_V4_FIELDS if is_v4 else _V2_FIELDS)):
        if not fields.get(name):
            raise errors.InvalidArgument(
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the "
                "fields.",
                ArgumentName=name,
                ArgumentValue="",
            )
    session_token = fields.get("x-amz-security-token")
    if not is_v4:
        return PostSignature(fields["awsaccesskeyid"], None, fields["policy"], fields["signature"], session_token)
    access_key_id, scope = _read_scope(fields, AcceptedScope(region, accepted_regions, "s3"))
    return PostSignature(access_key_id, scope, fields["policy"], fields["x-amz-signature"], session_token)


def _read_scope(fields: Mapping[str, str], accepted: AcceptedScope) -> tuple[str, CredentialScope]:
    algorithm, date = fields["x-amz-algorithm"], fields["x-amz-date"]
    if algorithm != canonical.ALGORITHM:
        raise errors.InvalidArgument(
            f'X-Amz-Algorithm only supports "{canonical.ALGORITHM}"',
            ArgumentName="x-amz-algorithm",
            ArgumentValue=algorithm,
        )
    try:
        timestamps.parse_basic(date)
        access_key_id, scope = parse_credential(fields["x-amz-credential"], accepted)
        check_scope_date(scope, date)
    except MalformedCredentialError as malformed:
        raise errors.InvalidArgument(
            f"Error parsing the X-Amz-Credential parameter; {malformed.problem}",
            ArgumentName="x-amz-credential",
            ArgumentValue=fields["x-amz-credential"],
        ) from None
    except ValueError:
        raise errors.InvalidArgument(
            "X-Amz-Date must be formatted via ISO8601 Long format", ArgumentName="x-amz-date", ArgumentValue=date
        ) from None
    return access_key_id, scope


def verify_post_signature(presented: PostSignature, *, secret_key: str) -> None:
    """Raise SignatureDoesNotMatch unless the secret key makes this signature of the policy."""
    if presented.scope is not None:
        scope = presented.scope
        key = canonical.signing_key(secret_key, scope.date_text, scope.region, scope.service)
        is_same = canonical.is_same_signature(canonical.sign(key, presented.policy), presented.signature)
    else:
        expected = hmac.digest(secret_key.encode(), canonical.raw_bytes(presented.policy), "sha1")
        is_same = hmac.compare_digest(expected, _decoded(presented.signature))
    if not is_same:
        raise errors.SignatureDoesNotMatch(
            AWSAccessKeyId=presented.access_key_id,
            StringToSign=presented.policy,
            SignatureProvided=presented.signature,
        )


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature.encode("utf-8", "replace"), validate=True)
    except (binascii.Error, ValueError):
        return b""
