"""MLflow shows what the journal says: all of it, once, also when its feeder is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from eolab import tracking
from eolab.errors import RemoteError
from eolab.files import writes
from eolab.studies.journal.files import Follower, Writer, take_lock

feeding, store = tracking.feeder, tracking.store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("mlflow")
    tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    return root / "mlflow.db"


@pytest.fixture
def run(config, empty_database) -> Path:
    """The folder of a study that was just made."""
    folder = config.runs / "crops"
    folder.mkdir(parents=True)
    shutil.copy(empty_database, config.root / "mlflow.db")
    writes.write_json(
        folder / "study.json",
        {
            "format": 1, "name": "crops", "kind": "tune", "metric": "val_f1", "seed": 0,
            "direction": "maximize", "trials": 20, "workers": 1, "created": 1_000.5,
            "space": [{"name": "lr", "kind": "float", "low": 1e-5, "high": 0.1, "log": True}],
            "tracking": True,
        },
    )  # fmt: skip
    return folder


class Story:
    """Writes a journal event by event, one second apart."""

    def __init__(self, run: Path) -> None:
        self.writer, self.now = Writer(run), 2_000.0

    def say(self, e: str, **more) -> None:
        self.now += 1
        self.writer.append({"t": self.now, "e": e, **more})

    def trial(self, n: int, value: float | None, *, steps: int = 3, end: str = "completed") -> None:
        self.say("trial", n=n, params={"lr": 0.01 * (n + 1), "layers": 2})
        self.say("start", n=n, a=1, w="w0")
        for step in range(steps):
            self.say("report", n=n, a=1, step=step, m={"val_f1": (value or 0) * step, "loss": 1.0})
        error = {"error": "ValueError: no"} if end == "failed" else {}
        self.say("finish", n=n, a=1, state=end, value=value, m={"val_f1": value}, **error)


def story(run: Path, trials: int = 6) -> Story:
    told = Story(run)
    told.say("process", pid=1, host="here", resumed=False)
    told.say("state", state="running")
    for n in range(trials):
        told.trial(n, 0.5 + 0.01 * n)
    return told


def runs(run: Path) -> tuple[object, list]:
    """The study's run in MLflow and those of its trials, in order."""
    root = run.parents[1]
    client = tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    found = client.search_runs([client.get_experiment_by_name("eolab/crops").experiment_id])
    (parent,) = [r for r in found if "eolab.trial" not in r.data.tags]
    rest = [r for r in found if "eolab.trial" in r.data.tags]
    assert all(r.data.tags["mlflow.parentRunId"] == parent.info.run_id for r in rest)
    return parent, sorted(rest, key=lambda r: int(r.data.tags["eolab.trial"]))


def history(run: Path, trial, metric: str) -> list[tuple[int, float]]:
    root = run.parents[1]
    client = tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    points = client.get_metric_history(trial.info.run_id, metric)
    return sorted((p.step, p.value) for p in points)


@pytest.fixture(params=["database", "server"])
def way(request, monkeypatch) -> str:
    """How runs are written: many at once into the database, or one by one as a server wants it."""
    if request.param == "server":
        monkeypatch.setattr(feeding, "open_engine", lambda _: None)
    return request.param


@pytest.mark.usefixtures("way")
def test_a_finished_study_stands_in_mlflow_as_in_its_journal(run):
    told = story(run, 3)
    told.trial(3, None, end="failed")
    told.trial(4, 0.1, end="stopped")
    told.say("state", state="completed")
    assert tracking.feed(run)
    parent, trials = runs(run)
    assert parent.info.status == "FINISHED"
    assert parent.data.params["metric"] == "val_f1"
    assert json.loads(parent.data.params["space"])[0]["name"] == "lr"
    assert parent.data.tags["eolab.trials.completed"] == "3"
    assert history(run, parent, "best val_f1") == [(1, 0.5), (2, 0.51), (3, 0.52)]
    assert [t.info.status for t in trials] == ["FINISHED"] * 3 + ["FAILED", "KILLED"]
    assert trials[1].data.params == {"lr": "0.02", "layers": "2"}
    assert trials[3].data.tags["eolab.error"] == "ValueError: no"
    record = Follower(run)
    record.refresh()
    for n, trial in enumerate(trials):
        points = history(run, trial, "val_f1")
        assert set(record.record.trials[n].curve) <= set(points)
        assert history(run, trial, "loss") == [(0, 1.0), (1, 1.0), (2, 1.0)]
        assert trial.info.start_time == int(record.record.trials[n].started * 1000)
        assert trial.info.end_time == int(record.record.trials[n].ended * 1000)


