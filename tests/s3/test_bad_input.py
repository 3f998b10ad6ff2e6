"""Bad input: every mistake has S3's own code, none is a failure of the server, and none leaves a trace."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

import objects.operations  # noqa: F401  these register what is served
from s3protocol.model import input_members
from s3protocol.registry import REGISTRY
from s3protocol.routes import ROUTES, Level
from tests.s3.wire import Wire


def is_empty(client: Any, bucket: str) -> bool:
    return (
        client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
        and "Versions" not in client.list_object_versions(Bucket=bucket)
        and "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
    )


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


# Digests and lengths


def test_a_right_content_md5_is_taken(wire: Wire, owner: Any, bucket: str) -> None:
    assert wire.send("PUT", f"/{bucket}/k", headers={"content-md5": md5(b"x")}, body=b"x").status == 200


@pytest.mark.parametrize("size", [1, 600_000, 9 << 20])
def test_a_wrong_content_md5_is_a_bad_digest(wire: Wire, owner: Any, bucket: str, size: int) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={"content-md5": md5(b"other")}, body=b"x" * size)
    assert answer.refusal == (400, "BadDigest")
    assert is_empty(owner, bucket)


@pytest.mark.parametrize("value", ["", "x", "AAAA", "!!!!", md5(b"x")[:-2], hashlib.md5(b"x").hexdigest()])
def test_a_content_md5_that_is_none_is_invalid(wire: Wire, owner: Any, bucket: str, value: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={"content-md5": value}, body=b"x")
    assert answer.refusal == (400, "InvalidDigest")
    assert is_empty(owner, bucket)


def test_a_wrong_content_md5_of_a_part_leaves_no_part(wire: Wire, owner: Any, bucket: str) -> None:
    upload = owner.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    query = [("partNumber", "1"), ("uploadId", upload)]
    answer = wire.send("PUT", f"/{bucket}/k", query=query, headers={"content-md5": md5(b"other")}, body=b"x")
    assert answer.refusal == (400, "BadDigest")
    assert "Parts" not in owner.list_parts(Bucket=bucket, Key="k", UploadId=upload)


@pytest.mark.parametrize("size", [5, 600_000, 9 << 20])
def test_a_body_cut_short_is_incomplete(wire: Wire, owner: Any, bucket: str, size: int) -> None:
    headers = wire.signed_headers("PUT", f"/{bucket}/k", payload_hash="UNSIGNED-PAYLOAD")
    answer = wire.send_as_is("PUT", f"/{bucket}/k", headers=headers, body=b"x" * size, length=size + 10)
    assert answer.refusal in {(400, "IncompleteBody"), (0, "")}
    assert is_empty(owner, bucket)


def test_a_body_cut_short_does_not_replace_what_was_there(wire: Wire, owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"kept")
    headers = wire.signed_headers("PUT", f"/{bucket}/k", payload_hash="UNSIGNED-PAYLOAD")
    wire.send_as_is("PUT", f"/{bucket}/k", headers=headers, body=b"x" * 700_000, length=800_000)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_a_body_larger_than_any_object_is_refused_unread(wire: Wire, owner: Any, bucket: str) -> None:
    headers = wire.signed_headers("PUT", f"/{bucket}/k", payload_hash="UNSIGNED-PAYLOAD")
    answer = wire.send_as_is(
        "PUT", f"/{bucket}/k", headers={**headers, "content-length": str((5 << 30) + 1), "expect": "100-continue"}
    )
    assert answer.refusal == (400, "EntityTooLarge")
    assert is_empty(owner, bucket)


# Headers


def test_metadata_of_two_kilobytes_is_taken_and_a_byte_more_is_not(wire: Wire, owner: Any, bucket: str) -> None:
    most = {"x-amz-meta-a": "v" * 1000, "x-amz-meta-bb": "v" * (2048 - 1000 - 3)}
    assert wire.send("PUT", f"/{bucket}/k", headers=most).status == 200
    assert sum(len(n) + len(v) for n, v in owner.head_object(Bucket=bucket, Key="k")["Metadata"].items()) == 2048
    more = {**most, "x-amz-meta-a": "v" * 1001}
    for method, query in (("PUT", []), ("POST", [("uploads", "")])):
        answer = wire.send(method, f"/{bucket}/more", headers=more, query=query)
        assert answer.refusal == (400, "MetadataTooLarge")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-expected-bucket-owner", "000000000000"),
        ("x-amz-storage-class", ""),
        ("x-amz-acl", "x"),
        ("x-amz-server-side-encryption", "rot13"),
        ("x-amz-object-lock-mode", "FOREVER"),
        ("x-amz-object-lock-legal-hold", "PERHAPS"),
        ("x-amz-sdk-checksum-algorithm", "PARITY"),
        ("x-amz-trailer", "x-amz-checksum-parity"),
        ("x-amz-tagging", "=&=&="),
        ("if-match", ""),
    ],
)
def test_a_header_with_an_impossible_value_is_refused(
    wire: Wire, owner: Any, bucket: str, name: str, value: str
) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={name: value}, body=b"x")
    assert 400 <= answer.status < 600
    assert answer.status != 500
    assert answer.code
    assert is_empty(owner, bucket)


EXPECTING = [
    route
    for route in ROUTES
    if route.operation in REGISTRY and "ExpectedBucketOwner" in input_members(route.operation).values()
]


# Of those whose body is read before the decision, which may be about what stands in it.
DECIDING_BODIES = {
    "PutObjectTagging": b"<Tagging><TagSet/></Tagging>",
    "PutObjectRetention": b"<Retention/>",
    "PutObjectLegalHold": b"<LegalHold/>",
}


def test_every_operation_that_knows_an_expected_owner_heeds_it(wire: Wire, owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert len(EXPECTING) > 80
    for route in EXPECTING:
        named = {name: "1" for name in (route.subresource, *route.companions) if name} | dict(
            [route.value or ("id", "1")]
        )
        headers = {"x-amz-expected-bucket-owner": "000000000000"} | (
            {route.header: f"/{bucket}/k"} if route.header else {}
        )
        body = DECIDING_BODIES.get(route.operation, b"")
        path = f"/{bucket}/k" if route.level is Level.OBJECT else f"/{bucket}"
        answer = wire.send(route.method, path, query=list(named.items()), headers=headers, body=body)
        assert (answer.status, answer.code) in {(403, "AccessDenied"), (403, "")}, route
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_content_length_that_is_no_number_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    for value in ("x", "-1", "1.5", "0x10", "99999999999999999999999"):
        headers = wire.signed_headers("PUT", f"/{bucket}/k") | {"content-length": value}
        assert wire.send_as_is("PUT", f"/{bucket}/k", headers=headers).status in {0, 400}
    assert is_empty(owner, bucket)


# Documents

DOCUMENTS = [
    ("PUT", "versioning"),
    ("PUT", "tagging"),
    ("POST", "delete"),
]
BAD_XML = {
    "empty": b"",
    "blank": b"   \n",
    "text": b"hello",
    "json": b'{"Status": "Enabled"}',
    "open": b"<VersioningConfiguration><Status>Enabled",
    "crossed": b"<a><b></a></b>",
    "two roots": b"<a/><b/>",
    "other root": b"<Other/>",
    "not utf-8": b"<VersioningConfiguration>\xff\xfe</VersioningConfiguration>",
    "nul": b"<VersioningConfiguration>\x00</VersioningConfiguration>",
    "utf-16": "<VersioningConfiguration/>".encode("utf-16"),
    "deep": b"<a>" * 10_000 + b"</a>" * 10_000,
    "many": b"<Delete>" + b"<Object>" * 100_000,
    "attributes": b"<Delete " + b" ".join(b'a%d="x"' % number for number in range(10_000)) + b"/>",
    "entity": b'<!DOCTYPE a [<!ENTITY x "y">]><Tagging><TagSet>&x;</TagSet></Tagging>',
    "bomb": (
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><Delete>&d;</Delete>'
    ),
    "external": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>',
    "include": b'<Delete xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></Delete>',
}


@pytest.mark.parametrize(("method", "subresource"), DOCUMENTS)
@pytest.mark.parametrize("kind", BAD_XML)
def test_a_document_that_is_none_is_refused(
    wire: Wire, owner: Any, bucket: str, method: str, subresource: str, kind: str
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"kept")
    document = BAD_XML[kind]
    answer = wire.send(
        method, f"/{bucket}", query=[(subresource, "")], headers={"content-md5": md5(document)}, body=document
    )
    assert answer.status == 400
    assert answer.code in {"MalformedXML", "MissingRequestBodyError", "IllegalVersioningConfigurationException"}
    assert b"root:" not in answer.body
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_document_without_end_is_cut_off(wire: Wire, bucket: str) -> None:
    document = b"<Delete>" + b" " * (6 << 20) + b"</Delete>"
    answer = wire.send("POST", f"/{bucket}", query=[("delete", "")], body=document)
    assert answer.refusal in {(400, "MaxMessageLengthExceeded"), (400, "MalformedXML")}


# Paths and queries


@pytest.mark.parametrize("raw", [b"%FF", b"%C3", b"%C3%28", b"%ED%A0%80", b"%F5%80%80%80", b"%C0%AF"])
def test_a_path_that_is_not_utf_8_is_refused(wire: Wire, owner: Any, bucket: str, raw: bytes) -> None:
    for method in ("GET", "PUT", "DELETE"):
        raw_target = f"/{bucket}/".encode() + raw
        assert wire.send_as_is(method, raw_target, body=b"").refusal == (400, "InvalidURI")
    assert is_empty(owner, bucket)


def test_a_nul_in_a_key_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = wire.send(method, f"/{bucket}/a\0b")
        assert (answer.status, answer.code) in {(400, "InvalidURI"), (400, "")}
    assert is_empty(owner, bucket)


@pytest.mark.parametrize(
    "query",
    [
        "list-type=2&prefix=%FF",
        "list-type=2&delimiter=%C3",
        "list-type=2&start-after=%ED%A0%80",
        "list-type=2&prefix=%00",
        "versions&key-marker=%FF",
        "uploads&key-marker=%00",
        "list-type=2&continuation-token=%FF",
    ],
)
def test_a_query_that_is_not_text_is_refused(wire: Wire, bucket: str, query: str) -> None:
    answer = wire.send_as_is("GET", f"/{bucket}?{query}")
    assert answer.status == 400
    assert answer.code in {"InvalidURI", "InvalidArgument"}


def test_a_bucket_name_that_cannot_be_is_not_found(wire: Wire) -> None:
    for name in ("..", "a%2Fb", "A", "ä", "x" * 300, "a b", "-/-"):
        answer = wire.send("GET", f"/{name}/k")
        assert answer.status in {400, 404}
        assert answer.code in {"NoSuchBucket", "InvalidBucketName", "InvalidURI"}
