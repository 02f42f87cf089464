"""
P9 for files: which hosts a file may come from, and which addresses they may have. No I/O.

A URL is taken apart here by a narrow pattern, and what is sent is put together from these
parts alone: where two parsers read one URL, they may see two hosts in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import quote, urljoin

from attrs import frozen

from videosdk_transcripts.errors import ConfigurationError, FileHostRefusedError

_DEFAULT: Final = "cdn.videosdk.live"
_PORTS: Final = {"https": 443, "http": 80}
_HOST: Final = re.compile(r"\[[0-9a-f.]*:[0-9a-f:.]+\]|[a-z0-9._-]+")
_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>[^/?#\\]*@)?"
    rf"(?P<host>{_HOST.pattern})(?::(?P<port>[0-9]{{1,5}}))?(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.ASCII)
"""What a system's own functions may take for an address: its last part is a number."""
# All that may stand in a request as it is; the rest is quoted, a line break among it.
_SENDABLE: Final = "!$%&'()*+,/:;=?@[]~"

_GLOBAL: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_DOCUMENTATION: Final = IPv6Network("3fff::/20")


@frozen
class Place:
    """Where a file is: a URL that passed."""

    scheme: str
    host: str
    """A name or an address, in lower case; one of IPv6 without its brackets."""
    port: int
    path: str
    query: str

    @property
    def url(self) -> str:
        """Return the whole URL, ready to be sent."""
        return f"{_origin(self.scheme, self.host, self.port)}{self.path}{self.query}"


class FileHosts:
    """
    The hosts that files may come from: ``cdn.videosdk.live`` and what the caller adds.

    Args:
        extra: host names, for https on port 443 with public addresses alone; and origins such
            as ``https://files.example.com:8443`` or ``http://127.0.0.1:8080``, for exactly
            these, whatever their address, since they are spelled out.

    Raises:
        ConfigurationError: an entry is neither.
    """

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._names = {_DEFAULT}
        self._origins: set[tuple[str, str, int]] = set()
        if isinstance(extra, str):
            raise ConfigurationError('file_hosts must be a list of hosts: file_hosts=["..."]')
        for entry in extra:
            self._add(entry)

    def check(self, url: object, *, base: Place | None = None) -> Place:
        """
        Take a URL apart, if a file may be fetched from there.

        Args:
            url: what a row or a redirect says.
            base: what redirected, where it was a redirect.

        Raises:
            FileHostRefusedError: it may not. The text names the host and says how to allow it.
        """
        said = "the link" if base is None else f"{base.host} redirects to what"
        text = _joined(url, base)
        found = _URL.fullmatch(text)
        if found is None:
            raise FileHostRefusedError(f"{said} is no absolute https URL of a named host")
        if found["user"] is not None:
            raise FileHostRefusedError(
                f"{said} holds a user name for {found['host']}, which no file host needs"
            )
        scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
        port = int(found["port"] or _PORTS.get(scheme, 0))
        # What is no address by the one spelling that all agree on is none here.
        if not _is_host(host):
            raise FileHostRefusedError(f"{said} spells the address {host} in a way of its own")
        self._check_origin(scheme, host, port, said)
        path, mark, query = found["rest"].partition("#")[0].partition("?")
        return Place(scheme, host, port, _sendable(path or "/"), mark + _sendable(query))

    def check_addresses(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """
        Pass the addresses of a host, if all of them are public or it was allowed as an origin.

        Args:
            host: its name, in lower case.
            port: where to connect to.
            addresses: what was looked up. Nothing else may be connected to after that.

        Raises:
            FileHostRefusedError: one of them is not.
        """
        if all(_is_public(address) for address in addresses):
            return
        if any((scheme, host, port) in self._origins for scheme in _PORTS):
            return
        raise FileHostRefusedError(
            f"the file host {host} has an address that is not public; if that is meant, "
            f"allow it with file_hosts=[{_origin('https', host, port)!r}]"
        )

    def _check_origin(self, scheme: str, host: str, port: int, said: str) -> None:
        if (scheme, host, port) in self._origins:
            return
        origin = _origin(scheme, host, port)
        if scheme != "https":
            advice = f"; allow it with file_hosts=[{origin!r}]" if scheme == "http" else ""
            raise FileHostRefusedError(f"{said} is on {host} by {scheme}, and not https{advice}")
        if port != 443 or host not in self._names:
            entry = host if port == 443 and _is_public_or_name(host) else origin
            where = host if port == 443 else f"{host}:{port}"
            raise FileHostRefusedError(
                f"{said} is on {where}, which is no file host that is allowed; if you trust it, "
                f"allow it with file_hosts=[{entry!r}]"
            )

    def _add(self, entry: object) -> None:
        text = entry.lower() if isinstance(entry, str) else ""
        if _HOST.fullmatch(text) and _is_host(text):
            if not _is_public_or_name(text):
                raise ConfigurationError(
                    f"file_hosts: {text} is not public; write it as an origin, 'https://{text}'"
                )
            self._names.add(text.strip("[]"))
            return
        found = _URL.fullmatch(text)
        scheme, host = (found["scheme"], found["host"]) if found else ("", "")
        port = int(found["port"] or _PORTS.get(scheme, 0)) if found else 0
        is_origin = found and found["user"] is None and not found["rest"]
        if not (is_origin and scheme in _PORTS and _is_host(host) and 0 < port < 65536):
            # Not shown: whoever takes a signed link for a host would see it in a log.
            raise ConfigurationError(
                "file_hosts must hold host names such as 'files.example.com' and origins such "
                "as 'https://files.example.com:8443', without user, path and query"
            )
        self._origins.add((scheme, host.strip("[]"), port))


def _joined(url: object, base: Place | None) -> str:
    if not isinstance(url, str):
        return ""
    try:
        return url if base is None else urljoin(base.url, url)
    except ValueError:
        return ""


def _origin(scheme: str, host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}" + ("" if _PORTS.get(scheme) == port else f":{port}")


def _sendable(text: str) -> str:
    return quote(text, safe=_SENDABLE, errors="replace")


def _is_host(host: str) -> bool:
    """Tell whether it is a name, or an address in its usual spelling."""
    if not _NUMERIC.fullmatch(host) and ":" not in host:
        return bool(host.strip("."))
    try:
        return bool(ip_address(host.strip("[]")))
    except ValueError:
        return False


def _is_public_or_name(host: str) -> bool:
    is_address = _NUMERIC.fullmatch(host) or ":" in host
    return not is_address or _is_public(host.strip("[]"))


def _is_public(address: str) -> bool:
    try:
        return _is_public_address(ip_address(address))
    except ValueError:
        return False


def _is_public_address(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        # What carries an address of IPv4 leads to that one.
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return _is_public_address(inner)
        if address not in _GLOBAL or address in _DOCUMENTATION:
            return False
    return address.is_global and not address.is_multicast