@pytest.mark.usefixtures("way")
def test_names_that_mlflow_cannot_tell_apart_and_torn_letters_hold_nothing_up(run):
    told = story(run, 1)
    told.say("trial", n=1, params={"file": "tile_\udcff.tif"})
    told.say("start", n=1, a=1, w="w0")
    told.say("report", n=1, a=1, step=0, m={"f1*": 0.5, "f1?": 0.5})
    told.say("finish", n=1, a=1, state="failed", error="no file tile_\udcff.tif")
    told.say("state", state="completed")
    assert tracking.feed(run)
    _, (_, trial) = runs(run)
    assert trial.data.metrics == {"f1_": 0.5}
    assert trial.data.params == {"file": r"tile_\udcff.tif"}
    assert trial.data.tags["eolab.error"] == r"no file tile_\udcff.tif"


def test_the_last_metrics_stand_at_the_last_step_whenever_the_feeder_looked(run):
    told = story(run, 0)
    feeder = tracking.Feeder(run)
    told.say("trial", n=0, params={"lr": 0.1})
    told.say("start", n=0, a=1, w="w0")
    told.say("report", n=0, a=1, step=7, m={"val_f1": 0.4})
    feeder.step()
    told.say("finish", n=0, a=1, state="completed", value=0.9, m={"val_f1": 0.9})
    told.say("state", state="completed")
    feeder.step()
    _, (trial,) = runs(run)
    assert history(run, trial, "val_f1") == [(7, 0.4), (7, 0.9)]
    assert trial.data.metrics["val_f1"] == 0.9


def test_the_best_of_the_trials_that_got_no_run_then_have_their_points(run, monkeypatch):
    told = story(run, 4)
    monkeypatch.setattr(feeding, "FIRST_AT_ONCE", 2)
    tracking.Feeder(run).step()
    told.say("state", state="completed")
    monkeypatch.setattr(feeding, "FIRST_AT_ONCE", 10)  # as an eolab that writes more of them
    tracking.feed(run)
    _, trials = runs(run)
    assert [trial.data.metrics["val_f1"] for trial in trials] == pytest.approx(
        [0.5, 0.51, 0.52, 0.53]
    )


@pytest.mark.usefixtures("way")
def test_a_trial_that_went_well_at_another_try_says_nothing_of_its_error(run):
    told = story(run, 0)
    told.trial(0, None, end="failed")
    feeder = tracking.Feeder(run)
    feeder.step()
    told.say("requeue", n=0, a=1, reason="by command", fresh=True)
    told.say("start", n=0, a=2, w="w0")
    told.say("finish", n=0, a=2, state="completed", value=0.5, m={"val_f1": 0.5})
    told.say("state", state="completed")
    feeder.step()
    _, (trial,) = runs(run)
    assert (trial.info.status, trial.data.tags.get("eolab.error", "")) == ("FINISHED", "")
    assert trial.data.metrics["val_f1"] == 0.5


def test_feeding_twice_changes_nothing(run):
    told = story(run)
    told.say("state", state="completed")
    tracking.feed(run)
    before = [(r.info.run_id, r.data.to_dictionary()) for r in runs(run)[1]]
    points = history(run, runs(run)[1][0], "val_f1")
    tracking.feed(run)
    (run / feeding.STATE).unlink()  # even when it has forgotten how far it came
    tracking.feed(run)
    assert [(r.info.run_id, r.data.to_dictionary()) for r in runs(run)[1]] == before
    assert history(run, runs(run)[1][0], "val_f1") == points


