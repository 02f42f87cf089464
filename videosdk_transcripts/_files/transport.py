"""
Download files without credentials, from allowed hosts only (P9, P10).

`hosts` decides where a file may come from, and `_http.retry.Runner` decides when a request is
sent, as for the API. This file sends it, and follows redirects.

The session is never the caller's, which might add headers, and whose connections can't be bound
to the address that was checked. A proxy is used only if the caller requests it, because the proxy
resolves the name again, and the address to which it connects can't be checked.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import frozen
from yarl import URL

from videosdk_transcripts._api.protocol import retry_after, status_error
from videosdk_transcripts._clock import Clock
from videosdk_transcripts._http.aiohttp_errors import Translation, proxy_refused
from videosdk_transcripts._http.encoding import ACCEPTED, BodyDecoder, words_of
from videosdk_transcripts._http.proxy import ProxySettings
from videosdk_transcripts._http.retry import Attempt, RetryPolicy, Runner
from videosdk_transcripts._http.session import NO_TIMEOUT, ConnectionOptions, Sessions
from videosdk_transcripts._http.transport import log_attempt, log_response, read_body
from videosdk_transcripts._redact import Secret
from videosdk_transcripts.errors import (
    ConfigurationError,
    ConnectionFailedError,
    FileError,
    InvalidResponseError,
    NoResponseError,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.models import WalkStats

from .hosts import CheckedUrl, FileHosts

_NO_PROXY: Final = ProxySettings()
_MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEAD: Final = frozenset({401, 403, 404, 410})
# S3 and Google Cloud Storage reject some dead links with 400 and a code in XML, other hosts
# with a code in JSON: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_MAX_ERROR_BODY: Final = 16 * 1024
_CODE: Final = re.compile(
    rb"""(?:<code>|"(?:code|error)"\s*:\s*")\s*([a-z0-9_.-]{1,64})\s*["<]""", re.IGNORECASE
)
_DEAD_CODE: Final = re.compile(
    r"expired|denied|forbidden|auth|token|jwt|signature|credential|accesskey|no_?such|not_?found",
    re.IGNORECASE,
)

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""Return the addresses of a host and port."""


@frozen
class DeadLink:
    """The response of a file host to a link that no longer works."""

    status: int
    code: str | None = None
    """The host's own code, if the status alone does not show that the link is dead."""

    def __str__(self) -> str:
        return f"status {self.status}" + (f", {self.code}" if self.code else "")


class Sink(Protocol):
    """Receive a file. `begin` is called for each request, and discards all earlier data."""

    async def begin(self) -> None: ...
    async def write(self, chunk: bytes) -> None: ...


