"""
Keep secrets out of logs, errors, reprs and tracebacks (P8).

The first part masks the caller's secrets: a token, a key or a secret becomes a `Secret` where it
enters the package (`TranscriptsClient`, `mint_token`, the environment, a token callable), and
remains one, so that no later frame can show the plain text.

The second part redacts received text: the service or a proxy may echo a secret, or send
characters that change a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NoReturn, Self, SupportsIndex

TokenProvider = Callable[[], Awaitable[str]]


# The caller's secrets.


class Secret(str):
    """
    A string whose text is not shown in a repr or a traceback with locals, and not pickled.

    Libraries can use it as an ordinary string.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        # A tool that shortens a repr must not reveal the text either.
        return Secret(super().__getitem__(key))

    # Copying is allowed, because programs that record requests copy their headers in memory.

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        # PyYAML calls this, too, so a recording of requests can't contain a token.
        raise TypeError(
            "a secret can't be pickled or written to YAML; read it again where it is needed, and "
            "exclude it from recordings (vcrpy: filter_headers=['authorization'])"
        )


class SecretBytes(bytes):
    """Bytes that are not shown, as `Secret` is for text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return SecretBytes(found) if isinstance(found, bytes) else found


_MASKED_KINDS: Final[dict[type, str]] = {Secret: "str", SecretBytes: "bytes"}


class NotAString:
    """Stand for an argument of another type than a string, which may contain a secret."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind
        """The name of its type, for an error."""


class HiddenProvider:
    """Wrap the caller's token callable, whose own repr may show what is bound to it."""

    __slots__ = ("_provide",)

    def __init__(self, provide: TokenProvider) -> None:
        self._provide = provide

    def __call__(self) -> Awaitable[str]:
        """Request a token."""
        return self._provide()


def mask(value: object) -> Any:
    """
    Return what is safe to keep in a local name: a `Secret` for a string.

    None stays None. A value of another type, which only an untyped caller passes, becomes a
    `NotAString`.
    """
    if value is None or isinstance(value, NotAString):
        return value
    return Secret(plain_text(value)) if isinstance(value, str) else NotAString(kind_of(value))


def mask_unless(value: object, *kinds: type) -> Any:
    """Return a value of one of the kinds as it is, and what `mask` returns for any other."""
    return value if isinstance(value, kinds) else mask(value)


def mask_each(values: object) -> Any:
    """Return a list of what `mask` returns for each value; for a single string, a `Secret`."""
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        return [mask(value) for value in values]
    return mask(values)


def mask_data(value: object) -> Any:
    """Return `SecretBytes` for bytes, and what `mask` returns for any other value."""
    return SecretBytes(value) if isinstance(value, bytes) else mask(value)


def plain_text(text: str) -> str:
    """
    Return the text of a string, as an exact `str`.

    `str` calls the methods of a subclass, and returns ``Room.SALES`` for a member of
    ``class Room(str, Enum)``.
    """
    return str.__str__(text)


def strip(text: str) -> Secret:
    """Return a secret without surrounding whitespace, such as the line break of a file."""
    return Secret(str.strip(text))


def kind_of(value: object) -> str:
    """Return the name of a value's type, for an error."""
    if isinstance(value, NotAString):
        return value.kind
    return _MASKED_KINDS.get(type(value)) or type(value).__name__


def hidden_repr(self: object) -> str:
    """Replace the ``__repr__`` of a class that holds a secret."""
    return f"<{type(self).__name__} ***>"


def refuse_pickle(self: object) -> NoReturn:
    """Replace the ``__reduce__`` of a class that holds a secret."""
    raise TypeError(f"{type(self).__name__} holds a secret; create one in each process")


# Received text.


TOKEN: Final = re.compile(r"eyJ[\w-]{4,}\.[\w-]+(\.[\w-]*)?")
"""A JSON Web Token anywhere in a text."""
_STANDARD_BASE64: Final = str.maketrans("-_", "+/")
_MIN_BASE64: Final = 8
"""Minimum length of a secret in base64; a shorter sequence may occur by chance."""


def contains_encoded_secret(text: str, secrets: tuple[str, ...]) -> bool:
    """Return whether a text contains a token or a secret in percent-encoding or in base64."""
    # Imported on first use, because neither the package nor --help needs them.
    from urllib.parse import unquote

    plain = unquote(text)
    if plain != text and (TOKEN.search(plain) or any(secret in plain for secret in secrets)):
        return True
    standard = text.translate(_STANDARD_BASE64)
    return any(form in standard for secret in secrets for form in _in_base64(secret.encode()))


def _in_base64(secret: bytes) -> list[str]:
    """
    Return the three base64 forms of a secret, without the ends that depend on other bytes.

    The form depends on the position of the secret, modulo 3, in the text that was encoded.
    """
    from base64 import b64encode

    forms = []
    for before in range(3):
        encoded = b64encode(bytes(before) + secret).decode()
        mixed = (0, 3, 2)[(before + len(secret)) % 3]
        forms.append(encoded[(0, 2, 3)[before] : len(encoded) - mixed])
    return [form for form in forms if len(form) >= _MIN_BASE64]


def printable(text: str, most: int) -> str:
    """
    Return a text, shortened, in which a placeholder replaces each unprintable character.

    Args:
        text: a text from the service.
        most: the maximum number of characters to keep.
    """
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:most])
    return f"{shown}…" if len(text) > most else shown
