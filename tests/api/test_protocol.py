"""`_api/protocol.py`: requests, statuses, bodies, Retry-After."""

import base64
import json
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from videosdk_transcripts import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    ServerError,
    StatusError,
)
from videosdk_transcripts._api.filter import Filter
from videosdk_transcripts._api.protocol import (
    REALTIME,
    RECORDED,
    Request,
    Response,
    check_status,
    decode_object,
    explain_clock,
    http_date,
    is_too_deep,
    list_request,
    read_json,
    refuses_token,
    retry_after,
    row_request,
    status_error,
)
from videosdk_transcripts._redact import Secret

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ASKED = Request("/x", "page 2 of the list")


def response_of(body: object = b"{}", status: int = 200, **headers: str) -> Response:
    """Return a response."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


def refused(body: object, status: int, hint: str = "", **headers: str) -> StatusError:
    """Return the error that is raised for a response."""
    with pytest.raises(StatusError) as caught:
        check_status(response_of(body, status, **headers), ASKED, now=NOW.timestamp(), hint=hint)
    return caught.value


def test_list_request_has_documented_path_and_query() -> None:
    """The path ends in a slash, and the parameters have the API's own names."""
    assert (
        list_request(REALTIME, Filter("abc-xyzw-lmno", "621497578bea0d0404c35c4c"), 1, 20).target
        == "/ai/v1/realtime-transcriptions/"
        "?roomId=abc-xyzw-lmno&sessionId=621497578bea0d0404c35c4c&page=1&perPage=20"
    )
    assert (
        list_request(RECORDED, Filter(), 3, 50).target
        == "/ai/v1/post-transcriptions/?page=3&perPage=50"
    )


def test_only_lists_are_requested_without_caches() -> None:
    """Pages that are cached at different times contradict each other."""
    request = list_request(REALTIME, Filter("a"), 1, 20)
    assert (request.method, dict(request.headers)) == ("GET", {"Cache-Control": "no-cache"})
    assert dict(row_request(REALTIME, "a").headers) == {}


def test_endpoints_have_the_names_of_the_api() -> None:
    """The last part of the path; a checkpoint contains it."""
    assert (REALTIME.name, RECORDED.name) == ("realtime-transcriptions", "post-transcriptions")
    assert (
        list_request(REALTIME, Filter("a"), 3, 20).subject
        == "page 3 of the transcriptions of room a"
    )
    assert (
        list_request(RECORDED, Filter(), 3, 20).subject
        == "page 3 of the transcriptions of recordings of the whole account"
    )
    assert row_request(REALTIME, "a b").subject == "transcription a b"
    assert row_request(RECORDED, "a b").subject == "transcription of a recording a b"


@pytest.mark.parametrize(
    ("given", "sent"), [("a b", "a+b"), ("a&page=9", "a%26page%3D9"), ("ä/ö", "%C3%A4%2F%C3%B6")]
)
def test_id_in_query_is_quoted(given: str, sent: str) -> None:
    """An id can't add a parameter."""
    assert f"roomId={sent}&page=1" in list_request(REALTIME, Filter(given), 1, 20).target


def test_id_in_path_stays_one_segment() -> None:
    """An id can't reach another path."""
    target = row_request(REALTIME, "../a?b#c/d").target
    assert target == "/ai/v1/realtime-transcriptions/..%2Fa%3Fb%23c%2Fd"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    """The success code is undocumented."""
    check_status(response_of(status=status), ASKED, now=NOW.timestamp())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (199, StatusError),
        (300, RedirectError),
        (399, RedirectError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, NotFoundError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, StatusError),
        (406, ServerError),
        (407, StatusError),
        (408, StatusError),
        (409, ConflictError),
        (410, StatusError),
        (421, StatusError),
        (422, BadRequestError),
        (423, StatusError),
        (428, StatusError),
        (429, RateLimitedError),
        (430, StatusError),
        (499, StatusError),
        (500, ServerError),
        (599, ServerError),
        (999, ServerError),
    ],
)
def test_each_status_has_its_error_class(status: int, expected: type[StatusError]) -> None:
    """Other statuses have the general class."""
    assert type(refused({}, status)) is expected


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, ""),
        (401, "; check the key and the secret, or the token"),
        (402, "; check the room id; a room's custom id is not accepted everywhere"),
        (403, "; the token needs version 2 and, if it names roles, the role crawler"),
        (404, "; check the id, and that the key belongs to the account that owns it"),
        (409, ""),
        (429, "; send fewer requests at a time, or try again later"),
        (500, ""),
    ],
)
def test_status_error_has_advice(status: int, advice: str) -> None:
    """This applies to each status with a usual cause."""
    expected = f"GET page 2 of the list: the service responded with {status}{advice}"
    assert refused({}, status).message == expected


