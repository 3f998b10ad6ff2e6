"""A bucket's documents in the console: what clients set is shown, what is saved is what clients get, nothing else passes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from console.configuration_kinds import KINDS
from console.configurations import POLICY, Configuration
from s3protocol.model import snake_case
from s3protocol.registry import REGISTRY
from tests.console.session import ConsoleSession, Person, texts
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live

DELIVERY = {
    "Effect": "Allow",
    "Principal": {"Service": ["logging.s3.amazonaws.com", "s3.amazonaws.com"]},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::TARGET/*",
}


def fitted(document: Any, **names: str) -> Any:
    """Return an example with names put in that are there."""
    text = json.dumps(document)
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return json.loads(text)


@pytest.fixture(scope="module")
def names(live: LiveSystem) -> dict[str, str]:
    """What the examples name: a bucket to deliver to, an event target, a role that may replicate."""
    client, iam, suffix = live.client(), live.client("iam"), secrets.token_hex(4)
    other, target = f"other-{suffix}", f"t-{suffix}"
    client.create_bucket(Bucket=other)
    client.put_bucket_versioning(Bucket=other, VersioningConfiguration={"Status": "Enabled"})
    policy = {"Version": "2012-10-17", "Statement": [fitted(DELIVERY, TARGET=other)]}
    client.put_bucket_policy(Bucket=other, Policy=json.dumps(policy))
    live.manage("add_event_target", target, "--type", "webhook", "--url", "http://127.0.0.1:9/", "--token", "t")
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=f"r-{suffix}", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    return {
        "TARGET:webhook": f"{target}:webhook",
        "OTHER": other,
        "LOGS": other,
        "LISTS": other,
        "arn:aws:iam::123456789012:role/replication": role,
        "arn:aws:iam::123456789012:root": role.rpartition(":")[0] + ":root",
    }


def of_client(client: Any, kind: Configuration, bucket: str) -> Any:
    """Return what a client gets."""
    arguments = {"Id": kind.example["Id"]} if kind.lists and kind.example else {}
    answer = getattr(client, snake_case(kind.reads))(Bucket=bucket, **arguments)
    answer.pop("ResponseMetadata")
    return json.loads(answer[POLICY]) if kind.member == POLICY else answer


def shown_document(session: ConsoleSession, bucket: str, kind: Configuration) -> Any:
    """Return what the page shows, as a document."""
    query = {"id": kind.example["Id"]} if kind.lists and kind.example else {}
    page = session.get(f"/buckets/{bucket}/configuration/{kind.slug}/", **query)
    assert page.status == 200, page.text
    assert "an example" not in page.text
    return json.loads(texts(r"<textarea[^>]*>([^<]+)", page.text)[0])


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.example], ids=lambda kind: kind.slug)
def test_what_is_saved_is_what_clients_get(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str], names: dict[str, str], kind: Configuration
) -> None:
    bucket, client, session = new_bucket(is_versioned=True), live.client(), operator.session
    address = f"/buckets/{bucket}/configuration/{kind.slug}/"
    document = fitted(kind.example, BUCKET=bucket, **names)
    empty = session.get(address)
    assert "an example" in empty.text
    assert session.post(address, document=json.dumps(document)).status == 200
    got = of_client(client, kind, bucket)
    inner = got.get(kind.member, got)
    assert {name: inner[name] for name in document} == document or kind.slug in {"notification", "inventory", "logging"}
    shown = shown_document(session, bucket, kind)
    query = {"id": document["Id"]} if kind.lists else {}
    assert session.post(address, query, document=json.dumps(shown)).status == 200
    assert of_client(client, kind, bucket) == got, "saving what is shown changes nothing"
    overview = session.get(f"/buckets/{bucket}/configuration/").text
    assert overview.count('class="badge good"') == (1 if kind.slug == "acl" else 3)
    if kind.deletes is not None or kind.clears is not None:
        assert session.post(address, query, delete="1").status == 200
        assert "an example" in session.get(address).text


def test_what_s3_refuses_the_page_refuses_and_keeps_what_was_typed(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket, session = new_bucket(), operator.session
    wrong = [
        ("cors", "{", "This is no JSON"),
        ("cors", "[]", "A document is a JSON object."),
        ("cors", '{"CORSRule": []}', 'Unknown parameter in CORSConfiguration: "CORSRule"'),
        ("cors", '{"CORSRules": [{"AllowedMethods": ["FETCH"], "AllowedOrigins": ["*"]}]}', "FETCH"),
        ("policy", '{"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}', "Effect"),
        ("lifecycle", '{"Rules": [{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 0}}]}', "positive"),
        ("metrics", '{"Id": ""}', "Id"),
        ("encryption", "[" * 100_000, "This is no JSON"),
    ]
    for slug, text, problem in wrong:
        answer = session.post(f"/buckets/{bucket}/configuration/{slug}/", document=text)
        assert (answer.status, problem in unescape(answer.text)) == (400, True), (slug, answer.text)
        assert texts(r"<textarea[^>]*>([^<]*)", answer.text)[0].strip() == text
    assert session.get(f"/buckets/{bucket}/configuration/wishes/").status == 404
    assert session.get("/buckets/nobody-has-it/configuration/cors/").status == 404
    assert 'class="badge good">set' not in session.get(f"/buckets/{bucket}/configuration/cors/").text


def test_all_of_many_are_listed(live: LiveSystem, operator: Person, new_bucket: Callable[..., str]) -> None:
    bucket, client = new_bucket(), live.client()
    for number in range(105):
        name = f"part-{number:03}"
        configuration = {"Id": name, "Filter": {"Prefix": f"{number}/"}}
        client.put_bucket_metrics_configuration(Bucket=bucket, Id=name, MetricsConfiguration=configuration)
    page = operator.session.get(f"/buckets/{bucket}/configuration/metrics/").text
    assert texts(r"<span>(part-\d+)</span>", page) == [f"part-{number:03}" for number in range(105)]


def test_rules_tell_what_they_would_do_and_do_nothing(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket, client, session = new_bucket(is_versioned=True), live.client(), operator.session
    for key in ("logs/1", "logs/2", "other"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    client.put_object(Bucket=bucket, Key="logs/1", Body=b"newer")
    client.create_multipart_upload(Bucket=bucket, Key="logs/unfinished")
    rules = {
        "Rules": [
            {
                "ID": "short",
                "Status": "Enabled",
                "Filter": {"Prefix": "logs/"},
                "Expiration": {"Days": 20},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
            },
            {"ID": "off", "Status": "Disabled", "Filter": {}, "Expiration": {"Days": 1}},
            *({"Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 9}} for prefix in "xy"),
        ]
    }
    address, text = f"/buckets/{bucket}/configuration/lifecycle/", json.dumps(rules)
    today = session.post(address, document=text, foresee="1", days="0")
    assert "Nothing of what is in the bucket now." in today.text
    week = unescape(session.post(address, document=text, foresee="1", days="7").text)
    assert "noncurrent versions are deleted for good" in week
    assert "unfinished uploads are aborted" in week
    assert "current objects expire" not in week
    month = session.post(address, document=text, foresee="1", days="30").text
    assert "current objects expire" in month
    assert "logs/2" in month
    assert ">other<" not in month
    assert "logs/2" in client.list_objects_v2(Bucket=bucket)["Contents"][1]["Key"]
    assert "an example" in session.get(address).text, "nothing is saved"


def test_who_may_not_is_told_so(live: LiveSystem, new_bucket: Callable[..., str]) -> None:
    bucket, iam, name = new_bucket(), live.client("iam"), f"reader-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password="a reader's password, 1")
    allowed = ["s3:GetBucketVersioning", "s3:GetBucketCORS", "s3:GetLifecycleConfiguration"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    account = iam.get_user(UserName=name)["User"]["Arn"].split(":")[4]
    session = ConsoleSession(live.console_url)
    session.sign_in(f"{name}@{account}", "a reader's password, 1")
    overview = session.get(f"/buckets/{bucket}/configuration/").text
    assert overview.count("not yours to see") == len(KINDS) - 2
    assert session.get(f"/buckets/{bucket}/configuration/cors/").status == 200
    assert session.get(f"/buckets/{bucket}/configuration/policy/").status == 403
    cors, lifecycle = json.dumps(KINDS["cors"].example), json.dumps(KINDS["lifecycle"].example)
    for slug, form in (
        ("cors", {"document": cors}),
        ("cors", {"delete": "1"}),
        ("policy", {"document": "{}"}),
        ("lifecycle", {"document": lifecycle, "foresee": "1"}),
    ):
        assert session.post(f"/buckets/{bucket}/configuration/{slug}/", **form).status == 403, slug


def test_every_document_that_a_bucket_may_have_is_there() -> None:
    elsewhere = {  # in the settings; or stored and of no effect
        "PutBucketVersioning",
        "PutBucketTagging",
        "PutBucketAbac",
        "PutBucketAccelerateConfiguration",
    }
    written = {name for name in REGISTRY if name.startswith("PutBucket")} | {
        "PutPublicAccessBlock",
        "PutObjectLockConfiguration",
    }
    deprecated = {"PutBucketLifecycle", "PutBucketNotification"}
    assert {kind.writes for kind in KINDS.values()} == written - elsewhere - deprecated
