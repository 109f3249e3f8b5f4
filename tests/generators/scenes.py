"""Sentinel-2 L1C scenes of a patch of land, with the land cover that they were made from.

As such data come: top of atmosphere, one file a band, no scene classification, no common names,
scale and nodata in `raster:bands`, a native grid whose pixels are not quite square, two dates under
cloud; polygons of which a quarter are smaller than four pixels and some have no name.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

ORIGIN, PIXEL, SHAPE = (465181.0522318204, 5080254.63349641), (9.994792, 9.997448), (101, 100)
DATES = {
    "2015-07-11T10:00:08": 0.0,
    "2015-07-31T10:00:09": 100.0,
    "2015-08-20T10:07:28": 100.0,
    "2015-08-30T10:05:47": 2.5,
    "2015-09-09T10:00:17": 0.0,
}
BANDS = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12",
)  # fmt: skip
# Top-of-atmosphere reflectance by class, in the order of BANDS.
CLASSES = {
    "forest": (.11, .08, .07, .04, .07, .20, .26, .28, .30, .09, .002, .14, .06),
    "grassland": (.12, .09, .09, .06, .11, .25, .31, .34, .36, .11, .002, .23, .12),
    "schrubland": (.12, .09, .08, .05, .09, .22, .28, .30, .32, .10, .002, .18, .09),
    "artificial surface": (.15, .14, .14, .15, .17, .20, .22, .23, .24, .08, .002, .25, .22),
    "cultivated land": (.12, .10, .11, .10, .14, .24, .28, .30, .32, .10, .002, .28, .18),
    "": (.13, .11, .11, .11, .13, .18, .20, .21, .22, .08, .002, .22, .17),
}  # fmt: skip


def write_scenes(catalogue: Path, truth: Path) -> None:
    """A static catalogue of five scenes, and beside it NDVI, times and land cover."""
    import rasterio.features
    from rasterio.transform import Affine

    rng = np.random.default_rng(11)
    transform = Affine(PIXEL[0], 0, ORIGIN[0], 0, -PIXEL[1], ORIGIN[1])
    land = _land(rng)
    names = list(CLASSES)
    shapes = [(shape, names.index(name) + 1) for shape, name in zip(*land[:2], strict=True)]
    cover = rasterio.features.rasterize(shapes, SHAPE, transform=transform)
    clear = np.array([*[CLASSES[n] for n in names], CLASSES[""]])[cover - 1]
    bbox = _bbox()
    links, ndvi = [], []
    for number, (time, cloud) in enumerate(DATES.items()):
        identity = f"S2_L1C_{time[:10].replace('-', '')}"
        values = np.full((*SHAPE, len(BANDS)), 0.55) if cloud == 100 else clear
        noise = rng.normal(0, 0.01, (*SHAPE, 1)) + rng.normal(0, 0.005, (*SHAPE, len(BANDS)))
        raw = np.clip((values + noise) * (1 - 0.05 * number) * 1e4, 1, 20_000).astype("uint16")
        raw.reshape(-1, len(BANDS))[rng.integers(0, raw[..., 0].size, 20)] = 0  # nodata
        folder = catalogue / identity
        folder.mkdir(parents=True)
        for band, layer in zip(BANDS, np.moveaxis(raw, -1, 0), strict=True):
            _write(folder / f"{band}.tif", layer, transform)
        (folder / f"{identity}.json").write_text(json.dumps(_item(identity, time, cloud, bbox)))
        links.append({"rel": "item", "href": f"./{identity}/{identity}.json"})
        red, nir = (raw[..., BANDS.index(b)].astype(float) for b in ("B04", "B08"))
        with np.errstate(invalid="ignore"):
            ndvi.append(np.where(red + nir > 0, (nir - red) / (nir + red), np.nan))
    _write_collection(catalogue, links, bbox)
    truth.mkdir(parents=True)
    np.save(truth / "NDVI.npy", np.stack(ndvi)[..., None].astype("float32"))
    (truth / "timestamps.json").write_text(json.dumps(list(DATES)))
    _write_land(truth / "LULC.gpkg", land)


def _land(rng: np.random.Generator) -> tuple[list, list[str]]:
    """88 polygons that lie beside each other: 63 large ones, and 25 of less than four pixels."""
    import shapely

    (west, north), (wide, high), (rows, columns) = ORIGIN, PIXEL, SHAPE
    east, south = west + columns * wide, north - rows * high
    seeds = shapely.MultiPoint(
        np.column_stack([rng.uniform(west, east, 63), rng.uniform(south, north, 63)])
    )
    around = shapely.box(west - 50, south - 50, east + 50, north + 50)
    cells = list(shapely.voronoi_polygons(seeds, extend_to=around).geoms)
    corners = rng.permutation(100)[:25]
    small = []
    for corner in corners:  # each in a square of its own, so that none touch
        x, y = west + 20 + corner % 10 * 95, south + 20 + corner // 10 * 95
        small.append(shapely.box(x, y, x + rng.uniform(5, 18), y + rng.uniform(5, 18)))
    holes = shapely.union_all(small)
    large = [cell.intersection(around).difference(holes) for cell in cells]
    weights = [0.25, 0.3, 0.27, 0.14, 0, 0]
    names = list(rng.choice(list(CLASSES), 88, p=np.array(weights) / sum(weights)))
    names[-8:-4] = [""] * 4
    names[-4:] = ["cultivated land"] * 4
    return large + small, names


def _write_land(path: Path, land: tuple[list, list[str]]) -> None:
    import geopandas as gpd

    shapes, names = land
    frame = gpd.GeoDataFrame(
        {
            "index": [str(37_649 + i) for i in range(len(shapes))],
            "AREA": [shape.area for shape in shapes],
            "DATE": "2017-12-14",
            "LULC_ID": [list(CLASSES).index(name) for name in names],
            "LULC_NAME": names,
        },
        geometry=shapes,
        crs="EPSG:32633",
    )
    frame.to_file(path, driver="GPKG")


def _bbox() -> list[float]:
    from pyproj import Transformer

    (west, north), (wide, high), (rows, columns) = ORIGIN, PIXEL, SHAPE
    to_degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    return list(
        to_degrees.transform_bounds(west, north - rows * high, west + columns * wide, north)
    )


def _item(identity: str, time: str, cloud: float, bbox: list[float]) -> dict[str, object]:
    west, south, east, north = bbox
    ring = [[east, south], [east, north], [west, north], [west, south], [east, south]]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
            "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
            "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
        ],
        "id": identity,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": bbox,
        "properties": {
            "proj:code": "EPSG:32633",
            "proj:shape": list(SHAPE),
            "proj:transform": [PIXEL[0], 0.0, ORIGIN[0], 0.0, -PIXEL[1], ORIGIN[1]],
            "eo:cloud_cover": cloud,
            "platform": "sentinel-2a",
            "gsd": 10,
            "datetime": f"{time}Z",
        },
        "links": [
            {"rel": rel, "href": "../collection.json", "type": "application/json"}
            for rel in ("root", "collection", "parent")
        ],
        "assets": {
            band: {
                "href": f"./{band}.tif",
                "type": "image/tiff; application=geotiff",
                "bands": [{"name": band}],
                "raster:bands": [{"scale": 0.0001, "nodata": 0, "data_type": "uint16"}],
                "roles": ["data"],
            }
            for band in BANDS
        },
        "collection": "s2-l1c-slovenia",
    }


def _write_collection(folder: Path, links: list[dict[str, str]], bbox: list[float]) -> None:
    document = {
        "type": "Collection",
        "id": "s2-l1c-slovenia",
        "stac_version": "1.1.0",
        "description": "Made Sentinel-2 L1C scenes in the shape of those of a patch in Slovenia",
        "links": [{"rel": "root", "href": "./collection.json"}, *links],
        "extent": {
            "spatial": {"bbox": [bbox]},
            "temporal": {"interval": [["2015-07-11T00:00:00Z", "2015-09-10T00:00:00Z"]]},
        },
        "license": "Apache-2.0",
    }
    (folder / "collection.json").write_text(json.dumps(document))


def _write(path: Path, values: np.ndarray, transform: object) -> None:
    import rasterio

    with rasterio.open(
        path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1,
        dtype="uint16", nodata=0, crs="EPSG:32633", transform=transform, compress="deflate",
    ) as file:  # fmt: skip
        file.write(values, 1)
