"""The files of the fake service, and what can go wrong with them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

from aiohttp import web
from attrs import define, frozen

from ._listing import Row
from ._script import Script

if TYPE_CHECKING:
    from ._exchange import Exchange, Fault, SeenRequest
    from ._server import FakeVideoSDK


FILE_PATH: Final = "/files/{id}/{name}"
_MAPS: Final = ("transcriptionFilePaths", "summarizedFilePaths")
_SAID: Final = "Shall we begin?"
_BODIES: Final = {
    "txt": f"Ann: {_SAID}\nBob: Yes.\n",
    "srt": f"1\n00:00:00,000 --> 00:00:02,000\n{_SAID}\n\n2\n00:00:02,000 --> 00:00:03,000\nYes.\n",
    "vtt": f"WEBVTT\n\n00:00.000 --> 00:02.000\n{_SAID}\n\n00:02.000 --> 00:03.000\nYes.\n",
    "tsv": f"start\tend\ttext\n0\t2000\t{_SAID}\n2000\t3000\tYes.\n",
    "json": f'{{"segments": [{{"start": 0.0, "end": 2.0, "text": "{_SAID}"}}]}}',
}
_SUMMARY: Final = "Ann and Bob began.\n"


@define
class _Link:
    """A link and what is behind it."""

    data: bytes
    number: int = 1
    """Which of the links that the file has had so far."""
    dead: int = 404
    """What the ones before it answer."""
    is_dead: bool = False


class FakeFiles:
    """
    Serves the files of rows on the address of the fake service, without any credentials.

    ::

        row = fake.add_transcription()
        fake.files.put(row, "txt", b"Ann: Shall we begin?")
        fake.files.fail_next(Status(503))

    Faults are those of the service, with `Redirect` and `GzipBomb` beside them.
    """

    def __init__(self, fake: FakeVideoSDK) -> None:
        self.requests: list[SeenRequest] = []
        """What was asked so far, with the headers."""
        self._fake = fake
        self._script = Script()
        self._links: dict[tuple[str, str], _Link] = {}

    def put(
        self,
        row: Row | str,
        format: str,  # noqa: A002 - the API's own word
        data: bytes | None = None,
        *,
        summary: bool = False,
    ) -> str:
        """
        Serve a file and write its link into the row.

        Args:
            row: the row, or its id, also of a recording's.
            format: which file.
            data: what is in it; some words of that format by default.
            summary: whether it is the file of the summary.

        Returns:
            The link.
        """
        row = self._row(row)
        text = _SUMMARY if summary else _BODIES.get(format, _SAID)
        name = f"{row['id']}{'-summary' if summary else ''}.{format}"
        self._links[row["id"], name] = _Link(text.encode() if data is None else data)
        files = row[_MAPS[summary]] = dict(row.get(_MAPS[summary]) or {})
        files[format] = self._url(row["id"], name)
        return str(files[format])

    def serve_all(self) -> None:
        """Serve each file that a row names so far, in place of the vendor's own host."""
        for row in (*self._fake.rows, *self._fake.post_rows):
            for summary in (False, True):
                for name in row.get(_MAPS[summary]) or {}:
                    self.put(row, name, summary=summary)

    def expire(self, row: Row | str, *, status: int = 403, renew: bool = True) -> None:
        """
        Let the links of a row die.

        Args:
            row: the row, or its id.
            status: what they answer from now on.
            renew: whether the row gets new ones, which live.
        """
        row = self._row(row)
        for (row_id, name), link in self._links.items():
            if row_id == row["id"]:
                link.dead, link.is_dead = status, not renew
                link.number += renew
                stem, _, ending = name.rpartition(".")
                files = row[_MAPS[stem.endswith("-summary")]]
                files[ending] = self._url(row_id, name)

    def fail_next(self, *faults: Fault, times: int = 1) -> None:
        """Let the next requests for files meet these faults, one each; all so many times."""
        self._script.fail_next(*faults, times=times)

    def clear_faults(self) -> None:
        """Forget the faults that are still to come."""
        self._script.clear()

    def next_fault(self) -> Fault | None:
        """Return what the request under way meets."""
        return self._script.due("", len(self.requests))

    def respond(self, request: web.Request) -> web.Response:
        """Answer a request for a file, without a fault."""
        link = self._links.get((request.match_info["id"], request.match_info["name"]))
        if link is None:
            return web.Response(status=404)
        if link.is_dead or request.query.get("link", "1") != str(link.number):
            return web.Response(status=link.dead)
        return web.Response(body=link.data, content_type="text/plain")

    def _row(self, row: Row | str) -> Row:
        if not isinstance(row, str):
            return row
        rows = (*self._fake.rows, *self._fake.post_rows)
        return next(one for one in rows if one["id"] == row)

    def _url(self, row_id: str, name: str) -> str:
        number = self._links[row_id, name].number
        query = f"?link={number}" if number > 1 else ""
        return f"{self._fake.url}/files/{row_id}/{name}{query}"


@frozen
class Redirect:
    """Send whoever asks to another URL."""

    url: str
    status: int = 302

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(status=self.status, headers={"Location": self.url})


@frozen
class GzipBomb:
    """Answer with a small body that becomes a large one where it is decoded."""

    size: int = 128 * 1024 * 1024
    """The bytes that it becomes."""

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(
            body=gzip.compress(bytes(self.size)), headers={"Content-Encoding": "gzip"}
        )
