"""A workspace that was moved or copied: MLflow's database notes whole paths, which lead back.

They are put right when the workspace is opened, so that ``models:/name/1`` and the artifacts of
runs are found by MLflow's own tools, too. Only what lies in the workspace is touched.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

DATABASE = "mlflow.db"
_PLACES = (
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("runs", "artifact_uri"),
    ("experiments", "artifact_location"),
    ("logged_models", "artifact_location"),
)
_HELD = ("models", "mlflow")  # folders of the workspace that MLflow knows
_PATIENCE = 2.0


def repair(root: Path) -> int:
    """Let MLflow's database in a workspace name the workspace where it is now.

    Args:
        root: The workspace.

    Returns:
        How many places were put right; 0 also where the database cannot be written to: eolab finds
        its models without.
    """
    file = root / DATABASE
    if not file.is_file():
        return 0
    with contextlib.suppress(sqlite3.Error, OSError):
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", _PATIENCE, uri=True)
        with contextlib.closing(connection), connection:
            return sum(_put_right(connection, old, root) for old in _old_roots(connection, root))
    return 0


def _old_roots(connection: sqlite3.Connection, root: Path) -> list[Path]:
    """Where the workspace was, by what MLflow notes of it."""
    found: dict[Path, None] = {}
    sources = connection.execute("SELECT DISTINCT source FROM model_versions")
    for path in _paths(sources):
        # Its id is a folder of this workspace's, whatever is above.
        if len(path.parts) > 4 and path.parts[-3] == "models":
            here = root / "models" / path.parent.name / path.name
            if (here / "model.json").is_file():
                found[path.parents[2]] = None
    homes = connection.execute(
        "SELECT DISTINCT artifact_location FROM experiments WHERE name LIKE 'eolab/%'"
    )
    found |= {path.parent: None for path in _paths(homes) if path.name == "mlflow"}
    return [old for old in found if not _same(old, root) and not _is_guest(old)]


def _paths(rows: Iterable[tuple[str | None]]) -> list[Path]:
    """The paths of this machine that a column holds, as such or as file addresses."""
    found = []
    for (text,) in rows:
        if text and text.startswith("file:"):
            found.append(Path(unquote(urlsplit(text).path)))
        elif text and PurePosixPath(text).is_absolute():
            found.append(Path(text))
    return found


def _same(old: Path, root: Path) -> bool:
    """Whether a path leads here still, maybe by another way."""
    try:
        return old == root or old.samefile(root)
    except OSError:
        return False


def _is_guest(old: Path) -> bool:
    """Whether another workspace is there that has no database of its own, and keeps its runs here.

    Whoever moves or copies a workspace takes its database along.
    """
    return not (old / DATABASE).exists() and any((old / folder).exists() for folder in _HELD)


def _put_right(connection: sqlite3.Connection, old: Path, root: Path) -> int:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    count = 0
    for table, column in _PLACES:
        if table not in tables:
            continue
        for folder in _HELD:
            for before, now in (
                (str(old / folder), str(root / folder)),
                ((old / folder).as_uri(), (root / folder).as_uri()),
            ):
                changed = connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (now, len(before) + 1, before, len(before) + 1, f"{before}/"),
                )
                count += changed.rowcount
    return count
