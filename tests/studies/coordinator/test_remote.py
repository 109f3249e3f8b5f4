"""Workers on a machine without eolab: the worker is shipped, function and data travel by value."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from eolab.studies.client import packing
from eolab.studies.coordinator.coordinator import Coordinator
from eolab.studies.coordinator.http import Endpoint
from eolab.studies.coordinator.mailbox import Mailbox
from eolab.studies.coordinator.requests import Service
from eolab.studies.coordinator.trials import Terms, Trials
from eolab.studies.journal.state import Record
from eolab.studies.plans.base import FixedPlan
from eolab.studies.worker import supervisor
from eolab.training_data import Split, TrainingData
from tests.studies.conftest import until

KINDS = ("plain", "eolab", "test", "crash")


def train(data, reporter, *, x, kind):
    import importlib.util

    reporter.report(step=0, score=float(len(data.train)))
    if kind == "test":
        return len(data.test)
    if kind == "crash":  # its second attempt goes on where the first one was
        import os
        import socket

        file = reporter.checkpoint_dir / "deep" / "state"
        if file.exists():  # a socket does not travel: this folder came from home
            return float(file.read_text()) + (file.parent / "socket").exists()
        file.parent.mkdir()
        file.write_text("42")
        os.chdir(file.parent)
        socket.socket(socket.AF_UNIX).bind("socket")
        (file.parent / "large").write_bytes(os.urandom(7_000_000))  # more than one piece
        os._exit(1)
    if kind == "eolab":
        return float(importlib.util.find_spec("eolab") is not None)
    return x + data.without(["b"]).train.X.shape[1]


def make_split() -> Split:
    part = TrainingData(np.ones((4, 2), "float32"), np.zeros(4), np.arange(4), ("a", "b"))
    return Split(part, part)


@pytest.fixture
def bare(tmp_path: Path) -> tuple[str, dict[str, str]]:
    """An interpreter and an environment with NumPy and cloudpickle in which eolab is missing."""
    base = getattr(sys, "_base_executable", sys.executable)
    site = tmp_path / "site"
    site.mkdir()
    for name in ("numpy", "cloudpickle"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        (site / name).symlink_to(folder)
        if folder.with_name(f"{name}.libs").is_dir():
            (site / f"{name}.libs").symlink_to(folder.with_name(f"{name}.libs"))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    found = subprocess.run(
        [base, "-c", "import numpy, cloudpickle, eolab"], env=environment, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "No module named 'eolab'" not in found.stderr:
        pytest.skip(f"no interpreter without eolab here: {found.stderr[-200:]}")
    return base, environment


@pytest.mark.parametrize("transport", ["http", "mailbox"])
def test_trials_run_where_eolab_is_not_installed(
    bare: tuple[str, dict[str, str]], tmp_path: Path, transport: str
) -> None:
    python, environment = bare
    home = tmp_path / "far away"
    home.mkdir()
    for path in Path(supervisor.__file__).parent.glob("*.py"):
        shutil.copy(path, home)
    (home / "train.pkl").write_bytes(packing.pack_function(train, carried=packing.CARRIED))
    (home / "data.pkl").write_bytes(packing.pack_data(make_split(), carried=packing.CARRIED))

    record = Record("score", "maximize", 4)
    plan = FixedPlan([{"x": 5.0, "kind": k} for k in KINDS])
    events: list[dict[str, object]] = []
    trials = Trials(
        record, plan, None, Terms(), emit=events.append, clock=time.time, ticks=time.monotonic
    )
    coordinator = Coordinator(trials)
    coordinator.open(1, "h")
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def listen() -> dict[str, str]:
        service = Service(coordinator, tmp_path / "logs")
        if transport == "http":
            port = await Endpoint(service.handle, "t").listen("127.0.0.1", 0)
            return {"url": f"http://127.0.0.1:{port}", "token": "t"}
        Mailbox(service.handle, "t", str(tmp_path / "box")).open()
        return {"mailbox": str(tmp_path / "box"), "token": "t"}

    address = asyncio.run_coroutine_threadsafe(listen(), loop).result(5)
    settings = {
        "address": address, "worker": "far", "function": str(home / "train.pkl"), "metric": "score",
        "data": str(home / "data.pkl"), "scratch": str(home / "scratch"), "beat": 1.0,
        "bring_home": True,
    }  # fmt: skip
    (home / "settings.json").write_text(json.dumps(settings))
    worker = subprocess.Popen(
        [python, "-P", str(home / "supervisor.py"), str(home / "settings.json")],
        env=environment,
        cwd=home,
    )
    try:
        until(lambda: sum(record.counts[k] for k in ("completed", "failed")) == 4)
    finally:
        worker.terminate()
        worker.wait()
        loop.call_soon_threadsafe(loop.stop)
    plain, eolab, test, crash = (record.trials[n] for n in range(4))
    assert plain.value == 6.0  # the carried class has its methods
    assert eolab.value == 0.0  # there really is no eolab
    assert test.state == "failed"
    assert "no test part here" in str(test.error)  # and its errors keep their words
    assert (crash.value, crash.attempts) == (42.0, 2)
    assert (tmp_path / "checkpoints" / "3" / "deep" / "large").stat().st_size == 7_000_000


def test_a_checkpoint_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    import base64
    import io
    import tarfile

    from eolab.studies.worker import checkpoints

    def archive(name: str, **fields: object) -> bytes:
        buffer = io.BytesIO()
        member = tarfile.TarInfo(name)
        for field, value in fields.items():
            setattr(member, field, value)
        with tarfile.open(fileobj=buffer, mode="w:gz") as file:
            file.addfile(member)
        return buffer.getvalue()

    out = archive("../../outside")
    link = archive("link", type=tarfile.SYMTYPE, linkname="../../outside")
    for content in (out, archive("/outside"), link, b"no archive", out[:20]):
        with pytest.raises(ValueError, match="no usable checkpoint"):
            checkpoints.unpack([base64.b64encode(content).decode()], tmp_path / "a" / "b")
    assert [p.name for p in tmp_path.rglob("*")] == ["a"]
    assert not Path("/outside").exists()
    assert checkpoints.pack(tmp_path / "none") == []


def test_a_checkpoint_comes_out_as_it_went_in(tmp_path: Path) -> None:
    from eolab.studies.worker import checkpoints

    folder = tmp_path / "state"
    (folder / "deep" / "empty").mkdir(parents=True)
    (folder / "deep" / "weights").write_bytes(bytes(range(256)) * 20_000)
    (folder / "last").symlink_to("deep/weights")  # as trainers point at their newest file
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "older").write_text("goes")
    checkpoints.unpack(checkpoints.pack(folder), tmp_path / "there")
    found = {str(p.relative_to(tmp_path / "there")) for p in (tmp_path / "there").rglob("*")}
    assert found == {"deep", "deep/empty", "deep/weights", "last"}
    content = (folder / "deep" / "weights").read_bytes()
    assert (tmp_path / "there" / "deep" / "weights").read_bytes() == content
    assert (tmp_path / "there" / "last").read_bytes() == content
    (folder / "lost").symlink_to("nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        checkpoints.pack(folder)
