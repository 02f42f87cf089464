"""
Measurements of exports that take minutes: ``nox -s measure_export``, or one of them by name.

Each prints one table line, and raises if the promise of the docs does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent))

from cluster import Cluster

SESSIONS, ROWS, PAGE = 200, 15, 5
REQUESTS = SESSIONS * (ROWS // PAGE + ROWS)
"""3,600: three pages of five rows for each session, and the text of each row."""


class Service:
    """A small, fast service in a process of its own: sessions, their rows, their texts."""

    def __init__(
        self, *, rows: int = ROWS, latency: tuple[float, float] = (0.015, 0.045), limit: int = 0
    ) -> None:
        self.rows = rows
        self.latency = latency
        self.limit = limit
        self.requests = 0
        self.refused = 0
        self._times: list[float] = []
        self.url = ""

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.router.add_get("/ai/v1/realtime-transcriptions/", self.list_rows)
        app.router.add_get("/ai/v1/realtime-transcriptions", self.list_rows)
        app.router.add_get("/files/{id}", self.text)
        app.router.add_get("/counts", self.counts)
        return app

    async def counts(self, _request: web.Request) -> web.Response:
        """Return the counts, and reset them."""
        counted = {"requests": self.requests, "refused": self.refused}
        self.requests = self.refused = 0
        return web.json_response(counted)

    async def _wait(self) -> web.Response | None:
        self.requests += 1
        now = time.monotonic()
        if self.limit:
            self._times = [moment for moment in self._times if moment > now - 1]
            if len(self._times) >= self.limit:
                self.refused += 1
                return web.json_response({"message": "slow down"}, status=429)
            self._times.append(now)
        await asyncio.sleep(random.uniform(*self.latency))  # noqa: S311
        return None

    async def list_rows(self, request: web.Request) -> web.Response:
        """Return a page, never larger than `PAGE` if a session is requested."""
        refused = await self._wait()
        if refused is not None:
            return refused
        session = request.query.get("sessionId")
        page = int(request.query.get("page", "1"))
        if session is None:
            size, total = int(request.query["perPage"]), SESSIONS * self.rows
            numbers = range((page - 1) * size, min(page * size, total))
            rows = [self._row(f"s{n // self.rows}", n % self.rows) for n in numbers]
        else:
            size, total = PAGE, self.rows
            rows = [self._row(session, n) for n in range((page - 1) * size, page * size)]
        info = {
            "currentPage": page,
            "perPage": size,
            "lastPage": -(-total // size),
            "total": total,
        }
        return web.json_response({"pageInfo": info, "data": rows})

    def _row(self, session: str, number: int) -> dict[str, Any]:
        row_id = f"{session}-{number}"
        return {
            "id": row_id,
            "status": "completed",
            "extension": {
                "enabled": True,
                "provider": "videosdk",
                "extensionConfig": {"roomId": "room", "sessionId": session},
            },
            "transcriptionFilePaths": {"txt": f"{self.url}/files/{row_id}"},
            "start": "2026-03-04T16:00:00.000Z",
            "end": "2026-03-04T16:25:00.000Z",
        }

    async def text(self, request: web.Request) -> web.Response:
        """Return the text of a row."""
        refused = await self._wait()
        if refused is not None:
            return refused
        return web.Response(text=f"Ann: {request.match_info['id']}\n" * 40)


def serve(options: str) -> None:
    """Run the service until the process ends; print its URL."""

    async def run() -> None:
        service = Service(**json.loads(options))
        runner = web.AppRunner(service.app(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        service.url = f"http://{host}:{port}"
        print(service.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def service(**options: Any) -> Iterator[dict[str, str]]:
    """Run the service in a process, and yield the environment that leads to it."""
    process = subprocess.Popen(  # noqa: S603 - this file
        [sys.executable, __file__, "serve", json.dumps(options)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    try:
        yield {
            "VIDEOSDK_API_ENDPOINT": url,
            "VIDEOSDK_API_KEY": "key",
            "VIDEOSDK_SECRET": "secret-of-more-than-thirty-two-bytes",
            "VIDEOSDK_FILE_HOSTS": url,
        }
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def counts(environment: dict[str, str]) -> dict[str, int]:
    """Return what the service has counted since the last call."""
    from urllib.request import urlopen

    with urlopen(f"{environment['VIDEOSDK_API_ENDPOINT']}/counts") as response:  # noqa: S310
        counted: dict[str, int] = json.load(response)
        return counted


def pairs_file(folder: Path) -> Path:
    """Write the sessions."""
    file = folder / "pairs.csv"
    file.write_text("".join(f"room,s{number}\n" for number in range(SESSIONS)))
    return file


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start the command."""
    return subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-m", "videosdk_transcripts", "export", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def check_rows(sink: Path, expected: int) -> None:
    """Check that each row is there once."""
    ids = [
        json.loads(line)["id"]
        for part in sink.glob("part-*.jsonl")
        for line in part.read_text().splitlines()
    ]
    assert len(ids) == len(set(ids)) == expected, (len(ids), len(set(ids)))
    assert (sink / "_SUCCESS.json").exists()


