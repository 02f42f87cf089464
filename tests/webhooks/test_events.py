"""Webhook events: verified, then read into typed values."""

import ast
import base64
import copy
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

import videosdk_transcripts
from videosdk_transcripts import (
    BadRequestError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    PostTranscription,
    Transcription,
    TranscriptionEvent,
    TranscriptsClient,
    WebhookBodyError,
    WebhookError,
    WebhookEvent,
    WebhookSignatureError,
    verify_webhook,
)
from videosdk_transcripts.testing import FakeVideoSDK, SeenRequest, Status, Webhooks
from videosdk_transcripts.testing._webhooks import _key_pair

WEBHOOKS = Webhooks()
DATA = {
    "id": "abc",
    "type": "realtime",
    "meetingId": "abcd-efgh-ijkl",
    "sessionId": "64f1a2b3c4d5e6f708192a3b",
}
DATA_ROW = {"id": "abc", "roomId": "abcd-efgh-ijkl", "sessionId": "64f1a2b3c4d5e6f708192a3b"}
STOPPED = "transcription-stopped"


def verify(body: Any) -> WebhookEvent:
    """Sign and verify a body, which is serialized to JSON unless it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return verify_webhook(raw, WEBHOOKS.sign(raw), WEBHOOKS.public_key)


def body_error(body: Any) -> str:
    """Return the message of the error for a signed body, which has no context."""
    with pytest.raises(WebhookBodyError) as caught:
        verify(body)
    assert caught.value.__context__ is None
    return caught.value.message


# Reading.


@pytest.mark.parametrize("word", ["started", "stopped", "completed", "failed"])
def test_transcription_event_has_id_room_and_session(word: str) -> None:
    """Events of all four types have them."""
    event = verify({"webhookType": f"transcription-{word}", "data": DATA})
    assert isinstance(event, TranscriptionEvent)
    assert (event.id, event.kind) == ("abc", "realtime")
    assert (event.room_id, event.session_id) == (DATA["meetingId"], DATA["sessionId"])
    assert event.key == (f"transcription-{word}", "abc")
    assert (event.data, event.extra) == (DATA, {})
    states = [event.is_started, event.is_stopped, event.is_completed, event.is_failed]
    assert states == [word == name for name in ("started", "stopped", "completed", "failed")]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [("post", "post"), ("post-call", "post"), ("realtime", "realtime"), ("new", "new"), ("", None)],
)
def test_post_call_is_normalized_to_post(sent: str, kind: str | None) -> None:
    """Public programs use two words for it; unknown words are kept."""
    event = verify({"webhookType": STOPPED, "data": {**DATA, "type": sent}})
    assert event.kind == kind
    assert event.data["type"] == sent


@pytest.mark.parametrize(
    ("ids", "room_id"),
    [
        ({"meetingId": "a", "roomId": "b"}, "a"),
        ({"roomId": "b"}, "b"),
        ({"meetingId": None, "roomId": "b"}, "b"),
        ({}, None),
    ],
)
def test_room_id_is_read_from_both_names(ids: dict[str, str], room_id: str | None) -> None:
    """``meetingId`` in webhooks, ``roomId`` in the rest of the API."""
    assert verify({"webhookType": STOPPED, "data": {"id": "abc", **ids}}).room_id == room_id


def test_type_is_read_from_older_name() -> None:
    """Like the vendor's Node SDK, it reads ``type`` if there is no ``webhookType``."""
    assert isinstance(verify({"type": STOPPED, "data": DATA}), TranscriptionEvent)
    both = verify({"webhookType": "room-closed", "type": STOPPED, "data": DATA})
    assert (both.type, both.extra) == ("room-closed", {"type": STOPPED})


