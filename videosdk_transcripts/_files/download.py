"""
Save the files of one row in a directory. No HTTP.

An existing file is not fetched again: it is complete, because `atomic` never leaves an incomplete
one.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Generic, Self, TypeVar

from attrs import frozen

from videosdk_transcripts._redact import plain_text
from videosdk_transcripts._validation import check_flag
from videosdk_transcripts.errors import (
    ClientClosedError,
    ConfigurationError,
    FileError,
    VideoSDKTranscriptsError,
)

from .atomic import Directory, PartFile, file_exists, make_directory
from .fetch import Files, HasFilesT, file_key
from .names import file_name

T = TypeVar("T")
_SUMMARY_FORMAT: Final = "txt"
"""The only format of summaries."""


@frozen
class Download(Generic[T]):
    """
    The files of one transcription on disk.

    Attributes:
        transcription: the transcription that the files belong to.
        paths: format to path of the complete file; the key of the summary is ``summary.txt``.
            Empty if there is no file.
        skipped: the formats in `paths` whose files existed before, and were not downloaded.
        error: the first failure; None if no file is missing. The other files are downloaded
            nevertheless.
    """

    transcription: T
    paths: Mapping[str, Path]
    skipped: tuple[str, ...] = ()
    error: VideoSDKTranscriptsError | None = None


@frozen
class Downloader(Generic[HasFilesT]):
    """
    Save the files of rows in a directory.

    The name of a file consists of the row's id and the format (see `file_name`), and never of
    parts of a link or a response.
    """

    files: Files
    reread: Callable[[str], Awaitable[HasFilesT]]
    directory: Path
    formats: Sequence[str]
    summary: bool
    overwrite: bool
    entries: Directory
    """The directory, shared by the downloads of all rows."""

    @classmethod
    def of(
        cls,
        files: Files,
        reread: Callable[[str], Awaitable[HasFilesT]],
        directory: object,
        *,
        formats: Sequence[str],
        summary: bool,
        overwrite: bool,
    ) -> Self:
        """
        Check the arguments, and return a downloader.

        Args:
            files: fetches a file.
            reread: returns a row again if a link is dead.
            directory: the target directory, a string or a path; created if it is missing.
            formats: the formats to save, such as ``("txt",)``; may be empty with `summary`.
            summary: whether to save the summary as well, if there is one. A missing summary
                is an error if `formats` is empty.
            overwrite: whether to fetch existing files again.

        Raises:
            ConfigurationError: there is nothing to save, or a format can't be part of a file
                name.
        """
        check_flag("summary", summary)
        check_flag("overwrite", overwrite)
        names = _format_names(formats)
        if not names and not summary:
            raise ConfigurationError("nothing to download: formats is empty and summary is False")
        path = _path(directory)
        entries = Directory(path, files.threads)
        return cls(files, reread, path, names, summary, overwrite, entries)

    async def prepare(self) -> None:
        """
        Create the directory.

        Raises:
            FileError: the directory can't be created, or is not writable.
        """
        await make_directory(self.directory, self.files.threads)

    async def save_one(self, row: HasFilesT) -> Download[HasFilesT]:
        """
        Create the directory, and save the files of a row.

        Raises:
            VideoSDKTranscriptsError: the first failure. The other files are saved anyway.
        """
        await self.prepare()
        result = await self.save(row)
        if result.error is not None:
            raise result.error
        return result

    async def save(self, row: HasFilesT) -> Download[HasFilesT]:
        """
        Save the files of a row, and return the result, which may contain an error.

        Raises:
            ClientClosedError: the client is closed, so no row can be saved.
        """
        paths: dict[str, Path] = {}
        skipped: list[str] = []
        failures: list[VideoSDKTranscriptsError] = []
        wanted = [(name, False) for name in dict.fromkeys(self.formats)]
        # Not every transcription has a summary, so a missing one is an error only if nothing
        # else was requested. A missing transcript is always an error, because it may appear later.
        if self.summary and (row.summary_files.get(_SUMMARY_FORMAT) or not wanted):
            wanted.append((_SUMMARY_FORMAT, True))
        for name, summary in wanted:
            key = file_key(name, summary=summary)
            try:
                path = self.directory / file_name(row.id, name, summary=summary)
                is_complete = not self.overwrite and await file_exists(path, self.files.threads)
                if not is_complete:
                    await self._save(row, name, path, summary=summary)
            except ClientClosedError:
                raise
            except VideoSDKTranscriptsError as error:
                if isinstance(error, FileError):
                    error.transcription_id, error.format = row.id, key
                # Without the traceback, whose frames would keep the bytes of a file in memory.
                failures.append(error.with_traceback(None))
                continue
            paths[key] = path
            if is_complete:
                skipped.append(key)
        return Download(row, paths, tuple(skipped), failures[0] if failures else None)

    async def _save(self, row: HasFilesT, name: str, path: Path, *, summary: bool) -> None:
        part = PartFile(path, self.files.threads)
        try:
            await self.files.fetch(row, name, part, summary=summary, reread=self.reread)
            await part.commit()
            await self.entries.flush()
        finally:
            await part.discard()


def _format_names(formats: object) -> tuple[str, ...]:
    if isinstance(formats, str) or not isinstance(formats, Iterable):
        raise ConfigurationError("formats must be a tuple: formats=('txt',)")
    names = tuple(file_key(name, summary=False) for name in formats)
    for name in names:
        file_name("id", name, summary=False)
    return names


def _path(directory: object) -> Path:
    if not isinstance(directory, str | Path):
        raise ConfigurationError(f"directory must be a path, not {type(directory).__name__}")
    path = Path(plain_text(directory) if isinstance(directory, str) else directory)
    # Otherwise each file would raise a UnicodeEncodeError or a ValueError.
    try:
        is_valid = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_valid = False
    if not is_valid:
        raise ConfigurationError(
            "directory has characters that the file system can't encode: lone surrogates or NUL"
        )
    return path
