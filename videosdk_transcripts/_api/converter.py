"""
Convert the service's JSON to models (promise P11): one cattrs converter for every row.

Strict: null is not ``"None"`` and ``"false"`` is not true. Tolerant: missing keys, null and
``{}`` are equivalent, and unknown keys and status words are kept.

Each model has one structure hook, which creates it through its own ``__init__``. The hook of
`Transcription` reads the documented shape of a row directly, because it runs for every row of
every list. Rows of any other shape go through the hooks that cattrs generates for private classes
that mirror the JSON: they convert unusual but valid rows, and locate each fault of invalid ones.
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

from .protocol import MAX_DEPTH, is_too_deep

ModelT = TypeVar("ModelT")
Structure = Callable[[Any, type[ModelT]], ModelT]
"""A structure hook of cattrs: takes JSON and a class, and returns an instance of the class."""

_MAX_FAULTS: Final = 3
"""Maximum number of faults of a row that an error lists."""


# For pages and single objects.


def structure_hook(model: type[ModelT]) -> Structure[ModelT]:
    """
    Return the converter's hook for a model, which raises one of `STRUCTURE_ERRORS`.

    Args:
        model: `Transcription` or `PostTranscription`.
    """
    hook: Structure[ModelT] = _converter().get_structure_hook(model)
    return hook


def structure_row(raw: Any, model: type[ModelT], *, path: str) -> ModelT:
    """
    Convert one row to a model.

    Args:
        raw: the row, as decoded from JSON.
        model: `Transcription` or `PostTranscription`.
        path: where the row is in the response, as a JSON path.

    Raises:
        InvalidRowError: a field is missing or of the wrong type, or the row is nested too deep
            to be copied, compared or pickled.
    """
    try:
        return structure_hook(model)(raw, model)
    except STRUCTURE_ERRORS as error:
        failure = invalid_row(error, raw, path=path)
    # Raised outside the `except` block, because cattrs' exception holds the row and must not
    # become the context.
    raise failure


def invalid_row(
    error: Exception, raw: Any, *, path: str, page: int | None = None, is_raised: bool = True
) -> InvalidRowError:
    """
    Return the error for a row that a hook refused, with the JSON path of each fault.

    Args:
        error: what the hook raised.
        raw: the row.
        path: where the row is in the response, as a JSON path.
        page: the page of the row, if it is from a list.
        is_raised: whether it ends the list, so that the caller may prefer to skip the row.
    """
    faults = transform_error(error, path, _describe)
    row_id = raw.get("id") if isinstance(raw, dict) else None
    row_id = row_id if row_id and isinstance(row_id, str) else None
    subject = f"row {row_id}" if row_id else "a row"
    listed = "; ".join(faults[:_MAX_FAULTS])
    more = len(faults) - _MAX_FAULTS
    listed += f"; and {more} more" if more > 0 else ""
    hint = ""
    if page and is_raised:
        hint = "; pass on_invalid='skip' or 'collect' to continue without such rows"
    return InvalidRowError(
        f"{subject} can't be read: {listed}{hint}",
        path=faults[0].partition(" @ ")[2],
        row_id=row_id,
        page=page,
    )


def _describe(error: BaseException, _type: type | None) -> str:
    return "required, but missing" if isinstance(error, KeyError) else str(error)


class _MismatchError(TypeError):
    """A value has the wrong type. The message names the two types, never the value."""

    def __init__(self, expected: str, value: object) -> None:
        kind = type(value)
        super().__init__(f"expected {expected}, found {_JSON_NAMES.get(kind, kind.__name__)}")


class _TooDeepError(TypeError):
    """A row is nested too deep."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {MAX_DEPTH} levels")


STRUCTURE_ERRORS: Final = (BaseValidationError, _MismatchError, _TooDeepError)

_JSON_NAMES: Final[dict[type, str]] = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
"""The names of types in errors. Another decoder may return other types, such as Decimal."""


# Created for the first row, because many programs never read one.
@cache
def _converter() -> Converter:
    converter = Converter()
    converter.register_structure_hook(Transcription, _transcription)
    converter.register_structure_hook(PostTranscription, _post_transcription)
    # The other hooks are for the mirror classes.
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(datetime, _time)
    converter.register_structure_hook(_Id, _id)
    converter.register_structure_hook_factory(
        has, lambda cls: _only_objects(make_dict_structure_fn(cls, converter))
    )
    converter.register_structure_hook_factory(
        is_mapping, lambda cls: _only_first_fault(mapping_structure_factory(cls, converter))
    )
    return converter


# The structure hooks of the models.

_parse_time: Final = datetime.fromisoformat


