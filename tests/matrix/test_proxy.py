"""Tests of the proxy between the client and the fake service."""

import socket
from contextlib import suppress

import pytest

from .leaving import iterations
from .proxy import PASS, Proxy


@pytest.mark.parametrize("count", range(6))
async def test_closing_ends_a_connection_accepted_just_before(count: int) -> None:
    """Its task may have started or not."""
    async with Proxy("http://127.0.0.1:9", lambda _target: PASS) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        caller = socket.create_connection((host, int(port)))
        await iterations(count)
    with caller:
        caller.settimeout(1)
        with suppress(ConnectionResetError):
            assert caller.recv(1) == b""
