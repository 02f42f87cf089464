"""
Recognise a web page, or an XML error of a file host, that was sent with status 200. No I/O.

A login page or an error page in place of a transcript would be kept forever: an existing file
is never fetched again.
"""

from __future__ import annotations

import re
from typing import Final

from videosdk_transcripts.errors import InvalidResponseError

from .transport import Sink

_TEXT_FORMATS: Final = frozenset({"txt", "srt", "vtt", "tsv"})
_HEAD: Final = 16 * 1024
"""The first element of a file is recognised only if it is within these first bytes."""

# Atomic groups and possessive repetitions, so that no input causes exponential backtracking.
_BLANK: Final = rb"(?>\s++|\xef\xbb\xbf|<!--.*?-->)*+"
_PROLOG: Final = rb"(?>\s++|\xef\xbb\xbf|<!--.*?-->|<\?.*?\?>|<!doctype\s++(?!html)[^>]*+>)*+"
_ERROR_PAGE: Final = re.compile(
    # The document type, or the elements with which only a web page starts. Words after their
    # name are attributes, or the tag is the name of a speaker: "<Head of Sales> Hello".
    rb"(?is)" + _PROLOG + rb"<(?:!doctype\s++html[\s/>]|(?:html|head|body|title|style|script"
    rb"|noscript|frameset)(?:\s*+/?>|\s[^<>=]*+=)|(?:meta|link)\s[^<>=]*+=)"
    # An error of S3 and of those that imitate it; some omit the XML declaration:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    rb"|" + _BLANK + rb"<\?xml\s.*?\?>" + _PROLOG + rb"<error(?:response)?[\s/>]"
    rb"|" + _BLANK + rb"<error(?:response)?(?:\s[^>]*+)?>" + _BLANK + rb"<(?:code|message|resource"
    rb"|requestid|hostid)[\s>]"
)


def is_text_format(format: str, *, summary: bool) -> bool:  # noqa: A002 - the API's own word
    """Return whether a file is plain text, so that it can't start like a web page."""
    return summary or format.lower() in _TEXT_FORMATS


def is_error_page(head: bytes) -> bool:
    """
    Return whether a file starts like a web page or like an XML error.

    Args:
        head: the first bytes of the file, whose first element may not be among them yet.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        # UTF-16 with its byte order mark
        head = head.decode("utf-16", "ignore").encode("utf-8", "ignore")
    return _ERROR_PAGE.match(head) is not None


class TextSink:
    """
    Pass a text file on to another sink, unless it is an error page.

    Args:
        sink: receives the file.
        subject: what was requested, for the error.
    """

    def __init__(self, sink: Sink, subject: str) -> None:
        self._sink = sink
        self._subject = subject
        self._head = b""

    async def begin(self) -> None:
        """Discard what came before."""
        self._head = b""
        await self._sink.begin()

    async def write(self, chunk: bytes) -> None:
        """
        Pass on a part of the file.

        Raises:
            InvalidResponseError: the file starts like a web page or an XML error.
        """
        if len(self._head) < _HEAD:
            self._head += chunk[: _HEAD - len(self._head)]
            if is_error_page(self._head):
                raise InvalidResponseError(
                    f"{self._subject}: the response is a web page or an XML error with status "
                    "200, not the file; a proxy, a login page or the file host may have "
                    "sent it",
                    status=200,
                )
        await self._sink.write(chunk)
