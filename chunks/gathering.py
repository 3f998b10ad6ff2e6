"""Do for many at once what many want at once: who comes while others are being served is served with the next group.

The first to come leads: it works for itself and for all who wait, and wakes them. Nobody waits for company: alone,
one works at once and alone. Nobody waits long for a group that is held up, either: who has waited for PATIENCE_SECONDS
leads a group of its own beside it. Not for: work of which a part may fail alone; the work itself says what came of each
item.
"""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

PATIENCE_SECONDS = 0.05

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathering(Generic[Item, Result]):
    """Those who wait for one sort of work. For many threads; a forked process begins anew."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]], *, group_length_max: int) -> None:
        """`work` returns a result for each item, in order; what it raises is raised for each."""
        self._work = work
        self._group_length_max = group_length_max
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # whoever waited, or worked, stays behind in the parent

    def _begin(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: list[_Ticket[Item, Result]] = []
        self._group_count = 0

    def submit(self, item: Item) -> Result:
        """Have the work done for an item; return when it is."""
        ticket: _Ticket[Item, Result] = _Ticket(item)
        with self._mutex:
            if self._group_count == 0:
                self._group_count, ticket.leads = 1, True
            else:
                self._waiting.append(ticket)
        if not ticket.leads and not ticket.gate.acquire(timeout=PATIENCE_SECONDS):
            self._lose_patience(ticket)
        if ticket.leads:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.results[0]

    def _lose_patience(self, ticket: "_Ticket[Item, Result]") -> None:
        """Lead a group beside those that are under way; where one has just taken the ticket along, wait for that."""
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._group_count += 1
                ticket.leads = True
                return
        ticket.gate.acquire()

    def _lead(self, leader: "_Ticket[Item, Result]") -> None:
        with self._mutex:
            taken = self._group_length_max - 1
            group, self._waiting = [leader, *self._waiting[:taken]], self._waiting[taken:]
        try:
            results = self._work([ticket.item for ticket in group])
            for ticket, result in zip(group, results, strict=True):
                ticket.results.append(result)
        except BaseException as error:
            for ticket in group:
                ticket.error = error
            raise
        finally:
            self._pass_on(group[1:])

    def _pass_on(self, group: "Sequence[_Ticket[Item, Result]]") -> None:
        """Make the first of those who wait the next leader, unless there are enough, and wake the group."""
        with self._mutex:
            successor = self._waiting.pop(0) if self._waiting and self._group_count == 1 else None
            if successor is None:
                self._group_count -= 1
            else:
                successor.leads = True
        if successor is not None:
            successor.gate.release()
        for ticket in group:
            ticket.gate.release()


class _Ticket(Generic[Item, Result]):
    """An item that waits, and what came of it. Its gate opens when that is known, or when its thread is to lead."""

    __slots__ = ("error", "gate", "item", "leads", "results")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.leads = False
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self.gate = threading.Lock()
        self.gate.acquire()
