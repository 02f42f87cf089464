"""Rows chosen on our side, and how many were not."""

from __future__ import annotations

from ._columns import Row
from ._options import Choice
from ._text import plural, tell


class Chooser:
    """
    Choose rows one by one.

    Args:
        choice: which ones are wanted, and how many.
    """

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._words = {word.casefold() for word in choice.statuses}
        self.is_choosy = bool(choice.statuses or choice.since or choice.until)
        self.seen = 0
        self.taken = 0

    @property
    def limit(self) -> int | None:
        """Return how many rows the walk itself may hand out: it can't count what is chosen here."""
        return None if self.is_choosy else self._choice.limit

    @property
    def is_full(self) -> bool:
        """Tell whether as many were taken as were asked for."""
        return self.taken == self._choice.limit

    def takes(self, row: Row) -> bool:
        """Tell whether a row is wanted, and count it."""
        self.seen += 1
        is_wanted = not self.is_choosy or self._wants(row)
        self.taken += is_wanted
        return is_wanted

    def tell(self) -> None:
        """Say on stderr how many of how many were chosen."""
        if self.is_choosy:
            tell(
                f"{self.taken} of {plural(self.seen, 'row')} chosen here by status or start; the "
                "service lists all"
            )

    def _wants(self, row: Row) -> bool:
        since, until = self._choice.since, self._choice.until
        if self._words and (row.status or "").casefold() not in self._words:
            return False
        if since is None and until is None:
            return True
        # One that does not say when it began is in no span of time.
        return (
            row.start is not None
            and (since is None or row.start >= since)
            and (until is None or row.start < until)
        )
