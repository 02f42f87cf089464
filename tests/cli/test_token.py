"""The command `token`."""

import base64
import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from videosdk_transcripts.cli._token_claims import (
    decode_token,
    describe_time,
    describe_token,
    read_time,
    token_document,
)
from videosdk_transcripts.testing import FakeVideoSDK

from ..promises.canaries import KEY, SECRET, found_in
from .command_line import Outcome, Run

NOW = 1_770_000_000.0
NAN = b'{"alg": NaN}'
GOOD = {
    "apikey": "the-key",
    "permissions": ["allow_join", "allow_mod"],
    "version": 2,
    "roles": ["crawler"],
    "iat": NOW - 60,
    "exp": NOW + 600,
}


@pytest.fixture
def run_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `token`, with a text on stdin."""

    def call(*arguments: str, stdin: str | None = None) -> Outcome:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        return run("token", *arguments)

    return call


@pytest.fixture
def _pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOSDK_API_KEY", KEY)
    monkeypatch.setenv("VIDEOSDK_SECRET", SECRET)


def made(alter: dict[str, Any] | None = None, *, leave_out: str = "", alg: str = "HS256") -> str:
    """Make a token that is valid at NOW, except for what is altered."""
    claims = {name: value for name, value in GOOD.items() if name != leave_out} | (alter or {})
    parts = ({"alg": alg, "typ": "JWT"}, claims)
    return ".".join([*(encoded(json.dumps(part).encode()) for part in parts), "c2lnbmVk"])


def encoded(data: bytes) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# Creating.


@pytest.mark.usefixtures("_pair")
def test_only_the_token_is_on_stdout(run_token: Run) -> None:
    """Its use and expiry are on stderr."""
    outcome = run_token()
    claims = jwt.decode(outcome.out.strip(), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 660
    assert claims["roles"] == ["crawler"]
    assert outcome.out.count("\n") == 1
    assert outcome.code == 0
    assert re.fullmatch(
        r"token for the server API, all rooms; expires \S+, in 10 min; anyone who has it "
        r"can use it until then\n",
        outcome.err,
    )


@pytest.mark.usefixtures("_pair")
def test_token_with_all_options_as_json(run_token: Run) -> None:
    """JSON has the claims and the expiry; restrictions are warnings on stderr."""
    code, out, err = run_token(
        *("--room", "abc", "--participant", "ann", "--permission", "allow_join"),
        *("--role", "rtc", "--role", "crawler", "--lifetime", "2h", "--json"),
    )
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["token", "claims", "expires"]
    assert document["claims"] == jwt.decode(document["token"], SECRET, algorithms=["HS256"])
    assert document["claims"]["roomId"] == "abc"
    assert document["claims"]["participantId"] == "ann"
    assert document["claims"]["permissions"] == ["allow_join"]
    assert document["expires"].endswith("+00:00")
    assert err.startswith("token for joining meetings and the server API, room abc; expires")
    assert err.count("warning: it is restricted to") == 2


@pytest.mark.usefixtures("_pair")
@pytest.mark.parametrize(
    ("lifetime", "seconds"), [("90", 90), ("90s", 90), ("3m", 180), ("1d", 86400)]
)
def test_lifetime_has_a_unit(run_token: Run, lifetime: str, seconds: int) -> None:
    """It is in seconds, or has a unit."""
    claims = jwt.decode(run_token("--lifetime", lifetime).out.strip(), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == seconds + 60


@pytest.mark.usefixtures("_pair")
def test_token_for_joining_is_created_with_a_warning(run_token: Run) -> None:
    """The warning states that this API rejects it."""
    code, out, err = run_token("--role", "rtc")
    assert (code, bool(out)) == (0, True)
    assert "rejected: its roles are rtc, without crawler" in err


@pytest.mark.usefixtures("_pair")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--permission", "allow_all"), "'allow_all' is not one of"),
        (("--permission", "ask_join", "--permission", "allow_mod"), "ask_join"),
        (("--role", "admin"), "'admin' is not one of"),
        (("--lifetime", "soon"), "'soon' is not a duration such as 90"),
        (("--lifetime", "0"), "365 days"),
        (("--lifetime", "366d"), "365 days"),
        (("--room", " "), "whitespace"),
        (("--inspect", "--room", "a"), "--inspect and --room are mutually exclusive"),
        (("--inspect", "--lifetime", "1h"), "--inspect and --lifetime are mutually exclusive"),
        (("--inspect", "--sandbox"), "--inspect and --sandbox are mutually exclusive"),
        (("-",), "the only argument is -"),
    ],
)
def test_invalid_argument_creates_nothing(
    run_token: Run, arguments: tuple[str, ...], message: str
) -> None:
    """The argument is named."""
    code, out, err = run_token(*arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("arguments", [(), ("--inspect",)])
def test_token_as_an_argument_is_not_repeated(run_token: Run, arguments: tuple[str, ...]) -> None:
    """The error shows nothing of it."""
    code, out, err = run_token(made(), *arguments)
    assert (code, out) == (2, "")
    assert "send the token through a pipe" in err
    assert made()[:20] not in err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "VIDEOSDK_API_KEY and VIDEOSDK_SECRET are not set"),
        ({"VIDEOSDK_API_KEY": KEY, "VIDEOSDK_SECRET": " "}, "VIDEOSDK_SECRET is not set:"),
        ({"VIDEOSDK_SECRET_KEY": SECRET, "VIDEOSDK_TOKEN": "t"}, "VIDEOSDK_API_KEY is not set:"),
        ({"VIDEOSDK_API_KEY": KEY, "VIDEOSDK_SECRET": f"{SECRET}\udcff"}, "sign a token"),
    ],
)
def test_missing_key_or_secret_is_named(
    run_token: Run, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str
) -> None:
    """The error shows nothing of what is set."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    code, out, err = run_token()
    assert (code, out) == (3, "")
    assert message in err
    assert not found_in(err)


