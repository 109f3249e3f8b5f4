"""From a train function or data to everything that decides a result.

Each value becomes a node: what it holds itself, and what it refers to. Values are read by type, the
way a pickle would take them apart, but nothing depends on addresses, names that a library counts
up, or the order in which a set happens to stand.
"""

from __future__ import annotations

import copyreg
import functools
import importlib
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from eolab.moved_modules import name_before, object_before
from eolab.studies.identity import arrays, code, graph, modules, paths
from eolab.studies.identity.atoms import atom, fingerprint, pack, shown
from eolab.studies.identity.modules import Wanted

VERSION = 2
"""Version of the digests made here."""
MOST_PARTS = 5_000
MOST_TEXTS = 10_000
_PLAIN = (bool, int, float, complex, type(None))


@dataclass(frozen=True)
class Identity:
    """What decides a result, and its parts by name.

    Attributes:
        digest: Hash of all of it.
        parts: Name of a part -> its own hash and the constants by which a change is named.
        unknown: Names of what could not be read.
    """

    digest: str
    parts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def identify(value: object, name: str, *, by_value: Iterable[str] = ()) -> Identity:
    """The identity of a value.

    Args:
        value: A train function, data, anything.
        name: What messages call it.
        by_value: Modules whose content travels to the workers as it is in this process; other
            modules of the user's are read from their files, as the workers will.
    """
    return _Walk(frozenset(by_value)).run(value, name)


Found = tuple[str, object]


@dataclass
class Shape:
    """A value taken apart.

    Attributes:
        label: What it is and holds itself.
        inner: What it refers to, by the name of each.
        ordered: Whether their order counts.
        shown: Constants in it, as a message may show them.
    """

    label: bytes
    inner: list[Found] = field(default_factory=list)
    ordered: bool = True
    shown: list[str] = field(default_factory=list)


