"""Cubes in netCDF and Zarr: each variable and time step that lies on an even grid is a raster.

xarray reads them. GDAL is asked where xarray cannot: for groups, projections without coordinates,
satellites' own grids.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.ingestion.cf_attributes import (
    VALID,
    UnreadablePackingError,
    flags,
    free_number,
    packing,
    valid_limits,
)
from eolab.catalog.ingestion.file_names import (
    NO_TIME,
    Dated,
    Dating,
    Raster,
    RasterWriter,
    name_of,
    time_of,
)
from eolab.catalog.ingestion.time_axes import NAMES, UnreadableAxisError, is_time, times_of
from eolab.catalog.items.file_facts import held_nodata
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import xarray as xr
    from affine import Affine

_AXES = {
    "x": ("x", "lon", "longitude", "easting"),
    "y": ("y", "lat", "latitude", "northing"),
}
_STANDARD = {
    "x": ("projection_x_coordinate", "longitude"),
    "y": ("projection_y_coordinate", "latitude"),
}
_DEGREES = ("degree", "deg")
_METRES = ("m", "metre", "metres", "meter", "meters", "")
_EVEN = 0.01  # of a pixel, by which the centres of an even axis may differ from their places


@dataclass(frozen=True)
class _Place:
    """Where a variable lies, and how its numbers become an image with north above.

    Attributes:
        y: Name of its axis of rows.
        x: Of columns.
        crs: Code, or WKT.
        transform: Of the image.
        order: How its axes are read to be an image.
    """

    y: str
    x: str
    crs: str
    transform: Affine
    order: Mapping[str, slice]


def read_cube(path: Path, dating: Dating, skipped: list[str]) -> list[Raster]:
    """A raster of each variable and time step that lies on a grid; none where xarray fails.

    Args:
        path: File or store.
        dating: For cubes without a time axis.
        skipped: Gets a line for each variable that has a grid and cannot be used.

    Raises:
        UnreadableAxisError: None can be used, one of them for what must not be guessed.
    """
    try:
        cube = _open(path)
    except Exception:  # no cube, no engine: what GDAL says counts
        return []
    made: list[Raster] = []
    final = False
    system = _only_system(cube)
    for name, variable in cube.data_vars.items():
        axes = _axes(variable)
        if axes is None or variable.dtype.kind not in "iufb":
            continue
        try:
            place = _place(variable, axes, system)
            made += _steps(path, str(name), variable, place, dating, len(cube.data_vars))
        except InvalidInputError as error:
            skipped.append(f"variable {str(name)!r}: {error.message}. {error.hint}".strip())
            final |= isinstance(error, UnreadableAxisError | UnreadablePackingError)
    if final and not made:
        raise UnreadableAxisError("; ".join(skipped).rstrip("."), "")
    return made


def _open(path: Path) -> xr.Dataset:
    import xarray as xr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that other programs may not read
        # Numbers as stored: how they become values is told to whoever loads them. Times too:
        # xarray needs a library more for other calendars, and finds them by one spelling only.
        engine = "zarr" if path.is_dir() else None
        cube = xr.open_dataset(
            path, engine=engine, decode_coords="all", mask_and_scale=False, decode_times=False
        )
    return cube.assign_coords({name: _unpacked(axis) for name, axis in cube.coords.items()})


def _unpacked(axis: xr.DataArray) -> xr.DataArray:
    """An axis by its own scale and offset: a place is no number of a band."""
    scale, offset = packing(axis.attrs)
    if scale is None and offset is None:
        return axis
    values = axis.to_numpy() * (1.0 if scale is None else scale)
    made = axis.copy(data=values + (offset or 0.0))
    made.attrs = {k: v for k, v in axis.attrs.items() if k not in ("scale_factor", "add_offset")}
    return made


def _axes(variable: xr.DataArray) -> tuple[str, str] | None:
    """Names of the axes of rows and columns, by what the axes say, last by their names."""
    found = {}
    for which in ("y", "x"):
        for dim in map(str, variable.dims):
            if dim not in variable.coords:
                continue
            attrs = variable[dim].attrs
            units = str(attrs.get("units", "")).lower()
            said = (
                attrs.get("axis") == which.upper()
                or attrs.get("standard_name") in _STANDARD[which]
                or units in {"x": ("degrees_east", "degree_east"),
                             "y": ("degrees_north", "degree_north")}[which]
            )  # fmt: skip
            if said or (which not in found and dim.lower() in _AXES[which]):
                found[which] = dim
    return (found["y"], found["x"]) if len(found) == 2 else None


def _only_system(cube: xr.Dataset) -> str | None:
    """The reference system of a file that names one, for variables that do not point to it.

    Arithmetic loses the pointer: an index beside its bands lies where they lie.
    """
    systems = {
        text
        for variable in cube.variables.values()
        if not variable.dims and (text := _system(variable.attrs))
    }
    return systems.pop() if len(systems) == 1 else None


def _system(attrs: Mapping[str, object]) -> str | None:
    """Code or WKT of a grid mapping's attributes."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    for key in ("crs_wkt", "spatial_ref"):
        if isinstance(text := attrs.get(key), str) and text:
            return _code(text)
    if "grid_mapping_name" not in attrs:
        return None
    try:
        return _code(CRS.from_cf(dict(attrs)).to_wkt())
    except (CRSError, KeyError, ValueError, TypeError):
        return None


