"""
Recognize a web page, or an XML error of a file host, that was sent with status 200. No I/O.

A login page or an error page that is saved in place of a transcript would remain forever, because
an existing file is never fetched again.
"""

from __future__ import annotations

import re
from typing import Final

from videosdk_transcripts.errors import InvalidResponseError

from .transport import Sink

_TEXT_FORMATS: Final = frozenset({"txt", "srt", "vtt", "tsv"})
_HEAD: Final = 16 * 1024
"""How many bytes are searched for the first element of a file."""

# Atomic groups and possessive repetitions, so that no input causes exponential backtracking.
_BLANK: Final = rb"(?>\s++|\xef\xbb\xbf|<!--.*?-->)*+"
_PROLOG: Final = rb"(?>\s++|\xef\xbb\xbf|<!--.*?-->|<\?.*?\?>|<!doctype\s++(?!html)[^>]*+>)*+"
_ERROR_PAGE: Final = re.compile(
    # The document type, or an element with which only a web page starts. If other words follow
    # the name of the element, they must be attributes: "<Head of Sales> Hello" names a speaker.
    rb"(?is)" + _PROLOG + rb"<(?:!doctype\s++html[\s/>]|(?:html|head|body|title|style|script"
    rb"|noscript|frameset)(?:\s*+/?>|\s[^<>=]*+=)|(?:meta|link)\s[^<>=]*+=)"
    # An error of S3 or a compatible service; some omit the XML declaration:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    rb"|" + _BLANK + rb"<\?xml\s.*?\?>" + _PROLOG + rb"<error(?:response)?[\s/>]"
    rb"|" + _BLANK + rb"<error(?:response)?(?:\s[^>]*+)?>" + _BLANK + rb"<(?:code|message|resource"
    rb"|requestid|hostid)[\s>]"
)


def is_text_format(format: str, *, summary: bool) -> bool:  # noqa: A002 - the API's own word
    """Return whether a file is plain text, which can't start like a web page."""
    return summary or format.lower() in _TEXT_FORMATS


def is_error_page(head: bytes) -> bool:
    """
    Return whether a file starts like a web page or like an XML error.

    Args:
        head: the first bytes of the file, which may not contain its first element yet.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        # UTF-16 with a byte order mark.
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
        """Discard all data received so far."""
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
