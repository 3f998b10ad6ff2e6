"""Keys that tempt a server to be clever: each is stored and found byte for byte, or refused with S3's own code."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from tests.s3.wire import Answer, Wire

ODD_KEYS = {
    "parent": "../up",
    "parents": "../../../../etc/passwd",
    "inner parent": "a/../b",
    "dot": ".",
    "two dots": "..",
    "dot slash": "./a",
    "inner dot": "a/./b",
    "two slashes": "a//b",
    "leading slash": "/a",
    "leading slashes": "///a",
    "slash alone": "/",
    "trailing slash": "a/",
    "trailing slashes": "a//",
    "trailing dots": "a...",
    "device": "con",
    "device with a type": "aux.txt",
    "backslash": "a\\b\\..\\c",
    "drive": "C:\\x",
    "percent": "100%",
    "escape": "a%2Fb",
    "double escape": "a%252Fb",
    "escaped nul": "a%00b",
    "plus": "a+b",
    "space": " a b ",
    "spaces alone": "   ",
    "question": "a?b=c&d",
    "fragment": "a#b",
    "reserved": "!$&'()*,;=:@",
    "quotes": "\"'`",
    "angles": "<a>&amp;</a>",
    "cdata": "]]>",
    "tab": "a\tb",
    "newline": "a\nb",
    "return": "a\rb",
    "control": "a\x01\x1f\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "emoji": "😀👨‍👩‍👧",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "right to left": "\u202eabc",
    "byte order mark": "\ufeffa",
    "noncharacter": "a\uffffb",
    "highest": "\U0010ffff",
    "private": "\ue000",
    "like": "a%b_c",
    "upper": "KEY",
    "lower": "key",
    "format": "{0}%s${x}",
    "sub-resource": "?acl",
    "1,024 bytes": "k" * 1024,
    "1,024 bytes of two": "é" * 512,
    "1,024 bytes of four": "😀" * 256,
}


@pytest.fixture(scope="module")
def home(new_bucket: Any) -> str:
    """A bucket for all keys of this file."""
    name: str = new_bucket()
    return name


def listed(wire: Wire, bucket: str, key: str, subresource: str, encoding: str) -> Answer:
    query = [("prefix", key), *([("encoding-type", encoding)] if encoding else [])]
    query.insert(0, ("list-type", "2") if subresource == "list-type" else (subresource, ""))
    return wire.send("GET", f"/{bucket}", query=query)


def keys_of(answer: Answer) -> list[str]:
    assert answer.status == 200
    return [element.text or "" for element in answer.document.iter() if element.tag.endswith("}Key")]


def is_xml_text(key: str) -> bool:
    """Say whether XML 1.0 can hold a key and a parser gives it back unchanged."""
    return all(ord(char) >= 0x20 or char in "\t\n" for char in key) and "\uffff" not in key


@pytest.mark.parametrize("kind", ODD_KEYS)
def test_a_key_is_kept_byte_for_byte(wire: Wire, home: str, kind: str) -> None:
    key = ODD_KEYS[kind]
    body = key.encode()
    path = f"/{home}/{key}"
    assert wire.send("PUT", path, body=body).status == 200
    assert wire.send("GET", path).body == body
    assert wire.send("HEAD", path).headers["content-length"] == str(len(body))
    for subresource in ("list-type", "versions"):
        encoded = keys_of(listed(wire, home, key, subresource, "url"))
        assert key in [unquote(name) for name in encoded]
        if is_xml_text(key):
            assert key in keys_of(listed(wire, home, key, subresource, ""))
    assert wire.send("DELETE", path).status == 204
    assert wire.send("GET", path).refusal == (404, "NoSuchKey")
    assert key not in [unquote(name) for name in keys_of(listed(wire, home, key, "list-type", "url"))]


@pytest.mark.parametrize("key", ["a\x01b", "a\uffffb", "a\rb"])
def test_a_key_that_xml_cannot_hold_does_not_break_a_plain_listing(wire: Wire, bucket: str, key: str) -> None:
    wire.send("PUT", f"/{bucket}/{key}")
    wire.send("PUT", f"/{bucket}/z")
    found = keys_of(listed(wire, bucket, "", "list-type", ""))
    assert len(found) == 2
    assert "z" in found


@pytest.mark.parametrize("key", ["k" * 1025, "é" * 513, "a" + "😀" * 256])
def test_a_key_of_more_than_1024_bytes_is_too_long(wire: Wire, owner: Any, bucket: str, key: str) -> None:
    for method, query in [("PUT", []), ("GET", []), ("DELETE", []), ("POST", [("uploads", "")])]:
        answer = wire.send(method, f"/{bucket}/{key}", query=query)
        assert answer.refusal == (400, "KeyTooLongError")
        assert answer.document.findtext("MaxSizeAllowed") == "1024"
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_keys_that_look_alike_are_different(wire: Wire, owner: Any, bucket: str) -> None:
    keys = ["a/b", "a//b", "/a/b", "a/b/", "a/./b", "A/b", "a%2Fb", "\u00e9", "e\u0301", "a b", "a+b", "a%20b"]
    for key in keys:
        assert wire.send("PUT", f"/{bucket}/{key}", body=key.encode()).status == 200
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == len(keys)
    for key in keys:
        assert wire.send("GET", f"/{bucket}/{key}").body == key.encode()


def test_every_spelling_of_a_path_means_the_same_key(wire: Wire, owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="a/b~c", Body=b"x")
    headers = wire.signed_headers("GET", f"/{bucket}/a/b~c")
    for spelling in ("a/b~c", "a%2Fb~c", "a%2fb%7Ec", "%61/b%7ec"):
        assert wire.send_as_is("GET", f"/{bucket}/{spelling}", headers=headers).body == b"x"


def test_multipart_uploads_keep_odd_keys_too(owner: Any, bucket: str) -> None:
    for key in ("../a", "a//b", "ä €", "<&>"):
        upload = owner.create_multipart_upload(Bucket=bucket, Key=key)
        assert upload["Key"] == key
        assert [item["Key"] for item in owner.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [key]
        owner.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"])


def test_an_error_names_an_odd_key_in_well_formed_xml(wire: Wire, bucket: str) -> None:
    for key in ("<a>&", "]]>", "a\x01b", "ä\uffff"):
        answer = wire.send("GET", f"/{bucket}/{key}")
        assert answer.refusal == (404, "NoSuchKey")
