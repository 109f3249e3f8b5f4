"""Which session of a Connect server a notebook had: a new kernel comes back to it."""

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


def write(folder: Path, notebook: str, session: str) -> None:
    """Remember a session; who knows its id and the server's token can use it: mode 0600.

    Args:
        folder: Of the cluster.
        notebook: Its path; "" for shells without one.
        session: Id of the session.
    """
    folders.make(folder)
    with locks.locked(folder / LOCK):
        entries = {**_entries(folder), notebook: (session, time.time())}
        newest = sorted(entries, key=lambda name: entries[name][1])[-MOST:]
        document = {name: entries[name] for name in newest}
        writes.write_json(folder / FILE, document, indent=None, mode=0o600)


def forget(folder: Path) -> None:
    """Forget all sessions of a cluster whose server is stopped."""
    (folder / FILE).unlink(missing_ok=True)


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
