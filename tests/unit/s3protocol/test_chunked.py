"""The aws-chunked decoder: AWS's worked examples, every split, clients' habits, refusals, tampering."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, CrtCrc32Checksum
from hypothesis import given, settings
from hypothesis import strategies as st

from s3protocol import errors, timestamps
from s3protocol.chunked import CHUNK_BYTES_MAX, HEADER_BYTES_MAX, TRAILER_BYTES_MAX, AwsChunkedDecoder
from s3protocol.signatures import CredentialScope, PayloadMode, SigningContext, canonical

DOCUMENTATION = json.loads((Path(__file__).parents[2] / "data" / "sigv4" / "s3_documentation.json").read_text())
SCOPE = CredentialScope("20130524", "us-east-1", "s3")
KEY = canonical.signing_key(DOCUMENTATION["secret_key"], SCOPE.date_text, SCOPE.region, SCOPE.service)
CHECKSUM = "x-amz-checksum-crc32"
TRAILER = (CHECKSUM, "AAAAAA==")
SIGNED, SIGNED_TRAILER = PayloadMode.STREAMING_SIGNED, PayloadMode.STREAMING_SIGNED_TRAILER
UNSIGNED_TRAILER = PayloadMode.STREAMING_UNSIGNED_TRAILER


def _context(seed_signature="0" * 64):
    timestamp_text = DOCUMENTATION["now"]
    return SigningContext(KEY, seed_signature, SCOPE, timestamps.parse_basic(timestamp_text), timestamp_text)


def _sign(algorithm, previous, *hashes):
    return canonical.sign(KEY, "\n".join([algorithm, DOCUMENTATION["now"], SCOPE.text, previous, *hashes]))


def _encode(mode, chunks, trailer=None):
    """Frame chunks as a client does, signed with the context's key where the mode asks for it."""
    trailer = trailer or ([TRAILER] if mode is not SIGNED else [])
    body = b""
    previous = "0" * 64
    for chunk in [*chunks, b""]:
        if mode.has_signed_chunks:
            hashes = hashlib.sha256(b"").hexdigest(), hashlib.sha256(chunk).hexdigest()
            previous = _sign("AWS4-HMAC-SHA256-PAYLOAD", previous, *hashes)
            body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode()
        else:
            body += f"{len(chunk):x}\r\n".encode()
        if chunk:
            body += chunk + b"\r\n"
    lines = [f"{name}:{value}" for name, value in trailer]
    if mode is SIGNED_TRAILER:
        signed = "".join(f"{line}\n" for line in lines)
        signature = _sign("AWS4-HMAC-SHA256-TRAILER", previous, hashlib.sha256(signed.encode()).hexdigest())
        lines.append(f"x-amz-trailer-signature:{signature}")
    return body + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def _decoder(mode, **options):
    options.setdefault("trailer_names", [CHECKSUM] if mode is not SIGNED else [])
    return AwsChunkedDecoder(mode, _context() if mode.has_signed_chunks else None, **options)


def _decode(mode, feeds, **options):
    decoder = _decoder(mode, **options)
    payload = b"".join([bytes(piece) for feed in feeds for piece in decoder.feed(feed)])
    return payload, decoder.finish()


