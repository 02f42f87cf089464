"""
Check arguments: each function raises ConfigurationError before anything is sent.

Strings are returned as exact `str` objects. A caller's string may be of a subclass, such as
``class Room(str, Enum)``, whose `__str__`, hash or methods differ from those of `str`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from inspect import iscoroutinefunction
from typing import Final, TypeVar

from ._redact import TOKEN, kind_of, plain_text
from .errors import ConfigurationError

T = TypeVar("T")

_MAX_SHOWN: Final = 20
"""Maximum length of an invalid string that an error quotes; a longer one may be a secret."""
_MAX_ID: Final = 256
"""Maximum length of an id; the service's own have at most 36 characters."""
_MAX_WORD: Final = 40
"""Maximum length of a format's name; the service's own have at most 4 characters."""
_MAX_COUNT: Final = sys.maxsize


def check_id(name: str, value: object, hint: str = "") -> str:
    """
    Check an id and return it.

    An empty id would request all rooms, and an id that consists of dots another path.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string, not {kind_of(value)}{hint}")
    if "://" in value or TOKEN.fullmatch(value) or len(value) > _MAX_ID:
        what = "a URL" if "://" in value else "a token or a key"
        raise ConfigurationError(f"{name} must be an id, not {what}{hint}")
    if not value.strip(".") or any(c.isspace() or not c.isprintable() for c in value):
        raise ConfigurationError(
            f"{name} must be a non-empty id without whitespace, not {shown(value)}{hint}"
        )
    return plain_text(value)


def check_text(name: str, value: object) -> str:
    """Check a non-empty word and return it."""
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name} must be a non-empty string, not {shown(value)}")
    if "/" in value or len(value) > _MAX_WORD:
        raise ConfigurationError(f"{name} must be a word, not a URL, a path or a longer text")
    return plain_text(value)


def check_flag(name: str, value: object) -> None:
    """Check a bool: the text ``"false"`` would count as true."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {shown(value)}")


def check_instance(name: str, value: object, *kinds: type) -> None:
    """Check that a value is an instance of one of several classes."""
    if not isinstance(value, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ConfigurationError(f"{name} must be of type {expected}, not {kind_of(value)}")


def check_function(name: str, value: object) -> None:
    """Check a function whose result is not awaited."""
    if not callable(value) or iscoroutinefunction(value):
        found = "a coroutine function" if callable(value) else kind_of(value)
        raise ConfigurationError(f"{name} must be a function, not {found}")


def check_items(name: str, values: object, kind: type[T]) -> list[T]:
    """Check an iterable of instances of a class, and return them as a list."""
    # Converted to a list first, because an iterator can be read only once.
    found = list(values) if isinstance(values, Iterable) else None
    if found is None or not all(isinstance(value, kind) for value in found):
        raise ConfigurationError(
            f"{name} must be a sequence of {kind.__name__}, not {kind_of(values)}"
        )
    return found


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Check an integer that is `least` or more, and fits into 64 bits."""
    if type(value) is not int or not least <= value <= _MAX_COUNT:
        raise ConfigurationError(
            f"{name} must be a whole number, {least} or more, not {shown(value)}"
        )


def check_number(name: str, value: object, *, least: float, above: bool = False) -> None:
    """Check a number that is `least` or more; with `above`, greater than `least`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Rejects NaN, infinity, and integers that no float can hold.
        fits = (value > least if above else value >= least) and value <= sys.float_info.max
    else:
        fits = False
    if not fits:
        bound = f"above {least:g}" if above else f"of {least:g} or more"
        raise ConfigurationError(f"{name} must be a number {bound}, not {shown(value)}")


def check_word(name: str, value: object, words: tuple[str, ...]) -> None:
    """Check that a value is one of several words."""
    if not isinstance(value, str) or value not in words:
        raise ConfigurationError(f"{name} must be one of {', '.join(words)}, not {shown(value)}")


def shown(value: object) -> str:
    """Return an invalid value for an error, or only its type if it may contain a secret."""
    if isinstance(value, str):
        quoted = repr(plain_text(value))
        return quoted if len(value) <= _MAX_SHOWN else f"a string of {len(value)} characters"
    if isinstance(value, int) and abs(value) > _MAX_COUNT:
        return "an integer of more than 64 bits"
    return repr(value) if isinstance(value, int | float | None) else kind_of(value)