def _code(text: str) -> str | None:
    from odc.geo import CRS

    try:
        crs = CRS(text)
    except Exception:  # PROJ's, pyproj's and odc's own
        return None
    return f"EPSG:{crs.epsg}" if crs.epsg else str(crs.to_wkt())


def _place(variable: xr.DataArray, axes: tuple[str, str], system: str | None) -> _Place:
    """Where a variable lies.

    Raises:
        InvalidInputError: It does not say, or its axes are uneven.
    """
    from affine import Affine

    y, x = axes
    crs = _crs_of(variable, axes) or system or _degrees(variable, axes)
    if crs is None:
        raise InvalidInputError(
            "it has no reference system",
            "Write one: cube.odc.assign_crs('EPSG:...'), and save again.",
        )
    for name in axes:
        units = str(variable[name].attrs.get("units", "")).lower()
        if units not in _METRES and not units.startswith(_DEGREES):
            raise InvalidInputError(
                f"its axis {name!r} is in {units!r}", "Give its coordinates in metres or degrees."
            )
    (first_y, step_y), (first_x, step_x) = _even(variable[y]), _even(variable[x])
    if step_y is None or step_x is None:  # one row or column
        wide, high = _stated_size(variable, axes) or (step_x, step_y)
        step_y, step_x = step_y or high, step_x or wide
    step_y, step_x = step_y or -abs(step_x or 0.0), step_x or abs(step_y or 0.0)
    if not step_x or not step_y:
        raise InvalidInputError("it is one pixel, whose size nobody says", "Save more of it.")
    order = {}
    height, width = variable.sizes[y], variable.sizes[x]
    # As images lie: north above, west on the left.
    if step_y > 0:
        first_y, step_y = first_y + step_y * (height - 1), -step_y
        order[y] = slice(None, None, -1)
    if step_x < 0:
        first_x, step_x = first_x + step_x * (width - 1), -step_x
        order[x] = slice(None, None, -1)
    corner = first_x - step_x / 2, first_y - step_y / 2
    return _Place(y, x, crs, Affine(step_x, 0, corner[0], 0, step_y, corner[1]), order)


def _stated_size(variable: xr.DataArray, axes: tuple[str, str]) -> tuple[float, float] | None:
    """Width and (signed) height of a pixel by the `GeoTransform` of the grid mapping, as GDAL."""
    for name, coordinate in variable.coords.items():
        text = coordinate.attrs.get("GeoTransform")
        if name in axes or coordinate.dims or not isinstance(text, str):
            continue
        try:
            numbers = [float(part) for part in text.replace(",", " ").split()]
        except ValueError:
            continue
        if len(numbers) == 6 and numbers[1] and numbers[5] and not (numbers[2] or numbers[4]):
            return numbers[1], numbers[5]
    return None


