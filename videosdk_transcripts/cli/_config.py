"""
The file of profiles: where it is, what it may hold, and when its credentials are used.

A token goes only where the source of its credentials says, and so credentials and endpoint
come from one source, whole. No error shows a value of the file, and none is raised where a
traceback with locals would have one: what reads the file gives a fault back instead.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from videosdk_transcripts import ConfigurationError, CredentialsError

CONFIG_VARIABLE: Final = "VIDEOSDK_TRANSCRIPTS_CONFIG"
PROFILE_VARIABLE: Final = "VIDEOSDK_PROFILE"

_ENDPOINT: Final = "https://api.videosdk.live"
"""Where a profile without an endpoint leads to, whatever the environment says."""
_IN_ENVIRONMENT: Final = (
    *("VIDEOSDK_API_KEY", "VIDEOSDK_SECRET", "VIDEOSDK_SECRET_KEY"),
    *("VIDEOSDK_TOKEN", "VIDEOSDK_AUTH_TOKEN"),
)
_CREDENTIALS: Final = ("api_key", "secret", "token")
_TEXTS: Final = (*_CREDENTIALS, "endpoint")
_KEYS: Final = (*_TEXTS, "file_hosts")
_CONFIDENTIAL: Final = frozenset({"secret", "token"})
_OTHERS: Final = 0o066  # read and write, for the group and for others
_LARGEST: Final = 1024 * 1024
"""Bytes of a file that is read; what is larger is something else."""
_PLACE: Final = re.compile(r"\(at (line \d+, column \d+|end of document)\)$")


class _Hidden(str):
    """A text of the file. Any may be a secret by mistake, an endpoint with a password too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@frozen
class Settings:
    """What a profile says."""

    profile: str
    path: Path
    """The file that it is in."""
    _options: Mapping[str, Any] = field(repr=False)

    def options(self) -> dict[str, Any]:
        """
        Return the arguments of a client.

        They are its credentials and `endpoint`, and `file_hosts` unless those of the
        environment are meant. With these, the client looks for none in the environment.
        """
        return dict(self._options)


def settings(profile: str | None, environ: Mapping[str, str]) -> Settings | None:
    """
    Find the profile to use, or None where the environment says all that is to be said.

    A profile given as an argument comes before the environment, and credentials in the
    environment come before the file, which is not even looked for then.

    Args:
        profile: the argument; None without one.
        environ: the variables of the process.

    Raises:
        ConfigurationError: the file can't be read, is none that we understand, holds a secret
            that other users can get at, or is missing though it was named; there is no such
            profile; or the environment names another profile or endpoint beside what is used.
        CredentialsError: the profile has no credentials, half of them or too many.
    """
    asked = _Asked.of(environ)
    # A traceback with locals would show all of it.
    del environ
    if profile is None and asked.credentials:
        if asked.profile is not None:
            raise ConfigurationError(
                f"{PROFILE_VARIABLE} names a profile, and credentials are set as well "
                f"({asked.credentials}); unset the one or the other, or say --profile NAME, which "
                "comes before both"
            )
        return None
    name = asked.profile if profile is None else profile
    contents = None if asked.path is None else _read(asked.path)
    if asked.path is None or contents is None:
        if asked.is_named or name is not None:
            raise ConfigurationError(_what_is_missing(asked, name))
        return None
    if contents.fault:
        raise ConfigurationError(f"{asked.path} {contents.fault}")
    if name is None and not contents.profiles:
        return None
    name = "default" if name is None else name
    if name not in contents.profiles:
        raise ConfigurationError(
            f"there is no profile {name!r} in {asked.path}, which has "
            f"{', '.join(contents.profiles) or 'none'}; choose with --profile NAME"
        )
    return _settled(name, asked.path, contents, asked if profile is None else None)


def config_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """
    Return where the file is, or would be; None where there is no home for it.

    Args:
        environ: the variables of the process.
        platform: as `sys.platform`.
    """
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    home = environ.get("HOME", "")
    match platform:
        case "win32":
            folders = [Path(environ.get("APPDATA", ""))]
        case "darwin":
            folders = [Path(home, "Library", "Application Support")]
        case _:
            folders = [Path(environ.get("XDG_CONFIG_HOME", "")), Path(home, ".config")]
    # A relative one would be a file of whatever directory the program is started in.
    found = next((folder for folder in folders if folder.is_absolute()), None)
    return None if found is None else found / "videosdk-transcripts" / "config.toml"


@frozen
class _Asked:
    """What the environment says, without its secrets."""

    path: Path | None
    is_named: bool
    profile: str | None
    credentials: str
    """The variables with credentials that are set, by their names."""
    endpoint: _Hidden | None
    has_file_hosts: bool

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> _Asked:
        """Look at the variables. What is blank is not set, as for the client."""
        endpoint = environ.get("VIDEOSDK_API_ENDPOINT", "").strip()
        return cls(
            path=config_file(environ),
            is_named=bool(environ.get(CONFIG_VARIABLE)),
            profile=environ.get(PROFILE_VARIABLE, "").strip() or None,
            credentials=", ".join(n for n in _IN_ENVIRONMENT if environ.get(n, "").strip()),
            endpoint=_Hidden(endpoint) if endpoint else None,
            has_file_hosts=bool(environ.get("VIDEOSDK_FILE_HOSTS", "").strip()),
        )


