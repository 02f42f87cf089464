"""The client: one method for each thing a user asks for."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, NoReturn, Self

import aiohttp

from ._arguments import check_count, check_id, check_number
from ._converter import read_transcription
from ._envelope import OnInvalid, read_page
from ._environment import find_endpoint, find_tokens
from ._filter import Filter, Unverified, screen, warn_of_foreign_rows
from ._lock import LoopLock
from ._options import Consistency, WalkOptions, check_page_options, make_pager
from ._pager import Pager
from ._protocol import Answer, decode_object, list_request, transcription_request
from ._retry import RetryPolicy
from ._rows import quick_row
from ._session import Connection
from ._transport import Transport
from .auth import HiddenProvider, TokenProvider, hidden
from .errors import InvalidResponseError, VideoSDKTranscriptsError
from .models import Page, Transcription, WalkStats

__all__ = ["TranscriptsClient"]

_LARGE: Final = 100_000
"""Bytes of a page that are decoded in about a millisecond."""


class TranscriptsClient:
    """
    Read the transcriptions of VideoSDK rooms.

    ::

        async with TranscriptsClient() as client:
            async for t in client.iter_transcriptions(room_id, session_id):
                print(t.id, t.status, t.start)

    One client serves all tasks of a program: it shares its connections, its token and
    its cap on requests in flight. It may be made outside of an event loop, and used in
    one loop after another. After `aclose`, another ``async with`` opens it again.

    Args:
        api_key: the key of the VideoSDK project; goes with `secret`.
        secret: its secret; tokens are signed with it here and never leave but as such.
        token: a ready token, or an async callable that returns one, in place of the two.
            Without any of the three the environment is read: ``VIDEOSDK_API_KEY`` with
            ``VIDEOSDK_SECRET`` (or ``VIDEOSDK_SECRET_KEY``), else ``VIDEOSDK_TOKEN`` (or
            ``VIDEOSDK_AUTH_TOKEN``).
        endpoint: base URL of the API; ``VIDEOSDK_API_ENDPOINT`` or
            ``https://api.videosdk.live`` by default. A trailing ``/v2`` is taken off.
        retry: attempts, waits and time limits.
        session: a session of yours, which is used, never changed and never closed.
        max_in_flight: requests under way at once, over all tasks; 1 or more.
        max_response_bytes: decoded bytes of one answer; 1 or more.
        requests_per_second: an even pace over all tasks, above 0; None for no limit.
        proxy: URL of a proxy.
        ssl: a TLS context, where the machine's own trust is not enough.
        trust_env: take the proxy from the environment. Never takes a netrc file.
        trace_configs: aiohttp's tracing, for a session made here.
        clock, now, sleep: seconds of a clock that only goes forward, seconds since the
            epoch, and a wait of so many seconds; for tests.

    Raises:
        ConfigurationError: credentials are missing, incomplete or malformed, or an
            argument is out of its bounds. Nothing has been sent then.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        secret: str | None = None,
        token: str | TokenProvider | None = None,
        endpoint: str | None = None,
        retry: RetryPolicy | None = None,
        session: aiohttp.ClientSession | None = None,
        max_in_flight: int = 16,
        max_response_bytes: int = 32 * 1024 * 1024,
        requests_per_second: float | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool = True,
        trust_env: bool = False,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        # Hidden first of all: an error below shows these names in a traceback with locals.
        api_key, secret, proxy = hidden(api_key), hidden(secret), hidden(proxy)
        token = HiddenProvider(token) if callable(token) else hidden(token)
        endpoint = hidden(endpoint)
        check_count("max_in_flight", max_in_flight)
        check_count("max_response_bytes", max_response_bytes)
        if requests_per_second is not None:
            check_number("requests_per_second", requests_per_second, least=0, above=True)
        self._clock = clock
        self._reading = LoopLock()
        self._transport = Transport(
            find_endpoint(endpoint),
            find_tokens(api_key=api_key, secret=secret, token=token, clock=clock, now=now),
            retry or RetryPolicy(),
            Connection(session, proxy, ssl, trust_env, trace_configs, max_in_flight),
            max_response_bytes=max_response_bytes,
            requests_per_second=requests_per_second,
            clock=clock,
            now=now,
            sleep=sleep,
        )

    def iter_transcriptions(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 20,
        resume: str | None = None,
        unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
        consistency: Consistency = "once",
        max_empty_pages: int = 1000,
        readahead: int = 8,
        walk_deadline: float | None = None,
    ) -> Pager[Transcription]:
        """
        Walk the transcriptions of a room, of a session, or of the whole account.

        Returns at once and sends nothing: the errors of a walk come from its steps.
        Rows come in the server's order, each once; there may be none.

        Args:
            room_id: the room; None for all. Not a room's custom id.
            session_id: the session; None for all.
            limit: rows to hand out at most, 1 or more; None for all.
            page_size: rows to ask for on a page, 1 or more. The service may send fewer.
            resume: the checkpoint of an earlier walk with the same ids and page size.
            unverified: what becomes of a row that names no room or session, where one
                was asked for: ``raise``, ``skip`` or ``yield``.
            on_invalid: what becomes of a row that can't be read: ``raise``, ``skip``, or
                ``collect`` into `Pager.invalid_rows`. All are counted.
            consistency: ``once``, or ``verify`` to walk again until two passes agree, five
                times at most; rows that only a later pass saw come at the end.
            max_empty_pages: pages in a row that may bring nothing new, 1 or more.
            readahead: pages to ask for before their turn at most; 0 for none. In a loop, nothing
                is read ahead until a second page is asked for; then 1, 2, 4 and 8 pages are.
            walk_deadline: seconds for the whole walk, from its first step, the caller's
                own work between the rows included; None for no limit.

        Raises:
            ConfigurationError: an argument is out of its bounds, or the checkpoint is of
                another walk. It comes at once, and those below while walking.
            NoResponseError: no answer came in all attempts, or a time limit passed.
            StatusError: the service refused, in the class of its status.
            InvalidResponseError: an answer or a row can't be read, or a row does not say
                whose it is.
            PaginationError: the page information leads nowhere.
            IncompleteWalkError: no two passes agreed, with ``consistency="verify"``.
            ClientClosedError: the client was closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
        """
        options = WalkOptions(
            wanted=Filter.of(room_id, session_id),
            limit=limit,
            page_size=page_size,
            resume=resume,
            unverified=unverified,
            on_invalid=on_invalid,
            consistency=consistency,
            max_empty_pages=max_empty_pages,
            readahead=readahead,
            walk_deadline=walk_deadline,
        )
        stats = WalkStats()

        def fetch(
            page: int, page_size: int, *, deadline: float | None
        ) -> Awaitable[Page[Transcription]]:
            return self._fetch_page(
                options.wanted,
                page,
                page_size,
                on_invalid=on_invalid,
                stats=stats,
                deadline=deadline,
            )

        return make_pager(options, fetch, stats=stats, clock=self._clock)

    async def get_page(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        page: int = 1,
        page_size: int = 20,
        unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
    ) -> Page[Transcription]:
        """
        Return one page, for a program that passes the paging through to its own callers.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.
            page: the number of the page, from 1.
            page_size: rows to ask for, 1 or more. The service may send fewer.
            unverified: as for `iter_transcriptions`.
            on_invalid: as for `iter_transcriptions`; both ``skip`` and ``collect`` leave the
                rows in `Page.invalid_rows`.

        Returns:
            The page, in the server's order, without rows of others, which are counted in
            it. It may have no rows, also below the last page, and has none beyond it.

        Raises:
            ConfigurationError: an argument is out of its bounds.
            VideoSDKTranscriptsError: any of the others, as for `iter_transcriptions`.
        """
        wanted = Filter.of(room_id, session_id)
        check_count("page", page)
        check_page_options(page_size, unverified, on_invalid)
        try:
            found = await self._fetch_page(wanted, page, page_size, on_invalid=on_invalid)
            screened = screen(found, wanted, unverified)
        except VideoSDKTranscriptsError as error:
            error.page = page
            raise
        if screened.foreign_rows_dropped:
            warn_of_foreign_rows(screened, wanted)
        return screened

    async def count(self, room_id: str | None = None, session_id: str | None = None) -> int:
        """
        Return the server's own total, with one small request.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.

        Raises:
            ConfigurationError: an id is none.
            InvalidResponseError: the service named no total, or did not honour the
                filter, so that its total is not of what was asked for.
            VideoSDKTranscriptsError: any of the others, as for `iter_transcriptions`.
        """
        wanted = Filter.of(room_id, session_id)
        page = await self._fetch_page(wanted, 1, 1, on_invalid="skip")
        if screen(page, wanted, "yield").foreign_rows_dropped:
            raise InvalidResponseError(
                f"the service ignored the filter for {wanted}, so that its total counts the rows "
                "of others; count the rows of iter_transcriptions() instead"
            )
        if page.total is None:
            raise InvalidResponseError(
                f"the service named no total for {wanted}; count the rows of "
                "iter_transcriptions() instead"
            )
        return page.total

    async def get_transcription(self, transcription_id: str) -> Transcription:
        """
        Return one transcription.

        Args:
            transcription_id: its id.

        Raises:
            ConfigurationError: the id is none.
            NotFoundError: there is no such transcription in this account.
            VideoSDKTranscriptsError: any of the others, as for `iter_transcriptions`.
        """
        check_id("transcription_id", transcription_id)
        request = transcription_request(transcription_id)

        async def decode(answer: Answer) -> Transcription:
            return read_transcription(decode_object(answer, request), path="$")

        found = await self._transport.fetch(request, decode, stats=WalkStats())
        if found.id != transcription_id:
            raise InvalidResponseError(
                f"asked for {request.subject}, the service answered with {found.id}"
            )
        return found

    async def aclose(self) -> None:
        """
        Close the connections that were made here. May be called more than once.

        A walk or call under way ends with a ClientClosedError.
        """
        await self._transport.sessions.aclose()

    async def __aenter__(self) -> Self:
        self._transport.sessions.is_closed = False
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # Shown half-made by a traceback with locals, where the arguments were refused.
        transport: Transport | None = getattr(self, "_transport", None)
        if transport is None:
            return "<TranscriptsClient>"
        state = "closed" if transport.sessions.is_closed else "open"
        return f"<TranscriptsClient {transport.endpoint} {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client is not pickled or copied; make one in each process")

    # No coroutine of its own: each would be one more to go through when an answer comes.
    def _fetch_page(
        self,
        wanted: Filter,
        page: int,
        page_size: int,
        *,
        on_invalid: OnInvalid,
        stats: WalkStats | None = None,
        deadline: float | None = None,
    ) -> Awaitable[Page[Transcription]]:
        request = list_request(wanted, page, page_size)

        def read(answer: Answer) -> Awaitable[Page[Transcription]]:
            return read_page(
                answer, request, page, quick_row, read_transcription, on_invalid=on_invalid
            )

        async def read_in_turn(answer: Answer) -> Page[Transcription]:
            # Of those read ahead several may come at once, and together they would hold the loop.
            async with self._reading.of_this_loop():
                return await read(answer)

        def decode(answer: Answer) -> Awaitable[Page[Transcription]]:
            return read(answer) if len(answer.body) < _LARGE else read_in_turn(answer)

        return self._transport.fetch(
            request, decode, stats=WalkStats() if stats is None else stats, deadline=deadline
        )
