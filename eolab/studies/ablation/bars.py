"""Bars with intervals, sorted by effect, as static HTML: for export and front ends without ours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.studies.ablation.result import AblationResult

WIDTH, LABEL, ROW = 640, 220, 24
"""Pixels: of the figure, of its labels, of a row."""


def to_html(result: AblationResult, cells: Sequence[Sequence[str]]) -> str:
    """Bars, table and sentences.

    Args:
        result: What is shown.
        cells: Its table as text, the heading first.
    """
    head, *body = cells
    table = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body
    )
    heading = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    words = "".join(f"<li>{escape(sentence)}</li>" for sentence in result.in_words())
    return (
        f"{to_svg(result)}<table><thead><tr>{heading}</tr></thead><tbody>{table}</tbody></table>"
        f"<ul>{words}</ul>"
    )


def to_svg(result: AblationResult) -> str:
    """A bar for the drop of each variant, the largest first, with its interval as a whisker."""
    rows = [(row, row.drop) for row in result.rows if row.drop is not None]
    if not rows:
        return ""
    ends = [0.0]
    for _, drop in rows:
        ends += [drop.value, *(end for end in (drop.low, drop.high) if end is not None)]
    low, high = min(ends), max(ends)
    scale = (WIDTH - LABEL - 20) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return LABEL + 10 + (value - low) * scale

    zero, height = x(0.0), ROW * (len(rows) + 1) + 8
    title = f"Drop of {result.metric} against the baseline"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}" '
            'font-family="sans-serif" font-size="12" fill="currentColor">'
        ),
        f'<text x="{LABEL + 10}" y="14">{escape(title)}</text>',
    ]
    sentences = result.in_words()
    places = {id(row): i for i, row in enumerate(result.rows[1:])}
    for i, (row, drop) in enumerate(rows):
        y = ROW * (i + 1) + 6
        left, width = min(zero, x(drop.value)), abs(x(drop.value) - zero)
        claimed = row.corrected is not None and row.corrected <= 1 - result.level
        shade = 0.85 if claimed else 0.35
        parts.append(
            f'<text x="{LABEL}" y="{y + 13}" text-anchor="end">{escape(row.variant.name)}</text>'
            f'<rect x="{left:.1f}" y="{y + 2}" width="{max(width, 0.5):.1f}" height="{ROW - 8}" '
            f'fill="var(--jp-brand-color1, #1976d2)" fill-opacity="{shade}">'
            f"<title>{escape(sentences[places[id(row)]])}</title></rect>"
        )
        if drop.low is not None and drop.high is not None:
            middle = y + 2 + (ROW - 8) / 2
            parts.append(
                f'<path d="M{x(drop.low):.1f} {middle}H{x(drop.high):.1f}'
                f'M{x(drop.low):.1f} {middle - 4}v8M{x(drop.high):.1f} {middle - 4}v8" '
                'stroke="currentColor" fill="none"/>'
            )
    parts.append(f'<path d="M{zero:.1f} {ROW}V{height - 2}" stroke="currentColor"/></svg>')
    return "".join(parts)
