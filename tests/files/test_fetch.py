"""P9, P10 and the links of a row: files, fetched without credentials from where they may be."""

import asyncio
import gc
import pickle
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from videosdk_transcripts import (
    ClientClosedError,
    Clock,
    ConfigurationError,
    ConnectionFailedError,
    InvalidResponseError,
    NotFoundError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TimedOutError,
    Transcription,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts._files.fetch import Files, decode_text
from videosdk_transcripts._files.hosts import FileHosts
from videosdk_transcripts._files.transport import FileTransport
from videosdk_transcripts.errors import (
    FileError,
    FileGoneError,
    FileHostRefusedError,
    FileNotReadyError,
    FileTextError,
    RedirectError,
)
from videosdk_transcripts.testing import (
    Body,
    CutBody,
    Delay,
    DropConnection,
    FakeVideoSDK,
    GzipBomb,
    HtmlPage,
    Redirect,
    Status,
)

from ..conftest import ManualClock, read_request, tcp, until
from ..matrix.leaving import client_tasks, open_connections

Row = dict[str, Any]


def view(row: Row) -> Transcription:
    """Return a row of the fake service as users hold it."""
    return Transcription(
        row["id"],
        files=dict(row.get("transcriptionFilePaths", {})),
        summary_files=dict(row.get("summarizedFilePaths", {})),
    )


async def unread(row_id: str) -> Transcription:
    """Is not needed."""
    raise AssertionError(f"{row_id} was read again")


def reader(fake: FakeVideoSDK) -> Callable[[str], Awaitable[Transcription]]:
    """Return what reads a row again."""

    async def reread(row_id: str) -> Transcription:
        return next(view(row) for row in fake.rows if row["id"] == row_id)

    return reread


@asynccontextmanager
async def opened(*hosts: str, **options: Any) -> AsyncIterator[FileTransport]:
    """Give a transport that tries three times and does not sleep."""
    clock = ManualClock()
    settings: dict[str, Any] = {
        "policy": RetryPolicy(attempts=3),
        "ssl": True,
        "max_in_flight": 4,
        "max_file_bytes": 1000,
        "clock": evolve(clock.clock, time=lambda: 1_700_000_000.0),
    }
    transport = FileTransport(FileHosts(hosts), **settings | options)
    try:
        yield transport
    finally:
        await transport.aclose()


async def fetched(
    fake: FakeVideoSDK, row: Row, wanted: str = "txt", *, summary: bool = False, **options: Any
) -> bytes:
    """Fetch one file."""
    async with opened(fake.url, **options) as transport:
        return await Files(transport).fetch_bytes(
            view(row), wanted, summary=summary, reread=reader(fake)
        )


def links(url: str) -> Transcription:
    """Return a row with one link."""
    return Transcription("t-1", files={"txt": url})


async def failure(url: str, *hosts: str, **options: Any) -> Any:
    """Return the error of fetching a link."""
    async with opened(*hosts, **options) as transport:
        with pytest.raises(VideoSDKTranscriptsError) as caught:
            await Files(transport).fetch_bytes(
                links(url), "txt", summary=False, reread=again(links(url))
            )
    # Only our own errors, which hold no exception of another library.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return caught.value


def again(row: Transcription) -> Callable[[str], Awaitable[Transcription]]:
    """Return what reads that row again."""

    async def reread(row_id: str) -> Transcription:
        assert row_id == row.id
        return row

    return reread


def locals_of(error: BaseException) -> str:
    """Return what a traceback shows of our own frames."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if "/videosdk_transcripts/" in frame.filename]
    assert ours
    return "".join(value for frame in ours for value in (frame.locals or {}).values())


# What is fetched.


async def test_bytes_as_they_are(fake: FakeVideoSDK) -> None:
    """Of a format, and of the summary beside it."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"\xff\x00\r\n")
    fake.files.put(row, "txt", b"short", summary=True)
    assert await fetched(fake, row) == b"\xff\x00\r\n"
    assert await fetched(fake, row, summary=True) == b"short"


async def test_the_files_of_the_fake_service(fake: FakeVideoSDK) -> None:
    """It serves all that its rows name, with words of each format, and nothing else."""
    row = fake.add_transcription(formats=("txt", "srt", "vtt", "tsv", "json", "odd"))
    other = fake.add_transcription()
    fake.files.serve_all()
    found = {name: await fetched(fake, row, name) for name in row["transcriptionFilePaths"]}
    assert all(b"Shall we begin?" in data for data in found.values())
    assert found["vtt"].startswith(b"WEBVTT")
    assert await fetched(fake, row, summary=True) == b"Ann and Bob began.\n"
    living = view(other)
    fake.files.expire(row["id"], status=410)
    assert view(other) == living
    unknown = living.files["txt"].replace(other["id"], "unknown")
    assert isinstance(await failure(unknown, fake.url), FileGoneError)


async def test_no_credentials_on_a_request(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """No token and no cookie, not even one that the host has set; nor what a netrc file has."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt")

    async def cookie(exchange: Any) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": url, "Set-Cookie": "a=b"})

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password word", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETRC", str(netrc))
        patch.setenv("http_proxy", "http://user:word@127.0.0.1:9")
        fake.files.fail_next(cookie, Status(503))
        await fetched(fake, row)
    assert len(fake.files.requests) == 3
    for seen in fake.files.requests:
        assert set(seen.headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}


async def test_text(fake: FakeVideoSDK) -> None:
    """UTF-8, with or without a mark at its beginning; what else becomes of it is asked."""
    row = fake.add_transcription()
    async with opened(fake.url) as transport:
        files = Files(transport)

        async def text(data: bytes, **options: Any) -> str:
            fake.files.put(row, "txt", data)
            return await files.fetch_text(view(row), "txt", summary=False, reread=unread, **options)

        assert await text("Zoë: né".encode()) == "Zoë: né"
        assert await text("Zoë".encode("utf-8-sig")) == "Zoë"
        assert await text(b"a\xffb", errors="replace") == "a\N{REPLACEMENT CHARACTER}b"
        with pytest.raises(FileTextError, match="byte 6 of 8") as caught:
            await text(b"\xef\xbb\xbfsay\xffx")
        assert (caught.value.transcription_id, caught.value.format) == (row["id"], "txt")
        assert caught.value.__context__ is None
        assert "say" not in locals_of(caught.value)
        before = len(fake.files.requests)
        with pytest.raises(ConfigurationError, match="errors must be one of strict"):
            await text(b"", errors="surrogateescape")
        assert len(fake.files.requests) == before


def test_decode_text() -> None:
    """The usual words, and the place of what can't be decoded."""
    assert decode_text(b"a\xffb", "ignore") == "ab"
    assert decode_text(b"a\xffb", "backslashreplace") == "a\\xffb"
    assert decode_text(b"") == ""
    with pytest.raises(FileTextError, match="byte 1 of 3"):
        decode_text(b"a\xffb")
    with pytest.raises(ConfigurationError):
        decode_text(b"", "strictly")


async def test_a_content_type_says_nothing(fake: FakeVideoSDK) -> None:
    """Nobody documents one."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    fake.files.fail_next(Body(b"Ann: hi", content_type="text/html"))
    assert await fetched(fake, row) == b"Ann: hi"


async def test_a_format_that_is_not_there(fake: FakeVideoSDK) -> None:
    """The error names those that are."""
    row = fake.add_transcription(formats=("txt", "json"), summary=False)
    row["transcriptionFilePaths"]["srt"] = ""
    with pytest.raises(FileNotReadyError, match="there is json, txt") as caught:
        await fetched(fake, row, "srt")
    assert (caught.value.transcription_id, caught.value.format) == (row["id"], "srt")
    with pytest.raises(FileNotReadyError, match="there is none of any format") as caught:
        await fetched(fake, row, summary=True)
    assert caught.value.format == "summary.txt"
    for wanted in ("", 5, None):
        with pytest.raises(ConfigurationError, match="format must be a word"):
            await fetched(fake, row, wanted)  # type: ignore[arg-type]
    assert fake.files.requests == []


# Links that die.


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_dead_link_is_renewed_once(fake: FakeVideoSDK, status: int) -> None:
    """The row is read again, and its new link is tried."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    old = view(row)
    fake.files.expire(row, status=status)
    async with opened(fake.url) as transport:
        files = Files(transport)
        assert await files.fetch_bytes(old, "txt", summary=False, reread=reader(fake)) == b"here"
        assert len(fake.files.requests) == 2
        # The new one dies as well.
        fake.files.expire(row, status=status)
        newest = view(row)
        fake.files.expire(row, status=status)
        with pytest.raises(FileGoneError, match=f"answered {status}") as caught:
            await files.fetch_bytes(old, "txt", summary=False, reread=again(newest))
    assert caught.value.status == status
    assert (caught.value.transcription_id, caught.value.format) == (row["id"], "txt")
    assert len(fake.files.requests) == 4


async def test_a_dead_link_without_another(fake: FakeVideoSDK) -> None:
    """The same link is not tried again; nor is there one where the row is gone."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    old = view(row)
    fake.files.expire(row, renew=False)

    async def gone(row_id: str) -> Transcription:
        raise NotFoundError("gone", status=404)

    async def broken(row_id: str) -> Transcription:
        raise ServerError("broken", status=500)

    async with opened(fake.url) as transport:
        fetch = Files(transport).fetch_bytes
        for reread in (reader(fake), gone, again(Transcription(old.id))):
            with pytest.raises(FileGoneError):
                await fetch(old, "txt", summary=False, reread=reread)
        assert len(fake.files.requests) == 3
        with pytest.raises(ServerError, match="broken"):
            await fetch(old, "txt", summary=False, reread=broken)


# Faults.


@pytest.mark.parametrize(
    "fault",
    [
        Status(408),
        Status(429, {"Retry-After": "1"}),
        Status(500),
        Status(503),
        CutBody(),
        CutBody(0),
        Status(206),
        Status(204),
    ],
)
async def test_a_fault_is_survived(fake: FakeVideoSDK, clock: ManualClock, fault: Any) -> None:
    """Twice in a row, the third attempt gives the file, whole and once."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"0123456789" * 9)
    fake.files.fail_next(fault, times=2)
    assert await fetched(fake, row, clock=clock.clock) == b"0123456789" * 9
    assert (len(fake.files.requests), len(clock.slept)) == (3, 2)


@pytest.mark.parametrize(
    ("fault", "error_class", "text"),
    [
        (Status(503), ServerError, "the file host 127.0.0.1 answered 503"),
        (Status(401), VideoSDKTranscriptsError, "answered 401"),
        (Status(304), RedirectError, "answered 304"),
        (Status(206), InvalidResponseError, "answered 206, which is not a whole file"),
        (CutBody(), InvalidResponseError, "broke off"),
        (DropConnection(), ConnectionFailedError, "broke before a response"),
        (HtmlPage(502), ServerError, "answered 502"),
    ],
)
async def test_a_fault_that_stays(
    fake: FakeVideoSDK, fault: Any, error_class: type[Exception], text: str
) -> None:
    """One typed error, without the link's query."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt", b"0123456789" * 9)
    fake.files.fail_next(fault, times=20)
    error = await failure(f"{url}?Signature=abc", fake.url)
    assert isinstance(error, error_class)
    assert text in str(error)
    assert "Signature" not in str(error)
    assert "abc" not in locals_of(error)


async def test_as_long_as_the_host_asks(fake: FakeVideoSDK, clock: ManualClock) -> None:
    """And no longer than the policy allows."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt")
    fake.files.fail_next(Status(429, {"Retry-After": "7"}))
    await fetched(fake, row, clock=clock.clock)
    assert clock.slept[0] >= 7
    fake.files.fail_next(Status(429, {"Retry-After": "70"}))
    error = await failure(url, fake.url)
    assert (error.status, error.retry_after, error.attempts) == (429, 70.0, 1)


async def test_a_file_that_is_too_large(fake: FakeVideoSDK) -> None:
    """The cap is on decoded bytes, and reached while they are decoded."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", bytes(1000))
    assert len(await fetched(fake, row)) == 1000
    url = fake.files.put(row, "txt", bytes(1001))
    error = await failure(url, fake.url)
    assert isinstance(error, ResponseTooLargeError)
    assert "larger than 1000 bytes; raise max_file_bytes" in str(error)
    fake.files.fail_next(GzipBomb(8 * 1024 * 1024))
    assert isinstance(await failure(url, fake.url), ResponseTooLargeError)
    assert len(fake.files.requests) == 3


# Time limits, and leaving.


async def test_an_attempt_takes_so_long_at_most(fake: FakeVideoSDK) -> None:
    """Then there is another one."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt")
    fake.files.fail_next(Delay(60))
    assert await fetched(fake, row, policy=RetryPolicy(attempts=2, attempt_timeout=0.05))
    fake.files.fail_next(Delay(60))
    error = await failure(url, fake.url, policy=RetryPolicy(attempts=1, attempt_timeout=0.05))
    assert isinstance(error, TimedOutError)
    assert "attempt_timeout of 0.05 s while waiting for the whole response" in str(error)


