"""Write to object stores and other places of fsspec (extra ``[export]``). All methods block."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Final

import fsspec

from ._sink import NewFile

_HAS_RENAME: Final = frozenset({"sftp", "ssh", "smb", "hdfs", "arrow_hdfs", "webhdfs", "ftp"})
"""Protocols with atomic renames, whose files are visible while they are written."""


class ObjectStoreSink:
    """
    Write to a prefix in an object store, or to a folder of another file system of fsspec.

    An object is invisible until its put or multipart upload is complete. It is written under its
    final name, because renaming an object copies it.

    Args:
        url: the URL of the place.
    """

    appends = False

    def __init__(self, url: str) -> None:
        self._fs, path = fsspec.url_to_fs(url)
        self._path = path.rstrip("/")
        protocol = self._fs.protocol
        protocols = {protocol} if isinstance(protocol, str) else set(protocol)
        self._has_rename = not protocols.isdisjoint(_HAS_RENAME)

    def prepare(self) -> None:
        """Create the folder, if the file system has folders."""
        if self._has_rename:
            self._fs.makedirs(self._path, exist_ok=True)

    def sizes(self, folder: str = "") -> dict[str, int | None]:
        """Return the names in a folder, with their sizes in bytes; None for a folder."""
        place = f"{self._path}/{folder}" if folder else self._path
        # fsspec caches listings, but other processes write here, too.
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(place, detail=True)
        except FileNotFoundError:
            return {}
        found: dict[str, int | None] = {}
        for entry in entries:
            path = str(entry["name"]).rstrip("/")
            name = path.rpartition("/")[2]
            # Some stores list the folder itself as well.
            if path.strip("/") != place.strip("/"):
                found[name] = None if entry["type"] == "directory" else int(entry["size"])
        return found

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes; None if there is no such file."""
        self._fs.invalidate_cache()
        try:
            return int(self._fs.info(f"{self._path}/{name}")["size"])
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        """Return the content of a file; raise a FileNotFoundError if it does not exist."""
        return bytes(self._fs.cat_file(f"{self._path}/{name}"))

    def create(self, name: str) -> NewFile:
        """Return a new file."""
        return _NewObject(self, f"{self._path}/{name}")

    def append(self, name: str, data: bytes) -> None:
        """Write a new object, because objects can't be extended."""
        path = f"{self._path}/{name}"
        self._make_folder(path)
        self._fs.pipe_file(path, data)

    def delete(self, names: list[str]) -> None:
        """Delete the files that exist."""
        paths = [f"{self._path}/{name}" for name in names]
        try:
            # One request for many objects, if the store supports that.
            self._fs.rm(paths)
        except FileNotFoundError:
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    self._fs.rm_file(path)

    def _make_folder(self, path: str) -> None:
        if self._has_rename:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)

    def put(self, source: Path, target: str, *, replace: bool) -> bool:
        """Upload a whole file, and return False if it exists and must not be replaced."""
        if not replace and self._fs.exists(target):
            return False
        if self._has_rename:
            self._make_folder(target)
            folder, _, name = target.rpartition("/")
            temporary = f"{folder}/.{name}.part"
            self._fs.put_file(str(source), temporary)
            self._fs.mv(temporary, target)
            return True
        try:
            # With the mode "create", the store refuses the second of two writers.
            self._fs.put_file(str(source), target, mode="overwrite" if replace else "create")
        except FileExistsError:
            return False
        return True


class _NewObject:
    """A local temporary file, which is uploaded when it is complete."""

    def __init__(self, sink: ObjectStoreSink, path: str) -> None:
        self._sink = sink
        self._path = path
        self._folder = tempfile.TemporaryDirectory(prefix="videosdk-transcripts-")
        self._local = Path(self._folder.name) / "part"
        self._file = self._local.open("wb")

    def write(self, data: bytes) -> None:
        """Append data."""
        self._file.write(data)

    def commit(self, *, replace: bool) -> bool:
        """Upload the file."""
        self._file.close()
        return self._sink.put(self._local, self._path, replace=replace)

    def discard(self) -> None:
        """Remove the temporary file."""
        self._file.close()
        self._folder.cleanup()
