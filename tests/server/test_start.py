"""Jupyter Server stays light with the extension in it, and starts without a working workspace."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "numpy", "pandas", "pyarrow", "rasterio", "deltalake", "duckdb", "mlflow", "pystac", "sklearn",
    "xarray", "geopandas", "shapely", "tensorflow", "keras", "torch", "pyspark", "optuna",
    "IPython", "cloudpickle", "sqlalchemy",
}  # fmt: skip

START = """
import sys, json
from jupyter_server.serverapp import ServerApp
app = ServerApp()
app.initialize(argv=["--no-browser", "--allow-root", "--port=0"], find_extensions=False)
before = set(sys.modules)
manager = app.extension_manager
manager.add_extension("eolab", enabled=True)
manager.link_extension("eolab")
manager.load_extension("eolab")
{more}
print(json.dumps(sorted({{m.split(".")[0] for m in set(sys.modules) - before}})))
app.http_server.stop()
"""
# What a running server goes through: routes, watcher, a study's snapshot.
USE = """
from pathlib import Path
from eolab.server.study_readers import Followers
from eolab.server.watcher import Watcher
from eolab.server.workspace import Place
config = Place("", str(Path.cwd())).config()
Watcher().scan(config)
Followers().summaries(config)
run = config.runs / "crops"
reader = Followers().reader(run)
reader.snapshot(None), reader.log(0), reader.timeline(), list(reader.table())
"""


@pytest.mark.parametrize("more", ["", USE], ids=["start", "use"])
def test_nothing_heavy_is_imported_into_the_server(config, write_study, more):
    write_study(config.runs / "crops")
    done = subprocess.run(
        [sys.executable, "-c", START.format(more=more)],
        capture_output=True, text=True, check=True, cwd=config.file.parent,
    )  # fmt: skip
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "eolab" in loaded
    assert not loaded & HEAVY


def test_a_faulty_configuration_does_not_keep_the_server_from_starting(tmp_path, start_server):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "eolab.toml").write_text("format = 99\n")
    server = start_server(tmp_path, base="/")
    answer = server.get("status")
    assert answer.status == 400
    assert "format = 99" in answer.json["message"]


def test_the_workspace_can_be_named_in_jupyters_configuration(tmp_path, start_server):
    server = start_server(tmp_path, f"--EolabApp.workspace={tmp_path / 'elsewhere'}", base="/")
    body = server.get("status").json
    assert body["workspace"]["path"] == str(tmp_path / "elsewhere")
    assert server.get("studies").json == {"studies": []}
    assert server.get("features").json == {"groups": [], "views": []}


def test_the_helper_process_goes_with_the_server(tmp_path, start_server):
    server = start_server(tmp_path, base="/")
    assert server.get("catalogs").status == 200
    children = _children(server.process.pid)
    assert len(children) == 1
    server.process.kill()  # not even asked to stop
    server.process.wait()
    for _ in range(100):
        if not any(_alive(pid) for pid in children):
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("the helper process outlived its server")


def _children(pid: int) -> list[int]:
    told = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [
        int(row.split()[0])
        for row in told.stdout.splitlines()
        if "eolab.server.helper.child" in row
    ]


def _alive(pid: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith(b"Z")
