from typing import TypedDict, Unpack

import pytest

from s3protocol import registry
from s3protocol.registry import REGISTRY, operation, unsupported_members


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch):
    operations = {}
    monkeypatch.setattr(registry, "_operations", operations)
    return operations


def get_object(context, *, bucket, key, version_id=None):
    return {}


def test_a_registered_operation_says_what_it_takes(empty_registry):
    decorated = operation(
        "GetObject", action="s3:GetObject", versioned_action="s3:GetObjectVersion", reads_object=True
    )(get_object)
    entry = empty_registry["GetObject"]
    assert decorated is get_object is entry.function
    assert (entry.action, entry.versioned_action, entry.reads_object) == ("s3:GetObject", "s3:GetObjectVersion", True)
    assert entry.parameters == {"bucket", "key", "version_id"}
    assert entry.harmless == {"request_payer", "expected_bucket_owner"}


class Conditions(TypedDict, total=False):
    if_match: str
    if_none_match: str


class Misspelt(TypedDict, total=False):
    ifmatch: str


class Demanding(TypedDict):
    if_match: str


def with_conditions(context, *, bucket, key, **members: Unpack[Conditions]):
    return {}


def with_misspelt(context, *, bucket, key, **members: Unpack[Misspelt]):
    return {}


def with_demands(context, *, bucket, key, **members: Unpack[Demanding]):
    return {}


def test_members_may_come_in_groups(empty_registry):
    operation("GetObject", action="s3:GetObject")(with_conditions)
    assert empty_registry["GetObject"].parameters == {"bucket", "key", "if_match", "if_none_match"}


def test_members_that_nobody_looks_at_are_found(empty_registry):
    operation("GetObject", action="s3:GetObject", harmless={"ChecksumMode": "checksums are always sent"})(get_object)
    present = {
        "bucket": "b",
        "key": "k",
        "range": "x",
        "checksum_mode": "ENABLED",
        "request_payer": "r",
        "if_match": "e",
    }
    assert unsupported_members(empty_registry["GetObject"], present) == ["if_match", "range"]


def test_a_hint_about_the_checksum_is_harmless_and_a_command_is_not(empty_registry):
    def handler(context, *, bucket, key):
        return {}

    operation("PutObject", action="s3:PutObject")(handler)
    operation("CopyObject", action="s3:PutObject")(handler)
    assert "checksum_algorithm" in empty_registry["PutObject"].harmless
    assert "checksum_algorithm" not in empty_registry["CopyObject"].harmless


def test_a_member_without_a_default_must_be_in_every_request(empty_registry):
    def handler(context, *, bucket, lifecycle_configuration):
        return {}

    operation("PutBucketLifecycleConfiguration", action="s3:PutLifecycleConfiguration")(handler)
    assert "PutBucketLifecycleConfiguration" in empty_registry


def without_context(request, *, bucket):
    return {}


def positional(context, bucket):
    return {}


def catch_all(context, **members):
    return {}


def unknown(context, *, bucket, key, versionid=None):
    return {}


def demanding(context, *, bucket, key, version_id):
    return {}


@pytest.mark.parametrize(
    ("arguments", "function"),
    [
        ({"name": "GetObjects", "action": "s3:GetObject"}, get_object),
        ({"name": "GetObject", "action": ""}, get_object),
        ({"name": "GetObject", "action": "GetObject"}, get_object),
        ({"name": "GetObject", "action": "s3:GetObject", "versioned_action": "Get"}, get_object),
        ({"name": "GetObject", "action": "s3:GetObject", "harmless": {"Colour": "why"}}, get_object),
        ({"name": "GetObject", "action": "s3:GetObject", "harmless": {"Range": " "}}, get_object),
        ({"name": "GetObject", "action": "s3:GetObject", "harmless": {"VersionId": "why"}}, get_object),
        ({"name": "HeadBucket", "action": "s3:ListBucket"}, without_context),
        ({"name": "HeadBucket", "action": "s3:ListBucket"}, positional),
        ({"name": "HeadBucket", "action": "s3:ListBucket"}, catch_all),
        ({"name": "GetObject", "action": "s3:GetObject"}, unknown),
        ({"name": "GetObject", "action": "s3:GetObject"}, demanding),
        ({"name": "GetObject", "action": "s3:GetObject"}, with_misspelt),
        ({"name": "GetObject", "action": "s3:GetObject"}, with_demands),
    ],
)
def test_a_contradiction_of_the_model_stops_the_import(arguments, function):
    with pytest.raises(TypeError):
        operation(**arguments)(function)


def test_an_action_is_mandatory():
    with pytest.raises(TypeError):
        operation("GetObject")(get_object)


def test_a_name_is_registered_once():
    operation("GetObject", action="s3:GetObject")(get_object)
    with pytest.raises(TypeError, match="twice"):
        operation("GetObject", action="s3:GetObject")(get_object)


def test_the_registry_cannot_be_written_from_outside():
    with pytest.raises(TypeError):
        REGISTRY["GetObject"] = None
