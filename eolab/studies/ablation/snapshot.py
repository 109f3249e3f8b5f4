"""What the ablation view draws: the result so far as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping

from eolab.settings.config import Config
from eolab.studies.ablation.inference import Estimate
from eolab.studies.ablation.result import AblationResult
from eolab.studies.ablation.study import open_ablation
from eolab.studies.journal import files as journal
from eolab.studies.panel.answers import AblationJson, EstimateJson

MOST_METRICS = 30
"""More metrics of a run than this (classes, regions) are no picture."""


def snapshot(config: Config, name: str, metric: str | None = None) -> AblationJson:
    """The body of the route `studies/{name}/ablation`.

    Args:
        config: The workspace.
        name: The study.
        metric: Another metric of the runs, for example of one class.

    Returns:
        ``metric``, ``level``, ``planned`` and ``ended`` runs; ``rows``, the baseline first, then
        from the largest drop to the smallest: variant, removed, runs, mean, std, drop (value,
        low, high, p, pairs, level), corrected, seconds, cost and words; ``pairs``, how much more is
        lost without both than without each (a, b and the estimate); ``shapley``, the value of each
        component (name and the estimate) where all subsets were run; ``metrics``, what else each
        run reported, with ``drops`` of each variant; ``notes``.

    Raises:
        NotFoundError: No study of this name, one that is no ablation, or no such metric.
    """
    ablation = open_ablation(config, name)
    result = ablation.result(metric)
    words = result.describe()
    others = result.rows[1:]
    return {
        "metric": result.metric,
        "level": result.level,
        "planned": result.planned,
        "ended": len(result.values),
        "rows": [
            {
                "variant": row.variant.name,
                "removed": list(row.variant.removed),
                "runs": row.runs,
                "mean": row.mean,
                "std": row.std,
                "drop": _estimate(row.drop),
                "corrected": row.corrected,
                "seconds": row.seconds,
                "cost": dict(row.cost),
                "words": None if i == 0 else words[i - 1],
            }
            for i, row in enumerate(result.rows)
        ],
        "pairs": [
            {"a": a, "b": b, **_known(known)} for (a, b), known in result.interactions().items()
        ],
        "shapley": [
            {"name": component, **_known(worth)}
            for component, worth in (result.shapley() if result.has_shapley else {}).items()
        ],
        "metrics": [
            {"name": other, "drops": _drops(ablation.result(other))}
            for other in _other_metrics(config, name, result.metric)
        ],
        "notes": words[len(others) :],
    }


def _other_metrics(config: Config, name: str, metric: str) -> list[str]:
    """What else the runs told, by name."""
    follower = journal.Follower(config.runs / name)
    follower.refresh()
    found = {
        name
        for trial in follower.record.trials.values()
        if trial.state == "completed"
        for name in trial.metrics
    }
    return sorted(found - {metric, follower.study["metric"]})[:MOST_METRICS]


def _drops(result: AblationResult) -> Mapping[str, float | None]:
    return {
        row.variant.name: None if row.drop is None else row.drop.value for row in result.rows[1:]
    }


def _estimate(known: Estimate | None) -> EstimateJson | None:
    return None if known is None else _known(known)


def _known(estimate: Estimate) -> EstimateJson:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "p": estimate.p,
        "pairs": estimate.pairs,
        "level": estimate.level,
    }
