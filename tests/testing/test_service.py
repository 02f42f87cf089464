"""What the fake service can be made to do beside its answers: move, order, redirect, tell."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from videosdk_transcripts import (
    AuthenticationError,
    BadRequestError,
    Clock,
    RedirectError,
    TranscriptsClient,
)
from videosdk_transcripts.testing import CutBody, Delay, DropConnection, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


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


async def test_drift_is_the_same_for_the_same_seed() -> None:
    """So that a test that fails does so again."""
    left = []
    for seed in (1, 1, 2):
        async with FakeVideoSDK(seed=seed) as fake, fake.client() as client:
            for number in range(60):
                fake.add_transcription(row_id=str(number))
            fake.drift(remove=3)
            await client.count()
            left.append([row["id"] for row in fake.rows])
    assert left[0] == left[1] != left[2]


async def test_drift_counts_pages_alone(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """And nothing that is answered with something else."""
    (row,) = fake.add_transcriptions(1)
    drift = fake.drift(insert=1)
    fake.fail_next(Status(503))
    assert await client.count() == 2
    await client.get_transcription(row["id"])
    fake.slash = "refused"
    with pytest.raises(RedirectError):
        await client.count()
    assert drift.inserted == 1


@pytest.mark.parametrize("wrong", [{"every": 0}, {"insert": -1}, {"remove": -1}])
def test_drift_out_of_its_bounds(wrong: dict[str, int]) -> None:
    """Refused at once, and not where a request meets it."""
    with pytest.raises(ValueError, match="or more"):
        FakeVideoSDK().drift(**wrong)


@pytest.mark.parametrize("fault", [503, None, Status, "Status(503)"])
def test_what_is_no_fault(fault: Any) -> None:
    """Refused at once: it would become a 500, which is tried again and passes unnoticed."""
    fake = FakeVideoSDK()
    for put in (fake.fail_next, lambda *faults: fake.on_page(1, *faults)):
        with pytest.raises(TypeError, match=r"is no fault; one is made like this: Status\(503\)"):
            put(Status(503), fault)
    with pytest.raises(TypeError, match="is no fault"):
        fake.every(2, fault)
    with pytest.raises(ValueError, match="every 0th request is none"):
        fake.every(0, Status(503))


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


async def test_a_slash_that_recordings_do_not_want() -> None:
    """Their list does as the other one."""
    async with FakeVideoSDK(slash="refused") as fake, fake.client() as client:
        fake.add_post_transcription()
        with pytest.raises(RedirectError, match="another path of the same host"):
            await client.iter_post_transcriptions().__anext__()
        fake.slash = "required"
        assert len([t async for t in client.iter_post_transcriptions()]) == 1


async def test_the_clock_is_the_one_of_the_service() -> None:
    """Jobs go by it, and so does the date of an answer, which explains a refused token."""
    async with FakeVideoSDK(now=NOON.timestamp) as fake:
        async with fake.client(clock=Clock(time=NOON.timestamp)) as client:
            started = (await client.start_transcription(ROOM)).transcription
            stopped = (await client.stop_transcription(ROOM)).transcription
        assert (started.start, stopped.end) == (NOON, NOON)
        async with fake.client(clock=Clock(time=lambda: NOON.timestamp() + 7200)) as late:
            with pytest.raises(AuthenticationError, match="clock"):
                await late.count()


async def test_an_outage_ends(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Whatever was still to come, rows and all stay as they are."""
    fake.add_transcriptions(3)
    fake.every(1, Status(400))
    with pytest.raises(BadRequestError):
        await client.count()
    fake.fail_next(Status(400), times=3)
    fake.on_page(1, Status(400))
    fake.clear_faults()
    assert await client.count() == 3
    assert len(fake.requests) == 2


