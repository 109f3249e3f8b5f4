"""What the map of a group is told: the places that there are, and of what kind."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from eolab.features import panel

AREA = shapely.box(14, 46, 14.1, 46.1)
LINE, POINT = shapely.LineString([(14, 46), (15, 46)]), shapely.Point(14.5, 46.5)
MANY = shapely.MultiPoint([(14, 46), (15, 46)])


@pytest.mark.parametrize(
    ("shapes", "kind", "outlines"),
    [
        ([AREA, AREA], "area", 2),
        ([POINT, MANY], "point", 0),
        ([LINE], "line", 0),
        ([AREA, POINT], "mixed", 0),
        ([shapely.GeometryCollection([AREA, POINT])], "mixed", 0),
    ],
)
def test_places_are_counted_by_kind(store, shapes, kind, outlines):
    group = store.create_feature_group("g", primary_key=["id"])
    # Nothing known, and nothing there: neither is a place.
    lost = [None, shapely.Polygon()]
    frame = gpd.GeoDataFrame(
        {"id": range(len(shapes) + 2)}, geometry=[*lost, *shapes], crs="EPSG:4326"
    )
    group.insert(frame)
    found = panel.places(store, "g", 1)
    assert (found["kind"], len(found["points"])) == (kind, len(shapes))
    assert len(found["outlines"]) == outlines
    assert found["total"] == len(shapes)
