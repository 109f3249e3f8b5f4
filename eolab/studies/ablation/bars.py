"""Bars with intervals, sorted by effect, as static HTML: for export and front ends without ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from eolab.studies.ablation.inference import Estimate
from eolab.studies.ablation.tables import Row

WIDTH, ROW, LETTER = 680, 24, 6.6
"""Pixels: of the figure, of a row, of a letter (at most, on average)."""
TICKS = 5


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: What stands beside it.
        estimate: Its length and its interval.
        claimed: Whether there is more than chance; others are pale.
        words: What it says, shown where the pointer rests.
    """

    label: str
    estimate: Estimate
    claimed: bool
    words: str


def to_html(cells: Sequence[Sequence[str]], sentences: Sequence[str]) -> str:
    """The table and the sentences.

    Args:
        cells: The table as text, the heading first.
        sentences: What the result says, one list item each.
    """
    head, *body = cells
    style = ' style="white-space:nowrap"'
    table = "".join(
        "<tr>" + "".join(f"<td{style}>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in body
    )
    heading = "".join(f"<th{style}>{escape(cell)}</th>" for cell in head)
    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<table><thead><tr>{heading}</tr></thead><tbody>{table}</tbody></table><ul>{words}</ul>"


def draw_drops(rows: Sequence[Row], sentences: Sequence[str], *, metric: str, level: float) -> str:
    """A bar for the drop of each variant, the largest first, with its interval as a whisker.

    Args:
        rows: The variants, the baseline left out.
        sentences: What the result says of each, in the same order (more may follow).
        metric: Name of what is compared.
        level: Of the intervals.
    """
    bars = [
        Bar(
            row.variant.name,
            row.drop,
            row.corrected is not None and row.corrected <= 1 - level,
            sentences[i],
        )
        for i, row in enumerate(rows)
        if row.drop is not None
    ]
    return draw(
        bars,
        f"Drop of {metric} against the baseline, with {level:.0%} intervals",
        "to the right: worse than the baseline; dark: significant after Holm's correction",
    )


def draw_shapley(worths: Mapping[str, Estimate], *, metric: str, level: float) -> str:
    """A bar for the Shapley value of each component.

    Args:
        worths: Value and interval by component.
        metric: Name of what is compared.
        level: Of the intervals.
    """
    bars = []
    for name, worth in worths.items():
        clear = worth.low is not None and worth.high is not None and worth.low * worth.high > 0
        bars.append(Bar(name, worth, clear, f"{name}: {worth.value:+.3g} {metric}"))
    return draw(
        bars,
        f"Shapley values: what each brings to {metric}, with {level:.0%} intervals",
        "to the right: it helps; dark: the interval leaves out zero",
    )


def draw(bars: Sequence[Bar], title: str, note: str) -> str:
    """An SVG of bars from zero on one scale; nothing where there are no bars."""
    if not bars:
        return ""
    ends = [0.0]
    for bar in bars:
        known = (bar.estimate.value, bar.estimate.low, bar.estimate.high)
        ends += [end for end in known if end is not None]
    low, high = min(ends), max(ends)
    left = min(280.0, LETTER * max(len(bar.label) for bar in bars)) + 10
    scale = (WIDTH - left - 20) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return left + 10 + (value - low) * scale

    foot = ROW * (len(bars) + 1) + 6
    height = foot + 36
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}" '
            'style="display:block;max-width:100%" font-family="sans-serif" font-size="12" '
            'fill="currentColor">'
        ),
        f'<text x="{left + 10:.1f}" y="14" font-weight="bold">{escape(title)}</text>',
    ]
    parts += [
        f'<path d="M{x(tick):.1f} {ROW}V{foot}" stroke="currentColor" stroke-opacity="0.15"/>'
        f'<text x="{x(tick):.1f}" y="{foot + 14}" text-anchor="middle" font-size="11">'
        f"{tick:+.3g}</text>"
        for tick in ticks(low, high)
    ]
    parts += [_row(bar, ROW * (i + 1) + 6, left, x) for i, bar in enumerate(bars)]
    parts.append(
        f'<path d="M{x(0.0):.1f} {ROW}V{foot}" stroke="currentColor"/>'
        f'<text x="{left + 10:.1f}" y="{foot + 30}" font-size="11" fill-opacity="0.75">'
        f"{escape(note)}</text></svg>"
    )
    return "".join(parts)


def _row(bar: Bar, y: int, left: float, x: Callable[[float], float]) -> str:
    zero, known = x(0.0), bar.estimate
    start, width = min(zero, x(known.value)), abs(x(known.value) - zero)
    middle = y + 2 + (ROW - 8) / 2
    whisker = ""
    if known.low is not None and known.high is not None:
        whisker = (
            f'<path d="M{x(known.low):.1f} {middle}H{x(known.high):.1f}'
            f'M{x(known.low):.1f} {middle - 4}v8M{x(known.high):.1f} {middle - 4}v8" '
            'stroke="currentColor" fill="none"/>'
        )
    return (
        f'<text x="{left:.1f}" y="{y + 13}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect x="{start:.1f}" y="{y + 2}" width="{max(width, 0.5):.1f}" height="{ROW - 8}" '
        f'fill="var(--jp-brand-color1, #1976d2)" fill-opacity="{0.85 if bar.claimed else 0.35}">'
        f"<title>{escape(bar.words)}</title></rect>{whisker}"
    )


def ticks(low: float, high: float) -> list[float]:
    """Round values between two ends, about five, zero among them where it is between."""
    width = high - low
    if width <= 0:
        return [low]
    rough = width / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
