"""The effect of each fault, on plain requests and on a walk of the client."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_args

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from videosdk_transcripts import (
    PaginationError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    Body,
    Change,
    CutBody,
    Delay,
    DropConnection,
    EmptyPage,
    Envelope,
    Exchange,
    FakeVideoSDK,
    Fault,
    HtmlPage,
    RepeatPage,
    Status,
)
from videosdk_transcripts.testing._rows import Row, Shape

from .plain_http import LIST, OTHER, ROOM, SESSION, ask, signed, statuses

# aiohttp itself sends such a request a second time when its connection breaks.
ATTEMPTS = 2


INFO = {"currentPage": 1, "perPage": 2, "lastPage": 2, "total": 3}


SHAPES: dict[str, Callable[[list[Row]], Any]] = {
    "documented": lambda rows: {"pageInfo": INFO, "transcriptions": rows},
    "data key": lambda rows: {"pageInfo": INFO, "data": rows},
    "numbers as text": lambda rows: {
        "pageInfo": {"currentPage": "1", "perPage": "2", "lastPage": "2", "total": "3"},
        "transcriptions": rows,
    },
    "no last page": lambda rows: {
        "pageInfo": {"currentPage": 1, "perPage": 2, "total": 3, "totalItems": 3},
        "transcriptions": rows,
    },
    "no page info": lambda rows: {"transcriptions": rows},
    "page and totalPages": lambda rows: {
        "pageInfo": {"page": 1, "totalPages": 2},
        "transcriptions": rows,
    },
    "pagination": lambda rows: {
        "pagination": {"page": 1, "perPage": 2, "totalPages": 2, "total": 3},
        "records": rows,
    },
    "bare array": lambda rows: rows,
}


async def test_status_sends_status_headers_and_message(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The body is an error of the service."""
    fake.fail_next(Status(429, {"Retry-After": "7"}, "slow down"))
    async with http.get(f"{fake.url}{LIST}/") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert await response.json() == {"message": "slow down"}


