"""The query protocol itself: what is no form, no action, not signed, damaged; and requests that nobody would send."""

from __future__ import annotations

import random
import string
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from s3protocol.query.model import Service, operation_names
from tests.live.system import LiveSystem
from tests.s3.iam import Keys, make_user

IAM_VERSION, STS_VERSION = "2010-05-08", "2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"


def signed(
    live: LiveSystem, body: bytes | dict[str, str], *, service: str = "iam", keys: Keys | None = None
) -> requests.Response:
    """Send a form, signed by the root account unless others are given."""
    given = keys or Keys(live.access_key, live.secret_key)
    request = AWSRequest("POST", live.endpoint + "/", data=body, headers=FORM)
    credentials = Credentials(given.aws_access_key_id, given.aws_secret_access_key, given.aws_session_token)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return requests.post(request.url, data=request.prepare().body, headers=dict(request.headers), timeout=30)


def code(answer: requests.Response) -> str:
    """Return the code of an error."""
    found = next((one for one in ET.fromstring(answer.content).iter() if one.tag.endswith("}Code")), None)
    return "" if found is None else str(found.text)


def refused(answer: requests.Response) -> tuple[int, str]:
    """Return status and code."""
    return answer.status_code, code(answer)


def test_a_request_must_be_signed_for_its_service(live: LiveSystem) -> None:
    form = {"Action": "ListUsers", "Version": IAM_VERSION}
    assert signed(live, form).status_code == 200
    assert refused(signed(live, form, service="sts")) == (400, "IncompleteSignature")
    assert refused(signed(live, form, service="s3")) == (400, "IncompleteSignature")
    unsigned = requests.post(live.endpoint + "/", data=form, timeout=30)
    assert refused(unsigned) == (403, "MissingAuthenticationToken")
    assert refused(signed(live, form, keys=Keys("AKIANOBODY", "x"))) == (403, "InvalidClientTokenId")
    assert refused(signed(live, form, keys=Keys(live.access_key, "x"))) == (403, "SignatureDoesNotMatch")


def test_a_body_that_was_changed_on_the_way_is_refused(live: LiveSystem) -> None:
    request = AWSRequest(
        "POST", live.endpoint + "/", data={"Action": "ListUsers", "Version": IAM_VERSION}, headers=FORM
    )
    SigV4Auth(Credentials(live.access_key, live.secret_key), "iam", "us-east-1").add_auth(request)
    changed = f"Action=CreateUser&Version={IAM_VERSION}&UserName=evil"
    headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
    assert refused(requests.post(request.url, data=changed, headers=headers, timeout=30)) == (
        403,
        "SignatureDoesNotMatch",
    )
    headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    assert requests.post(request.url, data=changed, headers=headers, timeout=30).status_code in (400, 403)


