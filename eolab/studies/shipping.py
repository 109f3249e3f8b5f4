"""A train function on its way to the workers: what it takes, whether it travels, what it is.

The digest of a function follows its code and what the code uses, not where it was typed: running a
notebook's cell again gives the same digest, editing it another.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import io
import pickle
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eolab.errors import BadInput, nearest
from eolab.studies.space import INJECTED, Space

MOST_BYTES = 20_000_000


def pack_function(function: Callable[..., object]) -> bytes:
    """The pickled function, by value where it is the user's own, without its annotations.

    Raises:
        BadInput: It holds something that cannot be pickled (which is named), or more than 20 MB.
    """
    import cloudpickle

    function = without_annotations(function)
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    by_value = module is not None and _is_users(module)
    try:
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        content: bytes = cloudpickle.dumps(function)
    except Exception as error:
        name, thing = _culprit(function)
        what = (
            f"{name} ({type(thing).__name__}) cannot be pickled"
            if name
            else f"cannot be pickled: {error}"
        )
        raise BadInput(
            f"the train function {_name(function)!r} cannot travel to the workers: {what}",
            "Make it inside the function, or pass what it is made from.",
        ) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    if len(content) > MOST_BYTES:
        raise BadInput(
            f"the train function {_name(function)!r} carries {len(content) / 1e6:.0f} MB with it",
            "Give large arrays as data=, the function gets them as its argument `data`.",
        )
    return content


def without_annotations(function: Callable[..., object]) -> Callable[..., object]:
    """A copy whose annotations (spaces of ours) need not be importable where it runs."""
    if not isinstance(function, types.FunctionType) or not _is_users(
        sys.modules.get(function.__module__ or "")
    ):
        return function
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    copy.__dict__.update({k: v for k, v in function.__dict__.items() if k != "__wrapped__"})
    return copy


def pack_data(data: object) -> bytes:
    """The pickled data.

    Raises:
        BadInput: It cannot be pickled.
    """
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(data, protocol=5))
    except Exception as error:
        raise BadInput(
            f"the data ({type(data).__name__}) cannot travel to the workers: {error}",
            "Give arrays, tables, a Split, or a path that the function opens.",
        ) from error


def _is_users(module: types.ModuleType | None) -> bool:
    """Whether a module is the user's own: not installed, not the standard library, not eolab."""
    if module is None:
        return True
    if module.__name__ == "__main__":
        return True
    file = getattr(module, "__file__", None)
    if not file or module.__name__.partition(".")[0] == "eolab":
        return False
    path = Path(file).resolve()
    installed = {Path(p).resolve() for k, p in sysconfig.get_paths().items() if "lib" in k}
    return not any(path.is_relative_to(p) for p in installed)


def _name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _used(function: Callable[..., object]) -> Iterator[tuple[str, object]]:
    """What a function refers to: closure, defaults, and the globals that its code names."""
    plain = inspect.unwrap(function)
    if isinstance(plain, types.MethodType):
        yield "self", plain.__self__
        plain = plain.__func__
    if not isinstance(plain, types.FunctionType):
        for name, value in getattr(plain, "__dict__", {}).items():
            yield name, value
        if hasattr(plain, "func"):  # functools.partial
            yield "func", plain.func
            yield "args", (plain.args, plain.keywords)  # type: ignore[attr-defined]
        return
    for name, cell in zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    for name in sorted(_global_names(plain.__code__)):
        if name in plain.__globals__:
            yield name, plain.__globals__[name]
    for i, value in enumerate(plain.__defaults__ or ()):
        yield f"default {i}", value
    yield from (plain.__kwdefaults__ or {}).items()


def _global_names(code: types.CodeType) -> set[str]:
    names = {
        str(i.argval)
        for i in dis.get_instructions(code)
        if i.opname in {"LOAD_GLOBAL", "LOAD_NAME"}
    }
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            names |= _global_names(const)
    return names


def _culprit(function: Callable[..., object]) -> tuple[str, object]:
    """The thing that the function uses and that cannot be pickled."""
    import cloudpickle

    for name, value in _used(function):
        if (
            isinstance(value, types.FunctionType)
            and value is not function
            and _is_users(sys.modules.get(value.__module__))
        ):
            inner, thing = _culprit(value) if _fails(value) else ("", None)
            if inner:
                return f"{inner!s} in {name!r}", thing
        elif _fails(value):
            return repr(name), value
    del cloudpickle
    return "", None


def _fails(value: object) -> bool:
    import cloudpickle

    try:
        cloudpickle.dump(value, io.BytesIO())
    except Exception:
        return True
    return False


# -- what the function is ------------------------------------------------------------------


def digest_function(function: Callable[..., object]) -> str:
    """SHA-256 of the code and of what it uses."""
    h = hashlib.sha256()
    _feed(h, function, set())
    return h.hexdigest()


