"""
The rules of the API without I/O: arguments to a request, an answer to data or an error.

Source of every path and parameter:
https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from attrs import define, field

from videosdk_transcripts._redact import TOKEN, Secret, contains_encoded_secret, printable
from videosdk_transcripts.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    ServerError,
    StatusError,
)

from .filter import Filter

_EXCERPT: Final = 200
_SKEW: Final = 60.0
# Of a long text only the beginning is looked through, and more is never shown.
_SEARCHED: Final = 4000
_ABSOLUTE: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*:)?//(?:[^/?#\s]*@)?(?P<host>[^/?#@\\\s]+)(?=[/?#]|$)",
    re.IGNORECASE,
)
_REQUEST_ID_HEADERS: Final = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-amz-request-id",
)


# Not frozen: these two are made for each page, and attrs makes frozen ones three times as dear.


@define
class Request:
    """What to ask for: a path with its query, and words for it in an error."""

    target: str
    subject: str
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    """JSON, for a write."""


@define
class Response:
    """A whole answer: the status, the headers, asked for in lower case, and the decoded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    secrets: tuple[Secret, ...] = ()
    """What may not be quoted, should the service or a proxy echo it."""

    @property
    def request_id(self) -> str | None:
        """Return the service's id of the request, where it sent one."""
        found = next((self.headers[h] for h in _REQUEST_ID_HEADERS if h in self.headers), "")
        return self.quote(found)

    def quote(self, text: str) -> str | None:
        """Return what may be shown of a text of the service, or None if that is nothing."""
        most = max(_SEARCHED, *(2 * len(secret) for secret in self.secrets), 0)
        is_cut = len(text) > most
        text = TOKEN.sub("***", " ".join(text[:most].split()))
        if contains_encoded_secret(text, self.secrets):
            return "***"
        # The longest first: one may be a part of another.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        # Half a secret may stand where the text was cut.
        return "***" if is_cut and len(text) <= _EXCERPT else printable(text, _EXCERPT) or None


@define
class Endpoint:
    """A list of the API: its path, and words for its rows in an error."""

    path: str
    rows: str
    row: str

    @property
    def name(self) -> str:
        """Return its name in the API, the last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]


REALTIME: Final = Endpoint("/ai/v1/realtime-transcriptions/", "transcriptions", "transcription")
POST: Final = Endpoint(
    "/ai/v1/post-transcriptions/", "transcripts of recordings", "transcript of a recording"
)


def list_request(wanted: Filter, page: int, page_size: int, listed: Endpoint = REALTIME) -> Request:
    """Ask for one page of a list. The documented path ends in a slash."""
    # Numbers need no quoting, and the filter was quoted once for the whole walk.
    return Request(
        f"{listed.path}?{wanted.query}page={page}&perPage={page_size}",
        f"page {page} of the {listed.rows} of {wanted.words}",
    )


def transcription_request(transcription_id: str, listed: Endpoint = REALTIME) -> Request:
    """Ask for one transcription."""
    return Request(
        listed.path + quote(transcription_id, safe=""), f"{listed.row} {transcription_id}"
    )


_STATUS_ERRORS: Final[dict[int, type[StatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: NotFoundError,
    403: PermissionDeniedError,
    404: NotFoundError,
    406: ServerError,
    409: ConflictError,
    422: BadRequestError,
    429: RateLimitedError,
}
"""Which class a status gets; every other one falls to its hundred."""


def status_error(status: int) -> type[StatusError]:
    """Return the class for a status that is no success."""
    if status in _STATUS_ERRORS:
        return _STATUS_ERRORS[status]
    if 300 <= status < 400:
        return RedirectError
    return ServerError if status >= 500 else StatusError


def check_status(answer: Response, request: Request, *, now: float, hint: str = "") -> None:
    """
    Pass a 2xx answer, and turn every other one into its error.

    Args:
        answer: what came.
        request: what was asked.
        now: the moment of the answer in seconds since the epoch, by our clock.
        hint: what is known of a refused token.

    Raises:
        StatusError: the class that `status_error` names.
    """
    if 200 <= answer.status < 300:
        return
    error = status_error(answer.status)
    code, said = _explanation(answer)
    text = f"{request.method} {request.subject}: the service answered {answer.status}"
    text += f", {said}" if said else ""
    advice = hint or _ADVICE.get(answer.status, "")
    text += f"; {advice}" if advice else ""
    if 300 <= answer.status < 400:
        text += f"; it points to {_destination(answer)}, which is "
        text += "not followed, because the token is for the configured endpoint alone"
    raise error(
        text,
        status=answer.status,
        code=code,
        request_id=answer.request_id,
        retry_after=retry_after(answer.headers, datetime.fromtimestamp(now, UTC)),
    )


_ADVICE: Final = {
    401: "check the key and the secret, or the token",
    402: "check the room id; a room's custom id is not accepted everywhere",
    403: "the token needs version 2 and, if it names roles, the role crawler",
    404: "check the id, and that the key is of the account that owns it",
    429: "send fewer requests at a time, or wait as long as the service asks for",
}


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """
    Return the seconds that ``Retry-After`` asks for, given in seconds or as a date.

    A date is of the service's clock, so that it counts from the ``Date`` of the answer:
    where our own clock is ahead, it would be undercut.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        return float(value)
    when = http_date(value)
    if when is None:
        return None
    answered = http_date(headers.get("date", "")) or now
    return max(0.0, (when - answered).total_seconds())


