"""Making a token, and explaining one."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import click

from videosdk_transcripts import CredentialsError, mint_token

from ._account import Account
from ._exit import ExitCode
from ._options import Form
from ._settings import use_account
from ._text import plain, tell
from ._token_claims import Explained, as_json, explain_token, facts, when
from ._verdict import VerdictError

API_KEY: Final = ("VIDEOSDK_API_KEY",)
SECRET: Final = ("VIDEOSDK_SECRET", "VIDEOSDK_SECRET_KEY")
TOKEN: Final = ("VIDEOSDK_TOKEN", "VIDEOSDK_AUTH_TOKEN")
"""Names of variables; the first one that is set to more than white space counts."""
_MOST: Final = 64 * 1024
"""Bytes of a token that are read."""


class Wanted(NamedTuple):
    """What a token is to say."""

    room: str | None = None
    participant: str | None = None
    permissions: tuple[str, ...] = ("allow_join", "allow_mod")
    roles: tuple[str, ...] = ("crawler",)
    lifetime: float = 600.0


def read_variable(names: tuple[str, ...]) -> str:
    """Return the first of the variables that is set to more than white space, or nothing."""
    return next((text for name in names if (text := os.environ.get(name, "").strip())), "")


def is_set(names: tuple[str, ...]) -> bool:
    """Tell whether one of the variables is set to more than white space."""
    return bool(read_variable(names))


def mint_from_environment(wanted: Wanted | None = None) -> str:
    """
    Sign a token with the key and the secret of the environment.

    Raises:
        CredentialsError: one of them is missing, or the secret can't sign.
        ConfigurationError: what is wanted is not documented, or out of its bounds.
    """
    missing = [names[0] for names in (API_KEY, SECRET) if not is_set(names)]
    if missing:
        raise CredentialsError(
            f"no {' and no '.join(missing)}: a token is signed with a key and its secret, so set "
            "both; a token that is there already makes no other one"
        )
    # Not through names of our own, which a traceback might show.
    return minting(wanted or Wanted())(read_variable(API_KEY), read_variable(SECRET))


def minting(wanted: Wanted) -> Callable[[str, str], str]:
    """Return what signs such a token with a key and its secret."""
    return partial(
        mint_token,
        lifetime=wanted.lifetime,
        room_id=wanted.room,
        participant_id=wanted.participant,
        permissions=wanted.permissions,
        roles=wanted.roles,
    )


def print_token(account: Account, wanted: Wanted, form: Form | None) -> None:
    """
    Print a token, and on stderr what it is for.

    Args:
        account: whose key and secret.
        wanted: what it is to say.
        form: ``json`` for a document with its claims and its end.

    Raises:
        CredentialsError: the key or the secret is missing, or can't sign.
        ConfigurationError: what is wanted is not documented, or out of its bounds.
    """
    if account.sandbox:
        from videosdk_transcripts.testing import FakeVideoSDK

        fake = FakeVideoSDK()
        token = minting(wanted)(fake.api_key, fake.secret)
    else:
        use_account(account)
        token = mint_from_environment(wanted)
    now = time.time()
    explained = explain_token(token, now)
    claims: dict[str, Any] = explained.claims or {}
    if form is None:
        # `str` of it, since the token hides itself.
        click.echo(str(token))
    else:
        times = as_json(explained)["times"]
        click.echo(
            json.dumps({"token": str(token), "claims": claims, "expires": times["exp"]}, indent=2)
        )
    tell(
        f"a token for {_purpose(wanted)}; it ends {when(claims['exp'], now)}, and until then "
        "whoever has it can use it"
    )
    for fault in explained.faults:
        tell(f"{_weight(fault.is_refused)}: {plain(str(fault))}")


def _purpose(wanted: Wanted) -> str:
    uses = {"crawler": "the server API", "rtc": "joining meetings"}
    use = " and ".join(uses[role] for role in dict.fromkeys(wanted.roles))
    room = "all rooms" if wanted.room is None else f"the room {plain(wanted.room)}"
    return f"{use}, {room}"


def print_explanation(account: Account, *, from_stdin: bool, form: Form | None) -> None:
    """
    Print what a token says, and what will be refused.

    Args:
        account: whose token.
        from_stdin: read it from stdin, and not from the environment.
        form: ``json`` for a document.

    Raises:
        CredentialsError: there is no token.
        VerdictError: the API would refuse it.
    """
    now = time.time()
    explained = explain_token(_given_token(account, from_stdin=from_stdin), now)
    if form is None:
        click.echo("NOT VERIFIED: what the token says of itself; the signature was not checked")
        for name, text in facts(explained, now):
            click.echo(f"{plain(name):13}  {plain(text)}")
        for fault in explained.faults:
            click.echo(f"{_weight(fault.is_refused):13}  {plain(str(fault))}")
    else:
        click.echo(json.dumps(as_json(explained), indent=2))
    _judge(explained)


def _given_token(account: Account, *, from_stdin: bool) -> str:
    if from_stdin:
        # Closed by whoever started us (`<&-`), it is none.
        data = b"" if sys.stdin is None else sys.stdin.buffer.read(_MOST)
        token = data.decode("utf-8-sig", "replace").strip()
    else:
        use_account(account)
        token = read_variable(TOKEN)
    if not token:
        raise CredentialsError(
            "no token: set VIDEOSDK_TOKEN, or send one to --inspect - through a pipe"
        )
    return token


def _judge(explained: Explained) -> None:
    if explained.is_refused:
        raise VerdictError("the API would refuse this token", ExitCode.AUTH)
    tell("nothing in it that the API is known to refuse; whether the signature is right, it knows")


def _weight(is_refused: bool) -> str:
    return "refused" if is_refused else "warning"
