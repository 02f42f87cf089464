"""The page of the FastAPI example, which reads a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import ROOM, Program, Starter, wait_until
from selenium.webdriver.common.by import By

from videosdk_transcripts.testing import FakeVideoSDK, Status


@pytest.fixture
def page(empty: FakeVideoSDK, tmp_path: Path) -> Iterator[Program]:
    """The backend, as a process."""
    starter = Starter(tmp_path, empty.environ)
    yield starter.fastapi()
    starter.kill_all()


def show(browser: Any, page: Program, room: str, session: str) -> None:
    """Fill in the form and send it."""
    browser.get(page.url)
    browser.find_element(By.NAME, "room").send_keys(room)
    browser.find_element(By.NAME, "session").send_keys(session)
    browser.find_element(By.TAG_NAME, "button").click()


def status(browser: Any) -> str:
    """Return what the page reports."""
    return str(browser.find_element(By.CSS_SELECTOR, "[role=status]").text)


def test_page_shows_each_transcript_as_text(
    browser: Any, page: Program, empty: FakeVideoSDK
) -> None:
    """Markup in a transcript stays text, and the page fits the screen."""
    rows = empty.add_session(ROOM, 25)
    for number, row in enumerate(rows):
        empty.files.put(row, "txt", f"Ann: <b>Number</b> {number}.".encode())
    show(browser, page, ROOM, rows[0]["extension"]["extensionConfig"]["sessionId"])
    wait_until(lambda: status(browser) == "25 transcripts")
    texts = [element.text for element in browser.find_elements(By.TAG_NAME, "pre")]
    assert texts == [f"Ann: <b>Number</b> {number}." for number in range(25)]
    width = "return document.documentElement.scrollWidth <= window.innerWidth"
    assert browser.execute_script(width)
    assert browser.get_log("browser") == []


def test_page_shows_errors(browser: Any, page: Program, empty: FakeVideoSDK) -> None:
    """The error may occur before the stream begins, or after its first lines."""
    show(browser, page, "not a room", "x")
    wait_until(lambda: status(browser) == "Failed: ConfigurationError")
    rows = empty.add_session(ROOM, 25, formats=())
    empty.on_page(2, Status(403))
    show(browser, page, ROOM, rows[0]["extension"]["extensionConfig"]["sessionId"])
    wait_until(lambda: status(browser) == "Failed: PermissionDeniedError")
    assert len(browser.find_elements(By.TAG_NAME, "article")) == 20
    assert "no text yet" in browser.find_element(By.TAG_NAME, "pre").text


def test_page_follows_the_color_scheme(browser: Any, page: Program) -> None:
    """Text is light on a dark page, and a field stays next to its label."""
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        browser.get(page.url)
        color = "return getComputedStyle(document.querySelector('h1')).color"
        assert browser.execute_script(color) == "rgb(255, 255, 255)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for label in browser.find_elements(By.TAG_NAME, "label"):
        assert browser.execute_script("return arguments[0].getClientRects().length", label) == 1
