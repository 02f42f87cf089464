"""A Dask cluster of processes on this machine, which tests can kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_QUIET = {"DASK_DISTRIBUTED__DASHBOARD__LINK": "", "DASK_DISTRIBUTED__VERSION": "2"}


class Cluster:
    """A scheduler and workers, each in a separate process."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, threads: int = 1) -> None:
        self._folder = folder
        self._environment = {**os.environ, **environment}
        # The process is killed, and would leave an incomplete file.
        for name in [name for name in self._environment if name.startswith("COVERAGE_")]:
            del self._environment[name]
        self._threads = threads
        self._number = 0
        self.address = ""
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int = 2) -> None:
        """Start the scheduler, and workers for it."""
        self.scheduler = self._run(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
        assert self.scheduler.stderr is not None
        # It logs its address once it listens.
        for line in self.scheduler.stderr:
            _, found, address = line.decode().partition("Scheduler at:")
            if found:
                self.address = address.strip()
                break
        self.add_workers(workers)

    def add_workers(self, count: int) -> None:
        """Start workers."""
        for _ in range(count):
            self._number += 1
            self.workers.append(
                self._run(
                    "distributed.cli.dask_worker",
                    self.address,
                    "--no-nanny",
                    "--no-dashboard",
                    "--nthreads",
                    str(self._threads),
                    "--name",
                    f"w{self._number}",
                    "--local-directory",
                    str(self._folder),
                    "--death-timeout",
                    "20",
                )
            )

    def kill_worker(self) -> None:
        """Kill the oldest worker, as the kernel does when memory runs out."""
        _end(self.workers.pop(0), signal.SIGKILL)

    def stop_worker(self) -> None:
        """Stop the oldest worker, as a preempted machine does."""
        _end(self.workers.pop(0), signal.SIGTERM)

    def kill_scheduler(self) -> None:
        """Kill the scheduler, and the workers, which would end a little later."""
        assert self.scheduler is not None
        _end(self.scheduler, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers:
            _end(worker, signal.SIGKILL)
        self.workers.clear()
        if self.scheduler is not None:
            _end(self.scheduler, signal.SIGKILL)
            self.scheduler = None

    def _run(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = None if module.endswith("scheduler") else subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-m", module, *arguments],
            env=self._environment,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if log is None else log,
        )


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    process.send_signal(number)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


@contextmanager
def cluster(
    folder: Path, environment: Mapping[str, str], *, workers: int = 2, threads: int = 1
) -> Iterator[Cluster]:
    """Run a cluster during the block."""
    running = Cluster(folder, environment, threads=threads)
    try:
        running.start(workers)
        yield running
    finally:
        running.close()
