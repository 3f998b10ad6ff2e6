"""What a program does with DuckDB: Parquet and CSV written to a bucket and queried there, by httpfs. Fails by raising."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import duckdb_extension_httpfs

endpoint, bucket = sys.argv[1:]
connection = duckdb.connect()
extension = Path(duckdb_extension_httpfs.__file__).parent / f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
connection.execute(f"LOAD '{extension}'")
connection.execute(
    f"""CREATE SECRET (TYPE s3, KEY_ID '{os.environ["AWS_ACCESS_KEY_ID"]}', SECRET '{os.environ["AWS_SECRET_ACCESS_KEY"]}',
    REGION '{os.environ["AWS_REGION"]}', ENDPOINT '{urlsplit(endpoint).netloc}', URL_STYLE 'path', USE_SSL false)"""
)

rows = 400_000
connection.execute(
    f"""COPY (SELECT n, n % 4 AS part, hash(n) AS noise, 'größe ' || n AS text FROM range({rows}) AS t(n))
    TO 's3://{bucket}/data' (FORMAT parquet, PARTITION_BY (part), ROW_GROUP_SIZE 20000)"""
)
source = f"read_parquet('s3://{bucket}/data/*/*.parquet', hive_partitioning = true)"
counted = connection.execute(f"SELECT part, count(*), sum(n) FROM {source} GROUP BY part ORDER BY part").fetchall()
assert counted == [(part, rows // 4, sum(range(part, rows, 4))) for part in range(4)]
assert connection.execute(f"SELECT text FROM {source} WHERE n = 123456 AND part = 0").fetchall() == [("größe 123456",)]

connection.execute(f"COPY (SELECT * FROM {source}) TO 's3://{bucket}/whole.parquet' (FORMAT parquet)")
connection.execute(f"COPY (SELECT n, text FROM {source} WHERE n < 1000) TO 's3://{bucket}/some ä.csv' (HEADER)")
assert connection.execute(f"SELECT sum(n) FROM 's3://{bucket}/some ä.csv'").fetchone() == (sum(range(1_000)),)
assert connection.execute(f"SELECT count(*), max(n) FROM 's3://{bucket}/whole.parquet'").fetchone() == (rows, rows - 1)
assert len(connection.execute(f"SELECT * FROM glob('s3://{bucket}/data/**')").fetchall()) >= 4
try:
    connection.execute(f"SELECT * FROM 's3://{bucket}/none.parquet'")
except duckdb.HTTPException as error:
    message = str(error)
if "404" in message:
    print("all is well")
