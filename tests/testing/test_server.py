"""The fake service, asked over real HTTP by a client that is not ours, and by ours."""

import asyncio
import re
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, get_args
from uuid import UUID

import aiohttp
import jwt
import pytest
from aiohttp import web
from attrs import evolve
from yarl import URL

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    PaginationError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    SANDBOX_ROOMS,
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
    Listing,
    RepeatPage,
    Status,
    fill_sandbox,
)
from videosdk_transcripts.testing._listing import Row, Shape

from ..matrix.leaving import turns

LIST = "/ai/v1/realtime-transcriptions"
ROOM = "abcd-efgh-ijkl"
SESSION = "64f1a2b3c4d5e6f708192a3b"
OTHER = "another-room-or-session"
ABSENT: Any = object()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain session, which knows nothing of the service."""
    async with aiohttp.ClientSession() as session:
        yield session


def signed(fake: FakeVideoSDK, *, secret: str | None = None, **claims: Any) -> str:
    """Sign a token as the documentation says, with these claims in place but for ABSENT ones."""
    now = int(time.time())
    documented = {
        "apikey": fake.api_key,
        "permissions": ["allow_join"],
        "version": 2,
        "roles": ["crawler"],
        "iat": now,
        "exp": now + 60,
    }
    kept = {name: value for name, value in (documented | claims).items() if value is not ABSENT}
    return jwt.encode(kept, secret or fake.secret, algorithm="HS256")


async def ask(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, path: str = f"{LIST}/", **query: object
) -> tuple[int, Any]:
    """Ask with a good token, and return the status and the JSON."""
    url, headers = fake.url + path, {"Authorization": signed(fake)}
    params = {name: str(value) for name, value in query.items()}
    async with http.get(url, params=params, headers=headers) as response:
        return response.status, await response.json()


async def statuses(http: aiohttp.ClientSession, fake: FakeVideoSDK, *pages: int) -> list[int]:
    """Ask for some pages, one after the other, and return the statuses."""
    return [(await ask(http, fake, page=page))[0] for page in pages]


# What is served.


async def test_a_row_has_the_documented_shape(http: aiohttp.ClientSession) -> None:
    """A row looks as in the API reference, with its ids in the extension and no others."""
    async with FakeVideoSDK() as fake:
        fake.add_transcription(row_id="t-1")
        _, data = await ask(http, fake)
    assert data["transcriptions"] == [
        {
            "id": "t-1",
            "status": "completed",
            "extension": {
                "enabled": True,
                "provider": "videosdk",
                "extensionConfig": {"roomId": ROOM, "sessionId": SESSION},
            },
            "transcriptionFilePaths": {
                "txt": "https://cdn.videosdk.live/transcriptions/t-1/t-1.txt"
            },
            "summarizedFilePaths": {
                "txt": "https://cdn.videosdk.live/transcriptions/t-1/t-1-summary.txt"
            },
            "start": "2026-03-02T09:00:00.000Z",
            "end": "2026-03-02T09:25:00.000Z",
        }
    ]


EXTENSION = {"enabled": True, "provider": "videosdk"}


@pytest.mark.parametrize(
    ("fields", "key", "expected"),
    [
        ({"room_id": None}, "extension", {**EXTENSION, "extensionConfig": {"sessionId": SESSION}}),
        ({"session_id": None}, "extension", {**EXTENSION, "extensionConfig": {"roomId": ROOM}}),
        ({"status": "running"}, "status", "running"),
        ({"duration": None}, "end", None),
        ({"duration": timedelta(minutes=1)}, "end", "2026-03-02T09:01:00.000Z"),
        (
            {"start": datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)},
            "start",
            "2026-01-01T00:00:00.123Z",
        ),
        ({"formats": ()}, "transcriptionFilePaths", None),
        ({"formats": ()}, "summarizedFilePaths", None),
        ({"summary": False}, "summarizedFilePaths", None),
        ({"webhookUrl": "https://x.example/"}, "webhookUrl", "https://x.example/"),
        ({"id": "other"}, "id", "other"),
    ],
)
async def test_a_row_is_as_it_was_asked_for(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fields: Row, key: str, expected: Any
) -> None:
    """What a test says of a row is served so, and what it says is not there is absent."""
    fake.add_transcription(**fields)
    _, data = await ask(http, fake)
    assert expected == data["transcriptions"][0].get(key)


async def test_formats_are_files_of_their_own(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """Each format has a URL that names the row."""
    fake.add_transcription(row_id="t", formats=("txt", "vtt"))
    _, data = await ask(http, fake)
    base = "https://cdn.videosdk.live/transcriptions/t/t"
    files = data["transcriptions"][0]["transcriptionFilePaths"]
    assert {"txt": f"{base}.txt", "vtt": f"{base}.vtt"} == files


def test_rows_begin_an_hour_apart_and_stand_where_they_were_put() -> None:
    """New rows go to the end, or to the place that is named, and each begins later."""
    fake = FakeVideoSDK()
    first, second = fake.add_transcriptions(2)
    front = fake.add_transcription(at=0)
    assert [front, first, second] == fake.rows
    assert [row["start"][10:13] for row in (first, second, front)] == ["T09", "T10", "T11"]


def test_ids_come_from_the_seed() -> None:
    """The same seed gives the same ids, another one gives others, and all are UUIDs."""
    first, again, other = FakeVideoSDK(seed=1), FakeVideoSDK(seed=1), FakeVideoSDK(seed=2)
    ids = [row["id"] for row in first.add_transcriptions(3)]
    assert ids == [row["id"] for row in again.add_transcriptions(3)]
    assert set(ids).isdisjoint(row["id"] for row in other.add_transcriptions(3))
    assert [UUID(row_id).version for row_id in ids] == [4, 4, 4]


@pytest.mark.parametrize("path", [LIST, f"{LIST}/"])
async def test_the_list_has_documented_defaults(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str], path: str
) -> None:
    """Without arguments it is page 1 with 20 rows, in order, with or without the last slash."""
    status, data = await ask(http, fake, path)
    assert status == 200
    assert data["pageInfo"] == {"currentPage": 1, "perPage": 20, "lastPage": 3, "total": 45}
    assert rows[:20] == [row["id"] for row in data["transcriptions"]]


@pytest.mark.parametrize(
    ("page", "per_page", "expected", "last_page"),
    [
        (1, 10, slice(0, 10), 5),
        (5, 10, slice(40, 45), 5),
        (3, 15, slice(30, 45), 3),
        (1, 45, slice(0, 45), 1),
        (1, 1000, slice(0, 45), 1),
        (45, 1, slice(44, 45), 45),
        (4, 20, slice(0, 0), 3),
    ],
)
async def test_pages_cut_the_list(
    http: aiohttp.ClientSession,
    fake: FakeVideoSDK,
    rows: list[str],
    *,
    page: int,
    per_page: int,
    expected: slice,
    last_page: int,
) -> None:
    """Pages count from 1 and hold what was asked for; beyond the last one there are no rows."""
    _, data = await ask(http, fake, page=page, perPage=per_page)
    assert rows[expected] == [row["id"] for row in data["transcriptions"]]
    info = {"currentPage": page, "perPage": per_page, "lastPage": last_page, "total": 45}
    assert info == data["pageInfo"]


@pytest.mark.parametrize("name", ["page", "perPage"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", ""])
async def test_numbers_that_make_no_sense_are_refused(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, name: str, value: str
) -> None:
    """A page or a page size that is no number of 1 or more is a 400 with a message."""
    answer = await ask(http, fake, **{name: value})
    assert answer == (400, {"message": "page and perPage must be numbers of 1 or more"})


FILTERS = [
    ({}, ["ours", "other session", "other room", "no ids", "top level"]),
    ({"roomId": ROOM}, ["ours", "other session", "top level"]),
    ({"sessionId": SESSION}, ["ours", "other room", "top level"]),
    ({"roomId": ROOM, "sessionId": SESSION}, ["ours", "top level"]),
    ({"roomId": "nobody"}, []),
]


def add_various(fake: FakeVideoSDK) -> None:
    """Add a row of each kind that a filter must tell apart."""
    fake.add_transcription(row_id="ours")
    fake.add_transcription(row_id="other session", session_id=OTHER)
    fake.add_transcription(row_id="other room", room_id=OTHER)
    nowhere = {"room_id": None, "session_id": None}
    fake.add_transcription(row_id="no ids", **nowhere)
    fake.add_transcription(row_id="top level", **nowhere, roomId=ROOM, sessionId=SESSION)


@pytest.mark.parametrize(("query", "expected"), FILTERS)
async def test_filters_are_honoured(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, query: dict[str, str], expected: list[str]
) -> None:
    """A filter holds for the rows and for the total, wherever a row names its ids."""
    add_various(fake)
    _, data = await ask(http, fake, **query)
    assert expected == [row["id"] for row in data["transcriptions"]]
    assert len(expected) == data["pageInfo"]["total"]


@pytest.mark.parametrize("query", [query for query, _ in FILTERS])
async def test_filters_are_ignored_where_asked(
    http: aiohttp.ClientSession, query: dict[str, str]
) -> None:
    """With the switch, every row is listed and counted whatever the filter says."""
    async with FakeVideoSDK(filters="ignored") as fake:
        add_various(fake)
        _, data = await ask(http, fake, **query)
    assert (len(data["transcriptions"]), data["pageInfo"]["total"]) == (5, 5)


@pytest.mark.parametrize("extension", [None, {}, {"extensionConfig": None}])
async def test_a_row_with_null_for_its_extension(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, extension: Row | None
) -> None:
    """A row of null is filtered like one without, and its ids are looked for beside it."""
    fake.add_transcription(extension=extension)
    row = fake.add_transcription(extension=extension, roomId=ROOM)
    status, data = await ask(http, fake, roomId=ROOM)
    assert (200, [row]) == (status, data["transcriptions"])


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
def test_a_page_can_be_had_without_a_request(
    query: dict[str, str], expected: Listing | None
) -> None:
    """A fault may take any page of the list, and gets None for what makes no sense."""
    fake = FakeVideoSDK()
    row = fake.add_transcription()
    if expected is not None and expected.total:
        expected = evolve(expected, rows=[row])
    assert expected == fake.listing(query)


@pytest.mark.parametrize(("asked", "used", "last_page"), [(10, 10, 5), (15, 15, 3), (16, 15, 3)])
async def test_the_page_size_is_cut_where_asked(
    http: aiohttp.ClientSession, asked: int, used: int, last_page: int
) -> None:
    """With a cap, a larger page size is cut to it, and the page information says so."""
    async with FakeVideoSDK(max_page_size=15) as fake:
        fake.add_transcriptions(45)
        _, data = await ask(http, fake, perPage=asked)
    assert used == len(data["transcriptions"]) == data["pageInfo"]["perPage"]
    assert last_page == data["pageInfo"]["lastPage"]


@pytest.mark.parametrize("page_sizes", [{}, {"page_sizes": []}])
@pytest.mark.parametrize(
    ("switch", "last_page"),
    [({}, 1), ({"last_page_if_empty": 0}, 0), ({"last_page_if_empty": 1}, 1)],
)
async def test_the_last_page_of_an_empty_list_is_a_switch(
    http: aiohttp.ClientSession, switch: Any, last_page: int, page_sizes: Any
) -> None:
    """Nobody documents it, so it is 0 or 1 as asked."""
    async with FakeVideoSDK(**switch, **page_sizes) as fake:
        _, data = await ask(http, fake)
    info = {"currentPage": 1, "perPage": 20, "lastPage": last_page, "total": 0}
    assert {"pageInfo": info, "transcriptions": []} == data


@pytest.mark.parametrize(
    ("page", "expected"),
    [(1, slice(0, 5)), (2, slice(5, 5)), (3, slice(5, 35)), (4, slice(0, 0))],
)
async def test_pages_are_uneven_where_asked(
    http: aiohttp.ClientSession, page: int, expected: slice
) -> None:
    """With sizes given, each page holds so many rows, and there are as many pages."""
    async with FakeVideoSDK(page_sizes=[5, 0, 30]) as fake:
        ids = [row["id"] for row in fake.add_transcriptions(45)]
        _, data = await ask(http, fake, page=page)
    assert ids[expected] == [row["id"] for row in data["transcriptions"]]
    info = {"currentPage": page, "perPage": 20, "lastPage": 3, "total": 45}
    assert info == data["pageInfo"]


async def test_one_transcription_has_no_envelope(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """It is the bare row, found by its id, which may need escaping."""
    fake.add_transcriptions(3)
    row = fake.add_transcription(row_id="a/b c")
    assert (200, row) == await ask(http, fake, f"{LIST}/a%2Fb%20c")


async def test_an_unknown_transcription_is_not_found(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """An id that is not there is a 404 with a message."""
    fake.add_transcriptions(3)
    answer = await ask(http, fake, f"{LIST}/nobody")
    assert answer == (404, {"message": "Transcription not found"})


# Who is let in.


async def refusal(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, token: str | None
) -> tuple[int, str | None]:
    """Ask with this token, and return the status and the message."""
    headers = {} if token is None else {"Authorization": token}
    async with http.get(f"{fake.url}{LIST}/", headers=headers) as response:
        return response.status, (await response.json()).get("message")


LONG_AGO, FAR_AHEAD = 1_000_000.0, 4_000_000_000.0


@pytest.mark.parametrize("now", [LONG_AGO, FAR_AHEAD])
@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"permissions": ABSENT},
        {"roles": ABSENT},
        {"roles": ["rtc", "crawler"]},
        {"iat": ABSENT},
    ],
)
async def test_a_good_token_is_let_in(
    http: aiohttp.ClientSession, claims: dict[str, Any], now: float
) -> None:
    """A genuine token with version 2, of the moment that the switch says it is, is good."""
    async with FakeVideoSDK(now=lambda: now) as fake:
        token = signed(fake, **({"iat": now, "exp": now + 1} | claims))
        assert await refusal(http, fake, token) == (200, None)


@pytest.mark.parametrize(
    ("claims", "status", "message"),
    [
        ({"secret": "another secret of more than 32 bytes"}, 401, "Token is invalid"),
        ({"apikey": "another key"}, 401, "Token is invalid"),
        ({"apikey": ABSENT}, 401, "Token is invalid"),
        ({"exp": ABSENT}, 401, "Token is invalid"),
        ({"apikey": None}, 401, "Token is invalid"),
        ({"exp": None}, 401, "Token is invalid"),
        ({"exp": "soon"}, 401, "Token is invalid"),
        ({"exp": [LONG_AGO + 1]}, 401, "Token is invalid"),
        ({"iat": None}, 401, "Token is invalid"),
        ({"iat": "soon"}, 401, "Token is invalid"),
        ({"exp": LONG_AGO}, 401, "Token is expired or not yet valid"),
        ({"iat": LONG_AGO + 1}, 401, "Token is expired or not yet valid"),
        ({"version": ABSENT}, 403, "Token must have version 2"),
        ({"version": 1}, 403, "Token must have version 2"),
        ({"roles": ["rtc"]}, 403, "Role of the token is not crawler"),
        ({"roles": []}, 403, "Role of the token is not crawler"),
        ({"roles": None}, 403, "Role of the token is not crawler"),
        ({"roles": 5}, 403, "Role of the token is not crawler"),
        ({"roles": "crawler"}, 403, "Role of the token is not crawler"),
    ],
)
async def test_a_bad_token_is_refused(
    http: aiohttp.ClientSession, claims: dict[str, Any], status: int, message: str
) -> None:
    """401 for a token that is not genuine or not of this moment, 403 for one without the right."""
    async with FakeVideoSDK(now=lambda: LONG_AGO) as fake:
        token = signed(fake, **({"iat": LONG_AGO, "exp": LONG_AGO + 1} | claims))
        assert (status, message) == await refusal(http, fake, token)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "Token is required"),
        ("", "Token is required"),
        ("no-token", "Token is invalid"),
        ("Bearer {}", "Token is invalid"),
        ("{}x", "Token is invalid"),
    ],
)
async def test_the_header_holds_the_raw_token(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, header: str | None, message: str
) -> None:
    """No header, no token, or a token with any word before it is a 401."""
    written = None if header is None else header.format(signed(fake))
    assert (401, message) == await refusal(http, fake, written)


async def test_a_short_secret_is_the_callers_business(http: aiohttp.ClientSession) -> None:
    """A secret that PyJWT finds short does not make the fake service warn."""
    async with FakeVideoSDK(api_key="k", secret="short") as fake, fake.client() as client:
        assert await client.count() == 0


@pytest.mark.parametrize("path", [f"{LIST}/", f"{LIST}/any"])
async def test_a_bad_token_learns_nothing(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, path: str
) -> None:
    """A fault that answers as always refuses a bad token as well."""
    fake.add_transcription(row_id="any")
    fake.fail_next(EmptyPage())
    async with http.get(fake.url + path) as response:
        assert (response.status, await response.json()) == (401, {"message": "Token is required"})


# What was asked.


async def test_requests_are_kept(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """Each request is kept with its method, path, query and headers, also a refused one."""
    await ask(http, fake, page=2, roomId=ROOM)
    await ask(http, fake, f"{LIST}/nobody")
    listed, single = fake.requests
    assert ("GET", f"{LIST}/", {"page": "2", "roomId": ROOM}) == (
        listed.method,
        listed.path,
        listed.query,
    )
    assert (listed.page, single.page) == (2, None)
    assert jwt.get_unverified_header(listed.headers["Authorization"])["alg"] == "HS256"
    assert (f"{LIST}/nobody", {}) == (single.path, single.query)


async def test_requests_under_way_are_counted(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The most that were under way at once is kept, and none is once all are answered."""
    both = asyncio.Barrier(2)

    async def meet(exchange: Exchange) -> web.StreamResponse:
        await both.wait()
        return exchange.answer()

    assert (fake.most_in_flight, fake.in_flight) == (0, 0)
    fake.fail_next(meet, times=2)
    await asyncio.gather(ask(http, fake), ask(http, fake))
    await ask(http, fake)
    assert (fake.most_in_flight, fake.in_flight) == (2, 0)


