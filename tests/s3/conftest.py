"""The cast of the S3 tests: owner, stranger and anonymous, each as a boto3 client and on the wire, and buckets."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from s3protocol.presign import SigningCredentials
from tests.live.system import LiveSystem
from tests.s3.wire import Wire


@pytest.fixture(scope="session")
def owner(live: LiveSystem) -> Any:
    """The client of the root account, which owns the buckets of the tests."""
    return live.client()


@pytest.fixture(scope="session")
def stranger_account(live: LiveSystem) -> dict[str, str]:
    """Another account."""
    made = live.manage("create_account", "stranger", "--email", "stranger@example.org", "--json")
    return dict(json.loads(made.stdout))


@pytest.fixture(scope="session")
def stranger_account_id(stranger_account: dict[str, str]) -> str:
    """The other account, as policies name it."""
    return stranger_account["id"]


@pytest.fixture(scope="session")
def stranger_credentials(stranger_account: dict[str, str]) -> SigningCredentials:
    """The keys of another account."""
    return SigningCredentials(stranger_account["access_key"], stranger_account["secret_key"])


@pytest.fixture(scope="session")
def stranger(live: LiveSystem, stranger_credentials: SigningCredentials) -> Any:
    """The client of another account."""
    return live.client(
        aws_access_key_id=stranger_credentials.access_key_id, aws_secret_access_key=stranger_credentials.secret_key
    )


@pytest.fixture(scope="session")
def anonymous(live: LiveSystem) -> Any:
    """The client of nobody."""
    return live.client(
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    )


@pytest.fixture(scope="session")
def wire(live: LiveSystem) -> Wire:
    """The owner's way to send what boto3 would not."""
    address = urlsplit(live.endpoint)
    assert address.hostname is not None
    assert address.port is not None
    credentials = SigningCredentials(live.access_key, live.secret_key)
    return Wire((address.hostname, address.port), address.netloc, credentials)


@pytest.fixture(scope="session")
def unsigned_wire(wire: Wire) -> Wire:
    """Nobody's way."""
    return Wire(wire.address, wire.host, None)


@pytest.fixture(scope="session")
def new_bucket(owner: Any) -> Callable[[], str]:
    """Make a bucket of the owner's and return its name."""

    def make() -> str:
        name = f"test-{secrets.token_hex(6)}"
        owner.create_bucket(Bucket=name)
        return name

    return make


@pytest.fixture
def bucket(new_bucket: Callable[[], str]) -> str:
    """A bucket of the owner's, empty."""
    return new_bucket()


@pytest.fixture
def versioned(owner: Any, bucket: str) -> str:
    """A bucket of the owner's with versioning enabled, empty."""
    owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


@pytest.fixture(scope="session")
def part() -> bytes:
    """Bytes just large enough for a part that is not the last."""
    return random.Random(7).randbytes(5 << 20)


@pytest.fixture(scope="session")
def iam(live: LiveSystem) -> Any:
    """IAM's client of the root account."""
    return live.client("iam")


@pytest.fixture(scope="session")
def sts(live: LiveSystem) -> Any:
    """STS's client of the root account."""
    return live.client("sts")
