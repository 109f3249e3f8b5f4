"""Record the learning curves that `benchmarks.spark_studies` plays: 64 real configurations.

    python -m benchmarks.record_curves [--data FOLDER]

The networks of `benchmarks.stopping` on the WorldCereal table, 40 epochs each, drawn at random, no
stop rule. Written to `benchmarks/results/curves.json`; it takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.figures import RESULTS
from benchmarks.stopping import DATA, split, train
from eolab.settings import config
from eolab.studies import tune

FILE = RESULTS / "curves.json"
CONFIGURATIONS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the extractions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cfg = config.open_path(folder)
        study = tune(
            cfg, train, data=split(cfg, options.data), name="record", trials=CONFIGURATIONS,
            metric="macro_f1", sampler="random", seed=0, workers=2, tracking=False,
        )  # fmt: skip
        rows = [
            {
                "params": t["params"],
                "curve": [round(value, 4) for _, value in t["curve"]],
                "seconds": round(t["ended"] - t["started"], 3),
            }
            for t in study.trials
        ]
    text = ",\n".join(json.dumps(row) for row in rows)
    FILE.write_text(f'{{"metric": "macro_f1", "trials": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
