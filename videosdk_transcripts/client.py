"""The client: one method for each thing a user asks for."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, cast, overload

import aiohttp
from attrs import evolve

from ._api.converter import quick_row, read_transcription
from ._api.filter import Filter, Unverified, apply_filter, warn_of_foreign_rows
from ._api.pages import OnInvalid, read_page
from ._api.protocol import (
    REALTIME,
    Response,
    decode_object,
    list_request,
    transcription_request,
)
from ._clock import Clock
from ._environment import resolve_endpoint, resolve_file_hosts, resolve_tokens
from ._files.fetch import Files
from ._files.hosts import FileHosts
from ._files.transport import FileTransport
from ._http.retry import RetryPolicy
from ._http.session import ConnectionOptions
from ._http.transport import Transport
from ._jobs.wait import Waiting
from ._loops import LoopLock
from ._paging.options import Consistency, WalkOptions, check_page_options
from ._paging.pager import Pager
from ._redact import HiddenProvider, TokenProvider, mask
from ._resource import get_post, post_pager
from ._validation import check_count, check_id, check_number
from .errors import ConfigurationError, InvalidResponseError, VideoSDKTranscriptsError
from .models import Page, PostTranscription, Transcription, WalkStats
from .webhooks.keys import PublicKeys, public_key_request, read_public_key

# Loaded where they are used: most programs use some of them at most, and all start sooner.
if TYPE_CHECKING:
    from ._files.batch import Downloads
    from ._files.download import Download, Downloader
    from ._jobs.follow import Follower, Since
    from ._jobs.start_stop import WriteResult
    from .webhooks.events import WebhookEvent

__all__ = ["TranscriptsClient"]

RowT = TypeVar("RowT", bound=Transcription | PostTranscription)

_SWEPT: Final = 100
"""Rows on a page, where many are looked at for what few of them say."""

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
        file_hosts: where files may come from beside ``cdn.videosdk.live``: host names, for
            https and public addresses alone, or origins such as ``http://127.0.0.1:8080``.
            ``VIDEOSDK_FILE_HOSTS`` by default, with commas.
        max_file_bytes: decoded bytes of one transcript or summary file; 1 or more.
        webhook_public_key: the account's public key in PEM, to verify webhooks with; None
            to fetch it when the first one comes.
        requests_per_second: an even pace over all tasks, above 0; None for no limit.
        proxy: URL of a proxy.
        ssl: a TLS context, where the machine's own trust is not enough.
        trust_env: take the proxy from the environment. Never takes a netrc file.
        trace_configs: aiohttp's tracing, for a session made here.
        clock: the time and how to wait, for tests; the machine's own by default.

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
        file_hosts: Iterable[str] | None = None,
        max_file_bytes: int = 64 * 1024 * 1024,
        webhook_public_key: str | bytes | None = None,
        requests_per_second: float | None = None,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool = True,
        trust_env: bool = False,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        clock: Clock | None = None,
    ) -> None:
        # Masked first of all, and only here: an error below shows these names in a traceback
        # with locals.
        api_key, secret, proxy = mask(api_key), mask(secret), mask(proxy)
        token = HiddenProvider(token) if callable(token) else mask(token)
        endpoint = mask(endpoint)
        check_count("max_in_flight", max_in_flight)
        check_count("max_response_bytes", max_response_bytes)
        check_count("max_file_bytes", max_file_bytes)
        if requests_per_second is not None:
            check_number("requests_per_second", requests_per_second, least=0, above=True)
        policy = retry or RetryPolicy()
        clock = clock or Clock()
        self._clock = clock
        self._reading = LoopLock()
        self._transport = Transport(
            resolve_endpoint(endpoint),
            resolve_tokens(api_key=api_key, secret=secret, token=token, clock=clock),
            policy,
            ConnectionOptions(session, proxy, ssl, trust_env, trace_configs, max_in_flight),
            max_response_bytes=max_response_bytes,
            requests_per_second=requests_per_second,
            clock=clock,
        )
        self._file_transport = FileTransport(
            FileHosts(resolve_file_hosts(file_hosts)),
            policy,
            ssl=ssl,
            max_in_flight=max_in_flight,
            max_file_bytes=max_file_bytes,
            clock=clock,
        )
        self._files = Files(self._file_transport)
        self._waiting = Waiting(self.get_transcription, self._scan, clock=clock)
        self._waiting_for_posts = Waiting(
            self.get_post_transcription, self._scan_posts, clock=clock
        )
        self._keys = PublicKeys(self._fetch_public_key, pinned=webhook_public_key, clock=clock)

    def iter_transcriptions(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 20,
        resume: str | None = None,
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
        consistency: Consistency = "once",
        max_empty_pages: int = 1000,
        readahead: int = 8,
        walk_timeout: float | None = None,
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
            on_unverified: what becomes of a row that names no room or session, where one
                was asked for: ``raise``, ``skip`` or ``yield``.
            on_invalid: what becomes of a row that can't be read: ``raise``, ``skip``, or
                ``collect`` into `Pager.invalid_rows`. All are counted.
            consistency: ``once``, or ``verify`` to walk again until two passes agree, five
                times at most; rows that only a later pass saw come at the end.
            max_empty_pages: pages in a row that may bring nothing new, 1 or more.
            readahead: pages to ask for before their turn at most; 0 for none. In a loop, nothing
                is read ahead until a second page is asked for; then 1, 2, 4 and 8 pages are.
            walk_timeout: seconds for the whole walk, from its first step, the caller's
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
            on_unverified=on_unverified,
            on_invalid=on_invalid,
            consistency=consistency,
            max_empty_pages=max_empty_pages,
            readahead=readahead,
            walk_timeout=walk_timeout,
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

        return Pager(fetch, options, stats, clock=self._clock, list_name=REALTIME.name)

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
        Return one page, for a program that passes the paging through to its own callers.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.
            page: the number of the page, from 1.
            page_size: rows to ask for, 1 or more. The service may send fewer.
            on_unverified: as for `iter_transcriptions`.
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
        check_page_options(page_size, on_unverified, on_invalid)
        try:
            found = await self._fetch_page(wanted, page, page_size, on_invalid=on_invalid)
            screened = apply_filter(found, wanted, on_unverified)
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
        if apply_filter(page, wanted, "yield").foreign_rows_dropped:
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

        async def decode(answer: Response) -> Transcription:
            return read_transcription(decode_object(answer, request), path="$")

        found = await self._transport.fetch(request, decode, stats=WalkStats())
        if found.id != transcription_id:
            raise InvalidResponseError(
                f"asked for {request.subject}, the service answered with {found.id}"
            )
        return found

    def iter_post_transcriptions(
        self,
        room_id: str | None = None,
        session_id: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 20,
        resume: str | None = None,
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
        consistency: Consistency = "once",
        max_empty_pages: int = 1000,
        readahead: int = 8,
        walk_timeout: float | None = None,
    ) -> Pager[PostTranscription]:
        """
        Walk the transcripts of recordings of a room, of a session, or of the whole account.

        All arguments, what comes back and the errors are those of `iter_transcriptions`.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-post-transcriptions-summary
        """
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
        )
        return post_pager(self._transport, options, clock=self._clock)

    async def get_post_transcription(self, transcription_id: str) -> PostTranscription:
        """
        Return one transcript of a recording.

        Args:
            transcription_id: its id.

        Raises:
            ConfigurationError: the id is none.
            NotFoundError: there is no such one in this account.
            VideoSDKTranscriptsError: any of the others, as for `iter_transcriptions`.
        """
        return await get_post(self._transport, transcription_id)

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
        Start the transcription of a room in which a session is going on.

        Sent again are only a 429 and what failed before the request left. Where an answer
        is lost, the running transcription of the room is looked up before anything is sent
        again, and the result says which of the two happened.

        Args:
            room_id: the room.
            webhook_url: where the service reports events to; None for nowhere.
            language: a BCP-47 tag; None leaves it to the service.
            model_id: the provider's own word for a model; None leaves it to the service.
            summary: True for a summary at the end, a text for one by that prompt.

        Raises:
            ConfigurationError: an argument is none of these. Nothing has been sent then.
            VideoSDKTranscriptsError: the last failure. Where it is unknown whether the
                service did it, the text says so.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/start-realtime-transcription
        """
        from ._jobs.start_stop import start, start_request

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
        Stop the transcription of a room, which is asked for by its room.

        Args:
            room_id: the room.

        Raises:
            ConfigurationError: the id is none.
            VideoSDKTranscriptsError: as for `start_transcription`.

        Source: https://docs.videosdk.live/api-reference/realtime-communication/stop-realtime-transcription
        """
        from ._jobs.start_stop import stop, stop_request

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
        Return what was said, as the text of a file.

        Its layout is not documented; `parse_transcript` reads the usual ones. The file is
        fetched without credentials, over https and from `file_hosts` alone.

        Args:
            transcription: whose file.
            format: which one of `Transcription.files`.
            errors: what becomes of bytes that are no UTF-8: ``strict`` for an error,
                ``replace``, ``ignore`` or ``backslashreplace``.

        Raises:
            ConfigurationError: `errors` is none of these. Nothing has been sent then.
            FileNotReadyError: there is no file of that format, at least not yet.
            FileHostRefusedError: the file is not where files may come from.
            FileGoneError: its link is dead, and so is the one in the row by now.
            FileTextError: its bytes are no UTF-8, with ``errors="strict"``.
            ResponseTooLargeError: it is larger than `max_file_bytes`.
            VideoSDKTranscriptsError: no answer came, or the host refused.
        """
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
        Return the summary of what was said. Arguments and errors are those of `fetch_text`.

        A FileNotReadyError is also what comes where no summary was asked for at the start.
        """
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
        Return a file as it is.

        Args:
            transcription: whose file.
            format: which one.
            summary: whether that of the summary is meant.

        Raises:
            VideoSDKTranscriptsError: as for `fetch_text`, but for a FileTextError.
        """
        return await self._files.fetch_bytes(
            transcription, format, summary=summary, reread=self._get(transcription)
        )

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
        Save the files of one transcription in a directory.

        They are named by the transcription's id and the format. A file that is there is
        whole, since it appears when it is, and is not fetched again.

        Args:
            transcription: whose files.
            directory: where to; made where there is none.
            formats: the formats to save; may be empty with `summary`.
            summary: whether the summary is saved as well, where there is one.
            overwrite: whether files are fetched anew that are there.

        Raises:
            ConfigurationError: there is nothing to save, or a format can't be in a name.
            FileError: the directory can't be written, or the disk is full.
            VideoSDKTranscriptsError: as for `fetch_text`. The first failure; the other
                files are saved all the same.
        """
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
    ) -> Downloads[RowT]:
        """
        Save the files of many transcriptions, some side by side.

        Returns at once, for ``async for download in client.download_all(pager, directory)``:
        one `Download` for each transcription, in their order, with its error where a file
        could not be had. One that failed does not stop the others.

        Args:
            transcriptions: a pager, or what else is walked by ``async for``.
            directory: as for `download`, and so are the three after it.
            formats: see there.
            summary: see there.
            overwrite: see there.
            concurrency: transcriptions under way at once, 1 or more.

        Raises:
            ConfigurationError: an argument is out of its bounds. It comes at once.
            VideoSDKTranscriptsError: the walk failed, at its place; or, before the first
                one, the directory can't be written.
        """
        from ._files.batch import Downloads

        get: Any = self.get_transcription
        files: Downloader[Any] = self._downloader(get, directory, formats, summary, overwrite)

        async def save(row: RowT) -> Download[RowT]:
            return await evolve(files, reread=self._get(row)).save(row)

        return Downloads(transcriptions, files.prepare, save, concurrency=concurrency)

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
        Wait until a transcription has its file, whatever its status says, and return it.

        Many waits share one walk over the list in place of a request each.

        Args:
            transcription: a transcription, or the id of a realtime one. Where it has the
                file, nothing is sent.
            format: of the file, as in `Transcription.files`.
            summary: wait for the file of the summary instead.
            timeout: seconds for all of it, above 0; None for no limit.
            poll: seconds to the second look, above 0. Later ones are further apart, up to
                6 times `poll`.
            grace: seconds, 0 or more, for which one may be completed without its file, or
                an id unknown.

        Raises:
            ConfigurationError: an argument is out of its bounds. Nothing has been sent then.
            TranscriptionFailedError: the service says that it failed.
            CompletedWithoutFileError: it completed, and no file came within `grace`.
            WaitTimedOutError: the time is up; the error keeps the id.
            NotFoundError: there is no such transcription, also after `grace`.
            VideoSDKTranscriptsError: any of the others, but for those that only say that
                the service is not well just now, broken answers and a 408 among them.
        """
        if isinstance(transcription, PostTranscription):
            return await self._waiting_for_posts.wait(
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
        on_unverified: Unverified = "raise",
        on_invalid: OnInvalid = "raise",
    ) -> Follower:
        """
        Follow what happens to the transcriptions of a room, a session, or the whole account.

        Returns at once, for ``async for change in client.follow(room_id)``: one
        `TranscriptionChange` for each transcription that is new, and one for each that has
        finished, without an end. Nothing runs between two steps.

        Args:
            room_id: the room; None for all.
            session_id: the session; None for all.
            resume: an earlier `Follower.checkpoint` of the same ids.
            since: without a checkpoint, ``now`` for what changes from now on, or ``start``
                for everything there is as well.
            poll: seconds between two polls, 1 or more, with jitter.
            full_scan_interval: seconds from one walk over the whole list to the next, 0 for
                each; in between only its beginning is walked.
            on_unverified: as for `iter_transcriptions`.
            on_invalid: as for `iter_transcriptions`.

        Raises:
            ConfigurationError: an argument is out of its bounds, or the checkpoint is of
                another room or session. It comes at once, and those below while following.
            VideoSDKTranscriptsError: as for `iter_transcriptions`, but for those that only
                say that the service is not well just now, broken answers and a 408 among them.
        """
        from ._jobs.follow import Follower

        wanted = Filter.of(room_id, session_id)
        check_page_options(_SWEPT, on_unverified, on_invalid)

        def walk() -> AsyncIterator[Page[Transcription]]:
            return self.iter_transcriptions(
                room_id,
                session_id,
                page_size=_SWEPT,
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
            skip_unreadable=on_invalid != "raise",
            clock=evolve(self._clock, sleep=self._sleep_until_closed),
        )

    async def verify_webhook(self, raw_body: bytes, signature: str | None) -> WebhookEvent:
        """
        Check that the service sent a webhook, and read it.

        The account's public key is fetched when the first one comes, and kept for a day;
        a signature that does not fit causes one request a minute at most.

        Args:
            raw_body: the body as it came, before anything parsed it.
            signature: the header ``videosdk-signature``; None where it is missing.

        Raises:
            ConfigurationError: the body is no bytes, or the extra ``[webhooks]`` is missing.
            WebhookSignatureError: the service did not sign these bytes.
            WebhookBodyError: it did, and they are no event.
            VideoSDKTranscriptsError: the key could not be fetched.
        """
        return await self._keys.verify(raw_body, signature)

    async def aclose(self) -> None:
        """
        Close the connections that were made here. May be called more than once.

        A walk or call under way ends with a ClientClosedError.
        """
        try:
            await self._transport.sessions.aclose()
        finally:
            # Also where a cancellation came first.
            await self._file_transport.aclose()
            for waiting in (self._waiting, self._waiting_for_posts):
                waiting.end(self._transport.sessions.closed_error)

    async def __aenter__(self) -> Self:
        self._transport.sessions.is_closed = False
        self._file_transport.sessions.is_closed = False
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

        def read(answer: Response) -> Awaitable[Page[Transcription]]:
            return read_page(
                answer, request, page, quick_row, read_transcription, on_invalid=on_invalid
            )

        async def read_in_turn(answer: Response) -> Page[Transcription]:
            # Of those read ahead several may come at once, and together they would hold the loop.
            async with self._reading.of_this_loop():
                return await read(answer)

        def decode(answer: Response) -> Awaitable[Page[Transcription]]:
            return read(answer) if len(answer.body) < _LARGE else read_in_turn(answer)

        return self._transport.fetch(
            request, decode, stats=WalkStats() if stats is None else stats, deadline=deadline
        )

    async def _sleep_until_closed(self, seconds: float) -> None:
        """Wait, and end at once where the client is closed."""
        # Only that ends it: the limit is no limit on the wait.
        ends_at = asyncio.get_running_loop().time() + 2 * seconds + 60
        with self._transport.sessions.limit(ends_at) as limit:
            await self._clock.sleep(seconds)
        if limit.expired:
            raise self._transport.sessions.closed_error()

    def _get(self, row: RowT) -> Callable[[str], Awaitable[RowT]]:
        """Return what reads such a row again, which an id alone does not tell."""
        if not isinstance(cast("object", row), Transcription | PostTranscription):
            raise ConfigurationError(
                "give a transcription, as get_transcription() or get_post_transcription() returns "
                f"it, and not {type(row).__name__!r}"
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
        # Whose rows they are is no matter, and one that can't be read is not waited for.
        return self.iter_transcriptions(page_size=_SWEPT, on_invalid="skip", readahead=0).by_page()

    def _scan_posts(self) -> AsyncIterator[Page[PostTranscription]]:
        return self.iter_post_transcriptions(
            page_size=_SWEPT, on_invalid="skip", readahead=0
        ).by_page()

    async def _fetch_public_key(self) -> str:
        request = public_key_request()

        async def decode(answer: Response) -> str:
            return read_public_key(decode_object(answer, request))

        return await self._transport.fetch(request, decode, stats=WalkStats())
