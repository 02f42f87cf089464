"""The command `doctor`: diagnoses what is wrong, and shows no credential."""

import importlib.metadata
import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web

from videosdk_transcripts.cli import _doctor
from videosdk_transcripts.cli._doctor import Check
from videosdk_transcripts.cli._exit import ExitCode
from videosdk_transcripts.testing import (
    Delay,
    DropConnection,
    Exchange,
    FakeVideoSDK,
    Fault,
    HtmlPage,
    Status,
)

from ..promises.canaries import KEY, LOGIN, OPAQUE, SECRET, TOKEN, found_in
from .command_line import NAME, Outcome, Run

CHECKS = ["settings", "token", "clock", "request", "versions"]
NOW = 1_770_000_000.0
NOW_IN_UTC = "2026-02-02T02:40:00+00:00"


@pytest.fixture
def run_doctor(run: Run) -> Run:
    """Run `doctor`, and assert that no canary is shown."""

    def call(*arguments: str) -> Outcome:
        outcome = run("doctor", *arguments)
        assert not found_in(outcome.out + outcome.err)
        return outcome

    return call


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVideoSDK]:
    """A fake service whose credentials are canaries, and an environment that points to it."""
    with FakeVideoSDK(api_key=KEY, secret=SECRET).in_thread() as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield fake


def checks(outcome: Outcome) -> dict[str, Check]:
    """Read the lines of a run."""
    lines: list[list[Any]] = [line.split(maxsplit=2) for line in outcome.out.splitlines()]
    assert [name for _, name, _ in lines] == CHECKS
    return {name: Check(name, state, detail) for state, name, detail in lines}


def states(outcome: Outcome) -> list[str]:
    """Return the states of the checks, in order."""
    return [check.state for check in checks(outcome).values()]


def dated(date: str, status: int = 200) -> Fault:
    """Create a fault: the response has this Date header."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        response = exchange.response() if status == 200 else web.Response(status=status)
        response.headers["Date"] = date
        return response

    return respond


# All checks.


def test_healthy_account_passes_all_checks(run_doctor: Run, account: FakeVideoSDK) -> None:
    """There is one line for each check, and one request."""
    account.add_transcriptions(3)
    outcome = run_doctor()
    details = {name: check.detail for name, check in checks(outcome).items()}
    assert states(outcome) == ["ok"] * 5
    assert (outcome.code, outcome.err) == (0, "no problem found\n")
    assert details["settings"] == (
        "from the environment: VIDEOSDK_API_KEY, VIDEOSDK_SECRET, VIDEOSDK_API_ENDPOINT, "
        f"VIDEOSDK_FILE_HOSTS; endpoint {account.url}"
    )
    assert details["token"].startswith("signed with key and secret; expires 20")
    assert re.fullmatch(r"[01] s (ahead of|behind) the service", details["clock"])
    assert re.fullmatch(r"3 transcriptions, \d+ ms", details["request"])
    assert len(account.requests) == 1


def test_versions_are_those_of_the_distributions(run_doctor: Run, account: FakeVideoSDK) -> None:
    """A bug report needs them, with Python and the operating system."""
    detail = checks(run_doctor())["versions"].detail
    for name in ("videosdk-transcripts", "aiohttp", "attrs", "cattrs", "PyJWT", "tenacity"):
        assert f"{name} {version(name)}, " in detail
    assert re.search(r", Python 3\.\d+\.\d+\S* on \S+ ", detail)


def test_missing_metadata_of_a_distribution_is_no_failure(
    run_doctor: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles of programs often lack it."""
    monkeypatch.setattr(importlib.metadata, "version", Mock(side_effect=PackageNotFoundError))
    outcome = run_doctor()
    assert states(outcome) == ["ok"] * 5
    assert "videosdk-transcripts 0.1.0, aiohttp of unknown version, " in outcome.out