@pytest.mark.parametrize("body", [{}, {"webhookType": None}, {"webhookType": ""}])
def test_object_without_a_type_is_an_unknown_event(body: dict[str, Any]) -> None:
    """No data is lost, and its key has a digest."""
    sent = {**body, "data": {"id": "x", "roomId": "r"}, "summary": "They met."}
    event = verify(sent)
    assert type(event) is WebhookEvent
    assert (event.type, event.id, event.room_id) == ("", "x", "r")
    assert event.extra == {"summary": "They met."}
    flat = verify({**body, "callId": 5, "type": ["x"]})
    assert (flat.type, flat.id, flat.extra) == ("", None, {"callId": 5, "type": ["x"]})
    assert flat.key != verify({**body, "callId": 6, "type": ["x"]}).key


def test_completed_event_may_have_an_id_and_a_room_alone() -> None:
    """A draft of the vendor's pages shows this."""
    body, headers = WEBHOOKS.event("transcription-completed", DATA_ROW, kind=None)
    assert json.loads(body)["data"] == {"id": "abc", "roomId": "abcd-efgh-ijkl"}
    event = verify_webhook(body, headers["videosdk-signature"], WEBHOOKS.public_key)
    assert isinstance(event, TranscriptionEvent)
    assert (event.id, event.room_id) == ("abc", "abcd-efgh-ijkl")
    assert (event.kind, event.session_id) == (None, None)
    flat = {"id": "abc", "roomId": "r"}
    event = verify({"webhookType": "transcription-completed", **flat})
    assert isinstance(event, TranscriptionEvent)
    assert (event.id, event.room_id, event.data, event.extra) == ("abc", "r", flat, {})


@pytest.mark.parametrize(
    ("data", "event"),
    [
        ({"id": "x", "meetingId": "r"}, {"id": "x", "room_id": "r"}),
        ({"id": 5, "type": ["x"], "sessionId": {}}, {"id": None}),
        ({}, {"id": None}),
    ],
)
def test_other_events_keep_unexpected_values_in_data(data: Any, event: dict[str, Any]) -> None:
    """Such values are not an error."""
    found = verify({"webhookType": "participant-joined", "data": data, "more": 1})
    assert found == WebhookEvent(type="participant-joined", data=data, extra={"more": 1}, **event)
    assert type(found) is WebhookEvent


@pytest.mark.parametrize("body", [{"data": None}, {"data": [1]}, {}])
def test_other_events_keep_unexpected_data_in_extra(body: dict[str, Any]) -> None:
    """Data may be absent or not an object."""
    found = verify({"webhookType": "session-ended", **body})
    assert (found.data, found.extra) == ({}, body)


def test_events_without_id_have_distinct_keys() -> None:
    """Their key has a digest of the data."""
    one, again, other = (
        verify({"webhookType": "participant-joined", "data": data})
        for data in ({"a": 1, "b": "\ud800"}, {"b": "\ud800", "a": 1}, {"a": 2})
    )
    assert one.key == again.key != other.key
    assert one.key[0] == "participant-joined"
    assert len(one.key[1]) == 64


def test_event_is_a_frozen_picklable_value() -> None:
    """Slotted, equal by value, hashable; its repr shows no data."""
    event = verify({"webhookType": STOPPED, "data": {**DATA, "text": "what was said"}})
    assert pickle.loads(pickle.dumps(event)) == copy.deepcopy(event) == event
    assert len({event, copy.copy(event)}) == 1
    assert not hasattr(event, "__dict__")
    with pytest.raises(AttributeError):
        event.id = "other"  # type: ignore[misc]
    assert "said" not in repr(event)
    assert "abc" in repr(event)


@pytest.mark.parametrize("key_format", ["pkcs1", "spki"])
@pytest.mark.parametrize("convert", [str, str.encode, str.strip, lambda pem: f" \r\n{pem}\n\n"])
def test_pkcs1_and_spki_keys_are_accepted(key_format: Any, convert: Any) -> None:
    """A key may have a leading line break, as in public programs, and may be text or bytes."""
    webhooks = Webhooks()
    webhooks.key_format = key_format
    label = "BEGIN RSA PUBLIC" if key_format == "pkcs1" else "BEGIN PUBLIC"
    assert webhooks.public_key.startswith(f"\n-----{label} KEY-----\n")
    body, headers = webhooks.event(STOPPED, {"id": "abc"})
    event = verify_webhook(body, headers["videosdk-signature"], convert(webhooks.public_key))
    assert event.id == "abc"


