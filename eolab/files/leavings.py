"""What killed processes left half made: removed after a day, never while somebody works on it.

Who makes a folder over a while holds a lock on it (`locks.locked_folder`), which goes with the
process. What is removed stands in ``logs/tidied.log`` of the workspace.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from eolab.files import folders, locks

LOG = "tidied.log"
DAY = 86_400.0


def remove(root: Path, left: Iterable[Path], what: str) -> int:
    """Remove folders in which nothing has changed for a day and that nobody holds.

    What cannot be removed stays; a workspace that cannot be written to stays as it is.

    Args:
        root: The workspace.
        left: Folders that nothing refers to.
        what: What they are, for the log.

    Returns:
        How many went.
    """
    removed = 0
    for folder in left:
        with contextlib.suppress(OSError):
            changed = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if changed > time.time() - DAY or locks.is_held(folder):
                continue
            # In one step out of the way of readers; the name says to the next one what it is.
            aside = folder.with_name(f".{folder.name.lstrip('.')}.left")
            folder.rename(aside)
            shutil.rmtree(aside)
            removed += 1
            _log(root, f"{what} {folder.relative_to(root)}")
    return removed


def _log(root: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        place = root / "logs"
        folders.make(place)
        with folders.open_log(place / LOG) as file:
            line = (
                f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} removed {text}: left by a killed process"
            )
            file.write(f"{line}\n".encode())
