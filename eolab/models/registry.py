"""The model registry: versions of models with what they were made from and how good they are.

On MLflow's registry (names, versions, aliases, tags); the model's own files lie in the workspace's
``models/NAME/ID/`` with ``model.json``, which is written whole before MLflow hears of the version.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from eolab import tracking
from eolab.argument_checks import checked
from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.files import disk, folders, leavings, locks, writes
from eolab.models import mlflow_flavour, removal
from eolab.models.answers import ModelsJson, ModelVersionJson
from eolab.models.versions import FILE, Fitted, ModelVersion, digest, feature_values, read
from eolab.records import lineage, titles
from eolab.records.lineage import Ref
from eolab.settings.config import check_name, is_name
from eolab.user_warnings import warn

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Entry
    from mlflow.tracking import MlflowClient

    from eolab.models.flavours import Evidence, OutputKind
    from eolab.settings.config import Config
    from eolab.studies.worker.predicting import Output
    from eolab.training_data import TrainingData

T = TypeVar("T")

FORMAT = 1
EVALUATIONS = "openings.jsonl"  # as workspaces have it
PENDING = ".pending"  # in a model's folder as long as MLflow does not know it
CHAMPION = "champion"
EXPERIMENT = "eolab/models"
SEED = 0
SHOWN = 60
TAGS = ("flavour", "study", "data_digest", "test_digest")


class ModelRegistry:
    """The registered models of a workspace: ``ws.models``.

    Each model has versions, counted from 1; aliases are names that point at one of them.

    Example:
        >>> [(each.name, each.version) for each in ws.models.list()]
        [('crops', 1)]
        >>> model == ws.models.get("crops", "champion")
        True
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    @checked
    def register(
        self,
        name: str,
        fitted: Fitted,
        *,
        test: TrainingData | None = None,
        metrics: Mapping[str, float] | None = None,
        description: str = "",
        logits: bool | None = None,
        output: OutputKind | None = None,
    ) -> ModelVersion:
        """Register a fitted model as the next version of ``name``.

        The first version gets the alias "champion"; later ones do not take it by themselves.
        Registering the same files with the same test part again gives the version that is there.

        What the model's answers are (codes or names of classes, scores, a probability, a logit) is
        decided here, once, and kept with it: by what it is built of, else by what it says of the
        samples that it was fitted on or of ``test``. An answer that later is none of these is
        refused.

        Args:
            name: The model's name.
            fitted: What `Study.refit` gives.
            test: The held-out test set. The model is evaluated on it once, here: metrics with a
                95 % block bootstrap over ``test.groups``, 1,000 resamples. How many evaluations
                this test set has seen is counted in the metric ``test_openings``.
            metrics: Metrics that were computed elsewhere, for example over outer folds.
            description: One line for the panel.
            logits: Whether the model's one output for two classes is a logit, of which the sign
                decides, rather than a probability; short for ``output="logit"``, "probability".
            output: What the model gives, where that cannot be found or was found wrong: "codes" of
                the classes, their names ("labels"), one of the "scores" a class in the order of
                ``fitted.classes``, or one "probability" or "logit" of the second of two classes.

        Returns:
            The version, as `get` returns it.

        Raises:
            InvalidInputError: A bad name, no fitted model, or a test set that does not fit it.
            ConflictError: The fitted model's files are gone, or the disk is full or closed.

        Example:
            >>> model = ws.models.register("wheat", fitted, test=split.test)
            >>> model.version, model.aliases
            (1, ('champion',))
            >>> 0 <= model.metrics["macro_f1_low"] <= model.metrics["macro_f1_high"] <= 1
            True
            >>> ws.models.register("wheat", fitted, test=split.test).version  # the same again
            1
        """
        name = self._own_name(name)
        if not isinstance(fitted, Fitted):
            raise InvalidInputError(
                f"a {type(fitted).__name__} is no fitted model",
                "Give what study.refit() returns: its best trial, fitted once more and saved.",
            )
        folder = self.config.models / name / uuid.uuid4().hex[:12]
        files = _files(fitted)
        test_digest = None if test is None else test.digest()
        declared = _declared(output, logits)
        before = self._same(name, files, test_digest, declared)
        if before is not None:
            return before
        with contextlib.ExitStack() as held:
            held.enter_context(self._writing(f"model {name!r} cannot be registered"))
            with writes.draft_folder(folder) as staged:
                # Held until MLflow knows it: what a killed process leaves is nobody's.
                held.enter_context(locks.locked_folder(staged))
                (staged / PENDING).touch()
                shutil.copytree(fitted.folder, staged, dirs_exist_ok=True)
                measured = {f"study_{k}": float(v) for k, v in fitted.metrics.items()}
                measured |= {k: float(v) for k, v in (metrics or {}).items()}
                found, decided = self._examine(staged, fitted, test, declared)
                if test_digest is not None:
                    count = self._count_evaluation(test_digest, name, fitted.study)
                    measured = found | {"test_openings": float(count)} | measured
                document = {
                    "format": FORMAT,
                    "name": name,
                    "created": time.time(),
                    "description": description,
                    "flavour": fitted.flavour,
                    "study": fitted.study,
                    "params": dict(fitted.params),
                    "metrics": {k: _known(v) for k, v in measured.items()},
                    "columns": list(fitted.columns),
                    "classes": list(fitted.classes or (() if test is None else test.classes)),
                    "steps": list(fitted.steps),
                    "data_digest": fitted.data_digest,
                    "test_digest": test_digest,
                    "source": dict(fitted.source),
                    "frame": _frame(fitted),
                    "output": dict(decided),
                    "declared": declared,
                    "files": files,
                }
                (staged / FILE).write_text(json.dumps(document, indent=1, default=str))
                mlflow_flavour.write(staged, document)
            try:
                entry = self._enter(name, folder, document)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            (folder / PENDING).unlink()
        sources = [Ref("study", fitted.study)] if fitted.study else []
        sources += lineage.origins(fitted.source)
        lineage.record(self.config.root, sources, Ref("model", f"{name}/{entry.version}"))
        self._touch()
        self._sweep()
        return self.get(name, int(entry.version))

    @checked
    def get(self, name: str, version: int | str | None = None) -> ModelVersion:
        """A version of a model.

        Args:
            name: The model's name, or the title that `Workspace.rename` gave it.
            version: Its number, or an alias such as "champion"; the newest by default.

        Raises:
            NotFoundError: No such model, version or alias.

        Example:
            >>> ws.models.get(model.name, "champion").version
            1
        """
        found = self._versions(self._own_name(name))
        title = titles.title_of(self.config.root, Ref("model", name))
        if found and title:
            warn(f"the model {name!r} is called {title!r} now; both open it", UserWarning)
        if not found:
            raise NotFoundError(f"no model {name!r}", nearest(name, tuple(self._names()), "models"))
        if version is None:
            return found[0]
        for candidate in found:
            if str(candidate.version) == str(version) or str(version) in candidate.aliases:
                return candidate
        numbers = ", ".join(str(v.version) for v in found)
        aliases = ", ".join(alias for v in found for alias in v.aliases)
        raise NotFoundError(
            f"model {name!r} has no version {version!r}",
            f"Versions: {numbers}." + (f" Aliases: {aliases}." if aliases else ""),
        )

    def _own_name(self, name: str) -> str:
        """The name of the model that has a name, or else this title."""
        called = titles.find(self.config.root, "model", name)
        if called is not None and is_name(name) and self._versions(name):
            called = None
        return called or check_name(name, "model")

    def list(self) -> Sequence[ModelVersion]:
        """Every version of every model, ordered by name, the newest first.

        Example:
            >>> [f"{each.name} {each.version}" for each in ws.models.list()][-1:]
            ['crops 1']
            >>> model in ws.models.list()
            True
        """
        self._sweep()
        return [version for name in self._names() for version in self._versions(name)]

    @checked
    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias point at a version; it leaves the one that it pointed at.

        Args:
            name: The model's name.
            alias: The alias: a word, such as "production".
            version: Number of the version.

        Raises:
            NotFoundError: No such model or version.
            InvalidInputError: The alias could be taken for a version.
            ConflictError: The disk is full, or the workspace cannot be written to.

        Example:
            >>> ws.models.set_alias(model.name, "production", 1)
            >>> ws.models.get(model.name, "production").aliases
            ('champion', 'production')
        """
        check_name(alias, "alias")
        if alias.isdigit() or alias.lower() == "latest":
            raise InvalidInputError(f"alias {alias!r} would be taken for a version", "Use a word.")
        found = self.get(name, version)
        with (
            self._writing(f"alias {alias!r} of model {name!r} cannot be set"),
            self._mlflow() as client,
        ):
            client.set_registered_model_alias(name, alias, str(found.version))
        self._touch()

    def snapshot(self) -> ModelsJson:
        """All models as plain JSON, which the panel shows; unknown metrics are None.

        Example:
            >>> body = ws.models.snapshot()
            >>> [row["name"] for row in body["models"] if row["versions"]] == [model.name]
            True
        """
        versions = self.list()
        pairs = [(edge.target, edge.source) for edge in lineage.edges(self.config.root)]
        models: dict[str, list[ModelVersionJson]] = {}
        for v in versions:
            made_from = lineage.walk(v.ref, pairs)[:SHOWN]
            models.setdefault(v.name, []).append(
                {
                    "version": v.version,
                    "aliases": list(v.aliases),
                    "created": v.created,
                    "description": v.description,
                    "flavour": v.flavour,
                    "study": v.study,
                    "params": dict(v.params),
                    "metrics": {k: _known(f) for k, f in v.metrics.items()},
                    "lineage": [{"kind": ref.kind, "id": ref.id} for ref in made_from],
                }
            )
        return {"models": [{"name": name, "versions": rows} for name, rows in models.items()]}

    # -- within ----------------------------------------------------------------------------

    def _examine(
        self, folder: Path, fitted: Fitted, test: TrainingData | None, declared: str | None
    ) -> tuple[dict[str, float], Output]:
        """The metrics on the test set, by the model as it was saved: that one is evaluated.

        And how its answers are read.
        """
        from eolab.features.splits import block_metrics
        from eolab.models import flavours
        from eolab.studies.client.fitted_model import load_model

        if test is None and not fitted.classes:
            return {}, flavours.decide(None, fitted.flavour, (), declared=declared)
        if test is not None and fitted.classes and tuple(test.classes) != tuple(fitted.classes):
            problem = "other classes than the model" if test.classes else "no classes"
            raise InvalidInputError(
                f"the model has {len(fitted.classes)} classes and the test part has {problem}",
                "Take it from the same split.",
            )
        if test is not None and test.classes and fitted.source.get("task") == "regression":
            raise InvalidInputError(
                "the model was fitted to a quantity and the test part has classes",
                "Take it from the same split.",
            )
        names = test.classes if test is not None else fitted.classes
        model = load_model(folder, fitted.flavour)
        answer = None
        if test is not None:
            columns = tuple(fitted.columns)
            X = feature_values(test, columns, frame=_frame(fitted))
            answer = flavours.outputs(model, fitted.flavour, X, columns)
        evidence, seen = _evidence(fitted.folder) if fitted.classes else (None, ())
        if evidence is None and test is not None and answer is not None:
            evidence = flavours.Evidence(answer, test.y)
        decided = flavours.decide(
            model, fitted.flavour, names, declared=declared, evidence=evidence, seen=seen
        )
        if test is None or answer is None:
            return {}, decided
        if not names:
            return block_metrics.regression(test.y, answer, test.groups, SEED), decided
        codes = flavours.classes(answer, decided, names)
        return block_metrics.classification(test.y, codes, test.groups, SEED), decided

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Write to the workspace inside; a full or closed disk is seen before MLflow meets it.

        Raises:
            ConflictError: It is.
        """
        with disk.translate_errors(what, self.config.root):
            folders.make(self.config.root)
            disk.check_room(self.config.root)
            yield

    def _count_evaluation(self, test: str, name: str, study: str | None) -> int:
        """Note an evaluation on this test set; how many there were, this one included."""
        path = self.config.models / EVALUATIONS
        entry = {"v": FORMAT, "t": time.time(), "test": test, "name": name, "study": study}
        writes.append(path, json.dumps(entry))
        return sum(f'"test": "{test}"' in text for text in path.read_text().splitlines())

    def _same(
        self, name: str, files: Mapping[str, str], test: str | None, declared: str | None
    ) -> ModelVersion | None:
        for version in self._versions(name):
            document = read(version.folder)
            if declared is not None and document.get("declared") != declared:
                continue  # declared otherwise since
            if document.get("files") == files and document.get("test_digest") == test:
                return version
        return None

    def _enter(self, name: str, folder: Path, document: Mapping[str, object]) -> Entry:
        """Tell MLflow: a run with parameters and metrics, and the version that points at it."""
        from mlflow.exceptions import MlflowException

        metrics, params = document["metrics"], document["params"]
        assert isinstance(metrics, dict)
        assert isinstance(params, dict)
        tags = {f"eolab.{key}": str(document[key]) for key in TAGS}
        with self._mlflow() as client:
            experiment = tracking.experiment(client, EXPERIMENT, self.config.root)
            run = client.create_run(experiment, run_name=name, tags=tags)
            known = {k: v for k, v in metrics.items() if v is not None}
            tracking.log(client, run.info.run_id, metrics=known, params=params)
            client.set_terminated(run.info.run_id)
            try:
                client.create_registered_model(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            entry = client.create_model_version(
                name,
                source=str(folder),
                run_id=run.info.run_id,
                tags=tags,
                description=str(document["description"]),
            )
            if str(entry.version) == "1":
                client.set_registered_model_alias(name, CHAMPION, "1")
            return entry

    def _names(self) -> Sequence[str]:
        if not tracking.exists(self.config):
            return []
        with self._mlflow() as client:
            names = [model.name for model in _pages(client.search_registered_models)]
        return sorted(name for name in names if not removal.is_out(name))

    def _versions(self, name: str) -> Sequence[ModelVersion]:
        """The versions of a model, the newest first; empty where there is none."""
        if not tracking.exists(self.config):
            return []
        from mlflow.exceptions import MlflowException

        with self._mlflow() as client:
            try:
                model = client.get_registered_model(name)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return []
                raise
            aliases: dict[int, list[str]] = {}
            for alias, number in model.aliases.items():
                aliases.setdefault(int(number), []).append(alias)
            found = [
                _version(entry, tuple(sorted(aliases.get(int(entry.version), []))), self.config)
                for entry in _pages(client.search_model_versions, f"name='{name}'")
                if not removal.is_version_out(entry)
            ]
        return sorted(found, key=lambda v: -v.version)

    def _mlflow(self) -> contextlib.AbstractContextManager[MlflowClient]:
        return tracking.session(self.config)

    def _sweep(self) -> None:
        """Remove copies of models that killed registrations left more than a day ago.

        A copy is one of those only if it says itself that MLflow did not know it yet, and MLflow
        does not know it now.
        """
        # By the names that drafts have: other hidden folders are somebody's.
        drafts = [p for end in ("tmp", "left") for p in self.config.models.glob(f"*/.*.{end}")]
        pending = [path.parent for path in self.config.models.glob(f"*/*/{PENDING}")]
        if drafts or pending:
            for name in {folder.parent.name for folder in pending}:
                known = {version.folder.name for version in self._versions(name)}
                for folder in pending:
                    if folder.parent.name == name and folder.name not in known:
                        drafts.append(folder)
                    elif folder.parent.name == name and not locks.is_held(folder):
                        with contextlib.suppress(OSError):  # killed when MLflow just knew it
                            (folder / PENDING).unlink(missing_ok=True)
            leavings.remove(self.config.root, drafts, "a copy of a model that was not registered")

    def _touch(self) -> None:
        """Let those who watch the folder know: an alias changes no file of ours."""
        folders.make(self.config.models)
        writes.write_text(self.config.models / "changed", f"{time.time()}\n")


def _files(fitted: Fitted) -> dict[str, str]:
    """The digest of each file of a fitted model, by its path in the folder.

    Raises:
        ConflictError: The model's file is gone.
    """
    from eolab.studies.client.fitted_model import model_file

    model_file(fitted.folder, fitted.flavour)
    paths = sorted(path for path in fitted.folder.rglob("*") if path.is_file())
    return {str(path.relative_to(fitted.folder)): digest(path) for path in paths}


def _known(metric: float) -> float | None:
    return metric if math.isfinite(metric) else None


def _pages(search: Callable[..., Sequence[T]], filter_string: str | None = None) -> Iterator[T]:
    """All results of one of MLflow's paged searches."""
    token = None
    while True:
        page = search(filter_string=filter_string, page_token=token)
        yield from page
        token = getattr(page, "token", None)
        if not token:
            return


def _declared(output: str | None, logits: bool | None) -> str | None:
    """What the user says that the model gives."""
    if logits is None:
        return output
    said = "logit" if logits else "probability"
    if output not in {None, said}:
        raise InvalidInputError(f"logits={logits} and output={output!r}", "Give one of the two.")
    return said


def _frame(fitted: Fitted) -> bool:
    """Whether the model learnt from a data frame, which it then gets with its types."""
    return bool(getattr(fitted, "frame", False))


def _evidence(folder: Path) -> tuple[Evidence | None, Sequence[int]]:
    """What the model said of the samples that it was fitted on, and which classes these have."""
    import numpy as np

    from eolab.models.flavours import Evidence

    try:
        with np.load(folder / mlflow_flavour.ANSWERS, allow_pickle=False) as file:
            return Evidence(file["answer"], file["y"]), [int(code) for code in file["seen"]]
    except (OSError, ValueError, KeyError):  # none was written: older, or data without labels
        return None, ()


def _version(entry: Entry, aliases: tuple[str, ...], config: Config) -> ModelVersion:
    folder, root = Path(entry.source or ""), config.root
    # MLflow keeps the path as it was then; the workspace may have moved since.
    here = config.models / entry.name / folder.name
    folder = here if here.is_dir() else folder
    document = read(folder)
    params, metrics = document.get("params"), document.get("metrics")
    study = document.get("study") or entry.tags.get("eolab.study")

    def names(key: str) -> tuple[str, ...]:
        value = document.get(key)
        return tuple(str(item) for item in value) if isinstance(value, list) else ()

    return ModelVersion(
        name=entry.name,
        version=int(entry.version),
        aliases=aliases,
        description=entry.description or "",
        flavour=str(document.get("flavour") or entry.tags.get("eolab.flavour") or "pickle"),
        study=None if study in {None, "None"} else str(study),
        params=params if isinstance(params, dict) else {},
        metrics={
            name: float("nan") if value is None else float(value)
            for name, value in (metrics if isinstance(metrics, dict) else {}).items()
        },
        columns=names("columns"),
        classes=names("classes"),
        steps=names("steps"),
        created=entry.creation_timestamp / 1000,
        folder=folder,
        root=root,
    )
