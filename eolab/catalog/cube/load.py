"""From items to a cube: an xarray Dataset with dims (time, y, x)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from eolab import first_cube
from eolab.catalog.areas.areas import Area, parse_area
from eolab.catalog.cube.checks import check_chunks, check_items, check_resampling
from eolab.catalog.cube.free_memory import free_megabytes
from eolab.catalog.cube.grid import inside_of, pixel_metres
from eolab.catalog.cube.odc_adapter import (
    band_key,
    common_storage,
    failure,
    storage,
    strip,
    unreadable,
)
from eolab.catalog.cube.odc_reader import reader_driver
from eolab.catalog.cube.plan import MASK, LoadEstimate, Scene, estimate_load
from eolab.catalog.io.rasters import NO_LISTING, Readers, environment
from eolab.catalog.items.bands import common_name
from eolab.catalog.items.parsed import ParsedItem
from eolab.catalog.items.quality_masks import Mask
from eolab.deprecation import renamed_arguments
from eolab.errors import InvalidInputError, RemoteError
from eolab.progress import track
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pystac
    import xarray as xr
    from odc.geo.geobox import GeoBox
    from shapely.geometry.base import BaseGeometry

MAX_MEGABYTES = 8_000.0
PEAK = 2.5  # memory while loading, over the cube's own
RAW = "raw"


@renamed_arguments(geometry="intersects")
def load(
    items: Iterable[pystac.Item | ParsedItem] | pystac.Item,
    *,
    bands: Sequence[str] | str | None = None,
    crs: str | int | None = None,
    resolution: float | None = None,
    mask: Mask | None = None,
    native: bool = False,
    geobox: GeoBox | None = None,
    bbox: Sequence[float] | None = None,
    intersects: Area | None = None,
    chunks: Mapping[str, int] | None = None,
    raw: bool = False,
    resampling: str = "nearest",
    missing: Literal["raise", "skip"] = "raise",
    duplicates: Literal["resolve", "keep"] = "resolve",
    harmonise: Literal["hls"] | None = None,
    force: bool = False,
) -> xr.Dataset:
    """Load items as a cube of physical values.

    One slice is one solar day of one orbit, whatever tiles and zones it is cut in. Scale and offset
    are decided for each item (see `eolab.catalog.items.radiometry`); nodata becomes NaN before.

    Args:
        items: Items of one sensor, or one of them.
        bands: Asset keys, band names or common names; None for all.
        crs: Reference system, such as "EPSG:32633"; None takes the one whose items cover most.
        resolution: Pixel size in its units (degrees for EPSG:4326); None takes the finest band's.
        mask: What to leave out, from `mask`.
        native: Keep the items' own grid, which they must share.
        geobox: An exact grid, instead of crs, resolution and area.
        bbox: Crop to west, south, east, north in degrees.
        intersects: Crop to an area in longitude and latitude; pixels outside become NaN.
        chunks: Give sizes, such as {"x": 1024, "y": 1024}, for a lazy cube on dask. Scenes of
            another zone are warped chunk by chunk: where two pixels of a file are equally near
            (to 0.02 of a pixel), the other one may be taken than in a cube loaded at once.
        raw: The stored numbers, as they are.
        resampling: How reflectance is resampled ("nearest", "bilinear", "average", ...);
            classes always by nearest.
        missing: Raise for an item that lacks a file or a band, or leave it out; those left out
            are listed in ``attrs["eolab_missing"]``. A lazy cube finds out when it is computed.
        duplicates: Keep one product a tile and datatake, or all.
        harmonise: "hls" brings Sentinel-2's reflectance to Landsat OLI's bands by the published
            coefficients of the HLS project; bands without coefficients are refused.
        force: Load even above 8,000 MB, or what the memory that is free here allows.

    Returns:
        Variables float32 (time, y, x), NaN where unknown (``raw``: as stored); coordinates by time:
        ``item_id`` (comma-separated), ``platform``, ``baseline``, ``relative_orbit``,
        ``orbit_state``. Attributes are text, which every file format takes.

    Raises:
        InvalidInputError: No items, unknown or ambiguous band, nothing to mask with, no reference
            system, too large.
        NotFoundError: A file is missing.
        RemoteError: A remote file cannot be read.

    Example:
        >>> cube = eo.load(
        ...     items,
        ...     bands=["red", "nir"],
        ...     crs="EPSG:32633",
        ...     resolution=20,
        ...     mask=eo.mask(["cloud", "shadow"]),
        ... )
        >>> dict(cube.sizes), cube.red.dtype
        ({'time': 2, 'y': 248, 'x': 526}, dtype('float32'))
        >>> cube.attrs["eolab_radiometry"]
        'baseline 04.00 or later; offset applied by the provider'
    """
    if raw and harmonise is not None:
        raise InvalidInputError(
            "raw=True leaves the numbers as they are: no harmonise", "Leave one out."
        )
    if raw and mask is not None:
        raise InvalidInputError(
            "raw=True leaves the numbers as they are: no mask", "Leave one out."
        )
    check_resampling(resampling)
    check_chunks(chunks)
    listed = check_items(items)
    planned = partial(
        estimate_load,
        bands=bands,
        crs=crs,
        resolution=resolution,
        mask=mask,
        native=native,
        geobox=geobox,
        bbox=bbox,
        intersects=intersects,
        missing=missing,
        duplicates=duplicates,
        harmonise=harmonise,
    )
    made = planned(listed)
    if chunks is None and not force:
        _check_size(made)
    try:
        cube = _read(made, raw=raw, chunks=chunks, resampling=resampling)
    except (InvalidInputError, RemoteError):
        # A file that is there by its address may still not open.
        broken = unreadable(made) if missing == "skip" else {}
        rest = [item for item in listed if item.id not in broken]
        if not broken or not rest:
            raise
        made = planned(rest)
        made = replace(made, missing=(*made.missing, *sorted(broken)))
        cube = _read(made, raw=raw, chunks=chunks, resampling=resampling)
    if not raw:
        cube = _scale(cube, made)
        if mask is not None:
            bad = mask.bad(cube[MASK], made.layer, pixel_metres(made.grid))
            cube = cube.drop_vars(MASK).where(~bad)
        cube = _join(cube, made)
        if chunks is None:
            _warn_of_negatives(cube, made)
    if intersects is not None:
        cube = _clip(cube, made.grid, parse_area(intersects), raw=raw)
    cube = _annotate(cube, made, raw=raw)
    first_cube.loaded()
    return cube


def _check_size(made: LoadEstimate) -> None:
    """Refuse what would take long, or more than there is."""
    free = free_megabytes()
    if made.megabytes <= min(MAX_MEGABYTES, free / PEAK):
        return
    here = f"; {free:,.0f} MB of memory are free here" if free / PEAK < made.megabytes else ""
    raise InvalidInputError(
        f"this is large: {made}{here}",
        "Take fewer bands, dates or less area, give chunks= for a lazy cube, or force=True.",
    )


def _read(
    made: LoadEstimate, *, raw: bool, chunks: Mapping[str, int] | None, resampling: str
) -> xr.Dataset:
    """Stored numbers; one slice a day and radiometry, in the order of `_cuts`."""
    import odc.stac
    import rasterio

    scenes = [scene for group in made.slices for scene in group]
    cuts = _cuts(made, raw=raw)
    place = {id(scene): k for k, cut in enumerate(cuts) for scene in cut}
    order = [place[id(scene)] for scene in scenes]
    variables = list(scenes[0].bands)
    columns = {name: f"b{k}" for k, name in enumerate(variables)}
    types = {name: common_storage(scenes, name) for name in variables}
    stripped = [strip(scene, columns, types) for scene in scenes]
    asked = {name: band_key(scenes[0], name, columns[name]) for name in variables}
    method = {
        key: "nearest" if scenes[0].bands[name].role == "classes" else resampling
        for name, key in asked.items()
    }

    def key_of(item: object, parsed: object, index: int) -> int:
        del item, parsed
        return order[index]

    def progress(tasks: Iterable[object], total: int | None = None) -> Iterable[object]:
        return track(tasks, f"loading {made.megabytes:,.0f} MB", total)

    if chunks is not None:
        # GDAL says so of arrays in memory while it warps them; a lazy cube is read later.
        quiet = rasterio.errors.NotGeoreferencedWarning
        warnings.filterwarnings("ignore", category=quiet, module=r"rasterio\.warp")
    hrefs = [asset.href for item in stripped for asset in item.assets.values()]
    workers = 16 if any("://" in href for href in hrefs) else 4
    try:
        with (
            warnings.catch_warnings(),
            environment(**NO_LISTING),
            Readers(workers) as pool,
        ):
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            cube: xr.Dataset = odc.stac.load(
                stripped,
                bands=list(asked.values()),
                geobox=made.grid,
                groupby=key_of,
                resampling=method,
                chunks=None if chunks is None else dict(chunks),
                pool=None if chunks is not None else pool,
                progress=None if chunks is not None else progress,
                driver=reader_driver(stripped),
            )
    except (rasterio.errors.RasterioError, AssertionError, ValueError) as error:
        raise failure(made, error) from error
    names = {key: name for name, key in asked.items()}
    space = {"latitude": "y", "longitude": "x"}
    return cube.rename({**names, **{k: v for k, v in space.items() if k in cube.dims}})


def _cuts(made: LoadEstimate, *, raw: bool) -> list[list[Scene]]:
    """Scenes that can be mosaicked as stored numbers: same day, orbit and radiometry."""
    cuts: list[list[Scene]] = []
    for group in made.slices:
        rules: dict[object, list[Scene]] = {}
        for scene in group:
            rules.setdefault(None if raw else scene.rule, []).append(scene)
        cuts.extend(rules.values())
    return cuts


def _scale(cube: xr.Dataset, made: LoadEstimate) -> xr.Dataset:
    """Numbers to values, slice by slice of `_cuts`."""
    import xarray as xr

    cuts = _cuts(made, raw=False)
    out: dict[str, xr.DataArray] = {}
    for name, numbers in ((str(key), values) for key, values in cube.data_vars.items()):
        if name == MASK:
            out[name] = numbers
            continue
        rules = [cut[0].radiometry[name] for cut in cuts]
        stored = storage(cuts[0][0], name).nodata
        scale = xr.DataArray(np.array([r.scale for r in rules], np.float32), dims="time")
        offset = xr.DataArray(np.array([r.offset for r in rules], np.float32), dims="time")
        values = numbers.astype(np.float32) * scale + offset
        if stored is not None and not np.isnan(stored):
            values = values.where(numbers != stored)
        out[name] = values.assign_attrs(units=cuts[0][0].radiometry[name].unit, nodata=float("nan"))
    return xr.Dataset(out, coords=cube.coords)


def _join(cube: xr.Dataset, made: LoadEstimate) -> xr.Dataset:
    """One slice a day and orbit: cuts of different radiometry laid over each other."""
    import xarray as xr

    counts = [len({scene.rule for scene in group}) for group in made.slices]
    if max(counts) == 1:
        return cube
    parts, start = [], 0
    for count in counts:
        part = cube.isel(time=slice(start, start + 1))
        for k in range(start + 1, start + count):
            other = cube.isel(time=slice(k, k + 1)).assign_coords(time=part.time)
            part = part.where(part.notnull(), other)
        parts.append(part)
        start += count
    return xr.concat(parts, dim="time")


def _warn_of_negatives(cube: xr.Dataset, made: LoadEstimate) -> None:
    """Much negative red means that an offset was taken out twice, or a wrong scale."""
    for name in made.bands:
        if common_name(made.slices[0][0].item, made.slices[0][0].bands[name]) != "red":
            continue
        values = cube[name].to_numpy()
        known = np.isfinite(values)
        share = float((values[known] < 0).mean()) if known.any() else 0.0
        if share > 0.05:
            warn(
                f"{share:.0%} of {name} is negative: an offset may have been applied twice. "
                "See cube.attrs['eolab_radiometry'], and load with raw=True to compare.",
                UserWarning,
            )


def _clip(cube: xr.Dataset, grid: GeoBox, area: BaseGeometry, *, raw: bool) -> xr.Dataset:
    import xarray as xr

    inside = xr.DataArray(inside_of(grid, area), dims=("y", "x"))
    if not raw:
        return cube.where(inside)
    # A nodata of the band's own type: any other would change that of the numbers.
    return cube.map(
        lambda band: band.where(inside, band.dtype.type(band.attrs.get("nodata", 0))),
    )


def _annotate(cube: xr.Dataset, made: LoadEstimate, *, raw: bool) -> xr.Dataset:
    """Provenance as coordinates by time: attributes do not survive arithmetic."""

    def each(value: Callable[[Scene], object]) -> np.ndarray:
        texts = [
            ",".join(dict.fromkeys(str(v) for s in group if (v := value(s)) is not None))
            for group in made.slices
        ]
        # Text of a fixed width has no place in the Zarr format.
        return np.array(texts, dtype=object)

    cube = cube.assign_coords(
        item_id=("time", each(lambda s: s.item.id)),
        platform=("time", each(lambda s: s.item.platform)),
        baseline=("time", each(lambda s: s.item.baseline_text or None)),
        relative_orbit=("time", each(lambda s: s.item.relative_orbit)),
        orbit_state=("time", each(lambda s: s.item.orbit_state)),
    )
    rules = {
        f"{s.item.id}/{name}": r.rule
        for group in made.slices
        for s in group
        for name, r in s.radiometry.items()
        if name != MASK
    }
    # Text, not lists: netCDF takes those in some of its formats only.
    cube.attrs = {
        "eolab_items": ", ".join(s.item.id for group in made.slices for s in group),
        "eolab_dropped": "; ".join(
            f"{d.item}: {d.reason} ({d.kept} is kept)" for d in made.dropped
        ),
        "eolab_missing": ", ".join(made.missing),
        "eolab_radiometry": RAW if raw else "; ".join(sorted(set(rules.values()))),
        "eolab_tiles": ", ".join(
            sorted({s.item.tile for g in made.slices for s in g if s.item.tile})
        ),
    }
    for band in cube.data_vars.values():
        # By the CF conventions: GDAL finds no reference system in a saved cube without it.
        band.encoding["grid_mapping"] = "spatial_ref"
    return cube
