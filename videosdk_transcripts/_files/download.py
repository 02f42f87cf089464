"""
The files of one row on disk. Knows no HTTP.

A file that is there is taken for whole, since `_part` lets none appear that is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Generic, Self, TypeVar

from attrs import frozen

from videosdk_transcripts.errors import (
    ClientClosedError,
    ConfigurationError,
    FileError,
    VideoSDKTranscriptsError,
)

from .atomic import PartFile, file_name, is_there, make_directory
from .fetch import Files, RowT, file_key

T = TypeVar("T")
_SUMMARY: Final = "txt"
"""The one format of a summary that there is."""


@frozen
class Download(Generic[T]):
    """What became of the files of one transcription."""

    transcription: T
    """Whose files."""
    paths: Mapping[str, Path]
    """Format to the whole file on disk; ``summary.txt`` is the summary's."""
    skipped: tuple[str, ...] = ()
    """Which of these were there before and were not fetched."""
    error: VideoSDKTranscriptsError | None = None
    """The first failure, where a file is missing; the others were fetched all the same."""


@frozen
class Downloader(Generic[RowT]):
    """
    Saves the files of rows in a directory.

    A file is named by the id and the format, as `file_name` says, and never by what a link or
    an answer says.
    """

    files: Files
    reread: Callable[[str], Awaitable[RowT]]
    directory: Path
    formats: Sequence[str]
    summary: bool
    overwrite: bool

    @classmethod
    def of(
        cls,
        files: Files,
        reread: Callable[[str], Awaitable[RowT]],
        directory: object,
        *,
        formats: Sequence[str],
        summary: bool,
        overwrite: bool,
    ) -> Self:
        """
        Check the arguments.

        Args:
            files: fetches a file.
            reread: asks for a row again whose link is dead.
            directory: where to, a text or a path; made where there is none.
            formats: the formats to save, such as ``("txt",)``; may be empty with `summary`.
            summary: whether the summary is saved as well, where there is one; one that is not
                there is an error where `formats` is empty.
            overwrite: whether files are fetched anew that are there.

        Raises:
            ConfigurationError: there is nothing to save, or a format can't be in a file's name.
        """
        if isinstance(formats, str):
            raise ConfigurationError(f"formats must be a tuple: formats=({formats!r},)")
        for name in formats:
            file_name("id", file_key(name, summary=False), summary=False)
        if not formats and not summary:
            raise ConfigurationError("formats names nothing to download, and neither does summary")
        if not isinstance(directory, str | Path):
            raise ConfigurationError(f"directory must be a path, not {type(directory).__name__}")
        return cls(files, reread, Path(directory), tuple(formats), summary, overwrite)

    async def prepare(self) -> None:
        """
        Make the directory.

        Raises:
            FileError: it can't be made or written to.
        """
        await make_directory(self.directory)

    async def save_one(self, row: RowT) -> Download[RowT]:
        """
        Save the files of a row, in a directory that may have to be made.

        Raises:
            VideoSDKTranscriptsError: the first failure. The other files are saved all the same.
        """
        await self.prepare()
        done = await self.save(row)
        if done.error is not None:
            raise done.error
        return done

    async def save(self, row: RowT) -> Download[RowT]:
        """
        Save the files of a row, and tell what became of them.

        Raises:
            ClientClosedError: the client is closed, which is no fault of the row.
        """
        paths: dict[str, Path] = {}
        skipped: list[str] = []
        failures: list[VideoSDKTranscriptsError] = []
        wanted = [(name, False) for name in dict.fromkeys(self.formats)]
        # Not every transcription has a summary, so that only whoever asks for nothing else misses
        # one; a format may be there later.
        if self.summary and (row.summary_files.get(_SUMMARY) or not wanted):
            wanted.append((_SUMMARY, True))
        for name, summary in wanted:
            key = file_key(name, summary=summary)
            try:
                path = self.directory / file_name(row.id, name, summary=summary)
                is_whole = not self.overwrite and await is_there(path)
                if not is_whole:
                    await self._save(row, name, path, summary=summary)
            except ClientClosedError:
                raise
            except VideoSDKTranscriptsError as error:
                if isinstance(error, FileError):
                    error.transcription_id, error.format = row.id, key
                # Kept as data: its frames would keep the bytes of a file.
                failures.append(error.with_traceback(None))
                continue
            paths[key] = path
            if is_whole:
                skipped.append(key)
        return Download(row, paths, tuple(skipped), failures[0] if failures else None)

    async def _save(self, row: RowT, name: str, path: Path, *, summary: bool) -> None:
        part = PartFile(path)
        try:
            await self.files.fetch(row, name, part, summary=summary, reread=self.reread)
            await part.commit()
        finally:
            await part.discard()