def _feed(h: Any, value: object, seen: set[int]) -> None:
    if id(value) in seen:
        return
    if isinstance(value, types.CodeType):
        h.update(value.co_code)
        h.update(repr((value.co_names, value.co_varnames, value.co_freevars)).encode())
        for const in value.co_consts:
            _feed(h, const, seen)
    elif isinstance(value, (types.FunctionType, types.MethodType)) and _is_users(
        sys.modules.get(value.__module__)
    ):
        seen.add(id(value))
        plain = inspect.unwrap(value)
        if isinstance(plain, types.FunctionType):
            _feed(h, plain.__code__, seen)
        for name, used in _used(value):
            h.update(name.encode())
            _feed(h, used, seen)
    elif isinstance(value, types.ModuleType):
        h.update(value.__name__.encode())
    elif isinstance(value, type) or callable(value):
        h.update(
            f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}".encode()
        )
        if not isinstance(value, type):
            for name, used in _used(value):
                h.update(name.encode())
                _feed(h, used, seen)
        elif _is_users(sys.modules.get(value.__module__)):
            seen.add(id(value))
            for name, member in sorted(vars(value).items()):
                if (
                    isinstance(member, (types.FunctionType, int, float, str, tuple))
                    and name != "__module__"
                ):
                    h.update(name.encode())
                    _feed(h, member, seen)
    elif isinstance(value, (tuple, list)):
        h.update(b"[")
        for part in value:
            _feed(h, part, seen)
        h.update(b"]")
    elif isinstance(value, frozenset):
        for part in sorted(map(repr, value)):
            h.update(part.encode())
    else:
        h.update(_stable(value))


def _stable(value: object) -> bytes:
    if (
        value is None
        or isinstance(value, (bool, int, float, complex, str, bytes))
        or value is Ellipsis
    ):
        return repr(value).encode()
    own = getattr(value, "digest", None)
    try:
        if callable(own):
            return str(own()).encode()
        return hashlib.sha256(pickle.dumps(value, protocol=4)).digest()
    except Exception:
        return type(value).__qualname__.encode()


def digest_data(data: object) -> str:
    """The data's own digest, else a SHA-256 of its pickle."""
    own = getattr(data, "digest", None)
    return str(own()) if callable(own) else hashlib.sha256(_stable(data)).hexdigest()


def source_text(function: Callable[..., object]) -> str:
    """The function as it was typed, or nothing where that is not known."""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""


def needed_imports(function: Callable[..., object]) -> list[str]:
    """Libraries with random states of their own that the function imports when it runs."""
    names = _imported(function, set())
    return [name for name in ("numpy", "tensorflow", "keras", "torch") if name in names]


def _imported(function: object, seen: set[int]) -> set[str]:
    function = inspect.unwrap(function) if callable(function) else function
    if id(function) in seen or not isinstance(function, types.FunctionType):
        return set()
    seen.add(id(function))
    names: set[str] = set()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        names |= {
            str(i.argval).partition(".")[0]
            for i in dis.get_instructions(code)
            if i.opname == "IMPORT_NAME"
        }
        codes.extend(c for c in code.co_consts if isinstance(c, types.CodeType))
    for _, used in _used(function):
        if isinstance(used, types.FunctionType):
            names |= _imported(used, seen)
        elif isinstance(used, types.ModuleType):
            names.add(used.__name__.partition(".")[0])
    return names


# -- what is wrong with it -----------------------------------------------------------------


def check_call(function: Callable[..., object], space: Space) -> None:
    """Whether the study can call the function with what it has.

    Raises:
        BadInput: A hyperparameter that the function does not take, or an argument that nobody gives.
    """
    if not callable(function):
        raise BadInput(
            f"train is a {type(function).__name__}, not a function",
            "Give the function itself, without ().",
        )
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in space:
        if name not in parameters and not takes_any:
            known = tuple(p for p in parameters if p not in INJECTED)
            raise BadInput(
                f"{_name(function)} takes no parameter {name!r}", nearest(name, known, "parameters")
            )
    for name, parameter in parameters.items():
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise BadInput(
                f"{_name(function)}: {name!r} cannot be given by name",
                "Remove the '/' from the signature.",
            )
        given = name in space or name in INJECTED
        if not given and parameter.default is parameter.empty and parameter.kind in {
            parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY,
        }:  # fmt: skip
            raise BadInput(
                f"{_name(function)}: nobody gives the argument {name!r}",
                "Give it a default, or a space, for example Annotated[float, eo.uniform(0, 1)].",
            )


def check_takes_budget(function: Callable[..., object]) -> None:
    """Whether the function can be told how long to train.

    Raises:
        BadInput: It has no argument ``budget``.
    """
    parameters = inspect.signature(function).parameters
    if "budget" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise BadInput(
            f"{_name(function)} takes no budget, which ASHA and Hyperband hand out",
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
        BadInput: A loss is maximised, a score minimised, or the name looks misspelt.
    """
    words = set(metric.lower().replace("-", "_").split("_"))
    wrong = _SMALL_IS_GOOD if direction == "maximize" else _LARGE_IS_GOOD
    if words & set(wrong) and not words & {"neg", "negative", "minus"}:
        other = "minimize" if direction == "maximize" else "maximize"
        raise BadInput(
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
            raise BadInput(
                f"{_name(function)} never names the metric {metric!r}",
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
