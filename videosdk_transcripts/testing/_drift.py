"""Rows that come and go while somebody walks them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from ._server import FakeVideoSDK


@define
class Drift:
    """
    Change the list before answers. Made by `FakeVideoSDK.drift`.

    New rows begin at the top and are of the room and session of the row that is there; those
    that vanish are drawn from all.
    """

    every: int
    insert: int
    remove: int
    inserted: int = field(default=0, init=False)
    """How many rows have come so far."""
    removed: int = field(default=0, init=False)
    """How many have vanished."""
    _answers: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        if self.every < 1 or min(self.insert, self.remove) < 0:
            raise ValueError("every must be 1 or more, and insert and remove 0 or more")

    def apply(self, fake: FakeVideoSDK, source: random.Random) -> None:
        """Change the list if it is time to."""
        self._answers += 1
        if self._answers % self.every:
            return
        for _ in range(self.insert):
            config = {} if not fake.rows else fake.rows[0]["extension"]["extensionConfig"]
            place = {"room_id": config.get("roomId"), "session_id": config.get("sessionId")}
            fake.add_transcription(at=0, **(place if fake.rows else {}))
            self.inserted += 1
        for _ in range(min(self.remove, len(fake.rows))):
            fake.rows.pop(source.randrange(len(fake.rows)))
            self.removed += 1
