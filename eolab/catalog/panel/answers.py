"""What the catalogue panel and the search tab get, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias, TypedDict

from eolab.json_types import BBox, Items, Json

Period: TypeAlias = Literal["day", "week", "month", "year"]
FlatRing: TypeAlias = Annotated[Sequence[float], list[float]]
"""Longitude, latitude, longitude, latitude...: ten thousand of them are parsed in no time."""
Interval: TypeAlias = Annotated[Sequence[str | None], Items(str | None, str | None)]
Bin: TypeAlias = Annotated[Sequence[object], Items(str, int)]


class SkippedJson(TypedDict):
    href: str
    message: str


class CatalogJson(TypedDict):
    name: str
    kind: str
    url: str
    description: str
    simulated: bool
    own: bool
    """Somebody added it, and may change and remove it."""


class CatalogsJson(TypedDict):
    catalogs: Sequence[CatalogJson]


class CollectionJson(TypedDict):
    id: str
    title: str
    description: str
    license: str
    items: int | None
    bbox: BBox | None
    interval: Interval
    simulated: bool


class CollectionsJson(TypedDict):
    collections: Sequence[CollectionJson]
    skipped: Sequence[SkippedJson]


class ItemJson(TypedDict):
    id: str
    collection: str
    datetime: str | None
    cloud_cover: float | None
    """Percent."""
    platform: str | None
    bbox: BBox | None
    epsg: int | None
    thumbnail: bool
    """Whether there is something to draw."""
    bands: Sequence[str]
    notes: Sequence[str]
    """What to know before loading."""


class ItemsJson(TypedDict):
    items: Sequence[ItemJson]
    matched: int | None
    """Null where a service was not read to its end."""
    skipped: Sequence[SkippedJson]


class QueryablesJson(TypedDict):
    queryables: Mapping[str, Mapping[str, Json]]
    """A JSON schema for each property."""


class FoundItemJson(TypedDict):
    id: str
    collection: str
    datetime: str | None
    cloud_cover: float | None
    """Percent."""
    platform: str | None
    orbit: int | None
    rings: Sequence[FlatRing]
    """Outer rings of the footprint."""
    thumbnail: bool
    simulated: bool
    note: str
    """What to know before loading."""


class ItemHistogramJson(TypedDict):
    period: Period
    bins: Sequence[Bin]
    """First day of each bar, and how many items."""
    whole: bool
    """Whether all items were counted, or only those that came."""


class FoundJson(TypedDict):
    """The items that answer a query."""

    items: Sequence[FoundItemJson]
    matched: int | None
    """Null where nobody counted."""
    histogram: ItemHistogramJson
    message: str
    """Why the answer stops short."""
    skipped: Sequence[SkippedJson]


class ItemBandJson(TypedDict):
    asset: str
    index: int
    name: str
    common: str
    wavelength: float | None
    """Micrometres."""
    resolution: float | None
    """Metres."""
    type: str | None
    scale: float
    offset: float
    nodata: float | None
    classes: bool


class AssetJson(TypedDict):
    key: str
    title: str
    type: str
    roles: Sequence[str]
    href: str
    size: float | None
    """Bytes, where the catalogue says so."""


class ItemDetailJson(TypedDict):
    id: str
    collection: str
    datetime: str | None
    bbox: BBox | None
    properties: Mapping[str, Json]
    assets: Sequence[AssetJson]
    bands: Sequence[ItemBandJson]
    indices: Sequence[str]
    """Indices that its bands allow."""
    mask: bool
    """Whether its clouds can be masked."""
    simulated: bool


class OverpassJson(TypedDict):
    date: str | None
    orbit: int | None
    direction: Annotated[object, str | None]
    platform: str | None
    baseline: str
    cloud_cover: float | None
    """Percent."""
    valid: float | None
    """Without cloud, of the pixels that the scenes cover: 0 to 1."""
    covered: float | None
    """Of the area: 0 to 1."""
    items: Sequence[str]


class CalendarJson(TypedDict):
    passes: Sequence[OverpassJson]
    reason: str
    """Why nobody knows what is clear."""
    older: bool
    """Whether there are older ones."""


class FieldPointJson(TypedDict):
    date: str
    value: float
    std: float
    """Standard deviation of the pixels."""
    valid: float
    item: str
    """Ids of its scenes, between commas."""


class FieldCurveJson(TypedDict):
    index: str
    points: Sequence[FieldPointJson]
    cloudy: int
    """Dates that are left out: less than half of the area is clear."""
    masked: bool
    """Whether clouds were masked."""
    pixels: int
    older: bool
    """Whether there are older scenes."""
    simulated: bool
