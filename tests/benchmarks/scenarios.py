"""What is measured: each scenario runs its processes and prints its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import linear_regression
from typing import Final

from .bench import Bench, Contender, Section, ours, raw
from .jobs import Job, Outcome
from .picture import Line, Panel
from .start import start
from .tables import Target, markdown, megabytes, times

__all__ = ["SCENARIOS"]

_FOUR: Final = (raw(), raw(8), ours(), ours(8))


def _wide_from(pages: int, width: int) -> int:
    """
    Return the page from which on the window is open, whole windows before the end.

    Pages come in bursts of a window; so both sides wait for as many of them from there on.
    """
    first = width + pages % width
    return first if first < pages else 1


def _ceiling(bench: Bench, page_size: int) -> Job:
    """Return the job that finds out what the server can do."""
    return bench.job(Contender("wire", 8), bench.scale.answers * page_size, page_size)


def _walks(bench: Bench, rows: int, page_size: int, lengths: tuple[int, int]) -> Section:
    jobs = [bench.job(contender, rows, page_size) for contender in _FOUR]
    *found, wire = bench.measure([*jobs, _ceiling(bench, page_size)])
    outcomes = dict(zip(_FOUR, found, strict=True))
    counts = dict(zip(_FOUR, bench.count(jobs, lengths), strict=True))
    pages = -(-rows // page_size)
    ceiling = bench.scale.answers / wire.wall
    fastest = pages / min(outcome.wall for outcome in found)
    text = markdown(
        [
            {
                "walk": contender,
                "wall s": f"{outcome.wall:.3f}",
                "wall beside raw": times(outcome.wall, outcomes[contender.floor].wall),
                "CPU s": f"{outcome.cpu:.3f}",
                "CPU beside raw": times(outcome.cpu, outcomes[contender.floor].cpu),
                "µs CPU a row": f"{outcome.cpu / rows * 1e6:.1f}",
                "thousand instructions a row": f"{count / 1e3:.1f}" if count else "",
                "instructions beside raw": times(count, counts[contender.floor]),
                "peak MB": megabytes(outcome.peak),
            }
            for contender, outcome in outcomes.items()
            for count in (counts[contender],)
        ]
    )
    text += (
        f"\nThe server's ceiling: {ceiling:,.0f} pages a second, to a raw socket that keeps "
        f"eight requests waiting; the fastest walk asked for {fastest:,.0f}.\n"
    )
    targets = []
    if (one := counts[ours()]) and (floor := counts[raw()]):
        aim = 1.45 if page_size == 20 else 1.85
        name = f"{page_size} a page, one at a time: instructions a row beside raw aiohttp"
        targets.append(Target(name, aim, one / floor))
    return Section(f"No delay, {page_size} a page, {rows:,} rows", text, tuple(targets))


def small_pages(bench: Bench) -> Section:
    """Measure what a request costs."""
    return _walks(bench, bench.scale.small, 20, (400, 1200))


def large_pages(bench: Bench) -> Section:
    """Measure what a row costs."""
    return _walks(bench, bench.scale.large, 100, (1000, 3000))


def _slow(bench: Bench, contender: Contender, delay: int, *, mark: int = 1) -> Job:
    return bench.job(contender, bench.scale.pages * 20, 20, delay=delay, mark=mark)


def delay(bench: Bench) -> Section:
    """Measure a walk over a network that takes its time."""
    pages, mark = bench.scale.pages, _wide_from(bench.scale.pages, 8)
    jobs = [_slow(bench, contender, bench.scale.delay, mark=mark) for contender in _FOUR]
    outcomes = dict(zip(_FOUR, bench.measure(jobs), strict=True))
    one, many, ahead = outcomes[raw()], outcomes[raw(8)], outcomes[ours(8)]
    text = markdown(
        [
            {
                "walk": contender,
                "wall s": f"{outcome.wall:.3f}",
                "wall beside raw": times(outcome.wall, outcomes[contender.floor].wall),
                "times faster than one at a time": times(one.wall, outcome.wall),
                f"from page {mark} on, s": f"{outcome.steady:.3f}",
                "beside raw from there": times(outcome.steady, outcomes[contender.floor].steady),
                "CPU s": f"{outcome.cpu:.3f}",
                "CPU beside raw": times(outcome.cpu, outcomes[contender.floor].cpu),
            }
            for contender, outcome in outcomes.items()
        ]
    )
    ramp = (ahead.wall - ahead.steady) - (many.wall - many.steady)
    text += (
        f"\nThe ramp-up, which is what the first {mark} pages took longer than with raw aiohttp "
        f"and 8 in flight: {ramp:.3f} s.\n"
    )
    targets = (
        Target(
            f"{bench.scale.delay} ms delay: wall time beside raw aiohttp with 8 in flight, "
            f"without the ramp-up (from page {mark} on)",
            1.10,
            ahead.steady / many.steady,
        ),
        Target(
            f"{bench.scale.delay} ms delay: times faster than raw aiohttp one page at a time",
            6,
            one.wall / ahead.wall,
            at_least=True,
        ),
    )
    return Section(f"{bench.scale.delay} ms delay, 20 a page, {pages} pages", text, targets)


def delays(bench: Bench) -> Section:
    """Measure how wall time grows with the delay."""
    chosen = bench.scale.delays
    jobs = [_slow(bench, contender, delay) for delay in chosen for contender in _FOUR]
    walls = iter(outcome.wall for outcome in bench.measure(jobs, rounds=min(3, bench.rounds)))
    by_delay = [{contender: next(walls) for contender in _FOUR} for _ in chosen]
    text = markdown(
        [
            {
                "delay ms": delay,
                **{f"{contender}, s": f"{wall[contender]:.3f}" for contender in _FOUR},
                "beside raw, one at a time": times(wall[ours()], wall[raw()]),
                "beside raw, 8 in flight": times(wall[ours(8)], wall[raw(8)]),
            }
            for delay, wall in zip(chosen, by_delay, strict=True)
        ]
    )
    lines = tuple(
        Line(who.program, who.in_flight > 0, tuple(wall[who] for wall in by_delay)) for who in _FOUR
    )
    panel = Panel("against the delay of an answer", "delay, ms", chosen, "linear", lines)
    return Section(f"Wall time of {bench.scale.pages} pages against delay", text, panel=panel)


def widths(bench: Bench) -> Section:
    """Measure how wall time falls with the pages in flight."""
    chosen, pages = bench.scale.widths, bench.scale.pages
    jobs = [
        _slow(bench, who(width), bench.scale.delay, mark=_wide_from(pages, width))
        for width in chosen
        for who in (raw, ours)
    ]
    found = iter(bench.measure(jobs, rounds=min(3, bench.rounds)))
    pairs = [(next(found), next(found)) for _ in chosen]
    text = markdown(
        [
            {
                "in flight": width,
                "raw aiohttp, s": f"{floor.wall:.3f}",
                "videosdk_transcripts, s": f"{our.wall:.3f}",
                "beside raw": times(our.wall, floor.wall),
                "from page": _wide_from(pages, width),
                "raw aiohttp from there, s": f"{floor.steady:.3f}",
                "videosdk_transcripts from there, s": f"{our.steady:.3f}",
                "beside raw from there": times(our.steady, floor.steady),
            }
            for width, (floor, our) in zip(chosen, pairs, strict=True)
        ]
    )
    lines = tuple(
        Line(program, is_ahead=True, seconds=tuple(pair[n].wall for pair in pairs))
        for n, program in enumerate(("raw", "ours"))
    )
    label = f"pages in flight, at a delay of {bench.scale.delay} ms"
    panel = Panel("against the pages in flight", label, chosen, "even", lines)
    return Section(f"Wall time of {pages} pages against width", text, panel=panel)


def page_sizes(bench: Bench) -> Section:
    """Measure what grows with the pages, and what with the rows."""
    rows, chosen = bench.scale.small, bench.scale.page_sizes
    jobs = [bench.job(who, rows, size) for size in chosen for who in (raw(), ours())]
    found = iter(bench.measure(jobs, rounds=min(3, bench.rounds)))
    pairs = [(next(found), next(found)) for _ in chosen]
    text = markdown(
        [
            {
                "rows a page": size,
                "pages": -(-rows // size),
                "raw aiohttp, µs CPU a row": f"{floor.cpu / rows * 1e6:.1f}",
                "videosdk_transcripts, µs CPU a row": f"{our.cpu / rows * 1e6:.1f}",
                "beside raw": times(our.cpu, floor.cpu),
            }
            for size, (floor, our) in zip(chosen, pairs, strict=True)
        ]
    )
    # A row costs its own share and one of its page, which shrinks as the page grows.
    shares = [1 / size for size in chosen]
    for n, name in enumerate(("raw aiohttp", "videosdk_transcripts")):
        page, row = linear_regression(shares, [pair[n].cpu / rows for pair in pairs])
        text += f"\n{name}: {page * 1e6:.0f} µs a page and {row * 1e6:.1f} µs a row.\n"
    return Section(f"CPU of {rows:,} rows against the size of a page", text)


def memory(bench: Bench) -> Section:
    """Measure the peak of longer and longer walks."""
    walks, chosen = (raw(8), ours(), ours(8)), bench.scale.memory
    jobs = [bench.job(contender, rows, 100) for rows in chosen for contender in walks]
    # It repeats; and a million rows take their time.
    found = iter(bench.measure(jobs, rounds=1))
    by_rows = {rows: {contender: next(found) for contender in walks} for rows in chosen}
    first, last = by_rows[chosen[0]], by_rows[chosen[-1]]
    text = "One round, 100 a page.\n\n" + markdown(
        [
            {
                "walk": contender,
                "rows": f"{rows:,}",
                "peak MB": megabytes(by_rows[rows][contender].peak),
                f"beside {chosen[0]:,} rows": times(
                    by_rows[rows][contender].peak, first[contender].peak
                ),
                "wall s": f"{by_rows[rows][contender].wall:.2f}",
                "µs CPU a row": f"{by_rows[rows][contender].cpu / rows * 1e6:.1f}",
            }
            for contender in walks
            for rows in chosen
        ]
    )
    name = f"peak memory at {chosen[-1]:,} rows beside {chosen[0]:,}"
    target = Target(name, 1.25, last[ours(8)].peak / first[ours(8)].peak)
    return Section("Memory against the length of a walk", text, (target,))


def structuring(bench: Bench) -> Section:
    """Measure the way from the bytes of a page to its rows, without a network."""
    rows, targets, lines = bench.scale.structured, [], []
    for size in (20, 100):
        jobs = [bench.job(who, rows, size, kind="structure") for who in (raw(), ours())]
        outcomes = bench.measure(jobs)
        counts = bench.count(jobs, (1000, 3000))
        names = ("`json.loads` to dicts", "videosdk_transcripts to checked objects")
        for name, outcome, count in zip(names, outcomes, counts, strict=True):
            line = {
                "page to rows": name,
                "rows a page": size,
                "µs CPU a row": f"{outcome.cpu / rows * 1e6:.1f}",
                "CPU beside `json.loads`": times(outcome.cpu, outcomes[0].cpu),
                "thousand instructions a row": f"{count / 1e3:.1f}" if count else "",
                "instructions beside `json.loads`": times(count, counts[0]),
            }
            lines.append(line)
        floor, our = counts
        if floor and our and size == 20:
            name = "structuring alone: instructions beside `json.loads`"
            targets.append(Target(name, 2.4, our / floor))
    return Section("Structuring alone", markdown(lines), tuple(targets))


def turns(bench: Bench) -> Section:
    """Measure how long a large page keeps other tasks waiting."""
    rows = bench.scale.turns
    walks = (raw(), ours(), ours(8))
    jobs = [bench.job(who, rows, 1000, kind="turns") for who in walks]
    outcomes: Mapping[Contender, Outcome] = dict(zip(walks, bench.measure(jobs), strict=True))
    text = "The longest wait of a task beside the walk that always wants a turn.\n\n" + markdown(
        [
            {
                "walk": contender,
                "longest wait, ms": f"{outcome.gap * 1e3:.1f}",
                "in CPU, ms": f"{outcome.gap_cpu * 1e3:.1f}",
                "in CPU without the garbage collector, ms": f"{outcome.gap_own * 1e3:.1f}",
            }
            for contender, outcome in outcomes.items()
        ]
    )
    name = "1,000 a page: longest hold of the event loop, ms of CPU without the garbage collector"
    target = Target(name, 10, outcomes[ours(8)].gap_own * 1e3)
    return Section(f"The event loop, 1,000 a page, {rows:,} rows", text, (target,))


SCENARIOS: Final[dict[str, Callable[[Bench], Section]]] = {
    "small-pages": small_pages,
    "large-pages": large_pages,
    "delay": delay,
    "delays": delays,
    "widths": widths,
    "page-sizes": page_sizes,
    "memory": memory,
    "structuring": structuring,
    "turns": turns,
    "start": start,
}
