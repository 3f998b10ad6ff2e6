"""The process that runs one query: `python -m objects.select.worker JOB_FD`, the data on its standard input.

It gets no environment, no files but what it was handed, and gives up the rest before it sees the query (`sandbox`). Answers
are frames on its standard output (`job`); an error before the first record comes alone.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import duckdb

from objects.select.errors import SelectError
from objects.select.intake import Intake
from objects.select.job import FAILURE, PROGRESS, RECORDS, STATS, Job
from objects.select.output import Writer
from objects.select.parser import parse_query
from objects.select.sandbox import confine
from objects.select.syntax import Query, Step
from objects.select.translation import Schema, Type, json_path, referenced_columns, text, translate

ROWS_AT_ONCE = 2_048
FRAME_BYTES = 256 * 1024
PEEK_BYTES = 256 * 1024
COLUMN_COUNT_MAX = 4_096
RECORD_BYTES_MAX = 1 << 20
PROGRESS_SECONDS = 1.0
ABSENT = "\x01\x02no value\x02\x01"  # which no field holds: DuckDB would take an empty one for NULL

_TYPES = {
    "VARCHAR": Type.TEXT,
    "BOOLEAN": Type.BOOLEAN,
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), Type.INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE"), Type.NUMBER),
}


def main() -> None:
    """Run the job that stands in the file whose number is the argument."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        job = Job.decode(file.read())
    answer = _Answer(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # whatever a library prints is no answer
    confine(memory_mib=job.memory_mib, cpu_seconds=job.cpu_seconds)
    intake = Intake(job, sys.stdin.buffer)
    try:
        _Run(job, intake, answer).run()
    except SelectError as error:
        answer.fail(error.code, error.message)
    except duckdb.Error as error:
        answer.fail(*_as_select_error(error, job))
    except MemoryError:
        answer.fail("InternalError", "The query needs more memory than it may have.")
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more
    os._exit(0)  # a thread may still wait for data


class _Answer:
    """The frames that go back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._records: list[bytes] = []
        self._size = 0
        self.returned = 0

    def add(self, record: str) -> None:
        """Add a record, and send what has gathered."""
        data = record.encode()
        if self._size + len(data) > FRAME_BYTES:
            self.flush()
        self._records.append(data)
        self._size += len(data)

    def flush(self) -> None:
        """Send the records that have gathered."""
        if self._records:
            self._send(RECORDS, b"".join(self._records))
            self.returned += self._size
            self._records, self._size = [], 0

    def tell(self, kind: bytes, intake: Intake) -> None:
        """Send progress or the final figures."""
        figures = {"BytesScanned": intake.scanned, "BytesProcessed": intake.processed, "BytesReturned": self.returned}
        self._send(kind, json.dumps(figures).encode())

    def fail(self, code: str, message: str) -> None:
        """Send what went wrong, behind the records that came before."""
        self.flush()
        self._send(FAILURE, json.dumps({"code": code, "message": message}).encode())

    def _send(self, kind: bytes, payload: bytes) -> None:
        self._stream.write(kind + len(payload).to_bytes(4, "big") + payload)
        self._stream.flush()


class _Run:
    def __init__(self, job: Job, intake: Intake, answer: _Answer) -> None:
        self._job = job
        self._intake = intake
        self._answer = answer
        self._failure: BaseException | None = None
        self._told_at = time.monotonic()

    def run(self) -> None:
        """Answer the query, record by record."""
        query = parse_query(self._job.expression)
        if self._job.input_format == "Parquet":
            self._query_parquet(query)
        elif self._job.input_format == "JSON":
            self._query_json(query)
        else:
            self._query_csv(query)
        if self._failure is not None:
            raise self._failure
        self._answer.flush()
        self._answer.tell(STATS, self._intake)

    def _connect(self, path: str) -> duckdb.DuckDBPyConnection:
        """Open a database that may read the path and nothing else."""
        connection = duckdb.connect(":memory:")
        for setting in (
            f"allowed_paths = [{text(path)}]",
            "enable_external_access = false",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            f"memory_limit = '{self._job.memory_mib}MiB'",
            "threads = 1",
            "enable_progress_bar = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        return connection

    def _execute(self, connection: duckdb.DuckDBPyConnection, query: Query, schema: Schema, source: str) -> None:
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
        translated = translate(query, schema, source=source, now=now)
        cursor = connection.execute(translated.statement)
        json_columns = [str(column[1]).upper() == "JSON" for column in cursor.description or ()]
        is_json_record = translated.is_whole and schema.is_json
        writer = Writer(self._job, translated.names, json_columns, is_json_record=is_json_record)
        trims = translated.is_whole and self._job.input_format == "CSV"
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                self._answer.add(writer.render(row, trims=trims))
            self._tell_progress()
        if self._failure is None and self._job.wants_progress:
            self._answer.flush()
            self._answer.tell(PROGRESS, self._intake)

    def _tell_progress(self) -> None:
        if self._job.wants_progress and time.monotonic() - self._told_at > PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            self._answer.flush()
            self._answer.tell(PROGRESS, self._intake)

    def _pipe(self, first: bytes, rest: Iterator[bytes]) -> str:
        """Feed data to whoever reads the path that is returned, from another thread."""
        reading, writing = os.pipe()

        def feed() -> None:
            try:
                with os.fdopen(writing, "wb") as pipe:
                    pipe.write(first)
                    for piece in rest:
                        pipe.write(piece)
            except BrokenPipeError:
                pass  # LIMIT was reached
            except (SelectError, MemoryError) as failure:
                self._failure = failure

        threading.Thread(target=feed, daemon=True).start()
        return f"/proc/self/fd/{reading}"

    # Formats

    def _query_csv(self, query: Query) -> None:
        pieces = self._intake.records()
        first = b""
        for piece in pieces:
            first += piece
            if len(first) >= PEEK_BYTES:
                break
        names = self._csv_names(query, first)
        path = self._pipe(first, pieces)
        job = self._job
        options = [
            text(path),
            "auto_detect = false",
            f"header = {'false' if job.header == 'NONE' else 'true'}",
            f"delim = {text(job.field_delimiter)}",
            f"quote = {text(job.quote)}",
            f"escape = {text(job.quote_escape if job.quote else '')}",
            f"nullstr = {text(ABSENT)}",
            "null_padding = true",
            "strict_mode = false",
            "parallel = false",
            f"max_line_size = {RECORD_BYTES_MAX * 2}",
            "new_line = '\\r\\n'" if job.record_delimiter == "\r\n" else "new_line = '\\n'",
            "columns = {" + ", ".join(f"{text(name)}: 'VARCHAR'" for name in names) + "}",
        ]
        if job.comments:
            options.append(f"comment = {text(job.comments)}")
        schema = Schema(dict.fromkeys(names, Type.TEXT))
        self._execute(self._connect(path), query, schema, f"read_csv({', '.join(options)})")

    def _csv_names(self, query: Query, first: bytes) -> list[str]:
        """Name the columns: as the header does, or by their numbers, as many as the query or the first records have."""
        job = self._job
        sample = first.decode("utf-8", errors="replace")
        lines = io.StringIO(sample if len(first) < PEEK_BYTES else sample.rpartition("\n")[0], newline="")
        escape = None if not job.quote or job.quote_escape == job.quote else job.quote_escape or None
        reader = csv.reader(
            lines,
            delimiter=job.field_delimiter,
            quotechar=job.quote or None,
            escapechar=escape,
            doublequote=job.quote_escape == job.quote,
            quoting=csv.QUOTE_MINIMAL if job.quote else csv.QUOTE_NONE,
        )
        try:
            header: list[str] = next(reader, []) if job.header == "USE" else []
            widest = max((len(row) for row in reader), default=0)
        except csv.Error:
            widest = 0
        count = max(widest, len(header), referenced_columns(query), 1)
        if count > COLUMN_COUNT_MAX:
            raise SelectError("OverMaxColumn", f"There are more than {COLUMN_COUNT_MAX} columns.")
        names: list[str] = []
        for number in range(1, count + 1):
            name = header[number - 1] if number <= len(header) else f"_{number}"
            names.append(name if name and name.lower() not in {known.lower() for known in names} else f"_{number}")
        return names

    def _query_json(self, query: Query) -> None:
        path = self._pipe(b"", self._intake.pieces())
        form = "unstructured" if self._job.is_document else "newline_delimited"
        largest = (self._job.memory_mib << 20) // 4 if self._job.is_document else RECORD_BYTES_MAX * 2
        source = f"read_json_objects({text(path)}, format = {text(form)}, maximum_object_size = {largest})"
        relation = f"(SELECT json AS r FROM {source})"  # noqa: S608  quoted
        relation = _unnested(relation, query.source)
        self._execute(self._connect(path), query, Schema({}, is_json=True), relation)

    def _query_parquet(self, query: Query) -> None:
        path = "/proc/self/fd/0"
        self._intake.scanned = self._intake.processed = os.fstat(0).st_size
        connection = self._connect(path)
        source = f"read_parquet({text(path)})"
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608  quoted
        columns = {str(name): _column_type(str(type_)) for name, type_, *_ in described}
        self._execute(connection, query, Schema(columns), source)


def _column_type(name: str) -> Type:
    if name.startswith("DECIMAL"):
        return Type.NUMBER
    return Type.TIME if name.startswith("TIMESTAMP") else _TYPES.get(name, Type.OTHER)


def _unnested(relation: str, steps: tuple[Step, ...]) -> str:
    """Return the records that a path of FROM leads to: the elements of every array at a `[*]` and at its end."""
    waiting: list[Step] = []
    is_first = True
    for step in steps:
        if step.name is None and step.index is None:
            if not is_first or waiting:
                relation = _elements(relation, waiting)
            waiting, is_first = [], False
        else:
            waiting.append(step)
    return _elements(relation, waiting) if waiting else relation


def _elements(relation: str, steps: list[Step]) -> str:
    found = f"(r -> {text(json_path(steps))})" if steps else "r"
    return (
        f"(SELECT unnest(CASE WHEN json_type(v) = 'ARRAY' THEN json_extract(v, '$[*]') ELSE [v] END) AS r "  # noqa: S608
        f"FROM (SELECT {found} AS v FROM {relation}) WHERE v IS NOT NULL)"
    )


def _as_select_error(error: duckdb.Error, job: Job) -> tuple[str, str]:
    if isinstance(error, duckdb.ConversionException):
        return "CastFailed", "A value cannot be converted to the data type that the query asks for."
    if isinstance(error, duckdb.OutOfRangeException):
        return "IntegerOverflow", "A number is too large for its data type."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "InternalError", "The query needs more memory than it may have."
    if isinstance(error, duckdb.BinderException):
        return "UnsupportedSqlStructure", "The parts of the query do not fit together."
    return f"{job.input_format if job.input_format != 'Parquet' else 'Parquet'}ParsingError", (
        f"The data is not {job.input_format}, or a record of it is too long."
    )


if __name__ == "__main__":
    main()
