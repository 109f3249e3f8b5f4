"""Folders of this machine in which a workspace's catalogues, and its panels, may name files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from eolab.files import locks, writes
from eolab.files.folders import make as make_folder
from eolab.settings import config as configuration
from eolab.settings.config import Config

FORMAT = 1
_FILE = "roots.json"  # in the workspace: folders named by `ingest`


def roots_of(config: Config) -> tuple[Path, ...]:
    """Folders inside which any local catalogue may name files."""
    return (config.root, config.downloads, *config.roots, *_remembered(config.root))


def remember(workspace: Path | None, folders: Sequence[Path]) -> None:
    """Let catalogues name files in these folders from now on: the user named them.

    Args:
        workspace: Its folder; None for the one that counts here.
        folders: Absolute.
    """
    if not folders:
        return
    if workspace is None:
        workspace = configuration.find().root
    make_folder(workspace)
    with locks.locked_folder(workspace):  # two at once forget nothing
        known = _remembered(workspace)
        added = [folder for folder in folders if not is_inside(folder, [workspace, *known])]
        if added:
            named = [str(folder) for folder in (*known, *added)]
            writes.write_json(workspace / _FILE, {"format": FORMAT, "roots": named})


def _remembered(workspace: Path) -> list[Path]:
    try:
        saved = json.loads((workspace / _FILE).read_text(encoding="utf-8"))
        return [Path(root) for root in saved["roots"]] if saved["format"] == FORMAT else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def prefixes(folders: Iterable[Path]) -> tuple[str, ...]:
    """Starts of the paths that lie in the folders, by their names and by where these lead."""
    names = {name for f in folders for name in (os.path.normpath(f), os.path.realpath(f))}
    return tuple(sorted(name.rstrip(os.sep) + os.sep for name in names))


def is_inside(path: str | Path, folders: Iterable[Path]) -> bool:
    """Whether an absolute path is one of the folders or lies in one."""
    return f"{os.path.normpath(path)}{os.sep}".startswith(prefixes(folders))
