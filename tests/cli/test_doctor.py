"""The verb `doctor`: says in plain words what is wrong, and shows no credential."""

import asyncio
import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.cli import _checks_network
from videosdk_transcripts.cli._checks_local import Check, Place
from videosdk_transcripts.cli._checks_network import (
    check_clock,
    check_connection,
    check_name,
    check_request,
)
from videosdk_transcripts.cli._doctor_command import doctor
from videosdk_transcripts.cli._exit import ExitCode, ends_well
from videosdk_transcripts.testing import FakeVideoSDK, HtmlPage, Status

from ..promises.canaries import KEY, LOGIN, OPAQUE, SECRET, TOKEN, found_in
from .command_line import Outcome, Run
from ..conftest import read_request, tcp

NAMES = ["environment", "dns", "connection", "proxy", "clock", "token", "request"]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the verb in this process, and see to it that no canary shows."""
    program = click.Group("videosdk-transcripts", commands=[doctor])

    def run(*arguments: str) -> Outcome:
        code = ends_well(
            lambda: program.main(["doctor", *arguments], prog_name="v", standalone_mode=False)
        )
        outcome = Outcome(code, *capsys.readouterr())
        assert not found_in(outcome.out + outcome.err)
        return outcome

    # What a file replaces comes back in the end.
    with patch.dict(os.environ):
        yield run


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVideoSDK]:
    """A fake service whose credentials are canaries, and an environment that leads to it."""
    with FakeVideoSDK(api_key=KEY, secret=SECRET).in_thread() as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield fake


def found(outcome: Outcome) -> dict[str, Check]:
    """Read the lines of a run."""
    lines: list[list[Any]] = [line.split(maxsplit=2) for line in outcome.out.splitlines()]
    assert [name for _, name, _ in lines] == NAMES
    return {name: Check(name, state, detail) for state, name, detail in lines}


def states(outcome: Outcome) -> list[str]:
    """Return how the checks went, in order."""
    return [check.state for check in found(outcome).values()]


# The whole of it.


def test_all_is_well(call: Run, account: FakeVideoSDK) -> None:
    """A line for each check, with what was found."""
    account.add_transcriptions(3)
    outcome = call()
    checks = {name: check.detail for name, check in found(outcome).items()}
    assert states(outcome) == ["ok"] * 7
    assert outcome.code == 0
    assert outcome.err == "it works\n"
    assert checks["environment"] == f"set: {', '.join(sorted(account.environ))}"
    assert checks["dns"] == "127.0.0.1 is 127.0.0.1"
    assert checks["connection"].endswith("answers; TLS is not used, as it is http")
    assert checks["proxy"] == "the environment names none"
    assert re.fullmatch(r"[01] s (ahead of|behind) the service's", checks["clock"])
    assert checks["token"].startswith("signed with the key and the secret; its end is 20")
    assert re.fullmatch(r"3 transcriptions in \d+ ms, connecting included", checks["request"])
    assert [seen.query.get("perPage") for seen in account.requests] == [None, "1"]
    assert "Authorization" not in account.requests[0].headers


def test_the_sandbox(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment does not count."""
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "nonsense")
    outcome = call("--sandbox")
    assert (outcome.code, states(outcome)) == (0, ["ok"] * 7)
    assert "55 transcriptions" in outcome.out


