"""Writing stac-geoparquet files whose pages are quick to read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.io.item_logins import FIELD
from eolab.catalog.query.times import parse_interval, stamp
from eolab.catalog.sources.base import Skipped
from eolab.catalog.sources.parse_items import check_document, self_href
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 2_000  # items; a page reads few of them, their statistics keep out the others


_CELL = 2_000  # items that lie together, ordered by time


def write_items(
    path: Path,
    documents: Iterable[Mapping[str, object]],
    *,
    collections: Iterable[Mapping[str, object]] = (),
) -> list[Skipped]:
    """Write items as stac-geoparquet, neighbours together, in small row groups.

    Args:
        path: Target; it appears when it is complete.
        documents: Items as JSON objects.
        collections: Their collections, kept in the file's metadata.

    Returns:
        Items that were left out because their fields contradict the others' types.

    Raises:
        InvalidInputError: There is nothing to write.
    """
    listed: list[Mapping[str, object]] = []
    skipped: list[Skipped] = []
    for document in documents:
        try:
            listed.append(_storable(document))
        except Exception as error:  # a document can be wrong in ways nobody listed
            message = getattr(error, "message", str(error))
            skipped.append(Skipped(self_href(document) or str(document.get("id")), message))
    if not listed and not skipped:
        raise InvalidInputError("there are no items to write", "Search for some first.")
    listed = _agreeing(listed, skipped)
    listed.sort(key=_order)
    table = _table(listed, skipped) if listed else None
    if table is None:
        raise InvalidInputError("none of the items can be written", skipped[0].message)
    write_table(path, table, collections=collections)
    return skipped


def write_table(
    path: Path, table: pa.Table, *, collections: Iterable[Mapping[str, object]] = ()
) -> None:
    """Write an Arrow table of items, neighbours together, so that a page reads few row groups."""
    import pyarrow as pa
    from stac_geoparquet.arrow import to_parquet

    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    # One batch becomes one row group.
    order = neighbours(table)
    if (order[1:] < order[:-1]).any():
        table = table.take(order)
    batches = table.combine_chunks().to_batches(max_chunksize=ROW_GROUP)
    reader = pa.RecordBatchReader.from_batches(table.schema, batches)
    known = {str(document["id"]): dict(document) for document in collections}
    try:
        to_parquet(reader, draft, collections=known or None, compression="zstd")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def neighbours(table: pa.Table) -> np.ndarray:
    """Positions of the rows by place, then time: sort-tile-recursive packing (Leutenegger 1997)."""
    n = len(table)
    box = table["bbox"].combine_chunks()
    side = max(1, round(np.sqrt(n / _CELL)))

    def centre(low: str, high: str) -> np.ndarray:
        both = [box.field(name).to_numpy(zero_copy_only=False) for name in (low, high)]
        return np.asarray(np.nan_to_num((both[0] + both[1]) / 2), dtype=np.float64)

    def slices(values: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Number of the slice of equal size that each row falls into, inside its group."""
        ranked = np.lexsort((values, within))
        out = np.empty(n, dtype=np.int64)
        groups = within[ranked]
        first = np.searchsorted(groups, groups, side="left")
        size = np.searchsorted(groups, groups, side="right") - first
        out[ranked] = (np.arange(n) - first) * side // np.maximum(size, 1)
        return out

    column = slices(centre("xmin", "xmax"), np.zeros(n, dtype=np.int64))
    cell = column * side + slices(centre("ymin", "ymax"), column)
    name = "datetime" if "datetime" in table.column_names else "start_datetime"
    time = table[name].cast("int64", safe=False).fill_null(0).to_numpy()
    return np.asarray(np.lexsort((time, cell)), dtype=np.int64)


