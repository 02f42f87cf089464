"""The rules without I/O: requests, statuses, bodies, Retry-After."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from videosdk_transcripts import (
    AuthenticationError,
    InvalidResponseError,
    RateLimitedError,
    RedirectError,
    ServerError,
    StatusError,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._api.protocol import (
    Request,
    Response,
    check_status,
    decode_object,
    http_date,
    list_request,
    read_json,
    retry_after,
    transcription_request,
)
from videosdk_transcripts._redact import Secret

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ASKED = Request("/x", "page 2 of the list")


def answer(body: object = b"{}", status: int = 200, **headers: str) -> Response:
    """Make an answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


def refused(body: object, status: int, hint: str = "", **headers: str) -> StatusError:
    """Return the error that an answer is turned into."""
    with pytest.raises(StatusError) as caught:
        check_status(answer(body, status, **headers), ASKED, now=NOW.timestamp(), hint=hint)
    return caught.value


def test_the_list_is_asked_for_as_documented() -> None:
    """The path ends in a slash, and the words are the API's own."""
    assert (
        list_request(Filter("abc-xyzw-lmno", "621497578bea0d0404c35c4c"), 1, 20).target
        == "/ai/v1/realtime-transcriptions/"
        "?roomId=abc-xyzw-lmno&sessionId=621497578bea0d0404c35c4c&page=1&perPage=20"
    )
    assert list_request(Filter(), 3, 50).target.endswith("/?page=3&perPage=50")


@pytest.mark.parametrize(
    ("given", "sent"), [("a b", "a+b"), ("a&page=9", "a%26page%3D9"), ("ä/ö", "%C3%A4%2F%C3%B6")]
)
def test_ids_stay_values_in_a_query(given: str, sent: str) -> None:
    """An id can't add a parameter."""
    assert f"roomId={sent}&page=1" in list_request(Filter(given), 1, 20).target


def test_ids_stay_one_segment_of_a_path() -> None:
    """An id can't reach another path."""
    target = transcription_request("../a?b#c/d").target
    assert target == "/ai/v1/realtime-transcriptions/..%2Fa%3Fb%23c%2Fd"


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_passes(status: int) -> None:
    """Any 2xx is a success, since nobody documents which one."""
    check_status(answer(status=status), ASKED, now=NOW.timestamp())


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"message": "no room"}, None, "no room"),
        ({"error": "no room", "code": "E1"}, "E1", "no room"),
        ({"msg": "no room", "errorCode": 402}, "402", "no room"),
        ({"statusMessage": "no room", "statusCode": 7}, "7", "no room"),
        ({"error": {"message": "no room", "code": "E2"}}, "E2", "no room"),
        ("no room", None, "no room"),
        (b"no room", None, "no room"),
        ({"message": "  no\n\troom "}, None, "no room"),
    ],
)
def test_the_service_is_quoted(body: object, code: str | None, said: str) -> None:
    """Words and code are found wherever the service's error bodies carry them."""
    error = refused(body, 404)
    assert code == error.code
    assert f"the service answered 404, {said}; check the id" in str(error)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"<html>secret</html>", b"[" * 100_000, {"message": ""}, {"a": 1}, [1]],
)
def test_an_answer_without_words_is_an_error_without_words(body: object) -> None:
    """HTML, rubbish and silence explain nothing, and break nothing."""
    error = refused(body, 500)
    assert isinstance(error, ServerError)
    assert str(error).startswith("GET page 2 of the list: the service answered 500")
    assert "secret" not in str(error)


def test_what_is_quoted_is_short_and_holds_no_token() -> None:
    """A service or a proxy that echoes the request does not put the token in our log."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJhcGlrZXkiOiJrIn0.c2lnbmF0dXJl"
    error = refused({"message": f"bad token {token} " + "x" * 500}, 401)
    assert "bad token *** xxx" in str(error)
    assert "eyJ" not in str(error)
    assert len(str(error)) < 400


def test_nothing_of_the_request_is_quoted() -> None:
    """Neither a token of another kind nor a key, wherever the service echoes it."""
    made = Response(
        500,
        {"x-request-id": "id-of-opaque", "content-type": "text/opaque"},
        b'{"message": "opaque and the-key", "code": "opaque"}',
        (Secret("opaque"), Secret("the-key")),
    )
    with pytest.raises(StatusError) as caught:
        check_status(made, ASKED, now=NOW.timestamp())
    assert (caught.value.code, caught.value.request_id) == ("***", "id-of-***")
    assert "answered 500, *** and ***" in str(caught.value)
    with pytest.raises(InvalidResponseError, match=r"text/\*\*\*") as unreadable:
        read_json(Response(200, made.headers, b"x", made.secrets), ASKED)
    assert "opaque" not in str(unreadable.value)


def test_what_is_quoted_can_be_shown_anywhere() -> None:
    """No control character, and nothing that can't be encoded."""
    error = refused(b'{"message": "a\\u001b[2Jb\\u0000c\\ud800d"}', 500, x_request_id="r\x1b")
    assert "a\ufffd[2Jb\ufffdc\ufffdd" in str(error)
    assert str(error).encode()
    assert error.request_id == "r\ufffd"


