"""What the fake service can be made to do beside its answers: move, order, redirect, tell."""

import asyncio
import socket

import pytest

from videosdk_transcripts import RedirectError, TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"


async def test_rows_that_come_and_go(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Before every second answer one comes and two vanish, and a walk loses no other."""
    rows = {row["id"] for row in fake.add_session(ROOM, 60)}
    drift = fake.drift(every=2, insert=1, remove=2)
    found = {t.id async for t in client.iter_transcriptions(ROOM, page_size=10)}
    assert (drift.inserted, drift.removed) == (len(fake.requests) // 2, 2 * drift.inserted)
    assert drift.inserted > 2
    left = {row["id"] for row in fake.rows}
    assert rows & left <= found
    fake.drift()
    assert [t.id async for t in client.iter_transcriptions(ROOM)] == [r["id"] for r in fake.rows]


async def test_an_empty_list_that_moves(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Rows come where there was none, and none vanishes where there is none."""
    fake.drift(remove=1)
    assert await client.count() == 0
    fake.drift(insert=1)
    assert await client.count() == 1
    assert await client.count(ROOM) == 2


async def test_sessions(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Each has an id of its own, and its rows the fields that are asked for."""
    first, second = fake.add_session(ROOM, 2, status="running"), fake.add_session(ROOM)
    session_id = first[0]["extension"]["extensionConfig"]["sessionId"]
    found = [t async for t in client.iter_transcriptions(ROOM, session_id)]
    assert [t.id for t in found] == [row["id"] for row in first]
    assert all(t.is_running for t in found)
    assert second[0]["extension"]["extensionConfig"]["sessionId"] != session_id


@pytest.mark.parametrize(
    ("order", "numbers"),
    [("as they are", [1, 0, 2]), ("oldest first", [0, 1, 2]), ("newest first", [2, 1, 0])],
)
async def test_order(order: str, numbers: list[int]) -> None:
    """Rows are listed as they are, or by their start."""
    async with FakeVideoSDK(order=order) as fake, fake.client() as client:  # type: ignore[arg-type]
        rows = [fake.add_transcription() for _ in range(3)]
        fake.rows[:2] = [rows[1], rows[0]]
        found = [t.id async for t in client.iter_transcriptions()]
        assert found == [rows[n]["id"] for n in numbers]


async def test_a_slash_that_is_not_wanted() -> None:
    """The other form is redirected to, with the query as it was."""
    async with FakeVideoSDK(slash="refused") as fake, fake.client() as client:
        with pytest.raises(RedirectError, match="another path of the same host"):
            await client.count(ROOM)
        assert fake.requests[0].status == 308
        fake.slash = "required"
        assert await client.count(ROOM) == 0


async def test_requests_are_remembered(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """With what they met, and what they were answered with."""
    fault = Status(503)
    fake.fail_next(fault)
    await client.count()
    assert [(seen.status, seen.fault) for seen in fake.requests] == [(503, fault), (200, None)]


def test_without_async(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread of its own, found by the environment, and gone behind the block."""
    with FakeVideoSDK().in_thread() as fake:
        fake.add_transcriptions(3)
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)

        async def program() -> str:
            async with TranscriptsClient() as client:
                row = fake.add_transcription()
                fake.files.put(row, "txt", b"Hi.")
                return await client.fetch_text(await client.get_transcription(row["id"]))

        assert asyncio.run(program()) == "Hi."
        port = int(fake.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_that_is_taken() -> None:
    """The error is raised where it is started, and the port is the one that was asked for."""
    with FakeVideoSDK().in_thread() as fake:
        port = int(fake.url.rpartition(":")[2])
        with pytest.raises(OSError, match=r"[Aa]ddress"):  # noqa: SIM117
            with FakeVideoSDK(port=port).in_thread():
                raise AssertionError
    with FakeVideoSDK(port=port).in_thread() as fake:
        assert fake.url == f"http://127.0.0.1:{port}"


def test_an_error_at_its_end() -> None:
    """What a block raises is what comes out of it."""
    with pytest.raises(KeyError), FakeVideoSDK().in_thread():
        raise KeyError
