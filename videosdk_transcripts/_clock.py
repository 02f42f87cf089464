"""The time and the waits of a client, in one object that tests can replace."""

from __future__ import annotations

import asyncio
import time as _time
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import Attribute, field, frozen

from .errors import ConfigurationError


def _check_callable(_clock: object, attribute: Attribute[Any], value: object) -> None:
    if not callable(value):
        raise ConfigurationError(f"{attribute.name} must be a function, not {value!r}")


@frozen
class Clock:
    """
    Provide the time to a client, and replace it in tests.

    ::

        TranscriptsClient(clock=Clock(sleep=record_and_return))

    Raises:
        ConfigurationError: an argument is not callable.

    Attributes:
        monotonic: a function that returns seconds that never decrease. Timeouts, waits and
            token lifetimes use it.
        time: a function that returns seconds since the epoch, for tokens and for dates in
            ``Retry-After``.
        sleep: a coroutine function that waits for a number of seconds.
    """

    monotonic: Callable[[], float] = field(default=_time.monotonic, validator=_check_callable)
    time: Callable[[], float] = field(default=_time.time, validator=_check_callable)
    sleep: Callable[[float], Awaitable[None]] = field(
        default=asyncio.sleep, validator=_check_callable
    )
