"""The registry of the operations of IAM and STS: who serves what, under which policy action, about which resource.

As with S3's (`s3protocol.registry`): an operation is a plain function `(context, *, user_name, path="/", …) -> dict`,
and what it takes is compared with the model when the module is imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from s3protocol.query.model import Service, input_members, operation_model, operation_names

Handler = Callable[..., Mapping[str, Any]]
F = TypeVar("F", bound=Handler)


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation is about: an ARN (`*` where it is about none), and the values of condition keys that follow."""

    arn: str
    stated: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


FindTarget = Callable[[Any, Mapping[str, Any]], Target]
"""Finds what a request is about, from its context and arguments."""


class Permission(StrEnum):
    """What a request needs."""

    POLICY = "the principal's policies allow the action"
    HANDLER = "decided by the handler, with the policy of what it names"
    NONE = "nothing but a valid signature"
    UNSIGNED = "not even a signature: a token in the form proves who asks"


@dataclass(frozen=True, slots=True)
class QueryOperation:
    """One served operation."""

    service: Service
    name: str
    action: str
    function: Handler
    parameters: frozenset[str]
    harmless: frozenset[str]
    find_target: FindTarget
    permission: Permission


_operations: Final[dict[str, QueryOperation]] = {}
QUERY_REGISTRY: Final[Mapping[str, QueryOperation]] = MappingProxyType(_operations)
"""Every registered operation by its name; IAM's and STS's names do not overlap."""


def nothing_in_particular(_context: Any, _arguments: Mapping[str, Any]) -> Target:
    """Say that an operation is about no single resource."""
    return Target("*")


def query_operation(
    name: str,
    *,
    action: str,
    about: FindTarget = nothing_in_particular,
    permission: Permission = Permission.POLICY,
    harmless: Mapping[str, str] | None = None,
    takes: Iterable[str] | None = None,
) -> Callable[[F], F]:
    """Register the decorated function as the handler of `name`; it is returned unchanged.

    `takes` names what a function with `**members` takes. Raises TypeError for whatever contradicts the model.
    """
    service = next((service for service in Service if action.startswith(f"{service}:")), None)
    if service is None or name not in operation_names(service):
        raise TypeError(f"{name} with {action} is no operation of the models")

    def register(function: F) -> F:
        if name in _operations:
            raise TypeError(f"{name} is registered twice, the second time by {function.__qualname__}")
        members = input_members(service, name)
        parameters = frozenset(takes) if takes is not None else _parameters(service, name, function)
        unknown = (parameters | (harmless or {}).keys()) - members.keys()
        if unknown:
            raise TypeError(f"{name}: {', '.join(sorted(unknown))} is no member of its input")
        _operations[name] = QueryOperation(
            service, name, action, function, parameters, frozenset(harmless or ()), about, permission
        )
        return function

    return register


def unsupported_members(operation: QueryOperation, arguments: Iterable[str]) -> list[str]:
    """List the members that a request carries and that nobody looks at."""
    known = operation.parameters | operation.harmless
    return sorted(name for name in arguments if name not in known)


def _parameters(service: Service, name: str, function: Handler) -> frozenset[str]:
    """Read the keyword parameters of a handler and compare them with the model."""
    context, *rest = inspect.signature(function).parameters.values()
    if context.name != "context":
        raise TypeError(f"{name}: the first parameter is `context`")
    shape = operation_model(service, name).input_shape
    members = input_members(service, name)
    required = set() if shape is None else set(shape.required_members)
    for parameter in rest:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{name}: {parameter} must be keyword-only, by its own name")
        if parameter.default is inspect.Parameter.empty and members.get(parameter.name) not in required:
            raise TypeError(f"{name}: {parameter.name} may be absent from a request and needs a default")
    return frozenset(parameter.name for parameter in rest)
