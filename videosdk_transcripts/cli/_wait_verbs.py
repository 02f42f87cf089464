"""The verbs that take their time: `wait` and `watch`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click

from ._account import Account
from ._options import Form, as_form, of_account, of_format, of_odd_rows, one_id, verb, with_client


def _at_least(least: float) -> Callable[[click.Context, click.Parameter, float], float]:
    """Check what `wait --post` would otherwise be told of behind its first request."""

    def check(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
        if not least <= value < math.inf:
            above = "of 0 or more" if least == 0 else "above 0"
            raise click.BadParameter(f"it must be a number of seconds {above}, not {value:g}")
        return value

    return check


@verb("wait", short_help="Wait until a file is there.")
@one_id
@of_format
@click.option("--summary", is_flag=True, help="The file of the summary.")
@click.option(
    "--timeout",
    type=float,
    default=3600.0,
    callback=_at_least(math.ulp(0.0)),
    show_default=True,
    help="Seconds for all of it.",
)
@click.option(
    "--poll",
    type=float,
    default=5.0,
    callback=_at_least(math.ulp(0.0)),
    show_default=True,
    help="Seconds to the second look.",
)
@click.option(
    "--grace",
    type=float,
    default=120.0,
    callback=_at_least(0),
    show_default=True,
    help="Seconds for which it may be completed without the file.",
)
@as_form("json")
@of_account
def wait(  # noqa: PLR0917 - click calls it by keyword
    transcription_id: str,
    post: bool,
    format_: str,
    summary: bool,
    timeout: float,
    poll: float,
    grace: float,
    form: Form | None,
    account: Account,
) -> None:
    """Wait until the transcription with this ID has its file, and show it."""
    from ._waits import Patience, wait_for

    patience = Patience(format_, summary, timeout, poll, grace)
    with_client(
        account, lambda client: wait_for(client, transcription_id, patience, form, post=post)
    )


@verb("watch", short_help="Print what happens, as it happens.")
@click.argument("room", required=False)
@click.argument("session", required=False)
@click.option(
    "--since",
    type=click.Choice(["now", "start"]),
    default="now",
    show_default=True,
    help="What changes from now on, or what there is as well.",
)
@click.option(
    "--poll", type=float, default=30.0, show_default=True, help="Seconds between two looks."
)
@click.option("--limit", type=click.IntRange(1), help="Changes to print; no end by default.")
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to go on from, which is kept up to date.",
)
@of_odd_rows
@as_form("jsonl")
@of_account
def watch(  # noqa: PLR0917 - click calls it by keyword
    room: str | None,
    session: str | None,
    since: Literal["now", "start"],
    poll: float,
    limit: int | None,
    checkpoint: Path | None,
    on_unverified: Literal["raise", "skip", "yield"],
    on_invalid: Literal["raise", "skip"],
    form: Form | None,
    account: Account,
) -> None:
    """
    Print what happens in a ROOM, in a SESSION, or in the whole account, as it happens.

    One line for each transcription that is new, and one for each that has finished, with
    tabs between what happened and the columns of list. It ends with Ctrl-C.
    """
    from ._watch import Watching, print_changes

    watching = Watching(room, session, since, poll, limit, checkpoint, on_unverified, on_invalid)
    with_client(account, lambda client: print_changes(client, watching, form))
