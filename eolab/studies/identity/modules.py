"""The user's own modules that workers import from their files, and what version 2 saw of them.

A worker reads the file, whatever the kernel holds, so the file is what counts: its syntax tree
without docstrings, comments and the order of imports, name by name as far as names lead; the bytes
where there is no source. `eolab.studies.identity.reach` sees more; studies of version 2 are
compared by what stands here.
"""

from __future__ import annotations

import ast
import functools
import importlib.machinery
import sys
import sysconfig
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eolab.studies.identity.atoms import fingerprint


def is_users(module: types.ModuleType | None) -> bool:
    """Whether a module is the user's own: not installed, not the standard library, not eolab."""
    if module is None:
        return True
    if module.__name__ == "__main__":
        return True
    file = getattr(module, "__file__", None)
    return file is not None and is_users_path(module.__name__, Path(file))


def is_users_path(name: str, file: Path) -> bool:
    """Whether what a module is read from is the user's."""
    if name.partition(".")[0] == "eolab":
        return False
    path = file.resolve()
    return not any(path.is_relative_to(p) for p in library_folders())


@functools.cache
def library_folders() -> frozenset[Path]:
    """Folders of installed packages and of the standard library."""
    places = [p for k, p in sysconfig.get_paths().items() if "lib" in k]
    # Those of `pip install --user`, and of Debian, are no paths of this interpreter's own.
    places += [p for p in sys.path if Path(p).name in {"site-packages", "dist-packages"}]
    return frozenset(Path(place).resolve() for place in places)


def users_file(name: str) -> Path | None:
    """The file of a module of the user's, without importing it; None of any other."""
    if name == "__main__":
        return None
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Path(file) if file and is_users(module) else None
    parent, _, _ = name.rpartition(".")
    places: list[str] | None = None
    if parent:
        above = users_file(parent)
        if above is None or above.name != "__init__.py":
            return None
        places = [str(above.parent)]
    try:
        spec = importlib.machinery.PathFinder.find_spec(name, places)
    except (ImportError, ValueError, OSError):
        return None
    if spec is None or not spec.origin or not spec.has_location:
        return None
    return Path(spec.origin) if is_users_path(name, Path(spec.origin)) else None


@dataclass(frozen=True)
class Wanted:
    """A name in a module of the user's.

    Attributes:
        module: The module's full name.
        name: What is defined there; "" for what importing it does; "*" for all of it; "**" for all
            that is in its folder.
    """

    module: str
    name: str = "*"

    @property
    def label(self) -> str:
        """How a message calls it."""
        return self.module if self.name in {"", "*", "**"} else f"{self.module}.{self.name}"


@dataclass
class ModuleSource:
    """The file of a module, taken apart.

    Attributes:
        digest: Hash of all of it.
        defined: Name -> the statements that bind it.
        always: Statements that importing carries out and that bind nothing plain.
        package: Where its relative imports begin.
    """

    digest: bytes
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    always: list[ast.stmt] = field(default_factory=list)
    package: str = ""


def parse(name: str, file: Path) -> ModuleSource:
    """Take a module's file apart.

    Raises:
        OSError: It cannot be read.
    """
    content = file.read_bytes()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    if file.suffix != ".py":
        return ModuleSource(fingerprint(content))
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return ModuleSource(fingerprint(content))
    body = plain(tree).body
    found = ModuleSource(dumped(body), package=package)
    for statement in body:
        if is_main_guard(statement):
            continue
        names = bound_names(statement)
        if names is None:
            found.always.append(statement)
        for bound in names or ():
            found.defined.setdefault(bound, []).append(statement)
    return found


def plain(tree: ast.Module) -> ast.Module:
    """The tree without docstrings, with neighbouring imports one by one and in order."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                del node.body[0]
                node.body = node.body or ([] if isinstance(node, ast.Module) else [ast.Pass()])
            body = node.body
        for key in ("body", "orelse", "finalbody"):
            part = body if key == "body" else getattr(node, key, None)
            if isinstance(part, list):
                setattr(node, key, _sorted_imports(part))
        if isinstance(node, ast.Constant):
            node.kind = None  # u"text" is "text"
    return tree


def _sorted_imports(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    done: list[ast.stmt] = []
    run: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.Import):
            run.extend(ast.Import([alias]) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            run.extend(
                ast.ImportFrom(statement.module, [alias], statement.level)
                for alias in statement.names
            )
        else:
            done += sorted(run, key=ast.dump)
            run = []
            done.append(statement)
    return done + sorted(run, key=ast.dump)


def dumped(body: Iterable[ast.stmt]) -> bytes:
    """The hash of statements, apart from how they were typed."""
    return fingerprint("\n".join(map(ast.dump, body)).encode("utf-8", "surrogatepass"))


def is_main_guard(statement: ast.stmt) -> bool:
    """Whether it runs only where the file is a script."""
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.dump(statement.test)
        == ast.dump(ast.parse("__name__ == '__main__'", mode="eval").body)
    )


def bound_names(statement: ast.stmt) -> list[str] | None:
    """The names that a statement binds, if that is all it does."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import):
        return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        names = [alias.asname or alias.name for alias in statement.names]
        return None if "*" in names or statement.module == "__future__" else names
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = list(statement.targets)
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    found: list[str] = []
    for target in targets:
        several = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for one in several:
            if not isinstance(one, ast.Name):
                return None
            found.append(one.id)
    return found or None


