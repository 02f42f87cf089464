"""The face: one page, one row, a count, and what bad arguments get."""

from collections.abc import Callable
from typing import Any

import pytest

from videosdk_transcripts import (
    ConfigurationError,
    InvalidResponseError,
    InvalidRowError,
    NotFoundError,
    PermissionDeniedError,
    TranscriptsClient,
    UnverifiedRowError,
)
from videosdk_transcripts.testing import Body, Envelope, FakeVideoSDK, Status

ROOM = "abcd-efgh-ijkl"


# One page.


async def test_a_page(fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]) -> None:
    """The page that was asked for, with the server's numbers."""
    page = await client.get_page(ROOM, page=5, page_size=10)
    assert [t.id for t in page.items] == rows[40:]
    assert (page.number, page.page_size, page.last_page, page.total) == (5, 10, 5, 45)
    assert page.is_last
    assert dict(fake.requests[0].query) == {"roomId": ROOM, "page": "5", "perPage": "10"}


async def test_a_page_beyond_the_end(client: TranscriptsClient, rows: list[str]) -> None:
    """It is empty."""
    page = await client.get_page(page=9)
    assert (page.number, page.items, page.is_last) == (9, (), True)


async def test_an_error_of_a_page_names_it(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Whatever went wrong there."""
    fake.every(1, Status(403))
    with pytest.raises(PermissionDeniedError) as caught:
        await client.get_page(page=3)
    assert caught.value.page == 3


async def test_a_page_holds_nothing_foreign(
    fake: FakeVideoSDK, client: TranscriptsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The rule of a walk holds for one page, with the number of what was dropped."""
    fake.filters = "ignored"
    mine = fake.add_transcription()
    fake.add_transcriptions(3, room_id="other")
    page = await client.get_page(ROOM)
    assert [t.id for t in page.items] == [mine["id"]]
    assert page.foreign_rows_dropped == 3
    assert "ignored the filter" in caplog.text


async def test_a_page_of_silent_rows(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """They raise, or follow the option."""
    fake.filters = "ignored"
    fake.add_transcription(room_id=None)
    with pytest.raises(UnverifiedRowError):
        await client.get_page(ROOM)
    assert len((await client.get_page(ROOM, on_unverified="yield")).items) == 1
    assert (await client.get_page(ROOM, on_unverified="skip")).unverified_rows == 1
    # Nobody asked for a room, so that there is nothing to verify.
    assert len((await client.get_page()).items) == 1


async def test_a_page_with_an_unreadable_row(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """It raises with the place, or is on the page apart."""
    fake.rows[1]["status"] = 5
    with pytest.raises(InvalidRowError, match=r"found a number @ \$\.transcriptions\[1\]\.status"):
        await client.get_page()
    page = await client.get_page(on_invalid="collect")
    assert len(page.items) == 19
    assert [row.row_id for row in page.invalid_rows] == [rows[1]]


# The count.


async def test_the_count_is_one_small_request(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The server's own total."""
    assert await client.count(ROOM) == 45
    assert await client.count("other") == 0
    assert [r.query["perPage"] for r in fake.requests] == ["1", "1"]


async def test_a_count_of_others_is_none(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Where the filter is ignored the total is not of what was asked for."""
    fake.filters = "ignored"
    fake.add_transcriptions(3, room_id="other")
    with pytest.raises(InvalidResponseError, match=f"ignored the filter for room {ROOM}"):
        await client.count(ROOM)
    assert await client.count() == 3


async def test_no_count(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Where the server names no total there is none to return."""
    fake.fail_next(Envelope("bare array"))
    with pytest.raises(InvalidResponseError, match="named no total for the whole account"):
        await client.count()


async def test_a_count_minds_no_unreadable_row(
    fake: FakeVideoSDK, client: TranscriptsClient, rows: list[str]
) -> None:
    """The row that comes along is not what was asked for."""
    fake.rows[0]["status"] = 5
    assert await client.count() == 45


# One transcription.


async def test_one_transcription(client: TranscriptsClient, rows: list[str]) -> None:
    """The same value as in the list."""
    found = await client.get_transcription(rows[7])
    assert found == (await client.get_page()).items[7]


async def test_no_such_transcription(client: TranscriptsClient) -> None:
    """404, in the service's words."""
    with pytest.raises(NotFoundError, match="GET transcription nobody: .* Transcription not found"):
        await client.get_transcription("nobody")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"id": "other"}', "the service answered with other"),
        (b"[]", "JSON that is no object"),
        (b"", "with no body"),
    ],
)
async def test_another_answer_than_the_one_asked_for(
    fake: FakeVideoSDK, client: TranscriptsClient, body: bytes, reason: str
) -> None:
    """It is not handed out as if it were."""
    fake.every(1, Body(body))
    with pytest.raises(InvalidResponseError, match=reason):
        await client.get_transcription("mine")


async def test_an_unreadable_transcription(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The path begins at the row itself."""
    fake.fail_next(Body(b'{"id": "mine", "end": 5}'))
    with pytest.raises(InvalidRowError, match=r"row mine can't be read: .* @ \$\.end"):
        await client.get_transcription("mine")


# Bad arguments.

IDS: list[Any] = ["", " ", "a b", "a\n", ".", "..", "\x00", 5, b"room", ["room"]]


@pytest.mark.parametrize("bad", IDS, ids=repr)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("room_id", lambda c, bad: c.iter_transcriptions(bad)),
        ("session_id", lambda c, bad: c.iter_transcriptions("room", bad)),
    ],
)
def test_bad_ids_of_a_walk(name: str, call: Callable[[Any, Any], Any], bad: Any) -> None:
    """Refused at the call; an empty id would have walked the whole account."""
    with pytest.raises(ConfigurationError, match=f"{name} must be"):
        call(TranscriptsClient(token="t"), bad)


@pytest.mark.parametrize("bad", [*IDS, None], ids=repr)
async def test_bad_ids_of_a_call(fake: FakeVideoSDK, client: TranscriptsClient, bad: Any) -> None:
    """Refused before anything is sent; dots alone would have asked another path."""
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
def test_bad_options_of_a_walk(option: str, value: Any) -> None:
    """Refused at the call, by name."""
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        TranscriptsClient(token="t").iter_transcriptions(**{option: value})


@pytest.mark.parametrize(
    ("option", "value"),
    [("page", 0), ("page_size", 0), ("on_unverified", "drop"), ("on_invalid", "ignore")],
)
async def test_bad_options_of_a_page(
    fake: FakeVideoSDK, client: TranscriptsClient, option: str, value: Any
) -> None:
    """Refused before anything is sent."""
    with pytest.raises(ConfigurationError, match=f"{option} must be"):
        await client.get_page(**{option: value})
    assert fake.requests == []