MODES = pytest.mark.parametrize("mode", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
CHUNKS = [b"a" * 8192, b"b" * 100]


# AWS's worked examples


def test_the_documentation_s_chunked_upload_decodes():
    case = DOCUMENTATION["chunked_upload"]
    body = _documented_body(case) + b"\r\n"
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    assert len(body) == 66824
    decoder = AwsChunkedDecoder(SIGNED, _context(seed), decoded_length=66560)
    assert b"".join(decoder.feed(body)) == b"a" * 66560
    assert decoder.finish() == {}


def test_the_documentation_s_upload_with_a_trailer_decodes():
    case = DOCUMENTATION["chunked_upload_with_trailer"]
    # The first line of the trailer ends as the documentation shows it, in LF CR LF.
    trailer = f"{case['trailer']}\n\r\nx-amz-trailer-signature:{case['trailer_signature']}\r\n\r\n"
    body = _documented_body(case) + trailer.encode()
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    decoder = AwsChunkedDecoder(
        SIGNED_TRAILER, _context(seed), trailer_names=["x-amz-checksum-crc32c"], decoded_length=66560
    )
    assert b"".join(decoder.feed(body)) == b"a" * 66560
    assert decoder.finish() == {"x-amz-checksum-crc32c": "sOO8/Q=="}


def _documented_body(case):
    body = b""
    for size, signature in zip(case["chunk_sizes"], case["signatures"], strict=True):
        body += f"{size:x};chunk-signature={signature}\r\n".encode()
        if size:
            body += case["payload_byte"].encode() * size + b"\r\n"
    return body


# However it arrives


@MODES
def test_every_split_gives_the_same(mode):
    body = _encode(mode, CHUNKS)
    expected = (b"".join(CHUNKS), dict([TRAILER]) if mode is not SIGNED else {})
    for position in [*range(200), *range(8100, len(body) + 1)]:
        assert _decode(mode, [body[:position], body[position:]], decoded_length=8292) == expected
    assert _decode(mode, [body[i : i + 1] for i in range(len(body))]) == expected
    assert _decode(mode, [memoryview(body), b"", bytearray()]) == expected


@MODES
@given(st.lists(st.binary(min_size=1, max_size=30), max_size=4), st.integers(1, 40))
@settings(deadline=None)
def test_any_chunks_in_any_pieces_come_out_whole(mode, small_chunks, step):
    chunks = [chunk * 8192 for chunk in small_chunks] if mode.has_signed_chunks else small_chunks
    body = _encode(mode, chunks)
    step *= len(body) // 200 + 1
    payload, _ = _decode(mode, [body[i : i + step] for i in range(0, len(body), step)])
    assert payload == b"".join(chunks)


def test_payload_is_given_out_uncopied():
    body = _encode(UNSIGNED_TRAILER, [b"x" * 1000])
    (piece,) = _decoder(UNSIGNED_TRAILER).feed(body)
    assert isinstance(piece, memoryview)
    assert piece.obj is body


# What clients do


@pytest.mark.parametrize("size", [0, 1, 1000, 3 << 20])
def test_what_botocore_frames_decodes(size):
    payload = bytes(range(256)) * (size // 256 + 1)
    payload = payload[:size]
    wrapper = AwsChunkedWrapper(Source(payload), checksum_cls=CrtCrc32Checksum, checksum_name=CHECKSUM)
    decoded, trailers = _decode(UNSIGNED_TRAILER, [wrapper.read()], decoded_length=size)
    checksum = CrtCrc32Checksum()
    checksum.update(payload)
    assert (decoded, trailers) == (payload, {CHECKSUM: checksum.b64digest()})


class Source:
    """A body that gives less than it was asked for, as pipes do."""

    def __init__(self, payload):
        self.payload = payload
        self.position = 0

    def read(self, size):
        piece = self.payload[self.position : self.position + min(size, 700_000)]
        self.position += len(piece)
        return piece


@pytest.mark.parametrize(
    "ending",
    [
        b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n",
        b"0\r\nx-amz-checksum-crc32:AAAAAA==",
        b"0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n",
        b"0\r\nX-Amz-Checksum-CRC32: AAAAAA== \r\n\r\n",
        b"0\r\n\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        b"000;ignored=extension\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    ],
)
def test_the_trailer_may_end_as_clients_end_it(ending):
    assert _decode(UNSIGNED_TRAILER, [b"3\r\nabc\r\n" + ending]) == (b"abc", dict([TRAILER]))


def test_the_last_line_break_of_a_signed_body_may_be_missing():
    body = _encode(SIGNED, CHUNKS)
    assert _decode(SIGNED, [body.removesuffix(b"\r\n")])[0] == b"".join(CHUNKS)


def test_unsigned_chunks_may_be_of_any_size():
    assert _decode(UNSIGNED_TRAILER, [_encode(UNSIGNED_TRAILER, [b"a"] * 50)])[0] == b"a" * 50


# Refusals


@MODES
def test_a_body_cut_anywhere_is_incomplete(mode):
    body = _encode(mode, CHUNKS)
    last_header = body.rindex(b"\r\n0") + 2
    for end in [*range(120), *range(8200, last_header + 1)]:
        with pytest.raises(errors.IncompleteBody):
            _decode(mode, [body[:end]])


@MODES
@pytest.mark.parametrize("decoded_length", [0, 8291, 8293])
def test_the_decoded_length_must_be_as_declared(mode, decoded_length):
    with pytest.raises(errors.IncompleteBody):
        _decode(mode, [_encode(mode, CHUNKS)], decoded_length=decoded_length)


def test_payload_beyond_the_declared_length_is_refused_before_it_comes():
    decoder = _decoder(UNSIGNED_TRAILER, decoded_length=10)
    with pytest.raises(errors.IncompleteBody):
        decoder.feed(b"b\r\n")


@pytest.mark.parametrize(
    "body",
    [
        b"xyz\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x10\r\n",
        b"1_0\r\n",
        b"\r\n",
        b" 3\r\nabc\r\n",
        b"3\nabc\n0\n\n\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"11111111111111111\r\n",
        b"1" * (HEADER_BYTES_MAX + 1),
        b"1;" + b"a" * HEADER_BYTES_MAX + b"\r\n",
        b"0\r\n" + b"a" * (TRAILER_BYTES_MAX + 1),
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nx y:1\r\n\r\n",
        b"0\r\nx-amz-checksum-crc32:A\x00\r\n\r\n",
    ],
)
def test_malformed_framing_is_an_invalid_request(body):
    with pytest.raises(errors.InvalidRequest):
        _decode(UNSIGNED_TRAILER, [body])
    with pytest.raises(errors.InvalidRequest):
        _decode(UNSIGNED_TRAILER, [body[i : i + 1] for i in range(len(body))])


def test_a_chunk_beyond_all_bounds_is_refused():
    with pytest.raises(errors.EntityTooLarge):
        _decoder(UNSIGNED_TRAILER).feed(f"{CHUNK_BYTES_MAX + 1:x}\r\n".encode())


def test_a_small_signed_chunk_must_be_the_last():
    with pytest.raises(errors.InvalidChunkSizeError) as caught:
        _decode(SIGNED, [_encode(SIGNED, [b"a" * 8192, b"b" * 8191, b"c"])])
    assert caught.value.members == {"Chunk": "2", "BadChunkSizeInBytes": "8191"}


@pytest.mark.parametrize(
    ("announced", "sent"),
    [([CHECKSUM], b""), ([], b"a:b\r\n"), (["a"], b"b:c\r\n"), (["a"], b"a:b\r\na:b\r\n"), (["a"], b"a:b\r\nc:d\r\n")],
)
def test_trailers_must_be_those_announced(announced, sent):
    with pytest.raises(errors.InvalidRequest):
        _decode(UNSIGNED_TRAILER, [b"0\r\n" + sent + b"\r\n"], trailer_names=announced)


@MODES
def test_data_behind_the_end_is_refused(mode):
    with pytest.raises(errors.InvalidRequest):
        _decode(mode, [_encode(mode, CHUNKS) + b"more"])
    with pytest.raises(errors.S3Error):
        _decode(mode, [_encode(mode, CHUNKS), _encode(mode, CHUNKS)])


def test_signed_chunks_need_signatures():
    for body in (b"3\r\nabc\r\n", b"3;chunk-signature=abc\r\nabc\r\n", b"3;x=y\r\nabc\r\n"):
        with pytest.raises(errors.InvalidRequest):
            _decode(SIGNED, [body])


def test_a_signed_trailer_needs_its_signature():
    body = _encode(SIGNED_TRAILER, CHUNKS)
    body = body[: body.index(b"x-amz-trailer-signature")] + b"\r\n"
    with pytest.raises(errors.SignatureDoesNotMatch):
        _decode(SIGNED_TRAILER, [body])


def test_chunks_cannot_change_places_or_be_left_out():
    chunks = [b"a" * 8192, b"b" * 8192, b"c" * 8192]
    body = _encode(SIGNED, chunks)
    framed_bytes = len(f"2000;chunk-signature={'0' * 64}\r\n") + 8192 + 2
    first, second, rest = body[:framed_bytes], body[framed_bytes : 2 * framed_bytes], body[2 * framed_bytes :]
    assert _decode(SIGNED, [first, second, rest])[0] == b"".join(chunks)
    for tampered in ([second, first, rest], [first, rest], [first, second, second, rest]):
        with pytest.raises(errors.SignatureDoesNotMatch):
            _decode(SIGNED, tampered)


@pytest.mark.parametrize("mode", [SIGNED, SIGNED_TRAILER])
def test_a_flipped_bit_anywhere_in_a_signed_body_is_refused(mode):
    body = _encode(mode, [b"a" * 300])
    for position in range(len(body)):
        tampered = bytearray(body)
        tampered[position] ^= 1
        with pytest.raises(errors.S3Error):
            _decode(mode, [bytes(tampered)], decoded_length=300)


def test_another_key_or_seed_is_refused():
    body = _encode(SIGNED, CHUNKS)
    decoder = AwsChunkedDecoder(SIGNED, _context("1" * 64))
    with pytest.raises(errors.SignatureDoesNotMatch) as caught:
        decoder.feed(body)
    assert caught.value.members["StringToSign"].startswith("AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n")
    assert hmac.digest(KEY, b"", "sha256").hex() not in str(caught.value.members)


@MODES
@given(
    st.one_of(st.binary(max_size=100), st.text("0123af;\r\n:x-", max_size=60).map(str.encode)),
    st.integers(0, 400),
    st.integers(0, 50),
)
@settings(max_examples=300, deadline=None)
def test_nonsense_raises_s3_errors_alone(mode, nonsense, position, left_out):
    body = _encode(mode, [b"a" * 50])
    tampered = body[:position] + nonsense + body[position + left_out :]
    for feeds in ([tampered], [tampered[:position], tampered[position:]], [nonsense]):
        try:
            payload, _ = _decode(mode, feeds)
        except errors.S3Error:
            continue
        assert payload == b"a" * 50 or not mode.has_signed_chunks
