"""P9 and P14: netrc files, and proxies of the caller or the environment."""

import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from videosdk_transcripts import (
    ConfigurationError,
    ConnectionFailedError,
    RetryPolicy,
    TranscriptsClient,
)
from videosdk_transcripts._http import proxy
from videosdk_transcripts.auth import mint_token
from videosdk_transcripts.testing import FakeVideoSDK

from ..forwarding import forwarding
from ..matrix.faults import anonymous_tls
from ..matrix.proxy import PASS, Proxy
from ..promises.canaries import LOGIN, PASSWORD, SIGNATURE, USER, found_in, report

BASIC: Final = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


# Netrc files.


def write_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *machines: str) -> None:
    """Set a netrc file with credentials for these hosts in the environment."""
    netrc = tmp_path / "netrc"
    lines = [f"machine {name} login {USER} password {SIGNATURE}\n" for name in machines]
    netrc.write_text("".join(lines))
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.mark.parametrize("trust_env", [False, True])
async def test_netrc_file_is_ignored(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trust_env: bool
) -> None:
    """Otherwise aiohttp would refuse a request that has a token already."""
    write_netrc(monkeypatch, tmp_path, "127.0.0.1")
    async with fake.client(trust_env=trust_env) as client:
        await client.get_page()
    (seen,) = fake.requests
    assert seen.headers["Authorization"].startswith("eyJ")


async def test_netrc_file_of_given_session_is_named_as_cause(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error explains that aiohttp refuses two credentials, and shows neither."""
    async with (
        aiohttp.ClientSession(trust_env=True) as session,
        fake.client(session=session) as client,
    ):
        write_netrc(monkeypatch, tmp_path, "127.0.0.1")
        with pytest.raises(ConfigurationError, match="must not add credentials") as caught:
            await client.get_page()
        assert found_in(report(caught.value)) == set()
        assert fake.requests == []
        write_netrc(monkeypatch, tmp_path, "localhost")
        await client.get_page()
    (seen,) = fake.requests
    assert seen.headers["Authorization"].startswith("eyJ")


# Proxy variables.


@asynccontextmanager
async def serving(fake: FakeVideoSDK, scheme: str) -> AsyncIterator[dict[str, Any]]:
    """Serve the fake in plain text or over TLS."""
    token = str(mint_token(fake.api_key, fake.secret))
    if scheme == "http":
        yield {"endpoint": fake.url, "token": token}
        return
    async with Proxy(fake.url, lambda _target: PASS, tls=anonymous_tls("server")) as front:
        yield {"endpoint": front.url, "ssl": anonymous_tls("client"), "token": token}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("source", ["argument", "variable", "given session"])
async def test_proxy_credentials_go_only_to_the_proxy(
    fake: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, scheme: str, source: str
) -> None:
    """The proxy sees the token only without a tunnel."""
    async with contextlib.AsyncExitStack() as stack:
        address, heads = await stack.enter_async_context(forwarding())
        options = await stack.enter_async_context(serving(fake, scheme))
        url = f"http://{LOGIN}@{address}"
        if source == "argument":
            options["proxy"] = url
        else:
            monkeypatch.setenv(f"{scheme}_proxy", url)
            options["trust_env"] = True
        if source == "given session":
            session = aiohttp.ClientSession(trust_env=options.pop("trust_env"))
            options["session"] = await stack.enter_async_context(session)
        client = await stack.enter_async_context(TranscriptsClient(**options))
        await client.get_page()
        await client.get_page()
        # One connection for both requests: proxy credentials do not prevent its reuse.
        (head,) = heads
        assert head.count(f"\r\nProxy-Authorization: Basic {BASIC}\r\n".encode()) == 1
        assert (options["token"].encode() in head) == (scheme == "http")
    assert len(fake.requests) == 2
    for seen in fake.requests:
        assert seen.headers["Authorization"] == options["token"]
        assert ("Proxy-Authorization" in seen.headers) == (scheme == "http")


@pytest.mark.parametrize(
    ("variables", "scheme", "is_used"),
    [
        ({"http_proxy": "http://{}"}, "http", True),
        ({"HTTP_PROXY": "http://{}"}, "http", True),
        ({"HTTP_PROXY": "{}"}, "http", True),
        ({"https_proxy": "http://{}"}, "http", False),
        ({"https_proxy": "http://{}"}, "https", True),
        ({"HTTPS_PROXY": "http://{}"}, "https", True),
        ({"HTTP_PROXY": "http://{}"}, "https", False),
        ({"all_proxy": "http://{}"}, "http", True),
        ({"ALL_PROXY": "http://{}"}, "https", True),
        ({"ALL_PROXY": "http://{}", "NO_PROXY": "127.0.0.1"}, "https", False),
        ({"http_proxy": "http://{}", "no_proxy": "example.com, 127.0.0.1"}, "http", False),
        ({"http_proxy": "http://{}", "no_proxy": "*"}, "http", False),
        ({"http_proxy": "http://{}", "no_proxy": "7.0.0.1"}, "http", True),
        ({"http_proxy": ""}, "http", False),
    ],
)
async def test_proxy_variables_are_used_only_with_trust_env(
    fake: FakeVideoSDK,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    scheme: str,
    is_used: bool,
) -> None:
    """The variables may be in either case; a host in no_proxy is contacted directly."""
    async with forwarding() as (address, heads), serving(fake, scheme) as options:
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(address))
        for trust_env, through in ((False, 0), (True, int(is_used))):
            async with TranscriptsClient(**options, trust_env=trust_env) as client:
                assert (await client.get_page()).items == ()
            assert len(heads) == through
    assert len(fake.requests) == 2
    assert not any("Proxy-Authorization" in seen.headers for seen in fake.requests)


@pytest.mark.parametrize(
    "value", ["http://", "http://h:port", "//h:x", "ftp://h:1", "socks5://h:1"]
)
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_invalid_proxy_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The constructor raises the error, only with trust_env, and it names no argument."""
    monkeypatch.setenv(name, value)
    TranscriptsClient(token="t")
    with pytest.raises(ConfigurationError) as caught:
        TranscriptsClient(token="t", trust_env=True)
    expected = f"the variable {name} must look like http://proxy.example:3128"
    if value.startswith("socks"):
        expected += "; SOCKS proxies are not supported, use an HTTP proxy"
    assert str(caught.value) == expected


def test_invalid_proxy_of_the_environment_shows_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The URL of a proxy often contains a password."""
    monkeypatch.setenv("ALL_PROXY", f"socks5h://{LOGIN}@proxy.example:1080")
    with pytest.raises(ConfigurationError, match="the variable ALL_PROXY") as caught:
        TranscriptsClient(token="t", trust_env=True)
    assert found_in(report(caught.value)) == set()


def test_proxy_of_the_system_is_named_if_no_variable_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows and macOS have such a setting."""
    monkeypatch.setattr(proxy, "getproxies", lambda: {"https": "socks4://127.0.0.1:9"})
    with pytest.raises(ConfigurationError, match="the proxy of the system must look like"):
        TranscriptsClient(token="t", trust_env=True)


@pytest.mark.parametrize("given", ["socks5://h:1", "SOCKS4://h"])
def test_socks_proxy_as_an_argument_is_rejected(given: str) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError, match="^proxy must look like .* SOCKS proxies are not"):
        TranscriptsClient(token="t", proxy=given)


