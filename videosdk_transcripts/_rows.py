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

# A frozen class sets its fields through `object.__setattr__`, one call each, which takes
# two and a half times as long as all else that making a row takes. A twin of the same slots
# is filled by plain assignment, and then becomes the real class, which CPython allows
# between classes of the same layout, and so only without a slot for weak references.
_Draft: Final[Any] = type(
    "_Draft", (), {"__slots__": tuple(field.name for field in fields(Transcription))}
)
_moment: Final = datetime.fromisoformat


def quick_row(raw: Any) -> Transcription | None:
    """Turn one row into a model, or return None for one that needs a closer look."""
    try:
        # Subscripts, since they cost half of what `get` does. They need no check of what
        # they look into: of all that JSON has, an object alone has keys.
        extension = raw["extension"]
        config = extension["extensionConfig"]
        if len(raw) == 7 and len(extension) == 3 and len(config) == 2:
            return _made(
                raw["id"],
                raw["status"],
                config["roomId"],
                config["sessionId"],
                raw["start"],
                raw["end"],
                raw["transcriptionFilePaths"],
                raw["summarizedFilePaths"],
                extension["provider"],
                extension["enabled"],
                None,
                {},
            )
    except (KeyError, TypeError):
        pass
    return _gathered(raw)


def _gathered(raw: Any) -> Transcription | None:
    """Turn a row with less or more than what is documented into a model, or return None."""
    if type(raw) is not dict:
        return None
    get = raw.get
    extension = get("extension")
    extension = {} if extension is None else extension
    if type(extension) is not dict:
        return None
    config = extension.get("extensionConfig")
    config = {} if config is None else config
    if type(config) is not dict:
        return None
    top_room, top_session = get("roomId"), get("sessionId")
    # Of the wrong type they are a fault, also where the extension has them too.
    if not (
        (top_room is None or type(top_room) is str)
        and (top_session is None or type(top_session) is str)
    ):
        return None
    extra: dict[str, Any] = {}
    if not (_IN_EXTENSION.issuperset(extension) and _IN_CONFIG.issuperset(config)):
        extra = leftover(raw)
    else:
        for key in raw:
            if key not in _IN_ROW:
                extra[key] = raw[key]
    if extra and is_deep(extra):
        return None
    room_id, session_id = config.get("roomId"), config.get("sessionId")
    return _made(
        get("id"),
        get("status"),
        top_room if room_id is None else room_id,
        top_session if session_id is None else session_id,
        get("start"),
        get("end"),
        get("transcriptionFilePaths"),
        get("summarizedFilePaths"),
        extension.get("provider"),
        extension.get("enabled"),
        get("webhookUrl"),
        extra,
    )


# By place, because the call with keywords costs three times as much.
def _made(  # noqa: PLR0917
    row_id: Any,
    status: Any,
    room_id: Any,
    session_id: Any,
    start: Any,
    end: Any,
    files: Any,
    summary_files: Any,
    provider: Any,
    enabled: Any,
    webhook_url: Any,
    extra: dict[str, Any],
) -> Transcription | None:
    """Make a row of values that are all of their types, or return None."""
    if not (
        type(row_id) is str
        and row_id
        and (type(status) is str or status is None)
        and (type(room_id) is str or room_id is None)
        and (type(session_id) is str or session_id is None)
        and (type(provider) is str or provider is None)
        and (enabled is True or enabled is False or enabled is None)
        and (webhook_url is None or type(webhook_url) is str)
    ):
        return None
    files = {} if files is None else files
    summary_files = {} if summary_files is None else summary_files
    for urls in (files, summary_files):
        if type(urls) is not dict:
            return None
        for url in urls.values():
            if type(url) is not str:
                return None
    try:
        start = start if start is None else _moment(start)
        end = end if end is None else _moment(end)
    except (TypeError, ValueError):
        return None
    # Another zone, or none, is for the closer look.
    if not (start is None or start.tzinfo is UTC) or not (end is None or end.tzinfo is UTC):
        return None
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
