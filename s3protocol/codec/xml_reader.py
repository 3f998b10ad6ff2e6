"""Elements into values: a shape of the model compiled to a closure that reads one element.

Strictness, decided by what a mistake would cost: an unknown element, a repeated single element, a missing required
one and a scalar with children are MalformedXML, as AWS's schema says, because a configuration read in part is a
configuration nobody asked for. White space around anything but plain text is forgiven. Where clients are known to send
more than the schema has, `quirks.OPEN_STRUCTURES` lets it pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.model import Shape

from s3protocol import quirks
from s3protocol.codec.scalars import text_reader
from s3protocol.codec.xml_tree import Element, refuse

ElementReader = Callable[[Element], Any]


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    read: ElementReader
    is_flattened: bool


def element_reader(shape: Shape) -> ElementReader:
    """Compile the reader of any shape that may stand in a request's XML."""
    match shape.type_name:
        case "structure":
            return _structure_reader(shape)
        case "list":
            return _list_reader(shape)
    return _scalar_reader(shape)


def _scalar_reader(shape: Shape) -> ElementReader:
    read = text_reader(shape)

    def read_scalar(element: Element) -> Any:
        if element.children:
            refuse(f"<{element.name}> holds elements instead of a value")
        try:
            return read(element.text)
        except ValueError as error:
            refuse(f"<{element.name}> is {error}")

    return read_scalar


def _list_reader(shape: Shape) -> ElementReader:
    """Read a list with an element of its own; a flattened list is read by the structure that holds it."""
    item_name = shape.member.serialization.get("name", "member")
    read_item = element_reader(shape.member)

    def read_list(element: Element) -> list[Any]:
        for child in element.children:
            if child.name != item_name:
                refuse(f"<{child.name}> is unknown in <{element.name}>")
        return [read_item(child) for child in element.children]

    return read_list


def _structure_reader(shape: Shape) -> ElementReader:
    attributes = _attribute_readers(shape)
    members = _members_by_element(shape)
    required = _required_members(shape)
    is_open = shape.name in quirks.OPEN_STRUCTURES

    def read_structure(element: Element) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for attribute, (name, read) in attributes.items():
            if attribute in element.attributes:
                value[name] = read(Element(attribute, {}, text=element.attributes[attribute]))
        for child in element.children:
            member = members.get(child.name)
            if member is None:
                if is_open:
                    continue
                refuse(f"<{child.name}> is unknown in <{element.name}>")
            if member.is_flattened:
                value.setdefault(member.name, []).append(member.read(child))
            elif member.name in value:
                refuse(f"<{child.name}> is repeated in <{element.name}>")
            else:
                value[member.name] = member.read(child)
        if not required <= value.keys():
            refuse(f"<{element.name}> lacks {', '.join(sorted(required - value.keys()))}")
        return value

    return read_structure


def _required_members(shape: Shape) -> frozenset[str]:
    """Name the members that the element must hold; an input that is its own root has others elsewhere."""
    required = {name for name in shape.required_members if "location" not in shape.members[name].serialization}
    return quirks.EXTRA_REQUIRED_MEMBERS.get(shape.name, frozenset()) | required


def _attribute_readers(shape: Shape) -> dict[str, tuple[str, ElementReader]]:
    """Map local attribute name ("type" of xsi:type) to member name and reader."""
    return {
        member_shape.serialization["name"].rpartition(":")[2]: (name, _scalar_reader(member_shape))
        for name, member_shape in shape.members.items()
        if member_shape.serialization.get("xmlAttribute")
    }


def _members_by_element(shape: Shape) -> dict[str, _Member]:
    members = {}
    for name, member_shape in shape.members.items():
        if member_shape.serialization.get("xmlAttribute") or "location" in member_shape.serialization:
            continue
        is_flattened = member_shape.type_name == "list" and bool(member_shape.serialization.get("flattened"))
        read = element_reader(member_shape.member if is_flattened else member_shape)
        members[member_shape.serialization.get("name", name)] = _Member(name, read, is_flattened)
    return members
