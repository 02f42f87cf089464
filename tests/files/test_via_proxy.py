"""P9: files are fetched through a proxy if the caller requests it, and directly otherwise."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from videosdk_transcripts import (
    ConfigurationError,
    ConnectionFailedError,
    FileHostRefusedError,
    NoResponseError,
    RetryPolicy,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts.testing import FakeVideoSDK

from ..conftest import read_request, tcp
from ..forwarding import forwarding
from ..promises.canaries import LOGIN, found_in, report
from .support import row_with_link
from .test_transport import certificate

CDN = "cdn.videosdk.live"
LINK = f"https://{CDN}/t.txt?Signature=wxyz"
ONCE = RetryPolicy(attempts=1)
REFUSALS = {
    407: b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    502: b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
}
REFUSALS_ADVICE = {
    407: "check its address and credentials",
    502: "it may not allow this host, or not reach it",
}


@asynccontextmanager
async def cdn(folder: Path, location: str = "") -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Serve files over TLS as the vendor's host, and yield the port and options for a client."""
    path = certificate(folder, CDN)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_request(reader)
        assert b"Proxy-Authorization" not in head
        if location and b"GET /t.txt" in head:
            line = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            writer.write(line.encode())
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nAnn: Hello.\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=serving)
    async with server:
        options = {"ssl": ssl.create_default_context(cafile=path), "token": "t", "retry": ONCE}
        yield server.sockets[0].getsockname()[1], options


async def failure_of(client: TranscriptsClient, url: str) -> VideoSDKTranscriptsError:
    """Return the error of fetching a link."""
    with pytest.raises(VideoSDKTranscriptsError) as caught:
        await client.fetch_text(row_with_link(url))
    assert "wxyz" not in str(caught.value)
    return caught.value


# Through a proxy.


@pytest.mark.parametrize("source", ["argument", "variable"])
async def test_proxy_resolves_the_name_of_the_file_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """The name is sent to the proxy, with its credentials, which the host does not get."""
    async with cdn(tmp_path) as (port, options), forwarding({CDN: port}) as (address, heads):
        # By name, because the address of a proxy may be private.
        proxy = f"http://{LOGIN}@{address.replace('127.0.0.1', 'localhost')}"
        if source == "argument":
            options["proxy"] = proxy
        else:
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            options["trust_env"] = True
        async with TranscriptsClient(files_via_proxy=True, **options) as client:
            assert await client.fetch_text(row_with_link(LINK)) == "Ann: Hello.\n"
    (head,) = heads
    assert head.startswith(f"CONNECT {CDN}:443 HTTP/1.1\r\n".encode())
    assert head.count(b"\r\nProxy-Authorization: Basic ") == 1
    assert b"wxyz" not in head


