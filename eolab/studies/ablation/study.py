"""`ws.ablate`: an ablation as a study with a fixed plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict, cast, get_args

from eolab.argument_checks import checked, checked_except, names
from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.files import writes
from eolab.studies.ablation import components as parts
from eolab.studies.ablation.carried import CARRIED
from eolab.studies.ablation.components import Component, Names
from eolab.studies.ablation.cutting import Cutter
from eolab.studies.ablation.design import Design, Run, Variant, runs, variants
from eolab.studies.ablation.folds import make_folds
from eolab.studies.ablation.inference import holm
from eolab.studies.ablation.preview import Preview, costs_of, make_surgeon
from eolab.studies.ablation.result import AblationResult, summarise
from eolab.studies.ablation.sequential import SequentialRuns
from eolab.studies.ablation.trial import Change, Recipe, check_functions, make_trial
from eolab.studies.client import checks, packing
from eolab.studies.client.options import Resume
from eolab.studies.client.study import Study
from eolab.studies.client.tune import open_study, run_study
from eolab.studies.journal import files as journal
from eolab.studies.space.parameters import Value, choice, integer
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction

if TYPE_CHECKING:
    import pandas as pd

    from eolab.settings.config import Config

FORMAT = 1
FILE = "ablation.json"


class Ablation:
    """An ablation study, attached by name from any process.

    Attributes:
        study: The study that runs it: state, trials, logs, pause, resume, cancel.

    Example:
        >>> ablation.study.metric
        'accuracy'
    """

    def __init__(self, study: Study, document: Mapping[str, object]) -> None:
        self.study = study
        self._document = document

    @property
    def name(self) -> str:
        """The study's name in the workspace.

        Example:
            >>> ablation.name
            'worth'
        """
        return self.study.name

    @property
    def state(self) -> str:
        """The study's state: "running", "completed", "failed", ...

        Example:
            >>> ablation.state
            'completed'
        """
        return self.study.state

    def wait(self, timeout: float | None = None) -> Ablation:
        """Wait for the end, drawing progress; an interrupt ends the waiting, not the study.

        Args:
            timeout: Seconds after which to return although the study goes on.

        Raises:
            InvalidInputError, RemoteError: See `Study.wait`.

        Example:
            >>> ablation.wait().state
            'completed'
        """
        self.study.wait(timeout)
        return self

    @checked
    def result(self, metric: str | None = None, *, level: float = 0.95) -> AblationResult:
        """What the runs so far say.

        Args:
            metric: Another metric that the train function returned or reported, for example of
                one class or region; by default the study's.
            level: Of the intervals.

        Raises:
            NotFoundError: No run has such a metric.

        Example:
            >>> ablation.result().baseline.variant.name
            'baseline'
        """
        values, seconds, seen = self._read(metric)
        if metric is not None and not values and seen:
            raise NotFoundError(
                f"no run has a metric {metric!r}", nearest(metric, sorted(seen), "metrics")
            )
        document = self._document
        return summarise(
            [
                Variant(str(v["name"]), tuple(v["removed"]))
                for v in cast("list[dict[str, list[str]]]", document["variants"])
            ],
            values,
            components=[
                Component.from_json(c)
                for c in cast("list[dict[str, object]]", document["components"])
            ],
            metric=metric or self.study.metric,
            direction=self.study.direction,
            overlap=cast("float", document["overlap"]),
            one_split=document["folds"] == 1,
            planned=cast("int", document["runs"]),
            seconds=seconds,
            costs=cast("dict[str, dict[str, float]]", document["costs"]),
            level=level,
            stop_early=bool(document.get("stop_early")),
            trouble=self._trouble(),
        )

    def _trouble(self) -> str:
        """How many runs failed, and how the first one did."""
        trials = self.study.record.trials.values()
        failed = [trial for trial in trials if trial.state == "failed"]
        if not failed:
            return ""
        error = (failed[0].error or "no reason given").partition("\n")[0]
        where = f"ws.study({self.name!r}).log({failed[0].n})"
        return f"{len(failed)} failed, the first with {error} ({where})"

    @checked
    def per(self, prefix: str) -> pd.DataFrame:
        """What each class or region loses: the drops of all metrics that begin alike.

        Args:
            prefix: "f1_" for the classes, "macro_f1_in_" for the regions of
                `TrainingData.scores`; or how your own metrics begin.

        Returns:
            A row for each variant and metric: ``variant``, ``metric`` (without the prefix),
            ``value``, ``drop``, ``low``, ``high``, ``p``, and ``p_holm``, which is corrected for
            all of these comparisons together.

        Raises:
            NotFoundError: No metric begins so.

        Example:
            >>> list(ablation.per("acc").columns)[:4]
            ['variant', 'metric', 'value', 'drop']
        """
        import pandas as pd

        _, _, seen = self._read(None)
        names = sorted(name for name in seen if name.startswith(prefix))
        if not names:
            raise NotFoundError(
                f"no run has a metric {prefix}...", nearest(prefix, sorted(seen), "metrics")
            )
        tables = []
        for name in names:
            table = self.result(name).to_dataframe().iloc[1:]
            table = table.rename(columns={name: "value"}).assign(metric=name[len(prefix) :])
            tables.append(table)
        found = pd.concat(tables, ignore_index=True)
        tested = found["p"].notna()
        found["p_holm"] = holm([1.0 if pd.isna(p) else float(p) for p in found["p"]])
        found.loc[~tested, "p_holm"] = float("nan")
        columns = ["variant", "metric", "value", "drop", "low", "high", "p", "p_holm"]
        return found[columns].sort_values(["variant", "drop"], ascending=[True, False])

    def _read(self, metric: str | None) -> tuple[dict[Run, float], dict[Run, float], set[str]]:
        """Values and seconds of the runs that ended, and the names of all metrics."""
        follower = journal.Follower(self.study.folder)
        follower.refresh()
        values: dict[Run, float] = {}
        seconds: dict[Run, float] = {}
        seen: set[str] = set()
        for trial in follower.record.trials.values():
            run = Run(
                str(trial.params["variant"]),
                int(cast("int", trial.params["fold"])),
                int(cast("int", trial.params["repeat"])),
            )
            seen.update(trial.metrics)
            value = (
                trial.value
                if metric in (None, self.study.metric)
                else trial.metrics.get(str(metric))
            )
            if trial.state != "completed" or value is None:
                continue
            values[run] = value
            if trial.started is not None and trial.ended is not None:
                seconds[run] = trial.ended - trial.started
        return values, seconds, seen

    def __repr__(self) -> str:
        return f"<ablation {self.name!r} {self.state}>\n{self.result()!r}"

    def _repr_markdown_(self) -> str:
        return f"**{self.name}** ({self.state})\n\n{self.result()._repr_markdown_()}"

    def _repr_html_(self) -> str:
        from html import escape

        title = f"<p><b>{escape(self.name)}</b> ({escape(self.state)})</p>"
        return title + self.result()._repr_html_()


Shapes: TypeAlias = Literal["rebuild", "project", "keep"]
"""What happens where a layer that goes changes the shapes of others."""
SHAPES = get_args(Shapes)


class AblateOptions(TypedDict, total=False):
    """The options of `eolab.studies.ablation.ablate`, which says what each means."""

    data: object
    name: str | None
    metric: Required[str]
    direction: Direction
    features: Names | bool
    groups: Mapping[str, Names] | None
    layers: Names | None
    modules: Mapping[str, Names] | None
    datasets: Mapping[str, object] | None
    models: Mapping[str, Callable[..., object]] | None
    changes: Mapping[str, Change] | None
    build: Callable[..., object] | None
    params: Mapping[str, Value] | None
    design: Design
    folds: int | None
    repeats: int
    seed: int
    project: bool
    shapes: Shapes
    stop_early: bool
    dry_run: bool
    workers: int | None
    on: str
    resume: Resume
    overwrite: bool
    wait: bool
    tracking: bool
    check_metric: bool
    trial_timeout: float | None
    python_modules: Sequence[str]


@checked_except("groups", "modules", "datasets", "models", "changes", "params")
def ablate(
    config: Config,
    train: Callable[..., object],
    *,
    data: object = None,
    name: str | None = None,
    metric: str,
    direction: Direction = "maximize",
    features: Names | bool = False,
    groups: Mapping[str, Names] | None = None,
    layers: Names | None = None,
    modules: Mapping[str, Names] | None = None,
    datasets: Mapping[str, object] | None = None,
    models: Mapping[str, Callable[..., object]] | None = None,
    changes: Mapping[str, Change] | None = None,
    build: Callable[..., object] | None = None,
    params: Mapping[str, Value] | None = None,
    design: Design = "leave-one-out",
    folds: int | None = None,
    repeats: int = 3,
    seed: int = 0,
    project: bool = False,
    shapes: Shapes = "rebuild",
    stop_early: bool = False,
    dry_run: bool = False,
    workers: int | None = None,
    on: str = "local",
    resume: Resume = True,
    overwrite: bool = False,
    wait: bool = True,
    tracking: bool = True,
    check_metric: bool = True,
    trial_timeout: float | None = None,
    python_modules: Sequence[str] = (),
) -> Ablation | Preview:
    """Find out what features, groups of features, layers and modules are worth.

    Everything is checked before the first run, layers by really taking them out.

    Args:
        config: The workspace.
        train: ``def train(data, reporter, *, seed, <params>)`` as in a study; with ``build`` also
            ``model``. It gets ``data`` already without the feature and ``model`` already without
            the layer.
        data: A `Split`, several (`FeatureView.folds`), `TrainingData`, or anything else.
        name: The study's name in the workspace; by default that of ``train`` and "-ablation".
        metric: The metric to compare.
        direction: Whether large or small values are good.
        features: Columns to leave out one by one: True for all, names, or text with globs.
        groups: Groups of columns, ``{"sar": "VV* VH*", "terrain": ["slope", "height"]}``.
        layers: Layers to take out one by one: names, prefixes or globs. Of a PyTorch model the
            names of its modules ("encoder.block2"), which an identity replaces.
        modules: Blocks of layers, each of which goes as a whole.
        datasets: Other data by name, of the same form as ``data``.
        models: Other functions that make the model, by name: what no removal can express.
        changes: Named changes: other ``params``, or a function from data to data.
        build: Makes the Keras or PyTorch model; its arguments are taken from data, seed and
            ``params``.
        params: Fixed hyperparameters, for example ``study.best_params``.
        design: See `eolab.studies.ablation.design.variants`.
        folds: Number of folds into which `TrainingData` is cut, 5 by default. Other data have as
            many as they have, and another number is refused.
        repeats: Seeds for each fold.
        seed: All else follows from it.
        project: The same as ``shapes="project"``.
        shapes: What happens where a layer cannot go without changing the shapes of others, whose
            weights are fresh in any case. "rebuild": they are built anew from their settings with
            the shapes that follow, and the change in parameters stands beside the figure (Keras;
            of PyTorch as "keep"); "project": a linear projection comes in its place; "keep": it
            is refused.
        stop_early: Leave out further runs of a variant as soon as its difference is clear; the
            intervals are widened so that they stay valid (`eolab.studies.ablation.sequential`).
        dry_run: Run nothing; list every variant with its columns, parameters and FLOPs.
        workers: Runs at a time; by default what the cluster carries.
        on: Name of a cluster in `eolab.toml`.
        resume: True: go on with the study of this name; "force": although something changed.
        overwrite: Move a study of this name to the bin, once all is checked, and begin anew.
        wait: Wait for the end.
        tracking: Project the study into MLflow.
        check_metric: Whether a metric that looks wrong for the direction is an error.
        trial_timeout: Seconds that one run may take.
        python_modules: Python modules of your own that the functions import, to travel to a
            cluster with them.

    Returns:
        The ablation, which any process of the workspace may open again by its name; with
        ``dry_run`` a `Preview`.

    Raises:
        InvalidInputError: A misspelt name, an empty group or one that is everything, a layer that
            cannot go, ...
        ConflictError: The name belongs to a study of other code or data.

    Example:
        >>> from eolab.studies.ablation import ablate
        >>> preview = ablate(
        ...     ws.config, train, data=split, metric="accuracy", features=True, dry_run=True
        ... )
        >>> preview.variants[0].name
        'baseline'
    """
    if shapes not in SHAPES:
        raise InvalidInputError(f"shapes={shapes!r}", nearest(str(shapes), SHAPES, "ways"))
    if repeats < 1:
        raise InvalidInputError(f"repeats={repeats}", "Give 1 or more.")
    for option, given in (("datasets", datasets), ("models", models), ("changes", changes)):
        parts.check_names(given or {}, option)
    if not isinstance(features, bool | str):
        features = names(features, "features")
    folded = make_folds(data, folds=folds, seed=seed, datasets=datasets)
    columns = folded.columns
    if (features or groups) and not columns:
        raise InvalidInputError(
            f"the data ({type(data).__name__}) has no names of features",
            "Give a Split, TrainingData or a table, or use changes={...}.",
        )
    others = [*(datasets or {}), *(models or {}), *(changes or {})]
    named: dict[str, Change | None] = {**dict.fromkeys(others), **(changes or {})}
    known = [
        *parts.features(features, columns),
        *parts.groups(groups or {}, columns),
        *(Component(other, "change") for other in others),
    ]
    recipe = Recipe(
        train, build, dict(params or {}), changes=named, models=models or {}, seed=seed,
        project=project or shapes == "project", rebuild=shapes == "rebuild" and not project,
    )  # fmt: skip
    surgeon: Cutter | None = None
    if layers is not None or modules:
        surgeon = make_surgeon(recipe, folded)
        known += parts.layers(layers, surgeon.names) if layers is not None else []
        known += parts.modules(modules or {}, surgeon.names)
    parts.check_distinct(known)
    planned = variants(known, design)
    recipe = replace(
        recipe,
        components={component.name: component for component in known},
        variants={variant.name: variant for variant in planned},
    )
    check_functions(recipe)
    if check_metric:
        checks.check_metric(train, metric, direction)
    costs = costs_of(recipe, folded, surgeon, dry_run=dry_run)
    first = "parameters" if surgeon is not None else "columns"
    listed = runs(
        planned,
        folds=len(folded),
        repeats=repeats,
        cost={variant: cost.get(first, 0.0) for variant, cost in costs.items()},
    )
    if dry_run:
        return Preview(tuple(planned), costs, tuple(listed))
    space = Space(
        {
            "variant": choice(*[variant.name for variant in planned]),
            "fold": integer(0, len(folded) - 1),
            "repeat": integer(0, repeats - 1),
        }
    )
    study = run_study(
        config,
        make_trial(recipe),
        {
            "data": folded,
            "name": name or f"{packing.function_name(train)}-ablation",
            "metric": metric,
            "direction": direction,
            "trials": len(listed),
            "workers": workers,
            "on": on,
            "space": space,
            "sampler": SequentialRuns(
                space,
                listed,
                planned,
                direction=direction,
                overlap=folded.overlap,
                stop_early=stop_early,
            ),
            "pruner": None,
            "seed": seed,
            "resume": resume,
            "overwrite": overwrite,
            "wait": False,
            "timeout": None,
            "target": None,
            "trial_timeout": trial_timeout,
            "retries": 2,
            "cpus": None,
            "threads": None,
            "memory": None,
            "lease": 15.0,
            "tracking": tracking,
            "mailbox": False,
            "modules": python_modules,
            "check_metric": False,  # checked above, on the user's function
        },
        carried=CARRIED,
    )
    document: dict[str, object] = {
        "format": FORMAT,
        "design": design,
        "components": [component.to_json() for component in known],
        "variants": [variant.to_json() for variant in planned],
        "costs": costs,
        "folds": len(folded),
        "repeats": repeats,
        "overlap": folded.overlap,
        "runs": len(listed),
        "stop_early": stop_early,
        "source": packing.source_text(train),
    }
    writes.write_json(study.folder / FILE, document)
    ablation = Ablation(study, document)
    return ablation.wait() if wait else ablation


def open_ablation(config: Config, name: str) -> Ablation:
    """Attach to an ablation by name.

    Args:
        config: The workspace, ``ws.config``.
        name: The study's name.

    Raises:
        NotFoundError: No study of this name, or one that is no ablation.

    Example:
        >>> from eolab.studies.ablation import open_ablation
        >>> open_ablation(ws.config, ablation.name).state
        'completed'
    """
    study = open_study(config, name)
    return Ablation(study, read_document(study.folder, name))


def read_document(folder: Path, name: str) -> dict[str, object]:
    """The plan that an ablation wrote beside its study.

    Raises:
        NotFoundError: The study is no ablation.
        InvalidInputError: It was written by a newer eolab.
    """
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"study {name!r} is no ablation", "ws.study(name) opens it.") from None
    if document.get("format") != FORMAT:
        raise InvalidInputError(
            f"{folder / FILE} has format {document.get('format')}, known: {FORMAT}",
            "Upgrade eolab.",
        )
    return dict(document)
