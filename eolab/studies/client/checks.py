"""What can be known to be wrong with a train function before its first trial."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping

from eolab.errors import InvalidInputError, nearest
from eolab.studies.client.packing import function_name
from eolab.studies.space.space import INJECTED, Space


def check_options(function: Callable[..., object], options: Mapping[str, object]) -> None:
    """Whether `tune` or `ablate` knows these options and has those that it needs.

    Raises:
        InvalidInputError: An unknown option, with the nearest; or a missing one.
    """
    said = function_name(function)
    known = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    for name in options:
        if name not in known:
            raise InvalidInputError(
                f"{said}() has no option {name}=", nearest(name, list(known), "options")
            )
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in options:
            raise InvalidInputError(
                f"{said}() needs {name}=", f"ws.{said}? says what each option means."
            )


def check_call(function: Callable[..., object], space: Space, *, has_data: bool) -> None:
    """Whether the study can call the function with what it has.

    Raises:
        InvalidInputError: A hyperparameter that the function does not take, or an argument that
            nobody gives, the data among them.
    """
    if not callable(function):
        raise InvalidInputError(
            f"train is a {type(function).__name__}, not a function",
            "Give the function itself, without ().",
        )
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in space:
        if name not in parameters and not takes_any:
            known = tuple(p for p in parameters if p not in INJECTED)
            raise InvalidInputError(
                f"{function_name(function)} takes no parameter {name!r}",
                nearest(name, known, "parameters"),
            )
    for name, parameter in parameters.items():
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise InvalidInputError(
                f"{function_name(function)}: {name!r} cannot be given by name",
                "Remove the '/' from the signature.",
            )
        given = name in space or name in INJECTED
        if name in space and space.sometimes(name) and parameter.default is parameter.empty:
            conditions = " and ".join(f"{other} in {v!r}" for other, v in space[name].when)
            raise InvalidInputError(
                f"{function_name(function)}: {name!r} has no default, and is suggested only where "
                f"{conditions}",
                f"Write `{name}: ... = <value>`, which counts where nothing is suggested.",
            )
        if name == "data" and not has_data and parameter.default is parameter.empty:
            raise InvalidInputError(
                f"{function_name(function)} takes data, and none is given",
                "Say data=, or give the argument a default.",
            )
        if not given and parameter.default is parameter.empty and parameter.kind in {
            parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY,
        }:  # fmt: skip
            raise InvalidInputError(
                f"{function_name(function)}: nobody gives the argument {name!r}",
                "Give it a default, or a space, for example Annotated[float, eo.uniform(0, 1)].",
            )


def check_takes_budget(function: Callable[..., object]) -> None:
    """Whether the function can be told how long to train.

    Raises:
        InvalidInputError: It has no argument ``budget``.
    """
    parameters = inspect.signature(function).parameters
    if "budget" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise InvalidInputError(
            f"{function_name(function)} takes no budget, which ASHA and Hyperband hand out",
            "Add an argument `budget` and train for that many epochs.",
        )


_SMALL_IS_GOOD = ("loss", "error", "rmse", "mse", "mae", "mape", "nll", "perplexity", "deviance")
_LARGE_IS_GOOD = (
    "accuracy",
    "acc",
    "f1",
    "auc",
    "iou",
    "precision",
    "recall",
    "kappa",
    "r2",
    "score",
)


def check_metric(function: Callable[..., object], metric: str, direction: str) -> None:
    """Whether metric and direction fit each other and the function.

    Raises:
        InvalidInputError: A loss is maximised, a score minimised, or the name looks misspelt.
    """
    words = set(metric.lower().replace("-", "_").split("_"))
    wrong = _SMALL_IS_GOOD if direction == "maximize" else _LARGE_IS_GOOD
    if words & set(wrong) and not words & {"neg", "negative", "minus"}:
        other = "minimize" if direction == "maximize" else "maximize"
        raise InvalidInputError(
            f"metric {metric!r} with direction={direction!r} looks wrong",
            f"Say direction={other!r}, or check_metric=False if it is meant so.",
        )
    plain = inspect.unwrap(function)
    if not isinstance(plain, types.FunctionType):
        return
    texts = _texts(plain.__code__)
    if metric not in texts:
        import difflib

        # A typo changes a letter; "accuracy" in the code may well be reported as "val_accuracy".
        alike = [t for t in texts if t.isidentifier() and abs(len(t) - len(metric)) <= 1]
        close = difflib.get_close_matches(metric, alike, n=1, cutoff=0.8)
        if close:
            raise InvalidInputError(
                f"{function_name(function)} never names the metric {metric!r}",
                f"Did you mean {close[0]!r}? (check_metric=False if it comes from elsewhere)",
            )


def _texts(code: types.CodeType) -> set[str]:
    found: set[str] = set()
    for const in code.co_consts:
        if isinstance(const, str):
            found.add(const)
        elif isinstance(const, tuple):
            found |= {c for c in const if isinstance(c, str)}
        elif isinstance(const, types.CodeType):
            found |= _texts(const)
    return found
