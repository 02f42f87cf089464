"""Print log records of the library to stderr: all with ``-v``, otherwise warnings and waits."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from ._messages import describe_failure, describe_record, translate
from ._output import notify, plain
from ._status import announce_retry

_LOGGER: Final = logging.getLogger("videosdk_transcripts")


@contextmanager
def printed_log() -> Generator[None]:
    """Print the log of the library to stderr during the block."""
    level, handler = _LOGGER.level, _Handler()
    # Retries are logged at this level.
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.setLevel(level)


def print_all_records() -> None:
    """Print each request and each retry from now on, as ``-v`` does."""
    _LOGGER.setLevel(logging.DEBUG)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, and show a wait in the status line."""
        if record.levelno >= logging.WARNING:
            notify(f"videosdk-transcripts: {plain(describe_record(record))}")
        elif _LOGGER.level <= logging.DEBUG:
            moment = datetime.fromtimestamp(record.created)
            notify(
                f"{moment:%H:%M:%S}.{record.msecs:03.0f} {plain(translate(record.getMessage()))}"
            )
        wait: float | None = getattr(record, "wait", None)
        if wait is not None:
            message = announce_retry(describe_failure(record), wait)
            if message is not None:
                notify(message)
