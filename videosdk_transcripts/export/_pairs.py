"""Read pairs of a room and a session from a CSV or JSONL file, stdin, or an iterable."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from videosdk_transcripts._validation import check_id
from videosdk_transcripts.errors import ConfigurationError

from ._options import Pair

_COLUMNS: Final = ("room_id", "session_id")
_ALIASES: Final[dict[Any, str]] = {"roomId": "room_id", "sessionId": "session_id"}
"""The names of the columns in the API."""

_FAULTY: Final = object()


def read_pairs(file: str | Path | IO[str]) -> list[Pair]:
    """
    Return the pairs in a file: CSV, or JSON lines.

    A line of CSV has a room id and a session id. A header may name the columns ``room_id`` and
    ``session_id``, and others, which are ignored. A line of JSON is an object with these two
    keys, or an array of the two ids. Without a session id, all sessions of the room are
    exported. Blank lines are skipped, and a pair that is listed twice is exported once.

    Args:
        file: the path, or an open text file such as `sys.stdin`.

    Returns:
        The pairs in the order of the file, each once; at least one.

    Raises:
        ConfigurationError: the file can't be read or has no pair, or a line is not a pair. The
            message states the number of the line and the reason.
    """
    if not isinstance(file, str | Path):
        return check_pairs(_parse(file, "stdin"))
    text, reason = None, ""
    try:
        text = Path(file).read_text("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not valid UTF-8"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    if text is None:
        raise ConfigurationError(f"the pairs in {file} can't be read: {reason}")
    return check_pairs(_parse(text.splitlines(keepends=True), str(file)))


def check_pairs(pairs: Iterable[tuple[str, Any]]) -> list[Pair]:
    """
    Check the ids of pairs, and return those that no other pair includes.

    Args:
        pairs: the pairs, each with its place for errors.

    Raises:
        ConfigurationError: a pair is invalid.
    """
    found = dict.fromkeys(_check_pair(place, value) for place, value in pairs)
    if not found:
        raise ConfigurationError("there are no pairs to export")
    return drop_included(found)


def drop_included(pairs: Iterable[Pair]) -> list[Pair]:
    """Return each pair once, without sessions of rooms that are listed as a whole."""
    found = dict.fromkeys(pairs)
    whole_rooms = {room for room, session in found if session is None}
    return [pair for pair in found if pair.session_id is None or pair.room_id not in whole_rooms]


def not_included(pairs: Iterable[Pair], others: Iterable[Pair]) -> list[Pair]:
    """Return the pairs that are not in other ones, also not as a session of a whole room."""
    found = set(others)
    return [pair for pair in pairs if found.isdisjoint((pair, Pair(pair.room_id)))]


def _check_pair(place: str, value: Any) -> Pair:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) not in (1, 2):
        raise ConfigurationError(f"{place}: expected a room id and a session id")
    room, session = (*value, None)[:2]
    try:
        room = check_id("the room id", room)
        session = None if session is None else check_id("the session id", session)
    except ConfigurationError as error:
        reason = error.message
    else:
        return Pair(room, session)
    raise ConfigurationError(f"{place}: {reason}")


def numbered(pairs: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Iterate over pairs, each with its place for errors."""
    for number, pair in enumerate(pairs, 1):
        yield f"pair {number}", pair


def _parse(lines: Iterable[str], name: str) -> Iterator[tuple[str, Any]]:
    """Iterate over the pairs of a file of either format, each with its place for errors."""
    header: list[str] | None = None
    is_first = True
    for number, line in _records(lines):
        place = f"{name}, line {number}"
        stripped = line.strip()
        if stripped[:1] in ("{", "["):
            yield place, _from_json(place, stripped)
        else:
            cells = _from_csv(place, line)
            if is_first and _is_header(cells):
                header = [_ALIASES.get(cell, cell) for cell in cells]
                _check_header(place, header)
            else:
                yield place, _from_cells(place, cells, header)
        is_first = False


def _records(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        if text.strip():
            yield number, text


def _from_json(place: str, line: str) -> Any:
    value: Any = _FAULTY
    with contextlib.suppress(ValueError):
        value = json.loads(line)
    if value is _FAULTY:
        raise ConfigurationError(f"{place}: it is not JSON")
    if not isinstance(value, dict):
        return value
    keys: dict[Any, Any] = {_ALIASES.get(key, key): entry for key, entry in value.items()}
    if "room_id" not in keys:
        raise ConfigurationError(f"{place}: the key room_id is missing")
    return _pair_of(keys)


def _from_csv(place: str, line: str) -> list[str]:
    cells = None
    with contextlib.suppress(csv.Error, ValueError):
        (cells,) = csv.reader([line.rstrip("\r\n")], strict=True)
    if cells is None:
        raise ConfigurationError(f"{place}: it is not CSV")
    return [cell.strip() for cell in cells]


def _is_header(cells: Sequence[str]) -> bool:
    return any(_ALIASES.get(cell, cell) in _COLUMNS for cell in cells)


def _check_header(place: str, header: Sequence[str]) -> None:
    if "room_id" not in header:
        raise ConfigurationError(f"{place}: the header has no column room_id")


def _from_cells(place: str, cells: Sequence[str], header: Sequence[str] | None) -> Any:
    if header is None:
        if len(cells) > 2:
            raise ConfigurationError(
                f"{place}: expected a room id and a session id, found {len(cells)} cells; a "
                "file with more columns needs a header"
            )
        return _pair_of(dict(zip(_COLUMNS, cells, strict=False)))
    if len(cells) != len(header):
        raise ConfigurationError(
            f"{place}: found {len(cells)} cells, but the header has {len(header)}"
        )
    return _pair_of(dict(zip(header, cells, strict=True)))


def _pair_of(keys: Mapping[str, Any]) -> Any:
    # An empty cell means all sessions.
    session = keys.get("session_id")
    return keys["room_id"], None if session == "" else session
