"""Tags of objects: by request and by header, per version, and what no tag may be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Wire


@pytest.fixture
def home(owner: Any, bucket: str) -> str:
    """A bucket with the object `k`."""
    owner.put_object(Bucket=bucket, Key="k")
    return bucket


def tags_of(client: Any, bucket: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]}


def put_tags(client: Any, bucket: str, tags: dict[str, str]) -> None:
    tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tag_set})


def test_an_object_has_no_tags_at_first(owner: Any, home: str) -> None:
    assert tags_of(owner, home) == {}
    assert "TagCount" not in owner.get_object(Bucket=home, Key="k")


def test_tags_are_replaced_as_a_whole_and_counted(owner: Any, home: str) -> None:
    put_tags(owner, home, {"a": "1", "b": ""})
    put_tags(owner, home, {"b c": "2", "größe": "ä +-=._:/@"})
    assert tags_of(owner, home) == {"b c": "2", "größe": "ä +-=._:/@"}
    assert owner.get_object(Bucket=home, Key="k")["TagCount"] == 2


def test_their_number_is_told_who_may_read_them(owner: Any, stranger: Any, stranger_account_id: str, home: str) -> None:
    put_tags(owner, home, {"a": "1"})
    for actions, count in ((["s3:GetObject"], None), (["s3:GetObject", "s3:GetObjectTagging"], 1)):
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": stranger_account_id},
            "Action": actions,
            "Resource": f"arn:aws:s3:::{home}/k",
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        owner.put_bucket_policy(Bucket=home, Policy=json.dumps(policy))
        assert stranger.head_object(Bucket=home, Key="k").get("TagCount") == count


def test_tags_are_removed(owner: Any, home: str) -> None:
    put_tags(owner, home, {"a": "1"})
    assert owner.delete_object_tagging(Bucket=home, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags_of(owner, home) == {}


def test_a_put_may_bring_tags_and_replaces_earlier_ones(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Tagging="a=1&b=x%20y&c")
    assert tags_of(owner, bucket) == {"a": "1", "b": "x y", "c": ""}
    owner.put_object(Bucket=bucket, Key="k")
    assert tags_of(owner, bucket) == {}


@pytest.mark.parametrize(
    "tags", [{"k" * 129: "x"}, {"k": "v" * 257}, {"k": "<"}, {"aws:k": "x"}, {"a*": "x"}, {"k": "{}"}]
)
def test_what_is_no_tag_is_refused_and_changes_nothing(owner: Any, home: str, tags: dict[str, str]) -> None:
    put_tags(owner, home, {"kept": "1"})
    with refused("InvalidTag", 400):
        put_tags(owner, home, tags)
    assert tags_of(owner, home) == {"kept": "1"}


def test_ten_tags_are_taken_and_eleven_are_not(owner: Any, home: str) -> None:
    put_tags(owner, home, {f"k{number}": "v" for number in range(10)})
    with refused("BadRequest", 400):
        put_tags(owner, home, {f"k{number}": "v" for number in range(11)})
    assert len(tags_of(owner, home)) == 10


def test_the_longest_tag_is_taken(owner: Any, home: str) -> None:
    put_tags(owner, home, {"k" * 128: "v" * 256})
    assert tags_of(owner, home) == {"k" * 128: "v" * 256}


def test_a_key_twice_is_refused(owner: Any, home: str) -> None:
    with refused("InvalidTag", 400):
        owner.put_object_tagging(
            Bucket=home, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
        )


@pytest.mark.parametrize("header", ["a=1&a=2", "=1", "&".join(f"k{n}=v" for n in range(11)), "a=%ff"])
def test_a_header_that_holds_no_tags_is_refused_and_stores_nothing(
    wire: Wire, owner: Any, bucket: str, header: str
) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={"x-amz-tagging": header}, body=b"x")
    assert answer.status == 400
    assert answer.code in {"InvalidTag", "InvalidArgument", "BadRequest"}
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("document", [b"<Tagging/>", b"<Tagging><TagSet><Tag/></TagSet></Tagging>", b"<Tagging>", b"x"])
def test_a_document_that_is_none_is_malformed(wire: Wire, home: str, document: bytes) -> None:
    answer = wire.send("PUT", f"/{home}/k", query=[("tagging", "")], body=document)
    assert answer.refusal == (400, "MalformedXML")


def test_a_missing_object_has_no_tags(owner: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        owner.get_object_tagging(Bucket=bucket, Key="k")
    with refused("NoSuchKey", 404):
        put_tags(owner, bucket, {"a": "1"})
    with refused("NoSuchKey", 404):
        owner.delete_object_tagging(Bucket=bucket, Key="k")


def test_a_delete_marker_has_no_tags(owner: Any, versioned: str) -> None:
    owner.delete_object(Bucket=versioned, Key="k")
    with refused("NoSuchKey", 404):
        owner.get_object_tagging(Bucket=versioned, Key="k")


def test_strangers_and_nobody_may_not_see_or_change_tags(owner: Any, stranger: Any, anonymous: Any, home: str) -> None:
    put_tags(owner, home, {"a": "1"})
    for client in (stranger, anonymous):
        with refused("AccessDenied", 403):
            tags_of(client, home)
        with refused("AccessDenied", 403):
            put_tags(client, home, {"a": "2"})
        with refused("AccessDenied", 403):
            client.delete_object_tagging(Bucket=home, Key="k")
    assert tags_of(owner, home) == {"a": "1"}
