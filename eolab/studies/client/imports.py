"""Which libraries a function needs where it runs."""

from __future__ import annotations

import dataclasses
import dis
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from eolab.studies.client.packing import CARRIED, used
from eolab.studies.identity.modules import is_users


def needed_imports(function: Callable[..., object]) -> list[str]:
    """Libraries with random states of their own that the function needs.

    A worker loads them before it seeds a trial: a library that the trial itself loads would not be
    seeded.
    """
    names = _imported(function)
    return [name for name in ("numpy", "tensorflow", "keras", "torch") if name in names]


def imported_modules(
    function: Callable[..., object],
    data: object,
    modules: Iterable[str] = (),
    carried: Iterable[types.ModuleType] = (),
) -> list[str]:
    """Libraries that must be installed where the function runs, for it and for its data.

    Args:
        function: The train function.
        data: What it gets.
        modules: The user's own modules that travel with it.
        carried: Modules of ours that travel with it, besides those that always do.
    """
    names = _imported(function)
    needs_us = "eolab" in names
    names |= {"cloudpickle", type(data).__module__.partition(".")[0]}
    if sys.modules.get(type(data).__module__) in {*CARRIED, *carried}:
        names.add("numpy")  # the arrays of a split
    if not needs_us:
        names.discard("eolab")
    travels = {name.partition(".")[0] for name in modules} | {"__main__"}
    travels.add((getattr(function, "__module__", None) or "").partition(".")[0])
    return sorted(n for n in names - travels if n not in sys.stdlib_module_names)


def _imported(function: object) -> set[str]:
    """Names of all libraries that what a function uses comes from or imports."""
    names: set[str] = set()
    seen: dict[int, object] = {}  # the values too: an id is used again when its owner is gone
    left = [function]
    while left:
        value = left.pop()
        if callable(value):
            value = inspect.unwrap(value)
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if isinstance(value, types.ModuleType):
            names.add(_top(value.__name__))
        elif isinstance(value, types.FunctionType | type) and value is not function:
            module = sys.modules.get(value.__module__)
            # What a library imports on its own account comes along with it.
            if is_users(module):
                left.extend(_inside(value, names))
            else:
                names.add(_top(value.__module__))
        else:
            left.extend(_inside(value, names))
    return names


def _inside(value: object, names: set[str]) -> Iterator[object]:
    """What a value of the user's consists of; what its code imports is added to the names."""
    if isinstance(value, types.FunctionType):
        names |= set(_import_statements(value.__code__))
        yield from (found for _, found in used(value))
    elif isinstance(value, types.MethodType | functools.partial):
        yield from (found for _, found in used(value))
    elif isinstance(value, type):
        yield from value.__bases__
        yield from (v for v in vars(value).values() if isinstance(v, types.FunctionType))
    elif isinstance(value, Mapping):
        yield from islice(value.values(), MOST_MEMBERS)
    elif isinstance(value, tuple | list):
        yield from islice(value, MOST_MEMBERS)
    else:
        yield type(value)
        if dataclasses.is_dataclass(value):
            yield from (getattr(value, field.name) for field in dataclasses.fields(value))
        elif callable(value):
            yield from getattr(value, "__dict__", {}).values()


MOST_MEMBERS = 100
"""Members of a captured list that are looked at: long ones hold data, not code."""


def _import_statements(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            yield _top(str(instruction.argval))
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _import_statements(const)


def _top(name: str) -> str:
    return name.partition(".")[0]