def _storable(document: Mapping[str, object]) -> Mapping[str, object]:
    """The item as the file can hold it: times to the microsecond, a box where there is an outline.

    Raises:
        ValueError: It is no item.
        InvalidInputError: A time that cannot be read.
    """
    import shapely
    from shapely.geometry import shape

    check_document(document)
    properties = dict(_mapping(document["properties"]))
    for name in ("datetime", "start_datetime", "end_datetime"):
        if properties.get(name) is not None:
            time = parse_interval(str(properties[name]))[0]
            properties[name] = None if time is None else stamp(time)
    if not any(properties.get(name) for name in ("datetime", "start_datetime", "end_datetime")):
        raise ValueError("the item has no datetime")
    geometry = document.get("geometry")
    outline = shape(geometry) if isinstance(geometry, Mapping) else None
    bbox = document.get("bbox")
    if not isinstance(bbox, list) or len(bbox) not in (4, 6):
        if outline is None or shapely.is_empty(outline):
            raise ValueError("the item has neither an outline nor a box")
        bbox = list(outline.bounds)
    half = len(bbox) // 2
    box = [float(v) for v in (*bbox[:2], *bbox[half : half + 2])]
    kept = {key: value for key, value in document.items() if key != FIELD}
    return {**kept, "properties": properties, "bbox": box}


def _agreeing(
    documents: list[Mapping[str, object]], skipped: list[Skipped]
) -> list[Mapping[str, object]]:
    """The items whose fields are of the kind that most items have there: columns have one type."""
    kinds: dict[str, Counter[str]] = {}
    of_each = []
    for document in documents:
        own = set(_kinds({k: v for k, v in document.items() if k != "geometry"}, ""))
        of_each.append(own)
        for path, kind in own:
            kinds.setdefault(path, Counter())[kind] += 1
    usual = {path: counts.most_common(1)[0][0] for path, counts in kinds.items()}
    mixed = {path for path, counts in kinds.items() if len(counts) > 1}
    kept = []
    for document, own in zip(documents, of_each, strict=True):
        odd = [(p, kind) for p, kind in own if p in mixed and kind != usual[p]]
        if odd:
            path, kind = min(odd)
            message = f"{path} is {kind}, elsewhere {usual[path]}"
            skipped.append(Skipped(self_href(document) or str(document.get("id")), message))
        else:
            kept.append(document)
    return kept


def _kinds(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every path in a document with the kind of value there; null fits everywhere."""
    if isinstance(value, Mapping):
        yield path, "an object"
        for key, inner in value.items():
            yield from _kinds(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        yield path, "a list"
        for inner in value:
            yield from _kinds(inner, f"{path}[]")
    elif isinstance(value, bool):
        yield path, "true or false"
    elif isinstance(value, str):
        yield path, "text"
    elif value is not None:
        yield path, "a number"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _order(document: Mapping[str, object]) -> tuple[str, str]:
    properties = document.get("properties")
    found = properties if isinstance(properties, Mapping) else {}
    time = found.get("datetime") or found.get("start_datetime") or ""
    return str(time), str(document.get("id"))


def _table(documents: list[Mapping[str, object]], skipped: list[Skipped]) -> pa.Table | None:
    """Items as an Arrow table; those that do not fit are found by halving."""
    import pyarrow as pa
    from stac_geoparquet.arrow import parse_stac_items_to_arrow

    try:
        return parse_stac_items_to_arrow([dict(d) for d in documents]).read_all()
    except Exception as error:  # types of foreign documents contradict in many ways
        if len(documents) == 1:
            skipped.append(Skipped(str(documents[0].get("id")), f"cannot be indexed: {error}"))
            return None
    middle = len(documents) // 2
    halves = [_table(documents[:middle], skipped), _table(documents[middle:], skipped)]
    known = [half for half in halves if half is not None]
    if len(known) < 2:
        return known[0] if known else None
    try:
        return pa.concat_tables(known, promote_options="permissive")
    except pa.ArrowException as error:
        # Each half agrees in itself: the smaller one is left out.
        small = min(known, key=len)
        skipped.extend(
            Skipped(str(name), f"cannot be indexed: {error}") for name in small["id"].to_pylist()
        )
        return max(known, key=len)
