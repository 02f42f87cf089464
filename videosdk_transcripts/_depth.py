"""How deep JSON may be nested in what is handed out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["DEEPEST", "is_deep"]

DEEPEST: Final = 100
"""Levels. Python's own functions to copy, compare and pickle fail at some hundreds."""


def is_deep(value: object) -> bool:
    """Tell whether a value of JSON is nested deeper than that."""
    # Level by level, as a function that calls itself would fail where it is needed.
    level = [value]
    for _ in range(DEEPEST):
        level = [below for item in level for below in _below(item)]
        if not level:
            return False
    return True


def _below(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
