"""Each request is recorded, and its token is checked."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from videosdk_transcripts import (
    AuthenticationError,
    Clock,
    TranscriptsClient,
)
from videosdk_transcripts.testing import (
    CutBody,
    DropConnection,
    EmptyPage,
    Exchange,
    FakeVideoSDK,
    Status,
)

from .plain_http import ABSENT, LIST, ROOM, ask, signed


async def refusal(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, token: str | None
) -> tuple[int, str | None]:
    """Send a request with this token and return status and message."""
    headers = {} if token is None else {"Authorization": token}
    async with http.get(f"{fake.url}{LIST}/", headers=headers) as response:
        return response.status, (await response.json()).get("message")


LONG_AGO, FAR_AHEAD = 1_000_000.0, 4_000_000_000.0


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


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
async def test_valid_token_is_accepted(
    http: aiohttp.ClientSession, claims: dict[str, Any], now: float
) -> None:
    """A genuine token with version 2 that is valid at the service's time."""
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
async def test_invalid_token_is_rejected(
    http: aiohttp.ClientSession, claims: dict[str, Any], status: int, message: str
) -> None:
    """The status is 401 if it is not genuine or not valid now, and 403 if it lacks the right."""
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
async def test_header_must_hold_the_raw_token(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, header: str | None, message: str
) -> None:
    """A missing token and a prefix have the status 401."""
    written = None if header is None else header.format(signed(fake))
    assert (401, message) == await refusal(http, fake, written)


async def test_short_secret_causes_no_warning(http: aiohttp.ClientSession) -> None:
    """PyJWT warns of short secrets; the fake service suppresses it."""
    async with FakeVideoSDK(api_key="k", secret="short") as fake, fake.client() as client:
        assert await client.count() == 0


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (None, (400, 4002)),
        ("x", (400, 4002)),
        ({"exp": 1}, (400, 4002)),
        ({"iat": 2**40}, (400, 4002)),
        ({"apikey": "another key"}, (400, 4001)),
        ({"version": 1}, (403, None)),
        ({}, (200, None)),
    ],
)
async def test_token_status_400_has_a_code(
    http: aiohttp.ClientSession, token: Any, expected: tuple[int, int | None]
) -> None:
    """It is that of the vendor's newest client; a token without the right still has a 403."""
    async with FakeVideoSDK(token_status=400) as fake:
        written = signed(fake, **token) if isinstance(token, dict) else token
        headers = {} if written is None else {"Authorization": written}
        async with http.get(f"{fake.url}{LIST}/", headers=headers) as response:
            assert expected == (response.status, (await response.json()).get("code"))


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("message", b'{"message": "Token is required", "code": 4002}'),
        ("error", b'{"error": "Token is required", "code": 4002}'),
        ("msg", b'{"msg": "Token is required", "code": 4002}'),
        ("nested", b'{"error": {"message": "Token is required", "code": 4002}}'),
        ("text", b"Token is required"),
        ("empty", b""),
    ],
)
async def test_error_shape_is_configurable(
    http: aiohttp.ClientSession, shape: Any, body: bytes
) -> None:
    """No body of an error is documented."""
    async with (
        FakeVideoSDK(token_status=400, error_shape=shape) as fake,
        http.get(f"{fake.url}{LIST}/") as response,
    ):
        assert (response.status, await response.read()) == (400, body)


@pytest.mark.parametrize("path", [f"{LIST}/", f"{LIST}/any"])
async def test_invalid_token_is_rejected_before_a_fault(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, path: str
) -> None:
    """A fault that uses the usual response gets the refusal."""
    fake.add_transcription(row_id="any")
    fake.fail_next(EmptyPage())
    async with http.get(fake.url + path) as response:
        assert (response.status, await response.json()) == (401, {"message": "Token is required"})


