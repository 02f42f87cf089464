"""`FakeVideoSDK`: the fake service on a socket, optionally in a thread, and clients for it."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiohttp import web

from videosdk_transcripts.client import TranscriptsClient

from ._handlers import make_app
from ._service import FakeService

_ITERATIONS: Final = 5
"""Iterations of the event loop after which aiohttp has registered an accepted connection."""

FakeT = TypeVar("FakeT", bound=AbstractAsyncContextManager[Any])


class FakeVideoSDK(FakeService):
    """
    Serve transcriptions as VideoSDK does, with faults on demand.

    ::

        async with FakeVideoSDK() as fake:
            fake.add_transcriptions(45, room_id="abcd-efgh-ijkl")
            async with fake.client() as client:
                print(await client.count("abcd-efgh-ijkl"))

    It is modelled on the vendor's public pages and SDKs, and was not compared with the live
    service. Behaviour that they leave open can be chosen with an argument. Each argument except
    `seed` is also an attribute.

    Args:
        api_key: the key whose tokens are accepted.
        secret: the secret with which they must be signed.
        filters: ``honoured``, or ``ignored`` as the vendor's Node SDK states for rooms.
        max_page_size: the maximum page size; larger ones are reduced to it.
        last_page_if_empty: the last page of an empty list, 0 or 1.
        page_sizes: the number of rows on each page, instead of the requested page size;
            for pages that are short, empty or uneven.
        order: the order of the list: as in `rows`, or by start.
        slash: whether the path of a list ends with a slash: ``either``, ``required`` or
            ``refused``; the other form is redirected.
        token_status: the status for a token that is invalid or expired: 401, or 400 with the
            code 4001 for another API key and 4002 for any other fault.
        unknown_status: the status for an unknown id of a transcription, such as 400 or 402.
        error_shape: the body of an error: its text under ``message``, ``error`` or ``msg``,
            under ``error.message`` (``nested``), as plain ``text``, or ``empty``.
        file_maps: the file maps of a row without files: ``missing``, ``null``, or ``empty``
            objects.
        now: returns seconds since the epoch, for tokens and for the times of jobs and responses.
        port: the port to listen on; 0 for any free port.
        seed: determines the ids.

    Attributes:
        url: the base URL, for the client's `endpoint`; empty before the service listens.
        rows: all realtime transcriptions, in the order in which they are listed; may be
            changed.
        post_rows: all transcriptions of recordings, likewise.
        custom_ids: custom room ids, each with its room id; may be changed.
        requests: the requests so far, without those for files.
        in_flight: the number of requests in progress.
        most_in_flight: the largest number of concurrent requests so far.
        faults: the faults that are due.
        drifting: the changes that `drift` makes to the list; None if it makes none.
        jobs: the effects of a start and a stop.
        files: the files of rows.
        webhooks: signs and sends webhooks.
    """

    _runner: web.AppRunner | None = None
    _listening: socket.socket | None = None

    def client(self, **options: Any) -> TranscriptsClient:
        """
        Return a client for this service.

        Args:
            options: further arguments of `TranscriptsClient`, such as ``retry`` or ``clock``.
                The endpoint, the credentials and the host of the files are those of the service.

        Returns:
            A client, to be closed by the caller, for example with ``async with``.
        """
        if "token" not in options:
            options = {"api_key": self.api_key, "secret": self.secret, **options}
        # The files are on loopback, which a client rejects unless its host is allowed.
        options.setdefault("file_hosts", [self.url])
        return TranscriptsClient(endpoint=self.url, **options)

    def in_thread(self) -> AbstractContextManager[Self]:
        """
        Run the service in its own thread, for tests that are not async.

        ::

            with FakeVideoSDK().in_thread() as fake: ...

        The service may be changed at any time. A request in progress may see it before, after
        or between two changes.
        """
        return _InThread(self)

    async def __aenter__(self) -> Self:
        # Created first, so that there is nothing to clean up if the port is in use.
        self._listening = socket.create_server(("127.0.0.1", self.port))
        # With `handler_cancellation`, a delayed response ends when its client disconnects.
        self._runner = web.AppRunner(
            make_app(self), access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()
        host, port = self._listening.getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is None or self._listening is None:
            return
        # aiohttp registers an accepted connection some iterations of the loop later. A server
        # that is closed before that leaves the connection open. So stop accepting first.
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().remove_reader(self._listening)
        for _ in range(_ITERATIONS):
            await asyncio.sleep(0)
        await self._runner.cleanup()


class _InThread(AbstractContextManager[FakeT]):
    """
    Run a service in a separate thread and event loop during a block.

    Errors during start and end are raised in the thread of the block. A block that is never left,
    for example after a failed set-up, does not keep the process alive. With a generator or a
    thread pool it would, because the interpreter waits for these at exit.

    Args:
        fake: the service.
    """

    def __init__(self, fake: FakeT) -> None:
        self._fake = fake
        self._started: Future[None] = Future()
        self._left: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="FakeVideoSDK", daemon=True)

    def __enter__(self) -> FakeT:
        self._thread.start()
        wait([self._started, self._ended], return_when=FIRST_COMPLETED)
        if self._ended.done():
            self._ended.result()
        return self._fake

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left.set_result(None)
        self._thread.join()
        self._ended.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised in the thread of the block
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _serve(self) -> None:
        async with self._fake:
            self._started.set_result(None)
            await asyncio.wrap_future(self._left)
