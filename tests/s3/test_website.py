"""Websites: their configurations, and what a browser gets from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Answer, Wire

DOMAIN = "s3-website.localhost"


def publish(owner: Any, bucket: str, *, may_list: bool = False, **configuration: Any) -> None:
    statements = [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
    ]
    if may_list:
        statements.append(
            {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
        )
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    put(owner, bucket, **configuration)


def put(owner: Any, bucket: str, **configuration: Any) -> None:
    if "RedirectAllRequestsTo" not in configuration:
        configuration.setdefault("IndexDocument", {"Suffix": "index.html"})
    owner.put_bucket_website(Bucket=bucket, WebsiteConfiguration=configuration)


def upload(owner: Any, bucket: str, key: str, text: str, **members: Any) -> None:
    owner.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/html", **members)


@pytest.fixture
def visit(unsigned_wire: Wire, bucket: str) -> Any:
    def get(path: str = "/", method: str = "GET", query: Any = (), **headers: str) -> Answer:
        wire = unsigned_wire.as_host(f"{bucket}.{DOMAIN}")
        return wire.send(
            method, path, query=query, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return get


def test_a_configuration_is_kept_and_removed(owner: Any, stranger: Any, bucket: str) -> None:
    with refused("NoSuchWebsiteConfiguration", 404):
        owner.get_bucket_website(Bucket=bucket)
    wanted = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [{"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}}],
    }
    put(owner, bucket, **wanted)
    got = owner.get_bucket_website(Bucket=bucket)
    assert {name: got[name] for name in wanted} == wanted
    with refused("AccessDenied", 403):
        put(stranger, bucket)
    owner.delete_bucket_website(Bucket=bucket)
    with refused("NoSuchWebsiteConfiguration", 404):
        owner.get_bucket_website(Bucket=bucket)


@pytest.mark.parametrize(
    ("code", "configuration"),
    [
        ("InvalidArgument", {"IndexDocument": {"Suffix": "a/b"}}),
        ("InvalidArgument", {"IndexDocument": {"Suffix": ""}}),
        ("InvalidArgument", {"RedirectAllRequestsTo": {"HostName": "x"}, "IndexDocument": {"Suffix": "i"}}),
        ("InvalidArgument", {"RedirectAllRequestsTo": {"HostName": "no host"}}),
        ("InvalidRequest", {"RoutingRules": [{"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]}),
        ("InvalidRequest", {"RoutingRules": [{"Redirect": {"HttpRedirectCode": "300"}}]}),
        (
            "InvalidRequest",
            {
                "RoutingRules": [
                    {"Condition": {"HttpErrorCodeReturnedEquals": "200"}, "Redirect": {"ReplaceKeyWith": "x"}}
                ]
            },
        ),
        ("InvalidRequest", {"RoutingRules": [{"Redirect": {"ReplaceKeyWith": str(n)}} for n in range(51)]}),
    ],
)
def test_what_can_not_be_is_refused(owner: Any, bucket: str, code: str, configuration: dict[str, Any]) -> None:
    with refused(code, 400):
        put(owner, bucket, **configuration)


def test_documents_are_served(owner: Any, bucket: str, visit: Any) -> None:
    upload(owner, bucket, "index.html", "home", CacheControl="max-age=5")
    upload(owner, bucket, "docs/index.html", "docs")
    upload(owner, bucket, "ü b.html", "odd")
    publish(owner, bucket)
    home = visit()
    assert (home.status, home.body) == (200, b"home")
    assert home.headers["content-type"] == "text/html"
    assert home.headers["cache-control"] == "max-age=5"
    assert visit("/docs/").body == b"docs"
    assert visit("/ü b.html").body == b"odd"
    folder = visit("/docs")
    assert (folder.status, folder.headers["location"]) == (302, "/docs/")
    part = visit(range="bytes=1-2")
    assert (part.status, part.body) == (206, b"om")
    assert visit(if_none_match=home.headers["etag"]).status == 304
    head = visit(method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, "4", b"")
    assert visit(method="POST").status == 405


def test_pages_of_other_origins_see_what_the_rules_let_them(owner: Any, bucket: str, visit: Any) -> None:
    upload(owner, bucket, "font.woff2", "font")
    publish(owner, bucket)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"]}
    owner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    asked = {"origin": "https://a.example", "access_control_request_method": "GET"}
    for answer in (visit("/font.woff2", origin="https://a.example"), visit("/font.woff2", "OPTIONS", **asked)):
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://a.example")
    assert visit("/none", origin="https://a.example").headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in visit("/font.woff2", origin="https://b.example").headers
    assert visit("/font.woff2", "OPTIONS", **{**asked, "origin": "https://b.example"}).status == 403
    assert visit("/font.woff2", "OPTIONS").status == 405


def test_only_what_is_public_is_served(owner: Any, bucket: str, visit: Any) -> None:
    upload(owner, bucket, "index.html", "secret")
    put(owner, bucket)
    denied = visit()
    assert denied.status == 403
    assert b"<li>Code: AccessDenied</li>" in denied.body
    assert b"secret" not in denied.body
    owner.put_object_acl(Bucket=bucket, Key="index.html", ACL="public-read")
    assert visit().body == b"secret"
    missing = visit("/missing")
    assert (missing.status, missing.headers["x-amz-error-code"]) == (403, "AccessDenied")
    owner.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert visit().status == 403


def test_errors_are_pages(owner: Any, bucket: str, visit: Any, unsigned_wire: Wire) -> None:
    nowhere = unsigned_wire.as_host(f"no-such-bucket-here.{DOMAIN}").send("GET", "/")
    assert (nowhere.status, nowhere.headers["x-amz-error-code"]) == (404, "NoSuchBucket")
    assert visit().headers["x-amz-error-code"] == "NoSuchWebsiteConfiguration"
    publish(owner, bucket, may_list=True, ErrorDocument={"Key": "error.html"})
    missing = visit("/<script>")
    assert missing.status == 404
    assert missing.headers["content-type"].startswith("text/html")
    assert b"<li>Key: &lt;script&gt;</li>" in missing.body
    assert b"Custom Error Document" in missing.body
    upload(owner, bucket, "error.html", "sorry")
    sorry = visit("/missing")
    assert (sorry.status, sorry.body) == (404, b"sorry")
    assert sorry.headers["x-amz-error-code"] == "NoSuchKey"
    assert visit("/missing", range="bytes=0-1").body == b"sorry"


def test_everything_may_be_redirected(owner: Any, bucket: str, visit: Any) -> None:
    put(owner, bucket, RedirectAllRequestsTo={"HostName": "example.org", "Protocol": "https"})
    sent = visit("/a b", query=[("c", "d")])
    assert (sent.status, sent.headers["location"]) == (301, "https://example.org/a%20b?c=d")


def test_rules_redirect_by_prefix_and_error(owner: Any, bucket: str, visit: Any) -> None:
    upload(owner, bucket, "kept", "kept")
    publish(
        owner,
        bucket,
        may_list=True,
        RoutingRules=[
            {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}},
            {
                "Condition": {"KeyPrefixEquals": "gone/", "HttpErrorCodeReturnedEquals": "404"},
                "Redirect": {"HostName": "example.org", "ReplaceKeyWith": "lost", "HttpRedirectCode": "302"},
            },
        ],
    )
    host = f"{bucket}.{DOMAIN}"
    old = visit("/old/x")
    assert (old.status, old.headers["location"]) == (301, f"http://{host}/new/x")
    gone = visit("/gone/x")
    assert (gone.status, gone.headers["location"]) == (302, "http://example.org/lost")
    assert visit("/other").status == 404
    assert visit("/kept").body == b"kept"


def test_objects_redirect(owner: Any, bucket: str, visit: Any) -> None:
    publish(owner, bucket)
    upload(owner, bucket, "moved", "", WebsiteRedirectLocation="/elsewhere")
    sent = visit("/moved")
    assert (sent.status, sent.headers["location"]) == (301, "/elsewhere")
