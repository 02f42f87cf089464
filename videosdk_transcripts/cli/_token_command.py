"""The verb `token`."""

from __future__ import annotations

import re
from typing import Final

import click

from ._account import Account
from ._options import Form, as_form, of_account, verb

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _life(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Read a length of time."""
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", value, re.ASCII)
    if found is None:
        raise click.BadParameter(f"{value!r} is no time, as 90, 90s, 10m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


@verb("token", short_help="Make a token, or explain one.")
@click.argument("source", required=False, metavar="[-]")
@click.option("--inspect", is_flag=True, help="Explain a token, that of VIDEOSDK_TOKEN or of -.")
@click.option("--room", metavar="ID", help="For one room.")
@click.option("--participant", metavar="ID", help="For one participant.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(["allow_join", "allow_mod", "ask_join"]),
    default=("allow_join", "allow_mod"),
    show_default=True,
    help="Repeatable.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["crawler", "rtc"]),
    default=("crawler",),
    show_default=True,
    help="crawler for this API, rtc for joining. Repeatable.",
)
@click.option(
    "--lifetime",
    callback=_life,
    default="10m",
    show_default=True,
    metavar="TIME",
    help="As 90s, 10m, 2h, 1d; 365d at most.",
)
@as_form("json")
@of_account
@click.pass_context
def token(  # noqa: PLR0917 - click calls it by keyword
    context: click.Context,
    source: str | None,
    inspect: bool,
    room: str | None,
    participant: str | None,
    permissions: tuple[str, ...],
    roles: tuple[str, ...],
    lifetime: float,
    form: Form | None,
    account: Account,
) -> None:
    """
    Make a token from the key and the secret, or explain one with --inspect.

    The token alone goes to stdout. To explain one, it is taken from VIDEOSDK_TOKEN, or from
    stdin with `--inspect -`, and never from an argument, which other users of the machine can
    see. Nothing is sent and nothing verified; a token that the API would refuse is exit code 3.
    """
    if source is not None and (source != "-" or not inspect):
        # Not quoted: it may be the token.
        raise click.UsageError(
            "no argument but - with --inspect; an argument can be seen by other users, so send "
            "the token through a pipe, or set VIDEOSDK_TOKEN"
        )
    if inspect:
        _refuse_claims(context)
        if account.sandbox:
            raise click.UsageError("--inspect needs no --sandbox")
        from ._token import print_explanation

        print_explanation(account, from_stdin=source == "-", form=form)
        return
    from ._token import Wanted, print_token

    print_token(account, Wanted(room, participant, permissions, roles, lifetime), form)


def _refuse_claims(context: click.Context) -> None:
    by_default = (click.core.ParameterSource.DEFAULT, click.core.ParameterSource.DEFAULT_MAP)
    for name, option in (
        ("room", "--room"),
        ("participant", "--participant"),
        ("permissions", "--permission"),
        ("roles", "--role"),
        ("lifetime", "--lifetime"),
    ):
        if context.get_parameter_source(name) not in by_default:
            raise click.UsageError(f"--inspect needs no {option}")
