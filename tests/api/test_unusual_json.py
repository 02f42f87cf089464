"""P11 and P12: unusual JSON, with nesting, numbers, encodings and duplicate keys."""

import json
import logging
import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import (
    InvalidResponseError,
    InvalidRowError,
    PaginationError,
    RetryPolicy,
    Transcription,
    TranscriptsClient,
    UnverifiedRowError,
)
from videosdk_transcripts.testing import Exchange, FakeVideoSDK

UNUSUAL = ["\x00", "\x1b[2J", "\ud800", "\udfff\ud83d", "a\nb", "\u202e", "x" * 10_000]

Responding = Callable[..., TranscriptsClient]


@pytest.fixture
def responding(fake: FakeVideoSDK) -> Responding:
    """Return a function that creates a client whose responses all have a given body."""
    newest: list[tuple[bytes, str]] = []

    async def respond(exchange: Exchange) -> web.Response:
        body, content_type = newest[-1]
        return web.Response(body=body, headers={"Content-Type": content_type})

    def make(body: str | bytes, content_type: str = "application/json") -> TranscriptsClient:
        newest.append((body if isinstance(body, bytes) else body.encode(), content_type))
        return fake.client(retry=RetryPolicy(attempts=1))

    fake.every(1, respond)

    return make


async def only_row(client: TranscriptsClient) -> Transcription:
    """Return the only row of the page."""
    async with client:
        (row,) = (await client.get_page()).items
    return row


def row_with(value: str) -> str:
    """Return a page whose row has this JSON in an unknown key."""
    return f'{{"transcriptions": [{{"id": "a", "x": {value}}}]}}'


# Nesting.


@pytest.mark.parametrize("start", ["[", '{"a":'])
async def test_nesting_beyond_the_limit_of_json_raises(responding: Responding, start: str) -> None:
    """A hundred thousand levels cause no RecursionError."""
    async with responding(start * 100_000) as client:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            await client.get_page()


@pytest.mark.parametrize("levels", [90, 110, 340, 600, 900, 940])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
async def test_nesting_up_to_100_levels_is_read(
    responding: Responding, levels: int, start: str, end: str
) -> None:
    """Such a row can be pickled, copied and printed; a row with deeper nesting is invalid."""
    last = "[]" if start == "[" else "{}"
    client = responding(row_with(start * (levels - 1) + last + end * (levels - 1)))
    if levels > 100:
        async with client:
            with pytest.raises(InvalidResponseError, match="deeper than 100 levels|not JSON"):
                await client.get_page()
            if levels < 900:
                page = await client.get_page(on_invalid="skip")
                assert pickle.loads(pickle.dumps(page)) == deepcopy(page) == page
                assert [bad.row_id for bad in page.invalid_rows] == ["a"]
        return
    row = await only_row(client)
    for other in (pickle.loads(pickle.dumps(row)), copy(row), deepcopy(row)):
        assert (other, hash(other), repr(other)) == (row, hash(row), repr(row))
    assert json.loads(json.dumps(row.to_dict()))["x"] == row.extra["x"]


# Numbers.


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "NaN", "Infinity", "01", "1."])
async def test_invalid_numbers_raise(responding: Responding, number: str) -> None:
    """This includes numbers with more digits than Python converts."""
    async with responding(row_with(number)) as client:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            await client.get_page()


@pytest.mark.parametrize(
    ("number", "value"),
    [("9" * 4000, 10**4000 - 1), ("1e400", float("inf")), ("-0", 0), ("1E-999", 0.0)],
)
async def test_extreme_numbers_in_unknown_keys_survive(
    responding: Responding, number: str, value: float
) -> None:
    """They have the values that `json` returns."""
    row = await only_row(responding(row_with(number)))
    assert row.extra == {"x": value}
    assert json.loads(json.dumps(row.to_dict())) == {"id": "a", "x": value}


@pytest.mark.parametrize("value", ["5", "1e400", "-0", "true", "[]", "{}", "null", '""'])
async def test_id_that_is_not_a_string_raises(responding: Responding, value: str) -> None:
    """No value is converted to a string."""
    async with responding(f'[{{"id": {value}}}]') as client:
        with pytest.raises(InvalidRowError) as caught:
            await client.get_page()
    assert (caught.value.path, caught.value.row_id) == ("$[0].id", None)


# Strings.


