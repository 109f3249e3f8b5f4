"""A split of a view written as its next training dataset."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.features.engines.spine import label_rows
from eolab.features.geometry import shapes
from eolab.features.queries.query import Query
from eolab.features.samples import samples
from eolab.features.storage.duckdb import connect, moment
from eolab.features.training import datasets
from eolab.features.training.datasets import TrainingDataset
from eolab.records.lineage import Ref, record
from eolab.settings.config import Config
from eolab.training_data import Split, TrainingData

if TYPE_CHECKING:
    import geopandas as gpd


def write(
    config: Config,
    view: str,
    labels: Query,
    folder: Path,
    split: Split,
    *,
    description: str,
    geoparquet: bool,
    format: datasets.Format,
) -> None:
    """Write a split (see `FeatureView.create_training_dataset`).

    Args:
        config: Of the workspace.
        view: Name and version of the view.
        labels: Its label column.
        folder: The new folder; its name is the number of the dataset.
        split: What to write.
        description: One line.
        geoparquet: Write each part as GeoParquet too.
        format: "tfrecord" writes each part as TFRecord too.
    """
    if format not in get_args(datasets.Format):
        raise InvalidInputError(
            f"unknown format={format!r}", nearest(str(format), get_args(datasets.Format))
        )
    about = {
        "view": view,
        "version": int(folder.name),
        "description": description,
        "created": time.time(),
    }
    places = _places(config, labels, split) if geoparquet else None
    datasets.write(folder, split, about, places, format=format)
    record(config.root, [Ref("view", view)], Ref("dataset", f"{view}#{folder.name}"))


def _places(config: Config, labels: Query, split: Split) -> Callable[[TrainingData], gpd.GeoSeries]:
    """Where the samples of a split's parts are, as the label group knew it then."""
    group = labels.group
    if group.geometry is None:
        raise InvalidInputError(
            f"{group.label} has no geometry, so there is no GeoParquet",
            "Leave geoparquet out, or keep labels with their shapes.",
        )
    import geopandas as gpd

    with connect(config.features) as con:
        rows = label_rows(con, labels, moment(split.source.get("known_at")), ())
    frame = rows.select(list(group.geometry.columns)).to_pandas()
    where = dict(
        zip(samples.texts_of(rows, group.keys), shapes(frame, group.geometry), strict=True)
    )
    crs = group.geometry.crs
    return lambda data: gpd.GeoSeries([where[i] for i in ids_of(data)], crs=crs)


def dataset_of(known: Sequence[TrainingDataset], version: int | None, view: str) -> TrainingDataset:
    """The training dataset of a number, by default the newest.

    Raises:
        NotFoundError: There is none.
    """
    by_number = {d.version: d for d in known}
    wanted = max(by_number, default=0) if version is None else version
    if wanted not in by_number:
        raise NotFoundError(
            f"{view} has no training dataset {wanted}",
            f"There are: {', '.join(map(str, by_number)) or 'none yet'}.",
        )
    return by_number[wanted]


def rows_among(every: TrainingData, some: TrainingData, view: str) -> list[int]:
    """Where samples stand among all samples of a view, by their keys.

    Raises:
        InvalidInputError: Some are not of it.
    """
    at = {name: i for i, name in enumerate(ids_of(every))}
    rows = [at.get(name, -1) for name in ids_of(some)]
    if min(rows, default=0) < 0:
        raise InvalidInputError(
            f"some samples are not of {view}", "Split this view, with the same as_of."
        )
    return rows


def ids_of(data: TrainingData) -> np.ndarray:
    """The keys of samples, as text."""
    assert data.ids is not None, "samples of a view carry their keys"
    return data.ids
