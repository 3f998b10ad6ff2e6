"""Bringing back all that was deleted below a prefix; archived objects are not handed out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.console.session import Person
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live


def test_all_below_a_prefix_comes_back(live: LiveSystem, operator: Person, new_bucket: Callable[..., str]) -> None:
    bucket, client = new_bucket(), live.client()
    for key in ("a/1", "a/2", "b"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
        client.delete_object(Bucket=bucket, Key=key)
    assert "Bring all back" in operator.session.get(f"/buckets/{bucket}/deleted/", prefix="a/").text
    answer = operator.session.post(f"/buckets/{bucket}/restore-all/", {"prefix": "a/"})
    assert "2 objects are back." in answer.text
    assert [item["Key"] for item in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/1", "a/2"]


def test_what_is_archived_is_not_downloaded(live: LiveSystem, operator: Person, new_bucket: Callable[..., str]) -> None:
    bucket = new_bucket()
    live.client().put_object(Bucket=bucket, Key="k", Body=b"body", StorageClass="GLACIER")
    answer = operator.session.get(f"/buckets/{bucket}/download/", key="k")
    assert (answer.status, b"body" in answer.body) == (403, False)
