"""Overviews of maps of classes: where they were made as averages, they show classes of their own.

No format says how its overviews were made, and those of JPEG 2000 always are averages of a kind. So
it is looked whether pixels of the first overview are among those that they stand for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import rasterio

_SIDE = 256  # pixels of the overview that are looked at, a side
_FEW = 16  # that stand for numbers so far apart that an average would be another
_MOST = 4096  # files that are remembered
_known: dict[tuple[str, int], bool] = {}


def picks_pixels(
    file: rasterio.DatasetReader,
    overview: rasterio.DatasetReader,
    band: int,
    near: tuple[int, int],
) -> bool:
    """Whether overviews are seen to hold numbers of their file, no averages; each looked at once.

    Where the place that is looked at is of one kind nothing is seen, and the answer is no.

    Args:
        file: Open.
        overview: Its first one.
        band: Number of the band.
        near: Row and column of the file around which to look.
    """
    key = _as_it_is(file.name), band
    if key not in _known:
        found = _look(file, overview, band, near)
        if not found:
            return False  # another place may show it
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = found
    return _known[key]


def _as_it_is(name: str) -> str:
    """A file's whole name, and what tells it from the one that was there before.

    What stands behind a "?" may say which file is meant: "https://host/file?id=7".
    """
    try:
        facts = Path(name).stat()
    except (OSError, ValueError):  # elsewhere
        return name
    return f"{name} {facts.st_ino} {facts.st_size} {facts.st_mtime_ns}"


def _look(
    file: rasterio.DatasetReader,
    overview: rasterio.DatasetReader,
    band: int,
    near: tuple[int, int],
) -> bool:
    from rasterio.windows import Window

    starts, sizes, offsets = [], [], []
    for place, full, half in zip(near, file.shape, overview.shape, strict=True):
        if full not in (2 * half, 2 * half - 1):
            return False
        # Of an odd number of pixels those of the overview drift by one from end to end.
        odd = full % 2
        size = min(half - 2 * odd, _SIDE)
        if size < 1:
            return False
        starts.append(min(max(odd, (place - size) // 2), half - odd - size))
        sizes.append(size)
        offsets.append((0, 1, 2)[: 2 + odd])
    (row, column), (height, width), (down, right) = starts, sizes, offsets
    top, left = 2 * row - len(down) + 2, 2 * column - len(right) + 2
    few = overview.read(band, window=Window(column, row, width, height))
    many = file.read(
        band,
        window=Window(left, top, 2 * width + len(right) - 2, 2 * height + len(down) - 2),
    )
    rows, columns = 2 * height - 1, 2 * width - 1
    below = np.stack([many[i : i + rows : 2, j : j + columns : 2] for i in down for j in right])
    below = below.astype("float64")
    apart = below.max(axis=0) - below.min(axis=0) >= 2
    picked = (below == few).any(axis=0)
    return bool(picked.all() and apart.sum() >= _FEW * (len(below) - 3))
