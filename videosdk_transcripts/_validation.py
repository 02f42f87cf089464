"""Checks of what a caller gives: each raises ConfigurationError before anything is sent."""

from __future__ import annotations

import sys

from .errors import ConfigurationError


def check_id(name: str, value: object, hint: str = "") -> None:
    """
    Refuse what can't be an id.

    An empty one would ask for all rooms, and one of dots alone for another path.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}")
    if not value.strip(".") or any(c.isspace() or not c.isprintable() for c in value):
        raise ConfigurationError(f"{name} must be an id without white space, not {value!r}{hint}")


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Refuse what is no whole number of `least` or more."""
    if type(value) is not int or value < least:
        raise ConfigurationError(f"{name} must be a whole number, {least} or more, not {value!r}")


def check_number(name: str, value: object, *, least: float, above: bool = False) -> None:
    """Refuse what is no number of `least` or more, or above it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Neither "not a number" nor infinity nor a number that no clock can count to.
        fits = (value > least if above else value >= least) and value <= sys.float_info.max
    else:
        fits = False
    if not fits:
        bound = f"above {least:g}" if above else f"of {least:g} or more"
        raise ConfigurationError(f"{name} must be a number {bound}, not {value!r}")


def check_word(name: str, value: object, words: tuple[str, ...]) -> None:
    """Refuse what is none of the words."""
    if value not in words:
        raise ConfigurationError(f"{name} must be one of {', '.join(words)}, not {value!r}")
