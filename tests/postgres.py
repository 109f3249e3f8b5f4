"""A real PostgreSQL with PostGIS for `make test-more`: unpacked and started, never installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def quiet(*command: object, **options: object) -> str:
    """Run a set-up step; where it cannot run here, the test is skipped, saying so."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=True, **options
        )
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", "") or str(error)
        pytest.skip(f"no PostgreSQL with PostGIS can be set up here: {told.strip()[-300:]}")
    return done.stdout


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter: pytest closes its own to them."""
    with tempfile.TemporaryDirectory(prefix="eolab-postgres-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def programs(home: Path) -> Path:
    """Unpack the programs of PostgreSQL and PostGIS into a new folder; nothing is installed."""
    home.mkdir(mode=0o755)
    about = quiet("apt-cache", "show", "postgresql")
    version = next(line for line in about.splitlines() if line.startswith("Version:"))
    major = version.split()[1].partition("+")[0]
    ask = ("apt-get", "install", "--print-uris", "-y", "-qq", "-o", "Debug::NoLocking=1")
    lines = quiet(*ask, f"postgresql-{major}-postgis-3").splitlines()
    packages = [line.split()[1].partition("_")[0] for line in lines if line.startswith("'")]
    if packages:
        quiet("apt-get", "download", *packages, cwd=home)
    # What is installed already is copied: PostgreSQL looks for its extensions beside itself.
    for part in (f"lib/postgresql/{major}", f"share/postgresql/{major}"):
        if (Path("/usr") / part).is_dir():
            shutil.copytree(f"/usr/{part}", home / "usr" / part, dirs_exist_ok=True, symlinks=True)
    for archive in sorted(home.glob("*.deb")):
        quiet("dpkg", "-x", archive, home)
        archive.unlink()
    extensions = home / "usr/share/postgresql" / major / "extension"
    named = extensions / "postgis.control"
    if not named.exists():
        shutil.copy(extensions / "postgis-3.control", named)
    return home


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """PostgreSQL on loopback with its data below ``folder``, user "postgres"; gives its port."""
    home = programs(folder / "programs")
    server = folder / "server"
    server.mkdir(mode=0o755)
    (bin_,) = (home / "usr/lib/postgresql").glob("*/bin")
    libraries = sorted({str(p.parent) for p in home.rglob("*.so.*")})
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries), "HOME": str(server)}
    options: dict[str, object] = {"env": environment, "cwd": server}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        options |= {"user": "nobody", "extra_groups": []}
        quiet("chown", "nobody", server)
    data, port = server / "data", free_port()
    quiet(bin_ / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", **options)
    settings = f"-k {server} -h 127.0.0.1 -p {port} -c fsync=off"
    quiet(
        bin_ / "pg_ctl", "-D", data, "-w", "-o", settings, "-l", server / "log", "start", **options
    )
    try:
        yield port
    finally:
        stop = (str(bin_ / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        subprocess.run(stop, check=False, capture_output=True, **options)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
