"""Tests of the benchmarks: server, contenders, tables and picture. No time is asserted."""

import asyncio
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from urllib.request import urlopen
from xml.etree import ElementTree as ET

import pytest

from videosdk_transcripts.testing import FakeVideoSDK

from .benchmarks import (
    counting,
    jobs,
    measure,
    ours,
    ours_orjson,
    peers,
    picture,
    raw,
    raw_socket,
    run,
    server,
    tables,
)

pytestmark = pytest.mark.tool
ROWS, PAGE_SIZE = 70, 20


def job(url: str, *, in_flight: int = 0, mark: int = 1) -> jobs.Job:
    """Create a job that walks 70 rows on four pages, the last of them half full."""
    return jobs.Job("walk", "ours", url, ROWS, PAGE_SIZE, in_flight, mark)


def table(text: str) -> list[dict[str, str]]:
    """Parse the table of a section."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *lines = ([cell.strip() for cell in row.split("|")[1:-1]] for row in rows)
    return [dict(zip(head, line, strict=True)) for line in lines]


def sections(text: str) -> dict[str, str]:
    """Return the text below each heading."""
    found = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_server_pages_are_complete_and_distinct() -> None:
    """The pages have the documented shape."""
    pages = server.Pages(ROWS, PAGE_SIZE)
    found = [json.loads(pages.body(number)) for number in range(1, 6)]
    assert [len(page["transcriptions"]) for page in found] == [20, 20, 20, 10, 0]
    assert len({row["id"] for page in found for row in page["transcriptions"]}) == ROWS
    assert found[3]["pageInfo"] == {"currentPage": 4, "perPage": 20, "lastPage": 4, "total": 70}


async def test_server_rows_have_the_keys_of_the_fake_service(fake: FakeVideoSDK) -> None:
    """Benchmarks and tests read rows of the same shape."""
    row = json.loads(server.Pages(1, 20).body(1))["transcriptions"][0]
    assert row.keys() == fake.add_transcription().keys()


async def test_server_closes_the_connection_on_unknown_requests() -> None:
    """Otherwise a walk would wait forever."""
    async with server.serve_in_loop() as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /unknown HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("in_flight", [0, 1, 2, 8])
async def test_contenders_read_all_rows(in_flight: int) -> None:
    """The window may be smaller or larger than the number of pages."""
    async with server.serve_in_loop() as url:
        walk_job = job(url, in_flight=in_flight, mark=2)
        for contender in (raw, ours, ours_orjson):
            result = await contender.walk(walk_job)
            assert result.rows == ROWS
            assert result.marked_at > 0


async def test_raw_socket_reads_all_pages() -> None:
    """Responses are counted by their length."""
    async with server.serve_in_loop() as url:
        result = await asyncio.to_thread(asyncio.run, raw_socket.walk(job(url)))
    assert result.rows == ROWS


async def test_structuring_returns_all_rows() -> None:
    """Both contenders structure the same body."""
    body = server.Pages(ROWS, PAGE_SIZE).body(1)
    assert await raw.structure(body, 3) == await ours.structure(body, 3) == 60


def test_rounds_are_interleaved() -> None:
    """Each contender runs once per round, and each round starts with another one."""
    order: list[str] = []

    def record(name: str) -> int:
        order.append(name)
        return len(order)

    found = measure.interleaved([lambda name=name: record(name) for name in "abc"], 3)
    assert "".join(order) == "abcbcacab"
    assert found == [[1, 6, 8], [2, 4, 9], [3, 5, 7]]


def test_medians_are_taken_per_measurement() -> None:
    """The medians may come from different rounds."""
    results = [
        jobs.Result(rows=1, wall=wall, steady=0, cpu=-wall, peak=0) for wall in (3.0, 1.0, 2.5)
    ]
    assert measure.medians(results) == jobs.Result(1, 2.5, 0, -2.5, 0)


def test_failed_or_incomplete_process_raises() -> None:
    """Its measurements would be too low."""
    with pytest.raises(measure.subprocess.CalledProcessError):
        measure.run_program([sys.executable, "-c", "raise SystemExit(3)"])
    with measure.serving() as url:
        fewer = jobs.Job("structure", "raw", url, 30, 20)
        with pytest.raises(ValueError, match="20 rows read by"):
            measure.run_job(fewer)


@pytest.mark.parametrize(
    ("tool", "output"),
    [
        ("perf", "12345,,instructions:u,1000,100.00,,\n"),
        ("valgrind", "==1== Collected : 12345\n"),
    ],
)
def test_counter_reads_output_of_the_tools(
    tool: counting.Tool, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that reports no count, like perf on many machines, is skipped."""
    program = tmp_path / tool
    monkeypatch.setenv("PATH", str(tmp_path))
    for stderr, count in ((output, 12345), ("<not supported>,,instructions:u\n", None)):
        program.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write({stderr!r})\n")
        program.chmod(0o755)
        counter = counting.find_counter()
        assert (counter and counter.count(["anything"]).instructions) == count


