"""Functions of the user's that are called as writers are, and read all the same.

`save(path)` of a library writes. One of the user's own does what it likes: where it reads, too, a
path that it is given is data.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import types
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from eolab.studies.identity.code import Code, read
from eolab.studies.identity.modules import is_users
from eolab.studies.identity.written import is_writer, is_writing

_READ = frozenset({"fromfile", "genfromtxt", "memmap", "imread", "unpickle", "glob", "iterdir"})


def seen(found: Code, names: Mapping[str, object]) -> Code:
    """The code, without paths that count as written where a function of the user's reads them.

    Args:
        found: What a function does.
        names: Its globals.
    """
    if not any(_is_reader(each) for each in _savers(found, names)):
        return found
    return replace(found, read_from=(*found.read_from, *found.texts), only_written=frozenset())


def _savers(found: Code, names: Mapping[str, object]) -> Iterable[object]:
    """What code calls by the name of a writer: globals, and members of globals."""
    asked = [name for name in found.mentions if is_writer(name, method=True)]
    for used in found.names if asked else ():
        value = names.get(used)
        if is_writer(used, method=False):
            yield value
        owner = value if isinstance(value, type | types.ModuleType) else type(value)
        for name in asked:
            yield inspect.getattr_static(owner, name, None)


def _is_reader(value: object) -> bool:
    for function in _functions(value):
        if is_users(sys.modules.get(str(function.__module__))):
            inner = read(function.__code__)
            if _reads(inner.mentions, inner.texts):
                return True
    return False


def _functions(value: object) -> Iterable[types.FunctionType]:
    """What runs when a value is called: a method, what is decorated, a partial, an object's."""
    waiting, known = [value], list[object]()
    while waiting:
        one = waiting.pop()
        one = getattr(one, "__func__", one)  # of a static or class method
        if any(one is each for each in known):
            continue
        known.append(one)
        if isinstance(one, functools.partial):
            waiting.append(one.func)
        elif isinstance(one, types.FunctionType):
            yield one
            # A decorator keeps what it wraps.
            waiting += [cell.cell_contents for cell in one.__closure__ or () if _is_full(cell)]
        elif one is not None and not isinstance(one, type):
            waiting.append(inspect.getattr_static(type(one), "__call__", None))


def _is_full(cell: types.CellType) -> bool:
    try:
        return callable(cell.cell_contents)
    except ValueError:
        return False


def define_reader(called: Collection[str], statements: Iterable[ast.stmt]) -> bool:
    """Whether source defines a function that is called as a writer is, and reads.

    Args:
        called: Names and attributes that some code mentions.
        statements: What the module defines.
    """
    asked = {name for name in called if is_writer(name, method=True)}
    for node in (n for each in statements if asked for n in ast.walk(each)):
        if isinstance(node, ast.FunctionDef) and node.name in asked:
            inner = list(ast.walk(node))
            mentions = {n.attr for n in inner if isinstance(n, ast.Attribute)}
            mentions |= {n.id for n in inner if isinstance(n, ast.Name)}
            values = [n.value for n in inner if isinstance(n, ast.Constant)]
            if _reads(mentions, [v for v in values if isinstance(v, str)]):
                return True
    return False


def _reads(mentions: Collection[str], texts: Collection[str]) -> bool:
    if _READ & {*mentions} or any(name.startswith(("read", "load")) for name in mentions):
        return True
    return "open" in mentions and not any(is_writing(text, method=False) for text in texts)
