"""
Services that list rows in numbered pages, each with one kind of misbehaviour, without sockets.

A pattern is a list that may change, and the way in which its pages and numbers are made. Each
one is reproducible for a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from videosdk_transcripts import Page, Transcription

__all__ = ["PATTERNS", "ROOM", "SIZE", "Pattern"]

ROOM = "abcd-efgh-ijkl"
SIZE = 20
MAX_ROWS = 300


class Pattern:
    """
    A list that never changes, served as documented.

    Args:
        seed: a seed for everything that is random.
    """

    name: ClassVar[str] = "static"
    can_reveal: ClassVar[bool] = True
    """Whether page numbers, totals and ids can show the walk everything that it needs."""
    size: ClassVar[int] = SIZE
    """The rows on a page that the walk requests."""
    served: ClassVar[int] = SIZE
    """The rows on a page that the service returns at most."""
    stops: ClassVar[bool] = False
    """Whether the walk stops at random limits, and is resumed from its checkpoint."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"{self.name} {seed}")  # noqa: S311
        self._new = iter(range(10**9))
        self.ids = self.make(self.count())
        self.listed = list(self.ids)
        """The rows when the walk begins."""
        self.always = set(self.ids)
        """Those of them that have been listed ever since."""
        self.largest = len(self.ids)
        self.requests = 0
        self.prepare()

    # What a pattern replaces.

    def count(self) -> int:
        """Return the number of rows at the beginning."""
        return self.chance.randint(1, MAX_ROWS)

    def prepare(self) -> None:
        """Prepare the list before the walk begins."""

    def change(self) -> None:
        """Change the list before a response."""

    def serve(self, number: int, size: int) -> Page[Transcription]:
        """Return a page of the list."""
        return self.cut(self.ids, number, size)

    # What it uses.

    def respond(self, number: int, size: int) -> Page[Transcription]:
        """Return the response to a request."""
        self.requests += 1
        if self.requests > 1:
            self.change()
        self.observe(self.ids)
        return self.serve(number, size)

    def observe(self, ids: Sequence[str]) -> None:
        """Record what is listed now."""
        self.always.intersection_update(ids)
        self.largest = max(self.largest, len(ids))

    def make(self, count: int) -> list[str]:
        """Return new rows."""
        return [f"r{next(self._new)}" for _ in range(count)]

    def is_due(self, rate: float = 0.1) -> bool:
        """Return whether a random event takes place now."""
        return self.chance.random() < rate

    def insert(self, at: int, count: int = 1) -> None:
        """Insert new rows into the list."""
        self.ids[at:at] = self.make(count)

    def remove(self, at: int, count: int = 1) -> None:
        """Remove rows from the list."""
        del self.ids[at : at + count]

    def anywhere(self) -> int:
        """Return a random place in the list."""
        return self.chance.randint(0, max(0, len(self.ids) - 1))

    @staticmethod
    def cut(
        ids: Sequence[str], number: int, size: int, *, offset: int | None = None, **numbers: Any
    ) -> Page[Transcription]:
        """Return a page of some rows, with the documented numbers unless others are given."""
        first = (number - 1) * size if offset is None else offset
        documented = {
            "page_size": size,
            "last_page": max(1, -(-len(ids) // size)),
            "total": len(ids),
        }
        rows = tuple(Transcription(i, room_id=ROOM) for i in ids[first : first + size])
        return Page(number, rows, **(documented | numbers))


class WholePages(Pattern):
    name = "static, ends on a page boundary"

    def count(self) -> int:
        return SIZE * self.chance.randint(1, 15)


class Empty(Pattern):
    name = "static, empty"

    def count(self) -> int:
        return 0


class NoTotal(Pattern):
    name = "static, no total"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.ids, number, size, total=None)


class NoLastPage(Pattern):
    name = "static, no last page"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.ids, number, size, last_page=None)


class NoNumbers(Pattern):
    name = "static, no numbers at all"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.ids, number, size, last_page=None, total=None, page_size=None)


class NumbersSometimes(Pattern):
    name = "static, numbers on some pages only"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        page = self.cut(self.ids, number, size)
        if self.is_due(0.3):
            return self.cut(self.ids, number, size, total=None)
        return page