def _crs_of(variable: xr.DataArray, axes: tuple[str, str]) -> str | None:
    """The reference system that a variable points to or carries."""
    pointer = variable.encoding.get("grid_mapping") or variable.attrs.get("grid_mapping")
    if isinstance(pointer, str):
        # "crs: x y" of the long form names the axes too.
        for word in pointer.replace(":", " ").split():
            named = word in variable.coords and word not in axes
            if named and (found := _system(variable[word].attrs)) is not None:
                return found
    for key in ("crs", "crs_wkt", "spatial_ref"):
        text = variable.attrs.get(key)
        if isinstance(text, str) and (found := _code(text)) is not None:
            return found
    if "epsg" in variable.coords and not variable["epsg"].dims:  # as stackstac writes it
        return _code(f"EPSG:{int(variable['epsg'])}")
    return None


def _degrees(variable: xr.DataArray, axes: tuple[str, str]) -> str | None:
    """By the CF conventions latitude and longitude need not name a system."""
    for name in axes:
        attrs = variable[name].attrs
        units = str(attrs.get("units", "")).lower()
        plain = name.lower() in ("lat", "lon", "latitude", "longitude")
        if not (units.startswith(_DEGREES) or (not units and plain)):
            return None
        if "grid_" in str(attrs.get("standard_name", "")):
            return None  # of a rotated pole
    return "EPSG:4326"


def _even(axis: xr.DataArray) -> tuple[float, float | None]:
    """First value and step of an axis; no step where it is one value.

    Raises:
        InvalidInputError: Its steps differ.
    """
    stored = axis.to_numpy()
    values = stored.astype(np.float64)
    if len(values) < 2:
        return float(values[0]), None
    step = (values[-1] - values[0]) / (len(values) - 1)
    off = np.abs(values - np.linspace(values[0], values[-1], len(values))).max()
    rounding = np.finfo(stored.dtype).eps * np.abs(values).max() if stored.dtype.kind == "f" else 0
    if not np.isfinite(off) or not step or off > _EVEN * abs(step) + 4 * rounding:
        raise UnreadableAxisError(
            f"the steps of its axis {str(axis.name)!r} differ: pixels would move by {off:.3g}",
            "Bring it to an even grid first, for example with xarray's cube.interp(...).",
        )
    # What was rounded to a float may be a step such as 0.1 or 1/3600.
    tidy = float(f"{step:.6g}")
    return float(values[0]), tidy if abs(tidy - step) * len(values) <= 2 * rounding else step


def _steps(
    path: Path, name: str, variable: xr.DataArray, place: _Place, dating: Dating, variables: int
) -> list[Raster]:
    """One raster a time step, with a band for each entry of the other axes."""
    variable = _unsigned(_joined(variable)).isel(place.order)
    others = [str(dim) for dim in variable.dims if dim not in (place.y, place.x)]
    temporal = [dim for dim in others if _times_along(variable, dim) or _nameless(variable, dim)]
    if len(temporal) > 1:
        raise UnreadableAxisError(
            f"it has several time axes: {', '.join(temporal)}", "Take one of them with .isel(...)."
        )
    labels = _labels(variable, [dim for dim in others if dim not in temporal], name, variables)
    whole = Raster(
        path=path,
        address="",
        name=name_of(path, "" if name == "Band1" and variables == 1 else name),
        crs=place.crs,
        transform=list(place.transform)[:6],
        shape=[variable.sizes[place.y], variable.sizes[place.x]],
        bands=[_band(label, variable) for label, _ in labels],
        time=NO_TIME,
        time_from="missing",
    )
    made = []
    for dated, step in _dated(variable, temporal, path, dating):
        time = dated.time
        layers = [step.isel(entry).transpose(place.y, place.x) for _, entry in labels]
        item = f"{whole.name.item}_{time:%Y%m%dT%H%M%S}" if temporal else whole.name.item
        named = replace(whole.name, item=item)
        writer = _writer(layers, whole)
        made.append(replace(whole, name=named, time=time, time_from=dated.origin, write=writer))
    return made


