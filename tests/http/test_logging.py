"""The log records of requests: their levels and fields, as the docs list them."""

import logging
from typing import Any

import pytest

from videosdk_transcripts import RetryPolicy, TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK, Status

FIELDS = ("attempt", "reason", "status", "wait", "seconds")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the documented fields that a record has."""
    return {name: vars(record)[name] for name in FIELDS if name in vars(record)}


async def test_requests_responses_and_retries_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Requests and responses at DEBUG, retries at INFO."""
    async with FakeVideoSDK() as fake:
        fake.fail_next(Status(503))
        policy = RetryPolicy(wait_initial=0)
        with caplog.at_level(logging.DEBUG, "videosdk_transcripts"):
            async with fake.client(retry=policy) as client:
                assert await client.count() == 0
    records = [record for record in caplog.records if record.name == "videosdk_transcripts"]
    levels = [record.levelno for record in records]
    assert levels == [logging.DEBUG, logging.DEBUG, logging.INFO, logging.DEBUG, logging.DEBUG]
    begun, failed, retried, again, done = map(fields, records)
    assert (begun, again) == ({"attempt": 1}, {"attempt": 2})
    assert (failed.pop("status"), done.pop("status")) == (503, 200)
    assert 0 <= failed["seconds"] < 30
    assert retried == {"attempt": 1, "reason": "ServerError", "status": 503, "wait": 0}


async def test_replaced_token_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The record has the level INFO and the status, but not the token."""
    async with FakeVideoSDK() as fake:
        fake.fail_next(Status(401))
        with caplog.at_level(logging.INFO, "videosdk_transcripts"):
            async with TranscriptsClient(
                api_key=fake.api_key, secret=fake.secret, endpoint=fake.url
            ) as client:
                await client.count()
    (record,) = [record for record in caplog.records if record.name == "videosdk_transcripts"]
    assert (record.levelno, fields(record)) == (logging.INFO, {"status": 401})
    assert "retrying with a new one" in record.getMessage()
    assert "eyJ" not in record.getMessage()
