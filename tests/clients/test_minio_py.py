"""minio-py: fput, fget, list, stat, copy, remove."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from tests.clients.trees import fingerprints
from tests.live.system import LiveSystem


@pytest.fixture
def minio(system: LiveSystem) -> Minio:
    """The client."""
    return Minio(
        endpoint=urlsplit(system.endpoint).netloc,
        access_key=system.access_key,
        secret_key=system.secret_key,
        secure=False,
        region=system.region,
    )


def test_a_tree_goes_up_and_comes_down(
    minio: Minio, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    for name in tree_fingerprints:
        minio.fput_object(bucket_name=bucket, object_name=name, file_path=str(tree / name))
    listed = {item.object_name: item for item in minio.list_objects(bucket_name=bucket, recursive=True)}
    assert listed.keys() == tree_fingerprints.keys()
    for name in tree_fingerprints:
        minio.fget_object(bucket_name=bucket, object_name=name, file_path=str(tmp_path / "back" / name))
    assert fingerprints(tmp_path / "back") == tree_fingerprints


def test_an_object_is_described_copied_and_removed(minio: Minio, bucket: str, tree: Path) -> None:
    minio.fput_object(bucket_name=bucket, object_name="a b", file_path=str(tree / "tilde~"), metadata={"colour": "red"})
    found = minio.stat_object(bucket_name=bucket, object_name="a b")
    assert found.size == (tree / "tilde~").stat().st_size
    assert found.metadata is not None
    assert found.metadata["x-amz-meta-colour"] == "red"
    minio.copy_object(bucket_name=bucket, object_name="copy", source=CopySource(bucket_name=bucket, object_name="a b"))
    minio.remove_object(bucket_name=bucket, object_name="a b")
    with pytest.raises(S3Error) as caught:
        minio.stat_object(bucket_name=bucket, object_name="a b")
    assert caught.value.code == "NoSuchKey"
    errors = list(minio.remove_objects(bucket_name=bucket, delete_object_list=[DeleteObject("copy")]))
    assert errors == []
    assert list(minio.list_objects(bucket_name=bucket)) == []
