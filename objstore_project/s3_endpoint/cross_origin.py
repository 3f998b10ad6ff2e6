"""What browsers ask for pages of other origins: preflight requests, and the headers of answers to such pages.

The rules are `buckets.cors`; a request without Origin costs nothing here, one with it a statement.
"""

from __future__ import annotations

from typing import Any

from buckets import cors
from buckets.selectors import find_bucket, find_configuration_by_name
from objstore_project.s3_endpoint.address import Address
from s3protocol import errors
from s3protocol.codec import WireResponse
from s3protocol.routes import Level

_METHOD_HEADER = "access-control-request-method"


def answer_preflight(address: Address) -> WireResponse:
    """Answer OPTIONS, which is never signed. Raises BadRequest for what is no preflight, AccessForbidden."""
    origin, method = address.headers.get("origin"), address.headers.get(_METHOD_HEADER)
    if origin is None:
        raise errors.BadRequest("Insufficient information. Origin request header needed.")
    if method not in cors.METHODS:
        raise errors.BadRequest(f"Invalid Access-Control-Request-Method: {method or 'null'}")
    asked = cors.asked_headers(address.headers.get("access-control-request-headers"))
    rules = _find_rules(address)
    if rules is None:
        raise _forbidden(address, method, _reason(address))
    rule = cors.find_rule(rules, origin=origin, method=method, asked_headers=asked)
    if rule is None:
        raise _forbidden(address, method, None)
    return WireResponse(200, cors.answer_headers(rule, origin=origin, asked=asked), b"")


def _reason(address: Address) -> str:
    is_there = address.bucket is not None and find_bucket(address.bucket) is not None
    return "CORSResponse: CORS is not enabled for this bucket." if is_there else "CORSResponse: Bucket not found"


def _forbidden(address: Address, method: str, reason: str | None) -> errors.AccessForbidden:
    resource_type = "BUCKET" if address.level is Level.BUCKET else address.level.value
    return errors.AccessForbidden(reason, Method=method, ResourceType=resource_type)


def headers_for_origin(address: Address) -> list[tuple[str, str]]:
    """Return the headers that let the page at the request's Origin see the answer; none where no rule does.

    A request that says Access-Control-Request-Method without being a preflight is judged by that method, as S3 does.
    """
    rules = _find_rules(address)
    if rules is None:
        return []
    origin = address.headers["origin"]
    rule = cors.find_rule(rules, origin=origin, method=address.headers.get(_METHOD_HEADER, address.method))
    return [("Vary", cors.VARY)] if rule is None else cors.answer_headers(rule, origin=origin)


def _find_rules(address: Address) -> list[dict[str, Any]] | None:
    return None if address.bucket is None else find_configuration_by_name(address.bucket, cors.KIND)
