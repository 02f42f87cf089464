"""
Transcript and summary files: from a row to its bytes and its text. Knows no HTTP.

A link may die while somebody holds the row, so that the row is asked for again, once.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeVar

from videosdk_transcripts._redact import Secret
from videosdk_transcripts._validation import check_word
from videosdk_transcripts.errors import (
    ConfigurationError,
    FileError,
    FileGoneError,
    FileNotReadyError,
    FileTextError,
    NotFoundError,
    VideoSDKTranscriptsError,
)

from .transport import FileTransport, Sink

_CODEC_ERRORS: Final = ("strict", "replace", "ignore", "backslashreplace")
_BOM: Final = b"\xef\xbb\xbf"


class Row(Protocol):
    """What files are fetched for."""

    @property
    def id(self) -> str: ...
    @property
    def files(self) -> Mapping[str, str]: ...
    @property
    def summary_files(self) -> Mapping[str, str]: ...


RowT = TypeVar("RowT", bound=Row)


class _Memory:
    """Keeps a file, which is capped."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    async def begin(self) -> None:
        self._chunks.clear()

    async def write(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    @property
    def whole(self) -> bytes:
        return b"".join(self._chunks)


class Files:
    """
    Fetches the files of rows.

    Args:
        transport: fetches a link.
    """

    def __init__(self, transport: FileTransport) -> None:
        self._transport = transport

    async def fetch_text(
        self,
        row: RowT,
        format: str,  # noqa: A002 - the API's own word
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[RowT]],
        errors: str = "strict",
    ) -> str:
        """
        Return a file as text, which is UTF-8 with or without its byte order mark.

        Args:
            row: whose file.
            format: which one.
            summary: whether that of the summary is meant.
            reread: asks for the row again.
            errors: what becomes of bytes that are no UTF-8: ``strict``, ``replace``,
                ``ignore`` or ``backslashreplace``.

        Raises:
            ConfigurationError: `errors` is none of these. Nothing has been sent then.
            FileTextError: the bytes are no UTF-8.
            VideoSDKTranscriptsError: any of those of `fetch`.
        """
        check_word("errors", errors, _CODEC_ERRORS)
        try:
            return decode_text(
                await self.fetch_bytes(row, format, summary=summary, reread=reread), errors
            )
        except FileTextError as error:
            traceback.clear_frames(error.__traceback__)
            error.transcription_id, error.format = row.id, file_key(format, summary=summary)
            raise

    async def fetch_bytes(
        self,
        row: RowT,
        format: str,  # noqa: A002
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[RowT]],
    ) -> bytes:
        """Return a file as it is. The arguments and errors are those of `fetch`."""
        sink = _Memory()
        await self.fetch(row, format, sink, summary=summary, reread=reread)
        return sink.whole

    async def fetch(
        self,
        row: RowT,
        format: str,  # noqa: A002
        sink: Sink,
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[RowT]],
    ) -> None:
        """
        Fetch a file. Where its link died, the row is read again once, for a new one.

        Args:
            row: whose file.
            format: which one.
            sink: receives it.
            summary: whether that of the summary is meant.
            reread: asks for the row again.

        Raises:
            FileNotReadyError: there is none of that format.
            FileHostRefusedError: it is not where files may come from.
            FileGoneError: the link is dead, and there is no other one that lives.
            ResponseTooLargeError: it is larger than the cap.
            VideoSDKTranscriptsError: no answer came, or one that is no file; or it is an error
                of `reread`.
        """
        key = file_key(format, summary=summary)
        what = f"GET the file {key} of transcription {row.id}"
        try:
            await self._fetch(row, format, sink, what, summary=summary, reread=reread)
        except (VideoSDKTranscriptsError, asyncio.CancelledError) as error:
            # The frames hold links, which may be signed, and text: see `Transport.fetch`.
            traceback.clear_frames(error.__traceback__)
            if isinstance(error, FileError):
                error.transcription_id, error.format = row.id, key
            raise

    async def _fetch(
        self,
        row: RowT,
        wanted: str,
        sink: Sink,
        what: str,
        *,
        summary: bool,
        reread: Callable[[str], Awaitable[RowT]],
    ) -> None:
        link = _link(row, wanted, what, summary=summary)
        status = await self._transport.fetch(link, sink, what)
        if status is None:
            return
        fresh = await _again(row, reread)
        new = None if fresh is None else _links(fresh, summary=summary).get(wanted)
        if new and new != link:
            status = await self._transport.fetch(Secret(new), sink, what)
            if status is None:
                return
        raise FileGoneError(
            f"{what}: its link is dead, the host answered {status}, and the service has no "
            "other one that lives; the file may have been deleted",
            status=status,
        )


def file_key(format: object, *, summary: bool) -> str:  # noqa: A002
    """
    Name a file of a row: ``txt``, or ``summary.txt``.

    Raises:
        ConfigurationError: the format is no text, or an empty one.
    """
    if not isinstance(format, str) or not format:
        raise ConfigurationError(f"format must be a word such as 'txt', not {format!r}")
    return f"summary.{format}" if summary else format


def decode_text(data: bytes, errors: str = "strict") -> str:
    """
    Decode UTF-8 with or without its byte order mark.

    Args:
        data: the bytes of a file.
        errors: ``strict``, ``replace``, ``ignore`` or ``backslashreplace``.

    Raises:
        ConfigurationError: `errors` is none of these.
        FileTextError: the bytes are no UTF-8. The text has the place, and none of them.
    """
    check_word("errors", errors, _CODEC_ERRORS)
    mark = len(_BOM) if data.startswith(_BOM) else 0
    try:
        return data[mark:].decode("utf-8", errors)
    except UnicodeDecodeError as error:
        offset = mark + error.start
    # Out here, since that error holds all of the bytes.
    raise FileTextError(
        f"the file is no UTF-8: byte {offset} of {len(data)} can't be decoded; pass "
        'errors="replace", or take the bytes with fetch_bytes'
    )


def _links(row: Row, *, summary: bool) -> Mapping[str, str]:
    return row.summary_files if summary else row.files


def _link(row: Row, wanted: str, what: str, *, summary: bool) -> str:
    links = _links(row, summary=summary)
    if links.get(wanted):
        return Secret(links[wanted])
    there = ", ".join(sorted(name for name, url in links.items() if url))
    raise FileNotReadyError(
        f"{what}: there is no {'summary' if summary else 'file'} of that format, at least not yet; "
        + (f"there is {there}" if there else "there is none of any format")
    )


async def _again(row: RowT, reread: Callable[[str], Awaitable[RowT]]) -> RowT | None:
    try:
        return await reread(row.id)
    except NotFoundError:
        return None
