"""Three inputs of the demo, each brought to the same thing: a feature view and its blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr

    from eolab.facade import Workspace
    from eolab.features import FeatureView, SpatialBlocks

Say = Callable[[str], None]

MAX_CLOUD = 60.0  # percent of a scene
# Twelve monthly composites side by side: "OPTICAL-B02-ts3-10m" is step 3 of OPTICAL-B02.
_STEP = re.compile(r"^(?P<name>.+)-ts(?P<step>\d+)-\d+m$")


@dataclass(frozen=True)
class Case:
    """What an input gave, ready to be tuned on.

    Attributes:
        name: Name of study and model.
        view: Features with labels.
        blocks: How the region is cut for train, validation and test.
        items: Scenes used after the cloud filter; None for a table.
        pixels: Valid pixel observations that the features were made from; None for a table.
        rows: Rows in the feature groups.
        folds: Number of outer block folds; 0 means one held-out test part.
        minimum: A class with fewer samples is left out by name.
        caution: A sentence that must stand beside the metrics.
    """

    name: str
    view: FeatureView
    blocks: SpatialBlocks
    items: int | None
    pixels: int | None
    rows: int
    folds: int
    minimum: int
    caution: str


def from_sample(ws: Workspace, seed: int, say: Say) -> Case:
    """The simulated region: parcels, two feature groups joined as of the labels' date."""
    import geopandas as gpd
    import pandas as pd

    import eolab as eo
    from eolab.catalog.simulate.names import COLLECTION, SEASON
    from eolab.catalog.simulate.write import write_sample

    if not (ws.config.sample / "sample.json").exists():
        say("Making the sample region (simulated)")
        write_sample(ws.config.sample, seed=seed)
    items = ws.catalog("sample").search(COLLECTION, datetime=SEASON, max_cloud=MAX_CLOUD)
    cube = eo.load(
        items,
        bands=["blue", "green", "red", "rededge1", "nir", "swir16", "swir22"],
        crs="EPSG:32633",
        resolution=20,
        mask=eo.mask(drop=["cloud", "shadow"], dilate=20),
    )
    for index in ("NDVI", "NDMI", "NDWI"):
        cube[index] = cube.eo.spectral_index(index)
    say(f"Cube: {dict(cube.sizes)}, {len(cube.data_vars)} variables")
    parcels = gpd.read_parquet(ws.config.sample / "parcels.parquet")
    rows = cube.eo.zonal(parcels, id="parcel_id", stats=["median"], buffer=-10)

    fs = ws.features
    spectra = fs.get_or_create_feature_group(
        "parcel_spectra",
        primary_key=["parcel_id"],
        event_time="time",
        description="Median reflectance and indices by parcel and date (simulated)",
    )
    spectra.insert(rows)
    ndvi = rows.groupby("parcel_id")["NDVI_median"]
    season = ndvi.agg(["max", "min", "mean"]).add_prefix("NDVI_season_").reset_index()
    # What the whole season says of a parcel is known when the season ends, not before.
    season["season_end"] = pd.Timestamp(parcels["observed"].max())
    seasons = fs.get_or_create_feature_group(
        "parcel_season",
        primary_key=["parcel_id"],
        event_time="season_end",
        description="What the season says of a parcel (simulated)",
    )
    seasons.insert(season)
    labels = fs.get_or_create_feature_group(
        "parcel_labels",
        primary_key=["parcel_id"],
        event_time="observed",
        description="Crops from the farm register (simulated; some are wrong on purpose)",
    )
    labels.insert(parcels[["parcel_id", "crop", "observed", "geometry"]])
    view = fs.get_or_create_feature_view(
        "sample",
        labels=labels.select(["crop"]),
        query=spectra.select_except(["count", "clear"])
        .sequence("03-20", "10-10", every="15D")
        .join(seasons.select_all()),
        description="A season of spectra by parcel (simulated)",
    )
    return Case(
        name="sample",
        view=view,
        blocks=eo.SpatialBlocks(600, buffer=30),
        items=_scenes(cube),
        pixels=_valid_pixels(cube),
        rows=len(rows) + len(season) + len(parcels),
        folds=0,
        minimum=0,
        caution="The scenes and labels are simulated: a plumbing test, not a result.",
    )


def from_scenes(ws: Workspace, data: Path, labels: Path, column: str, say: Say) -> Case:
    """Real scenes of one grid and labelled polygons: pixel time series, five block folds."""
    import eolab as eo
    from eolab.features.extract import points_and_pixels

    items = ws.catalog(str(data.resolve())).search(max_cloud=MAX_CLOUD)
    if not len(items):
        raise InvalidInputError(
            f"no scene of {data} has {MAX_CLOUD:g} % cloud or less",
            "Add clearer scenes to the catalogue.",
        )
    say(f"{len(items)} scenes with at most {MAX_CLOUD:g} % cloud")
    polygons = _polygons(labels, column, say)
    cube = eo.load(items, native=True)
    for index in ("NDVI", "NDWI", "NDMI"):
        cube[index] = cube.eo.spectral_index(index)
    rows = points_and_pixels.pixels(cube, polygons)
    truth = points_and_pixels.pixel_labels(cube, polygons, columns=[column])

    fs = ws.features
    pixels = fs.get_or_create_feature_group(
        "pixels",
        primary_key=["pixel_id"],
        event_time="time",
        description=f"Reflectance and indices by pixel and date, from {data.name}",
    )
    pixels.insert(rows)
    group = fs.get_or_create_feature_group(
        "pixel_labels", primary_key=["pixel_id"], description=f"{column} of {labels.name}"
    )
    group.insert(truth)
    days = rows["time"].dt.floor("D")
    span = (days.max() - days.min()).days
    view = fs.get_or_create_feature_view(
        "scenes",
        labels=group.select([column]),
        query=pixels.select_except(["x", "y"]).sequence(
            f"{days.min():%Y-%m-%d}",
            f"{days.max():%Y-%m-%d}",
            # At most some two dozen steps, whatever the season's length.
            every=f"{max(10, span // 24)}D",
            fill="linear",
        ),
        description=f"Pixel time series with {column}",
    )
    area = (cube.x[-1] - cube.x[0]) * (cube.y[-1] - cube.y[0])
    caution = ""
    if abs(float(area)) < 4e6:
        caution = (
            "The scenes cover about one square kilometre: this is a plumbing test, not a result."
        )
    return Case(
        name="scenes",
        view=view,
        blocks=eo.SpatialBlocks(200, buffer=10, crs=str(cube.odc.crs)),
        items=_scenes(cube),
        pixels=_valid_pixels(cube),
        rows=len(rows) + len(truth),
        folds=5,
        minimum=150,
        caution=caution,
    )


