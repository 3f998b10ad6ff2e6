"""How a body may be sent: signed, unsigned, in signed chunks, with trailers; and what happens to one that is spoilt."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import zlib
from typing import Any

import pytest
from botocore.config import Config

from tests.live.system import LiveSystem
from tests.s3.aws_chunked import MODES, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, framed
from tests.s3.wire import Wire, target

CHUNKS = [b"a" * 65_536, b"b" * 65_536, b"c" * 100]
BODY = b"".join(CHUNKS)


@pytest.fixture
def trailer() -> tuple[str, str]:
    """The trailing checksum of BODY."""
    return "x-amz-checksum-crc32", base64.b64encode(zlib.crc32(BODY).to_bytes(4)).decode()


def stored(client: Any, bucket: str) -> list[bytes]:
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return [client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]


def test_a_signed_body_is_stored(wire: Wire, owner: Any, bucket: str) -> None:
    assert wire.send("PUT", f"/{bucket}/k", body=BODY).status == 200
    assert stored(owner, bucket) == [BODY]


def test_an_unsigned_body_is_stored(wire: Wire, owner: Any, bucket: str) -> None:
    assert wire.send("PUT", f"/{bucket}/k", body=BODY, payload_hash="UNSIGNED-PAYLOAD").status == 200
    assert stored(owner, bucket) == [BODY]


def test_a_body_of_another_hash_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", body=BODY, payload_hash=hashlib.sha256(b"other").hexdigest())
    assert answer.refusal == (400, "XAmzContentSHA256Mismatch")
    assert answer.document.findtext("S3ComputedContentSHA256") == hashlib.sha256(BODY).hexdigest()
    assert stored(owner, bucket) == []


def test_a_large_body_of_another_hash_is_refused(wire: Wire, owner: Any, bucket: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", body=BODY * 80, payload_hash=hashlib.sha256(b"other").hexdigest())
    assert answer.refusal == (400, "XAmzContentSHA256Mismatch")
    assert stored(owner, bucket) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("chunks", [CHUNKS, [BODY], [], [b"x"]], ids=["several", "one", "none", "tiny"])
def test_a_chunked_body_is_stored_without_its_frames(
    wire: Wire, owner: Any, bucket: str, mode: str, chunks: list[bytes]
) -> None:
    assert framed(wire, f"/{bucket}/k", chunks, mode=mode).send(wire).status == 200
    assert stored(owner, bucket) == [b"".join(chunks)]
    assert "ContentEncoding" not in owner.head_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("mode", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_trailing_checksum_is_taken(wire: Wire, owner: Any, bucket: str, mode: str, trailer: tuple[str, str]) -> None:
    answer = framed(wire, f"/{bucket}/k", CHUNKS, mode=mode, trailers=[trailer]).send(wire)
    assert (answer.status, answer.headers[trailer[0]]) == (200, trailer[1])
    assert stored(owner, bucket) == [BODY]


def test_the_object_s_own_encoding_stays(wire: Wire, owner: Any, bucket: str) -> None:
    headers = {"content-encoding": "aws-chunked,gzip"}
    assert framed(wire, f"/{bucket}/k", CHUNKS, mode=SIGNED, headers=headers).send(wire).status == 200
    assert owner.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == "gzip"


@pytest.mark.parametrize("mode", [SIGNED, SIGNED_TRAILER])
@pytest.mark.parametrize("position", [200, 70_000, -200])
def test_a_changed_byte_breaks_a_signed_chunk(wire: Wire, owner: Any, bucket: str, mode: str, position: int) -> None:
    upload = framed(wire, f"/{bucket}/k", [b"a" * 65_536, b"a" * 65_536, b"a" * 400], mode=mode)
    body = bytearray(upload.body)
    at = body.index(b"a" * 8, position if position > 0 else len(body) - 600)
    body[at] ^= 1
    answer = dataclasses.replace(upload, body=bytes(body)).send(wire)
    assert answer.refusal == (403, "SignatureDoesNotMatch")
    assert stored(owner, bucket) == []


def test_chunks_in_another_order_break_the_chain(wire: Wire, owner: Any, bucket: str) -> None:
    upload = framed(wire, f"/{bucket}/k", CHUNKS, mode=SIGNED)
    size = len(f"{65_536:x};chunk-signature=") + 64 + 2 + 65_536 + 2
    body = upload.body[size : 2 * size] + upload.body[:size] + upload.body[2 * size :]
    assert dataclasses.replace(upload, body=body).send(wire).refusal == (403, "SignatureDoesNotMatch")
    assert stored(owner, bucket) == []


def test_a_wrong_trailer_signature_is_refused(wire: Wire, owner: Any, bucket: str, trailer: tuple[str, str]) -> None:
    upload = framed(wire, f"/{bucket}/k", CHUNKS, mode=SIGNED_TRAILER, trailers=[trailer])
    body = upload.body[:-10] + b"00000000" + upload.body[-2:]
    answer = dataclasses.replace(upload, body=body[: len(upload.body)]).send(wire)
    assert answer.status in {400, 403}
    assert answer.code in {"SignatureDoesNotMatch", "InvalidRequest"}
    assert stored(owner, bucket) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("length", [len(BODY) - 1, len(BODY) + 1, 0])
def test_a_body_of_another_decoded_length_is_incomplete(
    wire: Wire, owner: Any, bucket: str, mode: str, length: int
) -> None:
    answer = framed(wire, f"/{bucket}/k", CHUNKS, mode=mode, declared_length=length).send(wire)
    assert answer.refusal == (400, "IncompleteBody")
    assert stored(owner, bucket) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_body_without_its_last_chunk_is_incomplete(wire: Wire, owner: Any, bucket: str, mode: str) -> None:
    upload = framed(wire, f"/{bucket}/k", CHUNKS, mode=mode)
    end = upload.body.rindex(b"\r\n0")
    answer = dataclasses.replace(upload, body=upload.body[: end + 2]).send(wire)
    assert answer.refusal == (400, "IncompleteBody")
    assert stored(owner, bucket) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_body_that_is_not_framed_is_refused(wire: Wire, owner: Any, bucket: str, mode: str) -> None:
    upload = framed(wire, f"/{bucket}/k", CHUNKS, mode=mode)
    answer = dataclasses.replace(upload, body=BODY).send(wire)
    assert answer.refusal == (400, "InvalidRequest")
    assert stored(owner, bucket) == []


@pytest.mark.parametrize("mode", MODES)
def test_the_decoded_length_has_to_be_told(wire: Wire, bucket: str, mode: str) -> None:
    headers = wire.signed_headers("PUT", f"/{bucket}/k", payload_hash=mode)
    answer = wire.send_as_is("PUT", target(f"/{bucket}/k"), headers=headers, body=b"0\r\n\r\n")
    assert answer.refusal == (411, "MissingContentLength")


def test_nobody_may_send_signed_chunks(unsigned_wire: Wire, bucket: str) -> None:
    headers = {"x-amz-content-sha256": SIGNED, "x-amz-decoded-content-length": "0"}
    answer = unsigned_wire.send_as_is("PUT", f"/{bucket}/k", headers=headers, body=b"0\r\n\r\n")
    assert answer.refusal == (403, "AccessDenied")


@pytest.mark.parametrize("calculation", ["when_supported", "when_required"])
@pytest.mark.parametrize("payload", ["signed", "unsigned"])
def test_boto3_s_own_ways_are_all_understood(live: LiveSystem, bucket: str, calculation: str, payload: str) -> None:
    client = live.client(
        config=Config(
            request_checksum_calculation=calculation,
            s3={"addressing_style": "path", "payload_signing_enabled": payload == "signed"},
        )
    )
    client.put_object(Bucket=bucket, Key="k", Body=BODY)
    assert stored(client, bucket) == [BODY]
