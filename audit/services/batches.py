"""Write what nobody waits for: reads and refusals, in batches, by one thread in each process.

A request leaves its row, rendered, in a bounded queue and goes on. The thread empties the queue twice a second, in one
COPY. The same text goes into the server's log as one message, which the metadata's journal takes in place of the rows. A queue that is full drops rows and counts them, and the count is written, too. A process that ends writes what it has;
one that is killed loses what it has not written: FLUSH_SECONDS of reads, at most a second with the write under way.
While the database is away, rows wait in the queue, and drop when it is full.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import deque
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from audit.draft import COLUMNS, AuditDraft
from audit.plain_rows import plain_line
from audit.row_text import MESSAGE_PREFIX, NULL, line_of, pack

logger = logging.getLogger("objstore.audit")

QUEUE_LENGTH_MAX = 20_000
BATCH_LENGTH_MAX = 2_000
FLUSH_SECONDS = 0.5

_TABLE = "audit_auditevent"
_COLUMNS = ("id", "is_batched", *COLUMNS)
_BEGIN = """
SELECT set_config('synchronous_commit', 'off', true), string_agg(nextval('audit_auditevent_id_seq')::text, ' ')
  FROM generate_series(1, %s)
"""
_COPY = f"COPY {_TABLE} ({', '.join(_COLUMNS)}) FROM STDIN WITH (NULL '{NULL}')"
_TELL_JOURNAL = "SELECT pg_logical_emit_message(true, %s::text, %s::bytea)"


class BatchWriter:
    """A queue of rows, and the thread that writes them. One for each process; a forked one begins anew.

    The rows are rendered by the threads that leave them, while what they are made of is at hand: half a second later each
    of a thousand drafts, and all that it refers to, would have to be fetched from memory again.
    """

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._dropped = 0
        self._process_id = 0
        self._starting = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()

    def put(self, draft: AuditDraft) -> None:
        """Leave a finished draft to be written. Never waits."""
        if len(self._queue) >= QUEUE_LENGTH_MAX:
            self._dropped += 1  # two threads may count one: it is a lower bound, and the log says so
            return
        self._queue.append(row_line(draft))
        if self._process_id != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._process_id == os.getpid():
                return
            self._process_id = os.getpid()
            self._writing = threading.Lock()
            threading.Thread(target=self._run, name="audit", daemon=True).start()
            # Not atexit, which a process that multiprocessing has forked, such as the server's, leaves out.
            Finalize(None, self._flush_at_exit, exitpriority=100)

    def _run(self) -> None:
        while True:
            self._wake.wait(FLUSH_SECONDS)
            self._wake.clear()
            try:
                self.flush()
            except (OperationalError, InterfaceError) as error:
                logger.warning("audit rows wait, as the database does not answer: %s", error)
                connection.close()
                time.sleep(FLUSH_SECONDS)
            except Exception:
                logger.exception("audit rows could not be written")

    def _flush_at_exit(self) -> None:
        try:
            self.flush()
        except (OperationalError, InterfaceError) as error:
            logger.warning("%d audit rows are lost, as the database is away: %s", len(self._queue), error)

    def flush(self) -> None:
        """Write all that is in the queue now. Raises OperationalError while the database is away; nothing is lost then."""
        with self._writing:
            while self._queue or self._dropped:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_LENGTH_MAX))]
                dropped, self._dropped = self._dropped, 0
                if dropped:
                    batch.append(row_line(_dropped_row(dropped)))
                    logger.error("at least %d audit rows were dropped: the queue was full", dropped)
                try:
                    write_batch(batch)
                except (OperationalError, InterfaceError):
                    self._queue.extendleft(reversed(batch))
                    raise


def _dropped_row(count: int) -> AuditDraft:
    """Return the row that says how many rows are missing."""
    draft = AuditDraft(request_id=secrets.token_hex(8).upper(), source="audit", operation="dropped")
    draft.error_reason = f"at least {count} rows were dropped: the queue was full"
    draft.finish(status=0)
    return draft


def write_batch(lines: list[str]) -> None:
    """Write rows in one COPY; where the database refuses one, the others one by one. No wait for the disk."""
    connection.close_if_unusable_or_obsolete()
    try:
        _copy(lines)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        logger.exception("a batch of audit rows was refused; they are written one by one")
        _write_singly(lines)


def _copy(lines: list[str]) -> None:
    mark = "t" if settings.OBJSTORE_JOURNAL else "f"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BEGIN, [len(lines)])
        ids = cursor.fetchone()[1].split()
        text = "".join([f"{number}\t{mark}\t{line}" for number, line in zip(ids, lines, strict=True)])
        with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
            copy.write(text)
        if settings.OBJSTORE_JOURNAL:
            cursor.execute(_TELL_JOURNAL, [MESSAGE_PREFIX, pack(_TABLE, _COLUMNS, text)])


def _write_singly(lines: list[str]) -> None:
    for line in lines:
        try:
            _copy([line])
        except (OperationalError, InterfaceError):
            raise
        except DatabaseError:
            logger.exception("the audit row of request %s was refused", line.split("\t", 2)[1])


def row_line(draft: AuditDraft) -> str:
    """Render a draft's row for COPY."""
    return plain_line(draft) or line_of(draft.values())


_writer = BatchWriter()


def leave(draft: AuditDraft) -> None:
    """Leave a finished draft to the batch writer, unless its row is written, or it is a read that nobody wants."""
    if is_wanted(draft):
        _writer.put(draft)


def is_wanted(draft: AuditDraft) -> bool:
    """Say whether a draft is to be written: it is not yet, and it is no read where those are not audited."""
    if draft.status >= 400:
        return True
    return not draft.is_written and (settings.OBJSTORE_AUDIT_READS or draft.method not in ("GET", "HEAD", "OPTIONS"))


def flush() -> None:
    """Write what is left to be written, for commands and tests."""
    _writer.flush()
