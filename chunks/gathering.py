"""Do for many at once what many want at once: who comes while others are being served is served with the next group.

The first to come leads: it works for itself and for all who wait, and wakes them. Nobody waits for company: alone,
one works at once and alone. Nobody waits long for a group that is held up, either: who has waited for PATIENCE_SECONDS
leads a group of its own beside it. Not for: work of which a part may fail alone; the work itself says what came of each
item.
"""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

PATIENCE_SECONDS = 0.05

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathering(Generic[Item, Result]):
    """Those who wait for one sort of work. For many threads; a forked process begins anew."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        group_size_max: int,
        size_of: Callable[[Item], int] = lambda _: 1,
        second_group_min: int = sys.maxsize,
    ) -> None:
        """`work` returns a result for each item, in order; what it raises is raised for each.

        The sizes of a group's items (all 1, unless said otherwise) add up to `group_size_max` at most; an item that is
        larger is a group of its own. As many waiting as `second_group_min` are enough to begin a second group while
        one is under way.
        """
        self._work = work
        self._group_size_max = group_size_max
        self._size_of = size_of
        self._second_group_min = second_group_min
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
            self._waiting.append(ticket)
            if self._is_leader_wanted():
                self._make_leader(ticket)
        if not ticket.leads and not ticket.gate.acquire(timeout=PATIENCE_SECONDS):
            self._lose_patience(ticket)
        if ticket.leads:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.results[0]

    def _is_leader_wanted(self) -> bool:
        """Say whether one who waits should lead. Under the mutex, as the next."""
        if self._group_count == 0:
            return bool(self._waiting)
        return self._group_count == 1 and len(self._waiting) >= self._second_group_min

    def _make_leader(self, ticket: "_Ticket[Item, Result]") -> None:
        self._waiting.remove(ticket)
        self._group_count += 1
        ticket.leads = True

    def _lose_patience(self, ticket: "_Ticket[Item, Result]") -> None:
        """Lead a group beside those that are under way; where one has just taken the ticket along, wait for that."""
        with self._mutex:
            if ticket in self._waiting:
                self._make_leader(ticket)
                return
        ticket.gate.acquire()

    def _lead(self, leader: "_Ticket[Item, Result]") -> None:
        group = self._take_group(leader)
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

    def _take_group(self, leader: "_Ticket[Item, Result]") -> "list[_Ticket[Item, Result]]":
        """Take along those who wait, in their order, as far as they fit."""
        group, size = [leader], self._size_of(leader.item)
        with self._mutex:
            for ticket in self._waiting:
                size += self._size_of(ticket.item)
                if size > self._group_size_max:
                    break
                group.append(ticket)
            del self._waiting[: len(group) - 1]
        return group

    def _pass_on(self, group: "Sequence[_Ticket[Item, Result]]") -> None:
        """Make the first of those who wait the next leader, unless there are enough, and wake the group."""
        with self._mutex:
            self._group_count -= 1
            successor = self._waiting[0] if self._is_leader_wanted() else None
            if successor is not None:
                self._make_leader(successor)
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
