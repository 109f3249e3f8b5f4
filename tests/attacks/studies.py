"""Processes of real studies are killed at random: each trial counts once, no result is lost.

python -m tests.attacks.studies kills 60
python -m tests.attacks.studies soak 10000
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import eolab as eo
from eolab.errors import EolabError
from eolab.settings.config import Config
from eolab.studies import Study, tune
from eolab.studies.client.launch import read_process
from eolab.studies.journal import files as journal
from eolab.studies.journal.state import ENDED
from tests.attacks import figures
from tests.attacks.figures import Figures
from tests.server.conftest import TOKEN, Server, start, stop

PATIENCE = 240.0  # seconds for a study to end after its last kill, on a busy machine too
FLAT = 20.0  # MB that a process may grow after the first trials
SETTLED = 1_000  # trials
VICTIMS = ("child", "worker", "study", "feeder", "helper")


def _processes() -> Iterator[tuple[int, list[bytes]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")


def _named(program: bytes, place: Path) -> list[int]:
    """Processes of a program that work in a folder."""
    where = os.fsencode(place)
    return [
        pid
        for pid, words in _processes()
        if any(program in word for word in words) and any(where in word for word in words)
    ]


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _train(pause: float) -> Callable[..., object]:
    def steady(reporter, *, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import os
        import time

        for step in range(3):
            reporter.report(step=step, score=x, pid=os.getpid())
            time.sleep(pause / 3)
        return {"score": x}

    return steady


def _children(server: Server) -> list[int]:
    """The helper of a server."""
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    found = [int(pid) for pid in path.read_text().split()]
    return [
        pid for pid, words in _processes() if pid in found and b"eolab.server.helper.child" in words
    ]


# -- kills ---------------------------------------------------------------------------------------


def kills(count: int, rng: random.Random) -> Figures:
    """Kill -9 of whoever it hits next, in studies with MLflow beside a server."""
    made, hit = Figures(), Counter()
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as home:
        server = start(Path(home))
        try:
            round_ = 0
            while made.done < count:
                most = min(15, count - made.done)
                _round(server, f"s{round_}", most, made, hit, rng)
                round_ += 1
        finally:
            stop(server)
    made.told = ", ".join(f"{n} x {who}" for who, n in sorted(hit.items())) + f"; {round_} studies"
    return made


def _round(
    server: Server, name: str, most: int, made: Figures, hit: Counter[str], rng: random.Random
) -> None:
    """One study and its kills, then what came of it."""
    trials = 20 + 3 * most
    study = tune(
        server.config, _train(0.3), name=name, metric="score", trials=trials, workers=2,
        sampler="random", retries=1_000, lease=5.0, tracking=True, wait=False,
        seed=rng.randrange(1_000),
    )  # fmt: skip
    finished: dict[int, float] = {}
    turn = deque(rng.sample(VICTIMS, len(VICTIMS)))
    kept, since = 0, time.monotonic()
    while kept < most and study.state not in ENDED:
        time.sleep(rng.uniform(0.05, 0.4))
        if time.monotonic() - since > PATIENCE:
            made.fault("waits", f"{name}: nobody to kill for {PATIENCE:.0f} s: {study.summary()}")
            break
        who = turn[0]
        turn.rotate(-1)
        if who == "helper":
            _ask_helper(server, made, rng)  # it starts with the first call
        victims = _victims(who, study, server)
        if not victims or not _kill(rng.choice(victims)):
            continue  # the next one's turn
        since = time.monotonic()
        hit[who] += 1
        made.done += 1
        kept += 1
        for trial in study.trials:
            if trial["state"] == "completed":
                finished[trial["number"]] = trial["value"]
        if who == "study":
            _resume(study, name, made)
        if who == "helper":
            _ask_helper(server, made, rng)
    _finish(study, name, trials, finished, made)


def _victims(who: str, study: Study, server: Server) -> list[int]:
    if who == "child":
        return [
            int(t.metrics["pid"])
            for t in study.record.trials.values()
            if t.state == "running" and "pid" in t.metrics
        ]
    if who == "worker":
        return _named(b"supervisor.py", study.folder)
    if who == "study":
        pid = read_process(study.folder).get("pid")
        return [pid] if isinstance(pid, int) and journal.is_alive(study.folder) else []
    if who == "feeder":
        return _named(b"eolab.tracking", study.folder)
    return _children(server)


def _ask_helper(server: Server, made: Figures, rng: random.Random) -> None:
    """A panel's call into the helper: answered, whoever was killed."""
    begun = time.monotonic()
    answer = server.get(rng.choice(("features", "models", "lineage?kind=study&id=s0")))
    if answer.status not in (200, 404):
        made.fault("status_500", f"the helper's answer: {answer.status} {answer.body[:200]!r}")
    if time.monotonic() - begun > 60:
        made.fault("waits", f"the helper took {time.monotonic() - begun:.0f} s")


