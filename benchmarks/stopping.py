"""What the median rule saves on real data: the same 40 configurations with and without it.

    python -m benchmarks.stopping [--json] [--quick] [--figures] [--data FOLDER]

The labelled table of WorldCereal extractions (four classes of 20 samples or more, blocks of 0.05
degrees), a small network trained for 40 epochs, three seeds. `lost`: by how much the best value
found is worse with the rule, the worst of the seeds; `epochs_ratio`: epochs run with the rule over
those without, the mean. `--quick` takes one seed.

The metric is macro-F1 over five folds of blocks: in each epoch five networks are trained one epoch
further, and their predictions for the blocks that each has not seen are scored together. One
validation part alone will not do: two of the four classes have seven and nine samples there, so
that one sample moves macro-F1 by 0.03 or more, the best of 40 is mostly luck, and a rule that
stops a lucky trial "loses" what was never there (seen: 0.05 on one seed of three). All folds
together hold each labelled sample once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import eolab as eo
from benchmarks.figures import RESULTS, Curves, draw_curves
from eolab.settings import config
from eolab.settings.config import Config
from eolab.studies import tune
from eolab.studies.journal import files as journal
from eolab.training_data import Split

REACH = {"lost": ("<=", 0.01), "epochs_ratio": ("<=", 0.7)}
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "worldcereal-s1s2"
EPOCHS = 40
# Before a quarter of the epochs the order of the curves says little.
RULE = "median:warmup=10"


def train(
    data: list[Split],
    reporter: eo.Reporter,
    *,
    seed: int,
    rate: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-3,
    width: Annotated[int, eo.integer(8, 128, log=True)] = 32,
    decay: Annotated[float, eo.loguniform(1e-6, 1.0)] = 1e-4,
) -> None:
    """Networks of one hidden layer on standardised features, one a fold, epoch by epoch."""
    import warnings

    import numpy as np
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.neural_network import MLPClassifier

    folds = []
    for fold in data:
        assert fold.validation is not None
        mean = np.nanmean(fold.train.X, axis=0)
        spread = np.nanstd(fold.train.X, axis=0) + 1e-9
        X, V = (np.nan_to_num((p.X - mean) / spread) for p in (fold.train, fold.validation))
        model = MLPClassifier(
            (width,), learning_rate_init=rate, alpha=decay, batch_size=32, random_state=seed
        )
        folds.append((model, X, fold.train.y, V))
    classes = np.arange(len(data[0].train.classes))
    truth = np.concatenate([fold.validation.y for fold in data if fold.validation is not None])
    accuracy = macro_f1 = 0.0
    for epoch in range(EPOCHS):
        found = []
        for model, X, y, V in folds:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.partial_fit(X, y, classes=classes)
            found.append(model.predict(V))
        told = np.concatenate(found)
        # The best epoch so far is what would be kept.
        accuracy = max(accuracy, float(accuracy_score(truth, told)))
        macro_f1 = max(macro_f1, float(f1_score(truth, told, average="macro")))
        reporter.report(step=epoch, accuracy=accuracy, macro_f1=macro_f1)


def split(cfg: Config, folder: Path) -> list[Split]:
    """Five folds of blocks: each labelled sample is in one validation part."""
    from eolab.features import FeatureStore, SpatialBlocks
    from eolab.features.extract.labelled_tables import read_labelled_table

    table = read_labelled_table(folder / "test_public_extractions.parquet", label="sampling_label")
    store = FeatureStore(cfg)
    group = store.create_feature_group("w", primary_key=[table.key])
    group.insert(table.frame)
    view = store.create_feature_view(
        "w", labels=group.select(table.label), query=group.select(list(table.features))
    )
    by = SpatialBlocks(0.05, crs="EPSG:4326")
    return view.folds(by=by, n_splits=5, seed=0, min_samples=20)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="one seed instead of three")
    parser.add_argument("--metric", default="macro_f1", choices=["accuracy", "macro_f1"])
    parser.add_argument("--figures", action="store_true", help="write benchmarks/results/")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the extractions")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"no {options.data}: nothing to measure on", file=sys.stderr)
        return 1
    runs: list[dict[str, Any]] = []
    pictures: list[Curves] = []
    with tempfile.TemporaryDirectory() as folder:
        cfg = config.open_path(folder)
        data = split(cfg, options.data)
        for seed in range(1 if options.quick else 3):
            for stop in (None, RULE):
                print(f"... seed {seed}, stop {stop}", file=sys.stderr, flush=True)
                started = time.perf_counter()
                study = tune(
                    cfg, train, data=data, name=f"s{seed}{'m' if stop else ''}", trials=40,
                    metric=options.metric, sampler="random", pruner=stop, seed=seed, tracking=False,
                    workers=2,
                )  # fmt: skip
                follower = journal.Follower(study.folder)
                follower.refresh()
                trials = list(follower.record.trials.values())
                epochs = sum(len(t.curve) for t in trials)
                if seed == 0:
                    pictures.append(
                        {
                            "stop": stop, "seed": seed, "curves": [t.curve for t in trials],
                            "stopped": [t.state == "stopped" for t in trials],
                        }
                    )  # fmt: skip
                runs.append(
                    {
                        "seed": seed, "stop": stop, "epochs": epochs, "best": study.best_value,
                        "stopped": follower.record.counts["stopped"],
                        "wall_s": time.perf_counter() - started,
                    }
                )  # fmt: skip
    pairs = list(zip(runs[::2], runs[1::2], strict=True))
    results = {
        "quick": options.quick,
        "metric": options.metric,
        "lost": max(plain["best"] - with_rule["best"] for plain, with_rule in pairs),
        "epochs_ratio": sum(w["epochs"] / p["epochs"] for p, w in pairs) / len(pairs),
        "wall_ratio": sum(w["wall_s"] / p["wall_s"] for p, w in pairs) / len(pairs),
        "runs": runs,
    }
    results["missed"] = [name for name, (_, mark) in REACH.items() if results[name] > mark]
    if options.figures:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "stopping.json").write_text(json.dumps(results, indent=1) + "\n")
        draw_curves(pictures, metric=options.metric)
    if options.json:
        print(json.dumps(results))
        return 0
    for name, value in results.items():
        mark = f"  (reach {REACH[name][0]} {REACH[name][1]:g})" if name in REACH else ""
        print(f"{name:<14} {value}{mark}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
