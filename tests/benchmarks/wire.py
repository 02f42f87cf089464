"""
The ceiling of the server: a bare socket that always has eight requests waiting there.

The answers are counted by their length and not read, so that the server is the slower one.
"""

from __future__ import annotations

import re
import socket
import time
from typing import Final
from urllib.parse import urlsplit

from .jobs import LIST, ROOM, Job, Walked

__all__ = ["walk"]

_WAITING: Final = 8


async def walk(job: Job) -> Walked:
    """Ask for the first page as often as there are pages."""
    pages = -(-job.rows // job.page_size)
    url = urlsplit(job.url)
    target = f"{url.path}{LIST}?roomId={ROOM}&page=1&perPage={job.page_size}"
    request = f"GET {target} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode()
    with socket.create_connection((url.hostname, url.port)) as connection:
        length = _length_of_answer(connection, request)
        marked_at = time.perf_counter()
        buffer = bytearray(1 << 20)
        asked, received = min(_WAITING, pages - 1), 0
        connection.sendall(request * asked)
        while received < (pages - 1) * length:
            received += connection.recv_into(buffer)
            more = min(received // length + _WAITING, pages - 1) - asked
            if more:
                connection.sendall(request * more)
                asked += more
    return Walked(job.rows, marked_at)


def _length_of_answer(connection: socket.socket, request: bytes) -> int:
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1 << 16)
    head, rest = answer.split(b"\r\n\r\n", 1)
    found = re.search(rb"Content-Length: (\d+)", head)
    assert found
    left = int(found[1]) - len(rest)
    while left:
        left -= len(connection.recv(left))
    return len(head) + 4 + int(found[1])