def test_sandbox_takes_precedence_over_the_environment(
    run_doctor: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invalid variable of the environment is not used."""
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "nonsense")
    outcome = run_doctor("--sandbox")
    assert (outcome.code, states(outcome)) == (0, ["ok"] * 5)
    assert checks(outcome)["settings"].detail.startswith("from the sandbox: ")
    assert "55 transcriptions" in outcome.out


def test_json_is_a_list_of_checks(run_doctor: Run, account: FakeVideoSDK, tmp_path: Path) -> None:
    """The credentials are those of a file."""
    path = tmp_path / "videosdk.env"
    variables = {**account.environ, "VIDEOSDK_TOKEN": OPAQUE}
    path.write_text("\n".join(f"{name}={value}" for name, value in variables.items()))
    code, out, err = run_doctor("--json", "--env-file", str(path))
    document = json.loads(out)
    assert (code, err) == (0, "no problem found, 1 warning\n")
    assert [check["check"] for check in document] == CHECKS
    assert document[0] == {
        "check": "settings",
        "state": "warn",
        "detail": f"from {path}: VIDEOSDK_API_KEY, VIDEOSDK_SECRET, VIDEOSDK_TOKEN, "
        f"VIDEOSDK_API_ENDPOINT, VIDEOSDK_FILE_HOSTS; endpoint {account.url}",
        "advice": "VIDEOSDK_TOKEN is not used: key and secret take precedence",
        "code": 0,
    }


# Settings.


def test_unparsable_env_file_fails_the_settings(
    run_doctor: Run, account: FakeVideoSDK, tmp_path: Path
) -> None:
    """It is a failed check like any other, and the others are skipped."""
    path = tmp_path / "videosdk.env"
    path.write_text(f"VIDEOSDK_SECRET='{SECRET}\n")
    outcome = run_doctor("--env-file", str(path))
    assert outcome.code == ExitCode.USAGE
    assert states(outcome) == ["FAIL", *["skipped"] * 3, "ok"]
    assert f"{path}, line 1: expected NAME=value" in outcome.out
    assert account.requests == []


def test_missing_credentials_fail_settings_and_token(run_doctor: Run) -> None:
    """Nothing is sent."""
    outcome = run_doctor()
    assert outcome.code == ExitCode.AUTH
    assert states(outcome) == ["FAIL", "FAIL", "skipped", "skipped", "ok"]
    assert "from the environment: none" in outcome.out
    assert "no credentials: set VIDEOSDK_API_KEY and VIDEOSDK_SECRET" in outcome.out
    assert outcome.err == f"{NAME}settings failed\n"


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        ({"VIDEOSDK_TOKEN": f"'{OPAQUE}'"}, "VIDEOSDK_TOKEN has quotes in its value; remove them"),
        (
            {"VIDEOSDK_API_BASE": "https://b.example"},
            "VIDEOSDK_API_BASE is not used: VIDEOSDK_API_ENDPOINT takes precedence",
        ),
        ({"VIDEOSDK_AUTH_TOKEN": OPAQUE}, "VIDEOSDK_AUTH_TOKEN is not used: key and secret take"),
    ],
)
def test_suspicious_settings_are_warnings(
    run_doctor: Run,
    account: FakeVideoSDK,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, str],
    warning: str,
) -> None:
    """They are named without their values, and the request is sent."""
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    outcome = run_doctor()
    assert states(outcome) == ["warn", *["ok"] * 4]
    assert warning in outcome.out


@pytest.mark.parametrize(
    ("more", "half"),
    [
        ({"VIDEOSDK_API_KEY": KEY}, "VIDEOSDK_API_KEY"),
        ({"VIDEOSDK_SECRET_KEY": SECRET}, "VIDEOSDK_SECRET_KEY"),
        ({}, None),
    ],
)
def test_half_a_pair_with_a_token_is_a_warning(
    run_doctor: Run, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], half: str | None
) -> None:
    """The token is used, and an http endpoint is a warning too."""
    monkeypatch.setenv("VIDEOSDK_TOKEN", TOKEN)
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "http://host.invalid")
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    outcome = run_doctor()
    assert states(outcome) == ["warn", "warn", "skipped", "FAIL", "ok"]
    assert (f"{half} is incomplete and not used: the token is used" in outcome.out) is bool(half)
    assert "the endpoint uses http, which exposes tokens; use https" in outcome.out
    assert "given; expires 2096-10-02T07:06:40+00:00" in outcome.out
    assert outcome.code == ExitCode.NETWORK


def test_invalid_endpoint_fails_the_settings(
    run_doctor: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its value is not shown, and the token is checked all the same."""
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"api.videosdk.live?{OPAQUE}")
    outcome = run_doctor()
    assert outcome.code == ExitCode.USAGE
    assert states(outcome) == ["FAIL", "ok", "skipped", "skipped", "ok"]
    assert "https://api.videosdk.live" in outcome.out
    assert checks(outcome)["request"].detail == "settings failed"


