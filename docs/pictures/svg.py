"""A few shapes of SVG, in colors that are legible on light and on dark pages."""

from __future__ import annotations

from html import escape
from typing import Final

WIDTH: Final = 360
"""The width of every picture in its own units, so that 12 units are legible on a phone."""

_STYLE: Final = """
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e }
  .rule { stroke: #d1d9e0 } .arrow { stroke: #59636e; fill: none } .head { fill: #59636e }
  .blue { fill: #0969da } .orange { fill: #bc4c00 } .green { fill: #1a7f37 } .red { fill: #cf222e }
  .box { fill: #f6f8fa; stroke: #d1d9e0 }
  text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif }
  .halo { stroke: #ffffff; stroke-width: 5px; paint-order: stroke }
  .title { font-weight: 600; font-size: 13px } .small { font-size: 10px }
  .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 10px }
  @media (prefers-color-scheme: dark) {
    .halo { stroke: #0d1117 }
    .paper { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 }
    .rule { stroke: #2f3742 } .arrow { stroke: #9198a1 } .head { fill: #9198a1 }
    .blue { fill: #58a6ff } .orange { fill: #f0883e } .green { fill: #3fb950 }
    .red { fill: #f85149 } .box { fill: #161b22; stroke: #2f3742 }
  }
"""


class Picture:
    """A picture that grows downwards."""

    def __init__(self, title: str, description: str) -> None:
        self._title = title
        self._description = description
        self._shapes: list[str] = []
        self.text(WIDTH / 2, 22, title, "ink title", anchor="middle")

    def text(self, x: float, y: float, text: str, style: str, *, anchor: str = "start") -> None:
        """Write one line of text; `y` is its baseline."""
        self._shapes.append(
            f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def box(
        self, x: float, y: float, width: float, height: float, style: str, *, title: str = ""
    ) -> None:
        """Draw a rectangle, with a tooltip if `title` is not empty."""
        tip = f"<title>{escape(title)}</title>" if title else ""
        self._shapes.append(
            f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
            f' height="{height:.1f}" rx="2">{tip}</rect>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str = "rule") -> None:
        """Draw a line."""
        self._shapes.append(
            f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def arrow(self, x1: float, x2: float, y: float) -> None:
        """Draw a horizontal arrow."""
        back = -5 if x2 > x1 else 5
        self.line(x1, y, x2, y, "arrow")
        self._shapes.append(
            f'<path class="head" d="M{x2:.1f} {y:.1f}l{back} -3.5v7z"/>',
        )

    def svg(self, height: float) -> str:
        """Return the document."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"'
            ' role="img" aria-labelledby="title description">'
        )
        return "\n".join(
            [
                head,
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="description">{escape(self._description)}</desc>',
                f"<style>{_STYLE}</style>",
                f'<rect class="paper" width="{WIDTH}" height="{height:.0f}" rx="6"/>',
                *self._shapes,
                "</svg>\n",
            ]
        )
