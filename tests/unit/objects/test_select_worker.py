"""Queries over data: what the confined process answers, and what it is kept from."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from objects.select.intake import Intake
from objects.select.job import Job

ROOT = Path(__file__).resolve().parents[3]
CSV = b'name,age,note\nann,30,x\nbob,4,"a,b"\ncy,,\n'
LINES = b'{"n": "ann", "a": 30, "in": {"x": [1, 2]}}\n{"n": "bob", "a": 4}\n'


def run(data: bytes, expression: str, **job: Any) -> tuple[bytes, dict[str, Any]]:
    """Run a query; return the records and the last frame, the figures or the failure."""
    stated = Job(expression=expression, **{"input_format": "CSV", "output_format": "CSV", **job})
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as source:
        told.write(stated.encode())
        told.seek(0)
        source.write(data)
        source.seek(0)
        start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from objects.select.worker import main; main()"
        done = subprocess.run(
            [sys.executable, "-I", "-c", start, str(told.fileno())],
            stdin=source,
            capture_output=True,
            pass_fds=(told.fileno(),),
            env={},
            timeout=120,
            check=False,
        )
    records, last, output = b"", {}, done.stdout
    while output:
        size = int.from_bytes(output[1:5], "big")
        payload, kind, output = output[5 : 5 + size], output[:1], output[5 + size :]
        if kind == b"R":
            records += payload
        else:
            last = json.loads(payload)
    assert last, done.stderr.decode()[-2_000:]
    return records, last


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("SELECT * FROM S3Object", 'ann,30,x\nbob,4,"a,b"\ncy,,\n'),
        ("select s.name from s3object s where s.age > 5 limit 1", "ann\n"),
        ("select name, age from s3object where age < 10", "bob,4\n"),
        ("select count(*), sum(cast(age as int)), avg(age) from s3object where age <> ''", "2,34,17\n"),
        ("select upper(name) || '!' from s3object where name like 'b%' or note is missing", "BOB!\n"),
        ('select name from s3object where name like "a_n" or name like \'a|_n\' escape "|"', "ann\n"),
        ("select substring(name from 1 for 2) from s3object where name in ('ann', 'cy')", "an\ncy\n"),
        (
            "select case when age between 1 and 9 then 'low' else 'high' end from s3object where age != ''",
            "high\nlow\n",
        ),
        ("select trim(leading 'a' from name), char_length(name) from s3object limit 1", "nn,3\n"),
        ("select coalesce(nullif(age, ''), 'none') from s3object", "30\n4\nnone\n"),
        ("select 7/2, 7.0/2, -3 % 2, not true, 'it''s' from s3object limit 1", "3,3.5,-1,false,it's\n"),
        ("select extract(year from to_timestamp('2024-02-29T01:02:03Z')) from s3object limit 1", "2024\n"),
        ("select date_add(month, 1, to_timestamp('2024-01-31T')) from s3object limit 1", "2024-02-29T00:00:00Z\n"),
        (
            "select date_diff(day, to_timestamp('2024-01-01T23:00Z'), to_timestamp('2024-01-02T01:00Z')) from s3object limit 1",
            "0\n",
        ),
        (
            "select to_string(to_timestamp('2024-05-06T07:08:09Z'), 'd/M/yyyy HH:mm') from s3object limit 1",
            "6/5/2024 07:08\n",
        ),
    ],
)
def test_csv_with_a_header_is_queried(expression: str, answer: str) -> None:
    assert run(CSV, expression, header="USE")[0].decode() == answer


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("select * from s3object", LINES.decode().replace(": ", ":").replace(", ", ",")),
        ("select s.n, s.a + 1 as b from s3object s where s.a > 5", '{"n":"ann","b":31}\n'),
        ("select s['in'].x[1] as y from s3object[*] s where s['in'] is not null", '{"y":2}\n'),
        ("select x from s3object[*]['in'].x[*] as x", '{"x":1}\n{"x":2}\n'),
        ("select max(s.a), min(s.a), count(s.missing) from s3object s", '{"_1":30,"_2":4,"_3":0}\n'),
    ],
)
def test_lines_of_json_are_queried(expression: str, answer: str) -> None:
    records, _ = run(LINES, expression, input_format="JSON", output_format="JSON")
    assert records.decode() == answer


def test_a_document_of_json_is_unfolded() -> None:
    document = b'{"root": [{"a": 1},\n {"a": 2}], "other": 3}'
    settings = {"input_format": "JSON", "is_document": True}
    assert run(document, "select sum(s.a) from s3object[*].root[*] s", **settings)[0] == b"3\n"
    assert run(document, "select s.other from s3object s", **settings)[0] == b"3\n"


def test_parquet_is_queried() -> None:
    table = pa.table({"n": [1, 2, 3], "t": ["a", "b", None], "d": [0.5, 1.5, 2.5]})
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    data = sink.getvalue().to_pybytes()
    records, figures = run(data, "select n, t, d * 2 from s3object where n >= 2", input_format="Parquet")
    assert records == b"2,b,3\n3,,5\n"
    assert figures["BytesScanned"] == len(data)


@pytest.mark.parametrize(("name", "pack"), [("GZIP", gzip.compress), ("BZIP2", bz2.compress)])
def test_compressed_data_is_unpacked(name: str, pack: Any) -> None:
    packed = pack(CSV[:20]) + pack(CSV[20:])
    records, figures = run(packed, "select count(*) from s3object", compression=name, header="USE")
    assert records == b"3\n"
    assert (figures["BytesScanned"], figures["BytesProcessed"]) == (len(packed), len(CSV))
    assert run(CSV, "select count(*) from s3object", compression=name)[1]["code"] == "InvalidCompressionFormat"
    assert run(packed[:-4], "select count(*) from s3object", compression=name)[1]["code"] == "TruncatedInput"


def test_delimiters_quotes_and_comments_are_the_requests() -> None:
    data = b"# no\t1|'a|b'\t2|c\t"
    settings = {"field_delimiter": "|", "record_delimiter": "\t", "quote": "'", "quote_escape": "'", "comments": "#"}
    records, _ = run(
        data[5:], "select _2, _1 from s3object", **settings, out_field_delimiter=";", out_record_delimiter="!"
    )
    assert records == b"a|b;1!c;2!"
    assert run(CSV, "select _1 from s3object limit 1", quotes_always=True)[0] == b'"name"\n'


def test_every_record_counts_in_one_scan_range() -> None:
    data = b"".join(b"%d\n" % number for number in (1, 22, 333, 4, 55555, 6))
    for size in range(1, len(data) + 2):
        found = b""
        for start in range(0, len(data), size):
            first = max(start - 1, 0)
            intake = Intake(Job("", "CSV", "CSV", first_byte=start, end=start + size - 1), io.BytesIO(data[first:]))
            found += b"".join(intake.pieces())
        assert found == data


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("select", "ParseUnexpectedToken"),
        ("select 1", "ParseSelectMissingFrom"),
        ("select * from elsewhere", "InvalidDataSource"),
        ("select ~ from s3object", "LexerInvalidChar"),
        ("select * from s3object order by 1", "UnsupportedSyntax"),
        ("select getenv('HOME') from s3object", "UnsupportedFunction"),
        ("select nothing from s3object", "EvaluatorBindingDoesNotExist"),
        ("select cast(name as int) from s3object", "CastFailed"),
        ("select cast(name as blob) from s3object", "InvalidDataType"),
        ("select name, count(*) from s3object", "UnsupportedSqlStructure"),
        ("select a as b, b as a from s3object where a = 1", "InvalidTableAlias"),
        ("select " + "(" * 200 + "1" + ")" * 200 + " from s3object", "UnsupportedSqlStructure"),
        ("select * from read_csv('/etc/passwd')", "InvalidDataSource"),
        ("select 1 from s3object; drop table x", "ParseUnexpectedToken"),
    ],
)
def test_what_is_no_query_is_refused(expression: str, code: str) -> None:
    assert run(CSV, expression, header="USE")[1]["code"] == code


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    data = b"a\"'b,c\n1,2\n"
    assert run(data, 'select "a""\'b" from s3object', header="USE", quote="")[0] == b"1\n"
    assert run(data, "select 'x'' union select 1 --' from s3object limit 1")[0] == b"x' union select 1 --\n"


def test_the_process_is_kept_from_files_network_and_programs(tmp_path: Path) -> None:
    attempts = """
