"""The verb `token`: makes one, and explains one without verifying it."""

import base64
import io
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import jwt
import pytest

from videosdk_transcripts.cli._exit import ends_well
from videosdk_transcripts.cli._token_claims import as_json, explain_token, facts, moment, when
from videosdk_transcripts.cli._token_command import token
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
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the verb in this process."""
    program = click.Group("videosdk-transcripts", commands=[token])

    def run(*arguments: str, stdin: str | None = None) -> Outcome:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = ends_well(
            lambda: program.main(["token", *arguments], prog_name="v", standalone_mode=False)
        )
        return Outcome(code, *capsys.readouterr())

    # What a file replaces comes back in the end.
    with patch.dict(os.environ):
        yield run


@pytest.fixture
def _pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOSDK_API_KEY", KEY)
    monkeypatch.setenv("VIDEOSDK_SECRET", SECRET)


def made(alter: dict[str, Any] | None = None, *, leave_out: str = "", alg: str = "HS256") -> str:
    """Make a token that is good at NOW, but for what is altered."""
    claims = {name: value for name, value in GOOD.items() if name != leave_out} | (alter or {})
    parts = ({"alg": alg, "typ": "JWT"}, claims)
    return ".".join([*(encoded(json.dumps(part).encode()) for part in parts), "c2lnbmVk"])


def encoded(data: bytes) -> str:
    """Encode as a part of a token is."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# Making one.


@pytest.mark.usefixtures("_pair")
def test_the_token_alone_is_on_stdout(call: Run) -> None:
    """What it is for, and until when, is on stderr."""
    outcome = call()
    claims = jwt.decode(outcome.out.strip(), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 660
    assert claims["roles"] == ["crawler"]
    assert outcome.out.count("\n") == 1
    assert outcome.code == 0
    assert re.fullmatch(
        r"a token for the server API, all rooms; it ends \S+, in 10 min, and until then whoever "
        r"has it can use it\n",
        outcome.err,
    )


@pytest.mark.usefixtures("_pair")
def test_a_token_with_all_options_as_json(call: Run) -> None:
    """Its claims and its end are in the document; what limits it is said on stderr."""
    code, out, err = call(
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
    assert err.startswith("a token for joining meetings and the server API, the room abc; it ends")
    assert err.count("warning: it is bound to the") == 2


@pytest.mark.usefixtures("_pair")
@pytest.mark.parametrize(("life", "seconds"), [("90", 90), ("90s", 90), ("3m", 180), ("1d", 86400)])
def test_a_life(call: Run, life: str, seconds: int) -> None:
    """In seconds, or with a unit."""
    claims = jwt.decode(call("--lifetime", life).out.strip(), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == seconds + 60


@pytest.mark.usefixtures("_pair")
def test_a_token_for_joining_alone(call: Run) -> None:
    """It is made, and that this API refuses it is said."""
    code, out, err = call("--role", "rtc")
    assert (code, bool(out)) == (0, True)
    assert "refused: its roles are rtc, without crawler" in err


@pytest.mark.usefixtures("_pair")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--permission", "allow_all"), "'allow_all' is not one of"),
        (("--permission", "ask_join", "--permission", "allow_mod"), "ask_join alone"),
        (("--role", "admin"), "'admin' is not one of"),
        (("--lifetime", "soon"), "'soon' is no time, as 90"),
        (("--lifetime", "0"), "from 1 s to 365 days, not 0 s"),
        (("--lifetime", "366d"), "from 1 s to 365 days"),
        (("--room", " "), "without white space"),
        (("--inspect", "--room", "a"), "--inspect needs no --room"),
        (("--inspect", "--lifetime", "1h"), "--inspect needs no --lifetime"),
        (("--inspect", "--sandbox"), "--inspect needs no --sandbox"),
        (("-",), "no argument but - with --inspect"),
    ],
)
def test_wrong_arguments(call: Run, arguments: tuple[str, ...], says: str) -> None:
    """Nothing is made."""
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize("arguments", [(), ("--inspect",)])
def test_a_token_as_an_argument_is_not_repeated(call: Run, arguments: tuple[str, ...]) -> None:
    """It was seen by enough others."""
    code, out, err = call(made(), *arguments)
    assert (code, out) == (2, "")
    assert "send the token through a pipe" in err
    assert made()[:20] not in err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "no VIDEOSDK_API_KEY and no VIDEOSDK_SECRET"),
        ({"VIDEOSDK_API_KEY": KEY, "VIDEOSDK_SECRET": " "}, "no VIDEOSDK_SECRET:"),
        ({"VIDEOSDK_SECRET_KEY": SECRET, "VIDEOSDK_TOKEN": "t"}, "no VIDEOSDK_API_KEY:"),
        ({"VIDEOSDK_API_KEY": KEY, "VIDEOSDK_SECRET": f"{SECRET}\udcff"}, "can't sign a token"),
    ],
)
def test_without_a_key_and_a_secret(
    call: Run, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], says: str
) -> None:
    """The error names what is missing, and shows nothing of what is there."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    code, out, err = call()
    assert (code, out) == (3, "")
    assert says in err
    assert "--env-file FILE" in err
    assert not found_in(err)


@pytest.mark.usefixtures("_pair")
@pytest.mark.parametrize("arguments", [(), ("--json",), ("--lifetime", "0"), ("--role", "x")])
def test_the_secret_is_never_shown(call: Run, arguments: tuple[str, ...]) -> None:
    """The key is in every token, as it must be; the secret is nowhere."""
    _, out, err = call(*arguments)
    assert SECRET not in found_in(out + err)
    assert not found_in(err)


def test_the_credentials_of_a_file(call: Run, tmp_path: Path) -> None:
    """As for all verbs."""
    path = tmp_path / "videosdk.env"
    path.write_text(f"VIDEOSDK_API_KEY={KEY}\nVIDEOSDK_SECRET='{SECRET}'\n")
    out = call("--env-file", str(path)).out.strip()
    assert jwt.decode(out, SECRET, algorithms=["HS256"])["apikey"] == KEY


async def test_a_token_for_the_sandbox(call: Run, fake: FakeVideoSDK) -> None:
    """A fake service with the credentials of its own takes it."""
    async with fake.client(token=call("--sandbox").out.strip()) as client:
        assert await client.count() == 0


# Explaining one.


def test_a_good_token_is_explained(call: Run) -> None:
    """In plain words, from stdin, and not called verified."""
    good = made({"iat": time.time() - 600, "exp": time.time() + 90_000})
    code, out, err = call("--inspect", "-", stdin=f"{good}\n")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("NOT VERIFIED: ")
    assert lines[1:7] == [
        "header alg     HS256",
        "header typ     JWT",
        "api key        the-key",
        "permissions    allow_join, allow_mod",
        "version        2",
        "roles          crawler",
    ]
    assert re.fullmatch(r"issued         \S+\+00:00, 10 min ago", lines[7])
    assert re.fullmatch(r"ends           \S+\+00:00, in 25 h", lines[8])
    assert len(lines) == 9
    assert "nothing in it that the API is known to refuse" in err


def test_a_token_that_would_be_refused(call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, with the reasons on stdout. It may come from the environment."""
    monkeypatch.setenv("VIDEOSDK_AUTH_TOKEN", made({"exp": time.time() - 259_300}))
    code, out, err = call("--inspect")
    assert code == 3
    assert re.search(r"^refused        it ended \S+, 3 days ago; get a new one$", out, re.MULTILINE)
    assert err == "videosdk-transcripts: the API would refuse this token\n"


