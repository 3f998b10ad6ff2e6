"""What a process is doing when it is killed. Each scenario prepares, then acts; only the act is killed.

`prepare` runs in a process of its own, untouched, and returns what `act` needs to know. Both say in the ledger's terms
what a key may hold: `before` and `after`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.crash_points.client import new_client
from tests.faults.crash_points.world import CHUNK_SIZE_BYTES, PLAIN, VERSIONED, Body, bytes_of

SMALL, LARGE, SEVERAL = 40_000, 300_000, 2 * CHUNK_SIZE_BYTES + 70_000


@dataclass
class Plan:
    """One run: which keys it changes to what, and what the act needs to know of the preparation."""

    chance: random.Random
    number: int
    before: dict[str, Body] = field(default_factory=dict)  # put by `prepare`, acknowledged
    after: dict[str, Body] = field(default_factory=dict)  # what the act makes of them
    facts: dict[str, Any] = field(default_factory=dict)

    def new_body(self, size_bytes: int) -> tuple[int, int]:
        return self.chance.randrange(1 << 32), size_bytes

    def key(self, name: str = "k") -> str:
        return f"run-{self.number}/{name}"


def _put(client: Any, key: str, body: tuple[int, int], **arguments: Any) -> None:
    client.put_object(Bucket=PLAIN, Key=key, Body=bytes_of(body), **arguments)


class Scenario:
    """Something that a process does. Subclasses say what."""

    is_duty = False

    def plan(self, plan: Plan) -> None:
        """Draw what is to be done; runs in the parent."""

    def prepare(self, plan: Plan) -> dict[str, Any]:
        """Do what must have been done; return facts for the act."""
        client = new_client()
        for key, body in plan.before.items():
            if body is not None:
                _put(client, key, body)
        return {}

    def act(self, plan: Plan) -> Any:
        """Do it; this is where the process is killed."""
        raise NotImplementedError


@dataclass
class PutObject(Scenario):
    """A new object, or one over another."""

    size_bytes: int
    is_overwriting: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, plan: Plan) -> None:
        if self.is_overwriting:
            plan.before[plan.key()] = plan.new_body(LARGE)
        plan.after[plan.key()] = plan.new_body(self.size_bytes)

    def act(self, plan: Plan) -> None:
        body = plan.after[plan.key()]
        assert body is not None
        _put(new_client(), plan.key(), body, **self.arguments)


class CopyObject(Scenario):
    """A copy: extents that refer to chunks which are there."""

    def plan(self, plan: Plan) -> None:
        plan.before[plan.key("source")] = plan.after[plan.key("copy")] = plan.new_body(SEVERAL)

    def act(self, plan: Plan) -> None:
        source = {"Bucket": PLAIN, "Key": plan.key("source")}
        new_client().copy_object(Bucket=PLAIN, Key=plan.key("copy"), CopySource=source)


class DeleteObject(Scenario):
    """What is deleted is there or not."""

    def plan(self, plan: Plan) -> None:
        plan.before[plan.key()], plan.after[plan.key()] = plan.new_body(LARGE), None

    def act(self, plan: Plan) -> None:
        new_client().delete_object(Bucket=PLAIN, Key=plan.key())


class DeleteObjects(Scenario):
    """Each of several keys is there or not."""

    def plan(self, plan: Plan) -> None:
        for number in range(4):
            plan.before[plan.key(str(number))], plan.after[plan.key(str(number))] = plan.new_body(SMALL), None

    def act(self, plan: Plan) -> None:
        keys = [{"Key": key} for key in plan.after]
        answer = new_client().delete_objects(Bucket=PLAIN, Delete={"Objects": keys})
        assert not answer.get("Errors")


class PutVersion(Scenario):
    """A version over another one, which stays."""

    def plan(self, plan: Plan) -> None:
        plan.facts["first"], plan.facts["second"] = plan.new_body(LARGE), plan.new_body(SMALL)

    def prepare(self, plan: Plan) -> dict[str, Any]:
        answer = new_client().put_object(Bucket=VERSIONED, Key=plan.key(), Body=bytes_of(plan.facts["first"]))
        return {"version_id": answer["VersionId"]}

    def act(self, plan: Plan) -> Any:
        answer = new_client().put_object(Bucket=VERSIONED, Key=plan.key(), Body=bytes_of(plan.facts["second"]))
        return answer["VersionId"]


class DeleteVersion(PutVersion):
    """One of two versions, for good."""

    def prepare(self, plan: Plan) -> dict[str, Any]:
        client = new_client()
        kept = client.put_object(Bucket=VERSIONED, Key=plan.key(), Body=bytes_of(plan.facts["first"]))
        doomed = client.put_object(Bucket=VERSIONED, Key=plan.key(), Body=bytes_of(plan.facts["second"]))
        return {"version_id": kept["VersionId"], "doomed": doomed["VersionId"]}

    def act(self, plan: Plan) -> None:
        new_client().delete_object(Bucket=VERSIONED, Key=plan.key(), VersionId=plan.facts["doomed"])


@dataclass
class Multipart(Scenario):
    """An upload in parts, killed in one of its requests."""

    request: str
    part_bytes: int = 5 << 20

    def plan(self, plan: Plan) -> None:
        plan.before[plan.key()] = plan.new_body(SMALL)
        plan.facts["seed"] = plan.chance.randrange(1 << 32)
        if self.request == "complete":
            plan.after[plan.key()] = (plan.facts["seed"], self.part_bytes + SMALL)

    def _parts(self, plan: Plan) -> list[bytes]:
        whole = bytes_of((plan.facts["seed"], self.part_bytes + SMALL))
        return [whole[: self.part_bytes], whole[self.part_bytes :]]

    def prepare(self, plan: Plan) -> dict[str, Any]:
        super().prepare(plan)
        client = new_client()
        upload = client.create_multipart_upload(Bucket=PLAIN, Key=plan.key())["UploadId"]
        tags = []
        for number, data in enumerate(self._parts(plan), 1):
            if number == 1 or self.request != "upload":
                answer = client.upload_part(Bucket=PLAIN, Key=plan.key(), UploadId=upload, PartNumber=number, Body=data)
                tags.append({"PartNumber": number, "ETag": answer["ETag"]})
        # A part that is uploaded and not listed: completing drops it.
        if self.request == "complete":
            client.upload_part(Bucket=PLAIN, Key=plan.key(), UploadId=upload, PartNumber=7, Body=b"x" * SMALL)
        return {"upload": upload, "tags": tags}

    def act(self, plan: Plan) -> None:
        client = new_client()
        named = {"Bucket": PLAIN, "Key": plan.key(), "UploadId": plan.facts["upload"]}
        if self.request == "upload":
            client.upload_part(**named, PartNumber=2, Body=self._parts(plan)[1])
        elif self.request == "complete":
            client.complete_multipart_upload(**named, MultipartUpload={"Parts": plan.facts["tags"]})
        else:
            client.abort_multipart_upload(**named)


@dataclass
class Duty(Scenario):
    """What workers do without a request: nothing that anybody stored may change by it."""

    damage: Callable[[Plan], None]
    duty: Callable[[], object]
    is_duty = True

    def plan(self, plan: Plan) -> None:
        for name, size_bytes in (("small", SMALL), ("large", LARGE), ("several", SEVERAL)):
            plan.before[plan.key(name)] = plan.new_body(size_bytes)

    def prepare(self, plan: Plan) -> dict[str, Any]:
        super().prepare(plan)
        self.damage(plan)
        return {}

    def act(self, plan: Plan) -> None:
        self.duty()
