"""What the panel's "Add rasters" gets, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict


class PreviewedBandJson(TypedDict):
    name: str
    data_type: str
    scale: float
    scale_from: Annotated[str, Literal["user", "file", "rule", "none"]]
    offset: float
    offset_from: Annotated[str, Literal["user", "file", "rule", "none"]]
    nodata: str
    """As a number or "nan"; empty where there is none."""
    nodata_from: Annotated[str, Literal["user", "file", "rule", "none"]]
    rule: str
    """Why its numbers become values so."""


class PreviewedFileJson(TypedDict):
    path: str
    items: Sequence[str]
    """Ids of its items, the first of many."""
    steps: int
    """How many items it is part of."""
    start: str | None
    """Its first time; null where nobody says."""
    end: str | None
    time_from: Annotated[
        str, Literal["given", "name", "folder", "tags", "axis", "default", "missing"]
    ]
    bands: Sequence[PreviewedBandJson]
    crs: str
    resolution: float | None
    """Size of a pixel in units of the reference system."""
    unit: str
    """Of the resolution."""
    known: bool
    """Whether the collection holds it already."""
    skipped: Sequence[str]
    """Why it, or a part of it, is left out."""


class IngestPreviewJson(TypedDict):
    collection: str
    """Id of the collection; empty where none is named."""
    folder: str
    """Where its documents go."""
    files: Sequence[PreviewedFileJson]
    found: int
    """Rasters that were found, of which the first are shown."""
    whole: bool
    """Whether all entries of the folders were looked at."""
    items: int
    """Items that come of the files shown."""
    new: int
    """Of these, how many the collection does not hold yet."""
    there: int
    """Items that the collection holds now."""
    notes: Sequence[str]
    """Where files say something else than the user."""
