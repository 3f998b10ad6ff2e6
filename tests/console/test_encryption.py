"""Encrypted objects in the console: shown, downloaded, uploaded, brought back; a customer's are shown alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.console.session import Person
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live

CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}


@pytest.mark.parametrize("algorithm", ["AES256", "aws:kms"])
def test_an_encrypted_object_is_downloaded_and_brought_back(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str], algorithm: str
) -> None:
    bucket, client = new_bucket(), live.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"body", ServerSideEncryption=algorithm)
    page = operator.session.get(f"/buckets/{bucket}/object/", key="k").text
    assert "<dt>Encryption</dt><dd>by " in page
    assert operator.session.get(f"/buckets/{bucket}/download/", key="k").body == b"body"
    client.delete_object(Bucket=bucket, Key="k")
    row = re.search(r"row=(\d+)", operator.session.get(f"/buckets/{bucket}/object/", key="k").text)
    assert row
    operator.session.post(f"/buckets/{bucket}/restore/", {"key": "k", "row": row[1]})
    got = client.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["ServerSideEncryption"]) == (b"body", algorithm)


def test_a_customers_object_says_that_it_needs_the_key(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket = new_bucket()
    live.client().put_object(Bucket=bucket, Key="k", Body=b"body", **CUSTOMER)
    page = operator.session.get(f"/buckets/{bucket}/object/", key="k").text
    assert "SSE-C" in page
    assert "</svg>Download</a>" not in page
    answer = operator.session.get(f"/buckets/{bucket}/download/", key="k")
    assert answer.status == 400
    assert "Server Side Encryption" in answer.text


def test_an_upload_gets_the_buckets_encryption(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket, client = new_bucket(), live.client()
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert operator.session.upload(bucket, "k", b"body").status == 200
    assert client.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
