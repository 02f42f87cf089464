"""End a command on SIGINT, SIGTERM and SIGHUP, so that it can save its checkpoint."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_DEFAULTS: Final = {
    number: default
    for name, default in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        # Windows has no SIGHUP.
        ("SIGHUP", signal.SIG_DFL),
    )
    if (number := getattr(signal, name, None)) is not None
}
"""
The signals, with their default handlers, which are replaced.

Other handlers are kept: a signal that is ignored stays ignored, as nohup and background jobs
require, and a program that calls `main` keeps its own handlers.
"""
_GRACE: Final = 1.0
"""
Seconds after the first signal in which blocked output may continue, and others are ignored.

``timeout`` and a closing terminal deliver the same signal twice.
"""


class _Interruption:
    """The first signal that arrived, and the work that it cancels."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.deadline = 0.0
        self.is_blocking = False
        """Whether a blocking call is in progress."""
        self.task: asyncio.Task[Any] | None = None
        """The task that performs the command, once it has started."""

    def handle(self, number: int) -> None:
        """Cancel the command. Only a late second signal raises KeyboardInterrupt at any place."""
        if self.number is not None:
            if time.monotonic() >= self.deadline:
                raise KeyboardInterrupt
            return
        self.number, self.deadline = number, time.monotonic() + _GRACE
        if self.is_blocking:
            raise KeyboardInterrupt
        if self.task is not None:
            self.task.cancel()
            # Wakes the loop, which may be waiting for I/O.
            self.task.get_loop().call_soon_threadsafe(lambda: None)


_interruption = _Interruption()


def _handle(number: int, _frame: FrameType | None) -> None:
    _interruption.handle(number)


@contextmanager
def handle_signals(*, restore: bool) -> Generator[None]:
    """
    Handle signals during the block: they end the command instead of the process.

    The first signal cancels the work of `run_until_signal`, and interrupts a call within
    `interruptible`. Handlers are set explicitly, because by default signals don't end a process
    with the id 1, as in a container. They are set in the main thread only, as Python requires.

    Args:
        restore: whether to restore the handlers after the block. Otherwise signals are ignored
            from then on, because with the default handlers, a signal during the exit of the
            interpreter would change the exit code.

    Raises:
        SystemExit: the block raised a KeyboardInterrupt.
    """
    global _interruption  # noqa: PLW0603 - signals belong to the process
    before = {}
    is_main_thread = threading.current_thread() is threading.main_thread()
    if is_main_thread:
        _interruption = _Interruption()
        for number, default in _DEFAULTS.items():
            if signal.getsignal(number) in (default, _handle):
                before[number] = signal.signal(number, _handle)
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(exit_code()) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if restore else signal.SIG_IGN)
        if is_main_thread and restore:
            # Reset, because the next command may run in another thread, which does not do it.
            _interruption = _Interruption()


def run_until_signal(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """
    Run a coroutine in a new event loop, and return its result; a signal cancels it.

    A signal that arrives after the work is done has no effect on it.

    Raises:
        KeyboardInterrupt: a signal cancelled the work.
    """
    import asyncio

    interruption = _interruption

    async def perform() -> T:
        interruption.task = asyncio.current_task()
        try:
            if interruption.number is not None:
                # The signal arrived before the loop was running.
                raise asyncio.CancelledError
            return await work()
        finally:
            interruption.task = None

    try:
        return asyncio.run(perform())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@contextmanager
def interruptible() -> Generator[None]:
    """Make a signal interrupt a blocking call in the block with a KeyboardInterrupt."""
    _interruption.is_blocking = True
    try:
        if _interruption.number is not None:
            raise KeyboardInterrupt
        yield
    finally:
        _interruption.is_blocking = False


def complete_work() -> bool:
    """
    Ignore later signals, and return whether none has arrived before.

    Called before a step after which the exit code must not be that of a signal.
    """
    _interruption.task = None
    return _interruption.number is None


def exit_code() -> int:
    """Return the exit code of an interrupted command, as shells report the signal."""
    return 128 + (_interruption.number or signal.SIGINT)


async def end_on_signal() -> None:
    """
    End the command here if a signal has arrived.

    For a loop whose steps do not suspend, such as a loop over the rows of a page.
    """
    import asyncio

    if _interruption.number is not None:
        await asyncio.sleep(0)


def has_arrived() -> bool:
    """Return whether a signal has arrived."""
    return _interruption.number is not None


def is_overdue() -> bool:
    """Return whether a signal arrived so long ago that blocked output must be abandoned."""
    return _interruption.number is not None and time.monotonic() >= _interruption.deadline
