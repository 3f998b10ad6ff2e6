"""The rule of a bucket's default encryption."""

from __future__ import annotations

import pytest

from buckets.encryption import blocks_customer_keys, checked_rule
from s3protocol import errors


def configuration(**default):
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}


def test_a_rule_is_kept_as_it_is():
    given = configuration(SSEAlgorithm="aws:kms", KMSMasterKeyID="k")
    given["Rules"][0]["BucketKeyEnabled"] = True
    assert checked_rule(given) == given["Rules"][0]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Rules": []},
        {"Rules": [{}, {}]},
        {"Rules": [{"BucketKeyEnabled": True}]},
        configuration(SSEAlgorithm="aws:backup"),
        configuration(),
        {"Rules": [{"BlockedEncryptionTypes": {"EncryptionType": ["SSE-S3"]}}]},
    ],
)
def test_what_is_no_rule_is_malformed(given):
    with pytest.raises(errors.MalformedXML):
        checked_rule(given)


def test_a_key_belongs_to_kms_alone():
    with pytest.raises(errors.InvalidArgument):
        checked_rule(configuration(SSEAlgorithm="AES256", KMSMasterKeyID="k"))


def test_customers_keys_are_blocked_where_the_rule_says_so():
    assert blocks_customer_keys({"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}})
    assert not blocks_customer_keys({"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}})
    assert not blocks_customer_keys({})
    assert not blocks_customer_keys(None)
