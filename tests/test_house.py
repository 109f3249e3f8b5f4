"""The house stands as CONTRIBUTING.md says: rooms on floors, no circles, light imports, one name
for one thing.

What it does not hold yet is listed in `tests/house_exceptions/` (see `tests/house.py`).
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import check

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "eolab"
sys.path.insert(0, str(ROOT / "scripts"))

from circles import Imports, circles  # noqa: E402

HOUSE: dict[str, dict] = tomllib.loads((ROOT / "scripts/floors.toml").read_text(encoding="utf-8"))
FULLEST = 16
HEAVY = {
    "pyspark", "tensorflow", "keras", "torch", "mlflow", "xarray", "geopandas", "sklearn", "duckdb",
    "deltalake", "odc", "rasterio", "optuna", "pandas",
}  # fmt: skip

# Words of an old private language: the glossary in CONTRIBUTING.md has those of the field.
STOPPED_WORDS = {
    "told", "chosen", "gone", "spots", "news", "conform", "alikeness", "thing", "things",
    "openings", "figures",
}  # fmt: skip
STOPPED_NAMES = {
    "made_of", "in_words", "quote", "known_at", "suspect_labels", "fold_scores", "discrete",
    "seasonal",
}  # fmt: skip


@pytest.fixture(scope="module")
def imports() -> Imports:
    return Imports()


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "labextension" not in p.parts)


# --- floors ----------------------------------------------------------------------------------


def room(module: str, section: str) -> str | None:
    """The room of a module in a section of the table; None where it stands in none of it."""
    parts = module.split(".")[1:]
    if section != "house":
        if not parts or parts[0] != section:
            return None
        parts = parts[1:]
    return parts[0] if parts else None


def floors(section: str) -> dict[str, int]:
    rows = HOUSE[section]["floors"]
    return {name: number for number, row in enumerate(rows) for name in row.split()}


def needs(section: str) -> dict[str, set[str]]:
    """What a room may import: lower floors, or those of them that the table names."""
    table = floors(section)
    named = {name: set(row.split()) for name, row in HOUSE[section].get("needs", {}).items()}
    return {
        name: named.get(name, {other for other, below in table.items() if below < number})
        for name, number in table.items()
    }


@pytest.mark.parametrize("section", HOUSE)
def test_the_table_names_only_lower_floors(section: str) -> None:
    table = floors(section)
    named = {name: row.split() for name, row in HOUSE[section].get("needs", {}).items()}
    wrong = [
        f"{name} needs {other}"
        for name, others in named.items()
        for other in others
        if table[other] >= table[name]
    ]
    assert not wrong


@pytest.mark.parametrize("section", HOUSE)
def test_every_file_stands_in_a_room_of_the_table(section: str, imports: Imports) -> None:
    rooms = {room(module, section) for module in imports.files} - {None}
    assert rooms <= set(floors(section)), "give it a floor in scripts/floors.toml"


def test_every_room_imports_only_what_stands_below(imports: Imports) -> None:
    faults = set()
    for section in HOUSE:
        allowed = needs(section)
        for found in imports.all:
            here, there = room(found.importer, section), room(found.imported, section)
            if here is None or there is None or here == there:
                continue
            if there not in allowed[here]:
                faults.add(f"{found.importer} -> {found.imported}")
    check("floors", faults)


def test_what_is_shipped_to_executors_imports_nothing_else_of_ours(imports: Imports) -> None:
    home = "eolab.studies.worker"
    wrong = {
        f"{found.importer} -> {found.imported}"
        for found in imports.all
        if found.importer.startswith(f"{home}.") and not found.imported.startswith(f"{home}.")
    }
    assert not wrong


# --- circles ---------------------------------------------------------------------------------


def test_no_files_import_each_other_in_a_circle(imports: Imports) -> None:
    check("circles", {name for component in imports.circles() for name in component})


def write(folder: Path, **files: str) -> Imports:
    for name, text in files.items():
        path = folder / "toy" / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Imports(folder / "toy")


@pytest.mark.parametrize(
    "back",
    [
        "import toy.a",
        "from toy.a import x",
        "from . import a",
        "from .a import x",
        "def f():\n    from toy import a",
        "if TYPE_CHECKING:\n    from toy.a import x",
        "import importlib\nimportlib.import_module('toy.a')",
        "from toy.room import x",
        "from toy.lazy_room import x",
        "from toy.attached import x",
    ],
)
def test_a_circle_is_found_however_it_is_closed(tmp_path: Path, back: str) -> None:
    toy = write(
        tmp_path,
        __init__="",
        a="from toy.b import y\nx = 1",
        b=f"{back}\ny = 1",
        room__in____init__="from toy.a import x",
        lazy_room__in____init__="_HOMES = {'x': 'toy.a'}",
        attached__in____init__="attach(__name__, submod_attrs={'inner': ['x']})",
        attached__in__inner="from toy.b import y\nx = 1",
    )
    assert len(toy.circles()) == 1
    assert "toy.b" in toy.circles()[0]


def test_what_is_no_circle_is_not_called_one(tmp_path: Path) -> None:
    toy = write(
        tmp_path,
        __init__="from toy.a import x",
        a="from toy.b import y\nx = 1",
        b="import json\ny = 'toy.a'",
    )
    assert toy.circles() == []


def test_components_are_those_of_the_definition() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a", "f"}}
    assert circles(graph) == [["a", "b", "c"], ["d", "e"]]


# --- names -----------------------------------------------------------------------------------


def test_no_package_exports_a_name_that_one_of_its_modules_has(imports: Imports) -> None:
    """On first access it would be the function, after an import the module."""
    faults = set()
    for package, file in imports.files.items():
        if not file.is_package:
            continue
        children = {m.rpartition(".")[2] for m in imports.files if m.rpartition(".")[0] == package}
        # `from eolab import moved_modules` is the module itself, whichever comes first.
        same = {name for name, (module, _) in file.names.items() if module == package}
        names = exported(file.tree, file.names) & children - same
        faults |= {f"{package}.{name}" for name in names}
    check("hidden_modules", faults)


def exported(tree: ast.Module, passed_on: dict[str, tuple[str, str | None]]) -> set[str]:
    names = set()
    for node in tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.If) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.ClassDef):
                names.add(inner.name)
            elif isinstance(inner, ast.ImportFrom):
                names |= {alias.asname or alias.name for alias in inner.names}
            elif isinstance(inner, ast.Assign):
                names |= {target.id for target in inner.targets if isinstance(target, ast.Name)}
                if isinstance(inner.value, ast.Dict):  # a table of lazy names
                    keys = {k.value for k in inner.value.keys if isinstance(k, ast.Constant)}
                    names |= keys & set(passed_on)
    return names


def test_no_folder_is_too_full() -> None:
    count = Counter(path.parent for path in modules())
    full = {str(folder.relative_to(ROOT)): n for folder, n in count.items() if n > FULLEST}
    assert not full


def test_no_two_public_classes_have_one_name() -> None:
    homes = defaultdict(list)
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path)
    check("classes_of_one_name", {name for name, paths in homes.items() if len(paths) > 1})


def identifiers(path: Path) -> Iterator[str]:
    """What a file gives a name to: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def test_names_are_words_of_the_field() -> None:
    faults = set()
    for path in modules():
        where = path.relative_to(ROOT).as_posix()
        for name in identifiers(path):
            words = {w.lower() for w in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}
            if words & STOPPED_WORDS or name.strip("_") in STOPPED_NAMES:
                faults.add(f"{where}: {name}")
    check("words", faults)


