"""The process that runs the train function, and the reporter that the function gets.

This file travels alone to machines without eolab: it imports the standard library (and
cloudpickle, to load the function), nothing of ours. It is kept across trials, so imports and data
are loaded once.

It speaks JSON lines with the worker that started it, over two pipes whose numbers are its
arguments; stdout and stderr are the trial's log.
"""

from __future__ import annotations

import inspect
import json
import math
import os
import queue
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MOST_METRICS = 1_000
DECISION_WAIT = 1.0


class StopTrial(BaseException):
    """Ends a trial that a stop rule (or a user) stopped.

    No `Exception`, so that a train function's own error handling lets it pass.
    """


class TrialError(Exception):
    """A fault of a train function that needs no traceback: what it returned or reported."""


class Reporter:
    """What a train function tells while it works.

    This plain one prints, so that a train function runs alone; in a study each trial gets one that
    tells the study, with the same methods.

    Attributes:
        trial: The trial's number; 0 when run alone.
        budget: What the study grants this run (epochs, say) under ASHA or Hyperband, else None.
    """

    trial: int = 0
    budget: float | None = None

    def __init__(self) -> None:
        self._step = -1
        self._last: dict[str, float] = {}
        self._kept: list[object] = []
        self._folder: Path | None = None

    def report(self, *, step: float | None = None, **metrics: float) -> None:
        """Report figures at a step (an epoch, a number of trees); without one, steps count from 0.

        Raises:
            TrialError: A figure is no number, or a step goes backwards.
        """
        values = {name: number(value, f"metric {name!r}") for name, value in metrics.items()}
        if not values:
            raise TrialError(
                "report() without a metric\nWrite reporter.report(step=epoch, val_accuracy=...)."
            )
        self._step = self._step + 1 if step is None else number(step, "step")  # type: ignore[assignment]
        self._last.update(values)
        self._tell(self._step, values)

    def log(self, text: str) -> None:
        """A line in the trial's log."""
        print(text, flush=True)

    def keep(self, model: object) -> None:
        """Hand over the fitted model; it is written to disk only when the best trial is refitted."""
        self._kept = [model]

    @property
    def checkpoint_dir(self) -> Path:
        """A folder that stays with the trial over retries and promotions."""
        if self._folder is None:
            import tempfile

            self._folder = Path(tempfile.mkdtemp(prefix="eolab-checkpoint-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def keras(self) -> Any:
        """A Keras callback that reports each epoch's logs and keeps the model."""
        return _callbacks().keras_callback(self)

    def lightning(self) -> Any:
        """A Lightning callback that reports the logged metrics and keeps the module."""
        return _callbacks().lightning_callback(self)

    def fit(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        validation: tuple[Any, Any],
        steps: int = 10,
        scoring: str | Callable[..., float] = "accuracy",
        metric: str = "val_score",
    ) -> Any:
        """Fit a scikit-learn estimator in steps, report its score after each, keep it."""
        return _callbacks().fit_in_steps(
            self,
            estimator,
            X,
            y,
            validation=validation,
            steps=steps,
            scoring=scoring,
            metric=metric,
        )

    def _tell(self, step: float, metrics: Mapping[str, float]) -> None:
        print(
            f"step {step:g}: " + ", ".join(f"{k}={v:.6g}" for k, v in metrics.items()), flush=True
        )


def _callbacks() -> Any:
    """The file beside this one, wherever both have been shipped to."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "eolab_callbacks", Path(__file__).with_name("callbacks.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class LinkedReporter(Reporter):
    """Tells the worker, and ends the trial where the study says stop."""

    def __init__(
        self,
        job: Mapping[str, Any],
        send: Callable[[dict[str, Any]], None],
        stopped: threading.Event,
    ) -> None:
        super().__init__()
        self.trial = int(job["n"])
        self.budget = job.get("budget")
        self._folder = Path(job["checkpoint"]) if job.get("checkpoint") else None
        self._send, self._stopped, self._pid = send, stopped, os.getpid()
        self._wait = bool(job.get("wait"))
        self.decided = threading.Semaphore(0)

    def _tell(self, step: float, metrics: Mapping[str, float]) -> None:
        if os.getpid() != self._pid:
            return  # a fork of the function's own: only the trial itself reports
        finite = {k: (v if math.isfinite(v) else None) for k, v in metrics.items()}
        self._send({"op": "report", "step": step, "m": finite, "t": time.time()})
        if self._wait and not self._stopped.is_set():
            # A stop rule decides now; a slow network must not hold up the training for long.
            self.decided.acquire(timeout=DECISION_WAIT)
        if self._stopped.is_set():
            raise StopTrial


def number(value: Any, what: str) -> float:
    """The value as a float; arrays of one element and framework scalars count as numbers.

    Raises:
        TrialError: It is none.
    """
    if isinstance(value, bool) or value is None or isinstance(value, (str, bytes)):
        raise TrialError(f"{what} is {type(value).__name__} {str(value)[:80]!r}\nGive a number.")
    try:
        return float(value)
    except Exception:
        raise TrialError(
            f"{what} is a {type(value).__name__}, not a number\nGive one number, float(...)."
        ) from None


def call(
    function: Callable[..., object], data: object, reporter: Reporter, job: Mapping[str, Any]
) -> object:
    """Call a train function with those of the arguments that it names."""
    offered = {
        "data": data,
        "reporter": reporter,
        "seed": job["seed"],
        "budget": job.get("budget"),
        **job["params"],
    }
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        named = {k: v for k, v in offered.items() if k in parameters or k in job["params"]}
    else:
        named = {k: v for k, v in offered.items() if k in parameters}
    if named.get("budget", 0) is None:
        del named["budget"]
    return function(**named)


def outcome(
    result: object, last: Mapping[str, float], metric: str
) -> tuple[float, dict[str, float]]:
    """The trial's value and metrics: the returned metric, else the last reported one.

    Raises:
        TrialError: There is none, or it is not finite.
    """
    metrics: dict[str, float] = {}
    if isinstance(result, Mapping):
        if len(result) > MOST_METRICS:
            raise TrialError(
                f"train returned {len(result)} metrics\nReturn at most {MOST_METRICS}."
            )
        metrics = {str(k)[:200]: number(v, f"returned metric {k!r}") for k, v in result.items()}
    elif result is not None:
        metrics = {metric: number(result, "what train returned")}
    everything = {**last, **metrics}
    if metric not in everything:
        if not everything:
            raise TrialError(
                f"train returned {'nothing' if result is None else type(result).__name__} and reported no metric\n"
                f"Return {metric!r} as a number, or call reporter.report(step=..., {metric}=...)."
            )
        names = ", ".join(sorted(everything)[:12])
        raise TrialError(
            f"train gave no metric {metric!r}, it gave {names}\nName one of these as metric=."
        )
    value = everything[metric]
    if not math.isfinite(value):
        raise TrialError(
            f"metric {metric!r} ended as {value}\nLook at the trial's curve; a smaller learning rate often helps."
        )
    return value, {k: v for k, v in metrics.items() if math.isfinite(v)}


def seed_everything(seed: int) -> None:
    """Seed each random generator that is loaded, and forget the last trial's Keras graph."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "utils"):
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed % 2**31)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "manual_seed"):
        torch.manual_seed(seed)