async def test_all_attempts_take_so_long_at_most(fake: FakeVideoSDK) -> None:
    """With the waits between them, and the one for a slot."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt")
    policy = RetryPolicy(attempts=9, page_timeout=0.1)
    fake.files.fail_next(Delay(60))
    error = await failure(url, fake.url, policy=policy)
    assert isinstance(error, TimedOutError)
    assert "timed out: page_timeout on attempt 1;" in str(error)
    assert error.attempts == 1

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(60)

    fake.files.fail_next(Status(503))
    loop = asyncio.get_running_loop()
    policy = RetryPolicy(attempts=9, page_timeout=0.1, wait_initial=0.0)
    error = await failure(url, fake.url, policy=policy, clock=Clock(loop.time, sleep=sleep))
    assert "page_timeout on attempt 1 (last error: the file host 127.0.0.1 answered 503)" in str(
        error
    )


async def test_no_more_than_so_many_at_once(fake: FakeVideoSDK) -> None:
    """Whoever waits for a slot sends nothing, and waits within the deadline."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    policy = RetryPolicy(attempts=1, page_timeout=0.05, attempt_timeout=0.01)
    async with opened(fake.url, max_in_flight=1, policy=policy) as transport:
        wire = await transport.sessions.open()
        async with wire.semaphore:
            with pytest.raises(TimedOutError, match="while waiting for a slot"):
                await Files(transport).fetch_bytes(view(row), "txt", summary=False, reread=unread)
    assert fake.files.requests == []


