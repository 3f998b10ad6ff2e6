"""PostObject: uploads from browsers' forms, held to the policy that was signed for them."""

from __future__ import annotations

import base64
import random
import zlib
from collections.abc import Mapping
from email.header import decode_header, make_header
from typing import Any

import pytest
from botocore.config import Config

from tests.live.system import LiveSystem
from tests.s3.wire import Answer, Wire

BOUNDARY = "----formBoundary7MA4YWxk"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def encoded(fields: Mapping[str, str], file: bytes | None, file_name: str = "cat.txt") -> bytes:
    body = b""
    for name, value in fields.items():
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if file is not None:
        head = f'Content-Disposition: form-data; name="file"; filename="{file_name}"\r\nContent-Type: text/plain'
        body += f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + file + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


class Browser:
    """Makes signed forms and sends them as a browser does."""

    def __init__(self, client: Any, unsigned_wire: Wire, bucket: str) -> None:
        self.client, self.wire, self.bucket = client, unsigned_wire, bucket

    def fields(self, key: str = "k", conditions: list[Any] | None = None, **fields: str) -> dict[str, str]:
        stated = [{name: value} for name, value in fields.items()] + (conditions or [])
        signed = self.client.generate_presigned_post(self.bucket, key, Fields=dict(fields), Conditions=stated)
        return dict(signed["fields"])

    def post(self, fields: Mapping[str, str], file: bytes | None = b"bytes", **headers: str) -> Answer:
        all_headers = {"content-type": FORM_TYPE, **headers}
        return self.wire.send("POST", f"/{self.bucket}", headers=all_headers, body=encoded(fields, file))


@pytest.fixture(params=["s3v4", "s3"])
def browser(request: Any, live: LiveSystem, unsigned_wire: Wire, bucket: str) -> Browser:
    """A browser whose forms are signed by Version 4, then by Version 2."""
    config = Config(signature_version=request.param, s3={"addressing_style": "path"})
    return Browser(live.client(config=config), unsigned_wire, bucket)


def test_a_form_stores_its_file_and_what_it_says_of_it(owner: Any, browser: Browser) -> None:
    tagging = "<Tagging><TagSet><Tag><Key>a b</Key><Value>ü+=</Value></Tag></TagSet></Tagging>"
    said = {"Content-Type": "text/html", "Cache-Control": "no-cache", "x-amz-meta-who": "me", "tagging": tagging}
    answer = browser.post(browser.fields("a/${filename}", **said))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["location"] == f"http://{browser.wire.host}/{browser.bucket}/a/cat.txt"
    got = owner.get_object(Bucket=browser.bucket, Key="a/cat.txt")
    assert got["Body"].read() == b"bytes"
    assert got["ETag"] == answer.headers["etag"]
    assert (got["ContentType"], got["CacheControl"]) == ("text/html", "no-cache")
    assert got["Metadata"] == {"who": "me"}
    tags = owner.get_object_tagging(Bucket=browser.bucket, Key="a/cat.txt")["TagSet"]
    assert tags == [{"Key": "a b", "Value": "ü+="}]


@pytest.mark.parametrize("text", ["größe", "漢字"])
def test_letters_beyond_ascii_are_told_as_they_were_sent(owner: Any, browser: Browser, text: str) -> None:
    fields = {"x-amz-meta-name": text, "Content-Disposition": f'attachment; filename="{text}"'}
    assert browser.post(browser.fields(**fields)).status == 204
    head = owner.head_object(Bucket=browser.bucket, Key="k")
    told = [head["Metadata"]["name"], head["ContentDisposition"]]
    assert [str(make_header(decode_header(value))) for value in told] == [text, f'attachment; filename="{text}"']


def test_a_large_file_streams_through(owner: Any, browser: Browser) -> None:
    file = random.Random(3).randbytes(20 << 20)
    assert browser.post(browser.fields(), file).status == 204
    assert owner.get_object(Bucket=browser.bucket, Key="k")["Body"].read() == file


def test_the_answer_is_the_one_that_the_form_asks_for(browser: Browser) -> None:
    created = browser.post(browser.fields("a b", success_action_status="201"))
    assert created.status == 201
    assert [created.document.findtext(name) for name in ("Bucket", "Key")] == [browser.bucket, "a b"]
    assert created.document.findtext("Location") == f"http://{browser.wire.host}/{browser.bucket}/a%20b"
    assert created.document.findtext("ETag") == created.headers["etag"]
    assert browser.post(browser.fields(success_action_status="200")).status == 200
    assert browser.post(browser.fields(success_action_status="404")).status == 204
    moved = browser.post(browser.fields(success_action_redirect="http://example.org/done?x=1"))
    etag = moved.headers["etag"].strip('"')
    assert moved.status == 303
    assert moved.headers["location"] == f"http://example.org/done?x=1&bucket={browser.bucket}&key=k&etag=%22{etag}%22"
    assert browser.post(browser.fields(success_action_redirect="javascript:alert(1)")).status == 204