def test_a_feeder_killed_at_any_point_is_taken_up_by_the_next(run, monkeypatch):
    monkeypatch.setattr(feeding, "open_engine", lambda _: None)
    told = story(run, 12)
    told.say("state", state="completed")
    stops = ("create_run", "log_batch", "set_terminated")
    for after in range(1, 12):
        feeder = tracking.Feeder(run)
        root = run.parents[1]
        client = tracking.open_client(feeder.uri, root)
        left = [after]

        class Dying:
            def __getattr__(self, name, client=client, left=left):
                if name in stops:
                    left[0] -= 1
                    if left[0] < 0:
                        raise KeyboardInterrupt  # nothing that follows happens, as after a kill
                return getattr(client, name)

        monkeypatch.setitem(store._clients, feeder.uri, Dying())
        with pytest.raises(KeyboardInterrupt):
            _step_and_finish(feeder)
        monkeypatch.setitem(store._clients, feeder.uri, client)
    tracking.feed(run)
    parent, trials = runs(run)
    assert [int(t.data.tags["eolab.trial"]) for t in trials] == list(range(12))
    assert parent.info.status == "FINISHED"
    for n, trial in enumerate(trials):
        value = 0.5 + 0.01 * n
        steps = [(0, 0.0), (1, value), (2, value), (2, 2 * value)]
        assert np.array(history(run, trial, "val_f1")) == pytest.approx(np.array(steps))
        assert trial.info.status == "FINISHED"


def test_a_feeder_killed_after_many_runs_writes_none_twice(run, monkeypatch):
    told = story(run, 4)
    told.say("state", state="completed")
    write, save = feeding.write_runs, feeding._save_flushed

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(feeding, "AT_ONCE", 2)
    monkeypatch.setattr(feeding, "_save_flushed", die)
    with pytest.raises(KeyboardInterrupt):
        tracking.feed(run)
    monkeypatch.setattr(feeding, "_save_flushed", save)
    written = []
    monkeypatch.setattr(feeding, "write_runs", lambda *a: written.append(a) or write(*a))
    tracking.feed(run)
    parent, trials = runs(run)
    assert (len(trials), written) == (4, [])
    assert parent.info.status == "FINISHED"


def test_many_runs_at_once_are_what_mlflow_makes_of_them_one_by_one(
    run, tmp_path, monkeypatch, empty_database
):
    told = story(run, 2)
    told.say("trial", n=2, params={"a?": None, "a*": 1, "long": "x" * 9_000})
    told.say("start", n=2, a=1, w="w0")
    for step, value in [(3, 0.1), (1, 0.9), (3, 0.1), (3, None)]:
        told.say("report", n=2, a=1, step=step, m={"val_f1": value, "odd %": 2.0})
    told.say("finish", n=2, a=1, state="stopped", value=0.1, error="y" * 9_000)
    told.say("state", state="completed")
    documents = []
    for name in ("database", "server"):
        if name == "server":
            monkeypatch.setattr(feeding, "open_engine", lambda _: None)
        shutil.copy(empty_database, tmp_path / f"{name}.db")
        uri = f"sqlite:///{tmp_path / name}.db"
        tracking.feed(run, uri=uri)
        client = tracking.open_client(uri, tmp_path)
        found = client.search_runs([client.get_experiment_by_name("eolab/crops").experiment_id])
        made = [r for r in found if "eolab.trial" in r.data.tags]
        rows = {}
        for each in made:
            own = each.info.run_id
            document = json.loads(json.dumps(each.to_dictionary()).replace(own, "its id"))
            metrics = sorted(
                (p.key, p.value, p.step, p.timestamp)
                for key in each.data.metrics
                for p in client.get_metric_history(own, key)
            )
            document["data"]["tags"].pop("mlflow.parentRunId")
            rows[each.data.tags["eolab.trial"]] = (document, metrics)
        documents.append(rows)
    assert documents[0] == documents[1]
    assert sorted(documents[0]) == ["0", "1", "2"]