@pytest.mark.parametrize("where", ["answer", "back-off"])
async def test_closing_ends_it(fake: FakeVideoSDK, where: str) -> None:
    """At once, wherever it is; and nobody begins after that."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    fake.files.fail_next(Delay(60) if where == "answer" else Status(503))
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        await asyncio.sleep(60)

    async with opened(fake.url, clock=Clock(sleep=sleep)) as transport:
        files = Files(transport)
        task = asyncio.create_task(
            files.fetch_bytes(view(row), "txt", summary=False, reread=unread)
        )
        await until(lambda: fake.files.requests if where == "answer" else sleeps)
        await transport.aclose()
        with pytest.raises(ClientClosedError):
            await asyncio.wait_for(task, 1)
        with pytest.raises(ClientClosedError):
            await files.fetch_bytes(view(row), "txt", summary=False, reread=unread)
    await until(lambda: not open_connections(fake))


async def test_whoever_begins_while_it_closes(fake: FakeVideoSDK) -> None:
    """What aiohttp raises for that is told as any other closing; another's error is left whole."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")

    class Closing:
        async def begin(self) -> None:
            transport.sessions.is_closed = True
            await wire.session.close()

        async def write(self, chunk: bytes) -> None:
            raise RuntimeError("of the caller")

    class Failing(Closing):
        async def begin(self) -> None:
            return

    async with opened(fake.url) as transport:
        files = Files(transport)
        wire = await transport.sessions.open()
        with pytest.raises(RuntimeError, match="of the caller"):
            await files.fetch(view(row), "txt", Failing(), summary=False, reread=unread)
        with pytest.raises(ClientClosedError):
            await files.fetch(view(row), "txt", Closing(), summary=False, reread=unread)


