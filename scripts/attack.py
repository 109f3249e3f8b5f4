"""The attacks on eolab's rims, on loopback: one table, in which every figure is to be 0.

    python scripts/attack.py                the whole campaign: within 40 minutes on two cores
    python scripts/attack.py --short        its attacks in short, under 2 minutes (in `make test`)
    python scripts/attack.py --soak         10,000 trials with two panels, on top of the others
    python scripts/attack.py [WORD ...]     only rows with one of these words

A row is an attack of `tests/attacks`, which counts what it did and what went wrong, or a part of
the test suite, of which each test that fails counts in the column that the row stands for. Each
runs in a process of its own, which is ended when its time is over: that counts as a wait.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLUMNS = {
    "lost": "lost",
    "twice": "twice",
    "leaks": "leaks",
    "status_500": "500",
    "tracebacks": "traces",
    "waits": "waits",
}
MARK = "figures: "
SHARED = "EOLAB_TESTS_SHARED"  # a folder for the simulated region, which the first that asks makes


@dataclass(frozen=True)
class Row:
    """One attack.

    Attributes:
        name: What is attacked.
        tests: Files and folders of tests; the short form leaves them to the suite.
        stands_for: The column in which a test that fails counts.
        attack: Module of `tests/attacks` and its attack.
        long: How many attacks the campaign makes.
        short: How many the short form makes.
        seconds: After which it is ended.
        soak: Whether it is asked for by `--soak` only.
    """

    name: str
    tests: tuple[str, ...] = ()
    stands_for: str = "lost"
    attack: tuple[str, str] | tuple[()] = ()
    long: int = 0
    short: int = 0
    seconds: float = 300.0
    soak: bool = False


ROWS: tuple[Row, ...] = (
    Row(
        "secrets: two servers, every reader, every failure",
        (
            "tests/catalog/io/test_canary.py",
            "tests/catalog/io/test_login_servers.py",
            "tests/catalog/io/test_items_of_two_workspaces.py",
        ),
        "leaks",
    ),
    Row(
        "remote documents that name local files",
        ("tests/catalog/io/test_local_files.py", "tests/catalog/io/test_remote_files.py"),
        "leaks",
    ),
    Row("lying, slow and packed services", ("tests/catalog/sources/test_api.py",), "waits"),
    Row("mutated STAC documents", ("tests/catalog/sources/test_mutants.py",), "tracebacks"),
    Row(
        "mutated GeoParquet files",
        attack=("geoparquet", "mutated"), long=500, short=20, seconds=500,
    ),
    Row("sign-ins, origins: every route", ("tests/server/test_access.py",), "leaks"),
    Row("wrong sign-ins", attack=("routes", "sign_ins"), long=2_730),
    Row("traversals", attack=("routes", "traversals"), long=2_604),
    Row("odd requests to the server", attack=("routes", "fuzz"), long=5_000, seconds=600),
    Row("a little of these three", attack=("routes", "each"), short=80),
    Row("the server's answers to bad input", ("tests/server/test_routes.py",), "status_500"),
    Row("odd requests to a study", attack=("study_endpoint", "fuzz"), long=5_000, short=500),
    Row(
        "no requests at all to a study, silence, floods",
        ("tests/studies/coordinator/test_endpoint.py",),
        "waits",
    ),
    Row("days of faults in the protocol", ("tests/studies/coordinator/test_protocol.py",)),
    Row(
        "clocks that jump, workers that fall silent",
        ("tests/studies/coordinator/test_clocks.py",),
        "waits",
    ),
    Row(
        "kills in studies: child, worker, study, feeder, helper",
        attack=("studies", "kills"), long=60, short=3, seconds=700,
    ),
    Row(
        "each kill by itself, full disks, cut networks",
        ("tests/studies/coordinator/test_reliability.py",),
        seconds=400,
    ),
    Row("the server's helper", ("tests/server/helper/test_library.py",), "waits"),
    *(
        Row(f"kills in {act}", attack=("writing", act), long=10, short=1)
        for act in ("insert", "ingest", "index", "download", "register")
    ),
    Row("full and read-only disks", ("tests/test_bad_disks.py",), "tracebacks"),
    Row("writers of one file at once", ("tests/files", "tests/settings")),
    Row("bad input in a cell", ("tests/test_bad_input.py",), "tracebacks"),
    Row(
        "soak of a study with two panels",
        attack=("studies", "soak"), long=10_000, short=0, seconds=2_400, soak=True,
    ),
)  # fmt: skip
_COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


def missing() -> list[str]:
    """Tests and attacks of the table that are not there."""
    named = [path for row in ROWS for path in row.tests]
    named += [f"tests/attacks/{row.attack[0]}.py" for row in ROWS if row.attack]
    return [path for path in named if not (ROOT / path).exists()]


def run(command: Sequence[str], seconds: float, shared: str) -> tuple[int | None, str]:
    """A process with all that it starts; its status (None: ended by us) and what it printed."""
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), SHARED: shared},
        )  # fmt: skip
        try:
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            status = None
        out.seek(0)
        return status, out.read()


def run_tests(row: Row, shared: str) -> dict[str, object]:
    """Figures of a row of tests: each that fails is a fault of its kind."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    command += ["-o", "addopts=", "--import-mode=importlib", "--tb=line", "-rs", *row.tests]
    status, text = run(command, row.seconds, shared)
    lines = text.strip().splitlines()
    counts = {word.rstrip("s"): int(n) for n, word in _COUNT.findall("".join(lines[-1:]))}
    bad = counts.get("failed", 0) + counts.get("error", 0)
    figures: dict[str, object] = {"done": counts.get("passed", 0) + bad}
    if status is None:
        figures["waits"] = 1
    elif status and not bad:
        bad = 1  # there are none, or pytest itself failed
    if bad:
        figures[row.stands_for] = bad
        figures["notes"] = [line for line in lines if " Error" in line or "FAILED" in line][:10]
        figures["notes"] = figures["notes"] or lines[-10:]
    if counts.get("skipped"):
        figures["told"] = f"{counts['skipped']} skipped"
    return figures


