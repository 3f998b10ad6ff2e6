"""Bucket notifications: what AWS refuses, what records tell, and that every committed change reaches its target."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
import redis
from kombu import Connection

from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.event_receivers import Broker, WebhookReceiver
from tests.s3.refusals import refused

PATIENCE_SECONDS = 90
CREATED, REMOVED = "s3:ObjectCreated:*", "s3:ObjectRemoved:*"
TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebhookReceiver]:
    receiver = WebhookReceiver()
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def add_target(live: LiveSystem) -> Callable[..., str]:
    def add(kind: str, *arguments: str) -> str:
        return live.manage("add_event_target", f"t-{secrets.token_hex(6)}", "--type", kind, *arguments).stdout.strip()

    return add


@pytest.fixture(scope="module")
def webhook(add_target: Callable[..., str], receiver: WebhookReceiver) -> str:
    return add_target("webhook", "--url", f"{receiver.url}/", "--token", TOKEN, "--secret", "signed")


def notify(client: Any, bucket: str, *queues: dict[str, Any], **others: Any) -> None:
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(queues), **others}
    )


def queue(arn: str, *events: str, prefix: str = "", suffix: str = "", **members: Any) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in (("prefix", prefix), ("suffix", suffix)) if value]
    filters = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"QueueArn": arn, "Events": list(events), **filters, **members}


def names(receiver: WebhookReceiver, bucket: str) -> list[str]:
    return [record["eventName"] for record in receiver.records(bucket)]


def wait_for_names(receiver: WebhookReceiver, bucket: str, expected: list[str]) -> None:
    try:
        wait_until(lambda: names(receiver, bucket) == expected, f"{expected}", seconds=PATIENCE_SECONDS)
    except AssertionError:
        assert names(receiver, bucket) == expected
        raise


def test_a_configuration_is_kept_and_removed(owner: Any, bucket: str, webhook: str) -> None:
    assert "QueueConfigurations" not in owner.get_bucket_notification_configuration(Bucket=bucket)
    notify(owner, bucket, queue(webhook, CREATED, prefix="a/", suffix=".jpg", Id="one"), queue(webhook, REMOVED))
    one, other = owner.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert one["Id"] == "one"
    assert one["QueueArn"] == webhook
    assert one["Events"] == [CREATED]
    assert one["Filter"]["Key"]["FilterRules"] == [
        {"Name": "Prefix", "Value": "a/"},
        {"Name": "Suffix", "Value": ".jpg"},
    ]
    assert other["Id"]
    notify(owner, bucket, one, other)  # what was answered is taken back
    assert owner.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"] == [one, other]
    notify(owner, bucket)
    assert "QueueConfigurations" not in owner.get_bucket_notification_configuration(Bucket=bucket)


def test_what_aws_refuses_is_refused(owner: Any, stranger: Any, bucket: str, webhook: str) -> None:
    topic = webhook.replace(":sqs:", ":sns:")
    for wrong in (
        [queue("arn:objstore:sqs::nobody:webhook", CREATED)],
        [queue("arn:aws:sqs:us-east-1:123456789012:queue", CREATED)],
        [queue(topic, CREATED)],
        [queue(webhook, CREATED), queue(webhook, "s3:ObjectCreated:Put")],
        [queue(webhook, CREATED, prefix="a"), queue(webhook, CREATED, prefix="a/b")],
        [queue(webhook, CREATED, suffix="jpg"), queue(webhook, CREATED, suffix=".jpg", prefix="x")],
        [queue(webhook, CREATED, Id="same"), queue(webhook, REMOVED, Id="same")],
        [queue(webhook, CREATED, CREATED)],
        [queue(webhook, CREATED, prefix="x" * 1025)],
        [
            {
                **queue(webhook, CREATED),
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": value} for value in "ab"]}},
            }
        ],
    ):
        with refused("InvalidArgument", 400):
            notify(owner, bucket, *wrong)
    with refused("InvalidArgument", 400):
        notify(owner, bucket, EventBridgeConfiguration={})
    with refused("AccessDenied", 403):
        notify(stranger, bucket, queue(webhook, CREATED))
    notify(
        owner,
        bucket,
        queue(webhook, CREATED, prefix="a", suffix=".jpg"),
        queue(webhook, CREATED, prefix="a", suffix=".png"),
        queue(webhook, CREATED, prefix="b"),
        TopicConfigurations=[{"TopicArn": topic, "Events": [REMOVED]}],
    )


@pytest.mark.parametrize(("name", "value"), [("Event", "s3:ObjectCreated:Nothing"), ("Name", "infix")])
def test_unknown_words_are_refused(wire: Any, bucket: str, webhook: str, name: str, value: str) -> None:
    words = {"Event": CREATED, "Name": "prefix"} | {name: value}
    document = (
        f"<NotificationConfiguration><QueueConfiguration><Queue>{webhook}</Queue><Event>{words['Event']}</Event>"
        f"<Filter><S3Key><FilterRule><Name>{words['Name']}</Name><Value>x</Value></FilterRule></S3Key></Filter>"
        "</QueueConfiguration></NotificationConfiguration>"
    )
    answer = wire.send("PUT", f"/{bucket}", query=[("notification", "")], body=document.encode())
    assert answer.status == 400
    assert answer.code in {"MalformedXML", "InvalidArgument"}


def test_records_tell_what_happened(
    owner: Any, versioned: str, webhook: str, receiver: WebhookReceiver, live: LiveSystem, part: bytes
) -> None:
    bucket = versioned
    notify(
        owner,
        bucket,
        queue(webhook, CREATED, REMOVED, "s3:ObjectTagging:*", "s3:ObjectAcl:Put", prefix="in/", Id="all"),
    )
    put = owner.put_object(Bucket=bucket, Key="in/a key+ü", Body=b"hello")
    owner.put_object(Bucket=bucket, Key="out", Body=b"x")
    owner.copy_object(Bucket=bucket, Key="in/b", CopySource={"Bucket": bucket, "Key": "out"})
    upload = owner.create_multipart_upload(Bucket=bucket, Key="in/c")["UploadId"]
    uploaded = owner.upload_part(Bucket=bucket, Key="in/c", UploadId=upload, PartNumber=1, Body=part)
    owner.complete_multipart_upload(
        Bucket=bucket,
        Key="in/c",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": uploaded["ETag"]}]},
    )
    form = owner.generate_presigned_post(Bucket=bucket, Key="in/d")
    import requests

    assert requests.post(form["url"], data=form["fields"], files={"file": b"form"}, timeout=30).status_code == 204
    owner.put_object_tagging(Bucket=bucket, Key="in/b", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    owner.delete_object_tagging(Bucket=bucket, Key="in/b")
    owner.put_object_acl(Bucket=bucket, Key="in/b", ACL="public-read")
    owner.delete_object(Bucket=bucket, Key="in/b")
    owner.delete_object(Bucket=bucket, Key="in/a key+ü", VersionId=put["VersionId"])
    expected = {
        "in/a key+ü": ["ObjectCreated:Put", "ObjectRemoved:Delete"],
        "in/b": [
            "ObjectCreated:Copy",
            "ObjectTagging:Put",
            "ObjectTagging:Delete",
            "ObjectAcl:Put",
            "ObjectRemoved:DeleteMarkerCreated",
        ],
        "in/c": ["ObjectCreated:CompleteMultipartUpload"],
        "in/d": ["ObjectCreated:Post"],
    }

    def told() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in receiver.records(bucket):
            found.setdefault(unquote_plus(record["s3"]["object"]["key"]), []).append(record["eventName"])
        return found

    with suppress(AssertionError):
        wait_until(lambda: told() == expected, "all are told", seconds=PATIENCE_SECONDS)
    assert told() == expected
    record = next(one for one in receiver.records(bucket) if one["eventName"] == "ObjectCreated:Put")
    assert record["eventVersion"] == "2.1"
    assert record["eventSource"] == "aws:s3"
    assert record["awsRegion"] == "us-east-1"
    assert record["requestParameters"]["sourceIPAddress"] == "127.0.0.1"
    assert record["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]
    described = record["s3"]
    assert described["configurationId"] == "all"
    assert described["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    assert described["object"]["key"] == "in/a+key%2B%C3%BC"
    assert described["object"]["size"] == 5
    assert described["object"]["eTag"] == put["ETag"].strip('"')
    assert described["object"]["versionId"] == put["VersionId"]
    _, headers, tested = next(post for post in receiver.posts if post[2].get("Bucket") == bucket)
    assert tested["Event"] == "s3:TestEvent"
    assert tested["Service"] == "Amazon S3"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["x-objstore-signature"].startswith("sha256=")


def test_an_unversioned_bucket_tells_of_no_versions_and_of_lifecycle(
    owner: Any, bucket: str, webhook: str, receiver: WebhookReceiver
) -> None:
    notify(owner, bucket, queue(webhook, CREATED, REMOVED, "s3:LifecycleExpiration:*"))
    owner.put_object(Bucket=bucket, Key="gone", Body=b"x")
    owner.delete_object(Bucket=bucket, Key="gone")
    owner.delete_object(Bucket=bucket, Key="gone")
    owner.put_object(Bucket=bucket, Key="expires", Body=b"x")
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "expires"}, "Expiration": {"Days": 1}}
    owner.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    wait_until(
        lambda: "LifecycleExpiration:Delete" in names(receiver, bucket), "the expiration", seconds=PATIENCE_SECONDS
    )
    records = receiver.records(bucket)
    assert sorted(record["eventName"] for record in records) == [
        "LifecycleExpiration:Delete",
        "ObjectCreated:Put",
        "ObjectCreated:Put",
        "ObjectRemoved:Delete",
    ]
    assert all("versionId" not in record["s3"]["object"] for record in records)
    expired = next(record for record in records if record["eventName"] == "LifecycleExpiration:Delete")
    assert expired["userIdentity"]["principalId"] == "s3.amazonaws.com"
    owner.delete_bucket(Bucket=bucket)


def test_one_event_that_is_refused_stops_its_key_alone_and_becomes_a_dead_letter(
    owner: Any, bucket: str, webhook: str, receiver: WebhookReceiver, live: LiveSystem
) -> None:
    notify(owner, bucket, queue(webhook, CREATED))
    key = f"poison-{bucket}"
    receiver.refused_keys.add(key)
    owner.put_object(Bucket=bucket, Key=key, Body=b"1")
    owner.put_object(Bucket=bucket, Key=key, Body=b"22")
    for number in range(3):
        owner.put_object(Bucket=bucket, Key=f"good-{number}", Body=b"x")
    wait_until(lambda: len(names(receiver, bucket)) == 3, "the others arrive", seconds=PATIENCE_SECONDS)
    given_up = (
        "from events.models import Event; from django.db.models.functions import Now;"
        f"Event.objects.filter(key={key!r}).update(dead_at=Now())"
    )
    live.manage("shell", "-c", given_up)
    receiver.refused_keys.clear()
    assert len(names(receiver, bucket)) == 3
    assert "2 events will be sent again" in live.manage("redeliver_events", webhook.split(":")[4]).stdout
    wait_until(lambda: len(names(receiver, bucket)) == 5, "the dead letters arrive", seconds=PATIENCE_SECONDS)
    sizes = [record["s3"]["object"]["size"] for record in receiver.records(bucket)[3:]]
    assert sizes == [1, 2]


def test_nothing_is_lost_while_the_receiver_is_down_and_workers_are_killed(
    owner: Any, versioned: str, webhook: str, receiver: WebhookReceiver, live: LiveSystem
) -> None:
    bucket = versioned
    notify(owner, bucket, queue(webhook, CREATED, REMOVED))
    wait_until(lambda: any(body.get("Bucket") == bucket for _, _, body in receiver.posts), "the test event", seconds=60)
    receiver.stop()
    committed: dict[str, list[str]] = {}

    def write(number: int) -> None:
        client, choice = live.client(), random.Random(number)
        for _ in range(25):
            key = f"writer-{number}/{choice.randrange(4)}"
            if choice.random() < 0.8:
                version = client.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"]
            else:
                version = client.delete_object(Bucket=bucket, Key=key)["VersionId"]
            committed.setdefault(key, []).append(version)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    os.kill(live.process_ids["worker"], signal.SIGKILL)
    receiver.start()
    wait_until(lambda: len(receiver.records(bucket)) >= 5, "deliveries go on", seconds=PATIENCE_SECONDS)
    os.kill(live.process_ids["worker"], signal.SIGKILL)
    total = sum(len(versions) for versions in committed.values())

    def is_whole() -> bool:
        told = receiver.by_key(bucket)
        return sum(len(set(told[key])) for key in committed) >= total

    wait_until(is_whole, "every change is told", seconds=PATIENCE_SECONDS)
    for key, versions in committed.items():
        arrived = receiver.by_key(bucket)[key]
        first_times = list(dict.fromkeys(arrived))
        assert [version for _, version in first_times] == versions
        assert first_times == sorted(first_times)


def test_redis_streams_get_events(owner: Any, bucket: str, add_target: Callable[..., str], live: LiveSystem) -> None:
    url = f"unix://{live.runtime_dir}/valkey.sock"
    arn = add_target("redis", "--url", url, "--stream", "test-events")
    notify(owner, bucket, queue(arn, CREATED))
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    client = redis.Redis.from_url(url)
    wait_until(lambda: client.xlen("test-events") >= 2, "both arrive", seconds=PATIENCE_SECONDS)
    (_, tested), (_, entry) = client.xrange("test-events")
    assert tested[b"event"] == b"s3:TestEvent"
    assert entry[b"event"] == b"s3:ObjectCreated:Put"
    assert json.loads(entry[b"body"])["Records"][0]["s3"]["object"]["key"] == "k"


def test_brokers_get_events(owner: Any, bucket: str, add_target: Callable[..., str], tmp_path: Path) -> None:
    if not Broker.is_installed():
        pytest.skip("needs RabbitMQ: apt-get install rabbitmq-server")
    broker = Broker(tmp_path / "broker")
    try:
        arn = add_target("amqp", "--url", broker.url, "--routing-key", "events")
        notify(owner, bucket, queue(arn, CREATED))
        owner.put_object(Bucket=bucket, Key="k", Body=b"x")  # before there is a queue: it waits
        with Connection(broker.url) as connection:
            channel = connection.channel()
            channel.queue_declare("events", durable=True, auto_delete=False)
            bodies: list[dict[str, Any]] = []

            def has_arrived() -> bool:
                message = channel.basic_get("events", no_ack=True)
                if message is not None:
                    bodies.append(json.loads(message.body))
                return any("Records" in body for body in bodies)

            wait_until(has_arrived, "the event arrives", seconds=PATIENCE_SECONDS)
        assert {"s3:TestEvent", "ObjectCreated:Put"} == {
            body.get("Event") or body["Records"][0]["eventName"] for body in bodies
        }
    finally:
        broker.stop()


def test_an_event_bus_gets_everything_in_its_own_format(
    owner: Any, bucket: str, add_target: Callable[..., str], receiver: WebhookReceiver
) -> None:
    arn = add_target("webhook", "--url", f"{receiver.url}/bus", "--event-bus")
    notify(owner, bucket, EventBridgeConfiguration={})
    assert owner.get_bucket_notification_configuration(Bucket=bucket)["EventBridgeConfiguration"] == {}
    owner.put_object(Bucket=bucket, Key="a b", Body=b"x")
    owner.delete_object(Bucket=bucket, Key="a b")

    def told() -> list[dict[str, Any]]:
        return [
            body for path, _, body in receiver.posts if path == "/bus" and body["detail"]["bucket"]["name"] == bucket
        ]

    wait_until(lambda: len(told()) == 2, "both arrive", seconds=PATIENCE_SECONDS)
    created, deleted = told()
    assert created["detail-type"] == "Object Created"
    assert created["detail"]["object"]["key"] == "a b"
    assert created["detail"]["reason"] == "PutObject"
    assert created["resources"] == [f"arn:aws:s3:::{bucket}"]
    assert deleted["detail-type"] == "Object Deleted"
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"
    assert arn.endswith(":webhook")


def test_a_target_is_for_its_account_unless_it_is_opened_to_all(
    owner: Any, stranger: Any, stranger_account_id: str, bucket: str, add_target: Callable[..., str], receiver: Any
) -> None:
    theirs = f"theirs-{secrets.token_hex(6)}"
    stranger.create_bucket(Bucket=theirs)
    arguments = ("webhook", "--url", f"{receiver.url}/")
    own, other = add_target(*arguments), add_target(*arguments, "--account", stranger_account_id)
    shared = add_target(*arguments, "--all-accounts")
    for client, name, closed, opened in ((owner, bucket, other, own), (stranger, theirs, own, other)):
        with refused("InvalidArgument", 400):  # as one that there is not
            notify(client, name, queue(closed, CREATED))
        notify(client, name, queue(opened, CREATED))
        notify(client, name, queue(shared, CREATED))
    stranger.put_object(Bucket=theirs, Key="k", Body=b"x")
    wait_until(lambda: "k" in receiver.by_key(theirs), "the shared target is told", seconds=PATIENCE_SECONDS)
