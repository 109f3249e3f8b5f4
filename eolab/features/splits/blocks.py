"""Training, validation and test parts that do not know each other: split by blocks of land.

Neighbouring samples are alike; a model that saw one knows the other. So samples are put into the
cells of an absolute grid and a cell goes whole to one part. Nothing here depends on the order of
rows: hashes of their place tell cells apart.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eolab.argument_checks import plain, shown, values
from eolab.deprecation import old_names
from eolab.errors import InvalidInputError
from eolab.features import geometry as geo
from eolab.features.geometry import EQUAL_AREA, SampleLocations
from eolab.features.storage.duckdb import moment

PARTS = ("train", "validation", "test")
_SAME_PLACE = 10.0
# Arrangements that are tried to give each part its share of each class.
_ATTEMPTS = 16


@dataclass(frozen=True)
class SpatialBlocks:
    """Square cells of an absolute grid; each goes whole to one part.

    Attributes:
        size: Side of a cell, in units of ``crs``.
        buffer: Samples of the training part this near (or nearer) to one that is held out are
            dropped; metres, or degrees where ``crs`` is in degrees.
        crs: Grid; by default an equal-area one in metres (EPSG:6933).
        merge: Samples nearer than this, in metres, are one unit and stay together: the same place
            from two sources. 0 switches it off; by default 10 m, and 0 for pixels of a raster.

    Example:
        >>> blocks = eo.SpatialBlocks(300, buffer=30)
        >>> split = fv.train_test_split(by=blocks, test_size=0.3, seed=1)
        >>> set(split.train.groups) & set(split.test.groups)
        set()
    """

    size: float
    buffer: float = 0.0
    crs: str | None = None
    merge: float | None = None

    def __post_init__(self) -> None:
        for name in ("size", "buffer", *([] if self.merge is None else ["merge"])):
            value = plain(getattr(self, name))
            object.__setattr__(self, name, value)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not math.isfinite(value)
                or value < 0
            ):
                raise InvalidInputError(
                    f"SpatialBlocks({name}={value!r}) is not a length",
                    "Give a number, in metres or in units of crs.",
                )
        if self.size == 0:
            raise InvalidInputError(
                "SpatialBlocks(size=0) has no cells",
                "Give the side of a cell, for example 5_000 (metres).",
            )
        if self.crs is not None:
            object.__setattr__(self, "crs", geo.crs_text(self.crs))

    def to_dict(self) -> dict[str, object]:
        return {
            "kind": "blocks",
            "size": self.size,
            "buffer": self.buffer,
            "crs": self.crs or EQUAL_AREA,
            "merge": self.merge,
        }

    def reach(self, geometry: geo.RowGeometry) -> float:
        """Metres within which samples of this geometry are one unit."""
        if self.merge is not None:
            return self.merge
        return 0.0 if geometry.pixels else _SAME_PLACE


@dataclass(frozen=True)
class TimeSplit:
    """The oldest labels train, later ones validate, the newest are held out.

    Attributes:
        validation: Labels from here on validate, where they are before ``test``: text in UTC
            ("2023-01-01") or a time stamp with a zone.
        test: Labels from here on are held out. Without both, the parts get their share of the
            samples in the order of time; samples of one time stay together.

    Example:
        >>> time_split = eo.TimeSplit(test="2022-01-01")
        >>> time_split.by_share
        False
    """

    validation: object = None
    test: object = None

    def __post_init__(self) -> None:
        for value in (self.validation, self.test):
            moment(value)

    def to_dict(self) -> dict[str, object]:
        ends = {"validation": self.validation, "test": self.test}
        return {"kind": "times"} | {k: None if v is None else str(v) for k, v in ends.items()}

    @property
    def by_share(self) -> bool:
        return self.validation is None and self.test is None

    def sides(
        self, times: np.ndarray, names: Sequence[str], weights: Sequence[float]
    ) -> np.ndarray:
        """The part of each sample, shape (n,), as its position in ``names``.

        Args:
            times: Microseconds since the epoch, shape (n,).
            names: Of the parts, among "train", "validation" and "test", in this order.
            weights: Their shares.
        """
        if self.by_share:
            return in_order(times, weights)
        out = np.zeros(len(times), dtype=np.int64)
        for name, start in (("validation", self.validation), ("test", self.test)):
            at = moment(start)
            if at is not None and name in names:
                out[times >= at] = list(names).index(name)
        return out


@dataclass(frozen=True)
class Column:
    """The published split of a label set: a column of the label group says the part of each row.

    Args:
        name: A column of the label group.
        train: Its values of the training part.
        validation: Those of the validation part.
        test: Those of the held-out test part.

    A row whose value belongs to no part, or is missing, is an error that names the value: to leave
    rows out, filter the labels.

    Raises:
        InvalidInputError: No values for ``train``, none for the other two, or one value twice.

    Example:
        >>> by = eo.Column("crop", train=["maize", "wheat"], test=["rapeseed"])
        >>> by.part_of("wheat")
        'train'
    """

    name: str
    train: Sequence[object] = ()
    validation: Sequence[object] = ()
    test: Sequence[object] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInputError(
                f"Column({shown(self.name)}) names no column",
                'For example eo.Column("is_test", train=[0], test=[1]).',
            )
        parts: dict[object, str] = {}
        for part in PARTS:
            given = getattr(self, part)
            if isinstance(given, str) or not isinstance(given, Iterable):
                raise InvalidInputError(
                    f"Column({part}={given!r}) is no list of values", f"Write {part}=[{given!r}]."
                )
            object.__setattr__(self, part, values(given, part))
            for value in getattr(self, part):
                if not isinstance(value, Hashable):
                    raise InvalidInputError(
                        f"Column({part}=) holds {shown(value)}, which is no value of a column",
                        f"List the values themselves: {part}=[0, 1].",
                    )
                if value in parts:
                    raise InvalidInputError(
                        f"{self.name} = {value!r} stands in {parts[value]} and in {part}",
                        "Give each value to one part, and once.",
                    )
                parts[value] = part
        if not self.train or not (self.validation or self.test):
            raise InvalidInputError(
                f"Column({self.name!r}) needs values for train, and for validation or test",
                'For example eo.Column("is_test", train=[0], test=[1]).',
            )

    def part_of(self, value: object) -> str | None:
        """The part of a value of the column; None where it belongs to none."""
        return next((part for part in PARTS if value in getattr(self, part)), None)

    def to_dict(self) -> dict[str, object]:
        parts = {part: [str(value) for value in getattr(self, part)] for part in PARTS}
        return {"kind": "published", "column": self.name, **parts}

    def sides(self, values: Sequence[object], names: Sequence[str]) -> np.ndarray:
        """The part of each sample, shape (n,), as its position in ``names``.

        Args:
            values: The column's values, n of them.
            names: Of the parts that the split has, among "train", "validation" and "test".

        Raises:
            InvalidInputError: A value of no part, or of one that the split does not have.
        """
        positions = {}
        for value, count in Counter(values).items():
            part = self.part_of(value)
            if part is None:
                raise InvalidInputError(
                    f"{self.name} = {value!r} ({count} rows) belongs to no part",
                    "Name it in eo.Column(..., train=, validation=, test=), or filter the labels.",
                )
            if part not in names:
                raise InvalidInputError(
                    f"{self.name} = {value!r} ({count} rows) is of the {part} part, which this "
                    "split does not have",
                    "Use train_validation_test_split, or filter the labels.",
                )
            positions[value] = list(names).index(part)
        return np.array([positions[value] for value in values], dtype=np.int64)


def in_order(times: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Parts by share in the order of time, shape (n,); equal times stay together."""
    unique, first = np.unique(np.sort(times, kind="stable"), return_index=True)
    # The middle of each moment's samples decides.
    after = np.append(first[1:], len(times))
    middle = (first + after) / 2 / max(len(times), 1)
    side = np.searchsorted(np.cumsum(weights)[:-1], middle, side="right")
    return np.asarray(side[np.searchsorted(unique, times)])


