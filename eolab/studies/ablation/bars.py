"""Bars with intervals, sorted by effect, as static HTML: for export and front ends without ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from eolab.studies.ablation.inference import Estimate

if TYPE_CHECKING:
    from eolab.studies.ablation.result import AblationResult

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


def to_html(result: AblationResult, cells: Sequence[Sequence[str]]) -> str:
    """Bars, table and sentences.

    Args:
        result: What is shown.
        cells: Its table as text, the heading first.
    """
    head, *body = cells
    style = ' style="white-space:nowrap"'
    table = "".join(
        "<tr>" + "".join(f"<td{style}>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in body
    )
    heading = "".join(f"<th{style}>{escape(cell)}</th>" for cell in head)
    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in result.in_words())
    return (
        f"{drops_svg(result)}{worths_svg(result)}"
        f"<table><thead><tr>{heading}</tr></thead><tbody>{table}</tbody></table><ul>{words}</ul>"
    )


def drops_svg(result: AblationResult) -> str:
    """A bar for the drop of each variant, the largest first, with its interval as a whisker."""
    sentences = result.in_words()
    bars = [
        Bar(
            row.variant.name,
            row.drop,
            row.corrected is not None and row.corrected <= 1 - result.level,
            sentences[i],
        )
        for i, row in enumerate(result.rows[1:])
        if row.drop is not None
    ]
    level = f"{result.level:.0%} intervals"
    return draw(
        bars,
        f"Drop of {result.metric} against the baseline, with {level}",
        "to the right: worse than the baseline; dark: more than chance",
    )


def worths_svg(result: AblationResult) -> str:
    """A bar for the Shapley value of each component, where all subsets were run."""
    if not result.has_shapley:
        return ""
    bars = []
    for name, worth in result.shapley().items():
        clear = worth.low is not None and worth.high is not None and worth.low * worth.high > 0
        bars.append(Bar(name, worth, clear, f"{name}: {worth.value:+.3g} {result.metric}"))
    return draw(
        bars,
        f"Shapley values: what each brings to {result.metric}, with {result.level:.0%} intervals",
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
