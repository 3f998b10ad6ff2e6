"""Keys that customers bring: how they are read, and how they wrap."""

from __future__ import annotations

import base64
import hashlib

import pytest

from objects.customer_keys import (
    CustomerKey,
    WrongCustomerKey,
    parse_customer_key,
    unwrap_by_customer,
    wrap_by_customer,
)
from s3protocol import errors

RAW = bytes(range(32))
KEY, MD5 = base64.b64encode(RAW).decode(), base64.b64encode(hashlib.md5(RAW).digest()).decode()
DATA_KEY = b"d" * 32


def test_a_key_is_read_with_its_digest():
    assert parse_customer_key("AES256", KEY, MD5) == CustomerKey(RAW, MD5)


def test_no_header_is_no_key():
    assert parse_customer_key(None, None, None) is None


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ((None, KEY, MD5), "algorithm"),
        (("AES128", KEY, MD5), "algorithm"),
        (("", KEY, MD5), "algorithm"),
        (("AES256", None, MD5), "key"),
        (("AES256", "", MD5), "key"),
        (("AES256", "ä", MD5), "key"),
        (("AES256", base64.b64encode(RAW[:31]).decode(), MD5), "key"),
        (("AES256", KEY, None), "key-MD5"),
        (("AES256", KEY, "AAAA"), "key-MD5"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_header(given, header):
    with pytest.raises(errors.InvalidArgument) as caught:
        parse_customer_key(*given)
    assert caught.value.members["ArgumentName"] == f"x-amz-server-side-encryption-customer-{header}"
    assert KEY not in str(caught.value.members)


def test_the_headers_of_a_copys_source_have_names_of_their_own():
    with pytest.raises(errors.InvalidArgument) as caught:
        parse_customer_key("AES256", None, None, header_prefix="x-amz-copy-source")
    assert caught.value.members["ArgumentName"] == "x-amz-copy-source-server-side-encryption-customer-key"


def test_a_wrapped_data_key_opens_with_the_same_key_alone():
    wrapped = wrap_by_customer(CustomerKey(RAW, MD5), DATA_KEY, salt=b"s" * 32)
    assert unwrap_by_customer(CustomerKey(RAW, MD5), wrapped) == DATA_KEY
    with pytest.raises(WrongCustomerKey):
        unwrap_by_customer(CustomerKey(b"o" * 32, ""), wrapped)


def test_the_wrap_never_changes_its_form():
    assert wrap_by_customer(CustomerKey(RAW, MD5), DATA_KEY, salt=b"s" * 32) == GOLDEN


GOLDEN = "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3MsKg-l3-tulUwOl8ONq1hvG8051lbUQbYG0QaCTvlxhIh5tdH9PiHTkIiDmTRE5kM="


def test_keys_are_compared_by_value():
    one = CustomerKey(RAW, MD5)
    assert one.is_same(CustomerKey(bytes(RAW), MD5))
    assert not one.is_same(CustomerKey(b"o" * 32, MD5))
    assert not one.is_same(None)


def test_a_key_does_not_show_when_printed():
    assert repr(RAW) not in repr(CustomerKey(RAW, MD5))