def _resume(study: Study, name: str, made: Figures) -> None:
    end = time.monotonic() + 60
    while journal.is_alive(study.folder):
        if time.monotonic() > end:
            made.fault("waits", f"{name}: the study is gone and counts as alive")
            return
        time.sleep(0.02)
    try:
        if study.state == "interrupted":
            study.resume()
    except EolabError as error:
        made.fault("lost", f"{name}: cannot be resumed: {error}")


def _finish(study: Study, name: str, count: int, finished: dict[int, float], made: Figures) -> None:
    """Let it run to its end, and count."""
    end = time.monotonic() + PATIENCE
    while study.state != "completed" or journal.is_alive(study.folder):
        if study.state == "interrupted":
            _resume(study, name, made)
        if time.monotonic() > end or study.state in ("failed", "cancelled"):
            made.fault("waits", f"{name}: {study.summary()}")
            _end(study)
            return
        time.sleep(0.05)
    trials = study.trials
    for trial in trials:
        n, value = trial["number"], trial["value"]
        if trial["state"] != "completed" or value != trial["params"]["x"]:
            made.fault("lost", f"{name}: trial {n} is {trial['state']}, {value}")
        if n in finished and finished[n] != value:
            made.fault("lost", f"{name}: trial {n} was {finished[n]}, and is {value}")
    if [t["number"] for t in trials] != list(range(count)):
        made.fault("lost", f"{name}: trials {[t['number'] for t in trials]}")
    ends = Counter(e["n"] for e in journal.read_events(study.folder) if e["e"] == "finish")
    for n, times in ends.items():
        if times > 1:
            made.fault("twice", f"{name}: trial {n} ended {times} times")
    _mlflow(study, name, made)
    for file in ("process.log", "mlflow.log"):
        path = study.folder / file
        text = path.read_text(errors="replace") if path.exists() else ""
        for part in text.split("Traceback (most recent call last):")[1:]:
            last = [line for line in part.splitlines() if line and not line.startswith(" ")][:1]
            made.fault("tracebacks", f"{name}: {file}: {last}: {part[-300:]}", like=str(last))


def _mlflow(study: Study, name: str, made: Figures) -> None:
    """Each trial has one run, and the study one; all have ended."""
    from eolab import tracking

    end = time.monotonic() + PATIENCE
    while _named(b"eolab.tracking", study.folder):
        if time.monotonic() > end:
            made.fault("waits", f"{name}: MLflow is fed for more than {PATIENCE:.0f} s")
            return
        time.sleep(0.1)
    root = study.folder.parents[1]
    client = tracking.open_client(f"sqlite:///{root / 'mlflow.db'}", root)
    experiment = client.get_experiment_by_name(f"eolab/{study.name}")
    if experiment is None:
        made.fault("lost", f"{name}: nothing in MLflow")
        return
    runs = client.search_runs([experiment.experiment_id], max_results=1_000)
    values = {t["number"]: t["value"] for t in study.trials}
    seen = Counter(r.data.tags["eolab.trial"] for r in runs if "eolab.trial" in r.data.tags)
    if missing := [n for n in values if str(n) not in seen]:
        made.fault("lost", f"{name}: without a run in MLflow: {missing}")
    if more := [n for n, times in seen.items() if times > 1]:
        made.fault("twice", f"{name}: more than one run in MLflow: {more}")
    for run in runs:
        if run.info.status != "FINISHED":
            made.fault("lost", f"{name}: a run is {run.info.status}: {run.data.tags}")
        number = run.data.tags.get("eolab.trial")
        if number is not None and run.data.metrics.get("score") != values[int(number)]:
            made.fault("lost", f"{name}: trial {number} has another value in MLflow")


def _end(study: Study) -> None:
    """Leave nobody behind."""
    for who in (b"coordinator.process", b"supervisor.py", b"eolab.tracking"):
        for pid in _named(who, study.folder):
            _kill(pid)


# -- soak ----------------------------------------------------------------------------------------


