"""The console's audit pages and its JSON API: found, filtered, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.console.session import ConsoleSession
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def operator(live: LiveSystem) -> ConsoleSession:
    session = ConsoleSession(live.console_url)
    session.sign_in(live.admin_user, live.admin_password)
    return session


@pytest.fixture(scope="module")
def refused(live: LiveSystem, operator: ConsoleSession) -> dict[str, Any]:
    """A refused request of nobody on a bucket of the operator's, and its row."""
    client = live.client()
    client.create_bucket(Bucket="audited-pages")
    client.put_object(Bucket="audited-pages", Key="<b>&/k", Body=b"x")
    nobody = live.client(aws_secret_access_key="wrong")
    with pytest.raises(ClientError):
        nobody.get_object(Bucket="audited-pages", Key="<b>&/k")
    (row,) = wait_for_rows(live, 1, "--bucket", "audited-pages", "--is-refused", "true")
    return row


def test_the_search_finds_by_fields(operator: ConsoleSession, refused: dict[str, Any]) -> None:
    page = operator.get("/audit/", bucket="audited-pages", is_refused="true")
    assert page.status == 200
    assert "SignatureDoesNotMatch" in page.text
    assert "<b>&/k" not in page.text  # escaped
    none = operator.get("/audit/", bucket="audited-pages", operation="DeleteBucket")
    assert "Nothing that you may see matches." in none.text


def test_a_wrong_filter_is_told(operator: ConsoleSession) -> None:
    page = operator.get("/audit/", since="yesterday")
    assert page.status == 400
    assert "is no time" in page.text
    for parameters in (
        {"status": "x"},
        {"after": "x"},
        {"key": "\0"},
        {"is_refused": "maybe"},
        {"after": "2030-01-01~1e9"},
    ):
        assert operator.get("/audit/", **parameters).status == 400


def test_a_row_and_a_timeline_are_shown(operator: ConsoleSession, refused: dict[str, Any]) -> None:
    assert refused["request_id"] in operator.get(f"/audit/row/{refused['id']}/").text
    assert operator.get("/audit/row/99999999999999999999/").status == 404
    timeline = operator.get("/buckets/audited-pages/timeline/", key="<b>&/k")
    assert "PutObject" in timeline.text
    assert "SignatureDoesNotMatch" in timeline.text
    assert "timeline" in operator.get("/buckets/audited-pages/object/", key="<b>&/k").text


def test_the_api_pages_through_everything(operator: ConsoleSession, refused: dict[str, Any]) -> None:
    seen, after = [], ""
    while True:
        answer = json.loads(operator.get("/api/audit/", bucket="audited-pages", limit="1", after=after).body)
        seen += answer["rows"]
        after = answer.get("next", "")
        if not after:
            break
    assert {row["operation"] for row in seen} >= {"CreateBucket", "PutObject", "GetObject"}
    assert len({row["id"] for row in seen}) == len(seen)
    one = json.loads(operator.get(f"/api/audit/{refused['request_id']}/").body)
    assert one["rows"][0]["error_code"] == "SignatureDoesNotMatch"
    assert operator.get("/api/audit/", limit="0").status == 400
    assert operator.get("/api/audit/NONE/").status == 404


def test_nobody_sees_anything_without_signing_in(live: LiveSystem) -> None:
    session = ConsoleSession(live.console_url)
    assert "/sign-in/" in session.get("/audit/").url
    assert session.get("/api/audit/").status == 403


def test_another_account_sees_its_own_rows_alone(live: LiveSystem, refused: dict[str, Any]) -> None:
    from tests.console.session import texts

    live.manage("create_account", "watcher", "--email", "watcher@example.org")
    live.manage(
        "shell",
        "-c",
        "from accesscontrol.models import User; u = User.objects.get(username='watcher'); u.is_staff = True; "
        "u.set_password('a long password'); u.save()",
    )
    session = ConsoleSession(live.console_url)
    session.sign_in("watcher", "a long password")
    assert json.loads(session.get("/api/audit/", bucket="audited-pages").body)["rows"] == []
    assert session.get(f"/audit/row/{refused['id']}/").status == 404
    assert session.get(f"/api/audit/{refused['request_id']}/").status == 404
    assert texts("(Nothing that you may see matches.)", session.get("/audit/", bucket="audited-pages").text)
    assert json.loads(session.get("/api/audit/", source="console").body)["rows"]  # its own sign-in
