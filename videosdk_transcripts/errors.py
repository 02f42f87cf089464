"""
Every error of the package, as one tree (promise P12).

::

    VideoSDKTranscriptsError
    ├── ConfigurationError             invalid arguments; also a ValueError
    │   └── CredentialsError           missing, incomplete or malformed credentials
    ├── ClientClosedError              the client is closed; also a RuntimeError
    ├── NoResponseError                no response was received
    │   ├── ConnectionFailedError      refused, reset, DNS, TLS
    │   └── TimedOutError              a timeout expired; also a TimeoutError
    ├── StatusError                    the service responded with an error status
    │   ├── BadRequestError            400, 422
    │   ├── AuthenticationError        401, or 400 with the code 4001 or 4002
    │   ├── PermissionDeniedError      403
    │   ├── NotFoundError              402, 404
    │   ├── ConflictError              409, or "already" in the message of a 400 or 422
    │   ├── RateLimitedError           429
    │   ├── RedirectError              3xx, never followed
    │   └── ServerError                406, 5xx
    ├── InvalidResponseError           the response can't be read
    │   ├── ResponseTooLargeError      the response exceeds the size limit
    │   ├── InvalidRowError            a row can't be read
    │   └── UnverifiedRowError         a row lacks the ids to verify its room or session
    ├── PaginationError                the page information contradicts itself
    ├── IncompleteWalkError            no two passes over the list agreed
    ├── FileError                      a transcript or summary file is unavailable
    │   ├── FileNotReadyError          there is no file of that format yet
    │   ├── FileHostRefusedError       its host, or the host of a redirect, is not allowed
    │   ├── FileGoneError              its link is dead, and so is the newest one
    │   └── FileTextError              it is invalid UTF-8
    ├── WaitError                      waiting for a file failed
    │   ├── WaitTimedOutError          the timeout expired; also a TimeoutError
    │   ├── TranscriptionFailedError   the transcription failed
    │   └── CompletedWithoutFileError  completed, but no file within the grace period
    └── WebhookError                   webhook verification failed
        ├── WebhookSignatureError      the signature does not match the body and the key
        └── WebhookBodyError           the signed body is not the documented object

Every attribute is a plain value, so that an error can be logged, copied and sent to another
process. No error holds a token, a key, a secret or transcript text.
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

_MAX_LENGTH: Final = 800
_REQUEST_TIMEOUT: Final = 408


class VideoSDKTranscriptsError(Exception):
    """
    Base class of every error of this package.

    Retried: see the subclass.

    What to do: catch a subclass, or this class for every failure of a call. `is_transient` is true
    if the same call may succeed later.

    Attributes:
        message: what failed, why, and what to do.
        status: the HTTP status; None if no response was received.
        code: the service's own error code; None if it sent none.
        request_id: the service's id of the request; None if it sent none.
        retry_after: how many seconds to wait; None if the service sent no ``Retry-After``.
        page: the number of the requested page; None if the call is not about a page.
        attempts: how many attempts were made for this page or object; None if none was made.
        checkpoint: where the walk can be resumed (``iter_transcriptions(resume=...)``); None
            if the call is not a walk.
    """

    # Every argument except the message has a default, because pickle and copy call the class
    # with ``args`` only and then restore ``__dict__``.
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
        # The ids and keys that the service sends may contain any characters.
        message = printable(message, _MAX_LENGTH)
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
        `RateLimitedError`, `ServerError`, a 408), or if a response was truncated or was not the
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
    """
    An argument is invalid or out of bounds, or a checkpoint belongs to another walk.

    Raised before anything is sent. Also a `ValueError`.

    Retried: no.

    What to do: correct the call; the message names the argument.
    """


class CredentialsError(ConfigurationError):
    """
    Credentials are missing, incomplete, contradictory or malformed.

    Raised before anything is sent, unless a callable returned the token.

    Retried: no.

    What to do: set the environment variables, or pass either a key with its secret or a token.
    """


class ClientClosedError(VideoSDKTranscriptsError, RuntimeError):
    """
    The client, or the session that was passed to it, is closed.

    A call in progress ends immediately when its client is closed. Also a `RuntimeError`.

    Retried: no.

    What to do: use the client within ``async with``.
    """


class NoResponseError(VideoSDKTranscriptsError):
    """
    No response was received: see the two subclasses.

    Retried: see the subclass.

    What to do: check the network, or resume from the checkpoint.
    """

    @property
    def is_transient(self) -> bool:
        """Return True: the same call may succeed later."""
        return True


class ConnectionFailedError(NoResponseError):
    """
    The connection was refused or reset, name resolution or TLS failed, or a proxy refused.

    Retried: yes.

    What to do: check the endpoint, the network and the proxy; resume from the checkpoint.
    """


class TimedOutError(NoResponseError, TimeoutError):
    """
    A timeout expired: `attempt_timeout`, `page_timeout` or `walk_timeout`.

    The message names the timeout, and states how many seconds were spent on requests, between
    them, and in the queue. Also a `TimeoutError`.

    Retried: after `attempt_timeout` only.

    What to do: increase the timeout, or resume from the checkpoint. After a long time in the queue,
    raise `max_in_flight` or `requests_per_second`, or start fewer calls at once.
    """


class StatusError(VideoSDKTranscriptsError):
    """
    The service responded with a status other than 2xx.

    Raised directly for a status without a subclass.

    Retried: 408, and the additional ones in `RetryPolicy.statuses`.

    What to do: read the message, which includes that of the service.
    """

    @property
    def is_transient(self) -> bool:
        """Return whether the status is 408, after which the same call may succeed later."""
        return self.status == _REQUEST_TIMEOUT


class BadRequestError(StatusError):
    """
    The service did not accept the arguments: 400 or 422.

    Retried: no.

    What to do: check the ids, and the page size of a list or the options of a start. A start also
    requires an active session in the room.
    """


class AuthenticationError(StatusError):
    """
    The token is missing, malformed, expired or signed with another secret.

    The status is 401, or 400 with the `code` 4001 or 4002: the vendor's newest client accepts both.

    Retried: once, with a new token, if the client can sign or request one.

    What to do: check the key and the secret. If the message mentions the clock, correct it.
    """


class PermissionDeniedError(StatusError):
    """
    The token is valid, but its version or roles don't permit this call: 403.

    Retried: no.

    What to do: if you pass a token, it needs version 2 and, if it names roles, the role
    ``crawler``.
    """


class NotFoundError(StatusError):
    """
    There is no such object: 404, or 402, which the vendor's Node SDK treats as an unknown room.

    For a stop, it also means that no transcription is running in the room.

    Retried: no.

    What to do: check the id, and that the key belongs to the account that owns it.
    """


class ConflictError(StatusError):
    """
    The resource is in a conflicting state, such as a transcription that is already running.

    The status is 409, or 400 or 422 if the service's message for a start or a stop contains
    "already"; what the service sends is undocumented.

    Retried: no.

    What to do: list the room: a transcription is already running, or has already ended.
    """


class RateLimitedError(StatusError):
    """
    The service received too many requests: 429.

    `retry_after` is how many seconds to wait, if the service sent a ``Retry-After``.

    Retried: yes, unless `retry_after` exceeds `RetryPolicy.max_retry_after`.

    What to do: wait `retry_after` seconds; lower `max_in_flight`, or set `requests_per_second`.
    """

    @property
    def is_transient(self) -> bool:
        """Return True: the same call may succeed later, after `retry_after` seconds."""
        return True


class RedirectError(StatusError):
    """
    The service responded with a redirect: 3xx.

    It is never followed, because the token goes to one origin only.

    Retried: no.

    What to do: configure the endpoint that the message names, if you trust it.
    """


class ServerError(StatusError):
    """
    The service failed: 5xx, or 406, which an earlier reference of the vendor lists for failures.

    Retried: 500, 502, 503, 504, 520 to 524, 527, 529 and 530, and the additional ones in
    `RetryPolicy.statuses`.

    What to do: resume from the checkpoint later.
    """

    @property
    def is_transient(self) -> bool:
        """Return True: the same call may succeed later."""
        return True


class InvalidResponseError(VideoSDKTranscriptsError):
    """
    A response was received, but it is not what the API promises.

    Raised directly if the response is truncated, is not JSON, has an encoding that was not
    requested, or has an unknown envelope; and for a file, if it can't be proved to be complete, or
    is a web page. The subclasses are more specific.

    Retried: yes.

    What to do: check whether a proxy responded instead of the service; if not, report the message.
    """

    @property
    def is_transient(self) -> bool:
        """Return True for this class, and False for its subclasses."""
        return type(self) is InvalidResponseError


class ResponseTooLargeError(InvalidResponseError):
    """
    The decoded body exceeds `max_response_bytes`, or `max_file_bytes` for a file.

    Retried: no.

    What to do: request smaller pages, or raise the limit.
    """


class InvalidRowError(InvalidResponseError):
    """
    A row could not be read: a value has the wrong type, or the id is missing.

    Retried: no.

    What to do: continue with ``on_invalid="skip"`` or ``"collect"``, and report `path`.

    Attributes:
        path: where the fault is in the response, as a JSON path.
        row_id: the row's id; None if it could not be read.
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
    A row lacks the ids to verify which room or session it belongs to.

    Raised only if a room or a session was requested.

    Retried: no.

    What to do: choose ``on_unverified="yield"`` or ``"skip"``.

    Attributes:
        row_id: the row's id.
    """

    def __init__(self, message: str, *, row_id: str | None = None, page: int | None = None) -> None:
        super().__init__(message, page=page)
        self.row_id = row_id


class PaginationError(VideoSDKTranscriptsError):
    """
    The page information contradicts itself, or does not advance, or a walk can't continue.

    A walk can't continue without repeating or losing rows if it finds none of the rows that it
    remembers, because they were removed or have moved too far.

    Retried: no.

    What to do: start a new walk, or resume from the checkpoint later.
    """


class IncompleteWalkError(VideoSDKTranscriptsError):
    """
    No two passes of a walk with ``consistency="verify"`` agreed and matched the total.

    All rows that were found have been yielded.

    Retried: the list is read up to five times.

    What to do: repeat the walk when the list changes less often.

    Attributes:
        passes: the number of passes over the list.
        differing: how many rows only one of the last two passes found; 0 if the two agreed, but
            did not match the total.
    """

    def __init__(
        self, message: str, *, passes: int | None = None, differing: int | None = None
    ) -> None:
        super().__init__(message)
        self.passes = passes
        self.differing = differing


class FileError(VideoSDKTranscriptsError):
    """
    A transcript or summary file is unavailable, or can't be saved.

    Raised directly if the directory of a download is not writable, or the disk is full.

    Retried: no.

    What to do: free disk space, or choose another directory.

    Attributes:
        transcription_id: the transcription that has the file.
        format: a key of `Transcription.files`, with the prefix ``summary`` for a summary.
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
    """
    There is no file of that format yet.

    The message lists the available formats.

    Retried: no.

    What to do: wait with `TranscriptsClient.wait_until_ready`, or request another format.
    """