def test_variable_of_the_scheme_takes_precedence_over_that_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unused SOCKS proxy is no error."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    TranscriptsClient(token="t", trust_env=True)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_refusal_by_the_proxy_is_a_failed_connection(fake: FakeVideoSDK, scheme: str) -> None:
    """This applies with and without a tunnel, to reads and writes."""
    refusal = b"HTTP/1.1 407 Login Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with forwarding(refusal=refusal) as (address, heads), serving(fake, scheme) as options:
        policy = RetryPolicy(attempts=2, wait_initial=0)
        proxy = f"http://{LOGIN}@{address}"
        async with TranscriptsClient(**options, proxy=proxy, retry=policy) as client:
            for call in (client.count, partial(client.stop_transcription, "room")):
                with pytest.raises(ConnectionFailedError, match="the proxy responded with 407"):
                    await call()
        assert len(heads) == 4
    assert fake.requests == []


@pytest.mark.parametrize(
    ("endpoint", "failure"),
    [
        ("http://127.0.0.1:1", "can't connect to 127.0.0.1:1: "),
        ("https://api.invalid", "the name of api.invalid can't be resolved; "),
    ],
)
async def test_unreachable_host_has_advice_about_an_unused_proxy(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, failure: str
) -> None:
    """There is advice only if the environment has a proxy for this host."""

    async def message(**options: Any) -> str:
        options = {"token": "t", "endpoint": endpoint, "retry": RetryPolicy(attempts=1), **options}
        async with TranscriptsClient(**options) as client:
            with pytest.raises(ConnectionFailedError) as caught:
                await client.count()
        return str(caught.value)

    assert failure in await message()
    assert "trust_env" not in await message()
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    text = await message()
    assert failure in text
    assert "the variable all_proxy names a proxy, which is used with trust_env=True only" in text
    assert "trust_env" not in await message(trust_env=True)
    monkeypatch.setenv("no_proxy", "*")
    assert "trust_env" not in await message()