def units(places: SampleLocations, merge: float, together: np.ndarray | None = None) -> np.ndarray:
    """Which samples are one unit.

    Those nearer than ``merge`` metres (by their middles), and those of one value of ``together``.

    Returns:
        Numbers 0..u-1, shape (n,).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    n = len(places)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    if merge > 0 and n:
        # A millimetre less, so that pixel centres exactly that far apart stay apart.
        tree = cKDTree(geo.metres(places.points, places.crs))
        pairs.append(tree.query_pairs(merge - 1e-3, output_type="ndarray"))
    if together is not None and n:
        order = np.argsort(together, kind="stable")
        same = together[order][1:] == together[order][:-1]
        pairs.append(np.column_stack([order[:-1][same], order[1:][same]]))
    edges = np.concatenate(pairs)
    graph = coo_matrix((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def cells(blocks: SpatialBlocks, places: SampleLocations, unit: np.ndarray) -> np.ndarray:
    """The cell of each sample as text, shape (n,); a unit is where its first point is."""
    points = geo.project(places.points, places.crs, blocks.crs or EQUAL_AREA)
    order = np.lexsort((points[:, 1], points[:, 0]))
    first = np.full(unit.max(initial=-1) + 1, -1)
    # Written backwards, so that the first of each unit stays.
    first[unit[order[::-1]]] = order[::-1]
    index = np.floor(points[first[unit]] / blocks.size).astype(np.int64)
    return np.char.add(np.char.add(index[:, 0].astype(str), "_"), index[:, 1].astype(str))


def check_units(blocks: SpatialBlocks, places: SampleLocations, unit: np.ndarray) -> None:
    """A check that units are places, not regions.

    Raises:
        InvalidInputError: Merging nearby samples chained them over more than a cell's side.
    """
    points = geo.project(places.points, places.crs, blocks.crs or EQUAL_AREA)
    count = unit.max(initial=-1) + 1
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, unit, points)
    np.maximum.at(high, unit, points)
    if count and (high - low).max() > blocks.size:
        raise InvalidInputError(
            "samples so near that they count as one place chain over more than a block",
            "These are pixels or dense points: pass SpatialBlocks(..., merge=0).",
        )


def _hash(*parts: object) -> int:
    return int.from_bytes(
        hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest(), "big"
    )


def assign(cell: np.ndarray, y: np.ndarray, weights: Sequence[float], seed: int) -> np.ndarray:
    """The part of each sample, shape (n,): cells go whole, each part gets its share of each class.

    Cells with a large share of a class are placed first, each where most of its classes is
    still wanted; of several such arrangements the most even one is taken.

    Args:
        cell: Cell of each sample, text.
        y: Class codes from 0, shape (n,).
        weights: Wanted share of each part; they sum to 1.
        seed: Another seed, another arrangement.
    """
    names, inverse = np.unique(cell, return_inverse=True)
    classes = int(y.max(initial=0)) + 1
    counts = np.zeros((len(names), classes))
    np.add.at(counts, (inverse, y), 1)
    share = counts / np.maximum(counts.sum(axis=0), 1)
    wanted = np.asarray(weights, dtype=float)
    best, best_cost = np.zeros(len(names), int), (math.inf, math.inf)
    for attempt in range(_ATTEMPTS if len(names) <= 2000 else 1):
        sides = _arrange(names, share, wanted, (seed, attempt))
        got = np.zeros((len(wanted), classes))
        np.add.at(got, sides, share)
        cost = (
            float(((got == 0) & (counts.sum(axis=0) > 0)).sum()),
            float(((got - wanted[:, None]) ** 2).sum()),
        )
        if cost < best_cost:
            best, best_cost = sides, cost
    return np.asarray(best[inverse])


def scatter(cell: np.ndarray, weights: Sequence[float], seed: int) -> np.ndarray:
    """The part of each sample by a hash of its cell alone, shape (n,): stable under growth."""
    names, inverse = np.unique(cell, return_inverse=True)
    share = np.array([_hash(seed, name) / 2**64 for name in names])
    return np.asarray(np.searchsorted(np.cumsum(weights)[:-1], share, side="right")[inverse])


def _arrange(
    names: np.ndarray, share: np.ndarray, wanted: np.ndarray, seed: tuple[int, int]
) -> np.ndarray:
    # In steps of two, so that seeds shuffle cells of about the same weight.
    size = np.ceil(-np.log2(np.maximum(share.max(axis=1), 1e-12)))
    order = sorted(range(len(names)), key=lambda b: (size[b], _hash(*seed, names[b])))
    need = np.repeat(wanted[:, None], share.shape[1], axis=1)
    sides = np.zeros(len(names), int)
    for b in order:
        scores = (share[b] * need / wanted[:, None]).sum(axis=1)
        top = np.flatnonzero(scores >= scores.max() - 1e-12)
        sides[b] = top[0] if len(top) == 1 else top[_hash(*seed, names[b], "tie") % len(top)]
        need[sides[b]] -= share[b]
    return sides


def near(
    places: SampleLocations, one: np.ndarray, other: np.ndarray, blocks: SpatialBlocks
) -> np.ndarray:
    """Which samples of ``one`` are within the buffer of a sample of ``other``; masks (n,)."""
    import shapely
    from pyproj import CRS
    from scipy.spatial import cKDTree

    out = np.zeros(len(places), dtype=bool)
    mine, theirs = np.flatnonzero(one), np.flatnonzero(other)
    if blocks.buffer <= 0 or not len(mine) or not len(theirs):
        return out
    # Rounding of projections is well below a thousandth of the buffer.
    reach = blocks.buffer * (1 + 1e-6)
    degrees = blocks.crs is not None and CRS.from_user_input(blocks.crs).is_geographic
    if places.areas:
        shapes = (
            geo.reproject(places.shapes, places.crs, str(blocks.crs))
            if degrees
            else geo.planar(places.shapes, places.crs)
        )
        found = shapely.STRtree(shapes[theirs]).query(
            shapes[mine], predicate="dwithin", distance=reach
        )[0]
        out[mine[np.unique(found)]] = True
        return out
    points = (
        geo.project(places.points, places.crs, str(blocks.crs))
        if degrees
        else geo.metres(places.points, places.crs)
    )
    distance, _ = cKDTree(points[theirs]).query(
        points[mine], distance_upper_bound=reach * (1 + 1e-6)
    )
    out[mine[distance <= reach]] = True
    return out


def too_few(
    y: np.ndarray, classes: Sequence[str], cell: np.ndarray, min_samples: int, min_cells: int
) -> Mapping[str, str]:
    """Classes that cannot be split, each with the reason."""
    out = {}
    for code, name in enumerate(classes):
        mine = y == code
        samples, blocks = int(mine.sum()), len(np.unique(cell[mine]))
        if samples < min_samples:
            out[name] = f"{samples} samples, fewer than {min_samples}"
        elif blocks < min_cells:
            out[name] = f"in {blocks} blocks, fewer than {min_cells}"
    return out


__getattr__ = old_names(__name__, {"Blocks": "SpatialBlocks", "Times": "TimeSplit"})