class FileTransport:
    """
    Download files with as many attempts as the policy allows.

    Args:
        hosts: where files may come from.
        policy: attempts and time limits; page_timeout applies to one file.
        ssl: a TLS context, if the system's certificates are not sufficient.
        max_in_flight: maximum number of concurrent downloads.
        max_file_bytes: maximum decoded size of one file.
        clock: the source of time and waits.
        find: resolves the addresses of a host.
        proxies: the proxy of the API.
        via_proxy: whether to use it for files, too.
    """

    def __init__(
        self,
        hosts: FileHosts,
        policy: RetryPolicy,
        *,
        ssl: ssl_module.SSLContext | aiohttp.Fingerprint | bool,
        max_in_flight: int,
        max_file_bytes: int,
        clock: Clock,
        find: LookUp | None = None,
        proxies: ProxySettings = _NO_PROXY,
        via_proxy: bool = False,
    ) -> None:
        self._hosts = hosts
        self._proxies = proxies
        self._via_proxy = via_proxy
        if via_proxy:
            # Raises the error about an invalid variable here, in the constructor.
            proxies.proxy_for("https://cdn.videosdk.live")
        self._ssl = ssl
        self._max_file_bytes = max_file_bytes
        self._clock = clock
        self._resolver = _CheckingResolver(hosts, find or look_up)
        self.sessions = Sessions(
            ConnectionOptions(max_in_flight=max_in_flight, resolver=self._resolver)
        )
        self._runner = Runner(self.sessions, policy, clock)

    async def aclose(self) -> None:
        """End the downloads in progress in this loop, and close its session."""
        await self.sessions.aclose()

    async def fetch(self, url: str, sink: Sink, what: str) -> DeadLink | None:
        """
        Download a file with as many attempts as the policy allows.

        Args:
            url: the link.
            sink: receives the file.
            what: what is requested, for errors and log lines.

        Returns:
            None, or why the link is dead: 401, 403, 404, 410, or 400 with a code such as
            ``ExpiredToken`` or ``AccessDenied``.

        Raises:
            FileHostRefusedError: the host, or the host of a redirect, is not allowed.
            ResponseTooLargeError: the file is larger than the limit.
            InvalidResponseError: the response does not prove that the file is complete.
            VideoSDKTranscriptsError: the last failure, or an error of the sink.
        """
        try:
            return await self._runner.run(
                what, lambda attempt: self._follow(attempt, url, sink), stats=WalkStats()
            )
        except NoResponseError as error:
            advice = "" if self._via_proxy else self._proxy_advice(url)
            if advice:
                error.message += f"; {advice}"
                error.args = (error.message,)
            raise

    async def _follow(self, attempt: Attempt, url: str, sink: Sink) -> DeadLink | None:
        """Request a file, and follow its redirects, each of which is checked like the link."""
        await attempt.admit()
        target = self._hosts.check(url)
        for _ in range(_MAX_REDIRECTS + 1):
            await sink.begin()
            outcome = await self._send(attempt, target, sink)
            if not isinstance(outcome, str):
                return outcome
            target = self._hosts.check(outcome, base=target)
        raise FileError(f"{attempt.call.what}: redirected more than {_MAX_REDIRECTS} times")

    async def _send(
        self, attempt: Attempt, target: CheckedUrl, sink: Sink
    ) -> str | DeadLink | None:
        """Send one request. Return the target of a redirect, a dead link, or None if it is done."""
        what, session = attempt.call.what, attempt.session
        began = log_attempt(attempt)
        proxy = self._proxies.proxy_for(target.url) if self._via_proxy else None
        headers: dict[str, str] = {"Accept-Encoding": ACCEPTED}
        to_proxy: Mapping[str, str] = {}
        secrets: tuple[Secret, ...] = ()
        if proxy is not None:
            self._resolver.unchecked.add((proxy.url.raw_host, proxy.url.port))
            to_proxy, secrets = proxy.authorization, proxy.secrets
            if target.scheme == "http":
                # Without a tunnel, the proxy reads the request itself.
                headers |= to_proxy
        with Translation(
            what, target.host, self.sessions, session, through_proxy=proxy is not None
        ) as translation:
            async with session.get(
                URL(target.url, encoded=True),
                headers=headers,
                proxy=None if proxy is None else proxy.url,
                proxy_headers=to_proxy,
                allow_redirects=False,
                auto_decompress=False,
                raise_for_status=False,
                timeout=NO_TIMEOUT,
                ssl=self._ssl,
            ) as response:
                log_response(attempt, response.status, began)
                subject = f"{what}: the response of {target.host}"
                if response.status in _REDIRECTS and "Location" in response.headers:
                    return response.headers["Location"]
                if response.status in _DEAD:
                    return DeadLink(response.status)
                if response.status == 407 and proxy is not None:
                    raise ConnectionFailedError(f"{what}: {proxy_refused(407)}")
                code = None
                if response.status == 400:
                    code = await _read_code(response, subject, secrets)
                if code is not None and _DEAD_CODE.search(code):
                    return DeadLink(response.status, code)
                if response.status != 200:
                    raise self._refusal(response, what, target, code)
                decoder = _decoder_for(response, subject, secrets)
                _check_framing(response, decoder, subject)
                await read_body(
                    response,
                    sink.write,
                    what=what,
                    limit=self._max_file_bytes,
                    advice="raise max_file_bytes if that is intended",
                    decode=decoder.decode,
                )
                decoder.check_end()
                return None
        raise translation.error

    def _proxy_advice(self, url: str) -> str:
        """Return advice to use the proxy of the API, or one of the environment."""
        try:
            if self._proxies.proxy_for(url) is not None:
                return (
                    "files bypass the proxy of the API: to use it for files too, pass "
                    "files_via_proxy=True"
                )
        except ConfigurationError:
            # The variable for this scheme is invalid; the API uses the one for another scheme.
            return ""
        advice = self._proxies.advice_for(url)
        return advice and f"{advice}, and for files with files_via_proxy=True"

    def _refusal(
        self, response: aiohttp.ClientResponse, what: str, target: CheckedUrl, code: str | None
    ) -> VideoSDKTranscriptsError:
        status = response.status
        text = f"{what}: the file host {target.host} responded with {status}"
        if 200 <= status < 300:
            text += ", which is not a complete, unmodified file"
            return InvalidResponseError(text, status=status)
        text += f", {code}" if code else ""
        wait = retry_after(response.headers, datetime.fromtimestamp(self._clock.time(), UTC))
        return status_error(status)(text, status=status, code=code, retry_after=wait)


