"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from ._exit import EXIT_CODES
from ._log import print_all_records
from ._output import COLUMNS, OutputFormat
from ._row_filter import RowFilter
from ._settings import Account
from ._times import read_time

if TYPE_CHECKING:
    from videosdk_transcripts import TranscriptsClient

Command = Callable[..., Any]
OnUnverified = Literal["raise", "skip", "yield"]
OnInvalid = Literal["raise", "skip"]
Consistency = Literal["once", "verify"]
PageSize = int | Literal["auto"]


def command(name: str, **attributes: Any) -> Callable[[Command], click.Command]:
    """Create a command whose help ends with the exit codes."""
    return click.command(name, epilog=EXIT_CODES, **attributes)


def group(name: str, **attributes: Any) -> Callable[[Command], click.Group]:
    """Create a group of commands whose help ends with the exit codes."""
    return click.group(name, epilog=EXIT_CODES, **attributes)


# The account.


def account_options(function: Command) -> Command:
    """Add the options for credentials and the proxy, and pass them on as `account`."""

    @click.option(
        "--env-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Read VIDEOSDK_* variables from FILE instead of the environment.",
    )
    @click.option("--sandbox", is_flag=True, help="Use a fake service with sample data.")
    @click.option("--trust-env", is_flag=True, help="Use the proxy from the environment.")
    @click.option("-v", "--verbose", is_flag=True, help="Print each request and retry to stderr.")
    @functools.wraps(function)
    def with_options(
        *args: Any,
        env_file: Path | None,
        sandbox: bool,
        trust_env: bool,
        verbose: bool,
        **more: Any,
    ) -> Any:
        if verbose:
            print_all_records()
        if sandbox and env_file is not None:
            raise click.UsageError("--sandbox and --env-file are mutually exclusive")
        return function(*args, account=Account(env_file, sandbox, trust_env), **more)

    return with_options


def file_account_options(function: Command) -> Command:
    """Add the options of `account_options`, for a command that fetches files."""

    @click.option(
        "--files-via-proxy",
        is_flag=True,
        help="Use the proxy from the environment for files too.",
    )
    @functools.wraps(function)
    def with_option(*args: Any, account: Account, files_via_proxy: bool, **more: Any) -> Any:
        trust_env = account.trust_env or files_via_proxy
        account = account._replace(trust_env=trust_env, files_via_proxy=files_via_proxy)
        return function(*args, account=account, **more)

    return account_options(with_option)


# Rooms.


class Room(NamedTuple):
    """A room as specified on the command line; without an id, all rooms."""

    given_id: str | None
    is_custom: bool = False

    async def resolve(self, client: TranscriptsClient) -> str | None:
        """
        Return the room id. For a custom room id, this sends a request.

        Raises:
            VideoSDKTranscriptsError: as for `resolve_room`.
        """
        if self.given_id is None or not self.is_custom:
            return self.given_id
        return await client.resolve_room(self.given_id)


def room_argument(function: Command) -> Command:
    """Add the optional argument ROOM, and pass it on as `room`, a `Room`."""
    return click.argument("room", required=False)(_custom_id_option("ROOM")(function))


def required_room_argument(function: Command) -> Command:
    """Add the argument ROOM, and pass it on as `room`, a `Room` with an id."""
    return click.argument("room")(_custom_id_option("ROOM")(function))


def room_option(function: Command) -> Command:
    """Add the option for the room of a token, and pass it on as `room`, a `Room`."""
    restrict = click.option("--room", metavar="ID", help="Restrict the token to one room.")
    return restrict(_custom_id_option("--room")(function))


def _custom_id_option(name: str) -> Callable[[Command], Command]:
    """Return a decorator that adds ``--custom-id`` to the argument or option with this name."""

    def add(function: Command) -> Command:
        @click.option("--custom-id", is_flag=True, help=f"{name} is a custom room id.")
        @functools.wraps(function)
        def with_room(*args: Any, room: str | None, custom_id: bool, **more: Any) -> Any:
            if custom_id and room is None:
                raise click.UsageError(f"--custom-id requires {name}")
            return function(*args, room=Room(room, custom_id), **more)

        return with_room

    return add


# Rows.


class ListQuery(NamedTuple):
    """The arguments of `iter_transcriptions` and `iter_post_transcriptions`."""

    room_id: str | None
    session_id: str | None
    page_size: PageSize
    on_unverified: OnUnverified
    on_invalid: OnInvalid
    consistency: Consistency


def _read_page_size(context: click.Context, option: click.Parameter, value: str) -> PageSize:
    """Return the value of ``--page-size``."""
    number = click.IntRange(1)
    return "auto" if value == "auto" else number(value, option, context)


