"""
Fetch the files of a row: transcripts and summaries, as bytes or text. No HTTP.

A link may expire while the caller holds the row. So after a dead link, the row is read again
once, and its new link is tried.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeVar

from videosdk_transcripts._redact import Secret, plain_text
from videosdk_transcripts._validation import check_flag, check_text, check_word
from videosdk_transcripts.errors import (
    FileError,
    FileGoneError,
    FileNotReadyError,
    FileTextError,
    NotFoundError,
    VideoSDKTranscriptsError,
)

from .error_page import TextSink, is_text_format
from .threads import Threads
from .transport import FileTransport, Sink

_CODEC_ERRORS: Final = ("strict", "replace", "ignore", "backslashreplace")
_BOM: Final = b"\xef\xbb\xbf"


class HasFiles(Protocol):
    """A row that has files: both kinds of transcriptions."""

    @property
    def id(self) -> str: ...
    @property
    def files(self) -> Mapping[str, str]: ...
    @property
    def summary_files(self) -> Mapping[str, str]: ...


HasFilesT = TypeVar("HasFilesT", bound=HasFiles)


class Files:
    """
    Fetch the files of rows.

    Args:
        transport: fetches a link.
    """

    def __init__(self, transport: FileTransport) -> None:
        self._transport = transport
        self.threads = Threads()
        """The threads that write files to the disk."""

    async def fetch_text(
        self,
        row: HasFilesT,
        format: str,  # noqa: A002 - the API's own word
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[HasFilesT]],
        errors: str = "strict",
    ) -> str:
        """
        Return a file as text: UTF-8, with or without a byte order mark.

        Args:
            row: the row that has the file.
            format: the format of the file.
            summary: whether to fetch the summary instead of the transcript.
            reread: returns the row again, by its id.
            errors: how to handle invalid UTF-8: ``strict``, ``replace``, ``ignore`` or
                ``backslashreplace``.

        Raises:
            ConfigurationError: `errors` is not one of these. Nothing has been sent.
            FileTextError: the file is not valid UTF-8.
            VideoSDKTranscriptsError: as for `fetch`.
        """
        check_text_options(format, errors)
        data = await self.fetch_bytes(row, format, summary=summary, reread=reread)
        try:
            return decode_text(data, errors)
        except FileTextError as error:
            # These frames, including this one, hold the bytes of the file.
            del data
            traceback.clear_frames(error.__traceback__)
            error.transcription_id, error.format = row.id, file_key(format, summary=summary)
            raise

    async def fetch_bytes(
        self,
        row: HasFilesT,
        format: str,  # noqa: A002
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[HasFilesT]],
    ) -> bytes:
        """Return the bytes of a file. Arguments and errors are those of `fetch`."""
        check_flag("summary", summary)
        sink = _MemorySink()
        await self.fetch(row, format, sink, summary=summary, reread=reread)
        return sink.data

    async def fetch(
        self,
        row: HasFilesT,
        format: str,  # noqa: A002
        sink: Sink,
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[HasFilesT]],
    ) -> None:
        """
        Fetch a file into a sink. If its link is dead, read the row again once for a new link.

        Args:
            row: the row that has the file.
            format: the format of the file.
            sink: receives the bytes.
            summary: whether to fetch the summary instead of the transcript.
            reread: returns the row again, by its id.

        Raises:
            FileNotReadyError: the row has no file of that format.
            FileHostRefusedError: the host of the file is not allowed.
            FileGoneError: the link is dead, and the row has no working link.
            ResponseTooLargeError: the file is larger than the limit.
            InvalidResponseError: the response is not a complete file, or is a web page or an XML
                error in place of a text.
            VideoSDKTranscriptsError: there was no response, or the host refused the request; or
                `reread` failed.
        """
        key = file_key(format, summary=summary)
        format = plain_text(format)  # noqa: A001 - a member of an enum has another hash
        subject = f"GET the file {key} of transcription {row.id}"
        try:
            await self._fetch(row, format, sink, subject, summary=summary, reread=reread)
        except (VideoSDKTranscriptsError, asyncio.CancelledError) as error:
            # The frames hold transcript text, and links that may be signed.
            traceback.clear_frames(error.__traceback__)
            if isinstance(error, FileError):
                error.transcription_id, error.format = row.id, key
            raise

    async def _fetch(
        self,
        row: HasFilesT,
        wanted: str,
        sink: Sink,
        subject: str,
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[HasFilesT]],
    ) -> None:
        link = _link(row, wanted, subject, summary=summary)
        if is_text_format(wanted, summary=summary):
            sink = TextSink(sink, subject)
        dead = await self._transport.fetch(link, sink, subject)
        if dead is None:
            return
        new_row = await _reread(row, reread)
        new_link = None if new_row is None else _links(new_row, summary=summary).get(wanted)
        if new_link and new_link != link:
            dead = await self._transport.fetch(Secret(new_link), sink, subject)
            if dead is None:
                return
        raise FileGoneError(
            f"{subject}: the link is dead ({dead}), and the transcription has no working link; "
            "the file may have been deleted",
            status=dead.status,
        )


class _MemorySink:
    """Collect a file in memory. The transport limits its size."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    async def begin(self) -> None:
        self._chunks.clear()

    async def write(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    @property
    def data(self) -> bytes:
        return b"".join(self._chunks)


def file_key(format: object, *, summary: bool) -> str:  # noqa: A002
    """
    Return the key of a file within its row: ``txt``, or ``summary.txt``.

    Raises:
        ConfigurationError: the format is not a non-empty string.
    """
    text = check_text("format", format)
    return f"summary.{text}" if summary else text


def check_text_options(format: object, errors: object) -> None:  # noqa: A002
    """
    Check how to fetch a text.

    Raises:
        ConfigurationError: the format is not a non-empty string, or `errors` is unknown.
    """
    file_key(format, summary=False)
    check_word("errors", errors, _CODEC_ERRORS)


def decode_text(data: bytes, errors: str = "strict") -> str:
    """
    Decode UTF-8, with or without a byte order mark.

    Args:
        data: the bytes of a file.
        errors: ``strict``, ``replace``, ``ignore`` or ``backslashreplace``.

    Raises:
        ConfigurationError: `errors` is not one of these.
        FileTextError: the bytes are not valid UTF-8. The error states the position, not the text.
    """
    check_word("errors", errors, _CODEC_ERRORS)
    mark = len(_BOM) if data.startswith(_BOM) else 0
    try:
        return data[mark:].decode("utf-8", errors)
    except UnicodeDecodeError as error:
        offset = mark + error.start
    # Raised outside the `except` block, because the UnicodeDecodeError holds the whole file.
    raise FileTextError(
        f"the file is not valid UTF-8: byte {offset} of {len(data)} can't be decoded; pass "
        'errors="replace", or use fetch_bytes'
    )


def _links(row: HasFiles, *, summary: bool) -> Mapping[str, str]:
    return row.summary_files if summary else row.files


def _link(row: HasFiles, wanted: str, subject: str, *, summary: bool) -> str:
    links = _links(row, summary=summary)
    if links.get(wanted):
        return Secret(links[wanted])
    available = ", ".join(sorted(name for name, url in links.items() if url)) or "none"
    raise FileNotReadyError(
        f"{subject}: no {wanted} {'summary' if summary else 'file'} yet (available: {available})"
    )


async def _reread(
    row: HasFilesT, reread: Callable[[str], Awaitable[HasFilesT]]
) -> HasFilesT | None:
    try:
        return await reread(row.id)
    except NotFoundError:
        return None
