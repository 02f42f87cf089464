"""
Reject requests that a page of another site sends in a browser.

Such a page can make its own host name resolve to 127.0.0.1 (DNS rebinding). The browser then
allows it to read the responses of any program on loopback whose port it knows.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from ._exchange import refusal
from ._service import FakeService
from .dashboard import PATHS

_LOOPBACK: Final = re.compile(
    r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::([0-9]{1,5}))?", re.IGNORECASE
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def check_host(handler: Handler, service: FakeService) -> Handler:
    """
    Return a handler that responds with 421 if the ``Host`` of a request is not acceptable.

    The dashboard, which contains the key and the secret, requires a loopback name and the port of
    the service. The API requires a loopback name on a fixed port, such as that of a sandbox,
    because the default key and secret are public. On a port chosen by the system, it accepts any
    name: no page can know that port, and tests may use other names.
    """

    # Not a middleware, because aiohttp keeps every application that has one, with all its rows,
    # until the process ends.
    async def check(request: web.Request) -> web.StreamResponse:
        found = _LOOPBACK.fullmatch(request.headers.get("Host", ""))
        if request.path in PATHS:
            port = service.url.rpartition(":")[2]
            is_accepted = found is not None and (found[1] or "80") == port
        else:
            is_accepted = found is not None or service.port == 0
        if not is_accepted:
            return refusal(service, 421, f"The fake service is at {service.url}, not at this host")
        return await handler(request)

    return check
