"""Read a list of the API: one row, one page, the total, or all rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, Generic, TypeVar

from ._api.converter import structure_row
from ._api.filter import Filter, Unverified, apply_filter, warn_of_foreign_rows
from ._api.pages import OnInvalid, PageReader
from ._api.protocol import Endpoint, Request, Response, decode_object, list_request, row_request
from ._clock import Clock
from ._http.transport import Transport
from ._loops import LoopLock
from ._paging.options import WalkOptions, check_page_options
from ._paging.pager import Pager
from ._paging.readahead import PrefetchLimit
from ._paging.repair import WrongTotals
from ._validation import check_count, check_id
from .errors import InvalidResponseError, VideoSDKTranscriptsError
from .models import Page, PostTranscription, Transcription, WalkStats

RowT = TypeVar("RowT", bound=Transcription | PostTranscription)

_LARGE_BODY: Final = 100_000
"""Size in bytes of a page that takes about a millisecond to decode."""


class Resource(Generic[RowT]):
    """
    Read the rows of one endpoint.

    Args:
        transport: sends the requests.
        endpoint: the list.
        model: the class of its rows.
        prefetch_limit: bounds the prefetched pages of all walks of a client.
        clock: the source of time and waits.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        model: type[RowT],
        *,
        prefetch_limit: PrefetchLimit,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._model = model
        self._prefetch_limit = prefetch_limit
        self._clock = clock
        self._decoding = LoopLock()
        self._wrong_totals = WrongTotals()

    async def get(self, transcription_id: str) -> RowT:
        """
        Return one row.

        Raises:
            ConfigurationError: `transcription_id` is not a valid id.
            InvalidResponseError: the response is another row.
            VideoSDKTranscriptsError: the last failure of the request.
        """
        transcription_id = check_id("transcription_id", transcription_id)
        request = row_request(self._endpoint, transcription_id)

        async def decode(response: Response) -> RowT:
            return structure_row(decode_object(response, request), self._model, path="$")

        found = await self._transport.fetch(request, decode, stats=WalkStats())
        if found.id != transcription_id:
            raise InvalidResponseError(
                f"requested {request.subject}, but the service returned {found.id}"
            )
        return found

    async def get_page(
        self,
        wanted: Filter,
        page: int,
        page_size: int,
        *,
        on_unverified: Unverified,
        on_invalid: OnInvalid,
    ) -> Page[RowT]:
        """
        Return one page, without foreign rows.

        Raises:
            ConfigurationError: an argument is out of bounds.
            VideoSDKTranscriptsError: the last failure of the request, with its page.
        """
        check_count("page", page)
        check_page_options(page_size, on_unverified, on_invalid)
        try:
            found = await self._fetch_page(wanted, page, page_size, on_invalid=on_invalid)
            found = apply_filter(found, wanted, on_unverified)
        except VideoSDKTranscriptsError as error:
            error.page = page
            raise
        if found.foreign_rows_dropped:
            warn_of_foreign_rows(found, wanted)
        return found

    async def count(self, wanted: Filter) -> int:
        """
        Return the server's total.

        Raises:
            InvalidResponseError: there is no total, or the one row that was read is foreign.
            VideoSDKTranscriptsError: the last failure of the request.
        """
        page = await self._fetch_page(wanted, 1, 1, on_invalid="skip")
        if apply_filter(page, wanted, "yield").foreign_rows_dropped:
            raise InvalidResponseError(
                f"the service ignored the filter for {wanted}, so that its total counts foreign "
                "rows; count the rows of iter_transcriptions() instead"
            )
        if page.total is None:
            raise InvalidResponseError(
                f"the service returned no total for {wanted}; count the rows of "
                "iter_transcriptions() instead"
            )
        return page.total

    def pager(self, options: WalkOptions) -> Pager[RowT]:
        """
        Return a pager, which sends nothing until its first step.

        Raises:
            ConfigurationError: the checkpoint is invalid, or belongs to another walk.
        """
        # Loaded before the pager exists, so that a failure can't expose a partly built one.
        checkpoint = options.load_checkpoint(self._endpoint.name)
        stats = WalkStats()

        def fetch(
            page: int,
            page_size: int,
            *,
            deadline: float | None,
            due: asyncio.Future[None] | None = None,
        ) -> Awaitable[Page[RowT]]:
            return self._fetch_page(
                options.wanted,
                page,
                page_size,
                on_invalid=options.on_invalid,
                stats=stats,
                deadline=deadline,
                due=due,
            )

        return Pager(
            fetch,
            options,
            checkpoint,
            stats,
            clock=self._clock,
            list_name=self._endpoint.name,
            prefetch_limit=self._prefetch_limit,
            wrong_totals=self._wrong_totals,
        )

    # Not a coroutine, because every nested coroutine adds work to each response.
    def _fetch_page(
        self,
        wanted: Filter,
        page: int,
        page_size: int,
        *,
        on_invalid: OnInvalid,
        stats: WalkStats | None = None,
        deadline: float | None = None,
        due: asyncio.Future[None] | None = None,
    ) -> Awaitable[Page[RowT]]:
        request = list_request(self._endpoint, wanted, page, page_size)

        async def decode(response: Response) -> Page[RowT]:
            if len(response.body) < _LARGE_BODY:
                return await self._read_page(response, request, page, on_invalid)
            # Several prefetched pages may arrive at the same time. The lock keeps them from
            # blocking the event loop for longer than one of them does.
            async with self._decoding.of_this_loop():
                return await self._read_page(response, request, page, on_invalid)

        return self._transport.fetch(
            request,
            decode,
            stats=WalkStats() if stats is None else stats,
            deadline=deadline,
            due=due,
        )

    async def _read_page(
        self, response: Response, request: Request, page: int, on_invalid: OnInvalid
    ) -> Page[RowT]:
        reader = PageReader(response, request, page, self._model, on_invalid=on_invalid)
        for _ in reader.slices():
            # Other tasks run between the slices of a large page.
            await asyncio.sleep(0)
        return reader.page()
