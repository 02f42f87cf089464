"""The checks of `doctor` that use the network. Each ends within its limit."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RetryPolicy,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)

from ._checks_local import Check, Place
from ._exit import ExitCode, code_of
from ._text import plural
from ._token_claims import utc, when

_SOON: Final = 14 * 86_400
"""Seconds before the end of a certificate, at which it is time to ask for a new one."""
_TOLERATED, _MOST = 30.0, 60.0
"""Seconds that the two clocks may be apart: with a warning, and at all."""

Addresses = list[str] | str
"""Of a name; or why there are none."""


async def check_name(place: Place, limit: float) -> Check:
    """Look the name of the host up."""
    try:
        async with asyncio.timeout(limit):
            found = await _addresses(place)
    except TimeoutError:
        found = f"no answer within {limit:g} s"
    if isinstance(found, list):
        return Check("dns", "ok", f"{place.host} is {', '.join(found)}")
    return Check(
        "dns",
        "FAIL",
        f"the name {place.host} can't be resolved ({found})",
        "check VIDEOSDK_API_ENDPOINT for a slip, and the network and its name server",
        ExitCode.NETWORK,
    )


async def _addresses(place: Place) -> Addresses:
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Addresses] = loop.create_future()

    def take(found: Addresses) -> None:
        if not result.done():
            result.set_result(found)

    def look_up() -> None:
        found: Addresses
        try:
            rows = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        except OSError as error:
            found = error.strerror or "failed"
        except UnicodeError:
            found = "it is no name of a host"
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(take, found)

    # Not in the loop's own threads: a look-up can't be cancelled, and the end of the loop
    # would wait for it beyond any limit.
    threading.Thread(target=look_up, daemon=True).start()
    return await result


@asynccontextmanager
async def _connected(
    place: Place,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    context = await asyncio.to_thread(ssl.create_default_context) if place.has_tls else None
    reader, writer = await asyncio.open_connection(place.host, place.port, ssl=context)
    try:
        yield reader, writer
    finally:
        # Nothing is left to say, and a peer that does not say goodbye isn't waited for.
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def check_connection(place: Place, limit: float) -> Check:
    """Connect, and look at the certificate."""
    where = place.authority
    try:
        async with asyncio.timeout(limit), _connected(place) as (_, writer):
            session = writer.get_extra_info("ssl_object")
            certificate = None if session is None else session.getpeercert()
            version = None if session is None else session.version()
    except OSError as error:
        detail, advice = _why_not(error, where, limit)
        return Check("connection", "FAIL", detail, advice, ExitCode.NETWORK)
    if certificate is None:
        return Check("connection", "ok", f"{where} answers; TLS is not used, as it is http")
    now = time.time()
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    detail = f"{where}, {version}, its certificate ends {when(end, now)}"
    if end - now < _SOON:
        return Check("connection", "warn", detail, "whoever runs it must renew it soon")
    return Check("connection", "ok", detail)


def _why_not(error: OSError, where: str, limit: float) -> tuple[str, str]:
    """Say why there is no connection, and what to do."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"the certificate of {where} is not trusted ({error.verify_message})",
                _ADVICE_ON_CERTIFICATES.get(error.verify_code, _INTERCEPTED),
            )
        case ssl.SSLError():
            return (
                f"no TLS with {where} ({error.reason or 'failed'})",
                "check scheme and port of VIDEOSDK_API_ENDPOINT; what listens there may speak http",
            )
        case TimeoutError():
            return (
                f"no connection to {where} within {limit:g} s",
                "a firewall may drop it; if only a proxy leads out, see below",
            )
        case _:
            return (
                f"no connection to {where} ({os.strerror(error.errno or errno.ECONNRESET)})",
                "check host and port of VIDEOSDK_API_ENDPOINT, the network and its firewall",
            )


_INTERCEPTED: Final = (
    "something between may open TLS, such as a company's proxy; have this machine trust its "
    "certificate (SSL_CERT_FILE), or in a program pass ssl="
)
_ADVICE_ON_CERTIFICATES: Final = {
    9: "it is not valid yet; check this machine's clock",
    10: "it has expired; check this machine's clock, and tell whoever runs the service",
    62: "it is for another name; check VIDEOSDK_API_ENDPOINT",
    64: "it is for another name; check VIDEOSDK_API_ENDPOINT",
}
"""By OpenSSL's numbers."""


async def check_clock(place: Place, limit: float, now: Callable[[], float] = time.time) -> Check:
    """Compare this machine's clock with that of the service, by a request without credentials."""
    ask = (
        f"HEAD /ai/v1/realtime-transcriptions/ HTTP/1.1\r\nHost: {place.authority}\r\n"
        "User-Agent: videosdk-transcripts\r\nConnection: close\r\n\r\n"
    )
    head = b""
    before = now()
    with suppress(OSError, EOFError, asyncio.LimitOverrunError):
        async with asyncio.timeout(limit), _connected(place) as (reader, writer):
            before = now()
            writer.write(ask.encode("ascii", "replace"))
            head = await reader.readuntil(b"\r\n\r\n")
    date = _date_of(head)
    if date is None:
        return Check("clock", "warn", "the service's time is not known", "it sent no Date")
    # Whole seconds are sent, so that half of one has gone by on average.
    ahead = (before + now()) / 2 - (date + 0.5)
    detail = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"
    if abs(ahead) <= _TOLERATED:
        return Check("clock", "ok", detail)
    advice = f"the service says {utc(date)}; set this machine's clock, and keep it by NTP"
    if abs(ahead) <= _MOST:
        return Check("clock", "warn", detail, advice)
    return Check("clock", "FAIL", detail, f"tokens may be refused for it; {advice}", ExitCode.AUTH)


def _date_of(head: bytes) -> float | None:
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "date":
            try:
                when_ = parsedate_to_datetime(value.strip())
            except ValueError:
                return None
            return (when_ if when_.tzinfo else when_.replace(tzinfo=UTC)).timestamp()
    return None


async def check_request(open_client: Callable[..., TranscriptsClient], limit: float) -> Check:
    """Ask for one row, once."""
    # The second limit only lets the first one have its say.
    policy = RetryPolicy(attempts=1, attempt_timeout=limit, page_timeout=limit + 1)
    begun = time.perf_counter()
    try:
        async with open_client(retry=policy) as client:
            page = await client.get_page(page_size=1, on_invalid="skip")
            took = f"{(time.perf_counter() - begun) * 1000:.0f} ms, connecting included"
    except VideoSDKTranscriptsError as error:
        advice = next((words for kind, words in _ADVICE if isinstance(error, kind)), _TRY_LATER)
        return Check("request", "FAIL", error.message, advice, code_of(error))
    total = "a page" if page.total is None else plural(page.total, "transcription")
    return Check("request", "ok", f"{total} in {took}")


_ADVICE: Final[tuple[tuple[type[VideoSDKTranscriptsError], str], ...]] = (
    (
        AuthenticationError,
        "the key, the secret or the token is wrong, of another project, or was called back",
    ),
    (PermissionDeniedError, "the token is genuine, but may not call this; see token --inspect"),
    (NotFoundError, "there is no such API at this endpoint; check VIDEOSDK_API_ENDPOINT"),
    (
        RateLimitedError,
        "too many requests, also by other programs of this account; wait, and send fewer",
    ),
    (NoResponseError, "it was reached before; try again, with more --timeout"),
    (ConfigurationError, "see the check of the environment"),
)
"""Of an error, the first line that names its class or one above it."""
_TRY_LATER: Final = "the service failed, or something else answers in its place; try again later"