def test_hundreds_of_runs_take_a_handful_of_transactions(run):
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    told = story(run, 300)
    told.say("state", state="completed")
    tracking.open_client(tracking.Feeder(run).uri, run.parents[1])
    commits = []

    def note(connection: object) -> None:
        commits.append(connection)

    event.listen(Engine, "commit", note)
    try:
        tracking.feed(run)
    finally:
        event.remove(Engine, "commit", note)
    _, trials = runs(run)
    assert len(trials) == 300
    assert len(commits) < 60


def test_the_process_follows_a_living_study_survives_kill_9_and_ends_with_it(run):
    lock = take_lock(run)
    told = story(run, 2)
    command = [sys.executable, "-m", "eolab.tracking", str(run)]
    feeder = subprocess.Popen(command)
    try:
        _wait((run / feeding.STATE).exists)
        feeder.send_signal(signal.SIGKILL)
        feeder.wait()
        told.trial(2, 0.9)
        feeder = subprocess.Popen(command)
        size = (run / "events.jsonl").stat().st_size
        _wait(lambda: feeding._flushed(run) >= size)
        assert feeder.poll() is None
        assert not tracking.feed(run)  # one feeder a study
        told.say("state", state="completed")
        os.close(lock)
        assert feeder.wait(30) == 0
    finally:
        feeder.kill()
        feeder.wait()
    parent, trials = runs(run)
    assert parent.info.status == "FINISHED"
    assert [t.data.metrics["val_f1"] for t in trials] == pytest.approx([0.5, 0.51, 0.9])


def test_a_study_whose_process_died_is_shown_as_interrupted_and_goes_on(run):
    told = story(run, 1)
    tracking.feed(run)
    parent, _ = runs(run)
    assert (parent.info.status, parent.data.tags["eolab.state"]) == ("KILLED", "interrupted")
    told.say("process", pid=2, host="here", resumed=True)
    told.say("state", state="running")
    told.trial(1, 0.7)
    told.say("state", state="completed")
    tracking.feed(run)
    parent, trials = runs(run)
    assert (parent.info.status, parent.data.tags["eolab.state"]) == ("FINISHED", "completed")
    assert len(trials) == 2


def test_only_the_first_and_the_best_trials_of_a_long_study_get_runs(run, monkeypatch):
    monkeypatch.setattr(feeding, "FIRST_AT_ONCE", 5)
    monkeypatch.setattr(feeding, "BEST", 3)
    told = Story(run)
    told.say("state", state="running")
    for n in range(20):
        told.trial(n, {12: 0.99, 17: 0.98, 2: 0.97}.get(n, 0.1), steps=1)
    told.say("state", state="completed")
    tracking.feed(run)
    _, trials = runs(run)
    assert [int(t.data.tags["eolab.trial"]) for t in trials] == [0, 1, 2, 3, 4, 12, 17]
    assert trials[-1].data.metrics["val_f1"] == pytest.approx(0.98)


def test_a_study_made_again_under_its_name_has_runs_of_its_own(run):
    told = story(run, 2)
    told.say("state", state="completed")
    tracking.feed(run)
    first = {r.info.run_id for r in runs(run)[1]}
    document = json.loads((run / "study.json").read_text())
    for name in ("events.jsonl", feeding.STATE):
        (run / name).unlink()
    writes.write_json(run / "study.json", document | {"created": 9_999.0})
    told = story(run, 1)
    told.say("state", state="completed")
    tracking.feed(run)
    root = run.parents[1]
    client = tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    found = client.search_runs([client.get_experiment_by_name("eolab/crops").experiment_id])
    again = [r for r in found if r.data.tags["eolab.study_id"] == "crops@9999.0"]
    assert len(again) == 2  # the study and its one trial
    assert not first & {r.info.run_id for r in again}


