"""Measure walks over a list that is modified concurrently."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final, Literal, get_args

from aiohttp import web
from attrs import frozen

from videosdk_transcripts import IncompleteWalkError, TranscriptsClient, VideoSDKTranscriptsError
from videosdk_transcripts.testing import Exchange, FakeVideoSDK

from .tally import Tally

__all__ = ["MovingCase", "Pattern", "Position", "When", "moving_lines", "undetectable_lines"]

PAGE_SIZE: Final = 20
BLOCK: Final = 30
"""The number of rows in a block, more than a page."""
EVERY: Final = 5
RATE: Final = 0.1
MAX_ROWS: Final = 400
"""The maximum number of rows before a resumed walk stops again."""
ROOM: Final = "abcd-efgh-ijkl"

Pattern = Literal["inserted", "removed", "in turn", "uneven", "even"]
Position = Literal["front", "middle", "end"]
When = Literal["every 5 pages", "at random requests"]
Manner = Literal["once", "verify", "resumed"]


class Mover:
    """Modify the list before some responses, reproducibly for a seed."""

    def __init__(self, fake: FakeVideoSDK, line: MovingCase, seed: int) -> None:
        self.removed: set[str] = set()
        self.changes = 0
        self._fake, self._line = fake, line
        self._chance = random.Random(f"{line.name} {seed}")  # noqa: S311
        self._next = 1 + self._chance.randint(1, EVERY)

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        """Modify the list if a change is due, and respond."""
        page = int(exchange.request.query["page"])
        if self._is_due(page):
            self._change()
            self.changes += 1
        return exchange.response()

    def _is_due(self, page: int) -> bool:
        if self._line.when == "at random requests":
            return len(self._fake.requests) > 1 and self._chance.random() < RATE
        if page < self._next:
            return False
        # One change per five pages, at a varying page.
        self._next = EVERY * ((page - 2) // EVERY + 1) + 1 + self._chance.randint(1, EVERY)
        return True

    def _change(self) -> None:
        line, count = self._line, self._line.count
        other = line.other_position or line.position
        match line.pattern:
            case "inserted":
                self._insert(line.position, count)
            case "removed":
                self._remove(line.position, count)
            case "in turn":
                (self._insert if self.changes % 2 else self._remove)(line.position, count)
            case "uneven":
                # More rows are removed than inserted, so the total changes; the position is random.
                self._remove(line.position, count + 1)
                self._insert(self._chance.choice(get_args(Position)), count)
            case _:
                self._remove(line.position, count)
                self._insert(other, count)

    def _insert(self, position: Position, count: int) -> None:
        at = self._index(position, len(self._fake.rows))
        for n in range(count):
            self._fake.add_transcription(at=at + n, room_id=ROOM)

    def _remove(self, position: Position, count: int) -> None:
        rows = self._fake.rows
        at = self._index(position, max(0, len(rows) - count))
        self.removed.update(row["id"] for row in rows[at : at + count])
        del rows[at : at + count]

    def _index(self, position: Position, end: int) -> int:
        if position == "middle":
            return self._chance.randint(end // 4, 3 * end // 4)
        return 0 if position == "front" else end


@frozen
class MovingCase:
    """
    One line of the table.

    Args:
        pattern: the kind of change. ``in turn`` alternates removals and insertions,
            ``uneven`` makes both in one change with another total, ``even`` with the same.
        position: the position of the change.
        count: the number of rows per change.
        when: the times of the changes.
        other_position: the position of insertions in an ``even`` change; `position` by default.
        manner: one walk, a verified one, or one that stops at random rows and is resumed
            from its checkpoint by a new client, while the list keeps moving.
        seeds: the seeds; one walk for each.
        pages: the initial length of the list.
        readahead: the maximum number of pages to prefetch.
    """

    pattern: Pattern
    position: Position
    count: int
    when: When = "every 5 pages"
    other_position: Position | None = None
    manner: Manner = "once"
    seeds: tuple[int, ...] = tuple(range(1, 21))
    pages: int = 200
    readahead: int = 8

    @property
    def name(self) -> str:
        """Return the line's name, which is also a part of its random seed."""
        positions = f"{self.position} {self.other_position or ''}".strip()
        return f"{self.pattern} {positions} {self.count} {self.when}"

    def __call__(self) -> Tally:
        """Run all walks of this line."""
        return asyncio.run(self.walk_all())

    async def walk_all(self) -> Tally:
        """Run all walks of this line in the running event loop."""
        tally = Tally()
        for seed in self.seeds:
            await self._walk(seed, tally)
            await tally.count_leftovers()
        return tally

    async def _walk(self, seed: int, tally: Tally) -> None:
        # All rows belong to one room, and filtering them for each response is slow.
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
                tally.add_rows(found, listed, mover.removed)
            tally.faults["changes"] += mover.changes
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
                found.append(t.id)  # noqa: PERF401 - rows read before an error are kept
        finally:
            tally.add_stats(pager.stats)

    async def _walk_in_parts(
        self, fake: FakeVideoSDK, chance: random.Random, found: list[str], tally: Tally
    ) -> None:
        checkpoint: str | None = None
        while True:
            remaining = chance.randint(1, MAX_ROWS)
            async with fake.client() as client:
                pager = client.iter_transcriptions(
                    ROOM, page_size=PAGE_SIZE, resume=checkpoint, readahead=self.readahead
                )
                async for t in pager:
                    found.append(t.id)
                    remaining -= 1
                    if not remaining:
                        break
                tally.add_stats(pager.stats)
                checkpoint = pager.checkpoint
            if remaining:
                return


def moving_lines(**options: Any) -> list[MovingCase]:
    """Return the lines with a total that changes."""
    patterns: tuple[Pattern, ...] = ("inserted", "removed", "in turn", "uneven")
    return [
        MovingCase(pattern, position, count, when, **options)
        for pattern in patterns
        for position in get_args(Position)
        for count in (1, BLOCK)
        for when in get_args(When)
    ]


def resumed_lines(**options: Any) -> list[MovingCase]:
    """Return the same lines for walks that stop at random rows and are resumed."""
    return moving_lines(manner="resumed", **options)


def undetectable_lines(**options: Any) -> list[MovingCase]:
    """Return the lines of the limitation: as many rows in as out, with the same total."""
    return [
        MovingCase("even", out_of, count, other_position=into, **options)
        for out_of in get_args(Position)
        for into in get_args(Position)
        for count in (1, BLOCK)
    ]