def test_instructions_per_row_exclude_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is the difference of two lengths."""
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
    assert counting.InstructionCounter("perf").count_per_row(job("http://unused"), (20, 60)) == 7


def test_event_loop_latency(capsys: pytest.CaptureFixture[str]) -> None:
    """The output also states why no instructions were counted."""
    assert run.main(["--quick", "--only", "event-loop", "--count", "none"]) == 0
    printed = capsys.readouterr().out
    assert "\nRounds: 1. Instructions were not counted.\n" in printed
    section, targets = sections(printed).values()
    for line in table(section):
        wall, _, own = (float(text) for name, text in line.items() if name.endswith(", ms"))
        assert wall >= own > 0
    assert [line["target"] for line in table(targets)] == ["at most 10"]


def test_targets_have_a_direction() -> None:
    """Most targets are upper limits."""
    targets = [
        tables.Target("a", 1.5, 1.5),
        tables.Target("b", 1.5, 1.51),
        tables.Target("c", 6, 6, at_least=True),
        tables.Target("d", 6, 5.9, at_least=True),
    ]
    lines = table(tables.targets_table(targets))
    assert [line["met"] for line in lines] == ["yes", "no", "yes", "no"]
    assert [line["target"] for line in lines] == ["at most 1.5"] * 2 + ["at least 6"] * 2


def run_quickly(scenario: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """Run one scenario with --quick, and return its section and its targets."""
    assert run.main(["--quick", "--only", scenario]) == 0
    section, *targets = sections(capsys.readouterr().out).values()
    return section, [
        f"{line['metric']}, {line['target']}" for each in targets for line in table(each)
    ]


@pytest.mark.parametrize("scenario", ["small-pages", "large-pages"])
def test_walks_without_delay(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has all contenders, with raw aiohttp as 1, and the server ceiling follows."""
    section, _ = run_quickly(scenario, capsys)
    lines = table(section)
    assert [line["walk"] for line in lines] == [
        "raw aiohttp, one page at a time",
        "raw aiohttp, 8 in flight",
        "videosdk_transcripts, `readahead=0`",
        "videosdk_transcripts, `readahead=8`, the default",
        "videosdk_transcripts, orjson, `readahead=0`",
        "videosdk_transcripts, orjson, `readahead=8`, the default",
    ]
    assert [line["CPU, ratio to raw"] for line in lines[:2]] == ["1.00", "1.00"]
    assert all(float(line["peak memory, MB"]) > 5 for line in lines)
    assert re.search(r"Server ceiling: [\d,]+ pages per second", section)


def test_peers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has the installed ones, with their versions; the test group installs msgspec."""
    monkeypatch.setenv("PATH", "")  # without npm, which would install the Node SDK
    assert run.main(["--quick", "--peers"]) == 0
    (section,) = sections(capsys.readouterr().out).values()
    lines = table(section)
    assert [line["library"].partition(" ")[0] for line in lines[:4]] == [
        "raw",
        *["videosdk_transcripts,"] * 2,
        "aiohttp",
    ]
    assert re.fullmatch(r"aiohttp \S+ \+ msgspec \S+", lines[3]["library"])
    assert [lines[0][f"{size} rows: CPU, ratio to raw"] for size in (20, 100)] == ["1.00"] * 2


@pytest.mark.parametrize("peer", peers.PEERS)
async def test_peers_read_all_rows(peer: peers.Peer) -> None:
    """The test covers the installed ones."""
    if not peer.is_installed():
        assert peer not in peers.peers_found()
        return
    program = import_module(f"{peers.__name__}.{peer.program}")
    async with server.serve_in_loop() as url:
        assert (await program.walk(job(url))).rows == ROWS


def test_walks_with_a_delay(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has wall time with and without the ramp-up."""
    section, targets = run_quickly("delay", capsys)
    lines = table(section)
    assert len(lines) == 4
    assert [name for name in lines[0] if name.startswith("from page")] == [
        "from page 10, s",
        "from page 10, ratio to raw",
    ]
    assert "Ramp-up" in section
    assert [target.rpartition(", ")[2] for target in targets] == ["at most 1.1", "at least 6"]


