"""A headless browser, and services for it to show."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from videosdk_transcripts.testing import FakeVideoSDK, Status, fill_sandbox

INSTALL = "install it, on Debian with: apt-get install chromium chromium-driver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    # The browser sends no requests of its own.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _found(*names: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.fail(f"{' or '.join(names)} not found: {INSTALL}", pytrace=False)


@pytest.fixture(scope="session")
def _driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = _found("chromium", "chromium-browser", "google-chrome")
    profile: Path = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(_found("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture(params=[360, 1280], ids="{} pixels".format)
def browser(request: pytest.FixtureRequest, _driver: Any) -> Any:
    """A browser at the width of a phone, and one at that of a desktop."""
    width = int(request.param)
    view = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    _driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    _driver.get("about:blank")
    for log in ("browser", "performance"):
        _driver.get_log(log)
    return _driver


@pytest.fixture
def empty() -> Iterator[FakeVideoSDK]:
    """A service without rows."""
    with FakeVideoSDK().in_thread() as fake:
        yield fake


@pytest.fixture
def full(empty: FakeVideoSDK) -> FakeVideoSDK:
    """A service with rooms, recordings, files and faults."""
    fill_sandbox(empty, rooms=8)
    for row in empty.rows[::8]:
        config = row["extension"]["extensionConfig"]
        empty.add_post_transcription(room_id=config["roomId"], session_id=config["sessionId"])
    empty.files.serve_all()
    empty.every(3, Status(503))
    return empty
