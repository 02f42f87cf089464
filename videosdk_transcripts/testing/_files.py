"""Sample contents for the files of rows, and the links to them."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from attrs import define

FILE_PATH: Final = "/files/{id}/{name}"

_WORDS: Final = "Shall we begin?"
_SAMPLES: Final = {
    "txt": f"Ann: {_WORDS}\nBob: Yes.\n",
    "srt": (
        f"1\n00:00:00,000 --> 00:00:02,000\n{_WORDS}\n\n2\n00:00:02,000 --> 00:00:03,000\nYes.\n"
    ),
    "vtt": f"WEBVTT\n\n00:00.000 --> 00:02.000\n{_WORDS}\n\n00:02.000 --> 00:03.000\nYes.\n",
    "tsv": f"start\tend\ttext\n0\t2000\t{_WORDS}\n2000\t3000\tYes.\n",
    "json": f'{{"segments": [{{"start": 0.0, "end": 2.0, "text": "{_WORDS}"}}]}}',
}
_SAMPLE_SUMMARY: Final = "Ann and Bob began the meeting.\n"


def sample_file(ending: str, *, summary: bool) -> bytes:
    """Return the content of a file for which a test specifies none."""
    return (_SAMPLE_SUMMARY if summary else _SAMPLES.get(ending, _WORDS)).encode()


def file_name(row_id: str, ending: str, *, summary: bool) -> str:
    """Return the name of a file, which is the last part of its URL."""
    return f"{row_id}{'-summary' if summary else ''}.{ending}"


@define
class FileLinks:
    """The links of one file so far. Only the newest one works."""

    row_id: str
    ending: str
    summary: bool
    data: bytes
    number: int = 1
    """The number of the newest link; the ones before it have expired."""
    expired_status: int = 404
    """The status of the response to an expired link."""
    is_gone: bool = False
    """Whether the newest link has expired as well."""

    @property
    def path(self) -> str:
        """Return the path and the query of the newest link."""
        name = file_name(self.row_id, self.ending, summary=self.summary)
        query = f"?link={self.number}" if self.number > 1 else ""
        return f"/files/{self.row_id}/{name}{query}"

    def respond(self, number: str) -> web.Response:
        """Return the response to a request for the link with this number."""
        if self.is_gone or number != str(self.number):
            return web.Response(status=self.expired_status)
        return web.Response(body=self.data, content_type="text/plain")
