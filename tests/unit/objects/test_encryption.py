"""What a request may ask of encryption, what is stored, and which copies may share chunks."""

from __future__ import annotations

import base64
import json

import pytest

from objects.customer_keys import CustomerKey
from objects.encryption import (
    EncryptionChoice,
    Method,
    StoredEncryption,
    choice_of_rule,
    choose,
    concealed_etag,
    encryption_members,
    may_share_chunks,
)
from s3protocol import errors

CUSTOMER, OTHER = CustomerKey(b"c" * 32, "c's MD5"), CustomerKey(b"o" * 32, "o's MD5")
STORED = {
    "plain": None,
    "s3": StoredEncryption(Method.SSE_S3, "w", "objstore-s3", 1),
    "kms": StoredEncryption(Method.SSE_KMS, "w", "k", 3, "alias/k", '{"a":"b"}', has_bucket_key=True),
    "c": StoredEncryption(Method.SSE_C, "w"),
}
CHOICES = {
    "plain": None,
    "s3": EncryptionChoice(Method.SSE_S3),
    "kms": EncryptionChoice(Method.SSE_KMS),
    "c": EncryptionChoice(Method.SSE_C, customer_key=CUSTOMER),
}


def ask(**members):
    given = {
        "server_side_encryption": None,
        "key_id": None,
        "context": None,
        "bucket_key_enabled": None,
        "customer_key": None,
        **members,
    }
    return choose(**given)


def test_who_asks_for_nothing_gets_no_choice():
    assert ask() is None
    assert ask(bucket_key_enabled=True) is None


def test_each_method_is_chosen_by_its_members():
    assert ask(server_side_encryption="AES256") == EncryptionChoice(Method.SSE_S3)
    assert ask(server_side_encryption="aws:kms", key_id="k", bucket_key_enabled=True) == EncryptionChoice(
        Method.SSE_KMS, "k", "", has_bucket_key=True
    )
    assert ask(customer_key=CUSTOMER) == EncryptionChoice(Method.SSE_C, customer_key=CUSTOMER)


def test_a_context_is_bound_in_one_form():
    header = base64.b64encode(json.dumps({"b": "2", "a": "ä"}).encode()).decode()
    chosen = ask(server_side_encryption="aws:kms", context=header)
    assert json.loads(chosen.context) == {"a": "ä", "b": "2"}
    assert chosen.context.startswith('{"a":')


@pytest.mark.parametrize(
    "members",
    [
        {"customer_key": CUSTOMER, "server_side_encryption": "AES256"},
        {"customer_key": CUSTOMER, "key_id": "k"},
        {"server_side_encryption": "AES256", "key_id": "k"},
        {"server_side_encryption": "AES256", "context": "e30="},
        {"key_id": "k"},
        {"server_side_encryption": "rot13"},
        {"server_side_encryption": "aws:kms", "context": "?"},
        {"server_side_encryption": "aws:kms", "context": base64.b64encode(b'{"a": 1}').decode()},
    ],
)
def test_contradictions_and_nonsense_are_invalid_arguments(members):
    with pytest.raises(errors.InvalidArgument):
        ask(**members)


def test_what_is_not_served_says_so():
    with pytest.raises(errors.NotImplemented):
        ask(server_side_encryption="aws:kms:dsse")


@pytest.mark.parametrize("stored", [one for one in STORED.values() if one is not None])
def test_what_is_stored_is_read_back(stored):
    document = json.loads(json.dumps(stored.document()))
    assert StoredEncryption.from_document(document) == stored


def test_an_empty_document_is_no_encryption():
    assert StoredEncryption.from_document({}) is None


def test_the_choice_of_a_bucket():
    assert choice_of_rule(None) is None
    assert choice_of_rule({"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}) is None
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}
    assert choice_of_rule(
        {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    ) == EncryptionChoice(Method.SSE_KMS, "k", "", has_bucket_key=True)


@pytest.mark.parametrize(
    ("source", "choice", "shares"),
    [
        ("plain", "plain", True),
        ("plain", "s3", False),
        ("plain", "kms", False),
        ("plain", "c", False),
        ("s3", "plain", False),
        ("s3", "s3", True),
        ("s3", "kms", True),
        ("kms", "s3", True),
        ("kms", "kms", True),
        ("kms", "c", False),
        ("c", "s3", False),
        ("c", "plain", False),
        ("c", "c", True),
    ],
)
def test_chunks_are_shared_where_one_data_key_may_serve_both(source, choice, shares):
    assert may_share_chunks(STORED[source], CUSTOMER if source == "c" else None, CHOICES[choice]) is shares


def test_another_customers_key_shares_nothing():
    assert not may_share_chunks(STORED["c"], OTHER, CHOICES["c"])
    assert not may_share_chunks(STORED["c"], None, CHOICES["c"])


def test_a_concealed_etag_keeps_its_form_and_needs_the_key():
    etag = "d41d8cd98f00b204e9800998ecf8427e"
    concealed = concealed_etag(b"k" * 32, etag)
    assert len(concealed) == 32
    assert concealed == concealed_etag(b"k" * 32, etag)
    assert concealed not in (etag, concealed_etag(b"l" * 32, etag))
    assert concealed_etag(b"k" * 32, etag + "-7") == concealed + "-7"


def test_answers_show_the_method_and_what_belongs_to_it():
    assert encryption_members(None) == {}
    assert encryption_members(STORED["s3"]) == {"ServerSideEncryption": "AES256"}
    shown = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/k", "BucketKeyEnabled": True}
    assert encryption_members(STORED["kms"]) == shown
    context = base64.b64encode(b'{"a":"b"}').decode()
    assert encryption_members(STORED["kms"], is_write=True) == {**shown, "SSEKMSEncryptionContext": context}
    assert encryption_members(STORED["c"], CUSTOMER) == {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKeyMD5": "c's MD5",
    }


def test_keys_are_not_shown_where_values_are_printed():
    assert "ccc" not in repr(CHOICES["c"])