# When a fault is met.


async def test_the_next_requests_meet_their_faults(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """Faults are met one each, in order, as often as asked, and by any kind of request."""
    fake.fail_next(Status(500), Status(502), times=2)
    fake.fail_next(Status(503))
    assert await statuses(http, fake, 1, 2, 1) == [500, 502, 500]
    assert (await ask(http, fake, f"{LIST}/any"))[0] == 502
    assert await statuses(http, fake, 1, 1) == [503, 200]


async def test_a_page_meets_its_faults(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """Faults of a page wait for it, and leave all other pages alone."""
    fake.on_page(2, Status(500), times=2)
    fake.on_page(2, Status(502))
    assert await statuses(http, fake, 1, 2, 3, 2, 2, 2) == [200, 500, 200, 500, 502, 200]


async def test_every_nth_request_meets_its_fault(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """Requests are counted from 1, over all pages; the fault named first wins."""
    fake.every(3, Status(500))
    fake.every(2, Status(502))
    assert await statuses(http, fake, 1, 2, 3, 1, 2, 3) == [200, 502, 500, 502, 200, 500]


async def test_one_request_meets_one_fault(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """A page's own fault comes before the next one, and that one before every nth."""
    fake.every(1, Status(500))
    fake.fail_next(Status(502))
    fake.on_page(1, Status(503))
    assert await statuses(http, fake, 1, 1, 1) == [503, 502, 500]


async def test_a_fault_may_be_any_async_callable(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """It is given the exchange, and may make its answer of the real one."""
    fake.add_transcriptions(2)

    async def backwards(exchange: Exchange) -> web.StreamResponse:
        assert exchange.fake is fake

        def turned(page: Listing) -> Any:
            return {"path": exchange.request.path, "rows": page.rows[::-1]}

        return exchange.respond(turned)

    fake.fail_next(backwards)
    answer = await ask(http, fake)
    assert (200, {"path": f"{LIST}/", "rows": fake.rows[::-1]}) == answer


# What a fault does.


async def test_status(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """`Status` answers with a status, headers and a message."""
    fake.fail_next(Status(429, {"Retry-After": "7"}, "slow down"))
    async with http.get(f"{fake.url}{LIST}/") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert await response.json() == {"message": "slow down"}


async def test_delay(http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]) -> None:
    """`Delay` answers as always, and not before its time."""
    fake.fail_next(Delay(0.05))
    begun = time.monotonic()
    status, data = await ask(http, fake)
    # A timer of asyncio may fire a tick of the clock early.
    assert time.monotonic() - begun > 0.04
    assert (status, data["pageInfo"]["total"]) == (200, 45)


# aiohttp sends a request of this kind once more by itself when its connection breaks.
ATTEMPTS = 2


async def test_drop_connection(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """`DropConnection` gives no answer, and the request is no longer under way."""
    fake.fail_next(DropConnection(), times=ATTEMPTS)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask(http, fake)
    assert fake.in_flight == 0
    assert await statuses(http, fake, 1) == [200]


async def test_a_connection_that_is_gone_is_not_dropped_again(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """Where the connection is closed already, there is nothing left to do."""
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


async def test_a_fault_ends_with_its_connection(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """An answer that nobody waits for any more is given up, so that no test waits for it."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def never(_exchange: Exchange) -> web.StreamResponse:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return web.Response()

    fake.fail_next(never)
    asking = asyncio.create_task(ask(http, fake))
    await begun.wait()
    assert fake.in_flight == 1
    asking.cancel()
    await ended.wait()
    assert fake.in_flight == 0


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(CutBody(), b'{"pageInfo'), (CutBody(1), b"{"), (CutBody(0), b"")],
)
async def test_cut_body(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault, expected: bytes
) -> None:
    """`CutBody` promises the whole body, sends some bytes of it and hangs up."""
    headers = {"Authorization": signed(fake)}
    async with http.get(f"{fake.url}{LIST}/", headers=headers) as response:
        whole = await response.read()
    fake.fail_next(fault)
    address = URL(fake.url)
    # Without a client between, which may throw away what came before the end.
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
async def test_html_page(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault, status: int
) -> None:
    """`HtmlPage` answers as a gateway does, with a 200 unless told otherwise."""
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
async def test_body(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault, expected: tuple[int, str, bytes]
) -> None:
    """`Body` answers with these bytes, whatever they are."""
    fake.fail_next(fault)
    async with http.get(f"{fake.url}{LIST}/") as response:
        answer = (response.status, response.content_type, await response.read())
        assert expected == answer


async def test_empty_page(http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]) -> None:
    """`EmptyPage` leaves the page information as it is, and the rows out."""
    fake.fail_next(EmptyPage())
    _, data = await ask(http, fake, page=2)
    info = {"currentPage": 2, "perPage": 20, "lastPage": 3, "total": 45}
    assert {"pageInfo": info, "transcriptions": []} == data
    assert len(fake.rows) == 45


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(RepeatPage(), slice(0, 20)), (RepeatPage(3), slice(40, 45))],
)
async def test_repeat_page(
    http: aiohttp.ClientSession,
    fake: FakeVideoSDK,
    rows: list[str],
    fault: Fault,
    expected: slice,
) -> None:
    """`RepeatPage` shows the rows of one page under the number of another."""
    fake.fail_next(fault)
    _, data = await ask(http, fake, page=2)
    assert data["pageInfo"]["currentPage"] == 2
    assert rows[expected] == [row["id"] for row in data["transcriptions"]]


async def test_repeat_page_keeps_the_filter(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The page that `RepeatPage` shows is one of the list that was asked for."""
    fake.add_transcription(room_id=OTHER)
    row = fake.add_transcription()
    fake.fail_next(RepeatPage())
    _, data = await ask(http, fake, roomId=ROOM, page=2)
    assert [row] == data["transcriptions"]
    assert data["pageInfo"] == {"currentPage": 2, "perPage": 20, "lastPage": 1, "total": 1}


async def test_repeat_page_of_uneven_pages(http: aiohttp.ClientSession) -> None:
    """`RepeatPage` shows a page as large as it is."""
    async with FakeVideoSDK(page_sizes=[5, 0, 30]) as fake:
        ids = [row["id"] for row in fake.add_transcriptions(45)]
        fake.fail_next(RepeatPage(3))
        _, data = await ask(http, fake, page=1)
    assert ids[5:35] == [row["id"] for row in data["transcriptions"]]


async def test_repeat_page_that_there_is_none_of(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """A page that can't be asked for has no rows to show."""
    fake.fail_next(RepeatPage(0))
    status, data = await ask(http, fake)
    assert (status, data["transcriptions"], data["pageInfo"]["total"]) == (200, [], 45)


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


@pytest.mark.parametrize("shape", get_args(Shape))
async def test_envelope(http: aiohttp.ClientSession, fake: FakeVideoSDK, shape: Shape) -> None:
    """`Envelope` writes the page as a sibling endpoint of the same host does."""
    fake.add_transcriptions(3)
    fake.fail_next(Envelope(shape))
    assert (200, SHAPES[shape](fake.rows[:2])) == await ask(http, fake, perPage=2)


async def test_envelope_with_other_page_information(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """What is given replaces the page information, key by key, and may add to it."""
    fake.add_transcriptions(3)
    fake.fail_next(Envelope("data key", {"lastPage": 99, "more": None}))
    _, data = await ask(http, fake, perPage=2)
    info = {"currentPage": 1, "perPage": 2, "lastPage": 99, "total": 3, "more": None}
    assert {"pageInfo": info, "data": fake.rows[:2]} == data


async def test_envelope_with_information_of_another_name(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The page information is replaced under the name that it has in the shape."""
    fake.fail_next(Envelope("pagination", {"total": 9}))
    _, data = await ask(http, fake)
    assert data == {
        "pagination": {"page": 1, "perPage": 20, "totalPages": 1, "total": 9},
        "records": [],
    }


@pytest.mark.parametrize("shape", ["no page info", "bare array"])
def test_envelope_without_information_to_replace(shape: Shape) -> None:
    """To replace what a shape does not have is refused where the fault is made."""
    with pytest.raises(ValueError, match=f"the shape '{shape}' has no page information"):
        Envelope(shape, {"total": 9})


async def test_change(http: aiohttp.ClientSession, fake: FakeVideoSDK, rows: list[str]) -> None:
    """`Change` moves the rows just before the answer, which shows them moved."""
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
async def test_faults_of_pages_leave_one_transcription_alone(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, fault: Fault
) -> None:
    """A request for one transcription has no page that could be another."""
    row = fake.add_transcription(row_id="t")
    fake.fail_next(fault)
    assert (200, row) == await ask(http, fake, f"{LIST}/t")


# Our client on it.


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
async def test_a_walk_outlives_a_passing_fault(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str], fault: Fault, page: int
) -> None:
    """What passes is tried again, and every row arrives once and in order."""
    fake.on_page(page, fault, times=2)
    assert rows == [t.id async for t in client.iter_transcriptions(ROOM)]


@pytest.mark.parametrize("shape", get_args(Shape))
async def test_a_walk_reads_every_shape(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str], shape: Shape
) -> None:
    """In whichever shape the pages come, every row arrives once and in order."""
    fake.every(1, Envelope(shape))
    assert rows == [t.id async for t in client.iter_transcriptions(ROOM, SESSION)]


async def test_a_walk_refuses_a_page_under_another_number(
    client: TranscriptsClient, fake: FakeVideoSDK, rows: list[str]
) -> None:
    """A service that repeats a page for ever is found out."""
    fake.every(1, RepeatPage())
    pages = client.iter_transcriptions().by_page()
    assert rows[:20] == [t.id for t in (await anext(pages)).items]
    with pytest.raises(PaginationError, match="repeats"):
        await anext(pages)


async def test_the_client_takes_the_options_of_ours(fake: FakeVideoSDK) -> None:
    """Options go to the client, which knows the address and signs with the right secret."""
    with pytest.raises(ConfigurationError, match="max_in_flight"):
        fake.client(max_in_flight=0)
    async with fake.client() as client:
        assert await client.count() == 0
    assert fake.url in repr(client)


async def test_the_client_takes_a_token_in_place_of_the_key(fake: FakeVideoSDK) -> None:
    """A token that is given is sent as it is, and judged as it is."""
    async with fake.client(token=signed(fake)) as client:
        assert await client.count() == 0
    async with fake.client(token=signed(fake, apikey="another")) as client:
        with pytest.raises(AuthenticationError, match="Token is invalid"):
            await client.count()


async def test_a_fake_serves_while_it_is_open(http: aiohttp.ClientSession) -> None:
    """Once it is left nobody answers, and it can be entered again with what it had."""
    fake = FakeVideoSDK()
    fake.add_transcriptions(2)
    async with fake:
        assert fake.url.startswith("http://127.0.0.1:")
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(http, fake)
    async with fake:
        assert (await ask(http, fake))[1]["pageInfo"]["total"] == 2


@pytest.mark.parametrize("count", range(6))
async def test_a_connection_that_just_came_is_closed_as_well(count: int) -> None:
    """However many turns of the loop ago that was."""
    async with FakeVideoSDK() as fake:
        host, port = fake.url.removeprefix("http://").split(":")
        caller = socket.create_connection((host, int(port)))
        await turns(count)
    with caller:
        await turns(3)
        caller.settimeout(1)
        with suppress(ConnectionResetError):
            assert caller.recv(1) == b""


async def test_a_fake_that_was_not_opened_is_left_quietly() -> None:
    """Leaving it does nothing where nothing was started."""
    fake = FakeVideoSDK()
    await fake.__aexit__(None, None, None)
    assert fake.url == ""


# The sandbox.


@pytest.fixture
def sandbox() -> list[Row]:
    """The rows of the sandbox."""
    fake = FakeVideoSDK()
    fill_sandbox(fake)
    return fake.rows


def test_the_sandbox_is_the_same_for_the_same_seed(sandbox: list[Row]) -> None:
    """What a person saw yesterday is there today; another seed makes another account."""
    again, other = FakeVideoSDK(), FakeVideoSDK()
    fill_sandbox(again)
    fill_sandbox(other, seed=8)
    assert sandbox == again.rows
    assert sandbox != other.rows


def test_the_sandbox_is_newest_first(sandbox: list[Row]) -> None:
    """Each row begins before the one above it, and no two share an id."""
    assert all(above["start"] > below["start"] for above, below in pairwise(sandbox))
    assert len(sandbox) == len({row["id"] for row in sandbox})


def test_the_sandbox_has_several_rooms(sandbox: list[Row]) -> None:
    """All of its rooms have rows, and the first one more than a page of them."""
    rooms = Counter(row["extension"]["extensionConfig"]["roomId"] for row in sandbox)
    assert set(SANDBOX_ROOMS) == set(rooms)
    assert rooms.pop(SANDBOX_ROOMS[0]) > 20 > max(rooms.values())


def test_the_sandbox_has_sessions_with_one_and_with_two(sandbox: list[Row]) -> None:
    """A session may hold two transcriptions of one room, and its id is 24 digits as documented."""
    places = Counter(tuple(row["extension"]["extensionConfig"].values()) for row in sandbox)
    assert {1, 2} == set(places.values())
    sessions = {session for _, session in places}
    assert len(places) == len(sessions)
    assert all(re.fullmatch("[0-9a-f]{24}", session) for session in sessions)


def test_the_sandbox_has_what_surprises_people(sandbox: list[Row]) -> None:
    """One is running, one is completed without a file, and one has failed."""
    without_files = [row for row in sandbox if "transcriptionFilePaths" not in row]
    assert [row["status"] for row in without_files] == ["running", "completed", "failed"]
    assert [row for row in sandbox if "end" not in row] == without_files[:1]
    assert {"completed"} == {row["status"] for row in sandbox if row not in without_files}
    with_summary = [row for row in sandbox if "summarizedFilePaths" in row]
    assert 0 < len(with_summary) < len(sandbox)


async def test_the_sandbox_can_be_walked(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """A walk over one of its rooms gets the rows of that room alone."""
    fill_sandbox(fake)
    room = SANDBOX_ROOMS[0]
    walked = [t.to_dict() async for t in client.iter_transcriptions(room)]
    assert [
        row for row in fake.rows if row["extension"]["extensionConfig"]["roomId"] == room
    ] == walked
