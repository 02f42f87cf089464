"""Decide whether to continue after a failed poll, and log it. No HTTP."""

from __future__ import annotations

import logging
from typing import Final

from videosdk_transcripts.errors import VideoSDKTranscriptsError

logger = logging.getLogger("videosdk_transcripts")

MAX_RETRY_AFTER: Final = 86_400.0
"""In seconds. A longer ``Retry-After``, such as a time since the epoch, ends the polls."""


def may_poll_again(error: VideoSDKTranscriptsError) -> bool:
    """Return whether polling continues after this failure."""
    return error.is_transient and (error.retry_after or 0.0) <= MAX_RETRY_AFTER


def log_failed_poll(
    call: str, error: VideoSDKTranscriptsError, wait: float, *, is_new: bool
) -> None:
    """
    Log a failure, and the seconds until the next poll.

    Args:
        call: the call that polls, for the message.
        error: the failure.
        wait: the seconds until the next poll.
        is_new: whether the previous poll did not fail in this way. Repeated failures are logged
            at a lower level.
    """
    name = type(error).__name__
    logger.log(
        logging.WARNING if is_new else logging.INFO,
        "%s: %s, retrying in %.0f s",
        call,
        name if error.status is None else f"{name} {error.status}",
        wait,
        extra={"reason": name, "status": error.status, "wait": wait},
    )
