"""
A fake of the service to test against: a real server on loopback with a script of faults.

::

    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(45, room_id="abcd-efgh-ijkl")
        fake.fail_next(Status(503))
        async with fake.client() as client:
            rows = [t async for t in client.iter_transcriptions("abcd-efgh-ijkl")]
"""

from ._drift import Drift
from ._exchange import Exchange, Fault, SeenRequest
from ._faults import (
    Body,
    Change,
    CutBody,
    Delay,
    DropConnection,
    EmptyPage,
    Envelope,
    HtmlPage,
    RepeatPage,
    Status,
)
from ._files import FakeFiles, GzipBomb, Redirect
from ._jobs import Applied, Jobs
from ._listing import Listing
from ._sandbox import SANDBOX_ROOMS, fill_sandbox, run_sandbox
from ._serve import serve
from ._server import FakeVideoSDK
from ._webhooks import Webhooks

__all__ = [
    "SANDBOX_ROOMS",
    "Applied",
    "Body",
    "Change",
    "CutBody",
    "Delay",
    "Drift",
    "DropConnection",
    "EmptyPage",
    "Envelope",
    "Exchange",
    "FakeFiles",
    "FakeVideoSDK",
    "Fault",
    "GzipBomb",
    "HtmlPage",
    "Jobs",
    "Listing",
    "Redirect",
    "RepeatPage",
    "SeenRequest",
    "Status",
    "Webhooks",
    "fill_sandbox",
    "run_sandbox",
    "serve",
]
