"""The account's public key: fetched once, cached, and refetched within limits."""

import asyncio
import json
import sys
import traceback

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from videosdk_transcripts import (
    ConfigurationError,
    InvalidResponseError,
    ServerError,
    TranscriptionEvent,
    WebhookBodyError,
    WebhookSignatureError,
)
from videosdk_transcripts.testing import FakeVideoSDK, Status, Webhooks
from videosdk_transcripts.webhooks.keys import PublicKeys, public_key_request, read_public_key
from videosdk_transcripts.webhooks.signature import load_key

from ..conftest import ManualClock

BODY = json.dumps({"webhookType": "transcription-stopped", "data": {"id": "abc"}}).encode()


class Service:
    """A service that returns its key when the gate is open, and counts fetches."""

    def __init__(self) -> None:
        self.webhooks = Webhooks()
        self.count = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def __call__(self) -> str:
        self.count += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.webhooks.public_key

    def sign(self) -> str:
        return self.webhooks.sign(BODY)


@pytest.fixture
def service() -> Service:
    """Return a service that responds immediately."""
    return Service()


@pytest.fixture
def keys(service: Service, clock: ManualClock) -> PublicKeys:
    """Return the keys of the service, with the defaults."""
    return PublicKeys(service, clock=clock.clock)


def forged() -> str:
    """Return a signature of another key."""
    other = Webhooks()
    for _ in range(2):
        other.rotate()
    return other.sign(BODY)


