"""A user's own rasters as a STAC collection: GeoTIFF, netCDF and Zarr variables, SAFE folders.

Each file becomes an item, or one asset of an item together with the files that differ only in
their band's name. The result is a static catalogue that any source opens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eolab.catalog.collection_file import write_collection, write_json
from eolab.catalog.describing import DATES, Raster, compile_pattern, find_rasters, read_rasters
from eolab.catalog.query import stamp
from eolab.catalog.sources import Skipped
from eolab.config import check_name
from eolab.errors import NotFound
from eolab.progress import track

FORMAT = 1
_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
]


@dataclass(frozen=True)
class Ingested:
    """What became of the files.

    Attributes:
        catalog: The collection's document.
        items: Ids of the items, in order.
        skipped: Files that could not be used.
        converted: Files written as Cloud-Optimized GeoTIFF in this call.
    """

    catalog: Path
    items: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    converted: int


def ingest(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    to: str | os.PathLike[str],
    collection: str,
    pattern: str | None = None,
    cog: bool = False,
    title: str = "",
    license: str = "other",
) -> Ingested:
    """Describe rasters as a STAC collection; a second call takes up what is new.

    Args:
        files: A folder (searched through), or files.
        to: Folder of the catalogue.
        collection: Its id.
        pattern: Regular expression for the time in a path, with groups year, month, day (or
            ordinal) and optionally hour, minute, second; by default common spellings, then the
            file's own tags.
        cog: Write copies as Cloud-Optimized GeoTIFF beside the items; else assets point to the
            files where they are (variables of netCDF and Zarr are always copied).
        title: For people.
        license: Of the data, as SPDX.

    Returns:
        The items made, and the files that were skipped: a bad file stops nothing.

    Raises:
        NotFound: There is no such folder or file, or no raster in it.
        BadInput: A bad pattern or id.
    """
    check_name(collection, "collection")
    found = find_rasters(files)
    expressions = [compile_pattern(pattern)] if pattern else [re.compile(p) for p in DATES]
    home = Path(to).expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    rasters: list[Raster] = []
    skipped: list[Skipped] = []
    for path in track(found, "reading rasters"):
        if home in path.parents:
            continue  # copies that an earlier call wrote
        try:
            rasters += read_rasters(path, expressions)
        except Exception as error:  # files can be broken in ways nobody listed
            skipped.append(Skipped(str(path), getattr(error, "message", None) or str(error)))
    groups: dict[str, list[Raster]] = {}
    for raster in rasters:
        groups.setdefault(raster.item, []).append(raster)
    converted, documents = 0, []
    for name, members in track(sorted(groups.items()), "writing items"):
        try:
            document, written = _item(home, collection, name, members, cog=cog)
        except Exception as error:  # a full disk ends in the same list as a broken file
            skipped.append(Skipped(str(members[0].path), str(error)))
            continue
        documents.append(document)
        converted += written
    if not documents:
        raise NotFound(
            f"none of {len(found)} files could be used",
            f"The first: {skipped[0].href}: {skipped[0].message}" if skipped else "Name rasters.",
        )
    about = f"Rasters described by eolab, format {FORMAT}."
    catalog = write_collection(home, collection, title=title, license=license, description=about)
    ids = tuple(str(document["id"]) for document in documents)
    return Ingested(catalog, ids, tuple(skipped), converted)


def _item(
    home: Path, collection: str, name: str, members: Sequence[Raster], *, cog: bool
) -> tuple[dict[str, object], int]:
    """Write one item, and its copies where asked; returns the document and their number."""
    from affine import Affine
    from odc.geo.geobox import GeoBox

    folder = home / name
    folder.mkdir(exist_ok=True)
    assets: dict[str, object] = {}
    written = 0
    outline = None
    for raster in members:
        href = raster.address
        # A variable of a container has an address that only GDAL understands.
        copied = cog or raster.address != str(raster.path)
        if copied:
            target = folder / f"{raster.asset}.tif"
            written += _convert(raster, target)
            href = f"./{target.name}"
        grid = GeoBox((raster.shape[0], raster.shape[1]), Affine(*raster.transform), raster.crs)
        shape = grid.extent.to_crs("EPSG:4326", resolution=grid.extent.length / 40).geom
        outline = shape if outline is None else outline.union(shape)
        assets[raster.asset] = {
            "href": href,
            "type": "image/tiff; application=geotiff; profile=cloud-optimized"
            if copied
            else _media_type(raster.path),
            "roles": ["data"],
            "proj:code": raster.crs,
            "proj:shape": raster.shape,
            "proj:transform": raster.transform,
            "raster:spatial_resolution": abs(raster.transform[0]),
            "bands": raster.bands,
        }
    assert outline is not None
    first = members[0]
    document: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": name,
        "collection": collection,
        "geometry": outline.__geo_interface__,
        "bbox": list(outline.bounds),
        "properties": {
            "datetime": stamp(first.time),
            "proj:code": first.crs,
            **first.properties,
        },
        "links": [
            {"rel": "root", "href": "../collection.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": assets,
    }
    write_json(folder / f"{name}.json", document)
    return document, written


def _media_type(path: Path) -> str:
    kinds = {".jp2": "image/jp2", ".nc": "application/netcdf", ".vrt": "application/xml"}
    return kinds.get(path.suffix.lower(), "image/tiff; application=geotiff")


def _convert(raster: Raster, target: Path) -> int:
    """Copy to a Cloud-Optimized GeoTIFF unless an up-to-date copy is there; 1 if written."""
    import rasterio.shutil

    if target.exists() and target.stat().st_mtime >= raster.path.stat().st_mtime:
        return 0
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        rasterio.shutil.copy(raster.address, draft, driver="COG", compress="DEFLATE")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return 1
