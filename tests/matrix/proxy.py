"""A proxy on loopback that resets, cuts, throttles, drops or corrupts responses."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from attrs import frozen

__all__ = ["PASS", "Action", "Proxy"]

_GARBAGE: Final = b"\x00\xff\x16garbage\x80\r\n\r\n"
# With this option an abort sends RST, so the peer does not see an orderly close.
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@frozen
class Action:
    """
    The treatment of one response, or of one connection.

    `after` is the number of bytes that are forwarded first. ``refuse`` resets all connections
    and stops listening until `Proxy.listen` is called.
    """

    kind: Literal["pass", "reset", "cut", "throttle", "black hole", "garbage", "refuse"]
    after: int = 0
    pause: float = 0.0
    """Seconds before each byte of a throttled response."""


PASS: Final = Action("pass")


class Proxy:
    """
    Forward to a server on loopback, and apply the action that the plan chooses.

    Args:
        target: the URL of the server.
        plan: returns the action for a response, given the target of its request; with
            `blind`, for a connection, given its number from 1.
        blind: forward bytes unparsed, and apply the plan to connections instead of responses.
        tls: terminate TLS, and connect to the server without it.
    """

    def __init__(
        self,
        target: str,
        plan: Callable[[str], Action],
        *,
        blind: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._plan = plan
        self._serve = self._forward_bytes if blind else self._forward_responses
        self._tls = tls
        self._port = 0
        self._connections = 0
        self._listening: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Return the base URL for a client."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def listen(self) -> None:
        """Listen again on the same port, after a refusal."""
        if self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self._port))
            self._listening.setblocking(False)
            self._port = self._listening.getsockname()[1]
            # Not an `asyncio.Server`, which leaves a connection open that arrives while it closes.
            asyncio.get_running_loop().add_reader(self._listening, self._accept_connection)

    async def __aenter__(self) -> Self:
        self.listen()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_listening()
        # A task cancelled before its first step would leave its socket open.
        await asyncio.sleep(0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_listening(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()

    def _accept_connection(self) -> None:
        assert self._listening is not None
        with contextlib.suppress(OSError):  # the client may have disconnected
            connection, _ = self._listening.accept()
            task = asyncio.ensure_future(self._serve_connection(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve_connection(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls
            )
        except OSError:
            connection.close()  # not a TLS handshake, or disconnected
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._clients.add(writer)
        upstream: asyncio.StreamWriter | None = None
        # Only `__aexit__` cancels this task, and it ignores the result.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            from_server, upstream = await asyncio.open_connection(*self._target)
            await self._serve(reader, writer, from_server, upstream)
        if upstream is not None:
            upstream.transport.abort()
        writer.close()
        self._clients.discard(writer)

    async def _forward_responses(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
    ) -> None:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            action = self._plan(request.split(b" ", 2)[1].decode())
            response = b""
            if action.kind not in ("black hole", "garbage", "refuse"):
                upstream.write(request)
                response = await from_server.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", response)
                try:
                    response += await from_server.readexactly(int(length[1]) if length else 0)
                except asyncio.IncompleteReadError as cut:
                    # A body cut by the server is forwarded as it is.
                    writer.write(response + cut.partial)
                    return
            if not await self._act(action, response, reader, writer):
                return

    async def _forward_bytes(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
    ) -> None:
        self._connections += 1
        action = self._plan(str(self._connections))

        async def send() -> None:
            while data := await reader.read(65536):
                upstream.write(data)

        sending = asyncio.ensure_future(send())
        sent = 0
        try:
            while data := await from_server.read(65536):
                if action.kind != "pass" and sent + len(data) > action.after:
                    rest = Action(action.kind, max(0, action.after - sent), action.pause)
                    await self._act(rest, data, reader, writer)
                    return
                writer.write(data)
                sent += len(data)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _act(
        self,
        action: Action,
        data: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Apply an action, and return whether the connection is still usable."""
        if action.kind == "pass":
            writer.write(data)
            return True
        writer.write(data[: action.after])
        match action.kind:
            case "reset":
                await writer.drain()
                await asyncio.sleep(0)
                _reset(writer)
            case "refuse":
                self._stop_listening()
                for client in self._clients:
                    _reset(client)
            case "garbage":
                writer.write(_GARBAGE)
            case "throttle":
                for byte in data[action.after :]:
                    await asyncio.sleep(action.pause)
                    writer.write(bytes((byte,)))
                    await writer.drain()
            case "black hole":
                await reader.read()  # until the client disconnects
            case _:  # cut: the caller closes the connection
                pass
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() != -1:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
