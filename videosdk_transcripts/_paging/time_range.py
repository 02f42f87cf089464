"""Select rows by their start, client-side, because the service can't. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, Self

from attrs import frozen

from videosdk_transcripts._api.filter import TranscriptionLike
from videosdk_transcripts._validation import shown
from videosdk_transcripts.errors import ConfigurationError
from videosdk_transcripts.models import WalkStats

Time = datetime | date | str
"""A time, a date (its midnight), or either in ISO 8601; in UTC unless it has an offset."""


@frozen
class TimeRange:
    """A range of start times, from `since` to just before `until`, in UTC; None for no bound."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, since: Time | None, until: Time | None) -> Self:
        """
        Return the range for a caller's arguments.

        Raises:
            ConfigurationError: an argument is not a time, or the range is empty.
        """
        found = cls(_to_utc("since", since), _to_utc("until", until))
        if found.since is not None and found.until is not None and found.since >= found.until:
            raise ConfigurationError(
                f"until must be later than since, because it is exclusive; {found.until} is not "
                f"later than {found.since}"
            )
        return found

    def selector(self, stats: WalkStats) -> Callable[[TranscriptionLike], bool] | None:
        """
        Return a function that selects and counts rows; None if every row is in the range.

        A row without a start is in no range.
        """
        since, until = self.since, self.until
        if since is None and until is None:
            return None

        def select(row: TranscriptionLike) -> bool:
            start = row.start
            if start is None:
                stats.rows_without_start += 1
                return False
            if (since is None or start >= since) and (until is None or start < until):
                return True
            stats.rows_out_of_range += 1
            return False

        return select


ALL_TIMES: Final = TimeRange()


def _to_utc(name: str, value: Time | None) -> datetime | None:
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, date) else value
    try:
        # Converted by way of its text, so that a subclass becomes a plain datetime.
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    # Raised outside the `except` block, so that the other exception does not become its context.
    raise ConfigurationError(
        f"{name} must be a datetime, a date, or a string in ISO 8601 such as '2026-03-04' or "
        f"'2026-03-04T16:00+01:00', not {shown(value)}"
    )
