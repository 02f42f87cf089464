"""
What a follower has seen and reported, as a versioned JSON checkpoint.

For each reported row an eight-byte digest of its id is kept forever. So a row is not reported
twice, even if the service temporarily omits it. Only unfinished rows are kept by id.
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
    The state of a follower. It changes only when a row is recorded.

    Args:
        wanted: the room and session.
        primed: whether an unknown row is new. False until the first full scan of a follower
            that reports nothing older than itself.
    """

    def __init__(self, wanted: Filter, *, primed: bool) -> None:
        self.wanted = wanted
        self.primed = primed
        self.unfinished: dict[str, None] = {}
        """The ids of unfinished rows, in the order in which they are read by id."""
        # In insertion order and not sorted, since a checkpoint may be written for each row.
        self._known: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def count_new(self, page: Page[Transcription]) -> int:
        """Return the number of unknown rows on a page."""
        return sum(_digest(row.id) not in self._known for row in page.items)

    def record(self, row: Transcription) -> Kind | None:
        """Record the next change of a row and return its kind, or None if it has none."""
        digest = _digest(row.id)
        if digest not in self._known:
            self._known[digest] = None
            if self.primed or not row.is_finished:
                self.unfinished[row.id] = None
            if self.primed:
                return "new"
        if row.is_finished and row.id in self.unfinished:
            del self.unfinished[row.id]
            return "finished"
        return None

    def move_to_end(self, row_id: str) -> None:
        """Move an unfinished row behind all others."""
        self.unfinished[row_id] = self.unfinished.pop(row_id)

    def dumps(self) -> str:
        """Return the state as JSON; equal states give equal text."""
        return json.dumps(
            {
                "version": _VERSION,
                "follow": _LIST,
                "room_id": self.wanted.room_id,
                "session_id": self.wanted.session_id,
                "primed": self.primed,
                "unfinished": list(self.unfinished),
                "known": b64encode(b"".join(self._known)).decode("ascii"),
            }
        )

    @classmethod
    def loads(cls, text: object, wanted: Filter) -> FollowState:
        """
        Load a state from `dumps`.

        Raises:
            ConfigurationError: the text is not a checkpoint of a follower, or is one of
                another version, room or session.
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
        known = b64decode(data["known"])
        digests = (known[at : at + _DIGEST_BYTES] for at in range(0, len(known), _DIGEST_BYTES))
        state._known = dict.fromkeys(digests)
        return state


def _digest(row_id: str) -> bytes:
    # An id may be anything that JSON can hold, even half a surrogate pair.
    return blake2b(row_id.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


def _parse(text: object) -> dict[str, Any]:
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "version" not in data or data.get("follow") != _LIST:
        raise ConfigurationError("resume must be the checkpoint of a follower")
    if data["version"] != _VERSION:
        raise ConfigurationError(
            f"the checkpoint has version {data['version']!r}, this release reads version "
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
}
