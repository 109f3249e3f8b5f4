"""`tune`: check everything, write the study down, start its process, wait."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from eolab import progress
from eolab.errors import ConflictError, InvalidInputError, nearest
from eolab.files import writes
from eolab.records import lineage
from eolab.settings.config import Config, check_name
from eolab.studies.client import checks, imports, packing
from eolab.studies.client.launch import await_commands, send_command, start_process
from eolab.studies.client.study import Study
from eolab.studies.journal import files as journal
from eolab.studies.journal.state import ENDED, FORMAT
from eolab.studies.plans.factory import make_strategy
from eolab.studies.space.parameters import Parameter
from eolab.studies.space.space import Space
from eolab.studies.worker import tensorflow_notes

if TYPE_CHECKING:
    from eolab.studies.samplers.factory import SamplerSpec
    from eolab.studies.space.states import Direction
    from eolab.studies.stopping.factory import RuleSpec

DIRECTIONS = ("maximize", "minimize")


def tune(
    config: Config,
    train: Callable[..., object],
    *,
    data: object = None,
    name: str | None = None,
    metric: str,
    direction: Direction = "maximize",
    trials: int = 16,
    workers: int | None = None,
    on: str = "local",
    space: Mapping[str, Parameter] | Space | None = None,
    sampler: SamplerSpec = "tpe",
    stop: RuleSpec = None,
    seed: int = 0,
    resume: bool | Literal["anyway"] = True,
    wait: bool = True,
    timeout: float | None = None,
    target: float | None = None,
    trial_timeout: float | None = None,
    retries: int = 2,
    cpus: int | None = None,
    threads: int | None = None,
    memory: float | None = None,
    lease: float = 15.0,
    tracking: bool = True,
    mailbox: str | bool = False,
    modules: Sequence[str] = (),
    check_metric: bool = True,
) -> Study:
    """Run trials of ``train`` in parallel until the budget is used up.

    A study is its name: called again with the same code, space and data it attaches to the running
    study, resumes a stopped one or hands back the finished one.

    Args:
        config: The workspace.
        train: ``def train(data, reporter, *, seed, <hyperparameters>)``, any argument optional.
            Its value is what it returns (a number, or a dict with ``metric``), else the last
            reported.
        data: What the function gets as ``data``; a `Split` arrives without its test part. A
            training dataset arrives as its split, read where the worker is; so does a path, which
            the function opens (on a cluster under the name that `paths` in its table gives).
        name: The study's name in the workspace; by default the function's.
        metric: The figure to optimise.
        direction: "maximize" or "minimize".
        trials: How many trials.
        workers: How many at a time; by default what the cluster carries.
        on: Name of a cluster in `eolab.toml`.
        space: Hyperparameters, if not in the function's annotations.
        sampler: "random", "grid", "qmc", "tpe", "gp", "cmaes", or your own.
        stop: Rule for stopping trials early, for example "median".
        seed: Everything random follows from it.
        resume: False refuses an existing name; "anyway" goes on although code, space or
            data changed.
        wait: Return when the study has ended; else at once.
        timeout: Seconds after which no further trial is started.
        target: Value at which the study has found enough.
        trial_timeout: Seconds that one trial may take.
        retries: How often a trial is started again after its process was killed or its worker lost.
        cpus: Cores that each worker takes: so many fewer workers run by default. On Spark, of its
            task.
        threads: Threads that one trial's numerical libraries may use; by default ``cpus``, else the
            cores are shared out.
        memory: Gigabytes that one trial may take; one that takes more fails. Fewer workers run by
            default where the machine would not hold them.
        lease: Seconds without a word after which a worker counts as lost.
        tracking: Project the study into MLflow.
        mailbox: A folder or fsspec URL that study and workers both see, where workers cannot dial
            the study; True takes one in the study's folder.
        modules: Your own modules that the function imports, to travel to a cluster with it.
        check_metric: Whether a metric that looks wrong for the direction is an error.

    Raises:
        InvalidInputError: Whatever can be known to be wrong before the first trial.
        ConflictError: The name belongs to a study of other code, space or data; the message says
            what changed.
    """
    name = packing.function_name(train) if name is None else name
    check_name(name, "study")
    run = config.runs / name
    if direction not in DIRECTIONS:
        raise InvalidInputError(
            f"direction={direction!r}", nearest(str(direction), DIRECTIONS, "directions")
        )
    for label, number in (
        ("trials", trials), ("workers", 1 if workers is None else workers),
        ("cpus", 1 if cpus is None else cpus), ("threads", 1 if threads is None else threads),
    ):  # fmt: skip
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InvalidInputError(f"{label}={number!r}", "Give a whole number of 1 or more.")
    if not metric or not isinstance(metric, str):
        raise InvalidInputError(
            f"metric={metric!r}", "Name the figure that train returns or reports."
        )
    found = _space(train, space)
    checks.check_call(train, found, has_data=data is not None)
    if check_metric:
        checks.check_metric(train, metric, direction)
    make = functools.partial(
        make_strategy, found, sampler=sampler, stop=stop, metric=metric,
        direction=direction, seed=seed, trials=trials,
    )  # fmt: skip
    plan, rule = make()
    if plan.limit is not None:
        trials = min(trials, plan.limit)
    if plan.to_json()["kind"] in {"asha", "hyperband"}:
        checks.check_takes_budget(train)
    cluster = config.clusters.get(on)
    if cluster is None:
        raise InvalidInputError(
            f"no cluster {on!r}", nearest(on, tuple(config.clusters), "clusters")
        )
    data = packing.stored(data)
    if hasattr(data, "sealed"):
        data = data.sealed()

    import cloudpickle

    from eolab.clusters.local import fitting_workers, thread_caps, thread_environment

    usual = cluster.options.get("cpus")
    each = cpus or (usual if isinstance(usual, int) else 1)
    count = workers or cluster.workers or fitting_workers(cpus=each, memory=memory)
    capped = threads or cpus
    caps = thread_environment(capped) if capped else thread_caps(count)
    study: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "kind": "tune",
        "metric": metric,
        "direction": direction,
        "space": found.to_json(),
        "plan": plan.to_json(),
        "stop": None if rule is None else rule.to_json(),
        "seed": seed,
        "trials": trials,
        "workers": count,
        "timeout": timeout,
        "target": target,
        "trial_timeout": trial_timeout,
        "retries": retries,
        "lease": lease,
        "memory": None if memory is None else memory * 1e9,
        "tracking": tracking,
        "mailbox": str(run / "mailbox") if mailbox is True else mailbox or "",
        "cluster": {
            "name": on,
            "kind": cluster.kind,
            "home": str(config.root / "clusters" / on),
            "workers": cluster.workers,
            **cluster.options,
            **({} if cpus is None else {"cpus": cpus}),
        },
        "modules": imports.imported_modules(train, data, modules)
        if cluster.kind == "spark"
        else [],
        "function": getattr(train, "__name__", type(train).__name__),
        "source": packing.source_text(train),
        "imports": imports.needed_imports(train),
        "data": _about(data),
        "digest": {
            "code": packing.digest_function(train),
            "space": packing.digest_data(json.dumps(found.to_json())),
            "data": packing.digest_data(data),
            "options": packing.digest_data(
                json.dumps(
                    [
                        metric,
                        direction,
                        seed,
                        plan.to_json(),
                        None if rule is None else rule.to_json(),
                    ]
                )
            ),
        },
        "created": time.time(),
        "workspace": str(config.root),
        "config": None if config.file is None else str(config.file),
        "python": str(Path.cwd() / sys.executable),  # relative where PATH is
        "library": str(Path(__file__).resolve().parents[3]),
        "sys_path": [p or str(Path.cwd()) for p in sys.path],
        "cwd": str(Path.cwd()),
        # Text hashes decide the order of sets: fixed, so that equal seeds give equal trials.
        "environment": {
            **caps,
            "PYTHONHASHSEED": "0",
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", tensorflow_notes.LEVEL),
        },
    }
    carry = cluster.kind == "spark"  # its executors may have no eolab
    function = packing.pack_function(train, carry=carry, modules=modules)
    paths = cluster.options.get("paths")
    there = packing.relocate(data, paths if isinstance(paths, Mapping) else {})
    files = {journal.FUNCTION: function, journal.PLAN: cloudpickle.dumps(make)}
    if data is not None:
        files[journal.DATA] = packing.pack_data(there, carry=carry)
    if there is not data:
        files[journal.DATA_HERE] = packing.pack_data(data)
    if (run / journal.STUDY).exists():
        resumed = _attach(run, study, files, resume=resume)
    else:
        _write(run, study, files)
        origins = lineage.origins(getattr(data, "source", None))
        lineage.record(config.root, origins, lineage.Ref("study", name))
        start_process(run)
        resumed = True
    opened = Study(run)
    shown = progress.show(opened)
    if wait and resumed:
        opened.wait(quiet=shown)  # a live view needs no bar beside it
    return opened


def _space(train: Callable[..., object], space: Mapping[str, Parameter] | Space | None) -> Space:
    if space is None:
        if not callable(train):
            raise InvalidInputError(
                f"train is a {type(train).__name__}, not a function",
                "Give the function itself, without ().",
            )
        return Space.from_signature(train)
    if isinstance(space, Space):
        space.check()
        return space
    return Space.from_dict(space)


def _about(data: object) -> dict[str, object]:
    """What `study.json` says about the data: its kind, and where a split comes from."""
    about: dict[str, object] = {"kind": type(data).__name__}
    source = getattr(data, "source", None)
    if isinstance(source, Mapping):
        about["source"] = json.loads(json.dumps(dict(source), default=str))
    return about


def _write(run: Path, study: dict[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a study's folder; `study.json` comes last and makes it a study."""
    run.mkdir(parents=True, exist_ok=True)
    for name in (journal.FUNCTION, journal.DATA, journal.DATA_HERE, journal.PLAN):
        if name in files:
            writes.write_bytes(run / name, files[name], mode=0o600)
        else:
            (run / name).unlink(missing_ok=True)
    writes.write_json(run / journal.STUDY, study)


