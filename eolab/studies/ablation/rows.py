"""A row of an ablation's result, as its table and its bars show it."""

from __future__ import annotations

from collections.abc import Mapping
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
        cost: What is known before: columns, parameters, flops.
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
