"""A study's real endpoint and coordinator: requests of who has the token, damaged anywhere.

python -m tests.attacks.study_endpoint fuzz 5000
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eolab.studies.coordinator.coordinator import Coordinator
from eolab.studies.coordinator.http import Endpoint
from eolab.studies.coordinator.requests import Service
from eolab.studies.coordinator.trials import Terms, Trials
from eolab.studies.journal.files import STUDY, Writer, read_events
from eolab.studies.journal.state import Event, Record
from eolab.studies.plans.base import FixedPlan
from eolab.studies.worker import checkpoints
from tests.attacks import figures
from tests.attacks.figures import Figures
from tests.attacks.junk import mutate

TOKEN = "secret"
MOST = 15.0
PLANNED = 40


class Study:
    """A study without a process of its own: its journal in a folder, its endpoint in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = Record("score", "maximize", PLANNED)
        (folder / STUDY).write_text(json.dumps({"format": 1, "name": "s"}))
        self.journal = Writer(folder)

        def emit(event: Event) -> None:
            self.journal.append(event)

        plan = FixedPlan([{"x": float(i)} for i in range(PLANNED)])
        trials = Trials(
            self.record, plan, None, Terms(lease=3600.0, retries=10_000),
            emit=emit, clock=time.time, ticks=time.monotonic,
        )  # fmt: skip
        self.coordinator = Coordinator(trials)
        self.coordinator.open(os.getpid(), "here")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)

    async def _listen(self) -> int:
        self.service = Service(self.coordinator, self.folder / "logs")
        return await Endpoint(self.service.handle, TOKEN).listen("127.0.0.1", 0)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.journal.close()


class Client:
    """One connection, opened anew where it was hung up."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection: http.client.HTTPConnection | None = None

    def ask(self, op: str, body: bytes, seconds: float = MOST) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            self.connection.request("POST", f"/v1/{op}", body, headers)
            answer = self.connection.getresponse()
            found = answer.status, answer.read()
        except BaseException:
            self.close()
            raise
        if answer.will_close:
            self.close()
        return found

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def _good(rng: random.Random, folder: Path) -> tuple[str, dict[str, Any]]:
    """A request that is right, or was."""
    key = {"worker": f"w{rng.randrange(4)}", "n": rng.randrange(6), "attempt": rng.randint(1, 3)}
    reports = [
        {"step": s, "m": {"score": rng.random(), "pid": 1}} for s in range(rng.randint(0, 3))
    ]
    end = {"state": rng.choice(("completed", "failed")), "value": 0.5, "m": {"score": 0.5}}
    pieces = checkpoints.pack(folder)
    requests = {
        "ping": {},
        "join": {"worker": key["worker"], "host": "here", "pid": 1},
        "next": {"worker": key["worker"], "wait": 0.0},
        "report": {**key, "reports": reports, "log": "line\n"},
        "finish": {**key, **end, "reports": reports, "log": "end\n", "next": rng.random() < 0.5},
        "upload": {**key, "part": 0, "parts": len(pieces), "data": pieces[0]},
        "download": {**key, "part": rng.randrange(2)},
    }
    op = rng.choice(list(requests))
    return op, requests[op]


@contextlib.contextmanager
def _quiet(path: Path) -> Iterator[None]:
    """What is printed as an error, in a file."""
    with path.open("w") as file, contextlib.redirect_stderr(file):
        yield


def fuzz(count: int, rng: random.Random) -> Figures:
    """Mutated requests with the right token; afterwards the study runs to its end."""
    made, statuses = Figures(), {}
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as name:
        folder = Path(name)
        kept = folder / "kept"
        kept.mkdir()
        (kept / "weights").write_bytes(b"1234")
        with _quiet(folder / "errors"):
            study = Study(folder)
            client = Client(study.port)
            for _ in range(count):
                op, body = _good(rng, kept)
                if op == "finish" and rng.random() < 0.7:
                    op = "report"  # trials are to stay, so that there is something to spoil
                text = json.dumps(mutate(body, rng) if rng.random() < 0.85 else body).encode()
                if rng.random() < 0.05:
                    at = rng.randrange(len(text))
                    text = text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]
                begun = time.monotonic()
                made.done += 1
                status = 0
                try:
                    status, answer = client.ask(op, text)
                    json.loads(answer, parse_constant=_refuse)
                except TimeoutError:
                    # Who waits for a trial is kept waiting, a minute at most.
                    if op != "next":
                        made.fault("waits", f"{op} {text[:300]!r}")
                except (OSError, http.client.HTTPException):
                    pass  # hung up: the next one connects anew
                except ValueError as error:
                    made.fault("tracebacks", f"{op} {text[:300]!r}: no JSON: {error}")
                if op != "next" and time.monotonic() - begun > MOST:
                    made.fault("waits", f"{op} {text[:300]!r}")
                statuses[status] = statuses.get(status, 0) + 1
                if status == 500:
                    made.fault("status_500", f"{op} {text[:200]!r}: {answer[:300]!r}", like=op)
            _end(study, made)
            study.close()
        errors = (folder / "errors").read_text()
        for part in errors.split("Traceback (most recent call last):")[1:]:
            made.fault("tracebacks", part.strip().splitlines()[-1], like=part[-80:])
    made.told = ", ".join(f"{n} x {status or 'hung up'}" for status, n in sorted(statuses.items()))
    return made


def _refuse(text: str) -> None:
    raise ValueError(f"{text} in an answer")


def _end(study: Study, made: Figures) -> None:
    """An honest worker runs what is left; each trial has ended once, and the journal says so."""
    for worker in [w.id for w in study.record.alive()]:
        study.coordinator.lose(worker, "left")
    client = Client(study.port)
    client.ask("join", json.dumps({"worker": "good", "host": "h", "pid": 2}).encode())
    for _ in range(PLANNED + 5):
        _, text = client.ask("next", b'{"worker": "good", "wait": 0}')
        job = json.loads(text).get("job")
        if job is None:
            break
        end = {"worker": "good", "n": job["n"], "attempt": job["attempt"], "state": "completed"}
        client.ask("finish", json.dumps({**end, "value": job["params"]["x"]}).encode())
    ends: dict[int, int] = {}
    again = Record("score", "maximize", PLANNED)
    for event in read_events(study.folder):
        again.apply(event)
        if event["e"] == "finish":
            ends[int(event["n"])] = ends.get(int(event["n"]), 0) + 1
    for n in range(PLANNED):
        if n not in ends:
            made.fault("lost", f"trial {n} never ended")
        elif ends[n] > 1:
            made.fault("twice", f"trial {n} ended {ends[n]} times")
    if again.counts != study.record.counts:
        made.fault("lost", f"the journal says {again.counts}, the study {study.record.counts}")
    for trial in again.trials.values():
        if trial.value is not None:
            json.dumps(trial.value, allow_nan=False)


if __name__ == "__main__":
    figures.main(fuzz=fuzz)