def test_a_presigned_request_tells_who_one_is(live: LiveSystem) -> None:
    url = f"{live.endpoint}/?Action=GetCallerIdentity&Version={STS_VERSION}"
    request = AWSRequest("GET", url)
    SigV4QueryAuth(Credentials(live.access_key, live.secret_key), "sts", "us-east-1", expires=60).add_auth(request)
    answer = requests.get(request.url, timeout=30)
    assert answer.status_code == 200
    assert b":root</Arn>" in answer.content
    assert requests.get(request.url + "0", timeout=30).status_code == 403


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", (400, "MissingAction")),
        (b"Action=&Version=2010-05-08", (400, "MissingAction")),
        (b"Action=NoSuchThing&Version=2010-05-08", (400, "InvalidAction")),
        (b"Action=ListUsers", (400, "InvalidAction")),
        (b"Action=ListUsers&Version=2011-06-15", (400, "InvalidAction")),
        (b"Action=CreateSAMLProvider&Version=2010-05-08&Name=a", (501, "NotImplemented")),
        (b"Action=ListUsers&Version=2010-05-08&Nonsense=1", (400, "ValidationError")),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=0", (400, "ValidationError")),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=1e3", (400, "ValidationError")),
        (b"Action=ListUsers&Version=2010-05-08&PathPrefix=%FF", (400, "MalformedQueryString")),
        (b"Action=ListUsers&Version=2010-05-08&PathPrefix=%00", (400, "MalformedQueryString")),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems.a=1&MaxItems=1", (400, "MalformedQueryString")),
        (b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags.member.x.Key=1", (400, "ValidationError")),
        (b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags.member.1.Key=1", (400, "ValidationError")),
        (b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags=1", (400, "ValidationError")),
        (
            b"Action=CreateUser&Version=2010-05-08" + b"".join(b"&x.%d=1" % n for n in range(6000)),
            (400, "MalformedQueryString"),
        ),
        (b"Action=CreateUser&Version=2010-05-08&" + b"a." * 50 + b"b=1", (400, "MalformedQueryString")),
        (b"Action=GetUser&Version=2010-05-08&UserName=" + b"a" * (2 << 20), (413, "RequestEntityTooLarge")),
    ],
)
def test_what_is_no_request_is_told_so(live: LiveSystem, body: bytes, refusal: tuple[int, str]) -> None:
    try:
        answer = signed(live, body)
    except requests.ConnectionError:
        assert refusal[0] == 413  # it may hang up before all is sent
        return
    assert refused(answer) == refusal


def test_answers_bear_the_namespace_and_a_request_id(live: LiveSystem) -> None:
    answer = signed(live, {"Action": "ListUsers", "Version": IAM_VERSION})
    document = ET.fromstring(answer.content)
    assert document.tag == f"{SPACE}ListUsersResponse"
    assert document.findtext(f"{SPACE}ResponseMetadata/{SPACE}RequestId") == answer.headers["x-amzn-RequestId"]
    assert answer.headers["Cache-Control"] == "no-store"
    refusal = signed(live, {"Action": "GetUser", "Version": IAM_VERSION, "UserName": "<nobody>"})
    assert ET.fromstring(refusal.content).findtext(f"{SPACE}Error/{SPACE}Type") == "Sender"


def test_random_forms_are_never_our_failure(iam: Any, live: LiveSystem) -> None:
    """Members are drawn by their right names and by wrong ones, with values that fit and that do not."""
    rng = random.Random(20)
    names = [
        "UserName",
        "GroupName",
        "RoleName",
        "PolicyName",
        "PolicyArn",
        "PolicyDocument",
        "Path",
        "MaxItems",
        "Marker",
        "RoleArn",
        "RoleSessionName",
        "WebIdentityToken",
        "Tags.member.1.Key",
        "Tags.member.1.Value",
        "Url",
        "OpenIDConnectProviderArn",
        "PolicySourceArn",
        "ActionNames.member.1",
        "PolicyInputList.member.1",
        "Name",
        "AccessKeyId",
        "Status",
        "EncodedMessage",
        "VersionId",
        "AssumeRolePolicyDocument",
        "Nonsense",
    ]
    values = [
        "",
        "a",
        "x" * 70,
        "/",
        "/a/",
        "0",
        "1",
        "-1",
        "%00",
        "é",
        "*",
        "{}",
        "[]",
        "null",
        "arn:aws:iam::aws:policy/X",
        "arn:aws:iam::1:role/a",
        "https://x",
        "http://[",
        "Active",
        "v1",
        "v99999999999",
        "YQ",
        "a.b.c",
        "😀",
        '{"Version":"2012-10-17","Statement":[]}',
        '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    ]
    user = make_user(iam)
    for _ in range(300):
        service = rng.choice(list(Service))
        form = {
            "Action": rng.choice(sorted(operation_names(service))),
            "Version": IAM_VERSION if service is Service.IAM else STS_VERSION,
        }
        for name in rng.sample(names, rng.randint(0, 8)):
            form[name] = rng.choice(values) or "".join(rng.choices(string.printable, k=8))
        answer = signed(live, form, service=service.value, keys=rng.choice([None, user.keys]))
        assert answer.status_code != 500, form
        assert answer.status_code < 600
    assert signed(live, {"Action": "ListUsers", "Version": IAM_VERSION}).status_code == 200
