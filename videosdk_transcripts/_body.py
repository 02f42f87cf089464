"""The body of a write, which notes when it begins to leave."""

from __future__ import annotations

from typing import Self

from ._retry import Attempts, is_refusal

__all__ = ["Body"]


class Body:
    """
    Give out some bytes once, to whoever sends them.

    aiohttp asks for them when it has a connection and not before, so that a write whose
    body nobody has asked for can't have been applied, whatever failed.

    Args:
        content: the bytes.
        attempts: where it is noted.
    """

    def __init__(self, content: bytes, attempts: Attempts) -> None:
        self._content = [content]
        self._attempts = attempts
        self.headers = {
            "Content-Type": "application/json",
            # Without it a body that is asked for piece by piece is sent in chunks.
            "Content-Length": str(len(content)),
        }

    # No generator: one that is left half-way is closed by a task of its own.
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._content:
            raise StopAsyncIteration
        self._attempts.are_open = True
        return self._content.pop()

    def answered(self, status: int) -> None:
        """Take note of an answer: a refusal settles that the write was not applied."""
        self._attempts.are_open = not is_refusal(status)