def test_a_list_for_programs(call: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """In one document, whatever was found; of the credentials of a file here."""
    path = tmp_path / "videosdk.env"
    path.write_text("\n".join(f"{name}={value}" for name, value in account.environ.items()))
    with path.open("a") as file:
        file.write(f"\nVIDEOSDK_TOKEN={OPAQUE}")
    code, out, err = call("--json", "--env-file", str(path))
    document = json.loads(out)
    assert (code, err) == (0, "it works, with 1 warning\n")
    assert [check["check"] for check in document] == NAMES
    assert document[0] == {
        "check": "environment",
        "state": "warn",
        "detail": f"from {path}, in place of the environment; "
        f"set: {', '.join(sorted([*account.environ, 'VIDEOSDK_TOKEN']))}",
        "advice": "there is a token beside the key and the secret; it is not used",
        "code": 0,
    }


# The environment, or a file in its place.


def test_a_profile_is_named(
    call: Run, account: FakeVideoSDK, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not the environment that says what is used then."""
    path = tmp_path / "config.toml"
    path.write_text(
        f"[work]\napi_key = '{account.api_key}'\nsecret = '{account.secret}'\n"
        f"endpoint = '{account.url}'\n"
    )
    path.chmod(0o600)
    monkeypatch.setenv("VIDEOSDK_TRANSCRIPTS_CONFIG", str(path))
    first = json.loads(call("--profile", "work", "--json").out)[0]
    assert first["state"] == "ok"
    assert first["detail"].startswith(f"from the profile 'work' of {path}, in place of the env")


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        ("[default]\ntoken = 'a.b.c'\n", ExitCode.USAGE, "chmod 600"),
        ("[default]\napi_key = 'a'\n", ExitCode.AUTH, "secret"),
    ],
)
def test_a_file_of_profiles_that_can_not_be_used(  # noqa: PLR0917 - one more than five
    call: Run,
    account: FakeVideoSDK,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    code: ExitCode,
    told: str,
) -> None:
    """That is a check which failed, like any other, and the others are skipped."""
    path = tmp_path / "config.toml"
    path.write_text(content)
    path.chmod(0o644 if code is ExitCode.USAGE else 0o600)
    monkeypatch.setenv("VIDEOSDK_TRANSCRIPTS_CONFIG", str(path))
    outcome = call("--profile", "default", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == code
    assert [check["check"] for check in document] == NAMES
    assert [check["state"] for check in document] == ["fail", *["skipped"] * (len(NAMES) - 1)]
    assert told in document[0]["advice"]
    assert account.requests == []


def test_nothing_is_set(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be found out without credentials is found out."""
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "https://nowhere.invalid")
    outcome = call()
    assert outcome.code == 3
    assert states(outcome) == ["FAIL", "FAIL", "skipped", "ok", "skipped", "skipped", "skipped"]
    assert "no credentials: set VIDEOSDK_API_KEY and VIDEOSDK_SECRET" in outcome.out
    assert "the name nowhere.invalid can't be resolved" in outcome.out
    assert "there are no credentials" in outcome.out
    assert outcome.err == "videosdk-transcripts: environment failed\n"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"VIDEOSDK_API_KEY": f" {KEY}\n"}, "VIDEOSDK_API_KEY has white space around its value"),
        ({"VIDEOSDK_SECRET_KEY": SECRET}, "VIDEOSDK_SECRET and VIDEOSDK_SECRET_KEY are both set"),
        ({"VIDEOSDK_AUTH_TOKEN": ""}, "VIDEOSDK_AUTH_TOKEN is empty, which counts as not set"),
        ({"VIDEOSDK_TOKEN": f"'{OPAQUE}'"}, "VIDEOSDK_TOKEN has quotes in its value; take them"),
        ({"VIDEOSDK_TOKEN": f"{OPAQUE}\n{OPAQUE}"}, "VIDEOSDK_TOKEN has a space or a line break"),
        ({"VIDEOSDK_API_ENDPOINT": "/v2/"}, "VIDEOSDK_API_ENDPOINT ends in /v2, which is taken"),
    ],
)
def test_oddities_of_the_environment(
    call: Run,
    account: FakeVideoSDK,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, str],
    says: str,
) -> None:
    """By name and never by value; the rest works all the same."""
    monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", "a.example, b.example")
    for name, value in more.items():
        monkeypatch.setenv(name, account.url + value if value == "/v2/" else value)
    outcome = call()
    assert states(outcome) == ["warn", *["ok"] * 6]
    assert says in outcome.out


@pytest.mark.parametrize(
    ("more", "half"),
    [
        ({"VIDEOSDK_API_KEY": KEY}, "VIDEOSDK_API_KEY"),
        ({"VIDEOSDK_SECRET_KEY": SECRET}, "VIDEOSDK_SECRET"),
    ],
)
def test_half_a_pair_beside_a_token(
    call: Run, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], half: str
) -> None:
    """The token is used, and is looked at as it was given."""
    for name, value in {
        "VIDEOSDK_TOKEN": TOKEN,
        "VIDEOSDK_API_ENDPOINT": "http://x.invalid",
    }.items():
        monkeypatch.setenv(name, value)
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    outcome = call()
    assert states(outcome) == ["warn", "FAIL", "skipped", "ok", "skipped", "warn", "skipped"]
    assert f"{half} is set without its other half; the token is used" in outcome.out
    assert "VIDEOSDK_API_ENDPOINT is http: tokens can be read on the way" in outcome.out
    assert "given ready-made; its end is 2096-10-02T07:06:40+00:00" in outcome.out
    assert outcome.code == 7


