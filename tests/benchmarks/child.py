"""One measured process: ``python -m benchmarks.child JOB``; prints its outcome."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
import urllib.request
from collections.abc import Awaitable
from importlib import import_module
from typing import Any

from .jobs import LIST, ROOM, Job, Outcome, Walked

__all__ = ["run"]


def run(job: Job) -> Outcome:
    """Do it in an event loop of its own, and measure all of that."""
    # Before the clock starts: what a start costs is measured in another place.
    program = import_module(f".{job.program}", __package__)
    gap = gap_cpu = 0.0
    body = _first_page(job) if job.kind == "structure" else b""
    began, began_cpu = time.perf_counter(), time.process_time()
    if job.kind == "structure":
        rows = asyncio.run(program.structure(body, job.rows // job.page_size))
        marked_at = began
    else:
        if job.kind == "turns":
            walked, gap, gap_cpu = asyncio.run(_beside_a_ticker(program.walk(job)))
        else:
            walked = asyncio.run(program.walk(job))
        rows, marked_at = walked.rows, walked.marked_at
    ended, ended_cpu = time.perf_counter(), time.process_time()
    unit = 1 if sys.platform == "darwin" else 1024
    return Outcome(
        rows=rows,
        wall=ended - began,
        steady=ended - marked_at,
        cpu=ended_cpu - began_cpu,
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        gap=gap,
        gap_cpu=gap_cpu,
    )


def _first_page(job: Job) -> bytes:
    url = f"{job.url}{LIST}?roomId={ROOM}&page=1&perPage={job.page_size}"
    with urllib.request.urlopen(url) as response:  # noqa: S310 - the server of this run
        found: Any = response.read()
    return bytes(found)


async def _beside_a_ticker(walk: Awaitable[Walked]) -> tuple[Walked, float, float]:
    """Return what came of a walk, and the longest waits of a task that always wants a turn."""
    gap = gap_cpu = 0.0

    async def tick() -> None:
        nonlocal gap, gap_cpu
        before, before_cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0)
            now, now_cpu = time.perf_counter(), time.thread_time()
            gap, gap_cpu = max(gap, now - before), max(gap_cpu, now_cpu - before_cpu)
            before, before_cpu = now, now_cpu

    ticker = asyncio.create_task(tick())
    walked = await walk
    ticker.cancel()
    return walked, gap, gap_cpu


if __name__ == "__main__":
    sys.stdout.write(run(Job.loads(sys.argv[1])).dumps())
