"""The check of the Host header: a page of another site must not read the fake service."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from videosdk_transcripts.testing import FakeVideoSDK

from .plain_http import LIST, signed

DASHBOARD = ["/", "/style.css", "/dashboard.json"]
OTHERS = [f"{LIST}/", f"{LIST}/any", "/files/any/any.txt", "/openapi.json"]
FOREIGN = [
    "attacker.example",
    "127.0.0.1.attacker.example",
    "localhost.attacker.example",
    "attacker.example#localhost",
    "attacker.example@localhost",
    "localhost@attacker.example",
    "192.168.0.1",
    "0.0.0.1",
    "[::]",
    "x127.0.0.1",
    "\xb2localhost",
    "",
]


@pytest.fixture
async def fixed() -> AsyncIterator[FakeVideoSDK]:
    """A service with one row and its file, on a port that was not chosen by the system."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    async with FakeVideoSDK(port=port) as fake:
        fake.files.put(fake.add_transcription(row_id="any"), "txt")
        yield fake


async def status(fake: FakeVideoSDK, path: str, *lines: str, version: str = "1.1") -> int:
    """Send a request with these header lines and return the status of the response."""
    host, port = fake.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    always = (f"Authorization: {signed(fake)}", "Connection: close")
    head = (f"GET {path} HTTP/{version}", *lines, *always)
    writer.write("\r\n".join((*head, "", "")).encode("latin-1"))
    response = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(response.split(b" ", 2)[1])


def listening_port(fake: FakeVideoSDK) -> str:
    """Return the port of the service."""
    return fake.url.rpartition(":")[2]


@pytest.mark.parametrize("name", FOREIGN)
async def test_dashboard_refuses_other_names(fake: FakeVideoSDK, name: str) -> None:
    """They are refused even with the right port and a valid token."""
    for path in DASHBOARD:
        assert await status(fake, path, f"Host: {name}:{listening_port(fake)}") == 421
        assert await status(fake, path, f"Host: {name}") == 421


@pytest.mark.parametrize("name", FOREIGN)
async def test_fixed_port_refuses_other_names(fixed: FakeVideoSDK, name: str) -> None:
    """This applies to each path, and the request is not recorded."""
    for path in (*DASHBOARD, *OTHERS):
        assert await status(fixed, path, f"Host: {name}:{listening_port(fixed)}") == 421
    assert fixed.requests == fixed.files.requests == []


async def test_request_without_a_name_is_rejected(fixed: FakeVideoSDK) -> None:
    """The name in the target does not count."""
    for path in ("/", f"{LIST}/"):
        assert await status(fixed, path, version="1.0") == 421
        assert await status(fixed, f"{fixed.url}{path}", "Host: attacker.example") == 421


@pytest.mark.parametrize("name", ["127.0.0.1", "127.8.9.10", "localhost", "LocalHost", "[::1]"])
async def test_loopback_names_are_accepted(fixed: FakeVideoSDK, name: str) -> None:
    """They may be names or addresses, with the port of the service."""
    for path in (*DASHBOARD, *OTHERS):
        assert await status(fixed, path, f"Host: {name}:{listening_port(fixed)}") == 200


@pytest.mark.parametrize("port", ["", ":1", ":x", ":"])
async def test_dashboard_requires_the_port(fake: FakeVideoSDK, port: str) -> None:
    """Another port is another program, whose page must not read it."""
    for path in DASHBOARD:
        assert await status(fake, path, f"Host: localhost{port}") == 421


@pytest.mark.parametrize("port", ["", ":1"])
async def test_api_accepts_any_port(fixed: FakeVideoSDK, port: str) -> None:
    """A test may connect through a proxy on loopback."""
    for path in OTHERS:
        assert await status(fixed, path, f"Host: localhost{port}") == 200


async def test_api_on_a_free_port_accepts_other_names(fake: FakeVideoSDK) -> None:
    """No page knows the port, and a test may resolve a name to the service."""
    fake.files.put(fake.add_transcription(row_id="any"), "txt")
    for path in OTHERS:
        assert await status(fake, path, f"Host: videosdk.test:{listening_port(fake)}") == 200


async def test_default_port_may_be_left_out(
    fake: FakeVideoSDK, http: aiohttp.ClientSession
) -> None:
    """A browser does so."""
    url, fake.url = fake.url, "http://127.0.0.1:80"
    for host, expected in (("localhost", 200), ("localhost:80", 200), ("localhost:81", 421)):
        async with http.get(url, headers={"Host": host}) as response:
            assert response.status == expected


async def test_refusal_names_the_address(fake: FakeVideoSDK, http: aiohttp.ClientSession) -> None:
    """A user can find the page with it."""
    async with http.get(fake.url, headers={"Host": "attacker.example"}) as response:
        message = f"The fake service is at {fake.url}, not at this host"
        assert await response.json() == {"message": message}
