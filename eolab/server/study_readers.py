"""The studies of a workspace as their journals tell them, read here (standard library only)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import EolabError, NotFoundError, nearest
from eolab.server.wire import to_json
from eolab.settings.config import check_name, is_name

if TYPE_CHECKING:
    from eolab.server.contract.answers import (
        GrownTrialJson,
        StudyHeadJson,
        StudySummaryJson,
        TrialLogJson,
    )
    from eolab.settings.config import Config
    from eolab.studies.journal.answers import StudySummary, WorkerJson
    from eolab.studies.journal.state import Trial, Worker
    from eolab.studies.panel.answers import BandJson, BoundJson, TimelineJson

    Point = tuple[float, float]
    Curves = dict[int, tuple[int, Point]]

# Readers kept in memory; studies that have ended cost no reader for the list.
KEPT = 32
# Answers whose curve ends are remembered; a client that missed more gets whole curves.
MOST_SENT = 64
ABLATION = "ablation.json"
ENDED = frozenset({"completed", "failed", "cancelled"})


class Reader:
    """One study, read as it grows; knows when each trial last changed."""

    def __init__(self, folder: Path) -> None:
        from eolab.studies.journal.files import Follower
        from eolab.studies.panel.timeline import Timeline

        self.lock = threading.Lock()
        self.follower = Follower(folder)
        self._timeline = Timeline(folder)
        self._record: object = None
        self._texts: dict[int, tuple[int, str]] = {}
        self._band: tuple[int, list[BoundJson]] | None = None
        self._ablation = False
        # What was sent up to which event: the curves of the trials that ran then.
        self._sent: OrderedDict[int, Curves] = OrderedDict()

    def summary(self) -> StudySummaryJson:
        """The short form."""
        with self.lock:
            summary = self._summary()
            alive = self.follower.record.alive() if summary["workers_alive"] else []
            return {**_short(summary), "workers": [_worker(worker) for worker in alive]}

    def _summary(self) -> StudySummary:
        summary = self.follower.summary()
        # An ablation is a study with a plan beside it, which is written a moment after the study.
        if not self._ablation:
            self._ablation = (self.follower.run / ABLATION).exists()
        if self._ablation:
            summary["kind"] = "ablation"
        return summary

    def snapshot(self, since: int | None, *, tails: bool = False) -> str:
        """Everything as JSON, or with ``since`` only the trials that changed after that event.

        With ``tails``, of a trial that ran already when the client asked last only the new end of
        its curve is sent, as ``tail`` in place of ``curve``: two hundred curves that all grow ten
        times a second are megabytes. The text of each finished trial is kept: ten thousand of
        them are not written anew for one that moved.
        """
        from eolab.studies.journal.commands import trial_commands
        from eolab.studies.journal.state import trial_head, trial_row

        with self.lock:
            summary = self._summary()
            record = self.follower.record
            if record is not self._record:  # the journal was begun anew
                self._record, self._texts, self._sent = record, {}, OrderedDict()
            partial = since is not None and 0 <= since <= record.seq
            workers = [_worker(worker) for worker in record.workers.values()]
            head: StudyHeadJson = {
                **_short(summary),
                "seq": record.seq,
                "parameters": self.follower.study["space"],
                "workers": workers,
                "allowed_of_trials": trial_commands(summary["state"]),
            }
            sent = self._sent.get(since) if tails and partial and since is not None else None
            texts = []
            for n, trial in record.trials.items():
                touched = record.touched.get(n, 0)
                if partial and since is not None and touched <= since:
                    continue
                tail = _tail(trial, (sent or {}).get(n))
                if tail is not None:
                    grown: GrownTrialJson = {**trial_head(trial), "tail": tail}
                    texts.append(to_json(grown))
                    continue
                kept = self._texts.get(n)
                if kept is None or kept[0] != touched:
                    kept = self._texts[n] = (touched, to_json(trial_row(trial)))
                texts.append(kept[1])
            self._sent[record.seq] = {
                n: (len(trial.curve), trial.curve[-1])
                for n in (w.trial for w in record.workers.values())
                if n is not None and (trial := record.trials[n]).curve
            }
            while len(self._sent) > MOST_SENT:
                self._sent.popitem(last=False)
            text = to_json({**head, "partial": partial})
            return text[:-1] + ',"trials":[' + ",".join(texts) + "]}"

    def table(self) -> Iterator[tuple[object, ...]]:
        """The trials as rows: heads first."""
        with self.lock:
            self.follower.refresh()
            record, study = self.follower.record, self.follower.study
            names = [str(parameter["name"]) for parameter in study["space"]]
            rest = ("started", "ended", "attempts", "worker", "error")
            yield ("trial", "state", str(study["metric"]), *names, *rest)
            for trial in record.trials.values():
                params = (trial.params.get(name) for name in names)
                more = (getattr(trial, key) for key in rest)
                yield (trial.n, trial.state, trial.value, *params, *more)

    def log(self, trial: int) -> TrialLogJson:
        """The end of the log of a trial's last attempt.

        Raises:
            NotFoundError: There is no such trial, or it has printed nothing.
        """
        from eolab.studies.journal.files import read_log

        with self.lock:
            self.follower.refresh()
            if trial not in self.follower.record.trials:
                raise NotFoundError(
                    f"study {self.follower.run.name!r} has no trial {trial}",
                    "Trials are counted from 0.",
                )
        text, truncated = read_log(self.follower.run, trial)
        if not text:
            raise NotFoundError(
                f"trial {trial} has printed nothing yet", "It may wait for a worker."
            )
        return {"text": text, "truncated": truncated}

    def band(self) -> BandJson:
        """Where trials are stopped early."""
        from eolab.studies.panel.stop_bounds import band

        with self.lock:
            self.follower.refresh()
            record, study = self.follower.record, self.follower.study
            # Until the first trial has ended, steps come without one.
            mark = len(record.finish_order) or -record.seq
            if self._band is None or self._band[0] != mark:
                bounds = band(
                    study.get("stop"), record.trials.values(), direction=study["direction"]
                )
                self._band = (mark, bounds)
            return {"bounds": self._band[1]}

    def timeline(self) -> TimelineJson:
        """Who ran what when."""
        from eolab.studies.journal.files import is_alive

        with self.lock:
            self._timeline.refresh()
            return self._timeline.to_dict(living=is_alive(self.follower.run))


def _short(summary: StudySummary) -> StudySummaryJson:
    """A summary with what can be asked of the study."""
    from eolab.studies.journal.commands import allowed_commands

    return {
        **summary,
        "workers": [],
        "allowed": allowed_commands(summary["state"]),
    }


def _worker(worker: Worker) -> WorkerJson:
    return {"id": worker.id, "state": worker.state, "trial": worker.trial}


def _tail(trial: Trial, sent: tuple[int, Point] | None) -> list[Point] | None:
    """The points that a curve has more than were sent; None where it began anew since."""
    if sent is None:
        return None
    length, last = sent
    # Points go and come at the end only: where the last one is the same object still, so are all.
    if len(trial.curve) < length or trial.curve[length - 1] is not last:
        return None
    return trial.curve[length:]


class Followers:
    """One incremental reader a study, kept between requests; safe in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[tuple[Path, object], Reader] = OrderedDict()
        self._ended: dict[Path, tuple[object, StudySummaryJson]] = {}

    def folder(self, config: Config, name: str) -> Path:
        """The run folder of a study.

        Raises:
            InvalidInputError: The name cannot be a study's.
            NotFoundError: There is no such study.
        """
        folder = config.runs / check_name(name, "study")
        if not (folder / "study.json").is_file():
            raise NotFoundError(f"no study {name!r}", nearest(name, names(config), "studies"))
        return folder

    def summaries(self, config: Config) -> list[StudySummaryJson]:
        """The summary of every study, the newest first; a damaged one says so."""
        rows = []
        for name in names(config):
            try:
                rows.append(self._summary(config.runs / name))
            except (EolabError, OSError, ValueError, KeyError, TypeError) as error:
                rows.append(_damaged(name, error))
        return sorted(rows, key=lambda row: -row["created"])

    def _summary(self, folder: Path) -> StudySummaryJson:
        mark = tuple(_mark(folder / name) for name in ("study.json", "events.jsonl"))
        known = self._ended.get(folder)
        if known is not None and known[0] == mark:
            return {**known[1], "now": time.time()}
        summary = self.reader(folder).summary()
        if summary["state"] in ENDED:
            self._ended[folder] = (mark, summary)
        else:
            self._ended.pop(folder, None)
        return summary

    def reader(self, folder: Path) -> Reader:
        """The reader of a study's folder."""
        # A study that was deleted and made again under its name is another one, though the file
        # system may give its files the old numbers again.
        key = (folder, _mark(folder / "study.json"))
        with self._lock:
            reader = self._readers.pop(key, None) or Reader(folder)
            self._readers[key] = reader
            while len(self._readers) > KEPT:
                self._readers.popitem(last=False)
            return reader


def names(config: Config) -> list[str]:
    """The names of all studies."""
    try:
        folders = [p for p in config.runs.iterdir() if is_name(p.name)]
        return sorted(p.name for p in folders if (p / "study.json").is_file())
    except FileNotFoundError:
        return []


def _mark(path: Path) -> object:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _damaged(name: str, error: Exception) -> StudySummaryJson:
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
        "budget": {"trials": 0, "timeout": None, "target": None},
        "counts": counts,
        "best": None,
        "best_curve": [],
        "workers_alive": 0,
        "seq": 0,
        "workers": [],
        "allowed": [],
    }
