"""A map of classes, read strip by strip: an xarray map in memory or of Dask, or a raster file.

Codes stay whole numbers as they are stored; what is nodata is a mask beside them, and no strip is
larger than a few million pixels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from eolab.accuracy.pixel_areas import row_hectares
from eolab.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import rasterio
    import xarray as xr
    from affine import Affine
    from pyproj import CRS

    MapLike: TypeAlias = xr.DataArray | str | Path

STRIP = 4_000_000  # pixels of a strip: temporary arrays stay at 32 MB each
MOST_CLASSES = 1000
FEW = 24  # classes of a strip up to which comparing with each is quicker than sorting pixels in
_AXES = (("y", "x"), ("latitude", "longitude"), ("lat", "lon"), ("northing", "easting"))
CLASS_NAMES = "class_names"  # attribute of an array, tag of a file's band
_NODATA = ("nodata", "_FillValue", "missing_value")
_NUMBERS = int | float | np.integer | np.floating
# Codes of a strip and where they mean something, both of shape (rows of the strip, columns).
Strip: TypeAlias = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class ClassRaster:
    """A categorical map that can be read by rows.

    Attributes:
        shape: Rows and columns.
        transform: Of its grid, without rotation.
        crs: Its reference system.
        block: Rows that are stored together.
        axes: Names of its y and x axes.
        names: Class names that it brings along, by code (CF flags).
    """

    shape: tuple[int, int]
    transform: Affine
    crs: CRS
    block: int
    read: Callable[[int, int], Strip] = field(repr=False)
    axes: tuple[str, str] = ("y", "x")
    names: dict[int, str] = field(default_factory=dict)

    def strips(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """First row, codes and mask of each strip, from the top."""
        rows, columns = self.shape
        height = max(STRIP // max(columns, 1), 1)
        if height >= self.block:
            height -= height % self.block
        for first in range(0, rows, height):
            yield first, *self.read(first, min(first + height, rows))

    def hectares(self) -> np.ndarray:
        """Hectares of a pixel of each row, shape (rows,); see `pixel_areas`."""
        return row_hectares(self.transform, self.shape, self.crs)

    def places(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows and columns of points in the map's system, and which of them lie on the grid."""
        rows = np.floor((y - self.transform.f) / self.transform.e)
        best = np.full(x.shape, -1.0)
        # A map from 0 to 360 degrees and points from -180 to 180 speak of one ground.
        for turn in (0.0, 360.0, -360.0) if self.crs.is_geographic else (0.0,):
            columns = np.floor((x + turn - self.transform.c) / self.transform.a)
            hit = (best < 0) & (columns >= 0) & (columns < self.shape[1])
            best = np.where(hit, columns, best)
        inside = np.isfinite(rows) & (rows >= 0) & (rows < self.shape[0]) & (best >= 0)
        none = np.where(inside, 0, -1)
        return (
            np.where(inside, np.nan_to_num(rows), none).astype(np.int64),
            np.where(inside, best, none).astype(np.int64),
            inside,
        )

    def centres(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """X and y of the centres of pixels."""
        t = self.transform
        return t.c + t.a * (columns + 0.5), t.f + t.e * (rows + 0.5)


def open_map(
    given: object, *, what: str = "map", nodata: float | None = None, band: int | None = None
) -> ClassRaster:
    """A map of classes as it was given.

    Args:
        given: An xarray map of two dimensions (others of size one), or the path of a raster file.
        what: How messages call it.
        nodata: The code that means nothing; by default as the map or file says.
        band: Number of the band of a file of several, from 1.

    Raises:
        InvalidInputError: It is none: no reference system, several bands or times, a rotated or
            uneven grid, text.
        NotFoundError: No such file.
    """
    import xarray as xr

    if nodata is not None and (isinstance(nodata, bool) or not isinstance(nodata, _NUMBERS)):
        raise InvalidInputError(f"nodata={nodata!r} is no code", "Give one number: nodata=255.")
    if isinstance(given, str | Path):
        return _of_file(given, what, nodata, band)
    if isinstance(given, xr.Dataset):
        names = ", ".join(map(str, given.data_vars))
        raise InvalidInputError(
            f"the {what} is a dataset with {names or 'nothing in it'}",
            f"Give the one variable that holds the classes: {what}[{names.split(', ')[0]!r}].",
        )
    if not isinstance(given, xr.DataArray):
        raise InvalidInputError(
            f"the {what} is of type {type(given).__name__}",
            "Give an xarray.DataArray with a reference system, or the path of a GeoTIFF.",
        )
    if band is not None:
        raise InvalidInputError(
            "band= is for files of several bands", "Select it: map.isel(band=0)."
        )
    return _of_array(given, what, nodata)


# --- xarray ----------------------------------------------------------------------------------


def _of_array(given: xr.DataArray, what: str, nodata: float | None) -> ClassRaster:
    axes = next((pair for pair in _AXES if set(pair) <= set(given.dims)), None)
    if axes is None:
        raise InvalidInputError(
            f"the {what} has the dimensions {', '.join(map(str, given.dims))}",
            "It needs y and x (or latitude and longitude), one coordinate for each.",
        )
    for name, size in given.sizes.items():
        if name not in axes and size != 1:
            raise InvalidInputError(
                f"the {what} has {size} of {name!r}; one map of classes is needed",
                f"Select one: map.isel({name}=0).",
            )
    plane = given.isel({name: 0 for name in given.dims if name not in axes}).transpose(*axes)
    if plane.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"the {what} holds {plane.dtype}, no class codes",
            "Give whole numbers, and their names as classes={1: 'wheat', ...}.",
        )
    if not plane.size:
        raise InvalidInputError(f"the {what} has no pixels", "See how it was cut.")
    system = _system_attributes(given)
    crs = _crs(system.get("crs_wkt") or system.get("spatial_ref") or given.attrs.get("crs"), what)
    stated = _stated_nodata(given) if nodata is None else (nodata,)

    def read(first: int, last: int) -> Strip:
        return _checked_codes(np.asarray(plane[first:last].data), stated, what)

    chunks = plane.chunks
    return ClassRaster(
        shape=(plane.sizes[axes[0]], plane.sizes[axes[1]]),
        transform=_transform(plane, axes, system, what),
        crs=crs,
        block=max(chunks[0]) if chunks else 1,
        read=read,
        axes=axes,
        names=_flag_names(given),
    )


