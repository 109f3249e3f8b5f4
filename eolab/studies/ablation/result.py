"""The result of an ablation: a table, differences with intervals, words."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.deprecation import warn_renamed
from eolab.errors import ConflictError, NotFoundError, nearest
from eolab.files import disk, writes
from eolab.studies.ablation import bars, tables
from eolab.studies.ablation.components import BASELINE, Component
from eolab.studies.ablation.design import Run, Variant
from eolab.studies.ablation.inference import (
    Estimate,
    describe_effect,
    estimate,
    holm,
    independent,
    shapley,
    spending,
)
from eolab.studies.ablation.tables import Row
from eolab.studies.space.states import Direction

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class AblationResult:
    """What the runs so far say; a stopped or running study has one too.

    Attributes:
        rows: The baseline, then the others from the largest drop to the smallest.
        components: What was taken away.
        values: The metric of each run that ended with one.
        metric: Its name.
        direction: Whether large or small values are good.
        overlap: n_test / n_train of the folds, for the intervals.
        one_split: All runs share one split, about which alone the intervals speak.
        planned: Number of runs that the study plans.
        level: Of the intervals.
        stop_early: Runs of clear variants were left out; the intervals of the table are wider.
        trouble: How many runs failed, and how.

    Example:
        >>> result = ablation.result()
        >>> len(result.values) == result.planned
        True
    """

    rows: tuple[Row, ...]
    components: tuple[Component, ...]
    values: Mapping[Run, float]
    metric: str
    direction: Direction
    overlap: float
    one_split: bool
    planned: int
    level: float = 0.95
    stop_early: bool = False
    trouble: str = ""

    def __getattr__(self, name: str) -> object:
        if name == "in_words":
            warn_renamed("AblationResult.in_words", "AblationResult.describe")
            return self.describe
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def baseline(self) -> Row:
        """The row of the variant from which nothing is removed.

        Example:
            >>> ablation.result().baseline.drop is None
            True
        """
        return self.rows[0]

    def row(self, variant: str) -> Row:
        """The row of a variant by its name.

        Raises:
            NotFoundError: No variant of this name.

        Example:
            >>> ablation.result().row("baseline").runs > 0
            True
        """
        names = [row.variant.name for row in self.rows]
        if variant not in names:
            raise NotFoundError(f"no variant {variant!r}", nearest(variant, names, "variants"))
        return self.rows[names.index(variant)]

    def describe(self) -> list[str]:
        """A sentence for each variant, and one on what is still missing.

        Example:
            >>> sentences = ablation.result().describe()
            >>> all("accuracy" in sentence for sentence in sentences)
            True
        """
        comparisons = sum(row.drop is not None for row in self.rows)
        sentences = [
            describe_effect(
                row.variant.name[0].upper() + row.variant.name[1:],
                row.drop,
                metric=self.metric,
                corrected=row.corrected,
                comparisons=comparisons,
                one_split=self.one_split,
                alpha=1 - self.level,
            )
            + _rebuilt(row)
            for row in self.rows[1:]
        ]
        sentences += self._describe_shapley()
        missing = self.planned - len(self.values)
        if self.stop_early:
            sentences.append(
                "A variant that is clear gets no further runs: the error was shared between the "
                f"looks (Lan and DeMets), so that each interval still holds with {self.level:.0%}."
            )
        if missing:
            left_out = "were left out or " if self.stop_early else ""
            sentences.append(
                f"{missing} of {self.planned} runs {left_out}have not ended with a value"
                + (f"; {self.trouble}." if self.trouble else ".")
            )
        return sentences

    def shapley(self) -> dict[str, Estimate]:
        """Shapley value of each component (positive: it helps), with its interval.

        Raises:
            ConflictError: The design was not "subsets", or no fold has all subsets yet.

        Example:
            >>> ablation.result().shapley()
            Traceback (most recent call last):
                ...
            eolab.errors.ConflictError: Shapley values need all subsets of the components ...
        """
        names = [component.name for component in self.components]
        by_pair: dict[tuple[int, int], dict[frozenset[str], float]] = {}
        removed = {row.variant.name: row.variant.removed for row in self.rows}
        sign = 1.0 if self.direction == "maximize" else -1.0
        for run, value in self.values.items():
            present = frozenset(names) - frozenset(removed[run.variant])
            by_pair.setdefault((run.fold, run.repeat), {})[present] = sign * value
        whole = {pair: values for pair, values in by_pair.items() if len(values) == 2 ** len(names)}
        if not whole:
            raise ConflictError(
                "Shapley values need all subsets of the components on one fold",
                'Run with design="subsets", and wait for its first pass.',
            )
        each = {pair: shapley(values, names) for pair, values in whole.items()}
        found = {}
        for name in names:
            worth = {pair: values[name] for pair, values in each.items()}
            known = self._estimate(worth)
            assert known is not None
            found[name] = known
        return dict(sorted(found.items(), key=lambda item: -item[1].value))

    @property
    def has_shapley(self) -> bool:
        """Whether every subset of the components was run on one fold at least.

        Example:
            >>> ablation.result().has_shapley
            False
        """
        subsets = 2 ** len(self.components)
        if len(self.components) < 2 or len(self.rows) != subsets:
            return False
        counts = Counter((run.fold, run.repeat) for run in self.values)
        return subsets in counts.values()

    def _describe_shapley(self) -> list[str]:
        if not self.has_shapley:
            return []
        found = []
        for name, worth in self.shapley().items():
            sentence = f"Shapley value of {name}: {worth.value:+.3g} {self.metric}"
            if worth.low is None or worth.high is None:
                sentence += "; without variance between runs nothing can be said about chance."
            else:
                sentence += f" ({worth.level:.0%} interval {worth.low:+.3g} to {worth.high:+.3g})"
                sentence += "; it may be zero." if worth.low <= 0 <= worth.high else "."
            found.append(sentence)
        return found

    def interactions(self) -> dict[tuple[str, str], Estimate]:
        """How much more is lost without both of two components than without each, added up.

        Positive: they can replace each other. Negative: neither helps without the other.

        Example:
            Only a design with pairs has them:

            >>> ablation.result().interactions()
            {}
        """
        names = {row.variant.removed: row.variant.name for row in self.rows}
        pairs = sorted({(run.fold, run.repeat) for run in self.values})
        sign = 1.0 if self.direction == "maximize" else -1.0
        found = {}
        for removed, name in names.items():
            if len(removed) != 2:
                continue
            a, b = removed
            if (a,) not in names or (b,) not in names:
                continue
            terms = {}
            for fold, repeat in pairs:
                four = [
                    self.values.get(Run(variant, fold, repeat))
                    for variant in (names[a,], names[b,], BASELINE, name)
                ]
                if None not in four:
                    one, other, base, both = (v for v in four if v is not None)
                    terms[fold, repeat] = sign * (one + other - base - both)
            known = self._estimate(terms)
            if known is not None:
                found[a, b] = known
        return found

    def _estimate(self, terms: Mapping[tuple[int, int], float]) -> Estimate | None:
        return estimate(
            independent(terms, one_split=self.one_split), overlap=self.overlap, level=self.level,
            scale=_scale(self.values), one_split=self.one_split,
        )  # fmt: skip

    def to_dataframe(self) -> pd.DataFrame:
        """One row per variant.

        Example:
            >>> list(ablation.result().to_dataframe().columns)[:5]
            ['variant', 'runs', 'accuracy', 'std', 'drop']
        """
        import pandas as pd

        return pd.DataFrame([self._record(row) for row in self.rows])

    def _record(self, row: Row) -> dict[str, object]:
        drop = row.drop
        return {
            "variant": row.variant.name,
            "runs": row.runs,
            self.metric: row.mean,
            "std": row.std,
            "drop": None if drop is None else drop.value,
            "low": None if drop is None else drop.low,
            "high": None if drop is None else drop.high,
            "p": None if drop is None else drop.p,
            "p_holm": row.corrected,
            "folds": None if drop is None else drop.pairs,
            "seconds": row.seconds,
            **row.cost,
        }

    def to_csv(self, path: str | Path | None = None) -> str:
        """The table as CSV; also written to ``path`` where one is given, whole or not at all.

        Raises:
            ConflictError: The disk is full, or the folder cannot be written to.

        Example:
            >>> ablation.result().to_csv("worth.csv").partition(",")[0]
            'variant'
        """
        text = str(self.to_dataframe().to_csv(index=False))
        if path is not None:
            target = Path(path)
            with disk.translate_errors(f"{target} cannot be written", target.absolute().parent):
                if target.exists() and not target.is_file():  # a device, a pipe: not replaced
                    target.write_text(text, encoding="utf-8")
                else:
                    writes.write_text(target, text)
        return text

    def to_markdown(self) -> str:
        """The table for a paper's draft or an issue.

        Example:
            >>> print(ablation.result().to_markdown())
            | variant | accuracy | drop | 95% interval | p (Holm) | runs | ...
        """
        return tables.to_markdown(self._cells())

    def to_latex(self) -> str:
        """The table for a paper (package booktabs).

        Example:
            >>> "toprule" in ablation.result().to_latex()
            True
        """
        return tables.to_latex(self._cells())

    def __repr__(self) -> str:
        return self.to_markdown() + "\n\n" + "\n".join(self.describe())

    def _repr_markdown_(self) -> str:
        words = "\n".join(f"- {sentence}" for sentence in self.describe())
        return f"{self.to_markdown()}\n\n{words}"

    def _repr_html_(self) -> str:
        sentences = self.describe()
        charts = [bars.draw_drops(self.rows[1:], sentences, metric=self.metric, level=self.level)]
        if self.has_shapley:
            charts.append(bars.draw_shapley(self.shapley(), metric=self.metric, level=self.level))
        return "".join(charts) + bars.to_html(self._cells(), sentences)

    def _cells(self) -> list[list[str]]:
        return tables.cells(self.rows, metric=self.metric, level=self.level)


def _rebuilt(row: Row) -> str:
    """What else is another in a network that was built anew."""
    count = row.cost.get("rebuilt", 0)
    if not count:
        return ""
    layers = "another layer was" if count == 1 else f"{count:.0f} other layers were"
    return f" {layers.capitalize()} rebuilt: {row.cost['parameters_change']:+,.0f} parameters."


def summarise(
    variants: Sequence[Variant],
    values: Mapping[Run, float],
    *,
    components: Sequence[Component] = (),
    metric: str,
    direction: Direction,
    overlap: float,
    one_split: bool = False,
    planned: int | None = None,
    seconds: Mapping[Run, float] | None = None,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    level: float = 0.95,
    stop_early: bool = False,
    trouble: str = "",
) -> AblationResult:
    """Pair each variant's runs with the baseline's and say what they show.

    Args:
        variants: The variants, the baseline first.
        values: The metric of each run that ended with one.
        components: What was taken away.
        metric: Its name.
        direction: Whether large or small values are good.
        overlap: n_test / n_train of the folds; 0 for one split.
        one_split: All runs share one split.
        planned: Number of planned runs; by default those that there are.
        seconds: Duration of runs.
        costs: What is known of variants: columns, parameters, flops.
        level: Of the intervals; 1 - level is the error of the corrected tests.
        stop_early: Variants were stopped when they became clear: share the error between looks.
        trouble: How many runs failed, and how.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    scale = _scale(values)
    rows = []
    for variant in variants:
        mine = {run: value for run, value in values.items() if run.variant == variant.name}
        drop = None
        if variant.name != BASELINE:
            differences = {
                (run.fold, run.repeat): sign * _difference(values[base], value)
                for run, value in mine.items()
                if (base := replace(run, variant=BASELINE)) in values
            }
            if stop_early:
                looks = max((planned or 0) // max(len(variants), 1), len(differences))
                drop = _at_last_look(differences, looks, overlap, level, one_split, scale)
            else:
                drop = estimate(
                    independent(differences, one_split=one_split), overlap=overlap, level=level,
                    scale=scale, one_split=one_split,
                )  # fmt: skip
        times = [t for run, t in (seconds or {}).items() if run.variant == variant.name]
        rows.append(
            Row(
                variant,
                len(mine),
                math.fsum(mine.values()) / len(mine) if mine else None,
                statistics.stdev(mine.values()) if len(mine) > 1 else None,
                drop,
                None,
                math.fsum(times) / len(times) if times else None,
                (costs or {}).get(variant.name, {}),
            )
        )
    # A comparison without variance has no p, and is one of the comparisons all the same.
    compared = [(i, row.drop.p) for i, row in enumerate(rows) if row.drop]
    corrected = holm([1.0 if p is None else p for _, p in compared])
    for (i, p), adjusted in zip(compared, corrected, strict=True):
        rows[i] = replace(rows[i], corrected=None if p is None else adjusted)
    rest = sorted(rows[1:], key=lambda row: -math.inf if row.drop is None else -row.drop.value)
    rest.sort(key=lambda row: row.drop is None)
    return AblationResult(
        (rows[0], *rest), tuple(components), dict(values), metric, direction, overlap, one_split,
        len(values) if planned is None else planned, level, stop_early, trouble,
    )  # fmt: skip


def _difference(a: float, b: float) -> float:
    """The difference a - b, zero where the two are equal but for rounding.

    A column that duplicates another may change the last bit of every fold in the same direction,
    which any test would find significant.
    """
    return 0.0 if math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15) else a - b


def _scale(values: Mapping[Run, float]) -> float:
    """Size of the figures, against which rounding is small."""
    return max((abs(value) for value in values.values()), default=0.0)


def _at_last_look(
    differences: Mapping[tuple[int, int], float],
    looks: int,
    overlap: float,
    level: float,
    one_split: bool,
    scale: float,
) -> Estimate | None:
    """The estimate at the level that its last look may use, its p on the scale of the whole."""
    pairs = independent(differences, one_split=one_split)
    if len(differences) < 2:
        return estimate(pairs, overlap=overlap, level=level)
    error = spending(looks, 1 - level)[len(differences) - 1]
    known = estimate(pairs, overlap=overlap, level=1 - error, scale=scale, one_split=one_split)
    if known is None or known.p is None:
        return known
    return replace(known, p=min(1.0, known.p * (1 - level) / error), level=level)
