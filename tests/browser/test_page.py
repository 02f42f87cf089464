"""The page of the fake service in a real browser, on a phone and on a desk."""

import json
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK

ROOM = SANDBOX_ROOMS[1]
HOSTILE = "<script>document.title='mine'</script>" + "wide" * 99

STOPS = """
    window.stops = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
        .filter(element => element.checkVisibility());
    return window.stops.length;
"""
FOCUSED = """
    const element = document.activeElement, style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return {
        number: window.stops.indexOf(element),
        name: element.outerHTML.slice(0, 90),
        outline: style.outlineStyle == 'none' ? 0 : parseFloat(style.outlineWidth),
        seen: box.width > 0 && box.right > 0 && box.left < innerWidth
            && box.bottom > 0 && box.top < innerHeight,
    };
"""


def ask(fake: FakeVideoSDK, times: int) -> None:
    """Ask the service for something, which it refuses."""
    for _ in range(times):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{fake.url}/ai/v1/realtime-transcriptions/?page=1")  # noqa: S310
        caught.value.close()


def press(browser: Any, *keys: str) -> None:
    """Press keys, wherever the focus is."""
    browser.switch_to.active_element.send_keys(*keys)


def find(browser: Any, selector: str) -> Any:
    """Return the element that a selector of CSS names."""
    return browser.find_element("css selector", selector)


def show(browser: Any, fake: FakeVideoSDK, path: str = "/") -> None:
    """Load the page."""
    browser.get(f"{fake.url}{path}")


def is_too_wide(browser: Any) -> bool:
    """Tell whether the page, and not only a part of it, scrolls sideways."""
    script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(browser.execute_script(script))


def messages(browser: Any) -> list[str]:
    """Return what the browser complains about."""
    return [entry["message"] for entry in browser.get_log("browser")]


@pytest.mark.parametrize("path", ["/", f"/?room={ROOM}", "/?room=nowhere"])
def test_it_fits(browser: Any, full: FakeVideoSDK, path: str) -> None:
    """The page does not scroll sideways, also with all of its parts opened."""
    ask(full, 20)
    show(browser, full, path)
    assert not is_too_wide(browser)
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert not is_too_wide(browser)
    assert messages(browser) == []


def test_an_empty_one_fits(browser: Any, empty: FakeVideoSDK) -> None:
    """It says how to get something into it."""
    show(browser, empty)
    assert not is_too_wide(browser)
    assert "VIDEOSDK_API_ENDPOINT" in find(browser, "section").text
    assert messages(browser) == []


def test_what_others_write_is_text(browser: Any, empty: FakeVideoSDK) -> None:
    """However long, and whatever it would do."""
    row = empty.add_transcription(
        room_id=HOSTILE, session_id=HOSTILE, row_id=HOSTILE, status=HOSTILE
    )
    row["transcriptionFilePaths"] = {HOSTILE: f"https://a/{HOSTILE}"}
    show(browser, empty)
    find(browser, ".rooms a").click()
    assert browser.title == f"VideoSDK sandbox of {HOSTILE}"
    assert HOSTILE in find(browser, "main").text
    assert browser.execute_script("return document.scripts.length") == 0
    assert not is_too_wide(browser)
    assert messages(browser) == []


def test_nothing_is_asked_of_others(browser: Any, full: FakeVideoSDK) -> None:
    """The page is one document, with all it needs."""
    show(browser, full)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [f"{full.url}/"]


@pytest.mark.parametrize("path", ["/", f"/?room={ROOM}"])
def test_the_keyboard_reaches_all(browser: Any, full: FakeVideoSDK, path: str) -> None:
    """Each link, each part to open and each that scrolls, in order, and one sees where one is."""
    ask(full, 3)
    show(browser, full, path)
    count = browser.execute_script(STOPS)
    assert count > 30
    for number in range(count):
        press(browser, Keys.TAB)
        focused = browser.execute_script(FOCUSED)
        assert focused["number"] == number, focused
        assert focused["outline"] >= 2, focused
        assert focused["seen"], focused


def test_the_head_can_be_skipped(browser: Any, full: FakeVideoSDK) -> None:
    """The first stop leads past the others."""
    show(browser, full)
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    press(browser, Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.find_element("xpath", "ancestor::section")


def test_the_time_line_is_scrolled_by_keys(browser: Any, full: FakeVideoSDK) -> None:
    """It shows its end first, where the newest are."""
    show(browser, full)
    line = find(browser, "[aria-label='Time line']")
    width, shown = (int(line.get_property(one)) for one in ("scrollWidth", "clientWidth"))
    assert width > shown
    where = "return arguments[0].getBoundingClientRect().right"
    end = browser.execute_script(where, line)
    picture = line.find_element("css selector", "svg")
    assert browser.execute_script(where, picture) == pytest.approx(end, abs=2)
    browser.execute_script("arguments[0].focus()", line)
    browser.execute_script("window.done = new Promise(r => arguments[0].onscrollend = r)", line)
    press(browser, Keys.ARROW_LEFT)
    browser.execute_async_script("window.done.then(arguments[0])")
    assert browser.execute_script(where, picture) > end + 10


def test_a_room_is_chosen_and_left(browser: Any, full: FakeVideoSDK) -> None:
    """By links alone."""
    show(browser, full)
    before = find(browser, ".tiles").text
    browser.find_element("link text", ROOM).click()
    assert browser.current_url == f"{full.url}/?room={ROOM}"
    assert find(browser, "#transcriptions").text == f"Transcriptions of {ROOM}"
    assert find(browser, "[aria-current]").text == ROOM
    rooms = {one.text for one in browser.find_elements("css selector", "table.jobs .in-room")}
    assert rooms - {""} == {ROOM}
    browser.find_element("link text", "Refresh").click()
    assert browser.current_url == f"{full.url}/?room={ROOM}"
    browser.find_element("link text", "Show all rooms").click()
    assert find(browser, ".tiles").text == before


def test_more_is_opened_by_keys(browser: Any, full: FakeVideoSDK) -> None:
    """What is folded, is so for all."""
    show(browser, full)
    more = find(browser, ".transcriptions summary")
    hidden = find(browser, ".transcriptions details table")
    assert not hidden.is_displayed()
    browser.execute_script("arguments[0].focus()", more)
    press(browser, Keys.ENTER)
    assert hidden.is_displayed()


def test_tables_are_tables_to_all(browser: Any, full: FakeVideoSDK) -> None:
    """Also where they look like cards."""
    ask(full, 2)
    show(browser, full)
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = Counter(node["role"]["value"] for node in tree if not node["ignored"])
    seen = """
        return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).length
    """
    for role, tag in (
        ("table", "table"),
        ("row", "tr"),
        ("columnheader", "th"),
        ("cell", "td"),
        ("heading", "h1, h2, h3"),
        ("main", "main"),
        ("banner", "header"),
        ("navigation", "nav"),
    ):
        assert roles[role] == browser.execute_script(seen, tag), role


def test_a_failed_request_is_seen_with_its_fault(browser: Any, full: FakeVideoSDK) -> None:
    """The newest one is on top."""
    ask(full, 3)
    show(browser, full)
    words = find(browser, "table.asked tbody tr").text.split()
    assert {"3", "503", "GET", "Status(503)"} <= set(words)


def test_by_night(browser: Any, full: FakeVideoSDK) -> None:
    """Who likes it dark gets it dark."""
    found = []
    for scheme in ("light", "dark"):
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
        show(browser, full)
        script = "return getComputedStyle(document.body).backgroundColor"
        found.append(browser.execute_script(script))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert found == ["rgb(245, 246, 248)", "rgb(15, 18, 24)"]
