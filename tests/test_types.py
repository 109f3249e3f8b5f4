"""`mypy --strict` in a user's script knows our types: what is right passes, each slip is named."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GOOD = """\
from typing import Annotated

import geopandas as gpd

import eolab as eo
from eolab.training_data import Split

ws = eo.workspace()
items = ws.catalog("sample").search("sentinel-2-l2a-simulated", datetime="2021", max_cloud=60)
cube = eo.load(items, bands=["red", "nir"], resolution=20, mask=eo.mask(drop=["cloud"], dilate=20))
parcels = gpd.read_parquet(ws.root / "sample" / "parcels.parquet")
ndvi = ws.features.get_or_create_feature_group("ndvi", primary_key="id", event_time="time")
rows: int = ndvi.insert(parcels, mode="upsert").rows
series = ndvi.select("NDVI_median").sequence("03-20", "10-10", every="20D")
view = ws.features.get_or_create_feature_view("crops", labels=ndvi.select("crop"), query=series)
split = view.train_validation_test_split(by=eo.SpatialBlocks(600, buffer=30), seed=0)


def train(
    data: Split, reporter: eo.Reporter, *, seed: int, trees: Annotated[int, eo.integer(20, 200)]
) -> float:
    reporter.report(step=0, f1=0.5)
    return float(data.train.y.mean()) + trees + seed


study = ws.tune(train, name="trees", metric="f1", data=split, trials=20, pruner="asha")
count: int = len(study.trials)
model = ws.models.register("trees", study.refit(), test=split.test)
f1: float = model.metrics["macro_f1"]
ablation = ws.ablate(train, name="parts", metric="f1", features=True)
"""

SLIPS = {
    'ws.catalog("sample").search("s2", max_clouds=60)': 'did you mean "max_cloud"',
    'eo.load([], bands=["red"], resolutoin=20)': 'did you mean "resolution"',
    'ws.tune(print, metric="f1", trials="20")': '"trials" to "tune" of "Workspace" has',
    'ws.tune(print, metric="f1", prunner="asha")': 'did you mean "pruner"',
    "ws.tune(print)": 'Missing named argument "metric"',
    'ws.ablate(print, metric="f1", feature=True)': 'did you mean "features"',
    'ws.features.feature_group("n").insert([], mode="append")': 'Argument "mode" to "insert"',
    'name: str = len(ws.study("s").trials)': "Incompatible types in assignment",
    'eo.SpatialBlocks("600")': 'Argument 1 to "SpatialBlocks" has incompatible type',
    "eo.spectral_idx": 'Module has no attribute "spectral_idx"',
}


def check(script: Path) -> subprocess.CompletedProcess[str]:
    """Type-check a script as its writer would, with the results kept that `make test` has."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", script],
        capture_output=True, text=True, cwd=ROOT, timeout=280, check=False,
    )  # fmt: skip


def test_a_script_that_is_right_passes(tmp_path: Path) -> None:
    script = tmp_path / "good.py"
    script.write_text(GOOD)
    found = check(script)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture(scope="module")
def slips(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    script = tmp_path_factory.mktemp("types") / "slips.py"
    script.write_text("import eolab as eo\n\nws = eo.workspace()\n" + "\n".join(SLIPS) + "\n")
    return check(script).stdout.splitlines()


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_is_named_in_its_line(slip: str, slips: list[str]) -> None:
    line = 4 + list(SLIPS).index(slip)
    (told,) = [text for text in slips if f"slips.py:{line}: error" in text]
    assert SLIPS[slip] in told
