"""Whether Spark can run on this machine: it needs Java 17 or later."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from eolab.errors import ConfigError

LEAST = 17


def java_version() -> int | None:
    """Java's major version, or None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java:
        return None
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r'version "(\d+)', done.stderr)
    return int(match.group(1)) if match else None


def check_java() -> None:
    """Refuse early and in words what the JVM would refuse late and in a traceback.

    Raises:
        ConfigError: No Java, or one that is too old.
    """
    found = java_version()
    if found is None or found < LEAST:
        what = "there is no Java here" if found is None else f"Java {found} is too old for Spark"
        raise ConfigError(what, f"Install Java {LEAST} or later (Debian: openjdk-17-jre-headless).")
