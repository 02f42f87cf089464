"""The dashboard in a real browser, at the width of a phone and of a desktop."""

import json
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from videosdk_transcripts.testing import SANDBOX_ROOMS, FakeVideoSDK

ROOM = SANDBOX_ROOMS[1]
HOSTILE = "<script>document.title='mine'</script><img src=x>" + "wide" * 99

STOPS = """
    window.stops = [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')]
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


def send_requests(fake: FakeVideoSDK, times: int) -> None:
    """Send requests that the service refuses."""
    for _ in range(times):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{fake.url}/ai/v1/realtime-transcriptions/?page=1")  # noqa: S310
        caught.value.close()


def press(browser: Any, *keys: str) -> None:
    """Press keys at the element that has the focus."""
    browser.switch_to.active_element.send_keys(*keys)


def find(browser: Any, selector: str) -> Any:
    """Return the first element that matches a CSS selector."""
    return browser.find_element("css selector", selector)


def show(browser: Any, fake: FakeVideoSDK, path: str = "/") -> None:
    """Load the page and wait for its content."""
    browser.get(f"{fake.url}{path}")
    wait(browser)


def wait(browser: Any) -> None:
    """Wait until the script has built the page."""
    WebDriverWait(browser, 10, 0.02).until(
        lambda b: b.execute_script(
            "const main = document.getElementById('main');"
            "return main !== null && !main.hasAttribute('aria-busy')"
        )
    )


def is_too_wide(browser: Any) -> bool:
    """Return whether the page itself scrolls sideways."""
    script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(browser.execute_script(script))


def messages(browser: Any) -> list[str]:
    """Return the messages of the browser's console."""
    return [entry["message"] for entry in browser.get_log("browser")]


@pytest.mark.parametrize("path", ["/", f"/?room={ROOM}", "/?room=nowhere"])
def test_page_does_not_scroll_sideways(browser: Any, full: FakeVideoSDK, path: str) -> None:
    """This applies to closed and open details; the console has no message."""
    send_requests(full, 20)
    show(browser, full, path)
    assert not is_too_wide(browser)
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert not is_too_wide(browser)
    assert messages(browser) == []


def test_empty_service_starts_with_connection_settings(browser: Any, empty: FakeVideoSDK) -> None:
    """Sections without content are hidden."""
    show(browser, empty)
    assert not is_too_wide(browser)
    shown = [one for one in browser.find_elements("css selector", "section") if one.is_displayed()]
    assert [one.get_attribute("class") for one in shown] == ["connection", "rooms", "requests"]
    assert f"VIDEOSDK_API_ENDPOINT={empty.url}" in shown[0].text
    assert "videosdk-transcripts start my-room" in shown[1].text
    assert messages(browser) == []


def test_hostile_texts_are_shown_as_text(browser: Any, empty: FakeVideoSDK) -> None:
    """Their length and position do not matter."""
    row = empty.add_transcription(
        room_id=HOSTILE, session_id=HOSTILE, row_id=HOSTILE, status=HOSTILE
    )
    row["transcriptionFilePaths"] = {HOSTILE: f"https://a/{HOSTILE}", "b": "javascript:alert(1)"}
    show(browser, empty)
    find(browser, ".rooms a").click()
    wait(browser)
    assert browser.title == f"VideoSDK sandbox of {HOSTILE}"
    assert HOSTILE in find(browser, "main").text
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.execute_script("return document.querySelectorAll('main img').length") == 0
    hrefs = [a.get_dom_attribute("href") for a in browser.find_elements("css selector", "a")]
    assert not [href for href in hrefs if href.startswith("javascript")]
    assert not is_too_wide(browser)
    assert messages(browser) == []


def test_control_characters_and_lone_surrogates_do_not_break_the_page(
    browser: Any, empty: FakeVideoSDK
) -> None:
    """The room can be chosen, and its transcription is listed."""
    empty.add_transcription(room_id="a\x00\ud800b \u2028&c", row_id="\x1b[31m")
    show(browser, empty)
    find(browser, ".rooms a").click()
    wait(browser)
    assert len(browser.find_elements("css selector", "table.jobs tbody tr")) == 1
    assert find(browser, "[aria-current]").text == find(browser, ".in-room a").text
    assert messages(browser) == []


