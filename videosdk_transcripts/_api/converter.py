"""
From the service's JSON to models: one cattrs converter, strict, renamed and open.

It is thorough and slow: it says of each fault where it is. A row without one is read by
`_rows` at an eighth of the cost, and alike.

Strict: null is not ``"None"`` and ``"false"`` is not true. Open: unknown keys and
unknown status words survive. The private classes mirror the JSON word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NewType, TypeVar

from attrs import define, fields, has
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.cols import is_mapping
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from videosdk_transcripts.errors import InvalidRowError
from videosdk_transcripts.models import PostTranscription, Transcription

from .protocol import DEEPEST, is_deep

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
_iso_time: Final = datetime.fromisoformat


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
        start, end = _iso_time(raw["start"]), _iso_time(raw["end"])
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
    time = _iso_time(value)
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


T = TypeVar("T")


_Id = NewType("_Id", str)
_Files = dict[str, str | None]


@define
class _Config:
    roomId: str | None = None
    sessionId: str | None = None


@define
class _Extension:
    enabled: bool | None = None
    provider: str | None = None
    extensionConfig: _Config | None = None


@define
class _Row:
    """
    A row of the list.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-realtime-transcriptions
    """

    id: _Id
    status: str | None = None
    extension: _Extension | None = None
    transcriptionFilePaths: _Files | None = None
    summarizedFilePaths: _Files | None = None
    webhookUrl: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    # Documented in the extension alone; the vendor's own Node SDK looks here as well.
    roomId: str | None = None
    sessionId: str | None = None


@define
class _PostRow:
    """
    A row of the list of transcripts of recordings, which is flat.

    Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-post-transcriptions-summary
    """

    id: _Id
    status: str | None = None
    roomId: str | None = None
    sessionId: str | None = None
    recordingId: str | None = None
    filePath: str | None = None
    transcriptionFilePaths: _Files | None = None
    summarizedFilePaths: _Files | None = None
    start: datetime | None = None
    end: datetime | None = None
    userStorage: Any = None


_IN_POST_ROW: Final[dict[str, Any]] = {field.name: None for field in fields(_PostRow)}
_MOST_FAULTS: Final = 3


class _MismatchError(TypeError):
    """A value is not what the field needs. Tells the two types and never the value."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, found {_JSON_NAMES.get(type(value), 'null')}")


_JSON_NAMES: Final[dict[type, str]] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


def read_transcription(raw: Any, *, path: str, page: int | None = None) -> Transcription:
    """
    Turn one row into a model.

    Args:
        raw: the row, as `json.loads` gave it.
        path: the row's place in the answer, as a JSON path.
        page: the page that the row stands on, if it is of a list.

    Raises:
        InvalidRowError: a field is missing or of the wrong type, or what is unknown is
            nested too deep to be copied, compared or pickled by any program.
    """
    row = _structured(raw, _Row, path, page)
    extra = leftover(raw)
    if is_deep(extra):
        raise _invalid(raw, [f"nested deeper than {DEEPEST} levels @ {path}"], page)
    extension = row.extension or _Extension()
    config = extension.extensionConfig or _Config()
    return Transcription(
        id=row.id,
        status=row.status,
        room_id=row.roomId if config.roomId is None else config.roomId,
        session_id=row.sessionId if config.sessionId is None else config.sessionId,
        start=row.start,
        end=row.end,
        files=_present(row.transcriptionFilePaths),
        summary_files=_present(row.summarizedFilePaths),
        provider=extension.provider,
        enabled=extension.enabled,
        webhook_url=row.webhookUrl,
        extra=extra,
    )


def read_post_transcription(raw: Any, *, path: str, page: int | None = None) -> PostTranscription:
    """Turn one row of the transcripts of recordings into a model, as `read_transcription` does."""
    row = _structured(raw, _PostRow, path, page)
    extra = leftover(raw, _IN_POST_ROW)
    if is_deep([extra, row.userStorage]):
        raise _invalid(raw, [f"nested deeper than {DEEPEST} levels @ {path}"], page)
    return PostTranscription(
        id=row.id,
        status=row.status,
        room_id=row.roomId,
        session_id=row.sessionId,
        recording_id=row.recordingId,
        media_url=row.filePath,
        start=row.start,
        end=row.end,
        files=_present(row.transcriptionFilePaths),
        summary_files=_present(row.summarizedFilePaths),
        user_storage=row.userStorage,
        extra=extra,
    )


def _structured(raw: Any, into: type[T], path: str, page: int | None) -> T:
    try:
        return _converter().structure(raw, into)
    except (BaseValidationError, _MismatchError) as error:
        faults = transform_error(error, path, _describe)
    # Raised out here, so that the error does not carry the row in its context.
    raise _invalid(raw, faults, page)


def _invalid(raw: Any, faults: list[str], page: int | None) -> InvalidRowError:
    row_id = raw.get("id") if isinstance(raw, dict) else None
    row_id = row_id if row_id and isinstance(row_id, str) else None
    whose = f"row {row_id}" if row_id else "a row"
    told, more = "; ".join(faults[:_MOST_FAULTS]), len(faults) - _MOST_FAULTS
    told += f"; and {more} more" if more > 0 else ""
    hint = "; pass on_invalid='skip' or 'collect' to go on without such rows" if page else ""
    return InvalidRowError(
        f"{whose} can't be read: {told}{hint}",
        path=faults[0].partition(" @ ")[2],
        row_id=row_id,
        page=page,
    )


def _describe(error: BaseException, _type: type | None) -> str:
    return "required, but missing" if isinstance(error, KeyError) else str(error)


def _present(files: _Files | None) -> dict[str, str]:
    return {name: url for name, url in files.items() if url is not None} if files else {}


def _string(value: Any, _type: Any) -> str:
    if isinstance(value, str):
        return value
    raise _MismatchError("a string", value)


def _boolean(value: Any, _type: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _MismatchError("a boolean", value)


def _moment(value: Any, _type: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_string(value, str))
        # Every documented time has a zone; one without is read as the UTC that they are in.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _MismatchError("an ISO 8601 time", value)


def _identity(value: Any, _type: Any) -> str:
    # Rows are told apart by their ids, so that two empty ones would count as one row.
    if value == "":
        raise _MismatchError("an id", value)
    return _string(value, str)


def _of_object(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Refuse what is no JSON object: a generated hook takes a text for one without keys."""

    def hook(value: Any, type_: Any) -> Any:
        if not isinstance(value, dict):
            raise _MismatchError("an object", value)
        return structure(value, type_)

    return hook


def _of_files(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Refuse the first value that is no text, and not each of what may be a million."""

    def hook(value: Any, type_: Any) -> Any:
        for name, url in value.items():
            if url is not None and not isinstance(url, str):
                return structure({name: url}, type_)
        return value

    return _of_object(hook)


# Made when the first row needs it, which in most programs none does.
@cache
def _converter() -> Converter:
    converter = Converter()
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook(_Id, _identity)
    converter.register_structure_hook_factory(
        has, lambda cls: _of_object(make_dict_structure_fn(cls, converter))
    )
    converter.register_structure_hook_factory(
        is_mapping, lambda cls: _of_files(mapping_structure_factory(cls, converter))
    )
    return converter
