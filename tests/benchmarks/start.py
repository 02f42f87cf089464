"""Measure startup: whole processes, including the start of the interpreter."""

from __future__ import annotations

import sys
from functools import partial
from statistics import median
from typing import Final

from attrs import frozen

from .bench import Bench, Section
from .jobs import LIST, ROOM
from .measure import interleaved, run_program
from .tables import Target, format_ratio, markdown

__all__ = ["start"]

_RAW: Final = f"""
import asyncio, json, sys
import aiohttp

async def main():
    url = sys.argv[1] + "{LIST}?roomId={ROOM}&page=1&perPage=20"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={{"Authorization": "x" * 150}}) as response:
            data = json.loads(await response.read())
    print(data["transcriptions"][0]["id"])

asyncio.run(main())
"""
_OURS: Final = f"""
import asyncio, sys
from videosdk_transcripts import TranscriptsClient

async def main():
    async with TranscriptsClient(**CREDENTIALS, endpoint=sys.argv[1]) as client:
        async for row in client.iter_transcriptions("{ROOM}"):
            print(row.id)
            break

asyncio.run(main())
"""
_WITH_TOKEN: Final = _OURS.replace("CREDENTIALS", '{"token": "x" * 150}')
_WITH_SECRET: Final = _OURS.replace(
    "CREDENTIALS", '{"api_key": "key", "secret": "benchmark-secret-" * 4}'
)
_CLICK: Final = """
import click

@click.command()
@click.option("--name", help="The name to greet.")
def main(name):
    "Print a greeting."

main(["--help"])
"""
_HELP: Final = "from videosdk_transcripts.cli import main; main(['--help'])"


@frozen
class _Process:
    name: str
    code: str
    baseline: int
    """The index of the process to compare with."""
    target: float | None = None


_LIBRARIES: Final = "import aiohttp, attrs, cattrs, jwt, tenacity"
_CLIENT: Final = "from videosdk_transcripts import TranscriptsClient"

_PROCESSES: Final = (
    _Process("the interpreter alone", "pass", 0),
    _Process(f"`{_LIBRARIES}`", _LIBRARIES, 1),
    _Process("`import videosdk_transcripts`", "import videosdk_transcripts", 1),
    # The package imports the client on first use of its name, so this line has the full cost.
    _Process(f"`{_CLIENT}`", _CLIENT, 1, target=1.15),
    _Process("raw aiohttp to the first row", _RAW, 4),
    _Process("videosdk_transcripts to the first row, with a token", _WITH_TOKEN, 4, target=1.25),
    _Process("videosdk_transcripts to the first row, with a key and secret", _WITH_SECRET, 4),
    _Process("a bare click program, `--help`", _CLICK, 7),
    _Process("`videosdk-transcripts --help`", _HELP, 7, target=1.6),
)


def start(bench: Bench) -> Section:
    """Measure imports, the time to the first row and the command line."""
    url = f"{bench.server}/{bench.scale.small}/0"
    # Safe path, so that the current folder is not searched for imports.
    commands = [[sys.executable, "-P", "-c", line.code, url] for line in _PROCESSES]
    runs = [partial(run_program, command) for command in commands]
    if bench.rounds > 1:
        interleaved(runs, 1)  # writes missing byte code
    usages = interleaved(runs, bench.rounds)
    cpu = [median(one.cpu for one in found) for found in usages]
    wall = [median(one.wall for one in found) for found in usages]
    counts = [
        bench.counter.count(command).instructions if bench.counter else None for command in commands
    ]
    lines = [
        {
            "process": line.name,
            "CPU, s": f"{cpu[n]:.3f}",
            "CPU, ratio to baseline": format_ratio(cpu[n], cpu[line.baseline]),
            "wall time, s": f"{wall[n]:.3f}",
            "wall time, ratio to baseline": format_ratio(wall[n], wall[line.baseline]),
            "instructions, millions": f"{count / 1e6:,.0f}" if (count := counts[n]) else "",
            "instructions, ratio to baseline": format_ratio(counts[n], counts[line.baseline]),
        }
        for n, line in enumerate(_PROCESSES)
    ]
    targets = tuple(
        Target(f"{line.name}: CPU, ratio to {_PROCESSES[line.baseline].name}", line.target, ratio)
        for n, line in enumerate(_PROCESSES)
        if line.target and (ratio := cpu[n] / cpu[line.baseline])
    )
    about = (
        "Whole processes, including the start of the interpreter; the baseline of each is the "
        "line above it that does the same work.\n\n"
    )
    return Section("Startup and time to the first row", about + markdown(lines), targets)
