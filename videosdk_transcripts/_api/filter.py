"""
Exclude foreign rows (promise P2), with one filter for the request and for the response.

The vendor's reference and its Node SDK contradict each other on whether the service applies
the filter, so it is sent, and every row is checked as well.
"""

from __future__ import annotations

import logging
from datetime import datetime
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
    """A row with an id, and optionally a start, a room and a session."""

    @property
    def id(self) -> str: ...
    @property
    def room_id(self) -> str | None: ...
    @property
    def session_id(self) -> str | None: ...
    @property
    def start(self) -> datetime | None: ...


TranscriptionT = TypeVar("TranscriptionT", bound=TranscriptionLike)


@frozen
class Filter:
    """The room and the session that were requested; None for all."""

    room_id: str | None = None
    session_id: str | None = None

    @classmethod
    def of(cls, room_id: str | None, session_id: str | None) -> Self:
        """
        Return the filter of a caller's arguments.

        Raises:
            ConfigurationError: one of them is neither None nor a valid id.
        """
        hint = "; None selects all"
        return cls(
            None if room_id is None else check_id("room_id", room_id, hint),
            None if session_id is None else check_id("session_id", session_id, hint),
        )

    def params(self) -> dict[str, str]:
        """Return the filter as query parameters."""
        pairs = {"roomId": self.room_id, "sessionId": self.session_id}
        return {key: value for key, value in pairs.items() if value is not None}

    def matches_all(self, rows: tuple[TranscriptionLike, ...]) -> bool:
        """Return whether every row matches: the usual case, checked quickly."""
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

    # Cached, because all pages of a walk share the filter.

    @cached_property
    def query(self) -> str:
        """Return the parameters as a query string, to which more can be appended."""
        return urlencode(self.params()) + "&" if self.params() else ""

    @cached_property
    def words(self) -> str:
        """Return what the filter selects, for an error or a log record."""
        named = [
            f"{name} {value}"
            for name, value in (("room", self.room_id), ("session", self.session_id))
            if value is not None
        ]
        return " and ".join(named) or "the whole account"

    def matches(self, row: TranscriptionLike) -> bool | None:
        """Return whether a row matches, or None if it lacks an id that decides it."""
        claims = [
            (wanted, found)
            for wanted, found in ((self.room_id, row.room_id), (self.session_id, row.session_id))
            if wanted is not None
        ]
        # If one id differs, the row is foreign, whatever the other id is.
        if any(found is not None and found != wanted for wanted, found in claims):
            return False
        return None if any(found is None for _, found in claims) else True

    def __str__(self) -> str:
        return self.words


def apply_filter(
    page: Page[TranscriptionT], wanted: Filter, on_unverified: Unverified
) -> Page[TranscriptionT]:
    """
    Return the page without foreign rows, which are counted in it.

    Args:
        page: the page as the service sent it.
        wanted: the room and session that were requested.
        on_unverified: what to do with a row without the ids that are needed to check it:
            ``raise``, ``skip`` or ``yield``. Such rows are counted.

    Raises:
        UnverifiedRowError: there is such a row, with ``on_unverified="raise"``.
    """
    if wanted.matches_all(page.items):
        return page
    kept: list[TranscriptionT] = []
    foreign = unverified = 0
    for row in page.items:
        matches = wanted.matches(row)
        if matches is False:
            foreign += 1
            continue
        if matches is None:
            if on_unverified == "raise":
                raise _unverified_row(row, page.number, wanted)
            unverified += 1
            if on_unverified == "skip":
                continue
        kept.append(row)
    return evolve(page, items=tuple(kept), foreign_rows_dropped=foreign, unverified_rows=unverified)


def warn_of_foreign_rows(page: Page[TranscriptionT], wanted: Filter) -> None:
    """Log a warning that the service did not apply its filter."""
    logger.warning(
        "The service ignored the filter for %s: page %d had %d foreign rows, which were dropped. "
        "If you passed a custom room id, pass the room id that resolve_room() returns.",
        wanted,
        page.number,
        page.foreign_rows_dropped,
    )


def warn_of_only_foreign_rows(wanted: Filter) -> None:
    """Log a warning that all rows of a walk were foreign."""
    logger.warning(
        "The service listed only rows that do not belong to %s. If it is not empty, its id may be "
        "mistyped, or may be a custom room id: pass the room id that resolve_room() returns.",
        wanted,
    )


def _unverified_row(row: TranscriptionLike, page: int, wanted: Filter) -> UnverifiedRowError:
    return UnverifiedRowError(
        f"row {row.id} lacks a room or session id, so it can't be verified that it belongs to "
        f"{wanted}; pass on_unverified='yield' to accept such rows or on_unverified='skip' to "
        "skip them",
        row_id=row.id,
        page=page,
    )
