"""The rows of an ablation's result, and its table as text: for a notebook, an issue or a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eolab.deprecation import warn_renamed
from eolab.studies.ablation.design import Variant
from eolab.studies.ablation.inference import Estimate


@dataclass(frozen=True)
class Row:
    """What the runs of one variant say.

    Attributes:
        variant: Which one.
        runs: Number of runs that ended with a value.
        mean: Mean of the metric over them; None without any.
        std: Standard deviation over them; None with fewer than two.
        drop: How much worse than the baseline on the same folds and seeds (positive: worse);
            None for the baseline.
        corrected: p of "no difference" after Holm's correction for all variants.
        seconds: Mean duration of a run.
        cost: What is known before: columns, parameters, flops; of variants without layers the
            change in parameters, and how many layers were rebuilt with other shapes.
    """

    variant: Variant
    runs: int
    mean: float | None
    std: float | None
    drop: Estimate | None
    corrected: float | None
    seconds: float | None
    cost: Mapping[str, float]

    @property
    def spread(self) -> float | None:
        """The old name of `std`."""
        warn_renamed("Row.spread", "Row.std")
        return self.std


_COSTS = ("columns", "parameters", "parameters_change", "flops")


def cells(rows: Sequence[Row], *, metric: str, level: float) -> list[list[str]]:
    """The head, then one row per variant.

    Args:
        rows: The baseline first.
        metric: Name of what is compared.
        level: Of the intervals, 0.95 for 95 %.
    """
    known = {key for row in rows for key in row.cost}
    costs = [key for key in _COSTS if key in known]
    signed = {"parameters_change"}
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
                *(
                    f"{row.cost[key]:{'+' if key in signed else ''},.0f}" if key in row.cost else ""
                    for key in costs
                ),
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
