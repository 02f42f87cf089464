"""Arguments of every public entry point: other kinds of strings, wrong types, and secrets."""

import gc
import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from videosdk_transcripts import (
    ConfigurationError,
    RetryPolicy,
    Transcription,
    VideoSDKTranscriptsError,
    mint_token,
)
from videosdk_transcripts.testing import FakeVideoSDK

from .canaries import chain, frames_beyond
from .entry_points import ENTRY_POINTS, PARAMETERS, ROOM, SESSION, WRONG, EntryPoint, Stage


@pytest.fixture
async def stage(fake: FakeVideoSDK, tmp_path: Path) -> AsyncIterator[Stage]:
    """Return a service with its client, and valid arguments for each call."""
    async with fake.client(retry=RetryPolicy(attempts=1)) as client:
        found = Stage(fake, client, tmp_path)
        await found.prepare()
        yield found


def test_every_parameter_is_known() -> None:
    """A new one must be added to the table, so that the tests below cover it."""
    assert [str(one) for one in PARAMETERS if one.kind not in WRONG] == []
    assert len(PARAMETERS) > 80


async def test_every_entry_point_works_with_the_valid_arguments(stage: Stage) -> None:
    """Otherwise the tests below would pass for another reason."""
    for entry in ENTRY_POINTS.values():
        await stage.call(entry)


# Subclasses of str.


class Odd(str):
    """A string whose text is shown by none of the usual ways."""

    __slots__ = ()

    def __str__(self) -> str:
        return "Odd"

    def __format__(self, spec: str) -> str:
        return "Odd"

    def __hash__(self) -> int:
        return 1

    def strip(self, *characters: Any) -> str:
        return "Odd"

    lower = removeprefix = strip

    def encode(self, *how: Any) -> bytes:
        return b"Odd"


def member(text: str) -> str:
    """Return a member of ``class Odd(str, Enum)``, with the text as its value."""
    return Enum("Odd", {"MEMBER": text}, type=str)["MEMBER"]  # type: ignore[return-value]


