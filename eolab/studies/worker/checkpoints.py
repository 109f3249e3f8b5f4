"""Checkpoint folders on their way between a remote worker and the study, in bounded pieces.

This file travels with `supervisor.py` to machines without eolab: standard library only.
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

    Links travel as what they point at.

    Raises:
        ValueError: It holds more than 2 GB, or a link that leads nowhere.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return []
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MOST:
        raise ValueError(f"the checkpoint folder holds {size / 1e9:.1f} GB, {MOST / 1e9:.1f} go")
    buffer = io.BytesIO()
    try:
        with tarfile.open(
            fileobj=buffer, mode="w:gz", compresslevel=1, dereference=True
        ) as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
    except OSError as error:
        raise ValueError(f"the checkpoint folder cannot be read: {error}") from error
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
            for member in archive:
                _extract(archive, member, fresh)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ValueError(f"no usable checkpoint: {error}") from error
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One file or folder of an archive that nobody vouches for.

    By hand: tarfile's own filters came with Python 3.11.4, and the first 3.11 are still in use.
    """
    target = folder / member.name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{member.name} leads out of its folder")
    source = archive.extractfile(member) if member.isreg() else None
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif source is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    else:
        raise ValueError(f"{member.name} is neither a file nor a folder")


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