def from_table(ws: Workspace, table: Path, column: str, say: Say) -> Case:
    """A labelled table with positions: five block folds of 0.05 degrees."""
    import eolab as eo
    from eolab.features.extract.labelled_tables import read_labelled_table

    labelled = read_labelled_table(table, label=column)
    if not labelled.position:
        raise InvalidInputError(
            f"{table.name} has no columns lon and lat",
            "Positions are needed to keep neighbours out of the test part.",
        )
    say(f"{len(labelled.frame)} samples, {len(labelled.features)} feature columns")
    fs = ws.features
    key = labelled.key
    truth = labelled.frame[[key, column, *labelled.position]]
    labels = fs.get_or_create_feature_group(
        "table_labels",
        primary_key=[key],
        geometry=labelled.position,
        description=f"{column} of {table.name}",
    )
    labels.insert(truth)
    rows, static = _by_month(labelled.frame[[key, *labelled.features]], key, table)
    if rows is None:
        plain = fs.get_or_create_feature_group(
            "table_features", primary_key=[key], description=f"Features of {table.name}"
        )
        plain.insert(static)
        query = plain.select_all()
        count = len(static)
    else:
        months = fs.get_or_create_feature_group(
            "table_months",
            primary_key=[key],
            event_time="month",
            description=f"Monthly features of {table.name}",
        )
        months.insert(rows)
        first, last = rows["month"].min(), rows["month"].max()
        query = months.select_all().sequence(
            f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}", every="30D", fill="linear", max_gap="90D"
        )
        count = len(rows)
        if static.shape[1] > 1:
            site = fs.get_or_create_feature_group(
                "table_sites", primary_key=[key], description=f"Terrain of {table.name}"
            )
            site.insert(static)
            query = query.join(site.select_all())
            count += len(static)
    view = fs.get_or_create_feature_view(
        "table", labels=labels.select([column]), query=query, description=f"{table.name}, {column}"
    )
    return Case(
        name="table",
        view=view,
        blocks=eo.SpatialBlocks(0.05, crs="EPSG:4326"),
        items=None,
        pixels=None,
        rows=count + len(truth),
        folds=5,
        minimum=20,
        caution="",
    )


def _by_month(
    wide: pd.DataFrame, key: str, table: Path
) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """Step columns as one row a sample and month; and the columns that have no step.

    The first month is the table's ``start_date``; without it, or where samples start in different
    months (a sequence must mean the same season for all), the table stays wide.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    steps = {c: m for c in wide.columns if (m := _STEP.match(c))}
    if not steps or table.suffix.lower() != ".parquet":
        return None, wide
    if "start_date" not in pq.read_schema(table).names:
        return None, wide
    starts = pd.read_parquet(table, columns=["start_date"])["start_date"].unique()
    if len(starts) != 1:
        return None, wide
    first = pd.Timestamp(starts[0], tz="UTC")
    months = []
    for step in sorted({int(m["step"]) for m in steps.values()}):
        columns = {c: m["name"] for c, m in steps.items() if int(m["step"]) == step}
        month = wide[[key, *columns]].rename(columns=columns)
        month.insert(1, "month", first + pd.DateOffset(months=step))
        months.append(month)
    return pd.concat(months, ignore_index=True), wide[[c for c in wide.columns if c not in steps]]


def _polygons(labels: Path, column: str, say: Say) -> gpd.GeoDataFrame:
    """The labelled polygons; those without a label are dropped, and said to be."""
    import geopandas as gpd

    try:
        polygons = (
            gpd.read_file(labels) if labels.suffix != ".parquet" else gpd.read_parquet(labels)
        )
    except Exception as error:
        raise InvalidInputError(
            f"{labels} cannot be read as polygons: {error}",
            "Give a GeoPackage, GeoJSON, Shapefile or GeoParquet file.",
        ) from error
    if column not in polygons.columns:
        names = [str(c) for c in polygons.columns]
        raise InvalidInputError(
            f"{labels.name} has no column {column!r}", nearest(column, names, "columns")
        )
    named = polygons[column].notna() & (polygons[column].astype(str).str.strip() != "")
    if not named.all():
        say(f"{int((~named).sum())} of {len(polygons)} polygons have no {column} and are dropped")
    return polygons[named].reset_index(drop=True)


def _scenes(cube: xr.Dataset) -> int:
    """How many scenes the cube was made from (an older product of an overpass is not)."""
    return len({item for ids in cube["item_id"].to_numpy() for item in str(ids).split(",")})


def _valid_pixels(cube: xr.Dataset) -> int:
    """How many (date, pixel) pairs of the cube's first band hold a value."""
    first = cube[next(iter(cube.data_vars))]
    return int(first.notnull().sum())  # noqa: PD004  xarray, not pandas
