"""`eolab demo`: the whole way on simulated and on real data, the same twice with one seed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eolab.cli.app import main
from eolab.demo import trainers, way
from eolab.facade import workspace
from eolab.settings.config import Config

pytestmark = [pytest.mark.keras, pytest.mark.timeout(1800)]


def demo(*arguments: str | Path) -> tuple[dict, str]:
    """The JSON object of the last line, and what was said on the way."""
    done = subprocess.run(
        [sys.executable, "-m", "eolab.cli.app", "demo", "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def without_seconds(figures: dict) -> dict:
    assert figures["seconds"] > 0
    return {name: figure for name, figure in figures.items() if name != "seconds"}


def check_shape(figures: dict) -> None:
    """Every figure that the command promises, in the range that it can have."""
    counts = ("rows", "features", "units", "blocks", "trials")
    assert all(isinstance(figures[name], int) and figures[name] > 0 for name in counts)
    assert set(figures["model"]) == {"name", "version"}
    for kind in (figures, figures["sklearn"]):
        test = kind["test"]
        assert 0 <= test["low"] <= test["macro_f1"] <= test["high"] <= 1
        assert 0 <= test["accuracy"] <= 1
        assert 0 <= kind["best"]["value"] <= 1
        assert kind["best"]["params"]


def scenes(real_data: Path) -> list[str | Path]:
    return [
        "--data",
        real_data / "eolearn-slovenia-stac",
        "--labels",
        real_data / "eolearn-slovenia" / "LULC.gpkg",
        "--label-column",
        "LULC_NAME",
    ]


def table(real_data: Path) -> list[str | Path]:
    file = real_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    return ["--table", file, "--label-column", "sampling_label"]


def test_the_sample_goes_the_whole_way(config: Config, sample: Path) -> None:
    # It takes the region that is there already; fewer trials than without a word, which
    # `make test-more` makes twice.
    config.root.mkdir(parents=True)
    config.sample.symlink_to(sample)
    figures, told = demo("--workspace", config.file.parent, "--trials", "2")
    check_shape(figures)
    # 26 items: 2 are of the overcast day, 2 are older products of an overpass that is there anyway.
    assert figures["items"] == 22
    assert figures["units"] == 340
    assert figures["test"]["macro_f1"] > 0.6
    assert "simulated" in told


@pytest.mark.slow  # twice two minutes
def test_the_sample_gives_the_same_figures_twice() -> None:
    first, _ = demo()
    second, _ = demo("--workers", "1")
    assert without_seconds(first) == without_seconds(second)


@pytest.mark.slow  # twelve studies: minutes
def test_real_scenes_go_the_whole_way(real_data: Path) -> None:
    figures, told = demo(*scenes(real_data))
    check_shape(figures)
    assert figures["items"] == 3  # two of the five dates are fully cloudy
    assert figures["sklearn"]["test"]["low"] < figures["sklearn"]["test"]["high"]
    assert "4 of 88 polygons have no LULC_NAME and are dropped" in told
    assert "Left out: cultivated land (11 samples, fewer than 150)" in told
    assert "plumbing test, not a result" in told


@pytest.mark.slow  # twelve studies: minutes
def test_a_real_table_goes_the_whole_way(real_data: Path) -> None:
    figures, told = demo(*table(real_data))
    check_shape(figures)
    assert figures["items"] is None
    assert figures["pixels"] is None
    assert figures["units"] == 448  # 500 rows; pairs of one place are one unit
    assert told.count("Left out: ") == 9
    # Seen before on this table by blocks of 0.05 degrees: 0.57; by random folds it flatters, 0.71.
    assert figures["sklearn"]["test"]["macro_f1"] < 0.70


@pytest.mark.slow
@pytest.mark.parametrize("case", [scenes, table])
def test_real_cases_give_the_same_figures_twice(real_data: Path, case) -> None:
    first, _ = demo(*case(real_data))
    second, _ = demo(*case(real_data), "--workers", "1")
    assert without_seconds(first) == without_seconds(second)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--data", "."], "--data and --labels go together"),
        (["--table", "none.parquet", "--label-column", "x"], "there is no none.parquet"),
        (["--table", __file__], "--label-column is missing"),
        (["--table", __file__, "--data", ".", "--labels", "."], "goes without"),
        (["--trials", "0"], "1 or more"),
    ],
)
def test_wrong_arguments_are_told_in_two_lines(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *arguments]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert told in lines[0]
    assert lines[1].startswith("Hint: ")


@pytest.mark.slow  # twelve studies: minutes
def test_a_table_of_a_quantity_goes_through_its_folds_to_a_registered_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Forests for both: networks are tried with the sample, and take minutes over the folds.
    monkeypatch.setattr(way, "MODELS", dict.fromkeys(way.MODELS, trainers.train_forest))
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"sample_id": range(200), **{n: random.random(200) for n in "ab"}})
    rows["lon"], rows["lat"] = random.uniform(10, 12, 200), random.uniform(45, 47, 200)
    rows["yield_t"] = 3 + 2 * rows["a"] - rows["b"]
    rows.to_parquet(tmp_path / "yield.parquet")
    told: list[str] = []
    options = way.Options(
        table=tmp_path / "yield.parquet", label_column="yield_t", trials=1, workers=1
    )
    figures = way.go(tmp_path, options, say=told.append)
    test = figures["test"]
    assert isinstance(test, dict)
    # The label spans 3; a forest is off by a tenth of its spread, its mean by six tenths.
    assert 0 < test["low"] <= test["rmse"] <= test["high"] < 0.35
    assert test["r2"] > 0.8
    for kind in way.MODELS:
        # Folds are refitted beside the next one's tuning, and told in their order all the same.
        lines = [line for line in told if line.startswith(f"{kind} fold ")]
        assert [line.split()[2] for line in lines] == list("12345")
        model = workspace(tmp_path).models.get(f"table-{kind}")
        assert model.metrics["rmse"] == pytest.approx(test["rmse"])
