"""
Fuzz responses, headers and checkpoints: ``cd tests; python -m matrix.fuzz``.

Uses atheris, guided by coverage, if it can be imported; otherwise mutates known responses at
random. Prints a Markdown table and each failure with its input, and exits with 1 if there is
a failure. `reading.py` defines what is done with an input.
"""

from __future__ import annotations

import argparse
import base64
import copy
import importlib
import importlib.util
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import asdict, define, field

from .reading import CANARY, KINDS, ROOM, SESSION, Kind, check
from .tally import markdown

__all__ = ["FuzzReport", "main", "run_atheris", "run_built_in", "run_guided"]

Check = Callable[[bytes], str]

MAX_SECONDS: Final = 10.0
"""The maximum time for one input, on a busy machine."""
MAX_BYTES: Final = 1 << 15
"""The maximum size of one input."""

_ENGINE: Final = """
import sys, atheris
with atheris.instrument_imports(include=["videosdk_transcripts"]):
    from matrix import fuzz
fuzz.run_guided(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
"""


@define
class FuzzReport:
    """The inputs of a run and their outcomes."""

    engine: str
    seconds: float = 0.0
    inputs: int = 0
    size: int = 0
    outcomes: Counter[str] = field(factory=Counter)
    failures: dict[str, bytes] = field(factory=dict)
    """The shortest input for each failure."""

    def run_input(self, data: bytes, check: Check) -> None:
        """Check one input and record its outcome."""
        self.inputs += 1
        self.size += len(data)
        began = time.perf_counter()
        try:
            self.outcomes[check(data)] += 1
        except Exception as error:  # noqa: BLE001 - any other exception is a defect
            frames = traceback.extract_tb(error.__traceback__)
            where = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames[-4:]))
            text = f" ({error})" if isinstance(error, AssertionError) and error.args else ""
            self._add_failure(f"{type(error).__name__}{text} in {where}", data)
        if time.perf_counter() - began > MAX_SECONDS:
            self._add_failure(f"more than {MAX_SECONDS:g} s for an input", data)

    def _add_failure(self, failure: str, data: bytes) -> None:
        self.failures[failure] = min(self.failures.get(failure, data), data, key=len)

    def __str__(self) -> str:
        line = {
            "engine": self.engine,
            "seconds": f"{self.seconds:.0f}",
            "inputs": self.inputs,
            "bytes": self.size,
            "failures": len(self.failures),
        }
        outcomes = ", ".join(f"{n} {name}" for name, n in self.outcomes.most_common())
        failures = [
            f"failed: {name}\n     {base64.b64encode(data).decode()}\n"
            for name, data in self.failures.items()
        ]
        return f"{markdown([line])}\nOutcomes: {outcomes}.\n{''.join(failures)}"


# The seeds.


def _row(number: int, **changes: Any) -> dict[str, Any]:
    """Return a documented row, with the canary in each string except ids."""
    return {
        "id": f"id-{number}",
        "status": f"{CANARY} completed",
        "extension": {
            "enabled": True,
            "provider": CANARY,
            "extensionConfig": {"roomId": ROOM, "sessionId": SESSION, "language": CANARY},
        },
        "transcriptionFilePaths": {"txt": f"https://cdn.example/{CANARY}.txt", "json": None},
        "summarizedFilePaths": {"txt": f"https://cdn.example/{CANARY}-summary.txt"},
        "webhookUrl": f"https://hook.example/{CANARY}",
        "start": "2024-02-27T16:00:36.828Z",
        "end": "2024-02-27T16:01:46.939Z",
        "userStorage": {"x": [CANARY, 1, 2.5, None]},
    } | changes


def _responses() -> list[tuple[Kind, Any]]:
    """Return each supported envelope, and other bodies of the same host."""
    rows = [_row(1), _row(2, start=None, roomId=ROOM)]
    info = {"currentPage": 1, "perPage": 2, "lastPage": 3, "total": 5}
    pages = [
        {"pageInfo": info, "transcriptions": rows},
        {"pageInfo": {k: str(v) for k, v in info.items()}, "transcriptions": rows},
        {"pageInfo": info | {"lastPage": 1}, "data": rows},
        {"pageInfo": {"page": 1, "totalPages": 1}, "records": [*rows, _row(1)]},
        {"pagination": {"page": 1, "totalPages": 9, "totalItems": 5}, "records": rows},
        {"transcriptions": None, "data": [_row(3, extension={}), 5, _row(4, id=4)]},
        {"pageInfo": info | {"lastPage": 0, "total": 0}, "transcriptions": []},
        {"transcriptions": [_row(5, start=f"{CANARY} 2024"), _row(6, end=0)]},
        {"transcriptions": [_row(7, transcriptionFilePaths={"txt": [CANARY]}), CANARY]},
        {"success": False, "message": "m", "data": None},
        rows,
    ]
    scope = {"version": 1, "list": "realtime-transcriptions", "room_id": None, "session_id": None}
    times = {"since": None, "until": None}
    position = {"requested_page_size": 20, "page": 2, "page_size": 20, "total": 5, "last_page": 3}
    state = {"moving": False, "complete_from_page": 1, "yielded": [[1, ["id-1"]]], "met": 1}
    checkpoint = scope | times | position | state | {"page_ids": ["id-2"]}
    return [
        *(("page", page) for page in pages),
        ("object", _row(8)),
        ("refusal", {"error": {"message": "m", "code": 7}, "statusCode": 404}),
        ("checkpoint", checkpoint),
        ("checkpoint", checkpoint | {"room_id": ROOM, "session_id": SESSION}),
    ]