async def run_until_blocked(*tasks: asyncio.Task[object]) -> None:
    """Run tasks until they block."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def test_key_is_fetched_once(keys: PublicKeys, service: Service) -> None:
    """All waiting and all later tasks share it."""
    events = await asyncio.gather(*(keys.verify(BODY, service.sign()) for _ in range(50)))
    assert {event.id for event in events} == {"abc"}
    assert isinstance(await keys.verify(BODY, service.sign()), TranscriptionEvent)
    assert service.count == 1


async def test_key_is_fetched_in_the_first_minute_of_the_clock(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """The monotonic clock of a machine that has just started is near zero."""
    clock.now = 1.0
    assert (await keys.verify(BODY, service.sign())).id == "abc"
    assert service.count == 1


@pytest.mark.parametrize("first", [True, False])
async def test_cancelling_one_task_does_not_affect_others(
    keys: PublicKeys, service: Service, first: bool
) -> None:
    """The cancelled task may be the fetching one or a waiting one."""
    service.gate.clear()
    tasks = [asyncio.create_task(keys.verify(BODY, service.sign())) for _ in range(4)]
    await run_until_blocked(*tasks)
    gone = tasks.pop(0 if first else 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await run_until_blocked(*tasks)
    service.gate.set()
    assert {event.id for event in await asyncio.gather(*tasks)} == {"abc"}
    assert service.count == (2 if first else 1)


async def test_key_expires_after_a_day(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """It is fetched again, whether it has changed or not."""
    await keys.verify(BODY, service.sign())
    clock.now += 86_399
    await keys.verify(BODY, service.sign())
    assert service.count == 1
    clock.now += 1
    await keys.verify(BODY, service.sign())
    assert service.count == 2
    old = service.sign()
    service.webhooks.rotate()
    clock.now += 86_400
    with pytest.raises(WebhookSignatureError):
        await keys.verify(BODY, old)
    assert service.count == 3


async def test_rotated_key_is_fetched_once(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """A signature that does not match is checked again with the newest key."""
    await keys.verify(BODY, service.sign())
    service.webhooks.rotate()
    clock.now += 60
    events = await asyncio.gather(*(keys.verify(BODY, service.sign()) for _ in range(20)))
    assert {event.id for event in events} == {"abc"}
    assert service.count == 2


async def test_forged_signatures_cost_one_request_a_minute(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """Genuine webhooks are accepted meanwhile."""
    signature = forged()
    for minute in range(1, 4):
        results = await asyncio.gather(
            *(keys.verify(BODY, signature) for _ in range(100)),
            *(keys.verify(BODY, service.sign()) for _ in range(3)),
            return_exceptions=True,
        )
        kinds = [type(result) for result in results]
        assert kinds == [WebhookSignatureError] * 100 + [TranscriptionEvent] * 3
        assert service.count == minute
        clock.now += 59.9
        with pytest.raises(WebhookSignatureError):
            await keys.verify(BODY, signature)
        assert service.count == minute
        clock.now += 0.1


async def test_malformed_signature_costs_no_request(keys: PublicKeys, service: Service) -> None:
    """Even before the first key is fetched."""
    for signature in (None, "", "garbage"):
        with pytest.raises(WebhookSignatureError):
            await keys.verify(BODY, signature)
    with pytest.raises(WebhookBodyError, match="more than"):
        await keys.verify(bytes(2**20 + 1), "AAAA")
    with pytest.raises(ConfigurationError, match="raw body"):
        await keys.verify("{}", "AAAA")  # type: ignore[arg-type]
    assert service.count == 0


async def test_signed_body_that_is_no_event_does_not_refetch_key(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """The signature is valid, so the key is current."""
    clock.now += 1000
    for _ in range(2):
        with pytest.raises(WebhookBodyError):
            await keys.verify(b"[]", service.webhooks.sign(b"[]"))
        clock.now += 1000
    assert service.count == 1


async def test_failed_fetch_is_shared_for_a_minute(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """All waiting and all later calls within the minute raise it; then the key is fetched again."""
    service.failure = ServerError("it is down", status=503, attempts=6)
    results = await asyncio.gather(
        *(keys.verify(BODY, service.sign()) for _ in range(5)), return_exceptions=True
    )
    assert [str(result) for result in results] == ["it is down [attempts 6]"] * 5
    assert service.count == 1
    clock.now += 59.9
    errors = []
    for _ in range(3):
        with pytest.raises(ServerError, match="it is down") as caught:
            await keys.verify(BODY, service.sign())
        assert (caught.value.status, caught.value.__context__) == (503, None)
        errors.append(caught.value)
    lengths = {len(traceback.extract_tb(error.__traceback__)) for error in errors}
    assert len(lengths) == 1
    assert service.count == 1
    clock.now += 0.1
    service.failure = None
    await keys.verify(BODY, service.sign())
    assert service.count == 2


async def test_failed_fetch_does_not_extend_an_expired_key(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """An expired key is not used because a newer one is unavailable."""
    await keys.verify(BODY, service.sign())
    service.failure = ServerError("it is down")
    clock.now += 86_400
    for _ in range(2):
        with pytest.raises(ServerError):
            await keys.verify(BODY, service.sign())
    assert service.count == 2


async def test_failed_fetch_on_mismatch_raises_its_error(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """It is unknown whether it is forged; genuine webhooks are accepted with the current key."""
    await keys.verify(BODY, service.sign())
    service.failure = ServerError("it is down")
    clock.now += 60
    for _ in range(3):
        with pytest.raises(ServerError) as caught:
            await keys.verify(BODY, forged())
        assert caught.value.__context__ is None
        await keys.verify(BODY, service.sign())
    assert service.count == 2
    clock.now += 60
    service.failure = None
    with pytest.raises(WebhookSignatureError):
        await keys.verify(BODY, forged())
    assert service.count == 3


async def test_foreign_error_of_fetch_is_not_cached(keys: PublicKeys, service: Service) -> None:
    """A failing token callable has sent no request, and may be called again immediately."""
    for number in (1, 2):
        service.failure = KeyError("vault")
        with pytest.raises(KeyError, match="vault"):
            await keys.verify(BODY, service.sign())
        assert service.count == number
    service.failure = None
    await keys.verify(BODY, service.sign())


async def test_pinned_key_is_never_fetched(service: Service, clock: ManualClock) -> None:
    """This applies to the first use, to a mismatch, and after a day."""
    keys = PublicKeys(service, pinned=service.webhooks.public_key, clock=clock.clock)
    for _ in range(2):
        assert (await keys.verify(BODY, service.sign())).id == "abc"
        with pytest.raises(WebhookSignatureError):
            await keys.verify(BODY, forged())
        clock.now += 1e6
    with pytest.raises(ConfigurationError, match="is not valid PEM"):
        PublicKeys(service, pinned="no key", clock=clock.clock)
    assert service.count == 0


async def test_pinned_key_is_parsed_once(
    service: Service, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not change, and parsing takes longer than verifying."""
    parsed: list[str | bytes] = []

    def load(pem: str | bytes) -> RSAPublicKey:
        parsed.append(pem)
        return load_key(pem)

    monkeypatch.setattr("videosdk_transcripts.webhooks.keys.load_key", load)
    keys = PublicKeys(service, pinned=service.webhooks.public_key, clock=clock.clock)
    for _ in range(3):
        await keys.verify(BODY, service.sign())
    assert parsed == [service.webhooks.public_key]


