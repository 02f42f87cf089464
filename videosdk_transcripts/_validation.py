"""Check arguments: each function raises ConfigurationError before anything is sent."""

from __future__ import annotations

import sys

from .errors import ConfigurationError


def check_id(name: str, value: object, hint: str = "") -> None:
    """
    Check an id.

    An empty one would request all rooms, and one of dots alone another path.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}")
    if not value.strip(".") or any(c.isspace() or not c.isprintable() for c in value):
        raise ConfigurationError(
            f"{name} must be a non-empty id without white space, not {value!r}{hint}"
        )


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Check an integer of `least` or more."""
    if type(value) is not int or value < least:
        raise ConfigurationError(f"{name} must be a whole number, {least} or more, not {value!r}")


def check_number(name: str, value: object, *, least: float, above: bool = False) -> None:
    """Check a number of `least` or more; with `above`, one greater than `least`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Rejects NaN, infinity, and integers that no float can hold.
        fits = (value > least if above else value >= least) and value <= sys.float_info.max
    else:
        fits = False
    if not fits:
        bound = f"above {least:g}" if above else f"of {least:g} or more"
        raise ConfigurationError(f"{name} must be a number {bound}, not {value!r}")


def check_word(name: str, value: object, words: tuple[str, ...]) -> None:
    """Check that a value is one of several words."""
    if value not in words:
        raise ConfigurationError(f"{name} must be one of {', '.join(words)}, not {value!r}")
