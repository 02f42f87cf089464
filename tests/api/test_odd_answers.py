"""P11 and P12 for unusual JSON: nesting, numbers, encodings and duplicate keys."""

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

ODD = ["\x00", "\x1b[2J", "\ud800", "\udfff\ud83d", "a\nb", "\u202e", "x" * 10_000]

Answering = Callable[..., TranscriptsClient]


@pytest.fixture
def answering(fake: FakeVideoSDK) -> Answering:
    """Give the function that makes a client whose every answer has this body."""
    newest: list[tuple[bytes, str]] = []

    async def answer(exchange: Exchange) -> web.Response:
        body, content_type = newest[-1]
        return web.Response(body=body, headers={"Content-Type": content_type})

    def make(body: str | bytes, content_type: str = "application/json") -> TranscriptsClient:
        newest.append((body if isinstance(body, bytes) else body.encode(), content_type))
        return fake.client(retry=RetryPolicy(attempts=1))

    fake.every(1, answer)

    return make


async def only_row(client: TranscriptsClient) -> Transcription:
    """Return the row of a page that has one."""
    async with client:
        (row,) = (await client.get_page()).items
    return row


def row_with(value: str) -> str:
    """Return a page whose row has this JSON in an unknown key."""
    return f'{{"transcriptions": [{{"id": "a", "x": {value}}}]}}'


# Nesting.


@pytest.mark.parametrize("start", ["[", '{"a":'])
async def test_nesting_beyond_what_json_can_read(answering: Answering, start: str) -> None:
    """A hundred thousand levels are no row and no RecursionError."""
    async with answering(start * 100_000) as client:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            await client.get_page()


@pytest.mark.parametrize("levels", [90, 110, 340, 600, 900, 940])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
async def test_nesting_below_that(answering: Answering, levels: int, start: str, end: str) -> None:
    """A row is one on which all can be done, and what is nested deeper is refused."""
    last = "[]" if start == "[" else "{}"
    client = answering(row_with(start * (levels - 1) + last + end * (levels - 1)))
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
async def test_numbers_that_are_none(answering: Answering, number: str) -> None:
    """Also those of more digits than Python reads."""
    async with answering(row_with(number)) as client:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            await client.get_page()


@pytest.mark.parametrize(
    ("number", "value"),
    [("9" * 4000, 10**4000 - 1), ("1e400", float("inf")), ("-0", 0), ("1E-999", 0.0)],
)
async def test_numbers_at_the_edge(answering: Answering, number: str, value: float) -> None:
    """In unknown keys they are what `json` makes of them."""
    row = await only_row(answering(row_with(number)))
    assert row.extra == {"x": value}
    assert json.loads(json.dumps(row.to_dict())) == {"id": "a", "x": value}


@pytest.mark.parametrize("value", ["5", "1e400", "-0", "true", "[]", "{}", "null", '""'])
async def test_what_is_no_id(answering: Answering, value: str) -> None:
    """None is taken for a text."""
    async with answering(f'[{{"id": {value}}}]') as client:
        with pytest.raises(InvalidRowError) as caught:
            await client.get_page()
    assert (caught.value.path, caught.value.row_id) == ("$[0].id", None)


# Texts.


@pytest.mark.parametrize("odd", ODD)
async def test_odd_texts_come_out_as_they_are(answering: Answering, odd: str) -> None:
    """As ids, words, names of files and addresses; and what shows them can be printed."""
    raw = {"id": odd, "status": odd, "webhookUrl": odd, odd: odd}
    raw["transcriptionFilePaths"] = {odd: f"https://cdn.example/{odd}"}
    row = await only_row(answering(json.dumps([raw])))
    assert row.to_dict() == raw
    assert json.loads(json.dumps(row.to_dict())) == raw
    assert (row.id, row.files) == (odd, {odd: f"https://cdn.example/{odd}"})
    assert repr(row).isprintable()
    assert pickle.loads(pickle.dumps(row)) == row