def test_an_endpoint_that_is_none(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be reached; the token is looked at."""
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"api.videosdk.live?{OPAQUE}")
    outcome = call()
    assert outcome.code == 2
    assert states(outcome) == ["FAIL", *["skipped"] * 4, "ok", "skipped"]
    assert "the endpoint must look like https://api.videosdk.live" in outcome.out
    assert "the environment is to be mended first" in outcome.out


# The token.


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (f"Bearer {TOKEN}", "it starts with 'Bearer '; give what comes behind that word"),
        (OPAQUE, "it has 1 part and not three"),
    ],
)
def test_a_token_that_would_be_refused(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch, token: str, says: str
) -> None:
    """It is not sent."""
    monkeypatch.delenv("VIDEOSDK_SECRET")
    monkeypatch.delenv("VIDEOSDK_API_KEY")
    monkeypatch.setenv("VIDEOSDK_TOKEN", token)
    outcome = call()
    assert outcome.code == 3
    assert states(outcome)[-2:] == ["FAIL", "skipped"]
    assert says in outcome.out
    assert not any("Authorization" in seen.headers for seen in account.requests)


def test_a_secret_that_can_not_sign(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said twice, by the environment and by the token."""
    monkeypatch.setenv("VIDEOSDK_SECRET", f"{SECRET}\udcff")
    outcome = call()
    assert states(outcome) == ["FAIL", "ok", "ok", "ok", "ok", "FAIL", "skipped"]
    assert outcome.out.count("the secret can't sign a token") == 2


# The request.


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (401, 3, "or was called back"),
        (403, 3, "may not call this"),
        (404, 4, "no such API at this endpoint"),
        (429, 5, "also by other programs of this account"),
        (500, 8, "the service failed, or something else answers"),
    ],
)
def test_a_refusal(call: Run, account: FakeVideoSDK, status: int, code: int, says: str) -> None:
    """Each with what to do, and asked once."""
    account.every(1, Status(status))
    outcome = call()
    assert outcome.code == code
    assert states(outcome) == [*["ok"] * 6, "FAIL"]
    assert f"the service answered {status}" in outcome.out
    assert says in outcome.out
    assert outcome.err == "videosdk-transcripts: request failed\n"


def test_a_wrong_secret(call: Run, account: FakeVideoSDK) -> None:
    """A token says nothing of it; the service does."""
    account.secret = "another-one"
    outcome = call()
    assert (outcome.code, states(outcome)) == (3, [*["ok"] * 6, "FAIL"])
    assert "Token is invalid" in outcome.out


def test_something_else_answers(call: Run, account: FakeVideoSDK) -> None:
    """A page of a proxy or of a hotel is no list."""
    account.every(1, HtmlPage())
    outcome = call()
    assert outcome.code == 8
    assert "a proxy or a gateway may have answered in its place" in outcome.out


async def test_a_page_without_a_total(fake: FakeVideoSDK) -> None:
    """Then it is not told."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        body = b'{"pageInfo": {"currentPage": 1, "lastPage": 1}, "transcriptions": []}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    async with tcp(talk) as url:
        check = await check_request(partial(TranscriptsClient, endpoint=url, token=TOKEN), 5)
    assert (check.state, check.detail[:10]) == ("ok", "a page in ")


async def test_no_answer_to_the_request() -> None:
    """It ends with its limit."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp(talk) as url:
        check = await check_request(partial(TranscriptsClient, endpoint=url, token=TOKEN), 0.05)
    assert (check.state, check.code) == ("FAIL", 7)
    assert check.detail.endswith("no whole answer within the attempt_timeout of 0.05 s")
    assert "with more --timeout" in check.advice


# The name.


