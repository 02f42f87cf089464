"""The benchmarks: server, contenders, tables, picture. Nothing is timed here."""

import asyncio
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from videosdk_transcripts.testing import FakeVideoSDK

from .benchmarks import counting, jobs, measure, ours, picture, raw, run, server, tables, wire

ROWS, PAGE_SIZE = 70, 20


def job(url: str, *, in_flight: int = 0, mark: int = 1) -> jobs.Job:
    """Walk seventy rows, which are three pages and a half."""
    return jobs.Job("walk", "ours", url, ROWS, PAGE_SIZE, in_flight, mark)


def table(text: str) -> list[dict[str, str]]:
    """Read the table of a section back."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *lines = ([cell.strip() for cell in row.split("|")[1:-1]] for row in rows)
    return [dict(zip(head, line, strict=True)) for line in lines]


def sections(text: str) -> dict[str, str]:
    """Return what stands below each heading."""
    found = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_server_pages_are_complete_and_distinct() -> None:
    """In the documented shape."""
    pages = server.Pages(ROWS, PAGE_SIZE)
    found = [json.loads(pages.body(number)) for number in range(1, 6)]
    assert [len(page["transcriptions"]) for page in found] == [20, 20, 20, 10, 0]
    assert len({row["id"] for page in found for row in page["transcriptions"]}) == ROWS
    assert found[3]["pageInfo"] == {"currentPage": 4, "perPage": 20, "lastPage": 4, "total": 70}


async def test_server_rows_have_the_keys_of_the_fake_service(fake: FakeVideoSDK) -> None:
    """Benchmarks and tests read the same shape."""
    row = json.loads(server.Pages(1, 20).body(1))["transcriptions"][0]
    assert row.keys() == fake.add_transcription().keys()


async def test_server_closes_the_connection_on_unknown_requests() -> None:
    """A walk would wait forever otherwise."""
    async with server.serving_here() as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /else HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("in_flight", [0, 1, 2, 8])
async def test_contenders_read_all_rows(in_flight: int) -> None:
    """With fewer or more pages in flight than there are."""
    async with server.serving_here() as url:
        asked = job(url, in_flight=in_flight, mark=2)
        for walked in (await raw.walk(asked), await ours.walk(asked)):
            assert walked.rows == ROWS
            assert walked.marked_at > 0


async def test_raw_socket_reads_all_pages() -> None:
    """It counts responses by their length."""
    async with server.serving_here() as url:
        walked = await asyncio.to_thread(asyncio.run, wire.walk(job(url)))
    assert walked.rows == ROWS


async def test_structuring_returns_all_rows() -> None:
    """Of the same bytes for both contenders."""
    body = server.Pages(ROWS, PAGE_SIZE).body(1)
    assert await raw.structure(body, 3) == await ours.structure(body, 3) == 60


def test_rounds_are_interleaved() -> None:
    """Each contender runs once per round, and each round starts with another one."""
    order: list[str] = []

    def take(name: str) -> int:
        order.append(name)
        return len(order)

    found = measure.interleaved([lambda name=name: take(name) for name in "abc"], 3)
    assert "".join(order) == "abcbcacab"
    assert found == [[1, 6, 8], [2, 4, 9], [3, 5, 7]]


def test_medians_are_taken_per_measurement() -> None:
    """They may be of different rounds."""
    outcomes = [
        jobs.Outcome(rows=1, wall=wall, steady=0, cpu=-wall, peak=0) for wall in (3.0, 1.0, 2.5)
    ]
    assert measure.medians(outcomes) == jobs.Outcome(1, 2.5, 0, -2.5, 0)


def test_failed_or_incomplete_process_raises() -> None:
    """Its figure would be too good."""
    with pytest.raises(measure.subprocess.CalledProcessError):
        measure.run_program([sys.executable, "-c", "raise SystemExit(3)"])
    with measure.serving() as url:
        fewer = jobs.Job("structure", "raw", url, 30, 20)
        with pytest.raises(ValueError, match="20 rows came of"):
            measure.run_job(fewer)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("perf", "12345,,instructions:u,1000,100.00,,\n"),
        ("valgrind", "==1== Collected : 12345\n"),
    ],
)
def test_counter_reads_output_of_the_tools(
    tool: counting.Tool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool without a number, like perf on many machines, is skipped."""
    program = tmp_path / tool
    monkeypatch.setenv("PATH", str(tmp_path))
    for says, count in ((said, 12345), ("<not supported>,,instructions:u\n", None)):
        program.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write({says!r})\n")
        program.chmod(0o755)
        counter = counting.find_counter()
        assert (counter and counter.count(["anything"]).instructions) == count


