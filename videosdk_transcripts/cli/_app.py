"""Define the program and its commands."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

import click

from videosdk_transcripts import __version__

from ._exit import EXIT_CODES, run_with_exit_code
from ._log import print_all_records, printed_log


class _Entry(NamedTuple):
    """A command: the module and the name of its function, and its line in the help."""

    module: str
    name: str
    short_help: str


_COMMANDS: Final = {
    "list": _Entry("_list", "list_", "List transcriptions."),
    "show": _Entry("_list", "show", "Show one transcription."),
    "count": _Entry("_list", "count", "Count transcriptions."),
    "text": _Entry("_files", "text", "Print a transcript."),
    "summary": _Entry("_files", "summary", "Print a summary."),
    "download": _Entry("_files", "download", "Download transcripts and summaries."),
    "export": _Entry("_export", "export_", "Export a dataset."),
    "wait": _Entry("_follow", "wait", "Wait for a transcript."),
    "follow": _Entry("_follow", "follow", "Stream changes."),
    "start": _Entry("_jobs", "start", "Start a transcription."),
    "stop": _Entry("_jobs", "stop", "Stop a transcription."),
    "post": _Entry("_list", "post", "Read transcriptions of recordings."),
    "token": _Entry("_token", "token", "Create or inspect a token."),
    "doctor": _Entry("_doctor", "doctor", "Diagnose configuration and connectivity."),
    "sandbox": _Entry("_sandbox", "sandbox", "Run a fake service with sample data."),
    "completion": _Entry("_sandbox", "completion", "Print a shell completion script."),
}


class _Program(click.Group):
    """The program, which loads the module of a command when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; None if there is no such command."""
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(f".{entry.module}", __package__), entry.name)
        # Shell completion shows it next to the name.
        command.short_help = entry.short_help
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands to the help, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _COMMANDS[name].short_help) for name in self.list_commands(ctx)]
            )


def run(arguments: Sequence[str] | None) -> int:
    """Run a command, and return the exit code."""
    return run_with_exit_code(
        lambda: app.main(arguments, prog_name="videosdk-transcripts", standalone_mode=False)
    )


@click.group(
    "videosdk-transcripts",
    cls=_Program,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Without a command, some releases of click succeed and others fail. This makes all fail.
    invoke_without_command=True,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Print each request and retry to stderr.")
@click.pass_context
def app(context: click.Context, *, verbose: bool) -> None:
    """
    Read the transcriptions of VideoSDK meetings.

    Credentials come from the environment (VIDEOSDK_API_KEY and VIDEOSDK_SECRET, or
    VIDEOSDK_TOKEN) or from a file of such variables (--env-file), never from arguments.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("missing command; see --help", context)
    context.with_resource(printed_log())
    if verbose:
        print_all_records()