def _system_attributes(given: xr.DataArray) -> dict[str, object]:
    """Attributes of the coordinate that says the reference system, by CF's conventions."""
    named = given.encoding.get("grid_mapping") or given.attrs.get("grid_mapping")
    candidates = [named, "spatial_ref", "crs", *given.coords]
    for name in candidates:
        if name in given.coords and not given.coords[name].dims:
            attributes = given.coords[name].attrs
            if "crs_wkt" in attributes or "spatial_ref" in attributes:
                return {str(k): v for k, v in attributes.items()}
    return {}


def _crs(stated: object, what: str) -> CRS:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if stated is None or stated == "":
        raise InvalidInputError(
            f"the {what} has no reference system, so its pixels have no area",
            "Write one: map.odc.assign_crs('EPSG:...'), or gdal_edit.py -a_srs EPSG:... FILE.",
        )
    try:
        crs = CRS.from_user_input(stated)
    except CRSError as error:
        raise InvalidInputError(
            f"the reference system of the {what} is not understood: {error}",
            "Write it as EPSG:... or WKT.",
        ) from error
    if not (crs.is_geographic or crs.is_projected):
        raise InvalidInputError(
            f"the reference system of the {what}, {crs.name}, is none of places on the Earth",
            "Warp the map to a projected system or to degrees, with nearest neighbours.",
        )
    return crs