async def test_requests_are_recorded(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """The record has method, path, query and headers; refused requests are recorded, too."""
    await ask(http, fake, page=2, roomId=ROOM)
    await ask(http, fake, f"{LIST}/unknown")
    listed, single = fake.requests
    assert ("GET", f"{LIST}/", {"page": "2", "roomId": ROOM}) == (
        listed.method,
        listed.path,
        listed.query,
    )
    assert (listed.page, single.page) == (2, None)
    assert jwt.get_unverified_header(listed.headers["Authorization"])["alg"] == "HS256"
    assert (f"{LIST}/unknown", {}) == (single.path, single.query)


async def send(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, body: Any, token: str | None = None
) -> int:
    """Send a start with a body and return the status."""
    headers = {"Authorization": signed(fake) if token is None else token}
    async with http.post(f"{fake.url}{LIST}/start", data=body, headers=headers) as response:
        assert "message" in await response.json()
        return response.status


async def test_large_body_is_rejected(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """This applies with and without its length; none of it is kept. A smaller body is read."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 8192

    limit = 16 * 1024
    assert await send(http, fake, b" " * (limit + 1)) == 413
    assert await send(http, fake, chunks()) == 413
    assert await send(http, fake, io.BytesIO(bytes(3_000_000))) == 413
    assert await send(http, fake, b" " * (limit - 1)) == 400
    assert [(seen.status, len(seen.body)) for seen in fake.requests] == [
        (413, 0),
        (413, 0),
        (413, 0),
        (400, limit - 1),
    ]


async def test_body_without_valid_token_is_not_kept(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The request is recorded with its headers; a failed one keeps its body."""
    fake.fail_next(Status(503))
    body = json.dumps({"roomId": ROOM}).encode()
    assert await send(http, fake, body, "x") == 503
    assert await send(http, fake, body, "x") == 401
    fake.fail_next(Status(503))
    assert await send(http, fake, body) == 503
    assert [seen.body for seen in fake.requests] == [b"", b"", body]
    assert fake.requests[0].headers["Authorization"] == "x"


async def test_only_the_newest_bodies_are_kept(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests themselves are kept."""
    monkeypatch.setattr("videosdk_transcripts.testing._exchange._KEPT_BODIES", 2)
    for body in (b"1", b"2", b"3"):
        assert await send(http, fake, body) == 400
    assert [seen.body for seen in fake.requests] == [b"", b"2", b"3"]


async def test_most_in_flight_counts_concurrent_requests(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The maximum is kept after all requests have ended."""
    both = asyncio.Barrier(2)

    async def meet(exchange: Exchange) -> web.StreamResponse:
        await both.wait()
        return exchange.response()

    assert (fake.most_in_flight, fake.in_flight) == (0, 0)
    fake.fail_next(meet, times=2)
    await asyncio.gather(ask(http, fake), ask(http, fake))
    await ask(http, fake)
    assert (fake.most_in_flight, fake.in_flight) == (2, 0)


async def test_fault_is_cancelled_when_the_client_disconnects(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """No test waits for it."""
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


async def test_now_sets_job_times_and_date_header() -> None:
    """The date explains a token that is refused because of clock skew."""
    async with FakeVideoSDK(now=NOON.timestamp) as fake:
        async with fake.client(clock=Clock(time=NOON.timestamp)) as client:
            started = (await client.start_transcription(ROOM)).transcription
            stopped = (await client.stop_transcription(ROOM)).transcription
        assert (started.start, stopped.end) == (NOON, NOON)
        async with fake.client(clock=Clock(time=lambda: NOON.timestamp() + 7200)) as late:
            with pytest.raises(AuthenticationError, match="clock"):
                await late.count()


async def test_dropped_connection_has_no_status(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A truncated body has the status that was sent; files behave alike."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    t = await client.get_transcription(row["id"])
    fake.requests.clear()
    for faults in (fake, fake.files):
        faults.fail_next(DropConnection(), CutBody())
    await client.count()
    await client.fetch_text(t)
    for requests in (fake.requests, fake.files.requests):
        assert [seen.status for seen in requests] == [None, 200, 200]


async def test_requests_record_status_and_fault(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Each request has its own."""
    fault = Status(503)
    fake.fail_next(fault)
    await client.count()
    assert [(seen.status, seen.fault) for seen in fake.requests] == [(503, fault), (200, None)]
