"""What the refit of the best trial gives, and the data that trials get."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.settings.config import Config
from eolab.studies import tune
from eolab.studies.client import refit as refitting
from eolab.training_data import TrainingData
from tests.studies.client.learning import logistic, make_split
from tests.studies.conftest import Run, parabola


def test_refit_saves_the_model_with_where_it_comes_from(run: Run) -> None:
    split = make_split()
    study = run(logistic, data=split, metric="val_accuracy", trials=3, workers=1)
    assert study.trials[0]["curve"][0][0] == 80
    fitted = study.refit()
    assert (fitted.flavour, fitted.columns, fitted.classes) == (
        "sklearn",
        ("a", "b", "c"),
        ("no", "yes"),
    )
    assert fitted.params == study.best_params
    assert fitted.metrics["val_accuracy"] == study.best_value
    assert fitted.source == {"view": "crops/1"}
    assert fitted.data_digest == split.digest()

    from sklearn.linear_model import LogisticRegression

    both = TrainingData.concatenate(split.train, split.validation)  # type: ignore[arg-type]
    oracle = LogisticRegression(C=study.best_params["C"]).fit(both.X, both.y)
    np.testing.assert_allclose(fitted.load().coef_, oracle.coef_, rtol=1e-4)  # type: ignore[attr-defined]
    alone = LogisticRegression(C=study.best_params["C"]).fit(split.train.X, split.train.y)
    np.testing.assert_allclose(study.refit(on="train").load().coef_, alone.coef_, rtol=1e-4)  # type: ignore[attr-defined]


def test_the_test_part_never_reaches_a_train_function(run: Run) -> None:
    def peeks(data, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return {"score": len(data.test)}

    with pytest.raises(InvalidInputError, match="no test part"):
        run(peeks, data=make_split(), trials=1)


def test_a_refit_without_a_saved_model_says_so(run: Run) -> None:
    with pytest.raises(InvalidInputError, match="saved no model") as caught:
        run(parabola, trials=1).refit()
    assert "reporter.save_model" in caught.value.hint


def test_data_with_another_name_on_the_cluster_is_found_here_by_the_refit(
    config: Config, tmp_path: Path
) -> None:
    """Workers on the cluster open the path by its name there, the refit by its name here."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, number in ((here, 2.0), (there, 3.0)):
        folder.mkdir()
        (folder / "number").write_text(str(number))

    def reads(data, reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        found = float(data.read_text())
        reporter.save_model({"read": found})
        return found

    local = replace(config.clusters["local"], options={"paths": {str(here): str(there)}})
    moved = replace(config, clusters={**config.clusters, "local": local})
    options = {"name": "moved", "metric": "score", "trials": 1, "tracking": False}
    study = tune(moved, reads, data=here / "number", **options)  # type: ignore[arg-type]
    assert study.best_value == 3.0
    assert study.refit().load() == {"read": 2.0}
    # Gone on with where the name is the same on both sides: the refit takes what the trials take.
    again = tune(config, reads, data=here / "number", **options | {"trials": 2})  # type: ignore[arg-type]
    assert [trial["value"] for trial in again.trials] == [3.0, 2.0]
    assert not (again.folder / "data_here.pkl").exists()
    assert again.refit().load() == {"read": 2.0}


@pytest.mark.parametrize("way", ["table", "dict"])
def test_a_model_that_learnt_from_a_table_keeps_the_names_of_its_columns(
    run: Run, way: str
) -> None:
    import pandas as pd

    X = np.random.default_rng(0).normal(size=(60, 3))
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    label = (X[:, 0] > 0).astype(int)

    def learns(data, reporter, *, C: Annotated[float, eo.loguniform(1e-3, 1e3)] = 1.0):
        from sklearn.linear_model import LogisticRegression

        X, y = (data["X"], data["y"]) if "X" in data else (data[["a", "b", "c"]], data["label"])
        reporter.save_model(LogisticRegression(C=C).fit(X, y))
        return 1.0

    data = table.assign(label=label) if way == "table" else {"X": table, "y": label}
    fitted = run(learns, data=data, trials=1, workers=1).refit()
    assert fitted.columns == ("a", "b", "c")
    assert fitted.frame


def test_a_refit_notes_what_its_model_says_of_some_samples(run: Run) -> None:
    fitted = run(logistic, data=make_split(), metric="val_accuracy", trials=1, workers=1).refit()
    with np.load(fitted.folder / "answers.npz") as noted:
        said, y = noted["answer"], noted["y"]
        assert noted["seen"].tolist() == [0, 1]
        assert noted["example"].shape == (3, 3)
    assert len(y) == 120
    assert (said == y).mean() > 0.9


def test_a_long_refit_shows_that_somebody_works_on_it(
    run: Run, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refitting, "TOUCH_SECONDS", 0.0)
    place = str(config.runs / "s" / "refit")

    def long(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import os
        import time
        from pathlib import Path

        folders = [*Path(place).glob(".*")]
        for folder in folders:
            os.utime(folder, (0, 0))
        end = time.monotonic() + 20
        while folders and folders[0].stat().st_mtime == 0 and time.monotonic() < end:
            time.sleep(0.05)
        reporter.save_model([each.stat().st_mtime > 0 for each in folders])
        return x

    assert run(long, trials=1, workers=1).refit().load() == [True]
