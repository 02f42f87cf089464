"""Files of rows: their links, how they expire, and faults that only files need."""

import gzip
import json

import aiohttp
import pytest

from videosdk_transcripts import FileGoneError, TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK, GzipBomb, Redirect


async def fetch(http: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    """Return status and body of a file."""
    async with http.get(url, allow_redirects=False) as response:
        return response.status, await response.read()


async def test_put_serves_a_file_and_links_it(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """A row can be given by its id, and other links of it stay."""
    row = fake.add_transcription(row_id="t")
    link = fake.files.put("t", "srt", b"\xff")
    assert link == row["transcriptionFilePaths"]["srt"] == f"{fake.url}/files/t/t.srt"
    assert list(row["transcriptionFilePaths"]) == ["txt", "srt"]
    assert await fetch(http, link) == (200, b"\xff")
    (request,) = fake.files.requests
    assert (request.status, request.page, fake.requests) == (200, None, [])
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("txt", b"Ann: "),
        ("srt", b"1\n00:00:00,000 --> "),
        ("vtt", b"WEBVTT\n"),
        ("tsv", b"start\tend\ttext\n"),
        ("other", b"Shall we begin?"),
    ],
)
async def test_put_without_data_serves_a_sample(
    http: aiohttp.ClientSession, fake: FakeVideoSDK, name: str, start: bytes
) -> None:
    """The sample has the requested format."""
    link = fake.files.put(fake.add_transcription(), name)
    status, body = await fetch(http, link)
    assert status == 200
    assert body.startswith(start)


async def test_sample_of_json_and_summary(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """JSON is valid, and a summary has a link of its own."""
    row = fake.add_post_transcription()
    assert "segments" in json.loads((await fetch(http, fake.files.put(row, "json")))[1])
    link = fake.files.put(row, "txt", summary=True)
    assert link == row["summarizedFilePaths"]["txt"]
    assert link.endswith("-summary.txt")
    assert await fetch(http, link) == (200, b"Ann and Bob began the meeting.\n")


async def test_serve_all_replaces_links_of_both_lists(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """Files and summaries are replaced; a row without files still has none."""
    rows = [fake.add_transcription(), fake.add_post_transcription()]
    bare = fake.add_transcription(formats=())
    fake.files.serve_all()
    links = [
        link
        for row in rows
        for key in ("transcriptionFilePaths", "summarizedFilePaths")
        for link in row[key].values()
    ]
    assert len(links) == 8
    assert {(await fetch(http, link))[0] for link in links} == {200}
    assert "transcriptionFilePaths" not in bare


async def test_expire_renews_the_links_of_the_row(
    http: aiohttp.ClientSession, fake: FakeVideoSDK
) -> None:
    """The old link has the given status, the new one works, other rows are unaffected."""
    row, other = fake.add_transcription(row_id="t"), fake.add_transcription()
    old, summary = fake.files.put(row, "txt", b"Hi."), fake.files.put(row, "txt", summary=True)
    kept = fake.files.put(other, "txt", b"Kept.")
    fake.files.expire("t", status=410)
    new = row["transcriptionFilePaths"]["txt"]
    assert new == f"{old}?link=2"
    assert row["summarizedFilePaths"]["txt"] == f"{summary}?link=2"
    assert await fetch(http, old) == (410, b"")
    assert await fetch(http, new) == (200, b"Hi.")
    assert await fetch(http, kept) == (200, b"Kept.")


async def test_expire_without_renewal(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """The link of the row stays and has expired."""
    row = fake.add_transcription()
    link = fake.files.put(row, "txt")
    fake.files.expire(row, status=404, renew=False)
    assert row["transcriptionFilePaths"]["txt"] == link
    with pytest.raises(FileGoneError):
        await client.fetch_text(await client.get_transcription(row["id"]))


async def test_unknown_file_is_404(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """This also applies if the row exists."""
    row = fake.add_transcription()
    assert await fetch(http, f"{fake.url}/files/{row['id']}/x.txt") == (404, b"")


async def test_unknown_row_raises(fake: FakeVideoSDK) -> None:
    """The id is named: a mistyped one would be hard to find otherwise."""
    with pytest.raises(KeyError, match="no row has the id 'typo'"):
        fake.files.put("typo", "txt")


async def test_redirect_names_another_url(http: aiohttp.ClientSession, fake: FakeVideoSDK) -> None:
    """The status is 302 by default."""
    link = fake.files.put(fake.add_transcription(), "txt")
    fake.files.fail_next(Redirect("https://a.example/b"), Redirect("/c", 307))
    for status, location in ((302, "https://a.example/b"), (307, "/c")):
        async with http.get(link, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (status, location)


async def test_gzip_bomb_decodes_to_its_size(fake: FakeVideoSDK) -> None:
    """The body itself is small."""
    link = fake.files.put(fake.add_transcription(), "txt")
    fake.files.fail_next(GzipBomb(1_000_000))
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        _, body = await fetch(http, link)
    assert len(body) < 10_000
    assert gzip.decompress(body) == bytes(1_000_000)
