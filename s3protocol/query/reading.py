"""Forms to arguments: an input shape compiled to a reader that checks what the model demands.

A demand that is not met is a ValidationError in AWS's words; so is a name that the model does not know, as nothing is
silently ignored. Nested structures keep the model's member names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from botocore.model import Shape

from s3protocol.codec.scalars import read_boolean, read_time
from s3protocol.query import errors
from s3protocol.query.form import Tree

Reader = Callable[[Any, str], Any]
"""Reads a value of a form at a place (`tags.1.member.key`)."""

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
# Java's classes in Python's words; inside a class of characters each stands by itself.
_CLASSES: Final = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}


def compile_reader(shape: Shape) -> Reader:
    """Compile the reader of a shape."""
    match shape.type_name:
        case "structure":
            return _structure_reader(shape)
        case "list":
            return _list_reader(shape)
        case "map":
            return _map_reader(shape)
        case "integer" | "long":
            return _integer_reader(shape)
        case "boolean":
            return _scalar_reader(shape, read_boolean)
        case "timestamp":
            return _scalar_reader(shape, read_time)
    return _text_reader(shape)


def violation(value: str | None, place: str, demand: str) -> errors.ValidationError:
    """Say that a value does not meet a demand."""
    shown = "null" if value is None else f"'{value[:128]}'"
    return errors.ValidationError(
        f"1 validation error detected: Value {shown} at '{place}' failed to satisfy constraint: Member must {demand}"
    )


def _structure_reader(shape: Shape) -> Reader:
    readers = {
        member.serialization.get("name", name): (name, compile_reader(member)) for name, member in shape.members.items()
    }
    required = {name: wire for wire, (name, _) in readers.items() if name in shape.required_members}

    def read_structure(value: Any, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise violation(value, place, "be a structure")
        found = {}
        for wire, part in value.items():
            if wire not in readers:
                raise errors.ValidationError(f"Unknown parameter {wire[:128]} at '{place or 'request'}'")
            name, read = readers[wire]
            found[name] = read(part, _within(place, name))
        for name in required:
            if name not in found:
                raise violation(None, _within(place, name), "not be null")
        return found

    return read_structure


def _within(place: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{place}.{lowered}" if place else lowered


def _list_reader(shape: Shape) -> Reader:
    read = compile_reader(shape.member)
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")

    def read_list(value: Any, place: str) -> list[Any]:
        if value == "":
            items: Tree = {}
        elif not isinstance(value, dict) or value.keys() != {"member"} or not isinstance(value["member"], dict):
            raise violation(None, place, "be a list")
        else:
            items = value["member"]
        if not all(index.isascii() and index.isdecimal() and len(index) < 9 for index in items):
            raise violation(None, place, "be a list")
        found = [read(items[index], f"{place}.{index}.member") for index in sorted(items, key=int)]
        if len(found) < lowest:
            raise violation(None, place, f"have length greater than or equal to {lowest}")
        if highest is not None and len(found) > highest:
            raise violation(None, place, f"have length less than or equal to {highest}")
        return found

    return read_list


def _map_reader(shape: Shape) -> Reader:
    read_key, read_value = compile_reader(shape.key), compile_reader(shape.value)

    def read_map(value: Any, place: str) -> dict[Any, Any]:
        if not isinstance(value, dict) or value.keys() != {"entry"} or not isinstance(value["entry"], dict):
            raise violation(None, place, "be a map")
        found = {}
        for entry in value["entry"].values():
            if not isinstance(entry, dict) or entry.keys() != {"key", "value"}:
                raise violation(None, place, "be a map")
            found[read_key(entry["key"], place)] = read_value(entry["value"], place)
        return found

    return read_map


def _scalar_reader(shape: Shape, read: Callable[[str], Any]) -> Reader:
    def read_scalar(value: Any, place: str) -> Any:
        if not isinstance(value, str):
            raise violation(None, place, f"be a {shape.type_name}")
        try:
            return read(value)
        except ValueError:
            raise violation(value, place, f"be a {shape.type_name}") from None

    return read_scalar


def _integer_reader(shape: Shape) -> Reader:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")

    def read_integer(value: Any, place: str) -> int:
        if not isinstance(value, str) or _INTEGER.fullmatch(value) is None:
            raise violation(value if isinstance(value, str) else None, place, "be an integer")
        number = int(value)
        if lowest is not None and number < lowest:
            raise violation(value, place, f"have value greater than or equal to {lowest}")
        if highest is not None and number > highest:
            raise violation(value, place, f"have value less than or equal to {highest}")
        return number

    return read_integer


def _text_reader(shape: Shape) -> Reader:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")
    pattern = _pattern(shape.metadata.get("pattern", ""))
    values = frozenset(shape.enum or ())

    def read_text(value: Any, place: str) -> str:
        if not isinstance(value, str):
            raise violation(None, place, "be a string")
        if values and value not in values:
            raise violation(value, place, f"satisfy enum value set: [{', '.join(sorted(values))}]")
        if len(value) < lowest:
            raise violation(value, place, f"have length greater than or equal to {lowest}")
        if highest is not None and len(value) > highest:
            raise violation(value, place, f"have length less than or equal to {highest}")
        if pattern is not None and pattern.fullmatch(value) is None:
            raise violation(value, place, f"satisfy regular expression pattern: {shape.metadata['pattern']}")
        return value

    return read_text


@cache
def _pattern(source: str) -> re.Pattern[str] | None:
    """Compile a pattern of the model; None for one that is empty or not understood."""
    if not source:
        return None
    is_unicode = r"\p{" in source
    for java, python in _CLASSES.items():
        source = source.replace(java, python)
    try:
        return re.compile(source, 0 if is_unicode else re.ASCII)
    except re.error:
        return None
