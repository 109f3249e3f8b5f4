"""`tune`: check everything, write the study down, start its process, wait."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from eolab import progress
from eolab.argument_checks import checked
from eolab.deprecation import renamed_arguments, warn_renamed
from eolab.errors import ConflictError, InvalidInputError, NotFoundError, nearest
from eolab.files import disk, folders, writes
from eolab.records import lineage, titles
from eolab.settings.config import ClusterConfig, Config, check_name, is_name
from eolab.studies.client import checks, imports, packing
from eolab.studies.client.digests import StudyIdentity, identify_study
from eolab.studies.client.launch import await_commands, delete, send_command, start_process
from eolab.studies.client.options import Resume, TuneOptions
from eolab.studies.client.study import Study
from eolab.studies.journal import files as journal
from eolab.studies.journal.answers import StudySummary
from eolab.studies.journal.spec import DataNote, StudySpec
from eolab.studies.journal.state import ENDED, FORMAT
from eolab.studies.plans.base import Plan
from eolab.studies.plans.factory import make_strategy
from eolab.studies.samplers.factory import SamplerSpec
from eolab.studies.space.parameters import Parameter
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction
from eolab.studies.stopping.base import Rule
from eolab.studies.stopping.factory import RuleSpec
from eolab.studies.worker import tensorflow_notes
from eolab.user_warnings import warn

DIRECTIONS = ("maximize", "minimize")


@renamed_arguments(stop="pruner")
@checked
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
    pruner: RuleSpec = None,
    seed: int = 0,
    resume: Resume = True,
    overwrite: bool = False,
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
    study, resumes a stopped one or hands back the finished one. Everything that decides a result
    counts as code or data, wherever the function reaches it; comments and format do not.

    Trials are independent: each gets function, globals and data as if it were the first. Large
    arrays are shared until a trial writes to them; where they take more than a quarter of a
    worker's memory they are read-only. State inside imported modules stays with a worker.

    Args:
        config: The workspace.
        train: ``def train(data, reporter, *, seed, <hyperparameters>)``, any argument optional.
            Its value is what it returns (a number, or a dict with ``metric``), else the last
            reported.
        data: What the function gets as ``data``; a `Split` arrives without its test part. A
            training dataset arrives as its split, read where the worker is; so does a path, which
            the function opens (on a cluster under the name that `paths` in its table gives).
        name: The study's name in the workspace; by default the function's.
        metric: The metric to optimise.
        direction: "maximize" or "minimize".
        trials: How many trials.
        workers: How many at a time; by default what the cluster carries.
        on: Name of a cluster in `eolab.toml`.
        space: Hyperparameters, if not in the function's annotations.
        sampler: "random", "grid", "qmc", "tpe", "gp", "cmaes", or your own.
        pruner: Rule for stopping trials early, for example "median"; "asha:27" and "hyperband:27"
            hand out budgets up to 27 and promote the best.
        seed: Everything random follows from it.
        resume: False refuses an existing name; "force" goes on although code, space or data
            changed.
        overwrite: Move a study of this name to the bin, once all is checked, and begin anew.
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
        RemoteError: The process of the study died while it was waited for.

    Returns:
        The study, which any process of the workspace may open again by its name.

    Example:
        >>> from typing import Annotated
        >>> from eolab.studies import tune
        >>> def square(reporter, *, x: Annotated[float, eo.uniform(-1, 1)] = 0.5):
        ...     return -(x**2)
        >>> done = tune(ws.config, square, metric="score", trials=2, workers=1, tracking=False)
        >>> done.state, len(done.trials)
        ('completed', 2)
    """
    return run_study(
        config,
        train,
        {
            "data": data,
            "name": name,
            "metric": metric,
            "direction": direction,
            "trials": trials,
            "workers": workers,
            "on": on,
            "space": space,
            "sampler": sampler,
            "pruner": pruner,
            "seed": seed,
            "resume": resume,
            "overwrite": overwrite,
            "wait": wait,
            "timeout": timeout,
            "target": target,
            "trial_timeout": trial_timeout,
            "retries": retries,
            "cpus": cpus,
            "threads": threads,
            "memory": memory,
            "lease": lease,
            "tracking": tracking,
            "mailbox": mailbox,
            "modules": modules,
            "check_metric": check_metric,
        },
    )


