"""Selection of rows by status and start, which the service cannot do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ._output import notify, plural
from ._times import RelativeTime

if TYPE_CHECKING:
    from videosdk_transcripts import WalkStats

    from ._output import AnyTranscription


class RowFilter:
    """
    Select rows by status, and count them. The walk selects them by start.

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
        self._times = {"since": since, "until": until}
        self._seen = 0
        self.selected = 0
        """Rows that were selected so far."""

    @property
    def has_options(self) -> bool:
        """Return whether any option was given."""
        return self._limit is not None or self._is_selective

    @property
    def is_by_status(self) -> bool:
        """Return whether rows are selected here, after the walk has selected them."""
        return bool(self._statuses)

    @property
    def is_full(self) -> bool:
        """Return whether the limit is reached."""
        return self.selected == self._limit

    @property
    def rows_bound(self) -> int | None:
        """Return the number of rows of the walk at most, None if that depends on the rows."""
        return None if self._is_selective else self._limit

    def walk_options(self, resume: str | None = None) -> dict[str, Any]:
        """
        Return the arguments of the walk that select rows.

        Args:
            resume: the checkpoint to resume from. Its times take the place of relative ones,
                which have moved on since the walk began.
        """
        # The walk cannot count what is selected here.
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
        """Report on stderr how many rows of a walk matched, if rows were selected."""
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
    """Return a JSON object, or an empty one for any other text, which the walk will reject."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
