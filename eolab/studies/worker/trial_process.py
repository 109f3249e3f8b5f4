"""The process that runs the train function.

This file travels with `reporter.py` to machines without eolab: it imports the standard library (and
cloudpickle, to load the function), nothing of ours. It is kept across trials, so imports and data
are loaded once.

It speaks JSON lines with the worker that started it, over two pipes whose numbers are its
arguments; stdout and stderr are the trial's log.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import math
import os
import queue
import random
import signal
import sys
import sysconfig
import threading
import time
import traceback
import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from eolab.studies.worker import predicting
    from eolab.studies.worker.isolation import Fresh, worker_memory
    from eolab.studies.worker.reporter import Reporter, StopTrial, TrialError, number
    from eolab.studies.worker.tensorflow_notes import without_notes
else:  # a bare file beside its helpers, maybe where there is no eolab
    import importlib.util

    def _beside(stem: str) -> types.ModuleType:
        """A file beside this one as a module.

        Under its full name: user code that imports eolab must meet these classes, no second copies,
        and a module of the user's that is called "reporter" must not meet ours.
        """
        name = f"eolab.studies.worker.{stem}"
        path = Path(__file__).with_name(f"{stem}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    _module = _beside("reporter")
    Reporter, StopTrial = _module.Reporter, _module.StopTrial
    TrialError, number = _module.TrialError, _module.number
    without_notes = _beside("tensorflow_notes").without_notes
    predicting = _beside("predicting")
    _isolation = _beside("isolation")
    Fresh, worker_memory = _isolation.Fresh, _isolation.worker_memory

if TYPE_CHECKING:
    import numpy as np

    from eolab.studies.worker.messages import ChildMessage, ChildSettings, RefitOrder, TrialOrder

MOST_METRICS = 1_000
DECISION_WAIT = 1.0
MOST_ANSWERS = 2_000
"""Of so many samples a refit notes what the model says of them."""


class LinkedReporter(Reporter):
    """Tells the worker, and ends the trial where the study says stop."""

    def __init__(
        self,
        job: TrialOrder,
        send: Callable[[Mapping[str, object]], None],
        stopped: threading.Event,
    ) -> None:
        super().__init__()
        self.trial = int(job["n"])
        self.budget = job.get("budget")
        self._folder = Path(str(job["checkpoint"])) if job.get("checkpoint") else None
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


def call(
    function: Callable[..., object], data: object, reporter: Reporter, job: TrialOrder
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
    given = parameters.get("data")
    if data is None and given is not None and given.default is not given.empty:
        named.pop("data", None)  # nobody gave any: the function's own default counts
    result = function(**named)
    if inspect.isawaitable(result):  # async def train
        import asyncio

        return asyncio.run(_awaited(result))
    return result


async def _awaited(result: Awaitable[object]) -> object:
    return await result


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
            kind = "nothing" if result is None else type(result).__name__
            raise TrialError(
                f"train returned {kind} and reported no metric\n"
                f"Return {metric!r} as a number, or call reporter.report(step=..., {metric}=...)."
            )
        names = ", ".join(sorted(everything)[:12])
        raise TrialError(
            f"train gave no metric {metric!r}, it gave {names}\nName one of these as metric=."
        )
    value = everything[metric]
    if not math.isfinite(value):
        raise TrialError(
            f"metric {metric!r} ended as {value}\n"
            "Look at the trial's curve; a smaller learning rate often helps."
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

    def __init__(self, settings: ChildSettings, inbox: int, outbox: int) -> None:
        self.settings = settings
        self._in, self._out = inbox, outbox
        self._pid = os.getpid()
        self._jobs: queue.Queue[TrialOrder | None] = queue.Queue()
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

    def send(self, message: Mapping[str, object]) -> None:
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
            fresh = self.load()
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
            answer = self.run(fresh, job)
            for stream in (sys.stdout, sys.stderr):
                if not stream.closed:
                    stream.flush()
            if os.getpid() != self._pid:
                os._exit(0)  # a fork that the function left behind came back here
            self.send(answer)

    def load(self) -> Fresh:
        for path in self.settings.get("sys_path", ()):
            if path not in sys.path:
                sys.path.append(path)
        with without_notes():
            for name in self.settings.get("imports", ()):
                # Loaded before the first seeding: the first trial is seeded like the others.
                try:
                    __import__(name)
                except ImportError:
                    pass
            content = {
                key: Path(self.settings[key]).read_bytes()
                for key in ("function", "data")
                if self.settings.get(key)
            }
            limit, workers = self.settings.get("memory"), self.settings.get("workers")
            return Fresh(
                content["function"],
                content.get("data"),
                worker_memory(float(limit or 0), int(workers or 1)),
            )

    def run(self, fresh: Fresh, job: TrialOrder) -> ChildMessage:
        self._stopped.clear()
        self._open_output()
        reporter = self._reporter = LinkedReporter(job, self.send, self._stopped)
        try:
            function, data = fresh.make()
            if job.get("refit"):
                data = join_parts(data, job["refit"]["on"])
            seed_everything(int(job["seed"]))
            result = call(function, data, reporter, job)
            if os.getpid() != self._pid:
                return {}
            if job.get("refit"):
                saved = save_model(reporter.saved, job["refit"])
                names = about(data, reporter.saved[0])
                write_answers(reporter.saved[0], saved["flavour"], data, job["refit"])
                return {"op": "done", "state": "completed", "about": names, **saved}
            value, metrics = outcome(result, reporter.last, job["metric"])
            note = look_at_model(reporter.saved, data) if job.get("look") else ""
            return {
                "op": "done", "state": "completed", "value": value, "m": metrics, "note": note,
            }  # fmt: skip
        except StopTrial:
            return {"op": "done", "state": "stopped", "value": None}
        except TrialError as error:
            print(f"TrialError: {error}", file=sys.stderr, flush=True)
            return {"op": "done", "state": "failed", "error": str(error)}
        except BaseException as error:
            print_traceback(error)
            return {"op": "done", "state": "failed", "error": brief(error)}
        finally:
            self._reporter = None


def print_traceback(error: BaseException) -> None:
    """The traceback from the user's own function on: what called it is not to be mended by them."""
    ours = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  as frames name it
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename.startswith(ours):
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames or error.__traceback__)


