"""What the console refuses: strangers, forged requests, keys and versions that are not there; and odd keys it takes."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Callable
from html import unescape

import pytest

from tests.console.session import ConsoleSession, Person, texts
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live

ODD_KEYS = [
    "a b/c%#?.txt",
    "%2e%2e%2f",
    "/leading",
    "//",
    "..",
    "x/../y",
    "./z",
    "<script>alert(1)</script>",
    "q\"'&amp;",
    "ünï/☃.txt",
    "new\nline",
    "carriage\r\nreturn",
    "tab\t",
    " space ",
    "plus+plus",
    "trailing/",
    "\\back",
    "\u202egpj.exe",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_work_everywhere(live: LiveSystem, operator: Person, new_bucket: Callable[..., str], key: str) -> None:
    bucket, session, data = new_bucket(), operator.session, key.encode() * 3
    base = f"/buckets/{bucket}"
    assert session.upload(bucket, key, data).status == 200
    assert [row["Key"] for row in live.client().list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    prefix = key[: key[:-1].rfind("/") + 1] if "/" in key[:-1] else ""
    listing = session.get(f"{base}/", prefix=prefix)
    assert "<script>alert(1)" not in listing.text
    if not key.endswith("/"):
        assert urllib.parse.quote(key, safe="") in listing.text
        assert (
            session.get(f"{base}/", **{"in": urllib.parse.quote(prefix), "begins": key[len(prefix) :][:1]}).status
            == 200
        )
    assert session.get(f"{base}/object/", key=key).status == 200
    download = session.get(f"{base}/download/", key=key)
    assert download.body == data
    assert download.headers["Content-Disposition"].startswith("attachment")
    page = session.post(f"{base}/presign/", {"key": key}, expires_seconds="900")
    link = unescape(texts(r"<textarea[^>]*>([^<]+)", page.text)[0])
    with urllib.request.urlopen(link) as response:
        assert response.read() == data
    session.post(f"{base}/delete/", {}, only=urllib.parse.quote(key, safe=""))
    assert "Contents" not in live.client().list_objects_v2(Bucket=bucket)
    deleted = session.get(f"{base}/deleted/")
    rows = texts(r'action="([^"]*/restore/\?[^"]+)"', deleted.text)
    address = urllib.parse.urlsplit(rows[0])
    restored = session.post(address.path, dict(urllib.parse.parse_qsl(address.query)))
    assert restored.status == 200
    assert session.get(f"{base}/download/", key=key).body == data


def test_nobody_sees_another_accounts_bucket(
    live: LiveSystem, stranger: Person, new_bucket: Callable[..., str]
) -> None:
    bucket = new_bucket()
    live.client().put_object(Bucket=bucket, Key="secret", Body=b"secret")
    session, base = stranger.session, f"/buckets/{bucket}"
    assert bucket not in session.get("/buckets/").text
    for path in ("/", "/deleted/", "/settings/", "/object/?key=secret", "/download/?key=secret"):
        assert session.get(base + path).status == 403, path
    for path in (
        "/delete/",
        "/restore/",
        "/delete-version/",
        "/presign/",
        "/settings/versioning/",
        "/settings/history/",
        "/settings/abac/",
        "/settings/tag/",
        "/settings/untag/",
        "/settings/delete/",
    ):
        assert session.post(base + path, {"key": "secret", "row": "1"}, key="secret").status == 403, path
    assert session.upload(bucket, "theirs", b"x").status == 403
    assert [row["Key"] for row in live.client().list_objects_v2(Bucket=bucket)["Contents"]] == ["secret"]


def test_a_version_is_not_reached_through_another_bucket_or_key(
    live: LiveSystem, operator: Person, stranger: Person, new_bucket: Callable[..., str]
) -> None:
    bucket = new_bucket()
    live.client().put_object(Bucket=bucket, Key="secret", Body=b"secret")
    page = operator.session.get(f"/buckets/{bucket}/object/", key="secret").text
    row = texts(r"/download/\?key=secret&amp;row=(\d+)", page)[0]
    assert operator.session.get(f"/buckets/{bucket}/download/", key="secret", row=row).body == b"secret"
    assert operator.session.get(f"/buckets/{bucket}/download/", key="other", row=row).status == 404
    stranger.session.post("/create-bucket/", name="strangers-own")
    assert stranger.session.get("/buckets/strangers-own/download/", key="secret", row=row).status == 404


def test_pages_are_closed_to_who_is_not_signed_in(live: LiveSystem, new_bucket: Callable[..., str]) -> None:
    session, bucket = ConsoleSession(live.console_url), new_bucket()
    for path in ("/buckets/", "/create-bucket/", f"/buckets/{bucket}/", f"/buckets/{bucket}/download/?key=k"):
        assert "/sign-in/?next=" in session.get(path).url
    assert session.upload(bucket, "k", b"x").status == 403


def test_changes_without_the_token_are_refused(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket, session = new_bucket(), operator.session
    live.client().put_object(Bucket=bucket, Key="k", Body=b"")
    for path in ("/create-bucket/", f"/buckets/{bucket}/delete/", f"/buckets/{bucket}/settings/delete/", "/sign-in/"):
        assert session.request(path, method="POST", data=b"only=k&name=forged").status == 403, path
    upload = f"/buckets/{bucket}/upload/?key=forged"
    assert session.request(upload, method="PUT", data=b"x").status == 403
    assert [row["Key"] for row in live.client().list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_changes_by_get_are_refused(operator: Person, new_bucket: Callable[..., str]) -> None:
    bucket = new_bucket()
    for action in (
        "delete",
        "restore",
        "delete-version",
        "presign",
        "upload",
        "settings/versioning",
        "settings/abac",
        "settings/tag",
        "settings/untag",
        "settings/delete",
    ):
        assert operator.session.get(f"/buckets/{bucket}/{action}/", key="k").status == 405, action


def test_every_answer_carries_the_security_headers(live: LiveSystem, operator: Person) -> None:
    for answer in (operator.session.get("/buckets/"), operator.session.get("/no-such-page")):
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer.headers["Cache-Control"]
    for cookie in operator.session.cookies:
        assert cookie.has_nonstandard_attr("HttpOnly"), cookie.name


def test_what_is_not_there_is_not_found(operator: Person, new_bucket: Callable[..., str]) -> None:
    bucket, session = new_bucket(), operator.session
    assert session.get("/buckets/there-is-none/").status == 404
    assert session.get(f"/buckets/{bucket}/object/", key="none").status == 404
    assert session.get(f"/buckets/{bucket}/object/", key="nul\0").status == 404
    assert session.get(f"/buckets/{bucket}/object/", key="none", row="abc").status == 404
    assert session.get(f"/buckets/{bucket}/download/", key="none", row="999999").status == 404
    assert session.post(f"/buckets/{bucket}/restore/", {"key": "none", "row": "999999"}).status == 404


def test_bucket_names_are_refused_in_words(operator: Person, new_bucket: Callable[..., str]) -> None:
    taken = new_bucket()
    for name, words in (("ab", "3 to 63"), ("a..b", "two dots"), ("10.0.0.1", "IP address"), (taken, "already")):
        answer = operator.session.post("/create-bucket/", name=name)
        assert answer.status == 400
        assert words in answer.text


def test_keys_that_are_too_long_are_refused(operator: Person, new_bucket: Callable[..., str]) -> None:
    answer = operator.session.upload(new_bucket(), "k" * 1025, b"x")
    assert answer.status == 400
    assert "long" in answer.text


def test_a_listing_is_paged_and_filtered(live: LiveSystem, operator: Person, new_bucket: Callable[..., str]) -> None:
    bucket = new_bucket()
    client = live.client()
    for number in range(205):
        client.put_object(Bucket=bucket, Key=f"k{number:03}", Body=b"")
    names: list[str] = []
    address: str | None = f"/buckets/{bucket}/"
    while address:
        page = operator.session.request(address).text
        names += texts(r'class="name"[^>]*>.*?<span>(k\d+)</span>', page)
        found = texts(r'rel="next" href="([^"]+)"', page)
        address = found[0] if found else None
    assert names == [f"k{number:03}" for number in range(205)]
    page = operator.session.get(f"/buckets/{bucket}/", begins="k20").text
    assert texts(r'class="name"[^>]*>.*?<span>(k\d+)</span>', page) == [f"k20{number}" for number in range(5)]


def test_a_user_name_has_to_wait_after_many_wrong_passwords(live: LiveSystem) -> None:
    session = ConsoleSession(live.console_url)
    statuses = [session.sign_in("guessed", f"wrong {number}").status for number in range(12)]
    assert statuses[:10] == [200] * 10
    assert statuses[-1] == 429