def test_injected_markup_and_scripts_do_not_run(browser: Any, empty: FakeVideoSDK) -> None:
    """The policy blocks them even if a text were inserted as HTML."""
    show(browser, empty)
    blocked = browser.execute_script("""
        const caught = [];
        for (const attempt of [
            () => { document.body.innerHTML = '<p>'; },
            () => { eval('1'); },
        ]) try { attempt(); } catch (error) { caught.push(error.name); }
        const script = document.createElement('script');
        try { script.textContent = 'window.ran = true'; } catch { caught.push('text'); }
        document.body.append(script);
        return [caught.length >= 2, window.ran ?? null];
    """)
    assert blocked == [True, None]


def test_page_requests_nothing_of_other_origins(browser: Any, full: FakeVideoSDK) -> None:
    """It requests only the page, its style and its data."""
    show(browser, full)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    expected = [f"{full.url}/", f"{full.url}/style.css", f"{full.url}/dashboard.json"]
    assert [url for url in urls if not url.startswith("data:")] == expected


def test_error_is_shown_if_the_data_cannot_be_loaded(browser: Any, empty: FakeVideoSDK) -> None:
    """Otherwise the page would be empty."""
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/dashboard.json*"]})
    try:
        show(browser, empty)
    finally:
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    assert find(browser, "[role=alert]").text.startswith("The data of this page could not be")


def test_page_without_script_points_to_the_data(browser: Any, full: FakeVideoSDK) -> None:
    """It explains what is missing."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{full.url}/")
        assert "This page needs its script" in find(browser, "main").text
        assert find(browser, "noscript a").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("path", ["/", f"/?room={ROOM}"])
def test_keyboard_reaches_every_control(browser: Any, full: FakeVideoSDK, path: str) -> None:
    """They are reached in order, in view, and with a visible focus."""
    send_requests(full, 3)
    show(browser, full, path)
    count = browser.execute_script(STOPS)
    assert count > 30
    for number in range(count):
        press(browser, Keys.TAB)
        focused = browser.execute_script(FOCUSED)
        assert focused["number"] == number, focused
        assert focused["outline"] >= 2, focused
        assert focused["seen"], focused


def test_skip_link_leads_to_the_content(browser: Any, full: FakeVideoSDK) -> None:
    """It is the first stop."""
    show(browser, full)
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to content"
    press(browser, Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.find_element("xpath", "ancestor::section")


LABELS = """
    const wide = document.querySelector('.wide').getBoundingClientRect();
    return [...document.querySelectorAll('.wide .head')]
        .map(label => [label.textContent, label.getBoundingClientRect()])
        .filter(([, box]) => box.right > wide.left && box.left < wide.right)
        .map(([text, box]) => [text, box.left >= wide.left && box.right <= wide.right + 1,
                               box.left, box.right]);
