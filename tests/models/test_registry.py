"""A registered model is judged once, keeps its files, and knows what it was made from."""

from __future__ import annotations

import importlib
import json
import math
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.models import ModelRegistry
from eolab.records import lineage
from eolab.records.lineage import Ref
from eolab.studies.identity import modules
from eolab.studies.worker import trial_process
from eolab.training_data import TrainingData
from tests.models.conftest import CLASSES, COLUMNS, Fitted


@pytest.fixture
def registry(workspace):
    return ModelRegistry(workspace)


def test_an_empty_registry_answers_without_making_a_database(config):
    assert ModelRegistry(config).snapshot() == {"models": []}
    assert not (config.root / "mlflow.db").exists()


def test_the_first_model_makes_the_database(config, make_fitted, model):
    assert ModelRegistry(config).register("crops", make_fitted(model)).version == 1


def test_the_figures_are_those_of_the_test_part_with_an_interval_by_units(
    registry, make_fitted, model, test_part
):
    version = registry.register("crops", make_fitted(model), test=test_part)
    pred = model.predict(test_part.X)
    oracle = f1_score(test_part.y, pred, average="macro")
    assert version.metrics["macro_f1"] == pytest.approx(oracle)
    assert version.metrics["accuracy"] == pytest.approx(accuracy_score(test_part.y, pred))
    assert version.metrics["macro_f1_low"] < oracle < version.metrics["macro_f1_high"]
    assert version.metrics["test_units"] == 20
    assert version.metrics["study_val_macro_f1"] == 0.8
    assert (version.predict(test_part) == pred).all()
    assert (version.predict_labels(test_part.X) == np.array(test_part.classes)[pred]).all()


def test_each_opening_of_a_test_part_is_counted(registry, make_fitted, model, train, test_part):
    first = registry.register("crops", make_fitted(model), test=test_part)
    other = LogisticRegression(C=9.0).fit(train.X, train.y)
    second = registry.register("crops", make_fitted(other, "r2"), test=test_part)
    third = registry.register("crops", make_fitted(other, "r3"), test=train)
    assert [v.metrics["test_openings"] for v in (first, second, third)] == [1, 2, 1]


def test_running_the_cell_again_gives_the_same_version_and_opens_nothing(
    registry, make_fitted, model, test_part, config
):
    fitted = make_fitted(model)
    first = registry.register("crops", fitted, test=test_part)
    again = registry.register("crops", fitted, test=test_part)
    assert again == first
    assert len(registry.list()) == 1
    assert len((config.models / "openings.jsonl").read_text().splitlines()) == 1


def test_the_first_version_is_champion_until_another_is_named(registry, make_fitted, model, train):
    registry.register("crops", make_fitted(model))
    registry.register("crops", make_fitted(LogisticRegression().fit(train.X, train.y), "r2"))
    assert registry.get("crops", "champion").version == 1
    assert registry.get("crops").version == 2
    registry.set_alias("crops", "champion", 2)
    assert registry.get("crops", "champion").version == 2
    assert registry.get("crops", 1).aliases == ()


def test_versions_registered_at_the_same_time_are_all_kept(registry, make_fitted, train):
    fitted = [
        make_fitted(LogisticRegression(C=c).fit(train.X, train.y), f"r{c}", params={"C": c})
        for c in (0.1, 1.0, 10.0, 100.0)
    ]
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda f: registry.register("crops", f), fitted))
    assert sorted(v.version for v in versions) == [1, 2, 3, 4]
    for given, kept in zip(fitted, versions, strict=True):
        assert kept.params == given.params
        assert registry.get("crops", str(kept.version)).folder == kept.folder


def test_a_version_knows_what_it_was_made_from(registry, make_fitted, model, config):
    lineage.record(config.root, [Ref("commit", "parcels/1@0")], Ref("view", "crops/2"))
    lineage.record(config.root, [Ref("item", "S2A_1")], Ref("commit", "parcels/1@0"))
    version = registry.register("crops", make_fitted(model))
    assert set(version.lineage()) == {
        Ref("study", "crops"),
        Ref("view", "crops/2"),
        Ref("commit", "parcels/1@0"),
        Ref("item", "S2A_1"),
    }


