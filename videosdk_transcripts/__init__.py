"""
The asyncio client for the transcripts of VideoSDK meetings.

::

    async with TranscriptsClient() as client:
        async for t in client.iter_transcriptions(room_id, session_id):
            print(t.id, t.status, t.start)

The public names are imported on first use, so that importing the package is cheap (promise
P16). A name whose docstring has no version was added in 0.1.0.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__ as __version__
from .errors import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    CompletedWithoutFileError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    CredentialsError,
    FileError,
    FileGoneError,
    FileHostRefusedError,
    FileNotReadyError,
    FileTextError,
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
    TranscriptionFailedError,
    UnverifiedRowError,
    VideoSDKTranscriptsError,
    WaitError,
    WaitTimedOutError,
    WebhookBodyError,
    WebhookError,
    WebhookSignatureError,
)

if TYPE_CHECKING:
    from ._clock import Clock
    from ._files.batch import Results
    from ._files.download import Download
    from ._files.texts import FetchedText
    from ._http.retry import RetryPolicy
    from ._jobs.follow import Follower, TranscriptionChange
    from ._jobs.start_stop import WriteResult
    from ._paging.pager import PageIterator, Pager
    from .auth import mint_token
    from .client import TranscriptsClient
    from .models import InvalidRow, Page, PostTranscription, Transcription, WalkStats
    from .parsing import (
        Transcript,
        Turn,
        Unread,
        merge_turns,
        parse_transcript,
        rename_speakers,
        to_srt,
        to_vtt,
    )
    from .webhooks import TranscriptionEvent, WebhookEvent, verify_webhook

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "Clock",
    "CompletedWithoutFileError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CredentialsError",
    "Download",
    "FetchedText",
    "FileError",
    "FileGoneError",
    "FileHostRefusedError",
    "FileNotReadyError",
    "FileTextError",
    "Follower",
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
    "PostTranscription",
    "RateLimitedError",
    "RedirectError",
    "ResponseTooLargeError",
    "Results",
    "RetryPolicy",
    "ServerError",
    "StatusError",
    "TimedOutError",
    "Transcript",
    "Transcription",
    "TranscriptionChange",
    "TranscriptionEvent",
    "TranscriptionFailedError",
    "TranscriptsClient",
    "Turn",
    "Unread",
    "UnverifiedRowError",
    "VideoSDKTranscriptsError",
    "WaitError",
    "WaitTimedOutError",
    "WalkStats",
    "WebhookBodyError",
    "WebhookError",
    "WebhookEvent",
    "WebhookSignatureError",
    "WriteResult",
    "merge_turns",
    "mint_token",
    "parse_transcript",
    "rename_speakers",
    "to_srt",
    "to_vtt",
    "verify_webhook",
]

logging.getLogger("videosdk_transcripts").addHandler(logging.NullHandler())


# The module of each name that is imported on first use. These modules need five libraries, none
# of which `videosdk-transcripts --help` has to import.
_MODULES = {
    "Clock": "._clock",
    "Download": "._files.download",
    "FetchedText": "._files.texts",
    "Follower": "._jobs.follow",
    "InvalidRow": ".models",
    "Page": ".models",
    "PageIterator": "._paging.pager",
    "Pager": "._paging.pager",
    "PostTranscription": ".models",
    "Results": "._files.batch",
    "RetryPolicy": "._http.retry",
    "Transcript": ".parsing",
    "Transcription": ".models",
    "TranscriptionChange": "._jobs.follow",
    "TranscriptionEvent": ".webhooks",
    "TranscriptsClient": ".client",
    "Turn": ".parsing",
    "Unread": ".parsing",
    "WalkStats": ".models",
    "WebhookEvent": ".webhooks",
    "WriteResult": "._jobs.start_stop",
    "merge_turns": ".parsing",
    "mint_token": ".auth",
    "parse_transcript": ".parsing",
    "rename_speakers": ".parsing",
    "to_srt": ".parsing",
    "to_vtt": ".parsing",
    "verify_webhook": ".webhooks",
}

# Hidden from type checkers, which would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name):
        if name in _MODULES:
            value = getattr(import_module(_MODULES[name], __name__), name)
        elif f".{name}" in _MODULES.values():
            # A module such as `videosdk_transcripts.models`, which type checkers expect to exist.
            value = import_module(f".{name}", __name__)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # The next lookup finds it without a call.
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
