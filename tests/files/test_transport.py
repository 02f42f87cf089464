"""P9 and P10: one link is fetched without credentials, from allowed hosts and within limits."""

import asyncio
import gc
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from videosdk_transcripts import (
    ClientClosedError,
    Clock,
    ConnectionFailedError,
    InvalidResponseError,
    NotFoundError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TimedOutError,
)
from videosdk_transcripts._files.fetch import Files
from videosdk_transcripts._files.hosts import FileHosts
from videosdk_transcripts._files.transport import FileTransport
from videosdk_transcripts.errors import (
    FileError,
    FileGoneError,
    FileHostRefusedError,
    RedirectError,
    StatusError,
)
from videosdk_transcripts.testing import (
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
from .support import failure, fetched, locals_of, not_reread, opened, row_with_link, transcription


async def test_requests_have_no_credentials(fake: FakeVideoSDK, tmp_path: Path) -> None:
    """They have no token, no cookie (not even of the host), and no password of a netrc file."""
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
async def test_transient_fault_is_retried(
    fake: FakeVideoSDK, clock: ManualClock, fault: Any
) -> None:
    """After two faults the third attempt returns the complete file, once."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"0123456789" * 9)
    fake.files.fail_next(fault, times=2)
    assert await fetched(fake, row, clock=clock.clock) == b"0123456789" * 9
    assert (len(fake.files.requests), len(clock.slept)) == (3, 2)


@pytest.mark.parametrize(
    ("fault", "error_class", "text"),
    [
        (Status(503), ServerError, "the file host 127.0.0.1 responded with 503"),
        (Status(401), FileGoneError, "the link is dead (status 401)"),
        (Status(402), NotFoundError, "responded with 402"),
        (Status(418), StatusError, "responded with 418"),
        (Status(304), RedirectError, "responded with 304"),
        (Status(206), InvalidResponseError, "responded with 206, which is not a complete, "),
        (CutBody(), InvalidResponseError, "truncated"),
        (DropConnection(), ConnectionFailedError, "was lost before a response"),
        (HtmlPage(502), ServerError, "responded with 502"),
    ],
)
async def test_permanent_fault_raises_a_typed_error(
    fake: FakeVideoSDK, fault: Any, error_class: type[Exception], text: str
) -> None:
    """It has the link without its query."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt", b"0123456789" * 9)
    fake.files.fail_next(fault, times=20)
    error = await failure(f"{url}?Signature=wxyz", fake.url)
    assert isinstance(error, error_class)
    assert text in str(error)
    assert "Signature" not in str(error)
    # Not hexadecimal, because addresses of objects are shown, too.
    assert "wxyz" not in locals_of(error)


async def test_retry_after_is_honoured_up_to_the_limit(
    fake: FakeVideoSDK, clock: ManualClock
) -> None:
    """Beyond max_retry_after the error is raised immediately."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt")
    fake.files.fail_next(Status(429, {"Retry-After": "7"}))
    await fetched(fake, row, clock=clock.clock)
    assert clock.slept[0] >= 7
    fake.files.fail_next(Status(429, {"Retry-After": "70"}))
    error = await failure(url, fake.url)
    assert (error.status, error.retry_after, error.attempts) == (429, 70.0, 1)


async def test_file_above_the_cap_is_rejected(fake: FakeVideoSDK) -> None:
    """The cap is on decoded bytes and applies while decoding."""
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


# Timeouts, closing and cancellation.


async def test_attempt_timeout_starts_another_attempt(fake: FakeVideoSDK) -> None:
    """After the last attempt, it is raised."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt")
    fake.files.fail_next(Delay(60))
    assert await fetched(fake, row, policy=RetryPolicy(attempts=5, attempt_timeout=0.3))
    assert len(fake.files.requests) > 1
    fake.files.fail_next(Delay(60))
    error = await failure(url, fake.url, policy=RetryPolicy(attempts=1, attempt_timeout=0.05))
    assert isinstance(error, TimedOutError)
    assert "attempt_timeout of 0.05 s while waiting for the whole response" in str(error)


