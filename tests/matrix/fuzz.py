"""
Bytes in place of answers, headers and checkpoints: ``cd tests; python -m matrix.fuzz``.

Where atheris can be imported it looks for new paths through the package, and elsewhere
known answers are changed at random. Prints its figures as a table in Markdown and each
failure with its input, and exits with 1 if there is one. What is tried is in `reading.py`.
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

__all__ = ["Figures", "guided", "main", "run_built_in"]

Check = Callable[[bytes], str]

SLOWEST: Final = 10.0
"""Seconds for one input, on a machine that is busy."""
LONGEST: Final = 1 << 15
"""Bytes of one input."""

_ENGINE: Final = """
import sys, atheris
with atheris.instrument_imports(include=["videosdk_transcripts"]):
    from matrix import fuzz
fuzz.guided(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
"""


@define
class Figures:
    """What was tried, and what came of it."""

    engine: str
    seconds: float = 0.0
    inputs: int = 0
    size: int = 0
    outcomes: Counter[str] = field(factory=Counter)
    failures: dict[str, bytes] = field(factory=dict)
    """The shortest input for each place that failed."""

    def take(self, data: bytes, check: Check) -> None:
        """Try one input."""
        self.inputs += 1
        self.size += len(data)
        began = time.perf_counter()
        try:
            self.outcomes[check(data)] += 1
        except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked for
            frames = traceback.extract_tb(error.__traceback__)
            where = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames[-4:]))
            text = f" ({error})" if isinstance(error, AssertionError) and error.args else ""
            self._note(f"{type(error).__name__}{text} in {where}", data)
        if time.perf_counter() - began > SLOWEST:
            self._note(f"more than {SLOWEST:g} s for an input", data)

    def _note(self, failure: str, data: bytes) -> None:
        self.failures[failure] = min(self.failures.get(failure, data), data, key=len)

    def __str__(self) -> str:
        line = {
            "engine": self.engine,
            "seconds": f"{self.seconds:.0f}",
            "inputs": self.inputs,
            "bytes": self.size,
            "failures": len(self.failures),
        }
        came_to = ", ".join(f"{n} {name}" for name, n in self.outcomes.most_common())
        told = [
            f"bad: {name}\n     {base64.b64encode(data).decode()}\n"
            for name, data in self.failures.items()
        ]
        return f"{markdown([line])}\nThey came to: {came_to}.\n{''.join(told)}"


# The seeds.


def _row(number: int, **changes: Any) -> dict[str, Any]:
    """Write the documented row, with the canary in each text that is no id."""
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


def _answers() -> list[tuple[Kind, Any]]:
    """Write each envelope that is understood, and things that are seen on the same host."""
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
    wanted = {"version": 1, "list": "realtime-transcriptions", "room_id": None, "session_id": None}
    position = {"requested_page_size": 20, "page": 2, "page_size": 20, "total": 5, "last_page": 3}
    known = {"moving": False, "complete_from_page": 1, "yielded_ids": ["id-1"], "gap_before": []}
    checkpoint = wanted | position | known
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
    """Return each answer as the input that it is made for."""
    written: list[tuple[Kind, bytes]] = [(k, json.dumps(v).encode()) for k, v in _answers()]
    return [bytes((KINDS.index(kind), 0, 0, 17)) + body for kind, body in [*written, *_TEXTS]]


# The changes.

_KEYS: Final = (
    *("id", "status", "extension", "extensionConfig", "roomId", "sessionId", "enabled", "start"),
    *("end", "transcriptionFilePaths", "summarizedFilePaths", "webhookUrl", "provider", "x"),
    *("pageInfo", "pagination", "transcriptions", "data", "records", "success", "currentPage"),
    *("page", "perPage", "lastPage", "totalPages", "total", "totalItems", "yielded_ids", "version"),
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


def _changed(data: bytes, chance: random.Random) -> bytes:
    """Change an input: the JSON that is in it, or its bytes, and what is done with it."""
    head, body = data[:4].ljust(4, b"\0"), data[4:]
    kind = chance.randrange(256) if chance.random() < 0.1 else head[0]
    head = bytes((kind, *chance.randbytes(3)))
    try:
        body = _changed_json(body, chance)
    except (ValueError, RecursionError):
        return head + _changed_bytes(body, chance)
    return (head + (_changed_bytes(body, chance) if chance.random() < 0.15 else body))[:LONGEST]


def _changed_json(body: bytes, chance: random.Random) -> bytes:
    tree = [json.loads(body)]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 5))):
        _change_tree(tree, chance)
    text = json.dumps(tree[0], ensure_ascii=chance.random() < 0.8)
    # A nested text stands for what it says, so that the tree itself stays flat.
    for nested in _NESTED:
        text = text.replace(json.dumps(nested), nested)
    return text.encode(chance.choice(_CODECS) if chance.random() < 0.05 else "utf-8", "replace")


def _change_tree(tree: list[Any], chance: random.Random) -> None:
    # Parts are copied, because none may hold itself.
    places: list[tuple[Any, Any]] = []
    below: list[Any] = [tree]
    while below:
        node = below.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        found = [(node, key) for key, _ in items]
        places += found
        below += [node[key] for _, key in found if isinstance(node[key], dict | list)]
    node, key = chance.choice(places)
    other, other_key = chance.choice(places)
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


def _changed_bytes(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randint(0, len(body))
        end = min(len(body), at + chance.choice((0, 1, 2, 8, 100)))
        piece = chance.choice((b"", body[at:end] * 2, chance.randbytes(2), chance.choice(_PIECES)))
        body = body[:at] + piece + body[end:]
    return body[:LONGEST]


# The engines.


def run_built_in(
    check: Check, *, seed: int, inputs: int | None = None, seconds: float = 0.0
) -> Figures:
    """Change known answers at random, so many times or for so long."""
    chance = random.Random(seed)  # noqa: S311
    figures, known = Figures("built-in"), _seeds()
    began = time.monotonic()
    while figures.inputs < inputs if inputs else time.monotonic() - began < seconds:
        is_known = figures.inputs < len(known)
        data = known[figures.inputs] if is_known else _changed(chance.choice(known), chance)
        figures.take(data, check)
    figures.seconds = time.monotonic() - began
    return figures


def run_atheris(seconds: float, seed: int) -> Figures:
    """Let atheris guide the changes, in a process of its own, which it ends at will."""
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
            return Figures(**found | {"outcomes": Counter(found["outcomes"])})
        # It gave up by itself: an input that hangs or takes all memory is left as a file.
        left = [path.read_bytes() for path in Path(folder).glob("left-*")]
        said = done.stderr.decode(errors="replace")[-2000:]
        failures = {f"atheris ended with {done.returncode}: {said}": left[0] if left else b""}
        return Figures("atheris", seconds, failures=failures)


def guided(seconds: float, seed: int, folder: str) -> None:
    """Run atheris over the instrumented package, and write the figures to a file at the end."""
    atheris = importlib.import_module("atheris")
    corpus = Path(folder, "corpus")
    corpus.mkdir()
    for number, data in enumerate(_seeds()):
        (corpus / str(number)).write_bytes(data)
    logging.disable()
    figures, began = Figures("atheris"), time.monotonic()

    def target(data: bytes) -> None:
        figures.take(data, check)
        figures.seconds = time.monotonic() - began
        if figures.seconds >= seconds:
            failures = {k: base64.b64encode(v).decode() for k, v in figures.failures.items()}
            result = json.dumps(asdict(figures) | {"failures": failures})
            Path(folder, "result.json").write_text(result)
            os._exit(0)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(data, longest))
        return _changed(data, chance)[:longest]

    options = [f"-max_len={LONGEST}", f"-seed={seed}", "-timeout=30", "-rss_limit_mb=4096"]
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
        figures = run_atheris(options.seconds, options.seed)
    else:
        figures = run_built_in(check, seed=options.seed, seconds=options.seconds)
    sys.stdout.write(str(figures))
    return 1 if figures.failures else 0


if __name__ == "__main__":
    logging.disable()
    sys.exit(main())
