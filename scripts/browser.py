"""See that there is a Chromium for the browser tests: found, else installed, else a clear message.

Prints the program's path on the last line; `tests/e2e` looks it up by the same function.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a Chromium that can be started: EOLAB_CHROMIUM, on PATH, or Playwright's own."""
    named = os.environ.get("EOLAB_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = play.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> int:
    path = find()
    if path is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("No Chromium here: installing Debian's", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False)
        path = find()
    if path is None:
        print("No Chromium here: installing Playwright's", flush=True)
        # A closed network may never answer.
        try:
            subprocess.run(
                [sys.executable, "-m", "playwright", "install", "chromium"],
                check=False,
                timeout=300,
            )
        except subprocess.TimeoutExpired:
            print("Playwright's download did not come")
        path = find()
    if path is None:
        print(
            "No Chromium, and none could be installed. Install one (Debian: apt-get install"
            " chromium) or set EOLAB_CHROMIUM to its path."
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
