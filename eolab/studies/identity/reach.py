"""What of the user's modules decides a result: names as far as they lead, and all where they hide.

A function leads to what it names; importing a module carries out its statements and those of the
modules that it imports, so that what registers itself counts (decorators of the user's, subclasses,
calls). Where code looks things up by text (`globals`, `eval`, `import_module`, `__subclasses__`),
the whole module counts with all that it imports, or the whole package. Docstrings, comments, the
order of imports and annotations leave no trace; the last count where something reads annotations.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eolab.studies.identity import modules, paths, savers
from eolab.studies.identity.atoms import fingerprint
from eolab.studies.identity.code import words_of_queries
from eolab.studies.identity.modules import (
    Wanted,
    bound_names,
    dumped,
    is_main_guard,
    is_users,
    is_users_path,
    loaded_names,
    plain,
)
from eolab.studies.identity.written import written_nodes

MOST_MODULES = 2_000
ANNOTATIONS_READ = frozenset(
    {"__annotations__", "__annotate__", "get_type_hints", "get_annotations", "annotation",
     "return_annotation", "getfullargspec", "signature"}
)  # fmt: skip
"""Whoever mentions one of these may read the annotations of a function."""
ENVIRONMENT_READ = frozenset({"environ", "getenv", "environb"})
TEXTS_READ = frozenset(
    {"__doc__", "getdoc", "docopt", "getsource", "getsourcelines", "getcomments"}
)
"""Whoever mentions one of these may read docstrings or comments."""
RESOURCES_READ = frozenset(
    {"files", "as_file", "get_data", "read_text", "read_binary", "open_text", "open_binary",
     "resource_filename", "resource_string", "resource_stream", "resource_listdir"}
)  # fmt: skip
"""What opens files inside packages, by the package's name or by the package."""
LAYOUT_READ = frozenset(
    {"strides", "flags", "isfortran", "nditer", "as_strided", "__array_interface__", "ctypes"}
)
"""Whoever mentions one of these, or the orders "K" and "A", sees how an array stands in memory."""
_DECIDING = {
    "keras": ("KERAS_BACKEND",),
    "tensorflow": ("TF_USE_LEGACY_KERAS",),
    "jax": ("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION"),
    **dict.fromkeys(("localtime", "mktime", "fromtimestamp", "astimezone"), ("TZ",)),
}
"""What reads variables of the environment that its caller does not name."""
_BY_TEXT = frozenset({"globals", "vars", "eval", "exec", "compile"})
_ANYWHERE = frozenset(
    {"import_module", "__import__", "__subclasses__", "getmembers", "walk_packages",
     "iter_modules", "run_path", "run_module", "exec_module", "spec_from_file_location",
     "load_module", "__globals__", "entry_points"}
)  # fmt: skip
_QUIET_DECORATORS = frozenset(
    {"property", "staticmethod", "classmethod", "dataclass", "abstractmethod", "contextmanager",
     "wraps", "lru_cache", "cache", "cached_property", "total_ordering", "overload", "override",
     "final", "singledispatch", "no_grad", "inference_mode", "njit", "jit", "function", "unique",
     "runtime_checkable"}
)  # fmt: skip
"""Decorators of libraries that note nowhere what they were given, and read no annotations."""
_OF_PROPERTIES = frozenset({"setter", "getter", "deleter"})
_LOUD = frozenset({"setattr", "delattr", "exec", "eval", "__import__", "globals", "vars", "open"})


@dataclass(frozen=True)
class ModulePlace:
    """Where a module of the user's is.

    Attributes:
        file: Its file; None for a package without `__init__.py`.
        folders: Where the modules inside it are.
    """

    file: Path | None
    folders: tuple[str, ...] = ()


