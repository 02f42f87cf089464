"""What one measured process is asked to do, and what it says of it."""

from __future__ import annotations

import json
from typing import Final, Literal

from attrs import asdict, frozen

__all__ = ["LIST", "ROOM", "Job", "Kind", "Outcome", "Program", "Walked"]

ROOM: Final = "abcd-efgh-ijkl"
LIST: Final = "/ai/v1/realtime-transcriptions/"

Program = Literal["ours", "raw", "wire"]
"""The module that does the work: this package, bare aiohttp, or a bare socket."""

Kind = Literal["walk", "structure", "turns"]
"""A walk over all pages, one page turned into rows again and again, or a walk beside a task
that notes how long it waits for its turn."""


@frozen
class Job:
    """
    One measured process.

    Args:
        kind: what is done.
        program: who does it.
        server: where it is served.
        rows: how many there are.
        page_size: rows on a page.
        in_flight: pages asked for ahead of the one that is handed out; 0 for none.
        mark: the page whose hand-out begins the second time measurement.
        delay: milliseconds before each answer.
    """

    kind: Kind
    program: Program
    server: str
    rows: int
    page_size: int
    in_flight: int = 0
    mark: int = 1
    delay: int = 0

    @property
    def url(self) -> str:
        """Return the endpoint of its own list, which is that of `server`."""
        return f"{self.server}/{self.rows}/{self.delay}"

    @property
    def marked_row(self) -> int:
        """Return the number of the first row on the marked page, from 1."""
        return (self.mark - 1) * self.page_size + 1

    def dumps(self) -> str:
        """Return it as an argument of a command line."""
        return json.dumps(asdict(self))

    @staticmethod
    def loads(text: str) -> Job:
        """Read it from there."""
        return Job(**json.loads(text))


@frozen
class Walked:
    """What a walk counted."""

    rows: int
    marked_at: float
    """The moment at which the marked page was handed out, by `time.perf_counter`."""


@frozen
class Outcome:
    """What a process measured of itself, without its start; seconds and bytes."""

    rows: int
    wall: float
    steady: float
    """From the hand-out of the marked page to the end."""
    cpu: float
    peak: int
    """The most memory that the process held at a time, its start included."""
    gap: float = 0.0
    """The longest time for which another task of the event loop had to wait."""
    gap_cpu: float = 0.0
    """The same in time of the processor, which other processes don't lengthen."""
    gap_own: float = 0.0
    """The same without Python's garbage collector, which walks all that was ever imported."""

    def dumps(self) -> str:
        """Return it as a line of output."""
        return json.dumps(asdict(self))

    @staticmethod
    def loads(text: str) -> Outcome:
        """Read it from there."""
        return Outcome(**json.loads(text))
