"""Define the scenarios: each runs its processes and returns a section of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import linear_regression
from typing import Final

from .bench import Bench, Contender, Section, ours, ours_orjson, raw
from .jobs import PAGES_PER_ROOM, Job, Kind, Result
from .peers import node_sdk, peers_found
from .picture import Line, Panel
from .start import start
from .tables import Target, format_ratio, markdown, megabytes

__all__ = ["SCENARIOS"]

_FOUR: Final = (raw(), raw(8), ours(), ours(8))
_RESPONSE_DELAY: Final = 20
"""Milliseconds of each response, for files and for many rooms."""


def _steady_page(pages: int, width: int) -> int:
    """
    Return a page after the ramp-up that is a whole number of windows before the end.

    Pages arrive in bursts of a window, so both sides wait for the same number of bursts.
    """
    first = width + pages % width
    return first if first < pages else 1


def _ceiling(bench: Bench, page_size: int) -> Job:
    """Return the job that measures the throughput limit of the server."""
    return bench.job(Contender("raw_socket", 8), bench.scale.responses * page_size, page_size)


def _walks(bench: Bench, rows: int, page_size: int, lengths: tuple[int, int]) -> Section:
    walks = (*_FOUR, ours_orjson(), ours_orjson(8))
    jobs = [bench.job(contender, rows, page_size) for contender in walks]
    *results, ceiling_run = bench.measure([*jobs, _ceiling(bench, page_size)])
    by_contender = dict(zip(walks, results, strict=True))
    counts = dict(zip(walks, bench.count(jobs, lengths), strict=True))
    pages = -(-rows // page_size)
    ceiling = bench.scale.responses / ceiling_run.wall
    fastest = pages / min(result.wall for result in results)
    text = markdown(
        [
            {
                "walk": contender,
                "wall time, s": f"{result.wall:.3f}",
                "wall time, ratio to raw": format_ratio(
                    result.wall, by_contender[contender.baseline].wall
                ),
                "CPU, s": f"{result.cpu:.3f}",
                "CPU, ratio to raw": format_ratio(result.cpu, by_contender[contender.baseline].cpu),
                "CPU per row, µs": f"{result.cpu / rows * 1e6:.1f}",
                "instructions per row, thousands": f"{count / 1e3:.1f}" if count else "",
                "instructions, ratio to raw": format_ratio(count, counts[contender.baseline]),
                "peak memory, MB": megabytes(result.peak),
            }
            for contender, result in by_contender.items()
            for count in (counts[contender],)
        ]
    )
    text += (
        f"\nServer ceiling: {ceiling:,.0f} pages per second, measured with a raw socket and "
        f"eight pipelined requests; the fastest walk requested {fastest:,.0f} per second.\n"
    )
    targets = []
    if (one := counts[ours()]) and (baseline := counts[raw()]):
        limit = 1.55 if page_size == 20 else 1.65
        name = f"{page_size} rows per page, one page at a time: instructions, ratio to raw aiohttp"
        targets.append(Target(name, limit, one / baseline))
    for who, limit in (
        (ours(), 1.4 if page_size == 20 else 1.25),
        (ours_orjson(), 1.15 if page_size == 20 else 1.1),
    ):
        name = f"{page_size} rows per page: CPU of {who}, ratio to raw aiohttp"
        targets.append(Target(name, limit, by_contender[who].cpu / by_contender[raw()].cpu))
    return Section(f"No delay, {page_size} rows per page, {rows:,} rows", text, tuple(targets))


def small_pages(bench: Bench) -> Section:
    """Measure the cost of a request."""
    return _walks(bench, bench.scale.small, 20, (400, 1200))


def large_pages(bench: Bench) -> Section:
    """Measure the cost of a row."""
    return _walks(bench, bench.scale.large, 100, (1000, 3000))


def _delayed(bench: Bench, contender: Contender, delay: int, *, mark: int = 1) -> Job:
    return bench.job(contender, bench.scale.pages * 20, 20, delay=delay, mark=mark)


def delay(bench: Bench) -> Section:
    """Measure walks with a network delay."""
    pages, mark = bench.scale.pages, _steady_page(bench.scale.pages, 8)
    jobs = [_delayed(bench, contender, bench.scale.delay, mark=mark) for contender in _FOUR]
    by_contender = dict(zip(_FOUR, bench.measure(jobs), strict=True))
    one, many, ahead = by_contender[raw()], by_contender[raw(8)], by_contender[ours(8)]
    text = markdown(
        [
            {
                "walk": contender,
                "wall time, s": f"{result.wall:.3f}",
                "wall time, ratio to raw": format_ratio(
                    result.wall, by_contender[contender.baseline].wall
                ),
                "speedup over one page at a time": format_ratio(one.wall, result.wall),
                f"from page {mark}, s": f"{result.steady:.3f}",
                f"from page {mark}, ratio to raw": format_ratio(
                    result.steady, by_contender[contender.baseline].steady
                ),
                "CPU, s": f"{result.cpu:.3f}",
                "CPU, ratio to raw": format_ratio(result.cpu, by_contender[contender.baseline].cpu),
            }
            for contender, result in by_contender.items()
        ]
    )
    ramp = (ahead.wall - ahead.steady) - (many.wall - many.steady)
    text += (
        f"\nRamp-up, the extra time for the first {mark} pages compared with raw aiohttp and "
        f"8 in flight: {ramp:.3f} s.\n"
    )
    targets = (
        Target(
            f"{bench.scale.delay} ms delay: wall time from page {mark} (without the ramp-up), "
            f"ratio to raw aiohttp with 8 in flight",
            1.10,
            ahead.steady / many.steady,
        ),
        Target(
            f"{bench.scale.delay} ms delay: speedup over raw aiohttp, one page at a time",
            6,
            one.wall / ahead.wall,
            at_least=True,
        ),
    )
    return Section(f"{bench.scale.delay} ms delay, 20 rows per page, {pages} pages", text, targets)


def delays(bench: Bench) -> Section:
    """Measure wall time by response delay."""
    chosen = bench.scale.delays
    jobs = [_delayed(bench, contender, delay) for delay in chosen for contender in _FOUR]
    walls = iter(result.wall for result in bench.measure(jobs, rounds=min(3, bench.rounds)))
    by_delay = [{contender: next(walls) for contender in _FOUR} for _ in chosen]
    text = markdown(
        [
            {
                "delay, ms": delay,
                **{f"{contender}, s": f"{wall[contender]:.3f}" for contender in _FOUR},
                "ratio to raw, one page at a time": format_ratio(wall[ours()], wall[raw()]),
                "ratio to raw, 8 in flight": format_ratio(wall[ours(8)], wall[raw(8)]),
            }
            for delay, wall in zip(chosen, by_delay, strict=True)
        ]
    )
    lines = tuple(
        Line(who.program, who.in_flight > 0, tuple(wall[who] for wall in by_delay)) for who in _FOUR
    )
    panel = Panel("by response delay", "delay, ms", chosen, "linear", lines)
    return Section(f"Wall time of {bench.scale.pages} pages by delay", text, panel=panel)


def widths(bench: Bench) -> Section:
    """Measure wall time by pages in flight."""
    chosen, pages = bench.scale.widths, bench.scale.pages
    jobs = [
        _delayed(bench, who(width), bench.scale.delay, mark=_steady_page(pages, width))
        for width in chosen
        for who in (raw, ours)
    ]
    found = iter(bench.measure(jobs, rounds=min(3, bench.rounds)))
    pairs = [(next(found), next(found)) for _ in chosen]
    text = markdown(
        [
            {
                "in flight": width,
                "raw aiohttp, s": f"{baseline.wall:.3f}",
                "videosdk_transcripts, s": f"{our.wall:.3f}",
                "ratio to raw": format_ratio(our.wall, baseline.wall),
                "steady from page": _steady_page(pages, width),
                "raw aiohttp, steady, s": f"{baseline.steady:.3f}",
                "videosdk_transcripts, steady, s": f"{our.steady:.3f}",
                "ratio to raw, steady": format_ratio(our.steady, baseline.steady),
            }
            for width, (baseline, our) in zip(chosen, pairs, strict=True)
        ]
    )
    lines = tuple(
        Line(program, is_ahead=True, seconds=tuple(pair[n].wall for pair in pairs))
        for n, program in enumerate(("raw", "ours"))
    )
    label = f"pages in flight, with a delay of {bench.scale.delay} ms"
    panel = Panel("by pages in flight", label, chosen, "even", lines)
    return Section(f"Wall time of {pages} pages by pages in flight", text, panel=panel)


def page_sizes(bench: Bench) -> Section:
    """Measure the cost per page and per row."""
    rows, chosen = bench.scale.small, bench.scale.page_sizes
    jobs = [bench.job(who, rows, size) for size in chosen for who in (raw(), ours())]
    found = iter(bench.measure(jobs, rounds=min(3, bench.rounds)))
    pairs = [(next(found), next(found)) for _ in chosen]
    text = markdown(
        [
            {
                "rows per page": size,
                "pages": -(-rows // size),
                "raw aiohttp, CPU per row, µs": f"{baseline.cpu / rows * 1e6:.1f}",
                "videosdk_transcripts, CPU per row, µs": f"{our.cpu / rows * 1e6:.1f}",
                "ratio to raw": format_ratio(our.cpu, baseline.cpu),
            }
            for size, (baseline, our) in zip(chosen, pairs, strict=True)
        ]
    )
    # The CPU of a row is a constant plus its share of the cost of its page.
    shares = [1 / size for size in chosen]
    for n, name in enumerate(("raw aiohttp", "videosdk_transcripts")):
        page, row = linear_regression(shares, [pair[n].cpu / rows for pair in pairs])
        text += f"\n{name}: {page * 1e6:.0f} µs per page and {row * 1e6:.1f} µs per row.\n"
    return Section(f"CPU of {rows:,} rows by page size", text)


def memory(bench: Bench) -> Section:
    """Measure peak memory by length of the walk."""
    walks, chosen = (raw(8), ours(), ours(8)), bench.scale.memory
    jobs = [bench.job(contender, rows, 100) for rows in chosen for contender in walks]
    # One round, because peak memory varies little and a million rows take long.
    found = iter(bench.measure(jobs, rounds=1))
    by_rows = {rows: {contender: next(found) for contender in walks} for rows in chosen}
    first, last = by_rows[chosen[0]], by_rows[chosen[-1]]
    text = "One round, 100 rows per page.\n\n" + markdown(
        [
            {
                "walk": contender,
                "rows": f"{rows:,}",
                "peak memory, MB": megabytes(by_rows[rows][contender].peak),
                f"ratio to {chosen[0]:,} rows": format_ratio(
                    by_rows[rows][contender].peak, first[contender].peak
                ),
                "wall time, s": f"{by_rows[rows][contender].wall:.2f}",
                "CPU per row, µs": f"{by_rows[rows][contender].cpu / rows * 1e6:.1f}",
            }
            for contender in walks
            for rows in chosen
        ]
    )
    name = f"peak memory at {chosen[-1]:,} rows, ratio to {chosen[0]:,} rows"
    target = Target(name, 1.25, last[ours(8)].peak / first[ours(8)].peak)
    return Section("Memory by length of the walk", text, (target,))


def structuring(bench: Bench) -> Section:
    """Measure the conversion of a page's body to rows, without a network."""
    rows, targets, lines = bench.scale.structured, [], []
    for size in (20, 100):
        jobs = [bench.job(who, rows, size, kind="structure") for who in (raw(), ours())]
        results = bench.measure(jobs)
        counts = bench.count(jobs, (1000, 3000))
        names = ("`json.loads` to dicts", "videosdk_transcripts to checked objects")
        for name, result, count in zip(names, results, counts, strict=True):
            line = {
                "conversion": name,
                "rows per page": size,
                "CPU per row, µs": f"{result.cpu / rows * 1e6:.1f}",
                "CPU, ratio to `json.loads`": format_ratio(result.cpu, results[0].cpu),
                "instructions per row, thousands": f"{count / 1e3:.1f}" if count else "",
                "instructions, ratio to `json.loads`": format_ratio(count, counts[0]),
            }
            lines.append(line)
        baseline, our = counts
        if baseline and our and size == 20:
            name = "structuring: instructions, ratio to `json.loads`"
            targets.append(Target(name, 2.4, our / baseline))
    return Section("Structuring", markdown(lines), tuple(targets))


