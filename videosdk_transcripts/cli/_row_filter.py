"""Select rows by status and start, client-side, because the service cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from videosdk_transcripts._relative_time import RelativeTime

from ._output import notify, plural

if TYPE_CHECKING:
    from videosdk_transcripts import WalkStats

    from ._output import AnyTranscription


class RowFilter:
    """
    Select rows by status, and count them. The walk itself selects them by start.

    Args:
        limit: maximum number of rows to select; None for all.
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
        self._times = {"since": since, "until": until}
        self._seen = 0
        self.selected = 0
        """How many rows have been selected so far."""

    @property
    def has_options(self) -> bool:
        """Return whether any option was set."""
        return self._limit is not None or self._is_selective

    @property
    def is_by_status(self) -> bool:
        """Return whether rows are selected by status, after the walk has selected them."""
        return bool(self._statuses)

    @property
    def is_full(self) -> bool:
        """Return whether the limit is reached."""
        return self.selected == self._limit

    @property
    def rows_bound(self) -> int | None:
        """Return the maximum number of rows of the walk; None if it depends on the rows."""
        return None if self._is_selective else self._limit

    def walk_options(self, resume: str | None = None) -> dict[str, Any]:
        """
        Return the arguments of the walk that select rows.

        Args:
            resume: the checkpoint to resume from. Its times replace relative ones, which have
                changed since the walk began.
        """
        # The walk can't apply the limit if rows are selected after it.
        options: dict[str, Any] = {"limit": None if self._statuses else self._limit}
        saved = _read_object(resume)
        for name, time in self._times.items():
            is_saved = isinstance(time, RelativeTime) and isinstance(saved.get(name), str)
            options[name] = saved[name] if is_saved else time
        return options

    def selects(self, row: AnyTranscription) -> bool:
        """Return whether a row is selected, and count it."""
        self._seen += 1
        is_selected = not self._statuses or (row.status or "").casefold() in self._statuses
        self.selected += is_selected
        return is_selected

    def count(self, stats: WalkStats) -> None:
        """Count the rows of a walk that did not pass through `selects`."""
        self._seen = self.selected = stats.rows_yielded

    def report(self, stats: WalkStats) -> None:
        """Print to stderr how many rows of a walk matched, if rows were selected."""
        if not self._is_selective:
            return
        seen = self._seen + stats.rows_out_of_range + stats.rows_without_start
        notify(f"{self.selected} of {seen} matched (filtered client-side)")
        if stats.rows_without_start:
            notify(f"{plural(stats.rows_without_start, 'row')} without a start left out")

    @property
    def _is_selective(self) -> bool:
        return bool(self._statuses or any(self._times.values()))


def _read_object(text: str | None) -> dict[str, Any]:
    """Return a JSON object, or an empty one for an invalid text, which the walk will reject."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