"""


def test_timeline_labels_are_not_clipped(browser: Any, full: FakeVideoSDK) -> None:
    """Whole columns are in view; their labels neither overlap nor are truncated."""
    show(browser, full)
    labels = browser.execute_script(LABELS)
    assert labels[-1][0] == "now"
    assert all(whole for _, whole, _, _ in labels), labels
    assert all(one[3] < other[2] for one, other in pairwise(labels)), labels


def test_timeline_shows_as_many_days_as_it_states(browser: Any, full: FakeVideoSDK) -> None:
    """A desktop shows all 14; on a phone, the timeline can be scrolled, as the note states."""
    show(browser, full)
    text = find(browser, ".timeline .note").text
    assert text.startswith("The newest 14 of ")
    assert len(browser.find_elements("css selector", ".wide .head")) == 14 + 1
    is_desktop = browser.execute_script("return innerWidth") > 1000
    assert (len(browser.execute_script(LABELS)) == 15) == is_desktop
    assert text.endswith("Scroll sideways for the others.") == (not is_desktop)


def test_timeline_scrolls_by_keyboard(browser: Any, full: FakeVideoSDK) -> None:
    """The newest days are in view first."""
    show(browser, full)
    line = find(browser, "[aria-label='Timeline']")
    width, shown = (int(line.get_property(one)) for one in ("scrollWidth", "clientWidth"))
    if browser.execute_script("return innerWidth") > 1000:
        assert width == shown
        return
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


def test_timeline_follows_the_width_of_the_window(browser: Any, full: FakeVideoSDK) -> None:
    """It is drawn again, with whole columns."""
    show(browser, full)
    width = "return document.querySelector('.wide svg').getAttribute('width')"
    before = browser.execute_script(width)
    view = {"width": 700, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    WebDriverWait(browser, 5, 0.02).until(lambda b: b.execute_script(width) != before)
    labels = browser.execute_script(LABELS)
    assert all(whole for _, whole, _, _ in labels), labels


def test_timeline_is_drawn_in_a_window_narrower_than_its_labels(
    browser: Any, full: FakeVideoSDK
) -> None:
    """Such a window is a page that is magnified many times."""
    view = {"width": 160, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", view)
    show(browser, full)
    assert int(find(browser, ".wide svg").get_attribute("width")) > 0
    assert messages(browser) == []


def test_timeline_draws_a_bar_for_each_transcription(browser: Any, empty: FakeVideoSDK) -> None:
    """A session is joined by a line; running and failed are marked by more than a colour."""
    empty.add_session("a-very-long-name-of-a-room", 3, status="failed")
    empty.add_transcription(room_id=None, status="running", duration=None)
    show(browser, empty)
    bars = browser.find_elements("css selector", ".wide rect")
    assert Counter(bar.get_attribute("class") for bar in bars) == {"failed": 3, "running": 1}
    assert len(browser.find_elements("css selector", "path.session")) == 1
    assert [one.text for one in browser.find_elements("css selector", ".cross")] == ["✕"] * 3
    assert find(browser, ".word").text == "running ▸"
    names = [one.text for one in browser.find_elements("css selector", ".names text")]
    assert names == ["a-very-long-na…", "no room"]
    picture = find(browser, ".wide svg")
    right = float(bars[-1].get_attribute("x")) + float(bars[-1].get_attribute("width"))
    assert right == pytest.approx(float(picture.get_attribute("width")))
    assert picture.get_attribute("aria-label").startswith("4 transcriptions in 2 rooms")


def test_room_can_be_chosen_and_left(browser: Any, full: FakeVideoSDK) -> None:
    """This is done by links; a refresh keeps the choice."""
    show(browser, full)
    before = find(browser, ".tiles").text
    browser.find_element("link text", ROOM).click()
    wait(browser)
    assert browser.current_url == f"{full.url}/?room={ROOM}"
    assert find(browser, "#transcriptions").text == f"Transcriptions of {ROOM}"
    assert find(browser, "[aria-current]").text == ROOM
    rooms = {one.text for one in browser.find_elements("css selector", "table.jobs .in-room")}
    assert rooms - {""} == {ROOM}
    assert find(browser, ".sessions details").get_attribute("open") == "true"
    browser.find_element("link text", "Refresh").click()
    wait(browser)
    assert browser.current_url == f"{full.url}/?room={ROOM}"
    browser.find_element("link text", "Show all rooms").click()
    wait(browser)
    assert find(browser, ".tiles").text == before


def test_unknown_room_is_empty(browser: Any, full: FakeVideoSDK) -> None:
    """Each section states it."""
    show(browser, full, "/?room=nowhere")
    for name in ("transcriptions", "sessions", "recordings"):
        assert "None yet." in find(browser, f"section.{name}").text
    assert "No transcription has a start time." in find(browser, "section.timeline").text


def test_details_open_by_keyboard(browser: Any, full: FakeVideoSDK) -> None:
    """The rows after the first 12 are folded."""
    show(browser, full)
    more = find(browser, ".transcriptions summary")
    hidden = find(browser, ".transcriptions details table")
    assert not hidden.is_displayed()
    browser.execute_script("arguments[0].focus()", more)
    press(browser, Keys.ENTER)
    assert hidden.is_displayed()


def test_variables_can_be_copied_by_keyboard(browser: Any, full: FakeVideoSDK) -> None:
    """They are copied as lines that export them in a shell; the page confirms it."""
    full.secret = "a secret with 'quotes' and $signs"
    grant = {"origin": full.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", grant)
    show(browser, full)
    browser.execute_script("arguments[0].focus()", find(browser, ".connection button"))
    press(browser, Keys.ENTER)
    result = find(browser, ".connection [role=status]")
    WebDriverWait(browser, 5, 0.02).until(lambda _: result.text)
    assert result.text == "Copied."
    script = "navigator.clipboard.readText().then(arguments[0])"
    copied = browser.execute_async_script(script)
    program = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    command = ["sh", "-c", f"{copied}exec {shlex.join(program)}"]
    printed = subprocess.run(command, env={}, check=True, capture_output=True, timeout=60)  # noqa: S603
    assert full.environ.items() <= json.loads(printed.stdout).items()


def test_refused_copy_selects_the_variables(browser: Any, full: FakeVideoSDK) -> None:
    """No failure is silent."""
    show(browser, full)
    browser.execute_script(
        "navigator.clipboard.writeText = () => Promise.reject(new Error('denied'))"
    )
    find(browser, ".connection button").click()
    result = find(browser, ".connection [role=status]")
    WebDriverWait(browser, 5, 0.02).until(lambda _: result.text)
    assert result.text.endswith("The text is selected: press Ctrl+C.")
    selected = browser.execute_script("return getSelection().toString()")
    assert selected.strip() == "\n".join(f"export {k}={v}" for k, v in full.environ.items())


def test_tables_keep_their_roles(browser: Any, full: FakeVideoSDK) -> None:
    """This includes tables whose rows are laid out as cards."""
    send_requests(full, 2)
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


def test_fault_is_shown_only_where_there_is_one(browser: Any, full: FakeVideoSDK) -> None:
    """The newest request is first; without any fault there is no column."""
    send_requests(full, 2)
    show(browser, full)
    assert browser.find_elements("css selector", ".requests .in-fault") == []
    send_requests(full, 1)
    show(browser, full)
    newest = find(browser, "table.requests tbody tr").text.split()
    assert {"3", "503", "GET", "Status(503)"} <= set(newest)
    faults = [one.text for one in browser.find_elements("css selector", ".requests .in-fault")]
    assert faults == ["Status(503)", "", ""]


def test_requests_for_files_have_their_own_table(browser: Any, full: FakeVideoSDK) -> None:
    """It is below the others."""
    url = full.rows[5]["transcriptionFilePaths"]["txt"]
    urllib.request.urlopen(url).close()  # noqa: S310 - our own server
    show(browser, full)
    assert find(browser, ".requests h3").text == "Requests for files"
    assert "/files/" in find(browser, ".requests h3 + table").text


@pytest.mark.parametrize(
    ("seconds", "words"), [(9, "9 s"), (59.6, "1 min"), (3599, "1 h 0 min"), (4500, "1 h 15 min")]
)
def test_length_is_in_readable_units(
    browser: Any, empty: FakeVideoSDK, seconds: float, words: str
) -> None:
    """The start is in UTC."""
    empty.add_transcription(duration=timedelta(seconds=seconds))
    show(browser, empty)
    assert find(browser, "td.in-length").text == words
    assert find(browser, "td.in-start").text == "2 Mar 2026, 09:00"


def test_long_lists_state_what_is_left_out(browser: Any, empty: FakeVideoSDK) -> None:
    """This applies to lists of transcriptions and of sessions."""
    for number in range(204):
        empty.add_transcription(session_id=f"s{number}")
    show(browser, empty)
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    for name in ("transcriptions", "sessions"):
        assert "Showing 200 of 204." in find(browser, f"section.{name}").text


def test_colours_follow_the_system(browser: Any, full: FakeVideoSDK) -> None:
    """They are light or dark."""
    found = []
    for scheme in ("light", "dark"):
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
        show(browser, full)
        script = "return getComputedStyle(document.body).backgroundColor"
        found.append(browser.execute_script(script))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert found == ["rgb(245, 246, 248)", "rgb(15, 18, 24)"]
