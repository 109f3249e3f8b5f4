"""Makes the small workspace that `tests/test_workspace_of_before.py` opens.

    git worktree add --detach /tmp/eolab-checkout da82d3a
    PYTHONPATH=/tmp/eolab-checkout python scripts/workspace_of_before.py tests/data/before.zip

Run once, by the eolab whose folders were rebuilt afterwards; newer ones only read the archive (the
checkout's place is told because pickled code of an ablation names its file). It
holds studies that are paused, ended, and ablations of both kinds, a model, feature groups with
their history, a view, chips, searches, and in `expected.json` what the eolab of then made of it.

Nothing in it says where it was made: texts and MLflow's database name the folder `PLACE`, which
whoever unpacks it replaces (`unpack` in the test); data in pickles are named by relative paths.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import eolab as eo

PLACE = Path("/tmp/eolab-before")  # noqa: S108  replaced by whoever unpacks the archive
GONE = (
    "process.log",
    "tracking.log",
    "process.json",
    "token",
    "lock",
    ".mlflow.lock",
    "errors.log",
)

TOML = """format = 1

[workspace]
path = "workspace"

[catalogs.mine]
url = "workspace/catalogs/mine"
"""

CELLS = '''"""Cells of a notebook as people wrote them for eolab 0.x; run again by newer versions."""

import time
from typing import Annotated

import numpy as np
import pandas as pd

import eolab as eo
from eolab.data import Split, TrainingData
from eolab.errors import BadInput
from eolab.features.seasons import phenology_of
from eolab.features.splits import Blocks
from eolab.studies import Sampler, integer, uniform
from eolab.studies.reporter import Reporter, StopTrial, TrialError
from eolab.studies.seeds import derive_seed
from eolab.studies.stopping import Rule

seasonal = eo.seasonal
SHRINK = eo.uniform(0.0, 0.9)
BLOCKS = Blocks(500)


@eo.transformation
def nir_over_red(nir, red):
    return nir / red


class Means:
    """The nearest of the class means; it remembers what it learnt from."""

    def __init__(self, train, shrink, power):
        self.train = train
        self.power = power
        means = [train.X[train.y == code].mean(axis=0) for code in range(len(train.classes))]
        self.means = np.stack(means) * (1 - shrink)

    def predict(self, X):
        far = np.abs(np.asarray(X)[:, None, :] - self.means[None]) ** self.power
        return far.sum(axis=2).argmin(axis=1)


def simple(data, reporter, *, seed, shrink: Annotated[float, eo.uniform(0.0, 0.9)] = 0.1):
    """What most people write."""
    model = Means(data.train, shrink, 2)
    for step in range(3):
        found = model.predict(data.validation.X[step::3])
        reporter.report(step=step, accuracy=float((found == data.validation.y[step::3]).mean()))
    reporter.keep(model)
    return float((model.predict(data.validation.X) == data.validation.y).mean()) - shrink / 1000


def forest(data, reporter, *, seed, depth: Annotated[int, eo.integer(1, 4)] = 2):
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier(max_depth=depth, random_state=seed)
    model.fit(data.train.X, data.train.y)
    reporter.report(step=0, accuracy=model.score(data.validation.X, data.validation.y))
    reporter.keep(model)


def thorough(
    data,
    reporter,
    *,
    seed,
    shrink: Annotated[float, SHRINK] = 0.1,
    power: Annotated[int, eo.integer(1, 3)] = 2,
    rate: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-2,
    kind: Annotated[str, eo.choice("sum", "mean")] = "sum",
    step: Annotated[float, eo.discrete(1, 2, 4)] = 1,
):
    """Names as much of eolab as a train function may."""
    if not isinstance(data, Split) or not isinstance(data.train, TrainingData):
        raise BadInput("the data is of another class than the one that was imported", "")
    if not isinstance(reporter, Reporter) or Reporter is not eo.Reporter:
        raise TrialError("the reporter is of another class than the one that was imported")
    if SHRINK.high != 0.9 or Blocks(500) != BLOCKS:
        raise BadInput("what was captured is not what it was", "")
    days = np.arange(0.0, 100.0, 10.0)
    growth = np.exp(-(((days - 45) / 20) ** 2))
    rows = pd.DataFrame(
        {
            "parcel_id": 1,
            "time": pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(days, unit="D"),
            "ndvi": growth,
        }
    )
    season = seasonal(rows, columns=["ndvi"], start="03-01", end="10-31")
    peak = phenology_of(days, growth)["peak"]
    ratio = nir_over_red(np.array([2.0]), np.array([4.0]))[0]
    model = Means(data.train, shrink, power)
    right = model.predict(data.validation.X) == data.validation.y
    try:
        for number in range(4):
            value = float(right[: 3 * number + 3].mean())
            value -= 5 * rate
            reporter.report(step=number * step, accuracy=value, peak=peak, ratio=float(ratio))
            time.sleep(0.02)
    except StopTrial:
        print("stopped early")
        raise
    reporter.keep(model)
    chance = derive_seed(seed, power, kind) / 2**80
    return {
        "accuracy": float(right.mean()) - shrink / 1000 - rate + chance,
        "season": float(season["ndvi_median"].iloc[0]),
    }


class Descending(Sampler):
    """A sampler of the user's own."""

    def ask(self, n):
        low = 1 / (n + 2) + derive_seed(self.seed, n, "mine") % 1000 / 1e6
        return {"level": low, "rounds": 1 + n % 3}

    def tell(self, n, params, value, state, *, step=None):
        self.told = getattr(self, "told", 0) + 1


