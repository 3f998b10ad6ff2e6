"""What tests of signatures share: AWS's example keys, what requests are made of, and both sides of a signature."""

import json
from pathlib import Path

from hypothesis import strategies as st

from s3protocol import errors, presign, timestamps
from s3protocol.signatures import (
    read_signature,
    verify_signature,
)

DATA = Path(__file__).parents[2] / "data" / "sigv4"
DOCUMENTATION = json.loads((DATA / "s3_documentation.json").read_text())
RULES = json.loads((DATA / "canonicalisation.json").read_text())
NOW = timestamps.parse_basic(DOCUMENTATION["now"])
ACCESS_KEY_ID, SECRET_KEY = DOCUMENTATION["access_key_id"], DOCUMENTATION["secret_key"]
CREDENTIALS = presign.SigningCredentials(ACCESS_KEY_ID, SECRET_KEY)
ENDPOINT = "http://127.0.0.1:9000"

KEYS = st.one_of(
    st.sampled_from(
        ["a b", "a+b", "a%20b", "100%", "//", "a//b", "../a", "a/./b", "a/..", "~", "ünï", "😀", "!*'()", "=&?#"]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
WORDS = st.one_of(
    st.sampled_from(["", "a b", "a+b", "100%", "a=b", "a&b", "ünï", "~", "/"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=10),
)
QUERIES = st.lists(st.tuples(WORDS.filter(bool), WORDS), max_size=4)
# Printable ASCII: header values of other kinds are not sent alike by all clients.
HEADER_VALUES = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20).filter(
    lambda value: value == value.strip()
)
METADATA = st.dictionaries(st.from_regex(r"x-amz-meta-[a-z]{1,5}", fullmatch=True), HEADER_VALUES, max_size=3)


def signed(method="GET", path="/bucket/key", query=(), headers=None, now=NOW, **options):
    return presign.sign_request_v4(
        CREDENTIALS, method=method, endpoint=ENDPOINT, path=path, query=query, headers=headers, now=now, **options
    )


def verify(headers, *, method="GET", path="/bucket/key", raw_query="", now=NOW, secret_key=SECRET_KEY, **options):
    presented = read_signature(headers, raw_query)
    assert presented is not None
    if presented.access_key_id not in {ACCESS_KEY_ID, "a"}:  # what the look-up of the secret would say
        raise errors.InvalidAccessKeyId
    return verify_signature(
        presented,
        secret_key=secret_key,
        method=method,
        path=path,
        raw_query=raw_query,
        headers=headers,
        now=now,
        **options,
    )
