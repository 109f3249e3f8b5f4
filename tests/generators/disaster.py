"""A static catalogue of high-resolution scenes whose catalogues stand between the collection and
the items, with thumbnails and files of three and four bands of which the items say nothing.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

DAY = "hurricane-harvey/hurricane-harvey-0831"
# Id: (time, platform, bbox, cloud cover, assets).
SCENES = {
    "20170831_162740_ssc1d1": ("16:27:42", "SSC1", (-95.47, 28.87, -95.24, 29.06), 0, ("visual",)),
    "20170831_172754_101c": (
        "17:27:54", "101c", (-96.04, 29.51, -95.78, 29.62), 2, ("analytic", "visual"),
    ),
    "20170831_195425_SS02": ("19:54:26", "SS02", (-94.12, 29.92, -93.79, 30.05), 0, ("visual",)),
    "2017831_195552_SS02": ("19:55:53", "SS02", (-95.83, 29.73, -95.47, 29.83), 24, ("visual",)),
    "Houston-East-RGB": ("17:24:57", None, (-95.74, 29.56, -95.05, 30.16), 2, ("mosaic",)),
}  # fmt: skip


def write_disaster(folder: Path) -> None:
    """A collection, two catalogues below it, five items below those."""
    rng = np.random.default_rng(13)
    links = []
    for identity, (time, platform, bbox, cloud, assets) in SCENES.items():
        home = folder / DAY / identity
        home.mkdir(parents=True)
        documents = {"thumbnail": _asset("thumb.png", "image/png", "thumbnail")}
        _write_picture(home / "thumb.png", rng, bbox, 3, "uint8", driver="PNG")
        for name in assets:
            count, kind = (4, "uint16") if name == "analytic" else (3, "uint8")
            _write_picture(home / f"{name}.tif", rng, bbox, count, kind)
            documents[name] = _asset(f"{name}.tif", "image/vnd.stac.geotiff", "data")
        west, south, east, north = bbox
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        item = {
            "type": "Feature", "stac_version": "1.0.0", "id": identity, "bbox": list(bbox),
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {
                "datetime": f"2017-08-31T{time}.513448Z", "eo:cloud_cover": cloud, "gsd": 1.1,
                "view:off_nadir": 25, **({"platform": platform} if platform else {}),
            },
            "links": [
                {"rel": "collection", "href": "../../../collection.json"},
                {"rel": "root", "href": "../../../collection.json"},
                {"rel": "parent", "href": "../catalog.json"},
            ],
            "assets": documents, "collection": "planet-disaster-data",
        }  # fmt: skip
        (home / f"{identity}.json").write_text(json.dumps(item))
        links.append({"rel": "item", "href": f"./{identity}/{identity}.json"})
    _write_catalogs(folder, links)


def _write_catalogs(folder: Path, links: list[dict[str, str]]) -> None:
    shared = {"type": "Catalog", "stac_version": "1.0.0"}
    day = {
        **shared, "id": "hurricane-harvey-0831", "title": "Hurricane Harvey 08-31-2017",
        "description": "Scenes of the last of August",
        "links": [{"rel": "parent", "href": "../catalog.json"}, *links],
    }  # fmt: skip
    (folder / DAY / "catalog.json").write_text(json.dumps(day))
    storm = {
        **shared, "id": "hurricane-harvey", "title": "Hurricane Harvey",
        "description": "A window of 30 days around the storm",
        "links": [
            {"rel": "child", "href": "./hurricane-harvey-0831/catalog.json"},
            {"rel": "parent", "href": "../collection.json"},
        ],
    }  # fmt: skip
    (folder / "hurricane-harvey" / "catalog.json").write_text(json.dumps(storm))
    root = {
        "type": "Collection", "stac_version": "1.0.0", "id": "planet-disaster-data",
        "title": "Disaster data", "description": "Made scenes of a disaster",
        "keywords": ["disaster", "open"], "license": "Apache-2.0",
        "extent": {
            "spatial": {"bbox": [[-96, 28, -93, 31]]},
            "temporal": {"interval": [["2017-08-28T18:00:00Z", None]]},
        },
        "links": [
            {"rel": "root", "href": "./collection.json"},
            {"rel": "child", "href": "./hurricane-harvey/catalog.json"},
        ],
    }  # fmt: skip
    (folder / "collection.json").write_text(json.dumps(root))


def _asset(href: str, media_type: str, role: str) -> dict[str, object]:
    return {"href": f"./{href}", "type": media_type, "roles": [role]}


def _write_picture(
    path: Path,
    rng: np.random.Generator,
    bbox: tuple[float, ...],
    count: int,
    kind: str,
    driver: str = "GTiff",
) -> None:
    import rasterio
    from rasterio.enums import ColorInterp
    from rasterio.transform import from_bounds
    from rasterio.warp import transform_bounds

    waves = np.sin(np.arange(256) / rng.uniform(5, 20, (count, 1)))
    values = 120 + 100 * waves[:, :, None] * waves[:, None, :] + rng.normal(0, 5, (count, 256, 256))
    values = np.clip(values, 1, 255).astype(kind)
    place = {} if driver == "PNG" else {
        "crs": "EPSG:32615",
        "transform": from_bounds(*transform_bounds("EPSG:4326", "EPSG:32615", *bbox), 256, 256),
    }  # fmt: skip
    with (
        _no_place_is_meant(),
        rasterio.open(
            path, "w", driver=driver, width=256, height=256, count=count, dtype=kind, **place
        ) as file,
    ):
        file.write(values)
        if driver != "PNG":
            colours = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
            file.colorinterp = colours[:count]


@contextlib.contextmanager
def _no_place_is_meant() -> Iterator[None]:
    """A thumbnail has no place, which rasterio warns of."""
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield
