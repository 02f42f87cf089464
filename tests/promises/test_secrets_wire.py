"""P8 on the wire: failures of connections, TLS and proxies, and cancellation."""

import asyncio
import logging
import re
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import pytest

from videosdk_transcripts import (
    ClientClosedError,
    RetryPolicy,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.testing import Delay, FakeVideoSDK, Status

from ..conftest import Talk, read_request, tcp
from ..matrix.faults import anonymous_tls
from ..matrix.proxy import PASS, Action, Proxy
from .canaries import (
    CREDENTIALS,
    LOGIN,
    QUICK,
    TOKEN,
    Watch,
    failure,
    found_in,
    minted,
    report,
    walk,
)


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read everything and send nothing."""
    await reader.read(-1)


async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close the connection without a response."""


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Respond as a proxy that echoes the request, its own credentials first."""
    request = (await read_request(reader)).replace(b"\r\n", b" ")
    echoed = b" ".join([*re.findall(b"Proxy-.*", request), request])
    head = b"HTTP/1.1 407 %b\r\nX-Request-Id: %b\r\nContent-Length: %d\r\n\r\n%b"
    writer.write(head % (echoed, echoed, len(echoed), echoed))


async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send an incomplete response that echoes the whole request."""
    echoed = (await read_request(reader)).replace(b"\r\n", b" ")
    head = b"HTTP/1.1 200 %b\r\nX-Request-Id: %b\r\nContent-Length: 9999\r\n\r\n%b"
    writer.write(head % (echoed, echoed, echoed))
    await reader.read(-1)


@asynccontextmanager
async def talking(talk: Talk, **options: str) -> AsyncIterator[dict[str, Any]]:
    """Serve with this function, and yield options that contain the address."""
    async with tcp(talk) as url:
        yield {k: v.replace("HERE", url.removeprefix("http://")) for k, v in options.items()}


@asynccontextmanager
async def passing(fake: FakeVideoSDK, action: Action) -> AsyncIterator[dict[str, Any]]:
    """Apply a fault to the responses of the service."""
    async with Proxy(fake.url, lambda _target: action) as proxy:
        yield {"endpoint": proxy.url}


@asynccontextmanager
async def shaking_hands(fake: FakeVideoSDK, action: Action) -> AsyncIterator[dict[str, Any]]:
    """Apply a fault to the responses of a service with TLS."""
    async with (
        Proxy(fake.url, lambda _target: PASS, tls=anonymous_tls("server")) as speaks_tls,
        Proxy(speaks_tls.url, lambda _number: action, blind=True) as proxy,
    ):
        yield {"endpoint": proxy.url.replace("http", "https"), "ssl": anonymous_tls("client")}


ABSENT: Final = "no-such-host.invalid:1"
PROXY: Final = {"proxy": f"http://{LOGIN}@HERE"}
TUNNEL: Final = {**PROXY, "endpoint": "https://api.videosdk.live"}
PLAIN: Final = {**PROXY, "endpoint": "http://api.videosdk.live"}
HANGING: Final = {
    "black hole": lambda fake: passing(fake, Action("black hole")),
    "drip": lambda fake: passing(fake, Action("throttle", 400, pause=0.02)),
    "silence in a handshake": lambda _: talking(silence, endpoint="https://HERE"),
    "a body that echoes": lambda _: talking(repeat, endpoint="http://HERE"),
    "a silent proxy": lambda _: talking(silence, **PLAIN),
    "a silent tunnel": lambda _: talking(silence, **TUNNEL),
    "a proxy that echoes": lambda _: talking(repeat, **PLAIN),
}
BREAKING: Final = {
    "reset": lambda fake: passing(fake, Action("reset")),
    "reset in the body": lambda fake: passing(fake, Action("reset", 400)),
    "cut in the headers": lambda fake: passing(fake, Action("cut", 40)),
    "garbage": lambda fake: passing(fake, Action("garbage")),
    "refused": lambda fake: passing(fake, Action("refuse")),
    "half a handshake": lambda fake: shaking_hands(fake, Action("cut", 60)),
    "garbage in a handshake": lambda fake: shaking_hands(fake, Action("garbage", 60)),
    "no TLS": lambda _: talking(refuse, endpoint="https://HERE"),
    "no such name": lambda _: talking(silence, endpoint=f"http://{ABSENT}"),
    "a proxy that refuses": lambda _: talking(refuse, **PLAIN),
    "a tunnel that refuses": lambda _: talking(refuse, **TUNNEL),
    "a proxy that hangs up": lambda _: talking(hang_up, **PLAIN),
    "a tunnel that hangs up": lambda _: talking(hang_up, **TUNNEL),
    "no such proxy": lambda _: talking(silence, **{**PLAIN, "proxy": f"http://{LOGIN}@{ABSENT}"}),
    "no proxy there": lambda _: talking(silence, **{**TUNNEL, "proxy": f"http://{LOGIN}@[::1]:1"}),
}


@pytest.mark.parametrize("wire", [*HANGING, *BREAKING])
async def test_connection_failures_show_no_secret(
    service: FakeVideoSDK, watch: Watch, wire: str
) -> None:
    """The failure may be of the connection, of TLS, or of a proxy with credentials."""
    found: list[object] = []
    policy = RetryPolicy(attempts=1, attempt_timeout=0.06)
    async with {**HANGING, **BREAKING}[wire](service) as options:
        for given in CREDENTIALS.values():
            async with TranscriptsClient(**(options | given), retry=policy) as client:
                error = await failure(client.get_page())
                assert isinstance(error, VideoSDKTranscriptsError)
                found += [error, client]
        assert watch.leaks(*found, of=minted(service)) == set()


async def cancelled(client: TranscriptsClient) -> BaseException:
    """Return the error of a walk that is cancelled during a request."""
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.06):
            await walk(client)
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    return caught.value


