#!/usr/bin/env bash
# rasterio 1.4.4 (GDAL 3.10.3) warps every band with the nodata of the file's first band, where
# bands state different ones (as a VRT, a netCDF or a Zarr may; a GeoTIFF has one for all).
# Seen, band 1 with nodata 7, band 2 with nodata 9 and valid 7 everywhere:
#   1. reproject(rasterio.band(file, 2), ...): nothing is written, all of band 2 counts as missing;
#      right with src_nodata=9, and from the array of file.read(2).
#   2. WarpedVRT(file): nodatavals are (7, 7), and read(2, masked=True) masks all.
# Exits 0 while this holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rasterio==1.4.4 "numpy>=2,<3"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject

folder = sys.argv[1]
grid = from_origin(500_000, 5_200_000, 10, 10)
about = {"driver": "GTiff", "count": 1, "dtype": "uint8", "width": 4, "height": 4}
bands = ""
for number, nodata, value in ((1, 7, 1), (2, 9, 7)):
    with rasterio.open(
        f"{folder}/{number}.tif", "w", nodata=nodata, crs="EPSG:32633", transform=grid, **about
    ) as file:
        file.write(np.full((1, 4, 4), value, "uint8"))
    bands += (
        f'<VRTRasterBand dataType="Byte" band="{number}"><NoDataValue>{nodata}</NoDataValue>'
        f'<SimpleSource><SourceFilename relativeToVRT="1">{number}.tif</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
    )
with open(f"{folder}/both.vrt", "w") as file:
    file.write(
        '<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:32633</SRS>'
        f"<GeoTransform>500000, 10, 0, 5200000, 0, -10</GeoTransform>{bands}</VRTDataset>"
    )

target = {"dst_transform": grid, "dst_crs": "EPSG:32633", "dst_nodata": 255}


def warped(source, **options):
    out = np.full((4, 4), 255, "uint8")
    reproject(source, out, **target, **options)
    return set(out.ravel().tolist())


with rasterio.open(f"{folder}/both.vrt") as file:
    print("file: nodata", file.nodatavals, "band 2", set(file.read(2).ravel().tolist()))
    found = {
        "band 2": warped(rasterio.band(file, 2)),
        "band 2, src_nodata=9": warped(rasterio.band(file, 2), src_nodata=9),
        "its array": warped(file.read(2), src_transform=grid, src_crs="EPSG:32633"),
    }
    print("reproject:", found)
    assert found == {"band 2": {255}, "band 2, src_nodata=9": {7}, "its array": {7}}, found
    with WarpedVRT(file, crs="EPSG:32633") as vrt:
        masked = vrt.read(2, masked=True).mask.all()
        print("WarpedVRT: nodata", vrt.nodatavals, "all of band 2 masked:", bool(masked))
        assert vrt.nodatavals == (7, 7), vrt.nodatavals
        assert masked
PYTHON
