"""What must be true after a crash, and after the duties have cleaned up behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.faults.crash_points import duties
from tests.faults.crash_points.client import new_client
from tests.faults.crash_points.scenarios import Multipart, Plan, PutVersion, Scenario
from tests.faults.crash_points.world import PLAIN, VERSIONED, Body, Ledger, bytes_of


class Wrong(Exception):
    """Something is not as it was promised."""


def settle(scenario: Scenario, plan: Plan, ledger: Ledger, *, is_acknowledged: bool, acknowledged: Any) -> Ledger:
    """Look at everything after a crash, clean up, look again; return what the store holds from now on."""
    client = new_client()
    _check_metadata()
    _check_fragments(known_faults=_faults())
    _enter(scenario, plan, ledger, is_acknowledged=is_acknowledged, acknowledged=acknowledged)
    _check_objects(client, ledger)
    if isinstance(scenario, Multipart):
        _check_upload(client, scenario, plan, ledger)
    _recover()
    _check_metadata()
    _check_fragments(known_faults=set())
    _check_nothing_is_left()
    _check_objects(client, ledger)
    return ledger


def _enter(scenario: Scenario, plan: Plan, ledger: Ledger, *, is_acknowledged: bool, acknowledged: Any) -> None:
    """Say what may be there: what was acknowledged; while that is unknown, what was before or what was to be."""
    for key, body in plan.before.items():
        ledger.current[key] = {body}
    for key, body in plan.after.items():
        ledger.current[key] = {body} if is_acknowledged else {plan.before.get(key), body}
    if isinstance(scenario, PutVersion):
        ledger.versions[f"{plan.key()}?{plan.facts['version_id']}"] = {plan.facts["first"]}
        if "doomed" in plan.facts:
            after: set[Body] = set() if is_acknowledged else {plan.facts["second"]}
            ledger.versions[f"{plan.key()}?{plan.facts['doomed']}"] = after | {None}
        elif is_acknowledged:
            ledger.versions[f"{plan.key()}?{acknowledged}"] = {plan.facts["second"]}
        ledger.newest[plan.key()] = _newest(plan, is_acknowledged=is_acknowledged)


def _newest(plan: Plan, *, is_acknowledged: bool) -> set[Body]:
    first, second = plan.facts["first"], plan.facts["second"]
    after = first if "doomed" in plan.facts else second
    return {after} if is_acknowledged else {first, second}


def _check_objects(client: Any, ledger: Ledger) -> None:
    """Read every key and version; narrow what it may be to what it is."""
    for bucket, expected in ((PLAIN, ledger.current), (VERSIONED, ledger.newest)):
        listed = _listed(client, bucket)
        for key, possible in expected.items():
            expected[key] = {_check(client, bucket, key, possible)}
            if (expected[key] == {None}) == (key in listed):
                raise Wrong(f"{bucket}/{key}: listed is {key in listed}, and read as {expected[key]}")
        if unknown := listed - expected.keys():
            raise Wrong(f"listed in {bucket}, and never written: {sorted(unknown)}")
    for name, possible in ledger.versions.items():
        key, _, version_id = name.partition("?")
        ledger.versions[name] = {_check(client, VERSIONED, key, possible, VersionId=version_id)}


def _check(client: Any, bucket: str, key: str, possible: set[Body], **version: str) -> Body:
    """Read one object and say which of the possible things it is."""
    try:
        answer = client.get_object(Bucket=bucket, Key=key, **version)
        data = answer["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"NoSuchKey", "NoSuchVersion"} and None in possible:
            return None
        if (
            code == "InvalidObjectState"
        ):  # archived, and asked for, if not by itself: the duty goes on where it was killed
            if error.response["Error"].get("AccessTier"):
                client.restore_object(Bucket=bucket, Key=key, RestoreRequest={}, **version)
            duties.restore()
            return _check(client, bucket, key, possible, **version)
        raise Wrong(f"{bucket}/{key} {version}: {code}, and may be {possible}") from error
    for body in possible:
        if body is not None and len(data) == body[1] == answer["ContentLength"] and data == bytes_of(body):
            return body
    raise Wrong(f"{bucket}/{key} {version}: {len(data)} bytes that are none of {possible}")


def _listed(client: Any, bucket: str) -> set[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {found["Key"] for page in pages for found in page.get("Contents", ())}


def _check_upload(client: Any, scenario: Multipart, plan: Plan, ledger: Ledger) -> None:
    """An upload is there with whole parts, and can be completed, or is gone; to complete it twice does no harm."""
    named = {"Bucket": PLAIN, "Key": plan.key(), "UploadId": plan.facts["upload"]}
    parts = plan.facts["tags"]
    if scenario.request != "complete":
        try:
            parts = [
                {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
                for part in client.list_parts(**named).get("Parts", ())
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchUpload" and scenario.request == "abort":
                return
            raise
    size_bytes = scenario.part_bytes + (0 if len(parts) == 1 else plan.facts["last_bytes"])
    client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    data = client.get_object(Bucket=PLAIN, Key=plan.key())["Body"].read()
    if data != bytes_of((plan.facts["seed"], scenario.part_bytes + plan.facts["last_bytes"]))[:size_bytes]:
        raise Wrong(f"the completed upload has {len(data)} bytes, and not those that were sent")
    client.delete_object(Bucket=PLAIN, Key=plan.key())
    ledger.current[plan.key()] = {None}


def _check_metadata() -> None:
    from objects.selectors.consistency import find_inconsistencies

    if found := [f"{one.problem}: {one.subject}" for one in find_inconsistencies()]:
        raise Wrong("; ".join(found))


def _faults() -> set[str]:
    from chunks.fragment_format import fragment_name
    from chunks.models import FragmentFault

    return {fragment_name(*row) for row in FragmentFault.objects.values_list("chunk_id", "fragment_index")}


def _check_fragments(known_faults: set[str]) -> None:
    """Each fragment is where its chunk's row says, but for those that the repairer knows of."""
    from chunks import topology
    from chunks.inspection import Inspected, inspect_chunks

    topology.refresh()
    for found in inspect_chunks(Inspected(), is_deep=False):
        if found.subject.split()[0] not in known_faults:
            raise Wrong(f"{found.problem}: {found.subject}")


