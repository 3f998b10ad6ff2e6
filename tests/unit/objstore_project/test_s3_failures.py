"""What goes wrong behind an operation, as the client hears it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, OperationalError

from buckets import services
from buckets.models import Versioning
from chunks.models import Garbage
from objstore_project.s3_endpoint.failures import as_s3_error

pytestmark = pytest.mark.django_db(transaction=True)

GONE = 987654321


@pytest.mark.parametrize(
    "change",
    [
        lambda: services.put_configuration(bucket_id=GONE, kind="cors", document={}),
        lambda: services.put_identified_configuration(bucket_id=GONE, kind="metrics", name="m", document={}),
        lambda: services.put_bucket_tagging(bucket_id=GONE, tags={"a": "b"}),
        lambda: services.put_bucket_versioning(bucket_id=GONE, status=Versioning.ENABLED),
    ],
    ids=["configuration", "identified configuration", "tagging", "versioning"],
)
def test_a_bucket_that_a_rival_has_just_deleted_is_not_there(change: Callable[[], None]) -> None:
    with pytest.raises(Exception, match=r"bucket|Bucket") as failed:
        change()
    assert as_s3_error(failed.value, "R").code == "NoSuchBucket"


def test_what_is_ours_is_ours() -> None:
    Garbage.objects.create(chunk_id="00000000-0000-0000-0000-000000000001")
    with pytest.raises(IntegrityError) as failed:
        Garbage.objects.create(chunk_id="00000000-0000-0000-0000-000000000001")
    assert as_s3_error(failed.value, "R").code == "InternalError"
    assert as_s3_error(OperationalError("away"), "R").code == "ServiceUnavailable"
