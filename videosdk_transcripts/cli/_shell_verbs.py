"""The verb for the shell itself: `completion`."""

from __future__ import annotations

import click

from ._options import verb

__all__ = ["completion"]


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