def _check_nothing_is_left() -> None:
    from chunks.inspection import Inspected, inspect_nodes
    from chunks.models import FragmentFault, Garbage

    if found := [
        one.subject for one in inspect_nodes(Inspected(), written_before=datetime.now(UTC) + timedelta(days=1))
    ]:
        raise Wrong(f"left on the nodes: {found}")
    if FragmentFault.objects.exists() or Garbage.objects.exists():
        raise Wrong(f"left to do: {FragmentFault.objects.count()} faults, {Garbage.objects.count()} chunks of garbage")


def _recover() -> None:
    """Do what the duties do by themselves, until nothing is left to do."""
    from chunks.models import FragmentFault, Relocation

    duties.end_drains()
    if Relocation.objects.filter(finished_at=None).exists() or Relocation.objects.exists():
        duties.rebalance()
        Relocation.objects.all().delete()
    FragmentFault.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(seconds=1))
    duties.repair()
    duties.collect()
    duties.sweep()


def look_deep(ledger: Ledger) -> int:
    """Read every fragment and every object; return how many fragments there are."""
    from chunks.inspection import Inspected, inspect_chunks

    inspected = Inspected()
    if found := [f"{one.problem}: {one.subject}" for one in inspect_chunks(inspected, is_deep=True)]:
        raise Wrong("; ".join(found))
    _check_objects(new_client(), ledger)
    return inspected.fragments


def forget(ledger: Ledger, run_numbers: set[int]) -> Ledger:
    """Delete what old runs left, so that the store stays small."""
    client = new_client()
    for bucket, known in ((PLAIN, ledger.current), (VERSIONED, ledger.newest)):
        for key in [key for key in known if int(key.partition("/")[0].removeprefix("run-")) in run_numbers]:
            if bucket == PLAIN:
                client.delete_object(Bucket=bucket, Key=key)
            for name in [name for name in ledger.versions if name.startswith(f"{key}?")]:
                if ledger.versions.pop(name) != {None}:
                    client.delete_object(Bucket=bucket, Key=key, VersionId=name.partition("?")[2])
            if bucket == VERSIONED:  # a version that was not acknowledged has an id that nobody was told
                for version in client.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", ()):
                    client.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
            del known[key]
    return ledger
