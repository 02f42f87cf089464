"""Follow and wait with a service that returns fewer rows on a page than it reports."""

import asyncio

import pytest
from aiohttp import web
from attrs import evolve

from videosdk_transcripts import Transcription, TranscriptsClient
from videosdk_transcripts.testing import EmptyPage, Exchange, FakeVideoSDK

from ..conftest import ManualClock, until
from .support import add_file, count_requests, waiter_with

ROOM = "abcd-efgh-ijkl"


def cap_pages(fake: FakeVideoSDK, most: int) -> None:
    """Serve no more rows on a page, and report the requested size."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        return exchange.respond(lambda page: evolve(page, rows=page.rows[:most]).envelope())

    fake.every(1, respond)


@pytest.mark.parametrize("most", [20, 37, 50, 99])
@pytest.mark.parametrize("count", [20, 45, 210])
async def test_follow_reads_all_rows_of_capped_pages(
    fake: FakeVideoSDK, client: TranscriptsClient, most: int, count: int
) -> None:
    """This includes a list of a single page."""
    rows = [row["id"] for row in fake.add_transcriptions(count, status="running")]
    cap_pages(fake, most)
    found: list[str] = []
    async with client.follow(ROOM, since="start") as changes:
        async for change in changes:
            found.append(change.transcription.id)
            if len(found) == count:
                break
    assert sorted(found) == sorted(rows)


async def test_follow_finds_a_new_row_behind_capped_pages(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """This also applies if it is on the last page."""
    fake.add_transcriptions(170)
    cap_pages(fake, 50)
    changes = client.follow(ROOM)
    listening = asyncio.ensure_future(anext(changes))
    await until(lambda: clock.slept)
    row = fake.add_transcription()
    change = await listening
    assert (change.kind, change.transcription.id) == ("new", row["id"])


async def test_empty_page_is_no_reason_for_false_new_rows(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The beginning is complete, although one of its pages was empty once."""
    fake.add_transcriptions(250)
    fake.on_page(2, EmptyPage())
    changes = client.follow(ROOM)
    listening = asyncio.ensure_future(anext(changes))
    await until(lambda: "250 known" in repr(changes))
    row = fake.add_transcription()
    assert (await listening).transcription.id == row["id"]


async def test_waits_find_their_rows_on_capped_pages(
    fake: FakeVideoSDK, client: TranscriptsClient, clock: ManualClock
) -> None:
    """No row is read by its id."""
    rows = fake.add_transcriptions(120, status="running", formats=())
    cap_pages(fake, 50)
    for row in rows:
        add_file(row)
    waiter = waiter_with(client, clock.clock)
    ready: list[Transcription] = await asyncio.gather(*(waiter.wait(row["id"]) for row in rows))
    assert [t.id for t in ready] == [row["id"] for row in rows]
    assert count_requests(fake) == (3, 0)
