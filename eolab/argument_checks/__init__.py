"""Checks of what users pass to public functions, by the annotations of these.

    @checked
    def select(self, columns: str | Sequence[str]) -> Query: ...

A value of another kind is refused by name and with a hint before the function begins, and what is
meant the same arrives as the function expects it: a name where a list of names is wanted becomes a
list of one (never its letters), an iterator, an Index or an array a tuple, a number of NumPy's one
of Python's. Annotations that cannot be read here (names that only type checkers import, protocols)
are left to the function.
"""

from __future__ import annotations

import ast
import collections.abc
import functools
import inspect
import numbers
import os
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ParamSpec, SupportsFloat, TypeGuard, TypeVar

from eolab.errors import InvalidInputError, nearest

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN = 60
# Classes of heavy libraries and of higher rooms, known by their names: hint by name.
_BY_NAME = {
    "DataFrame": "Give a data frame.",
    "Dataset": "Give a cube: eo.load(...).",
    "FeatureView": "Give the view itself: ws.features.feature_view('name').",
    "Split": "Give a split of the view: view.train_validation_test_split(...).",
    "TrainingData": "Give a part of a split: split.train.",
    "Query": "Select columns of a group: group.select(['ndvi']).",
    "Chips": "Give chips: cube.eo.chips(64) or eo.Chips.from_arrays(X).",
}
_WORDS = {
    "Query": "a selection of a feature group",
    "FeatureView": "a feature view",
    "DataFrame": "a data frame",
    "Dataset": "a cube",
    "Split": "a split",
    "TrainingData": "a part of a split",
    "Chips": "chips",
}
# Mappings of xarray's that stand for the names in them: cube.data_vars.
_LISTINGS = frozenset({"DataVariables", "DatasetCoordinates", "DataArrayCoordinates"})
# Lists in which the place says what is meant; a set has none.
_IN_ORDER = frozenset({"bands", "bbox", "classes", "geometry", "ids", "times"})


class _Unlike(Exception):
    """A value is not of a kind."""


@dataclass(frozen=True)
class Kind:
    """What an argument may be.

    Attributes:
        words: What messages call it.
        hint: What to give; ``{name}`` stands for the argument.
        take: From a value to what the function gets; raises _Unlike.
        of_class: Whether it is an object of a class of ours.
    """

    words: str
    hint: str
    take: Callable[[object], object]
    of_class: bool = False


def plain(value: object) -> object:
    """A scalar as one of Python's: NumPy's, an array without axes (of xarray, too), Arrow's."""
    if isinstance(value, str | int | float) and type(value).__module__ == "builtins":
        return value
    if getattr(value, "ndim", None) == 0:
        item = getattr(value, "item", None)
        if callable(item) and getattr(getattr(value, "dtype", None), "kind", "O") in "biufU":
            return item()
    if type(value).__module__.partition(".")[0] == "pyarrow":
        as_py = getattr(value, "as_py", None)
        return as_py() if callable(as_py) else value
    return value


def _text(value: object) -> object:
    value = plain(value)
    if not isinstance(value, str):
        raise _Unlike
    return value


