from urllib.parse import unquote, unquote_plus
from xml.etree import ElementTree as ET

from hypothesis import example, given
from hypothesis import strategies as st

from s3protocol.codec import encode_key
from s3protocol.xmltext import escape_attribute, escape_text

ANY_TEXT = st.text(st.characters(exclude_categories=()))
XML_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff", min_codepoint=32)) | (
    st.text("\t\n\r a<>&\"'")
)


@given(ANY_TEXT)
@example("\x00\x0b\x1f\ud800\ufffe")
def test_any_text_makes_a_document_that_parses(text):
    ET.fromstring(f'<a b="{escape_attribute(text)}">{escape_text(text)}</a>'.encode())


@given(XML_TEXT)
def test_what_xml_can_hold_arrives_unchanged(text):
    element = ET.fromstring(f'<a b="{escape_attribute(text)}">{escape_text(text)}</a>'.encode())
    assert (element.text or "") == element.attrib["b"] == text


def test_what_xml_cannot_hold_becomes_the_replacement_character():
    assert escape_text("a\x01b\ud800") == "a\ufffdb\ufffd"


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_every_client_decodes_an_encoded_key(text):
    encoded = encode_key(text)
    assert unquote(encoded) == unquote_plus(encoded) == text
    assert encoded.isascii()
    assert escape_text(encoded) == encoded


def test_an_encoded_key_keeps_its_slashes_and_unreserved_characters():
    assert encode_key("a/b-c_d.e~f g+h(1)*é\x01") == "a/b-c_d.e~f%20g%2Bh%281%29%2A%C3%A9%01"
