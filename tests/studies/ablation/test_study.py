"""Ablations on the engine: real workers, real journals."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from eolab.errors import InvalidInputError, NotFoundError
from eolab.facade import Workspace
from eolab.studies.ablation import AblationStudy, ablate, open_ablation
from eolab.studies.ablation.components import BASELINE, Component
from eolab.studies.ablation.design import Run, runs, variants
from eolab.studies.ablation.inference import spending
from eolab.studies.ablation.result import summarise
from eolab.studies.ablation.sequential import SequentialRuns
from eolab.studies.space.parameters import choice, integer
from eolab.studies.space.space import Space
from eolab.training_data import TrainingData
from tests.studies.ablation.points import table


def nearest_mean(data, reporter, *, seed, shrink=0.0):
    """A small classifier: the nearer of two class means."""
    means = [data.train.X[data.train.y == c].mean(axis=0) for c in (0, 1)]
    means = [m * (1 - shrink) for m in means]
    distance = [((data.validation.X - m) ** 2).sum(axis=1) for m in means]
    right = (distance[1] < distance[0]) == data.validation.y
    reporter.report(step=0, accuracy=float(right.mean()))
    return {
        "accuracy": float(right.mean()),
        "recall_yes": float(right[data.validation.y == 1].mean()),
        "columns_seen": float(data.train.X.shape[1]),
        "seed_seen": float(seed),
    }


OPTIONS = {"name": "abl", "metric": "accuracy", "workers": 2, "tracking": False}


@pytest.fixture
def ablation(config, run):  # `run` ends what is left of the study's processes
    def start(train=nearest_mean, **options):
        given = {"data": table(400), "folds": 4, "repeats": 1, **OPTIONS, **options}
        return ablate(config, train, **given)

    return start


def test_groups_are_left_out_in_parallel_and_the_result_can_be_opened_later(config, ablation):
    done = ablation(groups={"sar": "VV* VH*", "terrain": ["slope", "height"]}, repeats=2)
    result = done.result()
    assert done.state == "completed"
    assert len(result.values) == 3 * 4 * 2
    assert result.row("without sar").drop.low > 0
    assert result.row("without sar").cost == {"columns": 4}
    assert "without sar" in result.rows[1].variant.name
    seen = done.result("columns_seen")
    assert {row.variant.name: row.mean for row in seen.rows} == {
        BASELINE: 7, "without sar": 4, "without terrain": 5,
    }  # fmt: skip
    per_class = done.result("recall_yes")
    assert per_class.row(BASELINE).runs == 8
    with pytest.raises(NotFoundError, match="no run has a metric 'recall_yse'") as error:
        done.result("recall_yse")
    assert "'recall_yes'" in error.value.hint
    again = open_ablation(config, "abl").result()
    assert again.to_markdown() == result.to_markdown()
    document = json.loads((done.study.folder / "ablation.json").read_text())
    assert document["format"] == 1


def test_all_variants_get_the_same_seed_on_a_fold_and_repeat(ablation):
    result = ablation(features=["slope", "height"], repeats=2).result("seed_seen")
    seeds = {}
    for run, value in result.values.items():
        seeds.setdefault((run.fold, run.repeat), set()).add(value)
    assert all(len(values) == 1 for values in seeds.values())
    assert len(set.union(*seeds.values())) == 8
    assert result.row("without slope").drop.value == 0


def test_a_clear_variant_is_stopped_early_and_the_result_says_so(ablation):
    data = table(2400)
    options = {
        "data": data, "folds": 10, "groups": {"sar": "V*", "terrain": ["slope"]}, "workers": 1,
        "stop_early": True,
    }  # fmt: skip
    done = ablation(**options)
    result = done.result()
    assert done.state == "completed"
    sar, terrain = result.row("without sar"), result.row("without terrain")
    assert 2 <= sar.runs < 10
    assert sar.drop.low > 0
    assert sar.corrected < 0.05
    assert terrain.runs == result.baseline.runs == 10
    assert any("Lan and DeMets" in sentence for sentence in result.describe())
    assert "left out" in result.describe()[-1]


def test_the_error_spent_over_all_looks_is_the_whole():
    for looks in (1, 2, 5, 30):
        spent = spending(looks, 0.05)
        assert len(spent) == looks
        assert sum(spent) == pytest.approx(0.05)
    # O'Brien and Fleming's bounds ask for much more at the first of five looks than at the last.
    assert spending(5)[0] < 1e-4 < spending(5)[4]


def test_stopping_early_keeps_false_alarms_below_their_bound():
    """200 studies of noise, independent pairs, looked at after each of ten folds."""
    chance = np.random.default_rng(3)
    space = Space.from_dict(
        {"variant": choice(BASELINE, "without a"), "fold": integer(0, 9), "repeat": integer(0, 0)}
    )
    planned = variants([Component("a", "group")], "leave-one-out")
    alarms = stopped = 0
    for _ in range(200):
        sampler = SequentialRuns(
            space, runs(planned, folds=10, repeats=1), planned,
            direction="maximize", overlap=0.0, stop_early=True,
        )  # fmt: skip
        values, n = {}, 0
        while n < sampler.limit:
            params = sampler.ask(n)
            run = Run(params["variant"], params["fold"], params["repeat"])
            values[run] = float(chance.normal())
            sampler.tell(n, params, values[run], "completed")
            n += 1
        result = summarise(
            planned, values, metric="f1", direction="maximize", overlap=0.0, planned=20,
            stop_early=True,
        )  # fmt: skip
        stopped += n < 20
        alarms += result.row("without a").corrected <= 0.05
    assert alarms <= 0.09 * 200
    assert stopped <= alarms


def test_changes_and_datasets_are_variants_too(ablation):
    data = table(400)
    shuffled = TrainingData(data.X, data.y[::-1].copy(), data.groups, data.columns, data.classes)
    result = ablation(
        datasets={"shuffled labels": shuffled},
        changes={"shrunk": {"shrink": 1.0}, "noise free": lambda split: split},
    ).result()
    names = {row.variant.name for row in result.rows}
    assert names == {BASELINE, "shuffled labels", "shrunk", "noise free"}
    assert result.row("shuffled labels").drop.value > 0.2
    assert result.row("noise free").drop.value == 0


def test_shapley_values_of_a_study_add_up(ablation):
    done = ablation(
        groups={"sar": "V", "optical": "B", "terrain": "slope height"}, design="subsets"
    )
    result = done.result()
    values = result.shapley()
    assert next(iter(values)) == "sar"
    total = result.baseline.mean - result.row("none of them").mean
    assert sum(v.value for v in values.values()) == pytest.approx(total)


def test_a_dry_run_lists_the_variants_and_starts_nothing(config, ablation):
    preview = ablation(features=True, dry_run=True)
    assert len(preview.variants) == 8
    assert len(preview.runs) == 32
    assert preview.to_dataframe()["columns"].tolist() == [7] + [6] * 7
    assert not (config.runs / "abl").exists()


def test_a_dry_run_is_a_table_in_a_cell(ablation):
    preview = ablation(groups={"sar": "V*"}, dry_run=True)
    assert "without sar" in preview._repr_html_()
    assert "8 runs of 2 variants" in preview._repr_html_()


def test_maggys_names_are_understood(config):
    study = AblationStudy()
    study.features.include("slope", ["height", "VV_03"])
    study.features.exclude("VV_03")
    preview = study.run(config, nearest_mean, data=table(), dry_run=True, **OPTIONS)
    assert [v.name for v in preview.variants] == [BASELINE, "without slope", "without height"]
    assert study.features.list_all() == ["slope", "height"]
    with pytest.raises(InvalidInputError, match="'hieght' is not included") as error:
        study.features.exclude("hieght")
    assert "'height'" in error.value.hint
    with pytest.raises(InvalidInputError, match="3 is no name of a feature"):
        study.features.include(3)


def test_maggys_study_takes_its_data_from_a_training_dataset(config):
    import pandas as pd

    ws = Workspace(config)
    rows = pd.DataFrame(
        {
            "id": np.arange(60),
            "crop": np.tile(["maize", "wheat", "rye"], 20),
            "VV": np.linspace(0, 1, 60),
            "VH": np.linspace(1, 0, 60),
        }
    )
    group = ws.features.create_feature_group("fields", primary_key=["id"])
    group.insert(rows)
    view = ws.features.create_feature_view(
        "titanic", labels=group.select(["crop"]), query=group.select(["VV", "VH"])
    )
    split = view.train_validation_test_split(
        by="random", validation_size=0.3, test_size=0.2, seed=0
    )
    view.create_training_dataset(split)
    study = AblationStudy("titanic", 1, label_name="crop")
    study.features.include("VV")
    preview = study.run(ws, nearest_mean, dry_run=True, **OPTIONS)
    assert [v.name for v in preview.variants] == [BASELINE, "without VV"]
    with pytest.raises(InvalidInputError, match="no label 'corp'") as error:
        AblationStudy("titanic", 1, label_name="corp").run(ws, nearest_mean, **OPTIONS)
    assert "'crop'" in error.value.hint
    given = AblationStudy(dataset_generator=table)
    given.features.include("slope")
    assert len(given.run(config, nearest_mean, dry_run=True, **OPTIONS).variants) == 2
    with pytest.raises(InvalidInputError, match="no data"):
        AblationStudy().run(ws, nearest_mean, **OPTIONS)


def per_place(data, *, seed):
    """Figures of each class and region, as `TrainingData.scores` gives them."""
    from_first = (data.validation.X[:, 0] > 0).astype(int)
    regions = ["north" if name < "g5" else "south" for name in data.validation.groups]
    return data.validation.scores(from_first, regions=regions)


def test_drops_are_told_per_class_and_per_region(ablation):
    done = ablation(per_place, metric="macro_f1", groups={"first": "VV_03", "rest": "slope"})
    table = done.per("f1_")
    assert set(table["metric"]) == {"no", "yes"}
    assert len(table) == 4
    assert done.per("macro_f1_in_")["metric"].unique().tolist() == ["north", "south"]
    lost = table[table["variant"] == "without first"]
    assert (lost["drop"] > 0.1).all()
    # Corrected for all four comparisons, not for the two of one metric.
    tested = lost.dropna(subset="p")
    assert (tested["p_holm"] >= tested["p"] * 2 - 1e-12).all()
    with pytest.raises(NotFoundError, match="no run has a metric iou_"):
        done.per("iou_")


def test_a_variant_whose_runs_all_fail_is_told_with_the_first_error(ablation):
    def needs_every_column(data, *, seed):
        return {"accuracy": float(data.train.X[:, 6].mean())}

    done = ablation(train=needs_every_column, features=["slope"])
    *_, missing = done.result().describe()
    assert missing.startswith("4 of 8 runs have not ended with a value; 4 failed, the first with ")
    assert "IndexError: index 6 is out of bounds" in missing
    failed = [trial["number"] for trial in done.study.trials if trial["state"] == "failed"]
    assert f"ws.study('{done.name}').log({failed[0]})" in missing


def needs(data, reporter, *, alpha):
    return {"accuracy": alpha}


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"features": ["slop3"]}, "'slop3'", "slope"),
        ({}, "nothing to ablate", "groups="),
        ({"layers": "dense"}, "there is no model", "build="),
        ({"features": True, "params": {"shrnk": 1}}, "'shrnk'", "'shrink'"),
        ({"changes": {"c": {"shrnk": 1}}}, "'shrnk'", "'shrink'"),
        ({"features": True, "build": lambda: None}, "no `model`", "Add the argument"),
        ({"features": True, "train": needs}, "'alpha', which nobody gives", "params="),
        ({"features": True, "metric": "loss"}, "looks wrong", "minimize"),
        ({"features": True, "repeats": 0}, "repeats=0", "1 or more"),
        ({"features": True, "data": None, "folds": None}, "no names of features", "Split"),
        ({"changes": {"c": "shrink"}}, "change 'c' is a str", "parameters"),
        ({"changes": [len]}, "changes= is a list", "changes={"),
        ({"datasets": {"": 1}}, "holds the name ''", "datasets={"),
        ({"models": {"wider": len}}, "no model that 'wider'", "build="),
        ({"features": True, "layers": []}, "there is no model", "build="),
    ],
)
def test_faults_are_told_before_the_first_run(config, ablation, options, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        ablation(**options)
    assert hint in error.value.hint
    assert not (config.runs / "abl").exists()


def test_a_misspelt_option_is_told_with_the_nearest(config):
    for given, message, hint in (
        ({"gruops": {"a": "VV"}}, "no option gruops=", "'groups'"),
        ({"name": "a"}, "needs metric=", "ws.ablate?"),
    ):
        with pytest.raises(InvalidInputError, match=message) as error:
            Workspace(config).ablate(nearest_mean, data=table(), **given)
        assert hint in error.value.hint
    with pytest.raises(NotFoundError, match="no study 'abll'"):
        Workspace(config).ablation("abll")
