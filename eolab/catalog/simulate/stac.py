"""The sample's STAC 1.1 documents: catalogue, collection and items with relative links."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.catalog.simulate import Product

VERSION = "1.1.0"
_BASE = "https://stac-extensions.github.io"
EXTENSIONS = [
    f"{_BASE}/projection/v2.0.0/schema.json",
    f"{_BASE}/eo/v2.0.0/schema.json",
    f"{_BASE}/raster/v2.0.0/schema.json",
    f"{_BASE}/sat/v1.1.0/schema.json",
    f"{_BASE}/grid/v1.1.0/schema.json",
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


def write_stac(folder: Path, products: Sequence[tuple[Product, float]]) -> None:
    """Write catalogue, collection and one item a product; each with its cloud cover in percent."""
    from eolab.catalog.simulate import COLLECTION

    items = [_item(product, cover, COLLECTION) for product, cover in products]
    west, south, east, north = zip(*(_footprint(p)[1] for p, _ in products), strict=True)
    union = [min(west), min(south), max(east), max(north)]
    times = sorted(_stamp(product) for product, _ in products)
    collection = {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": COLLECTION,
        "title": "Simulated Sentinel-2 L2A season (not real)",
        "description": "Simulated by eolab over a made-up farming region, not observed.",
        "license": "CC0-1.0",
        "keywords": ["simulated", "sample", "sentinel-2", "agriculture"],
        "extent": {"spatial": {"bbox": [union]}, "temporal": {"interval": [[times[0], times[-1]]]}},
        "summaries": {
            "platform": ["sentinel-2a", "sentinel-2b"],
            "eo:cloud_cover": {"minimum": 0, "maximum": 100},
        },
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
    catalog = {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": "eolab-sample",
        "title": "eolab sample (simulated)",
        "description": "A simulated farming region for trying eolab out; not real observations.",
        "links": [
            {"rel": "root", "href": "./catalog.json", "type": "application/json"},
            {"rel": "child", "href": f"./{COLLECTION}/collection.json", "type": "application/json"},
        ],
    }
    for item in items:
        _dump(folder / COLLECTION / str(item["id"]) / f"{item['id']}.json", item)
    _dump(folder / COLLECTION / "collection.json", collection)
    _dump(folder / "catalog.json", catalog)


def _dump(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _item(product: Product, cover: float, collection: str) -> dict[str, object]:
    geometry, bbox = _footprint(product)
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
    root = "../../catalog.json"
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": EXTENSIONS,
        "id": product.id,
        "collection": collection,
        "geometry": geometry,
        "bbox": bbox,
        "properties": properties,
        "links": [
            {"rel": "root", "href": root, "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": {
            **{band: _asset(product, band, size) for band, size in product.assets.items()},
            **_thumbnail(),
        },
    }


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
            "href": "./thumbnail.png",
            "type": "image/png",
            "roles": ["thumbnail"],
            "title": "Preview of the simulated scene",
        }
    }


def _footprint(product: Product) -> tuple[dict[str, object], list[float]]:
    """The tile's outline in longitude and latitude, and its box (degrees)."""
    from pyproj import Transformer

    to_lonlat = Transformer.from_crs(f"EPSG:{product.tile.epsg}", "EPSG:4326", always_xy=True)
    west, south, east, north = product.tile.bounds
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    corners = [[round(float(v), 7) for v in to_lonlat.transform(x, y)] for x, y in ring]
    lon, lat = [c[0] for c in corners], [c[1] for c in corners]
    return {"type": "Polygon", "coordinates": [corners]}, [min(lon), min(lat), max(lon), max(lat)]
