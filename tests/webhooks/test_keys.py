"""The account's public key: fetched once, kept, and fetched again within limits."""

import asyncio
import json
import traceback

import aiohttp
import pytest

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

from ..conftest import ManualClock

BODY = json.dumps({"webhookType": "transcription-stopped", "data": {"id": "abc"}}).encode()


class Service:
    """Gives the key when it is let to, and counts."""

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
    """Give a service that answers at once."""
    return Service()


@pytest.fixture
def keys(service: Service, clock: ManualClock) -> PublicKeys:
    """Give the keys of it, with the defaults."""
    return PublicKeys(service, clock=clock.clock)


def forged() -> str:
    """Sign with a key that is not the service's."""
    other = Webhooks()
    for _ in range(2):
        other.rotate()
    return other.sign(BODY)


async def waiting(*tasks: asyncio.Task[object]) -> None:
    """Let tasks come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def test_the_key_is_fetched_once(keys: PublicKeys, service: Service) -> None:
    """For all tasks that wait for it, and for all that come later."""
    events = await asyncio.gather(*(keys.verify(BODY, service.sign()) for _ in range(50)))
    assert {event.id for event in events} == {"abc"}
    assert isinstance(await keys.verify(BODY, service.sign()), TranscriptionEvent)
    assert service.count == 1


@pytest.mark.parametrize("first", [True, False])
async def test_who_is_cancelled_takes_nobody_along(
    keys: PublicKeys, service: Service, first: bool
) -> None:
    """Neither the one that fetches nor one that waits for it."""
    service.gate.clear()
    tasks = [asyncio.create_task(keys.verify(BODY, service.sign())) for _ in range(4)]
    await waiting(*tasks)
    gone = tasks.pop(0 if first else 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await waiting(*tasks)
    service.gate.set()
    assert {event.id for event in await asyncio.gather(*tasks)} == {"abc"}
    assert service.count == (2 if first else 1)


async def test_the_key_expires(keys: PublicKeys, service: Service, clock: ManualClock) -> None:
    """After a day it is fetched again, whether it is the same or not."""
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


async def test_a_changed_key_is_fetched(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """A signature that does not fit is looked at again with the newest key, once for all."""
    await keys.verify(BODY, service.sign())
    service.webhooks.rotate()
    clock.now += 60
    events = await asyncio.gather(*(keys.verify(BODY, service.sign()) for _ in range(20)))
    assert {event.id for event in events} == {"abc"}
    assert service.count == 2


async def test_a_flood_of_forged_ones(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """Costs one request a minute, and genuine ones pass all the while."""
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


async def test_what_is_no_signature_costs_nothing(keys: PublicKeys, service: Service) -> None:
    """Not one request, even without a key."""
    for signature in (None, "", "garbage"):
        with pytest.raises(WebhookSignatureError):
            await keys.verify(BODY, signature)
    with pytest.raises(WebhookBodyError, match="more than"):
        await keys.verify(bytes(2**20 + 1), "AAAA")
    with pytest.raises(ConfigurationError, match="raw bytes"):
        await keys.verify("{}", "AAAA")  # type: ignore[arg-type]
    assert service.count == 0


async def test_a_genuine_body_that_is_no_event(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """It is no reason to fetch the key again."""
    clock.now += 1000
    for _ in range(2):
        with pytest.raises(WebhookBodyError):
            await keys.verify(b"[]", service.webhooks.sign(b"[]"))
        clock.now += 1000
    assert service.count == 1


async def test_a_failure_is_shared_too(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """All that wait get it, and so does who comes within the minute; then it is tried again."""
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


async def test_a_failure_does_not_prolong_a_key(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """One whose life is over is not believed because no newer one can be had."""
    await keys.verify(BODY, service.sign())
    service.failure = ServerError("it is down")
    clock.now += 86_400
    for _ in range(2):
        with pytest.raises(ServerError):
            await keys.verify(BODY, service.sign())
    assert service.count == 2


async def test_a_failure_while_a_signature_does_not_fit(
    keys: PublicKeys, service: Service, clock: ManualClock
) -> None:
    """Whether it is forged can't be told then; genuine ones pass with the key there is."""
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


async def test_an_error_of_the_callers_own_is_not_kept(keys: PublicKeys, service: Service) -> None:
    """A token callable that fails has sent no request, and may be asked again at once."""
    for number in (1, 2):
        service.failure = KeyError("vault")
        with pytest.raises(KeyError, match="vault"):
            await keys.verify(BODY, service.sign())
        assert service.count == number
    service.failure = None
    await keys.verify(BODY, service.sign())


async def test_a_pinned_key_is_never_fetched(service: Service, clock: ManualClock) -> None:
    """Not at first, not on a mismatch, and not after its life."""
    keys = PublicKeys(service, pinned=service.webhooks.public_key, clock=clock.clock)
    for _ in range(2):
        await keys.verify(BODY, service.sign())
        with pytest.raises(WebhookSignatureError):
            await keys.verify(BODY, forged())
        clock.now += 1e6
    wrong = PublicKeys(service, pinned="no key", clock=clock.clock)
    with pytest.raises(ConfigurationError, match="can't be read as PEM"):
        await wrong.verify(BODY, service.sign())
    assert service.count == 0


async def test_a_key_of_the_service_that_is_none(clock: ManualClock) -> None:
    """It is the service's fault and not the caller's, and is not kept as a key."""
    given = ["<html>"]

    async def fetch() -> str:
        return given[0]

    keys = PublicKeys(fetch, clock=clock.clock)
    webhooks = Webhooks()
    with pytest.raises(InvalidResponseError, match="the public key can't be read as PEM") as caught:
        await keys.verify(BODY, webhooks.sign(BODY))
    assert caught.value.__context__ is None
    given[0] = webhooks.public_key
    clock.now += 60
    assert (await keys.verify(BODY, webhooks.sign(BODY))).id == "abc"


def test_one_loop_after_another(clock: ManualClock) -> None:
    """The key outlives the loop that it was fetched in."""

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


@pytest.mark.parametrize("data", [{}, {"publicKey": None}, {"publicKey": ""}, {"publicKey": 5}])
def test_an_answer_without_a_key(data: dict[str, object]) -> None:
    """The text says what was asked for and what to do."""
    with pytest.raises(InvalidResponseError, match="GET the public key of webhooks: .*pass a key"):
        read_public_key(data)


async def test_the_fake_gives_its_key(fake: FakeVideoSDK, clock: ManualClock) -> None:
    """Over HTTP, with a token or without; it counts who asks, and may fail like all else."""
    async with aiohttp.ClientSession(fake.url) as session:

        async def fetch() -> str:
            async with session.get(public_key_request().target) as answer:
                if answer.status != 200:
                    raise ServerError("it is down", status=answer.status)
                return read_public_key(await answer.json())

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
