"""Text of others, before it is shown to anybody."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn, SupportsIndex
from urllib.parse import unquote

TokenProvider = Callable[[], Awaitable[str]]


def printable(text: str, most: int) -> str:
    """
    Return a text without what moves a cursor or can't be encoded, and cut off where it is long.

    Args:
        text: whatever the service sent.
        most: how many characters of it are kept.
    """
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:most])
    return f"{shown}…" if len(text) > most else shown


TOKEN: Final = re.compile(r"eyJ[\w-]{4,}\.[\w-]+(\.[\w-]*)?")
"""A JSON web token, wherever one may be echoed."""
_STANDARD_BASE64: Final = str.maketrans("-_", "+/")


def contains_encoded_secret(text: str, secrets: tuple[str, ...]) -> bool:
    """Tell whether a text holds a token or a secret in percent-encoding or in base64."""
    plain = unquote(text)
    if plain != text and (TOKEN.search(plain) or any(secret in plain for secret in secrets)):
        return True
    standard = text.translate(_STANDARD_BASE64)
    return any(form in standard for secret in secrets for form in _in_base64(secret.encode()))


def _in_base64(secret: bytes) -> list[str]:
    """Return what of a secret is the same in base64 whatever stands before and behind it."""
    forms = []
    for before in range(3):
        encoded = b64encode(bytes(before) + secret).decode()
        mixed = (0, 3, 2)[(before + len(secret)) % 3]
        forms.append(encoded[(0, 2, 3)[before] : len(encoded) - mixed])
    # What is left of a very short one would be found by chance.
    return [form for form in forms if len(form) >= 8]


class Secret(str):
    """
    A text that shows itself to nobody: not in a repr, a traceback with locals or a pickle.

    It is an ordinary string to a library that sends it.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        # Whoever shortens it for show must not get at the text either.
        return Secret(super().__getitem__(key))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is not pickled or copied; read it again where it is needed")


def hidden_repr(self: object) -> str:
    return f"<{type(self).__name__} ***>"


def refuse_pickle(self: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} holds a secret; make one in each process")


class NotAString:
    """Stand in for an argument that should have been a string, and may be a secret all the same."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class HiddenProvider:
    """Wrap a caller's token callable, whose own repr may show what is bound to it."""

    __slots__ = ("_provide",)

    def __init__(self, provide: TokenProvider) -> None:
        self._provide = provide

    def __call__(self) -> Awaitable[str]:
        """Request a token."""
        return self._provide()


def mask(value: object) -> Any:
    """Return a text as a `Secret`, None as it is, and all else as `Unfit`."""
    if value is None or isinstance(value, NotAString):
        return value
    return Secret(value) if isinstance(value, str) else NotAString(type(value).__name__)
