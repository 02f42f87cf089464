"""``token``: create a token, or inspect one."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from videosdk_transcripts import CredentialsError
from videosdk_transcripts._redact import Secret

from ._exit import ExitCode, NegativeResult
from ._options import Room, account_options, command, output_format_options, room_option
from ._output import OutputFormat, notify, plain, print_line
from ._settings import Account, load_env_file, named_file, run_with_client
from ._signals import interruptible
from ._token_claims import (
    PERMISSIONS,
    ROLES,
    decode_token,
    describe_time,
    describe_token,
    format_utc,
    token_document,
)

if TYPE_CHECKING:
    from videosdk_transcripts import TranscriptsClient

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_USES: Final = {"crawler": "the server API", "rtc": "joining meetings"}
_MAX_INPUT: Final = 64 * 1024
"""Maximum number of bytes to read from stdin."""


def _read_lifetime(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", value, re.ASCII)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a duration such as 90, 90s, 10m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


@command("token")
@click.argument("source", required=False, metavar="[-]")
@click.option("--inspect", is_flag=True, help="Inspect the token in VIDEOSDK_TOKEN, or - (stdin).")
@room_option
@click.option("--participant", metavar="ID", help="Restrict the token to one participant.")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    type=click.Choice(PERMISSIONS),
    default=("allow_join", "allow_mod"),
    show_default=True,
    help="Permission of the token. Repeatable.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(ROLES),
    default=("crawler",),
    show_default=True,
    help="crawler for the server API, rtc for joining meetings. Repeatable.",
)
@click.option(
    "--lifetime",
    callback=_read_lifetime,
    default="10m",
    show_default=True,
    metavar="TIME",
    help="Lifetime, such as 90s, 10m, 2h or 1d; at most 365d.",
)
@output_format_options("json")
@account_options
@click.pass_context
def token(  # noqa: PLR0917 - click calls it by keyword
    context: click.Context,
    source: str | None,
    inspect: bool,
    room: Room,
    participant: str | None,
    permissions: tuple[str, ...],
    roles: tuple[str, ...],
    lifetime: float,
    output_format: OutputFormat | None,
    account: Account,
) -> None:
    """
    Create a token from the key and the secret, or inspect one with --inspect.

    Only the token is printed to stdout. The token to inspect is read from VIDEOSDK_TOKEN, or
    from stdin with `--inspect -`, never from an argument, which other users of the machine can
    see. Signatures are not verified. Nothing is sent, except with --custom-id. The exit code is 3
    if the API would reject the token.
    """
    if source is not None and (source != "-" or not inspect):
        # The message does not contain the argument, which may be the token.
        raise click.UsageError(
            "the only argument is -, with --inspect; other users can see arguments, so send the "
            "token through a pipe, or set VIDEOSDK_TOKEN"
        )
    if inspect:
        _reject_claim_options(context)
        if account.sandbox:
            raise click.UsageError("--inspect and --sandbox are mutually exclusive")
        _inspect(_read_token(account, from_stdin=source == "-"), output_format)
        return

    from videosdk_transcripts import mint_token

    api_key, secret = _key_and_secret(account)
    room_id = _resolve_room(account, room)
    created = mint_token(
        api_key,
        secret,
        lifetime=lifetime,
        room_id=room_id,
        participant_id=participant,
        permissions=permissions,
        roles=roles,
    )
    now = time.time()
    decoded = decode_token(created, now)
    # A created token always has an expiry.
    expiry = decoded.expiry or now
    # `str` returns the token itself; a `Secret` is masked in JSON and elsewhere.
    if output_format is None:
        print_line(str(created))
    else:
        document = {
            "token": str(created),
            "claims": decoded.claims,
            "expires": format_utc(expiry),
        }
        print_line(json.dumps(document, indent=2))
    uses = " and ".join(_USES[role] for role in dict.fromkeys(roles))
    rooms = "all rooms" if room_id is None else f"room {plain(room_id)}"
    notify(
        f"token for {uses}, {rooms}; expires {describe_time(expiry, now)}; "
        "anyone who has it can use it until then"
    )
    for problem in decoded.problems:
        notify(f"{_severity(is_rejected=problem.is_rejected)}: {plain(str(problem))}")


def _resolve_room(account: Account, room: Room) -> str | None:
    """Return the room id of a token. For a custom room id, this opens a client."""
    if not room.is_custom:
        return room.given_id
    found: list[str | None] = []

    async def resolve(client: TranscriptsClient) -> None:
        found.append(await room.resolve(client))

    run_with_client(account, resolve)
    return found[0]


def _key_and_secret(account: Account) -> tuple[Secret, Secret]:
    if account.sandbox:
        from videosdk_transcripts.testing import FakeVideoSDK

        fake = FakeVideoSDK()
        return Secret(fake.api_key), Secret(fake.secret)

    from videosdk_transcripts._environment import environment_settings

    load_env_file(account.env_file)
    settings = environment_settings()
    variables = {"api_key": "VIDEOSDK_API_KEY", "secret": "VIDEOSDK_SECRET"}
    missing = [variable for setting, variable in variables.items() if setting not in settings]
    if missing:
        with named_file(account.env_file):
            raise CredentialsError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: a token "
                "is signed with a key and its secret, from the environment or a file "
                "(--env-file); an existing token cannot sign another one"
            )
    return settings["api_key"].value, settings["secret"].value


def _reject_claim_options(context: click.Context) -> None:
    defaults = (click.core.ParameterSource.DEFAULT, click.core.ParameterSource.DEFAULT_MAP)
    for name, option in (
        ("room", "--room"),
        ("custom_id", "--custom-id"),
        ("participant", "--participant"),
        ("permissions", "--permission"),
        ("roles", "--role"),
        ("lifetime", "--lifetime"),
    ):
        if context.get_parameter_source(name) not in defaults:
            raise click.UsageError(f"--inspect and {option} are mutually exclusive")


def _read_token(account: Account, *, from_stdin: bool) -> Secret:
    if from_stdin:
        # stdin is None if the parent process closed it (`<&-`).
        with interruptible():
            data = b"" if sys.stdin is None else sys.stdin.buffer.read(_MAX_INPUT)
        given = Secret(data.decode("utf-8-sig", "replace").strip())
    else:
        from videosdk_transcripts._environment import environment_settings

        load_env_file(account.env_file)
        variable = environment_settings().get("token")
        given = Secret("") if variable is None else variable.value
    if not given:
        with named_file(None if from_stdin else account.env_file):
            raise CredentialsError("no token: set VIDEOSDK_TOKEN, or pipe one to --inspect -")
    return given


def _inspect(given: Secret, output_format: OutputFormat | None) -> None:
    """Print the content of a token, and its problems."""
    now = time.time()
    decoded = decode_token(given, now)
    if output_format is None:
        print_line("NOT VERIFIED: the content of the token; its signature was not checked")
        for label, text in describe_token(decoded, now):
            print_line(f"{plain(label):13}  {plain(text)}")
        for problem in decoded.problems:
            severity = _severity(is_rejected=problem.is_rejected)
            print_line(f"{severity:13}  {plain(str(problem))}")
    else:
        print_line(json.dumps(token_document(decoded), indent=2))
    if decoded.is_rejected:
        raise NegativeResult("the API would reject this token", ExitCode.AUTH)
    notify("no known reason for the API to reject it; only the service can check its signature")


def _severity(*, is_rejected: bool) -> str:
    return "rejected" if is_rejected else "warning"