async def test_api_and_files_share_the_proxy(fake: FakeVideoSDK) -> None:
    """Without TLS, the proxy reads the requests, each with its credentials."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"hello")
    async with forwarding() as (address, heads):
        options = {"proxy": f"http://{LOGIN}@{address}", "files_via_proxy": True}
        async with fake.client(**options) as client:
            t = await client.get_transcription(row["id"])
            assert await client.fetch_text(t) == "hello"
    assert len(heads) == 2
    assert all(b"Proxy-Authorization: Basic " in head for head in heads)
    assert heads[1].startswith(f"GET {fake.url}/".encode())
    assert b"\r\nAuthorization" not in heads[1]


@pytest.mark.parametrize(
    "link",
    ["https://elsewhere.test/t", "https://10.0.0.7/t", "https://127.0.0.1/t", "http://10.0.0.7/t"],
)
async def test_disallowed_host_is_rejected_without_contacting_the_proxy(
    tmp_path: Path, link: str
) -> None:
    """As a link and as the target of a redirect: the allow-list applies to names."""
    async with cdn(tmp_path, link) as (port, options), forwarding({CDN: port}) as (address, heads):
        options |= {"proxy": f"http://{address}", "files_via_proxy": True}
        async with TranscriptsClient(**options) as client:
            assert isinstance(await failure_of(client, link), FileHostRefusedError)
            assert heads == []
            error = await failure_of(client, LINK)
            assert isinstance(error, FileHostRefusedError)
            assert f"the redirect from {CDN}" in str(error)
    assert len(heads) == 1


async def test_redirect_to_an_allowed_host_is_followed_through_the_proxy(tmp_path: Path) -> None:
    """Each hop uses a separate tunnel."""
    async with (
        cdn(tmp_path, f"https://{CDN}/other") as (port, options),
        forwarding({CDN: port}) as (address, heads),
    ):
        options |= {"proxy": f"http://{address}", "files_via_proxy": True}
        async with TranscriptsClient(**options) as client:
            assert await client.fetch_text(row_with_link(LINK)) == "Ann: Hello.\n"
    assert len(heads) == 2


async def test_tls_is_verified_through_the_proxy(tmp_path: Path) -> None:
    """A proxy that leads to another server is noticed."""
    async with cdn(tmp_path) as (port, options), forwarding({"x.test": port}) as (address, _heads):
        options |= {"proxy": f"http://{address}", "files_via_proxy": True}
        async with TranscriptsClient(file_hosts=["x.test"], **options) as client:
            error = await failure_of(client, "https://x.test/t")
    assert "verify the TLS certificate of x.test" in str(error)


async def test_host_in_no_proxy_is_contacted_directly(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules for its address apply."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"hello")
    async with forwarding() as (address, heads):
        monkeypatch.setenv("http_proxy", f"http://{address}")
        monkeypatch.setenv("https_proxy", f"http://{address}")
        monkeypatch.setenv("no_proxy", "127.0.0.1, localhost")
        hosts = [fake.url, "localhost"]
        async with fake.client(
            trust_env=True, files_via_proxy=True, file_hosts=hosts, retry=ONCE
        ) as client:
            t = await client.get_transcription(row["id"])
            assert await client.fetch_text(t) == "hello"
            error = await failure_of(client, "https://localhost/t")
            assert isinstance(error, FileHostRefusedError)
            assert "has an address that is not public" in str(error)
    assert heads == []


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_refusal_of_the_proxy_is_named(fake: FakeVideoSDK, status: int, scheme: str) -> None:
    """With a tunnel, the status is always the proxy's; otherwise only 407 is."""
    async with forwarding(refusal=REFUSALS[status]) as (address, _heads):
        proxy = f"http://{LOGIN}@{address}"
        async with fake.client(proxy=proxy, files_via_proxy=True, retry=ONCE) as client:
            error = await failure_of(client, LINK if scheme == "https" else f"{fake.url}/t")
    if (scheme, status) == ("http", 502):
        assert "the file host 127.0.0.1 responded with 502" in str(error)
    else:
        assert isinstance(error, ConnectionFailedError)
        assert f"the proxy responded with {status}; {REFUSALS_ADVICE[status]}" in str(error)
    assert "bypass" not in str(error)
    assert found_in(report(error)) == set()


@pytest.mark.parametrize("header", ["Content-Encoding", "code"])
async def test_proxy_that_echoes_its_password_is_redacted(fake: FakeVideoSDK, header: str) -> None:
    """It reads the password, and its response would be quoted."""
    body = b"<code>canary-signature</code>"
    echo = b"HTTP/1.1 400 Bad\r\nContent-Length: 29\r\n\r\n" + body
    if header == "Content-Encoding":
        line = b"Content-Encoding: canary-signature"
        echo = b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 0\r\n\r\n"
    async with forwarding(refusal=echo) as (address, _heads):
        proxy = f"http://u:canary-signature@{address}"
        async with fake.client(proxy=proxy, files_via_proxy=True, retry=ONCE) as client:
            error = await failure_of(client, f"{fake.url}/t")
    assert found_in(report(error)) == set()


async def test_unreachable_proxy_is_named(fake: FakeVideoSDK) -> None:
    """The error does not name the file host, and has no advice to use a proxy."""
    options = {"files_via_proxy": True, "retry": ONCE}
    async with fake.client(proxy="http://127.0.0.1:9", **options) as client:
        error = await failure_of(client, LINK)
        assert "can't connect to the proxy; check its address" in str(error)
    async with fake.client(proxy="http://proxy.invalid:9", **options) as client:
        error = await failure_of(client, LINK)
        assert "the name of the proxy can't be resolved" in str(error)
        assert "bypass" not in str(error)