@pytest.mark.parametrize(
    ("size", "refusal"), [(4, (400, "EntityTooSmall")), (5, (204, "")), (9, (204, "")), (10, (400, "EntityTooLarge"))]
)
def test_the_file_is_held_to_the_range(owner: Any, browser: Browser, size: int, refusal: tuple[int, str]) -> None:
    fields = browser.fields(conditions=[["content-length-range", 5, 9]])
    assert browser.post(fields, b"x" * size).refusal == refusal
    assert owner.list_objects_v2(Bucket=browser.bucket)["KeyCount"] == (1 if refusal[0] == 204 else 0)


def test_checksums_of_the_file_are_verified(owner: Any, browser: Browser) -> None:
    good = base64.b64encode(zlib.crc32(b"bytes").to_bytes(4, "big")).decode()
    assert browser.post({**browser.fields(), "x-amz-checksum-crc32": good}).status == 204
    head = owner.head_object(Bucket=browser.bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == good
    assert browser.post({**browser.fields(), "x-amz-checksum-crc32": good}, b"other").refusal == (400, "BadDigest")
    md5 = browser.fields(**{"Content-MD5": base64.b64encode(bytes(16)).decode()})
    assert browser.post(md5).refusal == (400, "BadDigest")


def test_what_the_policy_does_not_cover_is_denied(browser: Browser) -> None:
    assert browser.post({**browser.fields(), "x-amz-meta-a": "1"}).refusal == (403, "AccessDenied")
    assert browser.post({**browser.fields("k"), "key": "other"}).refusal == (403, "AccessDenied")
    assert browser.post({**browser.fields(), "x-ignore-a": "1"}).status == 204
    expired = browser.client.generate_presigned_post(browser.bucket, "k", ExpiresIn=-1)["fields"]
    assert browser.post(expired).refusal == (403, "AccessDenied")


def test_a_form_for_one_bucket_is_none_for_another(browser: Browser, new_bucket: Any) -> None:
    fields = browser.fields()
    browser.bucket = new_bucket()
    assert browser.post(fields).refusal == (403, "AccessDenied")


def test_who_signs_is_verified(browser: Browser) -> None:
    fields = browser.fields()
    signature = "x-amz-signature" if "x-amz-signature" in fields else "signature"
    assert browser.post({**fields, signature: "AAAA"}).refusal == (403, "SignatureDoesNotMatch")
    unsigned = {name: value for name, value in fields.items() if name != signature}
    assert browser.post(unsigned).refusal == (400, "InvalidArgument")
    if signature == "signature":
        assert browser.post({**fields, "AWSAccessKeyId": "NOBODY"}).refusal == (403, "InvalidAccessKeyId")
    broken = {**fields, "policy": "bm8ganNvbg=="}
    assert browser.post(broken).refusal == (403, "SignatureDoesNotMatch")


def test_a_stranger_and_nobody_may_not_post_to_a_private_bucket(
    stranger: Any, unsigned_wire: Wire, bucket: str
) -> None:
    theirs = Browser(stranger, unsigned_wire, bucket)
    assert theirs.post(theirs.fields()).refusal == (403, "AccessDenied")
    assert theirs.post({"key": "k"}).refusal == (403, "AccessDenied")


def test_what_is_no_form_is_refused(owner: Any, unsigned_wire: Wire, bucket: str) -> None:
    browser = Browser(owner, unsigned_wire, bucket)
    assert browser.post({}).refusal == (400, "UserKeyMustBeSpecified")
    assert browser.post({"key": "k"}, None).refusal == (400, "InvalidArgument")
    wrong_type = {"content-type": "text/plain"}
    assert browser.post({"key": "k"}, **wrong_type).refusal == (412, "PreconditionFailed")
    cut = unsigned_wire.send("POST", f"/{bucket}", headers={"content-type": FORM_TYPE}, body=b"--" + BOUNDARY.encode())
    assert cut.refusal == (400, "MalformedPOSTRequest")
    long = browser.post({"key": "k" * 21_000})
    assert long.refusal == (400, "MaxPostPreDataLengthExceededError")
    assert browser.post({"key": "k" * 1_025}).refusal == (400, "KeyTooLongError")