def brief(error: BaseException) -> str:
    """One or two lines on an exception."""
    text = f"{type(error).__name__}: {error}"[:1_000]
    if isinstance(error, ValueError) and "read-only" in text:
        text += (
            "\nThe trials of a worker share the data, which takes more than a quarter of its "
            "memory: change a copy, for example X = X.copy()."
        )
    return text


# -- what the first trial keeps --------------------------------------------------------------


def look_at_model(saved: list[object], data: object) -> str:
    """What stands in the way of registering what a trial keeps, in a sentence; empty if nothing.

    It is asked for one sample of the validation part, as a registered model will be: a reshape that
    stands in the function and not in the model is found here.
    """
    if not saved:
        return (
            "this function keeps no model: its trials can be compared, none can be registered. "
            "Call reporter.save_model(model) at the end of train"
        )
    part = getattr(data, "validation", None)
    part = getattr(data, "train", data) if part is None else part
    if not _training_data(part):
        return ""
    (model,) = saved
    try:
        import numpy as np

        # A copy: a scaler may work in place, and the data are those of the next trials too.
        X = np.array(np.asarray(getattr(part, "X", ()))[:1])
        answer = predicting.outputs(
            model, flavour(model), X, [str(name) for name in _names(part, "columns")]
        )
        if answer.ndim and len(answer) == 1:
            return ""
        said = f"it answers one sample with shape {answer.shape}"
    except Exception as error:
        said = " ".join(str(error).split())[:300]
    return (
        f"the model that train keeps cannot be asked for a sample of shape {X.shape}: {said}. "
        "What train does to the data before it (a reshape, a scaler) belongs into the model: "
        "a Pipeline, a layer"
    )


