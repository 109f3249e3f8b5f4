"""One run of an ablation, in a worker: the data and the model as the variant says."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from eolab.errors import InvalidInputError, nearest
from eolab.studies.ablation.components import Component
from eolab.studies.ablation.cutting import cutter_for
from eolab.studies.ablation.design import Variant
from eolab.studies.ablation.folds import Folds, without
from eolab.studies.client.packing import without_annotations
from eolab.studies.space.parameters import Value
from eolab.studies.space.seeds import derive_seed

if TYPE_CHECKING:
    from eolab.studies.worker.reporter import Reporter

Change = Mapping[str, Value] | Callable[[object], object]
"""A named change: other values of parameters, or a function from data to data."""

OFFERED = ("data", "reporter", "seed", "model")


@dataclass(frozen=True)
class Recipe:
    """What every run needs to know.

    Attributes:
        train: The user's train function.
        build: Makes the model, or None.
        params: Fixed hyperparameters.
        components: By name.
        variants: By name.
        changes: By name of the component of kind "change"; None for another dataset or model.
        models: Functions that make other models, by name of the component of kind "change".
        seed: The study's seed.
        project: Put a projection in the place of a layer that changes shapes.
        rebuild: Build layers anew whose shapes follow from one that goes.
    """

    train: Callable[..., object]
    build: Callable[..., object] | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    components: Mapping[str, Component] = field(default_factory=dict)
    variants: Mapping[str, Variant] = field(default_factory=dict)
    changes: Mapping[str, Change | None] = field(default_factory=dict)
    models: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    seed: int = 0
    project: bool = False
    rebuild: bool = False
    identity_by: ClassVar[str] = "names"
    """In a study's identity its attributes go by their own names, which its user gave."""

    def columns(self, variant: Variant) -> tuple[str, ...]:
        """Columns that the variant goes without."""
        return self._members(variant, of_model=False)

    def layers(self, variant: Variant) -> tuple[str, ...]:
        """Layers that the variant goes without."""
        return self._members(variant, of_model=True)

    def other_model(self, variant: Variant) -> bool:
        """Whether the variant's model differs from the baseline's by more than layers."""
        return any(not self.components[name].of_model for name in variant.removed)

    def _members(self, variant: Variant, *, of_model: bool) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for name in variant.removed:
            if self.components[name].of_model == of_model:
                found.update(dict.fromkeys(self.components[name].members))
        return tuple(found)

    def prepare(
        self, folds: Folds, variant: Variant, fold: int, seed: int
    ) -> tuple[object, object | None, dict[str, Value]]:
        """The data, the model (None without ``build``) and the parameters of a run."""
        data, params, build = folds.parts[""][fold], dict(self.params), self.build
        for name in variant.removed:
            if self.components[name].kind != "change":
                continue
            change = self.changes[name]
            if name in self.models:
                build = self.models[name]
            elif change is None:
                data = folds.parts[name][fold]
            elif callable(change):
                data = change(data)
            else:
                params.update(change)
        data = without(data, self.columns(variant))
        if build is None:
            return data, None, params
        seed_everything(seed)
        model = call_named(build, {"data": data, "seed": seed, **params})
        layers = self.layers(variant)
        if layers:
            cutter = cutter_for(model, data)
            model = cutter.remove(layers, project=self.project, rebuild=self.rebuild).model
        return data, model, params


def make_trial(recipe: Recipe) -> Callable[..., object]:
    """The function that the study's workers run.

    Its ``parts`` are the user's functions in it.
    """
    changes = {
        name: without_annotations(change) if callable(change) else change
        for name, change in recipe.changes.items()
    }
    recipe = replace(
        recipe,
        train=without_annotations(recipe.train),
        build=None if recipe.build is None else without_annotations(recipe.build),
        changes=changes,
        models={name: without_annotations(make) for name, make in recipe.models.items()},
    )

    def trial(data: Folds, reporter: Reporter, *, variant: str, fold: int, repeat: int) -> object:
        # One seed for all variants on a fold and repeat: what differs is what was taken away.
        seed = derive_seed(recipe.seed, repeat * len(data) + fold, "ablation")
        part, model, params = recipe.prepare(data, recipe.variants[variant], fold, seed)
        seed_everything(seed)
        offered = {"data": part, "reporter": reporter, "seed": seed, **params}
        if recipe.build is not None:
            offered["model"] = model
        return call_named(recipe.train, offered)

    parts = [recipe.train, recipe.build, *recipe.models.values(), *changes.values()]
    vars(trial).update(parts=[part for part in parts if callable(part)])
    return trial


def call_named(function: Callable[..., object], offered: Mapping[str, object]) -> object:
    """Call a function with those of the arguments that it names."""
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return function(**offered)
    return function(**{name: value for name, value in offered.items() if name in parameters})


def seed_everything(seed: int) -> None:
    """Seed the random states of the libraries that are loaded."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def check_functions(recipe: Recipe) -> None:
    """Whether train and build can be called with what there is.

    Raises:
        InvalidInputError: A parameter that neither takes, an argument that nobody gives, or layers
            to remove without a model to remove them from.
    """
    if not callable(recipe.train):
        raise InvalidInputError(
            f"train is a {type(recipe.train).__name__}, not a function",
            "Give the function itself, without ().",
        )
    if recipe.models and recipe.build is None:
        raise InvalidInputError(
            f"there is no model that {next(iter(recipe.models))!r} could be compared with",
            "Give build=, the function that makes the baseline's model.",
        )
    _check_changes(recipe)
    functions = [recipe.train]
    functions += [] if recipe.build is None else [recipe.build, *recipe.models.values()]
    taken: set[str] = set()
    for function in functions:
        taken |= set(inspect.signature(function).parameters)
    if not any(_takes_any(function) for function in functions):
        changes = (c for c in recipe.changes.values() if isinstance(c, Mapping))
        for name in [*recipe.params, *(name for change in changes for name in change)]:
            if name not in taken:
                raise InvalidInputError(
                    f"neither train nor build takes a parameter {name!r}",
                    nearest(name, sorted(taken - set(OFFERED)), "parameters"),
                )
    for function in functions:
        _check_needed(function, recipe)
    of_model = [c.name for c in recipe.components.values() if c.of_model]
    if of_model and recipe.build is None:
        raise InvalidInputError(
            f"{of_model[0]!r} is part of a model, and there is no model",
            "Give build=, a function that returns the model, and let train take `model`.",
        )
    if recipe.build is not None and "model" not in inspect.signature(recipe.train).parameters:
        raise InvalidInputError(
            "train takes no `model`, so what build makes would not be used",
            "Add the argument `model` to train, or leave build= out.",
        )


def _check_changes(recipe: Recipe) -> None:
    for name, make in recipe.models.items():
        if not callable(make):
            raise InvalidInputError(
                f"model {name!r} is a {type(make).__name__}, not a function that makes one",
                "Give a function like build.",
            )
    for name, change in recipe.changes.items():
        if change is not None and not callable(change) and not isinstance(change, Mapping):
            raise InvalidInputError(
                f"change {name!r} is a {type(change).__name__}",
                'Give other parameters ({"lr": 1e-4}) or a function from data to data.',
            )


def _takes_any(function: Callable[..., object]) -> bool:
    parameters: Sequence[inspect.Parameter] = list(inspect.signature(function).parameters.values())
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def _check_needed(function: Callable[..., object], recipe: Recipe) -> None:
    given = {"data", "seed", *recipe.params}
    if function is recipe.train:
        given |= {"reporter"} | ({"model"} if recipe.build is not None else set())
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.default is parameter.empty and name not in given:
            raise InvalidInputError(
                f"{getattr(function, '__name__', 'train')} needs {name!r}, which nobody gives",
                f"Give it in params={{{name!r}: ...}}, or a default in the signature.",
            )
