"""The joined log: the lines of all processes, each marked with the name of its process.

Text lines get the name in front, in a colour of its own on a terminal; JSON lines get it as a member, and lines that a
process writes as text become JSON, so that every line parses.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

COLOURS = (36, 32, 33, 35, 34, 96, 92, 95)
NAME_WIDTH = 10
# A line longer than this is cut in two: one process must not make the supervisor hold its output.
LINE_BYTES_MAX = 64 * 1024


@dataclass(slots=True)
class JoinedLog:
    """Where lines go, and in which shape."""

    descriptor: int
    is_json: bool = False
    is_coloured: bool = False
    is_open: bool = True
    colours: dict[str, int] = field(default_factory=dict)

    def write(self, name: str, line: bytes) -> None:
        """Write one line of the process."""
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            self._write((self._json(name, text) if self.is_json else self._text(name, text)) + "\n")

    def say(self, message: str) -> None:
        """Write a line of the supervisor's own."""
        self.write("objstore", message.encode())

    def banner(self, text: str) -> None:
        """Write text for people as it is."""
        if not self.is_json:
            self._write(text)

    def _text(self, name: str, text: str) -> str:
        mark = f"{name:<{NAME_WIDTH}} |"
        if self.is_coloured:
            colour = self.colours.setdefault(name, COLOURS[len(self.colours) % len(COLOURS)])
            mark = f"\x1b[{colour}m{mark}\x1b[0m"
        return f"{mark} {text}"

    def _json(self, name: str, text: str) -> str:
        event: object = None
        if text.startswith("{"):
            try:
                event = json.loads(text)
            except ValueError:
                event = None
        members = event if isinstance(event, dict) else {"message": text}
        return json.dumps({"process": name, **members}, ensure_ascii=False)

    def _write(self, text: str) -> None:
        """Write all of it; where the reader has gone, the system runs on without a log."""
        data = text.encode("utf-8", "replace")
        try:
            while data and self.is_open:
                data = data[os.write(self.descriptor, data) :]
        except OSError:
            self.is_open = False
