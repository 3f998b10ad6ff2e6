"""Share links: made in the console, fetched by whoever has them, ended by time, count, or will."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.console.session import Answer, ConsoleSession, texts
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows

pytestmark = pytest.mark.live

BUCKET = "shared-links"
PAGE = b"<script>alert(1)</script>"


def fetch(url: str, **headers: str) -> Answer:
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return Answer(response.status, response.url, response.headers, response.read())


@pytest.fixture(scope="module")
def maker(live: LiveSystem) -> ConsoleSession:
    session = ConsoleSession(live.console_url)
    session.sign_in(live.admin_user, live.admin_password)
    client = live.client()
    client.create_bucket(Bucket=BUCKET)
    for key in ("folder/a b.html", "folder/sub/c", "outside"):
        client.put_object(Bucket=BUCKET, Key=key, Body=PAGE)
    return session


def make(session: ConsoleSession, *, key: str | None = None, prefix: str | None = None, **wishes: str) -> str:
    query = f"prefix={prefix}" if prefix is not None else f"key={key}"
    page = session.post(f"/buckets/{BUCKET}/share/?{query}", **wishes)
    (link,) = texts(r"<textarea[^>]*>([^<]+)</textarea>", page.text)
    return link


def test_an_object_is_fetched_as_a_file_in_a_sandbox(maker: ConsoleSession, live: LiveSystem) -> None:
    link = make(maker, key="folder/a%20b.html")
    assert link.startswith(live.endpoint + "/-/share/")
    answer = fetch(link)
    assert (answer.status, answer.body) == (200, PAGE)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    part = fetch(link, Range="bytes=1-6")
    assert (part.status, part.body) == (206, b"script")
    assert fetch(link, Range="bytes=1000-").status == 416
    assert fetch(link + "/more").status == 404
    (row,) = [row for row in wait_for_rows(live, 1, "--bucket", BUCKET, "--source", "share") if row["status"] == 206]
    assert (row["principal"], row["bytes_out"], row["object_bytes"]) == ("*", 6, len(PAGE))
    token = link.rpartition("/")[2]
    assert token not in json.dumps(row)


def test_a_folder_shows_what_is_below_it_and_nothing_beside_it(maker: ConsoleSession) -> None:
    link = make(maker, prefix="folder/", label="Holidays")
    page = fetch(link)
    assert page.status == 200
    assert "Holidays" in page.text
    assert "<script" not in page.text
    assert "outside" not in page.text
    names = dict(re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)<', page.text))
    assert sorted(names.values()) == ["a b.html", "sub/"]
    root = link.split("/-/")[0]
    assert fetch(root + next(href for href, name in names.items() if name == "a b.html")).body == PAGE
    assert ">c<" in fetch(link + "sub/").text
    for other in ("../outside", "..%2Foutside", "/outside"):
        assert fetch(link + other).status in (404, 403)


def test_downloads_are_counted_exactly_however_many_come_at_once(maker: ConsoleSession) -> None:
    link = make(maker, key="outside", downloads_max="5")
    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(answer.status for answer in pool.map(lambda _: fetch(link), range(32)))
    assert statuses == [200] * 5 + [410] * 27


def test_a_password_is_asked_for_and_guessing_is_slowed_down(maker: ConsoleSession) -> None:
    link = make(maker, key="outside", password="pä: ss")

    def basic(password: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}

    asked = fetch(link)
    assert (asked.status, "Basic" in asked.headers["WWW-Authenticate"]) == (401, True)
    assert fetch(link, **basic("pä: ss")).body == PAGE
    with ThreadPoolExecutor(8) as pool:  # at once no more are looked at than one after the other
        guesses = sorted(pool.map(lambda number: fetch(link, **basic(f"wrong {number}")).status, range(16)))
    assert guesses == [401] * 10 + [429] * 6
    assert fetch(link, **basic("\0" * 500)).status in (401, 429)
    assert fetch(link, Authorization="Basic ***").status == 401


def test_a_revoked_link_gives_nothing(maker: ConsoleSession, live: LiveSystem) -> None:
    link = make(maker, key="outside", label="to be revoked")
    (found,) = [one for one in json.loads(maker.get("/api/shares/").body)["links"] if one["label"] == "to be revoked"]
    assert "to be revoked" in maker.get("/shares/").text
    maker.post(f"/shares/{found['id']}/revoke/")
    assert fetch(link).status == 410
    assert "was revoked" in live.manage("share_link", "list").stdout


def test_a_link_ends_with_its_makers_rights(maker: ConsoleSession, live: LiveSystem) -> None:
    client = live.client()
    link = make(maker, key="outside")
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/outside",
    }
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denial]}))
    try:
        assert fetch(link).status == 403
    finally:
        client.delete_bucket_policy(Bucket=BUCKET)
    assert fetch(link).status == 200


def test_the_api_and_the_command_make_links(maker: ConsoleSession, live: LiveSystem) -> None:
    def post(**wish: Any) -> Answer:
        headers = {"Content-Type": "application/json", "X-CSRFToken": maker.token()}
        return maker.request("/api/shares/", method="POST", data=json.dumps(wish).encode(), headers=headers)

    made = post(bucket=BUCKET, key="outside", expires_days=30)
    assert made.status == 201
    told = json.loads(made.body)
    assert fetch(told["url"]).body == PAGE
    deleted = maker.request(f"/api/shares/{told['id']}/", method="DELETE", headers={"X-CSRFToken": maker.token()})
    assert deleted.status == 204
    assert fetch(told["url"]).status == 410
    for wrong in ({}, {"key": "a", "prefix": "b"}, {"key": "a\0"}, {"key": "outside", "expires_days": 0}, {"key": 1}):
        assert post(**{"bucket": BUCKET, **wrong}).status == 400
    assert post(bucket=BUCKET, key="nothing").status == 404
    printed = live.manage("share_link", "create", live.admin_user, BUCKET, "folder/", "--prefix", "--days", "9").stdout
    assert fetch(printed.strip()).status == 200


@pytest.mark.parametrize("path", ["", "x", "x/", "%00", "%ff", "a" * 500, "../-/ready", "x?after=%00"])
def test_what_is_no_link_is_nothing(live: LiveSystem, path: str) -> None:
    assert fetch(f"{live.endpoint}/-/share/{path}").status in (404, 400)


def test_others_see_and_end_nothing(maker: ConsoleSession, live: LiveSystem) -> None:
    (one, *_) = json.loads(maker.get("/api/shares/").body)["links"]
    live.manage("create_account", "sharer", "--email", "sharer@example.org")
    live.manage(
        "shell",
        "-c",
        "from accesscontrol.models import User; u = User.objects.get(username='sharer'); u.is_staff = True; "
        "u.set_password('a long password'); u.save()",
    )
    session = ConsoleSession(live.console_url)
    session.sign_in("sharer", "a long password")
    assert json.loads(session.get("/api/shares/").body)["links"] == []
    assert session.post(f"/shares/{one['id']}/revoke/").status == 404
    assert session.post(f"/buckets/{BUCKET}/share/?key=outside").status == 403
    assert session.post(f"/buckets/{BUCKET}/share/?prefix=").status == 403