def test_retry_after_of_another_error_adds_no_advice() -> None:
    """Fewer requests would not help a service that is unavailable."""
    error = refused({}, 503, **{"Retry-After": "30"})
    assert error.message.endswith("the service responded with 503")
    assert error.retry_after == 30


@pytest.mark.parametrize("value", ["30", "0", "soon"])
def test_only_a_valid_retry_after_is_mentioned(value: str) -> None:
    """A reader would look for a header that the response does not have."""
    error = refused({}, 429, **{"Retry-After": value})
    is_valid = value != "soon"
    advice = "wait for the time in Retry-After" if is_valid else "try again later"
    assert error.message.endswith(f"429; send fewer requests at a time, or {advice}")
    assert (error.retry_after is not None) is is_valid


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"message": "no room"}, None, "no room"),
        ({"error": "no room", "code": "E1"}, "E1", "no room"),
        ({"msg": "no room", "errorCode": 402}, "402", "no room"),
        ({"statusMessage": "no room", "statusCode": 7}, "7", "no room"),
        ({"error": {"message": "no room", "code": "E2"}}, "E2", "no room"),
        ("no room", None, "no room"),
        (b"no room", None, "no room"),
        (BOM_UTF8 + b"no room", None, "no room"),
        ({"message": "  no\n\troom "}, None, "no room"),
        ({"message": "no room", "error": "other", "msg": "third"}, None, "no room"),
        ({"statusMessage": "third", "error": "no room"}, None, "no room"),
        ({"code": 1, "errorCode": 2, "statusCode": 3, "message": "no room"}, "1", "no room"),
        ({"code": "", "errorCode": "E3", "message": True, "msg": "no room"}, "E3", "no room"),
        ({"code": "E4", "error": {"code": "E5", "message": "no room"}}, "E4", "no room"),
        ({"message": "no room", "error": {"message": "inner"}}, None, "no room"),
        ({"error": {"error": {"message": "no room", "code": 0}}}, "0", "no room"),
        ({"statusCode": 404, "error": {"code": "E6", "message": "no room"}}, "E6", "no room"),
    ],
)
def test_status_error_quotes_code_and_message_of_the_service(
    body: object, code: str | None, message: str
) -> None:
    """Both are read from every place that the vendor's SDKs read."""
    error = refused(body, 404)
    assert code == error.code
    assert f"the service responded with 404, {message}; check the id" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<html>secret</html>",
        b"\r\n <html>secret</html>",
        BOM_UTF8 + b"\n<html>secret</html>",
        b"[" * 100_000,
        {"message": ""},
        {"a": 1},
        [1],
    ],
)
def test_status_error_without_a_readable_message(body: object) -> None:
    """HTML, garbage and an empty body add nothing to the message."""
    error = refused(body, 500)
    assert isinstance(error, ServerError)
    assert str(error).startswith("GET page 2 of the list: the service responded with 500")
    assert "secret" not in str(error)


