"""What a walk holds while it looks back for rows that moved."""

from __future__ import annotations

from typing import Generic

from attrs import define, frozen

from videosdk_transcripts._api.filter import TranscriptionT
from videosdk_transcripts.models import Page


# Neither is compared or shown, and what does that takes most of the time that a class is made in.
@define(eq=False, repr=False)
class Read(Generic[TranscriptionT]):
    """A page as it was read: all ids, the page without foreign rows, the number of rows."""

    ids: tuple[str, ...]
    page: Page[TranscriptionT]
    count: int

    @property
    def is_empty(self) -> bool:
        return self.count == 0


@frozen(eq=False, repr=False)
class Rescan(Generic[TranscriptionT]):
    """A page held back, and the pages before it that were read again, in order."""

    held: Read[TranscriptionT]
    is_first: bool
    reads: tuple[Read[TranscriptionT], ...] = ()
    has_moved: bool = False
    is_second: bool = False
