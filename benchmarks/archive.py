"""Whether numbers come out right from an archive of all kinds.

    python -m benchmarks.archive [--json] [--quick] [--seed N] [--layers N] [--show]

- wrong: layers of which a pixel is not what was put in, or is known where it is not, and layers
  that are refused though they can be read; of `layers` that were drawn and compared.
- refused_unclear: refusals that do not name item, band and an option that helps.
- median_vs_xarray: the monthly median of 30 scenes x 4 bands x 640 pixels over that of xarray by
  month with bottleneck (which is fetched for this run where it is not installed).
- silent_items_ratio: a load of far items, 40 ms a request, that say nothing of how their numbers
  become values, over one of items that do.
- peak_gb: memory of an eager load of 2.0 GB, its monthly median and statistics by zone (not with
  `--quick`).
- load_vs_odc: a load of stored numbers over odc-stac by hand (not with `--quick`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from benchmarks.archive_cases import Case, Draw, Truth
from benchmarks.archive_costs import TURNS, median_vs_xarray, peak_gb, silent_items_ratio
from benchmarks.archive_kinds import cases
from benchmarks.catalogue import measure_load

REACH = {
    "wrong": ("<=", 0.0),
    "layers": (">=", 400.0),
    "refused_unclear": ("<=", 0.0),
    "median_vs_xarray": ("<=", 0.6),
    "silent_items_ratio": ("<=", 1.5),
    "peak_gb": ("<=", 3.2),
    "load_vs_odc": ("<=", 1.05),
}


@dataclass
class Found:
    """What became of the layers."""

    layers: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def read(case: Case, folder: Path) -> xr.Dataset:
    import eolab as eo

    items = case.items
    if case.files is not None:
        made = eo.ingest(case.files, to=folder / f"{case.files.name}_own", collection="own")
        if made.skipped:
            raise ValueError(f"skipped: {[skipped.message for skipped in made.skipped]}")
        items = list(eo.workspace().catalog(str(made.catalog)).search())
    return eo.load(items, **case.load)


def check(case: Case, folder: Path, found: Found) -> None:
    """Read a case and count what is right."""
    from eolab.errors import EolabError

    try:
        cube = read(case, folder).compute()
    except EolabError as error:
        text = f"{error.message} {error.hint}"
        if not (case.refusal or case.may_refuse):
            found.wrong.append(f"{case.kind}: refused: {text}")
        words = case.refusal or (r"\w+=",)
        clear = any(re.search(re.escape(w) if case.refusal else w, text) for w in words)
        named = any(layer.item in text for layer in case.layers)
        found.refused += 1
        if not (
            clear
            and named
            and any(layer.band in text or layer.variable in text for layer in case.layers)
        ):
            found.unclear.append(f"{case.kind}: {text}")
        return
    except Exception as error:
        found.wrong.append(f"{case.kind}: {type(error).__name__}: {error}")
        return
    if case.refusal:
        found.wrong.append(f"{case.kind}: read, though nobody can know how")
        return
    for layer in case.layers:
        found.layers += 1
        if fault := fault_of(case, layer, cube):
            found.wrong.append(f"{case.kind}: {layer.item} {layer.band}: {fault}")
    times = {np.datetime64(layer.time.replace(tzinfo=None), "s") for layer in case.layers}
    if cube.sizes["time"] != len(times):
        found.wrong.append(f"{case.kind}: {cube.sizes['time']} times of {len(times)}")
    if case.zone and (fault := fault_of_zone(case, cube) or fault_of_sample(case, cube)):
        found.wrong.append(f"{case.kind}: {fault}")


def fault_of(case: Case, layer: Truth, cube: xr.Dataset) -> str:
    """What is wrong of a layer in its cube, "" where nothing is."""
    time = np.datetime64(layer.time.replace(tzinfo=None), "s")
    if layer.variable not in cube:
        return f"is not among {list(cube.data_vars)}"
    times = cube["time"].values.astype("datetime64[s]")
    if time not in times:
        return f"its time {time} is not among {times}"
    band = cube[layer.variable].isel(time=int(np.flatnonzero(times == time)[0]))
    if case.flat:
        known = band.values[np.isfinite(band.values)]
        right = layer.values[0, 0]
        # By a wide kernel nothing is known where a part of it is not.
        wide = case.load.get("resampling") in ("cubic", "lanczos")
        if (not known.size and not wide) or not np.allclose(known, right, rtol=1e-5):
            return f"is {np.unique(known)[:6]}, not {right}"
        return ""
    chosen, x, y = layer.grid.places(cube.odc.crs, case.block)
    t = cube.odc.geobox.transform
    columns, rows = (np.floor(v).astype(int) for v in ~t * (x, y))
    inside = (rows >= 0) & (columns >= 0) & (rows < band.shape[0]) & (columns < band.shape[1])
    if not inside.all():
        return f"{(~inside).sum()} of its pixels are not in the cube"
    got = band.values[rows, columns]
    known = np.isfinite(layer.values.ravel()[chosen])
    if case.raw:
        mark = band.attrs.get("nodata")
        seen = np.isfinite(got) if got.dtype.kind == "f" else np.ones(got.shape, bool)
        if mark is not None:
            seen &= got != mark
        right = layer.numbers.ravel()[chosen]
        same = got[known] == right[known]
    else:
        seen = np.isfinite(got)
        right = layer.values.ravel()[chosen]
        size = np.abs(right[known])
        exact = 1e-12 if got.dtype == "float64" else 3e-7
        # Of a scale and an offset each is rounded once.
        near = np.abs(layer.values[np.isfinite(layer.values)]).max(initial=0.0)
        same = np.abs(got[known] - right[known]) <= exact * (size + near) + 1e-30
    if (seen != known).any():
        k = int(np.flatnonzero(seen != known)[0])
        return f"{(seen != known).sum()} pixels known or not: {got[k]} for {right[k]}"
    if not same.all():
        k = int(np.flatnonzero(~same)[0])
        return f"{(~same).sum()} of {same.size} pixels: {got[known][k]} for {right[known][k]}"
    return ""


def _wanted(case: Case) -> np.ndarray:
    """What statistics are to see of the first layer: values, or stored numbers that mean one."""
    layer = case.layers[0]
    known = np.isfinite(layer.values)
    return np.where(known, layer.numbers, np.nan) if case.raw else layer.values


def fault_of_zone(case: Case, cube: xr.Dataset) -> str:
    """The mean of a zone over all, beside that of the numbers that were put in."""
    import geopandas as gpd
    import shapely

    layer = case.layers[0]
    values = _wanted(case)
    if not np.isfinite(values).any() or len(case.layers) > 1:
        return ""
    right = np.nanmean(values)
    zone = gpd.GeoDataFrame(
        {"parcel_id": ["a"]}, geometry=[shapely.Polygon(layer.grid.corners)], crs=layer.grid.crs
    )
    got = cube.eo.zonal(zone, stats=["mean"]).iloc[0][f"{layer.variable}_mean"]
    spread = np.nanmax(np.abs(values))
    return "" if abs(got - right) <= 1e-5 * spread else f"mean of the zone {got}, not {right}"


def fault_of_sample(case: Case, cube: xr.Dataset) -> str:
    """The values at some points, beside the numbers that were put in."""
    import geopandas as gpd

    layer = case.layers[0]
    pixels, x, y = layer.grid.places(layer.grid.crs, 1)
    picked = np.arange(0, len(pixels), 7)
    points = gpd.GeoDataFrame(
        {"point_id": np.arange(len(picked))},
        geometry=gpd.points_from_xy(x[picked], y[picked]),
        crs=layer.grid.crs,
    )
    right = _wanted(case).ravel()[pixels[picked]]
    if not np.isfinite(right).any():
        return ""
    rows = cube.eo.sample(points, id="point_id").set_index("point_id")[layer.variable]
    got = rows.reindex(np.arange(len(picked))).to_numpy(dtype=float)
    same = np.isclose(got, right, rtol=1e-5, atol=1e-4, equal_nan=True)
    return "" if same.all() else f"sampled {got[~same][0]} for {right[~same][0]}"


def measure(seed: int, layers: int) -> Found:
    """Draw, read, compare."""
    found = Found()
    before = os.environ.get("EOLAB_WORKSPACE")
    with tempfile.TemporaryDirectory() as text, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(text)
        os.environ["EOLAB_WORKSPACE"] = str(folder / "ws")
        try:
            for case in cases(Draw(seed, folder), layers):
                check(case, folder, found)
        finally:
            if before is None:
                del os.environ["EOLAB_WORKSPACE"]
            else:
                os.environ["EOLAB_WORKSPACE"] = before
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", type=int, default=0, help="how many are drawn at least")
    parser.add_argument(
        "--show", action="store_true", help="what is wrong or unclear, line by line"
    )
    asked = parser.parse_args(arguments)
    found = measure(asked.seed, asked.layers or (405 if asked.quick else 860))
    if asked.show:
        for line in (*found.wrong, *(f"unclear: {line}" for line in found.unclear)):
            print(line)
    figures: dict[str, float] = {
        "wrong": len(found.wrong),
        "layers": found.layers,
        "refused": found.refused,
        "refused_unclear": len(found.unclear),
    }
    turns = 1 if asked.quick else TURNS
    figures |= median_vs_xarray(turns)
    with tempfile.TemporaryDirectory() as folder:
        figures |= silent_items_ratio(Path(folder), turns=turns)
    if not asked.quick:
        with tempfile.TemporaryDirectory() as folder:
            figures |= peak_gb(Path(folder))
        with tempfile.TemporaryDirectory() as folder:
            figures |= measure_load(Path(folder), quick=True)
    met = {
        name: figures[name] <= limit if sign == "<=" else figures[name] >= limit
        for name, (sign, limit) in REACH.items()
        if name in figures
    }
    if asked.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            sign, limit = REACH.get(name, ("", 0))
            print(f"{name:<18} {figure:>8g}  {f'{sign} {limit:g}' if sign else ''}")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
