"""``doctor``: diagnose configuration and connectivity, with one request."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import click

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    CredentialsError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    VideoSDKTranscriptsError,
    __version__,
)

from ._exit import ExitCode, NegativeResult, code_of
from ._messages import describe
from ._options import account_options, command, output_format_options
from ._output import OutputFormat, notify, plain, plural, print_line
from ._settings import Account, use_account
from ._signals import run_until_signal
from ._status import status_line
from ._token_claims import decode_token, describe_time, format_utc

if TYPE_CHECKING:
    import aiohttp

    from videosdk_transcripts._environment import Variable

_SKEW_WARNING, _SKEW_FAILURE = 30.0, 60.0
"""The clock skew in seconds from which on the check warns or fails."""
_DISTRIBUTIONS: Final = (
    *("aiohttp", "attrs", "cattrs", "PyJWT", "tenacity"),
    *("click", "rich", "python-dotenv"),
)
_ADVICE: Final[tuple[tuple[type[VideoSDKTranscriptsError], str], ...]] = (
    (AuthenticationError, "the key, secret or token is wrong, revoked or from another project"),
    (PermissionDeniedError, "the token is valid but not allowed to do this; see token --inspect"),
    (NotFoundError, "the endpoint has no such API; check VIDEOSDK_API_ENDPOINT"),
    (RateLimitedError, "other programs of this account may send requests too; wait"),
    (
        NoResponseError,
        "check VIDEOSDK_API_ENDPOINT, network and firewall; for a proxy, add --trust-env",
    ),
)
"""Advice by class of error. The first entry that matches an error applies."""
_SERVICE_ADVICE: Final = "the service failed, or something else responded; try again later"


class Check(NamedTuple):
    """The result of one check."""

    name: str
    state: Literal["ok", "warn", "FAIL", "skipped"]
    detail: str
    advice: str = ""
    code: ExitCode = ExitCode.DONE
    """The exit code of a failure."""

    def __str__(self) -> str:
        line = f"{self.state:7}  {self.name:8}  {self.detail}"
        return plain(f"{line}: {self.advice}" if self.advice else line)


class DoctorContext(NamedTuple):
    """The data for the checks."""

    source: str
    """The source of the settings."""
    settings: Mapping[str, Variable]
    """The settings that the source provides."""
    timeout: float
    account: Account


@command("doctor")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 300),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Timeout of the request in seconds.",
)
@output_format_options("json")
@account_options
def doctor(timeout: float, output_format: OutputFormat | None, account: Account) -> None:
    """
    Diagnose configuration and connectivity.

    Check the settings, the token, the clock and one request, and print the versions for a bug
    report. Each line is ok, warn, FAIL or skipped; the exit code is that of the first failure.
    No credentials are shown, so the output can be shared.
    """
    checks = run_until_signal(lambda: _diagnose(account, timeout))
    if output_format is None:
        for check in checks:
            print_line(str(check))
    else:
        print_line(json.dumps([_as_document(check) for check in checks], indent=2))
    failed = [check for check in checks if check.state == "FAIL"]
    if failed:
        raise NegativeResult(f"{failed[0].name} failed", failed[0].code)
    warnings = sum(check.state == "warn" for check in checks)
    notify(f"no problem found, {plural(warnings, 'warning')}" if warnings else "no problem found")


def _as_document(check: Check) -> dict[str, str | int]:
    return {
        "check": check.name,
        "state": check.state.lower(),
        "detail": plain(check.detail),
        "advice": plain(check.advice),
        "code": int(check.code),
    }


async def _diagnose(account: Account, timeout: float) -> list[Check]:
    from videosdk_transcripts._environment import environment_settings

    try:
        async with use_account(account) as source, status_line("the service"):
            context = DoctorContext(source, environment_settings(), timeout, account)
            return await run_checks(context)
    except ConfigurationError as error:
        failed = Check(
            "settings", "FAIL", "the file cannot be used", describe(error), ExitCode.USAGE
        )
        skipped = [
            Check(name, "skipped", "settings failed") for name in ("token", "clock", "request")
        ]
        return [failed, *skipped, _check_versions()]


async def run_checks(context: DoctorContext) -> list[Check]:
    """Return the results of all checks, each after the checks on which it depends."""
    settings = _check_settings(context)
    token = await _check_token(context.settings)
    if settings.state == "FAIL" or token.state == "FAIL":
        failed = settings if settings.state == "FAIL" else token
        clock, request = (
            Check(name, "skipped", f"{failed.name} failed") for name in ("clock", "request")
        )
    else:
        clock, request = await _check_request(context)
    return [settings, token, clock, request, _check_versions()]


def _check_settings(context: DoctorContext) -> Check:
    from videosdk_transcripts._environment import resolve_endpoint

    names = [variable.name for variable in context.settings.values()]
    try:
        endpoint = resolve_endpoint(None)
        detail = f"from {context.source}: {', '.join(names) or 'none'}; endpoint {endpoint}"
        # Creating a client checks the other settings.
        context.account.open_client()
    except ConfigurationError as error:
        detail = f"from {context.source}: {', '.join(names) or 'none'}"
        return Check("settings", "FAIL", detail, describe(error), code_of(error))
    warnings = _warnings(context.settings, endpoint)
    return Check("settings", "warn" if warnings else "ok", detail, "; ".join(warnings))


def _warnings(settings: Mapping[str, Variable], endpoint: str) -> list[str]:
    from videosdk_transcripts._environment import ignored_variables

    warnings = [
        f"{variable.name} has quotes in its value; remove them"
        for variable in settings.values()
        if {variable.value[0], variable.value[-1]} & {"'", '"'}
    ]
    if "token" in settings:
        unused = [settings[name].name for name in ("api_key", "secret") if name in settings]
        if len(unused) == 2:
            warnings.append(f"{settings['token'].name} is not used: key and secret take precedence")
        elif unused:
            warnings.append(f"{unused[0]} is incomplete and not used: the token is used")
    warnings.extend(
        f"{ignored.name} is not used: {used.name} takes precedence"
        for ignored, used in ignored_variables()
    )
    parts = urlsplit(endpoint)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        warnings.append("the endpoint uses http, which exposes tokens; use https")
    return warnings


async def _check_token(settings: Mapping[str, Variable]) -> Check:
    from videosdk_transcripts import Clock
    from videosdk_transcripts._environment import resolve_tokens

    is_signed = "api_key" in settings and "secret" in settings
    try:
        token = await resolve_tokens(api_key=None, secret=None, token=None, clock=Clock()).get()
    except CredentialsError as error:
        return Check("token", "FAIL", "no usable credentials", describe(error), ExitCode.AUTH)
    now = time.time()
    decoded = decode_token(token, now)
    detail = "signed with key and secret" if is_signed else "given"
    if decoded.expiry is not None:
        detail = f"{detail}; expires {describe_time(decoded.expiry, now)}"
    problems = "; ".join(str(problem) for problem in decoded.problems)
    if decoded.is_rejected:
        return Check("token", "FAIL", detail, problems, ExitCode.AUTH)
    return Check("token", "warn" if problems else "ok", detail, problems)


async def _check_request(context: DoctorContext) -> tuple[Check, Check]:
    """Send one request through the client, and return the checks of the clock and the request."""
    import aiohttp

    from videosdk_transcripts import RetryPolicy

    dates: list[tuple[str, float]] = []

    async def record_date(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        dates.append((params.response.headers.get("Date", ""), time.time()))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(record_date)
    policy = RetryPolicy(
        attempts=1, attempt_timeout=context.timeout, page_timeout=context.timeout + 1
    )
    failure: VideoSDKTranscriptsError | None = None
    total = 0
    begun = time.perf_counter()
    try:
        async with context.account.open_client(retry=policy, trace_configs=[trace]) as client:
            total = await client.count()
    except VideoSDKTranscriptsError as error:
        failure = error
    took = (time.perf_counter() - begun) * 1000
    clock = _check_clock(*dates[0]) if dates else Check("clock", "skipped", "no response")
    if failure is not None:
        return clock, _explain(failure, clock)
    return clock, Check("request", "ok", f"{plural(total, 'transcription')}, {took:.0f} ms")


def _explain(error: VideoSDKTranscriptsError, clock: Check) -> Check:
    """Return the check of a request that failed."""
    detail = describe(error)
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), _SERVICE_ADVICE)
    if isinstance(error, AuthenticationError):
        if clock.state == "FAIL":
            # The message of the error would explain the clock once more.
            detail = f"the service rejected the token with {error.status}"
            advice = "correct the clock first"
        elif clock.state != "ok":
            advice += ", or the clock is wrong"
    return Check("request", "FAIL", detail, advice, code_of(error))


def _check_clock(date: str, received_at: float) -> Check:
    """Compare this machine's clock with the ``Date`` header of a response."""
    from email.utils import parsedate_to_datetime

    try:
        parsed = parsedate_to_datetime(date)
    except ValueError:
        return Check("clock", "warn", "unknown skew: the response has no valid Date header")
    # All dates in HTTP are in UTC, even without an offset.
    served_at = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    # The header has whole seconds, so the actual time is half a second later on average.
    skew = received_at - (served_at + 0.5)
    detail = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the service"
    if abs(skew) <= _SKEW_WARNING:
        return Check("clock", "ok", detail)
    advice = f"synchronize this machine's clock; the service's is {format_utc(served_at)}"
    if abs(skew) <= _SKEW_FAILURE:
        return Check("clock", "warn", detail, advice)
    return Check("clock", "FAIL", detail, f"tokens may be rejected; {advice}", ExitCode.AUTH)


def _check_versions() -> Check:
    import platform

    versions = [f"videosdk-transcripts {__version__}", *map(_installed, _DISTRIBUTIONS)]
    python = f"Python {platform.python_version()} on {platform.system()} {platform.release()}"
    return Check("versions", "ok", ", ".join([*versions, python]))


def _installed(name: str) -> str:
    """Return the name and the version of a distribution."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        # Bundled programs often lack the metadata.
        return f"{name} of unknown version"
