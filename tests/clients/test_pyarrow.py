"""pyarrow's S3FileSystem: a Parquet data set is written, found and read."""

from __future__ import annotations

from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from pyarrow import dataset, fs

from tests.clients.trees import Scale
from tests.live.system import LiveSystem


@pytest.fixture
def files(system: LiveSystem) -> fs.S3FileSystem:
    """The file system."""
    address = urlsplit(system.endpoint)
    return fs.S3FileSystem(
        access_key=system.access_key,
        secret_key=system.secret_key,
        region=system.region,
        endpoint_override=address.netloc,
        scheme=address.scheme,
    )


def test_a_partitioned_data_set_comes_back(files: fs.S3FileSystem, bucket: str, scale: Scale) -> None:
    rows = scale.small_file_count * 1_000
    table = pa.table(
        {"year": [2000 + row % 20 for row in range(rows)], "value": list(range(rows)), "text": ["größe"] * rows}
    )
    dataset.write_dataset(
        table, f"{bucket}/data", format="parquet", filesystem=files, partitioning=["year"], max_partitions=100
    )
    found = dataset.dataset(f"{bucket}/data", format="parquet", filesystem=files, partitioning=["year"])
    assert found.count_rows() == rows
    back = found.to_table(columns=["year", "value", "text"]).sort_by("value")
    assert back.column("value").to_pylist() == table.column("value").to_pylist()
    assert back.column("year").to_pylist() == table.column("year").to_pylist()
    some = found.to_table(filter=dataset.field("year") == 2007)
    assert some.num_rows == rows // 20


def test_a_large_stream_is_written_in_parts_and_read_at_random(
    files: fs.S3FileSystem, bucket: str, scale: Scale
) -> None:
    block = bytes(range(256)) * 4096
    count = scale.large_file_bytes // len(block)
    with files.open_output_stream(f"{bucket}/large") as stream:
        for number in range(count):
            stream.write(number.to_bytes(4) + block[4:])
    with files.open_input_file(f"{bucket}/large") as file:
        assert file.size() == count * len(block)
        for number in (count - 1, 0, count // 2):
            file.seek(number * len(block))
            assert file.read(8) == number.to_bytes(4) + block[4:8]


def test_directories_are_listed_moved_and_deleted(files: fs.S3FileSystem, bucket: str) -> None:
    for name in ("a/1", "a/2", "b"):
        with files.open_output_stream(f"{bucket}/{name}") as stream:
            stream.write(name.encode())
    found = files.get_file_info(fs.FileSelector(bucket, recursive=True))
    assert {info.path for info in found} == {f"{bucket}/{name}" for name in ("a", "a/1", "a/2", "b")}
    files.move(f"{bucket}/b", f"{bucket}/c")
    files.delete_dir(f"{bucket}/a")
    assert {info.path for info in files.get_file_info(fs.FileSelector(bucket, recursive=True))} == {f"{bucket}/c"}