def query_options(*, page_size: PageSize) -> Callable[[Command], Command]:
    """
    Return a decorator that adds the arguments and options of a list request.

    They are passed on as `room` and `query`.

    Args:
        page_size: the default of ``--page-size``.
    """

    def add(function: Command) -> Command:
        @room_argument
        @click.argument("session", required=False)
        @click.option(
            "--page-size",
            metavar="N|auto",
            default=str(page_size),
            callback=_read_page_size,
            show_default=True,
            help="Rows per request; auto for 100, or 20 if the service rejects 100.",
        )
        @click.option(
            "--verify",
            is_flag=True,
            help="Read the list until two passes agree, and fail if none do.",
        )
        @row_policy_options
        @functools.wraps(function)
        def with_options(
            *,
            room: Room,
            session: str | None,
            page_size: PageSize,
            verify: bool,
            on_unverified: OnUnverified,
            on_invalid: OnInvalid,
            **more: Any,
        ) -> Any:
            policy: Consistency = "verify" if verify else "once"
            query = ListQuery(room.given_id, session, page_size, on_unverified, on_invalid, policy)
            return function(room=room, query=query, **more)

        return with_options

    return add


def row_policy_options(function: Command) -> Command:
    """Add the options for rows without a room or session id, and for unreadable rows."""
    on_invalid = click.option(
        "--on-invalid",
        type=click.Choice(["raise", "skip"]),
        default="raise",
        show_default=True,
        help="Handling of unreadable rows.",
    )
    on_unverified = click.option(
        "--on-unverified",
        type=click.Choice(["raise", "skip", "yield"]),
        default="raise",
        show_default=True,
        help="Handling of rows without a room or session id.",
    )
    return on_unverified(on_invalid(function))


def filter_options(function: Command) -> Command:
    """Add the options that select rows client-side, and pass them on as `row_filter`."""

    @click.option("--limit", type=click.IntRange(1), help="Maximum number of matching rows.")
    @click.option(
        "--status",
        "statuses",
        multiple=True,
        help="Only transcriptions with this status. Repeatable.",
    )
    @time_range_options
    @functools.wraps(function)
    def with_options(
        limit: int | None,
        statuses: tuple[str, ...],
        since: datetime | None,
        until: datetime | None,
        **more: Any,
    ) -> Any:
        return function(row_filter=RowFilter(limit, statuses, since, until), **more)

    return with_options


def time_range_options(function: Command) -> Command:
    """Add the options for the start of rows, and pass them on as `since` and `until`."""
    until = click.option(
        "--until",
        callback=read_time,
        metavar="TIME",
        help="Only transcriptions that started before TIME.",
    )
    since = click.option(
        "--since",
        callback=read_time,
        metavar="TIME",
        help="Only transcriptions that started at or after TIME, in UTC: a date or time, "
        "yesterday, 24h, 7d.",
    )
    return since(until(function))


# One transcription and its files.


def id_argument(function: Command) -> Command:
    """Add the id of one transcription, and whether it belongs to a recording."""
    post = click.option("--post", is_flag=True, help="ID is a transcription of a recording.")
    return click.argument("transcription_id", metavar="ID")(post(function))


def file_format_option(function: Command) -> Command:
    """Add the option for the format of the file, and pass it on as `file_format`."""
    return click.option(
        "--format",
        "file_format",
        default="txt",
        callback=_check_file_format,
        show_default=True,
        help="Format of the file.",
    )(function)


def _check_file_format(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("must be a format such as txt")
    return value


# Output.


def output_format_options(*formats: OutputFormat) -> Callable[[Command], Command]:
    """Add options for these formats, and pass the chosen one, or None, as `output_format`."""
    helps = {
        "json": "Print one JSON document.",
        "jsonl": "Print one JSON object per line, as results arrive.",
        "csv": "Print comma-separated values with a header.",
    }

    def add(function: Command) -> Command:
        @functools.wraps(function)
        def with_format(**more: Any) -> Any:
            chosen = [name for name in formats if more.pop(f"as_{name}")]
            if len(chosen) > 1:
                raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} are mutually exclusive")
            return function(output_format=chosen[0] if chosen else None, **more)

        for name in reversed(formats):
            with_format = click.option(f"--{name}", f"as_{name}", is_flag=True, help=helps[name])(
                with_format
            )
        return with_format

    return add


def columns_option(function: Command) -> Command:
    """Add the options for the columns of a list, and pass them on as `columns` and `is_wide`."""

    @click.option(
        "--columns",
        callback=_read_columns,
        metavar="A,B,...",
        help=f"Columns to print: {', '.join(COLUMNS)}.",
    )
    @click.option(
        "--wide", "is_wide", is_flag=True, help="Print all columns and whole ids in a table."
    )
    @functools.wraps(function)
    def with_columns(
        columns: tuple[str, ...] | None, output_format: OutputFormat | None, **more: Any
    ) -> Any:
        if columns is not None and output_format in ("json", "jsonl"):
            raise click.UsageError(f"--columns and --{output_format} are mutually exclusive")
        return function(columns=columns, output_format=output_format, **more)

    return with_columns


def _read_columns(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in COLUMNS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(COLUMNS)}")
    return names


def checkpoint_option(function: Command) -> Command:
    """Add the option for the checkpoint file, and pass it on as `checkpoint`."""
    return click.option(
        "--checkpoint",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Save progress to FILE and resume from it.",
    )(function)
