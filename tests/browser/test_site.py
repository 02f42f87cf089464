"""The site of the docs: its search, and its pages on a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from programs import wait_until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

DOCS: Final = Path(__file__).parents[2] / "docs"

REPOSITORY: Final = "https://github.com/videosdk-transcripts/videosdk-transcripts"

# What a reader types, and pages that answer it.
SEARCHES: Final = {
    "429": ("guides/retries",),
    "pandas": ("guides/frameworks",),
    "install": ("getting-started/installation",),
    "proxy": ("guides/proxies",),
    "logging": ("guides/logging",),
    "SIGTERM": ("guides/fastapi", "guides/aiohttp-web", "guides/bot"),
    "FastAPI": ("guides/fastapi",),
    "webhook": ("guides/webhooks",),
    "resume": ("guides/incremental",),
    "timeout": ("guides/retries",),
    "rate limit": ("guides/retries",),
    "rate limit across processes": ("guides/retries",),
    "webhook signature": ("guides/webhooks",),
    "token": ("guides/authentication",),
    "custom room id": ("guides/room-ids",),
    "OpenTelemetry": ("guides/opentelemetry",),
    "S3": ("guides/s3",),
    "Lambda": ("guides/webhooks",),
    "Node SDK": ("guides/migrating",),
}

# What is wider than the window and can't be scrolled by itself, and lines of code that are cut off
# on a desktop. On a phone the theme lets the whole content scroll, which does not count.
TOO_WIDE: Final = """
const scrolls = (node) => ["auto", "scroll"].includes(getComputedStyle(node).overflowX);
const inScroller = (node) =>
    !node.matches(".content") && (scrolls(node) || inScroller(node.parentElement));
const wide = Array.from(document.querySelectorAll("article *"))
    .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 1)
    .filter((node) => !inScroller(node.parentElement));
const cut = Array.from(document.querySelectorAll("article pre"))
    .filter((node) => window.innerWidth > 1000 && node.scrollWidth > node.clientWidth);
return [...wide, ...cut].map((node) => node.outerHTML.slice(0, 200));
"""

# Texts that are hard to read in one of the two color schemes, with their contrast.
FAINT: Final = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const blend = ([r, g, b, alpha = 1], below) =>
    [r, g, b].map((value, index) => value * alpha + below[index] * (1 - alpha));
const ground = (node) => node === null ? [255, 255, 255]
    : blend(channels(getComputedStyle(node).backgroundColor), ground(node.parentElement));
const light = (color) => color
    .map((value) => value / 255)
    .map((value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0.05);
document.body.dataset.theme = arguments[0];
const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
const found = {};
while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), node = walker.currentNode.parentElement;
    if (text === "" || !node.checkVisibility({visibilityProperty: true})) continue;
    const below = ground(node);
    const [a, b] = [light(blend(channels(getComputedStyle(node).color), below)), light(below)];
    const contrast = Math.max(a, b) / Math.min(a, b);
    if (contrast < 4.5) found[text.slice(0, 40)] = contrast;
}
return found;
"""

# Texts of a picture that are cut off, too small on a phone, or overlap another text.
CROWDED: Final = """
const picture = document.documentElement, whole = picture.viewBox.baseVal, found = [];
const boxes = Array.from(picture.querySelectorAll("rect"), (rect) => rect.getBBox());
const texts = Array.from(picture.querySelectorAll("text"), (text) => [text, text.getBBox()]);
const contains = (box, x, y) =>
    box.x <= x && x <= box.x + box.width && box.y <= y && y <= box.y + box.height;
const around = (box, text) =>
    box.x <= text.x && text.x + text.width <= box.x + box.width;
for (const [index, [text, box]] of texts.entries()) {
    const size = parseFloat(getComputedStyle(text).fontSize) * arguments[0] / whole.width;
    if (size < 9) found.push(`small: ${text.textContent}`);
    const below = boxes
        .filter((one) => contains(one, box.x + box.width / 2, box.y + box.height / 2));
    if (![whole, ...below].every((one) => around(one, box))) found.push(text.textContent);
    for (const [other, next] of texts.slice(index + 1)) {
        const across = Math.min(box.x + box.width, next.x + next.width) - Math.max(box.x, next.x);
        const down = Math.min(box.y + box.height, next.y + next.height) - Math.max(box.y, next.y);
        if (across > 0 && down > 2) found.push(`${text.textContent} / ${other.textContent}`);
    }
}
return found;
"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files, and print no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
        """Print nothing."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, and return its folder."""
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", DOCS, folder]
    subprocess.run(command, check=True, timeout=300)  # noqa: S603 - Sphinx
    return folder


