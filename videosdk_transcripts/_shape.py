"""What the two kinds of transcription have in common: words, times and the service's shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

__all__ = [
    "iso",
    "merged",
    "present",
    "says_completed",
    "says_failed",
    "says_running",
    "time_between",
    "unsigned",
    "unsigned_all",
]

# No page of the API names a failure; these two are what programs around it test for.
_FAILED: Final = frozenset({"failed", "error"})
# A signed URL opens the file to whoever reads it in a log.
_SIGNED: Final = re.compile(r"(?<=//)[^/?#]*@|[?#].*", re.DOTALL)


def says_running(status: str | None) -> bool:
    """Tell whether the status says ``running``, in any case."""
    return (status or "").lower() == "running"


def says_completed(status: str | None) -> bool:
    """Tell whether the status says ``completed``, in any case."""
    return (status or "").lower() == "completed"


def says_failed(status: str | None) -> bool:
    """Tell whether the status says ``failed`` or ``error``, in any case."""
    return (status or "").lower() in _FAILED


def time_between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """Return the time from start to end, or None while either is unknown."""
    return None if start is None or end is None else end - start


def unsigned(url: str | None) -> str:
    """Show a URL without its user, query and fragment."""
    return repr(None if url is None else _SIGNED.sub("…", url))


def unsigned_all(files: Mapping[str, str]) -> str:
    """Show a map of files likewise."""
    return repr({name: _SIGNED.sub("…", url) for name, url in files.items()})


def present(**values: Any) -> dict[str, Any]:
    """Return the values that there are."""
    return {key: value for key, value in values.items() if value is not None}


def iso(moment: datetime | None) -> str | None:
    """Write a time as the service does."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    # The service writes milliseconds; more is kept where there is more.
    spec = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def merged(row: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Put what the model has no field for at its place again, as a copy."""
    for key, value in extra.items():
        below = row.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged(below, value)
        else:
            row[key] = deepcopy(value)
    return row
