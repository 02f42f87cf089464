"""Files of a row: bytes, text, missing formats, and links that have expired."""

import gzip
import zlib
from typing import Any

import pytest
from aiohttp import web

from videosdk_transcripts import (
    BadRequestError,
    ConfigurationError,
    NotFoundError,
    ServerError,
    Transcription,
)
from videosdk_transcripts._files.fetch import Files, decode_text
from videosdk_transcripts.errors import FileGoneError, FileNotReadyError, FileTextError
from videosdk_transcripts.testing import Body, Exchange, FakeVideoSDK

from .support import (
    failure,
    fetched,
    locals_of,
    not_reread,
    opened,
    reader,
    rereads_as,
    transcription,
)


async def test_bytes_are_unchanged(fake: FakeVideoSDK) -> None:
    """This applies to transcripts and summaries."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"\xff\x00\r\n")
    fake.files.put(row, "txt", b"short", summary=True)
    assert await fetched(fake, row) == b"\xff\x00\r\n"
    assert await fetched(fake, row, summary=True) == b"short"


async def test_fake_service_serves_the_files_of_its_rows(fake: FakeVideoSDK) -> None:
    """The files have speech in each format; unknown links lead to nothing."""
    row = fake.add_transcription(formats=("txt", "srt", "vtt", "tsv", "json", "odd"))
    other = fake.add_transcription()
    fake.files.serve_all()
    found = {name: await fetched(fake, row, name) for name in row["transcriptionFilePaths"]}
    assert all(b"Shall we begin?" in data for data in found.values())
    assert found["vtt"].startswith(b"WEBVTT")
    assert await fetched(fake, row, summary=True) == b"Ann and Bob began the meeting.\n"
    living = transcription(other)
    fake.files.expire(row["id"], status=410)
    assert transcription(other) == living
    unknown = living.files["txt"].replace(other["id"], "unknown")
    assert isinstance(await failure(unknown, fake.url), FileGoneError)


async def test_text_is_decoded_as_utf8(fake: FakeVideoSDK) -> None:
    """It may have a byte order mark; `errors` selects the handling of invalid UTF-8."""
    row = fake.add_transcription()
    async with opened(fake.url) as transport:
        files = Files(transport)

        async def text(data: bytes, **options: Any) -> str:
            fake.files.put(row, "txt", data)
            return await files.fetch_text(
                transcription(row), "txt", summary=False, reread=not_reread, **options
            )

        assert await text("Zoë: né".encode()) == "Zoë: né"
        assert await text("Zoë".encode("utf-8-sig")) == "Zoë"
        assert await text(b"a\xffb", errors="replace") == "a\N{REPLACEMENT CHARACTER}b"
        with pytest.raises(FileTextError, match="byte 6 of 8") as caught:
            await text(b"\xef\xbb\xbfsay\xffx")
        assert (caught.value.transcription_id, caught.value.format) == (row["id"], "txt")
        assert caught.value.__context__ is None
        assert "say" not in locals_of(caught.value)
        before = len(fake.files.requests)
        with pytest.raises(ConfigurationError, match="errors must be one of strict"):
            await text(b"", errors="surrogateescape")
        assert len(fake.files.requests) == before


def test_decode_text_reports_the_invalid_byte() -> None:
    """It is an error unless `errors` selects another handling."""
    assert decode_text(b"a\xffb", "ignore") == "ab"
    assert decode_text(b"a\xffb", "backslashreplace") == "a\\xffb"
    assert decode_text(b"") == ""
    with pytest.raises(FileTextError, match="byte 1 of 3"):
        decode_text(b"a\xffb")
    with pytest.raises(ConfigurationError):
        decode_text(b"", "strictly")


async def test_content_type_is_ignored(fake: FakeVideoSDK) -> None:
    """It is undocumented."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    fake.files.fail_next(Body(b"Ann: hi", content_type="text/html"))
    assert await fetched(fake, row) == b"Ann: hi"


async def test_missing_format_lists_available_ones(fake: FakeVideoSDK) -> None:
    """Nothing is sent."""
    row = fake.add_transcription(formats=("txt", "json"), summary=False)
    row["transcriptionFilePaths"]["srt"] = ""
    with pytest.raises(
        FileNotReadyError, match=r"no srt file yet \(available: json, txt\)"
    ) as caught:
        await fetched(fake, row, "srt")
    assert (caught.value.transcription_id, caught.value.format) == (row["id"], "srt")
    with pytest.raises(
        FileNotReadyError, match=r"no txt summary yet \(available: none\)"
    ) as caught:
        await fetched(fake, row, summary=True)
    assert caught.value.format == "summary.txt"
    for wanted in ("", 5, None):
        with pytest.raises(ConfigurationError, match="format must be a non-empty string"):
            await fetched(fake, row, wanted)  # type: ignore[arg-type]
    assert fake.files.requests == []


