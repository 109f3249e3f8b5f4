"""Rasters whose longitudes go from 0 to 360, as ERA5, GFS and CMIP write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from eolab.catalog.ingestion.file_names import Raster, RasterWriter

Columns = tuple[int, int]


def between_180(raster: Raster) -> list[Raster]:
    """The raster with longitudes from -180 to 180, in two where it ends on both sides of 180.

    One that does not reach beyond 180 stays as it is; others are written anew when they are used.
    """
    a, b, west, d = raster.transform[:4]
    width = raster.shape[1]
    if not _in_degrees(raster.crs) or b or d or a <= 0:
        return [raster]
    centres = west + a * (np.arange(width) + 0.5)
    # By a hair more than 180 a pixel is at -180.
    beyond = np.flatnonzero(centres >= 180 - 1e-6 * a)
    if not beyond.size or centres[-1] > 540:
        return [raster]
    first = int(beyond[0])
    if first == 0:
        return [_moved(raster, [(0, width)], west - 360)]
    end = width
    # Where the last meridian is the first one again it counts once.
    twice = round(width - 360 / a)
    if 0 < twice < width - first:
        end -= twice
    joined = abs(a * end - 360) < 1e-3 * a
    eastern = west + a * first - 360
    if joined:
        return [_moved(raster, [(first, end), (0, first)], eastern)]
    name = replace(raster.name, item=f"{raster.name.item}_west")
    other = replace(_moved(raster, [(first, end)], eastern), name=name)
    return [_moved(raster, [(0, first)], west), other]


def _in_degrees(crs: str) -> bool:
    from odc.geo import CRS

    return bool(CRS(crs).geographic)


def _moved(raster: Raster, pieces: list[Columns], west: float) -> Raster:
    transform = [*raster.transform[:2], west, *raster.transform[3:]]
    shape = [raster.shape[0], sum(last - first for first, last in pieces)]
    return replace(raster, transform=transform, shape=shape, write=_writer(raster, pieces, west))


def _writer(raster: Raster, pieces: list[Columns], west: float) -> RasterWriter:
    def write(target: Path, given: float | None = None) -> None:
        import rasterio
        from affine import Affine
        from rasterio.enums import MaskFlags
        from rasterio.windows import Window

        source = target.with_name(f"{target.name}.whole")
        try:
            if raster.write is not None:
                raster.write(source, given)
            with rasterio.open(raster.address if raster.write is None else source) as file:
                t = file.transform
                profile = {
                    **file.profile,
                    "driver": "GTiff",
                    "width": sum(last - first for first, last in pieces),
                    "transform": Affine(t.a, t.b, west, t.d, t.e, t.f),
                }
                for key in ("blockxsize", "blockysize", "tiled", "interleave", "photometric"):
                    profile.pop(key, None)
                # A mask of the file's own goes along; one that nodata or alpha makes is made again.
                masked = MaskFlags.per_dataset in file.mask_flag_enums[0]
                masked &= MaskFlags.alpha not in file.mask_flag_enums[0]
                with (
                    rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
                    rasterio.open(target, "w", **profile) as made,
                ):
                    made.colorinterp = file.colorinterp
                    at = 0
                    for first, last in pieces:
                        part = Window(first, 0, last - first, file.height)
                        values = file.read(window=part)
                        place = Window(at, 0, last - first, file.height)
                        made.write(values, window=place)
                        if masked:
                            mask = file.read_masks(1, window=part)
                            made.write_mask(mask, window=place)
                        at += last - first
                    made.descriptions = file.descriptions
                    made.scales, made.offsets = file.scales, file.offsets
                    made.units = file.units
        finally:
            source.unlink(missing_ok=True)

    return write