def place_of(name: str) -> ModulePlace | None:
    """Where a module of the user's is, without importing it; None of any other."""
    if not name or name == "__main__":
        return None
    module = sys.modules.get(name)
    if module is not None:
        own_names = vars(module)  # a module's __getattr__ may answer to anything
        inside = tuple(map(str, own_names.get("__path__") or ()))
        file = own_names.get("__file__")
        if file:
            return ModulePlace(Path(file), inside) if is_users(module) else None
        own = inside and all(is_users_path(name, Path(each)) for each in inside)
        return ModulePlace(None, inside) if own else None
    parent, _, last = name.rpartition(".")
    above = place_of(parent) if parent else None
    if parent and (above is None or not above.folders):
        return None
    places = list(above.folders) if above is not None else None
    try:
        spec = importlib.machinery.PathFinder.find_spec(name, places)
    except (ImportError, ValueError, OSError, KeyError):
        return None
    if spec is None:
        return None
    if spec.origin and spec.has_location:
        file = Path(spec.origin)
        inside = (str(file.parent),) if file.name == "__init__.py" else ()
        return ModulePlace(file, inside) if is_users_path(name, file) else None
    found = [Path(each or ".") / last for each in places or sys.path]
    folders = tuple(str(each) for each in found if each.is_dir())
    own = folders and all(is_users_path(name, Path(each)) for each in folders)
    return ModulePlace(None, folders) if own else None


@dataclass
class ModuleTree:
    """A module of the user's, taken apart.

    Attributes:
        name: Its full name.
        place: Where it is.
        digest: Hash of all of it without annotations.
        annotated: The same with them.
        defined: Name -> the statements that bind it.
        always: Statements that do more than bind names when it is imported.
        imports: Its import statements that bind names.
        package: Where its relative imports begin.
    """

    name: str
    place: ModulePlace
    digest: bytes = b""
    annotated: bytes = b""
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    always: list[ast.stmt] = field(default_factory=list)
    imports: list[ast.stmt] = field(default_factory=list)
    package: str = ""


@dataclass
class Reached:
    """What a wanted name is and leads to.

    Attributes:
        label: What stands there.
        wanted: What else of the user's modules it leads to.
        files: Files, folders and patterns that its texts name.
        variables: Variables of the environment that it reads.
        unknown: What only a run can know, in words.
        reads_annotations: Whether it reads annotations of functions.
        reads_texts: Whether it reads docstrings or comments.
        reads_layout: Whether it sees how an array stands in memory.
    """

    label: bytes
    wanted: list[Wanted] = field(default_factory=list)
    files: list[Path | paths.Pattern] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    reads_annotations: bool = False
    reads_texts: bool = False
    reads_layout: bool = False


def parse(name: str) -> ModuleTree | None:
    """Take a module of the user's apart; None of any other.

    Raises:
        OSError: Its file cannot be read.
    """
    place = place_of(name)
    if place is None:
        return None
    found = ModuleTree(name, place)
    if place.file is None:
        return found
    content = place.file.read_bytes()
    found.digest = found.annotated = fingerprint(content)
    if place.file.suffix != ".py":
        return found
    try:
        tree, annotated = ast.parse(content), ast.parse(content)
    except (SyntaxError, ValueError):
        return found
    found.package = name if place.folders else name.rpartition(".")[0]
    found.annotated = dumped(plain(annotated).body)
    _WithoutAnnotations(_own_decorators(tree.body, found.package)).visit(plain(tree))
    found.digest = dumped(tree.body)
    _sort_out(found, [s for s in tree.body if not is_main_guard(s)])
    return found


def _sort_out(found: ModuleTree, body: Sequence[ast.stmt]) -> None:
    """Which statements only bind names, and which do more."""
    effects = _Effects(found, body)
    for statement in body:
        names = bound_names(statement)
        if names is None or effects.of(statement):
            found.always.append(statement)
        if names is not None and isinstance(statement, ast.Import | ast.ImportFrom):
            found.imports.append(statement)
        for bound in names or ():
            found.defined.setdefault(bound, []).append(statement)


# -- what a statement does besides binding names --------------------------------------------------


