"""Install into this environment: with uv where it is there and works, else with pip."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    # Our own package is built with the tools of this environment, which are installed already:
    # an isolated build would fetch them again.
    isolated = ["--no-build-isolation"] if "--editable" in arguments else []
    # Where PYTHONDONTWRITEBYTECODE is set (in many containers) nothing would ever be kept compiled,
    # and every process would compile TensorFlow anew: 13 s instead of 5 s. pip does it by itself.
    compiled = [] if isolated else ["--compile-bytecode"]
    if uv:
        command = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
            *isolated,
            *compiled,
            *arguments,
        ]
        if subprocess.run(command, check=False).returncode == 0:
            return 0
        # pip knows indexes and certificates (pip.conf) that uv does not.
        print("uv did not manage; trying pip", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*command, *isolated, *arguments], check=False).returncode


sys.exit(main(sys.argv[1:]))
