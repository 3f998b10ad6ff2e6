"""Request payment: where requesters pay, others say that they agree. And what is kept of transfer acceleration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.s3.refusals import refused


@pytest.fixture
def shared(owner: Any, bucket: str) -> str:
    """A bucket that anybody may read, at the reader's cost."""
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    )
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    owner.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    return bucket


def test_the_owner_pays_unless_said_otherwise(owner: Any, bucket: str) -> None:
    assert owner.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for payer in ("Requester", "BucketOwner"):
        owner.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": payer})
        assert owner.get_bucket_request_payment(Bucket=bucket)["Payer"] == payer
    with refused("MalformedXML", 400):
        owner.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Nobody"})


def test_others_must_agree_and_be_somebody(owner: Any, stranger: Any, anonymous: Any, shared: str) -> None:
    with refused("AccessDenied", 403):
        stranger.get_object(Bucket=shared, Key="k")
    got = stranger.get_object(Bucket=shared, Key="k", RequestPayer="requester")
    assert (got["Body"].read(), got["RequestCharged"]) == (b"x", "requester")
    with refused("AccessDenied", 403):
        anonymous.get_object(Bucket=shared, Key="k", RequestPayer="requester")
    assert "RequestCharged" not in owner.get_object(Bucket=shared, Key="k")
    owner.put_bucket_request_payment(Bucket=shared, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    assert anonymous.get_object(Bucket=shared, Key="k")["Body"].read() == b"x"


def test_a_copy_from_there_is_charged_too(stranger: Any, shared: str) -> None:
    own = f"{shared}-copies"
    stranger.create_bucket(Bucket=own)
    named = {"Bucket": own, "Key": "k", "CopySource": {"Bucket": shared, "Key": "k"}}
    with refused("AccessDenied", 403):
        stranger.copy_object(**named)
    stranger.copy_object(**named, RequestPayer="requester")


def test_acceleration_is_kept(owner: Any, bucket: str) -> None:
    assert "Status" not in owner.get_bucket_accelerate_configuration(Bucket=bucket)
    owner.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Suspended"})
    assert owner.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == "Suspended"