class _Effects:
    def __init__(self, source: ModuleTree, body: Sequence[ast.stmt]) -> None:
        self._classes = {s.name: s for s in body if isinstance(s, ast.ClassDef)}
        defs = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        self._own = {s.name for s in body if isinstance(s, defs)}
        self._libraries: set[str] = set()
        for statement in body:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            users = any(True for _ in imports_of([statement], source.package))
            names = bound_names(statement) or []
            if users:
                self._own |= set(names)
            else:
                self._libraries |= set(names)

    def of(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*statement.args.defaults, *filter(None, statement.args.kw_defaults)]
            return any(map(self._decorates, statement.decorator_list)) or any(
                map(self._calls, given)
            )
        if isinstance(statement, ast.ClassDef):
            return self._class(statement)
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            return statement.value is not None and self._calls(statement.value)
        return not isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)

    def _class(self, statement: ast.ClassDef, depth: int = 20) -> bool:
        if any(map(self._decorates, statement.decorator_list)) or not depth:
            return True
        if any(k.arg == "metaclass" and not self._is_quiet(k.value) for k in statement.keywords):
            return True
        for base in statement.bases:
            above = self._classes.get(base.id) if isinstance(base, ast.Name) else None
            if above is statement or (above is None and not self._is_quiet(base)):
                return True
            if above is not None and (
                self._class(above, depth - 1)
                or any(getattr(s, "name", "") == "__init_subclass__" for s in above.body)
                or above.keywords
            ):
                return True
        return any(map(self.of, statement.body))

    def _is_quiet(self, node: ast.expr) -> bool:
        """Whether it is of a library or of Python itself."""
        root = _root(node)
        return root not in self._own and (root in self._libraries or hasattr(builtins, root))

    def _decorates(self, node: ast.expr) -> bool:
        called = node.func if isinstance(node, ast.Call) else node
        last = _last(called)
        if last in _OF_PROPERTIES:
            return False
        return last not in _QUIET_DECORATORS or not self._is_quiet(called)

    def _calls(self, value: ast.expr) -> bool:
        for node in ast.walk(value):
            if isinstance(node, ast.Await | ast.NamedExpr):
                return True
            if not isinstance(node, ast.Call):
                continue
            root = _root(node.func)
            if root in _LOUD or not self._is_quiet(node.func):
                return True
            given = [*node.args, *(k.value for k in node.keywords)]
            if root != "functools" and self._own & {
                n.id for each in given for n in ast.walk(each) if isinstance(n, ast.Name)
            }:
                return True
        return False


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


class _WithoutAnnotations(ast.NodeTransformer):
    """Takes out annotations that only their readers see; those of a dataclass, say, stay."""

    def __init__(self, own: Collection[str]) -> None:
        self._kept = False
        self._own = own

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if all(map(self._leaves, node.decorator_list)):
            node.returns = None
            several = filter(None, (node.args.vararg, node.args.kwarg))
            for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *several):
                each.annotation = None
        kept, self._kept = self._kept, False
        self.generic_visit(node)
        self._kept = kept
        return node

    def _leaves(self, decorator: ast.expr) -> bool:
        """Whether a decorator takes no notice of annotations."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Name) and called.id in self._own:
            return True
        return _last(called) in _QUIET_DECORATORS or _last(called) in _OF_PROPERTIES

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        plain_bases = all(isinstance(b, ast.Name) and b.id == "object" for b in node.bases)
        kept = self._kept
        self._kept = bool(node.decorator_list or node.keywords or not plain_bases)
        self.generic_visit(node)
        self._kept = kept
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self._kept:
            return node
        if node.value is None:
            node.annotation = ast.Constant(None)
            return node
        return ast.Assign([node.target], node.value)


def _own_decorators(body: Sequence[ast.stmt], package: str) -> set[str]:
    """Functions of the user's: one that reads annotations says so where it stands."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef):
            found.add(statement.name)
        elif isinstance(statement, ast.ImportFrom) and any(
            True for _ in imports_of([statement], package)
        ):
            found |= {alias.asname or alias.name for alias in statement.names}
    return found


# -- what a name leads to -------------------------------------------------------------------------


def reach(source: ModuleTree, wanted: Wanted) -> Reached:
    """What a name in a module is, and what it leads to: in this module, and in others.

    Args:
        source: The module.
        wanted: The name in it.
    """
    found = _found(source, wanted)
    parts = source.name.split(".")
    # Packages above it are imported on the way.
    found.wanted += [Wanted(".".join(parts[:n]), "") for n in range(1, len(parts))]
    found.wanted = sorted(set(found.wanted), key=repr)
    return found


