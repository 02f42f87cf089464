"""
The quick way from a row of JSON to a model, for rows in which nothing is amiss.

It takes less than `_converter` does, and says nothing about what it does not take; what it
takes, both read alike. It is written out, because a row is most of what a page costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import fields

from ._depth import is_deep
from .models import Transcription

__all__ = ["leftover", "quick_row"]

_MODELLED: Final[dict[str, Any]] = {
    "id": None,
    "status": None,
    "extension": {
        "enabled": None,
        "provider": None,
        "extensionConfig": {"roomId": None, "sessionId": None},
    },
    "transcriptionFilePaths": None,
    "summarizedFilePaths": None,
    "webhookUrl": None,
    "start": None,
    "end": None,
}
"""The keys that the model holds, nested as in the answer; all others go to `extra`."""
_IN_ROW: Final = frozenset(_MODELLED)
_IN_EXTENSION: Final = frozenset(_MODELLED["extension"])
_IN_CONFIG: Final = frozenset(_MODELLED["extension"]["extensionConfig"])

# A frozen class sets its fields through `object.__setattr__`, one call each, which costs
# three times as many instructions as this does: a twin of the same slots is filled by plain
# assignment, and then becomes the real class. CPython allows that between classes of the
# same layout, and only without a slot for weak references.
_Draft: Final[Any] = type(
    "_Draft", (), {"__slots__": tuple(field.name for field in fields(Transcription))}
)
_moment: Final = datetime.fromisoformat


def quick_row(raw: Any) -> Transcription | None:
    """Turn one row into a model, or return None for one that needs a closer look."""
    try:
        # Subscripts, since they cost two thirds of what `get` does. They need no check of what
        # they look into: of all that JSON has, an object alone has keys, and values.
        extension = raw["extension"]
        config = extension["extensionConfig"]
        row_id, status = raw["id"], raw["status"]
        room_id, session_id = config["roomId"], config["sessionId"]
        provider, enabled = extension["provider"], extension["enabled"]
        files, summary_files = raw["transcriptionFilePaths"], raw["summarizedFilePaths"]
        start, end = _moment(raw["start"]), _moment(raw["end"])
        if not (
            type(row_id) is str
            and row_id
            and type(status) is str
            and type(room_id) is str
            and type(session_id) is str
            and type(provider) is str
            and type(files["txt"]) is str
            and type(summary_files["txt"]) is str
            and (enabled is True or enabled is False)
            # Another zone, or none, is for the closer look.
            and start.tzinfo is UTC
            and end.tzinfo is UTC
            # All keys are those that were looked at.
            and len(raw) == 7
            and len(extension) == 3
            and len(config) == 2
            and len(files) == len(summary_files) == 1
        ):
            raise ValueError  # noqa: TRY301 - for what comes below, and not for a caller
        webhook_url, extra = None, {}
    except (AttributeError, KeyError, TypeError, ValueError):
        values = _values(raw)
        if values is None:
            return None
        row_id, status, room_id, session_id, start, end, files, summary_files = values[:8]
        provider, enabled, webhook_url, extra = values[8:]
    row = _Draft()
    row.id = row_id
    row.status = status
    row.room_id = room_id
    row.session_id = session_id
    row.start = start
    row.end = end
    row.files = files
    row.summary_files = summary_files
    row.provider = provider
    row.enabled = enabled
    row.webhook_url = webhook_url
    row.extra = extra
    row.__class__ = Transcription
    made: Transcription = row
    return made


def _values(raw: Any) -> tuple[Any, ...] | None:
    """Return the values of a row with less or more than what is documented, or None."""
    try:
        get = raw.get
        extension = _object(get("extension"))
        config = _object(extension.get("extensionConfig"))
        row_id, enabled = get("id"), extension.get("enabled")
        if type(row_id) is not str or not row_id or not (enabled is None or type(enabled) is bool):
            return None
        room_id, session_id = config.get("roomId"), config.get("sessionId")
        # Of the wrong type they are a fault, also where the extension has them too.
        top_room, top_session = get("roomId"), get("sessionId")
        status, webhook_url, provider = get("status"), get("webhookUrl"), extension.get("provider")
        for text in (status, webhook_url, provider, room_id, session_id, top_room, top_session):
            if text is not None and type(text) is not str:
                return None
        extra = _extra(raw, extension, config)
        return (
            row_id,
            status,
            top_room if room_id is None else room_id,
            top_session if session_id is None else session_id,
            _time(get("start")),
            _time(get("end")),
            _urls(get("transcriptionFilePaths")),
            _urls(get("summarizedFilePaths")),
            provider,
            enabled,
            webhook_url,
            extra,
        )
    except (AttributeError, TypeError, ValueError):
        return None


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if type(value) is dict:
        return value
    raise TypeError


def _urls(value: Any) -> dict[str, Any]:
    urls = _object(value)
    for url in urls.values():
        if type(url) is not str:
            raise TypeError
    return urls


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    time = _moment(value)
    if time.tzinfo is UTC:
        return time
    raise ValueError


def _extra(
    raw: dict[str, Any], extension: dict[str, Any], config: dict[str, Any]
) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if not (_IN_EXTENSION.issuperset(extension) and _IN_CONFIG.issuperset(config)):
        extra = leftover(raw)
    else:
        for key, value in raw.items():
            if key not in _IN_ROW:
                extra[key] = value
    if extra and is_deep(extra):
        raise ValueError
    return extra


def leftover(raw: Mapping[str, Any], modelled: Mapping[str, Any] = _MODELLED) -> dict[str, Any]:
    """Return what the model has no field for, each at its place in the answer."""
    left: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in modelled:
            left[key] = value
        elif modelled[key] is not None and value is not None:
            below = leftover(value, modelled[key])
            if below:
                left[key] = below
    return left