def run_study(
    config: Config,
    train: Callable[..., object],
    options: TuneOptions,
    *,
    carried: Sequence[ModuleType] = (),
) -> Study:
    """`tune` in four steps: check, describe, attach to or create the study, follow it.

    Args:
        config: The workspace.
        train: The train function.
        options: Every option of `tune`.
        carried: Modules of ours that function and data need where eolab is not installed.

    Raises:
        InvalidInputError, ConflictError, RemoteError: See `tune`.
    """
    checked = _check(config, train, options)
    identity = _identify(train, options, checked)
    spec = _describe(config, train, options, checked, carried, identity)
    files = _pack(train, options, checked, carried, identity)
    if options.get("overwrite") and (checked.run / journal.STUDY).exists():
        delete(checked.run)
    if (checked.run / journal.STUDY).exists():
        begun = _attach(checked.run, spec, files, identity, resume=_resume(options["resume"]))
    else:
        with disk.translate_errors(f"study {checked.name!r} cannot be made", config.root):
            _create(config, checked, spec, files)
        begun = True
    return _follow(checked.run, wait=options["wait"] and begun)


# -- 1: what can be known to be wrong ------------------------------------------------------


@dataclass(frozen=True)
class _Checked:
    """What is known of a study once its options have been checked.

    Attributes:
        name: Its name.
        run: Its folder.
        space: Its hyperparameters.
        make: Makes the plan and the rule, here and in the study's process.
        plan: What runs next.
        rule: When trials are stopped early, or None.
        trials: How many trials it can run.
        cluster: Where it runs.
        data: What the train function gets, without a test part.
    """

    name: str
    run: Path
    space: Space
    make: Callable[[], tuple[Plan, Rule | None]]
    plan: Plan
    rule: Rule | None
    trials: int
    cluster: ClusterConfig
    data: object


def _check(config: Config, train: Callable[..., object], options: TuneOptions) -> _Checked:
    given = options["name"]
    name = packing.function_name(train) if given is None else given
    name = _own_name(config, name)
    metric, direction, trials = options["metric"], options["direction"], options["trials"]
    if direction not in DIRECTIONS:
        raise InvalidInputError(
            f"direction={direction!r}", nearest(str(direction), DIRECTIONS, "directions")
        )
    counts = {"trials": trials, "workers": options["workers"]}
    counts |= {"cpus": options["cpus"], "threads": options["threads"]}
    for label, number in counts.items():
        if number is None and label != "trials":
            continue
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InvalidInputError(f"{label}={number!r}", "Give a whole number of 1 or more.")
    if not metric or not isinstance(metric, str):
        raise InvalidInputError(
            f"metric={metric!r}", "Name the metric that train returns or reports."
        )
    space = _space(train, options["space"])
    checks.check_call(train, space, has_data=options["data"] is not None)
    if options["check_metric"]:
        checks.check_metric(train, metric, direction)
    make = functools.partial(
        make_strategy, space, sampler=options["sampler"], pruner=options["pruner"], metric=metric,
        direction=direction, seed=options["seed"], trials=trials,
    )  # fmt: skip
    plan, rule = make()
    if plan.limit is not None:
        trials = min(trials, plan.limit)
    if plan.to_json()["kind"] in {"asha", "hyperband"}:
        checks.check_takes_budget(train)
    on = options["on"]
    cluster = config.clusters.get(on)
    if cluster is None:
        raise InvalidInputError(
            f"no cluster {on!r}", nearest(on, tuple(config.clusters), "clusters")
        )
    data = packing.sealed(packing.stored(options["data"]))
    return _Checked(name, config.runs / name, space, make, plan, rule, trials, cluster, data)


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


def _resume(resume: Resume) -> Resume:
    if resume == "anyway":
        warn_renamed('resume="anyway"', 'resume="force"')
        return "force"
    if isinstance(resume, str) and resume != "force":
        raise InvalidInputError(f"resume={resume!r}", 'Give True, False or "force".')
    return resume


# -- 2: study.json -------------------------------------------------------------------------


def _identify(
    train: Callable[..., object], options: TuneOptions, checked: _Checked
) -> StudyIdentity:
    stopped = None if checked.rule is None else checked.rule.to_json()
    deciding = [
        options["metric"], options["direction"], options["seed"], checked.plan.to_json(), stopped,
    ]  # fmt: skip
    return identify_study(
        train,
        checked.data,
        space=checked.space.to_json(),
        options=deciding,
        strategies=(options["sampler"], options["pruner"]),
        modules=options["modules"],
    )


