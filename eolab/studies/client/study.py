"""A study as users hold it: attached by name, from any process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from eolab import progress
from eolab.argument_checks import checked
from eolab.deprecation import renamed_arguments
from eolab.errors import ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.studies.client import launch
from eolab.studies.client.fitted_model import FittedModel
from eolab.studies.client.launch import await_commands, last_words, send_command
from eolab.studies.client.refit import RefitPart, refit
from eolab.studies.journal import files as journal
from eolab.studies.journal.answers import Params, StudySnapshot, StudySummary
from eolab.studies.journal.spec import StudySpec
from eolab.studies.journal.state import (
    ENDED,
    Record,
    Trial,
    TrialRow,
    is_paused_by_user,
    trial_row,
)
from eolab.studies.space.states import Direction
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from eolab.records.deleted import DeletedEntry


class ModelNote(UserWarning):
    """What the first trial showed of the model that a train function keeps."""


class Study:
    """Follows the journal of a study and asks its process for things.

    Nothing of the study lives here: any number of these may look at one study, and it goes on
    without them.

    Example:
        >>> study
        <study 'forest' completed: 4 completed, best accuracy ...>
    """

    def __init__(self, run: Path) -> None:
        self._follower = journal.Follower(run)

    @property
    def folder(self) -> Path:
        """The run folder: plain files.

        Example:
            >>> (study.folder / "study.json").exists()
            True
        """
        return self._follower.run

    @property
    def spec(self) -> StudySpec:
        """What the study is: metric, space, plan, data and more, as `study.json` has it.

        Example:
            >>> study.spec["seed"]
            0
        """
        return self._follower.study

    @property
    def record(self) -> Record:
        """What the journal says up to now (grows when the study is looked at).

        Example:
            >>> study.record.counts["completed"]
            4
        """
        self._follower.refresh()
        return self._follower.record

    @property
    def name(self) -> str:
        """Its name in the workspace.

        Example:
            >>> study.name
            'forest'
        """
        return str(self._follower.study["name"])

    @property
    def metric(self) -> str:
        """The name of what is optimised.

        Example:
            >>> study.metric
            'accuracy'
        """
        return str(self._follower.study["metric"])

    @property
    def direction(self) -> Direction:
        """Whether large or small values of the metric are good.

        Example:
            >>> study.direction
            'maximize'
        """
        return self._follower.study["direction"]

    @property
    def state(self) -> str:
        """How it stands, in a word.

        starting, running, waiting (for room on its disk; it goes on by itself), paused, completed,
        failed, cancelled or interrupted (resumable).

        Example:
            >>> study.state
            'completed'
        """
        self._follower.refresh()
        return self._follower.state

    @property
    def message(self) -> str:
        """Why the study is in its state, where there is something to say.

        Example:
            >>> study.message
            ''
        """
        return str(self._follower.summary()["message"])

    @property
    def best(self) -> TrialRow:
        """The best completed trial.

        Raises:
            ConflictError: No trial has completed yet.

        Example:
            >>> study.best["state"], study.best["number"] in range(4)
            ('completed', True)
        """
        return trial_row(self._best())

    @property
    def best_params(self) -> Params:
        """The hyperparameters of the best completed trial.

        Raises:
            ConflictError: No trial has completed yet.

        Example:
            >>> list(study.best_params)
            ['depth']
        """
        return dict(self._best().params)

    @property
    def best_value(self) -> float:
        """The metric of the best completed trial.

        Raises:
            ConflictError: No trial has completed yet.

        Example:
            >>> 0 <= study.best_value <= 1
            True
        """
        value = self._best().value
        assert value is not None
        return value

    def _best(self) -> Trial:
        self._follower.refresh()
        best = self._follower.record.best
        if best is None:
            raise ConflictError(
                f"no trial of {self.name!r} has completed",
                "Wait for the first one, or look at study.trials.",
            )
        return best

    @property
    def trials(self) -> list[TrialRow]:
        """All trials so far, in the order of their numbers.

        Example:
            >>> [(trial["number"], trial["state"]) for trial in study.trials][:2]
            [(0, 'completed'), (1, 'completed')]
        """
        self._follower.refresh()
        return [trial_row(t) for t in self._follower.record.trials.values()]

    def summary(self) -> StudySummary:
        """State, counts, best trial and budget as plain JSON; times in seconds since the epoch.

        Example:
            >>> study.summary()["counts"]["completed"]
            4
        """
        return self._follower.summary()

    def snapshot(self) -> StudySnapshot:
        """All that the views show, as plain JSON: the summary with parameters, workers and trials.

        Example:
            >>> len(study.snapshot()["trials"])
            4
        """
        return self._follower.snapshot()

    @renamed_arguments(n="number")
    @checked
    def log(self, number: int) -> str:
        """What a trial printed, with the traceback if it failed.

        Raises:
            NotFoundError: No such trial.

        Example:
            >>> "Traceback" in study.log(0)
            False
        """
        self._follower.refresh()
        if number not in self._follower.record.trials:
            raise NotFoundError(
                f"study {self.name!r} has no trial {number}", "Trials are counted from 0."
            )
        return journal.read_log(self.folder, number)[0]

    def to_dataframe(self) -> pd.DataFrame:
        """One row per trial: number, state, value, ``params.*``, times in seconds.

        Example:
            >>> study.to_dataframe()["state"].unique().tolist()
            ['completed']
        """
        import pandas as pd

        rows = [
            {
                "trial": t["number"], "state": t["state"], self.metric: t["value"],
                **{f"params.{k}": v for k, v in t["params"].items()},
                "seconds": (t["ended"] - t["started"]) if t["ended"] and t["started"] else None,
                "steps": len(t["curve"]), "attempts": t["attempts"], "worker": t["worker"],
                "error": t["error"],
            }
            for t in self.trials
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def to_optuna(self) -> optuna.Study:
        """The finished trials as an Optuna study in memory (its plots and importances work).

        Example:
            >>> len(study.to_optuna().trials)
            4
        """
        from eolab.studies.client.export import to_optuna

        self._follower.refresh()
        return to_optuna(self._follower.study, self._follower.record)

    @checked
    def to_journal_file(self, path: str | Path) -> Path:
        """Write an Optuna journal file, which ``optuna-dashboard FILE`` opens.

        Raises:
            InvalidInputError: The file exists.

        Example:
            >>> study.to_journal_file("forest.log").name
            'forest.log'
        """
        from eolab.studies.client.export import to_journal_file

        self._follower.refresh()
        return to_journal_file(self._follower.study, self._follower.record, Path(path))

    # -- what can be asked of it -----------------------------------------------------------

    def _ask(self, command: str, **args: float) -> None:
        send_command(self.folder, command, **args)
        await_commands(self.folder)

    def pause(self) -> None:
        """Start no further trials; running ones end.

        Raises:
            ConflictError: The study has ended.

        Example:
            >>> study.pause()
            Traceback (most recent call last):
                ...
            eolab.errors.ConflictError: study 'forest' is completed: it cannot pause
            ...
        """
        self._ask("pause")

    def resume(self) -> None:
        """Go on: after a pause, a cancel, or when the process died (nothing is lost).

        Raises:
            ConflictError: The study is running, or has used up its trials.

        Example:
            >>> study.resume()
            Traceback (most recent call last):
                ...
            eolab.errors.ConflictError: study 'forest' is completed: it cannot resume
            ...
        """
        self._ask("resume")

    def cancel(self) -> None:
        """Stop everything now; finished trials stay, running ones would start again on resume.

        Raises:
            ConflictError: The study has ended.

        Example:
            >>> study.cancel()
            Traceback (most recent call last):
                ...
            eolab.errors.ConflictError: study 'forest' is completed: it cannot cancel
            ...
        """
        self._ask("cancel")

    def delete(self) -> DeletedEntry:
        """Move the study with its trials, logs and refits to the bin, and free its name.

        For 30 days ``ws.restore`` brings it back. Registered models keep their files and what they
        say of the study; its runs in MLflow stay there.

        Raises:
            ConflictError: It is running or starting: cancel it first.
            NotFoundError: It was deleted already.

        Example:
            >>> entry = study.delete()
            >>> ws.restore(entry)
            Ref(kind='study', id='forest')
            >>> study.state
            'completed'
        """
        return launch.delete(self.folder)

    @renamed_arguments(n="number")
    @checked
    def stop_trial(self, number: int) -> None:
        """Stop one trial, which keeps its last reported value.

        Raises:
            ConflictError: It has ended, or the study has.
            NotFoundError: No such trial.

        Example:
            >>> study.stop_trial(0)
            Traceback (most recent call last):
                ...
            eolab.errors.ConflictError: study 'forest' is completed: it cannot stop
            ...
        """
        self._ask("stop", number=number)

    @renamed_arguments(n="number")
    @checked
    def retry_trial(self, number: int) -> None:
        """Run a failed or stopped trial again.

        Raises:
            ConflictError: It neither failed nor was stopped.
            NotFoundError: No such trial.

        Example:
            >>> study.retry_trial(0)
            Traceback (most recent call last):
                ...
            eolab.errors.ConflictError: trial 0 is completed
            ...
        """
        self._ask("retry", number=number)

    @checked
    def set_workers(self, workers: int) -> None:
        """Let workers join or leave while the study runs.

        Raises:
            InvalidInputError: Less than one.

        Example:
            >>> study.set_workers(0)
            Traceback (most recent call last):
                ...
            eolab.errors.InvalidInputError: workers=0
            ...
        """
        if workers < 1:
            raise InvalidInputError(f"workers={workers}", "Give 1 or more; pause() stops them all.")
        self._ask("set", workers=workers)

    @checked
    def add_trials(self, trials: int) -> None:
        """Enlarge the budget; a completed study goes on.

        Example:
            >>> study.add_trials(1)
            >>> len(study.wait(quiet=True).trials)
            5
        """
        self._follower.refresh()
        self._ask("set", trials=self._follower.record.budget_trials + trials)

    @checked
    def wait(self, timeout: float | None = None, *, quiet: bool = False) -> Study:
        """Wait for the end, drawing progress. An interrupt ends the waiting, not the study.

        Args:
            timeout: Seconds after which to return although the study goes on.
            quiet: Draw no bar.

        Raises:
            InvalidInputError: All trials failed, or the study paused because its first ones did.
            RemoteError: The study process died.

        Example:
            >>> study.wait(quiet=True).state
            'completed'
        """
        end = None if timeout is None else time.monotonic() + timeout
        bar = None if quiet else progress.start(self.name)
        pause, seen, said = 0.02, -1, False
        known = self.record.note
        try:
            while True:
                state = self.state
                record = self._follower.record
                if record.note != known:
                    known = record.note
                    if known:
                        warn(f"study {self.name!r}: {known}.", ModelNote)
                if record.seq != seen:
                    seen, pause = record.seq, 0.02
                    done = sum(record.counts[k] for k in ("completed", "failed", "stopped"))
                    best = (
                        "" if record.best is None else f"best {self.metric} {record.best.value:.4g}"
                    )
                    if bar is not None:
                        bar.update(done, max(record.budget_trials, done), best)
                if state == "waiting" and not said:
                    said = True
                    print(f"The study {self.name!r} waits: {self.message}.")
                if self._is_over(state) or (end is not None and time.monotonic() > end):
                    return self
                time.sleep(pause)
                pause = min(pause * 1.3, 0.2)
        except KeyboardInterrupt:
            print(f"The study {self.name!r} goes on; ws.study({self.name!r}).cancel() stops it.")
            raise
        finally:
            if bar is not None:
                bar.close()

    def _is_over(self, state: str) -> bool:
        message = self._follower.record.message
        if state == "failed" or (state == "paused" and not is_paused_by_user(message)):
            raise InvalidInputError(f"study {self.name!r} {state}: {message}", self._way_on())
        if state == "interrupted":
            time.sleep(0.2)  # it may be between two processes
            if self.state != "interrupted":
                return False
            raise RemoteError(
                f"the process of study {self.name!r} is gone: {last_words(self.folder)}",
                "study.resume() continues with nothing lost.",
            )
        return state in ENDED

    def _way_on(self) -> str:
        """What to do about it: the first failed trial's own hint, its log."""
        for trial in self._follower.record.trials.values():
            if trial.state == "failed":
                own = (trial.error or "").partition("\n")[2].strip()
                where = f"ws.study({self.name!r}).log({trial.n}) shows what it printed."
                again = "Mend it and run again with resume='force' or another name."
                return " ".join(filter(None, (own, where, again)))
        return f"Mend it and run the cell again, or call ws.study({self.name!r}).resume()."

    @checked
    def refit(self, on: RefitPart = "train+validation", *, trial: int | None = None) -> FittedModel:
        """Fit the best trial (or another) once more and save its model.

        Args:
            on: "train+validation": both together; "train": as in the trials.
            trial: Number of the trial; by default the best one.

        Raises:
            InvalidInputError: The train function saves no model (`reporter.save_model`), or fails.
            ConflictError: No trial has completed yet.
            NotFoundError: No such trial.

        Example:
            >>> study.refit(on="train").params == study.best_params
            True
        """
        trial_made = self._best() if trial is None else self._follower.record.trials.get(trial)
        if trial_made is None:
            raise NotFoundError(
                f"study {self.name!r} has no trial {trial}", "Trials are counted from 0."
            )
        return refit(self.folder, self._follower.study, trial_made, on=on)

    def __repr__(self) -> str:
        s = self.summary()
        parts = ", ".join(f"{v} {k}" for k, v in s["counts"].items() if v)
        best = f", best {self.metric} {s['best']['value']:.4g}" if s["best"] else ""
        why = f"; {s['message']}" if s["state"] == "waiting" else ""
        return f"<study {self.name!r} {s['state']}: {parts or 'no trials yet'}{best}{why}>"
