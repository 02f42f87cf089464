"""A time relative to now, which is another time in each run of a program."""

from __future__ import annotations

from datetime import datetime
from typing import Self


class RelativeTime(datetime):
    """A time that was given relative to now, so that the next run of a command has a later one."""

    text: str
    """What was given, such as ``24h``."""

    @classmethod
    def of(cls, moment: datetime, text: str) -> Self:
        """
        Return a time with what was given.

        Args:
            moment: the time.
            text: what was given.
        """
        found = cls.fromisoformat(moment.isoformat())
        found.text = text
        return found
