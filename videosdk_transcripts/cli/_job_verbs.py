"""The verbs that change something: `start` and `stop`."""

from __future__ import annotations

import click

from ._account import Account
from ._options import Form, as_form, of_account, verb, with_client


@verb("start", short_help="Start a transcription.")
@click.argument("room")
@click.option("--language", help="What is spoken, as en-US.")
@click.option("--model", "model_id", help="The provider's own word for a model.")
@click.option("--webhook-url", help="Where the service reports events to.")
@click.option("--summary/--no-summary", default=None, help="Whether there is to be a summary.")
@click.option("--summary-prompt", metavar="TEXT", help="A summary by this prompt.")
@as_form("json")
@of_account
def start(  # noqa: PLR0917 - click calls it by keyword
    room: str,
    language: str | None,
    model_id: str | None,
    webhook_url: str | None,
    summary: bool | None,
    summary_prompt: str | None,
    form: Form | None,
    account: Account,
) -> None:
    """
    Start the transcription of a ROOM in which a session is going on.

    Where an answer is lost, the room is looked at before anything is sent again.
    """
    if summary is False and summary_prompt is not None:
        raise click.UsageError("--no-summary needs no --summary-prompt")
    from ._jobs import print_result

    with_client(
        account,
        lambda client: print_result(
            room,
            client.start_transcription(
                room,
                language=language,
                model_id=model_id,
                webhook_url=webhook_url,
                summary=summary if summary_prompt is None else summary_prompt,
            ),
            form,
        ),
    )


@verb("stop", short_help="Stop a transcription.")
@click.argument("room")
@as_form("json")
@of_account
def stop(room: str, form: Form | None, account: Account) -> None:
    """Stop the transcription of a ROOM."""
    from ._jobs import print_result

    with_client(account, lambda client: print_result(room, client.stop_transcription(room), form))
