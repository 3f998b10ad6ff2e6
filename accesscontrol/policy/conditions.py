"""Condition elements: all operators, with IfExists, ForAllValues, ForAnyValue and policy variables.

All tests of a statement must hold, and so must all keys within an operator; of the values of a key one suffices. A
negated operator holds when none of its values matches. A key that the request lacks fails a test, unless the operator is
negated or ends in IfExists. Values that cannot be read (a date that is none) match nothing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from accesscontrol.policy.patterns import PatternError, compile_pattern, compile_text
from accesscontrol.policy.request import ContextValues, normalized_key

ADDRESSES_MAX = 1_000

Matcher = Callable[[str, ContextValues], bool]
"""Say whether a value of the request matches a value of the policy."""


class Quantifier(StrEnum):
    """How many of a key's values in the request must match."""

    PLAIN = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


class ConditionError(ValueError):
    """A condition that cannot be."""


@dataclass(frozen=True, slots=True)
class Test:
    """One key under one operator. `values` are the policy's, as text, for showing and for judging publicity."""

    operator: str
    key: str
    values: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    is_negated: bool
    is_optional: bool
    quantifier: Quantifier

    def holds(self, context: ContextValues) -> bool:
        """Say whether the request passes the test."""
        present = context.get(self.key)
        if self.operator == "Null":
            return (not present) == (self.values[0] == "true")
        if not present:
            return self._holds_without_value()
        if len(present) == 1:  # as good as always: all and any are the same
            return self._accepts(present[0], context)
        if self.quantifier is Quantifier.ALL or (self.quantifier is Quantifier.PLAIN and self.is_negated):
            return all(self._accepts(value, context) for value in present)
        return any(self._accepts(value, context) for value in present)

    def _holds_without_value(self) -> bool:
        if self.is_optional or self.quantifier is Quantifier.ALL:
            return True
        return self.is_negated and self.quantifier is not Quantifier.ANY

    def _accepts(self, value: str, context: ContextValues) -> bool:
        for matches in self.matchers:
            if matches(value, context):
                return not self.is_negated
        return self.is_negated


def parse_conditions(element: Any, *, has_variables: bool) -> tuple[Test, ...]:
    """Parse a Condition element. Raises ConditionError."""
    if not isinstance(element, dict):
        raise ConditionError("Condition must be an object")
    tests = []
    for operator, keys in element.items():
        if not isinstance(keys, dict):
            raise ConditionError(f"Invalid Condition type : {operator}")
        for key, values in keys.items():
            if ":" not in key:
                raise ConditionError("Policy has an invalid condition key")
            tests.append(_parse_test(operator, key, _value_texts(values), has_variables=has_variables))
    return tuple(tests)


def _parse_test(operator: str, key: str, values: tuple[str, ...], *, has_variables: bool) -> Test:
    quantifier = Quantifier.PLAIN
    prefix, colon, name = operator.partition(":")
    if colon:
        if prefix not in (Quantifier.ALL, Quantifier.ANY):
            raise ConditionError(f"Invalid Condition type : {operator}")
        quantifier = Quantifier(prefix)
    else:
        name = operator
    is_optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        values = tuple(value.lower() for value in values)
        if is_optional or quantifier or len(values) != 1 or values[0] not in ("true", "false"):
            raise ConditionError(f"Invalid Condition type : {operator}")
        return Test("Null", normalized_key(key), values, (), False, False, quantifier)
    if name not in _MATCHER_MAKERS:
        raise ConditionError(f"Invalid Condition type : {operator}")
    make, is_negated = _MATCHER_MAKERS[name]
    try:
        matchers = tuple(make(value, has_variables) for value in values)
    except (PatternError, ValueError, ArithmeticError, OSError):
        raise ConditionError(f"Invalid value in the condition {operator} of {key}") from None
    return Test(name, normalized_key(key), values, matchers, is_negated, is_optional, quantifier)


def _value_texts(values: Any) -> tuple[str, ...]:
    """Read the values of a key: texts, numbers, booleans, one or a list of them."""
    listed = values if isinstance(values, list) else [values]
    texts = []
    for value in listed:
        if isinstance(value, bool):
            texts.append("true" if value else "false")
        elif isinstance(value, str | int | float | Decimal):
            texts.append(str(value))
        else:
            raise ConditionError("Invalid value in a condition")
    if not texts:
        raise ConditionError("A condition needs a value")
    return tuple(texts)


def _exact(value: str, has_variables: bool) -> Matcher:  # noqa: FBT001  one of many makers
    """Match a text, whose stars are stars; only its variables are filled in."""
    if not has_variables or "${" not in value:
        return lambda found, _: found == value
    return compile_text(value).matches