def test_quoted_message_is_shortened_and_has_no_token() -> None:
    """This also applies if the service or a proxy echoes the request."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJhcGlrZXkiOiJrIn0.c2lnbmF0dXJl"
    error = refused({"message": f"bad token {token} " + "x" * 500}, 401)
    assert "bad token *** xxx" in str(error)
    assert "eyJ" not in str(error)
    assert len(str(error)) < 400


def test_echoed_secrets_are_masked() -> None:
    """Opaque tokens and keys too, in the message, the code, the request id and the type."""
    made = Response(
        500,
        {"x-request-id": "id-of-opaque", "content-type": "text/opaque"},
        b'{"message": "opaque and the-key", "code": "opaque"}',
        (Secret("opaque"), Secret("the-key")),
    )
    with pytest.raises(StatusError) as caught:
        check_status(made, ASKED, now=NOW.timestamp())
    assert (caught.value.code, caught.value.request_id) == ("***", "id-of-***")
    assert "responded with 500, *** and ***" in str(caught.value)
    with pytest.raises(InvalidResponseError, match=r"text/\*\*\*") as unreadable:
        read_json(Response(200, made.headers, b"x", made.secrets), ASKED)
    assert "opaque" not in str(unreadable.value)


@pytest.mark.parametrize("length", [200, 201, 4000, 4001, 9000])
def test_quoted_message_has_at_most_200_characters(length: int) -> None:
    """A longer message is truncated, and ends with an ellipsis."""
    quoted = response_of().quote("x" * length)
    assert quoted == ("x" * 200 if length == 200 else f"{'x' * 200}…")


def test_message_of_which_little_is_left_is_masked() -> None:
    """A part of a secret may remain where a very long text was truncated."""
    secret = Secret("s" * 3000)
    made = Response(200, {}, b"", (secret,))
    assert made.quote(f"{secret} {secret}") == "***"
    assert made.quote(f"{' ' * 4000}{secret}") == "***"
    assert made.quote(f"one {secret} two") == "one *** two"
    assert (made.quote(" \n "), made.quote("")) == (None, None)
    cut = Response(200, {}, b"", (Secret("k" * 10),))
    assert cut.quote(f"{' ' * 3790}{'x' * 211}") == "***"
    assert cut.quote(f"{' ' * 3789}{'x' * 212}") == f"{'x' * 200}…"


@pytest.mark.parametrize(
    ("secrets", "searched"),
    [
        ((), 4000),
        ((Secret("s" * 5000),), 10_000),
        ((Secret("s"), Secret("s" * 5000), Secret("t")), 10_000),
    ],
)
def test_beginning_of_a_message_is_searched(secrets: tuple[Secret, ...], searched: int) -> None:
    """4,000 characters, or twice the longest secret, so that no half of one is shown."""
    made = Response(200, {}, b"", secrets)
    assert made.quote("x" + " " * (searched - 1)) == "x"
    assert made.quote("x" + " " * searched) == "***"
    shown = 200 + (5000 if secrets else 0)
    assert made.quote("x" * shown + " " * searched) == "***"
    assert made.quote("x" * (shown + 1) + " " * searched) == f"{'x' * 200}…"


def test_message_with_an_encoded_secret_is_masked_completely() -> None:
    """The position of the secret in the text is not known exactly."""
    secret = Secret("an opaque secret of some length")
    encoded = base64.b64encode(f"user:{secret}".encode()).decode()
    assert Response(200, {}, b"", (secret,)).quote(f"Basic {encoded} is wrong") == "***"


@pytest.mark.parametrize("whole", ["key-and-more", "more-key", "a-key-and-more"])
def test_longer_secret_is_masked_first(whole: str) -> None:
    """A shorter one may be a part of it, at any position."""
    made = Response(200, {}, b"", (Secret("key"), Secret(whole)))
    assert made.quote(f"a {whole} b key c") == "a *** b *** c"


def test_quoted_message_is_printable() -> None:
    """It has no control characters, and can be encoded."""
    error = refused(b'{"message": "a\\u001b[2Jb\\u0000c\\ud800d"}', 500, x_request_id="r\x1b")
    assert "a\ufffd[2Jb\ufffdc\ufffdd" in str(error)
    assert str(error).encode()
    assert error.request_id == "r\ufffd"


def test_status_error_has_status_request_id_and_retry_after() -> None:
    """The attributes are plain values."""
    error = refused({}, 429, retry_after="12", x_request_id="r-1")
    assert isinstance(error, RateLimitedError)
    assert (error.status, error.request_id, error.retry_after) == (429, "r-1", 12.0)


@pytest.mark.parametrize(
    "header", ["x-request-id", "request-id", "x-amzn-requestid", "x-amz-request-id"]
)
def test_request_id_is_read_from_each_header(header: str) -> None:
    """The id is read from the headers that the Node SDK reads."""
    assert Response(200, {header: "r-1"}, b"").request_id == "r-1"


TOKEN_REFUSALS = [
    {"message": "Token is invalid or expired", "code": 4002},
    {"message": "Token is invalid or expired", "code": "4002"},
    {"message": "apikey is invalid", "code": 4001},
    {"error": "apikey is invalid", "errorCode": " 4001 "},
    {"statusCode": 400, "error": {"code": 4002}},
]


@pytest.mark.parametrize("body", TOKEN_REFUSALS)
def test_400_with_a_code_of_the_token_is_an_authentication_error(body: object) -> None:
    """The vendor's newest client treats it as a 401; the error keeps the status."""
    assert refuses_token(response_of(body, 400))
    error = refused(body, 400)
    assert isinstance(error, AuthenticationError)
    assert (error.status, error.code) in ((400, "4001"), (400, "4002"))
    assert str(error).endswith("; check the key and the secret, or the token")
    assert str(refused(body, 400, hint="set the clock")).endswith("; set the clock")


