"""stdout and stderr as streams that write every byte, in UTF-8, or fail."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from ._signals import is_overdue

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_WAIT: Final = 0.1
"""Seconds between two checks for a signal while a stream accepts nothing."""
# Of more bytes, a blocking write may wait although the stream was reported to be writable.
_CHUNK: Final[int] = getattr(select, "PIPE_BUF", 512)
"""The number of bytes that can be written at once to a pipe that is writable."""


@contextmanager
def prepared_streams() -> Generator[None]:
    """
    Replace `sys.stdout` and `sys.stderr` during the block by streams that write all bytes.

    A stream without bytes, such as a StringIO, is used as it is.
    """
    streams = sys.stdout, sys.stderr
    # Not with pathlib, which --help does not need.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        # None if the parent process closed it (`>&-`).
        out, err = (
            nowhere if stream is None or stream.closed else stream
            for stream in cast("tuple[TextIO | None, TextIO | None]", streams)
        )
        sys.stdout = _prepare(out, is_optional=False)
        sys.stderr = _prepare(err, is_optional=True)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams


def _prepare(stream: TextIO, *, is_optional: bool) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    # What the calling program still buffers comes first; it reports its own errors.
    with contextlib.suppress(OSError):
        stream.flush()
    raw: Any = getattr(stream.buffer, "raw", stream.buffer)
    return io.TextIOWrapper(
        _CompleteWriter(raw, is_optional=is_optional),
        encoding="utf-8",
        # A lone surrogate, which JSON can contain, has no UTF-8.
        errors="backslashreplace",
        # A file is printed with its own line ends.
        newline="",
        write_through=True,
    )


class _CompleteWriter(io.RawIOBase):
    """
    Write all bytes to a stream that may accept only some of them at a time.

    That is the case for a pipe that does not block, for a nearly full disk, and on a signal.
    Nothing is buffered, so that nothing is left to fail when the interpreter exits.

    Args:
        raw: the unbuffered stream.
        is_optional: whether to discard what cannot be written, as for messages.
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
            OSError: a part cannot be written.
            KeyboardInterrupt: nothing reads the stream, and a signal has arrived.
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
        """Return how many bytes were written, after a short wait possibly none."""
        if self._poll is not None and not self._poll.poll(1000 * _WAIT):
            return 0
        written = self._raw.write(data)
        if not written:
            # The stream does not block, and another process was faster, or there is no poll.
            time.sleep(_WAIT)
        return written or 0


def _create_poll(raw: io.RawIOBase) -> select.poll | None:
    # Windows has no poll, and a stream of bytes in memory has no descriptor.
    with contextlib.suppress(AttributeError, OSError):
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLOUT)
        return poll
    return None
