"""Webhooks of the fake service: signed with a key pair of its own, made up when one is needed."""

from __future__ import annotations

import functools
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import aiohttp

from ._listing import Row

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


KEY_PATH: Final = "/v2/public/rsa-public-key"


@functools.cache
def _key_pair(number: int) -> RSAPrivateKey:  # noqa: ARG001 - what the cache tells them by
    """Make a key pair, which takes a while, once for all fake services of the process."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(public_exponent=65537, key_size=2048)


class Webhooks:
    """
    Signs and sends webhooks as the service does, and gives out the key. Needs cryptography.

    ::

        row = fake.add_transcription()
        body, headers = fake.webhooks.event("transcription-stopped", row)
        assert await fake.webhooks.send(url, "transcription-stopped", row) == 200
    """

    def __init__(self) -> None:
        self.key_format: Literal["pkcs1", "spki"] = "pkcs1"
        """How the key is written: as the service does, or as most others do."""
        self.key_requests = 0
        """How often the key was asked for."""
        self._number = 0

    @property
    def public_key(self) -> str:
        """Return the public key as the service writes it, behind a line break."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        form = {
            "pkcs1": PublicFormat.PKCS1,
            "spki": PublicFormat.SubjectPublicKeyInfo,
        }[self.key_format]
        pem = _key_pair(self._number).public_key().public_bytes(Encoding.PEM, form)
        return "\n" + pem.decode()

    def rotate(self) -> None:
        """Sign with another key pair from now on, and give out that one's key."""
        self._number += 1

    def sign(self, body: bytes) -> str:
        """Return the signature of a body, for the header ``videosdk-signature``."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature = _key_pair(self._number).sign(body, PKCS1v15(), SHA256())
        return b64encode(signature).decode()

    def event(
        self, event_type: str, row: Row, *, kind: str = "realtime"
    ) -> tuple[bytes, dict[str, str]]:
        """
        Make a webhook in the documented shape.

        Args:
            event_type: ``transcription-started``, ``-stopped`` or ``-failed``, or any other.
            row: what it is about, as `FakeVideoSDK.add_transcription` returns it.
            kind: ``realtime``, or ``post`` for a transcription of a recording.

        Returns:
            The body, and the headers that belong to it.
        """
        config: Mapping[str, Any] = (row.get("extension") or {}).get("extensionConfig") or row
        body = json.dumps(
            {
                "webhookType": event_type,
                "data": {
                    "id": row["id"],
                    "type": kind,
                    "meetingId": config.get("roomId"),
                    "sessionId": config.get("sessionId"),
                },
            }
        ).encode()
        return body, {"Content-Type": "application/json", "videosdk-signature": self.sign(body)}

    async def send(self, url: str, event_type: str, row: Row, *, kind: str = "realtime") -> int:
        """
        Post a webhook, and return the status of the answer.

        Args:
            url: where to.
            event_type: as for `event`.
            row: likewise.
            kind: likewise.
        """
        body, headers = self.event(event_type, row, kind=kind)
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            return answer.status

    def give_key(self) -> dict[str, str]:
        """Return the answer to whoever asks for the key, and count it."""
        self.key_requests += 1
        return {"publicKey": self.public_key}
