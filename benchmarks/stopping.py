"""What the median rule saves on real data: the same 40 configurations with and without it.

    python -m benchmarks.stopping [--json] [--quick] [--data FOLDER]

The labelled table of WorldCereal extractions (four classes of 20 samples or more, blocks of 0.05
degrees), a small network trained for 40 epochs, three seeds. `lost`: by how much the best value
found is worse with the rule, the worst of the seeds; `epochs_ratio`: epochs run with the rule over
those without, the mean. `--quick` takes one seed.

The metric is accuracy on the validation blocks. Two of the four classes have seven and nine
samples there, so that one sample moves macro-F1 by 0.03 or more: its best of 40 is mostly luck, and
what a rule loses of it says little (`--metric macro_f1` shows that).
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
from eolab import config
from eolab.config import Config
from eolab.data import Split
from eolab.studies import journal, tune

REACH = {"lost": ("<=", 0.01), "epochs_ratio": ("<=", 0.7)}
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "worldcereal-s1s2"
EPOCHS = 40


def train(
    data: Split,
    reporter: eo.Reporter,
    *,
    seed: int,
    rate: Annotated[float, eo.loguniform(1e-4, 1e-1)] = 1e-3,
    width: Annotated[int, eo.integer(8, 128, log=True)] = 32,
    decay: Annotated[float, eo.loguniform(1e-6, 1.0)] = 1e-4,
) -> None:
    """A network of one hidden layer on standardised features; reports after each epoch."""
    import warnings

    import numpy as np
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.neural_network import MLPClassifier

    assert data.validation is not None
    mean = np.nanmean(data.train.X, axis=0)
    spread = np.nanstd(data.train.X, axis=0) + 1e-9
    X, V = (np.nan_to_num((p.X - mean) / spread) for p in (data.train, data.validation))
    classes = np.arange(len(data.train.classes))
    model = MLPClassifier((width,), learning_rate_init=rate, alpha=decay, random_state=seed)
    accuracy = macro_f1 = 0.0
    for epoch in range(EPOCHS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.partial_fit(X, data.train.y, classes=classes)
        found = model.predict(V)
        # The best epoch so far is what would be kept.
        accuracy = max(accuracy, float(accuracy_score(data.validation.y, found)))
        macro_f1 = max(macro_f1, float(f1_score(data.validation.y, found, average="macro")))
        reporter.report(step=epoch, accuracy=accuracy, macro_f1=macro_f1)


def split(cfg: Config, folder: Path) -> Split:
    from eolab.features import Blocks, FeatureStore
    from eolab.features.tables import read_labelled_table

    table = read_labelled_table(folder / "test_public_extractions.parquet", label="sampling_label")
    store = FeatureStore(cfg)
    group = store.create_feature_group("w", primary_key=[table.key])
    group.insert(table.frame)
    view = store.create_feature_view(
        "w", labels=group.select(table.label), query=group.select(list(table.features))
    )
    by = Blocks(0.05, crs="EPSG:4326")
    return view.train_validation_test_split(
        by=by, validation_size=0.3, test_size=0.1, seed=0, min_samples=20
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="one seed instead of three")
    parser.add_argument("--metric", default="accuracy", choices=["accuracy", "macro_f1"])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the extractions")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"no {options.data}: nothing to measure on", file=sys.stderr)
        return 1
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        cfg = config.open_path(folder)
        data = split(cfg, options.data)
        for seed in range(1 if options.quick else 3):
            for stop in (None, "median:startup=5,warmup=5"):
                print(f"... seed {seed}, stop {stop}", file=sys.stderr, flush=True)
                started = time.perf_counter()
                study = tune(
                    cfg, train, data=data, name=f"s{seed}{'m' if stop else ''}", trials=40,
                    metric=options.metric, sampler="random", stop=stop, seed=seed, tracking=False,
                    workers=2,
                )  # fmt: skip
                follower = journal.Follower(study.folder)
                follower.refresh()
                epochs = sum(len(t.curve) for t in follower.record.trials.values())
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
    if options.json:
        print(json.dumps(results))
        return 0
    for name, value in results.items():
        mark = f"  (reach {REACH[name][0]} {REACH[name][1]:g})" if name in REACH else ""
        print(f"{name:<14} {value}{mark}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