def _transform(
    plane: xr.DataArray, axes: tuple[str, str], system: dict[str, object], what: str
) -> Affine:
    from affine import Affine

    written = str(system.get("GeoTransform", "")).split()
    stated = Affine.from_gdal(*map(float, written)) if len(written) == 6 else None
    if stated is not None and (stated.b or stated.d):
        raise _rotated(what)
    steps, starts = [], []
    for axis, size in zip(axes, plane.shape, strict=True):
        if axis not in plane.coords or plane.coords[axis].dims != (axis,):
            raise InvalidInputError(
                f"the {what} has no coordinate {axis!r} along its axis",
                "Rotated and curved grids have none: warp the map with nearest neighbours first.",
            )
        centres = plane.coords[axis].to_numpy().astype(float)
        if size == 1:
            if stated is None:
                raise InvalidInputError(
                    f"the {what} has one pixel along {axis!r}, and its size is nowhere said",
                    "Take a map of two pixels or more, or one with a GeoTransform.",
                )
            step = float(stated.e if axis == axes[0] else stated.a)
        else:
            step = float(centres[-1] - centres[0]) / (size - 1)
            if not np.allclose(np.diff(centres), step, rtol=1e-3, atol=0) or not step:
                raise InvalidInputError(
                    f"the {what} is uneven along {axis!r}",
                    "Pixels of one grid have one distance: reproject it with nearest neighbours.",
                )
        steps.append(step)
        starts.append(centres[0] - step / 2)
    return Affine(steps[1], 0, starts[1], 0, steps[0], starts[0])


def _rotated(what: str) -> InvalidInputError:
    return InvalidInputError(
        f"the grid of the {what} is rotated",
        "Warp it to a grid that runs north (gdalwarp -r near), which keeps classes.",
    )


def _stated_nodata(given: xr.DataArray) -> tuple[float, ...]:
    """Every code that the map's attributes say means nothing."""
    stated = [given.attrs[name] for name in _NODATA if name in given.attrs]
    if given.dtype.kind == "f":  # decoded: what was nodata is NaN, and cannot be a code
        stated += [given.encoding[name] for name in _NODATA if name in given.encoding]
    found = []
    for value in (v for each in stated for v in np.ravel(each).tolist()):
        try:
            number = float(value)
        except (TypeError, ValueError):  # None, "none"
            continue
        if not math.isnan(number):
            found.append(number)
    return tuple(dict.fromkeys(found))


def _flag_names(given: xr.DataArray) -> dict[int, str]:
    """Names as a map of ours lists them, else by CF's ``flag_values`` and ``flag_meanings``."""
    own = _listed_names(given.attrs.get(CLASS_NAMES))
    if own:
        return own
    values, meanings = given.attrs.get("flag_values"), given.attrs.get("flag_meanings")
    if values is None or not isinstance(meanings, str):
        return {}
    codes = np.ravel(values.split(",") if isinstance(values, str) else values)
    words = meanings.split()
    if len(codes) != len(words):
        return {}
    try:
        return {int(code): word for code, word in zip(codes, words, strict=True)}
    except ValueError:  # codes that are no numbers name nothing
        return {}


def _listed_names(text: object) -> dict[int, str]:
    """Names of the codes 0, 1, ... from a JSON list, which keeps blanks; empty without one."""
    try:
        listed = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return {}
    return {code: str(name) for code, name in enumerate(listed if isinstance(listed, list) else [])}


# --- files -----------------------------------------------------------------------------------


def _of_file(given: str | Path, what: str, nodata: float | None, band: int | None) -> ClassRaster:
    from rasterio.errors import RasterioError

    path = str(given)
    local = not path.startswith(("http://", "https://", "s3://", "/vsi"))
    if local and not Path(path).exists():
        raise NotFoundError(f"the {what} {path} is not there", "See its folder and spelling.")
    try:
        return _file_map(path, what, nodata, band)
    except RasterioError as error:
        raise InvalidInputError(
            f"the {what} {path} cannot be read: {error}", "Give a GeoTIFF or an xarray map."
        ) from error


