"""A group's current rows as a file that other programs read: GeoParquet or GeoPackage."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import ConflictError, InvalidInputError, RemoteError
from eolab.features.geometry import RowGeometry, shapes, to_pandas

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

ENDINGS = (".parquet", ".gpkg")


def export(table: pa.Table, geometry: RowGeometry | None, path: Path) -> Path:
    """Write rows into a new file, whole or not at all; see `FeatureGroup.export`."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InvalidInputError(
            f"{path.name} ends in none of {', '.join(ENDINGS)}",
            "GeoParquet takes every column, GeoPackage is read by every GIS.",
        )
    if path.exists():
        raise ConflictError(f"{path} is there already", "Take another name, or remove it.")
    if geometry is None and ending == ".gpkg":
        raise InvalidInputError(
            "the group has no geometry, and a GeoPackage needs one", "Export it as .parquet."
        )
    draft = path.with_name(f".{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        if geometry is None:
            import pyarrow.parquet as pq

            pq.write_table(table, draft)
        elif ending == ".parquet":
            _located(table, geometry).to_parquet(draft)
        else:
            _located(table, geometry).to_file(draft, driver="GPKG", layer=path.stem)
        draft.rename(path)
    except OSError as error:
        raise RemoteError(f"{path} cannot be written: {error}", "Check the folder.") from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidInputError(
            f"{path.name} cannot hold these columns: {error}",
            "Name the columns to export, or take .parquet.",
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def _located(table: pa.Table, geometry: RowGeometry) -> gpd.GeoDataFrame:
    """The rows with shapes and CRS; points are made of columns of coordinates."""
    import geopandas as gpd

    frame = to_pandas(table, geometry)
    if isinstance(frame, gpd.GeoDataFrame):
        return frame
    return gpd.GeoDataFrame(frame, geometry=shapes(frame, geometry), crs=geometry.crs)