def _transcription(raw: Any, _type: type[Transcription]) -> Transcription:
    """Structure a row of the list of realtime transcriptions."""
    try:
        # A subscript with a string fails for every JSON value that is not an object, so the
        # types need no check of their own.
        extension = raw["extension"]
        config = extension["extensionConfig"]
        row_id, status, start = raw["id"], raw["status"], _parse_time(raw["start"])
        room_id, session_id = config["roomId"], config["sessionId"]
        provider, enabled = extension["provider"], extension["enabled"]
        if len(raw) == 7:
            end, files = raw["end"], raw["transcriptionFilePaths"]
            summary_files = raw["summarizedFilePaths"]
        else:
            end, files, summary_files = _optional_values(raw)
        if end is not None:
            end = _parse_time(end)
        if not (files and summary_files):
            files, summary_files = _or_empty(files), _or_empty(summary_files)
        if (
            type(row_id) is str
            and type(status) is str
            and type(room_id) is str
            and type(session_id) is str
            and type(provider) is str
            and row_id
            and (enabled is True or enabled is False)
            and start.tzinfo is UTC
            and (end is None or end.tzinfo is UTC)
            and ((len(files) == 1 and type(files["txt"]) is str) or not files)
            and (
                (len(summary_files) == 1 and type(summary_files["txt"]) is str) or not summary_files
            )
            # There are no keys besides those read above.
            and len(extension) == 3
            and len(config) == 2
        ):
            # By position, which costs less than keywords.
            return Transcription(
                row_id,
                status,
                room_id,
                session_id,
                start,
                end,
                files,
                summary_files,
                provider,
                enabled,
                None,
                {},
            )
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    # Outside the `except` block, so that the exception above does not become the context of an
    # error.
    return _transcription_of_any_shape(raw)


_READ_KEYS: Final = frozenset(
    (
        *("id", "status", "start", "end", "extension"),
        *("transcriptionFilePaths", "summarizedFilePaths"),
    )
)


def _optional_values(raw: Any) -> tuple[Any, Any, Any]:
    """Return the end and the files of a row that lacks some of them, and has no unknown keys."""
    # A running transcription has no end and no files yet, and some never have a summary.
    if _READ_KEYS.issuperset(raw):
        return raw.get("end"), raw.get("transcriptionFilePaths"), raw.get("summarizedFilePaths")
    raise TypeError


def _or_empty(files: Any) -> Any:
    """Return a map of files, empty for null."""
    if files is None:
        return {}
    if type(files) is dict:
        return files
    raise TypeError


def _transcription_of_any_shape(raw: Any) -> Transcription:
    row = _converter().structure(raw, _Row)
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
        extra=_extra(raw, _MODELLED),
    )


def _post_transcription(raw: Any, _type: type[PostTranscription]) -> PostTranscription:
    """Structure a row of the list of transcriptions of recordings."""
    row = _converter().structure(raw, _PostRow)
    if is_too_deep(row.userStorage):
        raise _TooDeepError
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
        extra=_extra(raw, _MODELLED_POST),
    )


def _present(files: _Files | None) -> dict[str, str]:
    return {name: url for name, url in files.items() if url is not None} if files else {}


def _extra(raw: Mapping[str, Any], modelled: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that the model has no field for, nested as in the row."""
    extra = _leftover(raw, modelled)
    if is_too_deep(extra):
        raise _TooDeepError
    return extra


def _leftover(raw: Mapping[str, Any], modelled: Mapping[str, Any]) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in modelled:
            left[key] = value
        elif modelled[key] is not None and value is not None:
            below = _leftover(value, modelled[key])
            if below:
                left[key] = below
    return left


# Mirror classes of the JSON, with the names of its keys.

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
    A row of the list of realtime transcriptions.

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
    # Documented in the extension only; the vendor's Node SDK reads these as well.
    roomId: str | None = None
    sessionId: str | None = None


@define
class _PostRow:
    """
    A row of the list of transcriptions of recordings, which is flat.

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
"""The keys that `Transcription` has fields for, nested as in a row; all others go to `extra`."""
_MODELLED_POST: Final[dict[str, Any]] = {field.name: None for field in fields(_PostRow)}


# Hooks for values in the mirror classes, stricter than those of cattrs.


def _string(value: Any, _type: Any) -> str:
    if isinstance(value, str):
        return value
    raise _MismatchError("a string", value)


def _boolean(value: Any, _type: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _MismatchError("a boolean", value)


def _time(value: Any, _type: Any) -> datetime:
    try:
        time = datetime.fromisoformat(_string(value, str))
        # Every documented time is in UTC, so a time without a zone is read as UTC.
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _MismatchError("an ISO 8601 time", value)


def _id(value: Any, _type: Any) -> str:
    # Rows are identified by their ids: two rows with empty ids would count as one.
    if value == "":
        raise _MismatchError("an id", value)
    return _string(value, str)


def _only_objects(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """
    Reject values that are not JSON objects.

    A generated hook would treat a string as an object without keys.
    """

    def hook(value: Any, type_: Any) -> Any:
        if not isinstance(value, dict):
            raise _MismatchError("an object", value)
        return structure(value, type_)

    return hook


def _only_first_fault(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Reject the first value that is not a string, because an error of each may be huge."""

    def hook(value: Any, type_: Any) -> Any:
        for name, url in value.items():
            if url is not None and not isinstance(url, str):
                return structure({name: url}, type_)
        return value

    return _only_objects(hook)
