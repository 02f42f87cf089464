"""`since=` and `until=`: rows selected by their start, and what is left out is counted."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from videosdk_transcripts import ConfigurationError, TranscriptsClient
from videosdk_transcripts._paging.time_range import TimeRange
from videosdk_transcripts.testing import Delay, FakeVideoSDK

from .test_pager import ROOM, ids

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def rows(fake: FakeVideoSDK) -> list[str]:
    """Serve 45 rows of one room, an hour apart, from noon on; every ninth has no start."""
    for number in range(45):
        row = fake.add_transcription(room_id=ROOM, start=NOON + number * HOUR)
        if number % 9 == 8:
            del row["start"]
    return [row["id"] for row in fake.rows]


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        (datetime(2026, 3, 4, 12), NOON),
        (datetime(2026, 3, 4, 13, tzinfo=timezone(HOUR)), NOON),
        (datetime(2026, 3, 4, 7, tzinfo=timezone(-5 * HOUR, "EST")), NOON),
        (date(2026, 3, 4), NOON - 12 * HOUR),
        ("2026-03-04", NOON - 12 * HOUR),
        ("2026-03-04T12:00", NOON),
        ("2026-03-04 12:00:00.000", NOON),
        ("2026-03-04T12:00Z", NOON),
        ("2026-03-04T13:00+01:00", NOON),
        ("20260304T120000", NOON),
        (None, None),
    ],
)
def test_time_is_utc_unless_it_has_an_offset(value: Any, utc: datetime | None) -> None:
    """The time may be a datetime, a date, or either as text."""
    found = TimeRange.of(value, None)
    assert found == TimeRange(utc, None)
    assert TimeRange.of(None, value) == TimeRange(None, utc)
    if utc is not None:
        assert type(found.since) is datetime
        assert found.since.tzinfo is UTC


@pytest.mark.parametrize(
    "value", ["2026-03-04T12:00", datetime(2026, 3, 4, 12), "2026-03-04T12:00+00:00"]
)
def test_time_is_utc_on_a_machine_in_another_zone(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller on another machine gets the same rows."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XXX-5:30")
        time.tzset()
        there = TimeRange.of(value, None)
    time.tzset()
    assert there == TimeRange(NOON, None)


class NotATime(datetime):
    """A missing time of another library, whose class is derived from datetime."""

    def isoformat(self, *_: Any) -> str:
        """Return a text that is not a time."""
        return "NaT"


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026",
        "2026-02-30",
        "0001-01-01T00:00+01:00",
        1772625600,
        HOUR,
        b"2026-03-04",
        NotATime(2026, 3, 4, tzinfo=UTC),
    ],
)
def test_invalid_time_is_rejected_immediately(value: Any) -> None:
    """The error names the argument and what it may be."""
    client = TranscriptsClient(token="t")
    for name in ("since", "until"):
        for iterate in (client.iter_transcriptions, client.iter_post_transcriptions):
            with pytest.raises(ConfigurationError, match=f"^{name} must be a datetime, a date, or"):
                iterate(**{name: value})


@pytest.mark.parametrize("until", [NOON, NOON - HOUR, "2026-03-04"])
def test_empty_range_is_rejected(until: Any) -> None:
    """A day is not selected by giving it twice, because the end is exclusive."""
    with pytest.raises(ConfigurationError, match="until must be later than since"):
        TimeRange.of(NOON, until)


@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [
        (NOON + 5 * HOUR, None, range(5, 45)),
        (None, NOON + 5 * HOUR, range(5)),
        (NOON + 19 * HOUR, NOON + 30 * HOUR, range(19, 30)),
        (NOON + 19 * HOUR - timedelta(microseconds=1), NOON + 19.5 * HOUR, [19]),
        (NOON + 44 * HOUR, None, []),
        ("2026-03-05", "2026-03-06", range(12, 36)),
        (date(2026, 3, 5), date(2026, 3, 6), range(12, 36)),
    ],
)
async def test_rows_are_selected_by_their_start(
    client: TranscriptsClient, rows: list[str], since: Any, until: Any, numbers: Any
) -> None:
    """Rows from `since` on and before `until` are yielded; all others are counted."""
    pager = client.iter_transcriptions(ROOM, since=since, until=until)
    wanted = [rows[number] for number in numbers if number % 9 != 8]
    assert await ids(pager) == wanted
    stats = pager.stats
    assert (stats.rows_yielded, stats.rows_without_start) == (len(wanted), 5)
    assert stats.rows_out_of_range == 40 - len(wanted)
    # The total, and the count at the end, are those of the whole list.
    assert (pager.total, stats.shortfall) == (45, 0)


async def test_rows_without_start_are_yielded_without_a_range(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """No row is counted then."""
    pager = client.iter_transcriptions(ROOM)
    assert await ids(pager) == rows
    assert (pager.stats.rows_without_start, pager.stats.rows_out_of_range) == (0, 0)


async def test_recordings_are_selected_by_their_start(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The same rule applies."""
    for number in range(5):
        fake.add_post_transcription(start=NOON + number * HOUR)
    pager = client.iter_post_transcriptions(since=NOON + HOUR, until=NOON + 3 * HOUR)
    assert [t.start async for t in pager] == [NOON + HOUR, NOON + 2 * HOUR]
    assert pager.stats.rows_out_of_range == 3


