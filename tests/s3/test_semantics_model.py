"""The live server against a model of S3: long random lives of a bucket, after each step of which both agree.

Hypothesis draws the calls; `semantics_model` says what must come out. Compared after each call: its answer, the listing of
objects, the listing of versions, and the usage counters; at the end all bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.live.system import LiveSystem
from tests.s3.semantics_model import BucketModel, Refused, Upload, Version, etag_of
from tests.s3.store_contents import Counters, UsageReader

LIFE_COUNT = 25 if os.environ.get("OBJSTORE_TEST_SCALE") == "full" else 12

# Few, so that calls meet.
KEYS = st.sampled_from(["a", "a/b", "a/c", "é"])
BODIES = st.sampled_from([b"", b"x", b"body", b"y" * 5_000])
NUMBERS = st.integers(1, 3)
# By name, since Hypothesis writes down what it draws. One large enough to be followed by another is rare: it is slow.
PARTS = {"empty": b"", "small": b"part", "medium": b"z" * 3_000, "large": bytes(5 << 20)}
PART_NAMES = st.sampled_from([*["empty", "small", "medium"] * 3, "large"])
MISSING = "A" * 32
OTHER_ETAG = '"00000000000000000000000000000000"'


@pytest.fixture(scope="module")
def usage(live: LiveSystem) -> Iterator[UsageReader]:
    """The usage counters of the live system."""
    with UsageReader(live) as reader:
        yield reader


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a life is made of: how to draw its arguments, and whether it needs an upload in progress."""

    function: Callable[..., None]
    arguments: dict[str, Any]
    needs_upload: bool


CALLS: list[Call] = []


def call(*, weight: int = 2, needs_upload: bool = False, **arguments: Any) -> Callable[[Any], Any]:
    """Enter a method into CALLS, the more often the greater its weight.

    Rules of Hypothesis would do, but for its habit to leave out many of them in each life: most lives stayed empty.
    """

    def enter(function: Callable[..., None]) -> Callable[..., None]:
        CALLS.extend([Call(function, arguments, needs_upload)] * weight)
        return function

    return enter