async def test_a_name_that_is_not_there() -> None:
    """No name ends in .invalid, by a standard."""
    check = await check_name(Place.of("https://nowhere.invalid"), 5)
    assert (check.state, check.code) == ("FAIL", 7)
    assert check.detail.startswith("the name nowhere.invalid can't be resolved (")


async def test_a_name_that_can_be_none() -> None:
    """A part of a name has 63 letters at most."""
    check = await check_name(Place(f"{'x' * 64}.example", 443, has_tls=True), 5)
    assert "it is no name of a host" in check.detail


@pytest.mark.parametrize("loop_ends_first", [True, False])
def test_a_name_server_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, *, loop_ends_first: bool
) -> None:
    """The look-up goes on in its thread, and nobody waits for it."""
    answer, threads = threading.Event(), list[threading.Thread]()

    def look_up(*_: object, **__: object) -> list[Any]:
        threads.append(threading.current_thread())
        answer.wait(10)
        return []

    async def check() -> Check:
        found = await check_name(Place.of("https://slow.test"), 0.02)
        if not loop_ends_first:
            answer.set()
            await asyncio.to_thread(threads[0].join, 10)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    found = asyncio.run(check(), debug=True)
    answer.set()
    threads[0].join(10)
    assert found.detail == "the name slow.test can't be resolved (no answer within 0.02 s)"


def test_places() -> None:
    """The port is that of the scheme, where none is named."""
    assert Place.of("https://api.test") == ("api.test", 443, True)
    assert Place.of("http://[::1]:80").authority == "[::1]:80"


# The connection.


async def test_a_closed_port(fake: FakeVideoSDK) -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    check = await check_connection(Place("127.0.0.1", port, has_tls=False), 5)
    assert (check.state, check.code) == ("FAIL", 7)
    assert check.detail == f"no connection to 127.0.0.1:{port} (Connection refused)"


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await reader.read()


async def plain_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a server without TLS does."""
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def test_no_tls_in_time() -> None:
    """Whoever takes the connection and is silent."""
    async with tcp(silent) as url:
        check = await check_connection(Place.of(url.replace("http:", "https:")), 0.05)
    assert "no connection to 127.0.0.1:" in check.detail
    assert check.detail.endswith(" within 0.05 s")


async def test_http_where_tls_is_expected() -> None:
    """It is told from a certificate that is wrong."""
    async with tcp(plain_http) as url:
        check = await check_connection(Place.of(url.replace("http:", "https:")), 5)
    assert (check.state, check.code) == ("FAIL", 7)
    assert check.detail.startswith("no TLS with 127.0.0.1:")
    assert "check scheme and port" in check.advice


def certificate(folder: Path, name: str, days: float) -> Path:
    """Make a certificate for a name, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    end = datetime.now(UTC) + timedelta(days=days, minutes=1)
    made = (
        x509.CertificateBuilder(whose, whose, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=400))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@asynccontextmanager
async def secure(path: Path) -> AsyncGenerator[Place]:
    """Serve TLS with a certificate, and tell the time."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1000):
            writer.write(f"HTTP/1.1 401 No\r\nDate: {formatdate(usegmt=True)}\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield Place("localhost", server.sockets[0].getsockname()[1], has_tls=True)


@pytest.mark.parametrize(
    ("name", "days", "state", "says"),
    [
        ("localhost", 200, "ok", "in 200 days"),
        ("localhost", 7, "warn", "in 7 days: whoever runs it must renew it soon"),
        ("localhost", -1, "FAIL", "(certificate has expired): it has expired; check this"),
        ("other.test", 9, "FAIL", "it is for another name; check VIDEOSDK_API_ENDPOINT"),
    ],
)
async def test_certificates_that_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, days: int, *, state: str, says: str
) -> None:
    """By its end and its name."""
    path = certificate(tmp_path, name, days)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with secure(path) as place:
        check = await check_connection(place, 5)
        clock = await check_clock(place, 5)
    assert (check.name, check.state) == ("connection", state)
    assert says in str(check)
    assert clock.state == ("ok" if state != "FAIL" else "warn")


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """As that of a proxy that opens TLS."""
    async with secure(certificate(tmp_path, "localhost", 9)) as place:
        check = await check_connection(place, 5)
    assert (check.state, check.code) == ("FAIL", 7)
    assert "is not trusted (self-signed certificate)" in check.detail
    assert "SSL_CERT_FILE" in check.advice


def test_no_request_without_a_connection(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What rests on it is skipped, and says why."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"http://localhost:{port}")
    outcome = call()
    assert outcome.code == 7
    assert states(outcome) == ["ok", "ok", "FAIL", "ok", "skipped", "ok", "skipped"]
    assert found(outcome)["request"].detail == "there is no connection"


# The proxy.


def test_a_proxy_that_is_not_used(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It matters where there is no connection without it; its credentials are not shown."""
    monkeypatch.setenv("http_proxy", f"http://{LOGIN}@proxy.test:3128/")
    outcome = call()
    assert states(outcome) == ["ok"] * 7
    assert "proxy.test:3128 of the environment is not used, and not needed" in outcome.out
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "http://localhost.invalid")
    outcome = call()
    assert found(outcome)["proxy"].state == "warn"
    assert "TranscriptsClient(trust_env=True)" in outcome.out


