"""Which session of a Connect server a notebook had: a new kernel comes back to it.

One process at a time has a session: two that run one notebook, or two shells without a notebook,
must not replace each other's views.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from eolab.files import folders, locks, writes

FILE = "sessions.json"
LOCK = "sessions.lock"
MOST = 100
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read(folder: Path, notebook: str) -> str | None:
    """The session that a notebook was given last, or None.

    Args:
        folder: Of the cluster.
        notebook: Its path; "" for shells without one.
    """
    entry = _entries(folder).get(notebook)
    return entry[0] if entry else None


def hold(folder: Path, session: str) -> bool:
    """Take a session for this process, until it ends; False where another one has it.

    Args:
        folder: Of the cluster.
        session: Id of the session.
    """
    path = _lock(folder, session)
    if path not in _held:
        try:
            handle = locks.take(path)
        except OSError:  # no locks in this file system: who has it cannot be known
            return False
        if handle is None:
            return False
        _held[path] = handle
    return True


def write(folder: Path, notebook: str, session: str) -> None:
    """Remember a session, and hold it; who knows its id and the token can use it: mode 0600.

    Args:
        folder: Of the cluster.
        notebook: Its path; "" for shells without one.
        session: Id of the session.
    """
    folders.make(folder)
    hold(folder, session)
    with locks.locked(folder / LOCK):
        before = _entries(folder)
        entries = {**before, notebook: (session, time.time())}
        newest = sorted(entries, key=lambda name: entries[name][1])[-MOST:]
        document = {name: entries[name] for name in newest}
        writes.write_json(folder / FILE, document, indent=None, mode=0o600)
    known = {entry[0] for entry in document.values()}
    for dropped in {entry[0] for entry in before.values()} - known:
        if not locks.is_held(_lock(folder, dropped)):
            _lock(folder, dropped).unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Forget all sessions of a cluster whose server is stopped."""
    (folder / FILE).unlink(missing_ok=True)
    for path in folder.glob(f"*{_HELD}"):
        path.unlink(missing_ok=True)


def _lock(folder: Path, session: str) -> Path:
    return folder / f"{session}{_HELD}"


_HELD = ".session"
_held: dict[Path, int] = {}  # handles whose locks this process has


def _entries(folder: Path) -> dict[str, tuple[str, float]]:
    try:
        document = json.loads((folder / FILE).read_text())
        return {
            str(name): (session, float(at))
            for name, (session, at) in document.items()
            if isinstance(session, str) and _ID.fullmatch(session)
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