def event_loop(bench: Bench) -> Section:
    """Measure how long a large page blocks the event loop."""
    rows = bench.scale.latency
    walks = (raw(), ours(), ours(8))
    jobs = [bench.job(who, rows, 1000, kind="latency") for who in walks]
    by_contender: Mapping[Contender, Result] = dict(zip(walks, bench.measure(jobs), strict=True))
    text = "The longest wait of a concurrent task that is always ready to run.\n\n" + markdown(
        [
            {
                "walk": contender,
                "longest wait, ms": f"{result.latency * 1e3:.1f}",
                "CPU time, ms": f"{result.latency_cpu * 1e3:.1f}",
                "CPU time without garbage collection, ms": f"{result.latency_own * 1e3:.1f}",
            }
            for contender, result in by_contender.items()
        ]
    )
    name = "1,000 rows per page: longest block of the event loop without garbage collection, CPU ms"
    target = Target(name, 10, by_contender[ours(8)].latency_own * 1e3)
    return Section(f"Event loop latency, 1,000 rows per page, {rows:,} rows", text, (target,))


def files(bench: Bench) -> Section:
    """Measure texts and downloads, 16 at a time."""
    lines, targets = [], []
    kinds: tuple[Kind, ...] = ("texts", "downloads")
    for kind in kinds:
        jobs = [
            bench.job(who, bench.scale.files, 100, kind=kind, delay=_RESPONSE_DELAY)
            for who in (raw(16), ours(16))
        ]
        results = bench.measure(jobs)
        baseline, own = results
        names = ("raw aiohttp", "videosdk_transcripts")
        for name, result in zip(names, results, strict=True):
            lines.append(
                {
                    "files": f"{name}, {kind}",
                    "wall time, s": f"{result.wall:.3f}",
                    "wall time, ratio to raw": format_ratio(result.wall, baseline.wall),
                    "CPU per file, µs": f"{result.cpu / bench.scale.files * 1e6:.0f}",
                    "CPU, ratio to raw": format_ratio(result.cpu, baseline.cpu),
                }
            )
        targets += [
            Target(f"{kind}: wall time, ratio to raw aiohttp", 1.15, own.wall / baseline.wall),
            Target(f"{kind}: CPU, ratio to raw aiohttp", 1.4, own.cpu / baseline.cpu),
        ]
    about = (
        f"{bench.scale.files:,} files of 4 kB that take {_RESPONSE_DELAY} ms each, 16 in flight. "
        "A raw download is written without flushing it to the disk.\n\n"
    )
    return Section("Texts and downloads", about + markdown(lines), tuple(targets))


