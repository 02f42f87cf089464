"""P9: the token goes to the API only; no redirect is followed, and no cookie is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from videosdk_transcripts import RedirectError, TranscriptsClient, VideoSDKTranscriptsError
from videosdk_transcripts.testing import Exchange, FakeVideoSDK, Status

from ..conftest import tcp
from ..promises.canaries import SIGNATURE, found_in, report
from .test_proxies import serving, write_netrc

REDIRECTS: Final = (301, 302, 303, 307, 308)


class Elsewhere:
    """A server that must not be contacted. Records each connection and the bytes received."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        """Record the connection and close it."""
        self.heard.append(b"")
        self.heard[-1] += await reader.read(2000)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """Return a second server, and check that it received nothing."""
    server = Elsewhere()
    async with tcp(server.talk) as url:
        server.port = urlsplit(url).port or 0
        yield server
    assert server.heard == []


# Redirects.


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("{fake}/other?x={secret}#{secret}", "redirects to {fake}, which"),
        ("http://127.0.0.1:{port}/{secret}", "redirects to http://127.0.0.1:{port}, which"),
        ("http://localhost:{port}/", "redirects to http://localhost:{port}, which"),
        ("HTTPS://127.0.0.1:{port}?{secret}", "redirects to HTTPS://127.0.0.1:{port}, which"),
        ("//127.0.0.1:{port}/{secret}", "redirects to //127.0.0.1:{port}, which"),
        ("http://{secret}:{secret}@localhost:{port}/", "redirects to http://localhost:{port}, "),
        ("http://[::1]:{port}/", "redirects to http://[::1]:{port}, which"),
        ("/other?x={secret}", "redirects to another path of the same host, which"),
        ("other", "redirects to another path of the same host, which"),
        ("?page={secret}", "redirects to another path of the same host, which"),
        (None, "redirects to no address, which"),
        ("", "redirects to no address, which"),
        ("http://", "redirects to an invalid URL, which"),
        ("http:\\\\localhost:{port}\\{secret}", "redirects to an invalid URL, which"),
        ("\\\\localhost:{port}\\{secret}", "redirects to an invalid URL, which"),
        ("javascript:{secret}", "redirects to an invalid URL, which"),
        ("<{secret}>", "redirects to an invalid URL, which"),
    ],
)
async def test_redirect_is_never_followed(
    fake: FakeVideoSDK, elsewhere: Elsewhere, location: str | None, told: str
) -> None:
    """It is not followed even to the same host, nor retried; the error shows only the origin."""
    places = {"fake": fake.url, "port": elsewhere.port, "secret": SIGNATURE}
    headers = {} if location is None else {"Location": location.format(**places)}
    async with fake.client() as client:
        for number, status in enumerate(REDIRECTS, 1):
            fake.fail_next(Status(status, headers))
            with pytest.raises(RedirectError) as caught:
                await client.get_page()
            assert told.format(**places) in str(caught.value)
            assert (caught.value.status, caught.value.attempts) == (status, 1)
            assert found_in(report(caught.value)) == set()
            assert len(fake.requests) == number


CALLS: Final[dict[str, Callable[[TranscriptsClient], Any]]] = {
    "walk": lambda client: anext(client.iter_transcriptions("room")),
    "count": lambda client: client.count("room"),
    "one": lambda client: client.get_transcription("t-1"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 306, 307, 308, 399])
async def test_no_method_follows_a_redirect(
    fake: FakeVideoSDK, elsewhere: Elsewhere, call: str, status: int
) -> None:
    """This applies to each call and each redirect status."""
    fake.every(1, Status(status, {"Location": f"http://127.0.0.1:{elsewhere.port}/"}))
    async with fake.client() as client:
        with pytest.raises(
            RedirectError, match=rf"responded with {status}.* redirects to http://127"
        ):
            await CALLS[call](client)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("status", REDIRECTS)
async def test_redirect_out_of_tls_is_not_followed(
    fake: FakeVideoSDK, elsewhere: Elsewhere, status: int
) -> None:
    """It is followed neither to another server nor to the same one without TLS."""
    async with serving(fake, "https") as options, TranscriptsClient(**options) as client:
        clear = options["endpoint"].replace("https", "http")
        for place in (f"http://127.0.0.1:{elsewhere.port}", clear):
            fake.fail_next(Status(status, {"Location": f"{place}/ai/v1/x"}))
            with pytest.raises(RedirectError, match=f"redirects to {place}, which"):
                await client.get_page()
    assert len(fake.requests) == 2


async def test_other_headers_with_urls_are_ignored(
    fake: FakeVideoSDK, elsewhere: Elsewhere
) -> None:
    """A browser would follow some of them, and keep the cookie."""
    url = f"http://127.0.0.1:{elsewhere.port}/"

    async def tempt(exchange: Exchange) -> web.StreamResponse:
        answer = exchange.response()
        answer.headers.update(
            {
                "Refresh": f"0; url={url}",
                "Location": url,
                "Content-Location": url,
                "Link": f'<{url}>; rel="next"',
                "Alt-Svc": f'h2="127.0.0.1:{elsewhere.port}"; ma=3600',
                "Set-Cookie": "track=me; Path=/",
            }
        )
        return answer

    fake.add_transcriptions(45)
    fake.every(1, tempt)
    async with fake.client() as client:
        assert len([t async for t in client.iter_transcriptions()]) == 45
    assert len(fake.requests) == 3
    assert not any("Cookie" in seen.headers for seen in fake.requests)


async def test_cookies_are_not_sent_back(fake: FakeVideoSDK) -> None:
    """Cookies of redirects and errors are not kept."""
    fake.fail_next(*(Status(status, {"Set-Cookie": "track=me; Path=/"}) for status in (302, 404)))
    async with fake.client() as client:
        for _ in range(2):
            with contextlib.suppress(VideoSDKTranscriptsError):
                await client.get_page()
        await client.get_page()
    assert len(fake.requests) == 3
    assert not any("Cookie" in seen.headers for seen in fake.requests)


async def test_given_session_follows_no_redirect(
    fake: FakeVideoSDK, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With headers, hooks and a netrc file for the other host, which it would use."""
    write_netrc(monkeypatch, tmp_path, "localhost")
    followed: list[object] = []

    async def note(_session: object, _context: object, params: object) -> None:
        followed.append(params)

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(note)
    fake.fail_next(Status(302, {"Location": f"http://localhost:{elsewhere.port}/"}))
    theirs = {"Authorization": "theirs", "X-Own": "kept"}
    async with (
        aiohttp.ClientSession(headers=theirs, trust_env=True, trace_configs=[trace]) as session,
        fake.client(session=session) as client,
    ):
        with pytest.raises(RedirectError):
            await client.get_page()
    (seen,) = fake.requests
    assert seen.headers["Authorization"].startswith("eyJ")
    assert seen.headers["X-Own"] == "kept"
    assert followed == []
