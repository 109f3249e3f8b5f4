"""Every public name has an example in its docstring, and every example runs.

An example finds these names; each example has a copy of the workspace of its own, so that it may
write there:

| name | what |
| --- | --- |
| `eo`, `np`, `pd`, `xr`, `gpd` | the libraries |
| `ws` | a workspace with the simulated sample region |
| `items` | the items of two dates of Sentinel-2 |
| `cube` | bands red and nir of these items: `time` 2, `y`, `x` |
| `parcels` | 60 parcels with `parcel_id` and `crop` |
| `rows` | statistics of the cube by parcel and date |
| `fg`, `labels` | feature groups of `rows` and of the crops |
| `fv`, `split` | a view of both, cut into train, validation and test |
| `train`, `study` | a train function, and an ended study of four trials of it |
| `ablation` | an ended ablation study |
| `fitted`, `model` | the best trial trained again, and registered as a model |
"""

from __future__ import annotations

import ast
import doctest
import io
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import eolab as eo
from eolab.catalog.simulate.names import COLLECTION
from eolab.facade import Workspace
from eolab.settings import config as configuration
from tests.house import check

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from public_names import PublicName, public_names  # noqa: E402

PUBLIC = public_names()
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FORBIDDEN = ("+SKIP", "doctest: +SKIP", "+IGNORE_EXCEPTION_DETAIL")


def test_every_public_name_has_an_example() -> None:
    check("no_example", {public.name for public in PUBLIC if not public.examples})


def test_every_public_name_explains_its_arguments() -> None:
    check(
        "unexplained", {f"{public.name} {name}" for public in PUBLIC for name in public.unexplained}
    )


def test_no_example_is_skipped() -> None:
    wrong = [public.name for public in PUBLIC if any(word in public.doc for word in FORBIDDEN)]
    assert not wrong


@pytest.mark.parametrize("public", [p for p in PUBLIC if p.examples], ids=lambda p: p.name)
def test_example(public: PublicName, namespace: Callable[[set[str]], dict[str, object]]) -> None:
    names = {
        node.id
        for example in public.examples
        for node in ast.walk(ast.parse(example.source))
        if isinstance(node, ast.Name)
    }
    test = doctest.DocTest(
        public.examples, namespace(names), public.name, public.module, None, public.doc
    )
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report = io.StringIO()
    runner.run(test, out=report.write)
    assert not runner.failures, report.getvalue()


# --- the workspace ---------------------------------------------------------------------------
# One step builds on the one before; each is made once a session, in a folder of its own.


def copied(folder: Path, target: Path) -> Path:
    """A copy of a workspace; rasters, which nobody changes in place, as hard links."""

    def copy(source: str, to: str) -> object:
        return (
            os.link(source, to) if source.endswith((".tif", ".png")) else shutil.copy2(source, to)
        )

    return Path(shutil.copytree(folder, target, copy_function=copy))


