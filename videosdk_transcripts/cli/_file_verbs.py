"""The verbs about files: `text`, `summary` and `download`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from ._account import Account
from ._options import (
    Choice,
    Form,
    Walk,
    as_form,
    choosing,
    of_account,
    of_format,
    one_id,
    verb,
    walking,
    with_client,
)

_BAD_BYTES = click.option(
    "--errors",
    type=click.Choice(["strict", "replace", "ignore"]),
    default="strict",
    show_default=True,
    help="Bytes that are no UTF-8.",
)


@verb("text", short_help="Print what was said.")
@one_id
@of_format
@_BAD_BYTES
@as_form("json")
@of_account
def text(  # noqa: PLR0917 - click calls it by keyword
    transcription_id: str,
    post: bool,
    format_: str,
    errors: Literal["strict", "replace", "ignore"],
    form: Form | None,
    account: Account,
) -> None:
    """Print what was said in the transcription with this ID, as its file has it."""
    from ._files import print_text

    with_client(
        account,
        lambda client: print_text(
            client, transcription_id, format_, form, post=post, summary=False, errors=errors
        ),
    )


@verb("summary", short_help="Print a summary.")
@one_id
@_BAD_BYTES
@as_form("json")
@of_account
def summary(
    transcription_id: str,
    post: bool,
    errors: Literal["strict", "replace", "ignore"],
    form: Form | None,
    account: Account,
) -> None:
    """Print the summary of the transcription with this ID."""
    from ._files import print_text

    with_client(
        account,
        lambda client: print_text(
            client, transcription_id, "txt", form, post=post, summary=True, errors=errors
        ),
    )


@verb("download", short_help="Save texts and summaries as files.")
@walking
@choosing
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="The directory; made where there is none.",
)
@click.option(
    "--format", "formats", multiple=True, default=("txt",), show_default=True, help="Repeatable."
)
@click.option("--no-summary", is_flag=True, help="Leave the summaries out.")
@click.option("--overwrite", is_flag=True, help="Fetch files anew that are there.")
@click.option(
    "--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Rows side by side."
)
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this row. Repeatable.")
@click.option("--post", is_flag=True, help="The transcriptions of recordings.")
@as_form("json", "jsonl")
@of_account
def download(  # noqa: PLR0917 - click calls it by keyword
    walk: Walk,
    choice: Choice,
    directory: Path,
    formats: tuple[str, ...],
    no_summary: bool,
    overwrite: bool,
    concurrency: int,
    ids: tuple[str, ...],
    post: bool,
    form: Form | None,
    account: Account,
) -> None:
    """
    Save the files of a ROOM, of a SESSION in it, or of the whole account.

    A file that is there is whole and is not fetched again, so that the same command goes on
    where it was interrupted. One that fails does not stop the others. It prints one line a
    file, with tabs between id, what happened, and the path.
    """
    if ids and (walk.room_id is not None or choice != Choice()):
        raise click.UsageError("--id needs no ROOM, --limit, --status, --since or --until")
    from ._files import Saving, save_files, save_files_of

    saving = Saving(
        directory, formats, summary=not no_summary, overwrite=overwrite, concurrency=concurrency
    )
    if ids:
        with_client(account, lambda client: save_files_of(client, ids, saving, form, post=post))
        return
    with_client(account, lambda client: save_files(client, walk, choice, saving, form, post=post))