def _dated(
    variable: xr.DataArray, temporal: Sequence[str], path: Path, dating: Dating
) -> Iterable[tuple[Dated, xr.DataArray]]:
    """The steps of a variable with their times."""
    if temporal:
        (dim,) = temporal
        if axis := _times_along(variable, dim):
            for k, time in enumerate(times_of(variable[axis])):
                yield Dated(time, "axis"), variable.isel({dim: k})
            return
        if variable.sizes[dim] > 1:
            raise UnreadableAxisError(
                f"its time axis {dim!r} has no times", "Write them as its coordinate."
            )
        variable = variable.isel({dim: 0})
    single = [c for c in variable.coords if not variable[c].dims and is_time(variable[c])]
    for coordinate in sorted(single, key=lambda c: c != "valid_time"):
        yield Dated(times_of(variable[coordinate])[0], "axis"), variable
        return
    yield time_of(path, {}, dating), variable


def _times_along(variable: xr.DataArray, dim: str) -> str | None:
    """Name of the coordinate that tells the times along an axis, mostly the axis itself.

    Forecasts count hours ahead, and tell beside that when each is valid.
    """
    along = [str(c) for c in variable.coords if variable[c].dims == (dim,) and c != dim]
    return next((c for c in (dim, *along) if c in variable.coords and is_time(variable[c])), None)


def _nameless(variable: xr.DataArray, dim: str) -> bool:
    """Whether an axis is called as those of times are, and tells none."""
    return dim in NAMES and dim not in variable.coords


def _joined(variable: xr.DataArray) -> xr.DataArray:
    """ERA5's final months and its first releases, which follow on another, as one series."""
    if "expver" not in variable.dims:
        return variable
    fill = _fills(variable)
    made = variable.isel(expver=0, drop=True)
    for k in range(1, variable.sizes["expver"]):
        missing = made.isin(fill) if made.dtype.kind in "iu" else made.isnull() | made.isin(fill)
        made = variable.isel(expver=k, drop=True).where(missing, made).astype(variable.dtype)
    made.attrs, made.encoding = variable.attrs, variable.encoding
    return made


def _fills(variable: xr.DataArray) -> list[float]:
    """Numbers that mean nothing, as the variable's own type holds them, of those that it can."""
    # Our own cubes of stored numbers say `nodata`.
    found = [variable.attrs.get(key) for key in ("_FillValue", "missing_value", "nodata")]
    given = [v for value in found if value is not None for v in np.atleast_1d(value).tolist()]
    held = [held_nodata(_number(v), _stored(variable.dtype)) for v in given]
    return list(dict.fromkeys(v for v in held if v is not None))


def _number(stated: object) -> float | None:
    """A number, also one that is written as text; None for what is none."""
    if isinstance(stated, int | float):
        return stated
    try:
        return float(stated) if isinstance(stated, str) else None
    except ValueError:
        return None


def _unsigned(variable: xr.DataArray) -> xr.DataArray:
    """NetCDF's older formats have no unsigned numbers, DAP no signed bytes: they are marked."""
    marked = str(variable.attrs.get("_Unsigned", "")).lower()
    kind = {("true", "i"): "u", ("false", "u"): "i"}.get((marked, variable.dtype.kind))
    if kind is None:
        return variable
    plain = np.dtype(f"{kind}{variable.dtype.itemsize}")
    made = variable.astype(plain)
    made.attrs = dict(variable.attrs)
    for key in ("_FillValue", "missing_value", *VALID):
        # A limit in values, real as its scale, stays what it is.
        if key in made.attrs and np.asarray(made.attrs[key]).dtype.kind in "iu":
            made.attrs[key] = np.asarray(made.attrs[key]).astype(variable.dtype).astype(plain)
    return made


