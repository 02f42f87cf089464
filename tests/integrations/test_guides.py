"""OpenTelemetry and S3, as `docs/guides/opentelemetry.md` and `docs/guides/s3.md` use them."""

import ast
import inspect
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import fsspec
import pytest
from moto.server import ThreadedMotoServer
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK, Status

GUIDES: Final = Path(__file__).parents[2] / "docs" / "guides"
ROOM: Final = "abcd-efgh-ijkl"
TEXT: Final = "Ann: Good morning."
# The provider of a process can be set once.
EXPORTER: Final = InMemorySpanExporter()
PROVIDER: Final = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(PROVIDER)


def blocks(page: str) -> list[str]:
    """Return the programs of a page."""
    text = (GUIDES / page).read_text("utf-8")
    return re.findall(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


async def run(block: str) -> dict[str, Any]:
    """Run a program and return its names."""
    names: dict[str, Any] = {}
    code = compile(block, "guide", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)  # noqa: S307 - our own page
    if inspect.isawaitable(result):
        await result
    return names


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeVideoSDK]:
    """Return a service with 45 texts, whose environment the programs read."""
    async with FakeVideoSDK() as service:
        for row in service.add_transcriptions(45, room_id=ROOM):
            service.files.put(row, "txt", TEXT.encode())
            row["transcriptionFilePaths"]["txt"] += "?X-Amz-Signature=hidden&X-Amz-Date=20260301"
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Return what collects the spans of the process."""
    EXPORTER.clear()
    yield EXPORTER
    EXPORTER.clear()


def values_of(spans: Sequence[ReadableSpan]) -> str:
    """Return all that an exporter sends."""
    return "\n".join(span.to_json() for span in spans)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Create the bucket of the guide on an S3 server, and return a client of boto3."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="your-bucket")
    yield s3
    s3.close()
    moto.stop()


async def test_each_request_is_a_span_in_that_of_the_job(
    fake: FakeVideoSDK, spans: InMemorySpanExporter, capsys: pytest.CaptureFixture[str]
) -> None:
    """This includes retries, and no span contains a token or a link of a file."""
    fake.on_page(2, Status(503))
    await run(blocks("opentelemetry.md")[0])
    assert capsys.readouterr().out == "45 texts\n"
    found = spans.get_finished_spans()
    (job,) = (span for span in found if span.name == "fetch texts")
    requests = [span for span in found if span.name == "GET"]
    assert len(requests) == 4
    assert [span.status.is_ok for span in requests].count(False) == 1
    assert {span.context.trace_id for span in requests} == {job.context.trace_id}
    exported = values_of(found)
    assert f"roomId={ROOM}" in exported
    assert "X-Amz" not in exported
    assert "eyJ" not in exported


async def test_instrumented_process_has_no_signed_url_in_spans(
    fake: FakeVideoSDK, spans: InMemorySpanExporter
) -> None:
    """The filter of the guide removes them; without it, the signature is there."""
    try:
        await run(blocks("opentelemetry.md")[1])
        async with TranscriptsClient() as client:
            t = await anext(client.iter_transcriptions(ROOM))
            assert await client.fetch_text(t) == TEXT
    finally:
        AioHttpClientInstrumentor().uninstrument()
    exported = values_of(spans.get_finished_spans())
    assert t.files["txt"].partition("?")[0] in exported
    assert "X-Amz" not in exported
    spans.clear()
    AioHttpClientInstrumentor().instrument()
    try:
        async with TranscriptsClient() as client:
            await client.fetch_text(t)
    finally:
        AioHttpClientInstrumentor().uninstrument()
    assert "X-Amz-Signature=hidden" in values_of(spans.get_finished_spans())


async def test_each_text_is_an_object(fake: FakeVideoSDK, bucket: Any) -> None:
    """A row without a text is returned."""
    fake.rows[0]["transcriptionFilePaths"] = {}
    names = await run(blocks("s3.md")[0])
    async with TranscriptsClient() as client:
        assert await names["copy_room"](client, ROOM) == [fake.rows[0]["id"]]
    found = bucket.list_objects_v2(Bucket="your-bucket", Prefix="transcripts/")["Contents"]
    expected = {f"transcripts/{row['id']}.txt" for row in fake.rows[1:]}
    assert {item["Key"] for item in found} == expected
    body = bucket.get_object(Bucket="your-bucket", Key=found[0]["Key"])["Body"].read()
    assert body.decode() == TEXT


@pytest.mark.usefixtures("fake", "bucket")
async def test_account_is_exported_to_a_bucket(capsys: pytest.CaptureFixture[str]) -> None:
    """The format is Parquet."""
    await run(blocks("s3.md")[1])
    assert capsys.readouterr().out == "True\n"
    fs = fsspec.filesystem("s3")
    fs.invalidate_cache()
    assert any(name.endswith(".parquet") for name in fs.find("your-bucket/meetings"))
