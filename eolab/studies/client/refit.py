"""Fits the best trial once more, in a fresh child process, and writes the model that it saves."""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import shutil
import time
import uuid
from pathlib import Path
from typing import Literal, get_args

from eolab import progress
from eolab.errors import EolabError, InvalidInputError, NotFoundError, nearest
from eolab.files import disk, locks, writes
from eolab.studies.client.fitted_model import FILE, FORMAT, FittedModel
from eolab.studies.client.packing import digest_data
from eolab.studies.journal import files as journal
from eolab.studies.journal.spec import StudySpec
from eolab.studies.journal.state import Trial
from eolab.studies.space.seeds import derive_seed
from eolab.studies.worker.child_process import ChildProcess
from eolab.studies.worker.messages import ChildMessage

TOUCH_SECONDS = 600.0
RefitPart = Literal["train+validation", "train"]
PARTS = get_args(RefitPart)


def refit(run: Path, study: StudySpec, trial: Trial, *, on: RefitPart) -> FittedModel:
    """Run the train function with the parameters of ``trial`` and write the model that it saves.

    Args:
        run: The study's folder.
        study: Its `study.json`.
        trial: Whose parameters.
        on: "train+validation" joins both as the train part; "train" leaves the data as it was.

    Raises:
        InvalidInputError: The function saves no model, or fails.
        NotFoundError: The study was deleted.
        ConflictError: The disk is full or cannot be written to.
    """
    if not (run / journal.STUDY).exists():
        raise NotFoundError(
            f"study {run.name!r} is not there any more",
            f"ws.restore({run.name!r}) undoes a deletion.",
        )
    if on not in PARTS:
        raise InvalidInputError(f"on={on!r}", nearest(on, PARTS, "parts"))
    with disk.translate_errors(f"study {run.name!r} cannot be refitted", run):
        disk.check_room(run)
        return _refit(run, study, trial, on)


def _refit(run: Path, study: StudySpec, trial: Trial, on: str) -> FittedModel:
    identity = time.strftime("%Y%m%dT%H%M%S-") + uuid.uuid4().hex[:6]
    folder = run / "refit" / f".{identity}"
    folder.mkdir(parents=True)
    with locks.locked_folder(folder):  # a half one of a killed process is nobody's
        return _write(run, study, trial, folder, on)


def _write(run: Path, study: StudySpec, trial: Trial, folder: Path, on: str) -> FittedModel:
    try:
        answer = _run(run, study, trial, folder, on)
        document = {
            "format": FORMAT,
            "flavour": answer["flavour"],
            "file": answer["file"],
            "params": dict(trial.params),
            "study": study["name"],
            "metrics": {**trial.metrics, study["metric"]: trial.value},
            "data_digest": _data_digest(run, study),
            "source": study["data"].get("source", {}),
            **answer["about"],
        }
        writes.write_json(folder / FILE, document)
        final = folder.with_name(folder.name.removeprefix("."))
        folder.rename(final)  # half a refit is never seen under its name
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FittedModel.read(final)


def _data_digest(run: Path, study: StudySpec) -> str:
    """The data's own digest, by which models and splits are compared; else that of the study."""
    here = run / journal.DATA_HERE
    file = here if here.exists() else run / journal.DATA
    if study["data"]["kind"] in {"Split", "StoredSplit", "TrainingData"} and file.exists():
        with file.open("rb") as content:
            return digest_data(pickle.load(content))
    return study["digest"]["data"]


def _run(run: Path, study: StudySpec, trial: Trial, folder: Path, on: str) -> ChildMessage:
    child = ChildProcess(
        {
            "function": str(run / journal.FUNCTION),
            "data": next(
                (str(run / n) for n in (journal.DATA_HERE, journal.DATA) if (run / n).exists()), ""
            ),
            "sys_path": study["sys_path"],
            "imports": study["imports"],
            "environment": study["environment"],
            "cwd": study["cwd"],
        }
    )
    log = b""
    steps = 0
    touched = time.monotonic()
    bar = progress.start(f"refit {study['name']}")
    try:
        child.send(
            {
                "op": "run", "n": trial.n, "params": trial.params, "budget": trial.budget,
                "seed": derive_seed(study["seed"], trial.n, "train"), "metric": study["metric"],
                "refit": {"folder": str(folder), "on": on},
            }
        )  # fmt: skip
        with selectors.DefaultSelector() as selector:
            selector.register(child.messages, selectors.EVENT_READ)
            selector.register(child.prints, selectors.EVENT_READ)
            while True:
                selector.select(0.5)
                if time.monotonic() - touched > TOUCH_SECONDS:
                    # Where the file system locks no folders (NFS), this says that somebody works.
                    touched = time.monotonic()
                    os.utime(folder)
                dead = not child.alive
                log = (log + child.printed())[-200_000:]
                for message in child.receive():
                    if message["op"] == "report":
                        steps += 1
                        bar.update(steps, 0, f"step {message['step']:g}")
                    elif message["op"] in {"done", "broken"}:
                        with contextlib.suppress(OSError):
                            (run / "logs").mkdir(exist_ok=True)
                            (run / "logs" / "refit.log").write_bytes(log + child.printed())
                        if message.get("state") == "completed":
                            return message
                        raise _failed(study, str(message.get("error") or "it was stopped"), run)
                if dead:
                    raise EolabError(
                        f"the refit of {study['name']!r} failed: {child.how_it_died()}",
                        "Free memory and call refit() again.",
                    )
    finally:
        bar.close()
        child.kill()


def _failed(study: StudySpec, error: str, run: Path) -> InvalidInputError:
    message, _, hint = error.partition("\n")
    return InvalidInputError(
        f"the refit of {study['name']!r} failed: {message}",
        hint or f"Its output is in {run / 'logs' / 'refit.log'}.",
    )