async def test_a_walk_over_odd_ids_can_be_resumed(fake: FakeVideoSDK) -> None:
    """The checkpoint is plain ASCII, whatever it names."""
    ids = [f"{odd}{n}" for n in range(5) for odd in ODD]
    for row_id in ids:
        fake.add_transcription(row_id=row_id)
    async with fake.client() as client:
        pager = client.iter_transcriptions(page_size=10)
        found = [(await anext(pager)).id for _ in range(17)]
        assert pager.checkpoint.isascii()
        again = client.iter_transcriptions(page_size=10, resume=pager.checkpoint)
        assert found + [row.id async for row in again] == ids


@pytest.mark.parametrize("odd", ODD)
async def test_an_error_about_odd_texts_can_be_shown(
    answering: Answering, odd: str, caplog: pytest.LogCaptureFixture
) -> None:
    """On one line of a terminal or a log, while the id itself is kept."""
    rows = [{"id": odd, "start": 5}, {"id": odd, "transcriptionFilePaths": {odd: 5}}, {"id": odd}]
    for row in rows:
        async with answering(json.dumps([row])) as client:
            with pytest.raises((InvalidRowError, UnverifiedRowError)) as caught:
                await client.get_page("room")
        assert caught.value.row_id == odd
        text = str(caught.value)
        assert text.isprintable()
        assert len(text) < 3000
        logging.getLogger("a program").warning("%s", caught.value)
        assert text in caplog.text
    async with answering(json.dumps({"id": odd})) as client:
        with pytest.raises(InvalidResponseError, match="the service returned") as other:
            await client.get_transcription("b")
    assert str(other.value).isprintable()
    assert len(str(other.value)) < 3000


@pytest.mark.parametrize("name", ["a @ b", "'", "] @ $.x"])
async def test_the_path_of_an_odd_name(answering: Answering, name: str) -> None:
    """It is the whole path, whatever is in it."""
    async with answering(json.dumps([{"id": "a", "transcriptionFilePaths": {name: 5}}])) as client:
        with pytest.raises(InvalidRowError) as caught:
            await client.get_page()
    assert caught.value.path == f"$[0].transcriptionFilePaths[{name!r}]"


@pytest.mark.parametrize("value", ["what was said", {"text": "what was said"}, ["what was said"]])
async def test_page_information_that_is_a_text(answering: Answering, value: Any) -> None:
    """It may be a row's, and is not shown."""
    body = {"pageInfo": {"total": value}, "transcriptions": []}
    async with answering(json.dumps(body)) as client:
        with pytest.raises(PaginationError, match="invalid page information: total") as caught:
            await client.get_page()
    assert "said" not in str(caught.value)


async def test_the_last_of_two_equal_keys_counts(answering: Answering) -> None:
    """In a row and in the envelope, as in most readers of JSON."""
    body = '{"transcriptions": [], "transcriptions": [{"id": "a", "id": "b"}]}'
    assert (await only_row(answering(body))).id == "b"


# Encodings.


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json; charset=utf-7", "application/json; charset=nonsense", "text/html"),
        *("application/octet-stream", "; charset", "application/json; charset=iso-8859-1"),
    ],
)
async def test_the_body_tells_its_encoding(
    answering: Answering, codec: str, content_type: str
) -> None:
    """Whatever the content type says; a byte order mark is no part of the JSON."""
    row = await only_row(answering('[{"id": "caf\u00e9 \U0001f600"}]'.encode(codec), content_type))
    assert row.id == "caf\u00e9 \U0001f600"


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc0\x80", b"\xe9", b"\xf4\x90\x80\x80", b"\x00"])
async def test_bytes_that_are_no_text(answering: Answering, text: bytes) -> None:
    """They are told, and not replaced or taken for another encoding."""
    body = b'[{"id": "%b"}]' % text
    async with answering(body, "application/json; charset=iso-8859-1") as client:
        with pytest.raises(InvalidResponseError, match="not JSON"):
            await client.get_page()