def _whole(value: object) -> object:
    value = plain(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # a row of a table of numbers holds 3.0
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unlike
    return value


def _number(value: object) -> object:
    value = plain(value)
    if isinstance(value, bool):
        raise _Unlike
    if isinstance(value, int | float):
        return value
    if isinstance(value, Decimal | numbers.Real) or _is_tensor_of_one(value):
        return float(value)
    raise _Unlike


def _is_tensor_of_one(value: object) -> TypeGuard[SupportsFloat]:
    """Whether this is a number of PyTorch's or TensorFlow's."""
    library = type(value).__module__.partition(".")[0]
    return library in {"torch", "tensorflow"} and getattr(value, "ndim", None) == 0


def _truth(value: object) -> object:
    value = plain(value)
    if not isinstance(value, int) or value not in (0, 1):
        raise _Unlike
    return bool(value)


def _path(value: object) -> object:
    if not isinstance(value, str | os.PathLike):
        raise _Unlike
    return value


def _none(value: object) -> object:
    if value is not None:
        raise _Unlike
    return value


def _called(value: object) -> object:
    if not callable(value):
        raise _Unlike
    return value


TEXT = Kind("text", "Give text: {name}='...'.", _text)
NUMBER = Kind("a number", "Give a number.", _number)
NONE = Kind("None", "", _none)
_SIMPLE = {
    str: TEXT,
    int: Kind("a whole number", "Give a whole number.", _whole),
    float: NUMBER,
    bool: Kind("True or False", "Give {name}=True or {name}=False.", _truth),
    type(None): NONE,
    os.PathLike: Kind("a path", "Give the path of a file.", _path),
}


def names(value: object, option: str) -> tuple[str, ...]:
    """One name or several as a tuple of names; sets in the order of the alphabet.

    Args:
        value: What a user gave.
        option: The argument's name, for the message.

    Raises:
        InvalidInputError: No names.
    """
    found = _checked_value(_several(TEXT), value, option)
    assert isinstance(found, tuple)
    return found


def values(value: object, option: str) -> tuple[object, ...]:
    """Values one after the other as a tuple; a text alone is one of them.

    Args:
        value: What a user gave.
        option: The argument's name, for the message.

    Raises:
        InvalidInputError: A table, a mapping, or what holds no values.
    """
    if isinstance(value, str):
        return (value,)
    found = _checked_value(Kind("a list", "Give a list: {name}=[...].", several), value, option)
    assert isinstance(found, tuple)
    return found


def several(value: object) -> tuple[object, ...]:
    """The values of anything that has them one after the other, but text, tables and mappings."""
    if type(value).__name__ in _LISTINGS and isinstance(value, Mapping):
        return tuple(value)
    if isinstance(value, str | bytes | bytearray | Mapping) or hasattr(value, "columns"):
        raise _Unlike
    if isinstance(value, set | frozenset):
        try:
            return tuple(sorted(value))
        except TypeError:
            raise _Unlike from None
    if not isinstance(value, Iterable):
        raise _Unlike
    to_list = getattr(value, "to_pylist", None)  # Arrow's arrays hold scalars of its own
    try:
        found = to_list() if callable(to_list) else value
        return tuple(map(plain, found))
    except TypeError:  # an array without axes
        raise _Unlike from None


def _several(inner: Kind | None, *, lazily: bool = False) -> Kind:
    """A list of a kind; one such value alone is a list of one."""

    def take(value: object) -> object:
        if inner is None:
            if (
                lazily
                and not isinstance(value, str | bytes | Mapping)
                and isinstance(value, Iterable)
            ):
                return value
            if isinstance(value, Sequence) and not isinstance(value, str | bytes):
                return value
            if _is_array(value):
                return value
            return several(value)
        if inner is not NONE and not isinstance(value, list | tuple):
            try:
                return (inner.take(value),)
            except _Unlike:
                pass
        return tuple(inner.take(each) for each in several(value))

    words = "a list" if inner is None else f"a list of {inner.words}"
    if inner is TEXT:
        return Kind("a name or a list of names", "Name them: {name}=['a', 'b'].", take)
    return Kind(words, "Give a list: {name}=[...].", take)


def _is_array(value: object) -> bool:
    return bool(getattr(value, "ndim", 0)) and hasattr(value, "dtype")


def _mapping(key: Kind | None, inner: Kind | None) -> Kind:
    # What stands for an object of ours (a parameter's description) is the function's to read.
    inner = None if inner is None or inner.of_class else inner

    def take(value: object) -> object:
        if not isinstance(value, Mapping):
            raise _Unlike
        if key is None and inner is None:
            return value
        return {
            (name if key is None else key.take(name)): (each if inner is None else inner.take(each))
            for name, each in value.items()
        }

    words = "a mapping" if inner is None else f"a mapping to {inner.words}"
    if key is TEXT:
        words = words.replace("a mapping", "a mapping from names", 1)
    return Kind(words, "Write {name}={{'name': ...}}.", take)


def _either(kinds: Sequence[Kind]) -> Kind:
    # What takes a value as it is comes first: text is no list of one where both are known, and 2.0
    # no whole number.
    ordered = sorted(kinds, key=lambda k: (k.words.startswith("a list") or "list of" in k.words,
                                           k is _SIMPLE[int]))  # fmt: skip

    def take(value: object) -> object:
        for kind in ordered:
            try:
                return kind.take(value)
            except _Unlike:
                continue
        raise _Unlike

    said = [kind.words for kind in kinds if kind is not NONE]
    if "a name or a list of names" in said and "text" in said:
        said.remove("text")
    hints = [kind.hint for kind in reversed(ordered) if kind.hint]
    return Kind(" or ".join(said), hints[0] if hints else "", take)


def _instance(known: type) -> Kind:
    def take(value: object) -> object:
        if not isinstance(value, known):
            raise _Unlike
        return value

    name = known.__name__
    return Kind(_WORDS[name], _BY_NAME[name], take, of_class=True)


def _named(name: str) -> Kind | None:
    if name not in _BY_NAME:
        return None

    def take(value: object) -> object:
        if all(kind.__name__ != name for kind in type(value).__mro__):
            raise _Unlike
        return value

    return Kind(_WORDS[name], _BY_NAME[name], take)


# -- from annotations ----------------------------------------------------------------------


def kind_of(annotation: object, names: Mapping[str, object]) -> Kind | None:
    """What an annotation says; None where it says nothing that can be checked here.

    Args:
        annotation: As it stands in a signature; text where annotations are not evaluated.
        names: The globals of its module.
    """
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return _of_node(ast.parse(annotation.strip(), mode="eval").body, names)
    return _of_type(annotation, names)


def _of_node(node: ast.expr, names: Mapping[str, object]) -> Kind | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([_of_node(node.left, names), _of_node(node.right, names)])
    if isinstance(node, ast.Constant):
        return NONE if node.value is None else None
    if isinstance(node, ast.Name | ast.Attribute):
        found = _lookup(node, names)
        return (
            _named(ast.unparse(node).rpartition(".")[2])
            if found is None
            else _of_type(found, names)
        )
    if not isinstance(node, ast.Subscript):
        return None
    origin = _lookup(node.value, names)
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if origin is typing.Literal:
        return _literal([each.value for each in inner if isinstance(each, ast.Constant)])
    if origin in (typing.Required, typing.NotRequired):
        return _of_node(inner[0], names)
    return _of_origin(origin, [_of_node(each, names) for each in inner])


def _lookup(node: ast.expr, names: Mapping[str, object]) -> object:
    if isinstance(node, ast.Attribute):
        return getattr(_lookup(node.value, names), node.attr, None)
    if not isinstance(node, ast.Name):
        return None
    builtins = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "tuple": tuple,
                "dict": dict}  # fmt: skip
    return names.get(node.id, builtins.get(node.id))