def run_attack(row: Row, count: int, seed: int, shared: str) -> dict[str, object]:
    """Figures of an attack, as it printed them on its last line."""
    module, attack = row.attack or ("", "")
    command = [sys.executable, "-W", "ignore", "-m", f"tests.attacks.{module}", attack, str(count)]
    status, text = run([*command, "--seed", str(seed)], row.seconds, shared)
    lines = text.strip().splitlines()
    if status == 0 and lines and lines[-1].startswith(MARK):
        figures: dict[str, object] = json.loads(lines[-1].removeprefix(MARK))
        return figures
    kind = "waits" if status is None else "tracebacks"
    return {"done": 0, kind: 1, "notes": [f"{kind}: {' '.join(lines[-8:])[-600:]}"]}


def show(row: Row, figures: Mapping[str, object], seconds: float) -> int:
    """Print a row; the number of its faults."""
    values = [int(str(figures.get(kind, 0))) for kind in COLUMNS]
    what = "tests" if row.tests else ""
    print(
        f"{row.name:<56} {figures.get('done', 0)!s:>6} {what:<5} "
        + " ".join(f"{v:>6}" for v in values)
        + f" {seconds:>6.0f}",
        flush=True,
    )
    if told := figures.get("told"):
        print(f"    {told}")
    notes = figures.get("notes")
    for note in notes if isinstance(notes, list) else ():
        print(f"    ! {note}", flush=True)
    return sum(values)


def main(
    words: Sequence[str] = (), *, short: bool = False, soak: bool = False, seed: int = 0
) -> int:
    """Print the table; 1 where something is not 0."""
    with tempfile.TemporaryDirectory(prefix="eolab-attack-") as shared:
        return _campaign(words, short=short, soak=soak, seed=seed, shared=shared)


def _campaign(words: Sequence[str], *, short: bool, soak: bool, seed: int, shared: str) -> int:
    faults, begun = 0, time.monotonic()
    heads = " ".join(f"{head:>6}" for head in COLUMNS.values())
    print(f"{'attack':<56} {'done':>6} {'':<5} {heads} {'s':>6}", flush=True)
    for row in ROWS:
        if words and not any(word in row.name for word in words):
            continue
        if row.soak and not soak:
            continue
        started = time.monotonic()
        if row.tests:
            if short:
                continue  # they run beside this one
            figures = run_tests(row, shared)
        elif count := row.short if short else row.long:
            figures = run_attack(row, count, seed, shared)
        else:
            continue
        faults += show(row, figures, time.monotonic() - started)
    print(f"{faults} faults in {time.monotonic() - begun:.0f} s")
    return min(faults, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only rows with one of these words")
    parser.add_argument("--short", action="store_true", help="little of each, without the tests")
    parser.add_argument("--soak", action="store_true", help="the soak too")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    asked = parser.parse_args()
    sys.exit(main(asked.words, short=asked.short, soak=asked.soak, seed=asked.seed))