def _describe(
    config: Config,
    train: Callable[..., object],
    options: TuneOptions,
    checked: _Checked,
    carried: Sequence[ModuleType],
    identity: StudyIdentity,
) -> StudySpec:
    from eolab.clusters.base import cluster_spec
    from eolab.clusters.local import fitting_workers, thread_caps, thread_environment

    cluster, plan, rule, data = checked.cluster, checked.plan, checked.rule, checked.data
    cpus, threads, memory = options["cpus"], options["threads"], options["memory"]
    usual = cluster.options.get("cpus")
    each = cpus or (usual if isinstance(usual, int) else 1)
    count = options["workers"] or cluster.workers or fitting_workers(cpus=each, memory=memory)
    capped = threads or cpus
    caps = thread_environment(capped) if capped else thread_caps(count)
    table = cluster_spec(cluster, config.root)
    if cpus is not None:
        table["cpus"] = cpus
    mailbox, space = options["mailbox"], checked.space.to_json()
    stopped = None if rule is None else rule.to_json()
    return {
        "format": FORMAT,
        "name": checked.name,
        "kind": "tune",
        "metric": options["metric"],
        "direction": options["direction"],
        "space": space,
        "plan": plan.to_json(),
        "stop": stopped,
        "seed": options["seed"],
        "trials": checked.trials,
        "workers": count,
        "timeout": options["timeout"],
        "target": options["target"],
        "trial_timeout": options["trial_timeout"],
        "retries": options["retries"],
        "lease": options["lease"],
        "memory": None if memory is None else memory * 1e9,
        "tracking": options["tracking"],
        "mailbox": str(checked.run / "mailbox") if mailbox is True else mailbox or "",
        "cluster": table,
        "modules": imports.imported_modules(train, data, options["modules"], carried)
        if cluster.kind == "spark"
        else [],
        "function": getattr(train, "__name__", type(train).__name__),
        "source": packing.source_text(train),
        "imports": imports.needed_imports(train),
        "data": _note(data),
        "digest": identity.digests(),
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
    }  # fmt: skip


def _note(data: object) -> DataNote:
    """What `study.json` says about the data: its kind, and where a split comes from."""
    note: DataNote = {"kind": type(data).__name__}
    source = getattr(data, "source", None)
    if isinstance(source, Mapping):
        note["source"] = json.loads(json.dumps(dict(source), default=str))
    return note


def _pack(
    train: Callable[..., object],
    options: TuneOptions,
    checked: _Checked,
    carried: Sequence[ModuleType],
    identity: StudyIdentity,
) -> dict[str, bytes]:
    """Function, plan and data as the files that the study's processes read."""
    import cloudpickle

    # Executors of Spark may have no eolab.
    along = (*packing.CARRIED, *carried) if checked.cluster.kind == "spark" else ()
    data = checked.data
    paths = checked.cluster.options.get("paths")
    there = packing.relocate(data, paths if isinstance(paths, Mapping) else {})
    files = {
        journal.FUNCTION: packing.pack_function(train, carried=along, modules=options["modules"]),
        journal.PLAN: cloudpickle.dumps(checked.make),
        journal.IDENTITY: identity.document(),
    }
    if data is not None:
        files[journal.DATA] = packing.pack_data(there, carried=along)
    if there is not data:
        files[journal.DATA_HERE] = packing.pack_data(data)
    return files


# -- 3: the study that is there, or a new one ----------------------------------------------


def _create(config: Config, checked: _Checked, spec: StudySpec, files: Mapping[str, bytes]) -> None:
    _write(checked.run, spec, files)
    origins = lineage.origins(getattr(checked.data, "source", None))
    lineage.record(config.root, origins, lineage.Ref("study", checked.name))
    lineage.note_restored(config.root, lineage.Ref("study", checked.name))  # one was deleted
    start_process(checked.run)


def _write(run: Path, spec: StudySpec, files: Mapping[str, bytes]) -> None:
    """Write a study's folder; `study.json` comes last and makes it a study."""
    folders.make(run)
    for name in (
        journal.FUNCTION, journal.DATA, journal.DATA_HERE, journal.PLAN, journal.IDENTITY,
    ):  # fmt: skip
        if name in files:
            writes.write_bytes(run / name, files[name], mode=0o600)
        else:
            (run / name).unlink(missing_ok=True)
    writes.write_json(run / journal.STUDY, spec)