def test_the_snapshot_is_plain_json_with_the_documented_keys(
    registry, make_fitted, model, test_part
):
    one_unit = test_part.subset(test_part.groups == 0)
    registry.register("crops", make_fitted(model), test=one_unit, description="by parcel")
    (row,) = json.loads(json.dumps(registry.snapshot(), allow_nan=False))["models"]
    assert row["name"] == "crops"
    (version,) = row["versions"]
    assert version["version"] == 1
    assert version["aliases"] == ["champion"]
    assert version["flavour"] == "sklearn"
    assert version["study"] == "crops"
    assert version["description"] == "by parcel"
    assert version["params"] == {"C": 0.5, "penalty": "l2"}
    assert version["metrics"]["macro_f1_low"] is None
    assert version["metrics"]["accuracy"] > 0.5
    assert {"kind": "study", "id": "crops"} in version["lineage"]


def test_another_process_sees_and_asks_the_model(registry, make_fitted, model, test_part, config):
    registry.register("crops", make_fitted(model))
    code = (
        "import sys, json, numpy as np\n"
        "from eolab.settings.config import open_path\nfrom eolab.models import ModelRegistry\n"
        "v = ModelRegistry(open_path(sys.argv[1])).get('crops', 'champion')\n"
        "print(json.dumps(v.predict(np.array([[1, 0, 0], [0, 0, 1]])).tolist()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(config.file)], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout.splitlines()[-1]) == [0, 2]
    assert "INFO" not in told.stderr


def test_a_table_is_read_by_the_names_of_its_columns(registry, make_fitted, model, test_part):
    version = registry.register("crops", make_fitted(model))
    table = pd.DataFrame(test_part.X, columns=test_part.columns)[["nir", "ndvi", "red"]]
    assert (version.predict(table.assign(more=1)) == version.predict(test_part)).all()
    with pytest.raises(InvalidInputError, match="'red' is missing"):
        version.predict(table.drop(columns="red"))
    with pytest.raises(InvalidInputError, match="does not fit 3 features"):
        version.predict(test_part.X[:, :2])


def test_a_regression_is_not_judged_by_classes(registry, make_fitted, train):
    model = LinearRegression().fit(train.X, train.y)
    fitted = make_fitted(model, classes=(), source={"task": "regression"})
    with pytest.raises(InvalidInputError, match="fitted to a quantity and the test part has class"):
        registry.register("yield", fitted, test=train)


def test_a_regression_gets_rmse_instead_of_classes(registry, make_fitted, train):
    target = train.X[:, 0] * 3
    data = TrainingData(train.X, target.astype(float), train.groups, train.columns)
    model = LinearRegression().fit(train.X, target)
    version = registry.register("yield", make_fitted(model, classes=()), test=data)
    assert version.metrics["rmse"] == pytest.approx(0, abs=1e-5)
    assert "macro_f1" not in version.metrics
    with pytest.raises(ConflictError, match="no classes"):
        version.predict_labels(data)


class Answers:
    """A model of two or more classes that answers in a way of its own."""

    def __init__(self, say):
        self.say = say

    def predict(self, X):
        return self.say(X)


SAYS = {
    "a logit": lambda X: (X[:, [0]] - 0.5) * 8,
    "a logit, none outside 0 to 1 but on the test part": lambda X: (X[:, 0] - 0.5) * 2,
    "a probability": lambda X: 1 / (1 + np.exp(-(X[:, [0]] - 0.5) * 8)),
    "scores": lambda X: np.stack([0.5 - X[:, 0], X[:, 0] - 0.5], axis=1),
    "codes": lambda X: (X[:, 0] > 0.5).astype(int),
    "codes as floats": lambda X: (X[:, 0] > 0.5).astype(float),
    "truth values": lambda X: X[:, 0] > 0.5,
    "names": lambda X: np.where(X[:, 0] > 0.5, "wheat", "grass"),
    "names as objects": lambda X: np.where(X[:, 0] > 0.5, "wheat", "grass").astype(object),
}


@pytest.mark.parametrize("way", SAYS)
def test_two_classes_are_judged_however_the_model_says_them(registry, make_fitted, way):
    random = np.random.default_rng(3)
    X = random.random((80, 3)).astype("float32")
    X[:2, 0] = 0, 1
    y = (X[:, 0] > 0.5).astype("int64")
    test = TrainingData(X, y, np.arange(80) // 4, ("ndvi", "red", "nir"), ("grass", "wheat"))
    fitted = make_fitted(Answers(SAYS[way]), flavour="pickle", classes=("grass", "wheat"))
    version = registry.register("m", fitted, test=test)
    assert version.metrics["accuracy"] == 1
    # One sample is decided as many are: a logit of 0.1 is above its bound, not below 0.5.
    assert [int(version.predict(X[i : i + 1])[0]) for i in range(80)] == y.tolist()
    assert version.predict_labels(X[:1]).tolist() == [("grass", "wheat")[y[0]]]


def test_logits_may_be_declared_where_there_is_no_test_part(registry, make_fitted):
    fitted = make_fitted(Answers(lambda X: X[:, 0]), flavour="pickle", classes=("grass", "wheat"))
    X = np.array([[0.2, 0, 0]], "float32")
    assert registry.register("p", fitted).predict(X).tolist() == [0]
    assert registry.register("l", fitted, logits=True).predict(X).tolist() == [1]


@pytest.mark.parametrize(
    ("say", "match"),
    [
        (lambda X: np.full(len(X), np.nan), "not a number for 200 of 200"),
        (lambda X: np.full(len(X), 0.7), "one number such as 0.7"),
        (lambda X: np.full(len(X), 7), "says '7', which is none of the 3 classes"),
        (lambda X: np.full(len(X), -1), "says '-1'"),
        (lambda X: np.full(len(X), "weat"), "says 'weat'"),
        (lambda X: np.zeros((len(X), 2)), "2 scores for 3 classes"),
        (lambda X: np.zeros((len(X), 2, 2)), "shape"),
    ],
)
def test_answers_that_are_no_class_are_refused(registry, make_fitted, test_part, say, match):
    fitted = make_fitted(Answers(say), flavour="pickle")
    with pytest.raises(InvalidInputError, match=match):
        registry.register("m", fitted, test=test_part)
    assert registry.list() == []


def test_a_classifier_fitted_on_numbers_that_are_names_is_judged(registry, make_fitted):
    X = np.linspace(0, 1, 40, dtype="float32")[:, None]
    y = (X[:, 0] > 0.5).astype("int64")
    test = TrainingData(X, y, np.arange(40), ("ndvi",), ("10", "20"))
    model = LogisticRegression(C=100).fit(X, np.array([10, 20])[y])
    version = registry.register(
        "m", make_fitted(model, columns=("ndvi",), classes=("10", "20")), test=test
    )
    assert version.metrics["accuracy"] == 1


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pipeline_that_picks_columns_by_name_gets_names(
    registry, make_fitted, train, test_part, wrapped
):
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        make_column_transformer((StandardScaler(), ["red", "ndvi"])), LogisticRegression()
    )
    model.fit(pd.DataFrame(train.X, columns=train.columns), train.y)
    saved = Answers(model.predict) if wrapped else model
    flavour = "pickle" if wrapped else "sklearn"
    version = registry.register("m", make_fitted(saved, flavour=flavour), test=test_part)
    expected = model.predict(pd.DataFrame(test_part.X, columns=test_part.columns))
    assert version.predict(test_part).tolist() == expected.tolist()


def test_a_model_of_arrays_answers_in_its_own_way(registry, make_fitted):
    X = np.random.default_rng(0).random((20, 4))
    model = LinearRegression().fit(X, X[:, :2])
    version = registry.register("m", make_fitted(model, columns=(), classes=()))
    np.testing.assert_array_equal(version.predict(X), model.predict(X))


def test_a_workspace_that_was_moved_keeps_its_models(
    registry, make_fitted, model, test_part, config, tmp_path
):
    before = registry.register("crops", make_fitted(model), test=test_part)
    moved = tmp_path / "moved"
    config.root.rename(moved)
    after = ModelRegistry(replace(config, root=moved)).get("crops")
    assert (after.params, after.metrics) == (before.params, before.metrics)
    assert after.folder.is_relative_to(moved)
    assert after.predict(test_part).shape == test_part.y.shape


@pytest.mark.parametrize("way", ["moved", "copied", "another path"])
def test_mlflow_finds_the_models_of_a_workspace_that_was_moved(
    registry, make_fitted, model, config, tmp_path, way
):
    from mlflow.tracking import MlflowClient

    import eolab as eo

    registry.register("crops", make_fitted(model))
    there = tmp_path / "a place" / "moved"
    there.parent.mkdir()
    if way == "moved":
        config.root.rename(there)
    elif way == "copied":
        shutil.copytree(config.root, there)
    else:
        there.symlink_to(config.root)
    assert eo.workspace(there).models.get("crops").version == 1
    uri = f"sqlite:///{there}/mlflow.db"
    entry = MlflowClient(uri).get_model_version("crops", "1")
    place = config.root if way == "another path" else there
    assert Path(entry.source).is_relative_to(place)
    run = MlflowClient(uri).get_run(entry.run_id)
    assert run.info.artifact_uri.startswith(f"{(place / 'mlflow').as_uri()}/")
    said = MlflowClient(uri).get_model_version_download_uri("crops", "1")
    assert (Path(said) / "MLmodel").is_file()
    if way == "copied":
        before = MlflowClient(config.mlflow_uri).get_model_version("crops", "1")
        assert Path(before.source).is_relative_to(config.root)


def test_a_database_that_nobody_can_write_to_is_left_as_it_is(tmp_path):
    from eolab.tracking import moved

    assert moved.repair(tmp_path) == 0
    (tmp_path / "mlflow.db").write_text("no database")
    assert moved.repair(tmp_path) == 0
    assert (tmp_path / "mlflow.db").read_text() == "no database"


def test_runs_of_another_workspace_in_the_same_database_stay_where_they_are(tmp_path):
    from eolab.tracking import moved

    (guest, gone, here) = (tmp_path / name for name in ("guest", "gone 100%", "here"))
    (guest / "mlflow").mkdir(parents=True)
    here.mkdir()
    with sqlite3.connect(here / "mlflow.db") as notes:
        notes.execute("CREATE TABLE model_versions (source TEXT, storage_location TEXT)")
        notes.execute("CREATE TABLE experiments (name TEXT, artifact_location TEXT)")
        places = [root / "mlflow" for root in (guest, gone)]
        # A folder whose name begins alike is another one.
        for number, place in enumerate([*places, gone / "mlflow-old"]):
            values = (f"eolab/{number}", place.as_uri())
            notes.execute("INSERT INTO experiments VALUES (?, ?)", values)
    notes.close()
    assert moved.repair(here) == 1
    kept = sqlite3.connect(here / "mlflow.db")
    found = [uri for (uri,) in kept.execute("SELECT artifact_location FROM experiments")]
    kept.close()
    expected = [guest / "mlflow", here / "mlflow", gone / "mlflow-old"]
    assert found == [place.as_uri() for place in expected]


def test_a_regression_has_error_bias_and_r2_with_intervals():
    from eolab.features.splits.block_metrics import regression

    random = np.random.default_rng(0)
    y = random.normal(1000, 5, 300)
    said = y + 2 + random.normal(0, 1, 300)
    found = regression(y, said, np.arange(300) // 5)
    assert found["bias"] == pytest.approx(np.mean(said - y))
    assert found["mae"] == pytest.approx(np.mean(np.abs(said - y)))
    expected = 1 - ((said - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert found["r2"] == pytest.approx(expected)
    for metric in ("rmse", "mae", "bias", "r2"):
        assert found[f"{metric}_low"] < found[metric] < found[f"{metric}_high"]
    assert np.isnan(regression(np.ones(6), np.arange(6), np.arange(6))["r2"])
    with pytest.raises(InvalidInputError, match="1 of 6 predictions are not a number"):
        regression(np.ones(6), np.array([1, 2, 3, 4, 5, np.nan]), np.arange(6))


def test_any_object_that_predicts_can_be_registered(registry, make_fitted, test_part):
    class Always:
        def predict(self, X):
            return np.full(len(X), 2)

    version = registry.register("always", make_fitted(Always(), flavour="pickle"), test=test_part)
    assert version.metrics["accuracy"] == pytest.approx((test_part.y == 2).mean())


@pytest.mark.keras
def test_a_keras_model_is_saved_judged_and_loaded(registry, make_fitted, test_part, train):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(train.X, train.y, epochs=2, verbose=0)
    version = registry.register("net", make_fitted(model, flavour="keras"), test=test_part)
    oracle = model.predict(test_part.X, verbose=0).argmax(axis=1)
    assert (version.predict(test_part) == oracle).all()
    assert version.metrics["accuracy"] == pytest.approx((oracle == test_part.y).mean())
    import mlflow.keras

    opened = mlflow.keras.load_model(str(version.folder))
    said = opened.predict(test_part.X, verbose=0).argmax(axis=1)
    assert (said == oracle).all()


@pytest.mark.keras
def test_mlflow_opens_a_network_with_layers_and_a_loss_of_its_user(registry, tmp_path):
    keras = pytest.importorskip("keras")
    import mlflow.tensorflow

    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2.0 * x

    def loss(y, p):
        return keras.ops.mean((y - p) ** 2)

    model = keras.Sequential([keras.layers.Input((3,)), Twice(), keras.layers.Dense(1)])
    model.compile("sgd", loss)
    folder = tmp_path / "refit"
    folder.mkdir()
    trial_process.save_model([model], {"folder": str(folder), "on": "train"})
    fitted = Fitted(folder, "keras", classes=())
    version = registry.register("net", fitted)
    X = np.ones((2, 3), np.float32)
    opened = mlflow.tensorflow.load_model(str(version.folder))
    np.testing.assert_allclose(opened(X), model(X), rtol=1e-6)
    asked = mlflow.pyfunc.load_model(str(version.folder))
    table = pd.DataFrame(X, columns=version.columns).astype(float)
    np.testing.assert_allclose(asked.predict(table), version.predict(X), rtol=1e-6)


def test_a_class_of_a_module_of_the_user_goes_with_the_model(registry, tmp_path, monkeypatch):
    """Where the module is not there, and as it was when the model was fitted."""
    folder = tmp_path / "refit"
    folder.mkdir()
    (tmp_path / "farm_models.py").write_text(
        "import numpy as np\nclass Constant:\n"
        "    def predict(self, X): return np.ones(len(X), int)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    farm = importlib.import_module("farm_models")
    trial_process.save_model([farm.Constant()], {"folder": str(folder), "on": "train"})
    version = registry.register("crops", Fitted(folder, "pickle"))
    assert version.predict(np.zeros((2, 3))).tolist() == [1, 1]
    farm.Constant.predict = None  # edited since
    assert version.predict(np.zeros((2, 3))).tolist() == [1, 1]
    (tmp_path / "farm_models.py").unlink()
    del sys.modules["farm_models"]
    import mlflow.pyfunc

    asked = mlflow.pyfunc.load_model(str(version.folder))
    assert asked.predict(pd.DataFrame([[0.0] * 3], columns=version.columns)).tolist() == [1]
    assert "farm_models" not in sys.modules


def test_packages_of_the_user_s_own_site_are_libraries(tmp_path, monkeypatch):
    """As `pip install --user` leaves them: a pickle names them, it does not hold them."""
    site = tmp_path / "lib" / "python3" / "site-packages"
    site.mkdir(parents=True)
    (site / "user_site_lib.py").write_text("class Model: pass\n")
    monkeypatch.syspath_prepend(str(site))
    library = importlib.import_module("user_site_lib")
    for known in (trial_process.library_folders, modules.library_folders):
        known.cache_clear()
    try:
        assert not trial_process.is_own_module(library)
        assert not modules.is_users(library)
        trial_process.pickle_whole(library.Model(), tmp_path / "model.pkl")
        assert b"_make_skeleton_class" not in (tmp_path / "model.pkl").read_bytes()
    finally:
        for known in (trial_process.library_folders, modules.library_folders):
            known.cache_clear()


def test_a_model_of_arrays_is_described_to_mlflow_as_such(registry, make_fitted):
    X = np.random.default_rng(0).random((5, 2, 3, 2), dtype="float32")
    fitted = make_fitted(lambda X: X.mean(axis=(1, 2, 3)), flavour="pickle", classes=())
    fitted = replace(fitted, columns=("bands_0", "bands_1"))
    np.savez(fitted.folder / "answers.npz", answer=X.mean((1, 2, 3)), y=X[:, 0, 0, 0], seen=[],
             example=X[:3])  # fmt: skip
    version = registry.register("grids", fitted)
    import mlflow.pyfunc

    asked = mlflow.pyfunc.load_model(str(version.folder))
    assert asked.metadata.signature.inputs.inputs[0].shape == (-1, 2, 3, 2)
    np.testing.assert_allclose(asked.predict(X), version.predict(X), rtol=1e-6)


def test_requirements_name_what_the_pickle_names(registry, make_fitted, model):
    version = registry.register("crops", make_fitted(model))
    listed = (version.folder / "requirements.txt").read_text()
    assert "scikit-learn==" in listed
    plain = registry.register("plain", make_fitted({"a": 1}, "r2", "pickle", classes=()))
    assert "scikit-learn" not in (plain.folder / "requirements.txt").read_text()


# -- what goes wrong -----------------------------------------------------------------------


def test_a_misspelt_name_is_answered_with_the_nearest(registry, make_fitted, model):
    registry.register("crops", make_fitted(model))
    with pytest.raises(NotFoundError) as caught:
        registry.get("corps")
    assert "'crops'" in caught.value.hint
    with pytest.raises(NotFoundError) as caught:
        registry.get("crops", 4)
    assert "Versions: 1. Aliases: champion." in caught.value.hint


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 200])
def test_a_name_that_is_no_folder_name_is_refused(registry, make_fitted, model, name):
    with pytest.raises(InvalidInputError):
        registry.register(name, make_fitted(model))


def test_a_changed_file_is_not_loaded(registry, make_fitted, model):
    version = registry.register("crops", make_fitted(model))
    (version.folder / "model.pkl").write_bytes(b"something else")
    with pytest.raises(ConflictError, match="not the file that was registered"):
        version.load()


def test_a_failed_registration_leaves_nothing(registry, make_fitted, model, test_part, config):
    narrow = test_part.without(["nir"])
    with pytest.raises(InvalidInputError, match="'nir' is missing"):
        registry.register("crops", make_fitted(model), test=narrow)
    assert list(registry.list()) == []
    assert list((config.models / "crops").iterdir()) == []
    assert not (config.models / "openings.jsonl").exists()


def test_what_is_no_fitted_model_is_told_with_the_way(registry):
    class Study:
        """As one has it in hand after `ws.tune`."""

    with pytest.raises(InvalidInputError, match="a Study is no fitted model") as caught:
        registry.register("crops", Study())
    assert "study.refit()" in caught.value.hint


def test_lost_files_of_a_refit_are_told(registry, make_fitted, model):
    fitted = make_fitted(model)
    (fitted.folder / "model.pkl").unlink()
    with pytest.raises(ConflictError, match=r"model\.pkl is not there"):
        registry.register("crops", fitted)


def test_a_test_part_with_other_classes_is_refused(registry, make_fitted, model, test_part):
    other = TrainingData(
        test_part.X, test_part.y, test_part.groups, test_part.columns, ("a", "b", "c")
    )
    with pytest.raises(InvalidInputError, match="other classes"):
        registry.register("crops", make_fitted(model), test=other)


@pytest.mark.parametrize("alias", ["3", "latest", "a b"])
def test_an_alias_that_reads_as_a_version_is_refused(registry, make_fitted, model, alias):
    registry.register("crops", make_fitted(model))
    with pytest.raises(InvalidInputError):
        registry.set_alias("crops", alias, 1)


def test_unknown_figures_are_nan_for_python(registry, make_fitted, model, test_part):
    version = registry.register(
        "c", make_fitted(model), test=test_part.subset(test_part.groups == 0)
    )
    assert math.isnan(registry.get("c").metrics["macro_f1_low"])
    assert version.metrics["test_units"] == 1


# -- what the answers are is decided once ----------------------------------------------------


def _two_classes(names):
    X = np.random.default_rng(3).normal(size=(90, 3)).astype("float32")
    y = (X[:, 0] > 0).astype("int64")
    return TrainingData(X, y, np.arange(90) // 3, ("ndvi", "red", "nir"), names)


def _tree(X, labels):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0).fit(X, labels)


LEARNT = {
    "codes as floats": (("a", "b"), lambda y: y.astype(float)),
    "numbers that are names": (("10", "20"), lambda y: np.array([10, 20])[y]),
    "names that could be codes": (("1", "2"), lambda y: y + 1),
    "floats that are names": (("1", "2"), lambda y: y + 1.0),
    "truth values": (("no", "yes"), lambda y: y.astype(bool)),
    "names out of order": (("wheat", "barley"), lambda y: np.array(["wheat", "barley"])[y]),
}


@pytest.mark.parametrize("way", LEARNT)
@pytest.mark.parametrize("judged", [True, False])
def test_one_sample_is_read_as_many_are_whatever_a_classifier_learnt(
    registry, make_fitted, way, judged
):
    names, labels = LEARNT[way]
    data = _two_classes(names)
    fitted = make_fitted(_tree(data.X, labels(data.y)), classes=names)
    version = registry.register("m", fitted, test=data if judged else None)
    assert version.predict(data).tolist() == data.y.tolist()
    assert [int(version.predict(data.X[i : i + 1])[0]) for i in range(90)] == data.y.tolist()
    if judged:
        assert version.metrics["accuracy"] == 1


@pytest.mark.parametrize("learnt", [0, -1])
def test_a_regression_on_two_codes_is_decided_half_way(registry, make_fitted, learnt):
    data = _two_classes(("crop", "other"))
    model = LinearRegression().fit(data.X, np.array([learnt, 1])[data.y])
    version = registry.register("m", make_fitted(model, classes=data.classes), test=data)
    expected = (model.predict(data.X) > (learnt + 1) / 2).astype(int)
    assert version.predict(data).tolist() == expected.tolist()
    assert version.metrics["accuracy"] > 0.9


def test_a_method_of_a_classifier_knows_the_order_of_its_classes(registry, make_fitted):
    names = ("wheat", "barley")
    data = _two_classes(names)
    model = LogisticRegression().fit(data.X, np.array(names)[data.y])
    expected = (model.predict(data.X) == "barley").astype(int).tolist()
    ways = (
        model.predict_proba, model.decision_function, model.predict,
        lambda X: model.predict_proba(X * 1.0), lambda X: model.predict_proba(X)[:, 0],
    )  # fmt: skip
    for number, way in enumerate(ways):
        fitted = make_fitted(way, f"r{number}", flavour="pickle", classes=names)
        version = registry.register("m", fitted, test=data)
        assert version.predict(data).tolist() == expected


def test_whole_numbers_that_may_be_codes_or_names_are_refused_until_told(registry, make_fitted):
    fitted = make_fitted(Answers(lambda X: X[:, 0] > 0), flavour="pickle", classes=("1", "2"))
    opaque = make_fitted(
        Answers(lambda X: (X[:, 0] > 0) + 1), "r2", flavour="pickle", classes=("1", "2")
    )
    X = np.array([[1, 0, 0]], "float32")
    with pytest.raises(InvalidInputError, match="named by other ones"):
        registry.register("m", opaque).predict(X)
    assert registry.register("m", opaque, output="labels").predict_labels(X).tolist() == ["2"]
    assert registry.register("m", fitted, output="codes").predict(X).tolist() == [1]
    unclear = _two_classes(("1", "0"))
    tree = make_fitted(_tree(unclear.X, unclear.y), "r3", classes=("1", "0"))
    with pytest.raises(InvalidInputError, match='output="codes"'):
        registry.register("m", tree)
    assert registry.register("m", tree, test=unclear).metrics["accuracy"] == 1


def test_an_answer_that_is_not_what_was_decided_is_refused(registry, make_fitted):
    fitted = make_fitted(Answers(lambda X: X[:, 0]), flavour="pickle", classes=("grass", "wheat"))
    version = registry.register("m", fitted)
    assert version.predict(np.array([[0.7, 0, 0]], "float32")).tolist() == [1]
    with pytest.raises(InvalidInputError, match="which is no probability") as caught:
        version.predict(np.array([[-2.0, 0, 0]], "float32"))
    assert "logits=True" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "classes", "match"),
    [
        ({"output": "logits"}, ("a", "b"), "output='logits'"),
        ({"output": "logit"}, CLASSES, "3 classes"),
        ({"output": "codes"}, (), "no classes"),
        ({"output": "codes", "logits": True}, ("a", "b"), "logits=True and output='codes'"),
    ],
)
def test_a_declared_output_that_cannot_be_is_refused(
    registry, make_fitted, model, given, classes, match
):
    with pytest.raises(InvalidInputError, match=match):
        registry.register("m", make_fitted(model, classes=classes), **given)


def test_models_registered_before_are_read_by_what_they_are_built_of(registry, make_fitted):
    data = _two_classes(("10", "20"))
    fitted = make_fitted(_tree(data.X, np.array([10, 20])[data.y]), classes=data.classes)
    version = registry.register("m", fitted, test=data)
    document = json.loads((version.folder / "model.json").read_text())
    for new in ("output", "declared", "frame"):
        del document[new]
    (version.folder / "model.json").write_text(json.dumps(document | {"logits": None}))
    assert registry.get("m").predict(data.X[:1]).tolist() == data.y[:1].tolist()


def test_columns_may_be_labelled_by_numbers_and_text_is_named(registry, make_fitted, train):
    model = LogisticRegression().fit(train.X, train.y)
    version = registry.register("m", make_fitted(model, columns=("0", "1", "2")))
    table = pd.DataFrame(train.X)
    assert version.predict(table[[2, 0, 1]]).tolist() == model.predict(train.X).tolist()
    with pytest.raises(InvalidInputError, match="feature '1' is not a number") as caught:
        version.predict(table.assign(**{"1": "x"}).drop(columns=[1]))
    assert "encode text" in caught.value.hint
    with pytest.raises(InvalidInputError, match="'0' is there 2 times"):
        version.predict(pd.concat([table, table], axis=1))


def test_a_model_that_learnt_from_a_table_gets_one_with_its_types(registry, make_fitted):
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table = pd.DataFrame({"soil": ["clay", "sand"] * 20, "id": 2**53 + np.arange(40)})
    encoded = make_column_transformer((OneHotEncoder(), ["soil"]))
    model = make_pipeline(encoded, LogisticRegression()).fit(table, [0, 1] * 20)
    fitted = make_fitted(model, columns=("soil", "id"), classes=())
    version = registry.register("m", replace_frame(fitted))
    assert version.predict(table[["id", "soil"]]).tolist() == [0, 1] * 20


def replace_frame(fitted):
    """As a refit on a data frame leaves it."""
    object.__setattr__(fitted, "frame", True)
    return fitted


# -- MLflow's own tools ----------------------------------------------------------------------

ASK = """
import sys, json
sys.modules["eolab"] = None  # an environment without it
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/crops/1")
info = mlflow.models.get_model_info("models:/crops/1")
table = pd.DataFrame(json.loads(sys.argv[2]))
print(json.dumps([model.predict(table).tolist(), info.signature.inputs.input_names(),
                  sorted(info.flavors)]))
"""


def _ask_mlflow(config, table):
    told = subprocess.run(
        [sys.executable, "-c", ASK, f"sqlite:///{config.root}/mlflow.db", json.dumps(table)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    return json.loads(told.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", ["names", "logit"])
def test_mlflow_asks_a_model_as_eolab_does_where_there_is_no_eolab(
    registry, make_fitted, config, way
):
    data = _two_classes(("wheat", "barley"))
    if way == "names":
        model = LogisticRegression().fit(data.X, np.array(data.classes)[data.y])
        fitted = make_fitted(model.predict_proba, flavour="pickle", classes=data.classes)
    else:
        fitted = make_fitted(lambda X: X[:, [0]] * 0.3, flavour="pickle", classes=data.classes)
    version = registry.register("crops", fitted, test=data)
    table = pd.DataFrame(data.X, columns=data.columns)[["nir", "ndvi", "red"]]
    said, names, flavours = _ask_mlflow(config, table.astype(float).to_dict("list"))
    assert said == version.predict(data).tolist()
    assert names == ["ndvi", "red", "nir"]
    assert flavours == ["python_function"]


def test_mlflow_opens_what_scikit_learn_made_and_shows_an_example(
    registry, make_fitted, model, test_part
):
    import mlflow.sklearn

    fitted = make_fitted(model)
    np.savez(
        fitted.folder / "answers.npz", answer=model.predict(test_part.X), y=test_part.y,
        seen=[0, 1, 2], example=test_part.X[:3],
    )  # fmt: skip
    version = registry.register("crops", fitted)
    loaded = mlflow.sklearn.load_model(str(version.folder))
    np.testing.assert_array_equal(loaded.predict(test_part.X), model.predict(test_part.X))
    example = mlflow.models.Model.load(str(version.folder)).load_input_example(str(version.folder))
    np.testing.assert_allclose(example, test_part.X[:3], rtol=1e-6)
    asked = mlflow.pyfunc.load_model(str(version.folder))
    assert asked.predict(example).tolist() == version.predict(test_part.X[:3]).tolist()


def test_masked_and_labelled_arrays_are_asked_as_what_they_say():
    from eolab.models.versions import feature_values as features

    right = np.array([[1, 2, 3], [4, 5, 6]], "float32")
    turned = xr.DataArray(
        right[:, ::-1], dims=("sample", "band"), coords={"band": list(COLUMNS[::-1])}
    )
    assert features(turned, COLUMNS).tolist() == right.tolist()
    with pytest.raises(InvalidInputError, match="feature 'ndvi' is missing"):
        features(turned.isel(band=[0, 1]), COLUMNS)
    hidden = features(np.ma.masked_equal(right.astype(int), 5), COLUMNS)
    assert np.isnan(hidden[1, 1])
    assert np.isnan(hidden).sum() == 1
    with pytest.raises(InvalidInputError, match="complex"):
        features(right.astype(complex), COLUMNS)