@pytest.fixture
def url(site: Path) -> Iterator[str]:
    """Serve the site, and return its address."""
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pages_of(site: Path) -> list[Path]:
    """Return the pages, without files to download."""
    found = sorted(path.relative_to(site) for path in site.rglob("*.html"))
    return [path for path in found if not path.parts[0].startswith("_")]


def search(browser: Any, url: str, words: str) -> list[str]:
    """Type words into the search of the landing page, and return the names of the pages found."""
    browser.get(f"{url}/index.html")
    field = browser.find_element(By.CSS_SELECTOR, "input[name=q]")
    if not field.is_displayed():
        browser.find_element(By.CSS_SELECTOR, "label.nav-overlay-icon").click()
        wait_until(field.is_displayed)
    field.send_keys(words)
    field.submit()
    titles = partial(browser.find_elements, By.CSS_SELECTOR, "#search-results h2")
    wait_until(lambda: [title.text for title in titles()] == ["Search Results"])
    links = browser.find_elements(By.CSS_SELECTOR, "ul.search > li > a")
    paths = [link.get_attribute("href").removeprefix(f"{url}/") for link in links]
    # One page can be found several times, by its title and by its sections.
    return list(dict.fromkeys(path.partition(".html")[0] for path in paths))


@pytest.mark.parametrize("words", SEARCHES)
def test_search_finds_the_page_that_answers(browser: Any, url: str, words: str) -> None:
    """It is among the first three."""
    assert set(search(browser, url, words)[:3]) & set(SEARCHES[words])


def test_search_does_not_find_names_of_tests(browser: Any, url: str) -> None:
    """A word that only the lists of tests contain leads nowhere."""
    assert "project/guarantees" in search(browser, url, "guarantee")
    assert search(browser, url, "test_walk_continues_in_three_loops") == []


def test_pages_do_not_scroll_sideways(browser: Any, url: str, site: Path) -> None:
    """Wide tables and, on a phone, wide code scroll by themselves."""
    wide: dict[str, Any] = {}
    for page in pages_of(site):
        browser.get(f"{url}/{page}")
        scrolls = "return document.documentElement.scrollWidth > window.innerWidth"
        if browser.execute_script(scrolls) or browser.execute_script(TOO_WIDE):
            wide[str(page)] = browser.execute_script(TOO_WIDE)
    assert wide == {}


@pytest.mark.parametrize("page", ["index", "guides/retries", "reference/client", "genindex"])
def test_texts_have_contrast_in_both_color_schemes(browser: Any, url: str, page: str) -> None:
    """They have the contrast that the WCAG require."""
    browser.get(f"{url}/{page}.html")
    for scheme in ("light", "dark"):
        assert browser.execute_script(FAINT, scheme) == {}


@pytest.mark.parametrize("name", ["layout", "modification", "performance", "readahead", "request"])
def test_texts_of_pictures_are_legible(browser: Any, url: str, site: Path, name: str) -> None:
    """On a phone, a picture is 328 pixels wide."""
    assert {f"{name}.svg"} <= {path.name for path in (site / "_images").iterdir()}
    browser.get(f"{url}/_images/{name}.svg")
    assert browser.execute_script(CROWDED, 328) == []


def test_table_with_many_columns_is_a_list_on_a_phone(browser: Any, url: str) -> None:
    """Each value has the heading of its column, and the roles of a table remain."""
    browser.get(f"{url}/guides/http-statuses.html")
    is_phone = browser.execute_script("return window.innerWidth < 500")
    row = browser.find_elements(By.CSS_SELECTOR, "article tbody tr")[0]
    name, status, why = row.find_elements(By.CSS_SELECTOR, "td")
    assert (status.rect["y"] > name.rect["y"]) is is_phone
    assert why.get_attribute("data-label") == "why: "
    label = "return getComputedStyle(arguments[0], '::before').content"
    assert browser.execute_script(label, status) == ('"status: "' if is_phone else "none")
    assert [cell.get_attribute("role") for cell in (row, name)] == ["row", "cell"]


def test_empty_cells_of_a_list_are_hidden(browser: Any, url: str) -> None:
    """A label without a value would be left; in a table they keep their place."""
    browser.get(f"{url}/guides/logging.html")
    is_phone = browser.execute_script("return window.innerWidth < 500")
    cells = browser.find_elements(By.CSS_SELECTOR, "article table.as-list tbody td")
    empty = [cell for cell in cells if not cell.get_attribute("textContent").strip()]
    assert empty
    assert {cell.is_displayed() for cell in empty} == {not is_phone}


