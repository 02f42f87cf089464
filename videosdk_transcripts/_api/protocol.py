"""
The rules of the API, without I/O: create requests, and convert responses to data or errors (P12).

Source of all paths and parameters:
https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
"""

from __future__ import annotations

import json
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from attrs import define, field, frozen

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
# Only the beginning of a long text is searched for secrets, and nothing after it is shown.
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


_NO_HEADERS: Final[Mapping[str, str]] = {}
# Cached pages of different ages would contradict each other.
_LIST_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-cache"}
_NO_ADVICE: Final[Mapping[int, str]] = {}


JsonLoads = Callable[[bytes], Any]
"""A decoder of JSON, such as ``json.loads``, which may raise anything."""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def load_json(body: bytes) -> Any:
    """Decode JSON as `json.loads` does, but raise a ValueError for NaN and infinity."""
    # Not `json.loads(parse_constant=...)`, which creates a new decoder for each call.
    return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))


# Not frozen, because these two are created for each page, and a frozen class costs three times
# as much.


@define
class Request:
    """What to request: a path with its query, and its description for errors."""

    target: str
    subject: str
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    """The JSON of a start or stop."""
    headers: Mapping[str, str] = field(default=_NO_HEADERS, repr=False)
    """Headers of this request, in addition to those of all requests."""
    advice: Mapping[int, str] = field(default=_NO_ADVICE, repr=False)
    """What to do after a status that has a special meaning for this request."""


@define
class Response:
    """A complete response: status, headers (looked up in lower case) and decoded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    secrets: tuple[Secret, ...] = ()
    """Values to mask if the service or a proxy echoes them."""
    loads: JsonLoads = field(default=load_json, repr=False)
    """The JSON decoder for the body of a successful response."""

    @property
    def request_id(self) -> str | None:
        """Return the service's id of the request, or None if it sent none."""
        found = next((self.headers[h] for h in _REQUEST_ID_HEADERS if h in self.headers), "")
        return self.quote(found)

    def quote(self, text: str) -> str | None:
        """Return the service's text, shortened and without secrets; None if nothing is left."""
        longest = max((len(secret) for secret in self.secrets), default=0)
        most = max(_SEARCHED, 2 * longest)
        is_cut = len(text) > most
        text = TOKEN.sub("***", " ".join(text[:most].split()))
        if contains_encoded_secret(text, self.secrets):
            return "***"
        # The longest first, because one secret may be a part of another.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        # A part of a secret may remain where the text was cut.
        if is_cut and len(text) <= _EXCERPT + longest:
            return "***"
        return printable(text, _EXCERPT) or None


