"""P1 and P3 for walks that are resumed while rows appear and vanish, without sockets."""

import random

import pytest

from videosdk_transcripts import Clock, Page, Transcription, WalkStats
from videosdk_transcripts._paging.pager import Pager
from videosdk_transcripts._paging.repair import WrongTotals

from ..paging.lists import LIST, walk_options

SIZE = 20
ROWS = 60 * SIZE
BLOCK = 30
"""Rows that appear or vanish together, more than a page."""


class Moving:
    """A list that loses a block of rows and gets another one, before one response in ten."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.ids = [f"row {n}" for n in range(ROWS)]
        self.gone: set[str] = set()
        self._moments = 0
        self._is_at_the_front = self.chance.random() < 0.5

    async def fetch(
        self, page: int, page_size: int, *, deadline: float | None
    ) -> Page[Transcription]:
        if self.chance.random() < 0.1:
            self._move()
        rows = self.ids[(page - 1) * SIZE : page * SIZE]
        return Page(
            page,
            tuple(Transcription(row_id) for row_id in rows),
            page_size=SIZE,
            last_page=-(-len(self.ids) // SIZE),
            total=len(self.ids),
        )

    def _move(self) -> None:
        end = len(self.ids)
        at = 0 if self._is_at_the_front else self.chance.randint(end // 4, 3 * end // 4)
        if self._moments % 2:
            self.ids[at:at] = [f"new {self._moments} {n}" for n in range(BLOCK)]
        else:
            self.gone.update(self.ids[at : at + BLOCK])
            del self.ids[at : at + BLOCK]
        self._moments += 1


async def walk_in_parts(listing: Moving) -> list[str]:
    """Stop after some rows, again and again, and resume from the checkpoint."""
    found: list[str] = []
    checkpoint, left = None, 0
    while left == 0:
        left = listing.chance.randint(1, 400)
        options = walk_options(page_size=SIZE, resume=checkpoint, max_empty_pages=9)
        pager = Pager(
            listing.fetch,
            options,
            options.load_checkpoint(LIST),
            WalkStats(),
            clock=Clock(),
            list_name=LIST,
            wrong_totals=WrongTotals(),
        )
        async for t in pager:
            found.append(t.id)
            left -= 1
            if not left:
                break
        checkpoint = pager.checkpoint
    return found


# Each of them stops a walk while a row is missing before one that was yielded.
SEEDS = (7, 756, 817, 1031, 1177, 1552, 1627, 1963, 2113, 2189)


@pytest.mark.parametrize("seed", SEEDS)
async def test_resumed_walks_yield_all_rows_that_stayed(seed: int) -> None:
    """This includes rows that a rescan had found but not yielded yet, and those before them."""
    listing = Moving(seed)
    found = await walk_in_parts(listing)
    stayed = {f"row {n}" for n in range(ROWS)} - listing.gone
    assert stayed - set(found) == set()
    assert len(found) == len(set(found))
