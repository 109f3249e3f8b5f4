"""Say whether Spark can run here: it needs Java 17 or later; everything else does not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path


def main() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    text = ""
    if java:
        try:
            text = subprocess.run(
                [java, "-version"], capture_output=True, text=True, check=True
            ).stderr
        except (OSError, subprocess.CalledProcessError):
            text = ""
    match = re.search(r'version "(\d+)', text)
    if match and int(match.group(1)) >= 17:
        print(f"Java {match.group(1)}: Spark can run here.")
    else:
        print("No Java 17 or later here: everything but Spark works.")


main()
