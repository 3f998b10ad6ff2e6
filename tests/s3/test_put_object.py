"""PutObject: what is stored, what is answered, and what is refused without a trace."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire

MIB = 1 << 20


@pytest.mark.parametrize(
    "size", [0, 1, 65_535, 65_536, 65_537, 512 << 10, (512 << 10) + 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB + 7]
)
def test_a_body_of_any_size_comes_back_whole(owner: Any, bucket: str, size: int) -> None:
    body = random.Random(size).randbytes(size)
    put = owner.put_object(Bucket=bucket, Key="k", Body=body)
    got = owner.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert got["ContentLength"] == size
    assert put["ETag"] == got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'


def test_system_headers_come_back(owner: Any, bucket: str) -> None:
    headers = {
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain; charset=utf-8",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", **headers)
    for answer in (owner.head_object(Bucket=bucket, Key="k"), owner.get_object(Bucket=bucket, Key="k")):
        assert {name: answer[name] for name in headers} == headers


def test_expires_comes_back_as_it_was_sent(wire: Wire, bucket: str) -> None:
    wire.send("PUT", f"/{bucket}/k", headers={"expires": "-1"})
    assert wire.send("HEAD", f"/{bucket}/k").headers["expires"] == "-1"


def test_an_object_without_a_type_has_s3_s_own(wire: Wire, bucket: str) -> None:
    assert wire.send("PUT", f"/{bucket}/k", body=b"x").status == 200
    assert wire.send("HEAD", f"/{bucket}/k").headers["content-type"] == "binary/octet-stream"


def test_user_metadata_comes_back_with_lower_case_names(wire: Wire, owner: Any, bucket: str) -> None:
    wire.send("PUT", f"/{bucket}/k", headers={"X-Amz-Meta-Camel-Case": "Value With  Spaces", "x-amz-meta-empty": ""})
    assert owner.head_object(Bucket=bucket, Key="k")["Metadata"] == {"camel-case": "Value With  Spaces", "empty": ""}


def test_names_of_metadata_keep_their_underscores(owner: Any, bucket: str) -> None:
    metadata = {"user_id": "1", "a_b-c": "2", "a-b": "3"}
    owner.put_object(Bucket=bucket, Key="k", Metadata=metadata)
    assert owner.head_object(Bucket=bucket, Key="k")["Metadata"] == metadata
    asked = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k", "MetadataDirective": "REPLACE"}
    owner.copy_object(**asked, Metadata={"b_c": "4"})
    assert owner.head_object(Bucket=bucket, Key="k")["Metadata"] == {"b_c": "4"}


@pytest.mark.parametrize("name", ["x-amz-meta-size", "Content-Disposition"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_value_beyond_ascii_is_refused_rather_than_stored_without_it(
    wire: Wire, owner: Any, bucket: str, name: str, encoding: str
) -> None:
    headers = {name: "größe".encode(encoding).decode("latin-1")}
    assert wire.send("PUT", f"/{bucket}/k", headers=headers).refusal == (400, "InvalidArgument")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_unsigned_value_beyond_ascii_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    link = urlsplit(owner.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}))
    nobody = replace(wire, credentials=None)
    headers = {"Content-Disposition": "attachment; filename=größe".encode().decode("latin-1")}
    answer = nobody.send_as_is("PUT", f"{link.path}?{link.query}", headers=headers, body=b"x")
    assert answer.refusal == (400, "InvalidArgument")
    assert nobody.send_as_is("PUT", f"{link.path}?{link.query}", headers={"Content-Type": ""}, body=b"x").status == 200


def test_overwriting_replaces_body_headers_and_metadata(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"first", ContentLanguage="de", Metadata={"a": "1"})
    owner.put_object(Bucket=bucket, Key="k", Body=b"second", Metadata={"b": "2"})
    got = owner.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"second"
    assert got["Metadata"] == {"b": "2"}
    assert "ContentLanguage" not in got


def test_a_put_into_a_missing_bucket_is_refused(owner: Any) -> None:
    with refused("NoSuchBucket", 404):
        owner.put_object(Bucket="test-no-such-bucket", Key="k", Body=b"x")


def test_strangers_and_nobody_may_not_put(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_refused_large_put_is_answered_before_it_is_read(stranger: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        stranger.put_object(Bucket=bucket, Key="k", Body=bytes(3 * MIB))


def test_a_put_without_a_length_is_refused(wire: Wire, bucket: str) -> None:
    headers = wire.signed_headers("PUT", f"/{bucket}/k")
    lines = [f"PUT /{bucket}/k HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    answer = wire.exchange("PUT", ["\r\n".join(lines).encode()])
    assert answer.refusal == (411, "MissingContentLength")


def test_a_body_in_http_s_own_chunks_is_stored(wire: Wire, owner: Any, bucket: str) -> None:
    headers = wire.signed_headers(
        "PUT", f"/{bucket}/k", headers={"transfer-encoding": "chunked"}, payload_hash="UNSIGNED-PAYLOAD"
    )
    answer = wire.send_as_is("PUT", f"/{bucket}/k", headers=headers, body=b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
    assert answer.status == 200
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello world"


@pytest.mark.parametrize("acl", ["private", "bucket-owner-full-control"])
def test_an_acl_that_grants_nothing_new_is_taken(owner: Any, bucket: str, acl: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", ACL=acl)
    assert owner.head_object(Bucket=bucket, Key="k")["ContentLength"] == 0


def test_an_unknown_storage_class_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={"x-amz-storage-class": "SOLID_GOLD"}, body=b"x")
    assert answer.refusal == (400, "InvalidStorageClass")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_storage_class_standard_is_not_shown_by_head(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", StorageClass="STANDARD")
    assert "StorageClass" not in owner.head_object(Bucket=bucket, Key="k")
    assert owner.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == "STANDARD"


def test_an_unknown_canned_acl_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={"x-amz-acl": "everybody"}, body=b"x")
    assert answer.refusal == (400, "InvalidArgument")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_every_answer_names_the_request(wire: Wire, bucket: str) -> None:
    answers = [wire.send("PUT", f"/{bucket}/k"), wire.send("GET", f"/{bucket}/missing")]
    ids = [answer.headers["x-amz-request-id"] for answer in answers]
    assert len(set(ids)) == 2
    assert all(answer.headers["x-amz-id-2"] for answer in answers)
    assert answers[1].document.findtext("RequestId") == ids[1]
    assert answers[1].document.findtext("Key") == "missing"
