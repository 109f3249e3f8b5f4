"""The study's conversation with its workers and its users: leases, retries, results, commands.

No clock, network or disk of its own. Everything that happens is decided here and in `Trials`,
written by ``emit`` (the journal) and folded by the record before anybody hears of it; an ``emit``
that fails leaves the study as it was. Time comes in from outside, so that a test can drive days of
faults in a second.

Promises:

- A trial runs under one attempt at a time. Only the newest attempt's result counts, once.
- A result is safe in the journal before the worker hears that it was accepted.
- Asking, reporting and finishing again after a lost answer change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eolab.studies.coordinator.trials import Trials
from eolab.studies.journal.state import ENDED, PAUSED_BY_USER, Trial
from eolab.studies.plans.base import Job
from eolab.studies.space.seeds import derive_seed
from eolab.studies.worker import messages
from eolab.studies.worker.messages import Answer, Point, Result

IDLE_LEASES, IDLE_SECONDS = 4, 60.0  # the longer of both; a worker may be loading libraries


class Coordinator:
    """The study's side of the conversation with its workers.

    Args:
        trials: The trials that it hands out.
    """

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self.record, self.terms = trials.record, trials.terms
        self._heard: dict[str, float] = {}
        self._looks: set[int] = set()  # trials that will tell of the model that they keep
        self._begun = trials.ticks()

    # -- starting and replaying ------------------------------------------------------------

    def open(self, pid: int, host: str) -> None:
        """A study process takes over."""
        self.trials.live = True
        resumed = self.record.seq > 0
        self.trials.emit("process", pid=pid, host=host, resumed=resumed)
        if self.record.state in {"starting", "running"}:
            self.trials.emit("state", state="running", message="resumed" if resumed else "")

    # -- what workers say ------------------------------------------------------------------

    def starting(self, worker: str) -> None:
        """A worker is being started."""
        self.trials.emit("worker", w=worker, state="starting")

    def join(self, worker: str, host: str, pid: int) -> None:
        """A worker is ready for trials."""
        self._heard[worker] = self.trials.ticks()
        known = self.record.workers.get(worker)
        if known is None or known.state not in {"idle", "busy"}:
            self.trials.emit("worker", w=worker, state="joined", host=host, pid=pid)

    def _see(self, worker: str) -> None:
        """A worker spoke: it is alive, whatever was thought of it."""
        self._heard[worker] = self.trials.ticks()
        known = self.record.workers.get(worker)
        if known is None or known.state not in {"idle", "busy"}:
            running = [
                t.n
                for t in self.record.trials.values()
                if t.state == "running" and t.worker == worker
            ]
            self.trials.emit(
                "worker", w=worker, state="joined", **({"n": running[0]} if running else {})
            )

    def take(self, worker: str) -> Job | None:
        """The next trial for a worker; None if there is none now.

        A worker that asks again, having lost the answer, gets the same trial again.
        """
        self._see(worker)
        known = self.record.workers[worker]
        if known.trial is not None:
            trial = self.record.trials[known.trial]
        elif self.record.state != "running":
            return None
        else:
            found = self.trials.next_trial()
            if found is None:
                return None
            trial = found
            self.trials.begin(trial, worker)
        self.trials.extend_lease(trial.n)
        return Job(trial.n, trial.params, trial.budget, trial.parent)

    def surplus(self, worker: str) -> bool:
        """Whether this worker should leave: the study has ended, or there are more than wanted."""
        if self.record.state in ENDED:
            return True
        known = self.record.workers.get(worker)
        if known is not None and known.trial is not None:
            return False
        wanted = self.record.wanted_workers
        alive = [w for w in self.record.alive() if w.id != worker]
        return wanted is not None and len(alive) >= wanted

    def leave(self, worker: str, reason: str = "") -> None:
        """A worker goes in peace."""
        self.trials.emit("worker", w=worker, state="left", reason=reason)

    def assignment(self, job: Job) -> messages.TrialOrder:
        """A job as it goes over the wire."""
        trial = self.record.trials[job.n]
        root = self.trials.root(job.n)
        if self.trials.wants_a_look:
            self._looks.add(job.n)
        return {
            "n": job.n,
            "attempt": trial.attempts,
            "params": job.params,
            "budget": job.budget,
            "seed": derive_seed(self.terms.seed, root, "train"),
            # Promotions of one configuration share the folder of its first trial.
            "checkpoint": root,
            "timeout": self.terms.trial_timeout,
            "wait": self.trials.judges,
            "look": job.n in self._looks,
        }

    def current(self, worker: str, n: int, attempt: int) -> Trial | None:
        """The trial if this worker's attempt is the one that counts."""
        trial = self.record.trials.get(n)
        if (
            trial is None
            or trial.state != "running"
            or trial.attempts != attempt
            or trial.worker != worker
        ):
            return None
        return trial

    def report(self, worker: str, n: int, attempt: int, reports: Iterable[Point]) -> Answer:
        """Points of a learning curve (or none: a heartbeat); the decision on the trial."""
        self._see(worker)
        trial = self.current(worker, n, attempt)
        if trial is None:
            return {"abandon": True}
        self.trials.extend_lease(n)
        for point in reports:
            step, metrics = point["step"], point["m"]
            self.trials.emit("report", n=n, a=attempt, step=step, m=metrics)
            self.trials.judge(n, step, metrics)
        if n in self.trials.stopping:
            return {"stop": True, "grace": self.terms.stop_grace}
        return {}

    def finish(self, worker: str, n: int, attempt: int, result: Result) -> bool:
        """The end of an attempt; False if it does not count (any more).

        A result delivered twice is accepted twice and counted once.
        """
        self._see(worker)
        trial = self.current(worker, n, attempt)
        if trial is None:
            known = self.record.trials.get(n)
            return (
                known is not None
                and known.finished
                and known.attempts == attempt
                and known.worker == worker
            )
        state = result["state"]
        if state == "crashed":
            self.trials.attempt_over(trial, result["error"])
        elif state == "abandoned":
            self.trials.attempt_over(trial, "given up by its worker")
        else:
            value = result.get("value")
            if state == "stopped" and trial.curve:
                value = trial.curve[-1][1]
            error = (
                result.get("error")
                if state == "failed"
                else self.trials.stopping.get(n)
                if state == "stopped"
                else None
            )
            if state == "completed" and n in self._looks:
                self.trials.note(result.get("note", ""))
            self.trials.conclude(trial, state, value, error, result.get("m"))
        return True

    def lose(self, worker: str, reason: str) -> None:
        """A worker is gone: its trial is queued again."""
        known = self.record.workers.get(worker)
        if known is None or known.state in {"lost", "left"}:
            return
        n = known.trial
        self.trials.emit("worker", w=worker, state="lost", reason=reason)
        if n is not None and self.record.trials[n].state == "running":
            self.trials.attempt_over(self.record.trials[n], f"worker {worker} was lost: {reason}")

    # -- time ------------------------------------------------------------------------------

    def expire(self, waiting: Iterable[str] = ()) -> None:
        """Take trials away from workers that have not been heard of for a lease's time.

        Idle workers that fell silent hold a place that others need: they no longer count. One that
        speaks again is taken back.

        Args:
            waiting: Workers that are connected and wait for a trial.
        """
        now = self.trials.ticks()
        self._heard.update(dict.fromkeys(waiting, now))
        patience = max(IDLE_LEASES * self.terms.lease, IDLE_SECONDS)
        silent = [
            worker.id
            for worker in self.record.alive()
            if worker.state == "idle" and now - self._heard.get(worker.id, self._begun) > patience
        ]
        for worker_id in silent:
            self.lose(worker_id, f"idle, and not heard of for {patience:g} s")
        if silent and self.record.state == "running":
            some = "workers fell silent and no longer count"
            one = "worker fell silent and no longer counts"
            self.trials.announce(f"{len(silent)} idle {some if len(silent) > 1 else one}")
        for trial in self.trials.overdue():
            worker = trial.worker or ""
            known = self.record.workers.get(worker)
            if known is not None and known.trial == trial.n and known.state not in {"lost", "left"}:
                self.lose(worker, f"not heard of for {self.terms.lease:g} s")
            else:
                self.trials.attempt_over(trial, f"worker {worker} did not come back")

    def forgive(self, seconds: float) -> None:
        """This process itself slept: the workers are not to blame."""
        self._heard = {worker: at + seconds for worker, at in self._heard.items()}
        self._begun += seconds
        self.trials.forgive(seconds)

    def settle(self) -> bool:
        """End the study if nothing is left to do; whether it has ended."""
        record = self.record
        if record.state in ENDED:
            return True
        if record.state != "running" or record.counts["running"]:
            return False
        if self.trials.reached() or (record.timeout is not None and not self.trials.may_ask()):
            why = "the target is reached" if self.trials.reached() else "its time is over"
            self.trials.stop_queued(self.trials.queued, why)
        if not self.trials.exhausted:
            return False
        counts = record.counts
        if counts["completed"] == 0 and counts["failed"]:
            last = record.trials[record.finish_order[-1]].error or ""
            self.trials.emit(
                "state",
                state="failed",
                message=f"all {counts['failed']} trials failed: {last.partition(chr(10))[0]}",
            )
        else:
            self.trials.emit("state", state="completed", message="")
        return True

    # -- what users say --------------------------------------------------------------------

    def command(self, command: str, at: int, args: Mapping[str, float | None]) -> None:
        """Carry out a command; one that does not apply (any more) is only noted."""
        record = self.record
        self.trials.emit("command", command=command, at=at, args=dict(args))
        if command == "pause" and record.state in {"starting", "running"}:
            self.trials.emit("state", state="paused", message=PAUSED_BY_USER)
        elif command == "resume" and record.state in {"paused", "cancelled"}:
            self.trials.guard = False
            self.trials.emit("state", state="running", message="resumed")
        elif command == "cancel" and record.state not in ENDED:
            for trial in list(record.trials.values()):
                if trial.state == "running":
                    self.trials.requeue(trial, "the study was cancelled")
            self.trials.emit("state", state="cancelled", message="cancelled by user")
        elif command == "stop":
            self._stop(int(args["n"] or 0))
        elif command == "retry":
            self._retry(int(args["n"] or 0))
        elif command == "set":
            self.trials.emit(
                "set",
                **{k: args[k] for k in ("trials", "workers", "timeout", "target") if k in args},
            )
            self.trials.ask_again()
            if self.trials.may_ask():
                self._reopen()
        self.trials.on_work()

    def _reopen(self) -> None:
        if self.record.state in {"completed", "failed", "cancelled"}:
            self.trials.emit("state", state="running", message="resumed")

    def _retry(self, n: int) -> None:
        trial = self.record.trials.get(n)
        if trial is not None and trial.state in {"failed", "stopped"}:
            self.trials.requeue(trial, "retried by user", fresh=True)
            self._reopen()

    def _stop(self, n: int) -> None:
        trial = self.record.trials.get(n)
        if trial is not None and trial.state == "running":
            self.trials.stopping[n] = "stopped by user"
        elif trial is not None and trial.state == "queued":
            self.trials.stop_queued((n,), "stopped by user")
