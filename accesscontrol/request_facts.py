"""What a request says of itself that the conditions of policies may ask for: the values of condition keys. Pure.

Computed only where there is a policy to ask. A key that says nothing in a request is absent, never empty.
Keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote_plus

from accesscontrol.policy import ContextValues, normalized_key
from accesscontrol.principal import Principal, PrincipalKind, Session, SessionKind
from s3protocol.signatures.presented import PresentedSignature, SignatureKind

_QUERY_KEYS = {
    "prefix": "s3:prefix",
    "delimiter": "s3:delimiter",
    "max-keys": "s3:max-keys",
    "versionId": "s3:versionid",
}
_HEADER_KEYS = {
    name: f"s3:{name}"
    for name in (
        "x-amz-acl",
        "x-amz-content-sha256",
        "x-amz-copy-source",
        "x-amz-grant-full-control",
        "x-amz-grant-read",
        "x-amz-grant-read-acp",
        "x-amz-grant-write",
        "x-amz-grant-write-acp",
        "x-amz-metadata-directive",
        "x-amz-object-ownership",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-storage-class",
        "x-amz-website-redirect-location",
    )
} | {
    "referer": "aws:referer",
    "user-agent": "aws:useragent",
    "if-match": "s3:if-match",
    "if-none-match": "s3:if-none-match",
    "x-amz-object-lock-mode": "s3:object-lock-mode",
    "x-amz-object-lock-retain-until-date": "s3:object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold": "s3:object-lock-legal-hold",
}
_SIGNATURES = {
    SignatureKind.HEADER_V4: ("AWS4-HMAC-SHA256", "REST-HEADER"),
    SignatureKind.QUERY_V4: ("AWS4-HMAC-SHA256", "REST-QUERY-STRING"),
    SignatureKind.HEADER_V2: ("AWS", "REST-HEADER"),
    SignatureKind.QUERY_V2: ("AWS", "REST-QUERY-STRING"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

StatedValues = Mapping[str, str | tuple[str, ...]]
"""Values of condition keys that whoever asks knows, by normalized key."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """A request as conditions see it. Header names are in lower case; `form_algorithm` is what a browser's form is signed by."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    source_ip: str = ""
    is_secure: bool = False
    now: datetime = _EPOCH
    region: str = ""
    signature: PresentedSignature | None = None
    form_algorithm: str = ""


NO_FACTS = RequestFacts()


def telling_facts(facts: RequestFacts) -> dict[str, object]:
    """Return what a later question about a decision needs to know of the request, and nothing that is secret."""
    told: dict[str, object] = {"is_secure": facts.is_secure}
    headers = {name: facts.headers[name] for name in (*_HEADER_KEYS, "x-amz-tagging") if name in facts.headers}
    query = {name: facts.query[name] for name in _QUERY_KEYS if name in facts.query}
    if headers:
        told["headers"] = headers
    if query:
        told["query"] = query
    return told


def context_values(
    facts: RequestFacts,
    principal: Principal,
    *,
    owner_id: str | None,
    bucket_tags: Mapping[str, str] | None = None,
    existing_tags: Mapping[str, str] | None = None,
    request_tags: Mapping[str, str] | None = None,
    stated: StatedValues | None = None,
) -> ContextValues:
    """Return the condition keys of a request with their values.

    `bucket_tags` are the bucket's, where they count, `existing_tags` the object's, `request_tags` those that the request brings (read from its header where they are
    not given), `stated` other normalized keys, which win.
    """
    values: dict[str, tuple[str, ...]] = {
        "aws:currenttime": (facts.now.isoformat(),),
        "aws:epochtime": (str(int(facts.now.timestamp())),),
        "aws:securetransport": ("true" if facts.is_secure else "false",),
        "aws:requestedregion": (facts.region,),
        "aws:viaawsservice": ("false",),
        "aws:principalisawsservice": ("false",),
    }
    if facts.source_ip:
        values["aws:sourceip"] = (facts.source_ip,)
    values |= _asked_values(facts)
    values |= _principal_values(principal)
    values |= _signature_values(facts)
    if owner_id is not None:
        values |= {"s3:resourceaccount": (owner_id,), "aws:resourceaccount": (owner_id,)}
    if bucket_tags:
        values |= _tag_values(bucket_tags, "s3:buckettag", "aws:resourcetag")
    if existing_tags:
        values |= _tag_values(existing_tags, "s3:existingobjecttag")
    brought = _header_tags(facts) if request_tags is None else request_tags
    if brought:
        values |= _tag_values(brought, "s3:requestobjecttag")
        values["s3:requestobjecttagkeys"] = tuple(brought)
    for key, given in (stated or {}).items():
        values[normalized_key(key)] = (given,) if isinstance(given, str) else given
    return values