@pytest.mark.parametrize("unusual", UNUSUAL)
async def test_unusual_strings_survive_unchanged(responding: Responding, unusual: str) -> None:
    """As ids, statuses, formats and URLs; the repr is printable."""
    raw = {"id": unusual, "status": unusual, "webhookUrl": unusual, unusual: unusual}
    raw["transcriptionFilePaths"] = {unusual: f"https://cdn.example/{unusual}"}
    row = await only_row(responding(json.dumps([raw])))
    assert row.to_dict() == raw
    assert json.loads(json.dumps(row.to_dict())) == raw
    assert (row.id, row.files) == (unusual, {unusual: f"https://cdn.example/{unusual}"})
    assert repr(row).isprintable()
    assert pickle.loads(pickle.dumps(row)) == row


async def test_walk_over_unusual_ids_can_be_resumed(fake: FakeVideoSDK) -> None:
    """The checkpoint is ASCII, whatever the ids are."""
    ids = [f"{unusual}{n}" for n in range(5) for unusual in UNUSUAL]
    for row_id in ids:
        fake.add_transcription(row_id=row_id)
    async with fake.client() as client:
        pager = client.iter_transcriptions(page_size=10)
        found = [(await anext(pager)).id for _ in range(17)]
        assert pager.checkpoint.isascii()
        again = client.iter_transcriptions(page_size=10, resume=pager.checkpoint)
        assert found + [row.id async for row in again] == ids


@pytest.mark.parametrize("unusual", UNUSUAL)
async def test_error_with_unusual_strings_is_printable(
    responding: Responding, unusual: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The message is one line for a terminal or a log; the attribute has the exact id."""
    rows = [
        {"id": unusual, "start": 5},
        {"id": unusual, "transcriptionFilePaths": {unusual: 5}},
        {"id": unusual},
    ]
    for row in rows:
        async with responding(json.dumps([row])) as client:
            with pytest.raises((InvalidRowError, UnverifiedRowError)) as caught:
                await client.get_page("room")
        assert caught.value.row_id == unusual
        text = str(caught.value)
        assert text.isprintable()
        assert len(text) < 3000
        logging.getLogger("a program").warning("%s", caught.value)
        assert text in caplog.text
    async with responding(json.dumps({"id": unusual})) as client:
        with pytest.raises(InvalidResponseError, match="the service returned") as other:
            await client.get_transcription("b")
    assert str(other.value).isprintable()
    assert len(str(other.value)) < 3000


@pytest.mark.parametrize("name", ["a @ b", "'", "] @ $.x"])
async def test_json_path_contains_the_whole_unusual_key(responding: Responding, name: str) -> None:
    """The key may resemble a part of a path."""
    async with responding(json.dumps([{"id": "a", "transcriptionFilePaths": {name: 5}}])) as client:
        with pytest.raises(InvalidRowError) as caught:
            await client.get_page()
    assert caught.value.path == f"$[0].transcriptionFilePaths[{name!r}]"


@pytest.mark.parametrize("value", ["what was said", {"text": "what was said"}, ["what was said"]])
async def test_invalid_page_information_is_not_shown(responding: Responding, value: Any) -> None:
    """It may be transcript text."""
    body = {"pageInfo": {"total": value}, "transcriptions": []}
    async with responding(json.dumps(body)) as client:
        with pytest.raises(PaginationError, match="invalid page information: total") as caught:
            await client.get_page()
    assert "said" not in str(caught.value)


async def test_last_of_duplicate_keys_counts(responding: Responding) -> None:
    """This applies to rows and to the envelope, as in most JSON parsers."""
    body = '{"transcriptions": [], "transcriptions": [{"id": "a", "id": "b"}]}'
    assert (await only_row(responding(body))).id == "b"


# Encodings.


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json; charset=utf-7", "application/json; charset=nonsense", "text/html"),
        *("application/octet-stream", "; charset", "application/json; charset=iso-8859-1"),
    ],
)
async def test_encoding_is_detected_from_the_body(
    responding: Responding, codec: str, content_type: str
) -> None:
    """The content type is ignored, and so is a byte order mark."""
    row = await only_row(responding('[{"id": "caf\u00e9 \U0001f600"}]'.encode(codec), content_type))
    assert row.id == "caf\u00e9 \U0001f600"


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc0\x80", b"\xe9", b"\xf4\x90\x80\x80", b"\x00"])
async def test_invalid_utf_8_raises(responding: Responding, text: bytes) -> None:
    """Bytes are neither replaced nor decoded with another encoding."""
    body = b'[{"id": "%b"}]' % text
    async with responding(body, "application/json; charset=iso-8859-1") as client:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            await client.get_page()
