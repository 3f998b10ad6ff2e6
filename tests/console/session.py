"""A console user without a browser: cookies, forms with their token, raw uploads."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from email.message import Message
from html import unescape


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back at the end of all redirects."""

    status: int
    url: str
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class ConsoleSession:
    """Requests of one user."""

    def __init__(self, console_url: str) -> None:
        self.console_url = console_url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def request(
        self, path: str, *, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        request = urllib.request.Request(self.console_url + path, data=data, method=method, headers=headers or {})
        try:
            response = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return Answer(response.status, response.url, response.headers, response.read())

    def get(self, path: str, **parameters: str) -> Answer:
        return self.request(path + ("?" + urllib.parse.urlencode(parameters) if parameters else ""))

    def token(self, path: str = "/sign-in/") -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path).text)
        assert found, path
        return found[1]

    def post(self, path: str, query: dict[str, str] | None = None, **form: str) -> Answer:
        address = path + ("?" + urllib.parse.urlencode(query) if query else "")
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": self.token(), **form}).encode()
        return self.request(address, method="POST", data=body, headers={"Referer": self.console_url + path})

    def sign_in(self, username: str, password: str) -> Answer:
        return self.post("/sign-in/", username=username, password=password, next="/")

    def upload(self, bucket: str, key: str, data: bytes, *, content_type: str = "text/plain", **headers: str) -> Answer:
        path = f"/buckets/{bucket}/upload/?" + urllib.parse.urlencode({"key": key})
        sent = {"X-CSRFToken": self.token(), "Content-Type": content_type, **headers}
        return self.request(path, method="PUT", data=data, headers=sent)


def texts(pattern: str, page: str) -> list[str]:
    """Return what a pattern's group found in a page, unescaped."""
    return [unescape(found) for found in re.findall(pattern, page)]


@dataclass(slots=True)
class Person:
    """Somebody with an account and a password for the console."""

    username: str
    password: str
    session: ConsoleSession = field(repr=False)