# Expired links.


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_dead_link_is_renewed_once(fake: FakeVideoSDK, status: int) -> None:
    """The row is read again, and its new link is tried."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    old = transcription(row)
    fake.files.expire(row, status=status)
    async with opened(fake.url) as transport:
        files = Files(transport)
        assert await files.fetch_bytes(old, "txt", summary=False, reread=reader(fake)) == b"here"
        assert len(fake.files.requests) == 2
        # The new link expires as well.
        fake.files.expire(row, status=status)
        newest = transcription(row)
        fake.files.expire(row, status=status)
        with pytest.raises(FileGoneError, match=f"status {status}") as caught:
            await files.fetch_bytes(old, "txt", summary=False, reread=rereads_as(newest))
    assert caught.value.status == status
    assert (caught.value.transcription_id, caught.value.format) == (row["id"], "txt")
    assert len(fake.files.requests) == 4


DEAD_CODES = [
    ("xml", "ExpiredToken"),
    ("xml", "AccessDenied"),
    ("xml", "RequestExpired"),
    ("xml", "InvalidToken"),
    ("xml", "TokenRefreshRequired"),
    ("xml", "SignatureDoesNotMatch"),
    ("xml", "AuthorizationQueryParametersError"),
    ("xml", "InvalidAccessKeyId"),
    ("xml", "NoSuchKey"),
    ("xml", "Forbidden"),
    ("xml", "EXPIRED_CREDENTIALS"),
    ("json code", "ExpiredToken"),
    ("json error", "InvalidJWT"),
    ("json error", "not_found"),
]


def bad_request(layout: str, code: str) -> Body:
    """Return a response with status 400 and a code, as file hosts send it."""
    body = {
        "xml": f"<?xml version='1.0'?>\n<Error>\n<code> {code}\n</code><Message>no</Message>",
        "json code": f'{{"message": "no", "Code" : "{code}"}}',
        "json error": f'{{"statusCode": "400", "error": "{code}", "message": "no"}}',
        "text": code,
    }[layout]
    return Body(body.encode(), status=400)


@pytest.mark.parametrize(("layout", "code"), DEAD_CODES)
async def test_bad_request_with_a_code_of_a_dead_link_is_renewed_once(
    fake: FakeVideoSDK, layout: str, code: str
) -> None:
    """File hosts send 400 for links whose signature or token has expired."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    old = transcription(row)
    fake.files.expire(row)
    async with opened(fake.url) as transport:
        fetch = Files(transport).fetch_bytes
        fake.files.fail_next(bad_request(layout, code))
        assert await fetch(old, "txt", summary=False, reread=reader(fake)) == b"here"
        fake.files.fail_next(*[bad_request(layout, code)] * 2)
        with pytest.raises(FileGoneError, match=f"status 400, {code}") as caught:
            await fetch(old, "txt", summary=False, reread=reader(fake))
    assert (caught.value.status, caught.value.attempts) == (400, None)
    assert len(fake.files.requests) == 4


@pytest.mark.parametrize(
    ("layout", "code", "found"),
    [
        ("xml", "InvalidRequest", "InvalidRequest"),
        ("xml", "RequestTimeout", "RequestTimeout"),
        ("json code", "TooLong", "TooLong"),
        ("xml", "Access denied for <b>", None),
        ("xml", "Denied" * 11, None),
        ("text", "the token has expired", None),
        ("text", " " * 20_000 + "<Code>AccessDenied</Code>", None),
    ],
)
async def test_other_bad_request_is_not_a_dead_link(
    fake: FakeVideoSDK, layout: str, code: str, found: str | None
) -> None:
    """The row is not read again."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    fake.files.fail_next(bad_request(layout, code))
    async with opened(fake.url) as transport:
        with pytest.raises(BadRequestError, match="127.0.0.1 responded with 400") as caught:
            await Files(transport).fetch_bytes(
                transcription(row), "txt", summary=False, reread=not_reread
            )
    assert (caught.value.status, caught.value.code) == (400, found)
    assert str(found) in str(caught.value) or found is None
    assert len(fake.files.requests) == 1


@pytest.mark.parametrize(
    ("coding", "body", "code"),
    [
        ("gzip", gzip.compress(b"<Code>ExpiredToken</Code>", mtime=0), "ExpiredToken"),
        ("deflate", zlib.compress(b'{"error": "InvalidJWT"}'), "InvalidJWT"),
        ("gzip", gzip.compress(b" " * 99_999 + b"<Code>AccessDenied</Code>", mtime=0), None),
        ("gzip", b"<Code>AccessDenied</Code>", None),
        ("br", b"<Code>AccessDenied</Code>", None),
    ],
)
async def test_code_of_a_compressed_error_is_read(
    fake: FakeVideoSDK, coding: str, body: bytes, code: str | None
) -> None:
    """It is not read if it can't be decoded, or is not at the beginning."""

    async def refuse(_exchange: Exchange) -> web.Response:
        return web.Response(status=400, body=body, headers={"Content-Encoding": coding})

    row = fake.add_transcription()
    fake.files.put(row, "txt", b"here")
    fake.files.fail_next(refuse)
    async with opened(fake.url) as transport:
        fetch = Files(transport).fetch_bytes(
            transcription(row), "txt", summary=False, reread=reader(fake)
        )
        if code is None:
            with pytest.raises(BadRequestError, match="127.0.0.1 responded with 400 "):
                await fetch
        else:
            with pytest.raises(FileGoneError, match=f"status 400, {code}"):
                await fetch


async def test_dead_link_without_a_new_one_is_not_retried(fake: FakeVideoSDK) -> None:
    """This also applies if the row itself is gone."""
    row = fake.add_transcription()
    fake.files.put(row, "txt")
    old = transcription(row)
    fake.files.expire(row, renew=False)

    async def gone(row_id: str) -> Transcription:
        raise NotFoundError("gone", status=404)

    async def broken(row_id: str) -> Transcription:
        raise ServerError("broken", status=500)

    async with opened(fake.url) as transport:
        fetch = Files(transport).fetch_bytes
        for reread in (reader(fake), gone, rereads_as(Transcription(old.id))):
            with pytest.raises(FileGoneError):
                await fetch(old, "txt", summary=False, reread=reread)
        assert len(fake.files.requests) == 3
        with pytest.raises(ServerError, match="broken"):
            await fetch(old, "txt", summary=False, reread=broken)
