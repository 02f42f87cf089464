"""
Read tables: tab-separated (TSV) and comma-separated (CSV), with a column of words.

Whisper writes the columns start, end and text, with whole milliseconds. Other programs add a
speaker, order or name the columns differently, and write seconds.

Source: https://github.com/openai/whisper/blob/main/whisper/utils.py
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import Factory, define, frozen

from ._common import (
    clean_name,
    is_ordered,
    is_time,
    join_lines,
    looks_like_milliseconds,
    parse_timestamp,
    split_lines,
    strip_lines,
)
from ._labels import Line, read_line
from ._speakers import Outcome, Speakers
from ._turns import Transcript, Turn, Unread

# Names without spaces, underscores and hyphens.
_COLUMNS: Final = {
    "start": "start",
    "starttime": "start",
    "starttimestamp": "start",
    "begin": "start",
    "from": "start",
    "time": "start",
    "timestamp": "start",
    "timecode": "start",
    "end": "end",
    "endtime": "end",
    "endtimestamp": "end",
    "stop": "end",
    "to": "end",
    "speaker": "speaker",
    "speakername": "speaker",
    "speakerlabel": "speaker",
    "speakerid": "speaker",
    "participant": "speaker",
    "name": "speaker",
    "text": "text",
    "transcript": "text",
    "transcription": "text",
    "content": "text",
    "utterance": "text",
    "sentence": "text",
    "caption": "text",
    "words": "text",
    "message": "text",
}
# The lookbehind makes the time of a search linear.
_UNIT: Final = re.compile(r"(?<![ _(\[])[ _(\[]+(ms|milliseconds|s|sec|secs|seconds)[)\]]?\Z")
_TIMES: Final = ("start", "end")
_WHISPER: Final = (*_TIMES, "text")
_DELIMITERS: Final = {"tsv": "\t", "csv": ",;|"}
# A line for Excel, which names the delimiter.
_HINT: Final = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_WHOLE: Final = re.compile(r"[0-9]{1,16}")
# Python writes up to 17 digits after the point.
_DECIMAL: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,20}")


@frozen
class _Layout:
    """The columns of a table, by their index."""

    columns: tuple[str | None, ...]
    delimiter: str
    header: list[str]
    """The words of the header line in lower case; empty if there is none."""
    is_in_milliseconds: bool | None = None
    """Whether times are milliseconds and not seconds; None if the header has no unit."""

    def find(self, column: str) -> int | None:
        """Return the index of a column, or None."""
        return self.columns.index(column) if column in self.columns else None


@frozen
class _Row:
    line: int
    raw: str
    cells: dict[str, str]


@define
class _Rows:
    read: list[_Row] = Factory(list)
    unread: list[Unread] = Factory(list)
    frame: list[str] = Factory(list)


def table_format(line: str) -> str | None:
    """Return ``tsv`` or ``csv`` if a line is the header of such a table, otherwise None."""
    for format_, delimiters in _DELIMITERS.items():
        if any(_read_header(line, delimiter) for delimiter in delimiters):
            return format_
    return None


def find_header(lines: Iterable[str]) -> str:
    """Return the line that is the header if the lines are a table, or an empty string."""
    return next((line for line in lines if line.strip() and not _HINT.fullmatch(line.strip())), "")


def read_table(text: str, format: str) -> Transcript:  # noqa: A002 - the API's own word
    """
    Read the rows of a table. Without a header, the columns are those of Whisper.

    Args:
        text: the text.
        format: ``tsv``, where quotation marks, and tabs in the last column, are part of the
            words; or ``csv``, where cells may be in quotation marks.
    """
    lines = split_lines(text)
    first = find_header(lines)
    headers = (_read_header(first, delimiter) for delimiter in _DELIMITERS[format])
    layout = next(filter(None, headers), None) or _Layout(_WHISPER, _DELIMITERS[format][0], [])
    rows = _Rows()
    split = _split_tsv(lines, layout) if format == "tsv" else _split_csv(lines, layout, rows)
    for number, raw, cells in split:
        _read_row(number, raw, cells, layout, rows)
    return Transcript(
        format=format,
        turns=tuple(_turns(rows, layout)),
        unread=tuple(sorted(rows.unread, key=lambda part: part.line)),
        frame=tuple(rows.frame),
    )


def _read_header(line: str, delimiter: str) -> _Layout | None:
    cells = [cell.strip(' \t\r\n"').lower() for cell in line.split(delimiter)]
    units = [match[1] for cell in cells if (match := _UNIT.search(cell))]
    names = [re.sub("[ _-]", "", _UNIT.sub("", cell)) for cell in cells]
    columns = [_COLUMNS.get(name) for name in names]
    # The words of a second column of the same kind are only in the raw text of the turn.
    unique = [name if columns.index(name) == i else None for i, name in enumerate(columns)]
    if "text" not in unique or not {"start", "speaker"} & set(unique):
        return None
    is_in_milliseconds = units[0].startswith("m") if units else None
    return _Layout(tuple(unique), delimiter, line.lower().split(), is_in_milliseconds)


def _split_tsv(lines: Sequence[str], layout: _Layout) -> Iterator[tuple[int, str, list[str]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, join_lines([line]), line.split("\t", len(layout.columns) - 1)


def _split_csv(
    lines: Sequence[str], layout: _Layout, rows: _Rows
) -> Iterator[tuple[int, str, list[str]]]:
    # Strict, so that a missing quotation mark does not turn all lines below into one cell.
    reader = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=True, strict=True)
    begin = 0
    while begin < len(lines):
        try:
            cells = next(reader)
        except csv.Error:
            raw = join_lines(list(lines[begin : reader.line_num]))
            rows.unread.append(Unread(begin + 1, "has unpaired quotation marks", raw))
        else:
            raw = join_lines(list(lines[begin : reader.line_num]))
            if "".join(cells).strip():
                yield begin + 1, raw, cells
            elif raw.strip():
                rows.frame.append(raw)
        begin = reader.line_num


def _read_row(line: int, raw: str, cells: list[str], layout: _Layout, rows: _Rows) -> None:
    if raw.lower().split() == layout.header or _HINT.fullmatch(raw):
        rows.frame.append(raw)
    elif len(cells) < len(layout.columns):
        reason = f"has fewer than {len(layout.columns)} columns"
        rows.unread.append(Unread(line, reason, raw))
    else:
        named = zip(layout.columns, cells, strict=False)
        found = dict.fromkeys(_TIMES, "") | {name: cell.strip() for name, cell in named if name}
        if layout.delimiter == ";":
            # Programs separate cells by semicolons where the comma is the decimal mark.
            found |= {name: found[name].replace(",", ".") for name in _TIMES}
        rows.read.append(_Row(line, raw, found))


def _turns(rows: _Rows, layout: _Layout) -> Iterator[Turn]:
    has_speakers = layout.find("speaker") is not None
    lines = [None if has_speakers else read_line(row.cells["text"]) for row in rows.read]
    speakers = Speakers.of(([line] for line in lines if line and line.source), is_wrapped=True)
    is_in_milliseconds = layout.is_in_milliseconds
    if is_in_milliseconds is None:
        is_in_milliseconds = _has_milliseconds(rows.read, layout)
    for row, line in zip(rows.read, lines, strict=True):
        start, end = (_seconds(row.cells[name], is_in_milliseconds) for name in _TIMES)
        given = [row.cells[name] for name in _TIMES if row.cells[name]]
        known = [time for time in (start, end) if time is not None]
        reason = None
        if len(known) < len(given):
            unit = "whole milliseconds" if is_in_milliseconds else "clock times or seconds"
            reason = f"has times that are not {unit}"
        elif not is_ordered(start, end):
            reason = "ends before it starts"
        if reason:
            start = end = None
            rows.unread.append(Unread(line=row.line, reason=reason, raw=row.raw))
        speaker, text = _words(row, line, speakers)
        yield Turn(speaker, text, start, end, row.raw)


def _words(row: _Row, line: Line | None, speakers: Speakers) -> tuple[str | None, str]:
    text = strip_lines(row.cells["text"])
    if line is None:
        return clean_name(row.cells["speaker"]) or None, text
    if speakers.outcome(line, None) is Outcome.SPEAKER:
        return line.name, strip_lines(line.text)
    return None, text


def _has_milliseconds(rows: Sequence[_Row], layout: _Layout) -> bool:
    """Return whether the times of a table without a unit are milliseconds."""
    cells = [row.cells[name] for row in rows for name in _TIMES]
    whole = sum(_WHOLE.fullmatch(cell) is not None for cell in cells)
    decimal = sum(_DECIMAL.fullmatch(cell) is not None for cell in cells)
    if decimal >= whole:
        return False
    if layout.columns == _WHISPER and layout.delimiter == "\t":
        return True
    spans = [
        (int(row.cells["start"]), int(row.cells["end"]), row.cells["text"])
        for row in rows
        if all(_WHOLE.fullmatch(row.cells[name]) for name in _TIMES)
    ]
    return looks_like_milliseconds(spans)


def _seconds(cell: str, is_in_milliseconds: bool) -> float | None:
    if ":" in cell:
        return parse_timestamp(cell)
    pattern = _WHOLE if is_in_milliseconds else re.compile(f"{_WHOLE.pattern}|{_DECIMAL.pattern}")
    match = pattern.fullmatch(cell)
    if match is None:
        return None
    # The match instead of the cell, because `int` strips fewer characters than `str.strip`.
    seconds = int(match[0]) / 1000 if is_in_milliseconds else float(match[0])
    return seconds if is_time(seconds) else None
