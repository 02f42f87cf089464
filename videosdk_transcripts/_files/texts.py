"""Fetch the text of one row, and return a failure as part of the result. No HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import field, frozen

from videosdk_transcripts._validation import check_flag
from videosdk_transcripts.errors import ClientClosedError, VideoSDKTranscriptsError

from .fetch import Files, HasFilesT, check_text_options

T = TypeVar("T")


@frozen
class FetchedText(Generic[T]):
    """
    The text of one transcription, or the reason why it is missing.

    Attributes:
        transcription: the transcription that the text belongs to.
        text: the text of the file, which may be empty; None if it could not be fetched.
        error: why there is no text; None if there is one. A `FileNotReadyError` if the
            transcription has no such file yet.
    """

    transcription: T
    text: str | None = field(repr=False)
    error: VideoSDKTranscriptsError | None = None


class TextFetcher:
    """
    Fetch the texts of rows.

    Args:
        files: fetches a file.
        format: the format of the files.
        summary: whether to fetch the summaries instead of the transcripts.
        errors: how to handle invalid UTF-8.

    Raises:
        ConfigurationError: `format`, `summary` or `errors` is invalid.
    """

    def __init__(
        self,
        files: Files,
        format: str,  # noqa: A002 - the API's own word
        *,
        summary: bool,
        errors: str,
    ) -> None:
        check_text_options(format, errors)
        check_flag("summary", summary)
        self._files = files
        self._format = format
        self._summary = summary
        self._errors = errors

    async def fetch(
        self, row: HasFilesT, reread: Callable[[str], Awaitable[HasFilesT]]
    ) -> FetchedText[HasFilesT]:
        """
        Fetch the text of a row, and return it, or the failure.

        Raises:
            ClientClosedError: the client is closed, so no text can be fetched.
        """
        try:
            text = await self._files.fetch_text(
                row, self._format, summary=self._summary, reread=reread, errors=self._errors
            )
        except ClientClosedError:
            raise
        except VideoSDKTranscriptsError as error:
            # Without the traceback, whose frames would keep their contents in memory.
            return FetchedText(row, None, error.with_traceback(None))
        return FetchedText(row, text)
