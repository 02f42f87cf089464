"""P11 and P12 for any bytes: a small part of the full run (`matrix/fuzz.py`)."""

import base64
import re

import pytest

from ..matrix import fuzz
from ..matrix.reading import CANARY, KINDS, check


def test_mutated_responses_are_read_or_rejected() -> None:
    """Only errors of this package are raised, and the inputs reach every outcome."""
    report = fuzz.run_built_in(check, seed=1, inputs=2000)
    assert report.failures == {}, str(report)
    assert (report.inputs, report.engine) == (2000, "built-in")
    least = {
        "page": 100,
        "object": 20,
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
    assert {name: n for name, n in least.items() if report.outcomes[name] < n} == {}


def test_same_seed_gives_the_same_inputs() -> None:
    """A failure of the built-in engine can be reproduced."""
    seen: list[bytes] = []

    def record(data: bytes) -> str:
        seen.append(data)
        return "seen"

    for _ in range(2):
        fuzz.run_built_in(record, seed=3, inputs=300)
    assert seen[:300] == seen[300:]
    assert len(set(seen)) > 250


def test_failure_is_printed_with_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shortest input is printed and reproduces the failure; the exit code is 1."""

    def planted(data: bytes) -> str:
        if b"webhookUrl" in data and KINDS[data[0] % len(KINDS)] == "page":
            raise KeyError(CANARY)
        return check(data)

    monkeypatch.setattr(fuzz, "check", planted)
    assert fuzz.main(["--engine", "built-in", "--seconds", "0.3", "--seed", "5"]) == 1
    printed = capsys.readouterr().out
    assert "| engine | seconds | inputs | bytes | failures |" in printed
    assert re.search(r"^\| built-in \| \d \| \d{2,} \| \d{4,} \| 1 \|$", printed, re.MULTILINE)
    assert "failed: KeyError in planted:" in printed
    with pytest.raises(KeyError):
        planted(base64.b64decode(printed.splitlines()[-1]))


def test_run_without_failures_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """The run prints the outcomes."""
    assert fuzz.main(["--engine", "built-in", "--seconds", "0.2"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("| engine |")
    assert re.search(r" \d+ page\b", printed)
    assert "failed:" not in printed


def test_engine_that_stops_early_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hung or used too much memory leaves its input and no report."""
    dies = "import pathlib, sys; pathlib.Path(sys.argv[3], 'left-x').write_bytes(b'in')"
    monkeypatch.setattr(fuzz, "_ENGINE", f"{dies}; sys.exit('killed for its memory')")
    report = fuzz.run_atheris(1.0, 1)
    (failure,) = report.failures
    assert "atheris ended with 1: killed for its memory" in failure
    assert report.failures[failure] == b"in"
