"""
Test against a fake of the service: a real HTTP server on loopback with fault injection (P15).

::

    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(45, room_id="abcd-efgh-ijkl")
        fake.fail_next(Status(503))
        async with fake.client() as client:
            rows = [t async for t in client.iter_transcriptions("abcd-efgh-ijkl")]

Files, each of which imports only those above it:

- ``_rows``: creates rows and pages as the API documents them.
- ``_files``, ``_webhooks``: contents and links of files; signed webhooks.
- ``_service``: `FakeService`, the state, with `Exchange`, `Fault`, `Drift`, `Jobs`, `FakeFiles`.
- ``_faults``: predefined faults.
- ``_exchange``: handles one request, and checks its token.
- ``_jobs``: starts and stops transcriptions.
- ``dashboard``: shows the state in a browser.
- ``_hosts``: checks the `Host` header.
- ``_handlers``: the routes.
- ``_server``: `FakeVideoSDK`, a service with a socket, a thread and clients.
- ``_meetings``: the texts of generated meetings.
- ``_sandbox``: generates meetings, and runs a sandbox as a separate process.

The package uses the client like any program, and no internals of the library.
"""

from ._faults import (
    Applied,
    Body,
    Change,
    CutBody,
    Delay,
    DropConnection,
    EmptyPage,
    Envelope,
    GzipBomb,
    HtmlPage,
    Redirect,
    RepeatPage,
    Status,
)
from ._rows import Listing
from ._sandbox import SANDBOX_ROOMS, fill_sandbox, open_sandbox, run_sandbox, serve
from ._server import FakeVideoSDK
from ._service import Drift, Exchange, FakeFiles, FakeService, Fault, Jobs, SeenRequest
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
    "FakeService",
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
    "open_sandbox",
    "run_sandbox",
    "serve",
]