async def test_missing_cryptography_is_an_error_before_any_fetch(
    keys: PublicKeys, service: Service, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the command to install it, and is also raised for a pinned key."""
    signature, key = service.sign(), service.webhooks.public_key
    monkeypatch.setitem(sys.modules, "cryptography", None)
    command = r"pip install 'videosdk-transcripts\[webhooks\]'"
    with pytest.raises(ConfigurationError, match=command):
        await keys.verify(BODY, signature)
    with pytest.raises(ConfigurationError, match=command):
        PublicKeys(service, pinned=key, clock=clock.clock)
    assert service.count == 0


async def test_unusable_key_of_the_service_is_not_cached(clock: ManualClock) -> None:
    """It is an InvalidResponseError, because the caller did not pass the key."""
    given = ["<html>"]

    async def fetch() -> str:
        return given[0]

    keys = PublicKeys(fetch, clock=clock.clock)
    webhooks = Webhooks()
    with pytest.raises(InvalidResponseError) as caught:
        await keys.verify(BODY, webhooks.sign(BODY))
    assert str(caught.value) == (
        "GET the public key of webhooks: unusable response: the public key is not valid PEM: its "
        "base64 must be between the lines -----BEGIN PUBLIC KEY----- and -----END PUBLIC "
        "KEY-----; until the service returns its key again, pass the public key yourself"
    )
    assert caught.value.__context__ is None
    given[0] = webhooks.public_key
    clock.now += 60
    assert (await keys.verify(BODY, webhooks.sign(BODY))).id == "abc"


def test_key_is_shared_by_consecutive_event_loops(clock: ManualClock) -> None:
    """The key outlives the loop in which it was fetched."""

    async def twice(keys: PublicKeys) -> None:
        await asyncio.gather(*(keys.verify(BODY, webhooks.sign(BODY)) for _ in range(3)))

    webhooks, asked = Webhooks(), []

    async def fetch() -> str:
        asked.append(1)
        await asyncio.sleep(0)
        return webhooks.public_key

    keys = PublicKeys(fetch, clock=clock.clock)
    asyncio.run(twice(keys))
    asyncio.run(twice(keys))
    webhooks.rotate()
    clock.now += 60
    asyncio.run(twice(keys))
    assert asked == [1, 1]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "is of type NoneType"),
        ({"publicKey": None}, "is of type NoneType"),
        ({"publicKey": ""}, "is empty"),
        ({"publicKey": 5}, "is of type int"),
    ],
)
def test_response_without_key_is_rejected(data: dict[str, object], problem: str) -> None:
    """The error names the request, the problem and the remedy."""
    with pytest.raises(InvalidResponseError) as caught:
        read_public_key(data)
    assert str(caught.value) == (
        f"GET the public key of webhooks: unusable response: publicKey {problem}, not a non-empty "
        "string; until the service returns its key again, pass the public key yourself"
    )


async def test_fake_service_returns_its_key(fake: FakeVideoSDK, clock: ManualClock) -> None:
    """It does so over HTTP, with or without a token, counts requests and supports faults."""
    async with aiohttp.ClientSession(fake.url) as session:

        async def fetch() -> str:
            async with session.get(public_key_request().target) as response:
                if response.status != 200:
                    raise ServerError("it is down", status=response.status)
                return read_public_key(await response.json())

        keys = PublicKeys(fetch, clock=clock.clock)
        fake.fail_next(Status(503))
        with pytest.raises(ServerError):
            await keys.verify(BODY, fake.webhooks.sign(BODY))
        clock.now += 60
        assert (await keys.verify(BODY, fake.webhooks.sign(BODY))).id == "abc"
        assert fake.webhooks.key_requests == 1
        fake.webhooks.rotate()
        fake.webhooks.key_format = "spki"
        clock.now += 60
        assert (await keys.verify(BODY, fake.webhooks.sign(BODY))).id == "abc"
        assert fake.webhooks.key_requests == 2
    assert [request.path for request in fake.requests] == ["/v2/public/rsa-public-key"] * 3
