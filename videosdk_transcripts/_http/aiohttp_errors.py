"""
What aiohttp raises, told as an error of our own.

By its text alone, and not even as a cause: the repr of some shows the request's headers,
and with them the token.
"""

from __future__ import annotations

import aiohttp

from videosdk_transcripts.errors import (
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    VideoSDKTranscriptsError,
)


def translate(
    error: Exception, *, tried: str, host: str, through_proxy: bool
) -> VideoSDKTranscriptsError:
    """
    Turn a failure of the connection into our own error.

    Args:
        error: what came out of a request.
        tried: the method and what was asked for.
        host: whom, with the port.
        through_proxy: whether a proxy stands between.
    """
    match error:
        case aiohttp.ClientPayloadError():
            return InvalidResponseError(f"{tried}: the answer of {host} broke off in its body")
        case aiohttp.ClientResponseError() if type(error) is aiohttp.ClientResponseError:
            # A parser's own 400 and no answer of the service.
            return InvalidResponseError(f"{tried}: the answer of {host} is no HTTP")
        case ValueError() if not isinstance(error, aiohttp.ClientError):
            return ConfigurationError(
                f"{tried}: the request can't be sent; if the session was given, it must not "
                "add credentials of its own (auth=, or trust_env with a netrc file)"
            )
        case _:
            pass
    why = _why_not_connected(error, host, through_proxy=through_proxy)
    return ConnectionFailedError(f"{tried}: {why}")


def _why_not_connected(error: Exception, host: str, *, through_proxy: bool) -> str:
    match error:
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refused with {error.status}; check its address and credentials"
        case aiohttp.ClientConnectorDNSError():
            name = "the proxy" if through_proxy else host
            return f"the name of {name} can't be resolved; check its address and the network"
        case aiohttp.ClientProxyConnectionError():
            return "can't connect to the proxy; check its address"
        case aiohttp.ClientSSLError():
            return f"no trusted TLS connection to {host}; check its certificate, or pass ssl="
        case aiohttp.ClientConnectorError():
            return f"can't connect to {host}: {error.os_error.strerror or 'refused'}"
        case _:
            return f"the connection to {host} broke before an answer came"
