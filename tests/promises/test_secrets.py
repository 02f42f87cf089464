"""P8: canaries go through every failure, and are searched for wherever they could leak."""

import asyncio
import base64
import contextlib
import json
import logging
import pickle
import warnings
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jwt
import pytest
from aiohttp import web
from attrs import evolve, frozen

from videosdk_transcripts import (
    AuthenticationError,
    ConfigurationError,
    CredentialsError,
    IncompleteWalkError,
    RetryPolicy,
    TimedOutError,
    TranscriptsClient,
    VideoSDKTranscriptsError,
)
from videosdk_transcripts._redact import Secret
from videosdk_transcripts.testing import (
    Body,
    Change,
    CutBody,
    Delay,
    DropConnection,
    Envelope,
    Exchange,
    FakeVideoSDK,
    HtmlPage,
    RepeatPage,
    Status,
)

from .canaries import (
    CREDENTIALS,
    KEY,
    LOGIN,
    OPAQUE,
    QUICK,
    SECRET,
    SIGNATURE,
    TOKEN,
    USER,
    WORDS,
    Watch,
    failure,
    found_in,
    minted,
    provide,
    report,
    walk,
)

# The watch itself.


def plant(place: str) -> object:  # noqa: C901 - a list of places
    """Leak a canary in one place."""
    error = VideoSDKTranscriptsError("message")
    match place:
        case "log":
            logging.getLogger("tenacity").debug("%s", OPAQUE)
        case "field of a record":
            logging.getLogger("aiohttp.client").debug("message", extra={"x": [OPAQUE]})
        case "warning":
            warnings.warn(OPAQUE, stacklevel=1)
        case "context":
            asyncio.get_running_loop().call_exception_handler({"x": {OPAQUE: 1}})
        case "output":
            print(OPAQUE)  # noqa: T201
        case "file":
            Path("report").write_text(OPAQUE)
        case "attribute":
            error.checkpoint = quote(OPAQUE, safe="")
        case "cause":
            error.__cause__ = ValueError(base64.b64encode(f"x{OPAQUE}".encode()))
        case "group":
            error.__context__ = ExceptionGroup("g", [ValueError(OPAQUE)])
        case "local":
            try:
                json.loads(f'{{"{OPAQUE}":')
            except ValueError as wrong:
                error.__context__ = wrong
        case "object":
            client = TranscriptsClient(token="t")
            client._clock = [OPAQUE]  # type: ignore[assignment]
            return [client]
    return error


@pytest.mark.parametrize(
    "place",
    [
        *("log", "field of a record", "warning", "context", "output", "file"),
        *("attribute", "cause", "group", "local", "object"),
    ],
)
async def test_watch_detects_a_canary(watch: Watch, place: str) -> None:
    """It detects one in each place that the tests below search."""
    assert watch.leaks() == set()
    assert watch.leaks(plant(place)) == {OPAQUE}


# Responses.


@frozen
class Echo:
    """Echo the request in every part of a response, its body in one of several forms."""

    status: int
    form: str = "message"
    known: str = ""

    async def __call__(self, exchange: Exchange) -> web.StreamResponse:
        token = exchange.request.headers["Authorization"]
        echoed = f"no: {token} {self.known}"
        escaped = "".join(f"%{byte:02X}" for byte in echoed.encode())
        body = {
            "message": {"message": echoed, "code": token, "error": {"message": echoed}},
            "text": echoed,
            "keys": {echoed: echoed, "error": {token: echoed}},
            "percent": {"message": quote(echoed, safe=""), "code": escaped},
            "base64": {"message": base64.b64encode(f"Basic {echoed}".encode()).decode()},
            "base64 of a URL": {"error": base64.urlsafe_b64encode(f"a:{echoed}".encode()).decode()},
            "failure": {"success": False, "message": echoed, "code": echoed},
            "page": {"pageInfo": {"currentPage": self.known or token}, "transcriptions": []},
            "last page": {"pageInfo": {"lastPage": {echoed: token}}, "data": []},
        }[self.form]
        headers = {
            "X-Request-Id": token,
            "Location": f"https://{token}.example/{echoed}?{echoed}",
            "Content-Type": f"text/html; x={token}",
            "WWW-Authenticate": echoed,
            "Retry-After": f"120 {echoed}",
            "Set-Cookie": f"x={token}",
        }
        text = json.dumps(body)
        return web.Response(text=text, status=self.status, reason=echoed, headers=headers)