@frozen
class Endpoint:
    """A list of the API: its path, and names for its rows in errors."""

    path: str
    rows: str
    row: str

    @property
    def name(self) -> str:
        """Return the name of the list in the API, the last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]


REALTIME: Final = Endpoint(
    path="/ai/v1/realtime-transcriptions/",
    rows="transcriptions",
    row="transcription",
)
RECORDED: Final = Endpoint(
    path="/ai/v1/post-transcriptions/",
    rows="transcriptions of recordings",
    row="transcription of a recording",
)


_WHOLE_LIST_ADVICE: Final = {404: "check the endpoint, and that the list has this page"}
"""Advice for a request that has no id which could be wrong."""


def list_request(endpoint: Endpoint, wanted: Filter, page: int, page_size: int) -> Request:
    """Return the request for one page of a list."""
    # Numbers need no quoting, and the query of the filter is quoted once for the whole walk.
    return Request(
        f"{endpoint.path}?{wanted.query}page={page}&perPage={page_size}",
        f"page {page} of the {endpoint.rows} of {wanted.words}",
        headers=_LIST_HEADERS,
        advice=_NO_ADVICE if wanted.query else _WHOLE_LIST_ADVICE,
    )


def row_request(endpoint: Endpoint, row_id: str) -> Request:
    """Return the request for one row by its id."""
    return Request(endpoint.path + quote(row_id, safe=""), f"{endpoint.row} {row_id}")


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
"""The error classes of single statuses; those of all others depend on the first digit."""


def status_error(status: int) -> type[StatusError]:
    """Return the error class of a status that is not a success."""
    if status in _STATUS_ERRORS:
        return _STATUS_ERRORS[status]
    if 300 <= status < 400:
        return RedirectError
    return ServerError if status >= 500 else StatusError


def refuses_token(response: Response) -> bool:
    """
    Return whether the service refused the token: 401, or 400 with the code 4001 or 4002.

    The vendor's newest client treats both alike: 4001 is an invalid API key, 4002 an invalid or
    expired token, sent as a number or as a string. 4003, an invalid meeting id, is not included.
    """
    if response.status != _BAD_REQUEST:
        return response.status == _UNAUTHORIZED
    objects = _nested_objects(_error_body(response))
    codes = (_text(found, key).strip() for found in objects for key in _CODE_KEYS)
    return not _TOKEN_CODES.isdisjoint(codes)


_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_CONFLICT: Final = 409
_TOKEN_CODES: Final = frozenset({"4001", "4002"})
_CODE_KEYS: Final = ("code", "errorCode", "statusCode")
_MESSAGE_KEYS: Final = ("message", "error", "msg", "statusMessage")
_ALREADY: Final = re.compile(r"\balready\b", re.IGNORECASE)


def _effective_status(response: Response, request: Request, message: str | None) -> int:
    """Return the status of a response, or a more specific one that its body indicates."""
    if refuses_token(response):
        return _UNAUTHORIZED
    # The response to a second start is undocumented; a similar endpoint responds with 400 and
    # "Already Running".
    is_write, status = request.method != "GET", response.status
    if is_write and status_error(status) is BadRequestError and _ALREADY.search(message or ""):
        return _CONFLICT
    return status


def check_status(response: Response, request: Request, *, now: float, hint: str = "") -> None:
    """
    Accept a 2xx response, and raise an error for any other.

    Args:
        response: the response.
        request: what was requested.
        now: the time of the response in seconds since the epoch, by the local clock.
        hint: advice about a rejected token.

    Raises:
        StatusError: of the class that `status_error` returns. A refused token is an
            AuthenticationError with 400, too; and a write that is refused because it was
            "already" done is a ConflictError.
    """
    if 200 <= response.status < 300:
        return
    code, message = _explanation(response)
    status = _effective_status(response, request, message)
    error = status_error(status)
    text = f"{request.method} {request.subject}: the service responded with {response.status}"
    text += f", {message}" if message else ""
    wait = retry_after(response.headers, datetime.fromtimestamp(now, UTC))
    advice = hint or request.advice.get(status) or _ADVICE.get(status, "")
    if error is RateLimitedError and wait is not None:
        advice = "send fewer requests at a time, or wait for the time in Retry-After"
    text += f"; {advice}" if advice else ""
    if 300 <= response.status < 400:
        text += f"; it redirects to {_destination(response)}, which is not followed, because the "
        text += "token is for the configured endpoint only"
    raise error(
        text,
        status=response.status,
        code=code,
        request_id=response.request_id,
        retry_after=wait,
    )


_ADVICE: Final = {
    401: "check the key and the secret, or the token",
    402: "check the room id; a room's custom id is not accepted everywhere",
    403: "the token needs version 2 and, if it names roles, the role crawler",
    404: "check the id, and that the key belongs to the account that owns it",
    429: "send fewer requests at a time, or try again later",
}


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """
    Return the seconds in ``Retry-After``; the largest of several, or None without a valid one.

    A number is always in seconds, however large: if a service sends seconds since the epoch, the
    request is not retried, rather than retried immediately. A date (of HTTP, or in ISO 8601)
    counts from the ``Date`` of the response, because a local clock that is ahead would make the
    wait too short.
    """
    sent = http_date(headers.get("date", "")) or now
    # `items` returns repeated headers separately; a proxy may also have joined them with commas.
    # A date is the same without its day of the week and the comma after it.
    values = (v for name, v in headers.items() if name.lower() == "retry-after")
    waits = [_seconds(part.strip(), sent) for value in values for part in value.split(",")]
    return max((wait for wait in waits if wait is not None), default=None)


def _seconds(value: str, sent: datetime) -> float | None:
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return min(float(value), sys.float_info.max)
    when = _iso_time(value) or http_date(value)
    return None if when is None else max(0.0, (when - sent).total_seconds())


def _iso_time(value: str) -> datetime | None:
    try:
        return _in_utc(datetime.fromisoformat(value.upper()))
    except (ValueError, OverflowError):
        return None


def http_date(value: str) -> datetime | None:
    """Return an HTTP date as a time in UTC, or None if it is not one."""
    try:
        return _in_utc(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return None


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def explain_clock(response: Response, now: float) -> str:
    """Return a description of the local clock's skew, or an empty string if there is none."""
    date = http_date(response.headers.get("date", ""))
    ahead = (datetime.fromtimestamp(now, UTC) - date).total_seconds() if date else 0.0
    if abs(ahead) < _SKEW:
        return ""
    where = "ahead of" if ahead > 0 else "behind"
    return (
        f"this machine's clock is {abs(ahead):.0f} s {where} the service's, so that its "
        "tokens are not yet valid or already expired; set the clock"
    )


