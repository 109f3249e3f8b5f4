"""The studies of a workspace as their journals tell them, read here (standard library only)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.config import check_name
from eolab.errors import EolabError, NotFound, nearest

if TYPE_CHECKING:
    from eolab.config import Config
    from eolab.studies.journal import Follower

    Reader = tuple[threading.Lock, Follower]

KEPT = 256
LOG_BYTES = 256 * 1024


class Followers:
    """One incremental reader a study, kept between requests; safe in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[tuple[Path, int], Reader] = OrderedDict()

    def folder(self, config: Config, name: str) -> Path:
        """The run folder of a study.

        Raises:
            BadInput: The name cannot be a study's.
            NotFound: There is no such study.
        """
        folder = config.runs / check_name(name, "study")
        if not (folder / "study.json").is_file():
            raise NotFound(f"no study {name!r}", nearest(name, names(config), "studies"))
        return folder

    def summaries(self, config: Config) -> list[dict[str, object]]:
        """The summary of every study, the newest first; a damaged one says so."""
        rows = []
        for name in names(config):
            try:
                rows.append(self.summary(config.runs / name))
            except (EolabError, OSError, ValueError, KeyError, TypeError) as error:
                rows.append(_damaged(name, error))
        return sorted(rows, key=lambda row: -_number(row["created"]))

    def summary(self, folder: Path) -> dict[str, object]:
        """The short form of one study."""
        lock, reader = self._reader(folder)
        with lock:
            return reader.summary()

    def snapshot(self, folder: Path) -> dict[str, object]:
        """Everything about one study."""
        lock, reader = self._reader(folder)
        with lock:
            return reader.snapshot()

    def _reader(self, folder: Path) -> Reader:
        from eolab.studies.journal import Follower

        # A study that was deleted and made again under its name is another one.
        key = (folder, (folder / "study.json").stat().st_ino)
        with self._lock:
            pair = self._readers.pop(key, None) or (threading.Lock(), Follower(folder))
            self._readers[key] = pair
            while len(self._readers) > KEPT:
                self._readers.popitem(last=False)
            return pair


def names(config: Config) -> list[str]:
    """The names of all studies."""
    try:
        return sorted(p.name for p in config.runs.iterdir() if (p / "study.json").is_file())
    except FileNotFoundError:
        return []


def read_log(folder: Path, trial: int) -> dict[str, object]:
    """The end of the log of a trial's last attempt.

    Raises:
        NotFound: The trial has none.
    """
    logs = [p for p in (folder / "logs").glob(f"{trial}.*.log") if p.name.split(".")[1].isdigit()]
    if not logs:
        raise NotFound(f"trial {trial} of {folder.name!r} has no log", "It may wait still.")
    last = max(logs, key=lambda path: int(path.name.split(".")[1]))
    with last.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LOG_BYTES))
        text = file.read(LOG_BYTES).decode("utf-8", errors="replace")
    return {"text": text, "truncated": size > LOG_BYTES}


def _damaged(name: str, error: Exception) -> dict[str, object]:
    counts = dict.fromkeys(("queued", "running", "completed", "failed", "stopped"), 0)
    return {
        "name": name,
        "kind": "tune",
        "state": "failed",
        "message": f"its files cannot be read: {error}",
        "metric": "",
        "direction": "maximize",
        "created": 0.0,
        "started": None,
        "ended": None,
        "now": time.time(),
        "budget": {"trials": 0},
        "counts": counts,
        "best": None,
        "best_curve": [],
        "workers_alive": 0,
        "seq": 0,
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