# The token.


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        (OPAQUE, "it has 1 part instead of 3"),
        (TOKEN.rpartition(".")[0] + ".", "it has no signature"),
    ],
)
def test_rejected_token_is_not_sent(
    run_doctor: Run,
    account: FakeVideoSDK,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    problem: str,
) -> None:
    """The request is skipped."""
    monkeypatch.delenv("VIDEOSDK_SECRET")
    monkeypatch.delenv("VIDEOSDK_API_KEY")
    monkeypatch.setenv("VIDEOSDK_TOKEN", token)
    outcome = run_doctor()
    assert outcome.code == ExitCode.AUTH
    assert states(outcome) == ["ok", "FAIL", "skipped", "skipped", "ok"]
    assert problem in outcome.out
    assert checks(outcome)["request"].detail == "token failed"
    assert account.requests == []


def test_token_without_an_expiry_is_a_warning(
    run_doctor: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its expiry is not shown, because it has none."""
    import jwt

    monkeypatch.delenv("VIDEOSDK_API_KEY")
    monkeypatch.delenv("VIDEOSDK_SECRET")
    claims = {"apikey": KEY, "version": 2, "permissions": ["allow_join"]}
    monkeypatch.setenv("VIDEOSDK_TOKEN", jwt.encode(claims, SECRET))
    token = checks(run_doctor())["token"]
    assert token.state == "warn"
    assert token.detail.startswith("given: it never expires (no exp); add an expiry")


def test_unusable_secret_fails_settings_and_token(
    run_doctor: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that cannot sign is found without a request."""
    monkeypatch.setenv("VIDEOSDK_SECRET", f"{SECRET}\udcff")
    outcome = run_doctor()
    assert outcome.code == ExitCode.AUTH
    assert states(outcome)[1] == "FAIL"
    assert checks(outcome)["token"].detail.startswith("no usable credentials: ")
    assert account.requests == []


# The request.


@pytest.mark.parametrize(
    ("fault", "code", "advice"),
    [
        (Status(401), ExitCode.AUTH, "wrong, revoked or from another project"),
        (Status(400, code=4002), ExitCode.AUTH, "wrong, revoked or from another project"),
        (Status(403), ExitCode.AUTH, "the token is valid but not allowed"),
        (Status(404), ExitCode.NOT_FOUND, "the endpoint has no such API"),
        (Status(429), ExitCode.RATE_LIMITED, "other programs of this account"),
        (Status(500), ExitCode.SERVICE, "the service failed, or something else responded"),
        (HtmlPage(), ExitCode.SERVICE, "the service failed, or something else responded"),
    ],
)
def test_failed_request_has_its_code_and_advice(
    run_doctor: Run, account: FakeVideoSDK, fault: Fault, code: ExitCode, advice: str
) -> None:
    """The clock is checked all the same, since there is a response."""
    account.every(1, fault)
    outcome = run_doctor()
    assert outcome.code == code
    assert states(outcome) == ["ok", "ok", "ok", "FAIL", "ok"]
    assert advice in checks(outcome)["request"].detail
    assert outcome.err == f"{NAME}request failed\n"


def test_wrong_secret_is_rejected_by_the_service(run_doctor: Run, account: FakeVideoSDK) -> None:
    """Only the service can check a signature."""
    account.secret = "another-one"
    outcome = run_doctor()
    assert (outcome.code, states(outcome)) == (ExitCode.AUTH, ["ok", "ok", "ok", "FAIL", "ok"])


def test_dropped_connection_skips_the_clock(run_doctor: Run, account: FakeVideoSDK) -> None:
    """Without a response there is no Date."""
    account.every(1, DropConnection())
    outcome = run_doctor()
    assert (outcome.code, states(outcome)) == (
        ExitCode.NETWORK,
        ["ok", "ok", "skipped", "FAIL", "ok"],
    )
    assert "for a proxy, add --trust-env" in outcome.out


def test_refused_connection_exits_with_the_network_code(
    run_doctor: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", f"http://localhost:{port}")
    outcome = run_doctor()
    assert outcome.code == ExitCode.NETWORK
    assert f"localhost:{port}" in checks(outcome)["request"].detail


def test_timeout_bounds_the_request(run_doctor: Run, account: FakeVideoSDK) -> None:
    """It is tried once."""
    account.every(1, Delay(5))
    outcome = run_doctor("--timeout", "0.1")
    assert outcome.code == ExitCode.NETWORK
    assert "0.1 s" in checks(outcome)["request"].detail
    assert len(account.requests) == 1


def test_proxy_of_the_environment_is_used_on_request(
    run_doctor: Run, account: FakeVideoSDK, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fake service accepts absolute URLs, as a proxy does."""
    monkeypatch.setenv("http_proxy", account.url.replace("http://", f"http://{LOGIN}@"))
    monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", "http://nowhere.invalid:8787")
    assert run_doctor().code == ExitCode.NETWORK
    assert account.requests == []
    outcome = run_doctor("--trust-env")
    assert states(outcome) == ["warn", "ok", "ok", "ok", "ok"]
    assert len(account.requests) == 1


# The clock.


@pytest.mark.parametrize(
    ("ahead", "state", "detail"),
    [
        (20, "ok", "20 s ahead of the service"),
        (-20, "ok", "20 s behind the service"),
        (-45, "warn", "45 s behind the service"),
        (45, "warn", "45 s ahead of the service"),
        (600, "FAIL", "600 s ahead of the service"),
        (-3600, "FAIL", "3600 s behind the service"),
    ],
)
def test_clock_skew_is_measured(ahead: int, state: str, detail: str) -> None:
    """Up to 30 s is fine, up to 60 s a warning, and more a failure."""
    check = _doctor._check_clock(formatdate(NOW, usegmt=True), NOW + 0.5 + ahead)
    assert (check.state, check.detail) == (state, detail)
    assert check.code == (ExitCode.AUTH if state == "FAIL" else ExitCode.DONE)
    assert (f"the service's is {NOW_IN_UTC}" in check.advice) is (state != "ok")


def test_wrong_clock_is_the_first_failure(run_doctor: Run, account: FakeVideoSDK) -> None:
    """It is the cause of the rejected token."""
    account.every(1, dated(formatdate(NOW, usegmt=True), 401))
    outcome = run_doctor()
    assert outcome.code == ExitCode.AUTH
    assert states(outcome) == ["ok", "ok", "FAIL", "FAIL", "ok"]
    assert outcome.err == f"{NAME}clock failed\n"
    assert outcome.out.count("the service's is") == 1
    assert "tokens are not yet valid" not in outcome.out
    assert "the service rejected the token with 401: correct the clock first" in outcome.out


@pytest.mark.parametrize(("date", "mentions_it"), [("now", False), ("", True)])
def test_advice_on_a_rejected_token_mentions_the_clock_if_its_skew_is_unknown(
    run_doctor: Run, account: FakeVideoSDK, date: str, mentions_it: bool
) -> None:
    """Otherwise the check of the clock has shown that it is right."""
    value = formatdate(time.time(), usegmt=True) if date == "now" else date
    account.every(1, dated(value, 401))
    outcome = run_doctor()
    assert outcome.code == ExitCode.AUTH
    assert ("or the clock is wrong" in outcome.out) is mentions_it


def test_wrong_clock_is_a_failure_although_the_request_succeeds(
    run_doctor: Run, account: FakeVideoSDK
) -> None:
    """A token may be rejected the next time."""
    account.every(1, dated(formatdate(NOW, usegmt=True)))
    outcome = run_doctor()
    assert (outcome.code, states(outcome)) == (ExitCode.AUTH, ["ok", "ok", "FAIL", "ok", "ok"])


@pytest.mark.parametrize("date", ["", "today"])
def test_missing_date_is_a_warning(run_doctor: Run, account: FakeVideoSDK, date: str) -> None:
    """The skew is unknown then."""
    account.every(1, dated(date))
    outcome = run_doctor()
    assert (outcome.code, states(outcome)) == (0, ["ok", "ok", "warn", "ok", "ok"])
    assert "unknown skew" in outcome.out


def test_date_without_an_offset_is_in_utc() -> None:
    """All dates in HTTP are in UTC."""
    naive = format_datetime(datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None))
    assert _doctor._check_clock(naive.removesuffix(" -0000"), NOW + 0.5).detail.startswith("0 s")
