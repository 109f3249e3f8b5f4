"""How much memory a cube may take here: a kernel that runs out of it is killed without a word."""

from __future__ import annotations

import re
from pathlib import Path

_MEGABYTE = 1e6
# Of a container (a hub's pod): limit, use, and files in use that can be let go of any time, by
# control groups of version 2 and 1.
_GROUPS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)


def free_megabytes(root: Path = Path("/")) -> float:
    """Memory that this process may still take, as Linux tells it; infinite where nobody does."""
    left = float("inf")
    if found := re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE):
        left = float(found[1]) * 1024
    for limit, use, stat, files in _GROUPS:
        group = root / "sys/fs/cgroup"
        most, now = _read(group / limit).strip(), _read(group / use).strip()
        if most.isdigit() and now.isdigit():
            held = re.search(rf"^{files} (\d+)", _read(group / stat), re.MULTILINE)
            left = min(left, float(most) - float(now) + (float(held[1]) if held else 0.0))
    return max(0.0, left) / _MEGABYTE


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
