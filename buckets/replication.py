"""Replication configurations: what AWS refuses, and the rules that the writing functions match. Pure.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from buckets.identified import bucket_of_arn, check_filter, read_filter
from events.arns import NAME_PATTERN
from s3protocol import errors

KIND = "replication"
RULE_COUNT_MAX = 1_000
ID_LENGTH_MAX = 255

_REMOTE = re.compile(rf"arn:objstore:s3::({NAME_PATTERN}):([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes where. The newer form of rules names a filter, the older a prefix alone."""

    id: str
    role_arn: str
    priority: int
    prefix: str
    tags: Mapping[str, str]
    destination: str
    remote: str
    account_id: str | None
    storage_class: str
    takes_ownership: bool
    replicates_markers: bool
    replicates_kms: bool
    kms_key: str
    syncs_replicas: bool


def checked_document(
    configuration: Mapping[str, Any], *, new_id: Callable[[], str], storage_classes: Collection[str]
) -> dict[str, Any]:
    """Return what is to be stored of a ReplicationConfiguration; rules without an ID get one.

    Raises MalformedXML, InvalidArgument, InvalidRequest, InvalidStorageClass, NotImplemented. Whether source and
    destination can take part is for the caller.
    """
    if _ROLE.fullmatch(configuration["Role"]) is None:
        raise errors.InvalidArgument(
            "Invalid Role specified in replication configuration",
            ArgumentName="Role",
            ArgumentValue=configuration["Role"],
        )
    rules = configuration["Rules"]
    if not 1 <= len(rules) <= RULE_COUNT_MAX:
        raise errors.MalformedXML
    if len({"Filter" in rule for rule in rules}) > 1:
        raise errors.InvalidRequest("All rules of a replication configuration must be in the same form.")
    for rule in rules:
        _check_rule(rule, storage_classes)
    stored = [{**rule, "ID": rule.get("ID") or new_id()} for rule in rules]
    if len({rule["ID"] for rule in stored}) < len(stored):
        raise errors.InvalidArgument("Rule Id must be unique")
    if "Filter" in rules[0] and len({rule["Priority"] for rule in stored}) < len(stored):
        raise errors.InvalidRequest("Found duplicate priority. Priority must be unique.")
    return {"Role": configuration["Role"], "Rules": stored}


def _check_rule(rule: Mapping[str, Any], storage_classes: Collection[str]) -> None:
    if len(rule.get("ID", "")) > ID_LENGTH_MAX:
        raise errors.InvalidArgument(f"The ID of a rule has {ID_LENGTH_MAX} characters at most.")
    if rule.get("ExistingObjectReplication", {}).get("Status") == "Enabled":
        raise errors.NotImplemented("Objects that were there before the rule are not replicated.")
    markers = rule.get("DeleteMarkerReplication")
    if "Filter" in rule:
        if "Prefix" in rule:
            raise errors.MalformedXML
        if rule["Filter"]:
            check_filter(rule)
        if "Priority" not in rule:
            raise errors.InvalidRequest("Priority must be specified for this version of Cross Region Replication.")
        if markers is None:
            raise errors.InvalidRequest(
                "DeleteMarkerReplication must be specified for this version of Cross Region Replication."
            )
        if markers.get("Status") == "Enabled" and read_filter(rule).tags:
            raise errors.InvalidRequest("Delete marker replication is not supported if any Tag filter is specified.")
    elif "Prefix" not in rule or "Priority" in rule or markers is not None:
        raise errors.MalformedXML
    _check_destination(rule, storage_classes)


def _check_destination(rule: Mapping[str, Any], storage_classes: Collection[str]) -> None:
    destination = rule["Destination"]
    remote, _ = place_of_arn(destination["Bucket"])
    if remote and destination.keys() & {"Account", "AccessControlTranslation"}:
        raise errors.InvalidRequest("Replicas in another store belong to whose credentials are used there.")
    if destination.get("StorageClass", "STANDARD") not in {*storage_classes, "STANDARD"}:
        raise errors.InvalidStorageClass(StorageClassRequested=destination["StorageClass"])
    if "AccessControlTranslation" in destination and "Account" not in destination:
        raise errors.InvalidRequest("Account must be specified if AccessControlTranslation is.")
    if destination.get("ReplicationTime", {}).get("Status") == "Enabled":
        raise errors.NotImplemented("No time of replication is promised.")
    wants_kms = rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects", {}).get("Status") == "Enabled"
    key = destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")
    if wants_kms and not key:
        raise errors.InvalidRequest(
            "SseKmsEncryptedObjects in SourceSelectionCriteria needs an EncryptionConfiguration with a ReplicaKmsKeyID."
        )


def place_of_arn(arn: str) -> tuple[str, str]:
    """Return the store (empty: this one) and the bucket of a destination.

    Another store is `arn:objstore:s3::STORE:BUCKET`. Raises InvalidArgument, InvalidS3DestinationBucket.
    """
    matched = _REMOTE.fullmatch(arn)
    return ("", bucket_of_arn(arn)) if matched is None else (matched[1], matched[2])


def enabled_rules(document: Mapping[str, Any]) -> list[Rule]:
    """Return the enabled rules of a stored document."""
    return [_rule(rule, document["Role"]) for rule in document["Rules"] if rule["Status"] == "Enabled"]


def _rule(rule: Mapping[str, Any], role_arn: str) -> Rule:
    wanted = read_filter(rule)
    destination, selection = rule["Destination"], rule.get("SourceSelectionCriteria", {})
    place = place_of_arn(destination["Bucket"])
    markers = rule.get("DeleteMarkerReplication", {"Status": "Disabled" if "Filter" in rule else "Enabled"})
    return Rule(
        id=rule["ID"],
        role_arn=role_arn,
        priority=rule.get("Priority", 0),
        prefix=wanted.prefix if "Filter" in rule else rule["Prefix"],
        tags=dict(wanted.tags),
        destination=place[1],
        remote=place[0],
        account_id=destination.get("Account"),
        storage_class=destination.get("StorageClass", ""),
        takes_ownership="AccessControlTranslation" in destination,
        replicates_markers=markers.get("Status") == "Enabled",
        replicates_kms=selection.get("SseKmsEncryptedObjects", {}).get("Status") == "Enabled",
        kms_key=destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID", ""),
        syncs_replicas=selection.get("ReplicaModifications", {}).get("Status") == "Enabled",
    )