async def test_cancelling_leaves_nothing(fake: FakeVideoSDK) -> None:
    """Neither a task nor a connection in use."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    fake.files.fail_next(Delay(60))
    async with opened(fake.url) as transport:
        task = asyncio.create_task(
            Files(transport).fetch_bytes(view(row), "txt", summary=False, reread=unread)
        )
        await until(lambda: fake.files.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not client_tasks()
        await until(lambda: not open_connections(fake))


def test_a_forgotten_transport_ends_with_its_loop() -> None:
    """And can be used in another one; nothing warns."""
    clock = ManualClock()
    transports: list[FileTransport] = []

    async def use() -> None:
        async with FakeVideoSDK() as fake:
            row = fake.add_transcription()
            fake.files.put(row, "txt", b"x")
            if not transports:
                # The port differs from loop to loop, and the look-up does not matter.
                hosts = FileHosts([fake.url])
                transports.append(
                    FileTransport(
                        hosts,
                        RetryPolicy(attempts=1),
                        ssl=True,
                        max_in_flight=1,
                        max_file_bytes=9,
                        clock=clock.clock,
                    )
                )
            transports[0]._hosts._add(fake.url)
            files = Files(transports[0])
            assert await files.fetch_bytes(view(row), "txt", summary=False, reread=unread) == b"x"

    asyncio.run(use())
    asyncio.run(use())
    transports.clear()
    gc.collect()


# Redirects.


async def test_redirects_are_followed_by_hand(fake: FakeVideoSDK) -> None:
    """Five, whether relative or not."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt", b"here")
    path = url.removeprefix(fake.url)
    hops = [Redirect(url), Redirect(path, 301), Redirect(path, 303), Redirect(path, 307)]
    fake.files.fail_next(*hops, Redirect(path, 308))
    assert await fetched(fake, row) == b"here"
    assert len(fake.files.requests) == 6
    fake.files.fail_next(*[Redirect(path)] * 6)
    error = await failure(url, fake.url)
    assert isinstance(error, FileError)
    assert "redirected more than 5 times" in str(error)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (
            "http://127.0.0.1:{trap}/secret?sig=1",
            "the redirect from 127.0.0.1 points to 127.0.0.1 over http",
        ),
        (
            "https://127.0.0.1:{trap}/secret?sig=1",
            "127.0.0.1:{trap}, which is not an allowed file host",
        ),
        ("https://[::ffff:127.0.0.1]:{trap}/", "not an allowed file host"),
        ("http://localhost:{trap}/", "localhost over http"),
        ("https://2130706433/", "has a malformed host or address"),
        ("https://10.0.0.1/", "points to 10.0.0.1"),
        ("https://169.254.169.254/latest/", "points to 169.254.169.254"),
        ("http://cdn.videosdk.live/", "cdn.videosdk.live over http"),
        ("file:///etc/passwd", "not an absolute https URL"),
    ],
)
async def test_a_redirect_to_a_forbidden_place(fake: FakeVideoSDK, target: str, text: str) -> None:
    """Nothing is sent there: a server that listens there hears nothing."""
    heard: list[bytes] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))

    row = fake.add_transcription()
    url = fake.files.put(row, "txt")
    async with tcp(trap) as trap_url:
        port = trap_url.rpartition(":")[2]
        fake.files.fail_next(Redirect(target.format(trap=port)), times=9)
        error = await failure(url, fake.url)
    assert isinstance(error, FileHostRefusedError)
    assert text.format(trap=port) in str(error)
    assert (error.transcription_id, error.format) == ("t-1", "txt")
    assert "sig" not in str(error)
    assert heard == []
    assert len(fake.files.requests) == 1


