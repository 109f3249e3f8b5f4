"""What is deleted can be brought back for 30 days, and its name is free meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.cli.app import main
from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.facade import Workspace
from eolab.files import locks
from eolab.records import deleted
from eolab.settings.config import Config
from eolab.studies.client import launch
from tests.studies.conftest import Run, run  # noqa: F401  (`run` is a fixture)


def square(*, x: Annotated[float, eo.uniform(0.5, 2.0)] = 1.0) -> float:
    return x * x


def thing(root: Path, name: str = "crops", text: str = "1") -> Path:
    folder = root / "runs" / name
    (folder / "logs").mkdir(parents=True)
    (folder / "study.json").write_text(text)
    return folder


def age(entry: deleted.DeletedEntry, days: float) -> None:
    file = entry.folder.parent / "entry.json"
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    file.write_text(json.dumps({**json.loads(file.read_text()), "deleted": then}))


def test_a_deleted_study_comes_back_whole(config: Config, run: Run) -> None:  # noqa: F811
    ws = Workspace(config)
    study = run(square, trials=2).wait(60)
    before = [dict(row) for row in study.trials]
    entry = study.delete()
    assert [one.name for one in ws.deleted()] == ["s"]
    assert ws.studies() == []
    assert "study" not in ws.search("s")
    with pytest.raises(NotFoundError, match="no study 's'"):
        ws.study("s")
    for act in (study.delete, study.refit, study.resume):
        with pytest.raises(NotFoundError, match="study"):
            act()
        assert not study.folder.exists()  # nothing begins it again by the way
    ws.restore(entry)
    assert [dict(row) for row in ws.study("s").trials] == before
    assert ws.deleted() == []


def test_a_name_is_begun_anew_and_the_one_of_before_stays_restorable(
    config: Config,
    run: Run,  # noqa: F811
) -> None:
    ws = Workspace(config)
    old = run(square, trials=2).wait(60).delete()
    new = run(square, trials=1).wait(60)
    assert len(new.trials) == 1
    with pytest.raises(ConflictError, match="there is a study 's' again"):
        ws.restore("s")
    new.delete()
    assert len(ws.deleted()) == 2
    ws.restore(old)
    assert len(ws.study("s").trials) == 2


def test_overwrite_begins_anew_and_the_old_study_is_in_the_bin(
    config: Config,
    run: Run,  # noqa: F811
) -> None:
    run(square, trials=2).wait(60)
    assert len(run(square, trials=1, overwrite=True).wait(60).trials) == 1
    assert [entry.name for entry in Workspace(config).deleted()] == ["s"]


def test_a_study_that_has_a_process_is_not_deleted(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "HEARD_SECONDS", 1.0)  # how long it may take to leave
    study = run(square, trials=1).wait(60)
    handle = None
    while handle is None:  # its process is just leaving
        handle = locks.take(study.folder / "lock")
    with (
        contextlib.closing(os.fdopen(handle)),
        pytest.raises(ConflictError, match="study 's' is"),
    ):
        study.delete()
    assert len(study.trials) == 1
    study.delete()
    assert not study.folder.exists()


def test_the_command_line_deletes_and_restores(
    config: Config,
    run: Run,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(square, trials=1).wait(60)
    place = ["--workspace", str(config.file)]
    assert main(["studies", "delete", *place, "s"]) == 0
    assert "eolab studies restore s" in capsys.readouterr().out
    assert main(["studies", "restore", *place, "s"]) == 0
    assert main(["studies", "restore", *place, "s"]) == 1
    assert "no study 's' was deleted" in capsys.readouterr().err
    assert main(["studies", "list", *place]) == 0
    assert main(["archive", *place, "study", "s"]) == 0
    assert main(["studies", "list", *place]) == 0
    assert main(["restore", *place, "study", "s"]) == 0
    assert main(["studies", "list", *place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["s", "study", "All", "study", "s"]


def test_what_is_older_than_30_days_goes_when_the_workspace_is_opened_on_two_days(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    young = deleted.put(config.root, "study", "young", thing(config.root, "young"))
    old = deleted.put(config.root, "study", "old", thing(config.root, "old"))
    age(young, 28.9)
    age(old, 30.1)
    now = time.time()
    for days, left in ((0.0, 2), (0.9, 2), (1.01, 1)):
        monkeypatch.setattr(time, "time", partial(float, now + days * 86400))
        assert len(Workspace(config).deleted()) == left
    assert [entry.name for entry in Workspace(config).deleted()] == ["young"]
    assert not old.folder.exists()


def test_a_clock_that_is_wrong_for_once_removes_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted.put(config.root, "study", "crops", thing(config.root))
    now, removed = time.time(), []
    for days in (3650, 3650.1, 2, 31, 31.5, 32.1):  # ten years ahead, then right again
        monkeypatch.setattr(time, "time", partial(float, now + days * 86400))
        removed.append(deleted.sweep(config.root))
    assert removed == [0, 0, 0, 0, 0, 1]


def test_one_entry_that_cannot_go_keeps_no_other(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("theirs", "mine"):
        entry = deleted.put(config.root, "study", name, thing(config.root, name))
        age(entry, 31)
        (entry.folder.parent / "due").write_text("0.0")
    remove = shutil.rmtree

    def refused(folder: Path) -> None:
        if json.loads((folder / "entry.json").read_text())["name"] == "theirs":
            raise PermissionError(folder)
        remove(folder)

    monkeypatch.setattr(shutil, "rmtree", refused)
    assert deleted.sweep(config.root) == 1
    assert [entry.name for entry in deleted.entries(config.root)] == ["theirs"]


def test_the_last_deleted_of_a_name_is_found_first(config: Config) -> None:
    for text in ("first", "second"):
        deleted.put(config.root, "study", "crops", thing(config.root, text=text))
    place = deleted.restore(config.root, deleted.find(config.root, "study", "crops"))
    assert (place / "study.json").read_text() == "second"


def test_nothing_else_in_the_bin_is_touched_and_nothing_leaves_the_workspace(
    config: Config, tmp_path: Path
) -> None:
    entry = deleted.put(config.root, "study", "crops", thing(config.root))
    (config.root / "bin" / "mine.txt").write_text("mine")
    file = entry.folder.parent / "entry.json"
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "place": "../elsewhere"}))
    assert deleted.entries(config.root) == []
    with pytest.raises(NotFoundError, match="no study 'crops' was deleted"):
        deleted.find(config.root, "study", "crops")
    assert deleted.sweep(config.root) == 0
    assert (config.root / "bin" / "mine.txt").read_text() == "mine"


def test_a_restored_entry_is_not_restored_twice(config: Config) -> None:
    entry = deleted.put(config.root, "study", "crops", thing(config.root))
    shutil.rmtree(deleted.restore(config.root, entry))
    with pytest.raises(NotFoundError, match="is not in the bin any more"):
        deleted.restore(config.root, entry)


def test_kinds_are_named(config: Config) -> None:
    with pytest.raises(InvalidInputError, match="kind='stud'"):
        deleted.find(config.root, "stud", "crops")
