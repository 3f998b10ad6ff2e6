"""A bucket that somebody else deletes while a page changes it: not there any more, which is no failure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from buckets.services.buckets import BUCKET_LOCK_CLASS
from objstore_project.supervisor.postgresql import DATABASE, connect
from tests.console.session import Person
from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.iam import unique

pytestmark = pytest.mark.live

CHANGES = {
    "settings/tag/": {"key": "a", "value": "b"},
    "settings/untag/": {"key": "a"},
    "settings/versioning/": {"versioning": "Enabled"},
    "settings/delete/": {},
    "share/?prefix=": {"expires_days": "1"},
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_page_whose_bucket_a_rival_deletes_is_not_found(live: LiveSystem, operator: Person, path: str) -> None:
    bucket = unique("rivals")
    live.client().create_bucket(Bucket=bucket)
    address, form = f"/buckets/{bucket}/{path}", {**CHANGES[path], "csrfmiddlewaretoken": operator.session.token()}
    with ThreadPoolExecutor(1) as pool, connect(live.runtime_dir, DATABASE) as rival:
        with rival.transaction():
            rival.execute(
                "SELECT pg_advisory_xact_lock(%s, hashint8(id)) FROM buckets_bucket WHERE name = %s",
                [BUCKET_LOCK_CLASS, bucket],
            )
            rival.execute("DELETE FROM buckets_bucket WHERE name = %s", [bucket])
            posted = pool.submit(operator.session.post, address, **form)
            waiting = "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            wait_until(lambda: rival.execute(waiting).fetchone() is not None, "the page waits for the rival")
        answer = posted.result(timeout=60)
    assert answer.status == 404
    assert "has just been deleted" in answer.text