@pytest.mark.parametrize("wire", HANGING)
@pytest.mark.parametrize("given", CREDENTIALS)
async def test_cancellation_shows_no_secret(
    service: FakeVideoSDK, watch: Watch, wire: str, given: str
) -> None:
    """Its traceback has frames of aiohttp that hold headers and the proxy."""
    async with (
        HANGING[wire](service) as options,
        TranscriptsClient(**(options | CREDENTIALS[given])) as client,
    ):
        error = await cancelled(client)
        assert watch.leaks(error, client, of=minted(service)) == set()


@pytest.mark.parametrize("wire", HANGING)
async def test_closing_the_client_shows_no_secret(
    service: FakeVideoSDK, watch: Watch, wire: str
) -> None:
    """The walk ends with an error of this package instead of aiohttp's."""
    async with HANGING[wire](service) as options:
        client = TranscriptsClient(**(CREDENTIALS["key and secret"] | options), retry=QUICK)
        step = asyncio.ensure_future(walk(client))
        await asyncio.sleep(0.03)
        await client.aclose()
        error = await failure(step)
        assert isinstance(error, ClientClosedError)
        assert watch.leaks(error, client, step, of=minted(service)) == set()


async def never() -> str:
    """Wait, and return no token in time."""
    await asyncio.sleep(60)
    return TOKEN


@pytest.mark.parametrize(
    "options",
    [
        {"token": never},
        {**CREDENTIALS["key and secret"], "max_in_flight": 1},
        {**CREDENTIALS["ready token"], "requests_per_second": 0.01},
        {**CREDENTIALS["function"], "retry": RetryPolicy(wait_initial=60, wait_max=60)},
    ],
    ids=lambda options: list(options)[-1],
)
async def test_cancelled_wait_shows_no_secret(
    service: FakeVideoSDK, watch: Watch, options: Any
) -> None:
    """The wait may be for a token, a slot, the rate limit or a second attempt."""
    service.every(1, Status(503, {"Retry-After": "30"}) if "retry" in options else Delay(30))
    async with service.client(**options) as client:
        steps = [asyncio.ensure_future(walk(client)) for _ in range(2)]
        await asyncio.sleep(0.05)
        errors = []
        for step in steps:
            step.cancel()
            errors.append(await failure(step))
        assert [type(error) for error in errors] == [asyncio.CancelledError] * 2
        assert watch.leaks(*errors, client, of=minted(service)) == set()


@pytest.mark.parametrize("hook", ["on_request_start", "on_connection_create_start"])
@pytest.mark.parametrize("options", [PLAIN, TUNNEL], ids=["plain", "tunnel"])
async def test_error_of_trace_config_shows_no_secret(watch: Watch, hook: str, options: Any) -> None:
    """It is the caller's own error, passed on with the frames of aiohttp."""

    async def fail(_session: object, _context: object, params: object) -> None:
        logging.getLogger("caller").debug("%r", params)
        raise RuntimeError("a hook that fails")

    trace = aiohttp.TraceConfig()
    getattr(trace, hook).append(fail)
    async with talking(silence, **options) as more:
        given = {**CREDENTIALS["key and secret"], **more, "trace_configs": [trace]}
        async with TranscriptsClient(**given) as client:
            with pytest.raises(RuntimeError, match="a hook that fails") as caught:
                await client.get_page()
            assert "aiohttp" in "".join(traceback.format_exception(caught.value))
            assert watch.leaks(caught.value, client) == set()


@pytest.mark.parametrize("wire", ["environment", "session"])
async def test_given_session_shows_no_proxy_credentials(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, wire: str
) -> None:
    """The frames of aiohttp contain those of the session or the environment."""
    async with tcp(silence) as url:
        proxy = url.replace("//", f"//{LOGIN}@")
        monkeypatch.setenv("http_proxy", proxy if wire == "environment" else "")
        own = {"trust_env": True} if wire == "environment" else {"proxy": proxy}
        async with (
            aiohttp.ClientSession(**own) as session,
            TranscriptsClient(token=TOKEN, endpoint="http://h.example", session=session) as client,
        ):
            assert found_in(report(await cancelled(client))) == set()
            assert watch.leaks() == set()