def rooms(bench: Bench) -> Section:
    """Measure many walks at the same time."""
    rows = bench.scale.rooms * PAGES_PER_ROOM * 20
    walks = (raw(16), ours(16))
    results = bench.measure(
        [bench.job(who, rows, 20, kind="rooms", delay=_RESPONSE_DELAY) for who in walks]
    )
    baseline, own = results
    names = ("raw aiohttp", "videosdk_transcripts")
    text = markdown(
        [
            {
                "walks": name,
                "wall time, s": f"{result.wall:.3f}",
                "wall time, ratio to raw": format_ratio(result.wall, baseline.wall),
                "CPU, s": f"{result.cpu:.3f}",
                "CPU, ratio to raw": format_ratio(result.cpu, baseline.cpu),
                "slowest first row, ratio to the median": f"{result.unfairness:.2f}",
            }
            for name, result in zip(names, results, strict=True)
        ]
    )
    targets = (
        Target("many rooms: wall time, ratio to raw aiohttp", 1.15, own.wall / baseline.wall),
        Target("many rooms: slowest first row, ratio to the median", 2.05, own.unfairness),
    )
    title = f"{bench.scale.rooms:,} walks of {PAGES_PER_ROOM} pages at the same time"
    about = f"20 rows per page, {_RESPONSE_DELAY} ms per response, 16 in flight.\n\n"
    return Section(title, about + text, targets)