def train(data, reporter, *, seed, depth=4):
    """A small forest that reports its accuracy on the validation part."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(n_estimators=20, max_depth=depth, random_state=seed)
    model = forest.fit(np.nan_to_num(data.train.X), data.train.y)
    reporter.report(
        step=1, accuracy=model.score(np.nan_to_num(data.validation.X), data.validation.y)
    )
    reporter.save_model(model)


class Workspaces:
    """Workspaces by step, and the names that an example finds in its copy of one."""

    def __init__(self, folder: Path, sample: Path) -> None:
        self._folder = folder
        self._sample = sample
        self._made: dict[str, Path] = {}
        self._memory: dict[str, object] = {}
        self._copies = 0

    STEPS = ("sample", "features", "study", "ablation", "model")
    FROM_STEP: ClassVar = {
        "features": {"fg", "labels", "fv", "split"},
        "study": {"study", "fitted"},
        "ablation": {"ablation"},
        "model": {"model"},
    }

    def namespace(self, names: set[str]) -> dict[str, object]:
        """What an example asks for, in a fresh copy of the smallest workspace that has it."""
        step = max(
            (s for s in self.STEPS if names & self.FROM_STEP.get(s, set())),
            key=self.STEPS.index,
            default="sample",
        )
        self._copies += 1
        ws = eo.workspace(copied(self.step(step), self._folder / str(self._copies)))
        os.chdir(ws.root.parent)
        found: dict[str, object] = {
            "eo": eo, "np": np, "pd": pd, "xr": xr, "gpd": gpd, "ws": ws, "train": train,
        }  # fmt: skip
        for name in names & {"items", "cube", "parcels", "rows"}:
            value = self.memory(name)
            found[name] = value.copy() if hasattr(value, "copy") else value
        makers = {
            "fg": lambda: ws.features.feature_group("spectra"),
            "labels": lambda: ws.features.feature_group("crops"),
            "fv": lambda: ws.features.feature_view("season"),
            "split": lambda: make_split(ws),
            "study": lambda: ws.study("forest"),
            "fitted": lambda: ws.study("forest").refit(),
            "ablation": lambda: ws.ablation("worth"),
            "model": lambda: ws.models.get("crops"),
        }
        return found | {name: makers[name]() for name in names & set(makers)}

    def step(self, name: str) -> Path:
        """The folder of a step, made from the one before when it is first asked for."""
        if name not in self._made:
            folder = self._folder / name
            if name == "sample":
                config = configuration.init(folder)
                config.root.mkdir()
                copied(self._sample, config.root / "sample")
            else:
                copied(self.step(self.STEPS[self.STEPS.index(name) - 1]), folder)
            getattr(self, f"_make_{name}", lambda _: None)(eo.workspace(folder))
            self._made[name] = folder
        return self._made[name]

    def memory(self, name: str) -> Any:
        """What needs no workspace to write in: read once, handed out as copies."""
        if name not in self._memory:
            self._memory[name] = getattr(self, f"_{name}")()
        return self._memory[name]

    def _items(self) -> object:
        source = eo.workspace(self.step("sample")).catalog()
        return source.search(COLLECTION, datetime="2021-05-20/2021-06-02")

    def _cube(self) -> object:
        cube = eo.load(
            self.memory("items"),
            bands=["red", "nir"],
            crs="EPSG:32633",
            resolution=20,
            mask=eo.mask(["cloud", "shadow"]),
        )
        return cube.load()

    def _parcels(self) -> object:
        parcels = gpd.read_parquet(self._sample / "parcels.parquet")
        return parcels[["parcel_id", "crop", "observed", "geometry"]].head(60)

    def _rows(self) -> object:
        cube = self.memory("cube")
        return cube.eo.zonal(self.memory("parcels"), id="parcel_id", stats=["median"])

    def _make_features(self, ws: Workspace) -> None:
        store = ws.features
        spectra = store.create_feature_group(
            "spectra", primary_key=["parcel_id"], event_time="time"
        )
        spectra.insert(self.memory("rows"))
        crops = store.create_feature_group(
            "crops", primary_key=["parcel_id"], event_time="observed"
        )
        crops.insert(self.memory("parcels"))
        store.create_feature_view(
            "season",
            labels=crops.select(["crop"]),
            query=spectra.select(["red_median", "nir_median"]),
        )

    def _make_study(self, ws: Workspace) -> None:
        ws.tune(
            train,
            data=make_split(ws),
            name="forest",
            metric="accuracy",
            trials=4,
            workers=1,
            space={"depth": eo.integer(1, 8)},
            sampler="random",
            tracking=False,
        )

    def _make_ablation(self, ws: Workspace) -> None:
        ws.ablate(
            train,
            data=make_split(ws),
            name="worth",
            metric="accuracy",
            features=True,
            repeats=1,
            workers=1,
            tracking=False,
        )

    def _make_model(self, ws: Workspace) -> None:
        ws.models.register("crops", ws.study("forest").refit(), test=make_split(ws).test)


def make_split(ws: Workspace) -> Any:
    return ws.features.feature_view("season").train_validation_test_split(
        by=eo.SpatialBlocks(300), validation_size=0.3, test_size=0.2, seed=0
    )


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Workspaces:
    return Workspaces(tmp_path_factory.mktemp("examples"), sample)


@pytest.fixture
def namespace(
    workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch
) -> Callable[[set[str]], dict[str, object]]:
    monkeypatch.delenv("EOLAB_WORKSPACE", raising=False)
    monkeypatch.chdir(Path.cwd())  # an example runs in the folder of its workspace
    return workspaces.namespace


def test_every_name_of_the_table_is_made(
    namespace: Callable[[set[str]], dict[str, object]],
) -> None:
    assert __doc__
    first_column = re.findall(r"(?m)^\| (`[^|]+`) \|", __doc__)
    names = set(re.findall(r"`(\w+)`", " ".join(first_column)))
    made = namespace(names)
    assert names <= set(made)
    assert made["study"].state == "completed"
    assert dict(made["cube"].sizes)["time"] == 2
    assert len(made["rows"]) > len(made["parcels"]) == 60
    assert min(len(part.y) for part in (made["split"].train, made["split"].test)) > 0
