"""P7 and P8: tokens as the service requires them, renewed early, and never shown."""

import asyncio
import copy
import logging
import pickle
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import jwt
import pytest

from videosdk_transcripts import Clock, ConfigurationError, CredentialsError, TranscriptsClient
from videosdk_transcripts._redact import Secret
from videosdk_transcripts.auth import (
    FixedToken,
    RenewedToken,
    explain_refusal,
    mint_token,
    signing_source,
)

from .conftest import ManualClock

KEY, SECRET = "the-key", "the-secret-that-is-long-enough-for-hs256"
NOW = 1_770_000_000.0


def made(end: float | None, name: str = "x") -> str:
    """Return a token that expires at this time."""
    return jwt.encode({"name": name, **({} if end is None else {"exp": end})}, SECRET)


class Mint:
    """Return a new token each time, and count the calls."""

    def __init__(self, life: float | None = 600.0) -> None:
        self.life = life
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        await asyncio.sleep(0)
        return made(None if self.life is None else NOW + self.life, f"token {self.count}")


def source(mint: Callable[[], Any], clock: ManualClock) -> RenewedToken:
    """Return a source whose two clocks advance together."""
    return RenewedToken(mint, clock=Clock(lambda: clock.now, lambda: NOW + clock.now - 1000.0))


def test_claims_match_the_official_sdk() -> None:
    """The token has HS256, the claims that the server API requires, and an earlier start."""
    token = mint_token(KEY, SECRET, now=NOW)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
    ) == {
        "apikey": KEY,
        "permissions": ["allow_join", "allow_mod"],
        "version": 2,
        "roles": ["crawler"],
        "iat": int(NOW) - 60,
        "exp": int(NOW) + 600,
    }


def test_token_starts_now_by_default() -> None:
    """It is verified with the real clock."""
    claims = jwt.decode(mint_token(KEY, SECRET, lifetime=60), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 120


def claims_of(**options: Any) -> dict[str, Any]:
    """Return the claims of a token with these options, except for those that all tokens have."""
    token = mint_token(KEY, SECRET, now=NOW, **options)
    claims: dict[str, Any] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert (claims.pop("apikey"), claims.pop("version"), claims.pop("iat")) == (KEY, 2, NOW - 60)
    return claims


def test_token_may_start_at_the_epoch() -> None:
    """Any time after it is valid, too."""
    token = mint_token(KEY, SECRET, now=0, lifetime=1)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert (claims["iat"], claims["exp"]) == (-60, 1)


@pytest.mark.parametrize("lifetime", [1, 31_536_000])
def test_lifetime_may_be_a_second_or_a_year(lifetime: int) -> None:
    """These are the limits."""
    assert claims_of(lifetime=lifetime)["exp"] == NOW + lifetime


def test_claims_for_one_participant_of_one_room() -> None:
    """It has other permissions, both roles, and a lifetime of two hours."""
    assert claims_of(
        room_id="room",
        participant_id="ann",
        permissions=["ask_join"],
        roles=["crawler", "rtc"],
        lifetime=7200,
    ) == {
        "permissions": ["ask_join"],
        "roles": ["crawler", "rtc"],
        "exp": NOW + 7200,
        "roomId": "room",
        "participantId": "ann",
    }


def test_token_without_roles_omits_the_claim() -> None:
    """A token without it is not restricted."""
    assert claims_of(roles=[]) == {"permissions": ["allow_join", "allow_mod"], "exp": NOW + 600}


ONE_OR_BOTH = "permissions must be allow_join, allow_mod, both, or ask_join alone"
LIST_OF_PERMISSIONS = "permissions must be a list of allow_join, allow_mod, ask_join"
LIST_OF_ROLES = "roles must be a list of crawler, rtc"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"permissions": []}, ONE_OR_BOTH),
        ({"permissions": ["ask_join", "allow_mod"]}, ONE_OR_BOTH),
        ({"permissions": "allow_mod"}, LIST_OF_PERMISSIONS),
        ({"permissions": ["allow_all"]}, LIST_OF_PERMISSIONS),
        ({"permissions": ""}, LIST_OF_PERMISSIONS),
        ({"roles": ["admin"]}, LIST_OF_ROLES),
        ({"roles": "crawler"}, LIST_OF_ROLES),
        ({"roles": ""}, LIST_OF_ROLES),
        ({"roles": 5}, LIST_OF_ROLES),
        ({"roles": [ANY]}, LIST_OF_ROLES),
        ({"lifetime": 0.5}, "lifetime must be from 1 s to 365 days, not 0.5 s"),
        ({"lifetime": 31_536_001}, "lifetime must be from 1 s to 365 days, not 31536001 s"),
        ({"lifetime": float("nan")}, "lifetime must be a number of 0 or more, not nan"),
        ({"now": -0.1}, "now must be a number of 0 or more, not -0.1"),
        ({"room_id": ""}, "room_id must be a non-empty id without whitespace, not ''"),
        ({"participant_id": "a b"}, "participant_id must be a non-empty id without whitespace, "),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_undocumented_claim_is_rejected(options: dict[str, Any], reason: str) -> None:
    """The token is not passed on."""
    with pytest.raises(ConfigurationError) as caught:
        mint_token(KEY, SECRET, **options)
    assert str(caught.value).startswith(reason)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "secret"),
    [("", SECRET), (KEY, ""), (" ", SECRET), (KEY, "\n"), (None, SECRET), (KEY, 5)],
)
def test_missing_key_or_secret_is_rejected(key: Any, secret: Any) -> None:
    """Other types are not converted to strings."""
    with pytest.raises(CredentialsError, match="must be non-empty strings"):
        mint_token(key, secret)


