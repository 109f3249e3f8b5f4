"""A train function on its way to the workers: what it takes and whether it travels.

At the end stand the digests of version 1, by which studies of then are still compared; those of
today are made in `eolab.studies.identity`.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import importlib
import inspect
import io
import pickle
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Protocol

from eolab import deprecation, errors, moved_modules, training_data
from eolab.errors import InvalidInputError
from eolab.moved_modules import name_before, object_before
from eolab.studies.identity.modules import is_users
from eolab.training_data import StoredSplit

MOST_BYTES = 20_000_000
MOST_DATA = 256_000_000


CARRIED: tuple[types.ModuleType, ...] = (deprecation, errors, moved_modules, training_data)
"""What a train function may need of ours where eolab is not installed: it travels by value.

An ablation takes more along (`eolab.studies.ablation.carried`)."""


@contextlib.contextmanager
def _by_value(modules: Iterable[types.ModuleType]) -> Iterator[None]:
    """Let the content of these modules travel instead of their names."""
    import cloudpickle

    once = list({module.__name__: module for module in modules}.values())
    for module in once:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in once:
            cloudpickle.unregister_pickle_by_value(module)


def pack_function(
    function: Callable[..., object],
    *,
    carried: Iterable[types.ModuleType] = (),
    modules: Iterable[str] = (),
) -> bytes:
    """The pickled function, by value where it is the user's own, without its annotations.

    Args:
        function: The train function.
        carried: Modules of ours that go along, where the workers have no eolab.
        modules: Names of modules of the user's own that go along.

    Raises:
        InvalidInputError: It holds something that cannot be pickled (which is named), or more than
            20 MB, or a module cannot be imported.
    """
    function = without_annotations(function)
    parts = getattr(function, "parts", (function,))
    homes = [sys.modules.get(getattr(part, "__module__", None) or "") for part in parts]
    along = [module for module in homes if module is not None and is_users(module)]
    for name in modules:
        try:
            along.append(importlib.import_module(name))
        except (ImportError, ValueError, TypeError) as error:  # "", ".helpers"
            raise InvalidInputError(
                f"the module {name!r} cannot travel: {error}", "Check its name."
            ) from error
    try:
        with _by_value([*along, *carried]):
            content = _dumps(function)
    except Exception as error:
        name, value = _culprit(function)
        what = (
            f"{name} ({type(value).__name__}) cannot be pickled"
            if name
            else f"cannot be pickled: {error}"
        )
        raise InvalidInputError(
            f"the train function {function_name(function)!r} cannot travel to the workers: {what}",
            "Make it inside the function, or pass what it is made from.",
        ) from error
    if len(content) > MOST_BYTES:
        raise InvalidInputError(
            f"the train function {function_name(function)!r} carries {len(content) / 1e6:.0f} MB",
            "Give large arrays as data=, the function gets them as its argument `data`.",
        )
    return content


def _dumps(value: object) -> bytes:
    """As cloudpickle does, also what functools makes of a user's functions.

    A function with ``lru_cache`` is pickled by name otherwise, which no worker finds; the function
    goes instead, its cache empty. Dictionaries of weak references go with what they hold now.
    """
    import cloudpickle

    cached = type(functools.lru_cache(_dumps))

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: object) -> object:
            if isinstance(obj, cached) and _travels_by_value(obj):
                parameters = obj.cache_parameters()
                state = {k: v for k, v in vars(obj).items() if k != "__wrapped__"}
                make = functools.lru_cache(parameters["maxsize"], parameters["typed"])
                return make, (inspect.unwrap(obj, stop=lambda f: f is not obj),), state
            if isinstance(obj, weakref.WeakKeyDictionary):
                return type(obj), (), None, None, iter([*obj.items()])
            if isinstance(obj, weakref.WeakValueDictionary):
                # What keeps them alive here may not travel: over there the dictionary does.
                return type(obj), (), {"kept": [*obj.values()]}, None, iter([*obj.items()])
            if isinstance(obj, functools.cached_property):  # holds a lock
                return functools.cached_property, (obj.func,), {"attrname": obj.attrname}
            if isinstance(obj, types.MappingProxyType):
                return types.MappingProxyType, (dict(obj),)
            return super().reducer_override(obj)

    stream = io.BytesIO()
    Pickler(stream, protocol=5).dump(value)
    return stream.getvalue()


def _travels_by_value(function: object) -> bool:
    return is_users(sys.modules.get(getattr(function, "__module__", None) or ""))


def without_annotations(function: Callable[..., object]) -> Callable[..., object]:
    """A copy whose annotations (spaces of ours) need not be importable where it runs."""
    if not isinstance(function, types.FunctionType) or not is_users(
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


def pack_data(data: object, *, carried: Sequence[types.ModuleType] = ()) -> bytes:
    """The pickled data.

    Args:
        data: Arrays, a table, a `Split`, ...
        carried: Modules of ours that go along, where the workers have no eolab.

    Raises:
        InvalidInputError: It cannot be pickled, or is too large to be sent to each executor.
    """
    try:
        with _by_value(carried):
            content = _dumps(data)
    except Exception as error:
        raise InvalidInputError(
            f"the data ({type(data).__name__}) cannot travel to the workers: {error}",
            "Give arrays, tables, a Split, or a path that the function opens.",
        ) from error
    if carried and len(content) > MOST_DATA:
        raise InvalidInputError(
            f"the data ({type(data).__name__}) has {len(content) / 1e6:.0f} MB, too much to send "
            "to each executor",
            "Give a training dataset (view.create_training_dataset(split)) or a path as data=, "
            "which each worker reads itself; `paths` in the cluster's table says what a folder "
            "here is called there.",
        )
    return content


def stored(data: object) -> object:
    """A training dataset as what workers read where they are; anything else unchanged.

    Raises:
        InvalidInputError: A feature view, which has no parts yet.
    """
    make = getattr(data, "stored", None)
    if callable(make):
        return make()
    if callable(getattr(data, "create_training_dataset", None)):
        raise InvalidInputError(
            f"data is a {type(data).__name__}, which is not split yet",
            "Give split = view.train_validation_test_split(...) (sent to each worker), or "
            "view.create_training_dataset(split) (read by each worker).",
        )
    return data


def sealed(data: object) -> object:
    """The data without a test part, where it has one."""
    seal = getattr(data, "sealed", None)
    return seal() if callable(seal) else data


def relocate(data: object, paths: Mapping[str, str]) -> object:
    """Data given as a path or training dataset, under the name that it has on the cluster.

    Anything else is unchanged.

    Args:
        data: Whatever `tune` was given.
        paths: Folders (or URLs) here to folders there; the longest that fits counts.
    """
    if isinstance(data, StoredSplit):
        there = str(relocate(data.folders[0], paths))
        return data if there in data.folders else replace(data, folders=(there, *data.folders))
    if not isinstance(data, (str, PurePath)):
        return data
    text = str(data)
    for here in sorted(paths, key=len, reverse=True):
        plain = here.rstrip("/")
        if text == plain or text.startswith(plain + "/"):
            return type(data)(paths[here].rstrip("/") + text[len(plain) :])
    return data


def function_name(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def used(
    function: Callable[..., object], *, rename: Callable[[str, object], str] | None = None
) -> Iterator[tuple[str, object]]:
    """What a function refers to: closure, defaults, and the globals that its code names.

    Args:
        function: A function, method, partial or object with `__call__`.
        rename: Another name for a global, from its name and value; globals come in the order of
            these names.
    """
    plain = inspect.unwrap(function)
    if isinstance(plain, types.MethodType):
        yield "self", plain.__self__
        plain = plain.__func__
    if not isinstance(plain, types.FunctionType):
        for name, value in getattr(plain, "__dict__", {}).items():
            yield name, value
        if hasattr(plain, "func"):  # functools.partial
            yield "func", plain.func
            yield "args", (plain.args, plain.keywords)
        return
    for name, cell in zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    names = [name for name in _global_names(plain.__code__) if name in plain.__globals__]
    found = {name: plain.__globals__[name] for name in names}
    if rename is not None:
        found = {rename(name, value): value for name, value in found.items()}
    for name in sorted(found):
        yield name, found[name]
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
    for name, value in used(function):
        if (
            isinstance(value, types.FunctionType)
            and value is not function
            and is_users(sys.modules.get(value.__module__))
        ):
            inner, found = _culprit(value) if _fails(value) else ("", None)
            if inner:
                return f"{inner!s} in {name!r}", found
        elif _fails(value):
            return repr(name), value
    return "", None


def _fails(value: object) -> bool:
    try:
        _dumps(value)
    except Exception:
        return True
    return False


# -- the digests of version 1 ---------------------------------------------------------------


def digest_function(function: Callable[..., object]) -> str:
    """SHA-256 of the code and of what it uses, as version 1 saw it."""
    h = hashlib.sha256()
    _feed(h, function, set())
    return h.hexdigest()


def _feed(h: Digest, value: object, seen: set[int]) -> None:
    if id(value) in seen:
        return
    if isinstance(value, types.CodeType):
        h.update(value.co_code)
        h.update(repr((value.co_names, value.co_varnames, value.co_freevars)).encode())
        for const in value.co_consts:
            _feed(h, const, seen)
    elif isinstance(value, (types.FunctionType, types.MethodType)) and is_users(
        sys.modules.get(value.__module__)
    ):
        seen.add(id(value))
        plain = inspect.unwrap(value)
        if isinstance(plain, types.FunctionType):
            _feed(h, plain.__code__, seen)
        for name, part in used(value):
            h.update(name.encode())
            _feed(h, part, seen)
    elif isinstance(value, types.ModuleType):
        h.update(name_before(value.__name__).encode())
    elif isinstance(value, type) or callable(value):
        name = getattr(value, "__qualname__", type(value).__qualname__)
        module = str(getattr(value, "__module__", ""))
        h.update(f"{name_before(module)}.{object_before(module, name)}".encode())
        if not isinstance(value, type):
            for name, part in used(value, rename=_name_before):
                h.update(name.encode())
                _feed(h, part, seen)
        elif is_users(sys.modules.get(value.__module__)):
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


def _name_before(name: str, value: object) -> str:
    """The name under which a module of ours referred to what has been renamed since."""
    return object_before(str(getattr(value, "__module__", "")), name)


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
        return hashlib.sha256(_pickled_as_before(value)).digest()
    except Exception:
        return type(value).__qualname__.encode()


def _pickled_as_before(value: object) -> bytes:
    """A pickle in which our own classes stand under the modules that they had before they moved."""
    content = pickle.dumps(value, protocol=4)
    if b"eolab." not in content:
        return content
    stream = io.BytesIO()
    _OldNames(stream, protocol=4).dump(value)
    return stream.getvalue()


class Digest(Protocol):
    """What takes bytes in, such as a hash."""

    def update(self, data: bytes, /) -> None: ...


_Pickler: Any = vars(pickle)["_Pickler"]  # the one in Python: that in C has no save_global


class _OldNames(_Pickler):  # type: ignore[misc]
    def save_global(self, obj: object, name: str | None = None) -> None:
        module = str(getattr(obj, "__module__", ""))
        before = name_before(module)
        now = name or str(getattr(obj, "__qualname__", ""))
        old = object_before(module, now)
        if (before, old) == (module, now):
            super().save_global(obj, name)
            return
        self.save(before)
        self.save(old)
        self.write(pickle.STACK_GLOBAL)
        self.memoize(obj)


def digest_data(data: object) -> str:
    """The data's own digest, else a SHA-256 of its pickle, as version 1 had it."""
    own = getattr(data, "digest", None)
    return str(own()) if callable(own) else hashlib.sha256(_stable(data)).hexdigest()


def source_text(function: Callable[..., object]) -> str:
    """The function as it was typed, or nothing where that is not known."""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""
