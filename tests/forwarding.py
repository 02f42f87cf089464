"""A proxy on loopback for requests and CONNECT tunnels, which resolves names itself."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from .conftest import read_request, tcp

NOWHERE: Mapping[str, int] = {}


@asynccontextmanager
async def forwarding(
    ports: Mapping[str, int] = NOWHERE, *, refusal: bytes = b""
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """
    Serve as a proxy, and record the head of the first request of each connection.

    Args:
        ports: the ports on loopback where the proxy finds these hosts; it connects to others
            as they are named.
        refusal: what it responds instead of forwarding.
    """
    heads: list[bytes] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_request(reader)
        heads.append(head)
        if refusal:
            writer.write(refusal)
            return
        method, target = head.decode().split()[:2]
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host = parts.hostname or ""
        found = ("127.0.0.1", ports[host]) if host in ports else (host, parts.port)
        from_server, to_server = await asyncio.open_connection(*found)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            to_server.write(head)
        try:
            await asyncio.gather(pipe(reader, to_server), pipe(from_server, writer))
        finally:
            to_server.close()

    async with tcp(talk) as url:
        yield url.removeprefix("http://"), heads


@contextmanager
def forwarding_in_thread(ports: Mapping[str, int] = NOWHERE) -> Iterator[tuple[str, list[bytes]]]:
    """Serve as `forwarding` does, for tests that are not async."""
    started: Future[tuple[str, list[bytes], asyncio.AbstractEventLoop]] = Future()
    ended = asyncio.Event()

    async def serve() -> None:
        async with forwarding(ports) as (address, heads):
            started.set_result((address, heads, asyncio.get_running_loop()))
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    address, heads, loop = started.result(30)
    try:
        yield address, heads
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