def peers(bench: Bench) -> Section:
    """Measure walks by other libraries, one page at a time."""
    with node_sdk.installed() as program:
        return _peers(bench, program)


def _peers(bench: Bench, node_program: str | None) -> Section:
    found = peers_found()
    walks = [raw(), ours(), ours_orjson(), *(Contender(f"peers.{peer.program}") for peer in found)]
    about = ("dicts, unchecked", "models, all checks", "models, all checks")
    makes = [*about, *(peer.makes for peer in found)]
    names = [*map(str, walks[:3]), *(peer.name for peer in found)]
    counted = len(walks)
    if node_program is not None:
        walks.append(Contender(node_program))
        names.append(f"Node SDK {node_sdk.PACKAGE.rpartition('@')[2]}")
        makes.append("objects, unchecked")
    columns: list[dict[str, str]] = [
        {"library": name, "a row becomes": what} for name, what in zip(names, makes, strict=True)
    ]
    for size, lengths in ((20, (400, 1200)), (100, (1000, 3000))):
        jobs = [bench.job(who, bench.scale.peers, size) for who in walks]
        # The instructions of Node are those of its compiler as well.
        results, counts = bench.measure(jobs), bench.count(jobs[:counted], lengths)
        for column, result, count in zip(columns, results, [*counts, None], strict=False):
            column[f"{size} rows: CPU per row, µs"] = f"{result.cpu / bench.scale.peers * 1e6:.1f}"
            column[f"{size} rows: CPU, ratio to raw"] = format_ratio(result.cpu, results[0].cpu)
            column[f"{size} rows: instructions, ratio to raw"] = format_ratio(count, counts[0])
    return Section(f"Other libraries, {bench.scale.peers:,} rows", markdown(columns))


SCENARIOS: Final[dict[str, Callable[[Bench], Section]]] = {
    "small-pages": small_pages,
    "large-pages": large_pages,
    "delay": delay,
    "delays": delays,
    "widths": widths,
    "page-sizes": page_sizes,
    "memory": memory,
    "structuring": structuring,
    "event-loop": event_loop,
    "files": files,
    "rooms": rooms,
    "start": start,
    "peers": peers,
}