_WORDS = {
    "code": "the train function",
    "space": "the space",
    "data": "the data",
    "options": "metric, direction, seed, sampler or stop rule",
}


def _attach(
    run: Path,
    study: dict[str, Any],
    files: Mapping[str, bytes],
    *,
    resume: bool | Literal["anyway"],
) -> bool:
    """Go on with the study that has this name; False if nothing is left to do."""
    name = study["name"]
    if resume is False:
        raise ConflictError(
            f"there is a study {name!r} already", "Take another name, or leave resume=False out."
        )
    old = journal.read_study(run)
    changed = [_WORDS[k] for k in _WORDS if old["digest"].get(k) != study["digest"][k]]
    follower = journal.Follower(run)
    follower.refresh()
    state, record = follower.state, follower.record
    alive = journal.is_alive(run)
    while alive and state in ENDED:  # it is just leaving
        time.sleep(0.02)
        alive = journal.is_alive(run)
    if changed and resume != "anyway":
        raise ConflictError(
            f"study {name!r} exists and {_join(changed)} changed since",
            'Take another name, or resume="anyway" to go on with what is there now.',
        )
    if changed and alive and state == "paused":
        send_command(run, "cancel")  # its first trials failed, say: nothing is lost
        while alive:
            time.sleep(0.02)
            alive = journal.is_alive(run)
        follower.refresh()
    if changed and alive:
        raise ConflictError(
            f"study {name!r} is running with the old code",
            f"Call ws.study({name!r}).cancel() first.",
        )
    if changed or not alive:
        # The environment may be another one today; created and what was asked for stay.
        _write(
            run,
            {
                **study,
                "created": old["created"],
                "trials": old["trials"],
                "workers": old["workers"],
            },
            files,
        )
    budget = {
        key: study[key]
        for key, before in (("trials", record.budget_trials), ("workers", record.wanted_workers),
                            ("timeout", record.timeout), ("target", record.target))
        if study[key] != before
    }  # fmt: skip
    if budget:
        send_command(run, "set", **budget)
        await_commands(run)
    if changed:
        for trial in record.trials.values():
            if trial.state == "failed":  # new code deserves a new try
                send_command(run, "retry", n=trial.n)
    if journal.Follower(run).summary()["state"] in {"paused", "cancelled"}:
        send_command(run, "resume")
    if state in {"completed", "failed"} and not budget and not changed:
        return False
    if not start_process(run) and (run / journal.COMMANDS).exists():
        await_commands(run)
    return True


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def list_studies(config: Config) -> list[dict[str, Any]]:
    """A summary of each study of the workspace, newest first; damaged ones are left out."""
    found = []
    if config.runs.is_dir():
        for run in config.runs.iterdir():
            if (run / journal.STUDY).exists():
                try:
                    found.append(journal.Follower(run).summary())
                except (ConflictError, KeyError, OSError):
                    continue
    return sorted(found, key=lambda s: -float(s["created"]))


def open_study(config: Config, name: str) -> Study:
    """Attach to a study by name.

    Raises:
        NotFoundError: There is none of this name.
    """
    from eolab.errors import NotFoundError

    run = config.runs / check_name(name, "study")
    if not (run / journal.STUDY).exists():
        names = (
            sorted(p.name for p in config.runs.iterdir() if (p / journal.STUDY).exists())
            if config.runs.is_dir()
            else []
        )
        raise NotFoundError(f"no study {name!r}", nearest(name, names, "studies"))
    return Study(run)
