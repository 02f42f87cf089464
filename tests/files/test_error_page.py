"""Web pages and XML errors with status 200 are not taken for transcripts."""

import asyncio
import time
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from videosdk_transcripts import InvalidResponseError
from videosdk_transcripts._files.error_page import is_error_page
from videosdk_transcripts.testing import Body, CutBody, FakeVideoSDK

from .support import contents, downloader, fetched, transcription

BOM: Final = b"\xef\xbb\xbf"
S3: Final = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
PAGES: Final = [
    b"<html><body>Log in</body></html>",
    b"<HTML>\r\n<HEAD>",
    b"<html lang='en'>",
    b"<html\n>",
    b"<html/>",
    b"<!DOCTYPE html>",
    b"<!doctype HTML PUBLIC '-//W3C//DTD HTML 4.01//EN' 'http://www.w3.org/TR/html4/strict.dtd'>",
    b"<!DocType\n\thtml SYSTEM 'about:legacy-compat'>",
    b"<!DOCTYPE note><html>",
    b" \r\n\t<html>",
    BOM + b"<!DOCTYPE html>",
    BOM + b"\n" + BOM + b"<html>",
    b"<!-- cached --><html>",
    b"<!--[if IE]>-- <x> <![endif]-->\n<!-- a\nb --> <html>",
    b"<head><title>Document Moved</title></head>",
    b"<title>Forbidden</title>",
    b"<body>",
    b"<BODY bgcolor = white>",
    b"<script async src=login.js>",
    b"<link rel=stylesheet href=a>",
    b"<meta charset=utf-8>",
    b"<script>location = '/login'</script>",
    b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'x'><html>",
    b"<?xml version='1.0'?><?xml-stylesheet href='a'?><html xmlns='x'>",
    b"<?xml version='1.0' encoding='UTF-8'?>\n" + S3,
    b"<?XML version='1.0'?><ERROR><CODE>ExpiredToken</CODE></ERROR>",
    BOM + b"<?xml version='1.0'?>" + S3,
    b"<!-- x --><?xml version='1.0'?><!-- y --><Error xmlns='http://s3'><Code>",
    b"<?xml version='1.0'?><Error/>",
    b"<?xml version='1.0'?><ErrorResponse xmlns='x'><Error>",
    S3,
    b" <Error >\n <Code>NoSuchKey</Code>",
    b"<Error><Code xmlns='x'>",
    b"<Error><RequestId>1</RequestId><Code>",
    b"<Error>\n<Message>no</Message>",
    "\ufeff<!DOCTYPE html>".encode("utf-16-le"),
    "\ufeff<html>".encode("utf-16-be"),
    b" " * 16_000 + b"<html>",
]
TRANSCRIPTS: Final = [
    b"",
    b"Ann: hi",
    b"Ann: <html> is a tag",
    b"<Ann> hi, <html>",
    b"<v Ann>hi",
    b"<3 you all",
    b"<",
    b"<htm",
    b"<htmlish>",
    b"<header>",
    b"<Head of Sales> Hello",
    b"<HTML team>\nHello = hi",
    b"<Link> Listen!",
    b"<Meta team> hi",
    b"<Style guide owners> hi",
    b"<!DOCTYPE htmlish>",
    b"<!-- a comment that does not end <html>",
    b"<!-- NOTE --> Ann: <html>",
    b"html> is what we discuss",
    b"<b>Ann:</b> hi",
    b"<error> she said",
    b"<Error> Code",
    b"<?xml version='1.0'?><tt xmlns='http://www.w3.org/ns/ttml'>",
    b"<?xml version='1.0'?><errors>",
    b"WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ann><html></v>",
    BOM + b"WEBVTT - <html>",
    b"1\n00:00:00,000 --> 00:00:02,000\n<font color='red'>hi</font>",
    b"start\tend\ttext\n0\t1\t<html>",
    b"\xff\xfe<\0",
    b"\xff<html>",
]


@pytest.mark.parametrize("page", PAGES)
def test_page_is_recognised_by_its_start(page: bytes) -> None:
    """It is recognized case-insensitively, as soon as its first tag has arrived."""
    assert is_error_page(page)
    assert is_error_page(page + b"\n" + bytes(range(256)))
    assert is_error_page(page.replace(b"html", b"HtMl"))


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_transcript_is_not_taken_for_a_page(transcript: bytes) -> None:
    """A part of it is not mistaken for a page, either."""
    assert not any(is_error_page(transcript[:size]) for size in range(len(transcript) + 1))
    assert not is_error_page(transcript + b" Ann: and then <html>, <body> and <Error><Code>")


@pytest.mark.parametrize(
    "head", [b"<!---->" * 2300, b"<!--", b"<!doctype " * 1600, b"<??>" * 4000, b"<?xml " * 2700]
)
def test_hostile_head_takes_linear_time(head: bytes) -> None:
    """No input causes exponential backtracking."""
    started = time.perf_counter()
    assert not is_error_page(head + b"<")
    assert time.perf_counter() - started < 2


# Files.


@pytest.mark.parametrize("name", ["txt", "srt", "vtt", "tsv", "TXT"])
async def test_page_in_place_of_a_text_is_an_error(
    fake: FakeVideoSDK, tmp_path: Path, name: str
) -> None:
    """It is requested again, not kept, and not quoted."""
    row = fake.add_transcription(formats=(name,))
    fake.files.put(row, name, b"Ann: hi")
    fake.files.fail_next(*[Body(b"\n<!DOCTYPE html><p>who are you</p>")] * 4)
    async with downloader(fake, tmp_path, formats=(name,)) as d:
        done = await d.save(transcription(row))
        assert type(done.error) is InvalidResponseError
        assert "the response is a web page or an XML error with status 200" in str(done.error)
        assert "who" not in str(done.error)
        assert (done.error.status, done.error.attempts) == (200, 3)
        assert contents(tmp_path) == {}
        await d.save_one(transcription(row))
    assert list(contents(tmp_path).values()) == [b"Ann: hi"]
    assert len(fake.files.requests) == 5


async def test_page_in_place_of_a_summary_is_an_error(fake: FakeVideoSDK) -> None:
    """It is an error like a page in place of a text."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"short", summary=True)
    fake.files.fail_next(*[Body(b"<?xml version='1.0'?>" + S3)] * 3)
    with pytest.raises(InvalidResponseError, match="an XML error"):
        await fetched(fake, row, summary=True)
    assert await fetched(fake, row, summary=True) == b"short"


async def test_page_that_arrives_in_pieces_is_recognised(fake: FakeVideoSDK) -> None:
    """The truncated text of an earlier attempt does not count."""
    row = fake.add_transcription()
    fake.files.put(row, "txt", b"Ann: hi")

    async def slow(exchange: object) -> object:
        response = web.StreamResponse()
        await response.prepare(exchange.request)  # type: ignore[attr-defined]
        for byte in b"<!-- -->\n<html>":
            await response.write(bytes([byte]))
            await asyncio.sleep(0)
        return response

    fake.files.fail_next(CutBody(2), slow)
    assert await fetched(fake, row) == b"Ann: hi"
    assert len(fake.files.requests) == 3


@pytest.mark.parametrize("name", ["json", "html", "odd"])
async def test_other_formats_are_not_checked(fake: FakeVideoSDK, name: str) -> None:
    """Their bytes are unchanged."""
    row = fake.add_transcription(formats=(name,))
    fake.files.put(row, name, PAGES[0])
    assert await fetched(fake, row, name) == PAGES[0]
