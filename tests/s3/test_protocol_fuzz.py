"""Protocol fuzzing: whatever arrives on the socket, the server answers in S3's words and keeps what it has.

Requests are drawn, not recorded: methods, paths, sub-resources, parameters, headers and bodies, mostly almost right, with
good signatures, bad ones and none. For each: no failure of the server; a refusal is S3's error document; and a refused
request, or one that only reads, has changed nothing. The seed is fixed: `derandomize` draws the same requests each time.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from s3protocol.routes import RESERVED_NAMES
from tests.live.system import LiveSystem
from tests.s3.aws_chunked import MODES, framed
from tests.s3.store_contents import contents_of
from tests.s3.wire import Answer, Wire, target

CHECK_CONTENTS_EVERY = 10
FUZZING = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# The server's own complaints about requests, beside which the log must stay silent.
FAILURE = re.compile(r"Traceback|request \w+ failed|panicked|Application callable raised")

METHODS = st.sampled_from(["GET", "GET", "HEAD", "PUT", "PUT", "POST", "POST", "DELETE", "OPTIONS", "PATCH", "X"])
TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "0", "1", "-1", "10001", "null", "*", "x" * 300, "%", "\r\n", "\0", "é"]
)
KEYS = st.sampled_from(["kept", "new", "../k", "a//b", "k" * 1025, "\0", "é", "<&>", "a b", "/"]) | st.text(max_size=8)
PARAMETERS = st.sampled_from(
    [
        *sorted(RESERVED_NAMES),
        "id",
        "prefix",
        "delimiter",
        "marker",
        "key-marker",
        "version-id-marker",
        "upload-id-marker",
        "max-keys",
        "max-parts",
        "max-uploads",
        "part-number-marker",
        "encoding-type",
        "start-after",
        "continuation-token",
        "fetch-owner",
        "versionId",
        "response-content-type",
        "response-expires",
        "x-id",
        "X-Amz-Signature",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "AWSAccessKeyId",
        "Signature",
        "Expires",
        "list-type",
    ]
)
HEADER_NAMES = st.sampled_from(
    [
        "range",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
        "content-md5",
        "content-type",
        "content-encoding",
        "cache-control",
        "expires",
        "x-amz-acl",
        "x-amz-copy-source",
        "x-amz-copy-source-range",
        "x-amz-copy-source-if-match",
        "x-amz-metadata-directive",
        "x-amz-tagging",
        "x-amz-tagging-directive",
        "x-amz-storage-class",
        "x-amz-meta-a",
        "x-amz-checksum-crc32",
        "x-amz-checksum-sha256",
        "x-amz-checksum-type",
        "x-amz-checksum-algorithm",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-trailer",
        "x-amz-decoded-content-length",
        "x-amz-object-attributes",
        "x-amz-mp-object-size",
        "x-amz-server-side-encryption",
        "x-amz-expected-bucket-owner",
        "x-amz-security-token",
        "x-amz-object-lock-mode",
        "x-amz-if-match-size",
        "x-amz-if-match-last-modified-time",
        "x-amz-if-match-initiated-time",
        "x-amz-website-redirect-location",
        "x-amz-max-parts",
        "x-amz-part-number-marker",
        "x-amz-grant-read",
        "x-amz-request-route",
        "origin",
        "te",
        "x-amz-bypass-governance-retention",
        "x-amz-source-expected-bucket-owner",
        "accept-encoding",
    ]
)
HEADER_VALUES = st.sampled_from(
    [
        "",
        "*",
        '"etag"',
        "bytes=0-1",
        "bytes=-",
        "bytes=9-1",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "1970-01-01T00:00:00Z",
        "private",
        "public-read",
        "{bucket}/kept",
        "/{bucket}/kept?versionId=null",
        "{bucket}/missing",
        "nonsense/",
        "%ff/%00",
        "COPY",
        "REPLACE",
        "a=1&b=2",
        "=&=",
        "STANDARD",
        "GLACIER",
        "AAAAAA==",
        "CRC32",
        "SHA256",
        "COMPOSITE",
        "ENABLED",
        "ETag,ObjectParts",
        "aws:kms",
        "x-amz-checksum-crc32",
        "0",
        "-1",
        "99999999999999999999",
        "true",
        "x" * 3000,
        "1",
    ]
) | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
DOCUMENTS = st.sampled_from(
    [
        b"<Delete><Object><Key>missing</Key></Object></Delete>",
        b"<Delete><Quiet>true</Quiet><Object><Key>missing</Key><VersionId>null</VersionId></Object></Delete>",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
        b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
        b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        b"<CreateBucketConfiguration><LocationConstraint>x</LocationConstraint></CreateBucketConfiguration>",
        b'<?xml version="1.0" encoding="UTF-8"?><Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet/></Tagging>',
        b"<AccessControlPolicy><Owner/></AccessControlPolicy>",
        b"<LifecycleConfiguration><Rule/></LifecycleConfiguration>",
    ]
)


@st.composite
def mutated(draw: Any, originals: Any) -> bytes:
    """Draw bytes and spoil them: cut, doubled, changed, or left as they are."""
    data = bytearray(draw(originals))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["cut", "double", "change", "insert"])):
            case "cut":
                del data[at : at + draw(st.integers(1, 20))]
            case "double":
                data[at:at] = data[max(0, at - 10) : at]
            case "change":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "insert":
                data[at:at] = draw(
                    st.sampled_from([b"<", b"&x;", b"\0", b"\xff", b"]]>", b"<!DOCTYPE a>", b"\r\n0\r\n"])
                )
    return bytes(data)


BODIES = st.just(b"") | st.binary(max_size=60) | mutated(DOCUMENTS)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A request as it was drawn."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    signing: str


@st.composite
def requests(draw: Any) -> Drawn:
    """Draw a request to the bucket `{bucket}`, to another one, or to the service."""
    bucket = draw(st.sampled_from(["/{bucket}"] * 6 + ["/test-fuzzed-bucket", "", "/" + "B" * 70]))
    key = draw(st.just("") | st.just("/") | KEYS.map(lambda name: "/" + name))
    query = draw(st.lists(st.tuples(PARAMETERS, TEXT), max_size=3))
    headers = dict(draw(st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=3)))
    body = draw(BODIES)
    if draw(st.booleans()):
        headers["content-md5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
    signing = draw(st.sampled_from(["good"] * 6 + ["none", "wrong secret", "spoilt header", "wrong hash", "presigned"]))
    return Drawn(draw(METHODS), bucket + key, query, headers, body, signing)


class Target:
    """The server under fire, and what it must keep."""

    def __init__(self, live: LiveSystem, client: Any, wire: Wire, bucket: str) -> None:
        self.live, self.client, self.wire, self.bucket = live, client, wire, bucket
        client.put_object(Bucket=bucket, Key="kept", Body=b"kept", Metadata={"a": "1"})
        self.contents = contents_of(client, bucket)
        self.read_bytes = len(live.log)
        self.sent = 0
        self.outcomes: set[tuple[int, str]] = set()

    def send(self, drawn: Drawn) -> Answer:
        """Send what was drawn, as it was to be signed."""
        path = drawn.path.replace("{bucket}", self.bucket) or "/"
        headers = {name: value.replace("{bucket}", self.bucket).strip() for name, value in drawn.headers.items()}
        wire = self.wire
        assert wire.credentials is not None
        if drawn.signing == "none":
            wire = replace(wire, credentials=None)
        if drawn.signing == "wrong secret":
            wire = replace(wire, credentials=replace(wire.credentials, secret_key="wrong"))
        wrong_hash = hashlib.sha256(b"other").hexdigest() if drawn.signing == "wrong hash" else None
        sent = wire.signed_headers(
            drawn.method, path, query=drawn.query, headers=headers, body=drawn.body, payload_hash=wrong_hash
        )
        if drawn.signing == "spoilt header":
            sent["authorization"] = sent["authorization"][: 20 + len(drawn.path)] + "/,=" + sent["authorization"][60:]
        return wire.send_as_is(drawn.method, target(path, drawn.query), headers=sent, body=drawn.body)

    def check(self, method: str, answer: Answer) -> None:
        """Check an answer, and now and then that the bucket is as it was."""
        assert answer.status != 500
        assert 200 <= answer.status < 600
        if answer.status >= 400 and method != "HEAD":
            assert answer.document.tag == "Error"
            assert answer.code
            assert answer.document.findtext("RequestId") == answer.headers["x-amz-request-id"]
        if answer.status < 400 and method not in {"GET", "HEAD", "OPTIONS"}:
            self.contents = contents_of(self.client, self.bucket)  # it was allowed to change something
        self.sent += 1
        self.outcomes.add((answer.status, answer.code if answer.status >= 400 else ""))
        if self.sent % CHECK_CONTENTS_EVERY == 0:
            self.check_contents()

    def check_contents(self) -> None:
        """Check that nothing has changed but by requests that succeeded, and that all of it can be read."""
        assert contents_of(self.client, self.bucket) == self.contents

    def check_log(self) -> None:
        """Check that the server has not failed in its own eyes."""
        assert FAILURE.findall(self.live.log[self.read_bytes :]) == []


@pytest.fixture
def fired_at(live: LiveSystem, owner: Any, wire: Wire, bucket: str) -> Target:
    """A bucket with one object, under fire."""
    return Target(live, owner, wire, bucket)


def test_no_request_makes_the_server_fail(fired_at: Target) -> None:
    @settings(FUZZING, max_examples=1_200)
    @given(requests())
    def fire(drawn: Drawn) -> None:
        fired_at.check(drawn.method, fired_at.send(drawn))

    fire()
    fired_at.check_contents()
    fired_at.check_log()
    # Fuzzing that always fails at the door would prove nothing.
    assert {(200, ""), (204, ""), (404, "NoSuchKey"), (501, "NotImplemented")} <= fired_at.outcomes
    assert len(fired_at.outcomes) >= 20


def test_no_framed_body_makes_the_server_fail_or_is_stored_in_part(fired_at: Target) -> None:
    @settings(FUZZING, max_examples=250)
    @given(
        st.sampled_from(MODES),
        st.lists(st.binary(min_size=1, max_size=40), max_size=3),
        st.sampled_from([(), (("x-amz-checksum-crc32", "AAAAAA=="),), (("x-amz-checksum-sha1", "x"),)]),
        st.data(),
    )
    def fire(mode: str, chunks: list[bytes], trailers: tuple[tuple[str, str], ...], data: st.DataObject) -> None:
        whole = framed(fired_at.wire, f"/{fired_at.bucket}/framed", chunks, mode=mode, trailers=trailers)
        answer = replace(whole, body=data.draw(mutated(st.just(whole.body)))).send(fired_at.wire)
        fired_at.check("PUT", answer)
        if answer.status == 200:
            assert int(fired_at.wire.send("HEAD", f"/{fired_at.bucket}/framed").headers["content-length"]) == sum(
                map(len, chunks)
            )

    fire()
    fired_at.check_contents()
    fired_at.check_log()


def test_no_bytes_on_the_socket_make_the_server_fail(fired_at: Target) -> None:
    @settings(FUZZING, max_examples=250)
    @given(
        mutated(
            st.sampled_from(
                [
                    b"GET /{bucket}/kept HTTP/1.1\r\nhost: x\r\n\r\n",
                    b"PUT /{bucket}/new HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc",
                    b"PUT /{bucket}/new HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                    b"DELETE http://x/{bucket}/kept HTTP/1.1\r\nhost: x\r\nauthorization: AWS a:b\r\n\r\n",
                    b"POST /{bucket}?delete HTTP/1.0\r\nauthorization: AWS4-HMAC-SHA256 Credential=a/b\r\n\r\n",
                    b"OPTIONS * HTTP/1.1\r\nhost: {bucket}.s3.objstore.test\r\n\r\n",
                ]
            )
        )
    )
    def fire(data: bytes) -> None:
        data = data.replace(b"{bucket}", fired_at.bucket.encode())
        answer = fired_at.wire.exchange(data.partition(b" ")[0].decode("latin-1"), [data], is_cut_short=True)
        assert answer.status != 500

    fire()
    fired_at.check_contents()
    fired_at.check_log()