class Stopped(Pattern):
    name = "static, walk stopped at limits and resumed"
    stops = True


# Lists that change.


class InsertedFront(Pattern):
    name = "rows inserted at the front"

    def change(self) -> None:
        if self.is_due():
            self.insert(0, self.chance.choice((1, 1, 1, 5, 30)))


class InsertedAnywhere(Pattern):
    name = "rows inserted anywhere"

    def change(self) -> None:
        if self.is_due():
            self.insert(self.anywhere(), self.chance.choice((1, 1, 1, 5, 30)))


class RemovedFront(Pattern):
    name = "rows removed at the front"

    def change(self) -> None:
        if self.is_due():
            self.remove(0, self.chance.choice((1, 1, 1, 5, 30)))


class RemovedAnywhere(Pattern):
    name = "rows removed anywhere"

    def change(self) -> None:
        if self.is_due():
            self.remove(self.anywhere(), self.chance.choice((1, 1, 1, 5, 30)))


class RemovedHalf(Pattern):
    name = "a row removed at half of the requests"

    def change(self) -> None:
        if self.is_due(0.5):
            self.remove(self.anywhere())


class RemovedWholePages(RemovedAnywhere):
    name = "rows removed, ends on a page boundary"
    count = WholePages.count


class RemovedNoLastPage(RemovedAnywhere):
    name = "rows removed, no last page"
    serve = NoLastPage.serve


class RemovedNoTotal(RemovedAnywhere):
    name = "rows removed, no total"
    can_reveal = False
    serve = NoTotal.serve


class InTurn(Pattern):
    name = "rows inserted and removed in turn"

    def prepare(self) -> None:
        self.changes = 0

    def change(self) -> None:
        if self.is_due():
            self.changes += 1
            (self.insert if self.changes % 2 else self.remove)(
                self.anywhere(), self.chance.choice((1, 5, 30))
            )


class BlocksInTurn(InTurn):
    name = "blocks of 30 rows inserted and removed in turn"
    inserted = 0
    """The rows of the block that is in the list; 0 while it is removed."""

    def change(self) -> None:
        if self.is_due():
            if self.inserted:
                del self.ids[: self.inserted]
                self.inserted = 0
            else:
                self.inserted = 30
                self.ids[:0] = self.make(self.inserted)


class Uneven(Pattern):
    name = "rows inserted and more of them removed"

    def change(self) -> None:
        if self.is_due():
            count = self.chance.choice((1, 5, 30))
            self.remove(self.anywhere(), count + 1)
            self.insert(self.anywhere(), count)


class OldestFirst(Pattern):
    name = "oldest first, appended at the end, removed at the front"
    can_reveal = False

    def change(self) -> None:
        if self.is_due():
            self.insert(len(self.ids), self.chance.choice((1, 5)))
        if self.is_due():
            self.remove(0)


class BurstInserted(Pattern):
    name = "thousands inserted at the front at once"

    def prepare(self) -> None:
        self.at = self.chance.randint(2, 16)

    def change(self) -> None:
        if self.requests == self.at:
            self.insert(0, self.chance.choice((1000, 3000)))


class BurstRemoved(Pattern):
    name = "half of the list removed at once"

    def prepare(self) -> None:
        self.at = self.chance.randint(2, 16)

    def change(self) -> None:
        if self.requests == self.at:
            self.remove(0, len(self.ids) // 2)


class StoppedWhileRemoved(RemovedAnywhere):
    name = "rows removed, walk stopped at limits and resumed"
    stops = True


class StoppedWhileInserted(InsertedAnywhere):
    name = "rows inserted, walk stopped at limits and resumed"
    stops = True


class Swapped(Pattern):
    name = "one row removed and one added, same total"
    can_reveal = False

    def change(self) -> None:
        if self.is_due():
            self.remove(self.anywhere())
            self.insert(self.anywhere())


class MovedToFront(Pattern):
    name = "a row moves to the front"
    can_reveal = False

    def change(self) -> None:
        if self.is_due() and self.ids:
            self.ids.insert(0, self.ids.pop(self.anywhere()))


# Replicas.


class OneAhead(Pattern):
    name = "two replicas in turn, one a row ahead"

    def prepare(self) -> None:
        self.other = [*self.make(1), *self.ids]

    def pick(self) -> list[str]:
        return self.other if self.requests % 2 else self.ids

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.pick(), number, size)


