"""The process that holds a study's Spark tasks.

    python -m eolab.clusters.spark.client RUN/spark.json

JSON lines come in (``add``, ``stop``) and go out (``gone``, ``trouble``). It ends when its standard
input does, and takes its tasks along.

One Spark job of one task for each worker, by `mapInArrow` without barrier: a job that fails takes
no other worker along, one worker can be let go alone, and a cluster with fewer slots starts those
that fit. The same on classic Spark and on Connect.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from eolab.clusters.base import ClusterSpec
from eolab.clusters.spark import server, task
from eolab.clusters.spark.patience import refuses
from eolab.clusters.spark.preflight import read_reports, verdict
from eolab.clusters.spark.session import (
    address_of,
    is_here,
    is_ours,
    open_session,
    server_folder,
)
from eolab.errors import EolabError
from eolab.redaction import redact

if TYPE_CHECKING:
    from pyspark.resource import ResourceProfile
    from pyspark.sql import SparkSession

PROBES_MOST = 8
PREFLIGHT_SECONDS = 60.0  # a free cluster answers within ten
STOP_SECONDS = 8.0
REFUSED_MOST = 3


class ClientSettings(TypedDict):
    """What `SparkPlacement` wrote."""

    cluster: ClusterSpec
    program: str
    settings: task.SparkWorker
    name: str
    session: str


class Client:
    """Starts a worker for each ``add`` and tells when it has ended.

    Args:
        settings: What `SparkPlacement` wrote.
        out: File handle for messages to the study.
    """

    def __init__(self, settings: ClientSettings, out: int) -> None:
        self.cluster = settings["cluster"]
        self.worker = settings["settings"]
        self.name = str(settings["name"])
        self.files = _program(Path(settings["program"]))
        self._out = out
        self._writing = threading.Lock()
        # Both outlive this process: its successor finds what it left running, and ends it.
        self._session = str(settings["session"])
        self._tag = f"eolab-{self._session}"
        self._shipped: dict[str, str] = {}
        self._addresses = list(self.worker.pop("addresses"))
        self._modules = [str(m) for m in self.worker.pop("modules", [])]
        self._threads: dict[str, threading.Thread] = {}
        self._stopping = False
        self._spark: SparkSession | None = None
        self._profile: ResourceProfile | None = None
        self._wanted: Path | None = None

    def say(self, op: str, **fields: str) -> None:
        line = json.dumps({"op": op, **fields}).encode() + b"\n"
        with self._writing:
            while line:
                line = line[os.write(self._out, line) :]

    # -- from start to end -----------------------------------------------------------------

    def main(self) -> int:
        try:
            self._spark = open_session(
                self.cluster, name=f"eolab {self.name}", session_id=self._session,
                workers=int(self.worker.pop("count", 0)),
            )  # fmt: skip
            self._spark.interruptTag(self._tag)
            watch_server(self.cluster)
            self._slots = self._known_slots()
            if is_ours(self.cluster):
                self._wanted = server_folder(self.cluster) / f"{self._session}.wanted"
                self._wanted.touch()
            self._free_slots = threading.BoundedSemaphore(self._slots or 10_000)
            self._profile = self._resources()
            self._ship(self._spark)
            self._preflight(self._spark)
        except EolabError as error:
            self.say("trouble", text=f"{error.message}. {error.hint}")
            return self._wait_for_end()
        for line in sys.stdin:
            message = json.loads(line)
            if message["op"] == "add":
                self._add(str(message["worker"]))
            elif message["op"] == "stop":
                break
        return self._end()

    def _wait_for_end(self) -> int:
        """The study was told what is wrong; until it ends, nothing can be started."""
        for line in sys.stdin:
            message = json.loads(line)
            if message["op"] == "add":
                self.say("gone", worker=message["worker"], reason="the cluster cannot be used")
            elif message["op"] == "stop":
                break
        return 0

    def _end(self) -> int:
        self._stopping = True
        spark = self._spark
        assert spark is not None
        if self._wanted is not None:
            self._wanted.unlink(missing_ok=True)
        end = threading.Timer(STOP_SECONDS, lambda: os._exit(1))
        end.daemon = True
        end.start()
        while any(t.is_alive() for t in self._threads.values()):
            # Again and again: a job that is just being submitted does not hear the first time.
            spark.interruptTag(self._tag)
            for thread in list(self._threads.values()):
                thread.join(0.2)
                if thread.is_alive():
                    break
        spark.stop()
        return 0

    # -- workers ---------------------------------------------------------------------------

    def _add(self, worker: str) -> None:
        thread = threading.Thread(target=self._hold, args=(worker,), daemon=True)
        self._threads[worker] = thread
        thread.start()

    def _hold(self, worker: str) -> None:
        """One worker's Spark job, from start to end."""
        spark = self._spark
        assert spark is not None
        try:
            # Slots of our own server that are left for cells are not taken by waiting either.
            with self._free_slots:
                if self._stopping:
                    return
                spark.addTag(self._tag)
                (answer,) = self._run(spark, self._payload({"worker": worker}), 1)
            reason = json.loads(answer)["reason"] or "it ended"
        except Exception as error:
            reason = "the study ends" if self._stopping else _why_lost(error)
        self.say("gone", worker=worker, reason=reason)

    def _payload(self, more: task.SparkWorker, *, probe: bool = False) -> task.Payload:
        settings: task.SparkWorker = {**self.worker, "addresses": self._addresses, **more}
        if probe:
            settings["modules"] = self._modules
        return {
            "files": self.files,
            "settings": settings,
            "shipped": {} if probe else self._shipped,
            "wanted": None if self._wanted is None else str(self._wanted),
            "probe": probe,
        }

    def _run(self, spark: SparkSession, payload: task.Payload, tasks: int) -> list[str]:
        # The profile is for workers and probes alike: a probe must see what a worker gets.
        frame = spark.range(0, tasks, 1, tasks).mapInArrow(
            task.make_task(payload), task.ANSWER, profile=self._profile
        )
        return [row["answer"] for row in frame.collect()]

    def _resources(self) -> ResourceProfile | None:
        """A resource profile for what the cluster's table asks for each worker, or None."""
        cpus, gpus = self.cluster.get("cpus"), self.cluster.get("gpus")
        if not self.cluster.get("connect") or not (cpus or gpus):  # classic has them as options
            return None
        from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests

        requests = TaskResourceRequests().cpus(int(cpus or 1))
        if gpus:
            requests = requests.resource("gpu", float(gpus))
        return ResourceProfileBuilder().require(requests).build

    def _known_slots(self) -> int | None:
        if not is_ours(self.cluster):
            return None
        found = server.find(server_folder(self.cluster))
        return found.worker_slots if found is not None else None

    # -- before the first one --------------------------------------------------------------

    def _ship(self, spark: SparkSession) -> None:
        """Bring function and data to the executors, unless these see our files anyway."""
        if is_here(self.cluster):
            return
        for setting in ("function", "data"):
            path = Path(str(self.worker.get(setting) or ""))
            if path.name:
                spark.addArtifacts(str(path), file=True)
                self._shipped[setting] = path.name
        # What belongs to this machine means nothing there.
        self.worker.update({"sys_path": [], "cwd": "", "bring_home": True})

    def _preflight(self, spark: SparkSession) -> None:
        """Ask real executors for the way back and for libraries.

        Raises:
            EolabError: Workers could not work, with what to do about it.
        """
        answers: list[Sequence[str]] = []
        errors: list[BaseException] = []

        def ask() -> None:
            spark.addTag(self._tag + "-probe")
            try:
                answers.append(self._run(spark, self._payload({}, probe=True), self._probes()))
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(PREFLIGHT_SECONDS)
        if thread.is_alive():
            # All slots are taken, or it is a slow start: the workers look for their way themselves.
            return
        if errors:
            raise verdict_of(errors[0])
        self._addresses = verdict(read_reports(answers[0]), self._addresses)

    def _probes(self) -> int:
        wanted = int(self.worker.get("workers") or 2)
        return max(1, min(PROBES_MOST, wanted, self._slots or PROBES_MOST))