def read_json(response: Response, request: Request) -> Any:
    """
    Decode the body of a successful response, whatever its content type.

    Raises:
        InvalidResponseError: the body is empty or not JSON.
    """
    try:
        return response.loads(response.body)
    except Exception as error:  # noqa: BLE001 - a caller's decoder may raise anything
        found = "a body that is not JSON"
        if response.loads is not load_json:
            found = f"a body that json_loads can't decode ({type(error).__name__})"
    # Raised outside the `except` block, because the decoder's exception may hold the body.
    raise unreadable(response, request, found if response.body else "no body")


def decode_object(response: Response, request: Request) -> dict[str, Any]:
    """
    Decode the body of a successful response that must be one JSON object.

    Raises:
        InvalidResponseError: the body is not a JSON object, or reports a failure.
    """
    data = read_json(response, request)
    if not isinstance(data, dict):
        raise unreadable(response, request, "JSON that is not an object")
    refuse_failure(data, response, request)
    return data


def refuse_failure(data: Mapping[str, Any], response: Response, request: Request) -> None:
    """Raise an error for ``{"success": false}``, which similar endpoints send with a 200."""
    if data.get("success") is False:
        _, message = _explanation(response)
        raise unreadable(response, request, f"a failure, {message}" if message else "a failure")


def unreadable(response: Response, request: Request, found: str) -> InvalidResponseError:
    """Return the error for a response that is not what the API promises, without its data."""
    kind = response.quote(response.headers.get("content-type", "")) or "no content type"
    text = (
        f"{request.method} {request.subject}: the service responded with {response.status} and "
        f"{found} ({len(response.body)} bytes, {kind})"
    )
    if "html" in kind or _is_page(response.body):
        text += "; it may come from a proxy or a gateway"
    return InvalidResponseError(text, status=response.status, request_id=response.request_id)


def _is_page(body: bytes) -> bool:
    """Return whether a body is HTML or XML."""
    return body.removeprefix(BOM_UTF8).lstrip().startswith(b"<")


MAX_DEPTH: Final = 100
"""Maximum depth of JSON. Python can't copy, compare or pickle hundreds of nested levels."""


def is_too_deep(value: object) -> bool:
    """Return whether a JSON value is nested deeper than `MAX_DEPTH`."""
    # Level by level, because a recursive function would fail for exactly these values.
    level = [value]
    for _ in range(MAX_DEPTH):
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


def _explanation(response: Response) -> tuple[str | None, str | None]:
    """
    Return the service's code and message from the body of an error.

    Error bodies are undocumented. The keys are those that the vendor's SDKs read; both values may
    be nested under ``error``, or be numbers.
    """
    data = _error_body(response)
    if isinstance(data, bytes):
        # An HTML page is not an explanation.
        return None, None if _is_page(data) else response.quote(data.decode("utf-8-sig", "replace"))
    if isinstance(data, str):
        return None, response.quote(data)
    objects = _nested_objects(data)
    # By key first, because a code is more specific than a status repeated in the body.
    codes = (code for key in _CODE_KEYS for one in objects if (code := _text(one, key)))
    messages = (text for one in objects for key in _MESSAGE_KEYS if (text := _text(one, key)))
    return response.quote(next(codes, "")), response.quote(next(messages, ""))


def _error_body(response: Response) -> Any:
    """Return the JSON value in the body of an error, or the body itself if it is not JSON."""
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return response.body


def _nested_objects(data: Any) -> list[dict[str, Any]]:
    """Return the object in the body of an error, and those that are nested under ``error``."""
    objects: list[dict[str, Any]] = []
    while isinstance(data, dict):
        objects.append(data)
        data = data.get("error")
    return objects


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _destination(response: Response) -> str:
    """Return the target of a redirect, without user, path and query, which may hold a secret."""
    location = response.headers.get("location", "").strip()
    if not location:
        return "no address"
    found = _ABSOLUTE.match(location)
    if found:
        return response.quote(f"{found['scheme'] or ''}//{found['host']}") or ""
    is_path = re.match(r"[\w.~%/?#-]", location) and not re.match(r"[\w.+-]*:|//", location)
    return "another path of the same host" if is_path else "an invalid URL"
