"""Both ports behind nginx as docs/proxies.md sets it up: what counts is whom nginx sees, and nobody else's word."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.live.nginx import PROXY_ADDRESS, Proxy, running_proxy
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows
from tests.s3.iam import policy_of, unique

CLIENT, OTHER_CLIENT = "127.0.0.7", "127.0.0.8"


@pytest.fixture(scope="module")
def proxy(live: LiveSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running_proxy(live, tmp_path_factory.mktemp("nginx")) as made:
        yield made


@pytest.fixture(scope="module")
def s3(live: LiveSystem, proxy: Proxy) -> Any:
    """A client of the root account that knows nothing of a proxy."""
    return live.client(endpoint_url=f"https://127.0.0.1:{proxy.s3_port}", verify=str(proxy.certificate))


def send(
    proxy: Proxy, port: int, target: str, *, source: str = CLIENT, method: str = "GET", **arguments: Any
) -> http.client.HTTPResponse:
    """Send a request to nginx from an address of this machine; return its answer, the body unread."""
    context = ssl.create_default_context(cafile=proxy.certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60, source_address=(source, 0))
    connection.request(method, target, **arguments)
    return connection.getresponse()


def send_directly(live: LiveSystem, target: str, *, source: str, headers: dict[str, str]) -> int:
    """Send a request past nginx; return the status."""
    url = urlsplit(live.endpoint)
    assert url.hostname
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60, source_address=(source, 0))
    connection.request("GET", target, headers=headers)
    return connection.getresponse().status


def test_signatures_and_streams_pass(live: LiveSystem, proxy: Proxy, s3: Any) -> None:
    bucket, key = unique("proxied"), "a b/ü+%//../{x}"
    s3.create_bucket(Bucket=bucket)
    content = b"0123456789abcdef" * (5 << 16)  # 5 MiB, in chunks with a checksum behind
    s3.put_object(Bucket=bucket, Key=key, Body=content, Metadata={"my_key": "x"})
    found = s3.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (content, {"my_key": "x"})
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    link = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}))
    assert send(proxy, proxy.s3_port, f"{link.path}?{link.query}").read() == content
    iam = live.client("iam", endpoint_url=f"https://127.0.0.1:{proxy.s3_port}", verify=str(proxy.certificate))
    assert iam.list_users()["Users"] is not None


def test_policies_and_the_audit_log_see_the_client(live: LiveSystem, proxy: Proxy, s3: Any) -> None:
    bucket = unique("proxied")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    condition = {"IpAddress": {"aws:SourceIp": CLIENT}, "Bool": {"aws:SecureTransport": "true"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy_of({**statement, "Condition": condition}))
    target = f"/{bucket}/k"
    claims = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
    assert send(proxy, proxy.s3_port, target).status == 200
    assert send(proxy, proxy.s3_port, target, headers={**claims, "X-Forwarded-For": "192.0.2.1"}).status == 200
    assert send(proxy, proxy.s3_port, target, source=OTHER_CLIENT).status == 403
    aliases = {f"X{first}Forwarded{second}{what}" for first in "-_" for second in "-_" for what in ("For", "Proto")}
    lies = dict.fromkeys(aliases, CLIENT)
    assert send(proxy, proxy.s3_port, target, source=OTHER_CLIENT, headers=lies).status == 403
    assert send(proxy, proxy.s3_port, target, headers=lies).status == 200
    # Past the proxy: nobody else is believed, and from there what is said counts.
    assert send_directly(live, target, source=CLIENT, headers=claims) == 403
    assert send_directly(live, target, source=PROXY_ADDRESS, headers=claims) == 200
    assert send_directly(live, target, source=PROXY_ADDRESS, headers={**claims, "X-Forwarded-Proto": "http"}) == 403
    assert send_directly(live, target, source=PROXY_ADDRESS, headers={"X-Forwarded-For": "junk"}) == 400
    rows = wait_for_rows(live, 8, "--bucket", bucket, "--operation", "GetObject")
    sources = [row["source_ip"] for row in rows]
    assert sources == [CLIENT, CLIENT, OTHER_CLIENT, OTHER_CLIENT, CLIENT, CLIENT, CLIENT, CLIENT]
    assert [row["is_secure"] for row in rows] == [True] * 5 + [False, True, False]


def test_the_console_takes_forms_of_its_own_pages_alone(live: LiveSystem, proxy: Proxy) -> None:
    page = send(proxy, proxy.console_port, "/sign-in/")
    cookie = page.headers["set-cookie"]
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token is not None
    entered = {
        "username": live.admin_user,
        "password": live.admin_password,
        "csrfmiddlewaretoken": token[1],
        "next": "",
    }
    answers = []
    for origin in (f"https://127.0.0.1:{proxy.console_port}", "https://elsewhere.example", "null"):
        headers = {
            "Cookie": cookie.split(";")[0],
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": origin,
        }
        answers.append(
            send(proxy, proxy.console_port, "/sign-in/", method="POST", body=urlencode(entered), headers=headers)
        )
    assert [answer.status for answer in answers] == [302, 403, 403], answers[0].read()
    cookies = [cookie, *(value for name, value in answers[0].getheaders() if name.lower() == "set-cookie")]
    assert any(cookie.startswith("objstore_session=") for cookie in cookies)
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
