"""From a train function or data to everything that decides a result.

Each value becomes a node: what it holds itself, and what it refers to. Values are read by type, the
way a pickle would take them apart, but nothing depends on addresses, names that a library counts
up, or the order in which a set happens to stand.
"""

from __future__ import annotations

import abc
import ast
import copyreg
import functools
import importlib
import os
import pickle
import re
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from eolab.moved_modules import name_before, object_before
from eolab.studies.identity import arrays, code, graph, modules, paths, reach, savers
from eolab.studies.identity.atoms import atom, fingerprint, pack, shown
from eolab.studies.identity.modules import Wanted
from eolab.training_data import Split, StoredSplit, TrainingData

VERSION = 3
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
        layout: Whether it sees how arrays stand in memory.
    """

    digest: str
    parts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    layout: bool = False


def identify(
    value: object,
    name: str,
    *,
    by_value: Iterable[str] = (),
    version: int = VERSION,
    layout: bool = False,
) -> Identity:
    """The identity of a value.

    Args:
        value: A train function, data, anything.
        name: What messages call it.
        by_value: Modules whose content travels to the workers as it is in this process; other
            modules of the user's are read from their files, as the workers will.
        version: Of the digest: version 2 saw less, and studies of then are compared by it.
        layout: Whether the order of arrays in memory counts because what gets them sees it.
    """
    return _Walk(frozenset(by_value), version, layout=layout).run(value, name)


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


def _names_files(members: Sequence[Found], given: Callable[..., object]) -> bool:
    """Whether some of many texts name files: a sample is looked at, as each look costs."""
    step = max(len(members) // 200, 1)
    return any(
        isinstance(value, str | bytes) and given(value, bare=False) is not None
        for _, value in members[::step]
    )


class Unreadable(Exception):
    """Nobody can say what a value holds; its text says why."""


@dataclass(frozen=True)
class _File:
    """A path or a pattern of files that text names."""

    path: PurePath | paths.Pattern


@dataclass(frozen=True)
class _Named:
    """A path that counts by its name: the files in it that matter are named besides."""

    path: str


@dataclass(frozen=True)
class _Variable:
    """A variable of the environment."""

    name: str


class _Walk:
    def __init__(self, by_value: frozenset[str], version: int, *, layout: bool = False) -> None:
        self._by_value = by_value
        self._sees_more = version > 2
        self._annotated: list[tuple[int, object]] = []
        self._reads_annotations = False
        self._described: list[tuple[int, object]] = []
        self._reads_texts = False
        self._called: list[tuple[int, str]] = []
        self._reads_names = False
        self._by_columns: list[int] = []
        self._reads_layout = layout
        self._places: dict[str, reach.ModuleTree | None] = {}
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
            _Named: lambda value, _: Shape(paths.named(PurePath(value.path))),
            _Variable: self._variable,
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
        if isinstance(value, str | bytes) and (path := self._given(value, bare=True)) is not None:
            value = _File(path)
        self._number(value, name)
        while self._open:
            number, found, called = self._open.popleft()
            self._take(number, found, called)
            if not self._open:
                self._add_what_is_read()
        unknown = tuple(dict.fromkeys(self._unknown))
        return Identity(graph.digest(self._nodes), self._parts, unknown, self._reads_layout)

    def _add_what_is_read(self) -> None:
        """Annotations, docstrings, names and layouts count where something of all reads such."""
        added: list[tuple[int, object, str]] = []
        if self._reads_annotations:
            added += [(holder, each, "annotations") for holder, each in self._annotated]
            self._annotated = []
        if self._reads_texts:
            added += [(holder, each, "docstring") for holder, each in self._described]
            self._described = []
        if self._reads_names:
            added += [(holder, each.encode(), "name") for holder, each in self._called]
            self._called = []
        if self._reads_layout:
            added += [(holder, b"by columns", "order") for holder in self._by_columns]
            self._by_columns = []
        for holder, each, called in added:
            self._nodes[holder].children.append(self._number(each, called))

    def _number(self, value: object, name: str) -> int:
        own = isinstance(value, Wanted | _File | _Named | _Variable)
        key: object = value if own else id(value)
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
        except Exception as error:  # whatever somebody's __reduce__ or property raises
            kind = type(value)
            why = str(error) if isinstance(error, Unreadable) else ""
            self._unknown.append(f"{name} ({why or kind.__qualname__})")
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
        special = arrays.special(value, counted=not self._sees_more)
        if special is not None:
            label, inner = special
            if self._sees_more:
                inner = [*inner, *arrays.besides(value)]
                number = self._known.get(id(value))
                if number is not None and arrays.by_columns(value):
                    self._by_columns.append(number)
            return Shape(label, [(f"{name}{suffix}", part) for suffix, part in inner])
        if type(value).__module__.partition(".")[0] == "eolab":
            own = self._own_digest(value, name)
            if own is not None:
                return own
        return self._object(value, name)

    def _text(self, value: object, plain: bytes, name: str) -> Shape:
        if isinstance(value, str | bytes):
            path = self._given(value, bare=False)
            return Shape(plain, [] if path is None else [(f"{name} ({value!s})", _File(path))])
        return Shape(plain, shown=[shown(value)] if isinstance(value, _PLAIN) else [])

    def _given(self, value: object, *, bare: bool) -> PurePath | paths.Pattern | None:
        """The path that text names that is given; None where it names none."""
        if not self._sees_more:
            return paths.named_path(value, folders=True) if isinstance(value, str) else None
        if isinstance(value, bytes) and len(value) < paths.MOST_LETTERS:
            return paths.given_path(os.fsdecode(value), bare=False)
        return paths.given_path(value, bare=bare) if isinstance(value, str) else None

    def _own_digest(self, value: object, name: str) -> Shape | None:
        """What a class of ours says of itself, where its arrays are elsewhere or many."""
        if isinstance(value, StoredSplit):
            return Shape(b"StoredSplit", [(f"{name}.parts", value.parts)])
        if isinstance(value, Split):
            # The test part is sealed on its way.
            parts: list[Found] = [(f"{name}.train", value.train)]
            return Shape(b"Split", [*parts, (f"{name}.validation", value.validation)])
        own = getattr(value, "digest", None)
        by_content = getattr(type(value), "identity_by", "") == "content"
        if callable(own) and not by_content and not isinstance(value, TrainingData):
            kind = type(value).__qualname__
            return Shape(pack(kind.encode(), str(own()).encode()))
        return None

    # -- code ------------------------------------------------------------------------------

    def _function(self, value: types.FunctionType, name: str) -> Shape:
        where = self._by_reference(value)
        if where is not None:
            return where
        more = self._sees_more
        module = str(value.__module__)
        if not modules.is_users(sys.modules.get(module)) and module not in self._by_value:
            # Made inside a library: what it was made of may be the user's.
            label = pack(b"library function", *_library_name(value))
            return Shape(label, self._settings(value, name))
        read = code.read(value.__code__, docstrings=not self._sees_more)
        inner = self._settings(value, name)
        names = value.__globals__
        read = savers.seen(read, names) if more else read
        missing = []
        used_names = dict(read.names) | (self._late_names(read, names, name) if more else {})
        for used, chains in used_names.items():
            if used in names:
                held = self._held(names[used], read, used) if more else names[used]
                inner += self._global(used, held, chains)
            else:
                missing.append(used.encode())
        package = str(names.get("__package__") or "")
        imported = reach.imported if more else modules.imported
        for statement in read.imports:
            listed = (statement.module, statement.level, statement.names, package)
            inner += [(w.label, w) for w in imported(*listed)]
        if more:
            inner += self._by_text(value, read, name)
            number = self._known.get(id(value))
            if number is not None:
                self._called.append((number, value.__name__))
                self._described.append((number, (value.__doc__ or "").encode()))
                if value.__annotations__:
                    self._annotated.append((number, value.__annotations__))
        for text in () if more else read.texts:
            path = paths.named_path(text, folders=False)
            if path is not None:
                inner.append((f"{text!r} in {name}", _File(path)))
        # The names of what it uses are in its code already.
        label = pack(b"function", read.digest, b"%d" % len(inner), *missing)
        return Shape(label, inner, shown=list(read.constants))

    def _settings(self, value: types.FunctionType, name: str) -> list[Found]:
        """What a function brings along: closure, defaults, attributes."""
        found = [*_cells(value), *_defaults(value, name), *_own(value, name)]
        return [(called, self._setting(each)) for called, each in found]

    def _setting(self, value: object) -> object:
        """A bare name of a file or folder that is there: the word and what is in it count.

        Text that looks like a path is read where it stands.
        """
        if not self._sees_more or not isinstance(value, str):
            return value
        path = paths.given_path(value, bare=True)
        if path is None or (isinstance(path, PurePath) and path_is_shared(path)):
            return value
        looks = paths.given_path(value, bare=False) is not None
        return value if looks else (value.encode(), _File(path))

    def _late_names(
        self, read: code.Code, names: Mapping[str, object], name: str
    ) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Globals that code looks up by text."""
        found: set[str] = set()
        for what, text in read.late:
            if what in _LATE_IMPORTS:
                continue
            if text is None:
                self._unknown.append(f"what {what}() finds when {name} runs")
                continue
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError):
                continue
            found |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        given = [held for used in read.names if isinstance(held := names.get(used), str)]
        found |= code.words_of_queries(read.mentions, [*read.texts, *given])
        for statement in read.imports:
            if statement.module == "__main__":
                found |= {*statement.names, *read.mentions}
        return {n: () for n in sorted(found) if n in names and n not in read.names}

    def _held(self, value: object, read: code.Code, used: str) -> object:
        """A global: text that names a path by what is there.

        A folder where everything is counts by name where the code names what it reads in it, and
        so does one that it only writes to. What a weak reference leads to counts, as the code
        follows it.
        """
        if used in read.only_written and isinstance(value, str | PurePath):
            return _Named(str(value))
        if isinstance(value, weakref.ref):
            return value()
        if isinstance(value, weakref.WeakValueDictionary | weakref.WeakKeyDictionary):
            return dict(value)
        if isinstance(value, str):
            path = paths.given_path(value, bare=False)
            if path is not None and not (isinstance(path, PurePath) and path_is_shared(path)):
                return _File(path)
            setting = self._setting(value)
            if setting is not value:
                return setting
        folder = paths.shared_folder(value)
        if folder is not None and paths.joined(folder, read.read_from):
            return _Named(str(value))
        return value

    def _by_text(self, function: types.FunctionType, read: code.Code, name: str) -> list[Found]:
        """Modules, variables and files that a function reaches by their names."""
        names = function.__globals__
        inner: list[Found] = []
        if reach.ANNOTATIONS_READ & {*read.mentions, *read.texts}:
            self._reads_annotations = True
        self._reads_texts |= bool(reach.TEXTS_READ & {*read.mentions, *read.texts})
        self._reads_layout |= reach.sees_layout(read.mentions, read.texts)
        if {"__name__", "__qualname__"} & (read.mentions - read.names.keys()):
            self._reads_names = True
        package = str(names.get("__package__") or "")
        for what, text in read.late:
            if what not in _LATE_IMPORTS:
                continue
            if text is not None:
                inner += [(w.label, w) for w in reach.late_modules(text, package)]
                continue
            whole = {t.strip(".") for t in read.texts if _DOTTED.fullmatch(t)}
            known = [t for t in sorted(whole) if reach.place_of(t) is not None]
            inner += [(t, Wanted(t, "**")) for t in known]
            if not known:
                self._unknown.append(
                    f"a module that {name} imports by a name that only a run knows"
                )
        settings = [v for n in read.names if isinstance(v := names.get(n), str)]
        loaded = [v.__name__ for n in read.names if isinstance(v := names.get(n), types.ModuleType)]
        loaded += [s.module for s in read.imports if not s.level]
        listed = reach.deciding({*read.mentions, *(each.partition(".")[0] for each in loaded)})
        if read.mentions & reach.ENVIRONMENT_READ:
            asked = reach.variables([*read.texts, *settings])
            if not asked:
                self._unknown.append(f"the variables of the environment that {name} reads")
            listed += asked
        inner += [(f"environment variable {v}", _Variable(v)) for v in listed]
        found = paths.paths_in_code(read.read_from, read.mentions)
        if read.mentions & reach.RESOURCES_READ:
            found += reach.resources([*read.texts, *settings, *loaded], read.read_from)
        for held in [v for n in read.names if (v := names.get(n)) is not None]:
            folder = paths.shared_folder(held)
            if folder is not None:
                found += paths.joined(folder, read.read_from)
            if isinstance(held, str | PurePath):
                found += paths.beside(held, read.read_from, read.mentions)
        for path in dict.fromkeys(found):
            shown_path = path.text if isinstance(path, paths.Pattern) else str(path)
            inner.append((f"{shown_path!r} in {name}", _File(path)))
        return inner

    def _variable(self, value: _Variable, _: str) -> Shape:
        held = os.environ.get(value.name)
        return Shape(pack(b"variable", value.name.encode(), atom(held) or b""))

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
        if self._sees_more and reach.place_of(module.__name__) is not None:
            return True  # a package without __init__.py, too
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

    def _wanted(self, value: Wanted, name: str) -> Shape:
        if self._sees_more:
            return self._reached(value, name)
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

    def _reached(self, value: Wanted, name: str) -> Shape:
        """A name in a module of the user's, by all that it leads to."""
        if value.module not in self._places:
            self._places[value.module] = reach.parse(value.module)
        source = self._places[value.module]
        if source is None:
            return Shape(pack(b"module", value.module.encode()))
        found = reach.reach(source, value)
        self._unknown += found.unknown
        self._reads_annotations |= found.reads_annotations
        self._reads_texts |= found.reads_texts
        self._reads_layout |= found.reads_layout
        if source.place.file is not None:
            self._described.append((self._known[value], _File(source.place.file)))
        self._annotated.append((self._known[value], source.annotated))
        inner: list[Found] = [(child.label, child) for child in found.wanted]
        inner += [(f"environment variable {v}", _Variable(v)) for v in found.variables]
        for path in found.files:
            shown_path = path.text if isinstance(path, paths.Pattern) else str(path)
            inner.append((f"{shown_path!r} in {name}", _File(path)))
        return Shape(pack(b"source", found.label), inner)

    def _module(self, value: types.ModuleType, name: str) -> Shape:
        if self._is_own(value):
            return Shape(b"module of the user", [self._attribute(name, value, ())])
        return Shape(pack(b"library module", name_before(value.__name__).encode()))

    def _class(self, value: type, name: str) -> Shape:
        where = self._by_reference(value)
        if where is not None:
            return where
        module = str(value.__module__)
        if not modules.is_users(sys.modules.get(module)) and not self._travels(module):
            return Shape(pack(b"library class", *_library_name(value)))
        called = value.__qualname__.rpartition("<locals>.")[2]
        inner: list[Found] = [(called, type(value)), *((called, base) for base in value.__bases__)]
        members = sorted(k for k in vars(value) if k not in _OF_CLASSES)
        inner += [(f"{called}.{k}", self._setting(vars(value)[k])) for k in members]
        label = pack(b"class", called.encode(), *(k.encode() for k in members))
        if self._sees_more:
            number = self._known.get(id(value))
            if number is not None and value.__doc__:
                self._described.append((number, value.__doc__.encode()))
            registered = _registered(value)
            if registered:
                return Shape(pack(label, b"registered"), [*inner, (name, registered)])
        return Shape(label, inner)

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
        inner += [
            (f"{name}({k}=)", self._setting(value.keywords[k])) for k in sorted(value.keywords)
        ]
        own = vars(value)
        if self._sees_more and own:
            inner += [(f"{name}.{k}", own[k]) for k in sorted(own)]
            return Shape(pack(b"partial with", repr(sorted(value.keywords)).encode(),
                              repr(sorted(own)).encode()), inner)  # fmt: skip
        return Shape(pack(b"partial", *(k.encode() for k in sorted(value.keywords))), inner)

    def _code(self, value: types.CodeType, _: str) -> Shape:
        read = code.read(value, docstrings=not self._sees_more)
        return Shape(pack(b"code", read.digest))

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
        if not texts and _names_files(members, self._given):
            raise Unreadable(next((name for name, _ in members if name), kind))
        for name, value in members:
            plain = _inline(value)
            named = texts and type(value) in {str, bytes}
            path = self._given(value, bare=bool(name)) if named else None
            if plain is None or path is not None:
                labels.append(b"?" if plain is None else plain)
                inner.append((name, value if path is None else _File(path)))
            else:
                labels.append(plain)
                if name and isinstance(value, _PLAIN) and len(seen) < 200:
                    seen.append(shown(value))
        return Shape(pack(*labels), inner, shown=seen)

    def _bytes(self, value: bytearray | memoryview, _: str) -> Shape:
        if self._sees_more and isinstance(value, memoryview):
            form = (value.format, value.shape)
            return Shape(pack(b"memoryview", repr(form).encode(), fingerprint(value.tobytes())))
        return Shape(pack(type(value).__name__.encode(), fingerprint(bytes(value))))

    def _path(self, value: PurePath | _File, _: str) -> Shape:
        path = value.path if isinstance(value, _File) else value
        if isinstance(path, paths.Pattern):
            found = path.content()
        else:
            if self._sees_more and path_is_shared(path):
                raise Unreadable(
                    f"{path} holds everything that is here: give the folder or files that are read"
                )
            found = paths.content(path, links=self._sees_more)
        if found is None:
            raise Unreadable(str(path))
        return Shape(pack(b"path", found))

    # -- objects ---------------------------------------------------------------------------

    def _object(self, value: object, name: str) -> Shape:
        kind = type(value)
        reduce = copyreg.dispatch_table.get(kind)
        parts = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        if isinstance(parts, str):
            if self._sees_more:
                pickle.dumps(value)  # raises where it is not what stands under that name
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
            stem = "" if getattr(kind, "identity_by", "") == "names" else f"{name}."
            inner += [(f"{stem}{key}", self._state_of(kind, state[key])) for key in keys]
        elif state is not None:
            inner.append((f"{name} (state)", state))
        if isinstance(items, Iterable):
            inner.append((name, list(items)))
        if isinstance(pairs, Iterable):
            inner.append((name, dict(pairs)))
        counts = (len(arguments), state is None, items is None, pairs is None)
        return Shape(pack(b"object", repr(counts).encode(), *(k.encode() for k in keys)), inner)

    def _state_of(self, kind: type, value: object) -> object:
        """An attribute: the user's text that names a path, places where eolab keeps things."""
        if not self._sees_more:
            return value
        if kind.__module__.partition(".")[0] == "eolab":
            return value if paths.shared_folder(value) is None else _Named(str(value))
        if isinstance(value, str) and modules.is_users(sys.modules.get(kind.__module__)):
            path = paths.given_path(value, bare=False)
            return self._setting(value) if path is None else _File(path)
        return value


