"""`eolab demo` on the command line: options in, metrics out."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from eolab.errors import InvalidInputError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo` to the command line."""
    parser = commands.add_parser(
        "demo", help="the whole way from scenes to a registered model, without a notebook"
    )
    source = parser.add_argument_group("input (default: the simulated sample region)")
    source.add_argument("--data", type=Path, help="folder of a static STAC catalogue")
    source.add_argument("--labels", type=Path, help="labelled polygons of that region")
    source.add_argument("--table", type=Path, help="labelled table (parquet), one row a sample")
    source.add_argument("--label-column", help="the column that holds the labels")
    parser.add_argument("--workspace", type=Path, help="keep it there (default: a temporary one)")
    parser.add_argument("--trials", type=int, default=4, help="trials a study (default: 4)")
    parser.add_argument("--workers", type=int, default=2, help="parallel trials (default: 2)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Go the whole way and print the metrics."""
    from eolab.demo.way import Options, go

    _check(options)
    # TensorFlow's start-up notes would stand between our lines.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    started = time.perf_counter()
    with _folder(options.workspace) as folder:
        result = go(
            folder,
            Options(
                data=options.data,
                labels=options.labels,
                table=options.table,
                label_column=options.label_column,
                trials=options.trials,
                workers=options.workers,
                seed=options.seed,
            ),
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    result["seconds"] = round(time.perf_counter() - started, 1)
    if options.json:
        print(json.dumps(result))
    return 0


def _check(options: argparse.Namespace) -> None:
    if options.table is not None and (options.data is not None or options.labels is not None):
        raise InvalidInputError(
            "--table goes without --data and --labels", "Give scenes or a table."
        )
    if (options.data is None) != (options.labels is None):
        raise InvalidInputError(
            "--data and --labels go together", "Give a catalogue and its polygons."
        )
    if (options.data is not None or options.table is not None) and not options.label_column:
        raise InvalidInputError(
            "--label-column is missing", "Name the column that holds the labels."
        )
    for name in ("data", "labels", "table"):
        path = getattr(options, name)
        if path is not None and not path.exists():
            raise InvalidInputError(f"--{name}: there is no {path}", "Check the path.")
    if options.trials < 1 or options.workers < 1:
        raise InvalidInputError(
            "--trials and --workers must be 1 or more", "Leave them out to try."
        )


@contextlib.contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    """The workspace's folder: the named one, else a temporary one that goes when we are done."""
    if named is not None:
        yield named.expanduser().resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="eolab-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
