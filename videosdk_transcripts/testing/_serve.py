"""The fake service as a process of its own: on a port that is known, with made-up rooms."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack

from ._sandbox import SANDBOX_ROOMS, run_sandbox
from ._server import FakeVideoSDK


async def serve(
    port: int = 8787,
    *,
    rooms: int = len(SANDBOX_ROOMS),
    seed: int = 7,
    started: Callable[[FakeVideoSDK], object] | None = None,
) -> None:
    """
    Run a sandbox until this is cancelled, on loopback alone.

    Args:
        port: where to listen, up to 65535; 0 for any port that is free.
        rooms: how many made-up rooms there are, as `run_sandbox` makes them; 0 for an empty
            service.
        seed: makes the data, the same for the same seed.
        started: called once with the service when it can be reached: to print where it is, or
            to say which faults it has.

    Raises:
        ValueError: `port` or `rooms` is out of its bounds.
        OSError: nothing can listen on the port: another program does, say. Its ``strerror``
            says so with the port.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"port {port} is none: it must be from 0 to 65535")
    if rooms < 0:
        raise ValueError(f"{rooms} rooms can't be made: it must be 0 or more")
    async with AsyncExitStack() as stack:
        try:
            fake = await stack.enter_async_context(FakeVideoSDK(port=port, seed=seed))
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            said = f"can't listen on 127.0.0.1:{port}, {reason}; choose another port"
            raise OSError(error.errno, said) from None
        if rooms:
            run_sandbox(fake, seed, rooms)
        if started is not None:
            started(fake)
        await asyncio.get_running_loop().create_future()
