"""The study process: one a study, detached from whoever started it.

    python -m eolab.studies.coordinator.process RUN_FOLDER

It owns the journal, listens for workers, places them on a cluster, follows the commands file, and
goes when the study has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from eolab import gc_pause
from eolab.clusters import Placement, make_placement, way_back
from eolab.errors import ConfigError
from eolab.files import disk, locks, writes
from eolab.files.folders import open_log
from eolab.settings import config as configuration
from eolab.studies.coordinator.clock import JumpingClock, describe_jump, describe_seconds
from eolab.studies.coordinator.coordinator import Coordinator
from eolab.studies.coordinator.http import Endpoint
from eolab.studies.coordinator.mailbox import Mailbox
from eolab.studies.coordinator.requests import Service
from eolab.studies.coordinator.trials import Terms, Trials
from eolab.studies.journal import files as journal
from eolab.studies.journal.spec import StudySpec
from eolab.studies.journal.state import Event
from eolab.studies.plans.base import Plan
from eolab.studies.stopping.base import Rule
from eolab.studies.worker.messages import Address, WorkerSettings

TICK = 0.2
SYNC_SECONDS = 2.0
STILLBORN = 3
PAUSED_SECONDS = 30.0
JOINING_SECONDS = 15.0
ASK_AHEAD = 1000
FEEDERS_QUIET = 3  # so often it is started again before the study says so
FEEDER_SECONDS, FEEDER_LONGEST = 2.0, 120.0  # before a feeder that fell is started again


class StudyProcess:
    """Runs one study to its end.

    Args:
        run: The study's folder, whose lock this process holds.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        # Held while nothing can be written (see `journal.is_waiting`): made while there is room.
        (run / journal.WAITING_LOCK).touch()
        self._waiting: int | None = None
        self._waits_since: float | None = None
        self.study = journal.read_study(run)
        _read_settings(self.study)
        self.writer = journal.Writer(run)
        plan, rule = _strategy(run, self.study)
        self.clock = JumpingClock()
        self.trials = Trials(
            journal.make_record(self.study), plan, rule, _terms(self.study),
            emit=self._emit, clock=self.clock, ticks=time.monotonic,
        )  # fmt: skip
        self.trials.jump = lambda: self.clock.jump + self._waited()
        self.coordinator = Coordinator(self.trials)
        self.record = self.trials.record
        with gc_pause.put_off():
            self.trials.replay(journal.read_events(run))
        # What a long journal left in memory stays: looking through it for garbage again and again
        # would hold up decisions by tens of milliseconds.
        gc.collect()
        gc.freeze()
        self.service = Service(self.coordinator, run / "logs")
        self.token = self._read_token()
        self.endpoint = Endpoint(self.service.handle, self.token)
        self.mailbox: Mailbox | None = None
        self.placement: Placement | None = None
        self._nudge = asyncio.Event()
        self._syncing: asyncio.Future[None] | None = None
        self.service.on_quiet = self._nudge.set
        self._feeder: subprocess.Popen[bytes] | None = None
        self._feeders, self._fed = 0, 0.0  # how often it was started again, and when last
        self._quit = False
        self._commands = 0
        self._stillborn = 0
        self._paused_since = time.monotonic()
        self._joining = time.monotonic()

    def _emit(self, event: Event) -> None:
        try:
            self.writer.append(event)
        except OSError as error:
            # The disk is full or gone: nothing is decided until the journal takes it again.
            self._begin_waiting(f"the journal cannot be written, the study waits: {error}")
            raise

    def _begin_waiting(self, why: str) -> None:
        if self._waits_since is None:
            self._say(why)
            self._waits_since = time.monotonic()
        if self._waiting is None:
            # None while somebody just looks whether it is held: then at the next try.
            with contextlib.suppress(OSError):
                self._waiting = locks.take(self.run / journal.WAITING_LOCK)

    def _waited(self) -> float:
        """Seconds of waiting for room of which the journal does not know yet."""
        return 0.0 if self._waits_since is None else time.monotonic() - self._waits_since

    def _may_go_on(self) -> bool:
        """Whether there is room; after a wait the journal is told, and nobody is to blame for it.

        Raises:
            OSError: There was room a moment ago.
        """
        if self._waits_since is None:
            return True
        try:
            disk.check_room(self.run)
        except OSError as error:
            self._begin_waiting(str(error))
            return False
        waited = self._waited()
        if self.record.state == "running":
            self.trials.skip(waited, f"waited {describe_seconds(waited)} for room on its disk")
        self.coordinator.forgive(waited)
        self._waits_since = None
        if self._waiting is not None:
            os.close(self._waiting)
            self._waiting = None
        self._say(f"the journal is written again, after {waited:.0f} s")
        return True

    def _say(self, text: str) -> None:
        # process.log may be on the same full disk.
        with contextlib.suppress(OSError):
            print(time.strftime("%Y-%m-%dT%H:%M:%S"), text, file=sys.stderr, flush=True)

    def _read_token(self) -> str:
        """The study's token: made once, so that workers find a restarted process trustworthy."""
        path = self.run / journal.TOKEN
        if not path.exists():
            writes.write_bytes(path, secrets.token_urlsafe(32).encode(), mode=0o600)
        return path.read_text()

    async def main(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate)
        self._commands = self.record.commands_read
        self.coordinator.open(os.getpid(), socket.gethostname())
        # Commands that found nobody come first: a cancelled study must not start workers.
        self._read_commands()
        addresses = await self._open()
        if not self.coordinator.settle():
            self._start_tracking()
            self.placement = make_placement(
                self.study["cluster"],
                self.run,
                Path(__file__).parents[1] / "worker" / "supervisor.py",
                self._worker_settings(addresses),
            )
            self._place()
            await self._watch()
        await self._end()

    async def _open(self) -> list[Address]:
        """Open the transports; the addresses under which workers may reach them, the best first."""
        bind, host = way_back(self.study["cluster"])
        port = await self._listen(bind)
        url = f"http://127.0.0.1:{port}"
        writes.write_json(
            self.run / journal.PROCESS,
            {"format": 1, "pid": os.getpid(), "host": socket.gethostname(), "url": url,
             "token_file": journal.TOKEN, "started": time.time()},
        )  # fmt: skip
        forced = self.study.get("mailbox")
        addresses: list[Address] = []
        if not forced:
            addresses.append({"url": f"http://{host}:{port}", "token": self.token})
        box = forced or self.study["cluster"].get("mailbox")
        if box:
            self.mailbox = Mailbox(self.service.handle, self.token, box)
            self.mailbox.open()
            addresses.append({"mailbox": box, "token": self.token})
        return addresses

    async def _listen(self, host: str) -> int:
        before = str(_read_json(self.run / journal.PROCESS).get("url", "")).rpartition(":")[2]
        if before.isdigit():
            # Workers that outlived the last process know this port.
            for _ in range(10):
                with contextlib.suppress(OSError):
                    return await self.endpoint.listen(host, int(before))
                await asyncio.sleep(0.05)
        return await self.endpoint.listen(host, 0)

    def _worker_settings(self, addresses: list[Address]) -> WorkerSettings:
        study = self.study
        scratch = self.run / "checkpoints"
        scratch.mkdir(exist_ok=True)
        return {
            "address": addresses[0],
            "addresses": addresses,
            "count": self.record.wanted_workers or 1,
            "modules": study.get("modules", []),
            "function": str(self.run / journal.FUNCTION),
            "data": str(self.run / journal.DATA) if (self.run / journal.DATA).exists() else "",
            "sys_path": study["sys_path"],
            "imports": study["imports"],
            "cwd": study["cwd"],
            "metric": study["metric"],
            "memory": study.get("memory"),
            "workers": study["workers"] if study["cluster"]["kind"] == "local" else 1,
            "scratch": str(scratch),
            "beat": max(0.2, float(study["lease"]) / 5),
            "patience": max(60.0, 2 * float(study["lease"])),
            "environment": study["environment"],
        }

    # -- the loop --------------------------------------------------------------------------

    async def _watch(self) -> None:
        last = synced = time.monotonic()
        while not self._quit:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), TICK)
            self._nudge.clear()
            now = time.monotonic()
            if now - last > 10 * TICK:
                self.coordinator.forgive(
                    now - last
                )  # this process was stopped, or the machine slept
            last = now
            if now - synced > SYNC_SECONDS and (self._syncing is None or self._syncing.done()):
                # In a thread: reports must not wait for the disk.
                self._syncing = asyncio.get_running_loop().run_in_executor(None, self.writer.sync)
                synced = now
            with contextlib.suppress(OSError):  # told by `_emit`; the next round tries again
                if not self._may_go_on():
                    continue
                self._skip_jump()
                self._read_commands()
                self._look_after_workers()
                self._tell_of_joining(now)
                self._look_after_feeder(now)
                self.coordinator.expire(self.service.waiting())
                if self.coordinator.settle() or self._rests(now):
                    return
                self._place()
                self.service.wake()

    def _skip_jump(self) -> None:
        """The machine slept, or its clock was set: a budget of time does not run out by that."""
        self.clock()
        jump = self.clock.jump
        if not jump:
            return
        if self.record.state == "running":
            self.trials.skip(jump, describe_jump(jump))
        self.clock.settle()

    def _rests(self, now: float) -> bool:
        """A study paused for a while needs no processes: resuming starts them again."""
        if self.record.state != "paused" or self.record.counts["running"]:
            self._paused_since = now
        return now - self._paused_since > PAUSED_SECONDS

    def _place(self) -> None:
        """As many workers as wanted (workers that are only starting count)."""
        placement = self.placement
        if placement is None or not placement.starts_workers or self.record.state != "running":
            return
        wanted = self.record.wanted_workers or 1
        need = min(wanted, self._useful()) - len(self.record.alive())
        for _ in range(need):
            worker = f"w{len(self.record.workers)}"
            self.coordinator.starting(worker)
            try:
                placement.add(worker)
            except OSError as error:
                if not disk.trouble(error):
                    raise
                self._begin_waiting(f"no worker can be started, the study waits: {error}")
                self.coordinator.lose(worker, str(error))
                return

    def _useful(self) -> int:
        """Never more workers than trials that are left."""
        counts, record = self.record.counts, self.record
        return (
            counts["running"] + counts["queued"] + max(0, record.budget_trials - len(record.trials))
        )

    def _look_after_workers(self) -> None:
        if self.placement is None:
            return
        trouble = self.placement.trouble()
        if trouble and self.record.state == "running":
            self.trials.pause(trouble)
        counted = False
        for worker, reason in self.placement.ended_workers():
            state = self.record.workers[worker].state if worker in self.record.workers else ""
            if state == "starting":
                # Those that fell together (with their Spark client, say) count once.
                self._stillborn += not counted
                counted = True
                if self._stillborn >= STILLBORN and self.record.state == "running":
                    self.trials.pause(f"workers do not start: {reason}")
            elif state in {"idle", "busy"}:
                self._stillborn = 0
            self.coordinator.lose(worker, reason)

    def _tell_of_joining(self, now: float) -> None:
        """On a cluster with too few free slots the study runs with those it got, and says so."""
        placement, record = self.placement, self.record
        if placement is None or not placement.shares_slots or record.state != "running":
            return
        alive = record.alive()
        joined = sum(w.state != "starting" for w in alive)
        if joined == len(alive):
            self._joining = now
        late = now - self._joining > JOINING_SECONDS
        text = f"{joined} of {len(alive)} workers have joined" if late else ""
        if text != record.message and (late or record.message.endswith("have joined")):
            self.trials.announce(text)

    def _read_commands(self) -> None:
        try:
            with (self.run / journal.COMMANDS).open("rb") as file:
                file.seek(self._commands)
                block = file.read()
        except FileNotFoundError:
            return
        for line in block.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return
            end = self._commands + len(line)
            try:
                command = json.loads(line)
                args = {k: v for k, v in command.items() if k not in {"v", "t", "command"}}
                self.coordinator.command(str(command["command"]), end, args)
            except (ValueError, KeyError, TypeError) as error:
                print(
                    f"a command that cannot be read: {line!r}: {error}", file=sys.stderr, flush=True
                )
            self._commands = end

    # -- the beginning and the end of other processes --------------------------------------

    def _start_tracking(self) -> None:
        """MLflow's feeder: its own process, that never holds up a trial."""
        if not self.study["tracking"] or importlib.util.find_spec("eolab.tracking") is None:
            return
        environment = {k: v for k, v in os.environ.items() if k != "EOLAB_LOCK"}
        self._fed = time.monotonic()
        with open_log(self.run / "tracking.log") as log:
            self._feeder = subprocess.Popen(
                [sys.executable, "-m", "eolab.tracking", str(self.run)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def _look_after_feeder(self, now: float) -> None:
        """A feeder that was killed or fell is started again, at longer and longer intervals."""
        if self._feeder is None or self._feeder.poll() is None:
            return
        code = self._feeder.returncode
        if code == 0 and (self._feeders > 2 or locks.is_held(self.run / "mlflow.lock")):
            return  # another one feeds this study, or its file system knows no locks
        wait = min(FEEDER_SECONDS * 2**self._feeders, FEEDER_LONGEST)
        if now - self._fed < wait:
            return
        self._feeders += 1
        why = f"killed by signal {-code}" if code < 0 else f"exited with code {code}"
        self._say(f"the process that feeds MLflow ended ({why}) and is started again")
        if self._feeders == FEEDERS_QUIET and code and self.record.state == "running":
            self.trials.announce(f"MLflow is not fed ({why}): see tracking.log; trials go on")
        self._start_tracking()

    def _last_feeding(self) -> None:
        """A feeder that is not there at the end gets one more chance: MLflow is to have it all."""
        if self._feeder is not None and self._feeder.poll() not in (None, 0):
            self._say("the process that feeds MLflow had ended; it is started again")
            with contextlib.suppress(OSError):
                self._start_tracking()

    def _terminate(self) -> None:
        self._quit = True
        self._nudge.set()

    async def _end(self) -> None:
        """Send the workers home; what they still hold stays in the journal as running."""
        self._last_feeding()
        self.service.closing = True
        self.service.wake()
        if self.placement is not None:
            if self.record.state == "completed":
                # They hear it at their next word; idle ones have heard it just now.
                for _ in range(20):
                    if not self.record.alive():
                        break
                    await asyncio.sleep(0.05)
            self.placement.stop()
        if self.mailbox is not None:
            await self.mailbox.close()
        self.endpoint.close()
        if self._syncing is not None:
            await self._syncing
        self.writer.close()


def _read_settings(study: StudySpec) -> None:
    """Whether the workspace is shared decides who may read the logs."""
    file = study.get("config")
    if file:
        with contextlib.suppress(ConfigError):  # the study goes on as it was made
            configuration.load(Path(file))


def _read_json(path: Path) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _terms(study: StudySpec) -> Terms:
    return Terms(
        lease=float(study["lease"]),
        retries=int(study["retries"]),
        trial_timeout=study["trial_timeout"],
        seed=int(study["seed"]),
        ask_ahead=ASK_AHEAD if _is_slow_to_ask(study["plan"]) else None,
        models=not _compares_only(study["plan"]),
    )


def _compares_only(plan: Mapping[str, object]) -> bool:
    """Whether nobody looks for a model in it: an ablation, whose runs come from its own sampler."""
    sampler = plan.get("sampler")
    return isinstance(sampler, Mapping) and str(sampler.get("class")).endswith(".SequentialRuns")


def _is_slow_to_ask(plan: Mapping[str, object]) -> bool:
    """Whether suggestions come from a model that is fitted to the results."""
    sampler = plan.get("sampler")
    return isinstance(sampler, Mapping) and sampler.get("kind") in {"tpe", "gp"}


def _strategy(run: Path, study: StudySpec) -> tuple[Plan, Rule | None]:
    """The plan and the stop rule, as the client that made the study wrote them down."""
    import cloudpickle

    sys.path.extend(p for p in study["sys_path"] if p not in sys.path)
    with (run / journal.PLAN).open("rb") as file:
        make = cloudpickle.load(file)
    plan, rule = make()
    return plan, rule


def main() -> int:
    run = Path(sys.argv[1]).resolve()
    inherited = os.environ.pop("EOLAB_LOCK", "")
    lock = int(inherited) if inherited else journal.take_lock(run)
    if lock is None:
        print("another process runs this study", file=sys.stderr)
        return 1
    os.set_inheritable(lock, False)
    asyncio.run(_run(run))
    return 0


async def _run(run: Path) -> None:
    await StudyProcess(run).main()


if __name__ == "__main__":
    sys.exit(main())