async def test_a_link_to_a_forbidden_place() -> None:
    """It is refused before anything is sent, and nobody looks its name up."""

    async def find(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    for url in ("https://evil.example/a?sig=1", "/a.txt", "http://cdn.videosdk.live/a"):
        assert isinstance(await failure(url, find=find), FileHostRefusedError)


# Addresses.


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "::1"], ["10.0.0.1"], ["::ffff:127.0.0.1"]]
)
async def test_an_allowed_name_with_a_private_address(addresses: list[str]) -> None:
    """Nothing connects to any of them, and nobody tries again."""
    asked: list[tuple[str, int]] = []

    async def find(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return addresses

    error = await failure("https://cdn.videosdk.live/a", find=find)
    assert isinstance(error, FileHostRefusedError)
    assert "cdn.videosdk.live has an address that is not public" in str(error)
    assert asked == [("cdn.videosdk.live", 443)]


async def test_an_answer_that_changes_between_check_and_connect(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What was judged is what is connected to: there is no second look-up that could differ.

    The answer after the first one leads to a trap on the same port, and the system's own
    look-up knows no names at all.
    """
    port = int(fake.url.rpartition(":")[2])
    row = fake.add_transcription()
    url = fake.files.put(row, "txt", b"here").replace("127.0.0.1", "files.test")
    heard: list[bytes] = []
    asked: list[str] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    async def find(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    by_number = socket.getaddrinfo

    def no_names(host: str, *more: Any, **options: Any) -> Any:
        assert host != "files.test"
        return by_number(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    server = await asyncio.start_server(trap, "127.0.0.2", port)
    async with server, opened(f"http://files.test:{port}", find=find) as transport:
        for _ in range(3):
            found = await Files(transport).fetch_bytes(
                links(url), "txt", summary=False, reread=unread
            )
            assert found == b"here"
    assert (asked, heard) == (["files.test"], [])


async def test_an_answer_that_changes_between_two_connections(fake: FakeVideoSDK) -> None:
    """Each connection has its own look-up, which is judged anew."""
    asked: list[str] = []

    async def find(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else []

    error = await failure("https://cdn.videosdk.live/a", find=find)
    assert isinstance(error, FileHostRefusedError)
    assert len(asked) == 2


async def test_a_name_that_is_none() -> None:
    """The system's own look-up is used unless told otherwise."""
    error = await failure("http://files.invalid:1/", "http://files.invalid:1")
    assert isinstance(error, ConnectionFailedError)
    assert "can't be resolved" in str(error)


async def test_a_name_of_this_machine(fake: FakeVideoSDK) -> None:
    """An origin that was spelled out may be private, by its name as well."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt").replace("127.0.0.1", "localhost")
    async with opened(fake.url.replace("127.0.0.1", "localhost")) as transport:
        assert await Files(transport).fetch_bytes(links(url), "txt", summary=False, reread=unread)


async def test_an_address_of_ipv6() -> None:
    """Is handed over as such."""

    async def find(host: str, port: int) -> list[str]:
        return ["::1"]

    async def hello(request: web.BaseRequest) -> web.Response:
        return web.Response(text="six")

    runner = web.ServerRunner(web.Server(hello))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "::1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with opened(f"http://six.test:{port}", find=find) as transport:
            found = await Files(transport).fetch_bytes(
                links(f"http://six.test:{port}/"), "txt", summary=False, reread=unread
            )
    finally:
        await runner.cleanup()
    assert found == b"six"


# TLS.


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate for a name, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(whose, whose, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_tls_is_for_the_name(tmp_path: Path) -> None:
    """It is verified by the name of the host, though connected to an address."""
    path = certificate(tmp_path, "files.test")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=path)

    async def find(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsafe")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=serving)
    async with server:
        port = server.sockets[0].getsockname()[1]
        hosts = [f"https://{name}.test:{port}" for name in ("files", "other")]
        async with opened(*hosts, find=find, ssl=trusting) as transport:
            found = await Files(transport).fetch_bytes(
                links(f"{hosts[0]}/"), "txt", summary=False, reread=unread
            )
            assert found == b"safe"
        for url, context in ((hosts[1], trusting), (hosts[0], True)):
            error = await failure(url, *hosts, find=find, ssl=context)
            assert "no trusted TLS connection" in str(error)
