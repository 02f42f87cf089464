"""``start`` and ``stop``: the only commands that change an account."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import click

from ._options import (
    Room,
    account_options,
    command,
    output_format_options,
    required_room_argument,
)
from ._output import OutputFormat, notify, print_line, print_transcription
from ._settings import Account, run_with_client

if TYPE_CHECKING:
    from videosdk_transcripts import TranscriptsClient, WriteResult

_OUTCOMES: Final = {
    "answered": "confirmed by the service",
    "found": "the response was lost; this transcription is in the room's list",
    "sent again": "a response was lost, and the request was sent again",
}


@command("start")
@required_room_argument
@click.option("--language", help="Spoken language, such as en-US.")
@click.option("--model", "model_id", help="Name of the model, as used by the provider.")
@click.option("--webhook-url", help="URL to which the service posts events.")
@click.option("--summary/--no-summary", default=None, help="Whether to create a summary.")
@click.option("--summary-prompt", metavar="TEXT", help="Create a summary with this prompt.")
@output_format_options("json")
@account_options
def start(  # noqa: PLR0917 - click calls it by keyword
    room: Room,
    language: str | None,
    model_id: str | None,
    webhook_url: str | None,
    summary: bool | None,
    summary_prompt: str | None,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """
    Start the transcription of a ROOM with an active session.

    If a response is lost, the room is listed before the request is sent again.
    """
    if summary is False and summary_prompt is not None:
        raise click.UsageError("--no-summary and --summary-prompt are mutually exclusive")
    _send(
        account,
        room,
        lambda client, room_id: client.start_transcription(
            room_id,
            language=language,
            model_id=model_id,
            webhook_url=webhook_url,
            summary=summary if summary_prompt is None else summary_prompt,
        ),
        output_format,
    )


@command("stop")
@required_room_argument
@output_format_options("json")
@account_options
def stop(room: Room, output_format: OutputFormat | None, account: Account) -> None:
    """Stop the transcription of a ROOM."""
    _send(account, room, lambda client, room_id: client.stop_transcription(room_id), output_format)


def _send(
    account: Account,
    room: Room,
    request: Callable[[TranscriptsClient, str], Awaitable[WriteResult]],
    output_format: OutputFormat | None,
) -> None:
    """Send a request, and print the transcription and how the outcome is known."""

    async def send(client: TranscriptsClient) -> None:
        import asyncio

        room_id = await room.resolve(client)
        # The argument is required.
        assert room_id is not None  # noqa: S101
        try:
            result = await request(client, room_id)
        except asyncio.CancelledError:
            notify(f"\noutcome unknown; to check it, run: videosdk-transcripts list {room_id}")
            raise
        if output_format == "json":
            row = result.transcription.to_dict()
            print_line(json.dumps({"outcome": result.outcome, "transcription": row}, indent=2))
            return
        print_transcription(result.transcription, output_format)
        notify(_OUTCOMES[result.outcome])

    run_with_client(account, send)
