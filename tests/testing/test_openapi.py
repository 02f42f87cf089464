"""The OpenAPI document, compared with the fake service and with the client."""

import json
import re
from importlib.resources import files
from typing import Any

import aiohttp
import jwt
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from videosdk_transcripts import TranscriptsClient
from videosdk_transcripts.testing import FakeVideoSDK, run_sandbox
from videosdk_transcripts.testing._handlers import make_app

DOCUMENT: dict[str, Any] = json.loads(
    (files("videosdk_transcripts.testing") / "openapi.json").read_text("utf-8")
)
ELSEWHERE = {"/", "/dashboard.json", "/style.css", "/openapi.json", "/files/{id}/{name}"}
ROOM = "wkly-team-sync"


def test_document_is_valid_openapi() -> None:
    """Its version is 3.1."""
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


async def test_document_is_served(fake: FakeVideoSDK) -> None:
    """It requires no token, equals the file of the package, and is not counted as a request."""
    url = f"{fake.url}/openapi.json"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.content_type == "application/json"
        assert await answer.json() == DOCUMENT
    assert fake.requests == []


def test_document_and_routes_agree() -> None:
    """Each route is described, and each description has a route."""
    app = make_app(FakeVideoSDK())
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
def test_operations_name_their_source_and_its_gaps(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    """They require a token unless they are public."""
    assert operation["externalDocs"]["url"].startswith("https://docs.videosdk.live/")
    assert operation["security"] == ([] if "public" in path else [{"token": []}])
    assert "not documented" in json.dumps(operation)
    assert (method == "post") == ("requestBody" in operation)


def closed(schema: Any) -> Any:
    """Return a schema that allows only the keys that it names."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        found.setdefault("additionalProperties", False)
    return found


def check(method: str, path: str, status: int, body: Any) -> None:
    """Validate a response against the document, which must name each of its keys."""
    operation = DOCUMENT["paths"][path][method]
    content = operation["responses"][str(status)]["content"]["application/json"]
    schema = closed({**content["schema"], "components": DOCUMENT["components"]})
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


BASE = "/ai/v1/realtime-transcriptions/"
POSTS = "/ai/v1/post-transcriptions/"
ROOMS = "/v2/rooms/{id}"
KEY = "/v2/public/rsa-public-key"
START = {"roomId": "a-room"}
FULL = {
    **START,
    "webhookUrl": "https://a.b",
    "language": "en-US",
    "modelId": "m",
    "summary": {"enabled": True, "prompt": "Short."},
}


async def test_responses_match_the_document(fake: FakeVideoSDK) -> None:
    """Each status of each operation occurs and matches its schema."""
    run_sandbox(fake)
    fake.custom_ids["custom"] = ROOM
    row, post = fake.rows[0], fake.post_rows[0]
    async with fake.client() as client:
        await client.count()
    good = fake.requests[-1].headers["Authorization"]
    claims = {"apikey": fake.api_key, "exp": 2**40, "iat": 0, "version": 2, "roles": ["rtc"]}
    forbidden = jwt.encode(claims, fake.secret, algorithm="HS256")
    asked: list[tuple[str, str, str, Any, int]] = [
        ("get", BASE, f"{BASE}?roomId={ROOM}&perPage=50", None, 200),
        ("get", BASE, f"{BASE}?roomId=unknown", None, 200),
        ("get", BASE, f"{BASE}?page=99", None, 200),
        ("get", BASE, f"{BASE}?page=0", None, 400),
        ("get", f"{BASE}{{id}}", f"{BASE}{row['id']}", None, 200),
        ("get", f"{BASE}{{id}}", f"{BASE}unknown", None, 404),
        ("post", f"{BASE}start", f"{BASE}start", FULL, 200),
        ("post", f"{BASE}start", f"{BASE}start", START, 400),
        ("post", f"{BASE}start", f"{BASE}start", {}, 400),
        ("post", f"{BASE}end", f"{BASE}end", START, 200),
        ("post", f"{BASE}end", f"{BASE}end", START, 404),
        ("post", f"{BASE}end", f"{BASE}end", {}, 400),
        ("get", BASE, f"{BASE}?roomId=a-room", None, 200),
        ("get", POSTS, f"{POSTS}?perPage=3", None, 200),
        ("get", POSTS, f"{POSTS}?perPage=x", None, 400),
        ("get", f"{POSTS}{{id}}", f"{POSTS}{post['id']}", None, 200),
        ("get", f"{POSTS}{{id}}", f"{POSTS}unknown", None, 404),
        ("get", ROOMS, f"/v2/rooms/{ROOM}", None, 200),
        ("get", ROOMS, "/v2/rooms/custom", None, 200),
        ("get", ROOMS, "/v2/rooms/unknown", None, 404),
        ("get", KEY, KEY, None, 200),
    ]
    tries = [(*one, good) for one in asked]
    for path, method, operation in operations():
        if operation["security"]:
            tries.append((method, path, path.replace("{id}", "x"), None, 401, "not a token"))
            tries.append((method, path, path.replace("{id}", "x"), None, 403, forbidden))
    seen = set()
    async with aiohttp.ClientSession(fake.url) as session:
        for method, path, target, body, status, token in tries:
            headers = {"Authorization": token}
            async with session.request(method, target, json=body, headers=headers) as answer:
                assert answer.status == status, target
                check(method, path, status, await answer.json())
                seen.add((path, method, str(status)))
    assert seen == {(path, method, s) for path, method, o in operations() for s in o["responses"]}


async def test_requests_of_the_client_match_the_document(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """All parameters and keys are sent, and no others."""
    post = fake.add_post_transcription()
    row = (await client.start_transcription(ROOM)).transcription
    await client.stop_transcription(ROOM)
    await client.get_page("a", "b", page=2, page_size=5)
    [_ async for _ in client.iter_post_transcriptions("a", "b")]
    await client.get_transcription(row.id)
    await client.get_post_transcription(post["id"])
    await client.resolve_room(ROOM)
    await client.start_transcription(
        "a", webhook_url="https://a.b", language="en", model_id="m", summary="Short."
    )
    sent: dict[tuple[str, str], set[str]] = {}
    for request in fake.requests:
        path = re.sub(r"[\w]+-\w+-\w+-\w+-\w+$", "{id}", request.path)
        path = path.replace(ROOM, "{id}")
        operation = DOCUMENT["paths"][path][request.method.lower()]
        known = {one["name"] for one in operation.get("parameters", ())}
        found = set(request.query) | ({"id"} if "{id}" in path else set())
        assert found <= known
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            schema = closed({**content["schema"], "components": DOCUMENT["components"]})
            body = json.loads(request.body)
            Draft202012Validator(schema).validate(body)
            found |= set(body)
        sent.setdefault((path, request.method.lower()), set()).update(found)
    # Everything described is also sent, if requested.
    assert sent == {
        (path, method): {one["name"] for one in operation.get("parameters", ())}
        | body_keys(operation)
        for path, method, operation in operations()
        if operation["security"]
    }


def body_keys(operation: dict[str, Any]) -> set[str]:
    """Return the keys that a body can have."""
    if "requestBody" not in operation:
        return set()
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return set(DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]["properties"])
