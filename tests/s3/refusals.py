"""Expecting S3's errors of a boto3 client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, status: int) -> Iterator[dict[str, Any]]:
    """Expect a refusal with just this code and status; yield a dict that holds the whole response afterwards.

    A HEAD has no error document: botocore gives the status as its code.
    """
    response: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield response
    response.update(caught.value.response)
    found = caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert found == (code, status), caught.value
