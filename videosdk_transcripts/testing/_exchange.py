"""Handle one request to the fake service: record it, check its token, apply its fault, respond."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Final, NamedTuple

import jwt
from aiohttp import web

from ._rows import Listing
from ._service import Exchange, FakeService, Fault, SeenRequest

MAX_BODY: Final = 16 * 1024
"""The maximum size of the body of a request in bytes."""

_KEPT_BODIES: Final = 1000
"""How many requests keep their bodies; older ones are dropped, so a sandbox can run for weeks."""

Respond = Callable[[Callable[[Listing], Any]], web.Response]


async def handle_api_request(
    service: FakeService,
    request: web.Request,
    respond: Respond,
    *,
    body: bytes = b"",
    is_public: bool = False,
) -> web.StreamResponse:
    """
    Respond to a request for the API.

    Args:
        service: the service; the request is added to its `requests`.
        request: the request.
        respond: creates the response that is sent without a fault; see `Exchange`.
        body: the body of the request, which is recorded if its token is valid.
        is_public: whether the request needs no token.
    """
    service.jobs.deliver(service.files, service.now())
    refused = None if is_public else check_token(request.headers.get("Authorization"), service)
    seen = _record(service.requests, request, body if refused is None else b"")
    service.in_flight += 1
    service.most_in_flight = max(service.most_in_flight, service.in_flight)
    try:
        exchange = Exchange(
            service,
            request,
            respond if refused is None else lambda _shape: refusal(service, *refused),
        )
        fault = service.faults.next_due(len(service.requests), request.query.get("page", ""))
        response = await _respond(exchange, fault, seen)
        # From this date, the client detects a wrong clock, so the fake's own clock applies.
        response.headers.setdefault("Date", formatdate(service.now(), usegmt=True))
        return response
    finally:
        service.in_flight -= 1


async def handle_file_request(service: FakeService, request: web.Request) -> web.StreamResponse:
    """Respond to a request for a file, which needs no token and is recorded separately."""
    files = service.files
    seen = _record(files.requests, request)
    name, number = request.match_info["name"], request.query.get("link", "1")
    exchange = Exchange(
        service,
        request,
        lambda _shape: files.respond(request.match_info["id"], name, number),
    )
    return await _respond(exchange, files.faults.next_due(len(files.requests)), seen)


def _record(requests: list[SeenRequest], request: web.Request, body: bytes = b"") -> SeenRequest:
    query, headers = dict(request.query), dict(request.headers)
    seen = SeenRequest(request.method, request.path, query, headers, body)
    requests.append(seen)
    if len(requests) > _KEPT_BODIES:
        requests[-1 - _KEPT_BODIES].body = b""
    return seen


async def read_body(request: web.Request) -> bytes | None:
    """Return the body of a request, or None if it is larger than `MAX_BODY`."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None


async def _respond(
    exchange: Exchange, fault: Fault | None, seen: SeenRequest
) -> web.StreamResponse:
    """Return the response, from the fault if there is one, and record the status and the fault."""
    seen.fault = fault
    response = exchange.response() if fault is None else await fault(exchange)
    transport = exchange.request.transport
    # If a fault has closed the connection, its response is never sent.
    if response.prepared or (transport is not None and not transport.is_closing()):
        seen.status = response.status
    return response


def refusal(
    service: FakeService, status: int, message: str, code: int | None = None
) -> web.Response:
    """Return an error in the shape that `FakeService.error_shape` selects."""
    coded = {} if code is None else {"code": code}
    match service.error_shape:
        case "text":
            return web.Response(text=message, status=status)
        case "empty":
            return web.Response(status=status)
        case "nested":
            return web.json_response({"error": {"message": message, **coded}}, status=status)
        case key:
            return web.json_response({key: message, **coded}, status=status)


class TokenRefusal(NamedTuple):
    """The response to an invalid token."""

    status: int
    message: str
    code: int | None = None


def check_token(header: str | None, service: FakeService) -> TokenRefusal | None:
    """
    Return the refusal of a token, or None for a valid token.

    The status is 401 (or 400, as `FakeService.token_status` selects) for a token that is not
    genuine or not valid now, and 403 for a token that may not call the server API:
    https://docs.videosdk.live/api-reference/realtime-communication/intro

    This shares no code with the client's signing, so that it detects mistakes there.
    """
    found = _find_fault(header, service)
    if found is None or found.status != _UNAUTHORIZED or service.token_status == _UNAUTHORIZED:
        return found
    code = _INVALID_API_KEY if found is _OTHER_KEY else _INVALID_TOKEN
    return found._replace(status=service.token_status, code=code)


_UNAUTHORIZED: Final = 401
# The codes of the vendor's client SDKs, which its newest server client also recognizes.
_INVALID_API_KEY: Final = 4001
_INVALID_TOKEN: Final = 4002
_OTHER_KEY: Final = TokenRefusal(_UNAUTHORIZED, "Token is invalid")


def _find_fault(  # noqa: PLR0911 - a list of reasons, one line each
    header: str | None, service: FakeService
) -> TokenRefusal | None:
    if not header:
        return TokenRefusal(401, "Token is required")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        try:
            claims = jwt.decode(
                header,
                service.secret,
                algorithms=["HS256"],
                # Times are checked below, against a clock that a test can replace.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp"]},
            )
        except jwt.PyJWTError:
            return TokenRefusal(401, "Token is invalid")
    if claims.get("apikey") != service.api_key:
        return _OTHER_KEY
    end, start = claims["exp"], claims.get("iat", 0)
    if not all(isinstance(moment, int | float) for moment in (end, start)):
        return TokenRefusal(401, "Token is invalid")
    now = service.now()
    if end <= now or start > now:
        return TokenRefusal(401, "Token is expired or not yet valid")
    if claims.get("version") != 2:
        return TokenRefusal(403, "Token must have version 2")
    roles = claims.get("roles", ["crawler"])
    if not isinstance(roles, list) or "crawler" not in roles:
        return TokenRefusal(403, "Role of the token is not crawler")
    return None
