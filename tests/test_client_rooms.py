"""`resolve_room`: from a custom room id to a room id."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from videosdk_transcripts import (
    ConfigurationError,
    InvalidResponseError,
    NotFoundError,
    RetryPolicy,
    TranscriptsClient,
)
from videosdk_transcripts.testing import Body, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"


async def test_custom_room_id_is_resolved(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The result is the room id of the rows; a room id resolves to itself."""
    row = fake.add_transcription(room_id=ROOM)
    fake.custom_ids["weekly-sync/1"] = ROOM
    for given in ("weekly-sync/1", ROOM):
        room_id = await client.resolve_room(given)
        assert room_id == ROOM
        assert [t.id async for t in client.iter_transcriptions(room_id)] == [row["id"]]
    assert fake.requests[0].path == "/v2/rooms/weekly-sync/1"
    assert fake.requests[0].method == "GET"


@pytest.mark.parametrize("status", [400, 402, 404, 422])
async def test_unknown_room_is_not_found(
    fake: FakeVideoSDK, client: TranscriptsClient, status: int
) -> None:
    """The error has what the response has, advice for a custom id as well, and no context."""
    headers = {"x-request-id": "r-1"}
    fake.fail_next(Status(status, headers, message="RoomId is invalid", code=4003))
    with pytest.raises(NotFoundError) as caught:
        await client.resolve_room("nowhere")
    error = caught.value
    assert error.message == (
        f"GET room nowhere: the service responded with {status}, RoomId is invalid; check the "
        "room id, and that the key belongs to the account that owns the room"
    )
    assert (error.status, error.code, error.request_id) == (status, "4003", "r-1")
    assert error.attempts == 1
    assert error.__context__ is error.__cause__ is None
    assert len(fake.requests) == 1


async def test_room_that_the_service_lacks_is_not_found(client: TranscriptsClient) -> None:
    """The fake service responds with 404, too."""
    with pytest.raises(NotFoundError, match="room nowhere: the service responded with 404"):
        await client.resolve_room("nowhere")


@pytest.mark.parametrize("room_id", ["", "..", "a b", None, 5])
async def test_malformed_id_is_not_sent(
    fake: FakeVideoSDK, client: TranscriptsClient, room_id: Any
) -> None:
    """An id of dots would be another path."""
    with pytest.raises(ConfigurationError, match="room_id must be a"):
        await client.resolve_room(room_id)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"customRoomId": "mine"}', "but roomId in the response is of type NoneType"),
        ('{"roomId": 5, "customRoomId": "mine"}', "but roomId in the response is of type int"),
        ('{"roomId": "", "customRoomId": "mine"}', "but roomId in the response is empty, not a"),
        ('{"roomId": "other", "customRoomId": "theirs"}', "but the service returned room other,"),
        ('{"roomId": "other", "customRoomId": null}', "but the service returned room other,"),
        ("[]", "and JSON that is not an object"),
    ],
)
async def test_response_that_is_not_the_room_raises(
    fake: FakeVideoSDK, body: str, found: str
) -> None:
    """The id of another room would list the transcriptions of that room."""
    fake.fail_next(Body(body))
    async with fake.client(retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(InvalidResponseError, match=f"room mine.* {found}"):
            await client.resolve_room("mine")


@pytest.mark.parametrize("given", ["mine", "623d42d472498060cccb51f2", ROOM])
async def test_each_id_of_a_room_is_accepted(fake: FakeVideoSDK, given: str) -> None:
    """A room has a custom id, a room id, and an id that is used nowhere else."""
    room = {"id": "623d42d472498060cccb51f2", "roomId": ROOM, "customRoomId": "mine"}
    fake.fail_next(Body(json.dumps(room)))
    async with fake.client(retry=RetryPolicy(attempts=1)) as client:
        assert await client.resolve_room(given) == ROOM


@pytest.fixture
async def rooms() -> AsyncIterator[TranscriptsClient]:
    """Return a client of a service that names no custom room ids, and knows rooms by `id`."""

    async def get_room(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "a-token"
        return web.json_response({"id": "623d42d472498060cccb51f2", "roomId": ROOM})

    app = web.Application()
    app.router.add_get("/v2/rooms/{id}", get_room)
    async with (
        TestServer(app) as server,
        TranscriptsClient(token="a-token", endpoint=str(server.make_url("/v2"))) as client,
    ):
        yield client


@pytest.mark.parametrize("given", ["mine", "623d42d472498060cccb51f2", ROOM])
async def test_response_without_custom_room_id_is_accepted(
    rooms: TranscriptsClient, given: str
) -> None:
    """The response does not show that it is another room."""
    assert await rooms.resolve_room(given) == ROOM