def _memory(pid: int) -> float:
    """MB that a process holds for itself; 0 for one that is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class _Panel(threading.Thread):
    """What a panel of a study asks, for as long as it is open: the changes once a second."""

    def __init__(self, server: Server, name: str, made: Figures) -> None:
        super().__init__(daemon=True)
        self.server, self.study, self.made = server, name, made
        self.open, self.answers, self.slowest = True, 0, 0.0

    def run(self) -> None:
        since: int | None = None
        while self.open:
            begun = time.monotonic()
            try:
                query: dict[str, Any] = (
                    {"tails": 1} if since is None else {"since": since, "tails": 1}
                )
                answer = self.server.get(f"studies/{self.study}", **query)
                if answer.status == 200:
                    since = json.loads(answer.body)["seq"]
                elif answer.status == 500:
                    self.made.fault("status_500", f"the panel: {answer.body[:200]!r}")
                self.answers += 1
                for other in ("studies", f"studies/{self.study}/timeline"):
                    if self.answers % 10 == 0:
                        self.server.get(other)
            except TimeoutError:
                self.made.fault("waits", "a panel got no answer")
            except OSError as error:
                self.made.fault("lost", f"a panel was cut off: {error}")
            self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(1.0)


async def _listen(server: Server, closed: Callable[[], bool]) -> None:
    """A browser window's event stream, read as it comes."""
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    address = f"ws://127.0.0.1:{server.port}{server.base}api/events/subscribe"
    headers = {"Authorization": f"token {TOKEN}"}
    socket = await websocket_connect(HTTPRequest(address, headers=headers))
    while not closed():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(socket.read_message(), 1.0)
    socket.close()


def _fed(folder: Path) -> int:
    """How many trials of the journal the feeder has written by now, about."""
    try:
        at = int(json.loads((folder / "mlflow.json").read_text())["offset"])
        with (folder / journal.EVENTS).open("rb") as file:
            return file.read(at).count(b'"finish"')
    except (OSError, ValueError, KeyError):
        return 0


def soak(count: int, rng: random.Random) -> Figures:
    """Trials without end and two panels: nobody grows after the first thousand."""
    made, begun = Figures(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as home:
        server = start(Path(home))
        try:
            made.told = _soak(server, count, made, rng)
        finally:
            stop(server)
    made.told += f"; {time.monotonic() - begun:.0f} s in all"
    return made


def _soak(server: Server, count: int, made: Figures, rng: random.Random) -> str:
    def quick(*, x: Annotated[float, eo.uniform(0, 1)] = 0.5):
        import time

        time.sleep(0.02)
        return {"score": x}

    config: Config = server.config
    study = tune(
        config, quick, name="long", metric="score", trials=count, workers=2, sampler="random",
        tracking=True, wait=False, seed=rng.randrange(1_000),
    )  # fmt: skip
    panels = [_Panel(server, "long", made) for _ in range(2)]
    over = threading.Event()
    streams = [
        threading.Thread(target=lambda: asyncio.run(_listen(server, over.is_set)), daemon=True)
        for _ in panels
    ]
    for thread in (*panels, *streams):
        thread.start()
    first: dict[str, float] = {}
    last: dict[str, list[float]] = {}
    settled, done, moved, ended = min(SETTLED, count // 4), 0, time.monotonic(), False
    folder = study.folder
    while True:
        time.sleep(1.0)
        now = study.summary()["counts"]["completed"]
        if now > done:
            done, moved = now, time.monotonic()
        pids = {
            "server": [server.process.pid], "study": [read_process(folder).get("pid")],
            "feeder": _named(b"eolab.tracking", folder),
        }  # fmt: skip
        for who, found in pids.items():
            size = sum(_memory(pid) for pid in found if isinstance(pid, int))
            # The feeder begins with MLflow's libraries, and is late: it counts from its first
            # thousand trials on too.
            told = done if who != "feeder" else _fed(folder)
            if told >= settled and size and (who == "feeder" or not ended):
                first.setdefault(who, size)
                last.setdefault(who, []).append(size)
        ended = ended or study.state == "completed"
        if ended and not pids["feeder"]:
            break
        if time.monotonic() - moved > 2 * PATIENCE:
            made.fault(
                "waits", f"nothing moves, or MLflow is fed for more than {2 * PATIENCE:.0f} s"
            )
            break
    for panel in panels:
        panel.open = False
    over.set()
    for panel in panels:
        panel.join(60)
    made.done = done
    if done != count:
        made.fault("waits", f"{done} of {count}: {study.summary()}")
    told = []
    for who, sizes in last.items():
        # The mean of the last tenth: what is held for a moment is no growth.
        tail = sizes[-max(1, len(sizes) // 10) :]
        grown = sum(tail) / len(tail) - first[who]
        told.append(f"{who} {first[who]:.0f} {grown:+.0f} MB")
        if grown > FLAT:
            made.fault(
                "waits", f"{who} grew by {grown:.0f} MB after {settled} trials: {sizes[::60]}"
            )
    if len(last) < 3:
        made.fault("lost", f"only {sorted(last)} were there to measure")
    ends = Counter(e["n"] for e in journal.read_events(study.folder) if e["e"] == "finish")
    made.twice += sum(times - 1 for times in ends.values())
    made.lost += count - len(ends)
    _end(study)
    slowest = max(panel.slowest for panel in panels)
    return f"{', '.join(told)}; panels {panels[0].answers} answers, slowest {slowest:.1f} s"


if __name__ == "__main__":
    figures.main(kills=kills, soak=soak)
