"""The recipes for job arrays in the docs, run as the schedulers run them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import fsspec
import pyarrow.dataset as ds
import pytest
import yaml
from moto.server import ThreadedMotoServer
from support import Meetings, texts, without_coverage

from videosdk_transcripts.testing import FakeVideoSDK

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "export.md"
JOBS = 8


def recipe(language: str, word: str) -> str:
    """Return the block of the page that has a word."""
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (found,) = [text for text in blocks if word in text]
    return str(found)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Meetings]:
    """Return a small account, with the program on the PATH and its variables in the environment."""
    program = tmp_path / "bin" / "videosdk-transcripts"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m videosdk_transcripts "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    with FakeVideoSDK().in_thread() as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield Meetings(fake, sessions=6)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Create the bucket of the recipes."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    fs.mkdir("bucket")
    yield "s3://bucket/meetings"
    fs.rm("bucket", recursive=True)
    moto.stop()


def run(command: list[str], folder: Path, **variables: str) -> None:
    """Run a command as a job in a folder."""
    done = subprocess.run(  # noqa: S603 - a command of the docs
        command,
        cwd=folder,
        env={**without_coverage(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def run_all(job: Callable[[int], object]) -> None:
    """Run all jobs, several at a time."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(job, range(JOBS)))


def in_folder(text: str, sink: Path) -> str:
    """Return a recipe that writes to a folder instead of a bucket, which takes less time."""
    assert "s3://bucket/meetings" in text
    return text.replace("s3://bucket/meetings", str(sink))


def test_kubernetes_job(account: Meetings, bucket: str, tmp_path: Path) -> None:
    """Each index runs the command of the container, with the number that Kubernetes sets."""
    job = yaml.safe_load(recipe("yaml", "kind: Job"))
    spec = job["spec"]
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert (spec["completionMode"], spec["completions"]) == ("Indexed", JOBS)
    (container,) = spec["template"]["spec"]["containers"]
    command = [*container["command"], *container["args"]]
    run_all(lambda index: run(command, tmp_path, JOB_COMPLETION_INDEX=str(index)))
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    fs.get(bucket, str(tmp_path / "copy"), recursive=True)
    assert (tmp_path / "copy" / "_SUCCESS.json").exists()
    table = ds.dataset(tmp_path / "copy", format="parquet").to_table(columns=["id", "text"])
    rows = table.to_pylist()
    assert len(rows) == len(account.texts)
    assert {row["id"]: row["text"] for row in rows} == account.texts


def test_slurm_array(account: Meetings, tmp_path: Path) -> None:
    """Each task runs the script, with the number that Slurm sets."""
    sink = tmp_path / "shared"
    script = recipe("sh", "#SBATCH").replace("/shared", str(sink))
    assert f"--array=0-{JOBS - 1}\n" in script
    (tmp_path / "job.sh").write_text(script)
    lines = [f"{room},{session}\n" for room, session in account.pairs]
    (tmp_path / "pairs.csv").write_text("".join(lines))
    run_all(lambda index: run(["bash", "job.sh"], tmp_path, SLURM_ARRAY_TASK_ID=str(index)))
    assert (sink / "meetings" / "_SUCCESS.json").exists()
    assert texts(sink / "meetings") == account.texts


def test_airflow_dag(
    account: Meetings, sink: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of its mapped tasks complete the dataset, and update it the next day."""
    commands: list[str] = []
    options: dict[str, Any] = {}

    def dag(**given: Any) -> Callable[[Callable[[], object]], Callable[[], object]]:
        options.update(given)
        return lambda function: function

    def bash(**_given: Any) -> Callable[[Callable[..., str]], object]:
        def mapped(function: Callable[..., str]) -> object:
            def expand(index: Iterable[int]) -> None:
                commands.extend(function(index=number) for number in index)

            return SimpleNamespace(expand=expand)

        return mapped

    sdk = ModuleType("airflow.sdk")
    vars(sdk).update(dag=dag, task=SimpleNamespace(bash=bash))
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    code = in_folder(recipe("py", "airflow.sdk"), sink)
    exec(compile(code, "recipe", "exec"), {})  # noqa: S102
    assert len(commands) == JOBS
    # Two arrays at the same time would be two jobs for the same part.
    assert options["max_active_runs"] == 1
    for _day in range(2):
        run_all(lambda index: run(["bash", "-c", commands[index]], tmp_path))
        assert (sink / "_SUCCESS.json").exists()
        assert texts(sink) == account.texts
        for row in account.add("room-1", 3):
            row["start"] = datetime.now(UTC).isoformat()


def test_spark_and_ray_functions(account: Meetings, sink: Path) -> None:
    """Both run one function for each number; the dataset is complete after the last one."""
    spark_ran: list[int] = []
    ray_ran: list[int] = []

    def spread(numbers: Iterable[int], parts: int) -> SimpleNamespace:
        assert parts == len(list(numbers)) == JOBS

        def foreach(function: Callable[[int], object]) -> None:
            spark_ran.extend(numbers)
            run_all(function)

        return SimpleNamespace(foreach=foreach)

    def remote(_function: Callable[[int], object]) -> SimpleNamespace:
        def options(**_given: Any) -> SimpleNamespace:
            return SimpleNamespace(remote=ray_ran.append)

        return SimpleNamespace(options=options)

    spark = SimpleNamespace(sparkContext=SimpleNamespace(parallelize=spread))
    ray = SimpleNamespace(remote=remote, get=list)
    code = in_folder(recipe("py", "sparkContext"), sink)
    exec(compile(code, "recipe", "exec"), {"spark": spark, "ray": ray})  # noqa: S102
    assert spark_ran == ray_ran == list(range(JOBS))
    assert (sink / "_SUCCESS.json").exists()
    assert texts(sink) == account.texts
