"""Read the times in options: a date or a time in UTC, or a time relative to now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from videosdk_transcripts._relative_time import RelativeTime

EXAMPLES: Final = "2026-03-04, 2026-03-04T16:00+01:00, yesterday or 24h"

_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def read_time(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    """
    Return a time from ISO 8601, in UTC unless it has an offset, or relative to now.

    ``today`` and ``yesterday`` are midnights in UTC, and ``24h`` is a day ago.
    """
    if value is None:
        return None
    try:
        found = _relative(value.strip().lower())
        if found is not None:
            return RelativeTime.of(found, value)
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is not a time such as {EXAMPLES}") from None


def _relative(value: str) -> datetime | None:
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if value in named:
        return named[value]
    ago = re.fullmatch(r"(\d{1,9})([mhdw])", value, re.ASCII)
    return None if ago is None else now - int(ago[1]) * _UNITS[ago[2]]
