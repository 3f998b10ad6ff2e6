"""A person at the console, in a real browser."""

from __future__ import annotations

import base64
import os
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.browser import Browser
from tests.live.processes import wait_until
from tests.live.system import LiveSystem

pytestmark = [pytest.mark.live, pytest.mark.browser]

ODD_NAMES = ["a b%20c.txt", "hash#?.txt", "quote\"'&amp;.txt", "<img src=x onerror=alert(1)>.html", "ünï ☃.txt"]

# Drops files as a person's hand would; WebDriver has no hand for it.
DROP = """
const [zone, files] = arguments;
const carried = new DataTransfer();
for (const [name, data] of files) carried.items.add(new File([data], name, {type: "text/plain"}));
for (const type of ["dragenter", "dragover", "drop"])
  zone.dispatchEvent(new DragEvent(type, {dataTransfer: carried, bubbles: true, cancelable: true}));
"""


@pytest.fixture
def signed_in(browser: Browser, live: LiveSystem) -> Browser:
    browser.sign_in(live.console_url, live.admin_user, live.admin_password)
    browser.wait_for_text("Buckets")
    return browser


def bucket_url(live: LiveSystem, bucket: str, **parameters: str) -> str:
    return f"{live.console_url}/buckets/{bucket}/?{urllib.parse.urlencode(parameters)}"


def test_a_wrong_password_is_refused_and_the_right_one_leads_to_the_buckets(browser: Browser, live: LiveSystem) -> None:
    browser.sign_in(live.console_url, live.admin_user, "wrong")
    browser.wait_for_text("do not belong together")
    browser.fill("#id_password", live.admin_password)
    browser.click("form.stack button")
    browser.wait_for(lambda: browser.url == f"{live.console_url}/buckets/", "the buckets show")
    browser.click("button[aria-label='Sign out']")
    browser.wait_for(lambda: "/sign-in/" in browser.url, "signed out")
    browser.open(f"{live.console_url}/buckets/")
    assert "/sign-in/?next=/buckets/" in browser.url


def test_a_newcomer_creates_a_bucket_uploads_and_downloads(
    signed_in: Browser, live: LiveSystem, tmp_path: Path
) -> None:
    browser, data = signed_in, os.urandom(3_000_000)
    (tmp_path / "data.bin").write_bytes(data)
    browser.open(f"{live.console_url}/create-bucket/")
    browser.fill("#id_name", "Not Good")
    browser.click("form.stack button")
    browser.wait_for_text("no capital letters")
    browser.fill("#id_name", "newcomer")
    browser.click("form.stack button")
    browser.wait_for_text("This bucket is empty")
    browser.one("#files").send_keys(str(tmp_path / "data.bin"))
    browser.wait_for(lambda: browser.names() == ["data.bin"], "the file shows")
    assert live.client().get_object(Bucket="newcomer", Key="data.bin")["Body"].read() == data
    browser.click("a[aria-label='Download data.bin']")
    target = browser.downloads / "data.bin"
    wait_until(lambda: target.exists() and target.stat().st_size == len(data), "the download is there")
    assert target.read_bytes() == data
    assert browser.messages() == [] or all("400" in message for message in browser.messages())


