"""Random requests to S3, IAM, STS and the console, and what none of them may bring about: `python -m tests.live.fuzz`.

Each request is somebody's (the owner's, a stranger's, nobody's, or of a broken signature) and half sensible: a method, a
path, sub-resources, headers and a body drawn from what means something and from what doesn't. Afterwards no answer was a
failure of ours, none held a secret or the content of a private object that was not asked for with the owner's key, and
neither did the log. The seed is printed; the same seed draws the same requests.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from s3protocol.presign import SigningCredentials
from s3protocol.routes import ROUTES
from tests.console.session import ConsoleSession
from tests.live.system import LiveSystem, tracebacks
from tests.s3.wire import Answer, Wire

BUCKET, KEY = "fuzzed", "private/canary"
CANARY = b"the content of the private canary 7f3a"
# Codes with which a server says on purpose that it can't: not here, not now.
ALLOWED_FAILURES = {501, 503, 507}

_METHODS = (
    ["GET"] * 8 + ["PUT"] * 5 + ["POST"] * 4 + ["DELETE"] * 2 + ["HEAD"] * 2 + ["OPTIONS", "PATCH", "TRACE", "G\u00cbT"]
)
_PATHS = [
    "/", f"/{BUCKET}", f"/{BUCKET}/", f"/{BUCKET}/{KEY}", f"/{BUCKET}/new", "/no-such-bucket/k", "/UPPER/k", "//", "/..",
    f"/{BUCKET}/..%2f..%2fetc/passwd", f"/{BUCKET}//{KEY}", f"/{BUCKET}/%00", f"/{BUCKET}/%ff%fe", f"/{BUCKET}/" + "k" * 1100,
    "/-/ready", "/-/share/x", "/%2e%2e/", f"/{BUCKET}/\u00e4", f"/{BUCKET}/a b", "*", "http://elsewhere/",
]  # fmt: skip
_SUBRESOURCES = sorted({route.subresource for route in ROUTES if isinstance(getattr(route, "subresource", None), str)} | {
    "acl", "policy", "tagging", "versions", "uploads", "uploadId", "partNumber", "versionId", "list-type", "prefix",
    "delimiter", "max-keys", "marker", "continuation-token", "start-after", "encoding-type", "location", "logging",
    "delete", "cors", "lifecycle", "restore", "select", "attributes", "torrent", "website", "X-Amz-Signature",
})  # fmt: skip
_VALUES = [
    "", "1", "0", "-1", "99999999999999999999", "\u00e4\u20ac", "%00", "null", "true", "a" * 300, "../..", "<x>", "'\"", "\t",
    "2030-01-01T00:00:00Z", "Mon, 01 Jan 2030 00:00:00 GMT", "bytes=0-1", "bytes=5-1", "bytes=-0", f"/{BUCKET}/{KEY}",
    f"{BUCKET}/{KEY}?versionId=x", "AES256", "aws:kms", "STANDARD", "GLACIER", "public-read", "COMPLIANCE", "ENABLED",
    'id="x"', 'uri="http://acs.amazonaws.com/groups/global/AllUsers"', "a=b&c=d", "*", "{}", "[]",
]  # fmt: skip
_HEADERS = [
    "range", "if-match", "if-none-match", "if-modified-since", "content-md5", "content-type", "expect", "origin", "cookie",
    "x-amz-acl", "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-tagging", "x-amz-meta-a", "x-amz-storage-class",
    "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-key", "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date", "x-amz-checksum-crc32", "x-amz-content-sha256", "x-amz-decoded-content-length",
    "x-amz-trailer", "x-amz-security-token", "x-amz-expected-bucket-owner", "x-amz-mfa", "x-amz-grant-read",
    "x-amz-request-payer", "x-amz-write-offset-bytes", "x-amz-rename-source", "authorization", "access-control-request-method",
    "x-forwarded-for", "x-amz-date", "date", "transfer-encoding", "referer", "user-agent", "host",
]  # fmt: skip
_ACTIONS = [
    "GetCallerIdentity", "AssumeRole", "GetSessionToken", "ListUsers", "CreateUser", "GetUser", "DeleteUser", "PutUserPolicy",
    "CreateAccessKey", "ListAccessKeys", "CreateRole", "SimulateCustomPolicy", "GetAccountSummary", "DecodeAuthorizationMessage",
    "AssumeRoleWithWebIdentity", "Nothing", "",
]  # fmt: skip
_PARAMETERS = ["UserName", "RoleName", "RoleArn", "PolicyName", "PolicyDocument", "Path", "RoleSessionName", "EncodedMessage",
               "WebIdentityToken", "DurationSeconds", "MaxItems", "Marker", "ActionNames.member.1", "PolicyInputList.member.1"]  # fmt: skip
_PAGES = [
    "/", "/sign-in/", "/buckets/", f"/buckets/{BUCKET}/", f"/buckets/{BUCKET}/object/", f"/buckets/{BUCKET}/download/",
    f"/buckets/{BUCKET}/timeline/", f"/buckets/{BUCKET}/share/", "/audit/", "/audit/row/1/", "/explain/", "/api/audit/",
    "/api/explain/", "/api/shares/", "/shares/", "/admin/", "/admin/accesscontrol/accesskey/", "/create-bucket/", "/security/",
    f"/buckets/{BUCKET}/settings/", f"/buckets/{BUCKET}/upload/", "/static/none.css", "/sign-in/sso/back/", "/nothing",
    "/access/users/", "/access/groups/", "/access/roles/", "/access/policies/", "/access/keys/", "/access/policy/",
    "/access/users/x/", "/access/roles/a=b/", "/access/groups/@/", "/access/do/Nothing/",
    *(f"/access/do/{name}/" for name in _ACTIONS if name[:3] in ("Cre", "Del", "Put")),
    "/access/do/AttachUserPolicy/", "/access/do/UpdateAccessKey/", "/access/do/CreatePolicyVersion/",
]  # fmt: skip
_ASKED = ["key", "row", "prefix", "after", "in", "begins", "bucket", "principal", "action", "resource", "since", "until",
          "status", "limit", "state", "code", "next", "before", "o", "q", "arn", "version", "scope"]  # fmt: skip


@dataclass
class Fuzzer:
    """Draws requests from a seed, sends them, and remembers what should not be."""

    live: LiveSystem
    seed: int
    stranger: SigningCredentials
    sent: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the bucket with the private object, and the ways to the server."""
        self.random = random.Random(self.seed)
        client = self.live.client()
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key=KEY, Body=CANARY)
        address = urlsplit(self.live.endpoint)
        where = (str(address.hostname), int(address.port or 80))
        owner = SigningCredentials(self.live.access_key, self.live.secret_key)
        self.owner = Wire(where, address.netloc, owner)
        self.others = [
            Wire(where, address.netloc, None),
            Wire(where, address.netloc, self.stranger),
            Wire(where, address.netloc, SigningCredentials(self.live.access_key, "wrong")),
            Wire(where, address.netloc, SigningCredentials("AKNOBODY", "wrong")),
        ]
        self.secrets = [
            secret.encode() for secret in (self.live.secret_key, self.live.admin_password, self.stranger.secret_key)
        ] + [(self.live.data_dir / "secret-key").read_bytes().strip()]
        self.session = ConsoleSession(self.live.console_url)
        self.session.sign_in(self.live.admin_user, self.live.admin_password)
        self.nobody = ConsoleSession(self.live.console_url)

    def run(self, count: int) -> None:
        """Send so many requests."""
        for _ in range(count):
            draw = self.random.random()
            if draw < 0.65:
                self._ask_s3()
            elif draw < 0.8:
                self._ask_query_service()
            else:
                self._ask_console()
            self.sent += 1

    def _pick(self, values: list[str]) -> str:
        return self.random.choice(values)

    def _ask_s3(self) -> None:
        wire = self.owner if self.random.random() < 0.3 else self.random.choice(self.others)
        names = self.random.sample(_SUBRESOURCES, self.random.choice((0, 0, 1, 1, 2, 3)))
        query = [(name, self._pick(_VALUES)) for name in names]
        headers = {
            name: self._pick(_VALUES).encode("utf-8").decode("latin-1")
            for name in self.random.sample(_HEADERS, self.random.choice((0, 0, 1, 2, 4)))
        }
        method, path = self._pick(_METHODS), self._pick(_PATHS)
        if method == "DELETE" and path.endswith(KEY):
            path += "x"  # the canary stays
        body = self._body()
        what = f"{method} {path} {query} {headers} {body[:80]!r}"
        try:
            signed = wire.signed_headers(method, path, query=query, body=body)
            raw = quote(path, safe="/%*:") + ("?" + urlencode(query) if query else "")
            answer = wire.send_as_is(method, raw, headers={**signed, **headers}, body=body)
        except (OSError, ValueError, UnicodeError):
            return  # no HTTP came out of it, or back: the connection was closed on what is no request
        self._judge(what, answer, may_read=wire is self.owner)

    def _ask_query_service(self) -> None:
        wire = self.owner if self.random.random() < 0.3 else self.random.choice(self.others)
        parameters = {"Action": self._pick(_ACTIONS), "Version": self._pick(["2010-05-08", "2011-06-15", "1"])}
        for name in self.random.sample(_PARAMETERS, self.random.choice((0, 1, 2, 3))):
            parameters[name] = self._pick(_VALUES)
        body = urlencode(parameters).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        try:
            answer = wire.send("POST", "/", headers=headers, body=body)
        except (OSError, ValueError):
            return
        # Whoever may make access keys is shown their secrets, once: that is what the operation is.
        self._judge(f"POST / {body!r}", answer, may_read=wire is self.owner)

    def _ask_console(self) -> None:
        session = self.session if self.random.random() < 0.6 else self.nobody
        page = self._pick(_PAGES)
        asked = {name: self._pick(_VALUES) for name in self.random.sample(_ASKED, self.random.choice((0, 1, 2, 3)))}
        method = self.random.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD"))
        address = page + ("?" + urlencode(asked) if asked else "")
        data = self._body() if method in ("POST", "PUT") else None
        headers = {"Content-Type": self._pick(["application/json", "text/plain", "application/x-www-form-urlencoded"])}
        if page.startswith("/access/do/") and data is not None:
            names = self.random.sample([*_PARAMETERS, "AccessKeyId", "Status", "PolicyArn"], 4)
            data = urlencode({name: self._pick(_VALUES) for name in names}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        is_deed = page.startswith("/access/do/")
        if (is_deed or self.random.random() < 0.3) and session is self.session and "upload" not in page:
            headers["X-CSRFToken"] = session.token()
        if page.startswith("/sign-out"):
            return
        try:
            got = session.request(address, method=method, data=data, headers=headers)
        except (OSError, ValueError):
            return
        self._judge(
            f"console {method} {address}",
            Answer(got.status, {name.lower(): value for name, value in got.headers.items()}, got.body),
            may_read=session is self.session,
        )

    def _body(self) -> bytes:
        kind = self.random.randrange(6)
        if kind == 0:
            return b""
        if kind == 1:
            return self.random.randbytes(self.random.randrange(200))
        if kind == 2:
            return self._pick(["{", "[]", '{"Version":"2012-10-17","Statement":[]}', '{"key":1}', "null"]).encode()
        names = ["Delete", "Object", "Key", "Tagging", "TagSet", "Tag", "Value", "AccessControlPolicy", "Grant", "Rule",
                 "LifecycleConfiguration", "BucketLoggingStatus", "LoggingEnabled", "TargetBucket", "Status", "ID", "Part"]  # fmt: skip
        text = self._pick(_VALUES).replace("<", "&lt;").replace("&", "&amp;")
        for name in self.random.sample(names, self.random.randrange(1, 5)):
            text = f"<{name}>{text}</{name}>" * self.random.choice((1, 1, 2))
        if kind == 5:
            text = text[: self.random.randrange(len(text))]
        return text.encode()

    def _judge(self, what: str, answer: Answer, *, may_read: bool) -> None:
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status >= 500 and answer.status not in ALLOWED_FAILURES:
            self.problems.append(f"{answer.status} for {what}")
        told = answer.body + repr(dict(answer.headers)).encode()
        if any(secret in told for secret in self.secrets):
            self.problems.append(f"a secret came back for {what}")
        if CANARY in answer.body and not may_read:
            self.problems.append(f"the private object came back for {what}")
        if any("\n" in value or "\r" in value for value in answer.headers.values()):
            self.problems.append(f"a header was split by {what}")

    def judge_log(self) -> None:
        """Look for secrets and failures in the log, and for data given without a decision in the audit log."""
        log = self.live.log_path.read_bytes().split(b"ready: S3 on", 1)[-1]
        banner = (b"Secret key", b"Password")  # what `up` prints for a newcomer is for the terminal
        kept = b"\n".join(line for line in log.splitlines() if not line.strip().startswith(banner))
        self.problems += ["a secret is in the log" for secret in self.secrets if secret in kept]
        self.problems += tracebacks(log.decode("utf-8", "replace"))
        time.sleep(1.5)  # until the last reads are written
        given = self.live.manage(
            "audit_search", "--bucket", BUCKET, "--operation", "GetObject", "--limit", "0", "--json"
        )
        for line in given.stdout.splitlines():
            if ('"status": 200' in line or '"status": 206' in line) and '"outcome": "allowed"' not in line:
                self.problems.append(f"data without a decision: {line}")


def main() -> int:
    """Start a system, fuzz it, and say what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="objstore-fuzz-") as directory:
        live = LiveSystem.start(Path(directory) / "var", is_from_scratch=True)
        try:
            fuzzer = fuzz(live, options.seed, options.count)
        finally:
            live.stop()
    print(f"{fuzzer.sent} requests, answers by status: {dict(sorted(fuzzer.statuses.items()))}")
    for problem in fuzzer.problems[:50]:
        print(problem)
    print(f"{len(fuzzer.problems)} problems")
    return 1 if fuzzer.problems else 0


def fuzz(live: LiveSystem, seed: int, count: int) -> Fuzzer:
    """Fuzz a system and judge it."""
    made = json.loads(live.manage("create_account", "fuzzer", "--email", "fuzzer@example.org", "--json").stdout)
    fuzzer = Fuzzer(live, seed, SigningCredentials(made["access_key"], made["secret_key"]))
    fuzzer.run(count)
    fuzzer.judge_log()
    return fuzzer


if __name__ == "__main__":
    sys.exit(main())
