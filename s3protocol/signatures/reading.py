"""Reading the signature of a request: which of the four kinds it is, and whether it is well-formed.

Not for: believing it (`verification`), and the clock: how old a signature may be is judged there too. The fields of
each kind are read by `header_v4`, `query_v4` and `version_2`; this module finds out which of them is to be asked.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

from s3protocol import errors
from s3protocol.signatures import header_v4, query_v4, version_2
from s3protocol.signatures.canonical import ALGORITHM
from s3protocol.signatures.credentials import AcceptedScope
from s3protocol.signatures.presented import PresentedSignature

_V4_MARKS: Final = frozenset({"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"})
_V2_MARKS: Final = frozenset({"AWSAccessKeyId", "Signature"})
# Most queries hold none of these, and are not taken apart.
_MAY_HOLD_SIGNATURE = re.compile(r"(?:^|&)(?:X-Amz-|AWSAccessKeyId=|Signature=)")


def read_signature(
    headers: Mapping[str, str],
    raw_query: str,
    *,
    region: str = "us-east-1",
    accepted_regions: frozenset[str] | None = None,
    service: str = "s3",
) -> PresentedSignature | None:
    """Read the signature that a request presents, or None if it is anonymous.

    `headers` have lower-case names; `raw_query` is the query string as it was sent (WSGI's QUERY_STRING). `region` is
    the server's own, named in errors; signatures for any of `accepted_regions` pass, for any region if that is None.

    Errors: AuthorizationHeaderMalformed, AuthorizationQueryParametersError, InvalidArgument, InvalidRequest,
    AccessDenied, NotImplemented.
    """
    authorization = headers.get("authorization", "").strip()
    query = _signature_parameters(raw_query)
    if not authorization and query is None:
        return None
    accepted = AcceptedScope(region, accepted_regions, service)
    if query is None:
        return _read_header(authorization, headers, accepted)
    if authorization:
        raise errors.InvalidArgument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified",
            ArgumentName="Authorization",
            ArgumentValue=authorization,
        )
    if query.keys() & _V4_MARKS:
        return query_v4.read(query, headers, accepted)
    return version_2.read_query(query, headers)


def _read_header(authorization: str, headers: Mapping[str, str], accepted: AcceptedScope) -> PresentedSignature:
    scheme, _, rest = authorization.partition(" ")
    if scheme == ALGORITHM:
        return header_v4.read(rest, headers, accepted)
    if scheme == "AWS":
        return version_2.read_header(rest, headers)
    if scheme.startswith("AWS4-ECDSA"):
        raise errors.NotImplemented("Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not implemented.")
    if not authorization.isprintable():
        raise errors.AccessDenied
    raise errors.InvalidArgument(
        "Unsupported Authorization Type", ArgumentName="Authorization", ArgumentValue=authorization
    )


def _signature_parameters(raw_query: str) -> dict[str, str] | None:
    """Decode a query that holds a signature (the first value of a name counts); None if it holds none."""
    if _MAY_HOLD_SIGNATURE.search(raw_query) is None:
        return None
    query: dict[str, str] = {}
    for raw_pair in raw_query.split("&"):
        name, _, value = raw_pair.partition("=")
        query.setdefault(unquote_plus(name), unquote_plus(value))
    if query.keys() & _V4_MARKS or query.keys() & _V2_MARKS:
        return query
    return None