class FileHostRefusedError(FileError):
    """
    The URL of a file, or of a redirect, is not https, or its host is not allowed.

    Nothing was sent there.

    Retried: no.

    What to do: add the host to `file_hosts` if you trust it, as the message explains.
    """


class FileGoneError(FileError):
    """
    The link is dead, and so is the newest link of the row.

    A link is dead after 401, 403, 404 or 410, or 400 with a code such as ``ExpiredToken``.

    Retried: once, with the newest link of the row.

    What to do: nothing; the file may have been deleted.
    """


class FileTextError(FileError):
    """
    The file is invalid UTF-8.

    Retried: no.

    What to do: pass ``errors="replace"``, or use `TranscriptsClient.fetch_bytes`, which returns it
    undecoded.
    """


class WaitError(VideoSDKTranscriptsError):
    """
    Waiting for a file failed: see the three subclasses.

    Retried: see the subclass.

    What to do: see the subclass.

    Attributes:
        transcription_id: the id of the transcription, to wait again.
    """

    def __init__(self, message: str, *, transcription_id: str | None = None) -> None:
        super().__init__(message)
        self.transcription_id = transcription_id


class WaitTimedOutError(WaitError, TimeoutError):
    """
    The timeout expired; the file may still appear.

    Also a `TimeoutError`.

    Retried: no.

    What to do: wait again for `transcription_id`.
    """


class TranscriptionFailedError(WaitError):
    """
    The transcription failed, so no file will appear.

    Retried: no.

    What to do: start a new transcription.
    """


class CompletedWithoutFileError(WaitError):
    """
    The transcription completed or was stopped, but no file appeared within the grace period.

    Retried: no.

    What to do: increase `grace`, or contact VideoSDK.
    """


class WebhookError(VideoSDKTranscriptsError):
    """
    Webhook verification failed: see the two subclasses.

    Retried: see the subclass.

    What to do: respond with a status that is not 2xx.
    """


class WebhookSignatureError(WebhookError):
    """
    The signature is missing, malformed, or does not match the body and the key.

    The webhook was not signed by the service, or was modified.

    Retried: the key is fetched again, at most once a minute.

    What to do: respond with 401, and discard the webhook.
    """


class WebhookBodyError(WebhookError):
    """
    The body is larger than 1 MiB; or the signature is valid, but the body is not a readable event.

    Retried: no.

    What to do: report the message.
    """
