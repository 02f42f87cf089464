"""
Measure the server's ceiling with a raw socket that pipelines eight requests.

Responses are counted by their length and not parsed, so the server is the bottleneck.
"""

from __future__ import annotations

import re
import socket
import time
from typing import Final
from urllib.parse import urlsplit

from .jobs import LIST, ROOM, Job, WalkResult

__all__ = ["walk"]

_PIPELINED: Final = 8


async def walk(job: Job) -> WalkResult:
    """Request the first page once for each page of the list."""
    pages = -(-job.rows // job.page_size)
    url = urlsplit(job.url)
    target = f"{url.path}{LIST}?roomId={ROOM}&page=1&perPage={job.page_size}"
    request = f"GET {target} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode()
    with socket.create_connection((url.hostname, url.port)) as connection:
        length = _response_length(connection, request)
        marked_at = time.perf_counter()
        buffer = bytearray(1 << 20)
        requested, received = min(_PIPELINED, pages - 1), 0
        connection.sendall(request * requested)
        while received < (pages - 1) * length:
            received += connection.recv_into(buffer)
            more = min(received // length + _PIPELINED, pages - 1) - requested
            if more:
                connection.sendall(request * more)
                requested += more
    return WalkResult(job.rows, marked_at)


def _response_length(connection: socket.socket, request: bytes) -> int:
    connection.sendall(request)
    response = b""
    while b"\r\n\r\n" not in response:
        response += connection.recv(1 << 16)
    head, rest = response.split(b"\r\n\r\n", 1)
    found = re.search(rb"Content-Length: (\d+)", head)
    assert found
    remaining = int(found[1]) - len(rest)
    while remaining:
        remaining -= len(connection.recv(remaining))
    return len(head) + 4 + int(found[1])