@pytest.mark.parametrize("given", CREDENTIALS)
async def test_echoed_secret_is_redacted_for_each_status(
    service: FakeVideoSDK, watch: Watch, given: str
) -> None:
    """Each part of the response contains the secrets of the request."""
    errors = []
    known = f"{SECRET} {KEY}" if given == "key and secret" else ""
    async with service.client(retry=RetryPolicy(attempts=1), **CREDENTIALS[given]) as client:
        for status in [status for status in HTTPStatus if status >= 300]:
            service.fail_next(Echo(status, known=known), times=2)
            errors.append(await failure(client.get_page("room")))
            service.clear_faults()
        assert watch.leaks(*errors, client, of=minted(service)) == set()
    # Text without a secret is kept; a 304 has no body, and a 407 is that of a proxy.
    assert [error.status for error in errors if "no: ***" not in str(error)] == [304, None]


@pytest.mark.parametrize(
    "form",
    ["text", "keys", "percent", "base64", "base64 of a URL", "failure", "page", "last page"],
)
@pytest.mark.parametrize("token", [None, OPAQUE])
async def test_echoed_secret_is_redacted_in_each_encoding(
    service: FakeVideoSDK, watch: Watch, form: str, token: str | None
) -> None:
    """It may be in an error body or in a page."""
    given = CREDENTIALS["key and secret"] if token is None else {"token": token}
    known = f"{SECRET} {KEY}" if token is None else ""
    async with service.client(retry=QUICK, **given) as client:
        for status in (200, 302, 401, 500):
            service.clear_faults()
            service.every(1, Echo(status, form, known))
            error = await failure(client.get_page("room"))
            assert watch.leaks(error, client, of=minted(service)) == set()


def spoil(**fields: Any) -> Change:
    """Change a row of the second page."""
    return Change(lambda fake: fake.rows[30].update(fields))


@pytest.mark.parametrize(
    "fault",
    [
        *(Body(body) for body in (b"", b"{", b'{"pageInfo": {}}', b'"canary"', WORDS.encode())),
        *(CutBody(), CutBody(0), CutBody(900), HtmlPage(), HtmlPage(503), DropConnection()),
        *(Delay(30), Status(401), Status(403), Status(429, {"Retry-After": "999"}), Status(500)),
        *(RepeatPage(), Envelope(info={"total": -1}), Envelope(info={"currentPage": 7})),
        *(spoil(start=WORDS), spoil(end=[SIGNATURE]), spoil(transcriptionFilePaths=[SIGNATURE])),
        *(spoil(webhookUrl={WORDS: SIGNATURE}), spoil(extension={}), spoil(status={WORDS: WORDS})),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_faults_show_no_secret(service: FakeVideoSDK, watch: Watch, fault: Any) -> None:
    """A walk meets each fault of the fake service, with invalid pages and rows."""
    service.filters = "ignored"
    found: list[object] = []
    policy = evolve(QUICK, attempt_timeout=0.25) if isinstance(fault, Delay) else QUICK
    async with contextlib.AsyncExitStack() as stack:
        for given in CREDENTIALS.values():
            client = await stack.enter_async_context(service.client(retry=policy, **given))
            pager = client.iter_transcriptions("abcd-efgh-ijkl")
            rows = [await anext(pager) for _ in range(20)]
            service.on_page(2, *[fault] * 4)
            error = await failure(anext(pager))
            assert error.checkpoint == pager.checkpoint
            found += [error, client, pager, pager.stats, pager.checkpoint, rows]
            found.append(pickle.dumps(pager.stats))
        assert watch.leaks(*found, of=minted(service)) == set()


async def test_foreign_rows_are_not_logged(service: FakeVideoSDK, watch: Watch) -> None:
    """The warning counts them, and an unverified row raises an error with its id."""
    service.filters = "ignored"
    async with service.client() as client:
        assert await walk(client, room_id="other") == []
        page = await client.get_page("other")
        for row in service.rows:
            row["extension"] = {}
        error = await failure(walk(client, room_id="other"))
        assert watch.leaks(error, page, of=minted(service)) == set()
    assert "lacks a room or session id" in str(error)


async def prefixed() -> str:
    """Return a string that is not a raw token."""
    return f"Bearer {TOKEN}"


ENDED: Final = jwt.encode({"apikey": KEY, "exp": 1_600_000_000}, SECRET)
NEVER_THE_SAME: Final = Change(lambda fake: fake.add_transcription(at=0))
ANOTHER: Final = TranscriptsClient(token="t").iter_transcriptions("another").checkpoint


@pytest.mark.parametrize(
    "ending",
    [
        (TimedOutError, Delay(9), {"retry": RetryPolicy(page_timeout=0.05)}, {}),
        (TimedOutError, Delay(9), {}, {"walk_timeout": 0.05}),
        (IncompleteWalkError, NEVER_THE_SAME, {}, {"consistency": "verify", "page_size": 100}),
        (ConfigurationError, HtmlPage(), {}, {"resume": ANOTHER}),
        (AuthenticationError, Status(401, {"Date": "Sun, 01 Mar 2026 09:00:00 GMT"}), {}, {}),
        (AuthenticationError, Status(401), {"token": ENDED}, {}),
        (CredentialsError, HtmlPage(), {"token": prefixed}, {}),
    ],
)
async def test_other_errors_of_a_walk_show_no_secret(
    service: FakeVideoSDK, watch: Watch, ending: Any
) -> None:
    """Causes are a timeout, a list that keeps changing, or a wrong checkpoint, clock or token."""
    error_class, fault, options, walking = ending
    service.every(1, fault)
    async with service.client(**options) as client:
        error = await failure(walk(client, **walking))
        assert type(error) is error_class
        assert watch.leaks(error, client, of=(ENDED, *minted(service))) == set()


# Arguments.


PEM: Final = "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----"


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": KEY, "secret": SECRET, "token": TOKEN},
        {"api_key": KEY, "secret": SECRET, "max_in_flight": 0},
        {"api_key": KEY, "secret": SECRET.encode()},
        {"api_key": KEY, "secret": SECRET + "\udce9"},
        {
            "api_key": KEY,
            "secret": f"-----BEGIN PUBLIC KEY-----\n{SECRET}\n-----END PUBLIC KEY-----",
        },
        {"api_key": KEY, "secret": f"ssh-rsa {SECRET}"},
        {"token": f"Bearer {TOKEN}"},
        {"token": OPAQUE.encode()},
        {"token": f"{OPAQUE}\n"},
        *(
            {"token": TOKEN, "proxy": proxy}
            for proxy in (f"socks5://{LOGIN}@h", f"http://{USER}:{OPAQUE}@h:1", f"{LOGIN}@h:1")
        ),
        *(
            {"token": TOKEN, "endpoint": endpoint}
            for endpoint in (f"https://{LOGIN}@h", f"https://h?x={OPAQUE}", f"https://h:{USER}")
        ),
    ],
)
async def test_invalid_arguments_show_no_secret(watch: Watch, given: Any) -> None:
    """The traceback includes the frames of the constructor."""
    with pytest.raises(ConfigurationError) as caught:
        TranscriptsClient(**given)
    assert watch.leaks(caught.value) == set()


