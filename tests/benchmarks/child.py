"""Run one job in this process and print its result: ``python -m benchmarks.child JOB``."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
import urllib.request
from collections.abc import Awaitable
from importlib import import_module
from typing import Any

from .jobs import LIST, ROOM, Job, Result, WalkResult

__all__ = ["run"]


def run(job: Job) -> Result:
    """Run a job in a new event loop, and measure it."""
    # Imported before the clock starts, because `start.py` measures imports.
    program = import_module(f".{job.program}", __package__)
    latencies, unfairness = (0.0, 0.0, 0.0), 0.0
    body = _first_page(job) if job.kind == "structure" else b""
    began, began_cpu = time.perf_counter(), time.process_time()
    if job.kind == "structure":
        rows = asyncio.run(program.structure(body, job.rows // job.page_size))
        marked_at = began
    else:
        if job.kind == "latency":
            walked, latencies = asyncio.run(_measure_latency(program.walk(job)))
        else:
            walked = asyncio.run(getattr(program, job.kind)(job))
        unfairness = walked.unfairness
        rows, marked_at = walked.rows, walked.marked_at
    ended, ended_cpu = time.perf_counter(), time.process_time()
    unit = 1 if sys.platform == "darwin" else 1024
    return Result(
        rows=rows,
        wall=ended - began,
        steady=ended - marked_at,
        cpu=ended_cpu - began_cpu,
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        latency=latencies[0],
        latency_cpu=latencies[1],
        latency_own=latencies[2],
        unfairness=unfairness,
    )


def _first_page(job: Job) -> bytes:
    url = f"{job.url}{LIST}?roomId={ROOM}&page=1&perPage={job.page_size}"
    with urllib.request.urlopen(url) as response:  # noqa: S310 - the server of this run
        found: Any = response.read()
    return bytes(found)


async def _measure_latency(
    walk: Awaitable[WalkResult],
) -> tuple[WalkResult, tuple[float, float, float]]:
    """Return the result of a walk, and the longest waits of a task that is always ready to run."""
    longest = (0.0, 0.0, 0.0)
    collecting = 0.0

    def note_collection(phase: str, _: object) -> None:
        nonlocal collecting
        collecting += time.thread_time() if phase == "stop" else -time.thread_time()

    def clocks() -> tuple[float, float, float]:
        cpu = time.thread_time()
        return time.perf_counter(), cpu, cpu - collecting

    async def tick() -> None:
        nonlocal longest
        before = clocks()
        while True:
            await asyncio.sleep(0)
            now = clocks()
            wall, cpu, own = (max(w, n - b) for w, n, b in zip(longest, now, before, strict=True))
            longest = wall, cpu, own
            before = now

    gc.callbacks.append(note_collection)
    ticker = asyncio.create_task(tick())
    walked = await walk
    ticker.cancel()
    gc.callbacks.remove(note_collection)
    return walked, longest


if __name__ == "__main__":
    sys.stdout.write(run(Job.loads(sys.argv[1])).dumps())
