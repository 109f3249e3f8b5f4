"""Files that a file cannot be read without: attributes of a shapefile, the tiles of a mosaic."""

from __future__ import annotations

import re
from pathlib import Path

_PARTS = {
    **dict.fromkeys((".shp", ".tab"), (".dbf", ".prj", ".cpg", ".dat", ".map", ".id")),
    **dict.fromkeys((".img", ".dat", ".bil", ".bip", ".bsq", ".raw"), (".hdr", ".prj")),
    **dict.fromkeys((".tif", ".tiff"), (".tfw",)),
}
"""Endings of what stands beside a file of an ending, by the drivers of GDAL."""
_SOURCE = re.compile(r"<(?:SourceFilename|SourceDataset|SrcDataSource)\b[^>]*>([^<]+)<")
_MOST = 10_000


def companions(file: Path) -> list[Path]:
    """What is read along with a file that is there, and what that needs in turn; in one order.

    Args:
        file: Of any format: a shapefile, a raster with a header beside it, a VRT mosaic.
    """
    found: dict[Path, None] = {}
    open_ones = [file]
    while open_ones and len(found) < _MOST:
        for each in _next_to(open_ones.pop()):
            if each != file and each not in found:
                found[each] = None
                open_ones.append(each)
    return sorted(found)


def _next_to(file: Path) -> list[Path]:
    ending = file.suffix.lower()
    tried = [file.with_suffix(e) for e in _PARTS.get(ending, ())]
    tried += [file.with_suffix(e.upper()) for e in _PARTS.get(ending, ())]
    if ".hdr" in _PARTS.get(ending, ()):
        tried.append(file.with_name(f"{file.name}.hdr"))
    if ending == ".vrt":
        try:
            text = file.read_text("utf-8", errors="replace")
        except OSError:
            text = ""
        tried += [file.parent / name.strip() for name in _SOURCE.findall(text)]
    return [path for path in tried if _is_file(path)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