def test_token_callable_shows_no_bound_arguments() -> None:
    """The repr of a partial shows its arguments."""
    with pytest.raises(ConfigurationError) as caught:
        TranscriptsClient(token=partial(provide, OPAQUE), max_in_flight=0)
    assert found_in(report(caught.value)) == set()


@pytest.mark.parametrize("cut", [slice(0, 9), slice(None), 3])
def test_slice_of_secret_is_hidden(cut: Any) -> None:
    """Tools that show locals shorten a long string before they take its repr."""
    assert repr(Secret(OPAQUE)[cut]) == "'***'"
    assert Secret(OPAQUE)[cut] == OPAQUE[cut]


@pytest.mark.parametrize(
    "variables",
    [
        {"VIDEOSDK_SECRET": SECRET},
        {"VIDEOSDK_TOKEN": f"Bearer {TOKEN}"},
        {"VIDEOSDK_API_KEY": KEY, "VIDEOSDK_SECRET": f"{SECRET}\udce9"},
        {"VIDEOSDK_TOKEN": TOKEN, "VIDEOSDK_API_ENDPOINT": f"https://{LOGIN}@h"},
        {"VIDEOSDK_TOKEN": TOKEN, "VIDEOSDK_FILE_HOSTS": f"h.example,https://h/?x={SIGNATURE}"},
        {"VIDEOSDK_TOKEN": TOKEN, "https_proxy": f"socks5://{LOGIN}@h", "no_proxy": ""},
        {"VIDEOSDK_TOKEN": TOKEN, "https_proxy": f"//{LOGIN}@h:port", "no_proxy": ""},
    ],
)
async def test_variables_show_no_secret(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """The environment does not either; a frame could contain it as a whole."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        TranscriptsClient(trust_env=True)
    assert watch.leaks(caught.value) == set()
