"""What killed registrations and refits leave goes after a day; what is alive or whole never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from eolab.facade import Workspace
from eolab.files import leavings, locks, writes
from eolab.models import ModelRegistry

# Registers a model and stays where the test says, as a process that is killed there.
REGISTER = """
import sys, time
from pathlib import Path
from eolab.settings import config as configuration
from eolab.models import ModelRegistry, mlflow_flavour
from tests.models.conftest import Fitted

where, root, folder = sys.argv[1:]

def stay(*args, **more):
    print("here", flush=True)
    time.sleep(600)

if where == "half":
    mlflow_flavour.write = stay
else:
    ModelRegistry._enter = stay
models = ModelRegistry(configuration.Config(root=Path(root)))
models.register("crops", Fitted(Path(folder), "sklearn"))
"""


def age(folder: Path, seconds: float) -> None:
    at = time.time() - seconds
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (at, at))


def copies(config) -> list[Path]:
    return [path for path in config.models.glob("*/*") if path.is_dir()]


@pytest.mark.parametrize("where", ["half", "whole"])
def test_a_copy_of_a_killed_register_goes_after_a_day(workspace, make_fitted, train, where):
    fitted = make_fitted(LogisticRegression().fit(train.X, train.y))
    models = ModelRegistry(workspace)
    kept = models.register("wheat", fitted)
    own = kept.folder.parent / ".git"
    own.mkdir()
    age(own, 9 * leavings.DAY)
    command = [sys.executable, "-c", REGISTER, where, str(workspace.root), str(fitted.folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"here\n"
        (copy,) = [path for path in copies(workspace) if path.parent.name == "crops"]
        age(copy, 3 * leavings.DAY)
        models.list()
        assert copy.exists(), "a living process holds it"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    age(copy, leavings.DAY - 600)
    models.list()
    assert copy.exists(), "it is not a day old"
    age(copy, leavings.DAY + 600)
    age(kept.folder, 9 * leavings.DAY)
    assert [version.name for version in models.list()] == ["wheat"]
    assert sorted(copies(workspace)) == sorted([kept.folder, own])
    assert copy.name in (workspace.logs / leavings.LOG).read_text()
    assert kept.load().predict(train.X).shape == train.y.shape


def test_models_of_another_mlflow_and_of_before_are_no_leavings(
    workspace, make_fitted, train, tmp_path, empty_database
):
    fitted = make_fitted(LogisticRegression().fit(train.X, train.y))
    kept = ModelRegistry(workspace).register("wheat", fitted)
    age(kept.folder, 9 * leavings.DAY)
    (workspace.root / "mlflow.db").write_bytes(empty_database.read_bytes())
    fresh = ModelRegistry(workspace)
    fresh.register("barley", make_fitted(LogisticRegression().fit(train.X, train.y), "r2"))
    assert len(fresh.list()) == 1
    assert kept.folder.is_dir()


def test_half_a_refit_goes_after_a_day_unless_somebody_writes_it(config):
    runs = config.runs / "forest" / "refit"
    whole, half, held = runs / "20260101T000000-aaaaaa", runs / ".b", runs / ".c"
    for folder in (whole, half, held):
        folder.mkdir(parents=True)
        writes.write_json(folder / "fitted.json", {})
        age(folder, 2 * leavings.DAY)
    with locks.locked_folder(held):
        Workspace(config)
    assert sorted(path.name for path in runs.iterdir()) == [held.name, whole.name]
    age(held, 60)
    Workspace(config)
    assert held.exists()
    age(held, 2 * leavings.DAY)
    Workspace(config)
    assert [path.name for path in runs.iterdir()] == [whole.name]
    log = (config.logs / leavings.LOG).read_text()
    assert log.count("half a refit") == 2
    assert (config.logs / leavings.LOG).stat().st_mode & 0o777 == 0o600