@pytest.mark.parametrize(
    "secret", [f"{SECRET}\ud800", f"-----BEGIN PUBLIC KEY-----\n{SECRET}\n-----END PUBLIC KEY-----"]
)
def test_unusable_secret_is_not_shown(secret: str) -> None:
    """PyJWT's error, whose frames contain it, is not shown, either."""
    for use in (
        lambda: mint_token(KEY, secret),
        lambda: signing_source(Secret(KEY), Secret(secret), clock=Clock()),
    ):
        with pytest.raises(CredentialsError, match="can't sign a token") as caught:
            use()
        assert caught.value.__context__ is None
        assert SECRET not in str(caught.value)


def test_errors_redact_the_key_and_the_secret() -> None:
    """A ready token has neither; the token itself is redacted in any case."""
    assert signing_source(Secret(KEY), Secret(SECRET), clock=Clock()).secrets == (KEY, SECRET)
    assert RenewedToken(Mint(), clock=Clock()).secrets == FixedToken(Secret("abc")).secrets == ()


def test_short_secret_is_logged_once_without_warning(
    caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    """The vendor determines its length, so a warning for each request would not help."""
    with caplog.at_level(logging.INFO):
        short = signing_source(
            Secret(KEY), Secret("short"), clock=Clock(lambda: clock.now, lambda: NOW)
        )
        signing_source(Secret(KEY), Secret("é" * 16), clock=Clock(lambda: clock.now, lambda: NOW))
        assert len(caplog.records) == 1
        signing_source(Secret(KEY), Secret("s" * 31), clock=Clock(lambda: clock.now, lambda: NOW))
    record, _ = caplog.records
    assert record.name == "videosdk_transcripts"
    assert "shorter than the 32 bytes" in record.getMessage()
    assert mint_token(KEY, "short")
    assert "short'" not in repr(short)


async def test_token_is_renewed_a_minute_before_it_expires(clock: ManualClock) -> None:
    """The service never receives an expired token."""
    mint = Mint(600)
    tokens = source(mint, clock)
    first = await tokens.get()
    clock.now += 539
    assert await tokens.get() == first
    clock.now += 1
    assert await tokens.get() != first
    assert mint.count == 2


@pytest.mark.parametrize(("life", "used_for"), [(50.0, 40.0), (5.0, 10.0), (-3600.0, 10.0)])
async def test_short_lived_token_is_used_for_a_while(
    clock: ManualClock, life: float, used_for: float
) -> None:
    """A wrong clock does not cause a renewal for each request."""
    mint = Mint(life)
    tokens = source(mint, clock)
    await tokens.get()
    clock.now += used_for - 0.1
    await tokens.get()
    assert mint.count == 1
    clock.now += 0.2
    await tokens.get()
    assert mint.count == 2


async def test_token_without_expiry_is_used_until_rejected(clock: ManualClock) -> None:
    """Its end is unknown."""
    mint = Mint(None)
    tokens = source(mint, clock)
    first = await tokens.get()
    clock.now += 10**9
    assert await tokens.get() == first
    assert tokens.invalidate(first)
    assert await tokens.get() != first


async def test_concurrent_tasks_share_one_renewal(clock: ManualClock) -> None:
    """A hundred tasks that need a token cause one renewal."""
    mint = Mint()
    tokens = source(mint, clock)
    got = await asyncio.gather(*(tokens.get() for _ in range(100)))
    assert (len(set(got)), mint.count) == (1, 1)


async def test_concurrent_refusals_cause_one_renewal(clock: ManualClock) -> None:
    """Tasks refused with the same token share its replacement."""
    mint = Mint()
    tokens = source(mint, clock)
    old = await tokens.get()
    assert tokens.invalidate(old)
    new = await tokens.get()
    assert tokens.invalidate(old)
    assert await tokens.get() == new
    assert mint.count == 2


async def test_renewed_token_with_equal_text_is_kept(clock: ManualClock) -> None:
    """Two tokens minted in the same second are equal; a late refusal does not drop the second."""
    keys = signing_source(Secret(KEY), Secret(SECRET), clock=Clock(lambda: clock.now, lambda: NOW))
    old = await keys.get()
    assert keys.invalidate(old)
    new = await keys.get()
    assert new == old
    assert keys.invalidate(old)
    assert await keys.get() is new


async def test_cancelled_renewal_is_done_by_next_task(clock: ManualClock) -> None:
    """The lock is released."""
    mint = Mint()
    tokens = source(mint, clock)
    first, second = asyncio.create_task(tokens.get()), asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert first.cancelled()
    assert mint.count == 2


def test_source_works_in_consecutive_loops(clock: ManualClock) -> None:
    """Its lock belongs to a loop, but the source does not."""
    mint = Mint(1.0)
    tokens = source(mint, clock)

    async def contend() -> None:
        clock.now += 60
        await asyncio.gather(tokens.get(), tokens.get())

    asyncio.run(contend())
    asyncio.run(contend())
    assert mint.count == 2


@pytest.mark.parametrize("given", [None, 5, b"token", "", "a b", "a\nb", "tökén"])
async def test_invalid_token_of_callable_is_rejected(clock: ManualClock, given: Any) -> None:
    """The error does not contain its value."""

    async def provider() -> Any:
        return given

    with pytest.raises(CredentialsError):
        await source(provider, clock).get()


async def test_callable_that_is_not_async_is_rejected(clock: ManualClock) -> None:
    """The error names what is required."""
    with pytest.raises(CredentialsError, match="an async callable that returns one"):
        await source(lambda: "token", clock).get()


@pytest.mark.parametrize("end", [10**400, 1e300, 253_402_300_800, 0, -1.0])
async def test_expiry_beyond_the_calendar_is_ignored(clock: ManualClock, end: float) -> None:
    """It causes no error."""
    token = made(end)

    async def provider() -> str:
        return token

    assert await source(provider, clock).get() == token
    for now in (NOW, 1e13):
        assert explain_refusal(Secret(token), now) is None


async def test_error_of_callable_is_passed_on(clock: ManualClock) -> None:
    """The caller's own error is raised."""

    async def provider() -> str:
        raise LookupError("vault is sealed")

    with pytest.raises(LookupError, match="vault is sealed"):
        await source(provider, clock).get()


@pytest.mark.parametrize("pasted", ["Bearer abc.def.ghi", "bearer abc", "Basic abc"])
def test_pasted_prefix_is_rejected_with_hint(pasted: str) -> None:
    """The service takes the raw token."""
    with pytest.raises(ConfigurationError, match="takes the raw token") as caught:
        FixedToken(Secret(pasted))
    assert "abc" not in str(caught.value)


async def test_ready_token_is_returned_and_not_renewed() -> None:
    """There is no other token."""
    fixed = FixedToken(Secret("abc"))
    assert await fixed.get() == "abc"
    assert not fixed.invalidate(Secret("abc"))


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (NOW - 60, "the token expired at 2026-02-02T02:39:00+00:00"),
        (NOW, "the token expired at 2026-02-02T02:40:00+00:00"),
        (NOW + 1, None),
        (1, "the token expired at 1970-01-01T00:00:01+00:00"),
        (None, None),
    ],
)
def test_expired_token_explains_refusal(end: float | None, reason: str | None) -> None:
    """This applies only if the token itself shows it."""
    assert reason == explain_refusal(Secret(made(end)), NOW)
    assert explain_refusal(Secret("opaque"), NOW) is None
    assert explain_refusal(Secret(jwt.encode({"exp": "soon"}, SECRET)), NOW) is None