class Above(Rule):
    """A stop rule of the user's own."""

    def report(self, n, step, value):
        return "above 0.9" if value > 0.9 else None

    def end(self, n, state):
        pass

    def forget(self, n):
        pass

    def to_json(self):
        return {"kind": "Above"}


SPACE = {"level": uniform(0, 1), "rounds": integer(1, 3)}


def chipped(data, reporter, *, seed, level, rounds):
    """Trains on saved chips."""
    seen = sum(float(np.nanmean(X)) for X, mask in data)
    for number in range(rounds):
        reporter.report(step=number, score=level)
        time.sleep(0.05)
    return level + seen * 1e-9


def parts():
    """Data of the user's own form."""
    def part(n, seed):
        chance = np.random.default_rng(seed)
        X = chance.normal(size=(n, 2)).astype("float32")
        y = (X[:, 0] > 0).astype("int64")
        return TrainingData(X, y, np.arange(n) // 4, ("a", "b"), ("no", "yes"))

    return {"train": part(40, 0), "validation": part(20, 1)}


def from_dict(data, reporter, *, seed, shrink: Annotated[float, eo.uniform(0.0, 0.9)] = 0.1):
    model = Means(data["train"], shrink, 2)
    right = model.predict(data["validation"].X) == data["validation"].y
    return {"accuracy": float(right.mean())}


def table():
    """Data for ablations: the first feature says the class, the others less and less."""
    chance = np.random.default_rng(5)
    y = np.arange(120) % 2
    X = chance.normal(size=(120, 4)) + y[:, None] * np.array([2.0, 1.0, 0.5, 0.0])
    names = ("VV_03", "VV_06", "slope", "height")
    return TrainingData(X.astype("float32"), y, np.arange(120) // 6, names, ("no", "yes"))


def judged(data, reporter, *, seed, shrink=0.0):
    right = Means(data.train, shrink, 2).predict(data.validation.X) == data.validation.y
    reporter.report(step=0, accuracy=float(right.mean()))
    time.sleep(0.05)
    return {"accuracy": float(right.mean()), "columns": float(len(data.train.columns))}


def halved(split):
    return split.without(["height"])


GROUPS = {"sar": "VV*", "terrain": ["slope", "height"]}
ENDED = {"name": "ended", "metric": "accuracy", "trials": 5, "workers": 1, "sampler": "random",
         "stop": "percentile:25", "seed": 3}
DEEP = {"name": "deep", "metric": "accuracy", "trials": 3, "workers": 1, "sampler": "qmc",
        "seed": 1, "tracking": False}
OWN = {"name": "own-data", "metric": "accuracy", "trials": 2, "workers": 1, "sampler": "random",
       "tracking": False}
ABLATED = {"name": "ablated", "metric": "accuracy", "groups": GROUPS, "folds": 3, "repeats": 1,
           "changes": {"shrunk": {"shrink": 0.9}, "halved": halved}, "workers": 1,
           "tracking": False}
'''  # noqa: E501


def main(archive: Path) -> None:
    PLACE.mkdir()  # it must not be there: nothing of another run may come along
    try:
        (PLACE / "eolab.toml").write_text(TOML)
        (PLACE / "cells.py").write_text(CELLS)
        os.chdir(PLACE)
        sys.argv[0] = "cells.py"
        expected = make(PLACE, twin=False)
        shutil.move(PLACE / "workspace", PLACE / "kept")
        # The same once more, and nothing pauses: what the paused ones must come to.
        expected["resumed"] = make(PLACE, twin=True)["resumed"]
        shutil.rmtree(PLACE / "workspace")
        shutil.move(PLACE / "kept", PLACE / "workspace")
        scrub(PLACE / "workspace")
        (PLACE / "expected.json").write_text(json.dumps(expected, indent=1))
        pack(archive)
    finally:
        shutil.rmtree(PLACE)


def cells() -> dict[str, object]:
    """What the cells define."""
    names: dict[str, object] = {"__name__": "__main__"}
    path = PLACE / "cells.py"
    exec(compile(path.read_text(), str(path), "exec"), names)  # noqa: S102  as a notebook does
    return names


def make(folder: Path, *, twin: bool) -> dict[str, object]:
    from eolab import saved

    ws = eo.workspace(folder / "eolab.toml")
    user = cells()
    expected: dict[str, Any] = {
        "python": list(sys.version_info[:2]),
        "optuna": version("optuna"),
        "scikit-learn": version("scikit-learn"),
    }
    catalogue(ws)
    chips = features(ws, user, expected)
    view = ws.features.feature_view("crops")
    split = view.train_validation_test_split(by="random", seed=1)
    dataset = view.create_training_dataset(split, description="first")
    expected["split"] = split.digest()
    expected["test_part"] = split.test.digest()
    studies(ws, user, split, dataset, chips, twin=twin)
    expected["resumed"] = {
        name: trials(ws.study(name)) for name in ("paused", "own", "paused-ablation")
    }
    if twin:
        frame = ws.ablation("paused-ablation").result().to_dataframe()
        expected["resumed"]["table"] = numbers(frame)
        return expected
    models(ws, split, expected)
    saved.keep(ws.root, "search", "fields in May", {"collections": ["fields"], "cloud": 20})
    saved.keep(ws.root, "area", "the farm", {"geometry": {
        "type": "Polygon", "coordinates": [[[15, 48.7], [15.1, 48.7], [15.1, 48.8], [15, 48.7]]],
    }})  # fmt: skip
    expected["studies"] = {
        str(s["name"]): {
            "state": s["state"], "counts": s["counts"], "best": s["best"], "kind": s["kind"],
            "digest": json.loads((ws.config.runs / str(s["name"]) / "study.json").read_text())[
                "digest"
            ],
            "trials": trials(ws.study(str(s["name"]))),
        }
        for s in ws.studies()
    }  # fmt: skip
    expected["ablation"] = {
        "table": numbers(ws.ablation("ablated").result().to_dataframe()),
        "per": numbers(ws.ablation("ablated").result("columns").to_dataframe()),
    }
    ws.catalog("mine").search()
    expected["search"] = {
        word: {kind: [row["id"] for row in rows] for kind, rows in ws.search(word).items()}
        for word in ("crops", "fields", "ended", "patches", "means", "")
    }
    expected["lineage"] = {
        f"{kind}:{name}": {side: [str(ref) for ref in refs] for side, refs in found.items()}
        for kind, name in (
            ("model", "means/1"), ("study", "ended"), ("view", "crops/1"),
            ("dataset", "crops/1#1"), ("chips", "patches#1"), ("commit", "spectra/1@0"),
        )
        for found in [ws.lineage(kind, name)]
    }  # fmt: skip
    return expected


def catalogue(ws: Any) -> None:
    """Four tiny scenes of two bands as a catalogue in the workspace."""
    import numpy as np
    import rasterio
    from affine import Affine

    files = ws.root / "scenes"
    files.mkdir(parents=True)
    y, x = np.mgrid[:24, :24]
    for number, day in enumerate(("0501", "0511", "0521", "0531")):
        for band, factor in (("B04", 1), ("B08", 3)):
            values = (400 + 40 * factor * ((x // 4 + y // 4 + number) % 5) + x).astype("uint16")
            with rasterio.open(
                files / f"scene_2024{day}_{band}.tif", "w", driver="GTiff", width=24, height=24,
                count=1, dtype="uint16", crs="EPSG:32633", nodata=0, compress="deflate",
                transform=Affine(10, 0, 500_000, 0, -10, 5_400_000),
            ) as file:  # fmt: skip
                file.write(values, 1)
    eo.ingest(files, to=ws.root / "catalogs" / "mine", collection="fields", workspace=ws.root)


def features(ws: Any, user: dict[str, Any], expected: dict[str, Any]) -> object:
    """Groups with several commits, chips, and a view with transformations."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    count = 60
    place = np.random.default_rng(2).uniform(5, 235, (count, 2))
    points = gpd.GeoDataFrame(
        {"field_id": np.arange(count)},
        geometry=[shapely.Point(500_000 + x, 5_400_000 - y) for x, y in place],
        crs="EPSG:32633",
    )
    cube = eo.load(ws.catalog("mine").search(), bands=["B04", "B08"], native=True, raw=True)
    rows = cube.eo.sample(points, id="field_id").drop(columns="geometry", errors="ignore")
    rows = rows.rename(columns={"B04": "red", "B08": "nir"})
    spectra = ws.features.create_feature_group(
        "spectra", primary_key=["field_id"], event_time="time", online_enabled=True,
        description="What the scenes say of the fields", tags=["crops"], units={"red": "1"},
    )  # fmt: skip
    keep = ["field_id", "time", "red", "nir"]
    attrs = rows.attrs
    rows = rows[keep]
    rows.attrs = attrs
    spectra.insert(rows)
    fields = ws.features.create_feature_group(
        "fields", primary_key=["field_id"], event_time="seen",
        description="Crops of the fields", owner="the farm",
    )  # fmt: skip
    seen = pd.Timestamp("2024-06-30", tz="UTC")
    red = rows.groupby("field_id")["red"].mean()
    names = np.where(red > red.median(), "wheat", "maize")
    frame = points.assign(crop=names, seen=seen, size=1.0)
    fields.insert(frame.iloc[:40])
    fields.insert(frame.iloc[40:])
    fields.insert(frame.iloc[:5].assign(size=2.0))
    fields.delete_rows(pd.DataFrame({"field_id": [59]}).assign(seen=seen))
    season = ws.features.create_feature_group(
        "season", primary_key=["field_id"], event_time="season_end", parents=[spectra],
        online_enabled=True,
    )  # fmt: skip
    season.insert(
        eo.seasonal(rows, columns=["nir"], start="03-01", end="05-31", id="field_id",
                    min_observations=1)
    )  # fmt: skip
    expected["history"] = [
        {
            "version": commit.version, "ingested": commit.ingested, "total": commit.total,
            "rows": sorted(
                [int(i), str(c), float(s)]
                for i, c, s in fields.read(
                    known_at=pd.Timestamp(commit.ingested, unit="us", tz="UTC")
                )[["field_id", "crop", "size"]].itertuples(index=False)
            ),
        }
        for commit in fields.commits()
    ]  # fmt: skip
    view = ws.features.create_feature_view(
        "crops", labels=fields.select("crop"),
        query=spectra.select(["red", "nir"]).join(season.select(["nir_median"])),
        transformations={"*": "standard", "nir_over_red": ["log1p", "minmax"]},
        functions=[user["nir_over_red"]], description="Crops by what the scenes say",
    )  # fmt: skip
    data = view.training_data()
    expected["view"] = {
        "digest": data.digest(), "columns": data.columns, "X": data.X[:4].tolist(),
        "features": list(view.features),
        "vector": [float(v) for v in view.get_feature_vector({"field_id": 3})],
    }  # fmt: skip
    made = cube.eo.chips(8)
    return ws.features.create_chip_dataset("patches", made, format="numpy")


def studies(
    ws: Any, user: dict[str, Any], split: Any, dataset: Any, chips: Any, *, twin: bool
) -> None:
    """All studies; those to be paused are left to their end in the twin."""
    from eolab.studies import tune

    def paused(start: Callable[[], object]) -> None:
        study = getattr(found := start(), "study", found)
        if twin:
            study.wait()
            return
        wait_until(lambda: study.summary()["counts"]["completed"] >= 2)
        study.pause()
        wait_until(lambda: study.state == "paused" and not study.summary()["counts"]["running"])
        end(study)

    ws.tune(user["simple"], data=split, **user["ENDED"]).refit()
    ws.tune(
        user["forest"],
        data=split,
        name="forest",
        metric="accuracy",
        trials=3,
        workers=1,
        sampler="grid",
        tracking=False,
    ).refit()
    ws.tune(user["thorough"], data=split, **user["DEEP"])
    ws.tune(user["from_dict"], data=user["parts"](), **user["OWN"])
    # Workers find the training dataset below the study's working directory, wherever that is.
    local = replace(ws.config.clusters["local"], options={"paths": {str(PLACE): "."}})
    here = replace(ws.config, clusters={**ws.config.clusters, "local": local})
    paused(lambda: tune(
        here, user["thorough"], data=dataset, name="paused", metric="accuracy", trials=14,
        workers=1, sampler="tpe", stop=["median:startup=2", {"kind": "threshold", "lower": 0.0}],
        seed=7, wait=False, tracking=False,
    ))  # fmt: skip
    space = eo_space(user)
    paused(lambda: ws.tune(
        user["chipped"], data=chips.subset(chips.ids[:4]), name="own", metric="score", trials=12,
        workers=1, space=space, sampler=user["Descending"](space, direction="maximize", seed=4),
        stop=user["Above"](), wait=False, tracking=False,
    ))  # fmt: skip
    ws.ablate(user["judged"], data=user["table"](), **user["ABLATED"])
    paused(lambda: ws.ablate(
        user["judged"], data=user["table"](), name="paused-ablation", metric="accuracy",
        features=True, groups={"radar": "VV*"}, params={"shrink": 0.1}, folds=3, repeats=1,
        workers=1, wait=False, tracking=False,
    ))  # fmt: skip


def eo_space(user: dict[str, Any]) -> object:
    from eolab.studies import Space

    return Space.from_dict(user["SPACE"])


def models(ws: Any, split: Any, expected: dict[str, Any]) -> None:
    """Two registered models and what they say."""
    from eolab.studies import FittedModel

    expected["models"] = {}
    for study, name in (("ended", "means"), ("forest", "tree")):
        (folder,) = (ws.config.runs / study / "refit").iterdir()
        version = ws.models.register(name, FittedModel.read(folder), test=split.test)
        expected["models"][name] = {
            "version": version.version, "aliases": list(version.aliases),
            "metrics": dict(version.metrics), "params": dict(version.params),
            "classes": list(version.classes),
            "predictions": version.predict(split.test).tolist(),
            "labels": version.predict_labels(split.test).tolist(),
        }  # fmt: skip


def trials(study: Any) -> list[dict[str, object]]:
    keys = ("n", "state", "params", "value", "curve")
    return [{key: trial[key] for key in keys} for trial in study.trials]


def numbers(frame: Any) -> list[dict[str, object]]:
    """A table without the seconds that its runs took."""
    kept = frame.drop(columns=[c for c in frame.columns if "second" in c])
    return json.loads(kept.to_json(orient="records"))


def wait_until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError("waited too long")
        time.sleep(0.01)


def end(study: Any) -> None:
    """A paused study needs no process: this one need not wait until it goes by itself."""
    from eolab.studies import journal
    from eolab.studies.detach import read_process

    os.kill(int(str(read_process(study.folder)["pid"])), signal.SIGTERM)
    wait_until(lambda: not journal.is_alive(study.folder))


# -- nothing says where it was made ----------------------------------------------------------


def scrub(root: Path) -> None:
    """Take out what belongs to this machine, and what can be made again."""
    wait_until(lambda: not any(root.rglob("*.tmp")))
    time.sleep(3)  # MLflow's feeder writes its last figures
    for path in sorted(root.rglob("*"), reverse=True):
        if path.name in GONE or path.suffix == ".log":
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for run in (root / "runs").iterdir():
        document = json.loads((run / "study.json").read_text())
        document.update(python="", library="", sys_path=[], cwd=str(PLACE))
        (run / "study.json").write_text(json.dumps(document, indent=1))
        shutil.rmtree(run / "workers", ignore_errors=True)
        events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
        for event in events:
            for key in ("host", "pid"):
                if key in event:
                    event[key] = "a-host" if key == "host" else 1
        lines = [json.dumps(event, separators=(",", ":")) + "\n" for event in events]
        (run / "events.jsonl").write_text("".join(lines))
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        database.execute("PRAGMA journal_mode=DELETE")
        database.execute("VACUUM")


def pack(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as file:
        for path in sorted(PLACE.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(PLACE))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
