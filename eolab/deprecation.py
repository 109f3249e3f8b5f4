"""Old names of the public face, for one release: they work, and say the new one."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

_HOUSE = str(Path(__file__).parent) + os.sep

P = ParamSpec("P")
R = TypeVar("R")


def warn_renamed(old: str, new: str) -> None:
    """Say that ``old`` is now ``new``, at the user's own line: Python shows it nowhere else.

    Args:
        old: As the user typed it: ``"eo.discrete"``, ``"stop="``.
        new: What to type instead.
    """
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_HOUSE):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"{old} is now {new}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=level,
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
