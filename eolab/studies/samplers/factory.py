"""From what a user says (`sampler=`) to a sampler."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Literal, TypeAlias

from eolab.errors import InvalidInputError, nearest
from eolab.studies.samplers.base import (
    CheckedSampler,
    GridSampler,
    QMCSampler,
    RandomSampler,
    Sampler,
)
from eolab.studies.space.space import Space
from eolab.studies.space.states import Direction

SamplerName: TypeAlias = Literal["random", "grid", "qmc", "tpe", "gp", "cmaes"]
SamplerSpec: TypeAlias = "SamplerName | Mapping[str, object] | type[Sampler] | Sampler"


KINDS: tuple[str, ...] = typing.get_args(SamplerName)


def make_sampler(
    kind: SamplerSpec,
    space: Space,
    *,
    direction: Direction,
    seed: int,
    trials: int | None = None,
) -> Sampler:
    """A sampler by name, by description or your own.

    Args:
        kind: "random", "grid", "qmc", "tpe", "gp" or "cmaes"; a description such as
            ``{"kind": "grid", "points": 5}``; a class with `ask` (made with the arguments of
            `Sampler`), or an object of one.
        space: What may be suggested; checked here.
        direction: Whether large or small values are good.
        seed: The study's seed.
        trials: How many trials the study will run, where that is known.

    Raises:
        InvalidInputError: An unknown name or option, a space that the sampler cannot search, or an
            extra that is not installed.
    """
    space.check()
    if direction not in typing.get_args(Direction):
        raise InvalidInputError(
            f"direction={direction!r}", nearest(str(direction), typing.get_args(Direction))
        )
    if isinstance(kind, type):
        kind = kind(space, direction=direction, seed=seed, trials=trials)
    if isinstance(kind, str):
        return _named(kind, {}, space, direction, seed, trials)
    if isinstance(kind, Mapping):
        options = {key: value for key, value in kind.items() if key != "kind"}
        return _named(str(kind.get("kind")), options, space, direction, seed, trials)
    if not callable(getattr(kind, "ask", None)):
        raise InvalidInputError(
            f"sampler={kind!r} is no sampler",
            f"Give one of {', '.join(KINDS)}, or an object with ask(n) and tell(...).",
        )
    return CheckedSampler(kind, space)


def _named(
    kind: str,
    options: dict[str, object],
    space: Space,
    direction: Direction,
    seed: int,
    trials: int | None,
) -> Sampler:
    if kind not in KINDS:
        # All six: what is meant ("bayes") need not be spelt like what there is ("tpe", "gp").
        raise InvalidInputError(
            f"unknown sampler {kind!r}", f"The samplers are: {', '.join(map(repr, KINDS))}."
        )
    allowed = {"grid": ("points",), "tpe": ("startup",), "gp": ("startup",), "cmaes": ("popsize",)}
    for name, value in options.items():
        if name not in allowed.get(kind, ()):
            raise InvalidInputError(
                f"unknown option {name!r} of the sampler {kind!r}",
                nearest(name, allowed.get(kind, ()), "options"),
            )
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidInputError(
                f"{kind}: {name}={value!r}", "Give a whole number of 1 or more."
            )
    number = typing.cast("dict[str, int]", options)
    shared = typing.cast("_Shared", {"direction": direction, "seed": seed, "trials": trials})
    if kind == "random":
        return RandomSampler(space, **shared)
    if kind == "qmc":
        return QMCSampler(space, **shared)
    if kind == "grid":
        return GridSampler(space, **shared, points=number.get("points"))
    if kind == "cmaes":
        from eolab.studies.samplers.cmaes import CmaEsSampler

        return CmaEsSampler(space, **shared, popsize=number.get("popsize"))
    from eolab.studies.samplers.optuna import GPSampler, TPESampler

    model = TPESampler if kind == "tpe" else GPSampler
    return model(space, **shared, startup=number.get("startup", 10))


class _Shared(typing.TypedDict):
    direction: Direction
    seed: int
    trials: int | None
