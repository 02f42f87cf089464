"""
Arguments and options that several verbs share, each written once.

This file imports what help needs, and so do those of the verbs. What a verb works with is
imported where it runs: the client and its libraries take five times as long to load as click.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import click

from ._account import Account

if TYPE_CHECKING:
    from videosdk_transcripts import TranscriptsClient


COLUMNS: Final = ("id", "status", "start", "end", "duration", "room", "session", "files")
"""What can be printed of a row, by name."""
Form = Literal["json", "jsonl", "csv"]
Command = Callable[..., Any]

_EXIT_CODES: Final = """
\b
Exit codes:
  0    done, or the reader closed the pipe
  1    the output can't be written
  2    wrong arguments or settings
  3    credentials are missing or refused
  4    not found
  5    rate limited
  6    partial: some rows were printed or saved before it failed
  7    no answer: network or time-out
  8    the service failed or sent what can't be read
  130  interrupted
"""


def verb(name: str, **attributes: Any) -> Callable[[Command], click.Command]:
    """Make a function a verb, whose help ends with the exit codes."""
    return click.command(name, epilog=_EXIT_CODES, **attributes)


def group(name: str, **attributes: Any) -> Callable[[Command], click.Group]:
    """Make a function a group of verbs, likewise."""
    return click.group(name, epilog=_EXIT_CODES, **attributes)


class Walk(NamedTuple):
    """What to walk, and how."""

    room_id: str | None
    session_id: str | None
    page_size: int
    on_unverified: Literal["raise", "skip", "yield"]
    on_invalid: Literal["raise", "skip"]


class Choice(NamedTuple):
    """Which rows of a walk are wanted. The service can't tell, so that it is done here."""

    limit: int | None = None
    statuses: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def _moment(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    """Read a day or a moment, in UTC where it does not say."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no date or time, as 2026-03-04 or 2026-03-04T16:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def of_account(command: Command) -> Command:
    """Add the options about credentials, and hand them over as `account`."""

    @click.option(
        "--env-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file of NAME=value lines, in place of the environment.",
    )
    @click.option("--profile", metavar="NAME", help="A profile of the configuration file.")
    @click.option("--sandbox", is_flag=True, help="Use a fake service with made-up data.")
    @functools.wraps(command)
    def with_options(
        *args: Any, env_file: Path | None, profile: str | None, sandbox: bool, **more: Any
    ) -> Any:
        if sandbox and env_file:
            raise click.UsageError("--sandbox needs no --env-file")
        if profile is not None and (sandbox or env_file):
            raise click.UsageError("--profile goes with neither --sandbox nor --env-file")
        return command(*args, account=Account(env_file, profile, sandbox), **more)

    return with_options


def of_odd_rows(command: Command) -> Command:
    """Add the options about rows that don't say whose they are, or that can't be read."""
    on_invalid = click.option(
        "--on-invalid",
        type=click.Choice(["raise", "skip"]),
        default="raise",
        show_default=True,
        help="Rows that can't be read.",
    )
    on_unverified = click.option(
        "--on-unverified",
        type=click.Choice(["raise", "skip", "yield"]),
        default="raise",
        show_default=True,
        help="Rows that name no room or session.",
    )
    return on_unverified(on_invalid(command))


def walking(command: Command) -> Command:
    """Add the arguments and options of a walk, and hand them over as `walk`."""

    @click.argument("room", required=False)
    @click.argument("session", required=False)
    @click.option(
        "--page-size", type=click.IntRange(1), default=20, show_default=True, help="Rows a request."
    )
    @of_odd_rows
    @functools.wraps(command)
    def with_options(
        room: str | None,
        session: str | None,
        page_size: int,
        on_unverified: Literal["raise", "skip", "yield"],
        on_invalid: Literal["raise", "skip"],
        **more: Any,
    ) -> Any:
        return command(walk=Walk(room, session, page_size, on_unverified, on_invalid), **more)

    return with_options


def choosing(command: Command) -> Command:
    """Add the options that choose among the rows of a walk, and hand them over as `choice`."""

    @click.option("--limit", type=click.IntRange(1), help="Rows at most, of those chosen.")
    @click.option("--status", "statuses", multiple=True, help="Only with this status. Repeatable.")
    @click.option("--since", callback=_moment, metavar="TIME", help="Only begun then or later.")
    @click.option("--until", callback=_moment, metavar="TIME", help="Only begun before.")
    @functools.wraps(command)
    def with_options(
        limit: int | None,
        statuses: tuple[str, ...],
        since: datetime | None,
        until: datetime | None,
        **more: Any,
    ) -> Any:
        return command(choice=Choice(limit, statuses, since, until), **more)

    return with_options


def as_form(*forms: Form) -> Callable[[Command], Command]:
    """Add the options for output that programs read; what was chosen is `form`, or None."""
    helps = {
        "json": "One JSON document.",
        "jsonl": "One JSON object a line, as it comes.",
        "csv": "Comma-separated values, with a header.",
    }

    def add(command: Command) -> Command:
        @functools.wraps(command)
        def with_form(**more: Any) -> Any:
            chosen = [form for form in forms if more.pop(f"as_{form}")]
            if len(chosen) > 1:
                raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} are two forms; choose one")
            return command(form=chosen[0] if chosen else None, **more)

        for form in reversed(forms):
            with_form = click.option(f"--{form}", f"as_{form}", is_flag=True, help=helps[form])(
                with_form
            )
        return with_form

    return add


def _names(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in COLUMNS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(COLUMNS)}")
    return names


def printing(command: Command) -> Command:
    """Add the options of a list that is printed: `columns` and `checkpoint`."""

    @click.option("--columns", callback=_names, metavar="A,B,...", help=f"Of {', '.join(COLUMNS)}.")
    @click.option(
        "--checkpoint",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file to take an interrupted walk up from.",
    )
    @functools.wraps(command)
    def with_options(columns: tuple[str, ...] | None, checkpoint: Path | None, **more: Any) -> Any:
        if columns is not None and more["form"] in ("json", "jsonl"):
            raise click.UsageError(f"--{more['form']} has no columns")
        return command(columns=columns, checkpoint=checkpoint, **more)

    return with_options


def one_id(command: Command) -> Command:
    """Add the id of one transcription, and whether it is of a recording."""
    post = click.option("--post", is_flag=True, help="It is a transcription of a recording.")
    return click.argument("transcription_id", metavar="ID")(post(command))


def _word(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("it must be a word, as txt")
    return value


def of_format(command: Command) -> Command:
    """Add the option that says which file, and hand it over as `format_`."""
    return click.option(
        "--format",
        "format_",
        default="txt",
        callback=_word,
        show_default=True,
        help="Which file.",
    )(command)


def with_client(account: Account, work: Callable[[TranscriptsClient], Awaitable[None]]) -> None:
    """Open a client of the account, and do the work with it."""
    import asyncio

    from ._settings import open_client

    async def run() -> None:
        async with open_client(account) as client:
            await work(client)

    asyncio.run(run())
