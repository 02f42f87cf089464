"""
Fixtures for the tests of programs that use this package, found by pytest without further ado.

Each run of pytest loads this file where the package is installed, so that it imports nothing
that is not loaded then anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from .client import TranscriptsClient
    from .testing import FakeVideoSDK

__all__ = ["fake_videosdk", "pytest_addoption", "pytest_configure", "transcripts_client"]

_SCOPE: Final = "videosdk_transcripts_scope"
_SCOPES: Final = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that says how long a fake service lasts."""
    parser.addini(
        _SCOPE,
        help="scope of fake_videosdk and transcripts_client: function (the default) to session",
        default="function",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a scope that there is not, which pytest would call an internal error of its own."""
    scope = config.getini(_SCOPE)
    if scope not in _SCOPES:
        raise pytest.UsageError(f"{_SCOPE} is {scope!r}, and must be one of {', '.join(_SCOPES)}")


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest gives both
    return config.getini(_SCOPE)


@pytest.fixture(scope=_scope)
def fake_videosdk() -> Iterator[FakeVideoSDK]:
    """
    Give a fake VideoSDK service, a real server on loopback without any rows.

    It runs in a thread of its own, so that tests may be async or not.
    """
    from .testing import FakeVideoSDK

    with FakeVideoSDK().in_thread() as fake:
        yield fake


@pytest.fixture(scope=_scope)
def transcripts_client(
    request: pytest.FixtureRequest, fake_videosdk: FakeVideoSDK
) -> TranscriptsClient:
    """
    Give a TranscriptsClient of `fake_videosdk`, for async tests.

    It tries again at once where the real one waits, but for a ``Retry-After``, and is closed
    when the test's event loop is.
    """
    from . import RetryPolicy

    # One that lasts longer is of no single test.
    if request.scope == "function" and "anyio_backend" in request.fixturenames:
        backend = request.getfixturevalue("anyio_backend_name")
        if backend != "asyncio":
            pytest.fail(
                f"transcripts_client runs on asyncio, and not on {backend}: "
                'let the fixture anyio_backend return "asyncio"',
                pytrace=False,
            )
    return fake_videosdk.client(retry=RetryPolicy(wait_initial=0, wait_max=0))