def test_instructions_per_row_exclude_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the difference of two lengths."""
    program = tmp_path / "perf"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "rows = json.loads(sys.argv[-1])['rows']\n"
        "print(json.dumps(dict(rows=rows, wall=0, steady=0, cpu=0, peak=0)))\n"
        "print(f'{1000 + 7 * rows},,instructions:u', file=sys.stderr)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert counting.Counter("perf").count_per_row(job("http://nowhere"), (20, 60)) == 7


def test_longest_hold_of_the_event_loop(capsys: pytest.CaptureFixture[str]) -> None:
    """And the reason why no instructions were counted."""
    assert run.main(["--quick", "--only", "turns", "--count", "none"]) == 0
    printed = capsys.readouterr().out
    assert "\nRounds: 1. Instructions were not counted.\n" in printed
    section, targets = sections(printed).values()
    for line in table(section):
        wall, _, own = (float(text) for name, text in line.items() if name.endswith(" ms"))
        assert wall >= own > 0
    assert [line["aim"] for line in table(targets)] == ["at most 10"]


def test_targets_have_a_direction() -> None:
    """Most are upper limits."""
    targets = [
        tables.Target("a", 1.5, 1.5),
        tables.Target("b", 1.5, 1.51),
        tables.Target("c", 6, 6, at_least=True),
        tables.Target("d", 6, 5.9, at_least=True),
    ]
    lines = table(tables.targets_table(targets))
    assert [line["reached"] for line in lines] == ["yes", "no", "yes", "no"]
    assert [line["aim"] for line in lines] == ["at most 1.5"] * 2 + ["at least 6"] * 2


def run_quickly(scenario: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """Run one scenario, and return its output and its targets."""
    assert run.main(["--quick", "--only", scenario]) == 0
    section, *targets = sections(capsys.readouterr().out).values()
    return section, [f"{line['what']}, {line['aim']}" for each in targets for line in table(each)]


@pytest.mark.parametrize("scenario", ["small-pages", "large-pages"])
def test_walks_without_delay(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each contender is in the table, raw aiohttp is 1, and the ceiling is printed."""
    section, _ = run_quickly(scenario, capsys)
    lines = table(section)
    assert [line["walk"] for line in lines] == [
        "raw aiohttp, one page at a time",
        "raw aiohttp, 8 in flight",
        "videosdk_transcripts, `readahead=0`",
        "videosdk_transcripts, `readahead=8`, the default",
    ]
    assert [line["CPU beside raw"] for line in lines[:2]] == ["1.00", "1.00"]
    assert all(float(line["peak MB"]) > 5 for line in lines)
    assert re.search(r"The server's ceiling: [\d,]+ pages a second", section)


def test_walks_with_a_delay(capsys: pytest.CaptureFixture[str]) -> None:
    """With and without the ramp-up."""
    section, targets = run_quickly("delay", capsys)
    lines = table(section)
    assert len(lines) == 4
    assert [name for name in lines[0] if name.startswith("from page")] == ["from page 10 on, s"]
    assert "The ramp-up" in section
    assert [aim.rpartition(", ")[2] for aim in targets] == ["at most 1.1", "at least 6"]


def test_page_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    """The cost of a page and of a row."""
    section, _ = run_quickly("page-sizes", capsys)
    assert [line["pages"] for line in table(section)] == ["10", "5"]
    assert len(re.findall(r"^\S.*: \S+ µs a page and \S+ µs a row.$", section, re.MULTILINE)) == 2


def test_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """Of walks of growing length."""
    section, targets = run_quickly("memory", capsys)
    assert [line["rows"] for line in table(section)] == ["200", "400"] * 3
    assert targets == ["peak memory at 400 rows beside 200, at most 1.25"]


def test_structuring(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a network, and without targets if no instructions are counted."""
    section, targets = run_quickly("structuring", capsys)
    assert [line["rows a page"] for line in table(section)] == ["20", "20", "100", "100"]
    assert targets == []


def test_start(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole processes."""
    section, targets = run_quickly("start", capsys)
    lines = table(section)
    assert len(lines) == 8
    assert [lines[n]["CPU beside floor"] for n in (1, 4, 6)] == ["1.00"] * 3
    assert [aim.rpartition(", ")[2] for aim in targets] == ["at most 1.15", "at most 1.6"]


def test_picture_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is well-formed, with all lines."""
    path = tmp_path / "picture.svg"
    assert run.main(["--quick", "--only", "delays", "widths", "--svg", str(path)]) == 0
    delays, widths = sections(capsys.readouterr().out).values()
    assert [line["delay ms"] for line in table(delays)] == ["0", "2"]
    assert [line["in flight"] for line in table(widths)] == ["1", "2"]
    drawn = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own
    names = [element.tag.rpartition("}")[2] for element in drawn.iter()]
    assert names.count("polyline") == 4 + 2 + 4
    assert {"title", "desc"} <= set(names)


def test_picture_without_its_scenarios_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is measured."""
    with pytest.raises(SystemExit):
        run.main(["--only", "start", "--svg", "picture.svg"])
    assert "the picture needs the scenarios delays and widths" in capsys.readouterr().err


def test_picture_escapes_text() -> None:
    """Names may contain reserved characters."""
    panel = picture.Panel("a < b", "x & y", (1, 2), "even", (picture.Line("ours", True, (1, 2)),))
    drawn = picture.draw((panel, panel), {"ours one": "<b>"}, title="&", about="")
    texts = [element.text for element in ET.fromstring(drawn).iter()]  # noqa: S314 - our own
    assert {"a < b", "x & y", "<b>", "&"} <= set(texts)