@frozen
class _Contents:
    """The profiles of a file, or what is wrong with it."""

    fault: str = ""
    profiles: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)


def _settled(name: str, path: Path, contents: _Contents, asked: _Asked | None) -> Settings:
    """Put together what a client is told; `asked` is what may differ from the profile."""
    table = contents.profiles[name]
    given = [key for key in _CREDENTIALS if key in table]
    if given not in (["api_key", "secret"], ["token"]):
        raise CredentialsError(
            f"the profile {name!r} in {path} needs either api_key and secret, or token, and has "
            f"{' and '.join(given) or 'none of them'}"
        )
    options: dict[str, Any] = {"endpoint": _Hidden(_ENDPOINT), "file_hosts": (), **table}
    if asked is not None:
        if asked.endpoint is not None and _base(asked.endpoint) != _base(options["endpoint"]):
            raise ConfigurationError(
                f"VIDEOSDK_API_ENDPOINT is set, and the credentials are those of the profile "
                f"{name!r} in {path}, which has another endpoint; a token goes only where its own "
                f"source says, so give the profile this endpoint, unset the variable, or say "
                f"--profile {shlex.quote(name)} to leave it out"
            )
        if asked.has_file_hosts:
            # They get no token.
            del options["file_hosts"]
    return Settings(name, path, options)


def _what_is_missing(asked: _Asked, name: str | None) -> str:
    if asked.path is None:
        return f"there is no home directory for a file with profiles; set {CONFIG_VARIABLE}"
    why = f"which {CONFIG_VARIABLE} names" if asked.is_named else f"to hold the profile {name!r}"
    return f"there is no file {asked.path}, {why}"


def _read(path: Path) -> _Contents | None:
    """Read the file. None says that there is none."""
    try:
        with path.open("rb") as file:
            # Of what was opened, which no path can be sure of.
            status = os.fstat(file.fileno())
            raw = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return _Contents(f"can't be read: {error.strerror}")
    if len(raw) > _LARGEST:
        return _Contents(f"is larger than {_LARGEST} bytes, and so no configuration")
    data = _parsed(raw)
    if isinstance(data, str):
        return _Contents(data)
    tables = [table for table in (data, *data.values()) if isinstance(table, dict)]
    if any(_CONFIDENTIAL & table.keys() for table in tables):
        exposure = _exposure(status, _user())
        if exposure:
            return _Contents(f"holds a secret and {exposure}chmod 600 {shlex.quote(str(path))}")
    return _checked(data)


def _parsed(raw: bytes) -> dict[str, Any] | str:
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "is no text in UTF-8"
    except (ValueError, RecursionError) as error:
        # Its own words may quote the line, which may hold a secret.
        place = _PLACE.search(str(error))
        return (
            f"is no TOML{f', at {place[1]}' if place else ''}; a profile is a line such as "
            '[default], with lines such as api_key = "..." below it'
        )


def _user() -> int | None:
    """Return who we are, or None where files have no permissions of this kind."""
    ask = getattr(os, "geteuid", None)
    return None if ask is None else int(ask())


def _exposure(status: os.stat_result, user: int | None) -> str:
    """Say who else can get at a file, up to the command that helps, or nothing."""
    if user is None:
        return ""
    if status.st_uid not in (user, 0):
        return "belongs to another user, who can change it; make it your own, and then: "
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        return f"can be read or changed by other users (its mode is {mode:04o}); close it with: "
    return ""


def _checked(data: Mapping[str, Any]) -> _Contents:
    profiles: dict[str, dict[str, Any]] = {}
    for name, table in data.items():
        if not isinstance(table, dict):
            return _Contents(f"has {name!r} outside of a profile; put [default] above it")
        profiles[name] = {}
        for key, value in table.items():
            if key not in _KEYS:
                known = ", ".join(_KEYS)
                return _Contents(f"has an unknown key {key!r} in {name!r}; known are {known}")
            taken = _taken(key, value)
            if taken is None:
                kind = "a text in quotes" if key in _TEXTS else "a list of texts in quotes"
                return _Contents(
                    f"has a wrong {key} in the profile {name!r}: it must be {kind}, not empty"
                )
            profiles[name][key] = taken
    return _Contents(profiles=profiles)


def _taken(key: str, value: object) -> _Hidden | tuple[_Hidden, ...] | None:
    """Return a value, hidden and without white space around it; None if it is no such value."""
    if key in _TEXTS:
        return _text(value)
    hosts = [_text(host) for host in value] if isinstance(value, list) else [None]
    texts = tuple(host for host in hosts if host is not None)
    return texts if len(texts) == len(hosts) else None


def _text(value: object) -> _Hidden | None:
    text = value.strip() if isinstance(value, str) else ""
    return _Hidden(text) if text else None


def _base(endpoint: str) -> str:
    # The vendor's server examples have /v2 behind it.
    return endpoint.rstrip("/").removesuffix("/v2").rstrip("/")
