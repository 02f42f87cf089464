"""
Remember which rows a follower has seen and reported, as a versioned JSON checkpoint.

An eight-byte digest of each row's id is kept forever. So a row is not reported twice, even if the
service temporarily omits it. The ids themselves are kept only for unfinished rows, until they are
removed: a removed row has only a digest, by which it is recognized if it reappears.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import Any, Final, Literal

from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts.errors import ConfigurationError
from videosdk_transcripts.models import Page, Transcription

Kind = Literal["new", "finished"]

_VERSION: Final = 1
_LIST: Final = "realtime-transcriptions"
_DIGEST_BYTES: Final = 8


class FollowState:
    """
    Remember the rows of a follower. Only `record` and `mark_removed` change what is known.

    Args:
        wanted: the room and session.
        primed: whether to report unknown rows as new. False until the first full scan, if the
            follower reports only rows that appear later.
    """

    def __init__(self, wanted: Filter, *, primed: bool) -> None:
        self.wanted = wanted
        self.primed = primed
        self.unfinished: dict[str, None] = {}
        """The ids of unfinished rows, in the order in which they are read by id."""
        # In insertion order, because a checkpoint may be written for each row, and sorting takes
        # time. A digest is in only one of the two, so that a removed row needs no extra memory.
        self._known: dict[bytes, None] = {}
        self._removed: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._known) + len(self._removed)

    def count_new(self, page: Page[Transcription]) -> int:
        """Return the number of rows on a page that are unknown, or were removed and reappeared."""
        return sum(_digest(row.id) not in self._known for row in page.items)

    def next_change(self, row: Transcription) -> Kind | None:
        """Return the kind of a row's next change, or None if it has none, and record nothing."""
        digest = _digest(row.id)
        is_removed = digest in self._removed
        if digest not in self._known and not is_removed:
            return "new" if self.primed else None
        return "finished" if row.is_finished and (is_removed or row.id in self.unfinished) else None

    def record(self, row: Transcription) -> None:
        """Record that a row is known, and that its next change, if any, was reported."""
        digest = _digest(row.id)
        if digest in self._removed:
            # It was reported as new before, so only its end remains to be reported.
            del self._removed[digest]
            self._known[digest] = None
            if not row.is_finished:
                self.unfinished[row.id] = None
        elif digest not in self._known:
            self._known[digest] = None
            if self.primed or not row.is_finished:
                self.unfinished[row.id] = None
        elif row.is_finished:
            self.unfinished.pop(row.id, None)

    def mark_removed(self, row_id: str) -> None:
        """Forget an unfinished row, except for its digest, in case it reappears."""
        del self.unfinished[row_id]
        digest = _digest(row_id)
        self._known.pop(digest, None)
        self._removed[digest] = None

    def move_to_end(self, row_id: str) -> None:
        """Move an unfinished row to the end of the queue of rows to read by id."""
        self.unfinished[row_id] = self.unfinished.pop(row_id)

    def dumps(self) -> str:
        """Return the state as JSON; equal states have equal texts."""
        return json.dumps(
            {
                "version": _VERSION,
                "follow": _LIST,
                "room_id": self.wanted.room_id,
                "session_id": self.wanted.session_id,
                "primed": self.primed,
                "unfinished": list(self.unfinished),
                "known": _encode(self._known),
                "removed": _encode(self._removed),
            }
        )

    @classmethod
    def loads(cls, text: object, wanted: Filter) -> FollowState:
        """
        Return the state in a text from `dumps`.

        Raises:
            ConfigurationError: the text is not a checkpoint of a follower, or has another
                version, room or session.
        """
        data = _parse(text)
        theirs = Filter(data["room_id"], data["session_id"])
        if theirs != wanted:
            raise ConfigurationError(
                f"the checkpoint follows {theirs}, not {wanted}; follow the same room and "
                "session, or start without a checkpoint"
            )
        state = cls(wanted, primed=data["primed"])
        state.unfinished = dict.fromkeys(data["unfinished"])
        state._known = _decode(data["known"])
        state._removed = _decode(data["removed"])
        return state


def _digest(row_id: str) -> bytes:
    # An id may be any JSON string, even with a lone surrogate.
    return blake2b(row_id.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


def _encode(digests: dict[bytes, None]) -> str:
    return b64encode(b"".join(digests)).decode("ascii")


def _decode(text: str) -> dict[bytes, None]:
    joined = b64decode(text)
    return dict.fromkeys(
        joined[at : at + _DIGEST_BYTES] for at in range(0, len(joined), _DIGEST_BYTES)
    )


def _parse(text: object) -> dict[str, Any]:
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "version" not in data or data.get("follow") != _LIST:
        raise ConfigurationError("resume must be the checkpoint of a follower")
    if data["version"] != _VERSION:
        raise ConfigurationError(
            f"the checkpoint has version {data['version']!r}, but this release reads version "
            f"{_VERSION}; start without a checkpoint, or use the release that wrote it"
        )
    if not all(key in data and is_valid(data[key]) for key, is_valid in _FIELDS.items()):
        raise ConfigurationError("the checkpoint is damaged; start without a checkpoint")
    return data


def _is_optional_string(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_encoded_digests(value: object) -> bool:
    try:
        return isinstance(value, str) and len(b64decode(value, validate=True)) % _DIGEST_BYTES == 0
    except ValueError:
        return False


_FIELDS: Final = {
    "room_id": _is_optional_string,
    "session_id": _is_optional_string,
    "primed": lambda value: isinstance(value, bool),
    "unfinished": _is_list_of_strings,
    "known": _is_encoded_digests,
    "removed": _is_encoded_digests,
}
