"""P3: random sequences of steps, limits and resumptions yield each row once, and count exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from videosdk_transcripts import Clock, Page, Transcription
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._paging.pager import Pager
from videosdk_transcripts._paging.repair import WrongTotals
from videosdk_transcripts._paging.time_range import TimeRange
from videosdk_transcripts.models import WalkStats

from .lists import LIST, walk_options

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOM = "abcd-efgh-ijkl"
WRONG_TOTALS = WrongTotals()
WRONG_TOTALS.add(Filter(ROOM))


async def no_wait(seconds: float) -> None:
    """Skip a wait."""
    assert seconds > 0


STARTS = {"early": NOON - DAY, "no start": None}


class Rows:
    """A list whose rows may be foreign or of another day, and whose total is too high."""

    def __init__(self, kinds: list[str], excess: int, times: TimeRange) -> None:
        self.rows = [
            Transcription(
                f"r{n}",
                room_id="other" if kind == "foreign" else ROOM,
                start=STARTS.get(kind, NOON + timedelta(minutes=n)),
            )
            for n, kind in enumerate(kinds)
        ]
        self.excess = excess
        self.times = times
        is_bounded = times != TimeRange()
        self.wanted = [
            row.id
            for row, kind in zip(self.rows, kinds, strict=True)
            if kind == "mine" or (kind in STARTS and not is_bounded)
        ]

    async def fetch(
        self, page: int, page_size: int, *, deadline: float | None
    ) -> Page[Transcription]:
        """Return a page."""
        assert deadline is None
        count = len(self.rows)
        return Page(
            page,
            tuple(self.rows[(page - 1) * page_size : page * page_size]),
            page_size,
            max(1, -(-count // page_size)),
            count + self.excess,
        )

    def pager(self, size: int, limit: int | None, resume: str | None) -> Pager[Transcription]:
        """Return a walk."""
        options = walk_options(
            wanted=Filter(ROOM), page_size=size, limit=limit, resume=resume, times=self.times
        )
        return Pager(
            self.fetch,
            options,
            options.load_checkpoint(LIST),
            WalkStats(),
            clock=Clock(sleep=no_wait),
            list_name=LIST,
            wrong_totals=WRONG_TOTALS,
        )


async def advance(pager: Pager[Transcription], manner: str, rows: int) -> tuple[list[str], bool]:
    """Read up to a number of rows, and return them, and whether the pager ended."""
    found: list[str] = []
    if manner == "pages":
        async for page in pager.by_page():
            found += [t.id for t in page.items]
            if len(found) >= rows:
                return found, False
        return found, True
    for _ in range(rows):
        try:
            found.append((await anext(pager)).id)
        except StopAsyncIteration:
            return found, True
    return found, False


steps = st.tuples(
    st.sampled_from(["rows", "pages"]),
    st.integers(1, 12),
    st.none() | st.integers(1, 12),
    st.booleans(),
)


@given(
    kinds=st.lists(st.sampled_from(["mine", "mine", "foreign", "early", "no start"]), max_size=40),
    times=st.sampled_from([TimeRange(), TimeRange(NOON), TimeRange(NOON, NOON + DAY)]),
    size=st.integers(1, 7),
    excess=st.integers(0, 3),
    operations=st.lists(steps, max_size=12),
)
async def test_any_steps_and_limits_yield_each_row_once(
    kinds: list[str],
    times: TimeRange,
    size: int,
    excess: int,
    operations: list[tuple[str, int, int | None, bool]],
) -> None:
    """Rows, pages and limits come in any order, with new walks from the checkpoint in between."""
    listing = Rows(kinds, excess, times)
    found: list[str] = []
    pager, limited = listing.pager(size, None, None), False
    for manner, count, limit, is_resumed in operations:
        if is_resumed:
            pager, limited = listing.pager(size, limit, pager.checkpoint), limit is not None
        rows, has_ended = await advance(pager, manner, count)
        found += rows
        if has_ended:
            assert limited or len(found) == len(listing.wanted)
            pager, limited = listing.pager(size, None, pager.checkpoint), False
    found += [t.id async for t in pager]
    if limited:
        pager = listing.pager(size, None, pager.checkpoint)
        found += [t.id async for t in pager]
    assert found == listing.wanted
    assert pager.stats.shortfall == excess
