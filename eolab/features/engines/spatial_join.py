"""Joining by place: which thing of another group each row lies in, or is nearest to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features import geometry as geo
from eolab.features.geometry import EQUAL_AREA
from eolab.features.storage.duckdb import quote_identifier, quote_identifiers, run

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from eolab.features.queries.query import Join, Near


def near_name(number: int, key: int) -> str:
    """The spine's column that holds a key found by place."""
    return f"_near{number}_{key}"


def nearby(
    con: DuckDBPyConnection,
    rows: pa.Table,
    geometry: geo.RowGeometry | None,
    part: Join,
    number: int,
    as_of: int | None,
) -> dict[str, pa.ChunkedArray]:
    """The primary key of the thing that each row meets, null where it meets none.

    Where several are met (overlaps, equal distances) the one first by key is taken, so that no row
    is doubled and the order of rows does not matter.

    Raises:
        InvalidInputError: One of the two groups has no geometry.
    """
    import pyarrow as pa

    near, group = part.near, part.query.group
    assert near is not None
    place = group.geometry
    if geometry is None or place is None:
        which = group.label if place is None else "the group that it is joined to"
        raise InvalidInputError(
            f"{which} has no geometry, so it cannot be joined by place",
            "Insert a GeoDataFrame, or make the group with geometry=('lon', 'lat').",
        )
    group.table.view(con, "resolved", as_of=as_of)
    keys = quote_identifiers(group.primary_key)
    newest = f"ORDER BY {quote_identifier(group.event_time)} DESC" if group.event_time else ""
    others = run(
        con,
        f"SELECT {keys}, {quote_identifiers(place.columns)} FROM resolved "
        f"QUALIFY row_number() OVER (PARTITION BY {keys} {newest}) = 1 ORDER BY {keys}",
    )
    theirs = geo.shapes(others.select(list(place.columns)).to_pandas(), place)
    mine = geo.shapes(rows.select(list(geometry.columns)).to_pandas(), geometry)
    met = np.full(len(mine), -1)
    known, there = np.flatnonzero(mine != None), np.flatnonzero(theirs != None)  # noqa: E711
    if len(known) and len(there):
        find = _same_tile if near.how == "tile" else _met
        found = find(near, mine[known], geometry, theirs[there], place)
        # Written backwards, so that the first by key stays.
        order = np.lexsort((found[1], found[0]))[::-1]
        met[known[found[0][order]]] = there[found[1][order]]
    index = pa.array(met, mask=met < 0)
    return {
        near_name(number, i): others.column(key).take(index)
        for i, key in enumerate(group.primary_key)
    }


def _met(
    near: Near,
    mine: np.ndarray,
    geometry: geo.RowGeometry,
    theirs: np.ndarray,
    place: geo.RowGeometry,
) -> np.ndarray:
    """Pairs of a row and a thing that it lies in or that is nearest to it, shape (2, n)."""
    import shapely

    middle = shapely.centroid(mine)
    other = geo.reproject(theirs, place.crs, geometry.crs)
    if near.how == "within":
        return np.asarray(shapely.STRtree(other).query(middle, predicate="intersects"))
    both = geo.planar(np.concatenate([middle, other]), geometry.crs)
    middle, other = both[: len(middle)], both[len(middle) :]
    return np.asarray(shapely.STRtree(other).query_nearest(middle, max_distance=near.max_distance))


def _same_tile(
    near: Near,
    mine: np.ndarray,
    geometry: geo.RowGeometry,
    theirs: np.ndarray,
    place: geo.RowGeometry,
) -> np.ndarray:
    """Pairs of a row and the nearest thing whose middle is in the same tile, shape (2, n)."""
    from scipy.spatial import KDTree

    assert near.tile is not None
    a = geo.project(geo.positions(mine), geometry.crs, "EPSG:4326")
    b = geo.project(geo.positions(theirs), place.crs, "EPSG:4326")
    cells = [
        np.floor(geo.project(points, "EPSG:4326", EQUAL_AREA) / near.tile) for points in (a, b)
    ]
    _, of = np.unique(np.concatenate(cells), axis=0, return_inverse=True)
    of_a, of_b = of.ravel()[: len(a)], of.ravel()[len(a) :]
    # The grid stretches lengths with latitude, so distances are taken on the ground; the tile's
    # number is one more coordinate, in which other tiles are further than any two points of one.
    apart = 100 * near.tile
    ground_a, ground_b = (geo.metres(points, "EPSG:4326") for points in (a, b))
    tree = KDTree(np.column_stack([ground_b, of_b * apart]))
    _, index = tree.query(np.column_stack([ground_a, of_a * apart]))
    same = of_b[index] == of_a
    return np.stack([np.flatnonzero(same), index[same]])
