"""A static catalogue of catalogues of collections, and a file that holds an ItemCollection."""

from __future__ import annotations

import json
from pathlib import Path

TIME = "2019-10-04T18:55:37Z"


def write_nested(folder: Path) -> None:
    """`test-case-1/`: two countries of two areas of two items each; `sample-item-collection.json`:
    the items of all, in one file.
    """
    root = folder / "test-case-1"
    items = []
    for country in (1, 2):
        areas = [f"area-{country}-{area}" for area in (1, 2)]
        _write(
            root / f"country-{country}" / "catalog.json",
            type="Catalog", id=f"country-{country}", description=f"test catalog country-{country}",
            links=[_link("root", "../catalog.json"), _link("parent", "../catalog.json"),
                   *(_link("child", f"./{area}/collection.json") for area in areas)],
        )  # fmt: skip
        for number, area in enumerate(areas):
            west, south = -2.5 + 4 * country, 3.9 + number
            items += _write_area(root / f"country-{country}" / area, area, (west, south))
    _write(
        root / "catalog.json",
        type="Catalog", id="test", description="test catalog",
        links=[_link("child", f"./country-{country}/catalog.json") for country in (1, 2)],
    )  # fmt: skip
    everything = {"type": "FeatureCollection", "features": items}
    (folder / "sample-item-collection.json").write_text(json.dumps(everything))


def _write_area(folder: Path, area: str, corner: tuple[float, float]) -> list[dict[str, object]]:
    west, south = corner
    east, north = west + 0.5, south + 0.4
    bbox = [west, south, east, north]
    kinds = ("imagery", "labels")
    _write(
        folder / "collection.json",
        type="Collection", id=area, description=f"test collection {area}", license="other",
        extent={"spatial": {"bbox": [bbox]}, "temporal": {"interval": [[TIME, None]]}},
        links=[_link("root", "../../catalog.json"), _link("parent", "../catalog.json"),
               *(_link("item", f"./{area}-{kind}/{area}-{kind}.json") for kind in kinds)],
    )  # fmt: skip
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return [
        _write(
            folder / f"{area}-{kind}" / f"{area}-{kind}.json",
            type="Feature", id=f"{area}-{kind}", bbox=bbox, collection=area,
            geometry={"type": "Polygon", "coordinates": [ring]},
            properties={
                "datetime": TIME,
                **({"label:description": f"labels for {area}"} if kind == "labels" else {}),
            },
            assets={kind: {"href": f"https://example.org/{area}-{kind}.tif"}},
            links=[_link("collection", "../collection.json"),
                   _link("parent", "../collection.json")],
        )
        for kind in kinds
    ]  # fmt: skip


def _link(rel: str, href: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": "application/json"}


def _write(path: Path, **document: object) -> dict[str, object]:
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"stac_version": "1.1.0", **document}
    path.write_text(json.dumps(found))
    return found