HOLDERS = [
    FixedToken(Secret(SECRET)),
    RenewedToken(Mint(), clock=Clock(time=lambda: NOW)),
    signing_source(Secret(KEY), Secret(SECRET), clock=Clock(time=lambda: NOW)),
    TranscriptsClient(api_key=KEY, secret=SECRET),
    TranscriptsClient(token=SECRET),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda h: type(h).__name__)
def test_holder_of_secret_has_safe_repr_and_no_pickle(holder: object) -> None:
    """Pickling and copying are refused with a reason."""
    for shown in (repr(holder), f"{[holder]}"):
        assert SECRET not in shown
        assert KEY not in shown
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="in each process"):
            attempt(holder)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copy_of_a_secret_is_the_secret_itself(duplicate: Callable[[Any], Any]) -> None:
    """This includes a header that a recorder of requests copies."""
    secret = Secret(SECRET)
    assert duplicate(secret) is secret
    copied = duplicate({"Authorization": secret})
    assert copied["Authorization"] is secret
    assert repr(copied) == "{'Authorization': '***'}"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_a_secret_is_rejected(protocol: int) -> None:
    """The error states what to do instead, and does not show the secret."""
    with pytest.raises(TypeError, match="read it again where it is needed") as caught:
        pickle.dumps([Secret(SECRET)], protocol)
    assert SECRET not in str(caught.value)


def test_secret_is_an_ordinary_string_to_libraries() -> None:
    """Only its repr differs."""
    assert f"{Secret('abc')}" == "abc"
    assert Secret("abc").encode() == b"abc"
    assert repr({"Authorization": Secret("abc")}) == "{'Authorization': '***'}"
