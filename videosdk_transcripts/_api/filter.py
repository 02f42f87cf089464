"""
Whose rows a caller asked for: one rule, used for the request and for the answer.

The vendor's pages contradict each other on whether the service honours its own
filter, so it is sent and every row is checked all the same (promise P2).
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Literal, Protocol, Self, TypeVar
from urllib.parse import urlencode

from attrs import evolve, frozen

from videosdk_transcripts._validation import check_id
from videosdk_transcripts.errors import UnverifiedRowError
from videosdk_transcripts.models import Page

logger = logging.getLogger("videosdk_transcripts")

Unverified = Literal["raise", "skip", "yield"]


class TranscriptionLike(Protocol):
    """A row that knows where it belongs, or does not."""

    @property
    def id(self) -> str: ...
    @property
    def room_id(self) -> str | None: ...
    @property
    def session_id(self) -> str | None: ...


TranscriptionT = TypeVar("TranscriptionT", bound=TranscriptionLike)


@frozen
class Filter:
    """The room and the session that were asked for; None asks for all."""

    room_id: str | None = None
    session_id: str | None = None

    @classmethod
    def of(cls, room_id: str | None, session_id: str | None) -> Self:
        """
        Make a filter of what a caller gave.

        Raises:
            ConfigurationError: one of them is given, and is no id.
        """
        for name, value in (("room_id", room_id), ("session_id", session_id)):
            if value is not None:
                check_id(name, value, "; None asks for all")
        return cls(room_id, session_id)

    def params(self) -> dict[str, str]:
        """Return the query parameters that say the same to the service."""
        pairs = {"roomId": self.room_id, "sessionId": self.session_id}
        return {key: value for key, value in pairs.items() if value is not None}

    def matches_all(self, rows: tuple[TranscriptionLike, ...]) -> bool:
        """Tell whether all rows are ours, at the cost of a glance at each."""
        room_id, session_id = self.room_id, self.session_id
        if room_id is not None:
            for row in rows:
                if row.room_id != room_id:
                    return False
        if session_id is not None:
            for row in rows:
                if row.session_id != session_id:
                    return False
        return True

    # The pages of a walk have one filter, so that these two are made once for all of them.

    @cached_property
    def query(self) -> str:
        """Return the parameters as a query, to which others may be added."""
        return urlencode(self.params()) + "&" if self.params() else ""

    @cached_property
    def words(self) -> str:
        """Return whose rows these are, for an error or a log."""
        named = [
            f"{name} {value}"
            for name, value in (("room", self.room_id), ("session", self.session_id))
            if value is not None
        ]
        return " and ".join(named) or "the whole account"

    def matches(self, row: TranscriptionLike) -> bool | None:
        """Tell whether a row is one of ours, or None where the row does not say."""
        claims = [
            (wanted, found)
            for wanted, found in ((self.room_id, row.room_id), (self.session_id, row.session_id))
            if wanted is not None
        ]
        # One id that differs is proof, whatever the other one says or leaves out.
        if any(found is not None and found != wanted for wanted, found in claims):
            return False
        return None if any(found is None for _, found in claims) else True

    def __str__(self) -> str:
        return self.words


def apply_filter(
    page: Page[TranscriptionT], wanted: Filter, on_unverified: Unverified
) -> Page[TranscriptionT]:
    """
    Return the page without rows that are another's, and with the dropped ones counted.

    Raises:
        UnverifiedRowError: a row does not say whose it is and `on_unverified` is ``raise``.
    """
    if wanted.matches_all(page.items):
        return page
    kept: list[TranscriptionT] = []
    foreign = unsure = 0
    for row in page.items:
        verdict = wanted.matches(row)
        if verdict is False:
            foreign += 1
            continue
        if verdict is None:
            if on_unverified == "raise":
                raise _on_unverified(row, page.number, wanted)
            unsure += 1
            if on_unverified == "skip":
                continue
        kept.append(row)
    return evolve(page, items=tuple(kept), foreign_rows_dropped=foreign, unverified_rows=unsure)


def warn_of_foreign_rows(page: Page[TranscriptionT], wanted: Filter) -> None:
    """Say in the log that the service did not honour its filter."""
    logger.warning(
        "The service ignored the filter for %s: page %d held %d rows of others, which were "
        "dropped. If you asked by a room's custom id, ask by its room id instead.",
        wanted,
        page.number,
        page.foreign_rows_dropped,
    )


def _on_unverified(row: TranscriptionLike, page: int, wanted: Filter) -> UnverifiedRowError:
    return UnverifiedRowError(
        f"row {row.id} does not name the room or session it belongs to, so it can't be "
        f"told whether it is of {wanted}; pass on_unverified='yield' to accept such rows or "
        "on_unverified='skip' to leave them out",
        row_id=row.id,
        page=page,
    )
