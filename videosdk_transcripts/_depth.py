"""How deep JSON may be nested in what is handed out."""

from __future__ import annotations

from typing import Final

__all__ = ["DEEPEST", "is_deep"]

DEEPEST: Final = 100
"""Levels. Python's own functions to copy, compare and pickle fail at some hundreds."""


def is_deep(value: object) -> bool:
    """Tell whether a value of JSON is nested deeper than that."""
    # Level by level, as a function that calls itself would fail where it is needed.
    level = [value]
    for _ in range(DEEPEST):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return False
        level = below
    return True
