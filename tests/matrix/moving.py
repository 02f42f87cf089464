"""Walks over a list whose rows appear and vanish meanwhile."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final, Literal, get_args

from aiohttp import web
from attrs import frozen

from videosdk_transcripts import IncompleteWalkError, TranscriptsClient, VideoSDKTranscriptsError
from videosdk_transcripts.testing import Exchange, FakeVideoSDK

from .tally import Tally

__all__ = ["Moving", "Pattern", "Place", "When", "moving_lines", "unseen_lines"]

PAGE_SIZE: Final = 20
BLOCK: Final = 30
"""Rows that appear or vanish together, more than a page."""
EVERY: Final = 5
RATE: Final = 0.1
MOST_ROWS: Final = 400
"""The most rows before a resumed walk stops once more."""
ROOM: Final = "abcd-efgh-ijkl"

Pattern = Literal["inserted", "removed", "in turn", "uneven", "even"]
Place = Literal["front", "middle", "end"]
When = Literal["every 5 pages", "at random requests"]
Manner = Literal["once", "verify", "resumed"]


class Mover:
    """Change the list just before some responses, the same way for the same seed."""

    def __init__(self, fake: FakeVideoSDK, line: Moving, seed: int) -> None:
        self.gone: set[str] = set()
        self.moments = 0
        self._fake, self._line = fake, line
        self._chance = random.Random(f"{line.name} {seed}")  # noqa: S311
        self._next = 1 + self._chance.randint(1, EVERY)

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        """Change the list if it is time, and respond."""
        page = int(exchange.request.query["page"])
        if self._is_time(page):
            self._change()
            self.moments += 1
        return exchange.response()

    def _is_time(self, page: int) -> bool:
        if self._line.when == "at random requests":
            return len(self._fake.requests) > 1 and self._chance.random() < RATE
        if page < self._next:
            return False
        # One in each five pages, not always the same one.
        self._next = EVERY * ((page - 2) // EVERY + 1) + 1 + self._chance.randint(1, EVERY)
        return True

    def _change(self) -> None:
        line, count = self._line, self._line.count
        other = line.other_place or line.place
        match line.pattern:
            case "inserted":
                self._insert(line.place, count)
            case "removed":
                self._remove(line.place, count)
            case "in turn":
                (self._insert if self.moments % 2 else self._remove)(line.place, count)
            case "uneven":
                # More rows go than come, so that the total changes; the place is random.
                self._remove(line.place, count + 1)
                self._insert(self._chance.choice(get_args(Place)), count)
            case _:
                self._remove(line.place, count)
                self._insert(other, count)

    def _insert(self, place: Place, count: int) -> None:
        at = self._index(place, len(self._fake.rows))
        for n in range(count):
            self._fake.add_transcription(at=at + n, room_id=ROOM)

    def _remove(self, place: Place, count: int) -> None:
        rows = self._fake.rows
        at = self._index(place, max(0, len(rows) - count))
        self.gone.update(row["id"] for row in rows[at : at + count])
        del rows[at : at + count]

    def _index(self, place: Place, end: int) -> int:
        if place == "middle":
            return self._chance.randint(end // 4, 3 * end // 4)
        return 0 if place == "front" else end


@frozen
class Moving:
    """
    One line of the table.

    Args:
        pattern: what happens at a moment. ``in turn`` is a removal and an insertion at
            separate moments, ``uneven`` both at once with another total, ``even`` both at
            once with the same total.
        place: where.
        count: rows at once.
        when: the moments.
        other_place: where rows come in an ``even`` change; as `place` by default.
        manner: one walk, a verified one, or one that stops at random rows and is resumed
            from its checkpoint by a new client, while the list keeps moving.
        seeds: one walk for each.
        pages: the length of the list at first.
        readahead: the most pages to prefetch.
    """

    pattern: Pattern
    place: Place
    count: int
    when: When = "every 5 pages"
    other_place: Place | None = None
    manner: Manner = "once"
    seeds: tuple[int, ...] = tuple(range(1, 21))
    pages: int = 200
    readahead: int = 8

    @property
    def name(self) -> str:
        """Return the line's name, which is also a part of its random seed."""
        places = f"{self.place} {self.other_place or ''}".strip()
        return f"{self.pattern} {places} {self.count} {self.when}"

    def __call__(self) -> Tally:
        """Run all of it."""
        return asyncio.run(self.walk_all())

    async def walk_all(self) -> Tally:
        """Run all of it in the running loop."""
        tally = Tally()
        for seed in self.seeds:
            await self._walk(seed, tally)
            await tally.look_for_leftovers()
        return tally

    async def _walk(self, seed: int, tally: Tally) -> None:
        # All rows belong to one room, and filtering them for each response takes long.
        async with FakeVideoSDK(filters="ignored") as fake:
            rows = fake.add_transcriptions(self.pages * PAGE_SIZE, room_id=ROOM)
            listed = [row["id"] for row in rows]
            mover = Mover(fake, self, seed)
            fake.every(1, mover)
            found: list[str] = []
            try:
                if self.manner == "resumed":
                    await self._walk_in_parts(fake, random.Random(seed), found, tally)  # noqa: S311
                else:
                    async with fake.client() as client:
                        await self._walk_through(client, found, tally)
            except IncompleteWalkError as error:
                # A verified walk that raises this has lost nothing silently.
                tally.errors[type(error).__name__] += 1
            except VideoSDKTranscriptsError as error:
                tally.errors[type(error).__name__] += 1
                tally.flaws["walk that did not finish"] += 1
            else:
                tally.add_rows(found, listed, mover.gone)
            tally.faults["moments"] += mover.moments
            tally.pages += max(request.page or 0 for request in fake.requests)

    async def _walk_through(
        self, client: TranscriptsClient, found: list[str], tally: Tally
    ) -> None:
        consistency: Literal["once", "verify"] = "verify" if self.manner == "verify" else "once"
        pager = client.iter_transcriptions(
            ROOM, page_size=PAGE_SIZE, consistency=consistency, readahead=self.readahead
        )
        try:
            async for t in pager:
                found.append(t.id)  # noqa: PERF401 - an error must not take them along
        finally:
            tally.add_stats(pager.stats)

    async def _walk_in_parts(
        self, fake: FakeVideoSDK, chance: random.Random, found: list[str], tally: Tally
    ) -> None:
        checkpoint: str | None = None
        while True:
            left = chance.randint(1, MOST_ROWS)
            async with fake.client() as client:
                pager = client.iter_transcriptions(
                    ROOM, page_size=PAGE_SIZE, resume=checkpoint, readahead=self.readahead
                )
                async for t in pager:
                    found.append(t.id)
                    left -= 1
                    if not left:
                        break
                tally.add_stats(pager.stats)
                checkpoint = pager.checkpoint
            if left:
                return


def moving_lines(**options: Any) -> list[Moving]:
    """Return the lines with a total that changes."""
    patterns: tuple[Pattern, ...] = ("inserted", "removed", "in turn", "uneven")
    return [
        Moving(pattern, place, count, when, **options)
        for pattern in patterns
        for place in get_args(Place)
        for count in (1, BLOCK)
        for when in get_args(When)
    ]


def resumed_lines(**options: Any) -> list[Moving]:
    """Return the same lines for walks that stop at random rows and are resumed."""
    return moving_lines(manner="resumed", **options)


def unseen_lines(**options: Any) -> list[Moving]:
    """Return the lines of the limitation: as many rows in as out, with the same total."""
    return [
        Moving("even", out_of, count, other_place=into, **options)
        for out_of in get_args(Place)
        for into in get_args(Place)
        for count in (1, BLOCK)
    ]
