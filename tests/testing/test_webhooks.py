"""Webhooks of the fake service: the documented shape, a valid signature, and delivery."""

import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from videosdk_transcripts import WebhookSignatureError
from videosdk_transcripts.testing import FakeVideoSDK
from videosdk_transcripts.webhooks import verify_webhook

EVENT = "transcription-stopped"


async def test_event_has_documented_shape_and_valid_signature(fake: FakeVideoSDK) -> None:
    """The row may be of either list."""
    for kind, row in (
        ("realtime", fake.add_transcription(room_id="a", session_id="b")),
        ("post", fake.add_post_transcription(room_id="a", session_id="b")),
    ):
        body, headers = fake.webhooks.event(EVENT, row, kind=kind)
        data = {"id": row["id"], "type": kind, "meetingId": "a", "sessionId": "b"}
        assert json.loads(body) == {"webhookType": EVENT, "data": data}
        event = verify_webhook(body, headers["videosdk-signature"], fake.webhooks.public_key)
        assert event.room_id == "a"


@pytest.mark.parametrize(("key_format", "word"), [("pkcs1", "RSA PUBLIC"), ("spki", "PUBLIC")])
async def test_key_is_served_in_either_format(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, key_format: str, word: str
) -> None:
    """It requires no token; requests for the key are counted."""
    fake.webhooks.key_format = key_format  # type: ignore[assignment]
    async with http.get(f"{fake.url}/v2/public/rsa-public-key") as response:
        key = (await response.json())["publicKey"]
    assert key.startswith(f"\n-----BEGIN {word} KEY-----")
    assert key == fake.webhooks.public_key
    assert fake.webhooks.key_requests == 1


async def test_rotate_replaces_the_key(fake: FakeVideoSDK) -> None:
    """A signature of the new key is not valid under the old one."""
    row, old = fake.add_transcription(), fake.webhooks.public_key
    fake.webhooks.rotate()
    body, headers = fake.webhooks.event(EVENT, row)
    assert verify_webhook(body, headers["videosdk-signature"], fake.webhooks.public_key)
    with pytest.raises(WebhookSignatureError):
        verify_webhook(body, headers["videosdk-signature"], old)


async def test_send_posts_the_event_and_returns_the_status(fake: FakeVideoSDK) -> None:
    """The receiver gets the signed body."""
    received: list[tuple[bytes, str]] = []

    async def receive(request: web.Request) -> web.Response:
        received.append((await request.read(), request.headers["videosdk-signature"]))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/hook", receive)
    async with TestServer(app) as server:
        row = fake.add_transcription()
        assert await fake.webhooks.send(str(server.make_url("/hook")), EVENT, row) == 202
    ((body, signature),) = received
    assert verify_webhook(body, signature, fake.webhooks.public_key)