def test_a_proxy_that_leaves_the_host_out(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not used even where the environment is trusted."""
    monkeypatch.setenv("all_proxy", "proxy.test:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    outcome = call("--trust-env")
    assert states(outcome) == ["ok"] * 7
    assert "the environment names one, and leaves this host out" in outcome.out


def test_a_proxy_that_is_used(
    call: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name and connection are those of the proxy, and the request goes through it."""
    # The fake takes whole URLs too, as a proxy gets them.
    monkeypatch.setenv("http_proxy", account.url.replace("http://", f"{LOGIN}@"))
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "http://nowhere.invalid:8787")
    outcome = call("--trust-env", "--timeout", "5")
    assert states(outcome) == ["warn", "ok", "ok", "ok", "skipped", "ok", "ok"]
    assert "of the environment is used (--trust-env)" in outcome.out
    assert found(outcome)["clock"].detail.startswith("there is a proxy between")


# The clock.


@pytest.mark.parametrize(
    ("ahead", "state", "says"),
    [
        (0, "ok", "the service's"),
        (20, "ok", "20 s ahead of the service's"),
        (-45, "warn", "45 s behind the service's"),
        (45, "warn", "45 s ahead of the service's"),
        (600, "FAIL", "600 s ahead of the service's"),
        (-3600, "FAIL", "3600 s behind the service's"),
    ],
)
async def test_clocks(ahead: int, state: str, says: str) -> None:
    """Which one is ahead, and how far."""
    at = 1_770_000_000.0
    async with FakeVideoSDK(now=lambda: at) as fake:
        check = await check_clock(Place.of(fake.url), 5, now=lambda: at + 0.5 + ahead)
    assert (check.state, check.code) == (state, 3 if state == "FAIL" else 0)
    assert says in check.detail
    assert ("the service says 2026-02-02T02:40:00+00:00" in check.advice) is (state != "ok")


def test_a_clock_that_is_wrong(call: Run, account: FakeVideoSDK) -> None:
    """The token is refused for it, and the first failure is the cause."""
    account.now = lambda: time.time() - 900
    outcome = call()
    assert outcome.code == 3
    assert states(outcome) == [*["ok"] * 4, "FAIL", "ok", "FAIL"]
    assert outcome.err == "videosdk-transcripts: clock failed\n"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDate: today\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["none", "no date", "cut", "endless"],
)
async def test_no_time(head: bytes) -> None:
    """It is not known then, which is no failure."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        await writer.drain()

    async with tcp(talk) as url:
        check = await check_clock(Place.of(url), 5)
    assert (check.state, check.detail) == ("warn", "the service's time is not known")


async def test_no_time_in_time() -> None:
    """It ends with its limit."""
    async with tcp(silent) as url:
        assert (await check_clock(Place.of(url), 0.05)).state == "warn"


async def test_a_date_without_a_zone() -> None:
    """It is of UTC, as all dates of HTTP are."""
    head = b"HTTP/1.1 200 OK\r\nDATE: Mon, 02 Feb 2026 02:40:00\r\n\r\n"
    assert _checks_network._date_of(head) == 1_770_000_000.0
