"""Extras are imported only when they are used."""

import subprocess
import sys

import pytest

LIBRARIES = ("fsspec", "pyarrow", "distributed", "s3fs", "pandas")


def loaded_by(code: str) -> set[str]:
    """Return the libraries that code loads in a new process."""
    code += f"\nimport sys; print(*set(sys.modules) & set({LIBRARIES!r}))"
    command = (sys.executable, "-c", code)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import videosdk_transcripts; videosdk_transcripts.TranscriptsClient",
        "from videosdk_transcripts.export import *; LocalEngine(); read_pairs",
        "from videosdk_transcripts.cli import _app; _app.app.get_command(None, 'export')",
        "from videosdk_transcripts.export import DaskEngine; DaskEngine('tcp://host:1')",
    ],
    ids=["client", "export", "command", "engine"],
)
def test_import_loads_no_library(code: str) -> None:
    """The engine loads none either, before it is connected."""
    assert loaded_by(code) == set()


def test_local_export_loads_no_library() -> None:
    """The export has JSON lines or CSV, in a folder."""
    code = """
import asyncio, tempfile
from videosdk_transcripts.export import export
from videosdk_transcripts.testing import FakeVideoSDK

async def main():
    async with FakeVideoSDK() as fake, fake.client() as client:
        for name in ("jsonl", "csv"):
            with tempfile.TemporaryDirectory() as folder:
                await export(None, folder, client=client, format=name)

asyncio.run(main())
"""
    assert loaded_by(code) == set()
