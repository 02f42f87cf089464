"""P11 and P12 for any bytes: a small part of the long run (`matrix/fuzz.py`)."""

import base64
import re

import pytest

from ..matrix import fuzz
from ..matrix.reading import CANARY, KINDS, check


def test_changed_answers_are_read_or_refused() -> None:
    """Nothing but our own errors comes out, and the inputs reach every way there is."""
    figures = fuzz.run_built_in(check, seed=1, inputs=4000)
    assert figures.failures == {}, str(figures)
    assert (figures.inputs, figures.engine) == (4000, "built-in")
    least = {
        "page": 100,
        "object": 30,
        "checkpoint": 10,
        "header": 50,
        "no header": 50,
        "InvalidResponseError": 100,
        "InvalidRowError": 100,
        "PaginationError": 50,
        "ConfigurationError": 50,
        "walk: PaginationError": 100,
        "walk: UnverifiedRowError": 5,
        "StatusError": 20,
        "RedirectError": 20,
        "ServerError": 20,
    }
    assert {name: n for name, n in least.items() if figures.outcomes[name] < n} == {}


def test_the_same_seed_gives_the_same_inputs() -> None:
    """So that a failure of the built-in engine comes again."""
    seen: list[bytes] = []

    def note(data: bytes) -> str:
        seen.append(data)
        return "seen"

    for _ in range(2):
        fuzz.run_built_in(note, seed=3, inputs=300)
    assert seen[:300] == seen[300:]
    assert len(set(seen)) > 250


def test_a_planted_failure_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its shortest input, which brings it about again, and with the exit code 1."""

    def planted(data: bytes) -> str:
        if b"webhookUrl" in data and KINDS[data[0] % len(KINDS)] == "page":
            raise KeyError(CANARY)
        return check(data)

    monkeypatch.setattr(fuzz, "check", planted)
    assert fuzz.main(["--engine", "built-in", "--seconds", "0.3", "--seed", "5"]) == 1
    said = capsys.readouterr().out
    assert "| engine | seconds | inputs | bytes | failures |" in said
    assert re.search(r"^\| built-in \| \d \| \d{2,} \| \d{4,} \| 1 \|$", said, re.MULTILINE)
    assert "bad: KeyError in planted:" in said
    with pytest.raises(KeyError):
        planted(base64.b64decode(said.splitlines()[-1]))


def test_a_run_without_failures_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """And tells what the inputs came to."""
    assert fuzz.main(["--engine", "built-in", "--seconds", "0.2"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("| engine |")
    assert re.search(r" \d+ page\b", said)
    assert "bad:" not in said


def test_an_engine_that_ends_by_itself_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hung or took all memory leaves its input, and no figures."""
    dies = "import pathlib, sys; pathlib.Path(sys.argv[3], 'left-x').write_bytes(b'in')"
    monkeypatch.setattr(fuzz, "_ENGINE", f"{dies}; sys.exit('killed for its memory')")
    figures = fuzz.run_atheris(1.0, 1)
    (failure,) = figures.failures
    assert "atheris ended with 1: killed for its memory" in failure
    assert figures.failures[failure] == b"in"
