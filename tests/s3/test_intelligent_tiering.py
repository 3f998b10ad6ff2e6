"""Intelligent-tiering configurations by the API; what they do is tried in `tests/unit/objects/test_tiering.py`."""

from __future__ import annotations

from typing import Any

from tests.s3.refusals import refused

TIERING = {
    "Id": "cold",
    "Status": "Enabled",
    "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "keep", "Value": "long"}]}},
    "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}],
}


def test_configurations_are_kept_listed_and_forgotten(owner: Any, stranger: Any, bucket: str) -> None:
    named = {"Bucket": bucket, "Id": "cold"}
    with refused("NoSuchConfiguration", 404):
        owner.get_bucket_intelligent_tiering_configuration(**named)
    owner.put_bucket_intelligent_tiering_configuration(**named, IntelligentTieringConfiguration=TIERING)
    with refused("AccessDenied", 403):
        stranger.get_bucket_intelligent_tiering_configuration(**named)
    assert owner.get_bucket_intelligent_tiering_configuration(**named)["IntelligentTieringConfiguration"] == TIERING
    listed = owner.list_bucket_intelligent_tiering_configurations(Bucket=bucket)
    assert listed["IntelligentTieringConfigurationList"] == [TIERING]
    owner.delete_bucket_intelligent_tiering_configuration(**named)
    with refused("NoSuchConfiguration", 404):
        owner.delete_bucket_intelligent_tiering_configuration(**named)
    assert not owner.list_bucket_intelligent_tiering_configurations(Bucket=bucket).get(
        "IntelligentTieringConfigurationList"
    )


def test_what_cannot_be_is_refused(owner: Any, bucket: str) -> None:
    soon = TIERING | {"Tierings": [{"Days": 30, "AccessTier": "ARCHIVE_ACCESS"}]}
    with refused("InvalidArgument", 400):
        owner.put_bucket_intelligent_tiering_configuration(
            Bucket=bucket, Id="cold", IntelligentTieringConfiguration=soon
        )


def test_an_object_of_the_class_is_read_and_not_restored(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="INTELLIGENT_TIERING")
    for _ in range(2):
        got = owner.get_object(Bucket=bucket, Key="k")
        assert (got["Body"].read(), got["StorageClass"]) == (b"x", "INTELLIGENT_TIERING")
    assert "ArchiveStatus" not in owner.head_object(Bucket=bucket, Key="k")
    with refused("InvalidObjectState", 403):
        owner.restore_object(Bucket=bucket, Key="k", RestoreRequest={})
    with refused("MalformedXML", 400):
        owner.put_object(Bucket=bucket, Key="g", Body=b"x", StorageClass="GLACIER")
        owner.restore_object(Bucket=bucket, Key="g", RestoreRequest={})
