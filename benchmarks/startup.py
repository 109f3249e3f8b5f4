"""What eolab costs at the start: import, Jupyter server, first bundle of the labextension.

    python -m benchmarks.startup [--json] [--quick]

Each figure is the median of several fresh processes; the extension's share is the difference of
two servers' start, with and without it, run in turn.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Response

from tests.e2e.jupyter import chromium, serve

REACH = {"import_s": 0.3, "server_s": 0.3, "bundle_kb": 150.0}
SERVER = """
import sys, time
start = time.perf_counter()
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config
enabled = {"eolab": sys.argv[1] == "with"}
app = ServerApp(config=Config({"ServerApp": {"jpserver_extensions": enabled}}))
app.initialize(
    argv=["--no-browser", "--allow-root", "--port=0", "--ServerApp.ip=127.0.0.1"],
    find_extensions=False,
)
assert any(app.extension_manager.extension_apps.values()) == enabled["eolab"]
print(time.perf_counter() - start)
"""


def seconds(code: str, *arguments: str) -> float:
    """What a fresh interpreter prints as its last line, as seconds."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
        )
    return float(done.stdout.split()[-1])


def import_seconds(runs: int) -> float:
    """Median of `import eolab` in fresh interpreters."""
    code = "import time; t=time.perf_counter(); import eolab; print(time.perf_counter()-t)"
    return statistics.median(seconds(code) for _ in range(runs))


def server_seconds(runs: int) -> float:
    """Median difference of a server's start with and without the extension, in turn."""
    pairs = [(seconds(SERVER, "with"), seconds(SERVER, "without")) for _ in range(runs)]
    return statistics.median(a - b for a, b in pairs)


def bundle_kilobytes() -> float:
    """Gzipped size of what a browser loads of ours until JupyterLab stands, no panel opened."""
    sizes: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if "/extensions/eolab/static/" in response.url and response.ok:
            sizes[response.url] = len(gzip.compress(response.body()))

    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as lab, chromium() as browser:
        page = browser.new_page()
        page.on("response", weigh)
        page.goto(lab.link("lab"))
        page.locator("[data-id=eolab-sidebar]").wait_for(timeout=60_000)
        page.wait_for_load_state("networkidle")
    return sum(sizes.values()) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="three runs instead of nine")
    options = parser.parse_args()
    runs = 3 if options.quick else 9
    start = time.perf_counter()
    seconds("print(0)")  # warm the disk cache
    figures = {
        "import_s": round(import_seconds(runs), 3),
        "server_s": round(server_seconds(runs), 3),
        "bundle_kb": round(bundle_kilobytes(), 1),
    }
    for name, value in figures.items():
        verdict = "reached" if value < REACH[name] else "MISSED"
        print(f"{name:<12} {value:>8} (reach < {REACH[name]}) {verdict}")
    if options.json:
        print(json.dumps({**figures, "seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
