"""Both ports on HTTPS: gateway and console once more over the data of the running system, with a certificate of its own."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.exceptions import SSLError

from objstore_project.environment import Address, ConfigurationError
from objstore_project.supervisor.checks import check_tls
from objstore_project.supervisor.programs import answers
from tests.live.certificates import DOMAIN, make_certificate
from tests.live.manage import REPOSITORY
from tests.live.processes import wait_until
from tests.live.system import LiveSystem, free_ports
from tests.s3.iam import policy_of, refusal, unique


@dataclass(frozen=True, slots=True)
class Tls:
    """The two ports, and the certificate that they show."""

    live: LiveSystem
    certificate: Path
    s3_port: int
    console_port: int

    def client(self, service: str = "s3", **arguments: Any) -> Any:
        """Return a client of the root account that believes the certificate."""
        url = f"https://127.0.0.1:{self.s3_port}"
        return self.live.client(service, endpoint_url=url, verify=str(self.certificate), **arguments)

    def send(self, port: int, method: str, target: str, **arguments: Any) -> http.client.HTTPResponse:
        """Send a request and return its answer, the body unread."""
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
        connection.request(method, target, **arguments)
        return connection.getresponse()

    def is_ready(self, port: int) -> bool:
        """Tell whether a port says that it is ready."""
        try:
            return self.send(port, "GET", "/-/ready").status == 200
        except OSError:
            return False


@contextmanager
def web_server(name: str, environment: dict[str, str]) -> Iterator[None]:
    """Run one of the two web servers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "objstore_project.supervisor.web_server", name],
        env=environment,
        cwd=REPOSITORY,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=30) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def tls(live: LiveSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    s3_port, console_port = free_ports(2)
    environment = {
        **live.environment,
        "OBJSTORE_S3_ADDRESS": f"127.0.0.1:{s3_port}",
        "OBJSTORE_CONSOLE_ADDRESS": f"127.0.0.1:{console_port}",
        "OBJSTORE_GATEWAY_WORKERS": "1",
        "OBJSTORE_TLS_CERTIFICATE": str(certificate),
        "OBJSTORE_TLS_KEY": str(key),
    }
    with web_server("gateway", environment), web_server("console", environment):
        made = Tls(live, certificate, s3_port, console_port)
        wait_until(lambda: all(made.is_ready(port) for port in (s3_port, console_port)), "both ports are ready")
        yield made


def test_clients_that_believe_the_certificate_use_every_service(tls: Tls) -> None:
    s3, bucket = tls.client(), unique("tls")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello" * 50_000)  # the SDK leaves the payload unsigned here
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello" * 50_000
    customers = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    s3.put_object(Bucket=bucket, Key="c", Body=b"x", **customers)
    assert s3.get_object(Bucket=bucket, Key="c", **customers)["Body"].read() == b"x"
    assert tls.client("sts").get_caller_identity()["Arn"].endswith(":root")
    link = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}))
    assert link.scheme == "https"
    assert tls.send(tls.s3_port, "GET", f"{link.path}?{link.query}").read() == b"hello" * 50_000
    host = {"Host": f"{bucket}.{DOMAIN}:{tls.s3_port}"}
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")
    assert tls.send(tls.s3_port, "GET", "/k", headers=host).read() == b"hello" * 50_000


def test_who_does_not_believe_the_certificate_or_speaks_plainly_gets_nothing(tls: Tls) -> None:
    doubter = tls.live.client(endpoint_url=f"https://127.0.0.1:{tls.s3_port}")
    with pytest.raises(SSLError):
        doubter.list_buckets()
    connection = http.client.HTTPConnection("127.0.0.1", tls.s3_port, timeout=30)
    connection.request("GET", "/-/ready")
    with pytest.raises((http.client.BadStatusLine, OSError)):
        connection.getresponse()


def test_policies_tell_secure_transport(tls: Tls, anonymous: Any) -> None:
    s3, bucket = tls.client(), unique("tls")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    for is_secure in (True, False):
        condition = {"Bool": {"aws:SecureTransport": str(is_secure).lower()}}
        s3.put_bucket_policy(Bucket=bucket, Policy=policy_of({**statement, "Condition": condition}))
        plain = refusal(lambda: anonymous.get_object(Bucket=bucket, Key="k"))
        encrypted = tls.send(tls.s3_port, "GET", f"/{bucket}/k").status
        assert (encrypted, plain) == ((200, "AccessDenied") if is_secure else (403, ""))


def test_the_console_keeps_browsers_on_https(tls: Tls) -> None:
    page = tls.send(tls.console_port, "GET", "/sign-in/")
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    cookie = page.headers["set-cookie"]
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token is not None
    entered = {"username": tls.live.admin_user, "password": tls.live.admin_password, "next": ""}
    headers = {
        "Cookie": cookie.split(";")[0],
        "Content-Type": "application/x-www-form-urlencoded",
        "Referer": f"https://127.0.0.1:{tls.console_port}/sign-in/",
    }
    body = urlencode({**entered, "csrfmiddlewaretoken": token[1]})
    elsewhere = {**headers, "Referer": "https://elsewhere.example/"}
    assert tls.send(tls.console_port, "POST", "/sign-in/", body=body, headers=elsewhere).status == 403
    signed_in = tls.send(tls.console_port, "POST", "/sign-in/", body=body, headers=headers)
    cookies = [value for name, value in signed_in.getheaders() if name == "set-cookie"]
    assert signed_in.status == 302, signed_in.read().decode()
    assert any(cookie.startswith("objstore_session=") for cookie in cookies)
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in [*cookies, page.headers["set-cookie"]])


def test_the_supervisor_sees_a_port_that_speaks_tls(tls: Tls, settings: Any) -> None:
    settings.OBJSTORE_TLS_CERTIFICATE = str(tls.certificate)
    assert answers(Address("127.0.0.1", tls.s3_port))
    settings.OBJSTORE_TLS_CERTIFICATE = ""
    assert not answers(Address("127.0.0.1", tls.s3_port))


def test_a_certificate_and_a_key_that_do_not_fit_stop_the_start(tls: Tls, settings: Any, tmp_path: Path) -> None:
    _, other_key = make_certificate(tmp_path)
    settings.OBJSTORE_TLS_CERTIFICATE, settings.OBJSTORE_TLS_KEY = str(tls.certificate), str(other_key)
    with pytest.raises(ConfigurationError, match="OBJSTORE_TLS_KEY: not a PEM certificate and its key"):
        check_tls()
    settings.OBJSTORE_TLS_KEY = str(tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match="OBJSTORE_TLS_KEY: cannot read"):
        check_tls()
    settings.OBJSTORE_TLS_KEY = str(tls.certificate.with_name("key.pem"))
    check_tls()
