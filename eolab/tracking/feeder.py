"""Carries a study's journal into MLflow.

MLflow shows what a study's journal says; nothing is read back from it. The feeder may lag, be
killed and be started again: it begins where the last one left off, and writing something twice
changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import RemoteError
from eolab.files import locks, writes
from eolab.settings import config as configuration
from eolab.settings.config import Config
from eolab.tracking.bulk import AT_ONCE, EndedRun, open_engine, write_runs
from eolab.tracking.store import (
    Point,
    experiment,
    log,
    log_points,
    open_client,
    runs_of,
    translate_errors,
)

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient
    from sqlalchemy import Engine

FORMAT = 1
STATE = "mlflow.json"
LOCK = "mlflow.lock"
# In a database that we reach ourselves runs that have ended are written hundreds at once (see
# `eolab.tracking.bulk`). Through a server, and while a trial runs, a run costs 20 to 70 ms of CPU:
# a large study gets its first and its best ones.
FIRST, FIRST_AT_ONCE, BEST = 1_000, 10_000, 100
INTERVAL = 2.0
TURN = 5.0  # seconds of writing runs before the study's own run is brought up to date again
PATIENCE = 6
ENDED = {"completed": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
TRIAL_ENDED = {"completed": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}

Event = Mapping[str, object]


@dataclass
class _Trial:
    n: int
    params: Mapping[str, object]
    run: str | None = None
    started: int | None = None
    ended: int | None = None
    state: str = "queued"
    value: float | None = None
    error: str = ""
    failed: bool = False  # at some time: it may have been tried again since
    points: list[Point] = field(default_factory=list)
    step: int = 0  # the last one, also of points that are written already
    changed: bool = False


class Feeder:
    """Carries one study's journal into MLflow, batch by batch.

    Args:
        run: The study's folder; what an event means stands in `eolab/studies/journal/state.py`.
        uri: MLflow's address; by default what the study says, else SQLite in its workspace.
    """

    def __init__(self, run: Path, uri: str | None = None) -> None:
        self.run = run.resolve()
        self.root = self.run.parents[1]
        self.study: dict[str, object] = json.loads((self.run / "study.json").read_text())
        self.uri = uri or self._configured()
        self.name = str(self.study["name"])
        # The name alone is not enough: a study may be deleted and made again.
        self.identity = f"{self.name}@{self.study.get('created')}"
        self.trials: dict[int, _Trial] = {}
        self._known: dict[int, str] = {}
        self._ended: dict[int, int | None] = {}  # the end is what is written last
        self.state = "starting"
        self.improvements: list[Point] = []
        self._best: float | None = None
        self._finished = 0
        self._offset = 0
        self._flushed = _flushed(self.run)
        self._client: MlflowClient | None = None
        self._engine: Engine | None = None
        self._parent = ""
        self._experiment = ""
        self._shown_state = ""
        self.turn = TURN
        self.behind = False  # runs of trials wait to be written

    def _configured(self) -> str:
        """The address in the `eolab.toml` that the study was made with, else SQLite here.

        It is read there and not kept with the study: it may hold a password.
        """
        file = self.study.get("config")
        config = Config(root=self.root)
        if isinstance(file, str) and Path(file).is_file():
            config = replace(config, tracking_uri=configuration.load(Path(file)).tracking_uri)
        return config.mlflow_uri

    def step(self) -> bool:
        """Read what is new and write it; True where there was something.

        Raises:
            RemoteError: MLflow does not work; nothing is lost, call again.
        """
        self._mlflow()
        new = False
        for event, end in self._events():
            new = True
            self._fold(event, fresh=end > self._flushed)
        if self.behind:
            new = True
        if not new and self._shown_state == self.state and self._offset <= self._flushed:
            return False
        self._write()
        return new

    def finish(self, state: str) -> None:
        """Write the best of the trials that have no run, and how the study ended.

        Raises:
            RemoteError: MLflow does not work; call again.
        """
        sign = -1 if self.study["direction"] == "maximize" else 1
        ranked = sorted(
            (t for t in self.trials.values() if t.state == "completed" and t.value is not None),
            key=lambda t: (sign * (t.value or 0.0), t.n),
        )
        with translate_errors(self.uri):
            self._write_ended([trial for trial in ranked[:BEST] if trial.run is None])
            counts: dict[str, int] = {}
            for trial in self.trials.values():
                counts[trial.state] = counts.get(trial.state, 0) + 1
            tags = {
                "eolab.state": state,
                **{f"eolab.trials.{k}": str(v) for k, v in counts.items()},
            }
            log(self._mlflow(), self._parent, tags=tags)
            self._mlflow().set_terminated(self._parent, ENDED.get(state, "KILLED"))

    def _events(self) -> Iterator[tuple[Event, int]]:
        try:
            file = (self.run / "events.jsonl").open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # being written
                self._offset += len(line)
                with contextlib.suppress(ValueError):
                    yield json.loads(line), self._offset

    def _fold(self, event: Event, *, fresh: bool) -> None:
        kind, when = event.get("e"), int(_float(event.get("t")) * 1000)
        if kind == "state":
            self.state = str(event["state"])
            return
        if kind == "trial":
            number = int(_float(event["n"]))
            params = event.get("params")
            known = params if isinstance(params, Mapping) else {}
            self.trials[number] = _Trial(number, known, run=self._known.get(number))
            return
        trial = self.trials.get(int(_float(event["n"]))) if "n" in event else None
        if trial is None:
            return
        if kind == "start":
            trial.started, trial.state = trial.started or when, "running"
        elif kind == "report":
            step = int(_float(event.get("step")))
            trial.step = max(trial.step, step)
            self._points(trial, event, when, step, fresh=fresh)
        elif kind == "requeue":
            trial.state = "queued"
        elif kind == "finish":
            trial.state, trial.ended = str(event["state"]), when
            trial.error = str(event.get("error") or "")
            trial.failed = trial.failed or bool(trial.error)
            value = event.get("value")
            trial.value = float(value) if isinstance(value, int | float) else None
            self._points(trial, event, when, trial.step, fresh=fresh)
            self._improve(trial, when, fresh=fresh)
            if self._ended.get(trial.n) == when:
                trial.points.clear()
                trial.changed = False
                return
        else:
            return
        trial.changed = trial.changed or fresh

    def _points(self, trial: _Trial, event: Event, when: int, step: int, *, fresh: bool) -> None:
        metrics = event.get("m")
        if isinstance(metrics, Mapping) and (fresh or trial.run is None):
            for name, value in metrics.items():
                if isinstance(value, int | float):
                    trial.points.append((str(name), float(value), when, step))

    def _improve(self, trial: _Trial, when: int, *, fresh: bool) -> None:
        self._finished += 1
        if trial.state != "completed" or trial.value is None:
            return
        more = self.study["direction"] == "maximize"
        if self._best is None or (trial.value > self._best) is more:
            self._best = trial.value
            if fresh:
                metric = f"best {self.study['metric']}"
                self.improvements.append((metric, trial.value, when, self._finished))

    # -- writing ---------------------------------------------------------------------------

    def _write(self) -> None:
        with translate_errors(self.uri):
            client = self._mlflow()
            # The study's own run comes first: it stays seconds behind however many trials end.
            if self.improvements:
                log_points(client, self._parent, self.improvements, {}, {})
                self.improvements.clear()
            if self.state != self._shown_state:
                log(client, self._parent, tags={"eolab.state": self.state})
                if self.state not in ENDED:
                    client.update_run(self._parent, status="RUNNING")
                self._shown_state = self.state
            end = time.monotonic() + self.turn
            changed = [
                trial
                for trial in self.trials.values()
                if trial.changed and trial.n < self._first and trial.started is not None
            ]
            ended = [t for t in changed if self._is_whole(t)]
            alone = [t for t in changed if not self._is_whole(t)]
            for first in range(0, len(ended), AT_ONCE):
                self._write_ended(ended[first : first + AT_ONCE])
            for trial in alone:
                self._write_trial(trial)
                if time.monotonic() > end:
                    self.behind = True
                    return
            self.behind = False
            self._flushed = self._offset
            _save_flushed(self.run, self._flushed)

    @property
    def _first(self) -> int:
        """How many of the first trials have runs."""
        return FIRST if self._engine is None else FIRST_AT_ONCE

    def _is_whole(self, trial: _Trial) -> bool:
        """Whether it is written at once, with all that it will ever say."""
        return self._engine is not None and trial.run is None and trial.state in TRIAL_ENDED

    def _write_ended(self, trials: Sequence[_Trial]) -> None:
        """Write trials that have ended and have no run: all at once where that can be done."""
        if self._engine is None:
            for trial in trials:
                self._write_trial(trial)
            return
        runs = [
            EndedRun(
                name=f"{self.name}-{trial.n}",
                status=TRIAL_ENDED[trial.state],
                started=trial.started or 0,
                ended=trial.ended,
                params=trial.params,
                tags=self._tags(trial) | ({"eolab.error": trial.error} if trial.error else {}),
                points=trial.points,
            )
            for trial in trials
        ]
        try:
            ids = write_runs(self._engine, self._parent, runs) if runs else []
        except Exception as error:  # tables of another MLflow, a lock: its client knows them
            print(f"written one by one: {type(error).__name__}", file=sys.stderr)
            for trial in trials:
                self._write_trial(trial)
            return
        for trial, run in zip(trials, ids, strict=True):
            trial.run = run
            trial.points.clear()
            trial.changed = False

    def _tags(self, trial: _Trial) -> dict[str, str]:
        """What says which trial of which study a run is."""
        return {
            "eolab.study_id": self.identity,
            "eolab.trial": str(trial.n),
            "mlflow.parentRunId": self._parent,
        }

    def _write_trial(self, trial: _Trial) -> None:
        client = self._mlflow()
        # A run that says why its trial failed says so no more when another try went well.
        tags = {"eolab.error": trial.error} if trial.error or (trial.run and trial.failed) else {}
        if trial.run is None:
            # The tags come with the run in one transaction: a feeder that is killed right after
            # finds it again.
            run = client.create_run(
                self._experiment,
                start_time=trial.started,
                tags=self._tags(trial),
                run_name=f"{self.name}-{trial.n}",
            )
            trial.run = str(run.info.run_id)
        params = trial.params if trial.state in TRIAL_ENDED or trial.points else {}
        log_points(client, trial.run, trial.points, params, tags)
        trial.points.clear()
        if trial.state in TRIAL_ENDED:
            client.set_terminated(trial.run, TRIAL_ENDED[trial.state], end_time=trial.ended)
        trial.changed = False

    def _mlflow(self) -> MlflowClient:
        """The client, with the parent run made or found and the trials' runs known."""
        if self._client is not None:
            return self._client
        with translate_errors(self.uri):
            client = open_client(self.uri, self.root)
            self._experiment = experiment(client, f"eolab/{self.name}", self.root)
            for tags, found, end in runs_of(client, self._experiment, self.identity):
                if "eolab.trial" in tags:
                    self._known[int(tags["eolab.trial"])] = found
                    self._ended[int(tags["eolab.trial"])] = end
                else:
                    self._parent = found
            if not self._parent:
                self._flushed = 0  # another MLflow than before: it gets everything
                run = client.create_run(
                    self._experiment,
                    run_name=self.name,
                    tags={"eolab.study_id": self.identity, "eolab.run": str(self.run)},
                )
                self._parent = str(run.info.run_id)
            keys = ("kind", "metric", "direction", "trials", "seed", "sampler", "space", "digest")
            log(client, self._parent, params={k: self.study[k] for k in keys if k in self.study})
            self._engine = open_engine(self.uri)
        self._client = client
        return client


