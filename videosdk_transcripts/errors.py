"""
What can go wrong, as one tree (P12).

::

    VideoSDKTranscriptsError
    ├── ConfigurationError           bad arguments; also a ValueError
    │   └── CredentialsError         none, half of them, or malformed ones
    ├── ClientClosedError            the client was closed; also a RuntimeError
    ├── NoResponseError              no answer came
    │   ├── ConnectionFailedError    refused, reset, DNS, TLS
    │   └── TimedOutError            a limit passed; also a TimeoutError
    ├── StatusError                  the service refused, with a status of its own choice
    │   ├── BadRequestError          400, 422
    │   ├── AuthenticationError      401
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            402, 404
    │   ├── ConflictError            409
    │   ├── RateLimitedError         429
    │   ├── RedirectError            3xx, never followed
    │   └── ServerError              406, 5xx
    ├── InvalidResponseError         an answer came that can't be read
    │   ├── ResponseTooLargeError    more bytes than the cap
    │   ├── InvalidRowError          a row that can't be read
    │   └── UnverifiedRowError       a row that does not say whose it is
    ├── PaginationError              the page information contradicts itself or leads nowhere
    ├── IncompleteWalkError          no two passes over the list agreed
    ├── FileError                    a transcript or summary file can't be had
    │   ├── FileNotReadyError        there is none of that format, at least not yet
    │   ├── FileHostRefusedError     its host, or where it redirects to, is not allowed
    │   ├── FileGoneError      its link is dead, and so is the one that replaced it
    │   └── FileTextError            its bytes are no text in UTF-8
    ├── WaitError                    waiting for a file came to nothing
    │   ├── WaitTimedOutError        the time is up; also a TimeoutError
    │   ├── TranscriptionFailedError the service says that the transcription failed
    │   └── CompletedWithoutFileError  completed, and no file came within the grace period
    └── WebhookError                 a webhook is not to be believed
        ├── WebhookSignatureError    not signed by that key, or changed on its way
        └── WebhookBodyError         no JSON, or not the documented object

Every attribute is a plain value, so that an error can be logged, copied and sent
to another process. No error holds a token, a key, a secret or transcript text.
"""

from __future__ import annotations

from typing import Final

from ._redact import printable

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "CompletedWithoutFileError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CredentialsError",
    "FileError",
    "FileGoneError",
    "FileHostRefusedError",
    "FileNotReadyError",
    "FileTextError",
    "IncompleteWalkError",
    "InvalidResponseError",
    "InvalidRowError",
    "NoResponseError",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RedirectError",
    "ResponseTooLargeError",
    "ServerError",
    "StatusError",
    "TimedOutError",
    "TranscriptionFailedError",
    "UnverifiedRowError",
    "VideoSDKTranscriptsError",
    "WaitError",
    "WaitTimedOutError",
    "WebhookBodyError",
    "WebhookError",
    "WebhookSignatureError",
]

_MOST: Final = 800
_REQUEST_TIMEOUT: Final = 408


class VideoSDKTranscriptsError(Exception):
    """
    Catch every error of this package.

    Attributes:
        message: what was tried, on what, and what to do next.
        status: the HTTP status, where an answer came.
        code: the service's own error code, where it sent one.
        request_id: the service's id of the request, where it sent one.
        retry_after: seconds that the service asked to wait, where it did.
        page: the page that was asked for, where one was.
        attempts: how many attempts were begun for this page or object.
        checkpoint: where the walk can be taken up again
            (``iter_transcriptions(resume=...)``), where it was a walk.
    """

    # Everything beside the message has a default, because pickle and copy call
    # the class with ``args`` alone and then restore ``__dict__``.
    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        page: int | None = None,
        attempts: int | None = None,
        checkpoint: str | None = None,
    ) -> None:
        # Ids and keys of the service stand in it, which may be anything.
        message = printable(message, _MOST)
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.page = page
        self.attempts = attempts
        self.checkpoint = checkpoint

    @property
    def is_transient(self) -> bool:
        """
        Return whether the same call may succeed later, without a change of its arguments.

        True if the service did not respond, was overloaded or failed (`NoResponseError`,
        `RateLimitedError`, `ServerError`, a 408), or if a response broke off or was not the
        promised JSON. Reads have been retried already when such an error is raised.
        """
        return False

    def __str__(self) -> str:
        facts = [
            f"{name} {value}"
            for name, value in (
                ("page", self.page),
                ("attempts", self.attempts),
                ("request id", self.request_id),
                ("retry after", self.retry_after),
            )
            if value is not None
        ]
        return f"{self.message} [{', '.join(facts)}]" if facts else self.message


class ConfigurationError(VideoSDKTranscriptsError, ValueError):
    """Bad arguments, credentials or checkpoint. Raised before anything is sent."""


class CredentialsError(ConfigurationError):
    """Credentials are missing, incomplete, given twice or malformed."""


class ClientClosedError(VideoSDKTranscriptsError, RuntimeError):
    """The client, or the session it was given, is closed."""


