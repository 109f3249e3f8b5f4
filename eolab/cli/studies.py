"""`eolab studies ...`: look at studies and act on them from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eolab.cli.options import add_json, add_workspace
from eolab.errors import InvalidInputError
from eolab.records import titles
from eolab.records.lineage import Ref
from eolab.records.titles import Display

if TYPE_CHECKING:
    from eolab.cli.options import Commands
    from eolab.settings.config import Config


def add_parser(commands: Commands) -> None:
    """Add `studies` and its commands to the parser of `eolab`."""
    studies = commands.add_parser("studies", help="look at studies, act on them")
    studies.set_defaults(run=lambda _: studies.print_help())
    inner = studies.add_subparsers(title="commands", metavar="COMMAND")
    for name, help_text, run in (
        ("list", "all studies, newest first", run_list),
        ("show", "one study: state, best, trials", run_show),
        ("follow", "print what happens until the study ends", run_follow),
        ("pause", "start no further trials", run_command),
        ("resume", "go on, also after its process died", run_command),
        ("cancel", "stop everything now", run_command),
        ("delete", "move a study to the bin, for 30 days", run_delete),
        ("restore", "bring a deleted study back", run_restore),
        ("sync", "write the study to MLflow again from its journal", run_sync),
        ("export", "write the study as an Optuna journal file", run_export),
    ):
        parser = inner.add_parser(name, help=help_text)
        add_workspace(parser)
        if name != "list":
            parser.add_argument("name", help="name of the study")
        if name in {"list", "show"}:
            add_json(parser)
        if name == "export":
            parser.add_argument("file", type=Path, help="the file to write")
        parser.set_defaults(run=run, command=name)


def _config(options: argparse.Namespace) -> Config:
    from eolab.settings import config

    return config.find() if options.workspace is None else config.open_path(options.workspace)


def run_list(options: argparse.Namespace) -> int:
    """Print a line a study that is not archived."""
    from eolab.studies.client.tune import list_studies

    config = _config(options)
    every = list_studies(config)
    shown = titles.read(config.root)
    summaries = [s for s in every if not shown.get(Ref("study", s["name"]), Display()).archived]
    if options.json:
        print(json.dumps({"studies": summaries}))
        return 0
    if not summaries:
        print(
            "All studies are archived: see `eolab bin`." if every else "There are no studies yet."
        )
    for s in summaries:
        counts = s["counts"]
        done = counts["completed"] + counts["failed"] + counts["stopped"]
        words = f"{done}/{s['budget']['trials']} trials"
        if counts["failed"]:
            words += f", {counts['failed']} failed"
        # The best run of an ablation is luck: its result is the differences (`studies show`).
        if s["best"] is not None and s["kind"] != "ablation":
            words += f", best {s['metric']} {s['best']['value']:.6g}"
        why = f"; {s['message']}" if s["state"] == "waiting" else ""
        print(f"{s['name']:<28} {s['state']:<12} {words}{why}")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Print a study and its trials; of an ablation its table and what it says."""
    from eolab.studies.client.tune import open_study

    study = open_study(_config(options), options.name)
    snapshot = study.snapshot()
    if options.json:
        print(json.dumps(snapshot))
        return 0
    print(_state(snapshot))
    if snapshot["kind"] == "ablation":
        from eolab.studies.ablation import open_ablation

        print(f"\n{open_ablation(_config(options), options.name).result()}\n")
    elif snapshot["best"] is not None:
        best = snapshot["best"]
        value = f"{snapshot['metric']} {best['value']:.6g}"
        print(f"best {value} in trial {best['trial']}: {_params(best)}")
    for trial in snapshot["trials"]:
        value = "" if trial["value"] is None else f"{trial['value']:.6g}"
        error = (trial["error"] or "").partition("\n")[0]
        start = f"{trial['number']:>5} {trial['state']:<10} {value:<12}"
        print(f"{start} {_params(trial)} {error}".rstrip())
    return 0


def _state(summary: Mapping[str, Any]) -> str:
    message = f": {summary['message']}" if summary["message"] else ""
    return f"{summary['name']}: {summary['state']}{message}"


def _params(trial: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in trial["params"].items()
    )


def run_follow(options: argparse.Namespace) -> int:
    """Print finished trials as they come; Ctrl-C ends the following only."""
    from eolab.studies.client.tune import open_study
    from eolab.studies.journal.state import ENDED, is_paused_by_user

    study = open_study(_config(options), options.name)
    seen: set[tuple[int, int]] = set()
    waited = False
    while True:
        state = study.state
        if state == "waiting" and not waited:
            print(_state(study.summary()), flush=True)
        waited = state == "waiting"
        for trial in study.trials:
            key = (trial["number"], trial["attempts"])
            if trial["state"] in {"completed", "failed", "stopped"} and key not in seen:
                seen.add(key)
                value = "" if trial["value"] is None else f"{trial['value']:.6g}"
                said = (trial["error"] or "").partition("\n")[0] or _params(trial)
                print(
                    " ".join(
                        filter(None, ("trial", str(trial["number"]), trial["state"], value, said))
                    ),
                    flush=True,
                )
        stuck = state == "paused" and not is_paused_by_user(study.message)
        if state in ENDED or state == "interrupted" or stuck:
            print(_state(study.summary()))
            return 0 if state == "completed" else 1
        time.sleep(0.3)


def run_command(options: argparse.Namespace) -> int:
    """Pause, resume or cancel a study."""
    from eolab.studies.client.launch import send_command
    from eolab.studies.client.tune import open_study

    study = open_study(_config(options), options.name)
    send_command(study.folder, options.command)
    print(f"{options.name}: asked to {options.command}")
    return 0


def run_delete(options: argparse.Namespace) -> int:
    """Move a study to the bin."""
    from eolab.studies.client.tune import open_study

    open_study(_config(options), options.name).delete()
    print(f"{options.name}: deleted; for 30 days `eolab studies restore {options.name}` undoes it")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Bring back the study that was deleted last under a name."""
    from eolab.records import deleted

    root = _config(options).root
    deleted.restore(root, deleted.find(root, "study", options.name))
    print(f"{options.name}: restored")
    return 0


def run_sync(options: argparse.Namespace) -> int:
    """Run MLflow's feeder once over the whole journal."""
    import subprocess

    from eolab.studies.client.tune import open_study

    study = open_study(_config(options), options.name)
    return subprocess.call([sys.executable, "-m", "eolab.tracking", str(study.folder), "--once"])


def run_export(options: argparse.Namespace) -> int:
    """Write the study for Optuna and its dashboard."""
    from eolab.studies.client.tune import open_study

    if options.file.exists():
        raise InvalidInputError(f"{options.file} exists", "Name a new file.")
    open_study(_config(options), options.name).to_journal_file(options.file)
    print(f"{options.file}: open it with optuna-dashboard")
    return 0
