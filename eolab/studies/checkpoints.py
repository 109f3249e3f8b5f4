"""Checkpoint folders on their way between a remote worker and the study, in bounded pieces.

This file travels with `worker.py` to machines without eolab: standard library only.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import tarfile
from pathlib import Path

PIECE = 3 * 1024 * 1024
MOST = 2 * 1024**3


def pack(folder: Path) -> list[str]:
    """The folder as a compressed archive in pieces of text; none for an empty or missing one.

    Raises:
        ValueError: It holds more than 2 GB.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return []
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MOST:
        raise ValueError(f"the checkpoint folder holds {size / 1e9:.1f} GB, {MOST / 1e9:.1f} go")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    content = buffer.getvalue()
    return [
        base64.b64encode(content[i : i + PIECE]).decode() for i in range(0, len(content), PIECE)
    ]


def unpack(pieces: list[str], folder: Path) -> None:
    """Put the archive in place of the folder: all of it or nothing.

    Raises:
        ValueError: It is no archive, or one that reaches out of its folder.
    """
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        content = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            if sum(member.size for member in archive.getmembers()) > MOST:
                raise ValueError("the checkpoint is too large")
            archive.extractall(fresh, filter="data")  # refuses links and paths that lead out
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ValueError(f"no usable checkpoint: {error}") from error
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when something in the folder changes."""
    if not folder.is_dir():
        return ()
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