def http_date(value: str) -> datetime | None:
    """Return the moment of an HTTP date, in UTC, or None where it is none."""
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def explain_clock(answer: Response, now: float) -> str:
    """Say how wrong our clock is, where an answer shows that it is."""
    date = http_date(answer.headers.get("date", ""))
    ahead = (datetime.fromtimestamp(now, UTC) - date).total_seconds() if date else 0.0
    if abs(ahead) < _SKEW:
        return ""
    where = "ahead of" if ahead > 0 else "behind"
    return (
        f"this machine's clock is {abs(ahead):.0f} s {where} the service's, so that its "
        "tokens are not valid yet or no longer; set the clock"
    )


def read_json(answer: Response, request: Request) -> Any:
    """
    Decode the body of a success, whatever its content type says.

    Raises:
        InvalidResponseError: the body is empty or no JSON.
    """
    try:
        # As `json.loads` does, which makes a new decoder each time that it is told of constants.
        text = answer.body.decode(json.detect_encoding(answer.body), "surrogatepass")
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        pass
    raise unreadable(answer, request, "a body that is not JSON" if answer.body else "no body")


def decode_object(answer: Response, request: Request) -> dict[str, Any]:
    """
    Decode the body of a success that must be one JSON object.

    Raises:
        InvalidResponseError: the body is no JSON object, or one that says it failed.
    """
    data = read_json(answer, request)
    if not isinstance(data, dict):
        raise unreadable(answer, request, "JSON that is no object")
    refuse_failure(data, answer, request)
    return data


def refuse_failure(data: Mapping[str, Any], answer: Response, request: Request) -> None:
    """Raise for the ``{"success": false}`` that sibling endpoints send with a 200."""
    if data.get("success") is False:
        _, said = _explanation(answer)
        raise unreadable(answer, request, f"a failure, {said}" if said else "a failure")


def unreadable(answer: Response, request: Request, found: str) -> InvalidResponseError:
    """Make the error for an answer that is not what was promised. Never shows its data."""
    kind = answer.quote(answer.headers.get("content-type", "")) or "no content type"
    text = (
        f"{request.method} {request.subject}: the service answered {answer.status} with "
        f"{found} ({len(answer.body)} bytes, {kind})"
    )
    if "html" in kind or answer.body.lstrip()[:1] == b"<":
        text += "; a proxy or a gateway may have answered in its place"
    return InvalidResponseError(text, status=answer.status, request_id=answer.request_id)


DEEPEST: Final = 100
"""Levels. Python's own functions to copy, compare and pickle fail at some hundreds."""


def is_deep(value: object) -> bool:
    """Tell whether a value of JSON is nested deeper than that."""
    # Level by level, as a function that calls itself would fail where it is needed.
    level = [value]
    for _ in range(DEEPEST):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return False
        level = below
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def _explanation(answer: Response) -> tuple[str | None, str | None]:
    """
    Find the service's code and words in the body of a refusal.

    No error body is documented; the names are those that the vendor's SDKs look for,
    and both may be nested under ``error`` or be numbers.
    """
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data = answer.body[: 8 * _SEARCHED].decode("utf-8", "replace")
        # A page of HTML explains nothing.
        return None, None if data.lstrip().startswith("<") else answer.quote(data)
    if isinstance(data, str):
        return None, answer.quote(data)
    code = said = None
    while isinstance(data, dict):
        code = code or _first(data, ("code", "errorCode", "statusCode"))
        said = said or _first(data, ("message", "error", "msg", "statusMessage"))
        data = data.get("error")
    return answer.quote(code or ""), answer.quote(said or "")


def _first(data: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    found = (data.get(key) for key in keys)
    return next((str(v) for v in found if isinstance(v, str | int) and v not in ("", True)), None)


def _destination(answer: Response) -> str:
    """Say where a redirect points, without user, path and query, which may hold a secret."""
    location = answer.headers.get("location", "").strip()
    if not location:
        return "nowhere"
    found = _ABSOLUTE.match(location)
    if found:
        return answer.quote(f"{found['scheme'] or ''}//{found['host']}") or ""
    is_path = re.match(r"[\w.~%/?#-]", location) and not re.match(r"[\w.+-]*:|//", location)
    return "another path of the same host" if is_path else "what is no URL"
