"""Client-side selection of rows: the service filters by room and session only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ._output import notify

if TYPE_CHECKING:
    from ._output import AnyTranscription


class RowFilter:
    """
    Select rows by status and start, and count them.

    Args:
        limit: rows to select at most; None for all.
        statuses: the statuses to select, compared case-insensitively; empty for all.
        since: select rows that started at or after this time.
        until: select rows that started before this time.
    """

    def __init__(
        self,
        limit: int | None = None,
        statuses: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self._limit = limit
        self._statuses = {status.casefold() for status in statuses}
        self._since = since
        self._until = until
        self._seen = 0
        self.selected = 0
        """Rows that were selected so far."""

    @property
    def has_options(self) -> bool:
        """Return whether any option was given."""
        return self._limit is not None or self._is_selective

    @property
    def pager_limit(self) -> int | None:
        """Return the limit for the pager, which cannot count what is selected here."""
        return None if self._is_selective else self._limit

    @property
    def is_full(self) -> bool:
        """Return whether the limit is reached."""
        return self.selected == self._limit

    def selects(self, row: AnyTranscription) -> bool:
        """Return whether a row is selected, and count it."""
        self._seen += 1
        is_selected = self._matches(row)
        self.selected += is_selected
        return is_selected

    def report(self) -> None:
        """Report on stderr how many rows matched, if rows were selected here."""
        if self._is_selective:
            notify(f"{self.selected} of {self._seen} matched (filtered client-side)")

    @property
    def _is_selective(self) -> bool:
        return bool(self._statuses or self._since or self._until)

    def _matches(self, row: AnyTranscription) -> bool:
        if self._statuses and (row.status or "").casefold() not in self._statuses:
            return False
        if self._since is None and self._until is None:
            return True
        # A row without a start is in no time range.
        return (
            row.start is not None
            and (self._since is None or row.start >= self._since)
            and (self._until is None or row.start < self._until)
        )
