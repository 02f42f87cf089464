"""The state of the fake service: rows, due faults, drift, and how they are reset."""

from typing import Any
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web
from attrs import evolve

from videosdk_transcripts import (
    BadRequestError,
    RedirectError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    Exchange,
    FakeVideoSDK,
    Listing,
    Status,
)

from .plain_http import LIST, OTHER, ROOM, ask, statuses


def test_rows_start_an_hour_apart_at_the_given_position() -> None:
    """New rows are added at the end or at a position, each an hour later."""
    fake = FakeVideoSDK()
    first, second = fake.add_transcriptions(2)
    front = fake.add_transcription(at=0)
    assert [front, first, second] == fake.rows
    assert [row["start"][10:13] for row in (first, second, front)] == ["T09", "T10", "T11"]


def test_ids_are_uuids_determined_by_seed() -> None:
    """The same seed produces the same ids, another seed different ones."""
    first, again, other = FakeVideoSDK(seed=1), FakeVideoSDK(seed=1), FakeVideoSDK(seed=2)
    ids = [row["id"] for row in first.add_transcriptions(3)]
    assert ids == [row["id"] for row in again.add_transcriptions(3)]
    assert set(ids).isdisjoint(row["id"] for row in other.add_transcriptions(3))
    assert [UUID(row_id).version for row_id in ids] == [4, 4, 4]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Listing([], 1, 20, 1, 1)),
        ({"roomId": ROOM, "page": "1", "perPage": "5"}, Listing([], 1, 5, 1, 1)),
        ({"roomId": OTHER}, Listing([], 1, 20, 1, 0)),
        ({"page": "0"}, None),
        ({"perPage": "x"}, None),
    ],
)
def test_listing_returns_page_or_none(query: dict[str, str], expected: Listing | None) -> None:
    """A fault can use any page of the list; an invalid query returns None."""
    fake = FakeVideoSDK()
    row = fake.add_transcription()
    if expected is not None and expected.total:
        expected = evolve(expected, rows=[row])
    assert expected == fake.listing(query)


