"""The audit log of a running system: who did what to which object, and who was refused by what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.console.session import ConsoleSession
from tests.live.manage import REPOSITORY
from tests.live.processes import wait_until
from tests.live.system import LiveSystem, free_ports, status_of
from tests.s3.audit_rows import audit_rows, wait_for_rows
from tests.s3.sharing import allow

pytestmark = pytest.mark.live


def request_id(answer: dict[str, Any]) -> str:
    return str(answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"])


@pytest.fixture(scope="module")
def told(live: LiveSystem, owner: Any, stranger: Any, anonymous: Any, new_bucket: Any) -> dict[str, Any]:
    """One bucket in which everything happens, and the rows that it left."""
    name = new_bucket()
    owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    put = owner.put_object(Bucket=name, Key="käse \t/1", Body=b"x" * 1000)
    got = owner.get_object(Bucket=name, Key="käse \t/1", Range="bytes=0-99")
    assert len(got["Body"].read()) == 100
    owner.head_object(Bucket=name, Key="käse \t/1")
    owner.put_object_tagging(Bucket=name, Key="käse \t/1", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    for client in (stranger, anonymous):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.get_object(Bucket=name, Key="käse \t/1")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        owner.put_object(Bucket=name, Key="käse \t/1", Body=b"y", IfNoneMatch="*")
    owner.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "käse \t/1"})
    upload = owner.create_multipart_upload(Bucket=name, Key="parts")["UploadId"]
    part = owner.upload_part(Bucket=name, Key="parts", UploadId=upload, PartNumber=1, Body=b"p")
    owner.complete_multipart_upload(
        Bucket=name, Key="parts", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )  # fmt: skip
    owner.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "copy"}, {"Key": "nothing"}]})
    rows = wait_for_rows(live, 17, "--bucket", name)
    return {"bucket": name, "rows": rows, "put": put, "got": got}


def of(told: dict[str, Any], operation: str, **columns: Any) -> list[dict[str, Any]]:
    return [
        row
        for row in told["rows"]
        if row["operation"] == operation and all(row.get(name) == value for name, value in columns.items())
    ]


def test_a_write_is_told_with_its_version_and_sizes(told: dict[str, Any], live: LiveSystem) -> None:
    (row,) = of(told, "PutObject", status=200)
    assert row["request_id"] == request_id(told["put"])
    assert (row["key"], row["version_id"]) == ("käse \t/1", told["put"]["VersionId"])
    assert (row["action"], row["outcome"], row["access_key_id"]) == ("s3:PutObject", "allowed", live.access_key)
    assert row["principal"].startswith("arn:aws:iam::")
    assert row["principal"].endswith(":root")
    assert row["account_id"] == row["owner_id"]
    assert row["object_bytes"] == 1000
    assert row["bytes_in"] >= 1000
    assert row["source_ip"] == "127.0.0.1"
    assert "Botocore" in row["user_agent"] or "Boto3" in row["user_agent"]
    assert row["duration_us"] > 0


def test_a_read_is_told_with_the_bytes_that_went_out(told: dict[str, Any]) -> None:
    (row,) = of(told, "GetObject", status=206)
    assert (row["bytes_out"], row["object_bytes"]) == (100, 1000)
    assert row["request_id"] == request_id(told["got"])
    assert len(of(told, "HeadObject", status=200)) == 1


def test_a_refusal_is_told_with_its_trace(told: dict[str, Any]) -> None:
    refused = of(told, "GetObject", status=403)
    assert len(refused) == 2
    for row in refused:
        assert (row["outcome"], row["error_code"]) == ("not allowed", "AccessDenied")
        assert row["reason"]
        assert row["trace"]["decisions"][0]["action"] == "s3:GetObject"
    assert {row["principal"] == "*" for row in refused} == {True, False}


def test_a_failed_condition_changes_nothing_and_is_told(told: dict[str, Any]) -> None:
    (row,) = of(told, "PutObject", status=412)
    assert row["error_code"] == "PreconditionFailed"


def test_changes_of_every_kind_have_one_row_each(told: dict[str, Any]) -> None:
    for operation in (
        "CreateBucket", "PutBucketVersioning", "PutObjectTagging", "CreateMultipartUpload", "UploadPart",
        "CompleteMultipartUpload",
    ):  # fmt: skip
        assert len(of(told, operation)) == 1, operation


def test_a_copy_has_a_row_for_what_it_reads_and_one_for_what_it_writes(told: dict[str, Any]) -> None:
    rows = of(told, "CopyObject")
    named = {row["action"]: row["key"] for row in rows}
    assert named == {"s3:GetObject": "käse \t/1", "s3:PutObject": "copy"}
    assert len({row["request_id"] for row in rows}) == 1


def test_why_a_copy_s_source_was_refused_is_told_to_its_owner_alone(
    live: LiveSystem, owner: Any, stranger: Any, new_bucket: Any
) -> None:
    source, target = new_bucket(), new_bucket()
    owner.put_object(Bucket=source, Key="k", Body=b"x")
    allow(owner, target, "s3:PutObject")
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.copy_object(Bucket=target, Key="copy", CopySource={"Bucket": source, "Key": "k"})
    (refused,) = wait_for_rows(live, 1, "--bucket", source, "--operation", "CopyObject")
    assert (refused["key"], refused["outcome"], refused["status"]) == ("k", "not allowed", 403)
    (written,) = wait_for_rows(live, 1, "--bucket", target, "--operation", "CopyObject")
    assert written["status"] == 403
    assert "outcome" not in written


def test_a_form_is_told_with_the_status_that_it_asks_for(live: LiveSystem, owner: Any, bucket: str) -> None:
    form = owner.generate_presigned_post(bucket, "k")
    fields = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in [*form["fields"].items(), ("file", "y")]
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = ConsoleSession(live.endpoint).request(
        f"/{bucket}", method="POST", data=f"{fields}--x--\r\n".encode(), headers=headers
    )
    (row,) = wait_for_rows(live, 1, "--bucket", bucket, "--operation", "PostObject")
    assert answer.status == row["status"] == 204


def test_delete_objects_has_a_row_for_each_key_and_one_for_the_request(told: dict[str, Any]) -> None:
    rows = of(told, "DeleteObjects")
    assert sorted(row.get("key", "") for row in rows) == ["", "copy", "nothing"]
    assert all(row["version_id"] for row in rows if row.get("key"))  # the delete markers


def test_a_wrong_signature_is_told_with_the_key_that_it_claims(live: LiveSystem, new_bucket: Any) -> None:
    name = new_bucket()
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        live.client(aws_secret_access_key="wrong").get_object(Bucket=name, Key="k")
    (row,) = wait_for_rows(live, 1, "--bucket", name, "--is-refused", "true")
    assert (row["error_code"], row["access_key_id"]) == ("SignatureDoesNotMatch", live.access_key)
    assert not row.get("principal")


def test_a_presigned_signature_is_not_in_the_log(live: LiveSystem, owner: Any, bucket: str) -> None:
    link = owner.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    ConsoleSession(live.endpoint).get(link.removeprefix(live.endpoint))
    (row,) = wait_for_rows(live, 1, "--bucket", bucket, "--operation", "GetObject")
    assert "Signature=-" in row["request_uri"] or "Signature=-" in row["request_uri"].replace("X-Amz-", "")


def test_the_console_and_commands_are_audited(live: LiveSystem, bucket: str) -> None:
    session = ConsoleSession(live.console_url)
    session.sign_in(live.admin_user, "wrong")
    session.sign_in(live.admin_user, live.admin_password)
    session.get(f"/buckets/{bucket}/")
    wait_for_rows(live, 1, "--bucket", bucket, "--operation", "console:browse")
    failed = audit_rows(live, "--operation", "console:sign-in", "--error-code", "SignInFailed")
    assert failed
    live.manage("create_account", "audited", "--email", "audited@example.org", "--secret-key", "s" * 40)
    (row,) = audit_rows(live, "--operation", "create_account", "--account-id", "", "--source", "command")[-1:]
    assert row["principal"].startswith("command:")
    assert "s" * 40 not in row["request_uri"]


def test_what_is_sealed_verifies(live: LiveSystem, told: dict[str, Any]) -> None:
    live.manage("keep_audit_log")
    verified = live.manage("audit_verify").stdout
    assert "everything that is sealed is as it was written" in verified
    assert int(verified.split(": ")[1].split()[0]) > 10


def test_a_read_that_the_client_cuts_off_is_told(live: LiveSystem, owner: Any, wire: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="large", Body=bytes(40 << 20))
    body = owner.get_object(Bucket=bucket, Key="large")["Body"]
    body.read(1000)
    body.close()
    (row,) = wait_for_rows(live, 1, "--bucket", bucket, "--operation", "GetObject")
    assert row["status"] == 200
    assert row["bytes_out"] < 40 << 20


def test_a_gateway_that_ends_writes_what_it_has(live: LiveSystem, owner: Any, bucket: str, tmp_path: Path) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    address = f"127.0.0.1:{free_ports(1)[0]}"
    environment = {**live.environment, "OBJSTORE_S3_ADDRESS": address, "OBJSTORE_GATEWAY_WORKERS": "1"}
    with (tmp_path / "log").open("wb") as log:
        gateway = subprocess.Popen(
            [sys.executable, "-m", "objstore_project.supervisor.web_server", "gateway"],
            cwd=REPOSITORY, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until(lambda: status_of(f"http://{address}/-/ready") == 200, "the second gateway serves")
        client = live.client(endpoint_url=f"http://{address}")
        for _ in range(20):
            client.get_object(Bucket=bucket, Key="k")["Body"].read()
    finally:
        gateway.terminate()
        gateway.wait(30)
    rows = [row for row in audit_rows(live, "--bucket", bucket, "--operation", "GetObject") if row["host"] == address]
    assert len(rows) == 20, (tmp_path / "log").read_text()