def _of_type(found: object, names: Mapping[str, object]) -> Kind | None:
    if found is None:
        return NONE
    if isinstance(found, type) and found in _SIMPLE:
        return _SIMPLE[found]
    origin, inner = typing.get_origin(found), typing.get_args(found)
    if origin is typing.Literal:
        return _literal(inner)
    if origin is not None and str(origin) in {"typing.Union", "<class 'types.UnionType'>"}:
        return _union([_of_type(each, names) for each in inner])
    if origin is not None:
        return _of_origin(origin, [_of_type(each, names) for each in inner])
    if found in (Callable, collections.abc.Callable):
        return _of_origin(found, [])
    # What other classes of ours are for, their functions say better.
    return _instance(found) if isinstance(found, type) and found.__name__ in _BY_NAME else None


def _of_origin(origin: object, inner: Sequence[Kind | None]) -> Kind | None:
    if origin in (Sequence, list):
        return _several(inner[0] if inner else None)
    if origin in (Iterable, collections.abc.Collection):
        return _several(inner[0] if inner else None, lazily=True)
    if origin in (Mapping, dict) and len(inner) == 2:
        return _mapping(*inner)
    if origin is os.PathLike:
        return _SIMPLE[os.PathLike]
    if origin in (Callable, collections.abc.Callable):
        return Kind("a function", "Give the function itself, without ().", _called)
    return None


def _literal(values: Sequence[object]) -> Kind | None:
    kinds = {type(value) for value in values}
    if kinds == {str}:
        shown = " or ".join(map(repr, values))
        return Kind("text", f"Give {shown}.", _text)
    return _union([_SIMPLE.get(kind) for kind in kinds])


def _union(kinds: Sequence[Kind | None]) -> Kind | None:
    known = [kind for kind in kinds if kind is not None]
    return _either(known) if known and len(known) == len(kinds) else None


# -- functions -----------------------------------------------------------------------------


