"""Workers as long tasks of a Spark cluster, seen from the study process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from eolab.clusters.base import ClusterSpec, Placement

STOP_SECONDS = 12.0
DEATHS_MOST = 3
SOON_SECONDS = 60.0


class SparkPlacement(Placement):
    """One Spark task a worker, held by a client process of its own.

    An operation of Spark dies with its client, and Spark's client is heavy and can fail: so it
    lives in a process that is started again when it dies. The workers that it held are reported as
    ended then; the study starts others.

    Args:
        cluster: What `study.json` says of the cluster.
        run: The study's folder; the client's log is ``spark.log`` there.
        program: The worker's program; the files beside it travel with it.
        settings: What each worker is sent.
    """

    has_eolab = False
    shares_slots = True

    def __init__(
        self, cluster: ClusterSpec, run: Path, program: Path, settings: Mapping[str, object]
    ) -> None:
        self._run = run
        self._path = run / "spark.json"
        text = json.dumps(
            {"cluster": dict(cluster), "program": str(program.parent), "settings": dict(settings),
             "name": run.name, "session": str(uuid.uuid4())}
        )  # fmt: skip
        # It holds the study's token: only its owner may read it.
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        self._client: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._held: set[str] = set()
        self._deaths: list[float] = []
        self._trouble = ""

    def add(self, worker: str) -> None:
        self._held.add(worker)
        if self._client is None:
            self._start()
        self._send({"op": "add", "worker": worker})

    def ended_workers(self) -> Iterator[tuple[str, str]]:
        for message in self._receive():
            if message["op"] == "gone" and message["worker"] in self._held:
                self._held.discard(message["worker"])
                yield message["worker"], message["reason"]
            elif message["op"] == "trouble":
                self._trouble = message["text"]
        if self._client is not None and self._client.poll() is not None:
            code = self._client.returncode
            self._let_go()
            now = time.monotonic()
            self._deaths = [t for t in self._deaths if now - t < SOON_SECONDS] + [now]
            reason = f"the Spark client of the study died ({_how(code)})"
            if len(self._deaths) >= DEATHS_MOST and not self._trouble:
                self._trouble = f"{reason} {DEATHS_MOST} times; {self._path.with_suffix('.log')}"
            held, self._held = sorted(self._held), set()
            for worker in held:
                yield worker, reason

    def trouble(self) -> str:
        trouble, self._trouble = self._trouble, ""
        return trouble

    def stop(self) -> None:
        if self._client is None:
            return
        self._send({"op": "stop"})
        with contextlib.suppress(OSError):
            assert self._client.stdin is not None
            self._client.stdin.close()
        try:
            self._client.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._client.kill()
            self._client.wait()
        self._let_go()
        self._held.clear()

    # -- the client process ----------------------------------------------------------------

    def _start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "EOLAB_LOCK"}
        with self._path.with_suffix(".log").open("ab") as log:
            self._client = subprocess.Popen(
                [sys.executable, "-m", "eolab.clusters.spark.client", str(self._path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment,
                cwd=self._run, start_new_session=True,
            )  # fmt: skip
        assert self._client.stdout is not None
        os.set_blocking(self._client.stdout.fileno(), False)
        self._buffer = b""

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            for pipe in (client.stdin, client.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()

    def _send(self, message: dict[str, str]) -> None:
        if self._client is None or self._client.stdin is None:
            return
        with contextlib.suppress(OSError, ValueError):  # it is dead: `ended_workers` notices
            self._client.stdin.write(json.dumps(message).encode() + b"\n")
            self._client.stdin.flush()

    def _receive(self) -> list[dict[str, str]]:
        if self._client is None or self._client.stdout is None:
            return []
        while True:
            try:
                block = os.read(self._client.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                break
            if not block:
                break
            self._buffer += block
        *lines, self._buffer = self._buffer.split(b"\n")
        return [json.loads(line) for line in lines]


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
