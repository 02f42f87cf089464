"""
From the service's JSON to models: one cattrs converter, strict, renamed and open.

It is thorough and slow: it says of each fault where it is. A row without one is read by
`_rows` at an eighth of the cost, and alike.

Strict: null is not ``"None"`` and ``"false"`` is not true. Open: unknown keys and
unknown status words survive. The private classes mirror the JSON word for word.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NewType, TypeVar

from attrs import define, fields, has
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.cols import is_mapping
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from ._depth import DEEPEST, is_deep
from ._rows import leftover
from .errors import InvalidRowError
from .models import PostTranscription, Transcription

__all__ = ["read_post_transcription", "read_transcription"]

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
