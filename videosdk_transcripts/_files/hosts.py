"""
Decide which hosts files may come from, and at which addresses (P9). No I/O.

A URL is parsed by a strict pattern, and the requested URL is built from the parsed parts only,
because two parsers may disagree about the host of a URL.
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
"""A host whose last part is a number, which system functions may interpret as an address."""
# Characters that are sent unchanged; all others, including line breaks, are percent-encoded.
_SENDABLE: Final = "!$%&'()*+,/:;=?@[]~"
_OTHER_SURROGATE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")

_GLOBAL: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_DOCUMENTATION: Final = IPv6Network("3fff::/20")


@frozen
class CheckedUrl:
    """The location of a file: a URL that passed the check."""

    scheme: str
    host: str
    """A name or an address, in lower case; IPv6 without brackets."""
    port: int
    path: str
    query: str

    @property
    def url(self) -> str:
        """Return the URL to request."""
        return f"{_origin(self.scheme, self.host, self.port)}{self.path}{self.query}"


class FileHosts:
    """
    Check file hosts: ``cdn.videosdk.live`` and those that the caller adds are allowed.

    Args:
        extra: host names, allowed for https on port 443 with public addresses only; or origins
            such as ``https://files.example.com:8443`` or ``http://127.0.0.1:8080``, allowed
            exactly as written, whatever their address.

    Raises:
        ConfigurationError: an entry is neither a host name nor an origin.
    """

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._names = {_DEFAULT}
        self._origins: set[tuple[str, str, int]] = set()
        for entry in _entries(extra):
            self._add(entry)

    def check(self, url: object, *, base: CheckedUrl | None = None) -> CheckedUrl:
        """
        Parse the URL of a file, and check that its host is allowed.

        Args:
            url: the link of a row, or the target of a redirect.
            base: the location that sent the redirect; None for a link.

        Raises:
            FileHostRefusedError: the URL is not allowed. The message names the host, and states
                how to allow it.
        """
        source = "the link" if base is None else f"the redirect from {base.host}"
        text = _joined(url, base)
        found = _URL.fullmatch(text)
        if found is None:
            raise FileHostRefusedError(f"{source} is not an absolute https URL with a host")
        if found["user"] is not None:
            raise FileHostRefusedError(
                f"{source} has a user name for {found['host']}, which no file host needs"
            )
        scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
        # Of an address, only the spelling on which all parsers agree is accepted.
        if not _is_host(host):
            raise FileHostRefusedError(f"{source} has a malformed host or address {host}")
        if scheme not in _PORTS:
            raise FileHostRefusedError(f"{source} points to {host} over {scheme}, not https")
        port = int(found["port"] or _PORTS[scheme])
        self._check_origin(scheme, host, port, source)
        path, mark, query = found["rest"].partition("#")[0].partition("?")
        return CheckedUrl(scheme, host, port, _sendable(path or "/"), mark + _sendable(query))

    def check_addresses(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """
        Check that all addresses of a host are public, or that it is allowed as an origin.

        Args:
            host: the name of the host, in lower case.
            port: the port to connect to.
            addresses: the resolved addresses, to which alone the caller may connect then.

        Raises:
            FileHostRefusedError: an address is not public.
        """
        if all(_is_public(address) for address in addresses):
            return
        if any((scheme, host, port) in self._origins for scheme in _PORTS):
            return
        raise FileHostRefusedError(
            f"the file host {host} has an address that is not public; if that is intended, "
            f"allow it with file_hosts=[{_origin('https', host, port)!r}]"
        )

    def _check_origin(self, scheme: str, host: str, port: int, source: str) -> None:
        if (scheme, host, port) in self._origins:
            return
        origin = _origin(scheme, host, port)
        if scheme != "https":
            raise FileHostRefusedError(
                f"{source} points to {host} over {scheme}, not https; allow it with "
                f"file_hosts=[{origin!r}]"
            )
        if port != 443 or host not in self._names:
            entry = host if port == 443 and _is_public_or_name(host) else origin
            where = host if port == 443 else f"{host}:{port}"
            raise FileHostRefusedError(
                f"{source} points to {where}, which is not an allowed file host; if you trust it, "
                f"allow it with file_hosts=[{entry!r}]"
            )

    def _add(self, entry: object) -> None:
        host = _host_of(entry)
        origin = _origin_of(entry)
        if host is not None:
            if not _is_public_or_name(host):
                raise ConfigurationError(
                    f"file_hosts: {host} is not public; write it as an origin, 'https://{host}'"
                )
            self._names.add(host.strip("[]"))
        elif origin is not None:
            self._origins.add(origin)
        else:
            # Raised here, where no frame holds the entry, which may be a signed link.
            raise ConfigurationError(
                "file_hosts must hold host names such as 'files.example.com' and origins such "
                "as 'https://files.example.com:8443', without user, path and query"
            )


def _entries(extra: object) -> Iterable[object]:
    if isinstance(extra, str) or not isinstance(extra, Iterable):
        raise ConfigurationError('file_hosts must be a list of hosts: file_hosts=["..."]')
    return extra


def _host_of(entry: object) -> str | None:
    """Return an entry of `file_hosts` if it is a name or an address, otherwise None."""
    if not isinstance(entry, str):
        return None
    host = entry.lower()
    return host if _HOST.fullmatch(host) and _is_host(host) else None


def _origin_of(entry: object) -> tuple[str, str, int] | None:
    """Return the parts of an entry of `file_hosts` if it is an origin, otherwise None."""
    found = _URL.fullmatch(entry.lower()) if isinstance(entry, str) else None
    if found is None or found["user"] is not None or found["rest"]:
        return None
    scheme, host = found["scheme"], found["host"]
    if scheme not in _PORTS or not _is_host(host):
        return None
    port = int(found["port"] or _PORTS[scheme])
    return (scheme, host.strip("[]"), port) if 0 < port < 65536 else None


def _joined(url: object, base: CheckedUrl | None) -> str:
    if not isinstance(url, str):
        return ""
    try:
        return url if base is None else urljoin(base.url, url)
    except ValueError:
        return ""


def _origin(scheme: str, host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}" + ("" if _PORTS[scheme] == port else f":{port}")


def _sendable(text: str) -> str:
    # A surrogate that stands for a raw byte of a header (PEP 383) is sent as that byte. Other
    # surrogates are not characters: like a browser, send U+FFFD instead.
    data = _OTHER_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).encode(errors="surrogateescape")
    return quote(data, safe=_SENDABLE)


def _is_host(host: str) -> bool:
    """Return whether a host is a name, or an address in its canonical spelling."""
    if not _NUMERIC.fullmatch(host) and ":" not in host:
        return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
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
        # If an IPv4 address is embedded, the connection reaches that address.
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return _is_public_address(inner)
        if address not in _GLOBAL or address in _DOCUMENTATION:
            return False
    return address.is_global and not address.is_multicast
