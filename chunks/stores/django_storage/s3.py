"""Fragments as objects of an S3 bucket, through the client that django-storages makes.

One client serves all threads of a process, and each request is one of S3's own: a put is atomic and carries an MD5 that
the server checks, a range is a ranged GET, a listing comes in pages of a thousand with sizes and times. Keys lie
below the storage's `location`. The bucket should keep no versions, or expire them: what is deleted would stay.
"""

import base64
import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.constants import ALLOWED_DOWNLOAD_ARGS

from chunks.erasure import Buffer
from chunks.errors import FragmentMissing, NodeUnavailable, NoSpace
from chunks.stores.django_storage.drivers import CONNECT_SECONDS
from chunks.stores.protocol import StoredFragment

_CONNECTIONS_MAX = 32
_MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
_FULL = frozenset({"InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioStorageFull", "EDQUOT", "507"})
_PRECONDITION = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def client_config(options: dict[str, Any], answer_seconds: float) -> Config:
    """Return a configuration with time-outs, for options that state none of their own.

    Two tries, since a server that was restarted ends the connections that are kept open. Checksums only where S3
    demands them: other servers do not know the trailers that newer clients send.
    """
    return Config(
        connect_timeout=min(CONNECT_SECONDS, answer_seconds),
        read_timeout=answer_seconds,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=_CONNECTIONS_MAX,
        tcp_keepalive=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": options.get("addressing_style")},
        signature_version=options.get("signature_version"),
        proxies=options.get("proxies"),
    )


class S3Driver:
    """A `storages.backends.s3.S3Storage` or a class made from it."""

    def __init__(self, storage: Any) -> None:
        self._bucket: str = storage.bucket_name
        self._location: str = storage.location.strip("/")
        if not self._bucket:
            raise NodeUnavailable("the option bucket_name is missing")
        with _translated(self._bucket):
            self._client = storage.connection.meta.client
        self._parameters: dict[str, Any] = dict(storage.object_parameters)
        self._download_parameters = {
            name: value for name, value in self._parameters.items() if name in ALLOWED_DOWNLOAD_ARGS
        }

    def _key(self, path: str) -> str:
        return posixpath.join(self._location, path)

    def put(self, path: str, buffers: Sequence[Buffer]) -> None:
        """Put one object."""
        self._put(path, b"".join(buffers))

    def put_new(self, path: str, data: bytes) -> None:
        """Put an object under `If-None-Match`; that the path has one already is fine."""
        try:
            with _translated(path):
                self._client.put_object(**self._arguments(path, data), IfNoneMatch="*")
        except _Exists:
            return

    def _put(self, path: str, data: bytes) -> None:
        with _translated(path):
            self._client.put_object(**self._arguments(path, data))

    def _arguments(self, path: str, data: bytes) -> dict[str, Any]:
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        return {
            "ContentType": "application/octet-stream",
            **self._parameters,
            "Bucket": self._bucket,
            "Key": self._key(path),
            "Body": data,
            "ContentMD5": digest,
        }

    def prepare(self) -> None:
        """Do nothing: a bucket is made by its owner, and a prefix needs no making."""

    def get(self, path: str, offset: int, length: int) -> bytes:
        """Get a range; of a server that ignores ranges, cut it out."""
        if length <= 0:
            if self.stat(path) is None:
                raise FragmentMissing(path)
            return b""
        try:
            with _translated(path):
                answer = self._client.get_object(
                    Bucket=self._bucket,
                    Key=self._key(path),
                    Range=f"bytes={offset}-{offset + length - 1}",
                    **self._download_parameters,
                )
                data: bytes = answer["Body"].read()
        except _OutOfRange:
            return b""
        is_ranged = answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        return data if is_ranged else data[offset : offset + length]

    def stat(self, path: str) -> StoredFragment | None:
        """Ask for an object's head."""
        try:
            with _translated(path):
                head = self._client.head_object(Bucket=self._bucket, Key=self._key(path), **self._download_parameters)
        except FragmentMissing:
            return None
        return StoredFragment(posixpath.basename(path), head["ContentLength"], head["LastModified"])

    def delete(self, path: str) -> bool:
        """Delete an object. S3 does not say whether there was one, so it is looked for before."""
        is_there = self.stat(path) is not None
        if is_there:
            with _translated(path):
                self._client.delete_object(Bucket=self._bucket, Key=self._key(path))
        return is_there

    def list(self, directory: str) -> Iterator[StoredFragment]:
        """List a prefix, a page at a time."""
        prefix = self._key(directory) + "/"
        with _translated(directory):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for found in page.get("Contents", ()):
                    yield StoredFragment(found["Key"][len(prefix) :], found["Size"], found["LastModified"])

    def space(self) -> None:
        """Say nothing: S3 knows no end."""

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()


class _OutOfRange(Exception):
    """The range begins behind the end of the object."""


class _Exists(Exception):
    """The condition says that there is an object already."""


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn what boto3 raises into what a store raises. A bucket that is not there is a node that is down."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in _MISSING:
            raise FragmentMissing(what) from error
        if code in {"InvalidRange", "416"}:
            raise _OutOfRange from error
        if code in _PRECONDITION:
            raise _Exists from error
        if code in _FULL or status == 507:
            raise NoSpace(f"{code}: the storage is full") from error
        raise NodeUnavailable(f"{what}: {code or status}") from error
    except (BotoCoreError, OSError, ValueError) as error:
        raise NodeUnavailable(f"{what}: {error}") from error
