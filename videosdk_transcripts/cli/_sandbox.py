"""``sandbox`` and ``completion``: commands that need no account."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from videosdk_transcripts import ConfigurationError

from ._options import command
from ._output import notify, print_line
from ._signals import run_until_signal

if TYPE_CHECKING:
    from videosdk_transcripts.testing import FakeVideoSDK


@command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8787,
    show_default=True,
    help="Port on 127.0.0.1; 0 for any free one.",
)
@click.option(
    "--rooms", type=click.IntRange(0), default=4, show_default=True, help="Number of sample rooms."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the sample data.")
def sandbox(port: int, rooms: int, seed: int) -> None:
    """
    Run a fake service with sample data until Ctrl-C.

    The service has a dashboard at its address. The variables that configure a client for the
    service are printed to stdout, in a format for shells and for --env-file.
    """
    from videosdk_transcripts.testing import serve

    is_listening = False

    def announce(fake: FakeVideoSDK) -> None:
        nonlocal is_listening
        is_listening = True
        for name, value in fake.environ.items():
            print_line(f"export {name}={shlex.quote(value)}")
        notify(f"sandbox and dashboard at {fake.url}; press Ctrl-C to stop")

    try:
        run_until_signal(lambda: serve(port, rooms=rooms, seed=seed, started=announce))
    except OSError as error:
        if is_listening:
            # The error is about the output, and not about the port.
            raise
        raise ConfigurationError(f"{error.strerror} (see --port)") from None


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """
    Print a completion script for a shell.

    \b
    bash:  eval "$(videosdk-transcripts completion bash)" in ~/.bashrc
    zsh:   eval "$(videosdk-transcripts completion zsh)" in ~/.zshrc
    fish:  videosdk-transcripts completion fish | source
    """  # noqa: D301 - click keeps the lines below this character
    from click.shell_completion import get_completion_class

    program = context.find_root()
    completion_class = get_completion_class(shell)
    assert completion_class is not None  # noqa: S101 - click has all three
    script = completion_class(
        program.command, {}, "videosdk-transcripts", "_VIDEOSDK_TRANSCRIPTS_COMPLETE"
    )
    print_line(script.source())
