"""Files and folders by what is in them."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from pathlib import Path, PurePath

from eolab.studies.identity.atoms import atom, pack

MOST_FILES = 100_000
_SUFFIX = re.compile(r"\.\w{1,10}$")
_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")


def is_url(value: object) -> bool:
    """Whether text is an address whose content nobody here knows."""
    return isinstance(value, str) and len(value) < 4096 and bool(_URL.match(value))


def named_path(text: str, *, folders: bool) -> Path | None:
    """The file (or folder) here that text names; None where it looks like none.

    Args:
        text: Any text.
        folders: Whether it may be a folder, as data and settings name them.
    """
    if not 2 < len(text) < 1024 or "\n" in text or "\0" in text:
        return None
    if os.sep not in text and not _SUFFIX.search(text):
        return None
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(mode):
        return path
    return path if folders and stat.S_ISDIR(mode) and not is_shared(path) else None


def is_shared(folder: Path) -> bool:
    """Whether a folder is where everything is (home, /tmp, here), or a workspace."""
    place = folder.resolve()
    shared = (Path.home(), Path(tempfile.gettempdir()), Path.cwd(), Path(place.anchor))
    return any(place == p.resolve() or place in p.resolve().parents for p in shared) or any(
        (place / name).exists() for name in ("eolab.toml", "workspace.json")
    )


def content(path: PurePath) -> bytes | None:
    """A hash of what a path leads to; None where that cannot be read.

    A folder counts by names, sizes and content of its files; where everything is, and a workspace,
    by its name alone. A path that leads nowhere counts by its text.
    """
    place = Path(path)
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError):
        return pack(b"nothing at", str(path).encode("utf-8", "surrogatepass"))
    try:
        if stat.S_ISREG(mode):
            return pack(b"file", place.suffix.encode(), _hashed(place))
        if stat.S_ISDIR(mode):
            return _folder(place)
    except OSError:
        return None
    return None


def _folder(place: Path) -> bytes | None:
    if is_shared(place):
        return pack(b"place", str(place).encode("utf-8", "surrogatepass"))
    files = []
    for root, folders, names in os.walk(place):
        folders[:] = sorted(f for f in folders if f not in {"__pycache__", ".ipynb_checkpoints"})
        files += [Path(root) / name for name in names]
        if len(files) > MOST_FILES:
            return None
    parts = []
    for file in sorted(files, key=lambda f: f.relative_to(place).as_posix()):
        if not stat.S_ISREG(file.stat().st_mode):
            continue
        name = atom(file.relative_to(place).as_posix()) or b""
        parts.append(pack(name, b"%d" % file.stat().st_size, _hashed(file)))
    return pack(b"folder", *parts)


def _hashed(file: Path) -> bytes:
    from blake3 import blake3

    return bytes(blake3().update_mmap(str(file)).digest())
