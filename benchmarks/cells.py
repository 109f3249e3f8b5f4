"""What Spark cells cost, and how soon they end when something goes wrong.

    python -m benchmarks.cells [--json] [--quick]

A Connect server of ours, real shells, each in a process of its own where one is killed:

- fail_s: a function that raises in a task, to the message.
- dead_server_s; dead_interrupt_s: kill -9 of the server under a cell, to the end of the cell; and
  from an interrupt half a second after the kill.
- reattach_s: from the start of a kernel's first cell to a view of the one that was killed.
- first_progress_s; cancel_s: from the start of a cell to the first number under it; from an
  interrupt to no Python worker of the cell.
- overhead_ms: `%%sql` over the same statement by PySpark, median.
- fetch_vs_raw; fetch_memory: `-o` of 1M x 10 over `toPandas()`; growth of the peak over the frame's
  own size (not with `--quick`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REACH = {
    "fail_s": 3.0,
    "dead_server_s": 5.0,
    "dead_interrupt_s": 2.0,
    "reattach_s": 2.0,
    "first_progress_s": 1.2,
    "cancel_s": 1.5,
    "overhead_ms": 15.0,
    "fetch_vs_raw": 1.1,
    "fetch_memory": 2.2,
}
CONFIG = """format = 1
[workspace]
path = "space"
[clusters.c]
kind = "spark"
conf = { "spark.driver.memory" = "1g" }
"""
SHELL = """
import io, contextlib, resource, signal, sys, threading, time, _thread
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "eolab")
import eolab as eo
from eolab import progress
shell.user_ns["ws"] = eo.workspace(sys.argv[1])
def cell(text, magic="spark", line="c"):
    start = time.perf_counter()
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        done = shell.run_cell(f"%%{magic} {line}\\n{text}")
    return time.perf_counter() - start, done.success, out.getvalue()
def say(*words):
    print("SAID", *words, flush=True, file=sys.__stdout__)
"""
SLEEP = """
def nap(batches):
    import time
    for batch in batches:
        time.sleep(120)
        yield batch
rows = spark.range(0, 4, 1, 4).mapInArrow(nap, "id long").collect()
"""
RAISES = """
def wrong(batches):
    for batch in batches:
        raise ValueError("a band is missing")
        yield batch