def each_string(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value with each of its strings changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return tuple(map(change, value))
    return {change(k): change(v) for k, v in value.items()} if isinstance(value, dict) else value


def sent(fake: FakeVideoSDK) -> list[Any]:
    """Return what the service received, without the tokens, which hold a time."""
    everything = [*fake.requests, *fake.files.requests]
    claims = [
        jwt.decode(seen.headers["Authorization"], fake.secret, algorithms=["HS256"])["apikey"]
        for seen in fake.requests
    ]
    return [*[(s.method, s.path, dict(s.query), s.body, s.status) for s in everything], *claims]


def of_kinds(*kinds: str) -> list[EntryPoint]:
    """Return the entry points that have a parameter of one of the kinds."""
    return [e for e in ENTRY_POINTS.values() if any(one.kind in kinds for one in e.parameters)]


def exact(value: object) -> bool:
    """Return whether a result has no other strings than exact ones."""
    return "Odd" not in repr(value) and "Odd" not in str(value)


OF_STRINGS: Final = (
    *("credential", "endpoint", "hosts", "key", "proxy", "id", "row or id", "names", "word"),
    *("words", "format", "formats", "checkpoint", "prompt", "URL", "directory", "signature"),
    *("text", "time"),
)
"""The kinds of parameters that take strings."""


@pytest.mark.parametrize("change", [member, Odd])
@pytest.mark.parametrize("entry", of_kinds(*OF_STRINGS), ids=str)
async def test_subclass_of_str_is_read_as_its_text(
    tmp_path: Path, entry: EntryPoint, change: Callable[[str], str]
) -> None:
    """Requests and results are the same as with the text itself."""
    requests: list[Any] = []
    results: list[Any] = []
    for changed in (str, change):
        async with FakeVideoSDK() as fake:
            async with fake.client(retry=RetryPolicy(attempts=1)) as client:
                stage = Stage(fake, client, tmp_path / str(len(requests)))
                await stage.prepare()
                values = {
                    one.name: each_string(stage.value(one), changed)
                    for one in entry.parameters
                    if one.kind in OF_STRINGS
                }
                assert None not in values.values()
                results.append(await stage.call(entry, **values))
            assert exact(fake.rows)
            requests.append(sent(fake))
    assert requests[0] == requests[1]
    assert exact(results[1])
    if not entry.is_method:  # their results name the address of the service, or times
        assert results[0] == results[1]


@pytest.mark.parametrize("change", [member, Odd])
async def test_token_of_a_subclass_of_str_is_sent_as_its_text(
    stage: Stage, change: Callable[[str], str]
) -> None:
    """The token may be a string or the result of a callable."""
    token = change(mint_token(stage.fake.api_key, stage.fake.secret))

    async def provide() -> str:
        return token

    for given in (token, provide):
        assert await stage.call(ENTRY_POINTS["TranscriptsClient"], token=given) == 1
    assert "Odd" not in "".join(seen.headers["Authorization"] for seen in stage.fake.requests)


@pytest.mark.parametrize("change", [member, Odd])
async def test_row_with_ids_of_a_subclass_of_str_is_read_again(
    stage: Stage, change: Callable[[str], str]
) -> None:
    """A caller may create a row from a stored id."""
    row = Transcription(change(stage.fake.rows[0]["id"]))
    assert (await stage.client.wait_until_ready(row)).id == stage.fake.rows[0]["id"]


@pytest.mark.parametrize("change", [member, Odd])
async def test_fake_service_accepts_subclasses_of_str(change: Callable[[str], str]) -> None:
    """They may be in its credentials, in rows and in the names of files."""
    key, secret = change("key"), change("a-secret-of-more-than-32-bytes")
    async with FakeVideoSDK(api_key=key, secret=secret) as fake:
        for add in (fake.add_transcription, fake.add_post_transcription):
            add(
                row_id=change("one"),
                room_id=change(ROOM),
                session_id=change(SESSION),
                status=change("completed"),
                formats=[change("txt")],
            )
            fake.add_session(change(ROOM))
        fake.files.put(change("one"), change("txt"), b"Ann: Yes.")
        assert exact([fake.rows, fake.post_rows, fake.environ])
        async with fake.client() as client:
            row = await client.get_transcription("one")
            assert await client.fetch_text(row) == "Ann: Yes."
            assert await client.count(ROOM, SESSION) == 1


# Wrong types and values.

# What an error calls an argument that it does not name.
NAMED: Final = {
    "public_key": "the public key",
    "webhook_public_key": "the public key",
    "formats": "format",
    "transcriptions": "an async iterable of rows",
}


def wrong_values(entry: EntryPoint) -> Iterator[tuple[str, Any]]:
    """Iterate over the arguments that an entry point must refuse."""
    for parameter in entry.parameters:
        for value in WRONG[parameter.kind]:
            yield parameter.name, value
        if not parameter.is_optional:
            yield parameter.name, None


@pytest.mark.parametrize("entry", ENTRY_POINTS.values(), ids=str)
async def test_wrong_value_raises_before_a_request(stage: Stage, entry: EntryPoint) -> None:
    """It is a ConfigurationError, which is also a ValueError; and nothing stays open."""
    accepted: list[object] = []
    for name, value in wrong_values(entry):
        try:
            await stage.call(entry, **{name: value})
        except ConfigurationError as error:
            assert (error.__cause__, error.__context__) == (None, None)
            named = rf"\b({name}|{NAMED.get(name, name)})\b"
            assert re.search(named, str(error)), (name, str(error))
            # Before Python 3.12 the repr of a local that fails ends the report of the error.
            assert name in shown(error)
        else:
            accepted.append((name, value))
    assert accepted == []
    assert stage.fake.requests == stage.fake.files.requests == []
    # A session that was not closed warns when it is collected, which fails the test.
    gc.collect()


async def test_trailing_line_break_of_key_and_secret_is_removed(stage: Stage) -> None:
    """This is the same as for environment variables: files end with one."""
    key, secret = f"{stage.fake.api_key}\n", f" {stage.fake.secret}\r\n"
    entry = ENTRY_POINTS["TranscriptsClient"]
    assert await stage.call(entry, api_key=key, secret=secret) == 1
    stripped = await stage.call(ENTRY_POINTS["mint_token"], api_key="key\n")
    assert stripped == await stage.call(ENTRY_POINTS["mint_token"])


@pytest.mark.parametrize(
    "change",
    [
        lambda pem: pem.strip().replace("\n", "\\n"),
        lambda pem: pem.strip().replace("\n", "\\r\\n"),
        lambda pem: f'"{pem.strip()}"'.replace("\n", "\\n"),
        lambda pem: pem.replace("\n", "\r\n").encode(),
        lambda pem: pem.replace("\n", "\\n").encode(),
    ],
    ids=["env file", "CRLF of an env file", "quoted", "bytes", "bytes of an env file"],
)
async def test_public_key_is_accepted_as_env_files_hold_it(
    stage: Stage, change: Callable[[str], Any]
) -> None:
    """The function accepts it, and the client, which checks it in the constructor."""
    key = change(stage.fake.webhooks.public_key)
    body, headers = stage.fake.webhooks.event("transcription-stopped", stage.fake.rows[0])
    async with stage.fake.client(webhook_public_key=key) as client:
        event = await client.verify_webhook(body, headers["videosdk-signature"])
    assert event == await stage.call(ENTRY_POINTS["verify_webhook"], public_key=key)
    assert stage.fake.webhooks.key_requests == 0


# Secrets passed by mistake.

_KEY: Final = generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE: Final = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
BARE: Final = "".join(PRIVATE.split("\n")[1:-2])
TOKEN: Final = jwt.encode({"apikey": "canary", "exp": 2e9}, "canary-secret" * 5)
SIGNED: Final = f"https://user:pass@cdn.videosdk.live/t.txt?X-Amz-Signature={'canary' * 9}"
MISTAKES: Final = {
    "private key": PRIVATE,
    "private key of an env file": PRIVATE.replace("\n", "\\n"),
    "private key as bytes": PRIVATE.encode(),
    "base64 of a private key": BARE,
    "prefixed token": f"Bearer {TOKEN}",
    "token": TOKEN,
    "signed URL": SIGNED,
    "list": [SIGNED, PRIVATE],
}
CANARIES: Final = (BARE[40:80], TOKEN.split(".")[1], TOKEN[-20:], "canary" * 3, "user:pass")

# Numbers and free text are not masked.
MASKED: Final = (
    *("credential", "token", "session", "endpoint", "object", "hosts", "key", "proxy", "id"),
    *("row", "row or id", "rows", "format", "formats", "checkpoint", "URL", "body", "signature"),
)


def shown(error: BaseException) -> str:
    """Return an error with the locals of all frames, as an error tracker records them."""
    found = [str(error), repr(error)]
    for one in chain(error):
        bare = one.with_traceback(frames_beyond(one))
        found += traceback.TracebackException.from_exception(bare, capture_locals=True).format()
    return "\n".join(found).replace("\\n", "")


@pytest.mark.parametrize("entry", of_kinds(*MASKED), ids=str)
async def test_secret_passed_by_mistake_is_not_shown(stage: Stage, entry: EntryPoint) -> None:
    """It is neither in the error nor in the locals of its traceback."""
    shown_in: list[tuple[str, str]] = []
    refused = set()
    masked = [one.name for one in entry.parameters if one.kind in MASKED]
    for name, (kind, mistake) in product(masked, MISTAKES.items()):
        try:
            await stage.call(entry, **{name: mistake})
        except VideoSDKTranscriptsError as error:
            refused.add(name)
            text = shown(error)
            assert "videosdk_transcripts" in text
            assert error.__context__ is None
            if any(canary in text for canary in CANARIES):
                shown_in.append((name, kind))
    assert shown_in == []
    assert refused == set(masked)