async def test_fail_next_applies_faults_in_order(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """One fault per request of any kind, repeated `times` times."""
    fake.fail_next(Status(500), Status(502), times=2)
    fake.fail_next(Status(503))
    assert await statuses(http, fake, 1, 2, 1) == [500, 502, 500]
    assert (await ask(http, fake, f"{LIST}/any"))[0] == 502
    assert await statuses(http, fake, 1, 1) == [503, 200]


async def test_on_page_applies_to_that_page_only(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """Faults wait until their page is requested."""
    fake.on_page(2, Status(500), times=2)
    fake.on_page(2, Status(502))
    assert await statuses(http, fake, 1, 2, 3, 2, 2, 2) == [200, 500, 200, 500, 502, 200]


async def test_page_that_is_not_a_number_has_no_fault(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The service responds to it as usual, and a recorded request has no page."""
    fake.on_page(1, Status(500))
    for page in ("9" * 4400, "+1", "\u0661"):
        assert (await ask(http, fake, page=page))[0] == 400
        assert fake.requests[-1].page is None
    assert await statuses(http, fake, 1) == [500]


async def test_every_counts_all_requests(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """It counts from 1, over all pages; the fault that was added first is used."""
    fake.every(3, Status(500))
    fake.every(2, Status(502))
    assert await statuses(http, fake, 1, 2, 3, 1, 2, 3) == [200, 502, 500, 502, 200, 500]


async def test_faults_have_a_fixed_precedence(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """`on_page` precedes `fail_next`, which precedes `every`."""
    fake.every(1, Status(500))
    fake.fail_next(Status(502))
    fake.on_page(1, Status(503))
    assert await statuses(http, fake, 1, 1, 1) == [503, 502, 500]


async def test_fault_can_be_any_async_callable(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """It receives the exchange and can change the usual response."""
    fake.add_transcriptions(2)

    async def backwards(exchange: Exchange) -> web.StreamResponse:
        assert exchange.fake is fake

        def turned(page: Listing) -> Any:
            return {"path": exchange.request.path, "rows": page.rows[::-1]}

        return exchange.respond(turned)

    fake.fail_next(backwards)
    answer = await ask(http, fake)
    assert (200, {"path": f"{LIST}/", "rows": fake.rows[::-1]}) == answer


async def test_drift_moves_rows_during_a_walk(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A walk still yields every row that stays."""
    rows = {row["id"] for row in fake.add_session(ROOM, 60)}
    drift = fake.drift(every=2, insert=1, remove=2)
    found = {t.id async for t in client.iter_transcriptions(ROOM, page_size=10)}
    assert (drift.inserted, drift.removed) == (len(fake.requests) // 2, 2 * drift.inserted)
    assert drift.inserted > 2
    left = {row["id"] for row in fake.rows}
    assert rows & left <= found
    fake.drift()
    assert [t.id async for t in client.iter_transcriptions(ROOM)] == [r["id"] for r in fake.rows]


async def test_drift_on_an_empty_list(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Rows are added, and there is none to remove."""
    fake.drift(remove=1)
    assert await client.count() == 0
    fake.drift(insert=1)
    assert await client.count() == 1
    assert await client.count(ROOM) == 2


async def test_drift_is_determined_by_seed() -> None:
    """A failing test fails again."""
    left = []
    for seed in (1, 1, 2):
        async with FakeVideoSDK(seed=seed) as fake, fake.client() as client:
            for number in range(60):
                fake.add_transcription(row_id=str(number))
            fake.drift(remove=3)
            await client.count()
            left.append([row["id"] for row in fake.rows])
    assert left[0] == left[1] != left[2]


async def test_drift_counts_only_pages(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Errors, redirects and single transcriptions do not count."""
    (row,) = fake.add_transcriptions(1)
    drift = fake.drift(insert=1)
    fake.fail_next(Status(503))
    assert await client.count() == 2
    await client.get_transcription(row["id"])
    fake.slash = "refused"
    with pytest.raises(RedirectError):
        await client.count()
    assert drift.inserted == 1


@pytest.mark.parametrize("wrong", [{"every": 0}, {"insert": -1}, {"remove": -1}])
def test_drift_rejects_invalid_numbers(wrong: dict[str, int]) -> None:
    """The error is raised immediately, not during a request."""
    with pytest.raises(ValueError, match="or more"):
        FakeVideoSDK().drift(**wrong)


@pytest.mark.parametrize("fault", [503, None, Status, "Status(503)"])
def test_invalid_fault_is_rejected_immediately(fault: Any) -> None:
    """It would become a 500, which clients retry silently."""
    fake = FakeVideoSDK()
    for put in (fake.fail_next, lambda *faults: fake.on_page(1, *faults)):
        with pytest.raises(TypeError, match=r"is not a fault; create one like this: Status\(503\)"):
            put(Status(503), fault)
    with pytest.raises(TypeError, match="is not a fault"):
        fake.every(2, fault)
    with pytest.raises(ValueError, match="nth must be 1 or more"):
        fake.every(0, Status(503))


async def test_add_session_adds_rows_with_new_session_id(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Its rows have the given fields."""
    first, second = fake.add_session(ROOM, 2, status="running"), fake.add_session(ROOM)
    session_id = first[0]["extension"]["extensionConfig"]["sessionId"]
    found = [t async for t in client.iter_transcriptions(ROOM, session_id)]
    assert [t.id for t in found] == [row["id"] for row in first]
    assert all(t.is_running for t in found)
    assert second[0]["extension"]["extensionConfig"]["sessionId"] != session_id


@pytest.mark.parametrize(
    ("order", "numbers"),
    [("as stored", [1, 0, 2]), ("oldest first", [0, 1, 2]), ("newest first", [2, 1, 0])],
)
async def test_order_sorts_by_start(order: str, numbers: list[int]) -> None:
    """Rows are listed in their order, or by start."""
    async with FakeVideoSDK(order=order) as fake, fake.client() as client:  # type: ignore[arg-type]
        rows = [fake.add_transcription() for _ in range(3)]
        fake.rows[:2] = [rows[1], rows[0]]
        found = [t.id async for t in client.iter_transcriptions()]
        assert found == [rows[n]["id"] for n in numbers]


async def test_clear_faults_removes_due_faults(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows stay."""
    fake.add_transcriptions(3)
    fake.every(1, Status(400))
    with pytest.raises(BadRequestError):
        await client.count()
    fake.fail_next(Status(400), times=3)
    fake.on_page(1, Status(400))
    fake.clear_faults()
    assert await client.count() == 3
    assert len(fake.requests) == 2


async def test_clear_resets_data_and_keeps_switches(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Rows, files, faults, drift and requests are removed."""
    fake.filters, fake.jobs.formats = "ignored", ("srt",)
    started = await client.start_transcription(ROOM, summary=True)
    await client.stop_transcription(ROOM)
    fake.add_post_transcription()
    fake.files.put(fake.add_transcription(), "txt")
    for script in (fake.fail_next, lambda fault: fake.on_page(1, fault)):
        script(Status(400))
    fake.every(1, Status(400))
    fake.drift(insert=1)
    fake.clear()
    assert (fake.rows, fake.post_rows, fake.requests, fake.most_in_flight) == ([], [], [], 0)
    assert await client.count() == 0
    assert [seen.status for seen in fake.requests] == [200]
    assert (fake.filters, fake.jobs.formats) == ("ignored", ("srt",))
    fake.rows.append({"id": started.transcription.id, "status": "completed"})
    await client.get_transcription(started.transcription.id)
    assert "transcriptionFilePaths" not in fake.rows[0]


async def test_clear_faults_includes_files(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Both the service's own method and that of the files do this."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"Hi.")
    t = await client.get_transcription(row["id"])
    for clear_faults in (fake.clear_faults, fake.files.clear_faults):
        fake.files.fail_next(Status(404), times=9)
        clear_faults()
        assert await client.fetch_text(t) == "Hi."


async def test_invalid_fault_for_files_is_rejected(fake: FakeVideoSDK) -> None:
    """This is the same as for other requests."""
    wrong: Any = 503
    with pytest.raises(TypeError, match="503 is not a fault"):
        fake.files.fail_next(wrong)