def watch_server(cluster: ClusterSpec) -> None:
    """End this process soon after its Connect server: Spark's client would try for 10 minutes.

    The study starts another client then, which finds the server again, starts it, or says what is
    wrong.
    """
    address = address_of(cluster)
    if address is None:
        return  # classic Spark: the driver is this process's

    def watch() -> None:
        refused = 0
        while refused < REFUSED_MOST:
            time.sleep(0.5)
            refused = refused + 1 if refuses(*address) else 0
        print(
            f"the Connect server at {address[0]}:{address[1]} is gone", file=sys.stderr, flush=True
        )
        os._exit(7)

    threading.Thread(target=watch, daemon=True).start()


def verdict_of(error: BaseException) -> EolabError:
    """What an error of Spark's on the way to the first task means for a user."""
    from eolab.errors import RemoteError

    text = str(error)
    if "PYTHON_VERSION_MISMATCH" in text or "different version" in text:
        return RemoteError(
            f"executors run another Python than {sys.version_info[0]}.{sys.version_info[1]}: "
            + _first_line(error),
            'Give its path on the executors as python = "..." in the cluster\'s table.',
        )
    if "No module named" in text:
        name = text.partition("No module named ")[2].split("\n")[0].strip()
        return RemoteError(
            f"executors lack the library {name}", "Install it there, or add it to the session."
        )
    return RemoteError(
        f"no task runs on the cluster: {_first_line(error)}", "The study's spark.log says more."
    )


def _program(folder: Path) -> dict[str, str]:
    """The worker's files, and the launcher that runs them."""
    files = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*.py"))
        if path.name != "__init__.py"
    }
    files["launch.py"] = Path(__file__).with_name("launch.py").read_text(encoding="utf-8")
    return files


def _why_lost(error: BaseException) -> str:
    """Why a worker's job failed: the worker itself never raises."""
    text = str(error)
    lost = any(words in text for words in ("exited unexpectedly", "ExecutorLostFailure"))
    return task.LOST if lost else _first_line(error)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return redact((lines or [type(error).__name__])[0])[:300]


def main() -> int:
    settings = json.loads(Path(sys.argv[1]).read_text())
    # Spark's launcher and libraries print what they like: the study hears JSON only.
    out = os.dup(1)
    os.dup2(2, 1)
    from pyspark import cloudpickle

    # Executors have no eolab: what runs in a task travels by value.
    cloudpickle.register_pickle_by_value(task)
    code = Client(settings, out).main()
    sys.stdout.flush()
    os._exit(code)  # threads that wait for a cancelled job hold up nothing


if __name__ == "__main__":
    main()
