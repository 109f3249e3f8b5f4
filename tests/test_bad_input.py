"""Bad input in a cell: two lines with a hint, the rest in the log, what was done before is kept.

Each case runs as a user would meet it: a cell in a shell, on real scenes.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from eolab.settings import config as configuration

SCENE = "S2_L1C_20150711"
START = """
import warnings; warnings.simplefilter("ignore")
import geopandas as gpd, numpy as np, pandas as pd, shapely
import eolab as eo
ws = eo.workspace()
cat = ws.catalog("scenes")
"""


@pytest.fixture
def scenes(config: configuration.Config, shared_data: Path, monkeypatch) -> Path:
    """A copy of the slovenia scenes as the catalogue `scenes` of a fresh workspace."""
    assert config.file is not None
    folder = config.file.parent / "scenes"
    shutil.copytree(shared_data / "eolearn-slovenia-stac", folder)
    with config.file.open("a") as file:
        file.write('\n[catalogs.scenes]\nurl = "scenes/collection.json"\n')
    monkeypatch.chdir(config.file.parent)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@pytest.fixture
def cell(scenes: Path) -> Iterator[Callable[[str], list[str]]]:
    """Run a cell; answers the lines that it shows."""
    shell = InteractiveShell.instance()
    with capture_output():
        assert shell.run_cell(START).success

    def run(code: str) -> list[str]:
        with capture_output() as shown:
            shell.run_cell(code)
        return [line for line in shown.stdout.splitlines() if line.strip()]

    yield run
    InteractiveShell.clear_instance()


def two_lines(lines: list[str], config: configuration.Config, *told: str) -> None:
    """An error and its hint, nothing else; the traceback is in the log."""
    assert len(lines) == 2, lines
    assert lines[1].startswith("Hint: ")
    for part in told:
        assert part in " ".join(lines)
    assert "Traceback" in (config.logs / "errors.log").read_text()


def test_a_missing_asset_file_is_named(cell, config, scenes) -> None:
    (scenes / SCENE / "B04.tif").unlink()
    lines = cell("cube = eo.load(cat.search(max_cloud=50), bands=['red'], native=True)")
    two_lines(lines, config, "B04.tif")
    assert cell("eo.load(cat.search(max_cloud=50), bands=['nir'], native=True); print('ok')") == [
        "ok"
    ]


def test_a_broken_item_is_skipped_and_told(cell, scenes) -> None:
    (scenes / SCENE / f"{SCENE}.json").write_text("{")
    (line,) = cell("print(len(cat.search(max_cloud=50)), [s.href for s in cat.skipped])")
    assert line.startswith("2 [")
    assert SCENE in line


def test_a_raster_without_a_reference_system_is_named(cell, config, scenes) -> None:
    import rasterio

    document = json.loads((scenes / SCENE / f"{SCENE}.json").read_text())
    for name in [name for name in document["properties"] if name.startswith("proj:")]:
        del document["properties"][name]
    (scenes / SCENE / f"{SCENE}.json").write_text(json.dumps(document))
    for path in (scenes / SCENE).glob("*.tif"):
        with rasterio.open(path) as source:
            profile, values = source.profile, source.read()
        profile.pop("crs")
        with rasterio.open(path, "w", **profile) as target:
            target.write(values)
    lines = cell(f"eo.load(cat.search(ids=['{SCENE}']), bands=['red'], native=True)")
    two_lines(lines, config, "reference system")


def test_labels_outside_the_scenes_are_told(cell, config) -> None:
    lines = cell(
        "cube = eo.load(cat.search(max_cloud=50), bands=['red', 'nir'], native=True)\n"
        "far = gpd.GeoDataFrame({'parcel_id': [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)\n"
        "cube.eo.zonal(far)"
    )
    two_lines(lines[-2:], config, "inside the scenes")


def test_an_empty_search_is_told_when_it_is_loaded(cell, config) -> None:
    lines = cell("eo.load(cat.search(datetime='1999'), bands=['red'])")
    two_lines(lines, config, "no ")


TRAIN = """
def train({arguments}):
{body}
study = ws.tune(
    train, name="{name}", metric="score", trials=3, workers=1, sampler="random", tracking=False,
    space={{"x": eo.uniform(0, 1)}},
)
"""


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("raises", "    raise ValueError('no such band')", "no such band"),
        ("none", "    return None", "returned nothing"),
        ("nan", "    return float('nan')", "ended as nan"),
        ("no-metric", "    return {'accuracy': 1.0}", "score"),
    ],
)
def test_a_train_function_that_fails_marks_its_run_and_says_why(
    cell, config, name: str, body: str, told: str
) -> None:
    lines = cell(TRAIN.format(arguments="x", body=body, name=name))
    two_lines(lines[-2:], config, told)
    (state,) = cell(f"print(ws.study('{name}').state)")
    assert state in {"failed", "paused"}
    counts = cell(f"print(ws.study('{name}').snapshot()['counts']['failed'])")
    assert counts == ["3"]


def test_what_was_done_before_is_kept(cell, config) -> None:
    done = cell(
        "rows = pd.DataFrame({'k': [1, 2], 'v': [1.0, 2.0]})\n"
        "fg = ws.features.create_feature_group('g', primary_key=['k'])\n"
        "fg.insert(rows)\n"
        "fg.insert(pd.DataFrame({'k': [3, 3], 'v': [1.0, 2.0]}))"
    )
    two_lines(done[-2:], config)
    assert cell("print(len(fg.read()))") == ["2"]


def test_a_full_disk_is_told_and_leaves_nothing_half_written(config) -> None:
    """A limit on the size of files fails a write part-way, as a full disk does."""
    code = (
        "import numpy as np, pandas as pd, eolab as eo\n"
        "fg = eo.workspace().features.create_feature_group('g', primary_key=['k'])\n"
        "fg.insert(pd.DataFrame({'k': [1], 'v': [1.0]}))\n"
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "big = pd.DataFrame({'k': np.arange(2, 10**6), 'v': np.random.rand(10**6 - 2)})\n"
        "from eolab.errors import EolabError\n"
        "try: fg.insert(big)\n"
        "except EolabError as error: print(error)\n"
        "print(len(fg.read()))\n"
    )
    assert config.file is not None
    assert resource.RLIMIT_FSIZE
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=config.file.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *error, rows = done.stdout.strip().splitlines()
    assert len(error) == 2
    assert rows == "1"
