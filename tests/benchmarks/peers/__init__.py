"""Other libraries that read the same pages, each in the way of its documentation."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from attrs import frozen

__all__ = ["PEERS", "Peer", "peers_found"]


@frozen
class Peer:
    """One contender."""

    program: str
    """The module in this package."""
    distributions: tuple[str, ...]
    """What it needs."""
    makes: str
    """What it makes of a row, and what it checks."""

    @property
    def name(self) -> str:
        """Return the libraries with their versions."""
        return " + ".join(f"{name} {version(name)}" for name in self.distributions)

    def is_installed(self) -> bool:
        """Return whether all libraries are installed."""
        try:
            return bool(self.name)
        except PackageNotFoundError:
            return False


PEERS: Final = (
    Peer("aiohttp_msgspec", ("aiohttp", "msgspec"), "structs, types checked"),
    Peer("gidgethub_aiohttp", ("gidgethub", "aiohttp"), "dicts"),
    Peer("httpx_pydantic", ("httpx", "pydantic"), "models, types checked"),
    Peer("openai_pages", ("openai",), "models, unchecked"),
    Peer("azure_pages", ("azure-core", "aiohttp"), "dicts"),
)


def peers_found() -> tuple[Peer, ...]:
    """Return the peers that can be measured here."""
    return tuple(peer for peer in PEERS if peer.is_installed())
