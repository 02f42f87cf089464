"""The fake service: a real aiohttp server on loopback."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiohttp import web

from videosdk_transcripts.client import TranscriptsClient

from ._drift import Drift
from ._exchange import Fault, SeenRequest
from ._files import FakeFiles
from ._handlers import make_app
from ._in_thread import InThread
from ._jobs import Jobs, make_post_row
from ._listing import EPOCH, Listing, Row, belongs, make_row, new_id
from ._script import Script
from ._webhooks import Webhooks

_TURNS: Final = 5


class FakeVideoSDK:
    """
    Serve transcriptions as VideoSDK does, with faults on demand.

    ::

        async with FakeVideoSDK() as fake:
            fake.add_transcriptions(45, room_id="abcd-efgh-ijkl")
            async with fake.client() as client:
                print(await client.count("abcd-efgh-ijkl"))

    What the vendor documents is served so; what nobody documents is a switch.

    Args:
        api_key: the key whose tokens are accepted.
        secret: the secret they must be signed with.
        filters: ``honoured``, or ``ignored`` as the vendor's Node SDK says of rooms.
        max_page_size: the largest page size, where a larger one is cut to it.
        last_page_if_empty: the last page of an empty list, 0 or 1.
        page_sizes: how many rows each page holds, in place of the size asked for;
            for pages that are thin, empty or uneven.
        order: how rows are listed: as they are in `rows`, or by their start.
        slash: whether a path of the list may end with a slash or not: ``either``, or else
            ``required`` or ``refused``, where the other form is redirected.
        now: seconds since the epoch, to judge tokens by, and for the times of jobs and answers.
        port: where to listen; 0 for any port that is free.
        seed: makes the ids.
    """

    def __init__(
        self,
        *,
        api_key: str = "fake-api-key",
        secret: str = "fake-secret-of-more-than-32-bytes",
        filters: Literal["honoured", "ignored"] = "honoured",
        max_page_size: int | None = None,
        last_page_if_empty: int = 1,
        page_sizes: list[int] | None = None,
        order: Literal["as they are", "newest first", "oldest first"] = "as they are",
        slash: Literal["either", "required", "refused"] = "either",
        now: Callable[[], float] = time.time,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self.api_key = api_key
        self.secret = secret
        self.filters = filters
        self.max_page_size = max_page_size
        self.last_page_if_empty = last_page_if_empty
        self.page_sizes = page_sizes
        self.order = order
        self.slash = slash
        self.rows: list[Row] = []
        """All rows, in the order in which they are listed. Yours to change."""
        self.post_rows: list[Row] = []
        """Likewise of the transcripts of recordings."""
        self.jobs = Jobs()
        """What a start and a stop do."""
        self.requests: list[SeenRequest] = []
        """What was asked so far."""
        self.in_flight = 0
        self.most_in_flight = 0
        """The most requests that were under way at once."""
        self.webhooks = Webhooks()
        """Signs and sends webhooks."""
        self.files = FakeFiles(self)
        """Serves the files of rows."""
        self.now = now
        """The clock of the service: tokens, jobs, and the ``Date`` of its answers go by it."""
        self._port = port
        self._random = random.Random(seed)  # noqa: S311 - ids, and not secrets
        self._script = Script()
        self.drifting: Drift | None = None
        """What moves the list, where `drift` was called."""
        self._runner: web.AppRunner | None = None
        self._listening: socket.socket | None = None
        self._url = ""

    # What there is.

    def add_transcription(
        self,
        *,
        room_id: str | None = "abcd-efgh-ijkl",
        session_id: str | None = "64f1a2b3c4d5e6f708192a3b",
        at: int | None = None,
        **fields: Any,
    ) -> Row:
        """
        Add one row and return it, as the service writes it.

        Args:
            room_id: its room, or None for a row that does not name it.
            session_id: its session, or None likewise.
            at: its place in the list, from 0; at the end by default.
            fields: what `make_row` takes, and any further key of the row.
        """
        fields.setdefault("row_id", new_id(self._random))
        fields.setdefault("start", EPOCH + timedelta(hours=len(self.rows)))
        row = make_row(room_id=room_id, session_id=session_id, **fields)
        self.rows.insert(len(self.rows) if at is None else at, row)
        return row

    def add_post_transcription(
        self,
        *,
        room_id: str | None = "abcd-efgh-ijkl",
        session_id: str | None = "64f1a2b3c4d5e6f708192a3b",
        **fields: Any,
    ) -> Row:
        """Add one transcript of a recording at the end of its list, and return it."""
        fields.setdefault("start", EPOCH + timedelta(hours=len(self.post_rows)))
        row_id = fields.pop("row_id", None) or new_id(self._random)
        row = make_post_row(row_id, room_id=room_id, session_id=session_id, **fields)
        self.post_rows.append(row)
        return row

    def add_session(self, room_id: str, count: int = 1, **fields: Any) -> list[Row]:
        """Add a session with so many transcriptions at the end, and return its rows."""
        session_id = f"{self._random.getrandbits(96):024x}"
        return self.add_transcriptions(count, room_id=room_id, session_id=session_id, **fields)

    def add_transcriptions(self, count: int, **fields: Any) -> list[Row]:
        """Add some rows of one room and session at the end, and return them."""
        return [self.add_transcription(**fields) for _ in range(count)]

    def clear(self) -> None:
        """
        Forget all rows, files, requests, faults and drift, between two tests, say.

        Switches stay as they are, those of `jobs` as well.
        """
        self.rows.clear()
        self.post_rows.clear()
        self.requests.clear()
        self.most_in_flight = 0
        self.drifting = None
        self.files = FakeFiles(self)
        self.jobs.clear()
        self.clear_faults()

    # What goes wrong.

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Let the next requests meet these faults, one each; all of them so many times."""
        self._script.fail_next(*faults, times=times)

    def on_page(self, page: int, *faults: Fault, times: int = 1) -> None:
        """Let the next requests for a page meet these faults, one each."""
        self._script.on_page(page, *faults, times=times)

    def every(self, nth: int, fault: Fault) -> None:
        """
        Let every nth request meet a fault, if no other is due.

        Args:
            nth: 1 for all.
            fault: what they meet.

        Raises:
            ValueError: `nth` is below 1.
        """
        self._script.every(nth, fault)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more: forget the faults that are still to come, of files too."""
        self._script.clear()
        self.files.clear_faults()

    def drift(self, *, every: int = 1, insert: int = 0, remove: int = 0) -> Drift:
        """
        Let rows come and go while they are listed, until `drift` is called again.

        Args:
            every: before every how many answers with a page; 1 or more.
            insert: how many rows come, at the top.
            remove: how many vanish, from anywhere.

        Returns:
            What counts them.

        Raises:
            ValueError: one of the numbers is out of its bounds.
        """
        self.drifting = Drift(every, insert, remove)
        return self.drifting

    # How to reach it.

    @property
    def url(self) -> str:
        """Return the base URL, for the client's `endpoint`."""
        return self._url

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables of the environment that lead a client here."""
        return {
            "VIDEOSDK_API_ENDPOINT": self.url,
            "VIDEOSDK_API_KEY": self.api_key,
            "VIDEOSDK_SECRET": self.secret,
            "VIDEOSDK_FILE_HOSTS": self.url,
        }

    def in_thread(self) -> AbstractContextManager[Self]:
        """
        Run it in a thread of its own, for tests that are not async: ``with fake.in_thread():``.

        It may be changed at any time. A request that is under way then may see it before or
        after a change, and between two changes.
        """
        return InThread(self)

    def client(self, **options: Any) -> TranscriptsClient:
        """Return a client of this service, with the options of `TranscriptsClient`."""
        if "token" not in options:
            options = {"api_key": self.api_key, "secret": self.secret, **options}
        # It serves its files itself, which nobody would allow but for tests.
        options.setdefault("file_hosts", [self.url])
        return TranscriptsClient(endpoint=self.url, **options)

    async def __aenter__(self) -> Self:
        # First, so that there is nothing to clean up where the port is taken.
        self._listening = socket.create_server(("127.0.0.1", self._port))
        app = make_app(self, self._script, self._random)
        # A delay that nobody waits for any more ends with its connection.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()
        host, port = self._listening.getsockname()
        self._url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is None or self._listening is None:
            return
        # Whoever was accepted just now is known to aiohttp some turns of the loop later, and is
        # left open by a server that is closed in between. So nobody is accepted any more first.
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().remove_reader(self._listening)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await self._runner.cleanup()

    # What it lists.

    def listing(self, query: Mapping[str, str], of: list[Row] | None = None) -> Listing | None:
        """Return the page that a query asks for, or None for one that makes no sense."""
        try:
            page, per_page = int(query.get("page", 1)), int(query.get("perPage", 20))
        except ValueError:
            return None
        if page < 1 or per_page < 1:
            return None
        per_page = min(per_page, self.max_page_size or per_page)
        rows = self.rows if of is None else of
        rows = [row for row in rows if self.filters == "ignored" or belongs(row, query)]
        if self.order != "as they are":
            rows.sort(
                key=lambda row: str(row.get("start") or ""), reverse=self.order == "newest first"
            )
        sizes = self.page_sizes
        if sizes is None:
            start, size = (page - 1) * per_page, per_page
            last_page = -(-len(rows) // per_page) or self.last_page_if_empty
        else:
            start = sum(sizes[: page - 1])
            size = sizes[page - 1] if page <= len(sizes) else 0
            last_page = len(sizes) or self.last_page_if_empty
        return Listing(rows[start : start + size], page, per_page, last_page, len(rows))
