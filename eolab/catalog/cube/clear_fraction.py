"""How much of an area is clear on each date, before anything is loaded in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.areas.areas import Area, parse_area
from eolab.catalog.cube.checks import check_items, check_mask
from eolab.catalog.cube.grid import inside_of, pixel_metres
from eolab.catalog.cube.load import load
from eolab.catalog.cube.plan import estimate_load
from eolab.catalog.items.parsed import ParsedItem
from eolab.catalog.items.quality_masks import Mask, mask, unseen
from eolab.deprecation import renamed_arguments
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd
    import pystac


@renamed_arguments(geometry="intersects")
def clear_fraction(
    items: Iterable[pystac.Item | ParsedItem] | pystac.Item,
    *,
    bbox: Sequence[float] | None = None,
    intersects: Area | None = None,
    mask: Mask = mask(),  # noqa: B008  frozen
    size: int = 256,
) -> pd.DataFrame:
    """Share of the area that is clear, by date, read from the overviews of the quality layer.

    Args:
        items: Items of one sensor, or one of them.
        bbox: West, south, east, north in degrees.
        intersects: Area in longitude and latitude; by default all of the items.
        mask: What does not count as clear.
        size: Pixels on the longer side of the area: fewer are quicker.

    Returns:
        One row per date: ``time``; ``clear``, the clear share of the valid pixels (0..1, NaN
        without any); ``seen``, the valid fraction of the area (0..1); ``item_id``.

    Raises:
        InvalidInputError: As `eolab.catalog.load`; the items have nothing to mask with.

    Example:
        >>> table = eo.clear_fraction(items)
        >>> table[["clear", "seen"]].round(2).values.tolist()
        [[0.79, 0.82], [0.82, 0.89]]
    """
    import pandas as pd

    listed = check_items(items)
    check_mask(mask)
    if not isinstance(size, int | np.integer) or size < 1:
        raise InvalidInputError(f"size = {size!r}", "Give a whole number of pixels, such as 256.")
    layer = mask.band(listed)
    mask = mask.with_scale_of(listed, layer)
    full = estimate_load(listed, bands=[layer], bbox=bbox, intersects=intersects).grid
    factor = max(1.0, max(full.shape) / size)
    grid = full.zoom_out(factor)
    cube = load(listed, bands=[layer], geobox=grid, raw=True)
    values = cube[layer]
    known = ~unseen(values, layer).to_numpy()
    inside = np.ones(grid.shape, dtype=bool)
    if intersects is not None:
        inside = inside_of(grid, parse_area(intersects))
    bad = mask.bad(values, layer, pixel_metres(grid)).to_numpy()
    rows = []
    for number, time in enumerate(cube["time"].to_numpy()):
        seen = known[number] & inside
        clear = float((~bad[number][seen]).mean()) if seen.any() else float("nan")
        share = float(seen.sum() / inside.sum())
        rows.append((pd.Timestamp(time), clear, share, str(cube["item_id"].to_numpy()[number])))
    return pd.DataFrame(rows, columns=["time", "clear", "seen", "item_id"])
