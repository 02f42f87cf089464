"""The document of what the fake service models, held against what it answers."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from videosdk_transcripts import TranscriptsClient, VideoSDKTranscriptsError
from videosdk_transcripts.testing import FakeVideoSDK, run_sandbox
from videosdk_transcripts.testing._handlers import make_app
from videosdk_transcripts.testing._openapi import openapi_text

DOCUMENT: dict[str, Any] = json.loads(openapi_text())
ELSEWHERE = {"/", "/openapi.json", "/files/{id}/{name}"}
ROOM = "wkly-team-sync"


def test_it_is_a_document() -> None:
    """Valid OpenAPI 3.1."""
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


async def test_it_is_served(fake: FakeVideoSDK) -> None:
    """Without a token, as it is in the package, and not counted as asked of the service."""
    url = f"{fake.url}/openapi.json"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.content_type == "application/json"
        assert await answer.json() == DOCUMENT
    assert fake.requests == []


def test_each_way_is_described() -> None:
    """What the fake service answers is in the document, and what is in it is answered."""
    fake: Any = FakeVideoSDK()
    app = make_app(fake, fake._script, fake._random)
    served = {
        (route.method.lower(), str(route.resource and route.resource.canonical))
        for route in app.router.routes()
        if route.method != "HEAD"
    }
    described = {(method, path) for path, method, _ in operations()}
    both_forms = described | {(method, path.rstrip("/")) for method, path in described}
    assert {(method, path) for method, path in served if path not in ELSEWHERE} == both_forms


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Return path, method and description of each operation."""
    return [
        (path, method, operation)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post"}
    ]


@pytest.mark.parametrize(
    ("path", "method", "operation"), operations(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_is_not_documented_is_said(path: str, method: str, operation: dict[str, Any]) -> None:
    """Each operation names its page, and needs a token unless it says otherwise."""
    assert operation["externalDocs"]["url"].startswith("https://docs.videosdk.live/")
    assert operation["security"] == ([] if "public" in path else [{"token": []}])
    assert "not documented" in json.dumps([operation, DOCUMENT["components"]])
    assert (method == "post") == ("requestBody" in operation)


def check(method: str, path: str, status: int, body: Any) -> None:
    """Hold an answer against the document."""
    operation = DOCUMENT["paths"][path][method]
    content = operation["responses"][str(status)]["content"]["application/json"]
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


async def test_each_answer_is_as_described(fake: FakeVideoSDK) -> None:
    """Successes and refusals of all operations."""
    run_sandbox(fake)
    base = "/ai/v1/realtime-transcriptions/"
    posts = "/ai/v1/post-transcriptions/"
    start = {"roomId": "a-room"}
    seen = set()
    async with fake.client() as client:
        await client.count()
    token = fake.requests[-1].headers["Authorization"]
    async with aiohttp.ClientSession(fake.url) as session:
        for method, path, target, body, headers, status in (
            ("get", base, f"{base}?roomId={ROOM}&perPage=50", None, token, 200),
            ("get", base, f"{base}?page=0", None, token, 400),
            ("get", base, base, None, "", 401),
            ("get", f"{base}{{id}}", f"{base}{fake.rows[0]['id']}", None, token, 200),
            ("get", f"{base}{{id}}", f"{base}nobody", None, token, 404),
            ("post", f"{base}start", f"{base}start", {**start, "webhookUrl": "x"}, token, 200),
            ("post", f"{base}start", f"{base}start", start, token, 409),
            ("post", f"{base}start", f"{base}start", {}, token, 400),
            ("post", f"{base}end", f"{base}end", start, token, 200),
            ("post", f"{base}end", f"{base}end", start, token, 404),
            ("get", posts, f"{posts}?perPage=3", None, token, 200),
            ("get", f"{posts}{{id}}", f"{posts}{fake.post_rows[0]['id']}", None, token, 200),
            ("get", f"{posts}{{id}}", f"{posts}nobody", None, token, 404),
            ("get", "/v2/public/rsa-public-key", "/v2/public/rsa-public-key", None, "", 200),
        ):
            async with session.request(
                method, target, json=body, headers={"Authorization": headers}
            ) as answer:
                assert answer.status == status, target
                check(method, path, status, await answer.json())
                seen.add((path, method))
    assert seen == {(path, method) for path, method, _ in operations()}


async def test_what_the_client_sends_is_described(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """Parameters of the query and keys of a body."""
    await client.get_page("a", "b", page=2)
    path = fake.requests[-1].path
    known = {one["name"] for one in DOCUMENT["paths"][path]["get"]["parameters"]}
    assert set(fake.requests[-1].query) == known
    await client.start_transcription(
        "a", webhook_url="https://a.b", language="en", model_id="m", summary="Short."
    )
    sent = json.loads(fake.requests[-1].body)
    schema = DOCUMENT["components"]["schemas"]["Start"]
    assert set(sent) == set(schema["properties"])
    Draft202012Validator(schema).validate(sent)
    with pytest.raises(VideoSDKTranscriptsError):
        await client.get_transcription("nobody")


def test_it_is_in_the_package() -> None:
    """Beside the code that serves it."""
    import videosdk_transcripts.testing

    folder = Path(videosdk_transcripts.testing.__file__).parent
    assert (folder / "openapi.json").read_text("utf-8") == openapi_text()