def report(name: str, **facts: object) -> None:
    """Print one table line."""
    print(f"{name:10}", *(f"{key}={value}" for key, value in facts.items()), flush=True)  # noqa: T201


def killed_processes(seed: int) -> None:
    """Kill the process ten times during one export."""
    source = random.Random(seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as name, service() as environment:
        folder = Path(name)
        arguments = ("--pairs", str(pairs_file(folder)), "--to", str(folder / "sink"))
        began, kills = time.monotonic(), 0
        while True:
            process = start(environment, *arguments)
            if kills == 10:
                assert process.wait() == 0
                break
            try:
                process.wait(timeout=source.uniform(1.0, 3.0))
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
        check_rows(folder / "sink", SESSIONS * ROWS)
        extra = counts(environment)["requests"] - REQUESTS
        seconds = round(time.monotonic() - began, 1)
        share = f"{100 * extra / REQUESTS:.1f}%"
        report("process", kills=kills, extra=extra, share=share, seconds=seconds)
        assert extra < 0.05 * REQUESTS


def killed_cluster(what: str, seed: int) -> None:
    """Kill a worker or the scheduler at a random moment, in each of ten exports."""
    source = random.Random(seed)  # noqa: S311
    worst = 0
    for _ in range(10):
        with tempfile.TemporaryDirectory() as name, service() as environment:
            folder = Path(name)
            cluster = Cluster(folder, environment)
            cluster.start()
            arguments = ("--pairs", str(pairs_file(folder)), "--to", str(folder / "sink"))
            try:
                process = start(environment, *arguments, "--scheduler", cluster.address)
                target = source.uniform(0.05, 0.95) * REQUESTS
                seen = 0
                while seen < target:
                    time.sleep(0.05)
                    seen += counts(environment)["requests"]
                if what == "worker":
                    cluster.kill_worker()
                else:
                    cluster.kill_scheduler()
                    process.wait()
                    cluster.start()
                    process = start(environment, *arguments, "--scheduler", cluster.address)
                assert process.wait() == 0
            finally:
                cluster.close()
            check_rows(folder / "sink", SESSIONS * ROWS)
            extra = seen + counts(environment)["requests"] - REQUESTS
            worst = max(worst, extra)
            report(what, at=seen, extra=extra)
    report(what, worst=worst, share=f"{100 * worst / REQUESTS:.1f}%")
    assert worst < 0.05 * REQUESTS


def rate_limit(limit: int) -> None:
    """Export with two workers at 280/300 of the rate above which the service refuses."""
    with tempfile.TemporaryDirectory() as name, service(limit=limit) as environment:
        folder = Path(name)
        cluster = Cluster(folder, environment)
        cluster.start()
        try:
            began = time.monotonic()
            arguments = ("--pairs", str(pairs_file(folder)), "--to", str(folder / "sink"))
            limited = (
                "--scheduler",
                cluster.address,
                "--requests-per-second",
                str(limit * 280 / 300),
            )
            process = start(environment, *arguments, *limited, "--concurrency", "16")
            assert process.wait() == 0
        finally:
            cluster.close()
        check_rows(folder / "sink", SESSIONS * ROWS)
        counted, seconds = counts(environment), time.monotonic() - began
        report("limit", **counted, seconds=round(seconds, 1))
        assert counted["refused"] < 5


def million(rows: int) -> None:
    """Export many rows as JSON lines and as Parquet, and watch the memory."""
    import duckdb
    import pyarrow.dataset as ds

    per_session = rows // SESSIONS
    with (
        tempfile.TemporaryDirectory() as name,
        service(rows=per_session, latency=(0, 0)) as environment,
    ):
        digests = set()
        for format_ in ("jsonl", "parquet"):
            sink = Path(name) / format_
            arguments = ("--to", str(sink), "--format", format_, "--no-text")
            began = time.monotonic()
            process = start(environment, *arguments)
            peaks = []
            while process.poll() is None:
                time.sleep(0.5)
                peaks.append(_resident(process.pid))
            assert process.returncode == 0
            success = json.loads((sink / "_SUCCESS.json").read_text())
            digests.add(success["digest"])
            assert success["rows"] == per_session * SESSIONS
            half = len(peaks) // 2
            report(
                format_,
                rows=success["rows"],
                parts=len(success["parts"]),
                megabytes=success["bytes"] // 10**6,
                first_half=f"{max(peaks[:half])}MB",
                second_half=f"{max(peaks[half:])}MB",
                seconds=round(time.monotonic() - began, 1),
            )
            assert max(peaks[half:]) < 1.2 * max(peaks[:half])
        assert len(digests) == 1
        began = time.monotonic()
        query = f"select count(distinct id) from read_parquet('{name}/parquet/part-*')"  # noqa: S608
        assert duckdb.sql(query).fetchall() == [(per_session * SESSIONS,)]
        assert ds.dataset(f"{name}/parquet").count_rows() == per_session * SESSIONS
        report("read", seconds=round(time.monotonic() - began, 1))


def _resident(pid: int) -> int:
    """Return the memory of a process in megabytes."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except FileNotFoundError:
        return 0
    return pages * resource.getpagesize() // 10**6


_LOOP = """
import asyncio, json, sys
from videosdk_transcripts import TranscriptsClient

async def main():
    async with TranscriptsClient() as client:
        with open(sys.argv[1], "w") as file:
            async for t in client.iter_transcriptions(page_size=100):
                text = await client.fetch_text(t)
                file.write(json.dumps({**t.to_dict(), "text": text}) + "\\n")

asyncio.run(main())
"""


def cost() -> None:
    """Compare an export with a plain loop over the same rows and texts."""
    with tempfile.TemporaryDirectory() as name, service(latency=(0, 0)) as environment:
        best: dict[str, tuple[float, float]] = {}
        for number in range(5):
            sink = Path(name) / str(number)
            for what, command in (
                ("loop", ["-c", _LOOP, f"{sink}.jsonl"]),
                ("export", ["-m", "videosdk_transcripts", "export", "--to", str(sink)]),
            ):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                began = time.monotonic()
                subprocess.run(  # noqa: S603 - this Python
                    [sys.executable, *command],
                    env={**os.environ, **environment},
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
                wall = time.monotonic() - began
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                found = best.get(what, (wall, cpu))
                best[what] = min(found[0], wall), min(found[1], cpu)
        ratios = [export / loop for export, loop in zip(best["export"], best["loop"], strict=True)]
        report(
            "cost",
            loop=[round(seconds, 2) for seconds in best["loop"]],
            export=[round(seconds, 2) for seconds in best["export"]],
            wall=round(ratios[0], 2),
            cpu=round(ratios[1], 2),
        )
        assert ratios[0] <= 1.2


def main() -> None:
    """Run the measurements that are named, or all."""
    if sys.argv[1:2] == ["serve"]:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        serve(sys.argv[2])
        return
    measurements: dict[str, Callable[[argparse.Namespace], None]] = {
        "process": lambda options: killed_processes(options.seed),
        "worker": lambda options: killed_cluster("worker", options.seed),
        "scheduler": lambda options: killed_cluster("scheduler", options.seed),
        "limit": lambda options: rate_limit(options.limit),
        "million": lambda options: million(options.rows),
        "cost": lambda _options: cost(),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*measurements, []], default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--limit", type=int, default=300)
    options = parser.parse_args()
    for name in options.names or measurements:
        measurements[name](options)


if __name__ == "__main__":
    main()
