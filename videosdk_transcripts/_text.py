"""Text of others, before it is shown to anybody."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, most: int) -> str:
    """
    Return a text without what moves a cursor or can't be encoded, and cut off where it is long.

    Args:
        text: whatever the service sent.
        most: how many characters of it are kept.
    """
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:most])
    return f"{shown}…" if len(text) > most else shown
