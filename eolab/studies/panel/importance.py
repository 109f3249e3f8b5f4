"""How much each hyperparameter matters: functional ANOVA (Hutter et al. 2014) as Optuna has it."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping, Sequence

from eolab.errors import ConflictError
from eolab.studies.journal.answers import TrialJson
from eolab.studies.panel.answers import ImportanceJson
from eolab.studies.space.parameters import Parameter
from eolab.studies.space.states import Direction

LEAST, MOST = 8, 1_000
SEED = 0


def importance(
    space: Sequence[Mapping[str, object]],
    trials: Sequence[TrialJson],
    *,
    direction: Direction = "maximize",
    seed: int = SEED,
    ended: bool = False,
) -> ImportanceJson:
    """The share of the values' variance that each hyperparameter explains.

    Args:
        space: The parameters as in a study's snapshot.
        trials: The trials as in a study's snapshot; those with a value count, at most 1,000 of
            them: the best half and a random half.
        direction: "maximize" or "minimize".
        seed: Seed of the trees and of the random half.
        ended: Whether the study has ended, so that waiting brings no more trials.

    Returns:
        ``importance``: name and value (they sum to 1), the largest first; ``trials``: how many
        were used; ``left_out``: parameters that not every trial has.

    Raises:
        ConflictError: Fewer than eight completed trials, all of one value, or nothing that varies.
    """
    import optuna

    from eolab.studies.samplers.optuna import export_distribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    done = [t for t in trials if t["state"] == "completed" and t["value"] is not None]
    if len(done) < LEAST:
        more = f"Add some: study.add_trials({LEAST - len(done)})."
        raise ConflictError(
            f"{len(done)} trials have completed, {LEAST} are needed",
            more if ended else "Wait for more trials.",
        )
    if len({t["value"] for t in done}) < 2:
        raise ConflictError("all trials have the same value", "Nothing can matter for it.")
    used = _choose(done, direction, seed)
    parameters = {str(p["name"]): Parameter.from_json(p) for p in space}
    everywhere = [n for n in parameters if all(n in t["params"] for t in used)]
    varied = [n for n in everywhere if len({repr(t["params"][n]) for t in used}) > 1]
    if not varied:
        raise ConflictError("no parameter varied", "Nothing can be compared.")
    distributions = {name: export_distribution(parameters[name]) for name in varied}
    study = optuna.create_study(direction=direction)
    with warnings.catch_warnings():
        # Choices of other types than Optuna's own are only compared here, never stored.
        warnings.simplefilter("ignore")
        study.add_trials(
            optuna.trial.create_trial(
                params={name: trial["params"][name] for name in varied},
                distributions=distributions,
                value=_value(trial),
            )
            for trial in used
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator, params=varied)
    still = dict.fromkeys((n for n in everywhere if n not in varied), 0.0)
    ranked = sorted((found | still).items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "method": "fanova",
        "trials": len(used),
        "importance": [{"name": name, "value": float(value)} for name, value in ranked],
        "left_out": [name for name in parameters if name not in everywhere],
    }


def _value(trial: TrialJson) -> float:
    assert trial["value"] is not None
    return trial["value"]


def _choose(done: Sequence[TrialJson], direction: str, seed: int) -> Sequence[TrialJson]:
    if len(done) <= MOST:
        return done
    sign = -1 if direction == "maximize" else 1
    ranked = sorted(done, key=lambda t: (sign * _value(t), t["number"]))
    rest = random.Random(seed).sample(ranked[MOST // 2 :], MOST - MOST // 2)
    return sorted([*ranked[: MOST // 2], *rest], key=lambda t: t["number"])
