"""Webhooks: only genuine ones are read, and what they say has a type."""

import ast
import base64
import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

import videosdk_transcripts
from videosdk_transcripts import (
    ConfigurationError,
    TranscriptionEvent,
    WebhookBodyError,
    WebhookError,
    WebhookEvent,
    WebhookSignatureError,
    verify_webhook,
)
from videosdk_transcripts.testing import FakeVideoSDK, SeenRequest, Webhooks
from videosdk_transcripts.testing._webhooks import _key_pair

WEBHOOKS = Webhooks()
DATA = {
    "id": "abc",
    "type": "realtime",
    "meetingId": "abcd-efgh-ijkl",
    "sessionId": "64f1a2b3c4d5e6f708192a3b",
}
STOPPED = "transcription-stopped"


def verify(body: Any) -> WebhookEvent:
    """Sign a body, of JSON unless it is bytes, and verify it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return verify_webhook(raw, WEBHOOKS.sign(raw), WEBHOOKS.public_key)


def body_error(body: Any) -> str:
    """Return the text of the error for a body that is signed, and is chained to nothing."""
    with pytest.raises(WebhookBodyError) as caught:
        verify(body)
    assert caught.value.__context__ is None
    return caught.value.message


# What one says.


@pytest.mark.parametrize("word", ["started", "stopped", "failed"])
def test_a_transcription_event(word: str) -> None:
    """The three have the id, the room, the session and the word."""
    event = verify({"webhookType": f"transcription-{word}", "data": DATA})
    assert isinstance(event, TranscriptionEvent)
    assert (event.id, event.kind) == ("abc", "realtime")
    assert (event.room_id, event.session_id) == (DATA["meetingId"], DATA["sessionId"])
    assert event.key == (f"transcription-{word}", "abc")
    assert (event.data, event.extra) == (DATA, {})
    assert [event.is_started, event.is_stopped, event.is_failed] == [
        word == "started",
        word == "stopped",
        word == "failed",
    ]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [("post", "post"), ("post-call", "post"), ("realtime", "realtime"), ("new", "new"), ("", None)],
)
def test_post_and_post_call_are_one(sent: str, kind: str | None) -> None:
    """The vendor has two words for it; any other one survives."""
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
def test_the_room_has_two_names(ids: dict[str, str], room_id: str | None) -> None:
    """``meetingId`` in webhooks, ``roomId`` in the rest of the API."""
    assert verify({"webhookType": STOPPED, "data": {"id": "abc", **ids}}).room_id == room_id


def test_the_type_may_stand_under_its_older_name() -> None:
    """As the vendor's Node SDK has it: ``type``, where there is no ``webhookType``."""
    assert isinstance(verify({"type": STOPPED, "data": DATA}), TranscriptionEvent)
    both = verify({"webhookType": "room-closed", "type": STOPPED, "data": DATA})
    assert (both.type, both.extra) == ("room-closed", {"type": STOPPED})


@pytest.mark.parametrize(
    ("data", "event"),
    [
        ({"id": "x", "meetingId": "r"}, {"id": "x", "room_id": "r"}),
        ({"id": 5, "type": ["x"], "sessionId": {}}, {"id": None}),
        ({}, {"id": None}),
    ],
)
def test_other_events_are_open(data: Any, event: dict[str, Any]) -> None:
    """What is not understood stands in the data as it was sent, and is no error."""
    found = verify({"webhookType": "participant-joined", "data": data, "more": 1})
    assert found == WebhookEvent(type="participant-joined", data=data, extra={"more": 1}, **event)
    assert type(found) is WebhookEvent


@pytest.mark.parametrize("body", [{"data": None}, {"data": [1]}, {}])
def test_other_events_may_have_no_data(body: dict[str, Any]) -> None:
    """Then what stands in its place is kept beside it."""
    found = verify({"webhookType": "session-ended", **body})
    assert (found.data, found.extra) == ({}, body)