# Rejected signatures.


def test_wrong_key_or_modified_body_is_rejected() -> None:
    """The error has no cause and no context."""
    body = json.dumps({"webhookType": STOPPED, "data": DATA}).encode()
    signature = WEBHOOKS.sign(body)
    other = Webhooks()
    other.rotate()
    for raw, key in (
        (body, other.public_key),
        (body + b" ", WEBHOOKS.public_key),
        (body.replace(b"stopped", b"started"), WEBHOOKS.public_key),
        (b"", WEBHOOKS.public_key),
    ):
        with pytest.raises(WebhookSignatureError, match="does not match the public key") as caught:
            verify_webhook(raw, signature, key)
        assert caught.value.__context__ is caught.value.__cause__ is None
        assert "abc" not in str(caught.value)


def test_signature_with_another_hash_is_rejected() -> None:
    """Even if the key is right."""
    signature = base64.b64encode(_key_pair(0).sign(b"{}", padding.PKCS1v15(), SHA512())).decode()
    with pytest.raises(WebhookSignatureError):
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)


@pytest.mark.parametrize("signature", [None, ""])
def test_missing_signature_is_rejected(signature: str | None) -> None:
    """The error names the header."""
    with pytest.raises(WebhookSignatureError, match="there is no signature; .*videosdk-signature"):
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)


GOOD = WEBHOOKS.sign(b"{}")


@pytest.mark.parametrize(
    "signature",
    [
        "?",
        "not base64",
        "sigé",
        "\ud800",
        "=",
        f" {GOOD}",
        f"{GOOD}\n",
        GOOD.rstrip("="),
        f"{GOOD}AAAA",
        f"{GOOD[:20]}\n{GOOD[20:]}",
        # Bits beyond the last byte.
        f"{GOOD[:-3]}{chr(ord(GOOD[-3]) + 1)}==",
        "-_-_",
    ],
    ids=range(12),
)
def test_only_canonical_base64_is_accepted(signature: str) -> None:
    """No character is skipped or repaired."""
    with pytest.raises(WebhookSignatureError, match="not valid base64") as caught:
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("size", [1, 255, 257, 5000])
def test_signature_of_wrong_length_is_rejected(size: int) -> None:
    """It is rejected like the signature of another key."""
    with pytest.raises(WebhookSignatureError, match="does not match the public key"):
        verify_webhook(b"{}", base64.b64encode(bytes(size)).decode(), WEBHOOKS.public_key)


# Signed bodies that can't be read.


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b'{"webhookType": NaN}', b"\xff\xfe\xfd", b"[" * 100_000],
)
def test_signed_body_that_is_not_json_is_rejected(body: bytes) -> None:
    """The error has its size, and none of its content."""
    assert body_error(body) == (
        f"the signature of the webhook is valid, but its {len(body)} bytes are not valid JSON"
    )


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        ([1], "$", "is of type list"),
        ("text", "$", "is of type str"),
        ({"webhookType": 5, "type": STOPPED}, "$.webhookType", "is of type int"),
        ({"webhookType": STOPPED}, "$.data", "is absent or null"),
        ({"webhookType": STOPPED, "data": ["secret"]}, "$.data", "is of type list"),
        ({"webhookType": STOPPED, "data": {}}, "$.data.id", "is absent or null"),
        ({"webhookType": STOPPED, "data": {"id": ""}}, "$.data.id", "is empty"),
        ({"webhookType": STOPPED, "data": {"id": 7}}, "$.data.id", "is of type int"),
        *(
            ({"webhookType": STOPPED, "data": {**DATA, key: False}}, f"$.data.{key}", "type bool")
            for key in ("type", "meetingId", "roomId", "sessionId")
        ),
    ],
)
def test_wrong_value_is_reported_by_path_and_type(body: Any, path: str, found: str) -> None:
    """The error does not contain the value."""
    text = body_error(body)
    assert f" {path} " in text
    assert found in text
    assert "secret" not in text