async def test_limit_counts_rows_of_the_range(client: TranscriptsClient, rows: list[str]) -> None:
    """The checkpoint after it is exact to the row."""
    since = NOON + 16 * HOUR
    pager = client.iter_transcriptions(ROOM, since=since, limit=3, readahead=0)
    # Row 17 has no start.
    assert await ids(pager) == [rows[16], rows[18], rows[19]]
    assert pager.stats.requests == 1
    resumed = client.iter_transcriptions(ROOM, since=since, limit=2, resume=pager.checkpoint)
    assert await ids(resumed) == [rows[20], rows[21]]
    rest = client.iter_transcriptions(ROOM, since=since, resume=resumed.checkpoint)
    assert await ids(rest) == [rows[n] for n in range(22, 45) if n % 9 != 8]
    assert rest.stats.shortfall == 0


async def test_walk_resumed_behind_rows_out_of_range_reads_no_page_again(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Rows that are left out count as done, like those that were yielded."""
    since = NOON + 30 * HOUR
    async with client.iter_transcriptions(ROOM, since=since, readahead=0) as pager:
        assert (await anext(pager)).id == rows[30]
    saved = json.loads(pager.checkpoint)
    assert (saved["page"], saved["met"], saved["since"]) == (2, 31, since.isoformat())
    fake.requests.clear()
    resumed = client.iter_transcriptions(ROOM, since=since, resume=pager.checkpoint)
    assert await ids(resumed) == [rows[n] for n in range(31, 45) if n % 9 != 8]
    assert [r.page for r in fake.requests] == [2, 3]


async def test_checkpoint_needs_the_same_times(client: TranscriptsClient, rows: list[str]) -> None:
    """They may be in any time zone."""
    pager = client.iter_transcriptions(ROOM, since="2026-03-05")
    assert (await anext(pager)).id == rows[12]
    resume = pager.checkpoint
    same = client.iter_transcriptions(ROOM, since="2026-03-05T01:00+01:00", resume=resume)
    assert (await anext(same)).id == rows[13]
    for times in ({}, {"since": "2026-03-06"}, {"since": "2026-03-05", "until": "2026-03-06"}):
        with pytest.raises(ConfigurationError, match="pass the same times again"):
            client.iter_transcriptions(ROOM, resume=resume, **times)


async def test_pages_have_only_rows_of_the_range(
    client: TranscriptsClient, rows: list[str]
) -> None:
    """A page may be empty, and a page of which some rows were yielded has the remaining ones."""
    pager = client.iter_transcriptions(ROOM, since=NOON + 21 * HOUR)
    assert [[t.id for t in page.items] async for page in pager.by_page()] == [
        [],
        [rows[n] for n in range(21, 40) if n % 9 != 8],
        [rows[n] for n in range(40, 44)],
    ]
    pager = client.iter_transcriptions(ROOM, until=NOON + 3 * HOUR, limit=3)
    assert (await anext(pager)).id == rows[0]
    assert [[t.id for t in page.items] async for page in pager.by_page()] == [rows[1:3]]


async def test_verified_walk_selects_by_start(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The passes compare whole lists, and each row is yielded and counted once."""
    pager = client.iter_transcriptions(ROOM, until=NOON + 20 * HOUR, consistency="verify")
    assert await ids(pager) == [rows[n] for n in range(20) if n % 9 != 8]
    assert (pager.stats.passes, pager.stats.rows_without_start) == (2, 5)
    assert pager.stats.rows_out_of_range == 45 - 5 - 18
    limited = client.iter_transcriptions(
        ROOM, since=NOON + 40 * HOUR, consistency="verify", limit=9
    )
    assert await ids(limited) == rows[40:44]


async def test_limit_does_not_slow_down_the_search_for_rows(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Any number of pages may have no row of the range, so pages are prefetched."""
    fake.add_transcriptions(200, room_id=ROOM, start=NOON)
    fake.add_transcription(room_id=ROOM, start=NOON + HOUR)
    fake.every(1, Delay(0.01))
    pager = client.iter_transcriptions(ROOM, since=NOON + HOUR, limit=1)
    assert [t.start async for t in pager] == [NOON + HOUR]
    assert fake.most_in_flight > 1


@pytest.mark.parametrize("start", [NOON, None])
async def test_rows_out_of_range_are_not_foreign(
    fake: FakeVideoSDK, client: TranscriptsClient, start: datetime | None
) -> None:
    """A walk that left out all of its own rows does not suggest a custom id."""
    fake.filters = "ignored"
    fake.add_transcription(room_id=ROOM)["start"] = start and start.isoformat()
    fake.add_transcription(room_id="other", start=NOON)
    pager = client.iter_transcriptions(ROOM, since=NOON + HOUR)
    assert await ids(pager) == []
    stats = pager.stats
    left_out = (stats.rows_out_of_range, stats.rows_without_start)
    assert (stats.foreign_rows_dropped, left_out) == (1, (1, 0) if start else (0, 1))
    assert not pager.stats.only_foreign_rows


async def test_closed_pager_keeps_its_place(client: TranscriptsClient, rows: list[str]) -> None:
    """This also applies between rows that are left out."""
    since = NOON + 6 * HOUR
    pager = client.iter_transcriptions(ROOM, since=since)
    assert [(await anext(pager)).id, (await anext(pager)).id] == rows[6:8]
    await pager.aclose()
    resumed = client.iter_transcriptions(ROOM, since=since, resume=pager.checkpoint, limit=2)
    assert await ids(resumed) == rows[9:11]