def feed(
    run: Path, *, uri: str | None = None, follow: bool = True, courteous: bool = False
) -> bool:
    """Carry a study into MLflow until it has ended; False where another feeder does so already.

    Args:
        run: The study's folder.
        uri: MLflow's address; by default what the study says.
        follow: False writes what is there and returns (`eolab studies sync`).
        courteous: Leave the processor to the trials: this process stays slow ever after.

    Raises:
        RemoteError: MLflow stayed out of reach after the study's end.
    """
    try:
        handle = locks.take(run / LOCK)
    except OSError:  # the file system knows no locks: two feeders would write everything twice
        return False
    if handle is None:
        return False
    try:
        return _feed(Feeder(run, uri), follow=follow, courteous=courteous)
    finally:
        os.close(handle)


def _feed(feeder: Feeder, *, follow: bool, courteous: bool) -> bool:
    # Importing MLflow and making its database is done at full speed: else a busy machine takes half
    # a minute for it, and others wait for the database behind a lock.
    waiting = courteous
    failures = 0
    while True:
        # Asked before reading: what is written up to its end is then surely read.
        # The lock of the study (see `eolab/studies/journal/files.py`).
        living = locks.is_held(feeder.run / "lock")
        try:
            feeder.step()
            if waiting:
                waiting = _step_back()
            if living and not follow and not feeder.behind:
                return True
            if feeder.behind:
                continue
            if not living or feeder.state in ENDED:
                feeder.finish(feeder.state if feeder.state in ENDED else "interrupted")
                return True
            failures = 0
        except RemoteError as error:
            failures += 1
            if failures >= PATIENCE and (not living or not follow):
                raise
            print(f"{time.strftime('%H:%M:%S')} {error}", file=sys.stderr, flush=True)
        time.sleep(min(30.0, INTERVAL * 2**failures) if failures else INTERVAL)


def _step_back() -> bool:
    with contextlib.suppress(OSError):
        os.nice(10)
    return False


def _flushed(run: Path) -> int:
    try:
        return int(json.loads((run / STATE).read_text())["offset"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _save_flushed(run: Path, offset: int) -> None:
    writes.write_json(run / STATE, {"format": FORMAT, "offset": offset}, indent=None)


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
