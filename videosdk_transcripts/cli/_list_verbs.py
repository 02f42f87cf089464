"""The verbs that print rows: `list`, `show` and `count`."""

from __future__ import annotations

from pathlib import Path

import click

from ._account import Account
from ._options import (
    Choice,
    Form,
    Walk,
    as_form,
    choosing,
    of_account,
    one_id,
    printing,
    verb,
    walking,
    with_client,
)


@verb("list", short_help="List transcriptions.")
@walking
@choosing
@as_form("json", "jsonl", "csv")
@printing
@of_account
def list_(  # noqa: PLR0917 - click calls it by keyword
    walk: Walk,
    choice: Choice,
    form: Form | None,
    columns: tuple[str, ...] | None,
    checkpoint: Path | None,
    account: Account,
) -> None:
    """
    List the transcriptions of a ROOM, of a SESSION in it, or of the whole account.

    On a terminal it is a table; elsewhere one line a row, with tabs between the columns.
    With --json an array that failed half-way is left open, so that no program takes it
    for whole. --status, --since and --until choose here, and not at the service.
    """
    from ._rows import Output, print_rows

    output = Output(form, columns, checkpoint)
    with_client(
        account, lambda client: print_rows(client.iter_transcriptions, walk, choice, output)
    )


@verb("show", short_help="Show one transcription.")
@one_id
@as_form("json")
@of_account
def show(transcription_id: str, post: bool, form: Form | None, account: Account) -> None:
    """Show one transcription by its ID."""
    from ._rows import print_row

    with_client(account, lambda client: print_row(client, transcription_id, form, post=post))


@verb("count", short_help="Count transcriptions.")
@click.argument("room", required=False)
@click.argument("session", required=False)
@as_form("json")
@of_account
def count(room: str | None, session: str | None, form: Form | None, account: Account) -> None:
    """Print how many transcriptions there are, as the service counts them."""
    from ._rows import print_count

    with_client(account, lambda client: print_count(client, room, session, form))
