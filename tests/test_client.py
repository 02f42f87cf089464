"""`client.py`: one page, one row, the count, and invalid arguments."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import aiohttp
import jwt
import pytest

from videosdk_transcripts import (
    ConfigurationError,
    InvalidResponseError,
    InvalidRowError,
    NotFoundError,
    PermissionDeniedError,
    TranscriptsClient,
    UnverifiedRowError,
    mint_token,
)
from videosdk_transcripts.testing import Body, Envelope, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"


# One page.


async def test_get_page(fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]) -> None:
    """It returns the requested page, with the server's numbers."""
    page = await client.get_page(ROOM, page=5, page_size=10)
    assert [t.id for t in page.items] == rows[40:]
    assert (page.number, page.page_size, page.last_page, page.total) == (5, 10, 5, 45)
    assert page.is_last
    assert dict(fake.requests[0].query) == {"roomId": ROOM, "page": "5", "perPage": "10"}


async def test_get_page_beyond_the_end_is_empty(client: TranscriptsClient, rows: list[str]) -> None:
    """Such a page counts as the last one."""
    page = await client.get_page(page=9)
    assert (page.number, page.items, page.is_last) == (9, (), True)


async def test_error_of_get_page_has_the_page(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """This applies to any error."""
    fake.every(1, Status(403))
    with pytest.raises(PermissionDeniedError) as caught:
        await client.get_page(page=3)
    assert caught.value.page == 3


async def test_get_page_drops_foreign_rows(
    fake: FakeVideoSDK, client: TranscriptsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It counts them like a walk."""
    fake.filters = "ignored"
    mine = fake.add_transcription()
    fake.add_transcriptions(3, room_id="other")
    page = await client.get_page(ROOM)
    assert [t.id for t in page.items] == [mine["id"]]
    assert page.foreign_rows_dropped == 3
    assert "ignored the filter" in caplog.text


async def test_get_page_with_unverified_rows(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """They raise an error, or are treated according to `on_unverified`."""
    fake.filters = "ignored"
    fake.add_transcription(room_id=None)
    with pytest.raises(UnverifiedRowError):
        await client.get_page(ROOM)
    assert len((await client.get_page(ROOM, on_unverified="yield")).items) == 1
    assert (await client.get_page(ROOM, on_unverified="skip")).unverified_rows == 1
    # If no room is requested, there is nothing to verify.
    assert len((await client.get_page()).items) == 1


async def test_get_page_with_an_invalid_row(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It raises an error with the JSON path, or is in `Page.invalid_rows`."""
    fake.rows[1]["status"] = 5
    with pytest.raises(InvalidRowError, match=r"found a number @ \$\.transcriptions\[1\]\.status"):
        await client.get_page()
    page = await client.get_page(on_invalid="collect")
    assert len(page.items) == 19
    assert [row.row_id for row in page.invalid_rows] == [rows[1]]


# Tenants.


async def test_each_client_of_a_shared_session_sends_its_own_token(fake: FakeVideoSDK) -> None:
    """There is one client per tenant; the session and the event loop may be shared."""
    sent: dict[str, set[str]] = {}
    async with aiohttp.ClientSession() as session:
        for tenant in ("north", "south", "north"):

            async def provide(tenant: str = tenant) -> str:
                return mint_token(fake.api_key, fake.secret, participant_id=tenant)

            client = TranscriptsClient(token=provide, endpoint=fake.url, session=session)
            fake.requests.clear()
            await asyncio.gather(*(client.count() for _ in range(3)))
            tokens = {seen.headers["Authorization"] for seen in fake.requests}
            assert len(tokens) == 1
            sent.setdefault(tenant, set()).update(tokens)
    claims = {
        tenant: {
            jwt.decode(token, fake.secret, algorithms=["HS256"])["participantId"]
            for token in tokens
        }
        for tenant, tokens in sent.items()
    }
    assert claims == {"north": {"north"}, "south": {"south"}}


async def test_result_of_a_token_callable_serves_all_tasks(fake: FakeVideoSDK) -> None:
    """It may be called in any task, so it can't depend on a context variable."""
    tenant = contextvars.ContextVar[str]("tenant")
    calls: list[str] = []

    async def provide() -> str:
        calls.append(tenant.get())
        return mint_token(fake.api_key, fake.secret)

    async def count_for(name: str) -> None:
        tenant.set(name)
        await client.count()

    async with fake.client(token=provide) as client:
        for name in ("north", "south"):
            await asyncio.create_task(count_for(name))
    assert calls == ["north"]
    assert len({seen.headers["Authorization"] for seen in fake.requests}) == 1


# The count.


async def test_count_is_one_small_request(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It returns the server's total."""
    assert await client.count(ROOM) == 45
    assert await client.count("other") == 0
    assert [r.query["perPage"] for r in fake.requests] == ["1", "1"]


async def test_count_raises_if_the_filter_is_ignored(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """The total counts foreign rows."""
    fake.filters = "ignored"
    fake.add_transcriptions(3, room_id="other")
    with pytest.raises(InvalidResponseError, match=f"ignored the filter for room {ROOM}"):
        await client.count(ROOM)
    assert await client.count() == 3


async def test_count_raises_without_a_total(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """A bare array has no total."""
    fake.fail_next(Envelope("bare array"))
    with pytest.raises(InvalidResponseError, match="returned no total for the whole account"):
        await client.count()


async def test_count_ignores_invalid_rows(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """Only the total is read."""
    fake.rows[0]["status"] = 5
    assert await client.count() == 45


# One transcription.


async def test_get_transcription(client: TranscriptsClient, rows: list[str]) -> None:
    """It equals the row of the list."""
    found = await client.get_transcription(rows[7])
    assert found == (await client.get_page()).items[7]


async def test_unknown_id_raises_not_found(client: TranscriptsClient) -> None:
    """The error has the service's message."""
    with pytest.raises(NotFoundError, match="GET transcription absent: .* Transcription not found"):
        await client.get_transcription("absent")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"id": "other"}', "the service returned other"),
        (b"[]", "JSON that is not an object"),
        (b"", "and no body"),
    ],
)
async def test_response_with_another_transcription_raises(
    fake: FakeVideoSDK, client: TranscriptsClient, body: bytes, reason: str
) -> None:
    """Other unexpected bodies raise, too."""
    fake.every(1, Body(body))
    with pytest.raises(InvalidResponseError, match=reason):
        await client.get_transcription("mine")


async def test_invalid_transcription_raises(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The JSON path begins at the row."""
    fake.fail_next(Body(b'{"id": "mine", "end": 5}'))
    with pytest.raises(InvalidRowError, match=r"row mine can't be read: .* @ \$\.end"):
        await client.get_transcription("mine")


# Invalid arguments.

IDS: list[Any] = ["", " ", "a b", "a\n", ".", "..", "\x00", 5, b"room", ["room"]]


@pytest.mark.parametrize("bad", IDS, ids=repr)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("room_id", lambda c, bad: c.iter_transcriptions(bad)),
        ("session_id", lambda c, bad: c.iter_transcriptions("room", bad)),
    ],
)
def test_invalid_ids_of_a_walk_raise_immediately(
    name: str, call: Callable[[Any, Any], Any], bad: Any
) -> None:
    """An empty id would select the whole account."""
    with pytest.raises(ConfigurationError, match=f"{name} must be"):
        call(TranscriptsClient(token="t"), bad)


@pytest.mark.parametrize("bad", [*IDS, None], ids=repr)
async def test_invalid_ids_raise_before_a_request(
    fake: FakeVideoSDK, client: TranscriptsClient, bad: Any
) -> None:
    """An id of dots would change the path."""
    with pytest.raises(ConfigurationError, match="transcription_id must be"):
        await client.get_transcription(bad)
    if bad is not None:
        with pytest.raises(ConfigurationError, match="room_id must be"):
            await client.get_page(bad)
        with pytest.raises(ConfigurationError, match="session_id must be"):
            await client.count("room", bad)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("limit", 0),
        ("limit", -1),
        ("limit", 2.0),
        ("page_size", 0),
        ("page_size", True),
        ("page_size", None),
        ("max_empty_pages", 0),
        ("walk_timeout", 0),
        ("walk_timeout", float("nan")),
        ("walk_timeout", float("inf")),
        ("walk_timeout", 10**400),
        ("walk_timeout", "60"),
        ("on_unverified", "drop"),
        ("on_invalid", "ignore"),
        ("consistency", "always"),
        ("resume", "{}"),
        ("resume", 5),
    ],
)
def test_invalid_options_of_a_walk_raise_immediately(option: str, value: Any) -> None:
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        TranscriptsClient(token="t").iter_transcriptions(**{option: value})


@pytest.mark.parametrize(
    ("option", "value"),
    [("page", 0), ("page_size", 0), ("on_unverified", "drop"), ("on_invalid", "ignore")],
)
async def test_invalid_options_of_get_page_raise_before_a_request(
    fake: FakeVideoSDK, client: TranscriptsClient, option: str, value: Any
) -> None:
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        await client.get_page(**{option: value})
    assert fake.requests == []
