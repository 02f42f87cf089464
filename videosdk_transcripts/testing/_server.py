"""The fake service: a real aiohttp server on loopback."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiohttp import web
from attrs import frozen

from videosdk_transcripts.client import TranscriptsClient

from ._files import FILE_PATH, FakeFiles
from ._jobs import Jobs, add_routes, make_post_row
from ._listing import EPOCH, Listing, Row, belongs, make_row, new_id
from ._tokens import judge_token
from ._webhooks import KEY_PATH, Webhooks

__all__ = ["Exchange", "FakeVideoSDK", "Fault", "SeenRequest"]

_LIST: Final = "/ai/v1/realtime-transcriptions"
_TURNS: Final = 5


Respond = Callable[[Callable[[Listing], Any]], web.Response]


@frozen
class Exchange:
    """
    A request under way, and the answer it would get without a fault.

    `respond` makes that answer. It takes a function from the page to its JSON, which
    is not called where the request is for one transcription.
    """

    fake: FakeVideoSDK
    request: web.Request
    respond: Respond

    def answer(self) -> web.Response:
        """Return what the service would have answered."""
        return self.respond(Listing.envelope)


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]


@frozen
class SeenRequest:
    """What the fake service was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def page(self) -> int | None:
        """Return the page that was asked for, where one was."""
        return int(self.query["page"]) if "page" in self.query else None


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
        most_per_page: the largest page size, where a larger one is cut to it.
        last_page_if_empty: the last page of an empty list, 0 or 1.
        page_sizes: how many rows each page holds, in place of the size asked for;
            for pages that are thin, empty or uneven.
        now: seconds since the epoch, to judge tokens by.
        seed: makes the ids.
    """

    def __init__(
        self,
        *,
        api_key: str = "fake-api-key",
        secret: str = "fake-secret-of-more-than-32-bytes",
        filters: Literal["honoured", "ignored"] = "honoured",
        most_per_page: int | None = None,
        last_page_if_empty: int = 1,
        page_sizes: list[int] | None = None,
        now: Callable[[], float] = time.time,
        seed: int = 0,
    ) -> None:
        self.api_key = api_key
        self.secret = secret
        self.filters = filters
        self.most_per_page = most_per_page
        self.last_page_if_empty = last_page_if_empty
        self.page_sizes = page_sizes
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
        """The clock that tokens and the times of files are judged by."""
        self._random = random.Random(seed)  # noqa: S311 - ids, and not secrets
        self._next: deque[Fault] = deque()
        self._on_page: dict[int, deque[Fault]] = {}
        self._every: list[tuple[int, Fault]] = []
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

    def add_transcriptions(self, count: int, **fields: Any) -> list[Row]:
        """Add some rows of one room and session at the end, and return them."""
        return [self.add_transcription(**fields) for _ in range(count)]

    # What goes wrong.

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Let the next requests meet these faults, one each; all of them so many times."""
        self._next.extend(faults * times)

    def on_page(self, page: int, *faults: Fault, times: int = 1) -> None:
        """Let the next requests for a page meet these faults, one each."""
        self._on_page.setdefault(page, deque()).extend(faults * times)

    def every(self, nth: int, fault: Fault) -> None:
        """Let every nth request meet a fault, 1 for all, if no other is due."""
        self._every.append((nth, fault))

    # How to reach it.

    @property
    def url(self) -> str:
        """Return the base URL, for the client's `endpoint`."""
        return self._url

    def client(self, **options: Any) -> TranscriptsClient:
        """Return a client of this service, with the options of `TranscriptsClient`."""
        if "token" not in options:
            options = {"api_key": self.api_key, "secret": self.secret, **options}
        # It serves its files itself, which nobody would allow but for tests.
        options.setdefault("file_hosts", [self.url])
        return TranscriptsClient(endpoint=self.url, **options)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get(_LIST, self._answer_list)
        app.router.add_get(f"{_LIST}/", self._answer_list)
        app.router.add_get(f"{_LIST}/{{id}}", self._answer_one)
        add_routes(app, self, self._answer, self._random)
        app.router.add_get(KEY_PATH, self._answer_key)
        app.router.add_get(FILE_PATH, self._answer_file)
        # A delay that nobody waits for any more ends with its connection.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        self._listening = socket.create_server(("127.0.0.1", 0))
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

    # What it answers.

    async def _answer_list(self, request: web.Request) -> web.StreamResponse:
        def respond(shape: Callable[[Listing], Any]) -> web.Response:
            listing = self.listing(request.query)
            if listing is None:
                return _refusal(400, "page and perPage must be numbers of 1 or more")
            return web.json_response(shape(listing))

        return await self._answer(request, respond)

    async def _answer_one(self, request: web.Request) -> web.StreamResponse:
        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            wanted = request.match_info["id"]
            row = next((row for row in self.rows if row["id"] == wanted), None)
            if row is None:
                return _refusal(404, "Transcription not found")
            return web.json_response(row)

        return await self._answer(request, respond)

    async def _answer_file(self, request: web.Request) -> web.StreamResponse:
        self.files.requests.append(
            SeenRequest(request.method, request.path, dict(request.query), dict(request.headers))
        )
        exchange = Exchange(self, request, lambda _shape: self.files.respond(request))
        fault = self.files.next_fault()
        return exchange.answer() if fault is None else await fault(exchange)

    async def _answer_key(self, request: web.Request) -> web.StreamResponse:
        def respond(_shape: Callable[[Listing], Any]) -> web.Response:
            return web.json_response(self.webhooks.give_key())

        return await self._answer(request, respond, is_public=True)

    async def _answer(
        self,
        request: web.Request,
        respond: Callable[[Callable[[Listing], Any]], web.Response],
        *,
        is_public: bool = False,
    ) -> web.StreamResponse:
        body = await request.read()
        self.jobs.deliver(self.files, self.now())
        self.requests.append(
            SeenRequest(
                request.method, request.path, dict(request.query), dict(request.headers), body
            )
        )
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            refused = None
            if not is_public:
                refused = judge_token(
                    request.headers.get("Authorization"),
                    api_key=self.api_key,
                    secret=self.secret,
                    now=self.now(),
                )
            exchange = Exchange(
                self, request, respond if refused is None else lambda _shape: _refusal(*refused)
            )
            fault = self._fault_for(request.query.get("page", ""))
            return exchange.answer() if fault is None else await fault(exchange)
        finally:
            self.in_flight -= 1

    def _fault_for(self, page: str) -> Fault | None:
        on_page = self._on_page.get(int(page)) if page.isdecimal() else None
        for queue in (on_page, self._next):
            if queue:
                return queue.popleft()
        number = len(self.requests)
        return next((fault for nth, fault in self._every if number % nth == 0), None)

    def listing(self, query: Mapping[str, str], of: list[Row] | None = None) -> Listing | None:
        """Return the page that a query asks for, or None for one that makes no sense."""
        try:
            page, per_page = int(query.get("page", 1)), int(query.get("perPage", 20))
        except ValueError:
            return None
        if page < 1 or per_page < 1:
            return None
        per_page = min(per_page, self.most_per_page or per_page)
        rows = self.rows if of is None else of
        rows = [row for row in rows if self.filters == "ignored" or belongs(row, query)]
        sizes = self.page_sizes
        if sizes is None:
            start, size = (page - 1) * per_page, per_page
            last_page = -(-len(rows) // per_page) or self.last_page_if_empty
        else:
            start = sum(sizes[: page - 1])
            size = sizes[page - 1] if page <= len(sizes) else 0
            last_page = len(sizes) or self.last_page_if_empty
        return Listing(rows[start : start + size], page, per_page, last_page, len(rows))


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
