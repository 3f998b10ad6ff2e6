"""The lifecycle duty: rules that fail in one bucket keep no other bucket waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from buckets.models import BucketConfiguration
from buckets.services import put_bucket_lifecycle_configuration
from objects.models import LifecycleRun, ObjectVersion
from tests.unit.objects.rows import add_bucket, put_version
from workers.duties import apply_lifecycle

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}]}


def test_a_bucket_in_which_rules_fail_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    broken, other = add_bucket("broken"), add_bucket("other")
    for bucket in (broken, other):
        put_bucket_lifecycle_configuration(bucket_id=bucket, document=RULES)
        version = put_version(bucket, "k", [])
        ObjectVersion.objects.filter(pk=version).update(became_current_at=datetime.now(UTC) - timedelta(days=9))
    # As no configuration that passed the checks is: a release with a mistake could have stored it.
    wrong = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": {}}}]}
    BucketConfiguration.objects.filter(bucket_id=broken).update(document=wrong)
    assert apply_lifecycle().expired_objects == 1
    assert "the lifecycle rules of bucket broken could not be carried out" in caplog.text
    assert [run.bucket_id for run in LifecycleRun.objects.all()] == [other], "the other is tried again"
