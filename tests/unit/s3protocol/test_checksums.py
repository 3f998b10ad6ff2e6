"""The ten checksums of S3: values, names, types, joining, and reading what clients claim."""

import base64
import hashlib
import time
import zlib

import pytest
from botocore.httpchecksum import _CHECKSUM_CLS
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from s3protocol import errors
from s3protocol.checksums import (
    ALGORITHMS_BY_HEADER,
    DIGEST_BYTES,
    HEADER_NAMES,
    MEMBER_NAMES,
    ChecksumAlgorithm,
    ChecksumType,
    checksum_types,
    combine_crc,
    composite_checksum,
    encode_digest,
    new_checksum,
    parse_checksum,
    parse_composite_checksum,
    parse_content_md5,
)

CRCS = [ChecksumAlgorithm.CRC32, ChecksumAlgorithm.CRC32C, ChecksumAlgorithm.CRC64NVME]
# The check values of the catalogues of CRC parameters, and published ones of the hashes, over "123456789".
CHECK_VALUES = {
    ChecksumAlgorithm.CRC32: "cbf43926",
    ChecksumAlgorithm.CRC32C: "e3069283",
    ChecksumAlgorithm.CRC64NVME: "ae8b14860a799888",
    ChecksumAlgorithm.MD5: "25f9e794323b453885f5181f1b624d0b",
    ChecksumAlgorithm.SHA1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    ChecksumAlgorithm.XXHASH64: "8cb841db40e6ae83",
}


def _digest(algorithm, data):
    checksum = new_checksum(algorithm)
    checksum.update(data)
    return checksum.digest()


@pytest.fixture(scope="module")
def s3_model():
    return Session().get_service_model("s3")


def test_the_algorithms_are_those_of_the_model(s3_model):
    assert {str(algorithm) for algorithm in ChecksumAlgorithm} == set(s3_model.shape_for("ChecksumAlgorithm").enum)
    assert {str(kind) for kind in ChecksumType} == set(s3_model.shape_for("ChecksumType").enum)


def test_header_and_member_names_are_those_of_the_model(s3_model):
    members = s3_model.shape_for("PutObjectRequest").members
    for algorithm in ChecksumAlgorithm:
        assert members[MEMBER_NAMES[algorithm]].serialization["name"] == HEADER_NAMES[algorithm]
        assert ALGORITHMS_BY_HEADER[HEADER_NAMES[algorithm]] is algorithm


@pytest.mark.parametrize(("algorithm", "expected"), CHECK_VALUES.items())
def test_published_check_values_are_met(algorithm, expected):
    assert _digest(algorithm, b"123456789").hex() == expected


@given(st.binary(max_size=300), st.integers(0, 300))
def test_digests_agree_with_the_client_however_the_data_is_cut(data, position):
    for algorithm in ChecksumAlgorithm:
        checksum = new_checksum(algorithm)
        checksum.update(memoryview(data)[:position])
        checksum.update(bytearray(data[position:]))
        if algorithm is ChecksumAlgorithm.MD5:  # botocore makes this one elsewhere
            assert checksum.digest() == hashlib.md5(data).digest()
            continue
        theirs = _CHECKSUM_CLS[algorithm.lower()]()
        theirs.update(data)
        assert checksum.digest() == theirs.digest()
        assert checksum.base64() == theirs.b64digest()
        assert len(checksum.digest()) == DIGEST_BYTES[algorithm]


def test_only_crcs_make_full_object_checksums_of_parts():
    for algorithm in ChecksumAlgorithm:
        assert (ChecksumType.FULL_OBJECT in checksum_types(algorithm)) == (algorithm in CRCS)
    assert checksum_types(ChecksumAlgorithm.CRC64NVME) == (ChecksumType.FULL_OBJECT,)
    assert checksum_types(ChecksumAlgorithm.CRC32)[0] is ChecksumType.COMPOSITE


def test_a_composite_checksum_hashes_the_digests_and_counts_the_parts():
    digests = [hashlib.sha256(part).digest() for part in (b"one", b"two", b"three")]
    expected = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode() + "-3"
    assert composite_checksum(ChecksumAlgorithm.SHA256, digests) == expected


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_crcs_of_parts_join_to_that_of_the_whole(parts):
    for algorithm in CRCS:
        joined = combine_crc(algorithm, [(_digest(algorithm, part), len(part)) for part in parts])
        assert joined == _digest(algorithm, b"".join(parts))


def test_ten_thousand_parts_join_within_a_tenth_of_a_second():
    parts = [(zlib.crc32(str(number).encode()).to_bytes(8, "big"), 8 << 20) for number in range(10_000)]
    started = time.perf_counter()
    combine_crc(ChecksumAlgorithm.CRC64NVME, parts)
    assert time.perf_counter() - started < 0.1


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_a_claim_of_the_right_length_is_read(data):
    for algorithm in ChecksumAlgorithm:
        digest = _digest(algorithm, data)
        assert parse_checksum(algorithm, encode_digest(digest)) == digest


@pytest.mark.parametrize(
    "value",
    ["", "AAAA", "AAAAAA=", "AAAAAA==\n", " AAAAAA==", "AAAAAB==", "AAAAAA===", "AAAAA*==", "AAAAAAAA", "ÄAAAAA=="],
)
def test_a_malformed_claim_is_refused_in_the_name_of_its_header(value):
    assert parse_checksum(ChecksumAlgorithm.CRC32, "AAAAAA==") == bytes(4)
    with pytest.raises(errors.InvalidRequest, match="Value for x-amz-checksum-crc32 header is invalid"):
        parse_checksum(ChecksumAlgorithm.CRC32, value)


def test_a_claim_about_parts_carries_their_number():
    assert parse_composite_checksum(ChecksumAlgorithm.CRC32, "AAAAAA==-12") == (bytes(4), 12)
    assert parse_composite_checksum(ChecksumAlgorithm.CRC32, "AAAAAA==") == (bytes(4), None)
    for value in ("AAAAAA==-0", "AAAAAA==-", "AAAAAA==-x", "AAAA-1"):
        with pytest.raises(errors.InvalidRequest):
            parse_composite_checksum(ChecksumAlgorithm.CRC32, value)


def test_content_md5_is_read_or_refused_as_invalid_digest():
    digest = hashlib.md5(b"hello").digest()
    assert parse_content_md5(base64.b64encode(digest).decode()) == digest
    for value in ("", "rL0Y20zC+Fzt72VPzMSk2", "YWJj", digest.hex(), "ü"):
        with pytest.raises(errors.InvalidDigest):
            parse_content_md5(value)