def test_no_public_name_is_also_a_module() -> None:
    import eolab

    names = set(eolab.__all__)
    files = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in modules()}
    assert not names & files


@pytest.mark.parametrize("package", ["eolab", "eolab.features", "eolab.studies"])
def test_editors_and_python_see_the_same_lazy_names(package: str, imports: Imports) -> None:
    """Names that are loaded when first used stand in a table for Python, in imports for mypy."""
    tree = imports.files[package].tree
    block = next(node for node in tree.body if isinstance(node, ast.If))
    shown = {
        alias.asname
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    module = importlib.import_module(package)
    homes = getattr(module, "_HOMES")  # noqa: B009  the table is what is tested
    assert shown == set(homes)
    assert set(module.__all__) - shown <= {"load_ipython_extension"}


def test_every_public_name_is_there() -> None:
    import eolab

    for name in eolab.__all__:
        assert getattr(eolab, name) is not None


# --- start -----------------------------------------------------------------------------------


def top_imports(path: Path) -> Iterator[str]:
    """Libraries that a file imports as soon as it is loaded."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_no_file_imports_a_heavy_library_when_it_is_loaded() -> None:
    # Each wraps one library by a class of its kind, and is itself loaded when first used.
    allowed = {
        PACKAGE / "accessor.py",
        PACKAGE / "studies" / "samplers" / "optuna_storage.py",
        PACKAGE / "testing" / "engines.py",
    }
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules()
        if path not in allowed
        for name in top_imports(path)
        if name.split(".")[0] in HEAVY
    ]
    assert not wrong, "\n".join(wrong)


def test_importing_eolab_loads_nothing_heavy() -> None:
    heavy = sorted(HEAVY | {"numpy"})
    code = f"import sys, eolab; print([m for m in sys.modules if m.split('.')[0] in {heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_names_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = [
        "/wo" + "rk/main",
        "/wo" + "rk/shared",
        "/roo" + "t/",
        "registry.np" + "mjs",
        "pypi.o" + "rg/simple",
    ]
    wrong = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in {".png", ".tif", ".ico"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        wrong += [f"{name}: {word}" for word in words if word in text]
    assert not wrong, "\n".join(wrong)
