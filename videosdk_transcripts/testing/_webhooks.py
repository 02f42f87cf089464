"""Send webhooks of the fake service, signed with a generated key pair."""

from __future__ import annotations

import functools
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Final, Literal

import aiohttp

from ._rows import Row, find_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


KEY_PATH: Final = "/v2/public/rsa-public-key"


@functools.cache
def _key_pair(number: int) -> RSAPrivateKey:  # noqa: ARG001 - the cache's key
    """Return a key pair, generated once for all fake services, because that is slow."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(public_exponent=65537, key_size=2048)


class Webhooks:
    """
    Sign and send webhooks as documented, and serve the public key. Requires cryptography.

    ::

        row = fake.add_transcription()
        body, headers = fake.webhooks.event("transcription-stopped", row)
        assert await fake.webhooks.send(url, "transcription-stopped", row) == 200

    Attributes:
        key_format: the format of the public key: ``pkcs1`` as in the vendor's samples, or the
            more common ``spki``.
        key_requests: the number of requests for the key.
    """

    def __init__(self) -> None:
        self.key_format: Literal["pkcs1", "spki"] = "pkcs1"
        self.key_requests = 0
        self._number = 0

    @property
    def public_key(self) -> str:
        """Return the public key after a line break, as in public programs."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        form = {
            "pkcs1": PublicFormat.PKCS1,
            "spki": PublicFormat.SubjectPublicKeyInfo,
        }[self.key_format]
        pem = _key_pair(self._number).public_key().public_bytes(Encoding.PEM, form)
        return "\n" + pem.decode()

    def rotate(self) -> None:
        """Replace the key pair: later webhooks are signed with another one."""
        self._number += 1

    def sign(self, body: bytes) -> str:
        """
        Return the signature of a body, the value of the header ``videosdk-signature``.

        Args:
            body: the body, exactly as it is sent.

        Returns:
            RSA with SHA-256 and PKCS #1 v1.5, in base64.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature = _key_pair(self._number).sign(body, PKCS1v15(), SHA256())
        return b64encode(signature).decode()

    def event(
        self, event_type: str, row: Row, *, kind: str | None = "realtime"
    ) -> tuple[bytes, dict[str, str]]:
        """
        Return a webhook in the documented shape.

        Args:
            event_type: ``transcription-started``, ``-stopped``, ``-completed`` or ``-failed``,
                or any other.
            row: the transcription, as `FakeVideoSDK.add_transcription` returns it.
            kind: the type within the data: ``realtime`` as in the vendor's samples; ``post`` or
                ``post-call``, which public programs expect for transcriptions of recordings;
                None for only ``id`` and ``roomId``, as in a draft of the vendor's pages.

        Returns:
            The body and its headers.
        """
        room_id, session_id = find_id(row, "roomId"), find_id(row, "sessionId")
        data = {"id": row["id"], "type": kind, "meetingId": room_id, "sessionId": session_id}
        if kind is None:
            data = {"id": row["id"], "roomId": room_id}
        body = json.dumps({"webhookType": event_type, "data": data}).encode()
        return body, {"Content-Type": "application/json", "videosdk-signature": self.sign(body)}

    async def send(
        self, url: str, event_type: str, row: Row, *, kind: str | None = "realtime"
    ) -> int:
        """
        Send a webhook, and return the status of the response.

        Args:
            url: the URL of the receiver.
            event_type: as in `event`.
            row: as in `event`.
            kind: as in `event`.

        Returns:
            The status of the receiver's response.
        """
        body, headers = self.event(event_type, row, kind=kind)
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return response.status

    def key_response(self) -> dict[str, str]:
        """Return the response to a request for the key, and count the request."""
        self.key_requests += 1
        return {"publicKey": self.public_key}
