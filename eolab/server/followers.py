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
    from eolab.studies.record import Record

KEPT = 256


class Reader:
    """One study, read as it grows; knows when each trial last changed."""

    def __init__(self, folder: Path) -> None:
        from eolab.studies.journal import Follower
        from eolab.studies.timeline import Timeline

        self.lock = threading.Lock()
        self.follower = Follower(folder)
        self._timeline = Timeline(folder)
        self._record: object = None
        self._marks: dict[int, object] = {}
        self._changed: dict[int, int] = {}

    def summary(self) -> dict[str, object]:
        """The short form."""
        with self.lock:
            return self.follower.summary()

    def snapshot(self, since: int | None) -> dict[str, object]:
        """Everything, or with ``since`` only the trials that changed after that event."""
        with self.lock:
            return self._snapshot(since)

    def log(self, trial: int) -> dict[str, object]:
        """The end of the log of a trial's last attempt.

        Raises:
            NotFound: There is no such trial.
        """
        from eolab.studies.journal import read_log

        with self.lock:
            self.follower.refresh()
            if trial not in self.follower.record.trials:
                raise NotFound(
                    f"study {self.follower.run.name!r} has no trial {trial}",
                    "Trials are counted from 0.",
                )
        text, truncated = read_log(self.follower.run, trial)
        return {"text": text, "truncated": truncated}

    def _snapshot(self, since: int | None) -> dict[str, object]:
        summary = self.follower.summary()
        record = self.follower.record
        self._look(record)
        partial = since is not None and 0 <= since <= record.seq
        if not partial:
            return {**self.follower.snapshot(), "partial": False}
        from eolab.studies.record import trial_json

        assert since is not None
        trials = [
            trial_json(trial) for n, trial in record.trials.items() if self._changed[n] > since
        ]
        workers = [
            {"id": w.id, "state": w.state, "trial": w.trial} for w in record.workers.values()
        ]
        parameters = self.follower.study["space"]
        more = {"parameters": parameters, "workers": workers, "trials": trials, "partial": True}
        return {**summary, **more}

    def timeline(self) -> dict[str, object]:
        """Who ran what when."""
        from eolab.studies.journal import is_alive

        with self.lock:
            self._timeline.refresh()
            return self._timeline.to_dict(living=is_alive(self.follower.run))

    def _look(self, record: Record) -> None:
        """Note the trials that are not as they were at the last look."""
        if record is not self._record:  # the journal was begun anew
            self._record, self._marks, self._changed = record, {}, {}
        for n, trial in record.trials.items():
            last = trial.curve[-1] if trial.curve else None
            mark = (trial.state, trial.attempts, len(trial.curve), last, trial.value, trial.ended)
            if self._marks.get(n) != mark:
                self._marks[n] = mark
                self._changed[n] = record.seq


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
                rows.append(self.reader(config.runs / name).summary())
            except (EolabError, OSError, ValueError, KeyError, TypeError) as error:
                rows.append(_damaged(name, error))
        return sorted(rows, key=lambda row: -_number(row["created"]))

    def reader(self, folder: Path) -> Reader:
        """The reader of a study's folder."""
        # A study that was deleted and made again under its name is another one.
        key = (folder, (folder / "study.json").stat().st_ino)
        with self._lock:
            reader = self._readers.pop(key, None) or Reader(folder)
            self._readers[key] = reader
            while len(self._readers) > KEPT:
                self._readers.popitem(last=False)
            return reader


def names(config: Config) -> list[str]:
    """The names of all studies."""
    try:
        return sorted(p.name for p in config.runs.iterdir() if (p / "study.json").is_file())
    except FileNotFoundError:
        return []


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
