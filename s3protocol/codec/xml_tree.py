"""Untrusted XML into a small tree: what expat accepts, minus everything that makes XML dangerous.

A document type is refused, so that no entity can be declared and none expanded; depth and number of elements are
bounded here, the size of the body by the caller. Names lose their namespace: clients send S3's, none, or a prefix.
Raises MalformedXML and nothing else. Not here: what an element means (`xml_reader`).
"""

from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

from s3protocol import errors

DEPTH_MAX: Final = 24  # the deepest request of the model (an inventory's encryption) has seven levels
ELEMENT_COUNT_MAX: Final = 150_000  # a completed upload: 10,000 parts of up to 14 elements each, with room

_DETAIL_LENGTH_MAX: Final = 200  # the detail may quote the document
_NAMESPACE_SEPARATOR: Final = " "  # cannot occur in a name


@dataclass(slots=True)
class Element:
    """One element: local names only, the text before any child, children in the document's order."""

    name: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""


def refuse(detail: str) -> NoReturn:
    """Raise MalformedXML with AWS's message and, after it, what is wrong here."""
    raise errors.MalformedXML(f"{errors.MalformedXML.default_message} ({detail[:_DETAIL_LENGTH_MAX]})")


class _TreeBuilder:
    """The handlers of one parse: a stack of open elements under a nameless one that ends up holding the root."""

    def __init__(self) -> None:
        self.document = Element("", {})
        self._open = [self.document]
        self._element_count = 0

    def start_element(self, name: str, attributes: dict[str, str]) -> None:
        self._element_count += 1
        if len(self._open) > DEPTH_MAX:
            refuse("nested too deeply")
        if self._element_count > ELEMENT_COUNT_MAX:
            refuse("too many elements")
        if attributes:
            attributes = {_local_name(key): value for key, value in attributes.items()}
        element = Element(_local_name(name), attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end_element(self, _name: str) -> None:
        self._open.pop()

    def character_data(self, text: str) -> None:
        # Text after a child is never looked at; keeping it would cost a copy for each piece, quadratic in all.
        element = self._open[-1]
        if not element.children:
            element.text += text

    def document_type(self, *_declaration: object) -> None:
        refuse("document types are not allowed")


def _local_name(name: str) -> str:
    return name.rpartition(_NAMESPACE_SEPARATOR)[2]


def parse_document(body: bytes) -> Element:
    """Parse a whole document and return its root. Cost: some 1.5 us an element."""
    builder = _TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=_NAMESPACE_SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start_element
    parser.EndElementHandler = builder.end_element
    parser.CharacterDataHandler = builder.character_data
    parser.StartDoctypeDeclHandler = builder.document_type
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        refuse(str(error))
    except (LookupError, ValueError):  # what Python says about the declared encoding
        refuse("unknown encoding")
    return builder.document.children[0]
