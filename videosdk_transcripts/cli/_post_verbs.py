"""The verbs about transcriptions of recordings: `post list` and `post show`."""

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
    group,
    of_account,
    printing,
    verb,
    walking,
    with_client,
)


# Without a verb some releases of click succeed and others do not; here none does.
@group("post", short_help="Read the transcriptions of recordings.", invoke_without_command=True)
@click.pass_context
def post(context: click.Context) -> None:
    """
    Read the transcriptions of recordings.

    For their files say --post to text, summary, download and wait.
    """
    if context.invoked_subcommand is None:
        raise click.UsageError("which verb? See --help", context)


@verb("list", short_help="List them.")
@walking
@choosing
@as_form("json", "jsonl", "csv")
@printing
@of_account
def _list(  # noqa: PLR0917 - click calls it by keyword
    walk: Walk,
    choice: Choice,
    form: Form | None,
    columns: tuple[str, ...] | None,
    checkpoint: Path | None,
    account: Account,
) -> None:
    """List those of a ROOM, of a SESSION in it, or of the whole account, as list does."""
    from ._rows import Output, print_rows

    output = Output(form, columns, checkpoint)
    with_client(
        account, lambda client: print_rows(client.iter_post_transcriptions, walk, choice, output)
    )


@verb("show", short_help="Show one.")
@click.argument("transcription_id", metavar="ID")
@as_form("json")
@of_account
def _show(transcription_id: str, form: Form | None, account: Account) -> None:
    """Show one by its ID."""
    from ._rows import print_row

    with_client(account, lambda client: print_row(client, transcription_id, form, post=True))


post.add_command(_list)
post.add_command(_show)