def test_page_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    """The cost per page and per row follows the table."""
    section, _ = run_quickly("page-sizes", capsys)
    assert [line["pages"] for line in table(section)] == ["10", "5"]
    assert (
        len(re.findall(r"^\S.*: \S+ µs per page and \S+ µs per row.$", section, re.MULTILINE)) == 2
    )


def test_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """Peak memory is compared with that of the shortest walk."""
    section, targets = run_quickly("memory", capsys)
    assert [line["rows"] for line in table(section)] == ["200", "400"] * 3
    assert targets == ["peak memory at 400 rows, ratio to 200 rows, at most 1.25"]


def test_structuring(capsys: pytest.CaptureFixture[str]) -> None:
    """There are no targets if instructions are not counted."""
    section, targets = run_quickly("structuring", capsys)
    assert [line["rows per page"] for line in table(section)] == ["20", "20", "100", "100"]
    assert targets == []


def test_files(capsys: pytest.CaptureFixture[str]) -> None:
    """The table compares texts and downloads with raw aiohttp."""
    section, targets = run_quickly("files", capsys)
    assert [line["files"] for line in table(section)] == [
        f"{who}, {kind}"
        for kind in ("texts", "downloads")
        for who in ("raw aiohttp", "videosdk_transcripts")
    ]
    assert [target.rpartition(", ")[2] for target in targets] == ["at most 1.15", "at most 1.4"] * 2


def test_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    """The table compares the slowest wait for a first row with the median."""
    section, targets = run_quickly("rooms", capsys)
    for line in table(section):
        assert float(line["slowest first row, ratio to the median"]) >= 1
    assert [target.rpartition(", ")[2] for target in targets] == ["at most 1.15", "at most 2.05"]


def test_parameters_of_a_list_are_in_any_order() -> None:
    """The page is the first one by default, because the Node SDK does not send its number."""
    with measure.serving() as url:
        for query in ("page=1&perPage=2", "perPage=2&page=1", "perPage=2"):
            with urlopen(f"{url}/4/0/ai/v1/x?{query}") as response:  # noqa: S310 - loopback
                assert json.load(response)["pageInfo"]["currentPage"] == 1


def test_start(capsys: pytest.CaptureFixture[str]) -> None:
    """Each process is compared with its baseline."""
    section, targets = run_quickly("start", capsys)
    lines = table(section)
    assert len(lines) == 9
    assert [lines[n]["CPU, ratio to baseline"] for n in (1, 4, 7)] == ["1.00"] * 3
    assert [target.rpartition(", ")[2] for target in targets] == [
        "at most 1.15",
        "at most 1.25",
        "at most 1.6",
    ]


def test_picture_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The SVG is well-formed and has all lines."""
    path = tmp_path / "picture.svg"
    assert run.main(["--quick", "--only", "delays", "widths", "--svg", str(path)]) == 0
    delays, widths = sections(capsys.readouterr().out).values()
    assert [line["delay, ms"] for line in table(delays)] == ["0", "2"]
    assert [line["in flight"] for line in table(widths)] == ["1", "2"]
    drawn = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - generated by the test
    names = [element.tag.rpartition("}")[2] for element in drawn.iter()]
    assert names.count("polyline") == 4 + 2 + 4
    assert {"title", "desc"} <= set(names)


def test_picture_without_its_scenarios_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    """The option is refused before anything is measured."""
    with pytest.raises(SystemExit):
        run.main(["--only", "start", "--svg", "picture.svg"])
    assert "the picture requires the scenarios delays and widths" in capsys.readouterr().err


def test_picture_escapes_text() -> None:
    """Titles, labels and names may contain reserved characters."""
    panel = picture.Panel("a < b", "x & y", (1, 2), "even", (picture.Line("ours", True, (1, 2)),))
    drawn = picture.draw((panel, panel), {"ours one": "<b>"}, title="&", about="")
    texts = [element.text for element in ET.fromstring(drawn).iter()]  # noqa: S314 - generated by the test
    assert {"a < b", "x & y", "<b>", "&"} <= set(texts)
