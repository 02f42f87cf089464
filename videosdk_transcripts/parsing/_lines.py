"""The lines of a text, with nothing taken off them."""

from __future__ import annotations

import re
from io import StringIO
from typing import Final

_BREAK: Final = re.compile(r"\r\n|\r|\n")


def split_lines(text: str) -> list[str]:
    r"""
    Return the lines of a text, each with its own end: ``\n``, ``\r\n`` or ``\r``.

    Other signs that `str.splitlines` breaks at may stand in what somebody said.
    """
    return list(StringIO(text, newline=""))


def joined(lines: list[str]) -> str:
    """Return lines as they stand in the source, without the end of the last one."""
    return "".join(lines).rstrip("\r\n")


def tidy(text: str) -> str:
    """Return a text without blank lines, and without the space around its lines."""
    return "\n".join(filter(None, (line.strip() for line in _BREAK.split(text))))