async def test_page_timeout_covers_all_attempts_and_waits(fake: FakeVideoSDK) -> None:
    """The wait for a slot counts, too."""
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
    policy = RetryPolicy(attempts=9, page_timeout=1.5, wait_initial=0.0)
    error = await failure(url, fake.url, policy=policy, clock=Clock(loop.time, sleep=sleep))
    text = "page_timeout on attempt 1 (last error: the file host 127.0.0.1 responded with 503)"
    assert text in str(error)


async def test_timeouts_of_a_file_exclude_waiting_for_slot(fake: FakeVideoSDK) -> None:
    """A fetch that waits for a slot sends nothing, and has its whole time afterwards."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"text")
    policy = RetryPolicy(attempts=1, page_timeout=0.8, attempt_timeout=0.8)
    async with opened(fake.url, max_in_flight=1, policy=policy) as transport:
        queue = (await transport.sessions.open()).queue
        assert queue.try_acquire()
        fetch = asyncio.create_task(
            Files(transport).fetch_bytes(
                transcription(row), "txt", summary=False, reread=not_reread
            )
        )
        await asyncio.sleep(0.9)
        assert fake.files.requests == []
        queue.release()
        assert await fetch == b"text"


@pytest.mark.parametrize("where", ["answer", "back-off"])
async def test_closing_aborts_fetches(fake: FakeVideoSDK, where: str) -> None:
    """During a response and a back-off; later fetches fail as well."""
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
            files.fetch_bytes(transcription(row), "txt", summary=False, reread=not_reread)
        )
        await until(lambda: fake.files.requests if where == "answer" else sleeps)
        await transport.aclose()
        with pytest.raises(ClientClosedError):
            await asyncio.wait_for(task, 1)
        with pytest.raises(ClientClosedError):
            await files.fetch_bytes(transcription(row), "txt", summary=False, reread=not_reread)
    await until(lambda: not open_connections(fake))


async def test_fetch_that_starts_while_closing_raises_client_closed(fake: FakeVideoSDK) -> None:
    """An unrelated RuntimeError is passed on."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")

    class Closing:
        async def begin(self) -> None:
            transport.sessions.is_closed = True
            await resources.session.close()

        async def write(self, chunk: bytes) -> None:
            raise RuntimeError("of the caller")

    class Failing(Closing):
        async def begin(self) -> None:
            return

    async with opened(fake.url) as transport:
        files = Files(transport)
        resources = await transport.sessions.open()
        with pytest.raises(RuntimeError, match="of the caller"):
            await files.fetch(
                transcription(row), "txt", Failing(), summary=False, reread=not_reread
            )
        with pytest.raises(ClientClosedError):
            await files.fetch(
                transcription(row), "txt", Closing(), summary=False, reread=not_reread
            )