def _decoder_for(
    response: aiohttp.ClientResponse, subject: str, secrets: tuple[Secret, ...]
) -> BodyDecoder:
    coding = ", ".join(response.headers.getall("Content-Encoding", ()))
    return BodyDecoder(coding, subject=subject, status=response.status, secrets=secrets)


def _check_framing(response: aiohttp.ClientResponse, decoder: BodyDecoder, subject: str) -> None:
    """
    Check that the response can prove that a body is complete.

    The proof is its length, its last chunk, or the end of its compressed data. The latter is always
    required, because a proxy may forward a truncated body as correct HTTP.
    """
    transfer = ", ".join(response.headers.getall("Transfer-Encoding", ()))
    if words_of(transfer) not in ([], ["chunked"]):
        problem = f"has the Transfer-Encoding {transfer[:40]!r}, which was not requested"
    elif not ("Content-Length" in response.headers or transfer or decoder.is_compressed):
        problem = (
            "has no length, so a truncated file would look complete; its host must send a "
            "Content-Length, or chunks"
        )
    else:
        return
    raise InvalidResponseError(f"{subject} {problem}", status=response.status)


async def _read_code(
    response: aiohttp.ClientResponse, subject: str, secrets: tuple[Secret, ...]
) -> str | None:
    """Return the code in the body of an error, or None if there is none."""
    head = b""
    try:
        decoder = _decoder_for(response, subject, secrets)
        while not response.content.at_eof() and len(head) < _MAX_ERROR_BODY:
            for chunk in decoder.decode(await response.content.readany()):
                head += chunk
                if len(head) >= _MAX_ERROR_BODY:
                    break
    except InvalidResponseError:
        return None
    found = _CODE.search(head, 0, _MAX_ERROR_BODY)
    code = found[1].decode() if found else None
    # A proxy may echo its password.
    return None if code is None or any(secret in code for secret in secrets) else code


class _CheckingResolver(AbstractResolver):
    """Resolve a name once for a connection, and return only addresses that passed the check."""

    def __init__(self, hosts: FileHosts, find: LookUp) -> None:
        self._hosts = hosts
        self._find = find
        self.unchecked: set[tuple[str | None, int | None]] = set()
        """The hosts and ports of proxies, which the caller trusts."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await self._find(host, port)
        if (host, port) not in self.unchecked:
            self._hosts.check_addresses(host, port, addresses)
        if not addresses:
            raise OSError(f"{host} has no address")
        return [_resolved(host, port, address) for address in addresses]

    async def close(self) -> None:
        """Do nothing: the resolver has no resources."""


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host according to the system."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _resolved(host: str, port: int, address: str) -> ResolveResult:
    is_ipv6 = ip_address(address).version == 6
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
