"""Website configurations: what is refused, which key a path means, where a request is sent instead. Pure.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html and the pages on index and error
documents and of PutBucketWebsite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from s3protocol import errors

KIND = "website"
RULE_COUNT_MAX = 50

_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}(:[0-9]{1,5})?")
_ERROR_CODE = re.compile(r"[45][0-9][0-9]")
_REDIRECT_CODE = re.compile(r"3(?:0[1-9]|[1-9][0-9])")
_DEFAULT_STATUS = 301


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """Where a rule sends requests; what it leaves out stays as it was asked for."""

    host: str | None = None
    protocol: str | None = None
    key: str | None = None
    key_prefix: str | None = None
    status: int = _DEFAULT_STATUS


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A rule of redirection: for keys with a prefix, for an error, or for both."""

    target: RedirectTarget
    prefix: str | None = None
    error_status: int | None = None

    def fits(self, key: str, error_status: int | None) -> bool:
        """Say whether the rule is about a key; `error_status` is None before anything was looked for."""
        return self.error_status == error_status and (self.prefix is None or key.startswith(self.prefix))


@dataclass(frozen=True, slots=True)
class Website:
    """A website: all requests elsewhere, or documents and rules."""

    redirect_all: RedirectTarget | None = None
    index_suffix: str = ""
    error_key: str | None = None
    rules: tuple[RoutingRule, ...] = ()

    def document_key(self, key: str) -> str:
        """Return the object that a path means: the index document for what looks like a folder."""
        return key + self.index_suffix if not key or key.endswith("/") else key

    def rule_for(self, key: str, error_status: int | None = None) -> RoutingRule | None:
        """Return the first rule that fits, None for none."""
        return next((rule for rule in self.rules if rule.fits(key, error_status)), None)


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A request as redirections see it: scheme, host with port, key, and query as it came."""

    protocol: str
    host: str
    key: str
    query: str = ""


def location(target: RedirectTarget, asked: AskedFor, *, prefix: str | None = None) -> str:
    """Return the address that a request is sent to; `prefix` is the rule's, which may be replaced."""
    key = asked.key
    if target.key is not None:
        key = target.key
    elif target.key_prefix is not None:
        key = target.key_prefix + key.removeprefix(prefix or "")
    query = f"?{asked.query}" if asked.query else ""
    return f"{target.protocol or asked.protocol}://{target.host or asked.host}/{quote(key, safe=_PATH_SAFE)}{query}"


_PATH_SAFE = "/-._~!$&'()*+,;=:@"


def quoted_path(key: str) -> str:
    """Return the path of a key. One that begins with a slash must not make it `//host/…`, which is another's address."""
    path = quote(key, safe=_PATH_SAFE)
    return "/" + (path if not path.startswith("/") else "%2F" + path[1:])


def read_website(document: Mapping[str, Any]) -> Website:
    """Read a stored document."""
    everything = document.get("RedirectAllRequestsTo")
    if everything is not None:
        return Website(redirect_all=RedirectTarget(everything["HostName"], everything.get("Protocol")))
    return Website(
        index_suffix=document["IndexDocument"]["Suffix"],
        error_key=document.get("ErrorDocument", {}).get("Key"),
        rules=tuple(_rule(rule) for rule in document.get("RoutingRules", [])),
    )


def _rule(rule: Mapping[str, Any]) -> RoutingRule:
    condition, redirect = rule.get("Condition", {}), rule["Redirect"]
    error = condition.get("HttpErrorCodeReturnedEquals")
    return RoutingRule(
        RedirectTarget(
            host=redirect.get("HostName"),
            protocol=redirect.get("Protocol"),
            key=redirect.get("ReplaceKeyWith"),
            key_prefix=redirect.get("ReplaceKeyPrefixWith"),
            status=int(redirect.get("HttpRedirectCode", _DEFAULT_STATUS)),
        ),
        prefix=condition.get("KeyPrefixEquals"),
        error_status=None if error is None else int(error),
    )


def checked_document(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored. Raises InvalidArgument, InvalidRequest, MalformedXML."""
    if "RedirectAllRequestsTo" in configuration:
        if len(configuration) > 1:
            raise errors.InvalidArgument(
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
                ArgumentName="RedirectAllRequestsTo",
                ArgumentValue="not null",
            )
        _check_host(configuration["RedirectAllRequestsTo"]["HostName"])
        return dict(configuration)
    suffix = configuration.get("IndexDocument", {}).get("Suffix")
    if suffix is None:
        raise errors.InvalidArgument(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            ArgumentName="IndexDocument",
            ArgumentValue="null",
        )
    if not suffix or "/" in suffix:
        raise errors.InvalidArgument(
            "The IndexDocument Suffix is not well formed", ArgumentName="IndexDocument", ArgumentValue=suffix
        )
    if configuration.get("ErrorDocument", {}).get("Key") == "":
        raise errors.InvalidArgument("The ErrorDocument Key is not well formed", ArgumentName="ErrorDocument")
    _check_rules(configuration.get("RoutingRules", []))
    return dict(configuration)


def _check_rules(rules: Sequence[Mapping[str, Any]]) -> None:
    if len(rules) > RULE_COUNT_MAX:
        raise errors.InvalidRequest(
            f"{len(rules)} routing rules provided, the number of routing rules in a website configuration is limited to "
            f"{RULE_COUNT_MAX}."
        )
    for rule in rules:
        _check_condition(rule.get("Condition"))
        redirect = rule["Redirect"]
        if not redirect:
            raise errors.MalformedXML
        if "ReplaceKeyWith" in redirect and "ReplaceKeyPrefixWith" in redirect:
            raise errors.InvalidRequest("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
        code = redirect.get("HttpRedirectCode")
        if code is not None and _REDIRECT_CODE.fullmatch(code) is None:
            raise errors.InvalidRequest(
                f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300."
            )
        if "HostName" in redirect:
            _check_host(redirect["HostName"])


def _check_condition(condition: Mapping[str, Any] | None) -> None:
    if condition is None:
        return
    if not condition:
        raise errors.InvalidRequest(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be "
            "present."
        )
    code = condition.get("HttpErrorCodeReturnedEquals")
    if code is not None and _ERROR_CODE.fullmatch(code) is None:
        raise errors.InvalidRequest(f"The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX.")


def _check_host(host: str) -> None:
    if _HOST.fullmatch(host) is None:
        raise errors.InvalidArgument("The HostName is not well formed", ArgumentName="HostName", ArgumentValue=host)