@pytest.mark.usefixtures("_pair")
@pytest.mark.parametrize("arguments", [(), ("--json",), ("--lifetime", "0"), ("--role", "x")])
def test_secret_is_never_printed(run_token: Run, arguments: tuple[str, ...]) -> None:
    """The key is in every token, as required; the secret is nowhere."""
    _, out, err = run_token(*arguments)
    assert SECRET not in found_in(out + err)
    assert not found_in(err)


def test_env_file_provides_the_credentials(run_token: Run, tmp_path: Path) -> None:
    """This is the same for all commands."""
    path = tmp_path / "videosdk.env"
    path.write_text(f"VIDEOSDK_API_KEY={KEY}\nVIDEOSDK_SECRET='{SECRET}'\n")
    out = run_token("--env-file", str(path)).out.strip()
    assert jwt.decode(out, SECRET, algorithms=["HS256"])["apikey"] == KEY


async def test_sandbox_token_is_accepted_by_a_fake(run_token: Run, fake: FakeVideoSDK) -> None:
    """A fake service with default credentials accepts it."""
    async with fake.client(token=run_token("--sandbox").out.strip()) as client:
        assert await client.count() == 0


# Inspecting.


def test_valid_token_is_described(run_token: Run) -> None:
    """It is read from stdin, and marked as not verified."""
    good = made({"iat": time.time() - 600, "exp": time.time() + 90_000})
    code, out, err = run_token("--inspect", "-", stdin=f"{good}\n")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("NOT VERIFIED: ")
    assert lines[1:7] == [
        "header alg     HS256",
        "header typ     JWT",
        "API key        the-key",
        "permissions    allow_join, allow_mod",
        "version        2",
        "roles          crawler",
    ]
    assert re.fullmatch(r"issued         \S+\+00:00, 10 min ago", lines[7])
    assert re.fullmatch(r"expires        \S+\+00:00, in 25 h", lines[8])
    assert len(lines) == 9
    assert "no known reason for the API to reject it" in err