def _asked_values(facts: RequestFacts) -> dict[str, tuple[str, ...]]:
    """Return what stands in the query and in headers."""
    values: dict[str, tuple[str, ...]] = {
        key: (facts.query[name],) for name, key in _QUERY_KEYS.items() if name in facts.query
    }
    values |= {key: (facts.headers[name],) for name, key in _HEADER_KEYS.items() if name in facts.headers}
    if "s3:x-amz-copy-source" in values:
        values["s3:x-amz-copy-source"] = (_named_source(facts.headers["x-amz-copy-source"]),)
    if "s3:object-lock-retain-until-date" in values:
        until = _read_time(facts.headers["x-amz-object-lock-retain-until-date"])
        values |= retention_values(None, until, facts.now)
    return values


def retention_values(mode: str | None, retain_until: datetime | None, now: datetime) -> dict[str, tuple[str, ...]]:
    """Return what a request says that locks a version: how, until when, and for how many days from now, begun ones whole.

    Keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
    """
    values: dict[str, tuple[str, ...]] = {} if mode is None else {"s3:object-lock-mode": (mode,)}
    if retain_until is None:
        return values
    return values | {
        "s3:object-lock-retain-until-date": (retain_until.isoformat(),),
        "s3:object-lock-remaining-retention-days": (str(-((now - retain_until) // timedelta(days=1))),),
    }


def _read_time(text: str) -> datetime | None:
    """Read a time in ISO 8601, of UTC where it does not say; None for what is none, and is refused later."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _named_source(header: str) -> str:
    """Return bucket and key of a copy's source as they are, however they were spelled; which version has a key of its own."""
    path, _, query = header.partition("?")
    return unquote_plus(path if query.startswith("versionId=") else header).removeprefix("/")


def resource_tag_values(tags: Mapping[str, str]) -> StatedValues:
    """Return what a request says that brings tags for a resource, or takes them away: it then has them without a value.

    Keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging.html
    """
    return {"aws:tagkeys": tuple(tags), **_tag_values(tags, "aws:requesttag")} if tags else {}


def _tag_values(tags: Mapping[str, str], *keys: str) -> dict[str, tuple[str, ...]]:
    """Return tags as values of condition keys. These are caseless: tags that differ in case alone share one."""
    values: dict[str, tuple[str, ...]] = {}
    for tag, value in tags.items():
        for key in keys:
            name = normalized_key(f"{key}/{tag}")
            values[name] = (*values.get(name, ()), value)
    return values


def _principal_values(principal: Principal) -> dict[str, tuple[str, ...]]:
    if principal.service:
        return {
            "aws:principaltype": (principal.kind.value,),
            "aws:principalisawsservice": ("true",),
            "aws:principalservicename": (principal.service,),
        }
    if principal.account_id is None:
        return {"aws:principaltype": (PrincipalKind.ANONYMOUS.value,), "aws:userid": (principal.userid,)}
    session = principal.session
    is_role = session is not None and session.kind is SessionKind.ROLE
    values: dict[str, tuple[str, ...]] = {
        "aws:principalaccount": (principal.account_id,),
        "aws:principalarn": (session.issuer_arn if session is not None and is_role else principal.arn,),
        "aws:principaltype": (principal.kind.value,),
        "aws:userid": (principal.userid,),
    }
    if principal.kind is PrincipalKind.USER:
        values["aws:username"] = (principal.user_name,)
    for tag, value in principal.tags.items():  # those of the session come last, and win
        values[normalized_key(f"aws:principaltag/{tag}")] = (value,)
    return values if session is None else values | _session_values(session)


def _session_values(session: Session) -> dict[str, tuple[str, ...]]:
    """Return what is known of temporary credentials alone. None of ours come with a second factor."""
    values: dict[str, tuple[str, ...]] = {
        "aws:tokenissuetime": (session.issued_at.isoformat(),),
        "aws:multifactorauthpresent": ("false",),
        **session.claims,
    }
    if session.source_identity is not None:
        values["aws:sourceidentity"] = (session.source_identity,)
    if session.federated_provider is not None:
        values["aws:federatedprovider"] = (session.federated_provider,)
    return values


def _signature_values(facts: RequestFacts) -> dict[str, tuple[str, ...]]:
    if facts.form_algorithm:
        return {"s3:signatureversion": (facts.form_algorithm,), "s3:authtype": ("POST",)}
    if facts.signature is None:
        return {}
    version, auth_type = _SIGNATURES[facts.signature.kind]
    values: dict[str, tuple[str, ...]] = {"s3:signatureversion": (version,), "s3:authtype": (auth_type,)}
    if facts.signature.kind != SignatureKind.QUERY_V2:  # which tells its end, not its beginning
        age = facts.now - facts.signature.timestamp
        values["s3:signatureage"] = (str(max(0, int(age.total_seconds() * 1_000))),)
    return values


def _header_tags(facts: RequestFacts) -> dict[str, str]:
    return dict(parse_qsl(facts.headers.get("x-amz-tagging", ""), keep_blank_values=True))
