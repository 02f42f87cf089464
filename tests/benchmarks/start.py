"""What a start costs: whole processes, from the interpreter's first instruction."""

from __future__ import annotations

import sys
from functools import partial
from statistics import median
from typing import Final

from attrs import frozen

from .bench import Bench, Section
from .jobs import LIST, ROOM
from .measure import interleaved, run_program
from .tables import Target, markdown, times

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
    async with TranscriptsClient(
        api_key="key", secret="benchmark-secret-" * 4, endpoint=sys.argv[1]
    ) as client:
        async for row in client.iter_transcriptions("{ROOM}"):
            print(row.id)
            break

asyncio.run(main())
"""
_CLICK: Final = """
import click

@click.command()
@click.option("--name", help="Whom to greet.")
def main(name):
    "Greet somebody."

main(["--help"])
"""
_HELP: Final = "from videosdk_transcripts.cli import main; main(['--help'])"


@frozen
class _Start:
    name: str
    code: str
    floor: int
    """The place of the line that it is compared with."""
    aim: float | None = None


_LIBRARIES: Final = "import aiohttp, attrs, cattrs, jwt, tenacity"
_CLIENT: Final = "from videosdk_transcripts import TranscriptsClient"

_STARTS: Final = (
    _Start("the interpreter alone", "pass", 0),
    _Start(f"`{_LIBRARIES}`", _LIBRARIES, 1),
    _Start("`import videosdk_transcripts`", "import videosdk_transcripts", 1),
    # The package loads the client when its name is first used, so that this is what it costs.
    _Start(f"`{_CLIENT}`", _CLIENT, 1, aim=1.15),
    _Start("raw aiohttp to the first row", _RAW, 4),
    _Start("videosdk_transcripts to the first row", _OURS, 4),
    _Start("a bare click program, `--help`", _CLICK, 6),
    _Start("`videosdk-transcripts --help`", _HELP, 6, aim=1.6),
)


def start(bench: Bench) -> Section:
    """Measure imports, the way to the first row and the command line."""
    url = f"{bench.server}/{bench.scale.small}/0"
    # Safe path: what lies in the current folder must not cost look-ups.
    commands = [[sys.executable, "-P", "-c", line.code, url] for line in _STARTS]
    runs = [partial(run_program, command) for command in commands]
    if bench.rounds > 1:
        interleaved(runs, 1)  # writes the byte code of what was just installed
    spent = interleaved(runs, bench.rounds)
    cpu = [median(one.cpu for one in found) for found in spent]
    wall = [median(one.wall for one in found) for found in spent]
    counts = [
        bench.counter.count(command).instructions if bench.counter else None for command in commands
    ]
    lines = [
        {
            "process": line.name,
            "CPU s": f"{cpu[n]:.3f}",
            "CPU beside floor": times(cpu[n], cpu[line.floor]),
            "wall s": f"{wall[n]:.3f}",
            "wall beside floor": times(wall[n], wall[line.floor]),
            "million instructions": f"{count / 1e6:,.0f}" if (count := counts[n]) else "",
            "instructions beside floor": times(counts[n], counts[line.floor]),
        }
        for n, line in enumerate(_STARTS)
    ]
    targets = tuple(
        Target(f"{line.name}: CPU beside {_STARTS[line.floor].name}", line.aim, ratio)
        for n, line in enumerate(_STARTS)
        if line.aim and (ratio := cpu[n] / cpu[line.floor])
    )
    about = (
        "Whole processes, the interpreter's own start included; the floor of each is the line "
        "above it with the same work.\n\n"
    )
    return Section("Start, and the way to the first row", about + markdown(lines), targets)