def test_a_refusal_carries_what_helps() -> None:
    """Status, request id and Retry-After are there as values."""
    error = refused({}, 429, retry_after="12", x_request_id="r-1")
    assert isinstance(error, RateLimitedError)
    assert (error.status, error.request_id, error.retry_after) == (429, "r-1", 12.0)


@pytest.mark.parametrize(
    "header", ["x-request-id", "request-id", "x-amzn-requestid", "x-amz-request-id"]
)
def test_request_id_headers(header: str) -> None:
    """The id is read from the headers that the Node SDK looks at."""
    assert Response(200, {header: "r-1"}, b"").request_id == "r-1"


def test_a_hint_replaces_the_general_advice() -> None:
    """What is known of a token is better advice than what is known of a status."""
    error = refused({}, 401, hint="the clock is wrong")
    assert isinstance(error, AuthenticationError)
    assert str(error).endswith("; the clock is wrong")


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://evil.example/take?token=abc", "https://evil.example,"),
        ("http://api.videosdk.live:8080/x", "http://api.videosdk.live:8080,"),
        ("/other/path?secret=1", "another path of the same host"),
        ("", "nowhere,"),
        ("https://user:pass@evil.example/", "https://evil.example,"),
    ],
)
def test_a_redirect_says_where_to_and_not_what(location: str, shown: str) -> None:
    """The origin is told, and never a path, a query or credentials."""
    error = refused({}, 302, location=location)
    assert isinstance(error, RedirectError)
    assert f"it points to {shown}" in str(error)
    assert "not followed" in str(error)
    for secret in ("token", "secret", "pass"):
        assert f"{secret}=" not in str(error)
        assert f":{secret}@" not in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0.5 ", 0.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("٣", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """Seconds or a date; the past is now, and rubbish is nothing."""
    assert seconds == retry_after({"retry-after": value}, NOW)


@pytest.mark.parametrize(
    "value", ["Mon, 02 Mar 2026 09:00:00 GMT", "Mon, 02 Mar 2026 09:00:00 -0000"]
)
def test_http_dates_are_utc(value: str) -> None:
    """A date without a known zone is UTC, as HTTP says."""
    assert http_date(value) == NOW


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "no body"),
        (b"{", "a body that is not JSON"),
        (b"\xff", "a body that is not JSON"),
        (b"[" * 100_000, "a body that is not JSON"),
        (b'{"a": NaN}', "a body that is not JSON"),
        (b"9" * 5000, "a body that is not JSON"),
    ],
)
def test_a_success_that_is_no_json(body: bytes, found: str) -> None:
    """An unreadable success is an error that says how much came, and not what."""
    with pytest.raises(InvalidResponseError) as caught:
        read_json(answer(body, content_type="text/plain"), ASKED)
    assert f"with {found} ({len(body)} bytes, text/plain)" in str(caught.value)
    assert caught.value.__context__ is None


def test_html_is_recognised() -> None:
    """A gateway's page is blamed on the gateway."""
    for made in (answer(b"x", content_type="text/html"), answer(b"  <p>")):
        with pytest.raises(InvalidResponseError, match="a proxy or a gateway"):
            read_json(made, ASKED)


@pytest.mark.parametrize("content_type", ["text/html", "application/json; charset=x", ""])
def test_json_is_json_whatever_the_content_type_says(content_type: str) -> None:
    """The bytes are what counts."""
    assert read_json(answer({"a": 1}, content_type=content_type), ASKED) == {"a": 1}


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_an_object_was_promised(body: Any) -> None:
    """Other JSON is an error."""
    with pytest.raises(InvalidResponseError, match="JSON that is no object"):
        decode_object(answer(body), ASKED)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"success": False, "message": "no luck"}, "a failure, no luck"),
        ({"success": False}, "a failure ("),
    ],
)
def test_a_failure_behind_a_200(body: Any, said: str) -> None:
    """Sibling endpoints say so in the body; that is no success."""
    with pytest.raises(InvalidResponseError) as caught:
        decode_object(answer(body), ASKED)
    assert said in str(caught.value)
    assert decode_object(answer({"success": True}), ASKED) == {"success": True}


def test_an_answer_does_not_show_its_body() -> None:
    """The body may hold what was said, and a repr goes to logs."""
    assert "words" not in repr(answer(b"words"))
