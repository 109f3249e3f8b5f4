"""Calls into the library from the Jupyter server, which must not import it: one child process.

The child (`eolab.server.helper.child`) speaks JSON lines on its standard input and output. It
starts with the first call, leaves when idle, and is started again after a crash; a call that it
took down with it is tried once more. Calls only read, so that is safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from eolab.errors import ConflictError, InvalidInputError, NotFoundError, RemoteError
from eolab.server.workspace import Place

COMMAND = (sys.executable, "-m", "eolab.server.helper.child")
SEE_LOG = "See the log of Jupyter Server."
ERRORS = {
    kind.status: kind for kind in (InvalidInputError, NotFoundError, ConflictError, RemoteError)
}


@dataclass
class _Call:
    name: str
    line: bytes
    future: asyncio.Future[object]
    about: str = ""  # the catalogue, group or study that is asked, as its user calls it
    tries: int = 0
    sent: float = field(default_factory=time.monotonic)


class Library:
    """The child process and the calls that wait for it; used from one event loop.

    Args:
        log: Where crashes and time-outs are written.
        timeout: Seconds that a call may take, the child's start included.
        limit: Calls that may wait at once; more are refused.
        stuck: Abandoned calls after which the child is replaced (each holds one of its threads).
    """

    def __init__(
        self,
        *,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
        timeout: float = 60.0,
        limit: int = 64,
        stuck: int = 3,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self.log = log or logging.getLogger(__name__)
        self.timeout, self.limit, self.stuck = timeout, limit, stuck
        self.command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._calls: dict[int, _Call] = {}
        self._shared: dict[str, asyncio.Future[object]] = {}
        self._numbers = itertools.count(1)
        self._abandoned: set[int] = set()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def call(self, name: str, place: Place, args: Mapping[str, object]) -> object:
        """The answer to one call; equal calls that wait at the same time share one answer.

        Raises:
            EolabError: As the library raised it in the child.
            RemoteError: The child crashed twice, did not answer in time, or too many calls wait.
        """
        key = json.dumps([name, place.named, place.root_dir, args], sort_keys=True)
        future = self._shared.get(key)
        if future is None:
            if len(self._calls) >= self.limit:
                raise RemoteError(
                    f"eolab is busy: {len(self._calls)} requests wait", "Try again in a moment."
                )
            number = next(self._numbers)
            line = {"id": number, "call": name, "args": args}
            line |= {"workspace": place.named, "root_dir": place.root_dir}
            future = asyncio.get_running_loop().create_future()
            about = str(args.get("name", ""))
            call = _Call(name, (json.dumps(line) + "\n").encode(), future, about)
            self._calls[number] = call
            self._shared[key] = future
            future.add_done_callback(lambda _: self._forget(key, number))
            self._send(call)
            asyncio.get_running_loop().call_later(self.timeout, self._give_up, number)
        # A browser that went away must not cancel the call for the others.
        return await asyncio.shield(future)

    def close(self) -> None:
        """Stop the child; waiting calls fail."""
        self._closed = True
        process, self._process = self._process, None
        self._lines.put(None)
        for call in list(self._calls.values()):
            _fail(call, RemoteError("Jupyter Server is stopping", "Start it again."))
        if process is not None:
            _stop(process)

    def _forget(self, key: str, number: int) -> None:
        self._shared.pop(key, None)
        self._calls.pop(number, None)

    def _send(self, call: _Call) -> None:
        try:
            self._running()
        except OSError as error:
            _fail(call, RemoteError(f"eolab's helper process cannot start: {error}", SEE_LOG))
            return
        call.tries += 1
        self._lines.put(call.line)

    def _running(self) -> None:
        if self._closed:
            raise OSError("the server is stopping")
        if self._process is None:
            environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                # Ctrl-C in the terminal is for Jupyter Server, which then closes the child.
                start_new_session=True,
            )
            self._abandoned.clear()
            loop = asyncio.get_running_loop()
            self._lines = queue.SimpleQueue()
            threading.Thread(target=self._read, args=(self._process, loop), daemon=True).start()
            threading.Thread(target=_write, args=(self._process, self._lines), daemon=True).start()

    def _read(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                # Read here, not in the loop: an answer may have megabytes.
                loop.call_soon_threadsafe(self._answered, _parse(line))
            process.wait()
            loop.call_soon_threadsafe(self._ended, process)
        except (RuntimeError, ValueError):
            pass  # the loop or the pipe is closed: the server is stopping

    def _answered(self, reply: Mapping[str, Any]) -> None:
        if not isinstance(reply.get("id"), int):
            self.log.warning("eolab: the helper process said what is no answer: %.200r", reply)
            return
        number = reply["id"]
        self._abandoned.discard(number)
        call = self._calls.get(number)
        if call is None or call.future.done():
            return
        if "error" in reply:
            failure = reply["error"]
            kind = ERRORS.get(failure["status"], InvalidInputError)
            _fail(call, kind(failure["message"], failure["hint"]))
        elif "fault" in reply:
            _fail(call, RuntimeError(f"{call.name}: {reply['fault']}"))
        else:
            call.future.set_result(reply["result"])

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        if process is not self._process:
            _close_pipes(process)
            return
        self._lines.put(None)  # its writer leaves, too
        _close_pipes(process)
        self._process = None
        if process.returncode:
            self.log.warning("eolab: the helper process ended with code %s", process.returncode)
        for call in list(self._calls.values()):
            if call.future.done():
                continue
            if call.tries < 2:
                self._send(call)
            else:
                _fail(
                    call,
                    RemoteError(
                        f"eolab's helper process crashed twice on {call.name!r}",
                        f"See the log of Jupyter Server (exit code {process.returncode}).",
                    ),
                )

    def _give_up(self, number: int) -> None:
        call = self._calls.get(number)
        if call is None or call.future.done():
            return
        self.log.warning("eolab: no answer to %r within %.0f s", call.name, self.timeout)
        _fail(
            call,
            RemoteError(
                f"{call.about or 'The workspace'} did not answer within {self.timeout:.0f} s",
                "The service behind it may be slow or out of reach: try again, or ask for less.",
            ),
        )
        self._abandoned.add(number)
        if len(self._abandoned) >= self.stuck and self._process is not None:
            self.log.warning("eolab: the helper process is stuck and is replaced")
            self._process.kill()


def _write(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    """Hand over lines in a thread: a child that stops reading holds up nobody else."""
    assert process.stdin is not None
    # It ended just now: the reader sees that and sends the call again.
    with contextlib.suppress(OSError, ValueError):
        while (line := lines.get()) is not None:
            process.stdin.write(line)
            process.stdin.flush()
    with contextlib.suppress(OSError, ValueError):
        process.stdin.close()


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        reply = json.loads(line)
    except ValueError:
        reply = None
    return reply if isinstance(reply, dict) else {"line": line[:200]}


def _fail(call: _Call, error: Exception) -> None:
    if not call.future.done():
        call.future.set_exception(error)
        # Read here once, so that a browser that went away leaves no "never retrieved" in the log.
        call.future.exception()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a child: the end of its input asks it to leave, half a second later it must."""
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    pipes: tuple[IO[bytes] | None, ...] = (process.stdin, process.stdout)
    for pipe in pipes:
        try:
            if pipe is not None:
                pipe.close()
        except OSError:
            pass
