#!/usr/bin/env bash
# odc-geo 0.5.3 with xarray 2026.9.0: where a cube's `grid_mapping` stands decides whether it can be
# saved with its place. odc writes it into the encoding; xarray reads it into the attributes, drops
# encodings in arithmetic and keeps attributes.
# Seen:
#   1. assign_crs, then arithmetic, then to_netcdf: the file has no grid_mapping at all, in silence.
#   2. open_dataset (default decoding), assign_crs once more, to_netcdf: ValueError "Key
#      'grid_mapping' already exists in attrs", since it stands in both places now.
#   3. open_dataset, arithmetic, to_netcdf: grid_mapping is there.
# Exits 0 while this holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet odc-geo==0.5.3 xarray==2026.9.0 "netCDF4>=1.7,<2"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
import odc.geo.xr  # registers the accessor
import xarray as xr

folder = sys.argv[1]
plain = xr.Dataset({"red": (("y", "x"), np.ones((2, 2)))}, {"y": [20.0, 10.0], "x": [0.0, 10.0]})
placed = plain.odc.assign_crs("EPSG:32633")
print("assign_crs: attributes", placed.red.attrs, "encoding", placed.red.encoding)
assert placed.red.encoding == {"grid_mapping": "spatial_ref"}
placed.to_netcdf(f"{folder}/placed.nc")


def kept(cube: xr.Dataset, name: str) -> object:
    cube.to_netcdf(f"{folder}/{name}.nc")
    return xr.open_dataset(f"{folder}/{name}.nc").red.attrs.get("grid_mapping")


first = kept(placed * 2, "first")
print("1. assign_crs, * 2, saved:", first)
assert first is None

opened = xr.open_dataset(f"{folder}/placed.nc")
try:
    kept(opened.odc.assign_crs("EPSG:32633"), "second")
    sys.exit("2. it can be saved now")
except ValueError as error:
    print("2. opened, assign_crs, saved:", str(error)[:80])
    assert "already exists in attrs" in str(error), error

third = kept(opened * 2, "third")
print("3. opened, * 2, saved:", third)
assert third == "spatial_ref"
PYTHON
