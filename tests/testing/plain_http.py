"""Requests to the fake service that do not use the client."""

import time
from typing import Any

import aiohttp
import jwt

from videosdk_transcripts.testing import (
    FakeVideoSDK,
)

LIST = "/ai/v1/realtime-transcriptions"


ROOM = "abcd-efgh-ijkl"


SESSION = "64f1a2b3c4d5e6f708192a3b"


OTHER = "another-room-or-session"


ABSENT: Any = object()


def signed(fake: FakeVideoSDK, *, secret: str | None = None, **claims: Any) -> str:
    """Return a token as documented, with these claims replaced, or removed if ABSENT."""
    now = int(time.time())
    documented = {
        "apikey": fake.api_key,
        "permissions": ["allow_join"],
        "version": 2,
        "roles": ["crawler"],
        "iat": now,
        "exp": now + 60,
    }
    kept = {name: value for name, value in (documented | claims).items() if value is not ABSENT}
    return jwt.encode(kept, secret or fake.secret, algorithm="HS256")


async def ask(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, path: str = f"{LIST}/", **query: object
) -> tuple[int, Any]:
    """Send a request with a valid token and return status and JSON."""
    url, headers = fake.url + path, {"Authorization": signed(fake)}
    params = {name: str(value) for name, value in query.items()}
    async with http.get(url, params=params, headers=headers) as response:
        return response.status, await response.json()


async def statuses(http: aiohttp.ClientSession, fake: FakeVideoSDK, *pages: int) -> list[int]:
    """Request some pages one after the other and return the statuses."""
    return [(await ask(http, fake, page=page))[0] for page in pages]