async def test_proxy_that_opens_no_tunnel_is_named(fake: FakeVideoSDK) -> None:
    """Some close the connection if they can't resolve the name."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with (
        tcp(talk) as url,
        fake.client(proxy=url, files_via_proxy=True, retry=ONCE) as client,
    ):
        error = await failure_of(client, LINK)
    assert isinstance(error, ConnectionFailedError)
    assert f"the connection to {CDN} through the proxy was lost before a response" in str(error)


# Directly.


@pytest.mark.parametrize("source", ["argument", "variable", "given session"])
async def test_unreachable_file_host_states_that_files_bypass_the_proxy(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """This applies if the API uses a proxy, which receives no request."""
    options: dict[str, Any] = {"retry": ONCE, "file_hosts": ["http://127.0.0.1:9"]}
    async with forwarding() as (address, heads):
        if source == "argument":
            options["proxy"] = f"http://{address}"
        else:
            monkeypatch.setenv("http_proxy", f"http://{address}")
            options["trust_env"] = source == "variable"
        session = aiohttp.ClientSession(trust_env=True) if source == "given session" else None
        async with fake.client(session=session, **options) as client:
            assert await client.count() == 0
            error = await failure_of(client, "http://127.0.0.1:9/t?Signature=wxyz")
        if session is not None:
            await session.close()
    assert len(heads) == 1
    assert isinstance(error, ConnectionFailedError)
    assert error.message.endswith(
        "; files bypass the proxy of the API: to use it for files too, pass files_via_proxy=True"
    )
    assert error.args == (error.message,)


async def test_timeout_of_a_file_states_that_files_bypass_the_proxy(fake: FakeVideoSDK) -> None:
    """A firewall often drops requests that bypass the proxy."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp(talk) as silent, forwarding() as (address, _heads):
        policy = RetryPolicy(attempts=1, attempt_timeout=0.1)
        async with fake.client(
            proxy=f"http://{address}", file_hosts=[silent], retry=policy
        ) as client:
            error = await failure_of(client, f"{silent}/t")
    assert isinstance(error, NoResponseError)
    assert "files bypass the proxy of the API" in str(error)


@pytest.mark.parametrize("variables", [{}, {"https_proxy": "http://127.0.0.1:9"}])
async def test_unreachable_file_host_without_a_proxy_has_no_advice_about_it(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """This also applies if only requests of another scheme use a proxy, even an invalid one."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    hosts = ["http://127.0.0.1:9", "https://127.0.0.1:9"]
    async with fake.client(retry=ONCE, file_hosts=hosts, trust_env=bool(variables)) as client:
        assert "bypass" not in str(await failure_of(client, f"{hosts[0]}/t"))
        monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
        assert "bypass" not in str(await failure_of(client, f"{hosts[1]}/t"))


# Arguments.


def test_files_via_proxy_requires_a_proxy() -> None:
    """Without a proxy, the option would have no effect."""
    with pytest.raises(ConfigurationError, match=r"requires proxy= or trust_env=True"):
        TranscriptsClient(token="t", files_via_proxy=True)
    TranscriptsClient(token="t", files_via_proxy=True, trust_env=True)
    with pytest.raises(ConfigurationError, match="files_via_proxy must be True or False"):
        TranscriptsClient(token="t", files_via_proxy="yes")  # type: ignore[arg-type]


def test_invalid_variable_for_files_is_an_error_of_the_constructor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This also applies if the API does not use it."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    options: dict[str, Any] = {"token": "t", "endpoint": "http://127.0.0.1:1", "trust_env": True}
    TranscriptsClient(**options)
    with pytest.raises(ConfigurationError, match="the variable https_proxy"):
        TranscriptsClient(**options, files_via_proxy=True)


async def test_unreachable_file_host_has_advice_about_an_unused_proxy(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment names one, and the client does not use it at all."""
    hosts = ["http://127.0.0.1:1"]
    async with fake.client(file_hosts=hosts, retry=ONCE) as client:
        assert "proxy" not in str(await failure_of(client, f"{hosts[0]}/t"))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert (
            "; the variable http_proxy names a proxy, which is used with trust_env=True only, "
            "and for files with files_via_proxy=True"
        ) in str(await failure_of(client, f"{hosts[0]}/t"))
