"""The house stands as CONTRIBUTING.md says: floors, light imports, no name that hides a module."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "eolab"

# A room imports only from its own floor or from below.
FLOORS = {
    "ground": {
        "cluster_options",
        "config",
        "config_file",
        "data",
        "errors",
        "garbage",
        "lineage",
        "locks",
        "logins",
        "progress",
        "saved",
        "search",
        "sections",
        "toml_text",
        "tracking",
        "transfers",
        "warned",
    },
    "clusters": {"clusters"},
    "domains": {"catalog", "features", "studies", "models"},
    "pipelines": {"pipelines"},
    "facade": {"facade", "accessor"},
    "faces": {"magics", "views", "server", "cli", "lab", "demo"},
}
ORDER = list(FLOORS)
# Domains do not import each other, except these.
ALLOWED = {("models", "studies"), ("models", "features")}
HEAVY = {
    "pyspark", "tensorflow", "keras", "torch", "mlflow", "xarray", "geopandas", "sklearn", "duckdb",
    "deltalake", "odc", "rasterio", "optuna", "pandas",
}  # fmt: skip


def floor(room: str) -> int:
    for number, name in enumerate(ORDER):
        if room in FLOORS[name]:
            return number
    pytest.fail(f"eolab/{room} stands on no floor: give it one here and in CONTRIBUTING.md")


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "labextension" not in p.parts)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """Dotted names that a file imports, type-checking blocks left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in tree.body if top_only else ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_room_imports_only_from_its_floor_or_below() -> None:
    wrong = set()
    for path in modules():
        room = room_of(path)
        if room == "__init__":
            continue
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "eolab" or len(parts) < 2:
                continue
            other = parts[1]
            if not ((PACKAGE / other).is_dir() or (PACKAGE / f"{other}.py").exists()):
                continue  # a name that the package itself exports
            if floor(other) > floor(room):
                wrong.add(f"{path.relative_to(ROOT)} imports {other} from a higher floor")
            both = FLOORS["domains"]
            if {room, other} <= both and room != other and (room, other) not in ALLOWED:
                wrong.add(f"{path.relative_to(ROOT)}: {room} imports its neighbour {other}")
    assert not wrong, "\n".join(sorted(wrong))


def test_no_file_imports_a_heavy_library_when_it_is_loaded() -> None:
    # Each wraps one library by a class of its kind, and is itself loaded when first used.
    allowed = {PACKAGE / "accessor.py", PACKAGE / "studies" / "table.py"}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules()
        if path not in allowed
        for name in imports(path, top_only=True)
        if name.split(".")[0] in HEAVY
    ]
    assert not wrong, "\n".join(wrong)


def test_no_public_name_is_also_a_module() -> None:
    import eolab

    names = set(eolab.__all__)
    files = {room_of(path) for path in modules()}
    assert not names & files


def test_every_public_name_is_there() -> None:
    import eolab

    for name in eolab.__all__:
        assert getattr(eolab, name) is not None


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
