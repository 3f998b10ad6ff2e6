"""Intelligent-tiering configurations: which are refused, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from buckets.intelligent_tiering import checked_tiering, read_tiering
from s3protocol import errors

SHALLOW = {"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}
DEEP = {"Days": 180, "AccessTier": "DEEP_ARCHIVE_ACCESS"}


def document(*tierings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Id": "a", "Status": "Enabled", "Tierings": list(tierings), **more}


def test_the_coldest_tier_comes_first() -> None:
    said = document(SHALLOW, DEEP, Filter={"Prefix": "logs/"})
    tiering = read_tiering(checked_tiering("a", said))
    assert tiering is not None
    assert tiering.days_by_tier == (("DEEP_ARCHIVE_ACCESS", 180), ("ARCHIVE_ACCESS", 90))
    assert tiering.filter.fits("logs/1", {})
    assert not tiering.filter.fits("other", {})


def test_a_disabled_one_asks_for_nothing() -> None:
    assert read_tiering(document(SHALLOW, Status="Disabled")) is None


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (document(), errors.MalformedXML),
        (document(SHALLOW, SHALLOW), errors.MalformedXML),
        (document(SHALLOW | {"Days": 89}), errors.InvalidArgument),
        (document(SHALLOW | {"Days": 731}), errors.InvalidArgument),
        (document(DEEP | {"Days": 179}), errors.InvalidArgument),
        (document(SHALLOW | {"Days": 180}, DEEP), errors.InvalidArgument),
        (document(SHALLOW, Id="b"), errors.InvalidArgument),
        (document(SHALLOW, Filter={"Prefix": "a", "Tag": {"Key": "k", "Value": "v"}}), errors.MalformedXML),
    ],
)
def test_what_cannot_be_is_refused(said: dict[str, Any], error: type[errors.S3Error]) -> None:
    with pytest.raises(error):
        checked_tiering("a", said)