class Bucket(RuleBasedStateMachine):
    """A bucket of the live server and its model."""

    client: Any
    usage: UsageReader
    new_bucket: Callable[[], str]
    answered: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.model = BucketModel()
        self.name = ""

    @initialize()
    def create(self) -> None:
        self.name = self.new_bucket()

    def both(self, expect: Callable[[], Any], call: Callable[[], Any]) -> tuple[Any, Any]:
        """Ask the model, then the server: both refuse with the same code, or both answer."""
        refusal = ""
        try:
            expected = expect()
        except Refused as refused:
            refusal = str(refused)
        self.answered[refusal or "agreed"] += 1
        if not refusal:
            return expected, call()
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == refusal
        return None, None

    def pick_version(self, data: st.DataObject) -> tuple[str, str]:
        """Draw a key and the id of one of its versions, sometimes of one that is not there."""
        there = [(key, version.version_id) for key, version, _ in self.model.all_versions()]
        return data.draw(st.sampled_from([*there, ("a", MISSING), ("é", "null")]))

    @rule(data=st.data())
    def live(self, data: st.DataObject) -> None:
        possible = [number for number, one in enumerate(CALLS) if self.model.uploads or not one.needs_upload]
        chosen = CALLS[data.draw(st.sampled_from(possible))]
        drawn = {name: data if name == "data" else data.draw(how, name) for name, how in chosen.arguments.items()}
        chosen.function(self, **drawn)

    # Writes

    @call(weight=6, key=KEYS, body=BODIES, condition=st.sampled_from([None, "free", "there", "other"]))
    def put(self, key: str, body: bytes, condition: str | None) -> None:
        current = self.model.current(key)
        conditions = {
            None: {},
            "free": {"IfNoneMatch": "*"},
            "there": {"IfMatch": current.etag if current else OTHER_ETAG},
            "other": {"IfMatch": OTHER_ETAG},
        }[condition]
        _, answer = self.both(
            lambda: self.model.check_write(key, conditions.get("IfNoneMatch"), conditions.get("IfMatch")),
            lambda: self.client.put_object(Bucket=self.name, Key=key, Body=body, **conditions),
        )
        if answer is not None:
            assert answer["ETag"] == etag_of(body)
            assert ("VersionId" in answer) == (self.model.versioning == "Enabled")
            self.model.write(key, body, answer["ETag"], answer.get("VersionId", "null"))

    @call(key=KEYS)
    def delete(self, key: str) -> None:
        answer = self.client.delete_object(Bucket=self.name, Key=key)
        assert answer.get("DeleteMarker", False) == (self.model.versioning != "")
        self.model.delete(key, answer.get("VersionId", "null"))

    @call(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key, version_id = self.pick_version(data)
        there = self.model.version(key, version_id)
        answer = self.client.delete_object(Bucket=self.name, Key=key, VersionId=version_id)
        assert answer.get("DeleteMarker", False) == (there is not None and there.is_marker)
        self.model.delete_version(key, version_id)

    @call(data=st.data(), new_key=KEYS)
    def copy(self, data: st.DataObject, new_key: str) -> None:
        key, version_id = self.pick_version(data)

        def expect() -> Version:
            version = self.model.version(key, version_id)
            if version is None:
                raise Refused("NoSuchVersion")
            if version.is_marker:
                raise Refused("InvalidRequest")
            return version

        version, answer = self.both(
            expect,
            lambda: self.client.copy_object(
                Bucket=self.name, Key=new_key, CopySource={"Bucket": self.name, "Key": key, "VersionId": version_id}
            ),
        )
        if answer is not None:
            assert answer["CopyObjectResult"]["ETag"] == version.etag
            self.model.write(new_key, version.body, version.etag, answer.get("VersionId", "null"))

    @call(status=st.sampled_from(["Enabled", "Enabled", "Suspended"]))
    def set_versioning(self, status: str) -> None:
        self.client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": status})
        self.model.versioning = status

    # Uploads

    def pick_upload(self, data: st.DataObject) -> dict[str, str]:
        """Draw an upload in progress and return the arguments that name it."""
        upload_id = data.draw(st.sampled_from(list(self.model.uploads)))
        return {"Bucket": self.name, "Key": self.model.uploads[upload_id].key, "UploadId": upload_id}

    @call(key=KEYS)
    def create_upload(self, key: str) -> None:
        answer = self.client.create_multipart_upload(Bucket=self.name, Key=key)
        self.model.uploads[answer["UploadId"]] = Upload(key)

    @call(weight=5, needs_upload=True, data=st.data(), number=NUMBERS, name=PART_NAMES)
    def upload_part(self, data: st.DataObject, number: int, name: str) -> None:
        named, body = self.pick_upload(data), PARTS[name]
        answer = self.client.upload_part(**named, PartNumber=number, Body=body)
        assert answer["ETag"] == etag_of(body)
        self.model.uploads[named["UploadId"]].parts[number] = body

    @call(weight=3, needs_upload=True, data=st.data(), numbers=st.none() | st.lists(NUMBERS, min_size=1, max_size=3))
    def complete(self, data: st.DataObject, numbers: list[int] | None) -> None:
        named = self.pick_upload(data)
        parts = self.model.uploads[named["UploadId"]].parts
        listed = numbers or sorted(parts) or [1]
        document = {
            "Parts": [{"PartNumber": number, "ETag": etag_of(parts.get(number, b"missing"))} for number in listed]
        }
        expected, answer = self.both(
            lambda: self.model.completed(named["UploadId"], listed),
            lambda: self.client.complete_multipart_upload(**named, MultipartUpload=document),
        )
        if answer is not None:
            body, etag = expected
            assert answer["ETag"] == etag
            self.model.write(named["Key"], body, etag, answer.get("VersionId", "null"))
            del self.model.uploads[named["UploadId"]]
            self.answered["completed"] += 1

    @call(needs_upload=True, data=st.data())
    def abort(self, data: st.DataObject) -> None:
        named = self.pick_upload(data)
        self.client.abort_multipart_upload(**named)
        del self.model.uploads[named["UploadId"]]

    # Reads

    @call(weight=4, key=KEYS)
    def get_and_head(self, key: str) -> None:
        expected = self.model.current(key)
        if expected is None:
            with pytest.raises(ClientError) as caught:
                self.client.get_object(Bucket=self.name, Key=key)
            assert caught.value.response["Error"]["Code"] == "NoSuchKey"
            return
        self.check_read(key, expected)
        head = self.client.head_object(Bucket=self.name, Key=key)
        assert (head["ETag"], head["ContentLength"]) == (expected.etag, len(expected.body or b""))

    @call(weight=4, data=st.data())
    def get_version(self, data: st.DataObject) -> None:
        key, version_id = self.pick_version(data)
        expected = self.model.version(key, version_id)
        if expected is not None and not expected.is_marker:
            self.check_read(key, expected, VersionId=version_id)
            return
        with pytest.raises(ClientError) as caught:
            self.client.get_object(Bucket=self.name, Key=key, VersionId=version_id)
        assert caught.value.response["Error"]["Code"] == ("NoSuchVersion" if expected is None else "MethodNotAllowed")

    def check_read(self, key: str, expected: Version, **named: str) -> None:
        """Check the bytes and the ETag of a version."""
        got = self.client.get_object(Bucket=self.name, Key=key, **named)
        assert got["Body"].read() == expected.body
        self.answered["read"] += 1
        assert got["ETag"] == expected.etag

    @call(
        prefix=st.sampled_from(["", "a", "a/", "é", "z"]), delimiter=st.sampled_from(["", "/"]), size=st.integers(1, 4)
    )
    def list_in_pages(self, prefix: str, delimiter: str, size: int) -> None:
        names: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self.client.list_objects_v2(
                Bucket=self.name, Prefix=prefix, Delimiter=delimiter, MaxKeys=size, **token
            )
            found = [item["Key"] for item in page.get("Contents", [])]
            found += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
            assert len(found) == page["KeyCount"] <= size
            names += sorted(found, key=str.encode)
            if not page["IsTruncated"]:
                break
            token = {"ContinuationToken": page["NextContinuationToken"]}
        assert names == self.model.listing(prefix, delimiter)

    # Invariants

    @invariant()
    def listings_agree(self) -> None:
        if not self.name:
            return
        shown = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        assert [(item["Key"], item["ETag"], item["Size"]) for item in shown] == [
            (key, version.etag, len(version.body or b"")) for key, version in self.model.visible().items()
        ]
        page = self.client.list_object_versions(Bucket=self.name)
        assert [
            (item["Key"], item["VersionId"], item["IsLatest"], item["ETag"]) for item in page.get("Versions", [])
        ] == [
            (key, version.version_id, is_latest, version.etag)
            for key, version, is_latest in self.model.all_versions()
            if not version.is_marker
        ]
        assert [(item["Key"], item["VersionId"], item["IsLatest"]) for item in page.get("DeleteMarkers", [])] == [
            (key, version.version_id, is_latest)
            for key, version, is_latest in self.model.all_versions()
            if version.is_marker
        ]

    @invariant()
    def uploads_agree(self) -> None:
        if self.name:
            shown = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
            assert {item["UploadId"]: item["Key"] for item in shown} == {
                upload_id: upload.key for upload_id, upload in self.model.uploads.items()
            }

    @invariant()
    def counters_are_exact(self) -> None:
        if self.name:
            assert self.usage.read(self.name) == Counters(*self.model.usage())

    def teardown(self) -> None:
        if self.name:
            for key, version, _ in self.model.all_versions():
                if not version.is_marker:
                    self.check_read(key, version, VersionId=version.version_id)


def test_the_server_agrees_with_the_model(owner: Any, usage: UsageReader, new_bucket: Callable[[], str]) -> None:
    Bucket.client, Bucket.usage, Bucket.new_bucket = owner, usage, staticmethod(new_bucket)
    run_state_machine_as_test(
        Bucket,
        settings=settings(
            max_examples=LIFE_COUNT,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    # A life in which nothing happens would agree with any model. Rarer refusals are up to the draw, which differs from
    # one version of the code to the next; they have tests of their own.
    assert {"agreed", "read", "completed", "PreconditionFailed"} <= Bucket.answered.keys()
    assert Bucket.answered["read"] >= 4 * LIFE_COUNT