async def test_all_is_forgotten(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Rows, files, faults and what was asked, and not how the service is set up."""
    fake.filters, fake.jobs.formats = "ignored", ("srt",)
    started = await client.start_transcription(ROOM, summary=True)
    await client.stop_transcription(ROOM)
    fake.add_post_transcription()
    fake.files.put(fake.add_transcription(), "txt")
    for script in (fake.fail_next, lambda fault: fake.on_page(1, fault)):
        script(Status(400))
    fake.every(1, Status(400))
    fake.drift(insert=1)
    fake.clear()
    assert (fake.rows, fake.post_rows, fake.requests, fake.most_in_flight) == ([], [], [], 0)
    assert await client.count() == 0
    assert [seen.status for seen in fake.requests] == [200]
    assert (fake.filters, fake.jobs.formats) == ("ignored", ("srt",))
    fake.rows.append({"id": started.transcription.id, "status": "completed"})
    await client.get_transcription(started.transcription.id)
    assert "transcriptionFilePaths" not in fake.rows[0]


async def test_a_dropped_connection_has_no_status(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A body that breaks off has one, which was sent before; files are no different."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    t = await client.get_transcription(row["id"])
    fake.requests.clear()
    for faults in (fake, fake.files):
        faults.fail_next(DropConnection(), CutBody())
    await client.count()
    await client.fetch_text(t)
    for requests in (fake.requests, fake.files.requests):
        assert [seen.status for seen in requests] == [None, 200, 200]


async def test_files_recover_too(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """With all else, or by themselves."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"Hi.")
    t = await client.get_transcription(row["id"])
    for clear_faults in (fake.clear_faults, fake.files.clear_faults):
        fake.files.fail_next(Status(404), times=9)
        clear_faults()
        assert await client.fetch_text(t) == "Hi."


async def test_what_is_no_fault_of_a_file(fake: FakeVideoSDK) -> None:
    """It is refused as for other requests."""
    wrong: Any = 503
    with pytest.raises(TypeError, match="503 is no fault"):
        fake.files.fail_next(wrong)


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


def test_nothing_of_the_thread_is_left() -> None:
    """Behind the block it has ended, and a request that waits does not hold it up."""
    before = threading.active_count()
    with FakeVideoSDK().in_thread() as fake:
        fake.fail_next(Delay(60))
        with socket.create_connection(("127.0.0.1", int(fake.url.rpartition(":")[2]))) as asking:
            asking.sendall(b"GET /ai/v1/realtime-transcriptions HTTP/1.1\r\nHost: fake\r\n\r\n")
            while not fake.in_flight:
                time.sleep(0.001)
    assert threading.active_count() == before


def test_a_block_that_is_never_left() -> None:
    """It does not keep the process from ending."""
    code = (
        "from videosdk_transcripts.testing import FakeVideoSDK\n"
        "block = FakeVideoSDK().in_thread()\n"
        "assert block.__enter__().url\n"
    )
    command = (sys.executable, "-W", "error", "-c", code)
    done = subprocess.run(command, capture_output=True, timeout=20, check=True)  # noqa: S603
    assert done.stderr == b""


def test_changed_while_it_answers() -> None:
    """A test may change what another thread is about to read, and each answer is whole."""
    with FakeVideoSDK().in_thread() as fake:
        fake.add_transcriptions(100)
        is_over = threading.Event()

        def change() -> None:
            number = 0
            while not is_over.wait(0.0001):
                number += 1
                fake.add_transcription(at=0)
                row = fake.rows.pop(number * 7 % 100)
                row[f"key {number % 50}"] = row["extension"][f"key {number % 50}"] = number
                row.pop(f"key {number * 3 % 50}", None)
                fake.rows.insert(50, row)
                fake.rows.pop()

        async def walk() -> set[int | None]:
            async with fake.client() as client:
                for _ in range(40):
                    page = await client.get_page(page_size=200)
                    assert 98 <= len(page.items) <= 102
            return {seen.status for seen in fake.requests}

        changing = threading.Thread(target=change)
        changing.start()
        try:
            assert asyncio.run(walk()) == {200}
        finally:
            is_over.set()
            changing.join()
