"""Pieces of the page of the fake service, in HTML. All that is not written here is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Final
from urllib.parse import quote

from ._page_data import Asked, Job, Room, Session

_SHOWN: Final = 12
_MOST: Final = 200


def room_link(room_id: str | None, *, chosen: str | None = None) -> str:
    """Link to the page of a room; what names none is only named."""
    if not room_id:
        return '<span class="soft">no room</span>'
    here = ' aria-current="true"' if room_id == chosen else ""
    return f'<a href="/?room={quote(room_id, safe="")}"{here}>{escape(room_id)}</a>'


def room_table(rooms: Sequence[Room], chosen: str | None) -> str:
    """Show rooms, with what is in them."""
    lines = [
        (
            room_link(room.id, chosen=chosen),
            str(room.sessions),
            str(room.jobs),
            f'<span class="{"count" if room.running else "soft"}">{room.running}</span>',
        )
        for room in rooms
    ]
    head = ("Room", "Sessions", "Jobs", "Running")
    return _table("rooms", "Choose one to see only its own", head, lines)


def session_table(sessions: Sequence[Session]) -> str:
    """Show sessions, in the order of their first transcription in the list."""
    lines = []
    for session in sessions[:_MOST]:
        starts = [job.start for job in session.jobs if job.start]
        lines.append(
            (
                f"<code>{escape(session.id or 'none')}</code>",
                room_link(session.room_id),
                _time(min(starts, default=None)),
                str(len(session.jobs)),
                " ".join(_status(kind, kind) for kind in _kinds(session.jobs)),
            )
        )
    head = ("Session", "Room", "First start", "Jobs", "Status")
    return _rest(len(sessions)) + _table(
        "sessions cards", "Sessions with transcriptions", head, lines
    )


def job_table(caption: str, jobs: Sequence[Job]) -> str:
    """Show jobs: some at once, and the others where they are asked for."""
    lines = [
        (
            _status(job.kind, job.status or "none"),
            _time(job.start),
            _length(job),
            room_link(job.room_id),
            ", ".join(_file(name, url) for name, url in job.files) or _soft("no files"),
            f"<code>{escape(job.session_id or 'none')}</code>",
            f"<code>{escape(job.id)}</code>",
        )
        for job in jobs[:_MOST]
    ]
    head = ("Status", "Start", "Length", "Room", "Files", "Session", "Id")
    return _folded("jobs cards", caption, head, lines, len(jobs))


def asked_table(caption: str, requests: Sequence[Asked]) -> str:
    """Show requests, with their answers and the faults that they met."""
    lines = [
        (
            _soft(str(asked.number)),
            _status(*_answer(asked.status)),
            f"<code>{escape(asked.method)} {escape(asked.target)}</code>",
            f'<span class="fault">{escape(asked.fault)}</span>' if asked.fault else _soft("none"),
        )
        for asked in requests
    ]
    head = ("Number", "Status", "Request", "Fault")
    return _folded("asked cards", caption, head, lines, len(requests))


def _folded(
    kind: str, caption: str, head: Sequence[str], lines: Sequence[Sequence[str]], total: int
) -> str:
    first, others = lines[:_SHOWN], lines[_SHOWN:]
    shown = _table(kind, caption, head, first)
    if not others:
        return shown
    more = _table(kind, f"{caption}, after the first {_SHOWN}", head, others)
    return (
        f"{shown}<details><summary>Show {len(others)} more</summary>{_rest(total)}{more}</details>"
    )


def _rest(total: int) -> str:
    return f'<p class="note">These are {_MOST} of {total}.</p>' if total > _MOST else ""


def _table(kind: str, caption: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    # Named roles, since some browsers forget them where cells are laid out as cards.
    top = "".join(f'<th scope="col" role="columnheader">{text}</th>' for text in head)
    rows = "".join(
        f'<tr role="row">{"".join(_cell(*pair) for pair in zip(head, line, strict=True))}</tr>'
        for line in lines
    )
    return (
        f'<table class="{kind}" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{top}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table>'
    )


def _cell(name: str, text: str) -> str:
    return f'<td role="cell" class="in-{name.lower().replace(" ", "-")}">{text}</td>'


def _status(kind: str, word: str) -> str:
    return f'<span class="status {kind}">{escape(word)}</span>'


def _answer(status: int | None) -> tuple[str, str]:
    if status is None:
        return "other", "no answer"
    kinds = {2: "completed", 3: "other"}
    return kinds.get(status // 100, "failed"), str(status)


def _kinds(jobs: Sequence[Job]) -> list[str]:
    return list(dict.fromkeys(job.kind for job in jobs))


def _time(moment: datetime | None) -> str:
    if moment is None:
        return _soft("not known")
    exact = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = f"{moment.day} {moment:%b %Y, %H:%M}"
    return f'<time datetime="{exact}">{shown}</time>'


def _length(job: Job) -> str:
    if job.start is None or job.end is None:
        return _soft("not ended" if job.kind == "running" else "not known")
    return _span(job.end - job.start)


def _span(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _file(name: str, url: str | None) -> str:
    return escape(name) if url is None else f'<a href="{escape(url)}">{escape(name)}</a>'


def _soft(text: str) -> str:
    return f'<span class="soft">{text}</span>'
