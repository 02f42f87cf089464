"""P11 and P12 for any bytes: a short version of the long run (`matrix/fuzz.py`)."""

import base64
import re

import pytest

from ..matrix import fuzz
from ..matrix.reading import CANARY, KINDS, check


def test_mutated_responses_are_read_or_raise_our_errors() -> None:
    """And the inputs reach every outcome."""
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


def test_same_seed_generates_the_same_inputs() -> None:
    """So that a failure of the built-in engine can be reproduced."""
    seen: list[bytes] = []

    def note(data: bytes) -> str:
        seen.append(data)
        return "seen"

    for _ in range(2):
        fuzz.run_built_in(note, seed=3, inputs=300)
    assert seen[:300] == seen[300:]
    assert len(set(seen)) > 250


def test_planted_failure_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its shortest input, which reproduces it, and with exit code 1."""

    def planted(data: bytes) -> str:
        if b"webhookUrl" in data and KINDS[data[0] % len(KINDS)] == "page":
            raise KeyError(CANARY)
        return check(data)

    monkeypatch.setattr(fuzz, "check", planted)
    assert fuzz.main(["--engine", "built-in", "--seconds", "0.3", "--seed", "5"]) == 1
    output = capsys.readouterr().out
    assert "| engine | seconds | inputs | bytes | failures |" in output
    assert re.search(r"^\| built-in \| \d \| \d{2,} \| \d{4,} \| 1 \|$", output, re.MULTILINE)
    assert "bad: KeyError in planted:" in output
    with pytest.raises(KeyError):
        planted(base64.b64decode(output.splitlines()[-1]))


def test_run_without_failures_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """And prints the outcomes of the inputs."""
    assert fuzz.main(["--engine", "built-in", "--seconds", "0.2"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("| engine |")
    assert re.search(r" \d+ page\b", output)
    assert "bad:" not in output


def test_engine_that_exits_early_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hung or ran out of memory leaves its input, but no figures."""
    dies = "import pathlib, sys; pathlib.Path(sys.argv[3], 'left-x').write_bytes(b'in')"
    monkeypatch.setattr(fuzz, "_ENGINE", f"{dies}; sys.exit('killed for its memory')")
    figures = fuzz.run_atheris(1.0, 1)
    (failure,) = figures.failures
    assert "atheris ended with 1: killed for its memory" in failure
    assert figures.failures[failure] == b"in"