_TEXTS: Final[tuple[tuple[Kind, bytes], ...]] = (
    ("header", b"120"),
    ("header", b"1.5"),
    ("header", b"Wed, 21 Oct 2026 07:28:00 GMT"),
    ("header", b"Wednesday, 21-Oct-26 07:28:00 +9959"),
    ("header", b"Wed Oct 21 07:28:00 2026"),
    ("refusal", b"<html>eyJhbGciOi.eyJhcGlrZXki.c2ln</html>"),
    ("page", b"\xef\xbb\xbf[]"),
    ("page", '[{"id": "\u00e9"}]'.encode("utf-16")),
)


def _seeds() -> list[bytes]:
    """Return each response as an input of its kind."""
    bodies: list[tuple[Kind, bytes]] = [(k, json.dumps(v).encode()) for k, v in _responses()]
    return [bytes((KINDS.index(kind), 0, 0, 17)) + body for kind, body in [*bodies, *_TEXTS]]


# The mutations.

_KEYS: Final = (
    *("id", "status", "extension", "extensionConfig", "roomId", "sessionId", "enabled", "start"),
    *("end", "transcriptionFilePaths", "summarizedFilePaths", "webhookUrl", "provider", "x"),
    *("pageInfo", "pagination", "transcriptions", "data", "records", "success", "currentPage"),
    *("page", "perPage", "lastPage", "totalPages", "total", "totalItems", "yielded", "version"),
    *("a @ b", "'", "", "\ud800", "\x00", "k" * 5000),
)
_NUMBERS: Final = (0, 1, 2, 3, -1, 1.5, 1e300, 10**15, 10**400, "0", "1", "2", "\u0663", "9" * 16)
_WORDS: Final = ("", "None", "false", "\ud800", "\x00\x1b[2J", "id-1", "x" * 6000, "0001-01-01T00")
_TIMES: Final = ("9999-12-31T23:59:59-14:00", "2024-W01", "2024-02-27T16:60:36Z", CANARY)
_NESTED: Final = ("[" * 90 + "]" * 90, "[" * 600 + "]" * 600, '{"x":' * 99 + "0" + "}" * 99)
_ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [{}],
    *_NUMBERS,
    *_WORDS,
    *_TIMES,
    *_NESTED,
)
_PIECES: Final = (
    *(b"1e999", b"NaN", b"-0", b"\\ud800", b"\xed\xa0\x80", b"\xff", b"\x00", b'"id":"id-1",'),
    *(b"{", b"]", b'"', b"[" * 2000, b'{"a":' * 2000, b"9" * 5000, b"eyJ" * 1000, b"\xef\xbb\xbf"),
)
_CODECS: Final = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7")


def _mutate(data: bytes, chance: random.Random) -> bytes:
    """Mutate the JSON or the bytes of an input, and the options in its first four bytes."""
    head, body = data[:4].ljust(4, b"\0"), data[4:]
    kind = chance.randrange(256) if chance.random() < 0.1 else head[0]
    head = bytes((kind, *chance.randbytes(3)))
    try:
        body = _mutate_json(body, chance)
    except (ValueError, RecursionError):
        return head + _mutate_bytes(body, chance)
    return (head + (_mutate_bytes(body, chance) if chance.random() < 0.15 else body))[:MAX_BYTES]


def _mutate_json(body: bytes, chance: random.Random) -> bytes:
    tree = [json.loads(body)]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 5))):
        _mutate_tree(tree, chance)
    text = json.dumps(tree[0], ensure_ascii=chance.random() < 0.8)
    # A nested value is a string until here, so that the tree itself stays flat.
    for nested in _NESTED:
        text = text.replace(json.dumps(nested), nested)
    return text.encode(chance.choice(_CODECS) if chance.random() < 0.05 else "utf-8", "replace")