# -- the refit of the best trial -----------------------------------------------------------


def join_parts(data: object, on: str) -> object:
    """The data of a refit: train and validation part together as the train part, if asked.

    The validation part stays where it is, so that the function runs unchanged; what it measures
    there says nothing and is not kept.
    """
    train, validation = getattr(data, "train", None), getattr(data, "validation", None)
    if on == "train" or validation is None:
        return data
    import dataclasses

    assert dataclasses.is_dataclass(data)
    assert not isinstance(data, type)
    assert train is not None
    return dataclasses.replace(data, train=type(train).concatenate(train, validation))


def about(data: object, model: object) -> dict[str, object]:
    """What a model needs beside its weights: names, and whether it learnt from a data frame."""
    train = getattr(data, "train", data)
    named = _training_data(train)
    found: dict[str, object] = {
        k: [str(name) for name in _names(train, k)] if named else []
        for k in ("columns", "classes", "steps")
    }
    owner = getattr(model, "__self__", model)
    learnt = getattr(owner, "feature_names_in_", None)
    if not named:
        columns = list(learnt) if learnt is not None else _columns(train)
        found["columns"] = [str(name) for name in columns]
        found["frame"] = bool(columns)
    return found


def _training_data(train: object) -> bool:
    return all(hasattr(train, name) for name in ("X", "y", "columns", "classes"))


def _names(train: object, what: str) -> list[object]:
    names = getattr(train, what, None)
    return [] if names is None else list(names)


def _columns(data: object) -> list[object]:
    """The columns of the one table of features among arrays and labels, if there is just one."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(data, (dict, list, tuple)):
        return []
    values = list(data.values()) if isinstance(data, dict) else list(data)
    tables = [v for v in values if isinstance(v, pandas.DataFrame) and v.shape[1] > 1]
    alike = {tuple(table.columns) for table in tables}  # a train and a validation part
    return list(alike.pop()) if len(alike) == 1 else []


def write_answers(model: object, kind: str, data: object, order: RefitOrder) -> None:
    """Write what the model says of some labelled samples beside it, and three of these samples.

    The registry finds in it how the answers are read, and an example of what goes in. A model that
    cannot be asked this way says so when it is registered.
    """
    train = getattr(data, "train", data)
    if not _training_data(train):
        return
    import numpy as np

    X, y = np.asarray(getattr(train, "X", ())), np.asarray(getattr(train, "y", ()))
    rows = np.unique(np.linspace(0, len(y) - 1, MOST_ANSWERS).astype(int))
    columns = [str(name) for name in _names(train, "columns")]
    try:
        answer = predicting.outputs(model, kind, X[rows], columns)
    except Exception as error:
        print(f"the model could not be asked: {error}", file=sys.stderr, flush=True)
        return
    if answer.dtype.kind == "O":
        answer = answer.astype(str)
    if answer.dtype.kind not in "iufbUS" or len(answer) != len(rows):
        return
    with open(Path(order["folder"]) / "answers.npz", "wb") as file:
        seen, (low, high) = np.unique(y), _ranges(X, columns)
        np.savez(file, answer=answer, y=y[rows], seen=seen, example=X[:3], low=low, high=high)


def _ranges(X: np.ndarray, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest value of each feature, by which a map is told from one of other units."""
    import numpy as np

    if X.dtype.kind != "f" or X.ndim < 2 or X.shape[-1] != len(columns) or not X.size:
        return np.empty(0), np.empty(0)
    flat = X.reshape(-1, X.shape[-1])
    low, high = np.fmin.reduce(flat, axis=0), np.fmax.reduce(flat, axis=0)
    return low.astype(np.float64), high.astype(np.float64)


def flavour(model: object) -> str:
    """Which library's way of saving a model needs: "keras", "torch", "sklearn" or "pickle"."""
    roots = {cls.__module__.partition(".")[0] for cls in type(model).__mro__}
    for name in ("keras", "torch", "sklearn"):
        if name in roots:
            return name
    return "pickle"


