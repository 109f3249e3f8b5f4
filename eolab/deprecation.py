"""Old names of the public face, for one release: they work, and say the new one."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def warn_renamed(old: str, new: str, *, stacklevel: int = 2) -> None:
    """Say that ``old`` is now ``new``.

    Args:
        old: As the user typed it: ``"eo.discrete"``, ``"stop="``.
        new: What to type instead.
        stacklevel: As in `warnings.warn`, counted from the caller of this function.
    """
    warnings.warn(
        f"{old} is now {new}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


def old_names(
    module: str, names: Mapping[str, str], other: Callable[[str], object] | None = None
) -> Callable[[str], object]:
    """A module's `__getattr__` that finds old names.

    Args:
        module: `__name__` of the module.
        names: Old name to new one, both in this module.
        other: The `__getattr__` that is asked for any other name.
    """

    def find(name: str) -> object:
        if name in names:
            warn_renamed(f"{module}.{name}", f"{module}.{names[name]}")
            return getattr(sys.modules[module], names[name])
        if other is not None:
            return other(name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return find


def renamed_arguments(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: keyword arguments under old names, ``old="new"``.

    Raises:
        TypeError: When called with both.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for old, new in names.items():
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(f"{function.__name__}() got both {new}= and {old}=")
                    warn_renamed(f"{old}=", f"{new}=")
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate
