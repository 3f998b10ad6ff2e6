"""Cross-origin requests: which of a bucket's rules lets a page of another origin do what. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html and the Fetch standard. The first rule that fits the
origin, the method and every asked header decides. A wildcard stands for any text, once in a pattern; origins are compared
exactly, headers without regard to case. CORS only tells browsers what pages may see: it permits nobody anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from s3protocol import errors

KIND = "cors"
"""Under which kind a bucket's rules are stored."""

RULE_COUNT_MAX = 100
ID_LENGTH_MAX = 255
METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

Rule = Mapping[str, Any]
"""A CORSRule, in the model's members."""


def checked_rules(configuration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rules of a CORSConfiguration. Raises MalformedXML, InvalidRequest."""
    rules = configuration.get("CORSRules", [])
    if not rules:
        raise errors.MalformedXML
    if len(rules) > RULE_COUNT_MAX:
        raise errors.InvalidRequest(
            f"The number of CORS rules should not exceed allowed limit of {RULE_COUNT_MAX} rules."
        )
    for rule in rules:
        _check_rule(rule)
    return list(rules)


def _check_rule(rule: Rule) -> None:
    if len(rule.get("ID", "")) > ID_LENGTH_MAX:
        raise errors.InvalidArgument("The ID of a CORS rule is too long.", ArgumentName="ID", ArgumentValue=rule["ID"])
    for method in rule["AllowedMethods"]:
        if method not in METHODS:
            raise errors.InvalidRequest(f"Found unsupported HTTP method in CORS config. Unsupported method is {method}")
    for name in ("AllowedOrigins", "AllowedHeaders"):
        for pattern in rule.get(name, []):
            if pattern.count("*") > 1:
                raise errors.InvalidRequest(f'{name[:-1]} "{pattern}" can not have more than one wildcard.')
    for exposed in rule.get("ExposeHeaders", []):
        if "*" in exposed:
            raise errors.InvalidRequest(
                f'ExposeHeader "{exposed}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )


def find_rule(rules: Iterable[Rule], *, origin: str, method: str, asked_headers: Sequence[str] = ()) -> Rule | None:
    """Return the first rule that lets a page of `origin` send a request with these headers, or None."""
    for rule in rules:
        if (
            method in rule["AllowedMethods"]
            and any(_fits(pattern, origin) for pattern in rule["AllowedOrigins"])
            and all(_is_header_allowed(rule, header) for header in asked_headers)
        ):
            return rule
    return None


def _is_header_allowed(rule: Rule, header: str) -> bool:
    return any(_fits(pattern.lower(), header.lower()) for pattern in rule.get("AllowedHeaders", []))


def _fits(pattern: str, text: str) -> bool:
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)


def asked_headers(header: str | None) -> list[str]:
    """Split Access-Control-Request-Headers."""
    return [name.strip() for name in (header or "").split(",") if name.strip()]


def answer_headers(rule: Rule, *, origin: str, asked: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Render what a rule tells the browser; `asked` are the headers that a preflight asked for."""
    is_open = "*" in rule["AllowedOrigins"]
    headers = [
        ("Access-Control-Allow-Origin", "*" if is_open else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
    ]
    if asked:
        headers.append(("Access-Control-Allow-Headers", ", ".join(name.lower() for name in asked)))
    if rule.get("ExposeHeaders"):
        headers.append(("Access-Control-Expose-Headers", ", ".join(rule["ExposeHeaders"])))
    if "MaxAgeSeconds" in rule:
        headers.append(("Access-Control-Max-Age", str(rule["MaxAgeSeconds"])))
    if not is_open:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    headers.append(("Vary", VARY))
    return headers
