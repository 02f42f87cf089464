"""
Provide pytest fixtures for tests of programs that use this package (P15).

Once the package is installed, every pytest run loads this module. So it imports only pytest
until a fixture is used.
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
    """Add the setting for the scope of the fixtures."""
    parser.addini(
        _SCOPE,
        help="scope of fake_videosdk and transcripts_client: function (the default) to session",
        default="function",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Reject an unknown scope, which pytest would report as an internal error."""
    scope = config.getini(_SCOPE)
    if scope not in _SCOPES:
        raise pytest.UsageError(f"{_SCOPE} must be one of {', '.join(_SCOPES)}, not {scope!r}")


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest passes both
    return config.getini(_SCOPE)


@pytest.fixture(scope=_scope)
def fake_videosdk() -> Iterator[FakeVideoSDK]:
    """
    Return a fake VideoSDK service: a real server on loopback, without rows.

    It runs in its own thread, so it serves both async and other tests.
    """
    from .testing import FakeVideoSDK

    with FakeVideoSDK().in_thread() as fake:
        yield fake


@pytest.fixture(scope=_scope)
def transcripts_client(
    request: pytest.FixtureRequest, fake_videosdk: FakeVideoSDK
) -> Iterator[TranscriptsClient]:
    """
    Return a TranscriptsClient of `fake_videosdk`, for async tests.

    It retries without a delay, except after a ``Retry-After``. It is closed after the test, even
    if other tests use the same event loop.
    """
    from . import RetryPolicy

    # A client with a longer scope belongs to no single test.
    if request.scope == "function" and "anyio_backend" in request.fixturenames:
        backend = request.getfixturevalue("anyio_backend_name")
        if backend != "asyncio":
            pytest.fail(
                f"transcripts_client requires asyncio, not {backend}: "
                'return "asyncio" from the fixture anyio_backend',
                pytrace=False,
            )
    client = fake_videosdk.client(retry=RetryPolicy(wait_initial=0, wait_max=0))
    yield client
    client._close_in_all_loops()  # noqa: SLF001 - only a fixture closes it outside of its loops
