"""Multipart uploads: parts, completion, abortion, copies as parts, listings, and every rule that can be broken."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire


class Upload:
    """An upload in progress."""

    def __init__(self, client: Any, bucket: str, key: str = "k", **arguments: Any) -> None:
        self.client = client
        self.named = {"Bucket": bucket, "Key": key}
        self.named["UploadId"] = client.create_multipart_upload(**self.named, **arguments)["UploadId"]
        self.parts: list[dict[str, Any]] = []

    def put(self, number: int, body: bytes, **arguments: Any) -> dict[str, Any]:
        """Upload a part and remember it for the completion."""
        answer: dict[str, Any] = self.client.upload_part(**self.named, PartNumber=number, Body=body, **arguments)
        self.parts = [part for part in self.parts if part["PartNumber"] != number]
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        return answer

    def complete(self, parts: list[dict[str, Any]] | None = None, **arguments: Any) -> dict[str, Any]:
        """Complete with all parts, or with those given."""
        listed = {"Parts": self.parts if parts is None else parts}
        done: dict[str, Any] = self.client.complete_multipart_upload(**self.named, MultipartUpload=listed, **arguments)
        return done


def upload_ids(client: Any, bucket: str) -> list[str]:
    return [upload["UploadId"] for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def test_parts_become_one_object(owner: Any, bucket: str, part: bytes) -> None:
    upload = Upload(owner, bucket, Metadata={"a": "1"}, ContentType="text/plain", Tagging="t=1")
    upload.put(1, part)
    upload.put(2, b"tail")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    done = upload.complete()
    digests = hashlib.md5(part).digest() + hashlib.md5(b"tail").digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert (done["Bucket"], done["Key"]) == (bucket, "k")
    assert done["Location"] == f"{owner.meta.endpoint_url}/{bucket}/k"
    got = owner.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == part + b"tail"
    assert (got["ETag"], got["Metadata"], got["ContentType"]) == (done["ETag"], {"a": "1"}, "text/plain")
    assert owner.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert upload_ids(owner, bucket) == []


def test_part_numbers_may_have_gaps_and_come_in_any_order(owner: Any, bucket: str, part: bytes) -> None:
    upload = Upload(owner, bucket)
    upload.put(10_000, b"last")
    upload.put(7, part)
    upload.parts.reverse()
    upload.complete()
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == part + b"last"


def test_a_part_uploaded_again_replaces_the_first(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    first = upload.put(1, b"first")["ETag"]
    upload.put(1, b"second")
    with refused("InvalidPart", 400):
        upload.complete([{"PartNumber": 1, "ETag": first}])
    upload.complete()
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"


def test_parts_that_are_not_listed_are_left_out(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, b"out")
    upload.put(2, b"in")
    upload.complete(upload.parts[1:])
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"in"


def test_a_single_part_of_nothing_makes_an_empty_object(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, b"")
    upload.complete()
    head = owner.head_object(Bucket=bucket, Key="k")
    assert head["ContentLength"] == 0
    assert head["ETag"].endswith('-1"')
    first = owner.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert (first["Body"].read(), first["PartsCount"], "ContentRange" in first) == (b"", 1, False)


def test_each_part_can_be_read_by_its_number(owner: Any, bucket: str, part: bytes) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, part)
    upload.put(2, b"tail")
    upload.complete()
    for number, body in ((1, part), (2, b"tail")):
        got = owner.get_object(Bucket=bucket, Key="k", PartNumber=number)
        assert got["Body"].read() == body
        assert (got["PartsCount"], got["ResponseMetadata"]["HTTPStatusCode"]) == (2, 206)
    assert owner.head_object(Bucket=bucket, Key="k", PartNumber=2)["ContentLength"] == 4
    with refused("InvalidPartNumber", 416):
        owner.get_object(Bucket=bucket, Key="k", PartNumber=3)


def test_a_range_may_span_parts(owner: Any, bucket: str, part: bytes) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, part)
    upload.put(2, part[::-1])
    upload.complete()
    whole, middle = part + part[::-1], len(part)
    got = owner.get_object(Bucket=bucket, Key="k", Range=f"bytes={middle - 10}-{middle + 9}")
    assert got["Body"].read() == whole[middle - 10 : middle + 10]


def test_completing_again_answers_the_same(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, b"x")
    first, second = upload.complete(), upload.complete()
    assert first["ETag"] == second["ETag"]


# What completion refuses


def test_a_part_too_small_to_be_followed_is_refused(owner: Any, bucket: str, part: bytes) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, part[:-1])
    upload.put(2, b"tail")
    with refused("EntityTooSmall", 400) as response:
        upload.complete()
    assert response["Error"]["ProposedSize"] == str(len(part) - 1)
    assert response["Error"]["MinSizeAllowed"] == str(len(part))
    assert response["Error"]["PartNumber"] == "1"


@pytest.mark.parametrize("order", [(2, 1), (1, 1)])
def test_parts_out_of_order_are_refused(owner: Any, bucket: str, order: tuple[int, int]) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, b"a")
    upload.put(2, b"b")
    by_number = {part["PartNumber"]: part for part in upload.parts}
    with refused("InvalidPartOrder", 400):
        upload.complete([by_number[number] for number in order])


def test_a_part_that_was_not_uploaded_is_refused(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    etag = upload.put(1, b"x")["ETag"]
    for parts in ([{"PartNumber": 2, "ETag": etag}], [{"PartNumber": 1, "ETag": '"other"'}]):
        with refused("InvalidPart", 400):
            upload.complete(parts)
    assert upload_ids(owner, bucket) == [upload.named["UploadId"]]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<CompleteMultipartUpload/>",
        b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload>",
    ],
)
def test_a_list_of_parts_that_is_none_is_malformed(wire: Wire, owner: Any, bucket: str, document: bytes) -> None:
    upload = Upload(owner, bucket)
    answer = wire.send("POST", f"/{bucket}/k", query=[("uploadId", upload.named["UploadId"])], body=document)
    assert answer.refusal == (400, "MalformedXML")


def test_a_wrong_size_of_the_object_is_refused(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, b"four")
    with refused("InvalidRequest", 400):
        upload.complete(MpuObjectSize=5)
    upload.complete(MpuObjectSize=4)


# Uploads that are not there


def test_an_unknown_upload_is_refused_by_every_operation(owner: Any, wire: Wire, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="source")
    named = {"Bucket": bucket, "Key": "k", "UploadId": "no-such-upload"}
    parts = {"Parts": [{"PartNumber": 1, "ETag": '"e"'}]}
    calls: list[Any] = [
        lambda: owner.upload_part(**named, PartNumber=1, Body=b"x"),
        lambda: owner.upload_part_copy(**named, PartNumber=1, CopySource=f"{bucket}/source"),
        lambda: owner.list_parts(**named),
        lambda: owner.complete_multipart_upload(**named, MultipartUpload=parts),
        lambda: owner.abort_multipart_upload(**named),
    ]
    for call in calls:
        with refused("NoSuchUpload", 404):
            call()


def test_an_upload_belongs_to_its_key(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket, "one")
    with refused("NoSuchUpload", 404):
        owner.upload_part(Bucket=bucket, Key="two", UploadId=upload.named["UploadId"], PartNumber=1, Body=b"x")


def test_an_aborted_upload_is_gone_with_its_parts(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    upload.put(1, b"x")
    owner.abort_multipart_upload(**upload.named)
    assert upload_ids(owner, bucket) == []
    with refused("NoSuchUpload", 404):
        owner.abort_multipart_upload(**upload.named)
    with refused("NoSuchUpload", 404):
        upload.put(2, b"x")
    with refused("NoSuchUpload", 404):
        upload.complete()
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_abortion_may_depend_on_the_time(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    began_at = owner.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["Initiated"]
    with refused("PreconditionFailed", 412):
        owner.abort_multipart_upload(**upload.named, IfMatchInitiatedTime=began_at - timedelta(hours=1))
    owner.abort_multipart_upload(**upload.named, IfMatchInitiatedTime=began_at)


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", "1.5"])
def test_an_impossible_part_number_is_refused(wire: Wire, owner: Any, bucket: str, number: str) -> None:
    upload = Upload(owner, bucket)
    query = [("partNumber", number), ("uploadId", upload.named["UploadId"])]
    assert wire.send("PUT", f"/{bucket}/k", query=query, body=b"x").refusal == (400, "InvalidArgument")


def test_an_upload_id_without_a_part_number_does_not_overwrite_the_object(wire: Wire, owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"kept")
    upload = Upload(owner, bucket)
    answer = wire.send("PUT", f"/{bucket}/k", query=[("uploadId", upload.named["UploadId"])], body=b"x")
    assert answer.refusal == (400, "InvalidArgument")
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_strangers_and_nobody_may_not_touch_an_upload(owner: Any, stranger: Any, anonymous: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            client.create_multipart_upload(Bucket=bucket, Key="k")
        with refused("AccessDenied", 403):
            client.upload_part(**upload.named, PartNumber=1, Body=b"x")
        with refused("AccessDenied", 403):
            client.list_parts(**upload.named)
        with refused("AccessDenied", 403):
            client.abort_multipart_upload(**upload.named)
        with refused("AccessDenied", 403):
            client.list_multipart_uploads(Bucket=bucket)


# Copies as parts


def test_ranges_of_an_object_become_parts(owner: Any, bucket: str, part: bytes) -> None:
    owner.put_object(Bucket=bucket, Key="source", Body=part + b"0123456789")
    upload = Upload(owner, bucket)
    for number, selected in ((1, f"bytes=0-{len(part) - 1}"), (2, f"bytes={len(part) + 2}-{len(part) + 4}")):
        copied = owner.upload_part_copy(
            **upload.named, PartNumber=number, CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange=selected
        )
        upload.parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    upload.complete()
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == part + b"234"


def test_a_whole_object_becomes_a_part_with_its_etag(owner: Any, bucket: str) -> None:
    etag = owner.put_object(Bucket=bucket, Key="source", Body=b"whole")["ETag"]
    upload = Upload(owner, bucket)
    copied = owner.upload_part_copy(**upload.named, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"})
    assert copied["CopyPartResult"]["ETag"] == etag


@pytest.mark.parametrize("selected", ["bytes=0-", "bytes=-1", "bytes=2-1", "0-1", "bytes=a-b", "bytes=0-1,3-4"])
def test_a_copied_range_of_another_form_is_refused(wire: Wire, owner: Any, bucket: str, selected: str) -> None:
    owner.put_object(Bucket=bucket, Key="source", Body=b"01234")
    upload = Upload(owner, bucket)
    answer = wire.send(
        "PUT",
        f"/{bucket}/k",
        query=[("partNumber", "1"), ("uploadId", upload.named["UploadId"])],
        headers={"x-amz-copy-source": f"{bucket}/source", "x-amz-copy-source-range": selected},
    )
    assert answer.refusal == (400, "InvalidArgument")


def test_a_copied_range_behind_the_end_is_refused(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="source", Body=b"01234")
    upload = Upload(owner, bucket)
    with refused("InvalidRange", 416):
        owner.upload_part_copy(
            **upload.named, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange="bytes=0-5"
        )


# Listings


def test_parts_are_listed_in_pages(owner: Any, bucket: str) -> None:
    upload = Upload(owner, bucket)
    for number in (3, 1, 2):
        upload.put(number, b"x" * number)
    first = owner.list_parts(**upload.named, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in first["Parts"]] == [(1, 1), (2, 2)]
    assert (first["IsTruncated"], first["NextPartNumberMarker"]) == (True, 2)
    rest = owner.list_parts(**upload.named, PartNumberMarker=2)
    assert [part["PartNumber"] for part in rest["Parts"]] == [3]
    assert not rest["IsTruncated"]


def test_uploads_are_listed_by_key_in_pages(owner: Any, bucket: str) -> None:
    ids = {key: Upload(owner, bucket, key).named["UploadId"] for key in ("b", "a/1", "a/2", "c")}
    ids["b2"] = Upload(owner, bucket, "b").named["UploadId"]
    seen, markers = [], {}
    while True:
        page = owner.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **markers)
        seen += [(upload["Key"], upload["UploadId"]) for upload in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert [key for key, _ in seen] == ["a/1", "a/2", "b", "b", "c"]
    assert {upload_id for _, upload_id in seen} == set(ids.values())


def test_uploads_that_are_aborted_page_by_page_are_all_gone(owner: Any, bucket: str) -> None:
    for key in ("a", "a", "a", "a", "b"):
        Upload(owner, bucket, key)
    markers, is_truncated = {}, True
    while is_truncated:
        page = owner.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **markers)
        for upload in page["Uploads"]:
            owner.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        is_truncated = page["IsTruncated"]
        markers = {"KeyMarker": page.get("NextKeyMarker"), "UploadIdMarker": page.get("NextUploadIdMarker")}
    assert "Uploads" not in owner.list_multipart_uploads(Bucket=bucket)


def test_uploads_are_grouped_by_delimiter(owner: Any, bucket: str) -> None:
    for key in ("a/1", "a/2", "b"):
        Upload(owner, bucket, key)
    page = owner.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [upload["Key"] for upload in page["Uploads"]] == ["b"]
    assert page["CommonPrefixes"] == [{"Prefix": "a/"}]
    assert [u["Key"] for u in owner.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]] == ["a/1", "a/2"]


def test_the_parts_of_an_object_are_among_its_attributes(owner: Any, bucket: str, part: bytes) -> None:
    upload = Upload(owner, bucket, ChecksumAlgorithm="SHA256")
    for number, body in ((1, part), (2, b"x")):
        answer = upload.put(number, body, ChecksumAlgorithm="SHA256")
        upload.parts[-1]["ChecksumSHA256"] = answer["ChecksumSHA256"]
    upload.complete()
    parts = owner.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"], MaxParts=1)
    shown = parts["ObjectParts"]
    assert (shown["TotalPartsCount"], shown["IsTruncated"], shown["NextPartNumberMarker"]) == (2, True, 1)
    assert (shown["Parts"][0]["PartNumber"], shown["Parts"][0]["Size"]) == (1, len(part))
