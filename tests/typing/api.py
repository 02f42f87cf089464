"""The public API as type checkers see it: checked with mypy and pyright, never run."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_type

from videosdk_transcripts import (
    Download,
    FetchedText,
    InvalidRow,
    Page,
    Pager,
    PostTranscription,
    RateLimitedError,
    Results,
    RetryPolicy,
    Transcription,
    TranscriptionEvent,
    TranscriptsClient,
    WalkStats,
)
from videosdk_transcripts.testing import FakeVideoSDK, Status


async def token() -> str:
    """Return a token."""
    return "abc"


async def walk() -> None:
    """Use the client as the README does."""
    async with TranscriptsClient(token=token, retry=RetryPolicy(attempts=3)) as client:
        assert_type(client, TranscriptsClient)
        async for t in client.iter_transcriptions("room", "session"):
            assert_type(t, Transcription)
            assert_type(t.status, str | None)
            assert_type(t.start, datetime | None)
            assert_type(t.duration, timedelta | None)
            assert_type(t.files, Mapping[str, str])
            assert_type(t.is_running, bool)

        pager = client.iter_transcriptions(limit=5, on_unverified="yield", on_invalid="collect")
        assert_type(pager, Pager[Transcription])
        assert_type(await anext(pager), Transcription)
        assert_type(pager.total, int | None)
        assert_type(pager.checkpoint, str)
        assert_type(pager.stats, WalkStats)
        assert_type(pager.invalid_rows, tuple[InvalidRow, ...])
        async for page in pager.by_page():
            assert_type(page, Page[Transcription])
            assert_type(page.items, tuple[Transcription, ...])

        texts = client.fetch_texts(client.iter_transcriptions(since="2026-03-04"), concurrency=2)
        assert_type(texts, Results[FetchedText[Transcription]])
        async for one in texts:
            assert_type(one.transcription, Transcription)
            assert_type(one.text, str | None)
        assert_type(texts.checkpoint, str | None)
        posts = client.download_all(client.iter_post_transcriptions(), "directory")
        assert_type(posts, Results[Download[PostTranscription]])
        assert_type(posts.total, int | None)

        assert_type(await client.get_page(page=2), Page[Transcription])
        assert_type(await client.count(), int)
        assert_type(await client.get_transcription("id"), Transcription)
        assert_type(await client.resolve_room("custom-id"), str)

        event = await client.verify_webhook(b"{}", None)
        if isinstance(event, TranscriptionEvent):
            assert_type(await event.fetch(client), Transcription | PostTranscription)


async def wrong(client: TranscriptsClient) -> None:
    """Make mistakes that a checker must report: each line below is an error."""
    for _ in client.iter_transcriptions():  # type: ignore[attr-defined]  # pyright: ignore
        pass
    await client.iter_transcriptions()  # type: ignore[misc]  # pyright: ignore
    client.iter_transcriptions(on_unverified="drop")  # type: ignore[arg-type]  # pyright: ignore
    t = await client.get_transcription("id")
    t.status = "x"  # type: ignore[misc]  # pyright: ignore
    t.files["txt"] = "x"  # type: ignore[index]  # pyright: ignore


async def fake() -> None:
    """Test against the fake service."""
    async with FakeVideoSDK(filters="ignored") as service:
        service.fail_next(Status(429, {"Retry-After": "1"}))
        async with service.client() as client:
            try:
                await client.count()
            except RateLimitedError as error:
                assert_type(error.retry_after, float | None)
