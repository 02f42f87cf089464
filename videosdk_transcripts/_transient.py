"""Failures of a single request that a long wait outlives."""

from __future__ import annotations

from typing import Final

from .errors import (
    InvalidResponseError,
    NoResponseError,
    RateLimitedError,
    ServerError,
    VideoSDKTranscriptsError,
)

__all__ = ["UNWELL", "is_transient"]

_REQUEST_TIMEOUT: Final = 408

UNWELL: Final = (NoResponseError, RateLimitedError, ServerError)
"""What is no fault of what was asked for: the service does not answer, or wants quiet."""


def is_transient(error: VideoSDKTranscriptsError) -> bool:
    """
    Tell whether a failure may be gone the next time.

    Each has been tried several times before it comes here. A refused token, or a row that
    can't be read, would be met again; a body that broke off, or a page of a proxy in place
    of the answer, need not be.
    """
    is_broken = type(error) is InvalidResponseError  # and no class below it
    return isinstance(error, UNWELL) or is_broken or error.status == _REQUEST_TIMEOUT
