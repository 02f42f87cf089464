"""Tokens and secrets in the text of others, in the forms that a service or a proxy echoes."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final
from urllib.parse import unquote

__all__ = ["TOKEN", "is_disguised"]

TOKEN: Final = re.compile(r"eyJ[\w-]{4,}\.[\w-]+(\.[\w-]*)?")
"""A JSON web token, wherever one may be echoed."""
_STANDARD_BASE64: Final = str.maketrans("-_", "+/")


def is_disguised(text: str, secrets: tuple[str, ...]) -> bool:
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
