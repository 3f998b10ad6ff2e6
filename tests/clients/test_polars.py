"""Polars reads Parquet from a bucket: only the columns and row groups that a query needs."""

from __future__ import annotations

import polars as pl
import pytest

from tests.live.system import LiveSystem


@pytest.fixture
def options(system: LiveSystem) -> dict[str, str]:
    """How Polars gets to the store."""
    return {
        "aws_endpoint_url": system.endpoint,
        "aws_access_key_id": system.access_key,
        "aws_secret_access_key": system.secret_key,
        "aws_region": system.region,
        "aws_allow_http": "true",
    }


def test_a_data_set_is_written_and_queried(options: dict[str, str], bucket: str) -> None:
    rows = 200_000
    frame = pl.DataFrame({"n": range(rows), "group": [number % 10 for number in range(rows)], "text": ["größe"] * rows})
    for number, part in enumerate((frame[: rows // 2], frame[rows // 2 :])):
        part.write_parquet(f"s3://{bucket}/data/part-{number}.parquet", row_group_size=20_000, storage_options=options)
    lazy = pl.scan_parquet(f"s3://{bucket}/data/*.parquet", storage_options=options)
    counted = lazy.filter(pl.col("n") >= rows - 30).group_by("group").agg(pl.len()).sort("group").collect()
    assert counted["len"].to_list() == [3] * 10
    assert lazy.select(pl.col("n").sum()).collect().item() == rows * (rows - 1) // 2
