"""Buckets named by the host: `bucket.s3.objstore.test` where the system's domain is `s3.objstore.test`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from s3protocol.presign import presign_v4
from tests.s3.wire import Wire

DOMAIN = "s3.objstore.test"


@pytest.fixture
def home(wire: Wire, bucket: str) -> Wire:
    """The owner's way to the bucket by its own host name."""
    return wire.as_host(f"{bucket}.{DOMAIN}")


def test_an_object_is_put_read_and_deleted(owner: Any, home: Wire, bucket: str) -> None:
    assert home.send("PUT", "/a/b", body=b"x").status == 200
    assert owner.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x"
    assert home.send("GET", "/a/b").body == b"x"
    assert home.send("DELETE", "/a/b").status == 204
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_root_is_the_bucket(owner: Any, home: Wire, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k")
    document = home.send("GET", "/", query=[("list-type", "2")]).document
    assert [element.text for element in document.iter() if element.tag.endswith("}Key")] == ["k"]
    assert home.send("HEAD", "/").status == 200


def test_a_key_may_look_like_a_bucket_and_begin_with_slashes(owner: Any, home: Wire, bucket: str) -> None:
    for key in (f"{bucket}/k", "/k", "//", "../k"):
        assert home.send("PUT", f"/{key}", body=key.encode()).status == 200
        assert owner.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


def test_a_port_and_capitals_in_the_host_do_not_matter(home: Wire) -> None:
    host = home.host.partition(".")[0]
    assert home.as_host(f"{host}.S3.ObjStore.Test:9000").send("PUT", "/k", body=b"x").status == 200


def test_an_upload_s_object_is_located_at_the_host(home: Wire) -> None:
    upload = home.send("POST", "/a b", query=[("uploads", "")]).document.findtext("{*}UploadId") or ""
    put = home.send("PUT", "/a b", query=[("partNumber", "1"), ("uploadId", upload)], body=b"x")
    parts = f"<Part><PartNumber>1</PartNumber><ETag>{put.headers['etag']}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    done = home.send("POST", "/a b", query=[("uploadId", upload)], body=document)
    assert done.document.findtext("{*}Location") == f"http://{home.host}/a%20b"


def test_the_bare_domain_is_the_service(wire: Wire, bucket: str) -> None:
    document = wire.as_host(DOMAIN).send("GET", "/").document
    assert bucket in [element.text for element in document.iter() if element.tag.endswith("}Name")]
    assert wire.as_host(DOMAIN).send("HEAD", f"/{bucket}").status == 200


def test_a_name_below_no_domain_addresses_by_path(wire: Wire, bucket: str) -> None:
    assert wire.as_host(f"{bucket}.example.org").send("HEAD", f"/{bucket}").status == 200


def test_a_missing_bucket_is_named(wire: Wire) -> None:
    answer = wire.as_host(f"test-no-such-bucket.{DOMAIN}").send("GET", "/k")
    assert answer.refusal == (404, "NoSuchBucket")
    assert answer.document.findtext("BucketName") == "test-no-such-bucket"


def test_a_bucket_is_created_and_deleted(wire: Wire, bucket: str) -> None:
    made = wire.as_host(f"{bucket}-more.{DOMAIN}")
    assert made.send("PUT", "/").status == 200
    assert made.send("DELETE", "/").status == 204


def test_a_url_is_presigned_for_the_host(home: Wire) -> None:
    home.send("PUT", "/k", body=b"x")
    assert home.credentials is not None
    url = presign_v4(home.credentials, method="GET", endpoint=f"http://{home.host}", path="/k", now=datetime.now(UTC))
    raw_target = url.removeprefix(f"http://{home.host}")
    assert home.send_as_is("GET", raw_target).body == b"x"
    assert urlsplit(url).hostname == home.host


def test_a_signature_for_one_host_does_not_open_another(owner: Any, wire: Wire, home: Wire, new_bucket: Any) -> None:
    other = new_bucket()
    owner.put_object(Bucket=other, Key="k")
    headers = home.signed_headers("GET", "/k")
    answer = wire.send_as_is("GET", "/k", headers={**headers, "host": f"{other}.{DOMAIN}"})
    assert answer.refusal == (403, "SignatureDoesNotMatch")
