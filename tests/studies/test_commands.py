"""`eolab studies`: look and act from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pytest

import eolab as eo
from eolab.cli.app import main
from eolab.settings.config import Config
from eolab.studies.journal import files as journal
from tests.studies.conftest import Run, until


def train(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
    import time

    time.sleep(0.05)
    if x > 0.9:
        raise ValueError("too large\nsecond line")
    return {"score": x}


def call(config: Config, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    status = main(["studies", words[0], "--workspace", str(config.file), *words[1:]])
    found = capsys.readouterr()
    return status, found.out + found.err


def test_list_show_and_export(
    run: Run, config: Config, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(config, capsys, "list") == (0, "There are no studies yet.\n")
    study = run(train, trials=20, seed=1)
    status, text = call(config, capsys, "list")
    assert status == 0
    failed = study.record.counts["failed"]
    assert failed > 0
    assert text.split()[:6] == ["s", "completed", "20/20", "trials,", str(failed), "failed,"]
    assert text.rstrip().endswith(f"best score {study.best_value:.6g}")
    status, text = call(config, capsys, "list", "--json")
    assert json.loads(text)["studies"][0]["best"]["value"] == study.best_value
    status, text = call(config, capsys, "show", "s")
    assert f"in trial {study.best['number']}" in text
    assert "ValueError: too large" in text
    assert "second line" not in text
    status, text = call(config, capsys, "show", "s", "--json")
    assert len(json.loads(text)["trials"]) == 20
    assert call(config, capsys, "export", "s", str(tmp_path / "s.log"))[0] == 0
    assert (tmp_path / "s.log").stat().st_size > 1000


def test_pause_resume_follow_and_cancel(
    run: Run, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    study = run(train, trials=400, wait=False)
    until(lambda: study.record.counts["completed"] > 2)
    assert call(config, capsys, "pause", "s") == (0, "s: asked to pause\n")
    until(lambda: study.state == "paused")
    status, text = call(config, capsys, "pause", "s")
    assert status == 1
    assert "is paused: it cannot pause" in text
    assert call(config, capsys, "resume", "s")[0] == 0
    until(lambda: study.state == "running")
    assert call(config, capsys, "cancel", "s")[0] == 0
    until(lambda: study.state == "cancelled")
    status, text = call(config, capsys, "follow", "s")
    assert status == 1
    assert text.strip().splitlines()[-1] == "s: cancelled: cancelled by user"
    assert text.count("completed") == study.record.counts["completed"]
    until(lambda: not journal.is_alive(study.folder))


def test_a_misspelt_name(run: Run, config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    run(train, trials=1, name="season")
    status, text = call(config, capsys, "show", "seasons")
    assert status == 1
    assert text == "eolab: no study 'seasons'\nHint: Did you mean 'season'?\n"