def _exact_caseless(value: str, has_variables: bool) -> Matcher:  # noqa: FBT001  likewise
    if not has_variables or "${" not in value:
        lowered = value.lower()
        return lambda found, _: found.lower() == lowered
    return compile_text(value, is_caseless=True).matches


def _like(value: str, has_variables: bool) -> Matcher:  # noqa: FBT001  likewise
    return compile_pattern(value, has_variables=has_variables).matches


def _arn(value: str, has_variables: bool) -> Matcher:  # noqa: FBT001  likewise
    """Match an ARN part by part, so that a star does not reach over a colon, but in the last part."""
    parts = [compile_pattern(part, has_variables=has_variables) for part in _arn_parts(value)]
    if len(parts) != 6 and value != "*":
        raise ValueError(value)

    def matches(found: str, context: ContextValues) -> bool:
        found_parts = found.split(":", 5)
        if value == "*":
            return True
        return len(found_parts) == 6 and all(
            part.matches(text, context) for part, text in zip(parts, found_parts, strict=True)
        )

    return matches


def _arn_parts(value: str) -> list[str]:
    """Split an ARN at its first five colons that do not stand in a variable."""
    parts: list[str] = []
    depth, start = 0, 0
    for index, character in enumerate(value):
        if value.startswith("${", index):
            depth += 1
        elif character == "}":
            depth = 0
        elif character == ":" and depth == 0 and len(parts) < 5:
            parts.append(value[start:index])
            start = index + 1
    return [*parts, value[start:]]


def _boolean(value: str, _: bool) -> Matcher:  # noqa: FBT001  likewise
    wanted = value.lower()
    if wanted not in ("true", "false"):
        raise ValueError(value)
    return lambda found, _: found.lower() == wanted


def _binary(value: str, _: bool) -> Matcher:  # noqa: FBT001  likewise
    wanted = base64.b64decode(value, validate=True)

    def matches(found: str, _: ContextValues) -> bool:
        try:
            return base64.b64decode(found, validate=True) == wanted
        except binascii.Error:
            return False

    return matches


def _address(value: str, _: bool) -> Matcher:  # noqa: FBT001  likewise
    network = _parse_network(value)

    def matches(found: str, _: ContextValues) -> bool:
        address = _parse_address(found)
        return address is not None and address in network

    return matches


def _parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read a network; one of version 4 in version 6's clothes is the former, as addresses are. Raises ValueError."""
    network = ipaddress.ip_network(text, strict=False)
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return ipaddress.IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


@lru_cache(maxsize=ADDRESSES_MAX)
def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; one of version 4 in version 6's clothes is the former. None when it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _numeric(compare: Callable[[Any, Any], bool]) -> Callable[[str, bool], Matcher]:
    return _comparing(_number, compare)


def _dated(compare: Callable[[Any, Any], bool]) -> Callable[[str, bool], Matcher]:
    return _comparing(_moment, compare)


def _comparing(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Callable[[str, bool], Matcher]:
    def make(value: str, _: bool) -> Matcher:  # noqa: FBT001  likewise
        wanted = read(value)

        def matches(found: str, _: ContextValues) -> bool:
            try:
                return compare(read(found), wanted)
            except (ValueError, ArithmeticError, OSError):
                return False

        return matches

    return make


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _moment(text: str) -> datetime:
    """Read a time: ISO 8601, UTC where it does not say, or seconds since the epoch."""
    if text.lstrip("-").isdecimal() and len(text) != 4:
        return datetime.fromtimestamp(int(text), UTC)
    parsed = datetime.fromisoformat(f"{text}-01-01" if len(text) == 4 else f"{text}-01" if len(text) == 7 else text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


_MATCHER_MAKERS: Mapping[str, tuple[Callable[[str, bool], Matcher], bool]] = {
    "StringEquals": (_exact, False),
    "StringNotEquals": (_exact, True),
    "StringEqualsIgnoreCase": (_exact_caseless, False),
    "StringNotEqualsIgnoreCase": (_exact_caseless, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "NumericEquals": (_numeric(eq), False),
    "NumericNotEquals": (_numeric(eq), True),
    "NumericLessThan": (_numeric(lt), False),
    "NumericLessThanEquals": (_numeric(le), False),
    "NumericGreaterThan": (_numeric(gt), False),
    "NumericGreaterThanEquals": (_numeric(ge), False),
    "DateEquals": (_dated(eq), False),
    "DateNotEquals": (_dated(eq), True),
    "DateLessThan": (_dated(lt), False),
    "DateLessThanEquals": (_dated(le), False),
    "DateGreaterThan": (_dated(gt), False),
    "DateGreaterThanEquals": (_dated(ge), False),
    "Bool": (_boolean, False),
    "BinaryEquals": (_binary, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
}
"""By operator: what makes a matcher of a value, and whether the operator is negated."""
