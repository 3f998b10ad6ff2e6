"""boto3's transfer manager: files up and down, in parts and at once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from tests.clients.trees import PIECE_BYTES, fingerprints


def test_a_tree_goes_up_and_comes_down(
    client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    for name in tree_fingerprints:
        client.upload_file(str(tree / name), bucket, name)
    for name in tree_fingerprints:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, name, str(tmp_path / name))
    assert fingerprints(tmp_path) == tree_fingerprints


def test_a_large_file_goes_up_in_many_parts_at_once_and_comes_down_in_ranges(
    client: Any, bucket: str, tree: Path, tree_fingerprints: dict[str, str], tmp_path: Path
) -> None:
    config = TransferConfig(multipart_threshold=PIECE_BYTES, multipart_chunksize=5 * PIECE_BYTES, max_concurrency=8)
    for algorithm in ("CRC32", "SHA256", "CRC64NVME"):
        extra = {"ChecksumAlgorithm": algorithm, "Metadata": {"a": "1"}}
        client.upload_file(str(tree / "large.bin"), bucket, algorithm, ExtraArgs=extra, Config=config)
        assert "-" in client.head_object(Bucket=bucket, Key=algorithm)["ETag"]
    client.download_file(bucket, "CRC32", str(tmp_path / "large.bin"), Config=config)
    assert fingerprints(tmp_path) == {"large.bin": tree_fingerprints["large.bin"]}


def test_a_large_object_is_copied_in_parts(client: Any, bucket: str, tree: Path, tmp_path: Path) -> None:
    config = TransferConfig(multipart_threshold=PIECE_BYTES, multipart_chunksize=8 * PIECE_BYTES)
    client.upload_file(str(tree / "large.bin"), bucket, "one", Config=config)
    client.copy({"Bucket": bucket, "Key": "one"}, bucket, "two", Config=config)
    client.download_file(bucket, "two", str(tmp_path / "back"))
    assert (tmp_path / "back").stat().st_size == (tree / "large.bin").stat().st_size


def test_a_stream_of_unknown_length_is_uploaded(client: Any, bucket: str) -> None:
    class Stream(io.RawIOBase):
        left = 12 * PIECE_BYTES

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            taken = min(self.left, size if size >= 0 else self.left)
            self.left -= taken
            return b"x" * taken

    client.upload_fileobj(Stream(), bucket, "stream")
    assert client.head_object(Bucket=bucket, Key="stream")["ContentLength"] == 12 * PIECE_BYTES