class OneAheadWholePages(OneAhead):
    name = "two replicas in turn, one a row ahead, page boundary"
    count = WholePages.count


class OneAheadAtRandom(OneAhead):
    name = "two replicas at random, one a row ahead"

    def pick(self) -> list[str]:
        return self.chance.choice((self.ids, self.other))


class OneBehind(OneAhead):
    name = "two replicas in turn, one without a row"

    def prepare(self) -> None:
        self.other = list(self.ids)
        del self.other[self.anywhere()]
        self.always.intersection_update(self.other)


class OneBehindAtRandom(OneBehind):
    name = "two replicas at random, one without a row"

    def pick(self) -> list[str]:
        return self.chance.choice((self.ids, self.other))


class SharedTotalAhead(OneAheadAtRandom):
    name = "replicas that share one total, one a row ahead"
    can_reveal = False

    def serve(self, number: int, size: int) -> Page[Transcription]:
        last_page = max(1, -(-len(self.other) // size))
        return self.cut(self.pick(), number, size, total=len(self.other), last_page=last_page)


class SharedTotalBehind(OneBehindAtRandom):
    name = "replicas that share one total, one without a row"
    can_reveal = False

    def serve(self, number: int, size: int) -> Page[Transcription]:
        last_page = max(1, -(-len(self.ids) // size))
        return self.cut(self.pick(), number, size, total=len(self.ids), last_page=last_page)


class SharedTotalTurns(SharedTotalAhead):
    name = "replicas in turn that share one total, one a row ahead"
    pick = OneAhead.pick


class Lagging(Pattern):
    name = "three replicas lag by up to 10 requests, rows removed"
    can_reveal = False
    shares_total: ClassVar[bool] = False

    def prepare(self) -> None:
        self.versions = [list(self.ids)]

    def modify(self) -> None:
        self.remove(self.anywhere(), self.chance.choice((1, 1, 3)))

    def change(self) -> None:
        if self.is_due():
            self.modify()

    def serve(self, number: int, size: int) -> Page[Transcription]:
        self.versions.append(list(self.ids))
        lag = self.chance.choice((0, 3, 10))
        seen = self.versions[max(0, len(self.versions) - 1 - lag)]
        if not self.shares_total:
            return self.cut(seen, number, size)
        last_page = max(1, -(-len(self.ids) // size))
        return self.cut(seen, number, size, total=len(self.ids), last_page=last_page)


class LaggingInserted(Lagging):
    name = "three replicas lag by up to 10 requests, rows inserted"

    def modify(self) -> None:
        self.insert(self.anywhere(), self.chance.choice((1, 1, 3)))


class LaggingMixed(Lagging):
    name = "three replicas lag by up to 10 requests, both"

    def modify(self) -> None:
        self.chance.choice((self.insert, self.remove))(self.anywhere())


class LaggingShared(Lagging):
    name = "lagging replicas that share one total, rows removed"
    shares_total = True


class LaggingInsertedShared(LaggingInserted):
    name = "lagging replicas that share one total, rows inserted"
    shares_total = True


class StaleTotal(Pattern):
    name = "total counted one response earlier, one row removed"

    def prepare(self) -> None:
        self.total = len(self.ids)
        self.at = self.chance.randint(2, 16)

    def change(self) -> None:
        if self.requests == self.at:
            self.remove(self.anywhere())

    def serve(self, number: int, size: int) -> Page[Transcription]:
        total, self.total = self.total, len(self.ids)
        last_page = max(1, -(-total // size))
        return self.cut(self.ids, number, size, total=total, last_page=last_page)


class StaleTotalRemoved(StaleTotal):
    name = "total counted one response earlier, rows removed"

    def change(self) -> None:
        if self.is_due():
            self.remove(self.anywhere(), self.chance.choice((1, 3)))


class StaleTotalInserted(StaleTotal):
    name = "total counted one response earlier, rows inserted"

    def change(self) -> None:
        if self.is_due():
            self.insert(self.anywhere(), self.chance.choice((1, 3)))


# Caches.


class Cached(Pattern):
    name = "pages cached at different times before the walk, rows removed"
    can_reveal = False

    def modify(self) -> None:
        self.remove(self.anywhere())

    def prepare(self) -> None:
        self.cache: dict[tuple[int, int], Page[Transcription]] = {}
        versions = [list(self.ids)]
        for _ in range(self.chance.randint(1, 5)):
            self.modify()
            versions.append(list(self.ids))
        for number in range(1, 1 + max(1, -(-len(versions[0]) // SIZE))):
            if self.is_due(0.7):
                self.cache[number, SIZE] = self.cut(self.chance.choice(versions), number, SIZE)
        self.always = set(versions[0]).intersection(*versions)

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cache.get((number, size)) or self.cut(self.ids, number, size)


class CachedInserted(Cached):
    name = "pages cached at different times before the walk, rows inserted"

    def modify(self) -> None:
        self.insert(self.anywhere())


class CachedMixed(Cached):
    name = "pages cached at different times before the walk, both"

    def modify(self) -> None:
        self.chance.choice((self.insert, self.remove))(self.anywhere())


class CachedForRequests(Pattern):
    name = "pages cached for 10 requests, rows removed"
    can_reveal = False

    def modify(self) -> None:
        self.remove(self.anywhere())

    def prepare(self) -> None:
        self.cache: dict[tuple[int, int], tuple[int, Page[Transcription]]] = {}

    def change(self) -> None:
        if self.is_due():
            self.modify()

    def serve(self, number: int, size: int) -> Page[Transcription]:
        until, page = self.cache.get((number, size), (0, None))
        if page is None or self.requests > until:
            page = self.cut(self.ids, number, size)
            self.cache[number, size] = (self.requests + 10, page)
        return page


class CachedForRequestsInserted(CachedForRequests):
    name = "pages cached for 10 requests, rows inserted"

    def modify(self) -> None:
        self.insert(self.anywhere())


class CachedAndReloaded(CachedForRequests):
    name = "pages cached for 10 requests, both, cache warm"

    def modify(self) -> None:
        self.chance.choice((self.insert, self.remove))(self.anywhere())

    def prepare(self) -> None:
        super().prepare()
        numbers = list(range(1, 1 + max(1, -(-len(self.ids) // SIZE))))
        self.chance.shuffle(numbers)
        for number in numbers:
            self.cache[number, SIZE] = (
                self.chance.randint(1, 10),
                self.cut(self.ids, number, SIZE),
            )
            if self.is_due(0.3):
                self.modify()
                self.observe(self.ids)


# Numbers that are wrong.


class FlickeringTotal(Pattern):
    name = "another total with each response"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        total = len(self.ids) + self.chance.randint(-3, 3)
        return self.cut(self.ids, number, size, total=max(0, total))


class FlickeringNumbers(Pattern):
    name = "another total and last page with each response"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        total = max(1, len(self.ids) + self.chance.randint(-3, 30))
        last_page = max(-(-len(self.ids) // size), -(-total // size))
        return self.cut(self.ids, number, size, total=total, last_page=last_page)


class FlickeringTotalRemoved(FlickeringTotal):
    name = "another total with each response, rows removed"
    change = RemovedAnywhere.change


class WrongTotal(Pattern):
    name = "total too high"
    wrong: ClassVar[int] = 7

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.ids, number, size, total=max(0, len(self.ids) + self.wrong))


class LowTotal(WrongTotal):
    name = "total too low"
    wrong = -7


class WrongTotalRemoved(WrongTotal):
    name = "total too high, rows removed"
    change = RemovedAnywhere.change


class LowTotalRemoved(LowTotal):
    name = "total too low, rows removed"
    change = RemovedAnywhere.change


class LowLastPage(Pattern):
    name = "last page one too low"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        last_page = max(1, -(-len(self.ids) // size) - 1)
        return self.cut(self.ids, number, size, last_page=last_page)


class HighLastPage(Pattern):
    name = "last page one too high"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.ids, number, size, last_page=-(-len(self.ids) // size) + 1)


class RowTwice(Pattern):
    name = "a row listed twice"

    def prepare(self) -> None:
        self.ids.insert(self.anywhere(), self.ids[self.anywhere()])


class FilterIgnored(Pattern):
    name = "filter ignored, rows removed"
    change = RemovedAnywhere.change

    def prepare(self) -> None:
        self.foreign = {i for i in self.ids if self.is_due(0.4)}
        self.always -= self.foreign

    def serve(self, number: int, size: int) -> Page[Transcription]:
        page = self.cut(self.ids, number, size)
        rows = tuple(
            Transcription(t.id, room_id="other" if t.id in self.foreign else ROOM)
            for t in page.items
        )
        return Page(number, rows, size, page.last_page, page.total)


class FilteredAfterwards(Pattern):
    name = "filter applied after paging, total counts all rooms"

    def prepare(self) -> None:
        self.foreign = {i for i in self.ids if self.is_due(0.4)}
        self.always -= self.foreign

    def serve(self, number: int, size: int) -> Page[Transcription]:
        page = self.cut(self.ids, number, size)
        rows = tuple(t for t in page.items if t.id not in self.foreign)
        return Page(number, rows, size, page.last_page, page.total)


# Pages that are wrong.


class EmptyOnce(Pattern):
    name = "one page comes back empty once"

    def prepare(self) -> None:
        self.at = self.chance.randint(1, 16)

    def serve(self, number: int, size: int) -> Page[Transcription]:
        ids: Sequence[str] = () if self.requests == self.at else self.ids
        last_page = max(1, -(-len(self.ids) // size))
        return self.cut(ids, number, size, total=len(self.ids), last_page=last_page)


class EmptyTwice(EmptyOnce):
    name = "a page comes back empty twice in a row"

    def serve(self, number: int, size: int) -> Page[Transcription]:
        ids: Sequence[str] = () if self.requests in (self.at, self.at + 1) else self.ids
        last_page = max(1, -(-len(self.ids) // size))
        return self.cut(ids, number, size, total=len(self.ids), last_page=last_page)


class EmptyOften(EmptyOnce):
    name = "a tenth of the pages come back empty"
    can_reveal = False

    def prepare(self) -> None:
        pass

    def serve(self, number: int, size: int) -> Page[Transcription]:
        ids: Sequence[str] = () if self.is_due() else self.ids
        last_page = max(1, -(-len(self.ids) // size))
        return self.cut(ids, number, size, total=len(self.ids), last_page=last_page)


class RepeatedOnce(Pattern):
    name = "a page comes back with the rows of the page before, once"

    def prepare(self) -> None:
        self.at = self.chance.randint(2, 16)

    def serve(self, number: int, size: int) -> Page[Transcription]:
        if self.requests == self.at and number > 1:
            return self.cut(self.ids, number, size, offset=(number - 2) * size)
        return self.cut(self.ids, number, size)


class HiddenCap(Pattern):
    name = "never more than 7 rows on a page, perPage echoed"
    served = 7

    def serve(self, number: int, size: int) -> Page[Transcription]:
        page = self.cut(self.ids, number, size)
        return Page(number, page.items[: self.served], size, page.last_page, page.total)


class HiddenCapRemoved(HiddenCap):
    name = "never more than 7 rows on a page, perPage echoed, rows removed"
    # A list of one reported page is read by the repair alone, which does not look back.
    can_reveal = False
    change = RemovedAnywhere.change


class CapOfPages(Pattern):
    name = "pages of 7 rows, perPage echoed"
    served = 7

    def serve(self, number: int, size: int) -> Page[Transcription]:
        served = min(size, self.served)
        return self.cut(self.ids, number, served, page_size=size)


class LargerHiddenCap(HiddenCap):
    name = "never more than 50 rows on a page of 100, perPage echoed"
    served = 50
    size = 100


class CapReported(Pattern):
    name = "never more than 7 rows on a page, reported, rows removed"
    served = 7
    change = RemovedAnywhere.change

    def serve(self, number: int, size: int) -> Page[Transcription]:
        return self.cut(self.ids, number, min(size, self.served))


def _all(base: type[Pattern]) -> Iterator[type[Pattern]]:
    yield base
    for derived in base.__subclasses__():
        yield from _all(derived)


PATTERNS = tuple(_all(Pattern))
"""All of them."""