def custom_objects(model: object) -> dict[str, object]:
    """The layers, losses, metrics and functions in a Keras model that are not Keras's own.

    By the names under which Keras looks for them; without them a model of a notebook's own classes
    loads nowhere else.
    """
    import keras

    found: dict[str, object] = {}
    seen: set[int] = set()

    def note(part: object, depth: int) -> None:
        if id(part) in seen or depth > 6:
            return
        seen.add(id(part))
        if isinstance(part, (list, tuple, set)):
            for each in part:
                note(each, depth + 1)
            return
        if isinstance(part, dict):
            for each in part.values():
                note(each, depth + 1)
            return
        kind = part if isinstance(part, types.FunctionType) else type(part)
        root = str(getattr(kind, "__module__", "")).partition(".")[0]
        function = isinstance(kind, types.FunctionType)
        if function or hasattr(kind, "get_config"):
            if root not in {"keras", "tensorflow", "torch", "jax", "numpy"}:
                found[kind.__name__] = kind
                found[keras.saving.get_registered_name(kind)] = kind
            if not function:
                note(list(vars(part).values()), depth + 1)

    compiled = [getattr(model, name, None) for name in ("loss", "optimizer", "_compile_metrics")]
    note([model, getattr(model, "layers", []), compiled], 0)
    return found


def pickle_whole(value: object, path: Path) -> None:
    """Write a pickle that holds classes and functions of the user's own modules as they are now.

    They would be looked for where the model is opened: in another project they are not there, and
    after an edit they are others. A module that cannot be pickled is named as before. What is
    opened is of a class of the pickle's own: `isinstance` against the module's says False.
    """
    import cloudpickle

    held = []
    for module in list(sys.modules.values()):
        if is_own_module(module):
            with contextlib.suppress(ValueError):  # not under its own name
                cloudpickle.register_pickle_by_value(module)
                held.append(module)
    try:
        content = cloudpickle.dumps(value)
    except Exception as error:
        print(f"the model names the modules that it needs: {error}", file=sys.stderr, flush=True)
        content = b""
    finally:
        for module in held:
            cloudpickle.unregister_pickle_by_value(module)
    path.write_bytes(content or cloudpickle.dumps(value))


def is_own_module(module: object) -> bool:
    """Whether a module is the user's: not installed, not the standard library, not eolab."""
    name, file = getattr(module, "__name__", ""), getattr(module, "__file__", None)
    if not isinstance(module, types.ModuleType) or not file or name == "__main__":
        return False
    if name.partition(".")[0] == "eolab" or sys.modules.get(name) is not module:
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in library_folders())


@functools.cache
def library_folders() -> frozenset[Path]:
    """Folders of installed packages and of the standard library."""
    found = sysconfig.get_paths()
    places = [found[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    # Those of `pip install --user`, and of Debian, are no paths of this interpreter's own.
    places += [p for p in sys.path if Path(p).name in {"site-packages", "dist-packages"}]
    return frozenset(Path(place).resolve() for place in places)


def save_model(saved: list[object], order: RefitOrder) -> ChildMessage:
    """Write the saved model into the folder of the refit.

    Raises:
        TrialError: The function saved none.
    """
    if not saved:
        raise TrialError(
            "train saved no model\nCall reporter.save_model(model) at the end of train."
        )
    (model,) = saved
    kind, folder = flavour(model), Path(order["folder"])
    if kind == "keras":
        model.save(folder / "model.keras")  # type: ignore[attr-defined]
        custom = custom_objects(model)
        if custom:
            pickle_whole(custom, folder / "custom_objects.pkl")
        return {"flavour": kind, "file": "model.keras"}
    if kind == "torch":
        import torch

        torch.save(model.state_dict(), folder / "state.pt")  # type: ignore[attr-defined]
    pickle_whole(model, folder / "model.pkl")
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = int(sys.argv[1]), int(sys.argv[2])
    for handle in (inbox, outbox):
        os.set_inheritable(handle, False)
    Child(json.loads(sys.argv[3]), inbox, outbox).main()


if __name__ == "__main__":
    main()