def test_files_can_be_dropped_into_a_new_folder(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    browser.open(bucket_url(live, bucket))
    browser.click("[data-new-folder]")
    browser.fill("#folder", "deep/er")
    files = [["one.txt", "1"], ["two.txt", "22"]]
    browser.driver.execute_script(DROP, browser.one("[data-drop]"), files)
    browser.wait_for(lambda: browser.names() == ["deep"], "the folder shows")
    browser.click("a.folder")
    browser.wait_for(lambda: browser.names() == ["er"], "the folder opens")
    browser.click("a.folder")
    browser.wait_for(lambda: browser.names() == ["one.txt", "two.txt"], "the files show")
    assert [element.text for element in browser.all(".crumbs li")] == ["Buckets", bucket, "deep", "er"]
    keys = [row["Key"] for row in live.client().list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["deep/er/one.txt", "deep/er/two.txt"]
    assert browser.messages() == []


def test_what_is_deleted_can_be_brought_back(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    live.client().put_object(Bucket=bucket, Key="dir/precious.txt", Body=b"precious")
    browser.open(bucket_url(live, bucket, prefix="dir/"))
    browser.click("button[aria-label='Delete precious.txt']")
    browser.wait_for(lambda: "Delete precious.txt?" in browser.one("dialog").text, "the dialog asks")
    browser.click("dialog[open] button[value=no]")
    assert browser.names() == ["precious.txt"]
    browser.click("button[aria-label='Delete precious.txt']")
    browser.confirm()
    browser.wait_for_text("Deleted dir/precious.txt")
    assert "Contents" not in live.client().list_objects_v2(Bucket=bucket)
    browser.click(".tabs a:nth-child(2)")
    browser.wait_for(lambda: browser.names() == ["precious.txt"], "it is under Deleted")
    assert "left" in browser.text
    browser.click("button[aria-label='Bring back precious.txt']")
    browser.wait_for_text("is back")
    assert live.client().get_object(Bucket=bucket, Key="dir/precious.txt")["Body"].read() == b"precious"
    assert browser.messages() == []


def test_chosen_objects_are_deleted_together(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    for key in ("a", "b", "c"):
        live.client().put_object(Bucket=bucket, Key=key, Body=b"")
    browser.open(bucket_url(live, bucket))
    assert not browser.one("[data-needs-chosen]").is_displayed()
    browser.click("input[aria-label='Choose a']")
    browser.click("input[aria-label='Choose c']")
    browser.click("[data-needs-chosen]")
    browser.confirm()
    browser.wait_for_text("Deleted 2 objects")
    assert browser.names() == ["b"]


def test_an_older_version_is_made_current_and_one_is_deleted_for_good(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket, client = signed_in, new_bucket(is_versioned=True), live.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"first")
    client.put_object(Bucket=bucket, Key="k", Body=b"second")
    browser.open(f"{live.console_url}/buckets/{bucket}/object/?key=k")
    browser.click("button[aria-label='Make this version current']")
    browser.wait_for_text("k is back")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"
    browser.click("button[aria-label='Delete this version for good']")
    browser.confirm()
    browser.wait_for_text("The version is deleted")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"
    client.delete_object(Bucket=bucket, Key="k")
    browser.open(f"{live.console_url}/buckets/{bucket}/object/?key=k")
    browser.click("button[aria-label='Delete this delete marker for good']")
    browser.confirm()
    browser.wait_for_text("The delete marker is gone")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"
    assert browser.messages() == []


def test_a_presigned_link_works_without_credentials(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    live.client().put_object(Bucket=bucket, Key="odd %#?/ü.txt", Body=b"shared")
    browser.open(f"{live.console_url}/buckets/{bucket}/object/?" + urllib.parse.urlencode({"key": "odd %#?/ü.txt"}))
    browser.one("#id_expires_seconds").send_keys("15 minutes")
    browser.click("#share form button")
    link = browser.one("#link").get_attribute("value")
    assert link.startswith(live.endpoint)
    assert "X-Amz-Expires=900" in link
    with urllib.request.urlopen(link) as response:
        assert response.read() == b"shared"


def test_odd_names_are_uploaded_shown_opened_and_deleted(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    browser.open(bucket_url(live, bucket))
    browser.driver.execute_script(DROP, browser.one("[data-drop]"), [[name, name] for name in ODD_NAMES])
    browser.wait_for(lambda: sorted(browser.names()) == sorted(ODD_NAMES), "all names show")
    keys = [row["Key"] for row in live.client().list_objects_v2(Bucket=bucket)["Contents"]]
    assert sorted(keys) == sorted(ODD_NAMES)
    browser.click("[data-choose-all]")
    browser.click("[data-needs-chosen]")
    browser.confirm()
    browser.wait_for_text(f"Deleted {len(ODD_NAMES)} objects")
    assert "Contents" not in live.client().list_objects_v2(Bucket=bucket)
    assert browser.messages() == []


def test_an_uploaded_page_is_saved_and_never_run(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    page = b"<script>document.title = 'run'</script>"
    live.client().put_object(Bucket=bucket, Key="evil.html", Body=page, ContentType="text/html")
    browser.open(bucket_url(live, bucket))
    browser.open(f"{live.console_url}/buckets/{bucket}/download/?key=evil.html")
    wait_until((browser.downloads / "evil.html").exists, "it is saved")
    assert browser.driver.title != "run"


def test_versioning_and_history_are_set_and_an_empty_bucket_is_deleted(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket, client = signed_in, new_bucket(), live.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"")
    settings = f"{live.console_url}/buckets/{bucket}/settings/"
    browser.open(settings)
    browser.click("button[name=versioning]")
    browser.confirm()
    browser.wait_for_text("Versioning is on")
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    browser.fill("#id_amount", "3")
    browser.one("#id_unit").send_keys("hours")
    browser.click("form[action$='/history/'] button")
    browser.confirm()
    browser.wait_for_text("brought back for 3 hours")
    browser.click("form[action$='/settings/delete/'] button")
    browser.confirm()
    browser.wait_for_text("The bucket is not empty")
    for version in client.list_object_versions(Bucket=bucket)["Versions"]:
        client.delete_object(Bucket=bucket, Key="k", VersionId=version["VersionId"])
    browser.open(settings)
    browser.click("form[action$='/settings/delete/'] button")
    browser.confirm()
    browser.wait_for_text(f"The bucket {bucket} is deleted")


def test_tags_and_what_they_decide_are_set(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket, client = signed_in, new_bucket(), live.client()
    browser.open(f"{live.console_url}/buckets/{bucket}/settings/")
    browser.fill("#tag-key", "team")
    browser.fill("#tag-value", "<blue>")
    browser.click("form[action$='/settings/tag/'] button")
    browser.wait_for_text("The TagValue you have provided is invalid")
    browser.fill("#tag-key", "team")
    browser.fill("#tag-value", "blue")
    browser.click("form[action$='/settings/tag/'] button")
    browser.wait_for_text("The bucket has the tag team")
    browser.click("button[name=abac]")
    browser.confirm()
    browser.wait_for_text("Policies may ask for the tags")
    assert client.get_bucket_abac(Bucket=bucket)["AbacStatus"] == {"Status": "Enabled"}
    assert client.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "blue"}]
    browser.click("form[action$='/settings/untag/'] button")
    browser.wait_for_text("The bucket has no tag team any more")
    browser.click("button[name=abac]")
    browser.confirm()
    browser.wait_for_text("The tags are labels")


def test_dark_and_light_are_remembered(signed_in: Browser, live: LiveSystem) -> None:
    browser = signed_in
    is_dark = "return document.documentElement.classList.contains('dark')"
    before = browser.driver.execute_script(is_dark)
    browser.click("[data-theme-switch]")
    assert browser.driver.execute_script(is_dark) is not before
    browser.open(f"{live.console_url}/buckets/")
    assert browser.driver.execute_script(is_dark) is not before
    browser.click("[data-theme-switch]")


def test_no_page_breaks_its_content_policy(
    signed_in: Browser, live: LiveSystem, new_bucket: Callable[..., str]
) -> None:
    browser, bucket = signed_in, new_bucket()
    live.client().put_object(Bucket=bucket, Key="k", Body=base64.b64encode(os.urandom(300_000)))
    for path in (
        "/buckets/",
        "/create-bucket/",
        f"/buckets/{bucket}/",
        f"/buckets/{bucket}/deleted/",
        f"/buckets/{bucket}/settings/",
        f"/buckets/{bucket}/object/?key=k",
        "/admin/",
        "/admin/chunks/node/",
    ):
        browser.open(live.console_url + path)
        assert browser.messages() == [], path