def test_rejected_token_exits_with_the_auth_code(
    run_token: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reasons are on stdout. The token may come from the environment."""
    monkeypatch.setenv("VIDEOSDK_AUTH_TOKEN", made({"exp": time.time() - 259_300}))
    code, out, err = run_token("--inspect")
    assert code == 3
    assert re.search(
        r"^rejected       it expired \S+, 3 days ago; create a new token$", out, re.MULTILINE
    )
    assert err == "videosdk-transcripts: the API would reject this token\n"


def test_inspected_token_as_json(run_token: Run, tmp_path: Path) -> None:
    """The token is in a file, and the document has the same facts as the text."""
    path = tmp_path / "videosdk.env"
    end = int(time.time()) + 5000
    path.write_text(f"VIDEOSDK_TOKEN={made({'exp': end, 'roomId': 'abc'}, leave_out='iat')}\n")
    code, out, _ = run_token("--inspect", "--json", "--env-file", str(path))
    document = json.loads(out)
    assert code == 0
    assert document["verified"] is document["rejected"] is False
    assert document["header"] == {"alg": "HS256", "typ": "JWT"}
    assert document["claims"]["roomId"] == "abc"
    assert list(document["times"]) == ["exp"]
    (problem,) = document["problems"]
    assert problem["rejected"] is False
    assert problem["what"] == "it is restricted to room abc"


@pytest.mark.parametrize("stdin", ["", " \n", None])
def test_missing_token_is_an_error(
    run_token: Run, monkeypatch: pytest.MonkeyPatch, stdin: str | None
) -> None:
    """The input may be empty or closed, or the variable may not be set."""
    arguments = ("--inspect", "-")
    monkeypatch.setattr(sys, "stdin", None)
    code, out, err = run_token(*arguments, stdin=stdin)
    assert (code, out) == (3, "")
    assert "no token: set VIDEOSDK_TOKEN" in err


def test_control_characters_in_a_token_are_replaced(run_token: Run) -> None:
    """A token may contain any text."""
    _, out, _ = run_token("--inspect", "-", stdin=made({"x\x1b[2J": "a\x1b[1mb", "roomId": "\x07"}))
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "claim x\ufffd[2J    a\ufffd[1mb" in out


# Claims.


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("", "it has 1 part instead of 3"),
        ("a.b.c.d.e", "it has 5 parts instead of 3"),
        ("a.b.c", "its header cannot be decoded"),
        (f"{made().split('.')[0]}.!.c", "its claims cannot be decoded"),
        (f"{encoded(b'[]')}.{encoded(b'{}')}.c", "its header cannot be decoded"),
        (f"{encoded(b'[' * 30_000)}.{encoded(b'{}')}.c", "its header cannot be decoded"),
        (f"{encoded(NAN)}.{encoded(b'{}')}.c", "its header cannot be decoded"),
        (f"Bearer {made()}", "it starts with 'Bearer '"),
        (f'"{made()}"', "it is in quotes"),
        (made(alg="none"), "its algorithm is none, not HS256"),
        (made().rpartition(".")[0] + ".", "it has no signature"),
        (made({"exp": NOW}), "it expired 2026-02-02T02:40:00+00:00, 0 s ago"),
        (made({"exp": "tomorrow"}), "its exp is not a number of seconds"),
        (made({"exp": 1e300}), "its exp is not a number of seconds"),
        (made({"iat": True}), "its iat is not a number of seconds"),
        (made({"iat": NOW + 90}), "it is not valid yet: its iat is 2026-02-02T02:41:30+00:00"),
        (made({"nbf": NOW + 1}), "it is not valid yet: its nbf is 2026-02-02T02:40:01+00:00"),
        (made(leave_out="apikey"), "it has no apikey"),
        (made({"apikey": 5}), "it has no apikey"),
        (made(leave_out="version"), "its version is missing, not 2"),
        (made({"version": "2"}), "its version is 2, not 2"),
        (made({"version": 1}), "its version is 1, not 2"),
        (made({"roles": ["rtc"]}), "its roles are rtc, without crawler"),
        (made({"roles": "crawler"}), "its roles are crawler, without crawler"),
    ],
)
def test_problems_that_the_api_rejects(given: str, what: str) -> None:
    """Each states what to do about it."""
    decoded = decode_token(given, NOW)
    assert decoded.is_rejected
    (problem,) = [problem for problem in decoded.problems if problem.what.startswith(what)]
    assert problem.is_rejected
    assert problem.advice
    assert token_document(decoded)["rejected"] is True
    json.dumps(token_document(decoded), allow_nan=False)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (made({"exp": NOW + 30}), "it expires 2026-02-02T02:40:30+00:00, in 30 s"),
        (made(leave_out="exp"), "it never expires (no exp)"),
        (made(leave_out="permissions"), "it has no permissions"),
        (made({"permissions": []}), "it has no permissions"),
        (made({"permissions": ["fly", 5]}), 'its permissions are ["fly", 5]'),
        (
            made({"permissions": ["ask_join", "allow_mod"]}),
            "it combines ask_join with other permissions",
        ),
        (made({"participantId": "ann"}), "it is restricted to participant ann"),
    ],
)
def test_undocumented_problems_are_warnings(given: str, what: str) -> None:
    """A problem that is undocumented is only a warning."""
    decoded = decode_token(given, NOW)
    assert [problem.what for problem in decoded.problems] == [what]
    assert not decoded.is_rejected


@pytest.mark.parametrize("given", [made(), made(leave_out="roles"), f" {made()}\n"])
def test_token_without_problems(given: str) -> None:
    """Without roles there is no restriction, and whitespace is ignored."""
    assert decode_token(given, NOW).problems == ()


def test_unreadable_token_has_no_description() -> None:
    """The document has no claims."""
    decoded = decode_token("x", NOW)
    assert describe_token(decoded, NOW) == []
    assert token_document(decoded)["claims"] is None


def test_unexpected_values_are_shown_as_json() -> None:
    """This includes invalid times and unknown claims."""
    shown = dict(
        describe_token(decode_token(made({"exp": "x", "nbf": None, "more": {"a": 1}}), NOW), NOW)
    )
    assert (shown["expires"], shown["valid from"], shown["claim more"]) == (
        "x",
        "missing",
        '{"a": 1}',
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 s ago"), (1, "in 1 s"), (119, "in 119 s"), (120, "in 2 min"), (-119, "119 s ago")),
        *((7199, "in 120 min"), (7200, "in 2 h"), (-172_800, "2 days ago"), (1e7, "in 116 days")),
    ],
)
def test_time_is_described_relative_to_now(seconds: float, text: str) -> None:
    """The unit is the largest one of which there are at least two."""
    assert describe_time(NOW + seconds, NOW).split(", ")[1] == text


@pytest.mark.parametrize("value", [None, True, "5", float("inf"), float("nan"), -1, 1e12, [1]])
def test_invalid_times(value: object) -> None:
    """A number of seconds within the calendar is a time."""
    assert read_time(value) is None
    assert read_time(0) == 0.0
