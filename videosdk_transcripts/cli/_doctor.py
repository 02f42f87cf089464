"""What `doctor` checks, in which order, and what it says in the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import click

from videosdk_transcripts import ConfigurationError, TranscriptsClient

from ._account import Account
from ._checks_local import Check, Place, check_environment, check_proxy, check_token, proxy_of, skip
from ._checks_network import check_clock, check_connection, check_name, check_request
from ._exit import code_of
from ._options import Form
from ._settings import use_account
from ._text import plain, plural, tell
from ._token import (
    API_KEY,
    SECRET,
    TOKEN,
    Wanted,
    is_set,
    mint_from_environment,
    minting,
    read_variable,
)
from ._verdict import VerdictError


class Patient(NamedTuple):
    """What is examined."""

    environment: Check
    endpoint: str | None
    """The base URL, where it is one."""
    token: Callable[[], str] | None
    """Gives the token that requests have, where there are credentials."""
    how: str
    open_client: Callable[..., TranscriptsClient]
    trust_env: bool


def run_doctor(account: Account, *, timeout: float, trust_env: bool, form: Form | None) -> None:
    """
    Make all checks and print what they find.

    Args:
        account: whose credentials.
        timeout: seconds for each of the four checks that use the network.
        trust_env: use the proxy that the environment names.
        form: ``json`` for a list of checks, printed in the end.

    Raises:
        VerdictError: a check failed.
    """
    found: list[Check] = []

    def report(check: Check) -> None:
        found.append(check)
        if form is None:
            click.echo(str(check))

    asyncio.run(_run(account, timeout, trust_env=trust_env, report=report))
    if form is not None:
        click.echo(json.dumps([_as_json(check) for check in found], indent=2))
    failed = [check for check in found if check.state == "FAIL"]
    if failed:
        raise VerdictError(f"{failed[0].name} failed", failed[0].code)
    warned = sum(check.state == "warn" for check in found)
    tell(f"it works, with {plural(warned, 'warning')}" if warned else "it works")


def _as_json(check: Check) -> dict[str, str | int]:
    return {
        "check": check.name,
        "state": check.state.lower(),
        "detail": plain(check.detail),
        "advice": plain(check.advice),
        "code": int(check.code),
    }


async def _run(
    account: Account, limit: float, *, trust_env: bool, report: Callable[[Check], None]
) -> None:
    async with _admitted(account, trust_env=trust_env) as patient:
        await _examine(patient, limit, report)


@asynccontextmanager
async def _admitted(account: Account, *, trust_env: bool) -> AsyncGenerator[Patient]:
    if account.sandbox:
        from videosdk_transcripts.testing import FakeVideoSDK, run_sandbox

        async with FakeVideoSDK() as fake:
            run_sandbox(fake)
            yield Patient(
                Check("environment", "ok", "not read, because of --sandbox"),
                fake.url,
                partial(minting(Wanted()), fake.api_key, fake.secret),
                "signed with the key and the secret of the sandbox",
                partial(fake.client, trust_env=trust_env),
                trust_env,
            )
        return
    try:
        source = use_account(account)
    except ConfigurationError as error:
        detail = "a file in place of the environment can't be used"
        environment = Check("environment", "FAIL", detail, error.message, code_of(error))
        yield Patient(environment, None, None, "", TranscriptsClient, trust_env)
        return
    environment, endpoint = check_environment(source, trust_env=trust_env)
    token: Callable[[], str] | None = None
    how = "signed with the key and the secret"
    if is_set(API_KEY) and is_set(SECRET):
        token = mint_from_environment
    elif is_set(TOKEN):
        how = "given ready-made"
        token = partial(read_variable, TOKEN)
    yield Patient(
        environment,
        endpoint,
        token,
        how,
        partial(TranscriptsClient, trust_env=trust_env),
        trust_env,
    )


async def _examine(patient: Patient, limit: float, report: Callable[[Check], None]) -> None:
    report(patient.environment)
    can_connect = False
    if patient.endpoint is None:
        for name in ("dns", "connection", "proxy", "clock"):
            report(skip(name, "the endpoint is to be mended first"))
    else:
        can_connect = await _reach(patient.endpoint, limit, report, trust_env=patient.trust_env)
    if patient.token is None:
        token = skip("token", "there are no credentials")
    else:
        token = check_token(patient.token, patient.how)
    report(token)
    if patient.environment.state == "FAIL":
        report(skip("request", "the environment is to be mended first"))
    elif not can_connect:
        report(skip("request", "there is no connection"))
    elif token.state == "FAIL":
        report(skip("request", "the token would be refused"))
    else:
        report(await check_request(patient.open_client, limit))


async def _reach(
    endpoint: str, limit: float, report: Callable[[Check], None], *, trust_env: bool
) -> bool:
    """Make the checks up to the clock, and tell whether there is a connection."""
    proxy, is_bypassed = proxy_of(endpoint)
    goes_through = bool(proxy) and not is_bypassed and trust_env
    place = Place.of(proxy if goes_through else endpoint)
    name = await check_name(place, limit)
    report(name)
    if name.state == "FAIL":
        connection = skip("connection", "the name of the host is not known")
    else:
        connection = await check_connection(place, limit)
    report(connection)
    can_connect = connection.state in ("ok", "warn")
    report(check_proxy(endpoint, trust_env=trust_env, is_reached=can_connect))
    if not can_connect:
        report(skip("clock", "there is no connection"))
    elif goes_through:
        report(skip("clock", "there is a proxy between; the request tells if a clock is wrong"))
    else:
        report(await check_clock(place, limit))
    return can_connect
