"""What the engine promises, on each kind of Spark cluster and over both ways back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest

import eolab as eo
from eolab.errors import InvalidInputError
from eolab.settings import config as configuration
from eolab.studies.ablation import ablate
from eolab.testing import ClusterContract
from eolab.testing.clusters import ClusterTable, Tune
from eolab.training_data import TrainingData
from tests.clusters.spark.conftest import Cluster, Start, supervisors

SLOW = pytest.mark.slow  # a JVM a study, or a cluster of three


@pytest.fixture
def cluster(request: pytest.FixtureRequest, on: str) -> Cluster:
    found: Cluster = request.getfixturevalue(on)
    return found


class OnSpark(ClusterContract):
    def processes(self):
        return len(supervisors())

    def table_of(self, cluster: Cluster, mailbox: Path | None = None) -> ClusterTable:
        lines = f'kind = "spark"\n{cluster.table}'
        return ClusterTable(
            lines, not cluster.bare, cluster.devices, None if mailbox is None else str(mailbox)
        )


class TestConnect(OnSpark):
    @pytest.fixture
    def table(self, connect: Cluster) -> ClusterTable:
        return self.table_of(connect)


class TestConnectByMailbox(OnSpark):
    @pytest.fixture
    def table(self, connect: Cluster, tmp_path: Path) -> ClusterTable:
        return self.table_of(connect, tmp_path / "box")

    @SLOW
    def test_workers_join_and_leave_and_cancel_ends_the_study(self, tune: Tune) -> None:
        super().test_workers_join_and_leave_and_cancel_ends_the_study(tune)


class TestClassic(OnSpark):
    @pytest.fixture
    def table(self, local: Cluster) -> ClusterTable:
        return self.table_of(local)

    @SLOW
    def test_workers_join_and_leave_and_cancel_ends_the_study(self, tune: Tune) -> None:
        super().test_workers_join_and_leave_and_cancel_ends_the_study(tune)


@SLOW
class TestClassicByMailbox(OnSpark):
    @pytest.fixture
    def table(self, local: Cluster, tmp_path: Path) -> ClusterTable:
        return self.table_of(local, tmp_path / "box")


@SLOW
class TestStandalone(OnSpark):
    @pytest.fixture
    def table(self, standalone: Cluster) -> ClusterTable:
        return self.table_of(standalone)


@SLOW
class TestStandaloneByMailbox(OnSpark):
    @pytest.fixture
    def table(self, standalone: Cluster, tmp_path: Path) -> ClusterTable:
        return self.table_of(standalone, tmp_path / "box")


def slow(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    import time

    for step in range(100):
        reporter.report(step=step, score=x)
        time.sleep(0.1)
    return x


@pytest.fixture
def fast(connect: Cluster) -> Iterator[Cluster]:
    return connect


def test_the_same_study_gives_the_same_trials_as_local_workers(
    fast: Cluster, study_on: Start
) -> None:
    def quick(reporter, *, seed, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import random

        return x + random.random()

    there = study_on(fast, quick, trials=5, workers=2)
    here = study_on(fast, quick, trials=5, workers=2, name="here", on="local")
    assert [t["params"] for t in there.trials] == [t["params"] for t in here.trials]
    assert [t["value"] for t in there.trials] == [t["value"] for t in here.trials]


def judge(data, reporter, *, seed):
    import random

    X, y = data.train.X, data.train.y
    means = [X[y == c].mean(axis=0) for c in (0, 1)]
    distance = [((data.validation.X - m) ** 2).sum(axis=1) for m in means]
    right = (distance[1] < distance[0]) == data.validation.y
    return float(right.mean()) + 1e-3 * random.random()


@pytest.mark.parametrize("on", ["connect", pytest.param("standalone", marks=SLOW)])
def test_an_ablation_there_gives_the_table_that_it_gives_here(
    cluster: Cluster, study_on: Start, tmp_path: Path
) -> None:
    """On the standalone cluster no executor can import eolab: what a run needs goes along."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).astype("float32")
    table = TrainingData(X, (X[:, 0] > 0).astype("int64"), np.arange(200) // 5, ("a", "b", "c"))
    # Writes the workspace that names the cluster; its own trial says that workers are there.
    study_on(cluster, lambda x: x, space={"x": eo.uniform(0, 1)}, trials=1, workers=1)
    config = configuration.find(tmp_path)
    options = {
        "data": table, "folds": 3, "repeats": 2, "metric": "score", "features": True,
        "workers": 2, "tracking": False,
    }  # fmt: skip
    there = ablate(config, judge, name="there", on="c", **options).result()
    here = ablate(config, judge, name="here", on="local", **options).result()
    frames = [r.to_dataframe().drop(columns="seconds") for r in (there, here)]
    pd.testing.assert_frame_equal(*frames)
    drop = there.row("without a").drop
    assert drop is not None
    assert drop.low > 0  # the one column that the classes are made of


def test_more_workers_than_slots_start_with_those_they_got(fast: Cluster, study_on: Start) -> None:
    def nap(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import time

        time.sleep(0.05)
        return x

    study = study_on(fast, nap, trials=30, workers=12)
    assert study.summary()["counts"]["completed"] == 30
    assert len({t["worker"] for t in study.trials}) <= 8


def test_a_library_that_executors_lack_is_named_before_the_first_trial(
    fast: Cluster, study_on: Start
) -> None:
    def needs(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import a_library_that_nobody_has

        return a_library_that_nobody_has.value * x

    with pytest.raises(InvalidInputError, match="lack: a_library_that_nobody_has"):
        study_on(fast, needs)


def test_executors_that_do_not_reach_the_study_are_told_with_the_way_out(
    fast: Cluster, study_on: Start, tmp_path: Path
) -> None:
    # Nothing listens under this name: executors fail to dial as they would behind a NAT.
    wrong = 'advertise = "study.invalid"\n'
    with pytest.raises(InvalidInputError, match=r"does not reach http://study\.invalid") as caught:
        study_on(fast, slow, name="blocked", table=wrong)
    assert "advertise" in str(caught.value)
    assert "mailbox" in str(caught.value)

    def quick(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return x

    boxed = f'{wrong}mailbox = "{tmp_path / "box"}"\n'
    study = study_on(fast, quick, name="boxed", table=boxed)  # configured, so it is taken
    assert study.summary()["counts"]["completed"] == 6


def test_own_modules_travel_on_request_and_paths_are_the_clusters(
    fast: Cluster, study_on: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_helpers.py").write_text("def double(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import my_own_helpers  # type: ignore[import-not-found]

    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "number").write_text("3")

    def reads(data, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return my_own_helpers.double(float(data.read_text()))

    study = study_on(
        fast, reads, trials=1, data=Path("/somewhere/here/number"), modules=["my_own_helpers"],
        table=f'paths = {{ "/somewhere/here" = "{tmp_path / "there"}" }}\n',
    )  # fmt: skip
    assert study.best_value == 6.0


def test_a_training_dataset_is_read_on_the_executors(
    fast: Cluster, study_on: Start, tmp_path: Path
) -> None:
    from eolab.facade import Workspace

    ws = Workspace(configuration.open_path(tmp_path / "features"))
    group = ws.features.create_feature_group("fields", primary_key=["id"])
    group.insert(
        pd.DataFrame({"id": range(40), "crop": ["rye", "oat"] * 20, "red": np.linspace(0, 1, 40)})
    )
    view = ws.features.create_feature_view(
        "crops", labels=group.select(["crop"]), query=group.select(["red"])
    )
    split = view.train_validation_test_split(
        by="random", validation_size=0.25, test_size=0.25, seed=1
    )
    here = view.create_training_dataset(split).folder
    # What is here under one name is there under another, and the name of here means nothing.
    shutil.copytree(here, tmp_path / "there")
    dataset = view.training_dataset()

    def reads(data, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        assert data.held_out is None
        return float(data.train.X.sum() + 1000 * len(data.validation))

    study = study_on(
        fast, reads, trials=1, data=dataset, name="reads",
        table=f'paths = {{ "{here}" = "{tmp_path / "there"}" }}\n',
    )  # fmt: skip
    expected = float(split.train.X.sum() + 1000 * len(split.validation))
    assert study.best_value == pytest.approx(expected)
    # What travelled is where the dataset is, not what is in it.
    assert (study.folder / "data.pkl").stat().st_size < 60_000
    with pytest.raises(InvalidInputError, match="not split yet") as caught:
        study_on(fast, reads, trials=1, data=view, name="whole")
    assert "create_training_dataset" in str(caught.value)


def test_what_is_too_large_to_travel_is_refused_with_the_right_way(
    fast: Cluster, study_on: Start
) -> None:
    large = np.zeros(3_000_000)

    def captures(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        return large[0]

    with pytest.raises(InvalidInputError, match="carries 24 MB") as caught:
        study_on(fast, captures)
    assert "data=" in str(caught.value)
    with pytest.raises(InvalidInputError, match="too much to send") as caught:
        study_on(fast, slow, data=np.zeros(33_000_000), name="large")
    assert "paths" in str(caught.value)