def _names_files(members: Sequence[Found]) -> bool:
    """Whether some of many texts name files: a sample is looked at, as each look costs."""
    step = max(len(members) // 200, 1)
    return any(
        isinstance(value, str) and paths.named_path(value, folders=True) is not None
        for _, value in members[::step]
    )


class Unreadable(Exception):
    """Nobody can say what a value holds."""


@dataclass(frozen=True)
class _File:
    """A path that text names."""

    path: PurePath


class _Walk:
    def __init__(self, by_value: frozenset[str]) -> None:
        self._by_value = by_value
        self._nodes: list[graph.Node] = []
        self._known: dict[object, int] = {}
        self._kept: list[object] = []  # an id is used again when its owner is gone
        self._open: deque[tuple[int, object, str]] = deque()
        self._parts: dict[str, dict[str, object]] = {}
        self._unknown: list[str] = []
        self._sources: dict[str, modules.ModuleSource | None] = {}
        self._exact: dict[type, Callable[..., Shape]] = {
            list: self._sequence,
            tuple: self._sequence,
            dict: self._mapping,
            types.MappingProxyType: self._mapping,
            set: self._set,
            frozenset: self._set,
            bytearray: self._bytes,
            memoryview: self._bytes,
            Wanted: self._wanted,
            _File: self._path,
        }
        self._kinds: tuple[tuple[tuple[type, ...], Callable[..., Shape]], ...] = (
            ((PurePath,), self._path),
            ((types.FunctionType,), self._function),
            ((type,), self._class),
            ((types.ModuleType,), self._module),
            ((types.MethodType,), self._method),
            ((types.BuiltinFunctionType, types.MethodWrapperType), self._builtin),
            ((types.CodeType,), self._code),
            ((functools.partial,), self._partial),
            (_WRAPPERS, self._descriptor),
            (_REFERENCES, self._named),
        )

    def run(self, value: object, name: str) -> Identity:
        if paths.is_url(value):
            self._unknown.append(f"{name} (what is at {value})")
        if isinstance(value, str) and (path := paths.named_path(value, folders=True)) is not None:
            value = _File(path)
        self._number(value, name)
        while self._open:
            number, found, called = self._open.popleft()
            self._take(number, found, called)
        return Identity(graph.digest(self._nodes), self._parts, tuple(dict.fromkeys(self._unknown)))

    def _number(self, value: object, name: str) -> int:
        key: object = value if isinstance(value, Wanted | _File) else id(value)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self._nodes)
            self._nodes.append(graph.Node())
            self._kept.append(value)
            self._open.append((number, value, name))
        return number

    def _take(self, number: int, value: object, name: str) -> None:
        node = self._nodes[number]
        try:
            shape = self._shape(value, name)
        except Exception:  # whatever somebody's __reduce__ or property raises
            kind = type(value)
            self._unknown.append(f"{name} ({kind.__qualname__})")
            shape = Shape(pack(b"unknown", kind.__module__.encode(), kind.__qualname__.encode()))
        node.label, node.ordered = shape.label, shape.ordered
        node.children = [self._number(inner, called) for called, inner in shape.inner]
        if name and len(self._parts) < MOST_PARTS:
            hashed = fingerprint(shape.label).hex()[:16]
            if name in self._parts:
                hashed = fingerprint(f"{self._parts[name]['own']}{hashed}".encode()).hex()[:16]
            self._parts[name] = {"own": hashed, "shown": shape.shown[:200]}

    # -- what a value is -------------------------------------------------------------------

    def _shape(self, value: object, name: str) -> Shape:
        plain = atom(value)
        if plain is not None:
            return self._text(value, plain, name)
        take = self._exact.get(type(value))
        if take is not None:
            return take(value, name)
        for kinds, take in self._kinds:
            if isinstance(value, kinds):
                return take(value, name)
        special = arrays.special(value)
        if special is not None:
            label, inner = special
            return Shape(label, [(f"{name}{suffix}", part) for suffix, part in inner])
        if type(value).__module__.partition(".")[0] == "eolab":
            own = self._own_digest(value, name)
            if own is not None:
                return own
        return self._object(value, name)

    def _text(self, value: object, plain: bytes, name: str) -> Shape:
        if isinstance(value, str):
            path = paths.named_path(value, folders=True)
            return Shape(plain, [] if path is None else [(f"{name} ({value})", _File(path))])
        return Shape(plain, shown=[shown(value)] if isinstance(value, _PLAIN) else [])

    def _own_digest(self, value: object, name: str) -> Shape | None:
        """What a class of ours says of itself, where its arrays are elsewhere or many."""
        kind = type(value).__qualname__
        if kind == "StoredSplit":
            return Shape(b"StoredSplit", [(f"{name}.parts", getattr(value, "parts", None))])
        if kind == "Split":
            parts = ("train", "validation")  # the test part is sealed on its way
            return Shape(b"Split", [(f"{name}.{p}", getattr(value, p, None)) for p in parts])
        own = getattr(value, "digest", None)
        if callable(own) and kind not in {"TrainingData", "Folds"}:
            return Shape(pack(kind.encode(), str(own()).encode()))
        return None

    # -- code ------------------------------------------------------------------------------

    def _function(self, value: types.FunctionType, name: str) -> Shape:
        where = self._by_reference(value)
        if where is not None:
            return where
        module = str(value.__module__)
        if not modules.is_users(sys.modules.get(module)) and module not in self._by_value:
            # Made inside a library: what it was made of may be the user's.
            label = pack(b"library function", *_library_name(value))
            return Shape(label, [*_cells(value), *_defaults(value, name), *_own(value, name)])
        read = code.read(value.__code__)
        inner: list[Found] = [*_cells(value), *_defaults(value, name), *_own(value, name)]
        names = value.__globals__
        missing = []
        for used, chains in read.names.items():
            if used in names:
                inner += self._global(used, names[used], chains)
            else:
                missing.append(used.encode())
        package = str(names.get("__package__") or "")
        for statement in read.imports:
            listed = (statement.module, statement.level, statement.names, package)
            inner += [(w.label, w) for w in modules.imported(*listed)]
        for text in read.texts:
            path = paths.named_path(text, folders=False)
            if path is not None:
                inner.append((f"{text!r} in {name}", _File(path)))
        # The names of what it uses are in its code already.
        label = pack(b"function", read.digest, b"%d" % len(inner), *missing)
        return Shape(label, inner, shown=list(read.constants))

    def _global(self, used: str, value: object, chains: Sequence[tuple[str, ...]]) -> list[Found]:
        """A global, and of a module what is used of it."""
        if not isinstance(value, types.ModuleType):
            return [(used, value)]
        if not self._is_own(value):
            return [(used, value)]
        return [self._attribute(used, value, chain) for chain in chains or ((),)]

    def _attribute(self, called: str, module: types.ModuleType, chain: Sequence[str]) -> Found:
        travels = self._travels(module.__name__) or module.__name__ not in sys.modules
        while chain:
            inner = getattr(module, chain[0], None)
            called = f"{called}.{chain[0]}"
            if isinstance(inner, types.ModuleType) and self._is_own(inner):
                module, chain = inner, chain[1:]
                continue
            if travels:
                return called, inner
            return called, Wanted(module.__name__, chain[0])
        if travels:
            public = {k: v for k, v in vars(module).items() if not k.startswith("__")}
            return called, public
        return called, Wanted(module.__name__)

    def _is_own(self, module: types.ModuleType) -> bool:
        return module.__name__ != "__main__" and (
            self._travels(module.__name__)
            or modules.is_users(module)
            or (module.__name__ not in sys.modules and module.__spec__ is None)
        )

    def _travels(self, module: str) -> bool:
        """Whether the content of a module goes along as it is here."""
        parts = module.split(".")
        return any(".".join(parts[:n]) in self._by_value for n in range(1, len(parts) + 1))

    def _by_reference(self, value: Callable[..., object]) -> Shape | None:
        """A function or class that workers import by its name; None of any other."""
        module = str(getattr(value, "__module__", None) or "")
        qualified = str(getattr(value, "__qualname__", ""))
        if module == "__main__" or module not in sys.modules or self._travels(module):
            return None
        if _looked_up(module, qualified) is not value:
            return None
        if modules.users_file(module) is not None:
            first = qualified.partition(".")[0]
            return Shape(pack(b"imported", qualified.encode()), [(
                f"{module}.{first}", Wanted(module, first))])  # fmt: skip
        if modules.is_users(sys.modules[module]):
            return None
        return Shape(pack(b"library", *_library_name(value)))

    def _wanted(self, value: Wanted, _: str) -> Shape:
        if value.module not in self._sources:
            file = modules.users_file(value.module)
            self._sources[value.module] = None if file is None else modules.parse(
                value.module, file
            )  # fmt: skip
        source = self._sources[value.module]
        if source is None:
            return Shape(pack(b"module", value.module.encode()))
        label, children = modules.reach(source, value)
        return Shape(pack(b"source", label), [(child.label, child) for child in children])

    def _module(self, value: types.ModuleType, name: str) -> Shape:
        if self._is_own(value):
            return Shape(b"module of the user", [self._attribute(name, value, ())])
        return Shape(pack(b"library module", name_before(value.__name__).encode()))

    def _class(self, value: type, _: str) -> Shape:
        where = self._by_reference(value)
        if where is not None:
            return where
        module = str(value.__module__)
        if not modules.is_users(sys.modules.get(module)) and not self._travels(module):
            return Shape(pack(b"library class", *_library_name(value)))
        called = value.__qualname__.rpartition("<locals>.")[2]
        inner: list[Found] = [(called, type(value)), *((called, base) for base in value.__bases__)]
        members = sorted(k for k in vars(value) if k not in _OF_CLASSES)
        inner += [(f"{called}.{k}", vars(value)[k]) for k in members]
        return Shape(pack(b"class", called.encode(), *(k.encode() for k in members)), inner)

    def _method(self, value: types.MethodType, name: str) -> Shape:
        return Shape(b"method", [(name, value.__func__), (name, value.__self__)])

    def _builtin(
        self, value: types.BuiltinFunctionType | types.MethodWrapperType, name: str
    ) -> Shape:
        owner = getattr(value, "__self__", None)
        label = pack(b"builtin", str(getattr(value, "__module__", "")).encode(),
                     value.__qualname__.encode())  # fmt: skip
        bound = owner is not None and not isinstance(owner, types.ModuleType | type)
        return Shape(label, [(name, owner)] if bound else [])

    def _descriptor(self, value: object, name: str) -> Shape:
        slots = {"fget", "fset", "fdel", "__func__", "func", "args", "keywords", "__wrapped__"}
        inner = [(name, getattr(value, s)) for s in sorted(slots) if getattr(value, s, None)]
        label = pack(type(value).__qualname__.encode(), *(s.encode() for s in sorted(slots)
                     if getattr(value, s, None)))  # fmt: skip
        return Shape(label, inner)

    def _partial(self, value: functools.partial[object], name: str) -> Shape:
        inner: list[Found] = [(name, value.func), (f"{name} arguments", value.args)]
        inner += [(f"{name}({k}=)", value.keywords[k]) for k in sorted(value.keywords)]
        return Shape(pack(b"partial", *(k.encode() for k in sorted(value.keywords))), inner)

    def _code(self, value: types.CodeType, _: str) -> Shape:
        return Shape(pack(b"code", code.read(value).digest))

    def _named(self, value: object, _: str) -> Shape:
        """Descriptors of slots, and references that hold nothing themselves."""
        return Shape(pack(type(value).__qualname__.encode(),
                          str(getattr(value, "__name__", "")).encode()))  # fmt: skip

    # -- containers ------------------------------------------------------------------------

    def _sequence(self, value: Sequence[object], name: str) -> Shape:
        return self._members(
            type(value).__name__, [(f"{name}[{i}]", v) for i, v in enumerate(value)]
        )

    def _mapping(self, value: Mapping[object, object], name: str) -> Shape:
        members: list[Found] = []
        for key, inner in value.items():
            members.append(("", key))
            members.append((f"{name}[{shown(key)}]" if name else "", inner))
        return self._members("dict", members)

    def _set(self, value: set[object] | frozenset[object], name: str) -> Shape:
        return Shape(type(value).__name__.encode(), [(name, v) for v in value], ordered=False)

    def _members(self, kind: str, members: Sequence[Found]) -> Shape:
        """Plain values stand in the label, which makes long lists of them cheap."""
        labels: list[bytes] = [kind.encode()]
        inner: list[Found] = []
        seen: list[str] = []
        texts = len(members) <= MOST_TEXTS
        if not texts and _names_files(members):
            raise Unreadable(next((name for name, _ in members if name), kind))
        for name, value in members:
            plain = _inline(value)
            path = paths.named_path(value, folders=True) if texts and type(value) is str else None
            if plain is None or path is not None:
                labels.append(b"?" if plain is None else plain)
                inner.append((name, value if path is None else _File(path)))
            else:
                labels.append(plain)
                if name and isinstance(value, _PLAIN) and len(seen) < 200:
                    seen.append(shown(value))
        return Shape(pack(*labels), inner, shown=seen)

    def _bytes(self, value: bytearray | memoryview, _: str) -> Shape:
        return Shape(pack(type(value).__name__.encode(), fingerprint(bytes(value))))

    def _path(self, value: PurePath | _File, name: str) -> Shape:
        found = paths.content(value.path if isinstance(value, _File) else value)
        if found is None:
            raise Unreadable(name)
        return Shape(pack(b"path", found))

    # -- objects ---------------------------------------------------------------------------

    def _object(self, value: object, name: str) -> Shape:
        kind = type(value)
        reduce = copyreg.dispatch_table.get(kind)
        parts = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        if isinstance(parts, str):
            return Shape(pack(b"global", *_library_name(value), parts.encode()))
        make, arguments, *rest = parts
        extra: list[object] = [*rest, None, None, None]
        state, items, pairs = extra[:3]
        inner: list[Found] = [(name, make)]
        inner += [(f"{name} of", argument) for argument in arguments]
        keys: list[str] = []
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
            state = {**(state[0] or {}), **state[1]}
        if isinstance(state, dict) and all(isinstance(key, str) for key in state):
            keys = sorted(state)
            # What an ablation runs is known by the names that its user gave.
            stem = "" if kind.__qualname__ == "Recipe" else f"{name}."
            inner += [(f"{stem}{key}", state[key]) for key in keys]
        elif state is not None:
            inner.append((f"{name} (state)", state))
        if isinstance(items, Iterable):
            inner.append((name, list(items)))
        if isinstance(pairs, Iterable):
            inner.append((name, dict(pairs)))
        counts = (len(arguments), state is None, items is None, pairs is None)
        return Shape(pack(b"object", repr(counts).encode(), *(k.encode() for k in keys)), inner)


