"""The fake service as a process of its own."""

from __future__ import annotations

import asyncio

import click

from videosdk_transcripts import ConfigurationError
from videosdk_transcripts.testing import FakeVideoSDK, serve

from ._text import tell


def run_service(port: int, rooms: int, seed: int) -> None:
    """
    Serve until it is interrupted.

    Raises:
        ConfigurationError: the port can't be had.
    """
    try:
        asyncio.run(serve(port, rooms=rooms, seed=seed, started=_tell))
    except OSError as error:
        raise ConfigurationError(f"{error.strerror} (here: --port)") from None


def _tell(fake: FakeVideoSDK) -> None:
    for name, value in fake.environ.items():
        click.echo(f"{name}={value}")
    tell(f"sandbox at {fake.url}, with a page of what is in it; Ctrl-C ends it")
