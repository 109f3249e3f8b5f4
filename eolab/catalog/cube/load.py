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
from eolab.catalog.cube import licences
from eolab.catalog.cube.acquisitions import GroupBy
from eolab.catalog.cube.checks import check_chunks, check_items, check_resampling
from eolab.catalog.cube.free_memory import free_megabytes
from eolab.catalog.cube.grid import inside_of, pixel_metres
from eolab.catalog.cube.odc_adapter import (
    CubeGrid,
    column,
    failure,
    strip,
    unreadable,
)
from eolab.catalog.cube.odc_reader import StoredDifferentlyError, reader_driver
from eolab.catalog.cube.plan import MASK, ByBand, LoadEstimate, Scene, estimate_load
from eolab.catalog.cube.provenance import ATTR, as_text, warn_of_rules, warn_of_values
from eolab.catalog.cube.stored import ask_files, warn_of_shift
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.rasters import NO_LISTING, SIDE_FILES, Readers, environment
from eolab.catalog.items.calibration import Calibration
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
    bands: Mapping[str, str] | Sequence[str] | str | None = None,
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
    group_by: GroupBy = "acquisition",
    harmonise: Literal["hls"] | None = None,
    scale: ByBand | None = None,
    offset: ByBand | None = None,
    nodata: ByBand | None = None,
    calibrate: Calibration | Mapping[str, Calibration] | None = None,
    force: bool = False,
) -> xr.Dataset:
    """Load items as a cube of physical values.

    One slice is one acquisition, whatever tiles and zones it is cut in: one datatake or relative
    orbit of a platform, one instant, or neighbours less than ten minutes apart; what shows the same
    ground at another time is another slice. Its time is that of its first item.

    Scale, offset and nodata are decided for each layer of each item: by your own word, else by what
    the item says, else by its file, and last by what the product's publisher says. Nodata, masks
    and alpha bands become NaN.

    Args:
        items: Items of one sensor, or one of them.
        bands: Asset keys, band names or common names; None for all; or a mapping of the names
            of the cube to those of the items, such as {"red": "band3"}.
        crs: Reference system, such as "EPSG:32633"; None takes the one whose items cover most.
        resolution: Pixel size in its units (degrees for EPSG:4326, feet where it has feet); None
            takes the finest band's, brought to these units, height and width each.
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
        group_by: What a slice is. "acquisition" as above. "solar_day": acquisitions of one day by
            the sun, of one platform and orbit, that show other ground (flights over neighbours);
            two passes over the same ground stay two slices. "time": items of the very same time.
            "id": each item. Of items on the same ground in one slice the first is seen, and a
            warning names what lies under it.
        harmonise: "hls" brings Sentinel-2's reflectance to Landsat OLI's bands by the published
            coefficients of the HLS project (Sentinel-2A, 2B, 2C); others are refused.
        scale: Your own factor, for all bands or by name ({"red": 0.0001}): it counts before all
            that items, files and tables of products say, and without ``offset`` nothing is added.
        offset: Your own addend, in the values' unit: value = number * scale + offset.
        nodata: Your own stored number that means nothing.
        calibrate: What the numbers of Level-1 scenes become by the metadata of each: "reflectance"
            (at the top of the atmosphere), "radiance" (W m-2 sr-1 um-1) or "temperature" (of
            brightness, kelvin), for all bands or by name ({"red": "reflectance"}). Of Landsat
            Level-1 by its MTL file (JSON or text), of PlanetScope AnalyticMS by its metadata XML:
            an asset of the item, or a file beside a local raster. Without it such numbers stay as
            stored. Example: ``eo.load(items, bands=["red"], calibrate="reflectance")``.
        force: Load even above 8,000 MB, or what the memory that is free here allows.

    Returns:
        Variables float32 (time, y, x), NaN where unknown (``raw``: as stored); coordinates by time:
        ``item_id`` (comma-separated), ``platform``, ``baseline``, ``relative_orbit``,
        ``orbit_state``. Attributes are text, which every file format takes; what was done to each
        layer, and who said so, shows `cube.eo.provenance()`. Variables are float64 where a scene
        stores float64 or whole numbers of 32 bits.

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
    if raw and not (scale is None and offset is None):
        raise InvalidInputError(
            "raw=True leaves the numbers as they are: no scale or offset", "Leave one out."
        )
    if raw and calibrate is not None:
        raise InvalidInputError(
            "raw=True leaves the numbers as they are: no calibrate", "Leave one out."
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
        group_by=group_by,
        harmonise=harmonise,
        scale=scale,
        offset=offset,
        nodata=nodata,
        calibrate=calibrate,
    )
    made = planned(listed)
    if chunks is None and not force:
        _check_size(made)
    _warn_of_left_out(made)
    try:
        cube, made = _read(made, raw=raw, chunks=chunks, resampling=resampling)
    except (InvalidInputError, RemoteError):
        # A file that is there by its address may still not open.
        broken = unreadable(made) if missing == "skip" else {}
        rest = [item for item in listed if item.id not in broken]
        if not broken or not rest:
            raise
        made = planned(rest)
        made = replace(made, missing=(*made.missing, *sorted(broken)))
        cube, made = _read(made, raw=raw, chunks=chunks, resampling=resampling)
    if not raw:
        if mask is not None:
            scaled = mask.with_scale_of([s.item for g in made.slices for s in g], made.layer)
            bad = scaled.bad(cube[MASK], made.layer, pixel_metres(made.grid))
            cube = cube.drop_vars(MASK).where(~bad)
        warn_of_rules(made)
        warn_of_shift(made)
        if chunks is None:
            warn_of_values(cube, made)
    if intersects is not None:
        cube = _clip(cube, made.grid, parse_area(intersects), raw=raw)
    cube = _annotate(cube, made, raw=raw)
    first_cube.loaded()
    return cube


def _warn_of_left_out(made: LoadEstimate) -> None:
    """Whatever is not in the cube, or only in part, is named."""
    # The same item twice is no loss.
    dropped = [d for d in made.dropped if d.item != d.kept]
    if dropped:
        last = dropped[0]
        warn(
            f"{len(dropped)} items are left out as duplicates: {last.item}, {last.reason} "
            f"({last.kept} is kept){', ...' if len(dropped) > 1 else ''}. duplicates='keep' loads"
            " all; cube.attrs['eolab_dropped'] names them.",
            UserWarning,
        )
    if not made.hidden:
        return
    first = made.hidden[0]
    warn(
        f"{len(made.hidden)} items lie on the same ground at the same time as another item, and "
        f"show only where that has no value: {first.item} under {first.kept}"
        f"{', ...' if len(made.hidden) > 1 else ''}. If they are other acquisitions, give them "
        "their own times (eo.ingest(..., time=...)); if they are other bands, ingest them as "
        "assets of one item.",
        UserWarning,
    )


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
) -> tuple[xr.Dataset, LoadEstimate]:
    """The cube, and the estimate as it was carried out: with what the files said."""
    made = ask_files(made, raw=raw, later=chunks is not None)
    try:
        return _pixels(made, raw=raw, chunks=chunks, resampling=resampling), made
    except StoredDifferentlyError:
        # A file is not what its item states, or not as others of its kind: the files count.
        made = ask_files(made, raw=raw, everything=True)
        return _pixels(made, raw=raw, chunks=chunks, resampling=resampling), made


def _pixels(
    made: LoadEstimate, *, raw: bool, chunks: Mapping[str, int] | None, resampling: str
) -> xr.Dataset:
    """Values, NaN where unknown, or numbers as stored; each layer by its own recipe."""
    import odc.stac
    import rasterio

    scenes = [scene for group in made.slices for scene in group]
    order = [k for k, group in enumerate(made.slices) for _ in group]
    variables = list(scenes[0].bands)
    columns = {name: f"b{k}" for k, name in enumerate(variables)}
    stored = {name for name in variables if raw or name == MASK}
    types = {name: column(scenes, name, as_stored=name in stored) for name in variables}
    cube_grid = CubeGrid(made.grid) if made.own_grid else None
    stripped = [
        strip(
            scene,
            columns,
            types,
            stored,
            later=chunks is not None,
            cube=cube_grid,
        )
        for scene in scenes
    ]
    method = {
        key: "nearest" if types[name].classes or name == MASK else resampling
        for name, key in columns.items()
    }

    def key_of(item: object, parsed: object, index: int) -> int:
        del item, parsed
        return order[index]

    def progress(tasks: Iterable[object], total: int | None = None) -> Iterable[object]:
        return track(tasks, f"loading {made.megabytes:,.0f} MB", total)

    if chunks is not None:
        # GDAL says so of arrays in memory while it warps them, and rasterio of masks beside files;
        # a lazy cube is read later.
        quiet = rasterio.errors.NotGeoreferencedWarning
        warnings.filterwarnings(
            "ignore", category=quiet, module=r"rasterio\.warp|eolab\.catalog\.io\.rasters"
        )
    hrefs = [asset.href for item in stripped for asset in item.assets.values()]
    workers = 16 if any("://" in href for href in hrefs) else 4
    listing = SIDE_FILES if all(local_files(href) for href in hrefs) else NO_LISTING
    try:
        with (
            warnings.catch_warnings(),
            environment(**listing),
            Readers(workers) as pool,
        ):
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            cube: xr.Dataset = odc.stac.load(
                stripped,
                bands=list(columns.values()),
                geobox=made.grid,
                groupby=key_of,
                resampling=method,
                chunks=None if chunks is None else dict(chunks),
                pool=None if chunks is not None else pool,
                progress=None if chunks is not None else progress,
                driver=reader_driver(),
            )
    except InvalidInputError:
        raise
    except (rasterio.errors.RasterioError, AssertionError, ValueError) as error:
        raise failure(made, error) from error
    space = {"latitude": "y", "longitude": "x"}
    cube = cube.rename(
        {
            **{key: name for name, key in columns.items()},
            **{k: v for k, v in space.items() if k in cube.dims},
        }
    )
    for name in set(variables) - stored:
        units = {unit for scene in scenes if (unit := scene.radiometry[name].unit) is not None}
        attrs: dict[str, object] = {"units": min(units)} if units else {}
        cube[name].attrs = {**attrs, "nodata": float("nan")}
    return cube


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
        ATTR: as_text(made),
        licences.ATTR: licences.as_text([s.item for group in made.slices for s in group]),
        "eolab_radiometry": RAW if raw else "; ".join(sorted(set(rules.values()))),
        "eolab_tiles": ", ".join(
            sorted({s.item.tile for g in made.slices for s in g if s.item.tile})
        ),
    }
    for band in cube.data_vars.values():
        # By the CF conventions: GDAL finds no reference system in a saved cube without it.
        # An attribute survives arithmetic, which drops the encoding.
        band.encoding.pop("grid_mapping", None)
        band.attrs["grid_mapping"] = "spatial_ref"
    return cube
