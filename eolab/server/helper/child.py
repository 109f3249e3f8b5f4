"""The process that Jupyter Server asks for what needs the library: JSON lines in and out.

One request a line, `{"id", "call", "args", "workspace", "root_dir"}`; one answer a line, in any
order: `{"id", "result"}`, `{"id", "error": {status, message, hint}}` for an expected error or
`{"id", "fault"}` for one of ours. It leaves at the end of its input and when idle.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from eolab import errors
from eolab.errors import EolabError, InvalidInputError, NotFoundError
from eolab.files.folders import file_mode
from eolab.redaction import redact
from eolab.server.wire import to_json
from eolab.server.workspace import Place

THREADS = 6
IDLE = 900.0
RESTART = "Restart Jupyter: eolab was upgraded while it ran."
LARGEST = 64 * 2**20


class _Activity:
    """How many calls run, and since when none does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._since = time.monotonic()

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1
            self._since = time.monotonic()

    def idle(self) -> float:
        """Seconds without a call."""
        with self._lock:
            return 0.0 if self._running else time.monotonic() - self._since


def main() -> None:
    """Answer until the input ends."""
    # A library that prints must not break the wire: its output goes to the server's log.
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    activity = _Activity()
    threading.Thread(target=_leave_when_idle, args=(activity,), daemon=True).start()
    lock = threading.Lock()
    with ThreadPoolExecutor(THREADS) as pool:
        for line in sys.stdin.buffer:
            pool.submit(_serve, line, wire, lock, activity)
        # The server is gone: a call that hangs in a thread must not keep this process.
        os._exit(0)


def _leave_when_idle(activity: _Activity) -> None:
    while activity.idle() < IDLE:
        time.sleep(IDLE / 10)
    os._exit(0)


def _serve(line: bytes, wire: TextIO, lock: threading.Lock, activity: _Activity) -> None:
    with activity:
        text = _answer(line)
        with lock:
            wire.write(text + "\n")
            wire.flush()


def _answer(line: bytes) -> str:
    request: dict[str, object] = {}
    try:
        request = json.loads(line)
        result = _call(request)
        text = to_json({"id": request["id"], "result": result})
        if len(text) > LARGEST:
            raise InvalidInputError(f"the answer has {len(text) / 2**20:.0f} MB", "Ask for less.")
        return text
    except EolabError as error:
        errors.write_log(error)
        failure = {"status": error.status, "message": error.message, "hint": error.hint}
        return json.dumps({"id": request.get("id"), "error": failure})
    except Exception as error:
        print(redact(traceback.format_exc()), file=sys.stderr, end="", flush=True)
        fault = redact(f"{type(error).__name__}: {error}")
        return json.dumps({"id": request.get("id"), "fault": fault})


def _call(request: dict[str, object]) -> object:
    from eolab.server.helper.calls import CALLS

    function = CALLS.get(str(request.get("call")))
    if function is None:
        raise NotFoundError(f"no call {request.get('call')!r}", RESTART)
    args = request.get("args")
    if not isinstance(args, dict):
        raise InvalidInputError("args must be an object", "This is a fault of eolab.")
    config = Place(str(request.get("workspace") or ""), str(request.get("root_dir") or "")).config()
    errors.set_log(config.logs, mode=file_mode(shared=config.shared))
    try:
        inspect.signature(function).bind(config, **args)
    except TypeError as error:
        raise InvalidInputError(f"{request['call']}: {error}", RESTART) from error
    return function(config, **args)


if __name__ == "__main__":
    main()