@pytest.mark.parametrize("status", [402, 403, 404, 422, 500])
@pytest.mark.parametrize("body", TOKEN_REFUSALS)
def test_codes_of_the_token_count_with_400_alone(body: object, status: int) -> None:
    """The class of other statuses does not change."""
    assert not refuses_token(response_of(body, status))
    assert not isinstance(refused(body, status), AuthenticationError)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "meetingId is invalid", "code": 4003},
        {"message": "4002"},
        {"code": True},
        {"code": [4002]},
        {"code": 40020},
        {"data": {"code": 4002}},
        [4002],
        b"4002",
        b"",
        b"{",
        None,
    ],
)
def test_other_400_is_a_bad_request(body: object) -> None:
    """4003 is an invalid meeting id."""
    assert not refuses_token(response_of(body, 400))
    assert type(refused(body, 400)) is BadRequestError


def test_401_refuses_the_token_whatever_its_body() -> None:
    """The body does not matter."""
    assert refuses_token(response_of(b"", 401))
    assert refuses_token(response_of({"code": 4003}, 401))
    assert not refuses_token(response_of({"code": 4002}, 200))


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("message", ["Transcription Already Running", "it was already stopped"])
def test_write_rejected_as_already_done_is_a_conflict(status: int, message: str) -> None:
    """A similar endpoint sends a 400 for a second start; the class of a read does not change."""
    response = response_of({"message": message}, status)
    for method, expected in (("POST", ConflictError), ("GET", BadRequestError)):
        asked = Request("/x", "the start", method)
        with pytest.raises(StatusError) as caught:
            check_status(response, asked, now=NOW.timestamp())
        assert type(caught.value) is expected
        assert caught.value.status == status


@pytest.mark.parametrize("status", [404, 406, 429, 500, 503])
def test_other_failure_of_a_write_is_no_conflict(status: int) -> None:
    """Only the body of a bad request explains what is wrong with the request."""
    with pytest.raises(status_error(status)) as caught:
        check_status(
            response_of({"message": "already running"}, status),
            Request("/x", "the start", "POST"),
            now=NOW.timestamp(),
        )
    assert type(caught.value) is status_error(status)


def test_advice_of_a_request_replaces_the_general_one() -> None:
    """This applies to statuses with a special meaning for the request."""
    asked = Request("/x", "the start", "POST", advice={404: "start one", 409: "stop it"})
    for body, status, end in (
        ({}, 404, "responded with 404; start one"),
        ({"message": "already running"}, 400, "already running; stop it"),
        ({}, 402, "a room's custom id is not accepted everywhere"),
        ({}, 400, "responded with 400"),
    ):
        with pytest.raises(StatusError) as caught:
            check_status(response_of(body, status), asked, now=NOW.timestamp())
        assert str(caught.value).endswith(end)


def test_404_of_the_whole_list_has_no_advice_about_an_id() -> None:
    """The request has no id that could be wrong."""
    for wanted, advice in (
        (Filter(), "responded with 404; check the endpoint, and that the list has this page$"),
        (Filter("r"), "responded with 404; check the id, and"),
    ):
        request = list_request(REALTIME, wanted, 3, 20)
        with pytest.raises(NotFoundError, match=advice):
            check_status(Response(404, {}, b""), request, now=0)


