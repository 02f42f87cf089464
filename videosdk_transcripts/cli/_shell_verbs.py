"""The verbs beside the account: `sandbox` and `completion`."""

from __future__ import annotations

import click

from ._options import verb


@verb("sandbox", short_help="Run a fake service with made-up data.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8787,
    show_default=True,
    help="Where to listen on 127.0.0.1; 0 for any that is free.",
)
@click.option(
    "--rooms", type=click.IntRange(0), default=4, show_default=True, help="Rooms to make up."
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same makes the same.")
def sandbox(port: int, rooms: int, seed: int) -> None:
    """
    Run a fake service with made-up data until Ctrl-C.

    What it has is on a page at its address. On stdout it prints the variables that lead a
    client there, for --env-file for one.
    """
    from ._sandbox import run_service

    run_service(port, rooms, seed)


@verb("completion", short_help="Print what completes verbs in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    r"""
    Print what makes a SHELL complete verbs and options.

    \b
    bash:  eval "$(videosdk-transcripts completion bash)" in ~/.bashrc
    zsh:   eval "$(videosdk-transcripts completion zsh)" in ~/.zshrc
    fish:  videosdk-transcripts completion fish | source
    """
    from click.shell_completion import get_completion_class

    program = context.find_root()
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click has these three
    name = "videosdk-transcripts"
    click.echo(made(program.command, {}, name, "_VIDEOSDK_TRANSCRIPTS_COMPLETE").source())
