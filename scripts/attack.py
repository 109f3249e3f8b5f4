"""The attacks on eolab's rims, on loopback: one table, whose last column is to be 0.

    python scripts/attack.py [WORD ...]     only rows with one of these words

Each row is a part of the test suite: what `make test` runs in short, told together here. Rows of
the campaign that have no test yet say so.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What is attacked, and the tests that do it; empty where none does yet.
ROWS: dict[str, tuple[str, ...]] = {
    "secrets: two servers, every reader, every failure": (
        "tests/catalog/io/test_canary.py",
        "tests/catalog/io/test_login_servers.py",
        "tests/catalog/io/test_items_of_two_workspaces.py",
    ),
    "remote documents that name local files": (
        "tests/catalog/io/test_local_files.py",
        "tests/catalog/io/test_remote_files.py",
    ),
    "lying, slow and packed services": ("tests/catalog/sources/test_api.py",),
    "5,000 mutated STAC documents": ("tests/catalog/sources/test_mutants.py",),
    "500 mutated GeoParquet files": (),
    "sign-ins, origins, traversals": (
        "tests/server/test_access.py",
        "tests/server/test_routes.py",
    ),
    "10,000 malformed requests to a study, silence, floods": (
        "tests/studies/coordinator/test_endpoint.py",
    ),
    "days of faults in the protocol": ("tests/studies/coordinator/test_protocol.py",),
    "clocks that jump, workers that fall silent": ("tests/studies/coordinator/test_clocks.py",),
    "kills in studies: worker, child, process, kernel, feeder": (
        "tests/studies/coordinator/test_reliability.py",
    ),
    "kills of the server's helper": ("tests/server/helper/test_library.py",),
    "10 kills in each writing act": (),
    "full and read-only disks": ("tests/test_bad_disks.py",),
    "writers of one file at once": ("tests/files", "tests/settings"),
    "bad input in a cell": ("tests/test_bad_input.py",),
    "soak of 10,000 trials with two panels": (),
}
_COUNT = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


def missing() -> list[str]:
    """Tests of the table that are not there."""
    named = (path for paths in ROWS.values() for path in paths)
    return [path for path in named if not (ROOT / path).exists()]


def run(paths: tuple[str, ...]) -> tuple[dict[str, int], float]:
    """Counts of passed, failed and skipped tests, and seconds."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-o", "addopts=", "--tb=no", *paths],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    last = done.stdout.strip().splitlines()[-1:] or [""]
    counts = {word.rstrip("s"): int(n) for n, word in _COUNT.findall(last[0])}
    if done.returncode not in (0, 5) and not counts.get("failed"):
        counts["failed"] = 1
    return counts, time.monotonic() - begun


def main(words: list[str]) -> int:
    """Print the table; the number of faults, at most 1."""
    faults = 0
    print(f"{'attack':<58} {'tests':>6} {'skipped':>8} {'s':>6} {'faults':>7}")
    for row, paths in ROWS.items():
        if words and not any(word in row for word in words):
            continue
        if not paths:
            print(f"{row:<58} {'not yet':>6}")
            continue
        counts, seconds = run(paths)
        bad = counts.get("failed", 0) + counts.get("error", 0)
        faults += bad
        tests, skipped = counts.get("passed", 0) + bad, counts.get("skipped", 0)
        print(f"{row:<58} {tests:>6} {skipped:>8} {seconds:>6.0f} {bad:>7}", flush=True)
    print(f"{faults} faults")
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
