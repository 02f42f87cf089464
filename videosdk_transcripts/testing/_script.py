"""What goes wrong, and when."""

from __future__ import annotations

from collections import deque

from ._exchange import Fault

__all__ = ["Script"]


class Script:
    """The faults that are due, in their order."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()
        self._on_page: dict[int, deque[Fault]] = {}
        self._every: list[tuple[int, Fault]] = []

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Let the next requests meet these faults, one each; all of them so many times."""
        self._next.extend(faults * times)

    def on_page(self, page: int, *faults: Fault, times: int = 1) -> None:
        """Let the next requests for a page meet these faults, one each."""
        self._on_page.setdefault(page, deque()).extend(faults * times)

    def every(self, nth: int, fault: Fault) -> None:
        """Let every nth request meet a fault, 1 for all, if no other is due."""
        self._every.append((nth, fault))

    def due(self, page: str, number: int) -> Fault | None:
        """
        Return what a request meets.

        Args:
            page: the page that it asks for, in its own words.
            number: which request it is, from 1.
        """
        on_page = self._on_page.get(int(page)) if page.isdecimal() else None
        for queue in (on_page, self._next):
            if queue:
                return queue.popleft()
        return next((fault for nth, fault in self._every if number % nth == 0), None)