async def test_cancelled_fetch_leaves_no_task_or_connection(fake: FakeVideoSDK) -> None:
    """P5."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    fake.files.fail_next(Delay(60))
    async with opened(fake.url) as transport:
        task = asyncio.create_task(
            Files(transport).fetch_bytes(
                transcription(row), "txt", summary=False, reread=not_reread
            )
        )
        await until(lambda: fake.files.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not client_tasks()
        await until(lambda: not open_connections(fake))


def test_unclosed_transport_ends_with_its_loop() -> None:
    """It can be used in another loop; there is no warning."""
    clock = ManualClock()
    transports: list[FileTransport] = []

    async def use() -> None:
        async with FakeVideoSDK() as fake:
            row = fake.add_transcription()
            fake.files.put(row, "txt", b"x")
            if not transports:
                # The port differs between loops.
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
            assert (
                await files.fetch_bytes(transcription(row), "txt", summary=False, reread=not_reread)
                == b"x"
            )

    asyncio.run(use())
    asyncio.run(use())
    transports.clear()
    gc.collect()


# Redirects.


async def test_up_to_five_redirects_are_followed(fake: FakeVideoSDK) -> None:
    """They may be absolute or relative."""
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


async def test_raw_bytes_of_a_redirect_are_preserved() -> None:
    """The bytes may have any encoding."""
    lines: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append((await read_request(reader)).partition(b"\r\n")[0])
        if len(lines) == 1:
            target = b"/\xf8 \xe9/%F8/%C3%A9/\xc3\xa9?q=\xff\xfe&s=%2B+"
            writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n")
            writer.write(b"Connection: close\r\nLocation: " + target + b"\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")

    async with tcp(talk) as url, opened(url) as transport:
        found = await Files(transport).fetch_bytes(
            row_with_link(url), "txt", summary=False, reread=not_reread
        )
    assert found == b"here"
    assert lines == [
        b"GET / HTTP/1.1",
        b"GET /%F8%20%E9/%F8/%C3%A9/%C3%A9?q=%FF%FE&s=%2B+ HTTP/1.1",
    ]


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
async def test_redirect_to_a_disallowed_host_is_rejected(
    fake: FakeVideoSDK, target: str, text: str
) -> None:
    """Nothing is sent there: a server that listens there receives nothing."""
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


async def test_link_to_a_disallowed_host_is_rejected() -> None:
    """Before anything is sent or resolved."""

    async def find(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    for url in ("https://evil.example/a?sig=1", "/a.txt", "http://cdn.videosdk.live/a"):
        assert isinstance(await failure(url, find=find), FileHostRefusedError)


# Addresses.


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "::1"], ["10.0.0.1"], ["::ffff:127.0.0.1"]]
)
async def test_allowed_name_with_a_private_address_is_rejected(addresses: list[str]) -> None:
    """No connection is made, and nothing is retried."""
    asked: list[tuple[str, int]] = []

    async def find(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return addresses

    error = await failure("https://cdn.videosdk.live/a", find=find)
    assert isinstance(error, FileHostRefusedError)
    assert "cdn.videosdk.live has an address that is not public" in str(error)
    assert asked == [("cdn.videosdk.live", 443)]


async def test_dns_rebinding_between_check_and_connect_is_impossible(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The connection is to the addresses that were checked; there is no second resolution.

    A second resolution would lead to a trap on the same port, and the system's resolver
    knows no names.
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
                row_with_link(url), "txt", summary=False, reread=not_reread
            )
            assert found == b"here"
    assert (asked, heard) == (["files.test"], [])


async def test_each_connection_checks_its_own_resolution(fake: FakeVideoSDK) -> None:
    """A name may resolve differently each time."""
    asked: list[str] = []

    async def find(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else []

    error = await failure("https://cdn.videosdk.live/a", find=find)
    assert isinstance(error, FileHostRefusedError)
    assert len(asked) == 2


async def test_unresolvable_name_is_a_connection_failure() -> None:
    """With the system's resolver, which is the default."""
    error = await failure("http://files.invalid:1/", "http://files.invalid:1")
    assert isinstance(error, ConnectionFailedError)
    assert "can't be resolved" in str(error)


async def test_explicitly_allowed_origin_may_be_private(fake: FakeVideoSDK) -> None:
    """This also applies to names."""
    row = fake.add_transcription()
    url = fake.files.put(row, "txt").replace("127.0.0.1", "localhost")
    async with opened(fake.url.replace("127.0.0.1", "localhost")) as transport:
        assert await Files(transport).fetch_bytes(
            row_with_link(url), "txt", summary=False, reread=not_reread
        )


async def test_ipv6_address_is_connected_to() -> None:
    """The connection uses the address itself."""

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
                row_with_link(f"http://six.test:{port}/"), "txt", summary=False, reread=not_reread
            )
    finally:
        await runner.cleanup()
    assert found == b"six"


# TLS.


def certificate(folder: Path, name: str) -> Path:
    """Create a self-signed certificate for a name, with its key."""
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


async def test_tls_verifies_the_name_of_the_host(tmp_path: Path) -> None:
    """The connection is made to an address."""
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
                row_with_link(f"{hosts[0]}/"), "txt", summary=False, reread=not_reread
            )
            assert found == b"safe"
        for url, context in ((hosts[1], trusting), (hosts[0], True)):
            error = await failure(url, *hosts, find=find, ssl=context)
            assert "verify the TLS certificate" in str(error)
