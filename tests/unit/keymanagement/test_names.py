"""How clients may name a key."""

from __future__ import annotations

import pytest

from keymanagement.errors import KeyNotFound
from keymanagement.names import DEFAULT_KMS_KEY, SSE_S3_KEY, is_arn, is_valid_key_name, key_arn, parse_key_reference


@pytest.mark.parametrize(
    "reference",
    [
        "payroll",
        "alias/payroll",
        "key/payroll",
        "arn:aws:kms:eu-west-1:123456789012:key/payroll",
        "arn:aws:kms:eu-west-1:123456789012:alias/payroll",
        "arn:aws-cn:kms:::key/payroll",
        key_arn("payroll", "us-east-1"),
    ],
)
def test_every_form_of_a_reference_names_the_key(reference):
    assert parse_key_reference(reference) == "payroll"


@pytest.mark.parametrize("reference", ["alias/aws/s3", "arn:aws:kms:us-east-1:000000000000:alias/aws/s3"])
def test_the_alias_of_aws_means_the_default_key(reference):
    assert parse_key_reference(reference) == DEFAULT_KMS_KEY


@pytest.mark.parametrize(
    "reference", ["", "arn:aws:s3:::bucket/key", "arn:aws:kms:r:a:other/x", "a/b", "a b", "ä", "x" * 129, SSE_S3_KEY]
)
def test_what_is_no_reference_is_not_found(reference):
    with pytest.raises(KeyNotFound):
        parse_key_reference(reference)


def test_names_and_arns_are_told_apart():
    assert is_arn(key_arn("k", "us-east-1"))
    assert not is_arn("alias/k")
    assert is_valid_key_name("testkey-1")
    assert not is_valid_key_name("../k")