def test_events_without_an_id_are_told_apart() -> None:
    """Their key is a digest, so that dropping repeats drops no other event."""
    one, again, other = (
        verify({"webhookType": "participant-joined", "data": data})
        for data in ({"a": 1, "b": "\ud800"}, {"b": "\ud800", "a": 1}, {"a": 2})
    )
    assert one.key == again.key != other.key
    assert one.key[0] == "participant-joined"
    assert len(one.key[1]) == 64


def test_an_event_is_a_plain_value() -> None:
    """Frozen, slotted, equal by value, hashed; it survives a pickle and shows no data."""
    event = verify({"webhookType": STOPPED, "data": {**DATA, "text": "what was said"}})
    assert pickle.loads(pickle.dumps(event)) == copy.deepcopy(event) == event
    assert len({event, copy.copy(event)}) == 1
    assert not hasattr(event, "__dict__")
    with pytest.raises(AttributeError):
        event.id = "other"  # type: ignore[misc]
    assert "said" not in repr(event)
    assert "abc" in repr(event)


@pytest.mark.parametrize("form", ["pkcs1", "spki"])
@pytest.mark.parametrize("dress", [str, str.encode, str.strip, lambda pem: f" \r\n{pem}\n\n"])
def test_both_forms_of_the_key(form: Any, dress: Any) -> None:
    """PKCS#1 behind a line break, as the service writes it, and SPKI; text or bytes."""
    webhooks = Webhooks()
    webhooks.key_format = form
    label = "BEGIN RSA PUBLIC" if form == "pkcs1" else "BEGIN PUBLIC"
    assert webhooks.public_key.startswith(f"\n-----{label} KEY-----\n")
    body, headers = webhooks.event(STOPPED, {"id": "abc"})
    event = verify_webhook(body, headers["videosdk-signature"], dress(webhooks.public_key))
    assert event.id == "abc"


# What is not genuine.


def test_a_wrong_key_and_a_changed_body() -> None:
    """Neither passes, and the error is chained to nothing."""
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
        with pytest.raises(WebhookSignatureError, match="not of this public key") as caught:
            verify_webhook(raw, signature, key)
        assert caught.value.__context__ is caught.value.__cause__ is None
        assert "abc" not in str(caught.value)


def test_another_hash_is_refused() -> None:
    """A signature of the right key over SHA-512 is none."""
    signature = base64.b64encode(_key_pair(0).sign(b"{}", padding.PKCS1v15(), SHA512())).decode()
    with pytest.raises(WebhookSignatureError):
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)


@pytest.mark.parametrize("signature", [None, ""])
def test_no_signature(signature: str | None) -> None:
    """The text names the header."""
    with pytest.raises(WebhookSignatureError, match="no signature; .*videosdk-signature"):
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
        # Bits that no byte has room for.
        f"{GOOD[:-3]}{chr(ord(GOOD[-3]) + 1)}==",
        "-_-_",
    ],
    ids=range(12),
)
def test_base64_is_strict(signature: str) -> None:
    """There is one way to write a signature, and no garbage is skipped."""
    with pytest.raises(WebhookSignatureError, match="no base64") as caught:
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("size", [1, 255, 257, 5000])
def test_a_signature_of_another_length(size: int) -> None:
    """Base64 of anything is refused like the signature of another key."""
    with pytest.raises(WebhookSignatureError, match="not of this public key"):
        verify_webhook(b"{}", base64.b64encode(bytes(size)).decode(), WEBHOOKS.public_key)


# What is signed, and can't be read.


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b'{"webhookType": NaN}', b"\xff\xfe\xfd", b"[" * 100_000],
)
def test_a_body_that_is_not_json(body: bytes) -> None:
    """The text tells its size, and nothing of it."""
    assert body_error(body) == f"the webhook is signed, but its {len(body)} bytes are no JSON"


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        ([1], "$", "is of type list"),
        ("text", "$", "is of type str"),
        ({}, "$.webhookType", "is absent or null"),
        ({"webhookType": None, "type": 5}, "$.type", "is of type int"),
        ({"webhookType": 5, "type": STOPPED}, "$.webhookType", "is of type int"),
        ({"webhookType": ""}, "$.webhookType", "is empty"),
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
def test_the_place_of_a_wrong_value(body: Any, path: str, found: str) -> None:
    """The text tells its JSON path and its type, and not the value."""
    text = body_error(body)
    assert f" {path} " in text
    assert found in text
    assert "secret" not in text


