"""The table of an ablation as text: for a notebook, an issue or a paper."""

from __future__ import annotations

from collections.abc import Sequence

from eolab.studies.ablation.rows import Row


def cells(rows: Sequence[Row], *, metric: str, level: float) -> list[list[str]]:
    """The head, then one row per variant.

    Args:
        rows: The baseline first.
        metric: Name of what is compared.
        level: Of the intervals, 0.95 for 95 %.
    """
    known = {key for row in rows for key in row.cost}
    costs = [key for key in ("columns", "parameters", "flops") if key in known]
    head = ["variant", metric, "drop", f"{level:.0%} interval", "p (Holm)", "runs"]
    table = [[*head, "seconds", *costs]]
    for row in rows:
        drop = row.drop
        std = f" ± {row.std:.3f}" if row.std is not None else ""
        whole = drop is not None and drop.low is not None and drop.high is not None
        table.append(
            [
                row.variant.name,
                "" if row.mean is None else f"{row.mean:.3f}{std}",
                "" if drop is None else f"{drop.value:+.3f}",
                f"{drop.low:+.3f} to {drop.high:+.3f}" if drop and whole else "",
                "" if row.corrected is None else f"{row.corrected:.3g}",
                str(row.runs),
                "" if row.seconds is None else f"{row.seconds:.1f}",
                *(f"{row.cost[key]:,.0f}" if key in row.cost else "" for key in costs),
            ]
        )
    return table


def to_markdown(table: Sequence[Sequence[str]]) -> str:
    """A table of pipes."""
    head, *body = table
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in body]
    return "\n".join(lines)


def to_latex(table: Sequence[Sequence[str]]) -> str:
    """A tabular of the package booktabs."""
    head, *body = table
    return "\n".join(
        [
            r"\begin{tabular}{l" + "r" * (len(head) - 1) + "}",
            r"\toprule",
            " & ".join(map(_tex, head)) + r" \\",
            r"\midrule",
            *(" & ".join(map(_tex, row)) + r" \\" for row in body),
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    escaped = {c: "\\" + c for c in "&%$#_{}"} | special
    return "".join(escaped.get(c, c) for c in text).replace("±", r"$\pm$")