def reach(source: ModuleSource, wanted: Wanted) -> tuple[bytes, list[Wanted]]:
    """What a name in a module is, and what it leads to: in this module, and in others.

    Args:
        source: The module.
        wanted: The name in it.
    """
    if wanted.name == "*" or not (source.defined or source.always):
        statements = [s for each in source.defined.values() for s in each] + source.always
        return source.digest, sorted(set(_elsewhere(source, statements)), key=repr)
    if wanted.name == "":
        statements = source.always
    elif wanted.name in source.defined:
        statements = source.defined[wanted.name]
    else:
        return b"no such name", [Wanted(wanted.module)] if source.always else []
    children = {Wanted(wanted.module, "")} if wanted.name else set()
    for name in loaded_names(statements):
        if name in source.defined and name != wanted.name:
            children |= set(_led_to(source, wanted.module, name, statements))
    children |= set(_elsewhere(source, statements, inside=True))
    return dumped(statements), sorted(children, key=repr)


def loaded_names(statements: Iterable[ast.stmt]) -> set[str]:
    """The names in these statements."""
    return {node.id for each in statements for node in ast.walk(each) if isinstance(node, ast.Name)}


def _led_to(
    source: ModuleSource, module: str, name: str, statements: Sequence[ast.stmt]
) -> Iterator[Wanted]:
    """A name of this module: itself, and of a module under that name the attributes."""
    yield Wanted(module, name)
    for statement in source.defined[name]:
        if isinstance(statement, ast.Import):
            alias = statement.names[0]
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            yield from attributes(target, name, statements)


def attributes(
    target: str,
    name: str,
    statements: Sequence[ast.stmt],
    *,
    find: Callable[[str], object | None] = users_file,
) -> Iterator[Wanted]:
    """What of a module is used under a name, all of it where the module itself is handed on.

    Args:
        target: The module.
        name: The name that it has in the statements.
        statements: Where it is used.
        find: What says where a module of the user's is, None of any other.
    """
    if find(target) is None:
        return
    nodes = [node for each in statements for node in ast.walk(each)]
    bare = sum(isinstance(n, ast.Name) and n.id == name for n in nodes)
    found = {
        n.attr
        for n in nodes
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
    }
    dotted = sum(
        isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
        for n in nodes
    )
    if bare > dotted:
        yield Wanted(target)
        return
    for attribute in found:
        inner = f"{target}.{attribute}"
        yield Wanted(inner) if find(inner) is not None else Wanted(target, attribute)


def _elsewhere(
    source: ModuleSource, statements: Iterable[ast.stmt], *, inside: bool = False
) -> Iterator[Wanted]:
    """What import statements in these statements lead to, of the user's own modules."""
    for node in (node for each in statements for node in ast.walk(each)):
        if isinstance(node, ast.Import):
            if inside and node in statements:
                continue  # what is used of it is looked for where it is used
            for alias in node.names:
                yield from imported(alias.name, 0, (), source.package)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = tuple(alias.name for alias in node.names)
            yield from imported(node.module or "", node.level, names, source.package)


def imported(
    module: str,
    level: int,
    names: Collection[str],
    package: str,
    *,
    find: Callable[[str], object | None] = users_file,
) -> Iterator[Wanted]:
    """What an import statement leads to, of the user's own modules.

    Args:
        module: The module named.
        level: How many packages up it begins.
        names: What is taken from it; none: the module itself.
        package: The package in which the statement stands.
        find: What says where a module of the user's is, None of any other.
    """
    if level:
        base = package.split(".")
        base = base[: len(base) - level + 1]
        module = ".".join([*filter(None, base), *filter(None, [module])])
    if find(module) is None:
        return
    parts = module.split(".")
    for n in range(1, len(parts)):  # packages above it are imported on the way
        yield Wanted(".".join(parts[:n]), "")
    if not names or "*" in names:
        yield Wanted(module)
        return
    for name in names:
        inner = f"{module}.{name}"
        yield Wanted(inner) if find(inner) is not None else Wanted(module, name)