def test_a_body_that_is_nested_deep() -> None:
    """It could be neither copied nor pickled."""
    body: Any = {}
    for _ in range(150):
        body = {"in": body}
    assert "100 levels" in body_error({"webhookType": "x", "data": body})


def test_a_large_body() -> None:
    """1 MiB is read; more is refused before the signature is looked at."""
    start, end = b'{"webhookType": "x", "data": {"a": "', b'"}}'
    full = start + b"x" * (1024 * 1024 - len(start) - len(end)) + end
    assert verify(full).type == "x"
    with pytest.raises(WebhookBodyError, match="1048577 bytes, more than the 1048576"):
        verify_webhook(full + b" ", "AAAA", WEBHOOKS.public_key)


# What is passed in wrongly.


@pytest.mark.parametrize("body", ["{}", {}, None, bytearray(b"{}")])
def test_a_body_that_is_not_bytes(body: Any) -> None:
    """A framework's parsed body has other bytes than the signed ones."""
    with pytest.raises(ConfigurationError, match="pass the raw bytes, not the parsed body"):
        verify_webhook(body, GOOD, WEBHOOKS.public_key)


@pytest.mark.parametrize("signature", [b"AAAA", ["AAAA"], 5])
def test_a_signature_that_is_not_text(signature: Any) -> None:
    """The header's value is text."""
    with pytest.raises(ConfigurationError, match="videosdk-signature as a string"):
        verify_webhook(b"{}", signature, WEBHOOKS.public_key)


def pem_of(key: Any) -> bytes:
    """Write a public key in SPKI."""
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


PRIVATE = _key_pair(0).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        (None, "is of type NoneType, not text"),
        ("", "can't be read as PEM"),
        ("no key \ud800", "can't be read as PEM"),
        (WEBHOOKS.public_key.replace("\n", "\\n"), "can't be read as PEM"),
        (WEBHOOKS.public_key[:200], "can't be read as PEM"),
        (PRIVATE, "holds a private key"),
        (PRIVATE.decode() + WEBHOOKS.public_key, "holds a private key"),
        (pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()), "is not of RSA"),
        (pem_of(rsa.generate_private_key(65537, 2040).public_key()), "has 2040 bits"),  # noqa: S505
    ],
    ids=["none", "empty", "garbage", "escaped", "cut", "private", "both", "EC", "2040"],
)
def test_a_key_that_is_no_public_rsa_key(key: Any, fault: str) -> None:
    """The text says what it is, where to get the right one, and shows nothing of it."""
    with pytest.raises(ConfigurationError, match=fault) as caught:
        verify_webhook(b"{}", GOOD, key)
    assert "/v2/public/rsa-public-key" in str(caught.value)
    assert caught.value.__context__ is None
    assert "MII" not in str(caught.value)


# Without the extra.


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error says what to install."""
    key = WEBHOOKS.public_key
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'videosdk-transcripts\[webhooks\]'"):
        verify_webhook(b"{}", GOOD, key)


def test_all_else_works_without_cryptography() -> None:
    """The client, the fake service and the classes of the events."""
    code = """
import asyncio, sys
sys.modules["cryptography"] = None
from videosdk_transcripts import WebhookEvent
from videosdk_transcripts.testing import FakeVideoSDK

async def main():
    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(3)
        async with fake.client() as client:
            print(await client.count(), WebhookEvent(type="x", id="y").key)

asyncio.run(main())
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.stdout, done.stderr) == ("3 ('x', 'y')\n", "")


IMPORTS = ("import cryptography", "from cryptography")


def test_cryptography_is_imported_where_it_is_used() -> None:
    """No file of the package has it among what loading the file loads."""
    package = Path(videosdk_transcripts.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not ast.unparse(node).startswith(IMPORTS), path


# The fake service's own.


async def test_the_fake_sends_what_it_signs(fake: FakeVideoSDK) -> None:
    """To a real handler, in the documented shape."""
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
