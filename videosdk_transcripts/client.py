"""`TranscriptsClient`: one method per operation of the API."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, cast, overload

import aiohttp
from attrs import evolve

from ._api.filter import Filter, Unverified
from ._api.pages import OnInvalid
from ._api.protocol import (
    REALTIME,
    RECORDED,
    JsonLoads,
    Response,
    decode_object,
    load_json,
)
from ._api.rooms import read_room_id, room_not_found, room_request
from ._clock import Clock
from ._environment import resolve_endpoint, resolve_file_hosts, resolve_tokens
from ._files.fetch import Files
from ._files.hosts import FileHosts
from ._files.transport import FileTransport
from ._http.proxy import ProxySettings
from ._http.rate_limit import AcquiresTurns, choose_pace
from ._http.retry import RetryPolicy
from ._http.session import ConnectionOptions
from ._http.transport import Transport
from ._jobs.wait import Waiter
from ._paging.options import LARGE_PAGE_SIZE, Consistency, PageSize, WalkOptions, check_page_options
from ._paging.pager import Pager
from ._paging.readahead import PrefetchLimit
from ._paging.time_range import Time, TimeRange
from ._redact import (
    HiddenProvider,
    TokenProvider,
    kind_of,
    mask,
    mask_data,
    mask_each,
    mask_unless,
)
from ._resource import Resource, RowT
from ._validation import (
    check_count,
    check_flag,
    check_function,
    check_id,
    check_instance,
    check_items,
)
from .errors import BadRequestError, ConfigurationError
from .models import Page, PostTranscription, Transcription, WalkStats

# Imported on first use, because most programs use only some of them (P16).
if TYPE_CHECKING:
    from ._files.batch import Results
    from ._files.download import Download, Downloader
    from ._files.texts import FetchedText
    from ._jobs.follow import Follower, Since
    from ._jobs.start_stop import WriteResult
    from .webhooks.events import WebhookEvent
    from .webhooks.keys import PublicKeys

__all__ = ["TranscriptsClient"]

_PREFETCHED_PER_SLOT: Final = 4
"""Maximum number of prefetched pages of all walks, for each request of `max_in_flight`."""


class TranscriptsClient:
    """
    Read the transcriptions of VideoSDK rooms.

    ::

        async with TranscriptsClient() as client:
            async for t in client.iter_transcriptions(room_id, session_id):
                print(t.id, t.status, t.start)

    Share one client among all tasks of a program: it pools the connections and the token,
    and its limits apply to all tasks together. It may be created outside an event loop, and
    used in several loops, one after another. Several tasks may enter it with ``async with``: it
    is closed when the last one leaves. After that, or after `aclose`, another ``async with``
    reopens it.

    Args:
        api_key: the key of the VideoSDK project; requires `secret`. Whitespace around either
            of the two, such as the line break of a file, is removed.
        secret: the secret of the project, which signs tokens and is never sent.
        token: a token, or an async callable that returns one, instead of `api_key` and `secret`.
            All tasks share a token of the callable until it is about to expire or is rejected,
            so it can't depend on the task: use one client per tenant.
            Without any of the three arguments, the environment is read: ``VIDEOSDK_API_KEY`` with
            ``VIDEOSDK_SECRET`` (or ``VIDEOSDK_SECRET_KEY``), else ``VIDEOSDK_TOKEN`` (or
            ``VIDEOSDK_AUTH_TOKEN``).
        endpoint: base URL of the API; by default ``VIDEOSDK_API_ENDPOINT``, else
            ``VIDEOSDK_API_BASE``, else ``https://api.videosdk.live``. A trailing ``/v2`` is
            removed.
        retry: attempts, waits and timeouts; by default those of ``RetryPolicy()``.
        session: an existing aiohttp session, which the client uses, but never changes or
            closes; None for one that the client creates on first use and closes.
        max_in_flight: maximum number of concurrent requests of all tasks, 1 or more. Further
            requests wait in a queue, and their wait counts towards ``walk_timeout`` only.
        max_response_bytes: maximum decoded size of one response in bytes, 1 or more.
        file_hosts: additional file hosts besides ``cdn.videosdk.live``: host names, for https
            and public addresses only, or origins such as ``http://127.0.0.1:8080``.
            ``VIDEOSDK_FILE_HOSTS``, comma-separated, by default.
        max_file_bytes: maximum decoded size of one transcript or summary file in bytes, 1 or
            more.
        webhook_public_key: the service's public key in PEM, to verify webhooks; None to fetch
            it for the first webhook. A backslash followed by ``n`` counts as a line break, as
            in an environment file.
        requests_per_second: maximum rate of the requests of all tasks, which are spaced evenly;
            above 0, None for no limit.
        rate_limiter: any object with a method ``async acquire()`` that returns when one more
            request may be sent, instead of `requests_per_second`: for a limit that several
            clients or processes share. Its exceptions propagate unchanged.
        proxy: URL of an HTTP proxy for the API.
        ssl: a TLS context, if the system's certificates are not sufficient.
        trust_env: read the proxy for the API from the environment (``HTTPS_PROXY``,
            ``ALL_PROXY``, ``NO_PROXY``). A netrc file is never read.
        files_via_proxy: use that proxy for files, too. The proxy then resolves the file hosts,
            so their names are checked, but their addresses can't be.
        trace_configs: aiohttp's tracing, for a session that the client creates.
        json_loads: another decoder for the responses of the API, such as ``orjson.loads``: a
            function from bytes to dicts, lists, strings, numbers, bools and None. Whatever it
            raises counts as a response that is not JSON. By default the `json` module, without
            NaN and infinity.
        clock: the source of time and waits, which tests can replace; by default the system's.

    Raises:
        CredentialsError: credentials are missing, incomplete, contradictory or malformed.
        ConfigurationError: an argument is out of bounds or of the wrong type. As with missing
            credentials, nothing has been sent or opened.
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
        file_hosts: Iterable[str] | None = None,
        max_file_bytes: int = 64 * 1024 * 1024,
        webhook_public_key: str | bytes | None = None,
        requests_per_second: float | None = None,
        rate_limiter: AcquiresTurns | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool = True,
        trust_env: bool = False,
        files_via_proxy: bool = False,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        json_loads: JsonLoads | None = None,
        clock: Clock | None = None,
    ) -> None:
        # Masked before anything can fail: a traceback with locals would show these names. All
        # code below receives them masked.
        api_key, secret, proxy = mask(api_key), mask(secret), mask(proxy)
        token = (
            mask(token) if isinstance(token, str) or not callable(token) else HiddenProvider(token)
        )
        endpoint, file_hosts = mask(endpoint), mask_each(file_hosts)
        webhook_public_key = mask_data(webhook_public_key)
        session = mask_unless(session, aiohttp.ClientSession)
        ssl = mask_unless(ssl, ssl_module.SSLContext, aiohttp.Fingerprint, bool)
        retry, clock = mask_unless(retry, RetryPolicy), mask_unless(clock, Clock)
        for name, value, kind in (("retry", retry, RetryPolicy), ("clock", clock, Clock)):
            if value is not None:
                check_instance(name, value, kind)
        trace_configs = check_items("trace_configs", trace_configs, aiohttp.TraceConfig)
        check_count("max_in_flight", max_in_flight)
        check_count("max_response_bytes", max_response_bytes)
        check_count("max_file_bytes", max_file_bytes)
        check_flag("files_via_proxy", files_via_proxy)
        json_loads = json_loads if callable(json_loads) else mask(json_loads)
        if json_loads is not None:
            check_function("json_loads", json_loads)
        policy = retry or RetryPolicy()
        clock = clock or Clock()
        pace = choose_pace(requests_per_second, rate_limiter, clock=clock)
        self._clock = clock
        self._transport = Transport(
            resolve_endpoint(endpoint),
            resolve_tokens(api_key=api_key, secret=secret, token=token, clock=clock),
            policy,
            ConnectionOptions(
                session, ProxySettings(proxy, trust_env), ssl, trace_configs, max_in_flight
            ),
            max_response_bytes=max_response_bytes,
            pace=pace,
            clock=clock,
            json_loads=load_json if json_loads is None else json_loads,
        )
        # A session passed by the caller may use the proxy of the environment by itself.
        uses_environment = trust_env or (session is not None and session.trust_env)
        if files_via_proxy and proxy is None and not uses_environment:
            raise ConfigurationError("files_via_proxy requires proxy= or trust_env=True")
        self._file_transport = FileTransport(
            FileHosts(resolve_file_hosts(file_hosts)),
            policy,
            ssl=ssl,
            max_in_flight=max_in_flight,
            max_file_bytes=max_file_bytes,
            clock=clock,
            proxies=ProxySettings(proxy, uses_environment),
            via_proxy=files_via_proxy,
        )
        prefetch_limit = PrefetchLimit(_PREFETCHED_PER_SLOT * max_in_flight)
        self._realtime = Resource(
            self._transport, REALTIME, Transcription, prefetch_limit=prefetch_limit, clock=clock
        )
        self._recorded = Resource(
            self._transport, RECORDED, PostTranscription, prefetch_limit=prefetch_limit, clock=clock
        )
        self._files = Files(self._file_transport)
        self._waiting = Waiter(self.get_transcription, self._scan, clock=clock)
        self._waiting_for_recorded = Waiter(
            self.get_post_transcription, self._scan_recorded, clock=clock
        )
        self._entered = 0
        self._public_key = webhook_public_key
        self._public_keys: PublicKeys | None = None
        if webhook_public_key is not None:
            self._keys()  # raises if the key is not usable

    def iter_transcriptions(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        page_size: PageSize = 20,
        resume: str | None = None,
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
        consistency: Consistency = "once",
        max_empty_pages: int = 1000,
        readahead: int = 8,
        walk_timeout: float | None = None,
    ) -> Pager[Transcription]:
        """
        Iterate over the transcriptions of a room, a session, or the whole account.

        Returns immediately and sends nothing; errors of the walk are raised by its steps.
        Rows come in the server's order, each once; there may be none.

        Args:
            room_id: the room; None for all. For a custom room id, pass the room id that
                `resolve_room` returns.
            session_id: the session; None for all.
            since: yield only rows that started at this time or later: a `datetime`, a `date`
                (its midnight), or either in ISO 8601; in UTC unless it has an offset. The
                service can't select by time and documents no order, so the client requests all
                rows and selects from them. A row without a start is never in a range;
                `WalkStats` counts the rows that are left out.
            until: yield only rows that started before this time, which must be after `since`.
            limit: maximum number of rows to yield, 1 or more; None for all.
            page_size: rows to request per page, 1 or more. The service may send fewer.
                ``auto`` requests 100 rows, or 20 if the service rejects the first page with 400
                or 422.
            resume: the checkpoint of an earlier walk with the same ids, times and page size.
            on_unverified: what to do with a row that lacks the ids needed to check that it
                belongs to the requested room or session: ``raise``, ``skip`` or ``yield``.
            on_invalid: what to do with a row that can't be read: ``raise``, ``skip``, or
                ``collect`` it into `Pager.invalid_rows`. All are counted.
            consistency: ``once``, or ``verify`` to repeat the walk with other page sizes until
                two passes agree and match the total, at most five times; rows that only a later
                pass found come at the end.
            max_empty_pages: consecutive pages that may contain nothing new, 1 or more.
            readahead: maximum number of pages to prefetch; 0 for none. Nothing is prefetched
                until a second page is requested; then 1, 2, 4 and 8 pages are prefetched,
                and fewer while the service throttles.
            walk_timeout: seconds for the whole walk from its first step, including the
                caller's own work between rows, above 0; None for no limit.

        Returns:
            A pager, for ``async for`` over the rows or, with `Pager.by_page`, over the pages.
            Times are in UTC.

        Raises:
            ConfigurationError: an argument is out of bounds, or the checkpoint belongs to
                another walk. Raised immediately, and the errors below during iteration.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service refused the request; one subclass per status.
            InvalidResponseError: a response or a row can't be read, or a row can't be verified.
            PaginationError: the page information contradicts itself or does not advance.
            IncompleteWalkError: with ``consistency="verify"``, no two passes agreed and matched
                the total.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
        """
        room_id, session_id, resume = mask(room_id), mask(session_id), mask(resume)
        options = WalkOptions(
            wanted=Filter.of(room_id, session_id),
            limit=limit,
            page_size=page_size,
            resume=resume,
            on_unverified=on_unverified,
            on_invalid=on_invalid,
            consistency=consistency,
            max_empty_pages=max_empty_pages,
            readahead=readahead,
            walk_timeout=walk_timeout,
            times=TimeRange.of(since, until),
        )
        return self._realtime.pager(options)

    async def get_page(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        page: int = 1,
        page_size: int = 20,
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
    ) -> Page[Transcription]:
        """
        Return one page, for programs that pass pagination through to their own callers.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.
            page: the number of the page, from 1.
            page_size: rows to request, 1 or more. The service may send fewer.
            on_unverified: what to do with a row that lacks the ids needed to check that it
                belongs to the requested room or session: ``raise``, ``skip`` or ``yield``.
            on_invalid: what to do with a row that can't be read: ``raise``, or ``skip`` or
                ``collect``, which both add it to `Page.invalid_rows`.

        Returns:
            The page, in the server's order, without foreign rows, which are counted in it.
            It may have no rows, even below the last page, and has none beyond the last page.

        Raises:
            ConfigurationError: an argument is out of bounds. Nothing has been sent.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service refused the request; one subclass per status.
            InvalidResponseError: the response or a row can't be read, or a row can't be verified.
            PaginationError: the response is not the requested page.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
        """
        room_id, session_id = mask(room_id), mask(session_id)
        wanted = Filter.of(room_id, session_id)
        return await self._realtime.get_page(
            wanted, page, page_size, on_unverified=on_unverified, on_invalid=on_invalid
        )

    async def count(self, room_id: str | None = None, session_id: str | None = None) -> int:
        """
        Return the server's total number of transcriptions, with one small request.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.

        Returns:
            The total, 0 or more.

        Raises:
            ConfigurationError: an argument is not a valid id. Nothing has been sent.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service refused the request; one subclass per status.
            InvalidResponseError: the service returned no total, or a total that counts foreign
                rows, because it ignored the filter; or the response can't be read.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
        """
        room_id, session_id = mask(room_id), mask(session_id)
        return await self._realtime.count(Filter.of(room_id, session_id))

    async def get_transcription(self, transcription_id: str) -> Transcription:
        """
        Return one transcription.

        Args:
            transcription_id: the id of the transcription.

        Returns:
            The transcription, with its times in UTC.

        Raises:
            ConfigurationError: `transcription_id` is not a valid id. Nothing has been sent.
            NotFoundError: this account has no such transcription.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service otherwise refused the request; one subclass per status.
            InvalidResponseError: the response can't be read, or has another id.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-a-realtime-transcription
        """
        transcription_id = mask(transcription_id)
        return await self._realtime.get(transcription_id)

    def iter_post_transcriptions(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        since: Time | None = None,
        until: Time | None = None,
        limit: int | None = None,
        page_size: PageSize = 20,
        resume: str | None = None,
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
        consistency: Consistency = "once",
        max_empty_pages: int = 1000,
        readahead: int = 8,
        walk_timeout: float | None = None,
    ) -> Pager[PostTranscription]:
        """
        Iterate over the transcriptions of recordings of a room, a session, or the whole account.

        Returns immediately and sends nothing; errors of the walk are raised by its steps.
        Rows come in the server's order, each once; there may be none.

        Args:
            room_id: the room; None for all. For a custom room id, pass the room id that
                `resolve_room` returns.
            session_id: the session; None for all.
            since: yield only rows that started at this time or later: a `datetime`, a `date`
                (its midnight), or either in ISO 8601; in UTC unless it has an offset. The
                service can't select by time and documents no order, so the client requests all
                rows and selects from them. A row without a start is never in a range;
                `WalkStats` counts the rows that are left out.
            until: yield only rows that started before this time, which must be after `since`.
            limit: maximum number of rows to yield, 1 or more; None for all.
            page_size: rows to request per page, 1 or more. The service may send fewer.
                ``auto`` requests 100 rows, or 20 if the service rejects the first page with 400
                or 422.
            resume: the checkpoint of an earlier walk with the same ids, times and page size.
            on_unverified: what to do with a row that lacks the ids needed to check that it
                belongs to the requested room or session: ``raise``, ``skip`` or ``yield``.
            on_invalid: what to do with a row that can't be read: ``raise``, ``skip``, or
                ``collect`` it into `Pager.invalid_rows`. All are counted.
            consistency: ``once``, or ``verify`` to repeat the walk with other page sizes until
                two passes agree and match the total, at most five times; rows that only a later
                pass found come at the end.
            max_empty_pages: consecutive pages that may contain nothing new, 1 or more.
            readahead: maximum number of pages to prefetch; 0 for none. Nothing is prefetched
                until a second page is requested; then 1, 2, 4 and 8 pages are prefetched,
                and fewer while the service throttles.
            walk_timeout: seconds for the whole walk from its first step, including the
                caller's own work between rows, above 0; None for no limit.

        Returns:
            A pager, for ``async for`` over the rows or, with `Pager.by_page`, over the pages.
            Times are in UTC.

        Raises:
            ConfigurationError: an argument is out of bounds, or the checkpoint belongs to
                another walk. Raised immediately, and the errors below during iteration.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service refused the request; one subclass per status.
            InvalidResponseError: a response or a row can't be read, or a row can't be verified.
            PaginationError: the page information contradicts itself or does not advance.
            IncompleteWalkError: with ``consistency="verify"``, no two passes agreed and matched
                the total.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-post-transcriptions-summary
        """
        room_id, session_id, resume = mask(room_id), mask(session_id), mask(resume)
        options = WalkOptions(
            wanted=Filter.of(room_id, session_id),
            limit=limit,
            page_size=page_size,
            resume=resume,
            on_unverified=on_unverified,
            on_invalid=on_invalid,
            consistency=consistency,
            max_empty_pages=max_empty_pages,
            readahead=readahead,
            walk_timeout=walk_timeout,
            times=TimeRange.of(since, until),
        )
        return self._recorded.pager(options)

    async def get_post_transcription(self, transcription_id: str) -> PostTranscription:
        """
        Return one transcription of a recording.

        Args:
            transcription_id: the id of the transcription.

        Returns:
            The transcription, with its times in UTC.

        Raises:
            ConfigurationError: `transcription_id` is not a valid id. Nothing has been sent.
            NotFoundError: this account has no such transcription of a recording.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service otherwise refused the request; one subclass per status.
            InvalidResponseError: the response can't be read, or has another id.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-a-post-transcription-summary
        """
        transcription_id = mask(transcription_id)
        return await self._recorded.get(transcription_id)

    async def resolve_room(self, room_id: str) -> str:
        """
        Return the room id of a room, given its custom room id or the room id itself.

        All other methods take a room id::

            room_id = await client.resolve_room("weekly-sync")
            pager = client.iter_transcriptions(room_id)

        Args:
            room_id: the custom room id or the room id.

        Returns:
            The room id, in the service's spelling.

        Raises:
            ConfigurationError: `room_id` is not a valid id. Nothing has been sent.
            NotFoundError: this account has no such room; the status is 400, 402 or 404.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the service otherwise refused the request; one subclass per status.
            InvalidResponseError: the response has no room id, or is about another room.
            ClientClosedError: the client is closed.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-room-details
        """
        room_id = mask(room_id)
        room_id = check_id("room_id", room_id)
        request = room_request(room_id)

        async def decode(response: Response) -> dict[str, Any]:
            return decode_object(response, request)

        try:
            room = await self._transport.fetch(request, decode, stats=WalkStats())
        except BadRequestError as error:
            failure = room_not_found(error)
        else:
            return read_room_id(room, room_id)
        raise failure

    async def start_transcription(
        self,
        room_id: str,
        *,
        webhook_url: str | None = None,
        language: str | None = None,
        model_id: str | None = None,
        summary: bool | str | None = None,
    ) -> WriteResult:
        """
        Start the transcription of a room with an active session.

        The request is repeated only after a 429, or a failure before it was sent. If a response
        is lost, the list of the room is read, and the request is repeated only if the list does
        not show its effect. `WriteResult.outcome` states how the result is known.

        Args:
            room_id: the room.
            webhook_url: the URL that receives events; None for no webhook.
            language: a BCP-47 tag; None for the service's default.
            model_id: the provider's name for a model; None for the service's default.
            summary: True for a summary, or a prompt for it; False or None for none.

        Returns:
            The running transcription, without files yet.

        Raises:
            ConfigurationError: an argument is invalid. Nothing has been sent.
            ConflictError: a transcription is already running in the room.
            NotFoundError: there is no such room, or it has no active session.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: the last attempt failed without a response, or a timeout expired.
            StatusError: the service otherwise refused the request; one subclass per status.
            InvalidResponseError: the response can't be read, or is about another room.
            ClientClosedError: the client is closed.

        If it is unknown whether the transcription was started, the error message states that.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/start-realtime-transcription
        """
        from ._jobs.start_stop import start, start_request

        room_id, webhook_url = mask(room_id), mask(webhook_url)
        language, model_id = mask(language), mask(model_id)
        room_id = check_id("room_id", room_id)
        request = start_request(
            room_id,
            webhook_url=webhook_url,
            language=language,
            model_id=model_id,
            summary=summary,
        )
        return await start(self._transport, self._list_room(room_id), room_id, request)

    async def stop_transcription(self, room_id: str) -> WriteResult:
        """
        Stop the running transcription of a room.

        The request is repeated as for `start_transcription`.

        Args:
            room_id: the room.

        Returns:
            The stopped transcription, usually without files yet.

        Raises:
            ConfigurationError: `room_id` is not a valid id. Nothing has been sent.
            NotFoundError: no transcription is running in the room, or there is no such room.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: the last attempt failed without a response, or a timeout expired.
            StatusError: the service otherwise refused the request; one subclass per status.
            InvalidResponseError: the response can't be read, or is about another room.
            ClientClosedError: the client is closed.

        If it is unknown whether the transcription was stopped, the error message states that.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/stop-realtime-transcription
        """
        from ._jobs.start_stop import stop, stop_request

        room_id = mask(room_id)
        room_id = check_id("room_id", room_id)
        request = stop_request(room_id)
        return await stop(self._transport, self._list_room(room_id), room_id, request)

    async def fetch_text(
        self,
        transcription: Transcription | PostTranscription,
        format: str = "txt",  # noqa: A002 - the API's own word
        *,
        errors: str = "strict",
    ) -> str:
        """
        Return the text of a transcript file.

        The layout of the text is undocumented; `parse_transcript` recognizes several. The file
        is fetched without credentials, over https, from the allowed hosts only.

        Args:
            transcription: the transcription that has the file.
            format: a key of `Transcription.files`.
            errors: how to decode invalid UTF-8: ``strict`` to raise an error, ``replace``,
                ``ignore`` or ``backslashreplace``.

        Returns:
            The text, without a byte order mark; it may be empty.

        Raises:
            ConfigurationError: an argument is invalid. Nothing has been sent.
            FileNotReadyError: there is no file of that format yet.
            FileHostRefusedError: the host of the file is not allowed.
            FileGoneError: the link is dead, and so is the newest one.
            FileTextError: the file is invalid UTF-8, with ``errors="strict"``.
            InvalidResponseError: the response is not a complete file, or is a web page.
            ResponseTooLargeError: the file is larger than `max_file_bytes`.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the host of the file refused the request for another reason, or
                the service did not return the transcription again after a dead link.
            ClientClosedError: the client is closed.
        """
        transcription = mask_unless(transcription, Transcription, PostTranscription)
        format, errors = mask(format), mask(errors)  # noqa: A001
        return await self._files.fetch_text(
            transcription, format, summary=False, reread=self._get(transcription), errors=errors
        )

    async def fetch_summary(
        self,
        transcription: Transcription | PostTranscription,
        format: str = "txt",  # noqa: A002
        *,
        errors: str = "strict",
    ) -> str:
        """
        Return the text of a summary file.

        The file is fetched as by `fetch_text`.

        Args:
            transcription: the transcription that has the file.
            format: a key of `Transcription.summary_files`.
            errors: how to decode invalid UTF-8: ``strict`` to raise an error, ``replace``,
                ``ignore`` or ``backslashreplace``.

        Returns:
            The text, without a byte order mark; it may be empty.

        Raises:
            ConfigurationError: an argument is invalid. Nothing has been sent.
            FileNotReadyError: there is no file of that format yet, or no summary was
                requested at the start.
            FileHostRefusedError: the host of the file is not allowed.
            FileGoneError: the link is dead, and so is the newest one.
            FileTextError: the file is invalid UTF-8, with ``errors="strict"``.
            InvalidResponseError: the response is not a complete file, or is a web page.
            ResponseTooLargeError: the file is larger than `max_file_bytes`.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the host of the file refused the request for another reason, or
                the service did not return the transcription again after a dead link.
            ClientClosedError: the client is closed.
        """
        transcription = mask_unless(transcription, Transcription, PostTranscription)
        format, errors = mask(format), mask(errors)  # noqa: A001
        return await self._files.fetch_text(
            transcription, format, summary=True, reread=self._get(transcription), errors=errors
        )

    async def fetch_bytes(
        self,
        transcription: Transcription | PostTranscription,
        format: str = "txt",  # noqa: A002
        *,
        summary: bool = False,
    ) -> bytes:
        """
        Return the bytes of a transcript or summary file.

        Args:
            transcription: the transcription that has the file.
            format: a key of `Transcription.files`, or of `Transcription.summary_files`.
            summary: fetch the summary file instead.

        Returns:
            The bytes of the whole file, decompressed; it may be empty.

        Raises:
            ConfigurationError: an argument is invalid. Nothing has been sent.
            FileNotReadyError: there is no file of that format yet.
            FileHostRefusedError: the host of the file is not allowed.
            FileGoneError: the link is dead, and so is the newest one.
            InvalidResponseError: the response is not a complete file, or is a web page.
            ResponseTooLargeError: the file is larger than `max_file_bytes`.
            NoResponseError: every attempt failed without a response, or a timeout expired.
            StatusError: the host of the file refused the request for another reason, or
                the service did not return the transcription again after a dead link.
            ClientClosedError: the client is closed.
        """
        transcription = mask_unless(transcription, Transcription, PostTranscription)
        format = mask(format)  # noqa: A001
        return await self._files.fetch_bytes(
            transcription, format, summary=summary, reread=self._get(transcription)
        )

    def fetch_texts(
        self,
        transcriptions: AsyncIterable[RowT],
        format: str = "txt",  # noqa: A002
        *,
        summary: bool = False,
        errors: str = "strict",
        concurrency: int = 4,
    ) -> Results[FetchedText[RowT]]:
        """
        Fetch the texts of many transcriptions concurrently, into memory.

        Returns immediately, for ``async for one in client.fetch_texts(pager)``: one
        `FetchedText` for each transcription, in order, with its error instead of a text if
        there is no file yet or it could not be fetched. A failure does not stop the others.
        No more than `concurrency` texts are in memory.

        Args:
            transcriptions: a pager, or any other asynchronous iterable.
            format: a key of `Transcription.files`, or of `Transcription.summary_files`.
            summary: fetch the summaries instead.
            errors: how to decode invalid UTF-8: ``strict`` for a `FileTextError` in the result,
                ``replace``, ``ignore`` or ``backslashreplace``.
            concurrency: texts to fetch at a time, 1 or more.

        Returns:
            The results, in the order of the transcriptions; there may be none.

        Raises:
            ConfigurationError: an argument is invalid. Raised immediately.
            VideoSDKTranscriptsError: the walk failed, as for `iter_transcriptions`. Raised in
                order, after the rows before it.
        """
        from ._files.batch import Results
        from ._files.texts import TextFetcher

        transcriptions = mask_unless(transcriptions, AsyncIterable)
        format, errors = mask(format), mask(errors)  # noqa: A001
        texts = TextFetcher(self._files, format, summary=summary, errors=errors)

        async def fetch(row: RowT) -> FetchedText[RowT]:
            row = mask_unless(row, Transcription, PostTranscription)
            return await texts.fetch(row, self._get(row))

        return Results(transcriptions, fetch, concurrency=concurrency, caller="fetch_texts")

    async def download(
        self,
        transcription: RowT,
        directory: str | Path,
        *,
        formats: Sequence[str] = ("txt",),
        summary: bool = True,
        overwrite: bool = False,
    ) -> Download[RowT]:
        """
        Download the files of one transcription into a directory.

        File names are made of the transcription's id and the format. A file is either complete
        or absent, so that an existing one is not downloaded again.

        Args:
            transcription: the transcription that has the files.
            directory: the directory, which is created if it does not exist.
            formats: the formats to download; may be empty with `summary`.
            summary: also download the summary, if there is one.
            overwrite: download existing files again.

        Returns:
            The paths by format.

        Raises:
            ConfigurationError: there is nothing to download, or a format can't be part of a
                file name. Nothing has been sent.
            FileError: the directory is not writable, or the disk is full.
            VideoSDKTranscriptsError: a file could not be fetched, as for `fetch_bytes`. This is
                the first failure; the other files are saved nevertheless.
        """
        transcription = mask_unless(transcription, Transcription, PostTranscription)
        formats = mask_each(formats)
        files = self._downloader(self._get(transcription), directory, formats, summary, overwrite)
        return await files.save_one(transcription)

    def download_all(
        self,
        transcriptions: AsyncIterable[RowT],
        directory: str | Path,
        *,
        formats: Sequence[str] = ("txt",),
        summary: bool = True,
        overwrite: bool = False,
        concurrency: int = 4,
    ) -> Results[Download[RowT]]:
        """
        Download the files of many transcriptions concurrently.

        Returns immediately, for ``async for download in client.download_all(pager, directory)``:
        one `Download` for each transcription, in order, with its error if a file could not be
        downloaded. A failed download does not stop the others. `Results.checkpoint` is where to
        resume, and `Results.done` and `Results.total` are the progress.

        Args:
            transcriptions: a pager, or any other asynchronous iterable.
            directory: the directory, which is created if it does not exist.
            formats: the formats to download; may be empty with `summary`.
            summary: also download the summary, if there is one.
            overwrite: download existing files again.
            concurrency: transcriptions to download at a time, 1 or more.

        Returns:
            The results, in the order of the transcriptions; there may be none.

        Raises:
            ConfigurationError: an argument is out of bounds. Raised immediately.
            FileError: the directory is not writable. Raised before the first download.
            VideoSDKTranscriptsError: the walk failed, as for `iter_transcriptions`. Raised in
                order, after the rows before it.
        """
        from ._files.batch import Results

        transcriptions = mask_unless(transcriptions, AsyncIterable)
        formats = mask_each(formats)
        get: Any = self.get_transcription
        files: Downloader[Any] = self._downloader(get, directory, formats, summary, overwrite)

        async def save(row: RowT) -> Download[RowT]:
            row = mask_unless(row, Transcription, PostTranscription)
            return await evolve(files, reread=self._get(row)).save(row)

        return Results(
            transcriptions,
            save,
            concurrency=concurrency,
            caller="download_all",
            prepare=files.prepare,
        )

    @overload
    async def wait_until_ready(
        self,
        transcription: Transcription | str,
        *,
        format: str = "txt",
        summary: bool = False,
        timeout: float | None = 3600.0,
        poll: float = 5.0,
        grace: float = 120.0,
    ) -> Transcription: ...

    @overload
    async def wait_until_ready(
        self,
        transcription: PostTranscription,
        *,
        format: str = "txt",
        summary: bool = False,
        timeout: float | None = 3600.0,
        poll: float = 5.0,
        grace: float = 120.0,
    ) -> PostTranscription: ...

    async def wait_until_ready(
        self,
        transcription: Transcription | PostTranscription | str,
        *,
        format: str = "txt",  # noqa: A002
        summary: bool = False,
        timeout: float | None = 3600.0,
        poll: float = 5.0,
        grace: float = 120.0,
    ) -> Transcription | PostTranscription:
        """
        Wait until a transcription has its file, whatever its status; return the transcription.

        Many concurrent waits share one walk over the list instead of a request each.

        Args:
            transcription: a transcription, or the id of a realtime one. If it has the file
                already, nothing is sent.
            format: a key of `Transcription.files`, or of `Transcription.summary_files`.
            summary: wait for the summary file instead.
            timeout: seconds for the whole wait, above 0; None for no limit.
            poll: seconds until the second poll, above 0. The interval grows to at most 6 times
                `poll`.
            grace: seconds, 0 or more, for which a transcription may be completed or stopped
                without its file, or its id may be unknown; counted from the first poll that
                finds this.

        Returns:
            The transcription with its file.

        Raises:
            ConfigurationError: an argument is out of bounds. Nothing has been sent.
            TranscriptionFailedError: the transcription failed.
            CompletedWithoutFileError: it completed or was stopped, and no file appeared within
                `grace`.
            WaitTimedOutError: `timeout` expired; the error has the id.
            NotFoundError: there is no such transcription, even after `grace`.
            CredentialsError: the callable passed as `token` did not return a token.
            StatusError: the service refused a request for another reason. Transient service errors,
                among them unreadable responses and a 408, are retried until `timeout`,
                unless their ``Retry-After`` is more than a day.
            InvalidResponseError: the transcription can't be read.
            ClientClosedError: the client is closed.
        """
        transcription = mask_unless(transcription, Transcription, PostTranscription)
        format = mask(format)  # noqa: A001
        if isinstance(transcription, PostTranscription):
            return await self._waiting_for_recorded.wait(
                transcription,
                format=format,
                summary=summary,
                timeout=timeout,
                poll=poll,
                grace=grace,
            )
        return await self._waiting.wait(
            transcription, format=format, summary=summary, timeout=timeout, poll=poll, grace=grace
        )

    def follow(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        resume: str | None = None,
        since: Since = "now",
        poll: float = 30.0,
        full_scan_interval: float = 3600.0,
        once: bool = False,
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
    ) -> Follower:
        """
        Stream changes of the transcriptions of a room, a session, or the whole account.

        Returns immediately, for ``async for change in client.follow(room_id)``: one
        `TranscriptionChange` for each new transcription, and one for each that has finished.
        The stream does not end, unless `once` is set. Nothing runs in the background between two
        steps. A change counts as handled, and `Follower.checkpoint` covers it, from the next
        step or `Follower.ack` on.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.
            resume: an earlier `Follower.checkpoint` with the same ids.
            since: without a checkpoint, ``now`` for changes from now on, or ``start`` to begin
                with everything that exists.
            poll: seconds between two polls, 1 or more, with jitter.
            full_scan_interval: seconds between two scans of the whole list, 0 for one at each
                poll; the polls in between read only its beginning.
            once: end after one complete poll, for example in a cron job: a scan of the whole
                list, and a request for each unfinished transcription that was not in it. The
                checkpoint then covers the whole poll. Transient errors are raised, instead of being
                retried indefinitely.
            on_unverified: what to do with a row that lacks the ids needed to check that it
                belongs to the requested room or session: ``raise``, ``skip`` or ``yield``.
            on_invalid: what to do with a row that can't be read: ``raise``, or ``skip`` or
                ``collect``, which both leave it for the next poll.

        Returns:
            A follower, for ``async for`` over the changes.

        Raises:
            ConfigurationError: an argument is out of bounds, or the checkpoint belongs to
                another room or session. Raised immediately, and the errors below by a step.
            CredentialsError: the callable passed as `token` did not return a token.
            StatusError: the service refused a request. Transient service errors, among them
                unreadable responses and a 408, are retried unless `once` is set, or their
                ``Retry-After`` is more than a day.
            NoResponseError: with `once`, the service did not respond.
            InvalidResponseError: a row can't be read, or can't be verified.
            PaginationError: the page information contradicts itself or does not advance.
            ClientClosedError: the client is closed.
        """
        from ._jobs.follow import Follower

        room_id, session_id, resume = mask(room_id), mask(session_id), mask(resume)
        wanted = Filter.of(room_id, session_id)
        check_page_options(LARGE_PAGE_SIZE, on_unverified, on_invalid)

        def walk() -> AsyncIterator[Page[Transcription]]:
            return self.iter_transcriptions(
                room_id,
                session_id,
                page_size="auto",
                on_unverified=on_unverified,
                on_invalid=on_invalid,
                readahead=0,
            ).by_page()

        return Follower(
            walk,
            self.get_transcription,
            wanted=wanted,
            resume=resume,
            since=since,
            poll=poll,
            full_scan_interval=full_scan_interval,
            once=once,
            skip_unreadable=on_invalid != "raise",
            clock=evolve(self._clock, sleep=self._sleep_until_closed),
        )

    async def verify_webhook(self, raw_body: bytes, signature: str | None) -> WebhookEvent:
        """
        Verify the signature of a webhook, and return its event.

        The service's public key is fetched for the first webhook and kept for a day. If a
        signature does not match, it is fetched again, at most once a minute.

        Args:
            raw_body: the body as received, before any parsing.
            signature: the header ``videosdk-signature``; None if it is missing.

        Returns:
            The event; a `TranscriptionEvent` if it is about a transcription.

        Raises:
            ConfigurationError: `raw_body` is not bytes, or the extra ``[webhooks]`` is missing.
            WebhookSignatureError: the body was not signed with that key.
            WebhookBodyError: the body is larger than 1 MiB; or the signature is valid, but the
                body is not an event.
            CredentialsError: the callable passed as `token` did not return a token.
            NoResponseError: the key could not be fetched.
            StatusError: the service refused the request for the key.
            InvalidResponseError: the response has no key.
            ClientClosedError: the client is closed.
        """
        raw_body, signature = mask_data(raw_body), mask(signature)
        return await self._keys().verify(raw_body, signature)

    async def aclose(self) -> None:
        """
        Close the client's own connections, for all tasks. May be called more than once.

        Walks and calls in progress raise a `ClientClosedError`.
        """
        try:
            await self._transport.sessions.aclose()
        finally:
            # Runs even if this task is cancelled meanwhile.
            await self._file_transport.aclose()
            self._files.threads.close()
            for waiting in (self._waiting, self._waiting_for_recorded):
                waiting.end(self._transport.sessions.closed_error)

    def _close_in_all_loops(self) -> None:
        """
        Close the client from outside its event loops, for a fixture that is not async.

        If a loop is running in another thread, it closes its own resources a moment later.
        """
        sessions = (self._transport.sessions, self._file_transport.sessions)
        for loop in {loop for one in sessions for loop in one.open_loops()}:
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(self.aclose(), loop)
            else:
                loop.run_until_complete(self.aclose())

    async def __aenter__(self) -> Self:
        self._entered += 1
        self._transport.sessions.is_closed = False
        self._file_transport.sessions.is_closed = False
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # `ExitStack.push` leaves a client without having entered it.
        self._entered = max(0, self._entered - 1)
        if not self._entered:
            await self.aclose()

    def __repr__(self) -> str:
        # A traceback with locals may show a client whose `__init__` has raised an error.
        transport: Transport | None = getattr(self, "_transport", None)
        if transport is None:
            return "<TranscriptsClient>"
        state = "closed" if transport.sessions.is_closed else "open"
        return f"<TranscriptsClient {transport.endpoint} {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can't be pickled or copied; create one in each process")

    async def _sleep_until_closed(self, seconds: float) -> None:
        """Sleep, and raise immediately if the client is closed."""
        # The timeout is longer than the sleep, so that only closing the client expires it.
        ends_at = asyncio.get_running_loop().time() + 2 * seconds + 60
        with self._transport.sessions.limit(ends_at) as limit:
            await self._clock.sleep(seconds)
        if limit.expired:
            raise self._transport.sessions.closed_error()

    def _get(self, row: RowT) -> Callable[[str], Awaitable[RowT]]:
        """Return the method that reads a row of this class again."""
        if not isinstance(cast("object", row), Transcription | PostTranscription):
            raise ConfigurationError(
                "pass a transcription, as returned by get_transcription() or "
                f"get_post_transcription(), not {kind_of(row)!r}"
            )
        get: Any = self.get_post_transcription
        if isinstance(row, Transcription):
            get = self.get_transcription
        return cast("Callable[[str], Awaitable[RowT]]", get)

    def _downloader(
        self,
        reread: Callable[[str], Awaitable[RowT]],
        directory: str | Path,
        formats: Sequence[str],
        summary: bool,
        overwrite: bool,
    ) -> Downloader[RowT]:
        from ._files.download import Downloader

        return Downloader.of(
            self._files, reread, directory, formats=formats, summary=summary, overwrite=overwrite
        )

    def _list_room(self, room_id: str) -> Callable[[float], Pager[Transcription]]:
        return lambda seconds: self.iter_transcriptions(room_id, walk_timeout=seconds)

    def _scan(self) -> AsyncIterator[Page[Transcription]]:
        # An unreadable row must not end the waits for other rows.
        return self.iter_transcriptions(page_size="auto", on_invalid="skip", readahead=0).by_page()

    def _scan_recorded(self) -> AsyncIterator[Page[PostTranscription]]:
        return self.iter_post_transcriptions(
            page_size="auto", on_invalid="skip", readahead=0
        ).by_page()

    def _keys(self) -> PublicKeys:
        from .webhooks.keys import PublicKeys

        if self._public_keys is None:
            self._public_keys = PublicKeys(
                self._fetch_public_key, pinned=self._public_key, clock=self._clock
            )
        return self._public_keys

    async def _fetch_public_key(self) -> str:
        from .webhooks.keys import public_key_request, read_public_key

        request = public_key_request()

        async def decode(response: Response) -> str:
            return read_public_key(decode_object(response, request))

        return await self._transport.fetch(request, decode, stats=WalkStats())
