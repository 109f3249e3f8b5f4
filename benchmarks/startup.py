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

REACH = {"import_s": 0.3, "server_s": 0.3, "bundle_kb": 150.0}
SERVER = """
import sys, time
start = time.perf_counter()
from jupyter_server.serverapp import ServerApp
app = ServerApp()
app.initialize(
    argv=["--no-browser", "--allow-root", "--port=0", "--ServerApp.ip=127.0.0.1"],
    find_extensions=False,
)
if sys.argv[1] == "with":
    manager = app.extension_manager
    manager.add_extension("eolab", enabled=True)
    if not manager.extensions or not manager.link_extension("eolab") is None:
        pass
    manager.load_extension("eolab")
print(time.perf_counter() - start)
app.http_server.stop()
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
    """Gzipped size of what JupyterLab loads of ours at start: the remote entry and our plugin.

    The chunks are named by a browser that loads them: every file that the remote entry asks for
    before a panel is opened. Here it is the entry, the style and the chunk of `index.js`.
    """
    folder = Path(__file__).resolve().parents[1] / "eolab" / "labextension" / "static"
    first = [*folder.glob("remoteEntry*.js"), *folder.glob("style.js")]
    first += [f for f in folder.glob("*index*.js") if f not in first]
    return sum(len(gzip.compress(f.read_bytes())) for f in first) / 1000


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
