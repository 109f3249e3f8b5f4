"""Which file of `eolab/` imports which, and the circles among them.

    python scripts/circles.py              # prints the circles; exits with 1 where there are any
    python scripts/circles.py features     # only those with a file in eolab/features
    python scripts/circles.py --imports eolab.features.store    # what one file imports, and where

Imports inside functions and under `TYPE_CHECKING` count, so do literals given to `import_module`
and the rows of a package's table of lazy names. A name that a package only passes on counts as the
file that it comes from.
"""

from __future__ import annotations

import argparse
import ast
import functools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The table of old names leads anywhere on purpose: it imports only what somebody asks for.
NOT_FOLLOWED = {"eolab.moved_modules"}


@dataclass(frozen=True)
class Import:
    """One import: the file that it stands in, the file that it reaches, its line."""

    importer: str
    imported: str
    line: int


@dataclass
class _File:
    name: str
    path: Path
    tree: ast.Module
    is_package: bool
    # What `from PACKAGE import NAME` finds: NAME -> (module, name there or None for the module).
    names: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)


class Imports:
    """The imports of a package's files, each resolved to a file.

    Args:
        package: The package's folder.
    """

    def __init__(self, package: Path = ROOT / "eolab") -> None:
        self._package = package
        self.files: dict[str, _File] = {}
        for path in sorted(package.rglob("*.py")):
            parts = [package.name, *path.relative_to(package).with_suffix("").parts]
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            self.files[name] = _File(name, path, tree, is_package)
        for file in self.files.values():
            self._note_names(file)

    @functools.cached_property
    def all(self) -> list[Import]:
        """Every import, in the order of the files."""
        found = (
            found
            for file in self.files.values()
            if file.name not in NOT_FOLLOWED
            for found in self._of(file)
        )
        return list(dict.fromkeys(found))

    def graph(self) -> dict[str, set[str]]:
        """File -> files that it imports."""
        graph: dict[str, set[str]] = {name: set() for name in self.files}
        for found in self.all:
            graph[found.importer].add(found.imported)
        return graph

    def circles(self) -> list[list[str]]:
        """Groups of files that import each other, the largest first."""
        return circles(self.graph())

    def resolve(self, module: str, name: str | None = None) -> str | None:
        """The file that ``from module import name`` reads; None where it is not the package's."""
        seen = set()
        while (module, name) not in seen:
            seen.add((module, name))
            if name is not None and f"{module}.{name}" in self.files:
                module, name = f"{module}.{name}", None
                continue
            file = self.files.get(module)
            if file is None:
                return None
            if not (name is not None and file.is_package and name in file.names):
                return module
            module, name = file.names[name]
        return module

    def _note_names(self, file: _File) -> None:
        """What a package's `__init__` passes on; names that it makes itself are its own."""
        if not file.is_package:
            return
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ImportFrom):
                module = self._absolute(file, node)
                for alias in node.names:
                    file.names.setdefault(alias.asname or alias.name, (module, alias.name))
        for module, name, _ in self._lazy_table(file):
            file.names[name] = (module, name)

    def _of(self, file: _File) -> Iterator[Import]:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Import):
                found = [(self.resolve(alias.name), node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(file, node)
                found = [(self.resolve(module, alias.name), node.lineno) for alias in node.names]
            elif isinstance(node, ast.Call):
                found = [(self.resolve(module), node.lineno) for module in _literals(node)]
            else:
                continue
            yield from self._edges(file, found)
        table = [
            (self.resolve(module, name), line) for module, name, line in self._lazy_table(file)
        ]
        yield from self._edges(file, table)

    @staticmethod
    def _edges(file: _File, found: list[tuple[str | None, int]]) -> Iterator[Import]:
        for target, line in found:
            if target is not None and target != file.name:
                yield Import(file.name, target, line)

    @staticmethod
    def _absolute(file: _File, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = file.name.split(".")
        kept = parts[: len(parts) - node.level + (1 if file.is_package else 0)]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def _lazy_table(self, file: _File) -> Iterator[tuple[str, str, int]]:
        """Rows of a dictionary at the top of a file that name a module of ours: NAME -> module,
        or module -> NAMES as `lazy_loader.attach` takes them.
        """
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.Dict):
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                    continue
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    module = self._module(file, value.value)
                    if module is not None and file.is_package:
                        yield module, key.value, key.lineno
                elif isinstance(value, ast.List | ast.Tuple):
                    module = self._module(file, key.value)
                    for name in value.elts if module is not None and file.is_package else ():
                        if isinstance(name, ast.Constant) and isinstance(name.value, str):
                            yield str(module), name.value, key.lineno

    def _module(self, file: _File, text: str) -> str | None:
        if text in self.files:
            return text
        inside = f"{file.name}.{text}"
        return inside if text and inside in self.files else None


def _literals(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in {"import_module", "__import__"} and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one node, the largest first (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []
    for start in graph:
        work = [] if start in index else [(start, iter(sorted(graph[start])))]
        if work:
            index[start] = low[start] = len(index)
            stack.append(start)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    cut = stack.index(node)
                    component, stack[cut:] = stack[cut:], []
                    if len(component) > 1:
                        found.append(sorted(component))
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                work.append((following, iter(sorted(graph.get(following, ())))))
            elif following in stack:
                low[node] = min(low[node], index[following])
    return sorted(found, key=lambda component: (-len(component), component))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("room", nargs="*", help="only circles with a file there: features, studies")
    parser.add_argument("--imports", metavar="MODULE", help="what this file imports")
    options = parser.parse_args()
    imports = Imports()
    if options.imports:
        for found in imports.all:
            if found.importer == options.imports:
                print(f"line {found.line:4}  {found.imported}")
        return 0
    wanted = tuple(f"eolab.{room.replace('/', '.')}" for room in options.room)
    count = 0
    for component in imports.circles():
        if wanted and not any(f"{name}.".startswith(f"{w}.") for name in component for w in wanted):
            continue
        count += 1
        print(f"circle of {len(component)} files")
        inside = set(component)
        for found in imports.all:
            if found.importer in inside and found.imported in inside:
                path = imports.files[found.importer].path.relative_to(ROOT)
                print(f"  {path}:{found.line} -> {found.imported}")
    print(f"{count} circles" if count != 1 else "1 circle")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