def test_an_explanation_as_json(call: Run, tmp_path: Path) -> None:
    """For a token of a file; the same facts as a document."""
    path = tmp_path / "videosdk.env"
    end = int(time.time()) + 5000
    path.write_text(f"VIDEOSDK_TOKEN={made({'exp': end, 'roomId': 'abc'}, leave_out='iat')}\n")
    code, out, _ = call("--inspect", "--json", "--env-file", str(path))
    document = json.loads(out)
    assert code == 0
    assert document["verified"] is document["refused"] is False
    assert document["header"] == {"alg": "HS256", "typ": "JWT"}
    assert document["claims"]["roomId"] == "abc"
    assert list(document["times"]) == ["exp"]
    (warning,) = document["warnings"]
    assert warning["refused"] is False
    assert warning["what"] == "it is bound to the room abc"


@pytest.mark.parametrize("stdin", ["", " \n", None])
def test_no_token(call: Run, monkeypatch: pytest.MonkeyPatch, stdin: str | None) -> None:
    """Empty, closed, or not set."""
    arguments = ("--inspect", "-")
    monkeypatch.setattr(sys, "stdin", None)
    code, out, err = call(*arguments, stdin=stdin)
    assert (code, out) == (3, "")
    assert "no token: set VIDEOSDK_TOKEN" in err