def test_hint_about_the_token_replaces_advice_for_the_status() -> None:
    """The hint is more specific."""
    error = refused({}, 401, hint="the clock is wrong")
    assert isinstance(error, AuthenticationError)
    assert str(error).endswith("; the clock is wrong")


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://evil.example/take?token=abc", "https://evil.example,"),
        ("http://api.videosdk.live:8080/x", "http://api.videosdk.live:8080,"),
        ("/other/path?secret=1", "another path of the same host"),
        ("", "no address,"),
        ("https://user:pass@evil.example/", "https://evil.example,"),
        ("//evil.example/x", "//evil.example,"),
        ("HTTPS://evil.example?a=b", "HTTPS://evil.example,"),
        ("https://evil.example#a", "https://evil.example,"),
        ("https://evil.example", "https://evil.example,"),
        # An @ after the host is no end of a user.
        ("https://evil.example/@pass", "https://evil.example,"),
        ("https://evil.example?@pass", "https://evil.example,"),
        ("https://evil.example#@pass", "https://evil.example,"),
        ("a+b.c-d://evil.example", "a+b.c-d://evil.example,"),
        ("s3://bucket/key", "s3://bucket,"),
        ("  /path  ", "another path of the same host"),
        ("path?a=b", "another path of the same host"),
        ("?a=b", "another path of the same host"),
        ("#a", "another path of the same host"),
        ("./a", "another path of the same host"),
        ("~a", "another path of the same host"),
        ("%7Ea", "another path of the same host"),
        ("-a", "another path of the same host"),
        ("mailto:ann", "an invalid URL"),
        ("1x:ann", "an invalid URL"),
        ("a.b:c", "an invalid URL"),
        ("a+b:c", "an invalid URL"),
        ("a-b:c", "an invalid URL"),
        ("1x://evil.example", "an invalid URL"),
        ("https://", "an invalid URL"),
        ("https://user:pass@", "an invalid URL"),
        ("https://a b/", "an invalid URL"),
        ("https://a\\b/", "an invalid URL"),
        ("\\evil.example", "an invalid URL"),
        ("//", "an invalid URL"),
        ("@evil", "an invalid URL"),
    ],
)
def test_redirect_error_shows_only_the_origin(location: str, shown: str) -> None:
    """It never shows a path, a query or credentials."""
    error = refused({}, 302, location=location)
    assert isinstance(error, RedirectError)
    assert f"it redirects to {shown}" in str(error)
    reason = ", which is not followed, because the token is for the configured endpoint only"
    assert str(error).endswith(reason)
    for secret in ("token", "secret", "pass"):
        assert f"{secret}=" not in str(error)
        assert f":{secret}@" not in str(error)


def test_redirect_without_a_location_has_no_address() -> None:
    """This is the same as with an empty one."""
    assert "it redirects to no address, which" in str(refused({}, 307))


