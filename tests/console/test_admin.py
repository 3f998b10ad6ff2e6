"""Every page of the admin opens; secrets are shown once; nothing that services write can be edited."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.contrib import admin

from tests.console.session import ConsoleSession, Person
from tests.live.processes import wait_until
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live

MODELS = sorted(f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry)
WRITTEN_BY_SERVICES = [
    "objects/object",
    "objects/objectversion",
    "objects/extent",
    "objects/part",
    "objects/multipartupload",
    "objects/bucketusage",
    "chunks/chunk",
    "chunks/garbage",
    "chunks/fragmentfault",
]


@pytest.fixture(scope="module")
def filled(live: LiveSystem, operator: Person) -> None:
    """A row in most of the tables."""
    client = live.client()
    client.create_bucket(Bucket="admin-rows")
    client.put_bucket_versioning(Bucket="admin-rows", VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_tagging(Bucket="admin-rows", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    client.put_object(Bucket="admin-rows", Key="<script>alert(1)</script>\n", Body=b"x" * 300_000)
    client.put_object(Bucket="admin-rows", Key="gone", Body=b"y")
    client.delete_object(Bucket="admin-rows", Key="gone")
    upload = client.create_multipart_upload(Bucket="admin-rows", Key="parts")["UploadId"]
    client.upload_part(Bucket="admin-rows", Key="parts", UploadId=upload, PartNumber=1, Body=b"z" * 1000)


@pytest.mark.parametrize("model", MODELS)
def test_list_and_row_of_every_model_open(filled: None, operator: Person, model: str) -> None:
    page = operator.session.get(f"/admin/{model}/")
    assert page.status == 200
    assert "<script>alert(1)" not in page.text
    assert operator.session.get(f"/admin/{model}/", q="admin-rows/g").status == 200
    row = re.search(rf'href="(/admin/{model}/[^"/]+/change/)', page.text)
    if row:
        assert operator.session.get(row[1]).status == 200


@pytest.mark.parametrize("model", WRITTEN_BY_SERVICES)
def test_rows_that_services_write_cannot_be_added_changed_or_deleted(
    filled: None, operator: Person, model: str
) -> None:
    assert operator.session.get(f"/admin/{model}/add/").status == 403
    page = operator.session.get(f"/admin/{model}/")
    row = re.search(rf'href="(/admin/{model}/[^"/]+)/change/', page.text)
    if row:
        assert operator.session.post(f"{row[1]}/change/").status == 403
        assert operator.session.post(f"{row[1]}/delete/", post="yes").status == 403


@pytest.mark.parametrize(
    "address",
    [
        "/admin/objects/object/?bucket=admin-rows",
        "/admin/objects/objectversion/?bucket=admin-rows&seen=visible&is_delete_marker__exact=0",
        "/admin/objects/objectversion/?bucket=no-such-bucket",
        "/admin/chunks/chunk/?node=1",
        "/admin/chunks/chunk/?q=no-uuid",
        "/admin/chunks/fragmentfault/?node=1",
        "/admin/chunks/node/?state__exact=active",
    ],
)
def test_filters_work(filled: None, operator: Person, address: str) -> None:
    assert operator.session.get(address).status == 200


def test_links_lead_from_a_bucket_to_the_nodes(filled: None, operator: Person) -> None:
    page = operator.session.get("/admin/buckets/bucket/", q="admin-rows")
    for step in ("objects/object/", "objects/objectversion/", "objects/extent/", "chunks/chunk/", "chunks/node/"):
        links = re.findall(rf'class="row-link" href="(/admin/{step}[^"]*)"', page.text)
        assert links, (step, page.url)
        page = operator.session.get(links[-1].replace("&amp;", "&"))
        assert page.status == 200


def test_dashboard_tells_what_the_store_holds(filled: None, operator: Person) -> None:
    page = operator.session.get("/admin/").text
    assert "Nodes by zone" in page
    assert re.search(r"Nodes</span><b>6 / 6</b>", page)
    assert re.search(r"Uploads in progress</span><b>[1-9]", page)


def test_a_new_keys_secret_is_shown_once_and_signs(live: LiveSystem, operator: Person) -> None:
    users = operator.session.get("/admin/accesscontrol/user/", q=operator.username).text
    user = re.search(r"/admin/accesscontrol/user/(\d+)/change/", users)
    assert user
    page = operator.session.post("/admin/accesscontrol/accesskey/add/", user=user[1])
    access_key, secret_key = re.findall(r"<dd><code>([^<]+)</code></dd>", page.text)
    assert "no-store" in page.headers["Cache-Control"]
    client = live.client(aws_access_key_id=access_key, aws_secret_access_key=secret_key)
    client.list_buckets()
    for address in ("/admin/accesscontrol/accesskey/", "/admin/", "/buckets/"):
        assert secret_key not in operator.session.get(address).text
    listed = operator.session.get("/admin/accesscontrol/accesskey/", q=access_key).text
    row = re.search(r"/admin/accesscontrol/accesskey/(\d+)/change/", listed)
    assert row
    detail = operator.session.get(row[0])
    assert secret_key not in detail.text
    assert "sealed" not in detail.text.lower()
    assert operator.session.post(row[0]).status == 200  # without is_active: switched off
    wait_until(lambda: is_refused(client), "the gateway has heard of it", seconds=10)


def is_refused(client: Any) -> bool:
    try:
        client.list_buckets()
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "InvalidAccessKeyId")
    return False


def test_secrets_of_existing_keys_are_in_no_page(live: LiveSystem, operator: Person) -> None:
    for model in MODELS:
        assert live.secret_key not in operator.session.get(f"/admin/{model}/").text


def test_a_buckets_history_window_alone_can_be_changed(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket = new_bucket()
    listed = operator.session.get("/admin/buckets/bucket/", q=bucket).text
    row = re.search(r"/admin/buckets/bucket/\d+/change/", listed)
    assert row
    form = operator.session.get(row[0]).text
    names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([a-z_]+)"', form))
    assert names & {"history_seconds", "name", "owner", "versioning", "region"} == {"history_seconds"}
    assert operator.session.post(row[0], history_seconds="7200").status == 200
    assert "2 hours" in operator.session.get("/admin/buckets/bucket/", q=bucket).text


def test_the_admin_is_closed_to_others(live: LiveSystem, stranger: Person) -> None:
    assert stranger.session.get("/admin/buckets/bucket/").status == 403
    anonymous = ConsoleSession(live.console_url)
    assert "/sign-in/" in anonymous.get("/admin/buckets/bucket/").url
