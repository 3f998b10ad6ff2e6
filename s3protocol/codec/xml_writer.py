"""Values into XML text: a shape of the model compiled to a closure that appends pieces to a list.

Listings are the hot path, so a writer appends whole elements, looks at the members that the value has (not at those
that the model has) and keeps their order: elements come as the handler put them. A member that is None is absent; a
member that the model does not know is our mistake and raises KeyError.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.model import Shape

from s3protocol.codec.scalars import text_writer
from s3protocol.quirks import CONTROL_XML_NAMESPACE, XML_NAMESPACE
from s3protocol.xmltext import escape_attribute, escape_text

Append = Callable[[str], None]
ElementWriter = Callable[[Any, Append], None]
MemberWriters = Mapping[str, ElementWriter]

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def root_start_tag(name: str, *, is_control: bool = False) -> str:
    """Open a document's root in the namespace of S3, or of S3 Control."""
    return f'{DECLARATION}<{name} xmlns="{CONTROL_XML_NAMESPACE if is_control else XML_NAMESPACE}">'


def element_writer(shape: Shape, tag: str) -> ElementWriter:
    """Compile the writer of any shape as element `tag`, which a flattened list repeats."""
    match shape.type_name:
        case "structure":
            return _structure_writer(shape, tag)
        case "list":
            return _list_writer(shape, tag)
        case "map":
            return _map_writer(shape, tag)
    return _scalar_writer(shape, tag)


def member_writers(shape: Shape) -> dict[str, ElementWriter]:
    """Compile the writers of a structure's members that live in XML, by member name."""
    return {
        name: element_writer(member_shape, member_shape.serialization.get("name", name))
        for name, member_shape in shape.members.items()
        if "location" not in member_shape.serialization and not member_shape.serialization.get("xmlAttribute")
    }


def _scalar_writer(shape: Shape, tag: str) -> ElementWriter:
    start, end = f"<{tag}>", f"</{tag}>"
    if shape.type_name == "string":

        def write_text(value: str, append: Append) -> None:
            append(f"{start}{escape_text(value)}{end}")

        return write_text
    to_text = text_writer(shape, "iso8601")

    def write_scalar(value: Any, append: Append) -> None:
        append(f"{start}{to_text(value)}{end}")

    return write_scalar


def _list_writer(shape: Shape, tag: str) -> ElementWriter:
    if shape.serialization.get("flattened"):
        write_item = element_writer(shape.member, tag)

        def write_flattened(value: list[Any], append: Append) -> None:
            for item in value:
                write_item(item, append)

        return write_flattened
    start, end = f"<{tag}>", f"</{tag}>"
    write_member = element_writer(shape.member, shape.member.serialization.get("name", "member"))

    def write_list(value: list[Any], append: Append) -> None:
        append(start)
        for item in value:
            write_member(item, append)
        append(end)

    return write_list


def _map_writer(shape: Shape, tag: str) -> ElementWriter:
    """Write a map as entries of key and value: IAM has some, S3 none in its documents."""
    write_key, write_value = element_writer(shape.key, "key"), element_writer(shape.value, "value")

    def write_map(value: Mapping[Any, Any], append: Append) -> None:
        append(f"<{tag}>")
        for key, item in value.items():
            append("<entry>")
            write_key(key, append)
            write_value(item, append)
            append("</entry>")
        append(f"</{tag}>")

    return write_map


def _structure_writer(shape: Shape, tag: str) -> ElementWriter:
    writers = member_writers(shape)
    if any(member.serialization.get("xmlAttribute") for member in shape.members.values()):
        return _attributed_structure_writer(shape, tag, writers)
    start, end = f"<{tag}>", f"</{tag}>"

    def write_structure(value: Mapping[str, Any], append: Append) -> None:
        append(start)
        for name, member in value.items():
            if member is not None:
                writers[name](member, append)
        append(end)

    return write_structure


def _attributed_structure_writer(shape: Shape, tag: str, writers: MemberWriters) -> ElementWriter:
    """Write a structure some of whose members are XML attributes: in S3 the Grantee, with its xsi:type."""
    attributes = {
        name: member.serialization["name"]
        for name, member in shape.members.items()
        if member.serialization.get("xmlAttribute")
    }
    namespace = shape.serialization["xmlNamespace"]
    declaration = f'xmlns:{namespace["prefix"]}="{namespace["uri"]}"'

    def write_attributed(value: Mapping[str, Any], append: Append) -> None:
        texts = [
            f' {attribute}="{escape_attribute(value[name])}"'
            for name, attribute in attributes.items()
            if value.get(name) is not None
        ]
        append(f"<{tag} {declaration}{''.join(texts)}>")
        for name, member in value.items():
            if member is not None and name not in attributes:
                writers[name](member, append)
        append(f"</{tag}>")

    return write_attributed
