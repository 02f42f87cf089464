"""Make the names of files on disk from a row's id and the format. No I/O."""

from __future__ import annotations

import re
from typing import Final

from videosdk_transcripts._validation import shown
from videosdk_transcripts.errors import ConfigurationError, FileError

_MAX_NAME: Final = 200
"""Maximum length of an encoded id: a file name has at most 255 bytes, including the suffixes."""
_FORMAT: Final = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
# Names that Windows reserves for devices, even with an extension.
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.ASCII)
_SUMMARY: Final = "-summary"


def file_name(row_id: str, format: str, *, summary: bool) -> str:  # noqa: A002 - the API's word
    """
    Return the file name of a row: ``<id>.<format>`` or ``<id>-summary.<format>``.

    Lower-case letters, digits, ``_`` and ``-`` are kept. Each byte of any other character becomes
    ``=`` and two hexadecimal digits, so that no two ids share a name, even on a case-insensitive
    file system.

    Args:
        row_id: the id from the service, which may be any text.
        format: the format: letters, digits, ``_`` and ``-``.
        summary: whether it is the file of the summary.

    Raises:
        ConfigurationError: the format is invalid.
        FileError: the id is empty or too long.
    """
    if not _FORMAT.fullmatch(format):
        raise ConfigurationError(
            "a format must be 1 to 16 letters and digits (ASCII), such as 'txt', "
            f"not {shown(format)}"
        )
    name = _encode(row_id)
    if _DEVICE.fullmatch(name):
        name = f"={ord(name[0]):02x}{name[1:]}"
    elif name.endswith(_SUMMARY):
        # Otherwise it could equal the name of another row's summary.
        name = f"{name[:-1]}={ord(name[-1]):02x}"
    if not 0 < len(name) <= _MAX_NAME:
        raise FileError(f"an id of {len(row_id)} characters can't be used as a file name")
    return f"{name}{_SUMMARY if summary else ''}.{_encode(format)}"


def _encode(text: str) -> str:
    return re.sub(
        r"[^a-z0-9_-]",
        lambda found: "".join(f"={byte:02x}" for byte in found[0].encode(errors="surrogatepass")),
        text,
    )