def _file_map(path: str, what: str, nodata: float | None, band: int | None) -> ClassRaster:
    from eolab.catalog.io.rasters import opened_href

    with opened_href(path, None) as file:
        number = _band_of(file, what, band)
        crs = _crs(file.crs.to_wkt() if file.crs else None, what)
        transform = file.transform
        if transform.b or transform.d:
            raise _rotated(what)
        kind = np.dtype(file.dtypes[number - 1]).kind
        if kind not in "iuf":
            raise InvalidInputError(
                f"the {what} holds {file.dtypes[number - 1]}, no class codes",
                "Write its classes as whole numbers.",
            )
        shape, block = (file.height, file.width), file.block_shapes[number - 1][0]
        flags = {flag.name for flag in file.mask_flag_enums[number - 1]}
        names = _listed_names(file.tags(number).get(CLASS_NAMES))

    def read(first: int, last: int) -> Strip:
        from rasterio.windows import Window

        with opened_href(path, None) as file:
            window = Window(0, first, shape[1], last - first)
            codes = file.read(number, window=window)
            masked = nodata is None or "per_dataset" in flags or "alpha" in flags
            seen = file.read_masks(number, window=window) > 0 if masked else None
        return _checked_codes(codes, () if nodata is None else (nodata,), what, seen)

    return ClassRaster(
        shape=shape, transform=transform, crs=crs, block=block, read=read, names=names
    )


def _band_of(file: rasterio.DatasetReader, what: str, band: int | None) -> int:
    from rasterio.enums import ColorInterp

    if band is not None:
        if band not in file.indexes:
            raise InvalidInputError(
                f"the {what} has no band {band}", f"It has the bands 1 to {file.count}."
            )
        return band
    kinds = zip(file.indexes, file.colorinterp, strict=True)
    numbers = [number for number, kind in kinds if kind != ColorInterp.alpha]
    if len(numbers) != 1:
        names = ", ".join(f"{n} {file.descriptions[n - 1] or ''}".strip() for n in numbers)
        raise InvalidInputError(
            f"the {what} has {len(numbers)} bands ({names}); one of classes is needed",
            "Say which: band=1."
            if what == "map"
            else "Open it as an xarray map and select the one band.",
        )
    return int(numbers[0])


def _checked_codes(
    values: np.ndarray, nodata: tuple[float, ...], what: str, seen: np.ndarray | None = None
) -> Strip:
    """Whole codes and where they count.

    Raises:
        InvalidInputError: Numbers that are not whole.
    """
    valid = np.ones(values.shape, bool) if seen is None else seen
    for code in nodata:
        valid = valid & (values != code)
    if values.dtype.kind == "b":
        return values.astype(np.uint8), valid
    if values.dtype.kind != "f":
        if values.dtype == np.uint64 and (values[valid] > np.iinfo(np.int64).max).any():
            raise InvalidInputError(
                f"the {what} holds codes above {np.iinfo(np.int64).max:,}", "Recode its classes."
            )
        return values, valid
    valid = valid & ~np.isnan(values)
    counted = values[valid]
    odd = counted[np.isinf(counted) | (np.trunc(counted) != counted)]
    if odd.size:
        raise InvalidInputError(
            f"the {what} holds {odd[0]:g}, which is no class code",
            "Give the map of classes, not of probabilities or measurements "
            "(probabilities.argmax(...) makes one).",
        )
    exact = 2 ** (np.finfo(values.dtype).nmant + 1)
    if counted.size and np.abs(counted).max() > exact:
        raise InvalidInputError(
            f"the {what} holds codes above {exact:,} as {values.dtype}, which rounds them",
            "Keep such codes as whole numbers: int32 or int64.",
        )
    return np.where(valid, values, 0).astype(np.int64), valid


# --- counting --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassCounts:
    """What a map holds.

    Attributes:
        codes: Of its classes, ascending, int64, shape (k,).
        rows: Pixels of each class in each row, shape (rows, k).
        values: Codes at the points that were asked for, shape (n,).
        valid: Which of these lie on a class.
    """

    codes: np.ndarray
    rows: np.ndarray
    values: np.ndarray
    valid: np.ndarray