def test_deeply_nested_body_is_rejected() -> None:
    """It could not be copied or pickled."""
    body: Any = {}
    for _ in range(150):
        body = {"in": body}
    assert "100 levels" in body_error({"webhookType": "x", "data": body})


def test_body_above_one_mebibyte_is_rejected() -> None:
    """Before the signature is checked."""
    start, end = b'{"webhookType": "x", "data": {"a": "', b'"}}'
    full = start + b"x" * (1024 * 1024 - len(start) - len(end)) + end
    assert verify(full).type == "x"
    with pytest.raises(WebhookBodyError, match="1048577 bytes, more than the 1048576"):
        verify_webhook(full + b" ", "AAAA", WEBHOOKS.public_key)


# Wrong arguments.


@pytest.mark.parametrize("body", ["{}", {}, None, bytearray(b"{}")])
def test_body_must_be_bytes(body: Any) -> None:
    """A body parsed by a framework does not have the signed bytes."""
    with pytest.raises(
        ConfigurationError, match="pass the raw body of the request, not the parsed one"
    ):
        verify_webhook(body, GOOD, WEBHOOKS.public_key)


@pytest.mark.parametrize("signature", [b"AAAA", ["AAAA"], 5])
def test_signature_must_be_a_string(signature: Any) -> None:
    """The value of a header is text."""
    with pytest.raises(ConfigurationError, match="signature must be a string"):
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)


def pem_of(key: Any) -> bytes:
    """Return a public key in SPKI."""
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


PRIVATE = _key_pair(0).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        (None, "must be a string or bytes, not NoneType"),
        ("", "is not valid PEM"),
        ("no key \ud800", "is not valid PEM"),
        (re.sub("\n|-----.*?-----", "", WEBHOOKS.public_key), "between the lines -----BEGIN PUB"),
        (WEBHOOKS.public_key[:200], "is not valid PEM"),
        (PRIVATE, "contains a private key"),
        (PRIVATE.decode() + WEBHOOKS.public_key, "contains a private key"),
        (pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()), "is not an RSA key"),
        (
            pem_of(RSAPublicNumbers(65537, 2**2046 + 1).public_key()),
            "has 2047 bits, fewer than 2048",
        ),
    ],
    ids=["none", "empty", "garbage", "base64", "cut", "private", "both", "EC", "2047"],
)
def test_unusable_key_is_rejected(key: Any, fault: str) -> None:
    """The error names the problem and the source of the right key, and shows none of the key."""
    with pytest.raises(ConfigurationError, match=fault) as caught:
        verify_webhook(b"{}", GOOD, key)
    assert "/v2/public/rsa-public-key" in str(caught.value)
    assert caught.value.__context__ is None
    assert "MII" not in str(caught.value)


# Without the extra.


def test_missing_cryptography_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command to install it."""
    key = WEBHOOKS.public_key
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'videosdk-transcripts\[webhooks\]'"):
        verify_webhook(b"{}", GOOD, key)


def test_everything_else_works_without_cryptography() -> None:
    """This includes the client, the fake service, the events and the imports of functions."""
    code = """
import asyncio, sys
sys.modules["cryptography"] = None
from videosdk_transcripts import WebhookEvent
from videosdk_transcripts.webhooks import verify_webhook
from videosdk_transcripts.testing import FakeVideoSDK

async def main():
    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(3)
        async with fake.client() as client:
            print(await client.count(), WebhookEvent(type="x", id="y").key)