def _labels(
    variable: xr.DataArray, dims: Sequence[str], name: str, variables: int
) -> list[tuple[str, dict[str, int]]]:
    """Names of the entries of the axes that are no place and no time, with their numbers.

    Bands are called by their labels where these are words; levels and members by the variable's
    name and theirs.
    """
    long = [dim for dim in dims if variable.sizes[dim] > 1]
    made = []
    for numbers in itertools.product(*(range(variable.sizes[dim]) for dim in dims)):
        entry = dict(zip(dims, numbers, strict=True))
        words = [_label(variable, dim, entry[dim]) for dim in long]
        plain = variables == 1 and len(long) == 1 and not words[0][:1].isdigit()
        made.append((words[0] if plain else "_".join([name, *words]), entry))
    if len({label for label, _ in made}) < len(made):
        made = [(f"{name}_{k + 1}", entry) for k, (_, entry) in enumerate(made)]
    return made


def _label(variable: xr.DataArray, dim: str, number: int) -> str:
    if dim not in variable.coords:
        return str(number + 1)
    value = variable[dim].to_numpy()[number]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    return str(value).strip() or str(number + 1)


def _band(name: str, variable: xr.DataArray) -> dict[str, object]:
    """The variable as STAC lists a band, by the attributes of the CF conventions."""
    band: dict[str, object] = {"name": name, "data_type": str(_stored(variable.dtype))}
    fills = _fills(variable)
    fill = float(fills[0]) if fills else None
    limits = valid_limits(variable.attrs, variable.dtype)
    if fill is None and limits is not None:
        fill = free_number(limits, _stored(variable.dtype))
    if fill is not None:
        band["nodata"] = "nan" if np.isnan(fill) else fill
    scale, offset = packing(variable.attrs)
    if scale is not None or offset is not None:
        band["raster:scale"] = 1.0 if scale is None else scale
        band["raster:offset"] = 0.0 if offset is None else offset
    if isinstance(unit := variable.attrs.get("units"), str) and unit:
        band["unit"] = unit
    return {**band, **flags(variable.attrs, _stored(variable.dtype))}


def _stored(dtype: np.dtype) -> np.dtype:
    """A type that GeoTIFF has."""
    return np.dtype({"bool": "uint8", "float16": "float32"}.get(dtype.name, dtype.name))


def _writer(layers: Sequence[xr.DataArray], whole: Raster) -> RasterWriter:
    def write(target: Path, given: float | None = None) -> None:
        import rasterio
        from affine import Affine

        nodata = whole.bands[0].get("nodata") if given is None else given
        with rasterio.open(
            target,
            "w",
            driver="GTiff",
            width=whole.shape[1],
            height=whole.shape[0],
            count=len(layers),
            dtype=str(whole.bands[0]["data_type"]),
            crs=whole.crs,
            transform=Affine(*whole.transform),
            nodata=None if nodata is None else float(str(nodata)),
        ) as file:
            for number, (layer, band) in enumerate(zip(layers, whole.bands, strict=True), 1):
                numbers = layer.to_numpy().astype(file.dtypes[0])
                # A raster has one nodata; CF's `_FillValue` and `missing_value` may be two.
                fills = np.unique(np.asarray(_fills(layer), dtype=float))
                if given is None and len(fills) > 1:
                    numbers[np.isin(numbers, fills)] = file.nodata
                limits = valid_limits(layer.attrs, layer.dtype)
                if limits is not None and file.nodata is not None:
                    numbers[(numbers < limits[0]) | (numbers > limits[1])] = file.nodata
                file.write(numbers, number)
                file.set_band_description(number, str(band["name"]))
            if "raster:scale" in whole.bands[0]:
                file.scales = [band["raster:scale"] for band in whole.bands]
                file.offsets = [band["raster:offset"] for band in whole.bands]

    return write