def _attach(
    run: Path,
    spec: StudySpec,
    files: Mapping[str, bytes],
    identity: StudyIdentity,
    *,
    resume: Resume,
) -> bool:
    """Go on with the study that has this name; False if nothing is left to do."""
    name = spec["name"]
    if resume is False:
        raise ConflictError(
            f"there is a study {name!r} already",
            "Take another name, leave resume=False out, or overwrite=True to begin anew.",
        )
    old = journal.read_study(run)
    changed = identity.changed_since(old, run)
    follower = journal.Follower(run)
    follower.refresh()
    state, record = follower.state, follower.record
    alive = journal.is_alive(run)
    while alive and state in ENDED:  # it is just leaving
        time.sleep(0.02)
        alive = journal.is_alive(run)
    if changed and resume != "force":
        raise ConflictError(
            f"study {name!r} exists and {_join(changed)}",
            'Take another name, or resume="force" to go on with what is there now.',
        )
    if identity.unknown and resume != "force":
        raise ConflictError(
            f"study {name!r} exists, and whether it is still the same cannot be told: nobody can "
            f"compare {_join(list(identity.unknown))}",
            f"ws.study({name!r}) opens what is there; resume='force' goes on with what is given "
            "now, another name begins anew.",
        )
    changed = changed or list(identity.unknown)
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
    budget = {
        key: asked
        for key, asked, known in (
            ("trials", spec["trials"], record.budget_trials),
            ("workers", spec["workers"], record.wanted_workers),
            ("timeout", spec["timeout"], record.timeout),
            ("target", spec["target"], record.target),
        )
        if asked != known
    }  # fmt: skip
    over = state in {"completed", "failed"} and not budget and not changed
    if changed or not (alive or over):
        # The environment may be another one today; created and what was asked for stay.
        _write(
            run,
            {
                **spec,
                "created": old["created"],
                "trials": old["trials"],
                "workers": old["workers"],
            },
            files,
        )
    if budget:
        send_command(run, "set", **budget)
        await_commands(run)
    if changed:
        for trial in record.trials.values():
            if trial.state == "failed":  # new code deserves a new try
                send_command(run, "retry", number=trial.n)
    if journal.Follower(run).summary()["state"] in {"paused", "cancelled"}:
        send_command(run, "resume")
    if over:
        return False
    if not start_process(run) and (run / journal.COMMANDS).exists():
        await_commands(run)
    return True


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


# -- 4: until the end ----------------------------------------------------------------------


def _follow(run: Path, *, wait: bool) -> Study:
    study = Study(run)
    shown = progress.show(study)
    if wait:
        study.wait(quiet=shown)  # a live view needs no bar beside it
    return study


def list_studies(config: Config) -> list[StudySummary]:
    """A summary of each study of the workspace, newest first; damaged ones are left out.

    Args:
        config: The workspace, ``ws.config``.

    Example:
        >>> from eolab.studies import list_studies
        >>> [(each["name"], each["state"]) for each in list_studies(ws.config)]
        []
    """
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

    Args:
        config: The workspace, ``ws.config``.
        name: The study's name, or the title that `Workspace.rename` gave it.

    Raises:
        NotFoundError: There is none of this name.

    Example:
        >>> from eolab.studies import open_study
        >>> open_study(ws.config, study.name).state
        'completed'
    """
    run = config.runs / _own_name(config, name)
    title = titles.title_of(config.root, lineage.Ref("study", name))
    if title and (run / journal.STUDY).exists():
        warn(f"the study {name!r} is called {title!r} now; both open it", UserWarning)
    if not (run / journal.STUDY).exists():
        names = (
            sorted(p.name for p in config.runs.iterdir() if (p / journal.STUDY).exists())
            if config.runs.is_dir()
            else []
        )
        raise NotFoundError(f"no study {name!r}", nearest(name, names, "studies"))
    return Study(run)


def _own_name(config: Config, name: str) -> str:
    """The name of the study that has a name, or else this title."""
    called = titles.find(config.root, "study", name)
    if called is not None and is_name(name) and (config.runs / name / journal.STUDY).exists():
        called = None
    return called or check_name(name, "study")
