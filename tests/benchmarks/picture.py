"""Draw wall time by delay and by pages in flight, as hand-written SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, Literal

from attrs import frozen

__all__ = ["Line", "Panel", "draw"]

AxisScale = Literal["linear", "even"]

# Narrow enough for a phone: one diagram above the other.
_WIDTH: Final = 400
_LEFT: Final = 56
_ACROSS: Final = 326
_TOPS: Final = (98, 484)
_DOWN: Final = 274
_LEGEND_TOP: Final = 830
_LEGEND_LINE: Final = 22
_TICKS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_STYLE: Final = """
  .paper { fill: #ffffff; } .ink { fill: #1f2328; } .soft { fill: #59636e; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .head { font-size: 15px; font-weight: 600; }
  .grid { stroke: #d1d9e0; stroke-width: 1; } .axis { stroke: #59636e; stroke-width: 1; }
  .line { fill: none; stroke-linejoin: round; stroke-linecap: round; }
  .raw { stroke-width: 8; stroke-opacity: 0.35; } .ours { stroke-width: 2.2; }
  .one { stroke: #bc4c00; } .dot.one { fill: #bc4c00; }
  .many { stroke: #0969da; } .dot.many { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } .ink { fill: #f0f6fc; } .soft { fill: #9198a1; }
    .grid { stroke: #2f3742; } .axis { stroke: #9198a1; }
    .one { stroke: #f0883e; } .dot.one { fill: #f0883e; }
    .many { stroke: #58a6ff; } .dot.many { fill: #58a6ff; }
  }
"""


@frozen
class Line:
    """
    A line in a panel.

    Args:
        program: ``raw`` is drawn wide and pale, so that ``ours`` stays visible on top of it.
        is_ahead: whether pages are prefetched.
        seconds: the values.
    """

    program: str
    is_ahead: bool
    seconds: tuple[float, ...]

    @property
    def style(self) -> str:
        """Return the CSS classes of the line."""
        return f"{self.program} {'many' if self.is_ahead else 'one'}"


@frozen
class Panel:
    """
    One of the two diagrams.

    Args:
        title: the heading of the diagram.
        label: the label of the horizontal axis.
        values: the positions of the points on that axis.
        scale: ``even`` for values that double.
        lines: the lines, drawn in this order.
    """

    title: str
    label: str
    values: tuple[int, ...]
    scale: AxisScale
    lines: tuple[Line, ...]

    def across(self, index: int) -> float:
        """Return the horizontal position of a value, from 0 to 1."""
        if self.scale == "even":
            return index / max(1, len(self.values) - 1)
        return self.values[index] / max(1, *self.values)


def draw(panels: Sequence[Panel], names: Mapping[str, str], *, title: str, about: str) -> str:
    """
    Draw the picture and return the SVG.

    Args:
        panels: the two diagrams.
        names: the legend: line styles and their names.
        title: the title, also for screen readers.
        about: a description for screen readers.
    """
    seconds = [value for panel in panels for line in panel.lines for value in line.seconds]
    low = max((tick for tick in _TICKS if tick <= min(seconds)), default=_TICKS[0])
    high = min((tick for tick in _TICKS if tick >= max(seconds)), default=_TICKS[-1])
    height = _LEGEND_TOP + _LEGEND_LINE * len(names)
    size = f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="title about"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="about">{escape(about)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="8"/>',
        _text(_WIDTH / 2, 30, title, "ink head", "middle"),
    ]
    for panel, top in zip(panels, _TOPS, strict=True):
        parts += _panel(panel, top, low, high)
    parts += _legend(names)
    return "\n".join([*parts, "</svg>\n"])


def _panel(panel: Panel, top: int, low: float, high: float) -> list[str]:
    left, bottom = _LEFT, top + _DOWN
    parts = [
        _text(left + _ACROSS / 2, top - 38, panel.title, "ink", "middle"),
        _text(10, top - 14, "wall time, logarithmic", "ink", "start"),
    ]
    for tick in (tick for tick in _TICKS if low <= tick <= high):
        y = top + _down(tick, low, high)
        parts.append(_rule(left, y, left + _ACROSS, y, "grid"))
        parts.append(_text(left - 8, y + 4, f"{tick:g} s", "soft", "end"))
    for index, value in enumerate(panel.values):
        x = left + panel.across(index) * _ACROSS
        parts.append(_rule(x, bottom, x, bottom + 5, "axis"))
        parts.append(_text(x, bottom + 20, str(value), "soft", "middle"))
    parts.append(_rule(left, bottom, left + _ACROSS, bottom, "axis"))
    parts.append(_text(left + _ACROSS / 2, bottom + 42, panel.label, "ink", "middle"))
    for line in panel.lines:
        points = [
            (left + panel.across(index) * _ACROSS, top + _down(value, low, high))
            for index, value in enumerate(line.seconds)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line {line.style}" points="{path}"/>')
        if line.program == "ours":
            parts += [
                f'<circle class="dot {line.style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
                for x, y in points
            ]
    return parts


def _legend(names: Mapping[str, str]) -> list[str]:
    parts: list[str] = []
    for number, (style, name) in enumerate(names.items()):
        x, y = 14, _LEGEND_TOP + number * _LEGEND_LINE
        parts.append(f'<polyline class="line {style}" points="{x},{y - 4} {x + 30},{y - 4}"/>')
        parts.append(_text(x + 40, y, name, "ink", "start"))
    return parts


def _down(value: float, low: float, high: float) -> float:
    """Return how far a value is below the top of a diagram, on a logarithmic axis."""
    return _DOWN - math.log(value / low) / math.log(high / low) * _DOWN


def _rule(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, style: str, anchor: str) -> str:
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}'
        "</text>"
    )