def _found(source: ModuleTree, wanted: Wanted) -> Reached:
    everything = [s for each in source.defined.values() for s in each] + source.always
    if wanted.name == "**" or (wanted.name == "*" and source.place.file is None):
        return _package(source)
    if wanted.name == "*" or not everything:
        found = Reached(source.digest)
        found.wanted = [
            Wanted(each.module, "*" if each.name else "")
            for each in imports_of(everything, source.package)
        ]
        return _looked_into(found, source, everything)
    if wanted.name == "":
        found = Reached(dumped(source.always))
        statements = source.always
        for each in imports_of(source.imports, source.package):
            found.wanted.append(Wanted(each.module, ""))
    elif wanted.name in source.defined:
        statements = source.defined[wanted.name]
        found = Reached(dumped(statements), [Wanted(wanted.module, "")])
    elif source.always or "__getattr__" in source.defined:
        return Reached(b"no such name", [Wanted(wanted.module)])
    else:
        return Reached(b"no such name")
    for name in loaded_names(statements):
        if name in source.defined and name != wanted.name:
            found.wanted += _led_to(source, name, statements)
    inside = [s for s in statements if not isinstance(s, ast.Import)]
    found.wanted += imports_of(inside, source.package)
    return _looked_into(found, source, statements)


def _package(source: ModuleTree) -> Reached:
    """All modules that are in the folders of a package."""
    found = Reached(b"package", [] if source.place.file is None else [Wanted(source.name)])
    for folder in map(Path, source.place.folders):
        for file in sorted(folder.rglob("*.py")):
            inner = file.relative_to(folder).with_suffix("").parts
            if any(not part.isidentifier() for part in inner):
                continue
            inner = inner[:-1] if inner[-1] == "__init__" else inner
            found.wanted.append(Wanted(".".join([source.name, *inner])))
            if len(found.wanted) > MOST_MODULES:
                found.unknown.append(f"the package {source.name}, which holds too many modules")
                return found
    return found


def _looked_into(found: Reached, source: ModuleTree, statements: Sequence[ast.stmt]) -> Reached:
    """What the statements look up by text: names, modules, files, variables."""
    nodes = [node for each in statements for node in ast.walk(each)]
    names = {n.id for n in nodes if isinstance(n, ast.Name)}
    names |= {a.name for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names}
    attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    mentions = names | attributes
    hidden = mentions & _ANYWHERE or "modules" in attributes
    if names & _BY_TEXT or hidden:
        found.wanted.append(Wanted(source.name))
    top = source.name.partition(".")[0]
    if hidden and source.package:
        found.wanted.append(Wanted(top, "**"))
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    asked = words_of_queries(mentions, [*texts, *_given_texts(source, names)])
    for name in sorted(asked & set(source.defined) - names):
        found.wanted += _led_to(source, name, statements)
    found.reads_annotations = bool(ANNOTATIONS_READ & {*mentions, *texts})
    found.reads_texts = bool(TEXTS_READ & {*mentions, *texts})
    found.reads_layout = sees_layout(mentions, texts)
    for call in (n for n in nodes if isinstance(n, ast.Call)):
        if _last(call.func) in {"import_module", "__import__"} and call.args:
            _late_import(found, call, source)
    found.variables = deciding({*mentions, *_libraries(nodes)})
    if mentions & ENVIRONMENT_READ:
        listed = variables(texts)
        found.variables += listed
        if not listed:
            found.unknown.append(f"the variables of the environment that {source.name} reads")
    written = {id(node) for each in nodes for node in written_nodes(each)}
    if savers.define_reader(mentions, [s for each in source.defined.values() for s in each]):
        written = set()
    read = [os.fsdecode(n.value) for n in nodes if isinstance(n, ast.Constant)
            and isinstance(n.value, str | bytes) and id(n) not in written]  # fmt: skip
    beside = [source.place.file.parent] if source.place.file is not None else []
    found.files = paths.paths_in_code(read, mentions, beside)
    if "__file__" in names and source.place.file is not None:
        found.files += paths.named_alike(source.place.file, read)
    if mentions & RESOURCES_READ:
        found.files += resources(texts, read)
    return found


