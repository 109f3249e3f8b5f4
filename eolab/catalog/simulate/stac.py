"""The sample's STAC 1.1 documents: catalogue, collections and items with relative links."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.simulate.names import COLLECTION, RADAR
from eolab.catalog.simulate.radar import OUTSIDE, POLARISATIONS, SIZE, Look

if TYPE_CHECKING:
    from eolab.catalog.simulate.product import Product, Tile

VERSION = "1.1.0"
_BASE = "https://stac-extensions.github.io"
EXTENSIONS = [
    f"{_BASE}/projection/v2.0.0/schema.json",
    f"{_BASE}/eo/v2.0.0/schema.json",
    f"{_BASE}/raster/v2.0.0/schema.json",
    f"{_BASE}/sat/v1.1.0/schema.json",
    f"{_BASE}/grid/v1.1.0/schema.json",
]
RADAR_EXTENSIONS = [
    f"{_BASE}/projection/v2.0.0/schema.json",
    f"{_BASE}/raster/v2.0.0/schema.json",
    f"{_BASE}/sat/v1.1.0/schema.json",
    f"{_BASE}/sar/v1.0.0/schema.json",
]
# Common names of the EO extension 2.0 and centre wavelengths in micrometres.
_SPECTRUM = {
    "B02": ("blue", 0.490),
    "B03": ("green", 0.560),
    "B04": ("red", 0.665),
    "B05": ("rededge071", 0.704),
    "B06": ("rededge075", 0.740),
    "B07": ("rededge078", 0.783),
    "B08": ("nir", 0.842),
    "B8A": ("nir08", 0.865),
    "B11": ("swir16", 1.610),
    "B12": ("swir22", 2.190),
}


def write_stac(
    folder: Path, products: Sequence[tuple[Product, float]], looks: Sequence[Look]
) -> None:
    """Write catalogue, collections and one item a product or look.

    Products come with their cloud cover in percent.
    """
    optical = [_item(product, cover, COLLECTION) for product, cover in products]
    _write_collection(
        folder,
        COLLECTION,
        optical,
        "Simulated Sentinel-2 L2A seasons (not real)",
        ["sentinel-2", "agriculture"],
        {
            "platform": ["sentinel-2a", "sentinel-2b"],
            "eo:cloud_cover": {"minimum": 0, "maximum": 100},
        },
    )
    _write_collection(
        folder,
        RADAR,
        [_radar_item(look, RADAR) for look in looks],
        "Simulated Sentinel-1 RTC seasons (not real)",
        ["sentinel-1", "radar", "sar", "agriculture"],
        {
            "platform": ["sentinel-1a"],
            "sar:polarizations": [["VV", "VH"]],
            "sat:orbit_state": ["ascending", "descending"],
        },
    )
    children = [
        {"rel": "child", "href": f"./{name}/collection.json", "type": "application/json"}
        for name in (COLLECTION, RADAR)
    ]
    catalog = {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": "eolab-sample",
        "title": "eolab sample (simulated)",
        "description": "A simulated farming region for trying eolab out; not real observations.",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            *children,
        ],
    }
    _dump(folder / "catalog.json", catalog)


def _write_collection(
    folder: Path,
    name: str,
    items: Sequence[Mapping[str, object]],
    title: str,
    keywords: Sequence[str],
    summaries: Mapping[str, object],
) -> None:
    """Write a collection and its items."""
    boxes = [item["bbox"] for item in items]
    west, south, east, north = zip(*boxes, strict=True)
    times = sorted(str(item["properties"]["datetime"]) for item in items)  # type: ignore[index]
    union = [min(west), min(south), max(east), max(north)]
    collection = {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": name,
        "title": title,
        "description": "Simulated by eolab over a made-up farming region, not observed.",
        "license": "CC0-1.0",
        "keywords": ["simulated", "sample", *keywords],
        "extent": {"spatial": {"bbox": [union]}, "temporal": {"interval": [[times[0], times[-1]]]}},
        "summaries": summaries,
        "links": [
            {"rel": "root", "href": "../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
            *(
                {
                    "rel": "item",
                    "href": f"./{item['id']}/{item['id']}.json",
                    "type": "application/geo+json",
                }
                for item in items
            ),
        ],
    }
    for item in items:
        _dump(folder / name / str(item["id"]) / f"{item['id']}.json", item)
    _dump(folder / name / "collection.json", collection)


def _dump(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _item(product: Product, cover: float, collection: str) -> dict[str, object]:
    overpass = product.overpass
    start = f"{overpass.time:%Y%m%dT%H%M%S}_{overpass.orbit:06d}"
    properties: dict[str, object] = {
        "datetime": _stamp(product),
        "title": f"Simulated Sentinel-2 scene {overpass.time:%Y-%m-%d}, tile {product.tile.name}",
        "description": "Simulated by eolab, not observed.",
        "platform": product.platform,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "eo:cloud_cover": cover,
        "sat:relative_orbit": overpass.orbit,
        "sat:orbit_state": "descending",
        "grid:code": f"MGRS-{product.tile.name}",
        "proj:code": f"EPSG:{product.tile.epsg}",
        "s2:processing_baseline": product.baseline,
        "s2:datatake_id": f"GS2{product.platform[-1].upper()}_{start}_N{product.baseline}",
        "s2:product_type": "S2MSI2A",
        "eolab:simulated": True,
    }
    if overpass.applied:
        properties["earthsearch:boa_offset_applied"] = True
    assets = {band: _asset(product, band, size) for band, size in product.assets.items()}
    return _feature(product.id, collection, product.tile, properties, {**assets, **_thumbnail()})


def _feature(
    name: str,
    collection: str,
    tile: Tile,
    properties: Mapping[str, object],
    assets: Mapping[str, object],
) -> dict[str, object]:
    geometry, bbox = _footprint(tile)
    root = "../../catalog.json"
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": RADAR_EXTENSIONS if "sar:frequency_band" in properties else EXTENSIONS,
        "id": name,
        "collection": collection,
        "geometry": geometry,
        "bbox": bbox,
        "properties": properties,
        "links": [
            {"rel": "root", "href": root, "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": assets,
    }


def _radar_item(look: Look, collection: str) -> dict[str, object]:
    properties: dict[str, object] = {
        "datetime": f"{look.time:%Y-%m-%dT%H:%M:%SZ}",
        "title": f"Simulated Sentinel-1 scene {look.time:%Y-%m-%d}, {look.orbit.state}",
        "description": "Simulated by eolab, not observed.",
        "platform": "sentinel-1a",
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "gsd": SIZE,
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "sar:polarizations": ["VV", "VH"],
        "sar:product_type": "RTC",
        "sar:observation_direction": "right",
        "sat:orbit_state": look.orbit.state,
        "sat:relative_orbit": look.orbit.number,
        "proj:code": f"EPSG:{look.tile.epsg}",
        "eolab:simulated": True,
    }
    shared: dict[str, object] = {
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "roles": ["data"],
        "gsd": SIZE,
        "raster:spatial_resolution": SIZE,
        "proj:shape": look.tile.shape(SIZE),
        "proj:transform": look.tile.transform(SIZE),
    }
    assets: dict[str, object] = {
        name: {
            "href": f"./{name}.tif",
            **shared,
            "title": f"{name.upper()} gamma nought, linear power, simulated",
            "data_type": "float32",
            "nodata": "nan",
            "sar:polarizations": [name.upper()],
            "bands": [{"name": name}],
        }
        for name in POLARISATIONS
    }
    assets["mask"] = {
        "href": "./mask.tif",
        **shared,
        "title": "1 shadow, 2 layover, 255 outside of the swath",
        "data_type": "uint8",
        "nodata": OUTSIDE,
        "bands": [{"name": "mask"}],
    }
    return _feature(look.id, collection, look.tile, properties, assets)


def _stamp(product: Product) -> str:
    return f"{product.time:%Y-%m-%dT%H:%M:%SZ}"


def _asset(product: Product, band: str, size: float) -> dict[str, object]:
    asset: dict[str, object] = {
        "href": f"./{band}.tif",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "roles": ["data"],
        "gsd": size,
        "nodata": 0,
        "raster:spatial_resolution": size,
        "proj:shape": product.tile.shape(size),
        "proj:transform": product.tile.transform(size),
    }
    if band == "SCL":
        return asset | {
            "title": "Scene classification",
            "data_type": "uint8",
            "bands": [{"name": "SCL"}],
        }
    name, wavelength = _SPECTRUM[band]
    asset |= {
        "title": f"{name} ({band}), simulated",
        "data_type": "uint16",
        "unit": "1",
        "raster:scale": 0.0001,
        "bands": [{"name": band, "eo:common_name": name, "eo:center_wavelength": wavelength}],
    }
    if product.overpass.declared and not product.older:
        asset["raster:offset"] = -0.1
    return asset


def _thumbnail() -> dict[str, object]:
    return {
        "thumbnail": {
            "href": "./thumbnail.jpg",
            "type": "image/jpeg",
            "roles": ["thumbnail"],
            "title": "Preview of the simulated scene",
        }
    }


def _footprint(tile: Tile) -> tuple[dict[str, object], list[float]]:
    """The tile's outline in longitude and latitude, and its box (degrees)."""
    from pyproj import Transformer

    to_lonlat = Transformer.from_crs(f"EPSG:{tile.epsg}", "EPSG:4326", always_xy=True)
    west, south, east, north = tile.bounds
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    corners = [[round(float(v), 7) for v in to_lonlat.transform(x, y)] for x, y in ring]
    lon, lat = [c[0] for c in corners], [c[1] for c in corners]
    return {"type": "Polygon", "coordinates": [corners]}, [min(lon), min(lat), max(lon), max(lat)]
