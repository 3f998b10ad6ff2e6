"""Hold a duty to a rate, so that the disks have time for requests. Pure but for its clock and its sleep, both arguments."""

import time
from collections.abc import Callable


class Throttle:
    """A duty tells what it has read or written, and is held back until that much was allowed."""

    def __init__(
        self,
        bytes_per_second: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bytes_per_second = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._allowed_at = clock()

    def spend(self, count_bytes: int) -> None:
        """Wait until `count_bytes` are paid for; at once without a limit. Time not used is not saved up."""
        if not self.bytes_per_second:
            return
        now = self._clock()
        self._allowed_at = max(self._allowed_at, now - 1.0) + count_bytes / self.bytes_per_second
        if self._allowed_at > now:
            self._sleep(self._allowed_at - now)