def _mutate_tree(tree: list[Any], chance: random.Random) -> None:
    # Parts are copied, so that none contains itself.
    slots: list[tuple[Any, Any]] = []
    below: list[Any] = [tree]
    while below:
        node = below.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        found = [(node, key) for key, _ in items]
        slots += found
        below += [node[key] for _, key in found if isinstance(node[key], dict | list)]
    node, key = chance.choice(slots)
    other, other_key = chance.choice(slots)
    match chance.randrange(6):
        case 0 if isinstance(node, dict) or node is not tree:
            del node[key]
        case 1 if isinstance(node, dict):
            node[chance.choice(_KEYS)] = copy.deepcopy(chance.choice(_ODD))
        case 2:
            node[key] = copy.deepcopy(other[other_key])
        case 3 if isinstance(node, list) and node is not tree and len(node) < 100:
            node += copy.deepcopy(node * chance.choice((1, 2, 30)))
        case _:
            node[key] = copy.deepcopy(chance.choice(_ODD))


def _mutate_bytes(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randint(0, len(body))
        end = min(len(body), at + chance.choice((0, 1, 2, 8, 100)))
        piece = chance.choice((b"", body[at:end] * 2, chance.randbytes(2), chance.choice(_PIECES)))
        body = body[:at] + piece + body[end:]
    return body[:MAX_BYTES]


# The engines.


def run_built_in(
    check: Check, *, seed: int, inputs: int | None = None, seconds: float = 0.0
) -> FuzzReport:
    """Mutate known responses at random, for a number of inputs or of seconds."""
    chance = random.Random(seed)  # noqa: S311
    report, seeds = FuzzReport("built-in"), _seeds()
    began = time.monotonic()
    while report.inputs < inputs if inputs else time.monotonic() - began < seconds:
        is_seed = report.inputs < len(seeds)
        data = seeds[report.inputs] if is_seed else _mutate(chance.choice(seeds), chance)
        report.run_input(data, check)
    report.seconds = time.monotonic() - began
    return report


def run_atheris(seconds: float, seed: int) -> FuzzReport:
    """Run atheris in a separate process, which it may end at any time."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _ENGINE, str(seconds), str(seed), folder],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            check=False,
        )
        result = Path(folder, "result.json")
        if result.exists():
            found = json.loads(result.read_text())
            found["failures"] = {k: base64.b64decode(v) for k, v in found["failures"].items()}
            return FuzzReport(**found | {"outcomes": Counter(found["outcomes"])})
        # It stopped early: it leaves the input that hung or used too much memory as a file.
        left = [path.read_bytes() for path in Path(folder).glob("left-*")]
        stderr = done.stderr.decode(errors="replace")[-2000:]
        failures = {f"atheris ended with {done.returncode}: {stderr}": left[0] if left else b""}
        return FuzzReport("atheris", seconds, failures=failures)


def run_guided(seconds: float, seed: int, folder: str) -> None:
    """Run atheris on the instrumented package, and write the report to a file."""
    atheris = importlib.import_module("atheris")
    corpus = Path(folder, "corpus")
    corpus.mkdir()
    for number, data in enumerate(_seeds()):
        (corpus / str(number)).write_bytes(data)
    logging.disable()
    report, began = FuzzReport("atheris"), time.monotonic()

    def target(data: bytes) -> None:
        report.run_input(data, check)
        report.seconds = time.monotonic() - began
        if report.seconds >= seconds:
            failures = {k: base64.b64encode(v).decode() for k, v in report.failures.items()}
            result = json.dumps(asdict(report) | {"failures": failures})
            Path(folder, "result.json").write_text(result)
            os._exit(0)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(data, max_size))
        return _mutate(data, chance)[:max_size]

    options = [f"-max_len={MAX_BYTES}", f"-seed={seed}", "-timeout=30", "-rss_limit_mb=4096"]
    atheris.Setup(
        ["fuzz", *options, f"-artifact_prefix={folder}/left-", str(corpus)],
        target,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an engine and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m matrix.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("atheris", "built-in"))
    options = parser.parse_args(arguments)
    has_atheris = importlib.util.find_spec("atheris") is not None
    if options.engine == "atheris" or (has_atheris and options.engine is None):
        report = run_atheris(options.seconds, options.seed)
    else:
        report = run_built_in(check, seed=options.seed, seconds=options.seconds)
    sys.stdout.write(str(report))
    return 1 if report.failures else 0


if __name__ == "__main__":
    logging.disable()
    sys.exit(main())
