"""Small static charts as inline SVG, in the colour of the text: they read on light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, MARGIN = 340, 170, 52, 30, 8
# One blue with more than 3:1 against white and against JupyterLab's dark grey.
ACCENT = "#3a86d0"
FAINT = 'stroke="currentColor" stroke-opacity="0.4"'
POINTS = 60

Points = Sequence[tuple[float, float]]


def lines(
    series: Sequence[Points],
    *,
    title: str,
    x: str,
    y: str,
    strong: int = 1,
    steps: bool = False,
) -> str:
    """A line chart; empty text where no series has a point.

    Args:
        series: Points (x, y), the most important series first.
        title: Read out by screen readers and shown above.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        strong: How many of the first series are drawn in full colour.
        steps: Draw steps: a value holds until the next one.
    """
    kept = [[(a, b) for a, b in s if math.isfinite(a) and math.isfinite(b)] for s in series]
    kept = [thin(s) for s in kept if s]
    if not kept:
        return ""
    xs, ys = [a for s in kept for a, _ in s], [b for s in kept for _, b in s]
    (x0, x1), (y0, y1) = _range(xs), _range(ys)
    right, top = WIDTH - MARGIN, MARGIN + 16

    def place(a: float, b: float) -> tuple[float, float]:
        across = LEFT + (a - x0) / (x1 - x0) * (right - LEFT)
        down = HEIGHT - BOTTOM - (b - y0) / (y1 - y0) * (HEIGHT - BOTTOM - top)
        return round(across, 1), round(down, 1)

    parts = [
        f'<path d="M{LEFT} {top}V{HEIGHT - BOTTOM}H{right}" fill="none" {FAINT}/>',
        _text(LEFT - 4, top + 4, number(y1), "end"),
        _text(LEFT - 4, HEIGHT - BOTTOM, number(y0), "end"),
        _text(LEFT, HEIGHT - BOTTOM + 12, number(x0), "start"),
        _text(right, HEIGHT - BOTTOM + 12, number(x1), "end"),
        _text((LEFT + right) / 2, HEIGHT - 6, x, "middle"),
        _text(LEFT, MARGIN + 4, y, "start"),
    ]
    # The important ones last, so that they lie on top.
    for place_in_list, points in reversed(list(enumerate(kept))):
        corners = [place(a, b) for a, b in points]
        if len(corners) == 1:
            corners *= 2
        if steps:
            path = f"M{_pair(corners[0])}" + "".join(f"H{a}V{b}" for a, b in corners[1:])
        else:
            path = "M" + "L".join(_pair(c) for c in corners)
        look = f'stroke="{ACCENT}" stroke-width="2"' if place_in_list < strong else FAINT
        parts.append(f'<path d="{path}" fill="none" {look} stroke-linecap="round"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-size="10" font-family="sans-serif"><title>{escape(title)}</title>'
        + "".join(parts)
        + "</svg>"
    )


def bar(shares: Sequence[tuple[str, int]], total: int, *, title: str) -> str:
    """A progress bar: how many of ``total`` are what, in the order given.

    Args:
        shares: (look, count) with look "full", "half" or "faint".
        total: What the whole bar stands for.
        title: Read out by screen readers.
    """
    opacity = {"full": "1", "half": "0.6", "faint": "0.3"}
    parts, left = [], 0.0
    for look, count in shares:
        width = WIDTH * 2 * count / max(total, 1)
        if width:
            parts.append(
                f'<rect x="{left:.1f}" width="{width:.1f}" height="8" fill="{ACCENT}" '
                f'fill-opacity="{opacity[look]}"/>'
            )
        left += width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {WIDTH * 2} 8" width="{WIDTH * 2}" height="8" '
        f'preserveAspectRatio="none" style="max-width:100%"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH * 2}" height="8" fill="currentColor" fill-opacity="0.15"/>'
        + "".join(parts)
        + "</svg>"
    )


def thin(points: Points, most: int = POINTS) -> list[tuple[float, float]]:
    """At most ``most`` of the points, first and last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(i * step)] for i in range(most)]


def number(value: float) -> str:
    """A figure in four digits."""
    return f"{value:.4g}"


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _pair(corner: tuple[float, float]) -> str:
    return f"{corner[0]} {corner[1]}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="currentColor">'
        f"{escape(text)}</text>"
    )