async def test_delay_sends_the_usual_response_later(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """It is not sent before the delay has passed."""
    fake.fail_next(Delay(0.05))
    begun = time.monotonic()
    status, data = await ask(http, fake)
    # A timer of asyncio may fire a tick of the clock early.
    assert time.monotonic() - begun > 0.04
    assert (status, data["pageInfo"]["total"]) == (200, 45)


async def test_drop_connection_sends_no_response(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The request is no longer in flight."""
    fake.fail_next(DropConnection(), times=ATTEMPTS)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask(http, fake)
    assert fake.in_flight == 0
    assert await statuses(http, fake, 1) == [200]


async def test_drop_connection_accepts_a_closed_connection(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """There is nothing left to close."""
    found: list[object] = []

    async def drop_twice(exchange: Exchange) -> web.StreamResponse:
        await DropConnection()(exchange)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        found.append(exchange.request.transport)
        return await DropConnection()(exchange)

    fake.fail_next(drop_twice, times=ATTEMPTS)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask(http, fake)
    assert found == [None] * ATTEMPTS
    assert await statuses(http, fake, 1) == [200]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(CutBody(), b'{"pageInfo'), (CutBody(1), b"{"), (CutBody(0), b"")],
)
async def test_cut_body_sends_part_of_the_body(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault, expected: bytes
) -> None:
    """It announces the whole length and closes the connection."""
    headers = {"Authorization": signed(fake)}
    async with http.get(f"{fake.url}{LIST}/", headers=headers) as response:
        whole = await response.read()
    fake.fail_next(fault)
    address = URL(fake.url)
    # A client could discard what arrived before the end.
    reader, writer = await asyncio.open_connection(address.host, address.port)
    lines = (f"GET {LIST}/ HTTP/1.1", "Host: x", f"Authorization: {signed(fake)}", "", "")
    writer.write("\r\n".join(lines).encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert {b"Content-Type: application/json", b"Content-Length: %d" % len(whole)} < set(
        head.split(b"\r\n")
    )
    assert expected == body


@pytest.mark.parametrize(("fault", "status"), [(HtmlPage(), 200), (HtmlPage(502), 502)])
async def test_html_page_sends_html(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault, status: int
) -> None:
    """The status is 200 by default."""
    fake.fail_next(fault)
    async with http.get(f"{fake.url}{LIST}/") as response:
        assert (status, "text/html") == (response.status, response.content_type)
        assert (await response.text()).startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Body(b"\xff{"), (200, "application/json", b"\xff{")),
        (Body(b"", 204, "text/plain"), (204, "text/plain", b"")),
    ],
)
async def test_body_sends_given_bytes(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault, expected: tuple[int, str, bytes]
) -> None:
    """They have the given status and content type."""
    fake.fail_next(fault)
    async with http.get(f"{fake.url}{LIST}/") as response:
        answer = (response.status, response.content_type, await response.read())
        assert expected == answer


async def test_empty_page_keeps_page_information(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """The rows are omitted only from the response."""
    fake.fail_next(EmptyPage())
    _, data = await ask(http, fake, page=2)
    info = {"currentPage": 2, "perPage": 20, "lastPage": 3, "total": 45}
    assert {"pageInfo": info, "transcriptions": []} == data
    assert len(fake.rows) == 45


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(RepeatPage(), slice(0, 20)), (RepeatPage(3), slice(40, 45))],
)
async def test_repeat_page_sends_rows_of_another_page(
    http: aiohttp.ClientSession,
    fake: FakeVideoSDK,
    rows: list[str],
    fault: Fault,
    expected: slice,
) -> None:
    """They have the requested number."""
    fake.fail_next(fault)
    _, data = await ask(http, fake, page=2)
    assert data["pageInfo"]["currentPage"] == 2
    assert rows[expected] == [row["id"] for row in data["transcriptions"]]


async def test_repeat_page_keeps_the_filter(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The other page is one of the requested list."""
    fake.add_transcription(room_id=OTHER)
    row = fake.add_transcription()
    fake.fail_next(RepeatPage())
    _, data = await ask(http, fake, roomId=ROOM, page=2)
    assert [row] == data["transcriptions"]
    assert data["pageInfo"] == {"currentPage": 2, "perPage": 20, "lastPage": 1, "total": 1}


async def test_repeat_page_keeps_uneven_page_sizes(http: aiohttp.ClientSession) -> None:
    """The page is as long as with its own number."""
    async with FakeVideoSDK(page_sizes=[5, 0, 30]) as fake:
        ids = [row["id"] for row in fake.add_transcriptions(45)]
        fake.fail_next(RepeatPage(3))
        _, data = await ask(http, fake, page=1)
    assert ids[5:35] == [row["id"] for row in data["transcriptions"]]


async def test_repeat_page_with_invalid_number_has_no_rows(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """The page information is unchanged."""
    fake.fail_next(RepeatPage(0))
    status, data = await ask(http, fake)
    assert (status, data["transcriptions"], data["pageInfo"]["total"]) == (200, [], 45)


@pytest.mark.parametrize("shape", get_args(Shape))
async def test_envelope_sends_each_shape(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, shape: Shape
) -> None:
    """Each is the shape of a list on the same host."""
    fake.add_transcriptions(3)
    fake.fail_next(Envelope(shape))
    assert (200, SHAPES[shape](fake.rows[:2])) == await ask(http, fake, perPage=2)


async def test_envelope_replaces_page_information(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """It is replaced key by key; new keys are added."""
    fake.add_transcriptions(3)
    fake.fail_next(Envelope("data key", {"lastPage": 99, "more": None}))
    _, data = await ask(http, fake, perPage=2)
    info = {"currentPage": 1, "perPage": 2, "lastPage": 99, "total": 3, "more": None}
    assert {"pageInfo": info, "data": fake.rows[:2]} == data


async def test_envelope_replaces_information_under_its_own_name(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The shape determines the name."""
    fake.fail_next(Envelope("pagination", {"total": 9}))
    _, data = await ask(http, fake)
    assert data == {
        "pagination": {"page": 1, "perPage": 20, "totalPages": 1, "total": 9},
        "records": [],
    }


@pytest.mark.parametrize("shape", ["no page info", "bare array"])
def test_envelope_without_page_information_rejects_info(shape: Shape) -> None:
    """The error is raised when the fault is created."""
    with pytest.raises(ValueError, match=f"the shape '{shape}' has no page information"):
        Envelope(shape, {"total": 9})


async def test_change_runs_before_the_response(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """The response shows the changed rows."""
    fake.on_page(2, Change(lambda service: service.add_transcription(at=0)))
    _, data = await ask(http, fake, page=2)
    assert data["pageInfo"]["total"] == 46
    assert rows[19:39] == [row["id"] for row in data["transcriptions"]]


@pytest.mark.parametrize(
    "fault",
    [
        EmptyPage(),
        RepeatPage(),
        Envelope("bare array"),
        Delay(0),
        Change(FakeVideoSDK.add_transcription),
    ],
)
async def test_page_faults_do_not_affect_a_single_row(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault
) -> None:
    """A request for one transcription has no page."""
    row = fake.add_transcription(row_id="t")
    fake.fail_next(fault)
    assert (200, row) == await ask(http, fake, f"{LIST}/t")


@pytest.mark.parametrize(
    "fault",
    [
        Status(503),
        Status(429, {"Retry-After": "1"}),
        Delay(0.01),
        DropConnection(),
        CutBody(),
        HtmlPage(),
        HtmlPage(502),
        Body(b""),
        Body(b"[1", content_type="text/plain"),
    ],
)
@pytest.mark.parametrize("page", [1, 3])
async def test_walk_survives_transient_fault(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str], fault: Fault, page: int
) -> None:
    """It is retried, and every row is yielded once and in order."""
    fake.on_page(page, fault, times=2)
    assert rows == [t.id async for t in client.iter_transcriptions(ROOM)]


@pytest.mark.parametrize("shape", get_args(Shape))
async def test_walk_reads_every_shape(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str], shape: Shape
) -> None:
    """Every row is yielded once and in order."""
    fake.every(1, Envelope(shape))
    assert rows == [t.id async for t in client.iter_transcriptions(ROOM, SESSION)]


async def test_walk_rejects_repeated_page(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """A service that repeats a page forever is detected."""
    fake.every(1, RepeatPage())
    pages = client.iter_transcriptions().by_page()
    assert rows[:20] == [t.id for t in (await anext(pages)).items]
    with pytest.raises(PaginationError, match="repeats"):
        await anext(pages)