@pytest.mark.parametrize("status", [300, 399])
def test_every_3xx_is_a_redirect(status: int) -> None:
    """The error shows its target; for other statuses, it does not."""
    assert "it redirects to another path" in str(refused({}, status, location="/x"))
    for other in (199, 400):
        assert "it redirects to" not in str(refused({}, other, location="/x"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0.5 ", 0.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("0", 0.0),
        ("999999999", 999_999_999.0),
        ("1.123456789", 1.123456789),
        ("1000000000", 1_000_000_000.0),
        ("1772442030", 1_772_442_030.0),
        ("9" * 400, sys.float_info.max),
        ("1.1234567891", 1.1234567891),
        ("2026-03-02T09:01:30Z", 90.0),
        ("2026-03-02t09:01:30.500z", 90.5),
        ("20260302T100130+0100", 90.0),
        ("2026-03-02 09:01:30", 90.0),
        ("2026-03-02T08:59:00Z", 0.0),
        ("Mon Mar  2 09:01:30 2026", 90.0),
        ("Monday, 02-Mar-26 09:01:30 GMT", 90.0),
        ("Mon, 02 Mar 2026 09:01:30 GMT, 120", 120.0),
        ("30, Mon, 02 Mar 2026 09:01:30 GMT", 90.0),
        ("Mon, 02 Mar 2026 09:00:30 GMT, Monday, 02-Mar-26 09:01:30 GMT", 90.0),
        ("Mon,02 Mar 2026 09:01:30 GMT,30", 90.0),
        ("30, soon, 60", 60.0),
        ("1.", None),
        (".5", None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("٣", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("9999-12-31T23:59:59-01:00", None),
    ],
)
def test_retry_after_in_seconds_or_as_date(value: str, seconds: float | None) -> None:
    """A number is always seconds, a date in the past is 0, and anything else is ignored."""
    assert seconds == retry_after({"retry-after": value}, NOW)


def test_retry_after_as_date_counts_from_the_date_of_the_response() -> None:
    """A local clock that is ahead would make the wait too short."""
    ends, sent = (format_datetime(NOW + timedelta(seconds=s), usegmt=True) for s in (90, 60))
    assert retry_after({"retry-after": ends, "date": sent}, NOW) == 30.0
    assert retry_after({"retry-after": ends, "date": "x"}, NOW) == 90.0
    assert retry_after({}, NOW) is None


def test_largest_of_several_retry_after_headers_counts() -> None:
    """The wait is not shorter than any of them requires."""
    sent = CIMultiDict([("Retry-After", "5"), ("Retry-After", "50"), ("retry-after", "soon")])
    assert retry_after(CIMultiDictProxy(sent), NOW) == 50.0


@pytest.mark.parametrize(
    ("ahead", "found"),
    [
        (59, ""),
        (-59, ""),
        (60, "this machine's clock is 60 s ahead of the service's"),
        (-60, "this machine's clock is 60 s behind the service's"),
        (7200, "this machine's clock is 7200 s ahead of"),
    ],
)
def test_clock_skew_of_a_minute_is_explained(ahead: int, found: str) -> None:
    """The skew is computed from the date of the response."""
    made = response_of(date=format_datetime(NOW, usegmt=True))
    text = explain_clock(made, NOW.timestamp() + ahead)
    assert text.startswith(found)
    assert bool(text) is bool(found)
    assert explain_clock(response_of(), NOW.timestamp()) == ""


@pytest.mark.parametrize("make", [lambda inner: [0, inner], lambda inner: {"a": 0, "b": inner}])
def test_a_hundred_levels_are_not_too_deep(make: Callable[[Any], Any]) -> None:
    """Arrays and objects count alike, and an empty one has no level below it."""
    value: Any = 1
    for levels in range(100):
        assert not is_too_deep(value), levels
        value = make(value)
    assert is_too_deep(value)


@pytest.mark.parametrize(
    "value", ["Mon, 02 Mar 2026 09:00:00 GMT", "Mon, 02 Mar 2026 09:00:00 -0000"]
)
def test_http_date_without_zone_is_utc(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP defines this, whatever the local time zone is."""
    assert http_date(value) == NOW
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XXX-5:30")
        time.tzset()
        there = http_date(value)
    time.tzset()
    assert there == NOW


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
def test_body_that_is_not_json_raises(body: bytes, found: str) -> None:
    """The message has the size and the type of the body, and none of its content."""
    with pytest.raises(InvalidResponseError) as caught:
        read_json(response_of(body, 203, content_type="text/plain", x_request_id="r-1"), ASKED)
    assert f"and {found} ({len(body)} bytes, text/plain)" in str(caught.value)
    assert (caught.value.status, caught.value.request_id) == (203, "r-1")
    assert caught.value.__context__ is None


def test_missing_content_type_is_stated() -> None:
    """An empty content type counts as missing, and neither causes advice."""
    for made in (response_of(b"x"), response_of(b"x", content_type="")):
        with pytest.raises(InvalidResponseError) as caught:
            read_json(made, ASKED)
        assert caught.value.message == (
            "GET page 2 of the list: the service responded with 200 and a body that is not JSON "
            "(1 bytes, no content type)"
        )


def test_html_body_is_attributed_to_a_gateway() -> None:
    """It is recognized by its content type, or by its first character after a byte order mark."""
    bodies = (b"<p>", b"  <p>", BOM_UTF8 + b"<p>", BOM_UTF8 + b"\r\n<p>")
    for made in (response_of(b"x", content_type="text/html"), *map(response_of, bodies)):
        with pytest.raises(
            InvalidResponseError, match=r"\); it may come from a proxy or a gateway$"
        ):
            read_json(made, ASKED)


@pytest.mark.parametrize("content_type", ["text/html", "application/json; charset=x", ""])
def test_json_is_decoded_whatever_the_content_type(content_type: str) -> None:
    """A proxy may change the content type."""
    assert read_json(response_of({"a": 1}, content_type=content_type), ASKED) == {"a": 1}


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_json_that_is_not_an_object_raises(body: Any) -> None:
    """A single transcription is an object."""
    with pytest.raises(InvalidResponseError, match="JSON that is not an object"):
        decode_object(response_of(body), ASKED)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"success": False, "message": "no luck"}, "a failure, no luck"),
        ({"success": False}, "a failure ("),
    ],
)
def test_failure_with_status_200_raises(body: Any, found: str) -> None:
    """Sibling endpoints report failures in the body."""
    with pytest.raises(InvalidResponseError) as caught:
        decode_object(response_of(body), ASKED)
    assert found in str(caught.value)
    assert decode_object(response_of({"success": True}), ASKED) == {"success": True}


def test_repr_has_no_body() -> None:
    """It may hold transcript text or a URL with a secret, and a repr may be logged."""
    found = Response(200, {"a": "b"}, b"words", (), json.loads)
    assert repr(found) == "Response(status=200, headers={'a': 'b'}, secrets=())"
    asked = Request("/path", "the list", "POST", b"words", {"a": "b"}, {404: "words"})
    assert repr(asked) == "Request(target='/path', subject='the list', method='POST')"
