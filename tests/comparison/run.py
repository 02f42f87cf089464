"""
Compare the rows that four clients yield: ``cd tests; python -m comparison.run``.

Prints a Markdown table. Each cell is one listing of 100 rows, in pages of 20, over a real socket.
The Node SDK is installed with npm into a temporary folder; without npm, its column is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from attrs import frozen

from videosdk_transcripts.testing import FakeVideoSDK

from .cases import CASES, ROOM, ROWS, Case
from .clients import NODE_PACKAGE, Job, Lister, NodeSDK, handwritten_loop, ours, raw_aiohttp

CLIENTS: Final[dict[str, Lister]] = {
    "raw aiohttp": raw_aiohttp,
    "hand-written loop": handwritten_loop,
    "this package": ours,
}


@frozen
class Outcome:
    """The rows that a client yielded, and those that were listed during the whole walk."""

    missing: int
    repeated: int
    foreign: int
    error: str | None

    @property
    def is_right(self) -> bool:
        """Return whether every row came once, and no other."""
        return self.error is None and not (self.missing or self.repeated or self.foreign)

    def __str__(self) -> str:
        if self.error is not None:
            return f"error: {self.error}"
        counts = (
            (self.missing, "missing"),
            (self.repeated, "twice"),
            (self.foreign, "of others"),
        )
        wrong = [f"{count} {what}" for count, what in counts if count]
        return ", ".join(wrong) if wrong else "all, once"


async def measure(case: Case, lister: Lister) -> Outcome:
    """List a room on a separate server."""
    async with FakeVideoSDK(**case.options) as fake:
        # Created first, so that rows are listed in this order.
        expected = {row["id"] for row in fake.add_transcriptions(ROWS, room_id=ROOM)}
        if case.has_other_rooms:
            fake.add_transcriptions(ROWS, room_id="zzzz-zzzz-zzzz")
        case.prepare(fake)
        error: str | None = None
        got: Counter[str] = Counter()
        try:
            async for row_id in lister(Job(fake, ROOM, case.page_size)):
                got[row_id] += 1
        except Exception as raised:  # noqa: BLE001 - each client has its own errors
            error = str(raised) if type(raised).__name__ == "NodeError" else type(raised).__name__
        # Rows that vanished during the walk may be missing, and new ones may be there.
        listed = {row["id"] for row in fake.rows if row_room(row) == ROOM}
        return Outcome(
            missing=len((expected & listed) - got.keys()),
            repeated=sum(count - 1 for count in got.values()),
            foreign=len(got.keys() - expected - listed),
            error=error,
        )


def row_room(row: dict[str, object]) -> object:
    """Return the room of a row of the fake service."""
    extension = row["extension"]
    assert isinstance(extension, dict)
    return extension["extensionConfig"]["roomId"]


async def compare(cases: Sequence[Case], clients: dict[str, Lister]) -> str:
    """Return the table."""
    lines = [f"| the server | {' | '.join(clients)} |", "|---" * (len(clients) + 1) + "|"]
    for case in cases:
        cells = [
            "has no such filter"
            if case.has_other_rooms and isinstance(lister, NodeSDK)
            else str(await measure(case, lister))
            for lister in clients.values()
        ]
        lines.append(f"| {case.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m comparison.run", description=__doc__)
    parser.parse_args(arguments)
    npm = shutil.which("npm")
    with TemporaryDirectory() as folder:
        clients = dict(CLIENTS)
        if npm is None or shutil.which("node") is None:
            sys.stderr.write("npm was not found; the column of the Node SDK is left out\n")
        else:
            command = [npm, "install", "--silent", "--prefix", folder, NODE_PACKAGE]
            subprocess.run(command, check=True, env=os.environ)  # noqa: S603 - a fixed command
            last = clients.popitem()
            clients[f"Node SDK {NODE_PACKAGE.rpartition('@')[2]}"] = NodeSDK(Path(folder))
            clients.update([last])
        sys.stdout.write(asyncio.run(compare(CASES, clients)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