def count_classes(
    raster: ClassRaster, at: tuple[np.ndarray, np.ndarray] | None = None
) -> ClassCounts:
    """Pixels by class and row, and the classes at some pixels, in one reading of the map.

    Args:
        raster: The map.
        at: Rows and columns of pixels, -1 for none.

    Raises:
        InvalidInputError: The map has no class at all, or too many to be one of classes.
    """
    at_rows, at_columns = at or (np.empty(0, np.int64), np.empty(0, np.int64))
    values, valid = np.zeros(at_rows.size, np.int64), np.zeros(at_rows.size, bool)
    found: dict[int, np.ndarray] = {}
    for first, codes, counts in raster.strips():
        here = np.flatnonzero((at_rows >= first) & (at_rows < first + len(codes)))
        place = at_rows[here] - first, at_columns[here]
        values[here], valid[here] = codes[place], counts[place]
        held, columns = _by_row(codes, counts)
        if len(set(found) | set(held)) > MOST_CLASSES:
            raise InvalidInputError(
                f"the map holds more than {MOST_CLASSES} different numbers",
                "Give a map of classes, not of measurements.",
            )
        for code, column in zip(held, columns, strict=True):
            rows = found.setdefault(code, np.zeros(raster.shape[0], np.int64))
            rows[first : first + len(codes)] = column
    if not found:
        raise InvalidInputError(
            "the map has no pixel with a class", "See its nodata; nodata= says another."
        )
    ordered = sorted(found)
    return ClassCounts(
        np.array(ordered, np.int64), np.stack([found[c] for c in ordered], 1), values, valid
    )


def _by_row(codes: np.ndarray, valid: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The codes of a strip, and how often each stands in each row, shape (codes, rows)."""
    whole = bool(valid.all())
    held = np.unique(codes if whole else codes[valid])
    if held.size > MOST_CLASSES:
        return held.tolist(), np.empty((held.size, 0))
    if held.size <= FEW:
        hits = (codes == code if whole else (codes == code) & valid for code in held)
        counted = [np.count_nonzero(hit, axis=1) for hit in hits]
        return held.tolist(), np.array(counted).reshape(held.size, len(codes))
    held, index = indexed(codes, valid)
    row = np.broadcast_to(np.arange(len(codes))[:, None], codes.shape)[valid]
    table = np.bincount(row * held.size + index, minlength=len(codes) * held.size)
    return held.tolist(), table.reshape(len(codes), -1).T


def indexed(codes: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The codes of a strip, ascending, and the place of each valid pixel's code among them."""
    counted = codes[valid]
    held = np.unique(counted)
    if not held.size:
        return held.astype(np.int64), np.empty(0, np.int64)
    low, high = int(held[0]), int(held[-1])
    if high - low < 1 << 20:  # a table is quicker than a search
        table = np.zeros(high - low + 1, np.int64)
        table[held.astype(np.int64) - low] = np.arange(held.size)
        return held.astype(np.int64), table[counted.astype(np.int64) - low]
    return held.astype(np.int64), np.searchsorted(held, counted)


def find_pixels(
    raster: ClassRaster, counts: ClassCounts, ranks: dict[int, np.ndarray]
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of the pixels that stand at given ranks of their classes.

    Args:
        raster: The map.
        counts: Of it.
        ranks: By code: places among the pixels of this class, row by row from the top left.
    """
    wanted = []
    for code, ranked in ranks.items():
        column = int(np.flatnonzero(counts.codes == code)[0])
        ends = np.cumsum(counts.rows[:, column])
        rows = np.searchsorted(ends, ranked, side="right")
        within = ranked - (ends[rows] - counts.rows[rows, column])
        wanted += list(zip(rows.tolist(), [code] * len(rows), within.tolist(), strict=True))
    wanted.sort()
    found: dict[int, list[tuple[int, int]]] = {code: [] for code in ranks}
    place = 0
    for first, codes, valid in raster.strips():
        seen: tuple[int, int] | None = None
        columns = np.empty(0, np.int64)
        while place < len(wanted) and wanted[place][0] < first + len(codes):
            row, code, within = wanted[place]
            if seen != (row, code):
                line = row - first
                columns = np.flatnonzero((codes[line] == code) & valid[line])
                seen = (row, code)
            found[code].append((row, int(columns[within])))
            place += 1
    return {
        code: (np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.int64))
        for code, pairs in found.items()
    }
