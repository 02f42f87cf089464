"""Make stdout and stderr write every byte, in UTF-8, or raise an error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TextIO, cast

from ._signals import is_overdue

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_WAIT: Final = 0.1
"""Seconds between two checks for a signal while a stream accepts nothing."""
# A blocking write of more bytes may block even if the stream was reported to be writable.
_CHUNK: Final[int] = getattr(select, "PIPE_BUF", 512)
"""The number of bytes that a writable pipe accepts at once."""


@contextmanager
def prepared_streams() -> Generator[None]:
    """
    Replace `sys.stdout` and `sys.stderr` during the block with streams that write all bytes.

    A stream of text only, such as a StringIO, is not replaced.
    """
    streams = sys.stdout, sys.stderr
    out, err = (_or_closed(stream) for stream in streams)
    sys.stdout = _prepare(out, is_optional=False)
    sys.stderr = _prepare(err, is_optional=True)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


def _or_closed(stream: TextIO | None) -> TextIO:
    # A stream is None if the parent process closed it (`>&-`).
    if stream is None or stream.closed:
        return io.TextIOWrapper(cast("BinaryIO", _ClosedStream()))
    return stream


class _ClosedStream(io.RawIOBase):
    """A stream that the parent process closed. Writing to it fails, as for a C program."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """
        Write nothing.

        Raises:
            OSError: always.
        """
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _prepare(stream: TextIO, *, is_optional: bool) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    # Buffered output of the calling program comes first. Errors about it are the program's own.
    with contextlib.suppress(OSError):
        stream.flush()
    raw: Any = getattr(stream.buffer, "raw", stream.buffer)
    return io.TextIOWrapper(
        _CompleteWriter(raw, is_optional=is_optional),
        encoding="utf-8",
        # A lone surrogate, which JSON can contain, can't be encoded in UTF-8.
        errors="backslashreplace",
        # Line breaks are written unchanged.
        newline="",
        write_through=True,
    )


class _CompleteWriter(io.RawIOBase):
    """
    Write all bytes to a stream that may accept only some of them at a time.

    That happens with a non-blocking pipe, on a nearly full disk, and after a signal. Nothing is
    buffered, so that no write can fail when the interpreter exits.

    Args:
        raw: the unbuffered stream.
        is_optional: whether to discard data that cannot be written, as for messages.
    """

    def __init__(self, raw: io.RawIOBase, *, is_optional: bool) -> None:
        self._raw = raw
        self._is_optional = is_optional
        self._poll = _create_poll(raw)
        self.name = getattr(raw, "name", None)

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._raw.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._raw.fileno()

    def write(self, data: ReadableBuffer, /) -> int:
        """
        Write all bytes, and wait for a reader if necessary.

        Raises:
            OSError: the data cannot be written.
            KeyboardInterrupt: a signal has arrived, and the stream accepts no data.
        """
        rest = memoryview(data)
        size = len(rest)
        try:
            while rest:
                written = self._write_some(rest[:_CHUNK])
                rest = rest[written:]
                if not written and is_overdue():
                    if self._is_optional:
                        break
                    raise KeyboardInterrupt
        except OSError:
            if not self._is_optional:
                raise
        return size

    def _write_some(self, data: memoryview) -> int:
        """Return how many bytes were written; none if the stream was not writable for a while."""
        if self._poll is not None and not self._poll.poll(1000 * _WAIT):
            return 0
        written = self._raw.write(data)
        if not written:
            # A non-blocking stream that another process has filled, or that can't be polled.
            time.sleep(_WAIT)
        return written or 0


def _create_poll(raw: io.RawIOBase) -> select.poll | None:
    # Windows has no `poll`, and an in-memory stream has no descriptor.
    with contextlib.suppress(AttributeError, OSError):
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLOUT)
        return poll
    return None
