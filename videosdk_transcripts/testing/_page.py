"""The page of the fake service: what is in it, and what it was asked. One HTML text, no script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aiohttp import web

from ._page_data import Content, look
from ._page_html import asked_table, job_table, room_table, session_table
from ._page_style import ICON, STYLE
from ._timeline import timeline

if TYPE_CHECKING:
    from ._server import FakeVideoSDK


_STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def show_page(fake: FakeVideoSDK, room_id: str | None) -> web.Response:
    """
    Return the page.

    Args:
        fake: what is shown.
        room_id: show the jobs of this room alone.
    """
    content = look(fake, room_id or None)
    return web.Response(
        text=_frame(fake.url, content, _sections(content, fake.environ)),
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


def _sections(content: Content, environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the sections by their ids: the heading of each, and what is below it."""
    all_rooms = '<p><a href="/">Show all rooms</a></p>' if content.chosen else ""
    none_yet = "<p>None yet.</p>"
    reach = ("How to reach it", _reach(environ))
    rooms = room_table(content.rooms, content.chosen) if content.rooms else _empty()
    jobs = job_table("In the order of the list", content.jobs) if content.jobs else none_yet
    recorded = job_table("In the order of their list", content.recordings)
    sections = {
        "rooms": ("Rooms", all_rooms + rooms),
        "time": ("Time line", timeline(content.sessions) or "<p>Nothing to draw yet.</p>"),
        "requests": ("Last requests", _requests(content)),
        "transcriptions": ("Transcriptions", jobs),
        "sessions": ("Sessions", _sessions(content) if content.sessions else none_yet),
        "recordings": ("Recordings", recorded if content.recordings else none_yet),
        "reach": reach,
    }
    if content.rooms:
        return sections
    # Who sees nothing wants to know first how to change that.
    return {"reach": reach, "rooms": sections["rooms"], "requests": sections["requests"]}


def _frame(url: str, content: Content, sections: Mapping[str, tuple[str, str]]) -> str:
    here = f"/?room={quote(content.chosen, safe='')}" if content.chosen else "/"
    menu = "".join(f'<li><a href="#{name}">{head}</a></li>' for name, (head, _) in sections.items())
    of_room = f" of {escape(content.chosen)}" if content.chosen else ""
    narrowed = {"time", "transcriptions", "sessions", "recordings"} if of_room else set[str]()
    body = "".join(
        f'<section class="{name}" aria-labelledby="{name}"><h2 id="{name}">{head}'
        f"{of_room if name in narrowed else ''}</h2>{inside}</section>"
        for name, (head, inside) in sections.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>VideoSDK sandbox{of_room}</title>"
        f'<link rel="icon" href="{ICON}"><style>{STYLE}</style></head><body>'
        '<a class="skip" href="#main">Skip to the content</a>'
        '<header><div class="title"><div><h1>VideoSDK sandbox</h1>'
        f"<p>A fake service with made-up data, at <code>{escape(url)}</code></p></div>"
        f'<p class="actions"><a href="/openapi.json">OpenAPI</a>'
        f'<a class="button" href="{here}">Refresh</a></p></div>'
        f'<nav aria-label="On this page"><ul>{menu}</ul></nav></header>'
        f'<main id="main" tabindex="-1">{_tiles(content)}{body}</main></body></html>'
    )


def _tiles(content: Content) -> str:
    running = sum(job.kind == "running" for job in (*content.jobs, *content.recordings))
    numbers = {
        "Rooms": 1 if content.chosen else len(content.rooms),
        "Sessions": len(content.sessions),
        "Transcriptions": len(content.jobs),
        "Recordings": len(content.recordings),
        "Running now": running,
        "Requests": content.asked,
    }
    tiles = "".join(f"<div><dt>{name}</dt><dd>{n:,}</dd></div>" for name, n in numbers.items())
    return f'<dl class="tiles">{tiles}</dl>'


def _sessions(content: Content) -> str:
    is_open = " open" if content.chosen else ""
    table = session_table(content.sessions)
    return f"<details{is_open}><summary>Show {len(content.sessions)}</summary>{table}</details>"


def _requests(content: Content) -> str:
    shown = (
        asked_table("Newest first", content.requests)
        if content.requests
        else "<p>None yet. What a client asks appears here, with the faults that it met.</p>"
    )
    if content.file_requests:
        shown += "<h3>Of files</h3>" + asked_table("Of files, newest first", content.file_requests)
    return shown


def _empty() -> str:
    return (
        "<p>None yet. Lead a client here, start a transcription, and its room appears. "
        'With the variables of <a href="#reach">How to reach it</a> set:</p>'
        '<pre tabindex="0" role="region" aria-label="A command that starts one"><code>'
        "videosdk-transcripts start my-room</code></pre>"
    )


def _reach(environ: Mapping[str, str]) -> str:
    lines = "\n".join(f"{name}={value}" for name, value in environ.items())
    return (
        "<p>These variables lead a client here: set them, or save them to a file for "
        "<code>--env-file</code>. The key and the secret are made up.</p>"
        '<pre tabindex="0" role="region" aria-label="Variables of the environment"><code>'
        f"{escape(lines)}</code></pre>"
    )