def test_names_are_wrapped_between_words(browser: Any, url: str) -> None:
    """Options and other short names are not wrapped, and no line of a name is empty."""
    for page in ("reference/command-line", "guides/jobs", "getting-started/quickstart"):
        browser.get(f"{url}/{page}.html")
        script = """return Array.from(document.querySelectorAll("article code .pre"))
            .filter((name) => name.checkVisibility())
            .map((name) => [name.textContent, ...name.parentElement.getClientRects()])
            .map(([text, ...lines]) => [text, lines.map((line) => line.width)])"""
        for text, widths in browser.execute_script(script):
            assert min(widths) > 9, f"an empty line of {text}"
        script = """return Array.from(document.querySelectorAll("article code .pre"))
            .filter((name) => name.textContent.startsWith("--") && name.getClientRects().length > 1)
            .map((name) => name.textContent)"""
        assert [name for name in browser.execute_script(script) if len(name) <= 20] == []


def test_copy_button_copies_what_a_reader_types(browser: Any, url: str) -> None:
    """These are the commands, without prompts and without what they print."""
    permissions = {"origin": url, "permissions": ["clipboardReadWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    browser.get(f"{url}/reference/command-line.html")
    blocks = browser.find_elements(By.CSS_SELECTOR, ".highlight-console")
    (block,) = (one for one in blocks if "$ videosdk-transcripts summary" in one.text)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", block)
    button = block.find_element(By.CSS_SELECTOR, "button.copybtn")
    ActionChains(browser).move_to_element(block).move_to_element(button).click().perform()
    wait_until(lambda: button.get_attribute("data-tooltip") == "Copied!")
    read = "navigator.clipboard.readText().then(arguments[0])"
    commands = browser.execute_async_script(read).split("\n")
    assert [command.split()[:2] for command in commands] == [
        ["videosdk-transcripts", "text"],
        ["videosdk-transcripts", "summary"],
    ]


def test_lists_of_tests_are_folded(browser: Any, url: str) -> None:
    """They are for the few readers who check a promise."""
    browser.get(f"{url}/project/guarantees.html")
    folded = browser.find_element(By.CSS_SELECTOR, "details.tests")
    listed = folded.find_element(By.CSS_SELECTOR, "p.no-search")
    assert not listed.is_displayed()
    # Not by a click: on a phone, the header may cover the line.
    folded.find_element(By.CSS_SELECTOR, "summary").send_keys(Keys.ENTER)
    assert listed.is_displayed()
    assert listed.text.startswith("Tests: tests/")


def test_ids_of_a_page_are_unique(site: Path) -> None:
    """A link to an id leads to one place."""
    for page in pages_of(site):
        ids = re.findall(r' id="([^"]+)"', (site / page).read_text("utf-8"))
        assert {name for name in ids if ids.count(name) > 1} == set(), page


def test_pages_can_be_read_in_order(site: Path) -> None:
    """Each page has a link to the previous and the next one, except the first and the last page."""
    ends: dict[str, set[str]] = {"prev": set(), "next": set()}
    for page in pages_of(site):
        for rel, pages in ends.items():
            if f'<link rel="{rel}"' not in (site / page).read_text("utf-8"):
                pages.add(str(page))
    generated = {"genindex.html", "search.html"}
    assert ends["prev"] == {*generated, "index.html"}
    assert ends["next"] == {*generated, "project/changelog.html"}


def test_pages_have_icon_description_and_edit_link(site: Path) -> None:
    """They have what link previews read, too."""
    written = [page for page in pages_of(site) if page.name not in ("genindex.html", "search.html")]
    assert len(written) > 40
    for page in written:
        text = (site / page).read_text("utf-8")
        assert 'rel="icon"' in text or 'rel="shortcut icon"' in text
        assert re.search(r'<meta name="description" content="[^"]{30,}"', text)
        source = page.with_suffix(".md").as_posix()
        assert f"{REPOSITORY}/edit/main/docs/{source}" in text
        for name in ("title", "url", "description"):
            assert f'<meta property="og:{name}" content="' in text


def test_landing_page_leads_to_installation_quickstart_and_guides(browser: Any, url: str) -> None:
    """Its list begins with them; the promises come last."""
    browser.get(f"{url}/index.html")
    links = browser.find_elements(By.CSS_SELECTOR, "article li > p > a.reference.internal")
    pages = [link.get_attribute("href").removeprefix(f"{url}/") for link in links]
    first = ["getting-started/installation", "getting-started/quickstart", "guides/index"]
    assert pages[:3] == [f"{page}.html" for page in first]
