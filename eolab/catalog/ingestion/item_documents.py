"""STAC documents of items out of rasters, and what earlier calls said of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from eolab.catalog.ingestion.collection_files import FOLDER, NAMED, safe_name
from eolab.catalog.ingestion.file_names import Raster
from eolab.catalog.ingestion.user_words import keep_given
from eolab.catalog.query.times import stamp

DATED = "eolab:datetime_from"  # field of an item: where its time was found
_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
]


def is_copied(raster: Raster) -> bool:
    """Whether a raster is always copied: its address is one that only GDAL understands."""
    return raster.write is not None or raster.address != str(raster.path)


def copy_name(raster: Raster) -> str:
    """What a raster's copy beside its item is called."""
    return f"{safe_name(raster.name.asset)}.tif"


def with_earlier(
    members: Sequence[Raster], before: Mapping[str, object]
) -> tuple[list[Raster], list[str]]:
    """Rasters with what an earlier call said of them, and what that is.

    Args:
        members: The rasters of an item.
        before: The item as it was; empty where there is none.
    """
    earlier = assets_of(before)
    made: list[Raster] = []
    kept: list[str] = []
    for member in members:
        old = earlier.get(member.name.asset, {}).get("bands")
        bands, note = keep_given(member.bands, old, member.path.name)
        kept += [note] if note else []
        made.append(replace(member, bands=bands))
    return made, kept


def item_document(
    name: str,
    members: Sequence[Raster],
    *,
    collection: str,
    license: str = "other",
    copies: Mapping[str, Path] | None = None,
    before: Mapping[str, object] | None = None,
    folder: Path | None = None,
) -> dict[str, object]:
    """The document of an item.

    Args:
        name: Its id.
        members: Its rasters, an asset each.
        collection: Id of its collection.
        license: Of the data.
        copies: Files beside the document in place of the rasters, by asset.
        before: The item as it was: bands that this call does not name stay.
        folder: Where it lies.
    """
    from affine import Affine
    from odc.geo.geobox import GeoBox

    copies, assets, outline = copies or {}, {}, None
    for raster in members:
        copy = copies.get(raster.name.asset)
        grid = GeoBox((raster.shape[0], raster.shape[1]), Affine(*raster.transform), raster.crs)
        shape = grid.extent.to_crs("EPSG:4326", resolution=grid.extent.length / 40).geom
        outline = shape if outline is None else outline.union(shape)
        assets[raster.name.asset] = {
            "href": raster.address if copy is None else f"./{copy.name}",
            "type": _media_type(raster.path)
            if copy is None
            else "image/tiff; application=geotiff; profile=cloud-optimized",
            # In a SAFE folder the picture in true colour lies among the bands.
            "roles": ["visual"] if raster.name.asset == "TCI" else ["data"],
            **_projection(raster.crs),
            "proj:shape": raster.shape,
            "proj:transform": raster.transform,
            "raster:spatial_resolution": raster.pixel,
            "bands": raster.bands,
        }
    assert outline is not None
    first = members[0]
    if before and folder and (others := _others(before, members, folder)):
        import shapely.geometry

        # Files that this call does not name: bands of the item all the same.
        assets = {**others, **assets}
        outline = outline.union(shapely.geometry.shape(before["geometry"]))
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": name,
        "collection": collection,
        "geometry": outline.__geo_interface__,
        "bbox": list(outline.bounds),
        "properties": {
            "datetime": stamp(first.time),
            **_projection(first.crs),
            **({} if license == "other" else {"license": license}),
            **first.properties,
        },
        "links": [
            {"rel": "root", "href": "../collection.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": assets,
        FOLDER: str(first.name.folder),
        NAMED: first.name.item,
        DATED: first.time_from,
    }


def assets_of(document: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The assets of an item's document, without what is none."""
    found = document.get("assets")
    listed = found.items() if isinstance(found, Mapping) else ()
    return {str(key): dict(asset) for key, asset in listed if isinstance(asset, Mapping)}


def _others(
    before: Mapping[str, object], members: Sequence[Raster], folder: Path
) -> dict[str, dict[str, object]]:
    """Assets of an item as an earlier call wrote it whose files are there still.

    Of another time they are no bands of this one.
    """
    properties = before.get("properties")
    said = properties.get("datetime") if isinstance(properties, Mapping) else None
    if said != stamp(members[0].time) or not before.get("geometry"):
        return {}
    own = {member.name.asset for member in members}
    return {
        key: asset
        for key, asset in assets_of(before).items()
        if key not in own and (folder / str(asset.get("href"))).is_file()
    }


def _projection(crs: str) -> dict[str, object]:
    """A reference system as the projection extension states it."""
    if re.fullmatch(r"[A-Z]+:\w+", crs):
        return {"proj:code": crs}
    return {"proj:code": None, "proj:wkt2": crs}


def _media_type(path: Path) -> str:
    kinds = {".jp2": "image/jp2", ".nc": "application/netcdf", ".vrt": "application/xml"}
    return kinds.get(path.suffix.lower(), "image/tiff; application=geotiff")