def _given_texts(source: ModuleTree, names: Collection[str]) -> Iterator[str]:
    """The texts that the module binds to some of its names."""
    for name in set(names) & set(source.defined):
        for statement in source.defined[name]:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                for node in ast.walk(statement.value):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node.value


def variables(texts: Iterable[str]) -> list[str]:
    """Of texts those that may be the names of variables of the environment, or begin such."""
    words = {t for t in texts if t.isascii() and t.isidentifier()}
    begun = tuple(t for t in words if len(t) > 2 and t.endswith("_"))
    held = {name for name in os.environ if name in words or (begun and name.startswith(begun))}
    return sorted({t for t in words if t.upper() == t} | held)


def sees_layout(mentions: Collection[str], texts: Collection[str]) -> bool:
    """Whether code sees how an array stands in memory: `X.ravel("K")`, `X.strides`."""
    return bool(LAYOUT_READ & {*mentions} or {"K", "A"} & {*texts})


def deciding(names: Collection[str]) -> list[str]:
    """The variables that are set here, and decide what functions or libraries of these names do."""
    known = dict.fromkeys(v for name in names for v in _DECIDING.get(name, ()))
    return sorted(v for v in known if v in os.environ)


def _libraries(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The libraries that import statements name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def resources(packages: Iterable[str], texts: Iterable[str]) -> list[Path | paths.Pattern]:
    """The files that code reads inside packages of the user's: those that texts name, else all.

    Args:
        packages: Texts that may be names of packages.
        texts: Of the code.
    """
    found: list[Path | paths.Pattern] = []
    listed = list(texts)
    for name in dict.fromkeys(packages):
        dotted = all(part.isidentifier() for part in name.split("."))
        place = place_of(name) if dotted else None
        for folder in map(Path, place.folders if place is not None else ()):
            found += paths.joined(folder, listed) or [folder]
    return found


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _late_import(found: Reached, call: ast.Call, source: ModuleTree) -> None:
    """`import_module` with a literal, with the beginning of a name, or with a name nobody knows."""
    first = call.args[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        found.wanted += late_modules(first.value, source.package)
        return
    if len(call.args) > 1 or call.keywords:
        return  # inside a package, which counts as a whole
    start = first
    while isinstance(start, ast.BinOp):
        start = start.left
    if isinstance(start, ast.JoinedStr) and start.values:
        head = start.values[0]
        start = head.value if isinstance(head, ast.FormattedValue) else head
    if isinstance(start, ast.Name) and start.id in {"__name__", "__package__"}:
        return
    if isinstance(start, ast.Constant) and isinstance(start.value, str):
        above = start.value.rpartition(".")[0]
        if above:
            if place_of(above) is not None:
                found.wanted.append(Wanted(above, "**"))
            return
    found.unknown.append(f"a module that {source.name} imports by a name that only a run knows")


def late_modules(text: str, package: str) -> list[Wanted]:
    """The module that text names, as `import_module` takes it; none where it is not the user's."""
    level = len(text) - len(text.lstrip("."))
    return list(imported(text.lstrip("."), level, (), package))


def _led_to(source: ModuleTree, name: str, statements: Sequence[ast.stmt]) -> Iterator[Wanted]:
    """A name of this module: itself, and of a module under that name the attributes."""
    yield Wanted(source.name, name)
    for statement in source.defined[name]:
        if isinstance(statement, ast.Import):
            alias = statement.names[0]
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            yield from modules.attributes(target, name, statements, find=place_of)


def imports_of(statements: Iterable[ast.stmt], package: str) -> Iterator[Wanted]:
    """What import statements in these statements lead to, of the user's own modules."""
    for node in (node for each in statements for node in ast.walk(each)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from imported(alias.name, 0, (), package)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = tuple(alias.name for alias in node.names)
            yield from imported(node.module or "", node.level, names, package)


def imported(module: str, level: int, names: Collection[str], package: str) -> Iterator[Wanted]:
    """What an import statement leads to (see `modules.imported`), folders without code included."""
    return modules.imported(module, level, names, package, find=place_of)
