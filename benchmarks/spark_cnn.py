"""A real search on Spark, both ways, once: a small Keras CNN on chips, 24 trials, 2 workers.

    python -m benchmarks.spark_cnn [--json] [--save]

The same 24 configurations (width, kernel, learning rate and epochs, drawn once) of a small network
on chips of the simulated region, each with one thread of TensorFlow: as waves of 2, a Spark job for
each wave, as tuning with Spark alone goes; and as a study on the same Connect server. Both start
when TensorFlow is loaded in two Python workers. `vs_waves` is wall clock over waves;
`ideal_ratio` what the greedy schedule of the measured durations would take over waves of them.
`same` says whether both ways found the same value for every configuration.

No mark is set for it: two workers leave less to win than eight, and two cores are shared by both
workers, Spark and the study. It shows that the sleeping trials of `benchmarks.spark_studies` do not
promise what real ones do not keep.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

import eolab as eo
from benchmarks.engine import Listed, greedy
from benchmarks.figures import RESULTS
from benchmarks.spark_studies import Bench, waves
from eolab.studies.journal import files as journal
from eolab.training_data import Split, TrainingData

TRIALS, WORKERS = 24, 2
Train = Callable[..., dict[str, float]]
Timed = dict[str, list[float]]


def chips(folder: Path) -> Split:
    """Chips of 160 m of two-monthly composites, labelled by crop; blocks of 600 m, three folds."""
    import geopandas as gpd

    from eolab.catalog import open_source
    from eolab.catalog.simulate.write import write_sample
    from eolab.settings.config import find, init
    from eolab.studies.ablation.folds import group_folds

    init(folder)
    config = find(folder)
    write_sample(config.sample)
    items = open_source(config, "sample").search(
        collections=["sentinel-2-l2a-simulated"], datetime="2021", max_cloud=40
    )
    cube = eo.load(
        items, bands=["green", "red", "rededge1", "nir", "swir16"], crs="EPSG:32633",
        resolution=20, mask=eo.mask(drop=["cloud", "shadow"], dilate=20),
    )  # fmt: skip
    pictures = cube.eo.composite(period="2M").drop_vars("count")
    parcels = gpd.read_parquet(config.sample / "parcels.parquet")
    found = pictures.eo.chips(8, stride=4, masks=parcels, column="crop", min_labelled=0.7)
    samples, crops, blocks = [], [], []
    for (pixels, mask), place in zip(found, found.places().itertuples(), strict=True):
        shares = np.bincount(mask[mask >= 0], minlength=len(found.classes)) / mask.size
        if shares.max() < 0.7:
            continue  # on the border of two fields
        samples.append(np.moveaxis(pixels, 0, 2).reshape(8, 8, -1))
        crops.append(shares.argmax())
        blocks.append(f"{place.x // 600:.0f}_{place.y // 600:.0f}")
    X = np.nan_to_num(np.stack(samples).astype("float32"), nan=0.0)
    columns = tuple(f"c{i}" for i in range(X.shape[-1]))
    data = TrainingData(X, np.array(crops), np.array(blocks), columns, classes=tuple(found.classes))
    return group_folds(data, 3, 0)[0]


def make_train(configurations: Sequence[Mapping[str, float]], seed: int) -> Train:
    """A train function for the study, which also tells when it began and ended."""

    def train(data: Split, *, row: int) -> dict[str, float]:
        import os
        import time

        began = time.time()
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import contextlib

        import keras
        import numpy as np
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # set by the first trial here
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        if row < 0:  # loads, and waits for the other worker
            return {"score": 0.0, "began": began, "ended": time.time()}
        chosen = configurations[row]
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed + row)
        width, kernel = int(chosen["width"]), int(chosen["kernel"])
        model = keras.Sequential(
            [
                keras.Input(data.train.X.shape[1:]),
                keras.layers.Rescaling(3.0, offset=-0.5),
                keras.layers.Conv2D(width, kernel, padding="same", activation="relu"),
                keras.layers.Conv2D(width, kernel, padding="same", activation="relu"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(len(data.train.classes), activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.Adam(chosen["lr"]), loss="sparse_categorical_crossentropy")
        model.fit(
            data.train.X, data.train.y, epochs=int(chosen["epochs"]), batch_size=32, verbose=0
        )
        said = model.predict_on_batch(data.validation.X).argmax(axis=1)
        value = float(np.mean(said == data.validation.y))
        return {"score": value, "began": began, "ended": time.time()}

    return train


def draw_configurations() -> list[dict[str, float]]:
    draw = random.Random(2022)
    return [
        {
            "width": draw.choice([8, 16, 32]), "kernel": draw.choice([3, 5]),
            "lr": 10 ** draw.uniform(-3.5, -2), "epochs": draw.randint(5, 40),
        }
        for _ in range(TRIALS)
    ]  # fmt: skip


class Rows(Listed):
    """First one for each worker to load TensorFlow, then the configurations in their order."""

    def __init__(self) -> None:
        self.limit = WORKERS + TRIALS

    def ask(self, n: int) -> dict[str, float]:
        return {"row": n - WORKERS if n >= WORKERS else -1 - n}


def by_waves(bench: Bench, train: Train, data: Split) -> Timed:
    """Values and durations by configuration, and the wall clock of all waves."""

    def job(rows: Sequence[int]) -> list[dict[str, float]]:
        wanted = list(rows)

        def run(batches):
            import json

            import pyarrow as pa

            for batch in batches:
                found = [json.dumps(train(data, row=wanted[i])) for i in
                         batch["id"].to_pylist()]  # fmt: skip
                yield pa.RecordBatch.from_pydict({"found": found})

        n = len(wanted)
        frame = bench.spark.range(0, n, 1, n).mapInArrow(run, "found string")
        return [json.loads(row["found"]) for row in frame.collect()]

    job([-1] * WORKERS)  # loads TensorFlow; Spark keeps its Python workers
    began = time.monotonic()
    found = [one for i in range(0, TRIALS, WORKERS) for one in job(range(i, i + WORKERS))]
    return {
        "values": [f["score"] for f in found], "seconds": [f["ended"] - f["began"] for f in found],
        "wall": [time.monotonic() - began],
    }  # fmt: skip


def by_study(bench: Bench, train: Train, data: Split) -> Timed:
    """The same as a study."""
    study = bench.tune(
        train, data=data, trials=WORKERS + TRIALS, workers=WORKERS, sampler=Rows(),
        space={"row": eo.integer(-WORKERS, TRIALS - 1)},
    )  # fmt: skip
    trials = study.record.trials
    loaded = max(trials[n].ended or 0.0 for n in range(WORKERS))
    rows = [trials[n] for n in range(WORKERS, WORKERS + TRIALS)]
    last = [e["t"] for e in journal.read_events(study.folder) if e["e"] == "finish"][-1]
    return {
        "values": [t.value for t in rows],
        "seconds": [t.metrics["ended"] - t.metrics["began"] for t in rows],
        "wall": [last - loaded],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="eolab-cnn-") as folder:
        data = chips(Path(folder))
    train = make_train(draw_configurations(), 7)
    bench = Bench(quick=False)
    try:
        peer = by_waves(bench, train, data)
        ours = by_study(bench, train, data)
    finally:
        bench.close()
    seconds = peer["seconds"]
    document = {
        "chips": len(data.train), "trials": TRIALS, "workers": WORKERS,
        "waves_s": peer["wall"][0], "study_s": ours["wall"][0],
        "vs_waves": ours["wall"][0] / peer["wall"][0],
        "ideal_ratio": greedy(seconds, WORKERS) / waves(seconds, WORKERS),
        "same": peer["values"] == ours["values"], "best": max(ours["values"]),
        "seconds_waves": seconds, "seconds_study": ours["seconds"],
    }  # fmt: skip
    if options.save:
        (RESULTS / "spark_cnn.json").write_text(json.dumps(document, indent=1) + "\n")
    if options.json:
        print(json.dumps(document))
    else:
        for name, value in document.items():
            print(f"{name:14} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
