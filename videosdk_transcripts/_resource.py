"""Transcripts of recordings: their list is walked like the other one, and their rows are flat."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from ._api.converter import read_post_transcription
from ._api.pages import read_page
from ._api.protocol import POST, Response, decode_object, list_request, transcription_request
from ._clock import Clock
from ._http.transport import Transport
from ._paging.options import WalkOptions
from ._paging.pager import Pager
from ._validation import check_id
from .errors import InvalidResponseError
from .models import Page, PostTranscription, WalkStats


def post_pager(
    transport: Transport, options: WalkOptions, *, clock: Clock
) -> Pager[PostTranscription]:
    """
    Make the pager of a walk over the transcripts of recordings.

    Raises:
        ConfigurationError: the checkpoint is none, or is of another walk.
    """
    stats = WalkStats()

    def fetch(
        page: int, page_size: int, *, deadline: float | None
    ) -> Awaitable[Page[PostTranscription]]:
        request = list_request(options.wanted, page, page_size, POST)

        def decode(answer: Response) -> Awaitable[Page[PostTranscription]]:
            return read_page(
                answer,
                request,
                page,
                _no_quick_way,
                read_post_transcription,
                on_invalid=options.on_invalid,
            )

        return transport.fetch(request, decode, stats=stats, deadline=deadline)

    return Pager(fetch, options, stats, clock=clock, list_name=POST.name)


async def get_post(transport: Transport, transcription_id: str) -> PostTranscription:
    """
    Return one transcript of a recording.

    Raises:
        ConfigurationError: the id is none.
        InvalidResponseError: the answer is of another one.
        VideoSDKTranscriptsError: the last failure.
    """
    check_id("transcription_id", transcription_id)
    request = transcription_request(transcription_id, POST)

    async def decode(answer: Response) -> PostTranscription:
        return read_post_transcription(decode_object(answer, request), path="$")

    found = await transport.fetch(request, decode, stats=WalkStats())
    if found.id != transcription_id:
        raise InvalidResponseError(
            f"asked for {request.subject}, the service answered with {found.id}"
        )
    return found


def _no_quick_way(_raw: Any) -> None:
    """Leave each row to the converter: there are few, and none is worth a way of its own."""
