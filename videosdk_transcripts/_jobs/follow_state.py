"""
What a follower has seen and told, as versioned JSON that survives the process.

Of a row that was told of, eight bytes are kept for ever, a digest of its id: so it is not
told of twice, also where the service leaves it out for a while. Only rows that are not
finished are kept by their ids.
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
_BYTES: Final = 8


class Followed:
    """
    The state of a follower. It moves with each row that is told of, and only then.

    Args:
        wanted: whose rows.
        primed: whether what is unknown is new. Before the first whole walk of a follower
            that tells of nothing older than itself, it is not.
    """

    def __init__(self, wanted: Filter, *, primed: bool) -> None:
        self.wanted = wanted
        self.primed = primed
        self.unfinished: dict[str, None] = {}
        """Those to look after, in the order in which they are to be asked for by id."""
        # Not sorted in a checkpoint, which may be written for each row.
        self._known: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def count_new(self, page: Page[Transcription]) -> int:
        """Return how many rows of a page are unknown."""
        return sum(_digest(row.id) not in self._known for row in page.items)

    def take(self, row: Transcription) -> Kind | None:
        """Take note of the next change of a row and return its kind, or None for none."""
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

    def ask_last(self, row_id: str) -> None:
        """Put one that was asked for behind all others."""
        self.unfinished[row_id] = self.unfinished.pop(row_id)

    def dumps(self) -> str:
        """Write it as JSON, the same text for the same state."""
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
    def loads(cls, text: object, wanted: Filter) -> Followed:
        """
        Read what `dumps` wrote.

        Raises:
            ConfigurationError: it is no checkpoint of a follower, of another version, or
                of another room or session.
        """
        data = _parse(text)
        theirs = Filter(data["room_id"], data["session_id"])
        if theirs != wanted:
            raise ConfigurationError(
                f"the checkpoint is of a follower of {theirs}, this one follows {wanted}; "
                "follow the same room and session again"
            )
        state = cls(wanted, primed=data["primed"])
        state.unfinished = dict.fromkeys(data["unfinished"])
        known = b64decode(data["known"])
        digests = (known[at : at + _BYTES] for at in range(0, len(known), _BYTES))
        state._known = dict.fromkeys(digests)
        return state


def _digest(row_id: str) -> bytes:
    # An id may be anything that JSON can hold, half a surrogate pair as well.
    return blake2b(row_id.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


def _parse(text: object) -> dict[str, Any]:
    try:
        data = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or "version" not in data or data.get("follow") != _LIST:
        raise ConfigurationError("resume must be a text that a follower gave as its checkpoint")
    if data["version"] != _VERSION:
        raise ConfigurationError(
            f"the checkpoint has version {data['version']!r}, this release reads version "
            f"{_VERSION}; follow anew, or use the release that wrote it"
        )
    if not all(key in data and fits(data[key]) for key, fits in _FIELDS.items()):
        raise ConfigurationError("the checkpoint is damaged; follow anew")
    return data


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_digests(value: object) -> bool:
    try:
        return isinstance(value, str) and len(b64decode(value, validate=True)) % _BYTES == 0
    except ValueError:
        return False


_FIELDS: Final = {
    "room_id": _is_text,
    "session_id": _is_text,
    "primed": lambda value: isinstance(value, bool),
    "unfinished": _is_ids,
    "known": _is_digests,
}