def shown(value: object) -> str:
    """A value as a message shows it; of a table, say, what it is."""
    try:
        text = repr(value)
    except Exception:  # somebody's own
        text = ""
    if not text or len(text) > _SHOWN or "\n" in text:
        word = type(value).__name__
        return f"({'an' if word[:1].lower() in 'aeiou' else 'a'} {word})"
    return text


def _checked_argument(kind: Kind, value: object, option: str) -> object:
    if option in _IN_ORDER and isinstance(value, set | frozenset):
        raise InvalidInputError(
            f"{option}={shown(value)} is a set, and a set has no order",
            f"Give a list: {option}=[...].",
        )
    return _checked_value(kind, value, option)


def _checked_value(kind: Kind, value: object, option: str) -> object:
    try:
        return kind.take(value)
    except _Unlike:
        raise InvalidInputError(
            f"{option}={shown(value)} is not {kind.words}", kind.hint.format(name=option)
        ) from None


def check_given(given: Mapping[str, object], known: type) -> dict[str, object]:
    """Options as the annotations of a TypedDict say them.

    Args:
        given: Options by name; others than the TypedDict's stay as they are.
        known: The TypedDict.

    Raises:
        InvalidInputError: One of another kind.
    """
    kinds = _options(known)
    texts = {name for name, kind in kinds.items() if kind is TEXT}
    return {
        name: ""  # a description, say, that is not there
        if value is None and name in texts
        else _checked_argument(kinds[name], value, name)
        if name in kinds
        else value
        for name, value in given.items()
    }


@functools.cache
def _options(known: type) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for base in (known, *getattr(known, "__orig_bases__", ())):
        scope = vars(sys.modules[base.__module__]) if isinstance(base, type) else {}
        annotations = getattr(base, "__annotations__", {})
        for name, annotation in annotations.items():
            kind = kind_of(annotation, scope)
            if kind is not None:
                found.setdefault(name, kind)
    return found


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """A decorator: what is passed is checked by the function's annotations (see the module)."""
    return checked_except()(function)


def checked_except(*left: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As `checked`, but for some arguments, of which the function says more itself.

    Args:
        left: Their names.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.cache  # once all names of the module are there
        def kinds() -> Mapping[str, Kind]:
            scope = vars(sys.modules[function.__module__])
            several = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
            found = {
                name: kind_of(parameter.annotation, scope)
                for name, parameter in signature.parameters.items()
                if parameter.kind not in several and name not in left
            }
            return {name: kind for name, kind in found.items() if kind is not None}

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise _wrong_call(function, signature, kinds(), args, kwargs, str(error)) from None
            for name, value in bound.arguments.items():
                kind = kinds().get(name)
                # A default means what the function says, whatever its kind.
                default = signature.parameters[name].default
                if value is None and default == "":
                    bound.arguments[name] = default
                elif kind is not None and value is not default:
                    bound.arguments[name] = _checked_argument(kind, value, name)
            return function(*bound.args, **bound.kwargs)

        return call

    return decorate


def _wrong_call(
    function: Callable[..., object],
    signature: inspect.Signature,
    kinds: Mapping[str, Kind],
    args: Sequence[object],
    kwargs: Mapping[str, object],
    problem: str,
) -> InvalidInputError:
    """How a call does not fit the signature, and what to write."""
    name = function.__name__
    known = [each for each in signature.parameters if each != "self"]
    for given in kwargs:
        if given not in known:
            return InvalidInputError(
                f"{name}() has no argument {given}=", nearest(given, known, "arguments")
            )
    if problem.startswith("too many positional"):
        rest = args[1:] if "self" in signature.parameters else args
        named = inspect.Parameter.KEYWORD_ONLY
        places = [each for each in known if signature.parameters[each].kind is not named]
        if len(places) == 1 and all(isinstance(each, str) for each in rest):
            listed = f"{name}([{', '.join(map(repr, rest))}])"
            if places[0] in kinds and "list of names" in kinds[places[0]].words:
                return InvalidInputError(
                    f"{name}() takes one value, and {len(rest)} were given",
                    f"Give several as one list: {listed}.",
                )
        problem = "too many values, or values without the names of their arguments"
    return InvalidInputError(f"{name}(): {problem}", f"Write {name}({', '.join(known)}).")