asyncio.run(main())
"""
    done = subprocess.run(  # noqa: S603 - a constant
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.stdout, done.stderr) == ("3 ('x', 'y')\n", "")


def test_importing_webhooks_loads_no_large_library() -> None:
    """P16: it loads neither cattrs nor aiohttp nor cryptography."""
    code = (
        "import sys; from videosdk_transcripts.webhooks import verify_webhook; print(*sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - a constant
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert not set(done.stdout.split()) & {"cattrs", "aiohttp", "jwt", "tenacity", "cryptography"}


IMPORTS = ("import cryptography", "from cryptography")


def test_cryptography_is_imported_only_when_used() -> None:
    """No module of the package imports it at the top level."""
    package = Path(videosdk_transcripts.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not ast.unparse(node).startswith(IMPORTS), path


# Fetching.


@pytest.mark.parametrize("kind", ["realtime", "post", "post-call", "new", None])
async def test_fetch_returns_the_transcription_of_either_kind(
    fake: FakeVideoSDK, client: TranscriptsClient, kind: str | None
) -> None:
    """The kind that the event names is requested first."""
    rows = fake.add_transcription(), fake.add_post_transcription()
    found = []
    for row in rows:
        body, headers = fake.webhooks.event(STOPPED, row, kind=kind)
        event = await client.verify_webhook(body, headers["videosdk-signature"])
        assert isinstance(event, TranscriptionEvent)
        found.append(await event.fetch(client))
    assert [type(row) for row in found] == [Transcription, PostTranscription]
    assert [row.id for row in found] == [row["id"] for row in rows]
    # The key is requested once, and each row once or twice.
    assert len(fake.requests) == 1 + 3


@pytest.mark.parametrize("kind", ["realtime", "post"])
@pytest.mark.parametrize("status", [400, 402, 404])
async def test_fetch_of_unknown_id_raises_the_error_of_its_kind(
    fake: FakeVideoSDK, client: TranscriptsClient, kind: str, status: int
) -> None:
    """The status for an unknown id is undocumented."""
    fake.fail_next(Status(status), times=2)
    event = TranscriptionEvent(type="transcription-failed", id="unknown", kind=kind)
    with pytest.raises((NotFoundError, BadRequestError)) as caught:
        await event.fetch(client)
    assert caught.value.status == status
    assert ("recording" in caught.value.message) == (kind == "post")
    assert len(fake.requests) == 2


async def test_fetch_raises_other_errors_immediately(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Only an unknown id may be of the other kind."""
    fake.fail_next(Status(403))
    event = TranscriptionEvent(type="transcription-completed", id=fake.add_transcription()["id"])
    with pytest.raises(PermissionDeniedError):
        await event.fetch(client)
    assert len(fake.requests) == 1


# The fake service.


async def test_fake_service_sends_signed_webhooks(fake: FakeVideoSDK) -> None:
    """They are sent to a real handler, in the documented shape."""
    seen: list[WebhookEvent] = []

    async def handle(request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        try:
            event = verify_webhook(
                await request.read(),
                request.headers.get("videosdk-signature"),
                fake.webhooks.public_key,
            )
        except WebhookError:
            return web.Response(status=401)
        seen.append(event)
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    url = f"http://{host}:{port}/hook"

    row = fake.add_transcription()
    flat = {"id": "post-1", "roomId": "abcd-efgh-ijkl", "sessionId": "s"}
    try:
        assert await fake.webhooks.send(url, STOPPED, row) == 200
        assert await fake.webhooks.send(url, "transcription-failed", flat, kind="post-call") == 200
    finally:
        await runner.cleanup()
    assert [event.data for event in seen] == [
        {
            "id": row["id"],
            "type": "realtime",
            "meetingId": "abcd-efgh-ijkl",
            "sessionId": "64f1a2b3c4d5e6f708192a3b",
        },
        {"id": "post-1", "type": "post-call", "meetingId": "abcd-efgh-ijkl", "sessionId": "s"},
    ]
    assert [event.kind for event in seen] == ["realtime", "post"]
    assert fake.webhooks.key_requests == 0
    assert fake.requests == list[SeenRequest]()