_DOTTED = re.compile(r"\w+(\.\w+)*\.?")
_LATE_IMPORTS = frozenset({"import_module", "__import__", "run_module", "run_path"})
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


def path_is_shared(path: PurePath) -> bool:
    """Whether a path leads to a folder where everything is."""
    return paths.shared_folder(path) is not None


def _library_name(value: object) -> tuple[bytes, bytes]:
    kind = type(value)
    module = str(getattr(value, "__module__", None) or kind.__module__)
    name = str(getattr(value, "__qualname__", None) or kind.__qualname__)
    return name_before(module).encode(), object_before(module, name).encode()


def _registered(kind: type) -> frozenset[object]:
    """The classes that were registered with an abstract one, and go along with it."""
    dump: Callable[[type], tuple[Iterable[weakref.ref[type]], object, object, int]] | None = (
        getattr(abc, "_get_dump", None)
    )
    if dump is None or "_abc_impl" not in vars(kind):
        return frozenset()
    return frozenset(held for each in dump(kind)[0] if (held := each()) is not None)


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
        except (ImportError, ValueError, TypeError):
            continue  # packing says so
    for function in functions:
        home = sys.modules.get(str(getattr(function, "__module__", None) or ""))
        if home is not None and modules.is_users(home):
            along.add(home.__name__)
    return frozenset(along - {"__main__"})