def test_a_sync_of_a_living_study_writes_what_is_there_and_returns(run):
    lock = take_lock(run)
    try:
        story(run, 2)
        assert tracking.feed(run, follow=False)
        parent, trials = runs(run)
        assert parent.info.status == "RUNNING"
        assert len(trials) == 2
    finally:
        os.close(lock)


def test_another_mlflow_gets_the_whole_study(run, tmp_path, empty_database):
    told = story(run, 2)
    told.say("state", state="completed")
    tracking.feed(run)
    other = shutil.copy(empty_database, tmp_path / "other.db")
    tracking.feed(run, uri=f"sqlite:///{other}")
    client = tracking.open_client(f"sqlite:///{other}", tmp_path)
    found = client.search_runs([client.get_experiment_by_name("eolab/crops").experiment_id])
    assert len(found) == 3


def test_the_address_in_the_configuration_counts_and_is_not_kept_with_the_study(config, run):
    text = config.file.read_text().replace(
        "[workspace]", '[workspace]\ntracking = "postgresql://ann:secret@db.example/mlflow"'
    )
    config.file.write_text(text)
    document = json.loads((run / "study.json").read_text())
    writes.write_json(run / "study.json", document | {"config": str(config.file)})
    assert tracking.Feeder(run).uri == "postgresql://ann:secret@db.example/mlflow"
    assert not any("secret" in f.read_text() for f in run.iterdir() if f.is_file())
    assert tracking.shown(tracking.Feeder(run).uri) == "postgresql://...@db.example/mlflow"
    writes.write_json(run / "study.json", document | {"config": str(config.file) + ".gone"})
    assert tracking.Feeder(run).uri == f"sqlite:///{config.root / 'mlflow.db'}"


def test_a_trial_that_is_queued_again_keeps_its_run(run):
    told = Story(run)
    told.say("state", state="running")
    told.say("trial", n=0, params={"lr": 0.1})
    told.say("start", n=0, a=1, w="w0")
    told.say("report", n=0, a=1, step=0, m={"val_f1": 0.1})
    told.say("requeue", n=0, a=1, reason="its worker was lost", lost=True)
    told.say("start", n=0, a=2, w="w1")
    told.say("report", n=0, a=2, step=0, m={"val_f1": None})
    told.say("finish", n=0, a=2, state="completed", value=0.4, m={"val_f1": 0.4})
    told.say("state", state="completed")
    tracking.feed(run)
    _, (trial,) = runs(run)
    assert trial.data.metrics["val_f1"] == pytest.approx(0.4)


def test_figures_are_written_in_batches(run, monkeypatch):
    monkeypatch.setattr(feeding, "open_engine", lambda _: None)
    told = Story(run)
    told.say("state", state="running")
    told.trial(0, 0.5, steps=1_200)
    told.say("state", state="completed")
    feeder = tracking.Feeder(run)
    client = tracking.open_client(feeder.uri, run.parents[1])
    sizes = []
    original = client.log_batch

    def counted(run_id, metrics=(), **more):
        sizes.append(len(metrics))
        return original(run_id, metrics=metrics, **more)

    monkeypatch.setattr(client, "log_batch", counted)
    tracking.feed(run)
    assert sum(sizes) == 2 * 1_200 + 1 + 1
    assert len([s for s in sizes if s]) <= 5


def test_an_address_that_does_not_work_is_told_and_nothing_is_lost(run, tmp_path):
    told = story(run, 1)
    told.say("state", state="completed")
    (tmp_path / "file").touch()
    bad = tracking.Feeder(run, uri=f"sqlite:///{tmp_path / 'file' / 'x.db'}")
    with pytest.raises(RemoteError):
        bad.step()
    assert feeding._flushed(run) == 0
    tracking.feed(run)
    assert len(runs(run)[1]) == 1


def _step_and_finish(feeder) -> None:
    feeder.step()
    feeder.finish("completed")


def _wait(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
