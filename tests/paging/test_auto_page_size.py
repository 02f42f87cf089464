"""``page_size="auto"``: as many rows per page as the service accepts, of two sizes."""

import json
import logging
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import (
    BadRequestError,
    ConfigurationError,
    NotFoundError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status
from videosdk_transcripts.testing._rows import Listing

ROOM = "abcd-efgh-ijkl"


def refuse_above(most: int, status: int = 400) -> Any:
    """Return a fault that refuses larger pages."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        if int(exchange.request.query["perPage"]) > most:
            return await Status(status, message="perPage is too large")(exchange)
        return exchange.response()

    return fault


def sizes(fake: FakeVideoSDK) -> list[tuple[str, str]]:
    """Return the page and the page size of each request."""
    return [(seen.query["page"], seen.query["perPage"]) for seen in fake.requests]


def listed(fake: FakeVideoSDK, count: int) -> list[str]:
    """Add rows to the service, and return their ids in the order of the list."""
    return [row["id"] for row in fake.add_transcriptions(count, room_id=ROOM)]


async def test_auto_requests_large_pages(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """There are five times fewer requests than with the documented size."""
    rows = listed(fake, 250)
    pager = client.iter_transcriptions(ROOM, page_size="auto", readahead=0)
    assert [row.id async for row in pager] == rows
    assert sizes(fake) == [("1", "100"), ("2", "100"), ("3", "100")]
    assert pager.stats.requests == 3


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("options", [{}, {"readahead": 0}, {"limit": 45}])
async def test_rejected_page_size_falls_back_to_the_documented_one(
    fake: FakeVideoSDK,
    client: TranscriptsClient,
    status: int,
    options: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Only the first page is requested twice."""
    rows = listed(fake, 50)
    fake.every(1, refuse_above(20, status))
    caplog.set_level(logging.INFO, "videosdk_transcripts")
    pager = client.iter_transcriptions(ROOM, page_size="auto", **options)
    assert [row.id async for row in pager] == rows[: options.get("limit")]
    first, second, *prefetched = sizes(fake)
    assert (first, second) == (("1", "100"), ("1", "20"))
    assert sorted(prefetched) == [("2", "20"), ("3", "20")]
    assert (pager.stats.requests, pager.stats.retries) == (4, 0)
    assert caplog.messages == ["The service rejected a page of 100 rows; requesting pages of 20."]


async def test_what_the_service_really_sends_counts() -> None:
    """A service that reduces the size instead of refusing it."""
    async with FakeVideoSDK(max_page_size=30) as fake, fake.client() as client:
        rows = listed(fake, 100)
        pager = client.iter_transcriptions(ROOM, page_size="auto", readahead=0)
        assert [row.id async for row in pager] == rows
        assert sizes(fake)[0] == ("1", "100")
        assert len(fake.requests) == 4


async def test_another_bad_request_is_raised(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The second refusal is not about the size, so no third request is sent."""
    listed(fake, 50)
    fake.every(1, Status(400))
    pager = client.iter_transcriptions(ROOM, page_size="auto")
    with pytest.raises(BadRequestError) as caught:
        await anext(pager)
    assert caught.value.page == 1
    assert sizes(fake) == [("1", "100"), ("1", "20")]


async def test_other_errors_of_the_first_page_are_not_about_its_size(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """They are raised after one request."""
    fake.every(1, Status(404))
    with pytest.raises(NotFoundError):
        await anext(client.iter_transcriptions(ROOM, page_size="auto"))
    assert sizes(fake) == [("1", "100")]


async def test_refusal_after_the_first_page_is_raised(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Page numbers already refer to the size."""
    listed(fake, 250)
    fake.on_page(2, Status(400))
    pager = client.iter_transcriptions(ROOM, page_size="auto", readahead=0)
    with pytest.raises(BadRequestError):
        [row async for row in pager]
    assert sizes(fake) == [("1", "100"), ("2", "100")]


async def test_refusal_of_a_page_at_which_a_walk_is_resumed_is_raised(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Its number refers to the size as well."""
    rows = listed(fake, 250)
    pager = client.iter_transcriptions(ROOM, page_size="auto", limit=130)
    found = [row.id async for row in pager]
    fake.on_page(2, Status(400))
    resumed = client.iter_transcriptions(ROOM, page_size="auto", resume=pager.checkpoint)
    with pytest.raises(BadRequestError):
        await anext(resumed)
    assert found + [row.id async for row in resumed] == rows


async def test_given_page_size_does_not_fall_back(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A given number is requested unchanged."""
    fake.every(1, refuse_above(20))
    with pytest.raises(BadRequestError):
        await anext(client.iter_transcriptions(ROOM, page_size=100))
    assert len(fake.requests) == 1


@pytest.mark.parametrize("most", [20, 1000])
@pytest.mark.parametrize("before", [0, 1, 20, 30, 100, 130, 250])
async def test_checkpoint_of_auto_resumes_with_the_size_in_use(
    fake: FakeVideoSDK, client: TranscriptsClient, most: int, before: int
) -> None:
    """The other process needs no second fallback, unless nothing was read."""
    rows = listed(fake, 250)
    fake.every(1, refuse_above(most))
    pager = client.iter_transcriptions(ROOM, page_size="auto")
    found = [(await anext(pager)).id for _ in range(before)]
    checkpoint = pager.checkpoint
    await pager.aclose()
    assert json.loads(checkpoint)["requested_page_size"] == "auto"
    first = len(fake.requests)
    pager = client.iter_transcriptions(ROOM, page_size="auto", resume=checkpoint)
    found += [row.id async for row in pager]
    assert found == rows
    assert ("1", "100") not in sizes(fake)[first:] or most == 1000 or not before


async def test_checkpoint_belongs_to_auto(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """This applies to any page size."""
    listed(fake, 5)
    checkpoint = client.iter_transcriptions(ROOM, page_size="auto").checkpoint
    with pytest.raises(ConfigurationError, match="page_size=auto, but this one has page_size=20"):
        client.iter_transcriptions(ROOM, resume=checkpoint)


@pytest.mark.parametrize("most", [20, 1000])
async def test_verified_walk_with_auto(
    fake: FakeVideoSDK, client: TranscriptsClient, most: int
) -> None:
    """The second pass uses another size than the one in use."""
    rows = listed(fake, 45)
    fake.every(1, refuse_above(most))
    pager = client.iter_transcriptions(ROOM, page_size="auto", consistency="verify", readahead=0)
    assert [row.id async for row in pager] == rows
    assert pager.stats.passes == 2
    assert sizes(fake)[-1][1] == ("19" if most == 20 else "99")


async def test_repair_with_auto(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Its page size is not larger than the one in use."""
    rows = listed(fake, 45)
    fake.every(1, refuse_above(20))
    # A row that moved past the walk without evidence.
    hidden = rows[30]

    async def without_one_row(exchange: Exchange) -> web.StreamResponse:
        def shape(listing: Listing) -> Any:
            listing.rows = [row for row in listing.rows if row["id"] != hidden]
            return listing.envelope()

        return exchange.respond(shape)

    fake.on_page(2, without_one_row)
    pager = client.iter_transcriptions(ROOM, page_size="auto", readahead=0)
    assert sorted([row.id async for row in pager]) == sorted(rows)
    assert (pager.stats.repaired, pager.stats.shortfall) == (1, 0)
    assert all(int(size) <= 20 for _, size in sizes(fake)[1:])


@pytest.mark.parametrize("size", ["AUTO", "", "20", None, 0, True])
def test_other_words_are_rejected(client: TranscriptsClient, size: Any) -> None:
    """Nothing has been sent by then."""
    with pytest.raises(ConfigurationError, match="page_size"):
        client.iter_transcriptions(ROOM, page_size=size)