import ctypes, os, platform, socket, subprocess
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments)) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return True
get_pid = 39 if platform.machine() == "x86_64" else 172
uses_x32 = platform.machine() == "x86_64"
call(get_pid)
from objects.select.sandbox import confine
confine(memory_mib=64, cpu_seconds=10)
for attempt in (
    lambda: socket.socket(),
    lambda: subprocess.run(["/bin/true"]),
    lambda: os.open("/tmp/objstore-sandbox", os.O_WRONLY | os.O_CREAT),
    lambda: os.unlink(os.environ["PRECIOUS"]),
    lambda: os.kill(os.getppid(), 0),
    lambda: call(434, os.getppid(), 0),  # pidfd_open
    lambda: call(425, 1, ctypes.addressof(ctypes.create_string_buffer(256))),  # io_uring_setup
    lambda: socket.socketpair(),
    lambda: bytearray(2 << 30),
):
    try:
        attempt()
    except (OSError, MemoryError):
        continue
    raise SystemExit("it could")
if uses_x32 and (libc.syscall(ctypes.c_long(get_pid | 0x40000000)) != -1 or ctypes.get_errno() != 1):
    raise SystemExit("calls have other numbers")
call(get_pid)
"""
    precious = tmp_path / "precious"
    precious.touch()
    done = subprocess.run(
        [sys.executable, "-c", attempts], cwd=ROOT, env={"PRECIOUS": str(precious)}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert precious.exists()