class NoResponseError(VideoSDKTranscriptsError):
    """No answer came: see the two classes below it."""

    @property
    def is_transient(self) -> bool:
        """See `VideoSDKTranscriptsError.is_transient`."""
        return True


class ConnectionFailedError(NoResponseError):
    """The connection was refused or reset, or the name or the certificate did not resolve."""


class TimedOutError(NoResponseError, TimeoutError):
    """A time limit passed. The text says which one."""


class StatusError(VideoSDKTranscriptsError):
    """The service answered with a status that is no success."""

    @property
    def is_transient(self) -> bool:
        """See `VideoSDKTranscriptsError.is_transient`."""
        return self.status == _REQUEST_TIMEOUT


class BadRequestError(StatusError):
    """400 or 422: the service did not accept the arguments."""


class AuthenticationError(StatusError):
    """401: the token is missing, malformed, expired or signed with another secret."""


class PermissionDeniedError(StatusError):
    """403: the token is genuine, but its version or its roles don't allow this call."""


class NotFoundError(StatusError):
    """404, or 402, which the service answers for some unknown rooms."""


class ConflictError(StatusError):
    """409: the thing is in another state than the call needs."""


class RateLimitedError(StatusError):
    """429: too many requests. ``retry_after`` holds what the service asked for."""

    @property
    def is_transient(self) -> bool:
        """See `VideoSDKTranscriptsError.is_transient`."""
        return True


class RedirectError(StatusError):
    """3xx: a redirect is never followed, because the token goes to one origin only."""


class ServerError(StatusError):
    """5xx, or 406, as which the service dresses some of its own failures."""

    @property
    def is_transient(self) -> bool:
        """See `VideoSDKTranscriptsError.is_transient`."""
        return True


class InvalidResponseError(VideoSDKTranscriptsError):
    """An answer came, but it is not what the API promises."""

    @property
    def is_transient(self) -> bool:
        """See `VideoSDKTranscriptsError.is_transient`. False for the classes below this one."""
        return type(self) is InvalidResponseError


class ResponseTooLargeError(InvalidResponseError):
    """The decoded body is larger than the client's cap."""


class InvalidRowError(InvalidResponseError):
    """
    A row could not be read.

    Attributes:
        path: where in the answer, as a JSON path.
        row_id: the row's id, where that could be read.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        row_id: str | None = None,
        page: int | None = None,
    ) -> None:
        super().__init__(message, page=page)
        self.path = path
        self.row_id = row_id


class UnverifiedRowError(InvalidResponseError):
    """
    A row does not say which room or session it belongs to.

    Attributes:
        row_id: the row's id.
    """

    def __init__(self, message: str, *, row_id: str | None = None, page: int | None = None) -> None:
        super().__init__(message, page=page)
        self.row_id = row_id


class PaginationError(VideoSDKTranscriptsError):
    """The page information contradicts itself, or following it would never end."""


class IncompleteWalkError(VideoSDKTranscriptsError):
    """
    A walk with ``consistency="verify"`` saw no two passes that agree.

    Attributes:
        passes: how often the list was walked.
        differing: how many rows only one of the last two passes saw.
    """

    def __init__(
        self, message: str, *, passes: int | None = None, differing: int | None = None
    ) -> None:
        super().__init__(message)
        self.passes = passes
        self.differing = differing


class FileError(VideoSDKTranscriptsError):
    """
    A file of a transcription can't be had.

    Attributes:
        transcription_id: whose file.
        format: which one, as in `Transcription.files`; ``summary`` in front of that of a summary.
    """

    def __init__(
        self,
        message: str,
        *,
        transcription_id: str | None = None,
        format: str | None = None,  # noqa: A002 - the API's own word
        status: int | None = None,
    ) -> None:
        super().__init__(message, status=status)
        self.transcription_id = transcription_id
        self.format = format


class FileNotReadyError(FileError):
    """There is no file of that format, at least not yet. The text names those that there are."""


class FileHostRefusedError(FileError):
    """The URL is not https, or its host is not allowed. The text says how to allow it."""


class FileGoneError(FileError):
    """The link is dead (403, 404, 410), and so is the one that the row has by now."""


class FileTextError(FileError):
    """The bytes of the file are no text in UTF-8; `fetch_bytes` has them as they are."""


class WaitError(VideoSDKTranscriptsError):
    """
    Waiting for a file came to nothing: see the three classes below it.

    Attributes:
        transcription_id: what was waited for, to wait again.
    """

    def __init__(self, message: str, *, transcription_id: str | None = None) -> None:
        super().__init__(message)
        self.transcription_id = transcription_id


class WaitTimedOutError(WaitError, TimeoutError):
    """The time is up, and the file may still come."""


class TranscriptionFailedError(WaitError):
    """The service says that the transcription failed, so that no file will come."""


class CompletedWithoutFileError(WaitError):
    """The transcription completed, and its file did not come within the grace period."""


class WebhookError(VideoSDKTranscriptsError):
    """A webhook is not to be believed: see the two classes below it."""


class WebhookSignatureError(WebhookError):
    """The signature is not of that key and these bytes, or is no signature at all."""


class WebhookBodyError(WebhookError):
    """The body is signed, and is no JSON object with a type."""