class Child:
    """The loop: load once, then run what the worker says, one trial at a time."""

    def __init__(self, settings: Mapping[str, Any], inbox: int, outbox: int) -> None:
        self.settings = settings
        self._in, self._out = inbox, outbox
        self._pid = os.getpid()
        self._jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._stopped = threading.Event()
        self._reporter: LinkedReporter | None = None
        self._writing = threading.Lock()
        self._printer = os.dup(1)

    def _open_output(self) -> None:
        """Give the trial its output, whatever the last one has done to it."""
        for handle, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(self._printer, handle)
            if getattr(sys, name).closed:
                setattr(sys, name, os.fdopen(handle, "w", buffering=1, closefd=False))

    def send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, allow_nan=False).encode() + b"\n"
        with self._writing:
            while line:
                line = line[os.write(self._out, line) :]

    def _listen(self) -> None:
        with os.fdopen(self._in, "rb") as pipe:
            for line in pipe:
                message = json.loads(line)
                if message["op"] == "stop":
                    self._stopped.set()
                if message["op"] in {"stop", "go"}:
                    if self._reporter is not None:
                        self._reporter.decided.release()
                else:
                    self._jobs.put(message)
        os._exit(0)  # the worker is gone: nobody would hear the result

    def main(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            function, data = self.load()
        except BaseException as error:
            traceback.print_exc()
            self.send(
                {"op": "broken", "error": f"the train function cannot be loaded: {brief(error)}"}
            )
            return
        self.send({"op": "ready"})
        while True:
            job = self._jobs.get()
            if job is None:
                return
            answer = self.run(function, data, job)
            for stream in (sys.stdout, sys.stderr):
                if not stream.closed:
                    stream.flush()
            if os.getpid() != self._pid:
                os._exit(0)  # a fork that the function left behind came back here
            self.send(answer)

    def load(self) -> tuple[Callable[..., object], object]:
        for path in self.settings.get("sys_path", ()):
            if path not in sys.path:
                sys.path.append(path)
        for name in self.settings.get("imports", ()):
            # Loaded before the first seeding, so that the first trial is seeded like the others.
            try:
                __import__(name)
            except ImportError:
                pass
        import cloudpickle

        with open(self.settings["function"], "rb") as file:
            function = cloudpickle.load(file)
        data = None
        if self.settings.get("data"):
            with open(self.settings["data"], "rb") as file:
                data = cloudpickle.load(file)
        freeze(data)
        return function, data

    def run(
        self, function: Callable[..., object], data: object, job: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._stopped.clear()
        self._open_output()
        reporter = self._reporter = LinkedReporter(job, self.send, self._stopped)
        try:
            if job.get("refit"):
                data = join_parts(data, job["refit"]["on"])
            seed_everything(int(job["seed"]))
            result = call(function, data, reporter, job)
            if os.getpid() != self._pid:
                return {}
            if job.get("refit"):
                saved = save_kept(reporter._kept, job["refit"])
                return {"op": "done", "state": "completed", "about": about(data), **saved}
            value, metrics = outcome(result, reporter._last, job["metric"])
            return {"op": "done", "state": "completed", "value": value, "m": metrics}
        except StopTrial:
            return {"op": "done", "state": "stopped", "value": None}
        except TrialError as error:
            print(f"TrialError: {error}", file=sys.stderr, flush=True)
            return {"op": "done", "state": "failed", "error": str(error)}
        except BaseException as error:
            traceback.print_exc()
            return {"op": "done", "state": "failed", "error": brief(error)}
        finally:
            self._reporter = None


def brief(error: BaseException) -> str:
    """One or two lines on an exception."""
    text = f"{type(error).__name__}: {error}"[:1_000]
    if isinstance(error, ValueError) and "read-only" in text:
        text += "\nThe trials of a worker share the data: change a copy of the array."
    return text


def freeze(data: object, depth: int = 3) -> None:
    """Make the arrays of the data read-only: a trial that changed them would change the next one."""
    if hasattr(data, "setflags"):
        data.setflags(write=False)
    elif depth:
        parts: Any = (
            data.values()
            if isinstance(data, dict)
            else data
            if isinstance(data, (list, tuple))
            else ()
        )
        for part in [*parts, *getattr(data, "__dict__", {}).values()]:
            freeze(part, depth - 1)


# -- the refit of the best trial -----------------------------------------------------------


def join_parts(data: Any, on: str) -> Any:
    """The data of a refit: train and validation part together as the train part, if asked.

    The validation part stays where it is, so that the function runs unchanged; what it measures
    there says nothing and is not kept.
    """
    if on == "train" or getattr(data, "validation", None) is None:
        return data
    import dataclasses

    return dataclasses.replace(
        data, train=type(data.train).concatenate(data.train, data.validation)
    )


def about(data: Any) -> dict[str, list[str]]:
    """The names that a model needs beside its weights."""
    train = getattr(data, "train", data)
    return {
        k: [str(name) for name in getattr(train, k, None) or ()]
        for k in ("columns", "classes", "steps")
    }


def flavour(model: object) -> str:
    """Which library's way of saving a model needs: "keras", "torch", "sklearn" or "pickle"."""
    roots = {cls.__module__.partition(".")[0] for cls in type(model).__mro__}
    for name in ("keras", "torch", "sklearn"):
        if name in roots:
            return name
    return "pickle"


def save_kept(kept: list[object], order: Mapping[str, Any]) -> dict[str, Any]:
    """Write the kept model into the folder of the refit.

    Raises:
        TrialError: The function kept none.
    """
    if not kept:
        raise TrialError("train kept no model\nCall reporter.keep(model) at the end of train.")
    (model,) = kept
    kind, folder = flavour(model), Path(order["folder"])
    if kind == "keras":
        model.save(folder / "model.keras")  # type: ignore[attr-defined]
        return {"flavour": kind, "file": "model.keras"}
    import cloudpickle

    if kind == "torch":
        import torch

        torch.save(model.state_dict(), folder / "state.pt")  # type: ignore[attr-defined]
    with open(folder / "model.pkl", "wb") as file:
        cloudpickle.dump(model, file)
    return {"flavour": kind, "file": "model.pkl"}


def die_with_parent() -> None:
    """Ask Linux to kill this process when its worker dies (elsewhere the closed pipe tells)."""
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
        except (OSError, AttributeError):
            pass


def main() -> None:
    die_with_parent()
    # User code that imports eolab must meet these classes, not second copies of them.
    sys.modules["eolab.studies.child"] = sys.modules["__main__"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = int(sys.argv[1]), int(sys.argv[2])
    for handle in (inbox, outbox):
        os.set_inheritable(handle, False)
    Child(json.loads(sys.argv[3]), inbox, outbox).main()


if __name__ == "__main__":
    main()
