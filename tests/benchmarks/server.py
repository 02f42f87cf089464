"""
Serve pages fast enough not to be the bottleneck: ``python -m benchmarks.server``.

The server supports only the HTTP that the benchmarks use, and creates each page by one
replacement in a prepared template. The start of the path selects the list:
``/ROWS/DELAY_IN_MS/ai/v1/...``. In ``/ROWS/DELAY_IN_MS/files/ai/v1/...``, pages come without a
delay, and their rows have links to files of this server, which come with the delay.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from videosdk_transcripts.testing._rows import Listing, make_row

from .jobs import ROOM

__all__ = ["Pages", "main", "serve_in_loop"]

# The parameters are in any order, and the Node SDK does not send the number of the first page.
_REQUEST: Final = re.compile(
    rb"GET /(\d+)/(\d+)(/files)?/(?=\S*[?&]page=(\d+)|)(?=\S*[?&]perPage=(\d+))"
)
_FILE: Final = re.compile(rb"GET /file/(\d+)/")
_HOST: Final = re.compile(rb"\r\nHost: (\S+)", re.IGNORECASE)
_CDN: Final = b"https://cdn.videosdk.live/"
_TEXT: Final = b"[00:00:01] Alice: Good morning, and welcome to the weekly review.\n" * 60
_HEADERS: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Content-Length: %d\r\nDate: Mon, 02 Mar 2026 10:00:00 GMT\r\n\r\n"
)
# Placeholder for the page number; in ids the number is padded to these eight characters.
_PLACEHOLDER: Final = "00page00"


class Pages:
    """
    Pages of a list, in the documented shape.

    Args:
        rows: the total number of rows.
        page_size: the number of rows per page.
    """

    def __init__(self, rows: int, page_size: int) -> None:
        self._rows, self._size = rows, page_size
        self._last_page = max(1, -(-rows // page_size))
        self._full = self._template(min(rows, page_size))
        self._rest = self._template(rows - (self._last_page - 1) * page_size)

    def body(self, number: int) -> bytes:
        """Return the body of a page; pages after the last one have no rows."""
        if number > self._last_page:
            template = self._template(0)
        else:
            template = self._full if number < self._last_page else self._rest
        page = template.replace(f'"{_PLACEHOLDER}"'.encode(), b"%d" % number, 1)
        return page.replace(_PLACEHOLDER.encode(), b"%08d" % number)

    def _template(self, count: int) -> bytes:
        rows = [
            make_row(
                f"{_PLACEHOLDER}-eabc-48d0-b341-{n:012d}",
                room_id=ROOM,
                session_id=f"{0x64F1A2B3:024x}",
            )
            for n in range(count)
        ]
        page = Listing(rows, 0, self._size, self._last_page, self._rows).envelope()
        page["pageInfo"]["currentPage"] = _PLACEHOLDER
        return json.dumps(page, separators=(",", ":")).encode()


_pages: Final = functools.cache(Pages)


class _Connection(asyncio.Protocol):
    def __init__(self, still_open: set[asyncio.Transport]) -> None:
        self._open = still_open
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        *requests, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for request in requests:
            if file := _FILE.match(request):
                delay, body = int(file[1]), _TEXT
            elif found := _REQUEST.match(request):
                rows, delay, page, page_size = (int(found[n] or 1) for n in (1, 2, 4, 5))
                body = _pages(rows, page_size).body(page)
                if found[3] and (host := _HOST.search(request)):
                    body = body.replace(_CDN, b"http://%b/file/%d/" % (host[1], delay))
                    delay = 0
            else:
                self._transport.abort()
                return
            response = _HEADERS % len(body) + body
            if delay:
                asyncio.get_running_loop().call_later(delay / 1000, self._transport.write, response)
            else:
                self._transport.write(response)


@asynccontextmanager
async def serve_in_loop() -> AsyncIterator[str]:
    """Serve in the running event loop, and yield the URL."""
    still_open: set[asyncio.Transport] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(still_open), "127.0.0.1", 0
    )
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for transport in still_open:
            transport.abort()
        await asyncio.sleep(0)


async def main() -> None:
    """Print the URL, then serve until standard input is closed."""
    async with serve_in_loop() as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
