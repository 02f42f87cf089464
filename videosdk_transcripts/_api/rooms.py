"""
Resolve a custom room id: create the request for a room, and read its room id.

Source: https://docs.videosdk.live/api-reference/realtime-communication/fetch-room-details
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from videosdk_transcripts.errors import BadRequestError, InvalidResponseError, NotFoundError

from .protocol import Request

# The vendor's Node SDK treats 400, 402 and 404 as an unknown room. The id is the only argument of
# the request, so a 400 or a 422 can only be about the id.
_ADVICE: Final[dict[int, str]] = dict.fromkeys(
    (400, 402, 404, 422),
    "check the room id, and that the key belongs to the account that owns the room",
)


def room_request(room_id: str) -> Request:
    """Return the request for a room. The path accepts room ids and custom room ids."""
    target = f"/v2/rooms/{quote(room_id, safe='')}"
    return Request(target, f"room {room_id}", advice=_ADVICE)


def read_room_id(room: Mapping[str, Any], requested: str) -> str:
    """
    Return the room id of a room.

    Args:
        room: the room, as decoded from JSON.
        requested: the id that was requested.

    Raises:
        InvalidResponseError: it has no room id, or is another room.
    """
    room_id = room.get("roomId")
    if not isinstance(room_id, str) or not room_id:
        problem = "is empty" if room_id == "" else f"is of type {type(room_id).__name__}"
        raise InvalidResponseError(
            f"requested room {requested}, but roomId in the response {problem}, not a non-empty "
            "string"
        )
    # Without a custom id in the response, it can't be known whether it is another room.
    ids = (room_id, room.get("id"), room.get("customRoomId"))
    if "customRoomId" in room and requested not in ids:
        raise InvalidResponseError(
            f"requested room {requested}, but the service returned room {room_id}, whose ids differ"
        )
    return room_id


def room_not_found(error: BadRequestError) -> NotFoundError:
    """Return the error for a room whose id the service refused with 400 or 422."""
    return NotFoundError(
        error.message,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        attempts=error.attempts,
    )
