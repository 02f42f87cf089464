"""
Convert aiohttp's exceptions to errors of this package (P12).

Only text is kept. Some of aiohttp's exceptions show the headers of the request, and so the token,
in their repr. Therefore none may leave the package, not even as a cause or context.
"""

from __future__ import annotations

import asyncio
import re
from types import TracebackType
from typing import Final, Self

import aiohttp
from attrs import define, field

from videosdk_transcripts.errors import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    VideoSDKTranscriptsError,
)

from .session import Sessions

_LOGIN_REQUIRED: Final = 407


@define(eq=False)
class Translation:
    """
    Catch aiohttp's exceptions for one request, and convert them to errors of this package.

    ::

        with Translation(what, host, ...) as translation:
            async with session.get(...) as response:
                return await response.read()
        raise translation.error  # outside the block, without aiohttp's exception as context
    """

    what: str
    """What was requested, for the message."""
    host: str
    """The host and port of the request."""
    sessions: Sessions
    session: aiohttp.ClientSession
    through_proxy: bool = False
    advice: str = ""
    """What to do if the host can't be reached."""
    error: VideoSDKTranscriptsError = field(init=False, repr=False)
    _cancellations: int = field(init=False, repr=False)

    def __enter__(self) -> Self:
        self._cancellations = _cancellations()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            return False
        found: VideoSDKTranscriptsError | None = None
        if isinstance(error, aiohttp.ClientError | OSError | ValueError):
            found = self.sessions.error_if_closed(self.session) or self._translate(error)
        elif isinstance(error, RuntimeError) or self._is_cancelled_by_aiohttp(error):
            # If a session is closed, aiohttp raises a RuntimeError for a body that is being read,
            # and cancels tasks that wait for a connection.
            found = self.sessions.error_if_closed(self.session)
        if found is None:
            return False
        self.error = found
        return True

    def _is_cancelled_by_aiohttp(self, error: BaseException) -> bool:
        is_cancelled = isinstance(error, asyncio.CancelledError)
        return is_cancelled and _cancellations() <= self._cancellations

    def _translate(self, error: Exception) -> VideoSDKTranscriptsError:
        what, host = self.what, self.host
        match error:
            case aiohttp.ClientPayloadError():
                return InvalidResponseError(f"{what}: the response of {host} has a truncated body")
            case aiohttp.ClientResponseError() if type(error) is aiohttp.ClientResponseError:
                # A 400 of aiohttp's parser, not a status of the service.
                return InvalidResponseError(f"{what}: the response of {host} {_flaw(error)}")
            case UnicodeError():
                # Of the resolver: a part of the name is empty or too long.
                name = "the proxy" if self.through_proxy else host
                return ConfigurationError(f"{what}: the name of {name} is invalid; correct it")
            case ValueError() if not isinstance(error, aiohttp.ClientError):
                return ConfigurationError(
                    f"{what}: the request can't be sent; a session passed to the client must not "
                    "add credentials of its own (auth=, or trust_env with a netrc file)"
                )
            case _:
                return ConnectionFailedError(f"{what}: {self._why_not_connected(error)}")

    def _why_not_connected(self, error: Exception) -> str:
        host = self.host
        match error:
            case aiohttp.ClientHttpProxyError():
                return proxy_refused(error.status)
            case aiohttp.ClientConnectorDNSError():
                name = "the proxy" if self.through_proxy else host
                text = f"the name of {name} can't be resolved; check its address and the network"
                return self._with_advice(text)
            case aiohttp.ClientProxyConnectionError():
                return "can't connect to the proxy; check its address"
            case aiohttp.ClientSSLError():
                return f"can't verify the TLS certificate of {host}; check it, or pass ssl="
            case aiohttp.ClientConnectorError():
                return self._with_advice(
                    f"can't connect to {host}: {error.os_error.strerror or 'refused'}"
                )
            case _:
                through = " through the proxy" if self.through_proxy else ""
                return f"the connection to {host}{through} was lost before a response arrived"

    def _with_advice(self, text: str) -> str:
        return f"{text}; {self.advice}" if self.advice else text


def _flaw(error: aiohttp.ClientResponseError) -> str:
    """Return why aiohttp's parser rejected a response, without quoting it: it may have a secret."""
    too_long = re.match(r"Got more than (\d{1,9}) bytes", error.message)
    if too_long:
        return (
            f"has a header of more than {too_long[1]} bytes, which is not accepted; it may come "
            "from a proxy or a gateway"
        )
    if error.message.startswith("Too many headers"):
        return "has too many headers; they may come from a proxy or a gateway"
    return "is not HTTP"


def proxy_refused(status: int) -> str:
    """Return the message for a proxy that refused a request or a tunnel."""
    advice = "check its address and credentials"
    if status != _LOGIN_REQUIRED:
        advice = "it may not allow this host, or not reach it"
    return f"the proxy responded with {status}; {advice}"


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0
