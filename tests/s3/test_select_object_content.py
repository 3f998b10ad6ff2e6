"""SelectObjectContent: over whole objects and ranges of them, encrypted or not, with errors before and in the stream."""

from __future__ import annotations

import gzip
import socket
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.refusals import refused
from tests.s3.wire import TIMEOUT_SECONDS, Wire, target

CSV_IN = {"CSV": {"FileHeaderInfo": "USE"}}
ROWS = 60_000
DATA = b"n,t\n" + b"".join(b"%d,text %d\n" % (number, number % 7) for number in range(ROWS))
CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


def select(client: Any, bucket: str, expression: str, **more: Any) -> list[dict[str, Any]]:
    request = {
        "Bucket": bucket,
        "Key": "k",
        "ExpressionType": "SQL",
        "Expression": expression,
        "InputSerialization": CSV_IN,
        "OutputSerialization": {"CSV": {}},
        **more,
    }
    return list(client.select_object_content(**request)["Payload"])


def records(events: list[dict[str, Any]]) -> bytes:
    return b"".join(event["Records"]["Payload"] for event in events if "Records" in event)


@pytest.fixture
def home(owner: Any, bucket: str) -> str:
    """A bucket with the object `k`."""
    owner.put_object(Bucket=bucket, Key="k", Body=DATA)
    return bucket


def test_records_figures_and_the_end_come_as_events(owner: Any, home: str) -> None:
    events = select(owner, home, "select * from s3object", RequestProgress={"Enabled": True})
    assert records(events) == DATA.partition(b"\n")[2]
    assert "Progress" in events[-3]
    assert events[-2]["Stats"]["Details"] == {
        "BytesScanned": len(DATA),
        "BytesProcessed": len(DATA),
        "BytesReturned": len(DATA) - 4,
    }
    assert events[-1] == {"End": {}}
    counted = select(owner, home, "select count(*), sum(cast(n as int)) from s3object where t = 'text 3'")
    numbers = range(3, ROWS, 7)
    assert records(counted) == f"{len(numbers)},{sum(numbers)}\n".encode()


def test_scan_ranges_share_the_records(owner: Any, home: str) -> None:
    body = DATA.partition(b"\n")[2]
    owner.put_object(Bucket=home, Key="k", Body=body)
    plain = {"InputSerialization": {"CSV": {}}}
    cuts = [0, 1, 1_000, 400_000, len(body)]
    found = [
        records(select(owner, home, "select * from s3object", ScanRange={"Start": start, "End": end - 1}, **plain))
        for start, end in pairwise(cuts)
    ]
    assert b"".join(found) == body
    last = records(select(owner, home, "select * from s3object", ScanRange={"End": 10}, **plain))
    assert body.endswith(last)
    with refused("InvalidScanRange", 400):
        select(owner, home, "select * from s3object", ScanRange={"Start": 5, "End": 1}, **plain)


def test_compressed_and_encrypted_objects_are_queried(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=gzip.compress(DATA), ServerSideEncryption="AES256")
    packed = {"InputSerialization": {**CSV_IN, "CompressionType": "GZIP"}}
    assert records(select(owner, bucket, "select count(*) from s3object", **packed)) == f"{ROWS}\n".encode()
    owner.put_object(Bucket=bucket, Key="k", Body=DATA, **CUSTOMER_KEY)
    query = "select n from s3object limit 2"
    assert records(select(owner, bucket, query, **CUSTOMER_KEY)) == b"0\n1\n"
    with refused("InvalidRequest", 400):
        select(owner, bucket, query)


def test_what_is_wrong_is_told_before_the_first_record_or_in_the_stream(owner: Any, stranger: Any, home: str) -> None:
    for expression, code in (
        ("select", "ParseUnexpectedToken"),
        ("select nothing from s3object", "EvaluatorBindingDoesNotExist"),
        ("select cast(t as int) from s3object", "CastFailed"),
    ):
        with refused(code, 400):
            select(owner, home, expression)
    with refused("NoSuchKey", 404):
        select(owner, home, "select * from s3object", Key="none")
    with refused("AccessDenied", 403):
        select(stranger, home, "select * from s3object")
    owner.put_object(Bucket=home, Key="k", Body=DATA + DATA[4:] * 9 + b"last,x\n")
    with pytest.raises(EventStreamError) as caught:
        select(owner, home, "select cast(n as int) from s3object")
    assert caught.value.response["Error"]["Code"] == "CastFailed"


def test_readers_that_go_away_leave_no_query(live: LiveSystem, wire: Wire, owner: Any, home: str) -> None:
    owner.put_object(Bucket=home, Key="k", Body=DATA * 40)
    request = (
        b"<SelectObjectContentRequest><Expression>select * from s3object</Expression><ExpressionType>SQL</ExpressionType>"
        b"<InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization>"
        b"</SelectObjectContentRequest>"
    )
    query = [("select", ""), ("select-type", "2")]
    for _ in range(2):
        headers = wire.signed_headers("POST", f"/{home}/k", query=query, body=request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"POST {target(f'/{home}/k', query)} HTTP/1.1\r\n{lines}content-length: {len(request)}\r\n\r\n"
        with socket.create_connection(wire.address, timeout=TIMEOUT_SECONDS) as connection:
            connection.sendall(start.encode() + request)
            assert connection.recv(64).startswith(b"HTTP/1.1 200")
    wait_until(lambda: not any("objects.select" in one.command for one in live.processes()), "the queries have ended")
