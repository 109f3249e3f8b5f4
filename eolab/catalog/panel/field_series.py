"""What happened at one place: its calendar of scenes, and the curve of an index over the time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from eolab.catalog.areas.areas import parse_area
from eolab.catalog.cube.acquisitions import acquisitions
from eolab.catalog.cube.clear_fraction import clear_fraction
from eolab.catalog.cube.grid import inside_of
from eolab.catalog.cube.load import load
from eolab.catalog.cube.plan import estimate_load
from eolab.catalog.items.bands import common_names, has_band
from eolab.catalog.items.duplicates import resolve
from eolab.catalog.items.parsed import ParsedItem, parse_item
from eolab.catalog.items.quality_masks import Mask, mask
from eolab.catalog.items.spectral_indices import bands_for, compute
from eolab.catalog.panel.answers import CalendarJson, FieldCurveJson, FieldPointJson, OverpassJson
from eolab.catalog.sources.base import is_simulated
from eolab.catalog.sources.open import open_source
from eolab.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from odc.geo.geobox import GeoBox

    from eolab.settings.config import Config

MOST = 200  # scenes that one request reads pixels of
SIZE = 128  # pixels on the longer side of an area
CLEAR = 0.5  # of a field that must be clear for its mean to stand for it
Geometry = Mapping[str, object]


def calendar(
    config: Config,
    name: str,
    *,
    collection: str,
    geometry: Geometry,
    datetime: str | None = None,
) -> CalendarJson:
    """Body of `catalogs/{name}/calendar`: each overpass of an area with what is clear of it.

    Raises:
        InvalidInputError: The area is no geometry.
        NotFoundError: No such catalogue.
        RemoteError: The service fails.
    """
    items, older = _scenes(config, name, collection, geometry, datetime)
    clear, reason = _clear(items, geometry)
    placed = [item for item in items if item.time is not None and item.outline is not None]
    rows: list[OverpassJson] = []
    for group in ([placed[number] for number in numbers] for numbers in acquisitions(placed)):
        first = group[0]
        known = [clear[item.id] for item in group if item.id in clear]
        orbit, time = first.relative_orbit, first.time
        covers = [item.cloud_cover for item in group if item.cloud_cover is not None]
        rows.append(
            {
                "date": None if time is None else f"{time:%Y-%m-%d}",
                "orbit": orbit if isinstance(orbit, int) else None,
                "direction": first.orbit_state,
                "platform": first.platform,
                "baseline": first.baseline_text,
                "cloud_cover": sum(covers) / len(covers) if covers else None,
                "valid": known[0][0] if known else None,
                "covered": known[0][1] if known else None,
                "items": [item.id for item in group],
            }
        )
    return {"passes": rows, "reason": reason, "older": older}


def _clear(
    items: list[ParsedItem], geometry: Geometry
) -> tuple[dict[str, tuple[float | None, float]], str]:
    """Share of clear pixels and of seen ones by item; why there is none."""
    if not items:
        return {}, ""
    try:
        table = clear_fraction(items, intersects=geometry, size=SIZE)
    except InvalidInputError as error:
        return {}, error.message
    found: dict[str, tuple[float | None, float]] = {}
    columns = (table[name].tolist() for name in ("clear", "seen", "item_id"))
    for share, seen, listed in zip(*columns, strict=True):
        for item in str(listed).split(","):
            found[item] = None if math.isnan(share) else share, seen
    return found, ""


def curve(
    config: Config,
    name: str,
    *,
    collection: str,
    geometry: Geometry,
    index: str = "NDVI",
    datetime: str | None = None,
    max_cloud: float | None = None,
) -> FieldCurveJson:
    """Body of `catalogs/{name}/curve`: the mean of an index over an area, by clear date.

    A large area is read from overviews. Dates with less than half of the area clear are left out
    of ``points`` and counted in ``cloudy``; ``masked`` is false where nothing tells what is clear.

    Raises:
        InvalidInputError: The area is no geometry, or the scenes lack a band that the index needs.
        NotFoundError: No such catalogue, or no scenes there.
        RemoteError: The service fails.
    """
    import numpy as np

    items, older = _scenes(config, name, collection, geometry, datetime, max_cloud)
    if not items:
        raise NotFoundError("no scene covers the field", "Draw it where footprints are.")
    letters = bands_for(index, common_names(items[0]))
    items = [item for item in items if all(has_band(item, band) for band in letters.values())]
    clouds = _mask_of(items)
    bands = list(dict.fromkeys(letters.values()))
    grid = _coarse(items, bands, geometry)
    cube = load(items, bands=bands, geobox=grid, intersects=geometry, mask=clouds, missing="skip")
    if not inside_of(grid, parse_area(geometry)).any():
        raise InvalidInputError("the field holds no pixel", "Draw a larger one.")
    values = compute(index, {letter: cube[band].to_numpy() for letter, band in letters.items()})
    # What no scene covers is not cloudy.
    covered = int(np.isfinite(values).any(axis=0).sum())
    points: list[FieldPointJson] = []
    cloudy = 0
    for number, time in enumerate(cube["time"].to_numpy()):
        layer = values[number]
        known = layer[np.isfinite(layer)]
        share = known.size / max(covered, 1)
        if known.size == 0 or share < CLEAR:
            cloudy += 1
            continue
        points.append(
            {
                "date": str(np.datetime_as_string(time, unit="D")),
                "value": round(float(known.mean()), 4),
                "std": round(float(known.std()), 4),
                "valid": round(share, 3),
                "item": str(cube["item_id"].to_numpy()[number]),
            }
        )
    return {
        "index": index,
        "points": points,
        "cloudy": cloudy,
        "masked": clouds is not None,
        "pixels": covered,
        "older": older,
        "simulated": any(is_simulated(item.item) for item in items),
    }


def _mask_of(items: list[ParsedItem]) -> Mask | None:
    clouds = mask(("cloud", "shadow"))
    try:
        clouds.band(items)
    except InvalidInputError:
        return None
    return clouds


def _coarse(items: list[ParsedItem], bands: list[str], geometry: Geometry) -> GeoBox:
    grid = estimate_load(items, bands=bands, intersects=geometry, missing="skip").grid
    return grid.zoom_out(max(1.0, max(grid.shape) / SIZE))


def _scenes(
    config: Config,
    name: str,
    collection: str,
    geometry: Geometry,
    datetime: str | None,
    max_cloud: float | None = None,
) -> tuple[list[ParsedItem], bool]:
    """The newest scenes of an area, by time, one a tile and datatake; whether there are older."""
    source = open_source(config, name)
    # The newest: of a service with years of scenes not all are wanted.
    found = source.search(
        [collection],
        intersects=geometry,
        datetime=datetime,
        max_cloud=max_cloud,
        sortby="-datetime",
        limit=MOST + 1,
    )
    return resolve(map(parse_item, list(found)[:MOST]))[0], len(found) > MOST
