"""
The asyncio client for the transcripts of VideoSDK meetings.

::

    async with TranscriptsClient() as client:
        async for t in client.iter_transcriptions(room_id, session_id):
            print(t.id, t.status, t.start)
"""

import logging
from typing import Any

from ._pager import PageIterator, Pager
from ._retry import RetryPolicy
from .client import TranscriptsClient
from .errors import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    CredentialsError,
    IncompleteWalkError,
    InvalidResponseError,
    InvalidRowError,
    NoResponseError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
    TimedOutError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
)
from .models import InvalidRow, Page, Transcription, WalkStats

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CredentialsError",
    "IncompleteWalkError",
    "InvalidResponseError",
    "InvalidRow",
    "InvalidRowError",
    "NoResponseError",
    "NotFoundError",
    "Page",
    "PageIterator",
    "Pager",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RedirectError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "ServerError",
    "StatusError",
    "TimedOutError",
    "Transcription",
    "TranscriptsClient",
    "UnverifiedRowError",
    "VideoSDKTranscriptsError",
    "WalkStats",
]

logging.getLogger("videosdk_transcripts").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    # Looked up when asked for: reading the metadata costs more than the import of this file.
    if name == "__version__":
        from importlib.metadata import version

        return version("videosdk-transcripts")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
