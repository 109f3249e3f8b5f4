"""A study as Optuna knows it: an `optuna.Study` in memory, or a journal file for its dashboard."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError
from eolab.files import disk, writes
from eolab.studies.journal.spec import StudySpec
from eolab.studies.journal.state import Record, Trial
from eolab.studies.space.space import Space

if TYPE_CHECKING:
    import optuna
    from optuna.storages import BaseStorage


def to_optuna(
    study: StudySpec, record: Record, *, storage: BaseStorage | None = None
) -> optuna.Study:
    """An Optuna study with all finished trials: states, values, parameters, learning curves, times.

    Args:
        study: The `study.json`.
        record: What its journal says.
        storage: Where to put it; in memory by default.
    """
    import optuna

    said = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # that a study was created is no news
    try:
        made = optuna.create_study(
            study_name=study["name"], direction=study["direction"], storage=storage
        )
    finally:
        optuna.logging.set_verbosity(said)
    made.set_user_attr("eolab_metric", study["metric"])
    made.set_user_attr("eolab_seed", study["seed"])
    with warnings.catch_warnings():  # "experimental" since Optuna 3.2
        warnings.simplefilter("ignore")
        made.set_metric_names([study["metric"]])
    space = Space.from_json(study["space"])
    for trial in record.trials.values():
        if trial.finished:
            made.add_trial(_frozen(trial, space))
    return made


def to_journal_file(study: StudySpec, record: Record, path: Path) -> Path:
    """Write a journal file that `optuna-dashboard FILE` opens; whole or not at all.

    Raises:
        InvalidInputError: The file exists.
        ConflictError: The disk is full, or the folder cannot be written to.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if path.exists():
        raise InvalidInputError(f"{path} exists", "Name a new file.")
    with (
        disk.translate_errors(f"{path} cannot be written", path.absolute().parent),
        writes.draft(path) as draft,
    ):
        try:
            to_optuna(study, record, storage=JournalStorage(JournalFileBackend(str(draft))))
        finally:
            with contextlib.suppress(OSError):  # what went wrong counts, not tidying up
                Path(f"{draft}.lock").unlink(missing_ok=True)
    return path


def _frozen(trial: Trial, space: Space) -> optuna.trial.FrozenTrial:
    from optuna.trial import FrozenTrial, TrialState

    from eolab.studies.samplers.optuna import export_distribution

    states = {
        "completed": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
        "stopped": TrialState.PRUNED,
    }
    params = {k: v for k, v in trial.params.items() if k in space}
    attributes = {
        "eolab_trial": trial.n,
        "attempts": trial.attempts,
        "worker": trial.worker,
        "error": trial.error,
    }
    return FrozenTrial(
        number=trial.n,
        trial_id=trial.n,
        state=states[trial.state],
        value=None if trial.value is None or not math.isfinite(trial.value) else trial.value,
        datetime_start=_time(trial.started or trial.ended),
        datetime_complete=_time(trial.ended),
        params=params,
        distributions={k: export_distribution(space[k]) for k in params},
        user_attrs={k: v for k, v in attributes.items() if v is not None},
        system_attrs={},
        intermediate_values={int(step): value for step, value in trial.curve},
    )


def _time(seconds: float | None) -> dt.datetime | None:
    # Optuna's times are local and naive.
    return None if seconds is None else dt.datetime.fromtimestamp(seconds)  # noqa: DTZ006
