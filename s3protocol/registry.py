"""The registry of operations: the one table of what is served, by whom and under which policy action.

An operation is a plain function `(context, *, bucket, key, version_id=None, ...) -> dict`, registered by @operation.
What it takes is read from its signature and compared with the model when the module is imported, so that a typing
mistake or a missing action stops the start-up and not a request; members that several operations take may come as
`**members: Unpack[...]`, where the TypedDict names them. Nothing is silently ignored: a member present in a
request that the function does not take is refused by the endpoint (`unsupported_members`) unless listed, with a
reason, as harmless. Not here: calling the function, or deciding about the action.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args, get_type_hints, is_typeddict

from s3protocol.model import CONTROL_OPERATIONS, input_members, input_wire_names, operation_names
from s3protocol.quirks import required_members

Handler = Callable[..., Mapping[str, Any]]
F = TypeVar("F", bound=Handler)

HARMLESS_EVERYWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "x-amz-request-payer": "consent to be charged: the endpoint asks for it where a bucket has requesters pay",
        "x-amz-expected-bucket-owner": "checked by the endpoint, for every operation, before the handler runs",
        "content-md5": "checked by whoever reads the body, before anything is published",
        "x-amz-sdk-checksum-algorithm": "names the checksum header or trailer that the reader of the body verifies",
        "x-amz-account-id": "checked by the endpoint: the account of the resource, or of who asks",
        "content-length": "the endpoint bounds the body by it",
    }
)
"""Headers whose members no handler needs to take, with the reason.

By header and not by member: ChecksumAlgorithm is `x-amz-sdk-checksum-algorithm` in PutObject, a hint, but
`x-amz-checksum-algorithm` in CopyObject, a command.
"""


class Decided(StrEnum):
    """When it is decided whether a request may have an operation."""

    BY_ADDRESS = "by address and headers, before the body is read"
    BY_BODY = "once the body is parsed, as conditions of policies may ask about it"
    FOR_EACH = "by the handler, for each resource that the body names"


@dataclass(frozen=True, slots=True)
class Operation:
    """One served operation. Parameter and member names are in snake case."""

    name: str
    action: str
    versioned_action: str | None
    function: Handler
    parameters: frozenset[str]
    harmless: frozenset[str]
    reads_object: bool
    decided: Decided


_operations: Final[dict[str, Operation]] = {}
REGISTRY: Final[Mapping[str, Operation]] = MappingProxyType(_operations)
"""Every registered operation by its S3 name; it fills as the apps' `operations` modules are imported."""


def operation(
    name: str,
    *,
    action: str,
    versioned_action: str | None = None,
    reads_object: bool = False,
    decided: Decided = Decided.BY_ADDRESS,
    harmless: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Register the decorated function as the handler of `name`; it is returned unchanged.

    `action` is the policy action, `versioned_action` the one for a request that names a version id, `reads_object`
    says that the answer is an object's bytes or headers, `decided` when the action is decided about, `harmless` gives a reason for each member of the model that
    may be present and is not acted on. Raises TypeError for whatever contradicts the model.
    """

    def register(function: F) -> F:
        if name not in operation_names() | CONTROL_OPERATIONS.keys():
            raise TypeError(f"{name} is no operation of the S3 model")
        if name in _operations:
            raise TypeError(f"{name} is registered twice, the second time by {function.__qualname__}")
        if not action.startswith("s3:") or not (versioned_action or "s3:").startswith("s3:"):
            raise TypeError(f"{name} needs a policy action of the form s3:Name")
        members = input_members(name)
        parameters = _checked_parameters(name, function, members)
        _operations[name] = Operation(
            name=name,
            action=action,
            versioned_action=versioned_action,
            function=function,
            parameters=parameters,
            harmless=_checked_harmless(name, harmless or {}, members, parameters),
            reads_object=reads_object,
            decided=decided,
        )
        return function

    return register


def unsupported_members(operation: Operation, kwargs: Iterable[str]) -> list[str]:
    """List, sorted, the members that a request carries and that nobody looks at; they deserve NotImplemented."""
    known = operation.parameters | operation.harmless
    return sorted(name for name in kwargs if name not in known)


def _checked_parameters(name: str, function: Handler, members: Mapping[str, str]) -> frozenset[str]:
    """Read the keyword parameters of a handler and compare them with the model."""
    context, *rest = inspect.signature(function).parameters.values()
    if context.name != "context":
        raise TypeError(f"{name}: the first parameter is `context`")
    required = required_members(name)
    taken = {parameter.name for parameter in rest}
    for parameter in rest:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            taken = taken - {parameter.name} | _grouped_members(name, function, parameter.name, members)
            continue
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{name}: {parameter} must be keyword-only, by its own name")
        if parameter.name not in members:
            raise TypeError(f"{name}: {parameter.name} is no member of its input")
        if parameter.default is inspect.Parameter.empty and members[parameter.name] not in required:
            raise TypeError(f"{name}: {parameter.name} may be absent from a request and needs a default")
    return frozenset(taken)


def _grouped_members(name: str, function: Handler, parameter: str, members: Mapping[str, str]) -> set[str]:
    """Return the members of the TypedDict that stands for a handler's keyword arguments."""
    hint = get_type_hints(function).get(parameter)
    [group] = get_args(hint) or [None]
    if group is None or not is_typeddict(group):
        raise TypeError(f"{name}: **{parameter} must be Unpack[...] of a TypedDict")
    for member in group.__annotations__:
        if member not in members:
            raise TypeError(f"{name}: {member} is no member of its input")
        if member in group.__required_keys__:
            raise TypeError(f"{name}: {member} of **{parameter} may be absent from a request")
    return set(group.__annotations__)


def _checked_harmless(
    name: str, harmless: Mapping[str, str], members: Mapping[str, str], parameters: frozenset[str]
) -> frozenset[str]:
    """Join the members that are harmless here with those that are harmless everywhere, in snake case."""
    keyword_of = {member: keyword for keyword, member in members.items()}
    for member, reason in harmless.items():
        if member not in keyword_of:
            raise TypeError(f"{name}: harmless {member} is no member of its input")
        if not reason.strip():
            raise TypeError(f"{name}: harmless {member} lacks its reason")
        if keyword_of[member] in parameters:
            raise TypeError(f"{name}: {member} is both taken and harmless")
    wire_names = input_wire_names(name)
    everywhere = {member for member, wire_name in wire_names.items() if wire_name in HARMLESS_EVERYWHERE}
    return frozenset(keyword_of[member] for member in everywhere | harmless.keys()) - parameters
