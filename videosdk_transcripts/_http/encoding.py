"""
Decode the body of a response, in steps of bounded size (P10).

aiohttp's own decoding is not used: it accepts truncated gzip, br and zstd data, and the encodings
that it requests depend on other installed packages. With some versions of Brotli it fails for
every response.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from videosdk_transcripts._api.protocol import Response
from videosdk_transcripts._redact import Secret
from videosdk_transcripts.errors import InvalidResponseError

_STEP: Final = 64 * 1024
"""Maximum number of decoded bytes in memory at a time."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
ACCEPTED: Final = "gzip, deflate"
"""The ``Accept-Encoding`` of all requests."""
_DEFLATE_METHOD: Final = 8
"""The low four bits of the first byte of zlib data."""


class BodyDecoder:
    """
    Decode one body.

    Args:
        content: the header ``Content-Encoding``, empty if it is missing.
        subject: what was requested and from which host, for errors.
        status: the status of the response.
        secrets: values that no error may quote.

    Raises:
        InvalidResponseError: the body has an encoding that was not requested and can't be
            decoded.
    """

    def __init__(
        self, content: str, *, subject: str, status: int, secrets: tuple[Secret, ...] = ()
    ) -> None:
        self._subject = subject
        self._status = status
        codings = [name for name in words_of(content) if name != "identity"]
        match codings:
            case []:
                self.is_compressed = self._is_gzip = False
            case ["gzip" | "x-gzip"]:
                self.is_compressed = self._is_gzip = True
            case ["deflate"]:
                self.is_compressed, self._is_gzip = True, False
            case _:
                named = quote_header(content, secrets)
                raise self._error(
                    f"has the Content-Encoding {named}, which was not requested and can't be "
                    f"decoded; {ACCEPTED} can"
                )
        self._stream: zlib._Decompress | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """
        Decode a part of the body, a limited number of bytes at a time.

        Raises:
            InvalidResponseError: the compressed data is damaged, or followed by other data.
        """
        if not self.is_compressed:
            yield data
            return
        while data:
            # After the end of a stream, only another member of a gzip file may follow.
            if self._stream is None or self._stream.eof:
                self._stream = self._next_stream(data)
            yield from self._inflate(self._stream, data)
            data = self._stream.unused_data

    def check_end(self) -> None:
        """
        Check that the body is complete.

        Raises:
            InvalidResponseError: the compressed data is truncated.
        """
        if self.is_compressed and (self._stream is None or not self._stream.eof):
            raise self._error("has truncated compressed data")

    def _inflate(self, stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        """Decode up to the end of the data or of the stream."""
        is_full = False
        # After a full step, the stream may hold more output, even without further data.
        while data or is_full:
            decoded = _decompress(stream, data)
            if decoded is None:
                raise self._error("is damaged: its compressed data can't be decoded")
            yield decoded
            data = stream.unconsumed_tail
            is_full = len(decoded) == _STEP

    def _next_stream(self, data: bytes) -> zlib._Decompress:
        if self._is_gzip:
            return zlib.decompressobj(_GZIP)
        if self._stream is not None:
            raise self._error("is damaged: other data follows its compressed data")
        # Some servers send deflate data without the zlib header that the standard requires.
        has_header = data[0] & 0x0F == _DEFLATE_METHOD
        return zlib.decompressobj(_ZLIB if has_header else _RAW_DEFLATE)

    def _error(self, problem: str) -> InvalidResponseError:
        return InvalidResponseError(f"{self._subject} {problem}", status=self._status)


def _decompress(stream: zlib._Decompress, data: bytes) -> bytes | None:
    # Returns None, because zlib's exception would become the context of the package's error.
    try:
        return stream.decompress(data, _STEP)
    except zlib.error:
        return None


def quote_header(value: str, secrets: tuple[Secret, ...]) -> str:
    """Return a header for an error, shortened and without echoed secrets."""
    return repr((Response(0, {}, b"", secrets).quote(value) or "")[:40])


def words_of(header: str) -> list[str]:
    """Return the words of a comma-separated header, in lower case."""
    return [word for part in header.split(",") if (word := part.strip().lower())]