_WRAPPERS = (
    property, staticmethod, classmethod, functools.cached_property, functools.partialmethod,
    type(functools.lru_cache(int)),
)  # fmt: skip
_REFERENCES = (
    types.MemberDescriptorType, types.GetSetDescriptorType, weakref.ref,
    weakref.WeakKeyDictionary, weakref.WeakValueDictionary,
)  # fmt: skip
"""Places in a class, and references that hold nothing alive themselves."""
_OF_CLASSES = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__",
     "__static_attributes__", "__slotnames__", "_abc_impl"}
)  # fmt: skip
"""What Python writes into a class besides what its author wrote."""


def _inline(value: object, depth: int = 2) -> bytes | None:
    """Plain values, and short tuples of them, as bytes."""
    plain = atom(value)
    if plain is None and depth and type(value) is tuple:
        parts = [_inline(part, depth - 1) for part in value]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts) and not any(isinstance(part, str) for part in value):
            return b"(" + pack(*known) + b")"
    return plain


def _cells(function: types.FunctionType) -> list[Found]:
    found: list[Found] = []
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:
            continue
    return found


def _defaults(function: types.FunctionType, name: str) -> list[Found]:
    count = function.__code__.co_argcount
    arguments = function.__code__.co_varnames[:count]
    given = function.__defaults__ or ()
    found: list[Found] = [
        (f"{name}({argument}=)", value)
        for argument, value in zip(arguments[count - len(given) :], given, strict=True)
    ]
    keywords = function.__kwdefaults__ or {}
    return [*found, *((f"{name}({key}=)", keywords[key]) for key in sorted(keywords))]


def _own(function: types.FunctionType, name: str) -> list[Found]:
    """Attributes of a function, and the function that it wraps."""
    own = vars(function)
    return [(f"{name}.{key}", own[key]) for key in sorted(own) if key != "__signature__"]


def _library_name(value: object) -> tuple[bytes, bytes]:
    kind = type(value)
    module = str(getattr(value, "__module__", None) or kind.__module__)
    name = str(getattr(value, "__qualname__", None) or kind.__qualname__)
    return name_before(module).encode(), object_before(module, name).encode()


def _looked_up(module: str, qualified: str) -> object:
    found: object = sys.modules.get(module)
    for part in qualified.split("."):
        found = getattr(found, part, None)
    return found


def modules_by_value(functions: Iterable[object], names: Iterable[str]) -> frozenset[str]:
    """The modules that travel as they are: those of the functions themselves, and named ones."""
    along = {str(name) for name in names}
    for name in along:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # packing says so
    for function in functions:
        home = sys.modules.get(str(getattr(function, "__module__", None) or ""))
        if home is not None and modules.is_users(home):
            along.add(home.__name__)
    return frozenset(along - {"__main__"})