spark.range(0, 4, 1, 4).mapInArrow(wrong, "id long").collect()
"""


class Kernel:
    """A shell in a process of its own."""

    def __init__(self, folder: Path, program: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHELL + program, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path[1:]])},
        )

    def hear(self) -> list[str]:
        """The next words that it says."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("SAID "):
                return line.split()[1:]
        raise RuntimeError(f"the shell ended with {self.process.wait()}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def failing(folder: Path) -> float:
    kernel = Kernel(
        folder,
        f"cell('spark.range(3).count()')\ntook, well, text = cell({RAISES!r})\n"
        "assert not well and 'a band is missing' in text, text\nsay(took)\n",
    )
    try:
        return float(kernel.hear()[0])
    finally:
        kernel.end()


def progress_and_cancel(folder: Path) -> tuple[float, float]:
    kernel = Kernel(
        folder,
        f"""
cell('spark.range(3).count()')
first = []
class Bar:
    def update(self, done, total, text):
        first or first.append(time.perf_counter()) or say('drawn', time.perf_counter() - start)
    def close(self): pass
progress.set_display(bar=lambda label: Bar())
start = time.perf_counter()
took, well, text = cell({SLEEP!r})
say('ended')
time.sleep(600)
""",
    )
    try:
        drawn = float(kernel.hear()[1])
        time.sleep(1.5)
        before = napping()
        assert before, "no worker of the cell is there"
        start = time.perf_counter()
        kernel.process.send_signal(signal.SIGINT)
        while any(alive(pid) for pid in before):
            time.sleep(0.02)
        gone = time.perf_counter() - start
        assert kernel.hear() == ["ended"]
        return drawn, gone
    finally:
        kernel.end()


def napping() -> set[int]:
    """Python workers of Spark that have a task: asleep, and younger than their daemon."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes()
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                above = Path(f"/proc/{parent}/cmdline").read_bytes()
            except OSError:
                continue
            if b"pyspark.daemon" in words and b"pyspark.daemon" in above:
                found.add(int(folder.name))
    return found


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def dead_server(folder: Path, *, interrupt: bool) -> float:
    from eolab.clusters.spark import server

    kernel = Kernel(
        folder,
        f"""
cell('spark.range(3).count()')
class Bar:
    def update(self, done, total, text): say('drawn')
    def close(self): pass
progress.set_display(bar=lambda label: Bar())
took, well, text = cell({SLEEP!r})
say('ended', well, 'gone' in text)
""",
    )
    try:
        assert kernel.hear() == ["drawn"]
        found = server.find(folder / "space" / "clusters" / "c")
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        start = time.perf_counter()
        if interrupt:
            time.sleep(0.5)
            start = time.perf_counter()
            kernel.process.send_signal(signal.SIGINT)
        words = kernel.hear()
        while words[0] != "ended":
            words = kernel.hear()
        assert words[1:] == ["False", "True"], words
        return time.perf_counter() - start
    finally:
        kernel.end()


def reattach(folder: Path) -> float:
    first = Kernel(
        folder,
        "cell(\"spark.range(7).createOrReplaceTempView('seven')\")\nsay('made')\nsys.stdin.read()\ntime.sleep(600)",
    )
    assert first.hear() == ["made"]
    first.end()
    second = Kernel(
        folder,
        "took, well, text = cell('SELECT count(*) AS n FROM seven', 'sql', 'c -o n')\n"
        "assert well and shell.user_ns['n']['n'][0] == 7, text\nsay(took)\n",
    )
    try:
        return float(second.hear()[0])
    finally:
        second.end()


def overhead(folder: Path, turns: int) -> float:
    kernel = Kernel(
        folder,
        f"""
cell('spark.range(3).count()')
spark = shell.user_ns['spark']
query = 'SELECT id, id * 2 AS twice FROM range(50)'
raw, ours = [], []
for turn in range({turns} + 3):
    start = time.perf_counter()
    spark.sql(query).limit(100).toPandas()
    raw.append(time.perf_counter() - start)
    ours.append(cell(query, 'sql', 'c -o found')[0])
import statistics
say(1000 * (statistics.median(ours[3:]) - statistics.median(raw[3:])))
""",
    )
    try:
        return float(kernel.hear()[0])
    finally:
        kernel.end()


def fetch(folder: Path) -> tuple[float, float]:
    columns = ", ".join(f"rand({k}) AS c{k}" for k in range(10))
    program = f"""
cell('spark.range(3).count()')
spark = shell.user_ns['spark']
spark.sql("SELECT {columns} FROM range(1000000)").createOrReplaceTempView('wide')
frame = spark.table('wide')
MODE = sys.argv[2] if len(sys.argv) > 2 else ''
spark.range(10).toPandas()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
took, well, text = cell("df = spark.table('wide')", 'spark', 'c -o df')
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
size = shell.user_ns['df'].memory_usage(deep=True).sum() / 1024
raw, ours = [], []
for turn in range(5):
    start = time.perf_counter(); frame.toPandas(); raw.append(time.perf_counter() - start)
    ours.append(cell("df = spark.table('wide')", 'spark', 'c -o df')[0])
import statistics
say(statistics.median(ours) / statistics.median(raw), peak / size)
"""
    kernel = Kernel(folder, program)
    try:
        ratio, memory = kernel.hear()
        return float(ratio), float(memory)
    finally:
        kernel.end()


def measure(*, quick: bool) -> dict[str, float]:
    """The figures of this module's docstring."""
    import eolab as eo
    from eolab.clusters.spark import server

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "eolab.toml").write_text(CONFIG)
        ws = eo.workspace(folder)
        home = folder / "space" / "clusters" / "c"
        figures: dict[str, float] = {}
        try:
            ws.clusters.start("c")
            figures["fail_s"] = failing(folder)
            figures["first_progress_s"], figures["cancel_s"] = progress_and_cancel(folder)
            figures["reattach_s"] = reattach(folder)
            figures["overhead_ms"] = overhead(folder, 20 if quick else 100)
            if not quick:
                figures["fetch_vs_raw"], figures["fetch_memory"] = fetch(folder)
            figures["dead_server_s"] = dead_server(folder, interrupt=False)
            figures["dead_interrupt_s"] = dead_server(folder, interrupt=True)
        finally:
            server.stop(home)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description="What Spark cells cost.")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="without the large fetch")
    options = parser.parse_args()
    start = time.monotonic()
    figures = measure(quick=options.quick)
    for name, value in figures.items():
        print(f"{name:>18} {value:8.3f}   reach {REACH[name]:g}", file=sys.stderr)
    print(f"took {time.monotonic() - start:.0f} s", file=sys.stderr)
    if options.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
