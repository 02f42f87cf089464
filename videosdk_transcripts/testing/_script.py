"""What goes wrong, and when."""

from __future__ import annotations

from collections import deque

from ._exchange import Fault


class Script:
    """The faults that are due, in their order."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()
        self._on_page: dict[int, deque[Fault]] = {}
        self._every: list[tuple[int, Fault]] = []

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._next.clear()
        self._on_page.clear()
        self._every.clear()

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Let the next requests meet these faults, one each; all of them so many times."""
        self._next.extend(_checked(faults) * times)

    def on_page(self, page: int, *faults: Fault, times: int = 1) -> None:
        """Let the next requests for a page meet these faults, one each."""
        self._on_page.setdefault(page, deque()).extend(_checked(faults) * times)

    def every(self, nth: int, fault: Fault) -> None:
        """Let every nth request meet a fault, 1 for all, if no other is due."""
        if nth < 1:
            raise ValueError(f"every {nth}th request is none: nth must be 1 or more")
        self._every.append((nth, _checked((fault,))[0]))

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


def _checked(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Refuse what would become a 500 much later, which a client tries again and does not show."""
    for fault in faults:
        if isinstance(fault, type) or not callable(fault):
            raise TypeError(f"{fault!r} is no fault; one is made like this: Status(503)")
    return faults