def test_words_of_a_token_do_not_move_the_cursor(call: Run) -> None:
    """Whoever made it may have put anything into it."""
    _, out, _ = call("--inspect", "-", stdin=made({"x\x1b[2J": "a\x1b[1mb", "roomId": "\x07"}))
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "claim x\ufffd[2J    a\ufffd[1mb" in out


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("", "it has 1 part and not three"),
        ("a.b.c.d.e", "it has 5 parts and not three"),
        ("a.b.c", "its header can't be read"),
        (f"{made().split('.')[0]}.!.c", "its claims can't be read"),
        (f"{encoded(b'[]')}.{encoded(b'{}')}.c", "its header can't be read"),
        (f"{encoded(b'[' * 30_000)}.{encoded(b'{}')}.c", "its header can't be read"),
        (f"{encoded(NAN)}.{encoded(b'{}')}.c", "its header can't be read"),
        (f"Bearer {made()}", "it starts with 'Bearer '"),
        (f'"{made()}"', "it has quotes around it"),
        (made(alg="none"), "its alg is none and not HS256"),
        (made().rpartition(".")[0] + ".", "it has no signature"),
        (made({"exp": NOW}), "it ended 2026-02-02T02:40:00+00:00, 0 s ago"),
        (made({"exp": "tomorrow"}), "its exp is no time in seconds"),
        (made({"exp": 1e300}), "its exp is no time in seconds"),
        (made({"iat": True}), "its iat is no time in seconds"),
        (made({"iat": NOW + 90}), "it is not yet valid: its iat is 2026-02-02T02:41:30+00:00"),
        (made({"nbf": NOW + 1}), "it is not yet valid: its nbf is 2026-02-02T02:40:01+00:00"),
        (made(leave_out="apikey"), "it has no apikey"),
        (made({"apikey": 5}), "it has no apikey"),
        (made(leave_out="version"), "its version is missing and not 2"),
        (made({"version": "2"}), "its version is 2 and not 2"),
        (made({"version": 1}), "its version is 1 and not 2"),
        (made({"roles": ["rtc"]}), "its roles are rtc, without crawler"),
        (made({"roles": "crawler"}), "its roles are crawler, without crawler"),
    ],
)
def test_what_will_be_refused(given: str, what: str) -> None:
    """Each with what to do about it."""
    explained = explain_token(given, NOW)
    assert explained.is_refused
    (fault,) = [fault for fault in explained.faults if fault.what.startswith(what)]
    assert fault.is_refused
    assert fault.advice
    assert as_json(explained)["refused"] is True
    json.dumps(as_json(explained), allow_nan=False)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (made({"exp": NOW + 30}), "it ends 2026-02-02T02:40:30+00:00, in 30 s"),
        (made(leave_out="exp"), "it has no end (exp)"),
        (made(leave_out="permissions"), "it has no permissions"),
        (made({"permissions": []}), "it has no permissions"),
        (made({"permissions": ["fly", 5]}), 'its permissions are ["fly", 5]'),
        (made({"permissions": ["ask_join", "allow_mod"]}), "it has ask_join beside others"),
        (made({"participantId": "ann"}), "it is bound to the participant ann"),
    ],
)
def test_what_may_be_refused(given: str, what: str) -> None:
    """Where nobody documents it, it is a warning and no more."""
    explained = explain_token(given, NOW)
    assert [fault.what for fault in explained.faults] == [what]
    assert not explained.is_refused


@pytest.mark.parametrize("given", [made(), made(leave_out="roles"), f" {made()}\n"])
def test_a_token_without_faults(given: str) -> None:
    """Without roles there is no restriction, and white space does not count."""
    assert explain_token(given, NOW).faults == ()


def test_a_token_that_can_not_be_read_has_no_facts() -> None:
    """And no claims in the document."""
    explained = explain_token("x", NOW)
    assert facts(explained, NOW) == []
    assert as_json(explained)["claims"] is None


def test_odd_values_are_shown_as_they_are() -> None:
    """Also times that are none, and claims that are not known here."""
    shown = dict(facts(explain_token(made({"exp": "x", "nbf": None, "more": {"a": 1}}), NOW), NOW))
    assert (shown["ends"], shown["valid from"], shown["claim more"]) == ("x", "missing", '{"a": 1}')


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 s ago"), (1, "in 1 s"), (119, "in 119 s"), (120, "in 2 min"), (-119, "119 s ago")),
        *((7199, "in 120 min"), (7200, "in 2 h"), (-172_800, "2 days ago"), (1e7, "in 116 days")),
    ],
)
def test_times_as_seen_from_now(seconds: float, text: str) -> None:
    """In the largest unit of which there are two."""
    assert when(NOW + seconds, NOW).split(", ")[1] == text


@pytest.mark.parametrize("value", [None, True, "5", float("inf"), float("nan"), -1, 1e12, [1]])
def test_what_is_no_time(value: object) -> None:
    """A number of seconds within the calendar is one."""
    assert moment(value) is None
    assert moment(0) == 0.0
