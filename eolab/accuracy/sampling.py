"""Where to look: a stratified random sample of a map's pixels, to be labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from eolab.accuracy.class_raster import count_classes, find_pixels, open_map
from eolab.accuracy.population import MapPopulation
from eolab.accuracy.reference import HECTARES, INCLUSION, PIXELS, STRATUM
from eolab.argument_checks import checked_except
from eolab.errors import InvalidInputError, nearest
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import geopandas as gpd

    from eolab.accuracy.class_raster import MapLike

Allocation: TypeAlias = Literal["proportional", "equal", "optimal"]
ALLOCATIONS: tuple[Allocation, ...] = ("proportional", "equal", "optimal")
MISSED = 1.05
"""How far above a target a standard error is to be expected before it is told."""


@checked_except(
    "n", "target_se", "expected_accuracy", "minimum", "classes", "exclude", "seed", "nodata", "band"
)
def sample_design(
    map: MapLike,
    n: int | None = None,
    *,
    target_se: float | None = None,
    expected_accuracy: float | Mapping[int | str, float] | None = None,
    allocation: Allocation = "proportional",
    minimum: int = 2,
    classes: Mapping[int, str] | None = None,
    exclude: Sequence[int | str] = (),
    blind: bool = True,
    seed: int = 0,
    nodata: float | None = None,
    band: int | None = None,
) -> gpd.GeoDataFrame:
    """Draw a stratified random sample of a map's pixels, without replacement, to be labelled.

    The strata are the map's classes. Label the points by better data than the map's (imagery of
    high resolution, field visits) in the column ``label``, and give them to `eolab.assess`: the
    other columns say how they were drawn, so a GeoPackage written by ``to_file`` is enough.

    Args:
        map: Whole-number codes as an xarray map with a reference system, or the path of a GeoTIFF.
        n: Number of samples.
        target_se: Instead of ``n``: the standard error of overall accuracy to reach, 0.01 for one
            percent. n is (sum W S)^2 / (target_se^2 + sum(W S^2) / N) with S = sqrt(U (1 - U))
            (Cochran 1977 eq 5.25; Olofsson et al. 2014 eq 13), which is for the optimal allocation:
            where another misses the target by 5 % or more, a warning names the n that it needs.
        expected_accuracy: User's accuracy that you expect, U: one for all, or by class. Needed for
            ``target_se`` and "optimal".
        allocation: How n is shared: by the strata's pixels ("proportional"), alike ("equal"), or by
            pixels times S ("optimal", after Neyman). Rare classes get few samples from the first
            and third.
        minimum: Fewest samples of a class, 2 or more; 50 to 100 is usual for rare classes (Olofsson
            et al. 2014, section 5.1.1). A smaller class is taken whole.
        classes: Names of the codes, ``{1: "wheat", 2: "maize"}``.
        exclude: Classes of the map, by code or name, in which nothing is drawn.
        blind: Whether the map's class is kept from who labels: strata are numbered at random and
            rows shuffled. False adds a column ``map_class``. (Sizes of strata still stand in it.)
        seed: The same seed draws the same pixels of the same map, however it is chunked.
        nodata: The map's code that means nothing; by default as it says itself.
        band: Number of the map's band, for files of several.

    Returns:
        Pixel centres in the map's reference system with ``sample_id``, ``stratum``,
        ``stratum_pixels``, ``stratum_hectares``, ``inclusion`` (its probability), ``weight`` (its
        inverse) and an empty ``label``. ``attrs["design"]`` says the allocation by class and the
        standard error to expect of it.

    Raises:
        InvalidInputError: A map that `eolab.assess` would refuse, a number or accuracy that is
            none, fewer samples than strata need.
        NotFoundError: No such file.

    Example:
        >>> land = (cube.red.isel(time=0).fillna(0) > 0.1).astype("uint8")
        >>> points = eo.sample_design(land, target_se=0.02, expected_accuracy=0.9, minimum=30)
        >>> len(points), points["label"].isna().all()
        (225, np.True_)
        >>> points.to_file("to_label.gpkg")
    """
    if (n is None) == (target_se is None):
        raise InvalidInputError(
            "give n= or target_se=, one of both", "target_se=0.01 with expected_accuracy=0.9."
        )
    if allocation not in ALLOCATIONS:
        raise InvalidInputError(
            f"there is no allocation {allocation!r}", nearest(str(allocation), ALLOCATIONS)
        )
    if not isinstance(minimum, int | np.integer) or minimum < 2:
        raise InvalidInputError(
            f"minimum={minimum!r}: a stratum of fewer than two samples has no variance",
            "Give 2 or more.",
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInputError(f"seed={seed!r} is no seed", "Give a whole number, 0 or more.")
    raster = open_map(map, nodata=nodata, band=band)
    counts = count_classes(raster)
    population = MapPopulation.of(raster, counts, classes, exclude)
    sizes = population.pixels
    accuracy = _expected(expected_accuracy, population)
    if accuracy is None and (target_se is not None or allocation == "optimal"):
        raise InvalidInputError(
            f"{'target_se=' if target_se is not None else 'the optimal allocation'} needs "
            "expected_accuracy=",
            "Give one for all (0.9), or by class ({'forest': 0.95, 'clearing': 0.7}).",
        )
    total = _number(n, sizes) if target_se is None else _needed(target_se, accuracy, sizes)
    drawn = allocate(total, sizes, allocation, minimum, accuracy)
    expected_se = None if accuracy is None else _expected_se(accuracy, sizes, drawn)
    if target_se is not None and expected_se is not None and expected_se > target_se * MISSED:
        warn(
            f"{total} samples reach a standard error of {target_se:g} by the optimal allocation; "
            f"of the {allocation} one with minimum={minimum} {expected_se:.2g} is to be expected. "
            f"n={_enough(target_se, accuracy, sizes, allocation, minimum)} reaches the target.",
            UserWarning,
        )
    ranks = {
        code: np.sort(
            np.random.default_rng((int(seed), place)).choice(size, k, replace=False, shuffle=False)
        )
        for place, (code, size, k) in enumerate(
            zip(population.codes, sizes.tolist(), drawn.tolist(), strict=True)
        )
    }
    found = find_pixels(raster, counts, ranks)
    rows = np.concatenate([found[code][0] for code in population.codes])
    columns = np.concatenate([found[code][1] for code in population.codes])
    place = np.repeat(np.arange(len(drawn)), drawn)
    order = np.random.default_rng((int(seed), len(drawn), 1)).permutation(len(place))
    number = np.random.default_rng((int(seed), len(drawn), 2)).permutation(len(drawn)) + 1
    place, rows, columns = place[order], rows[order], columns[order]
    design = {
        "design": "stratified random, strata are the map's classes",
        "allocation": allocation,
        "n": int(drawn.sum()),
        "n_asked": total,
        "seed": int(seed),
        "target_se": target_se,
        "expected_se": expected_se,
        "strata": [
            {
                "stratum": int(number[i]),
                "map_class": population.name(i),
                "n": int(drawn[i]),
                "pixels": int(sizes[i]),
                "hectares": float(population.hectares[i]),
            }
            for i in range(len(drawn))
        ],
    }
    frame = _frame(raster.centres(rows, columns), raster.crs)
    frame[STRATUM] = number[place].astype(np.int64)
    frame[PIXELS] = sizes[place].astype(np.int64)
    frame[HECTARES] = population.hectares[place]
    frame[INCLUSION] = (drawn / sizes)[place]
    frame["weight"] = (sizes / drawn)[place]
    if not blind:
        frame["map_class"] = [population.name(i) for i in place]
    frame["label"] = np.full(len(frame), None, dtype=object)
    frame = frame[[*(name for name in frame.columns if name != "geometry"), "geometry"]]
    frame.attrs["design"] = design
    return frame


def _frame(centres: tuple[np.ndarray, np.ndarray], crs: object) -> gpd.GeoDataFrame:
    import geopandas as gpd

    points = gpd.points_from_xy(*centres, crs=crs)
    return gpd.GeoDataFrame({"sample_id": np.arange(1, len(points) + 1)}, geometry=points)


def _number(n: int | None, sizes: np.ndarray) -> int:
    if isinstance(n, bool) or not isinstance(n, int | float | np.number) or n % 1 or n < 1:
        raise InvalidInputError(f"n={n!r} is no number of samples", "Give a whole number.")
    if n > sizes.sum():
        raise InvalidInputError(
            f"n={n} is more than the {int(sizes.sum())} pixels of the map",
            "Give a raster of the map's grid as the reference to assess all of it.",
        )
    return int(n)


def _expected(
    given: float | Mapping[int | str, float] | None, population: MapPopulation
) -> np.ndarray | None:
    """Expected user's accuracy of each class."""
    if given is None:
        return None
    names = [population.name(i) for i in range(len(population.codes))]
    if isinstance(given, Mapping):
        by_code = {}
        for key, value in given.items():
            code = population.names.code_of(key)
            if code not in population.codes:
                raise InvalidInputError(
                    f"expected_accuracy= names {key!r}, which the map does not hold",
                    nearest(str(key), names, "classes"),
                )
            by_code[code] = value
        missing = [
            n for n, code in zip(names, population.codes, strict=True) if code not in by_code
        ]
        if missing:
            raise InvalidInputError(
                f"expected_accuracy= says nothing of {', '.join(missing)}",
                "Give one for each class, or one number for all.",
            )
        values = [by_code[code] for code in population.codes]
    else:
        values = [given] * len(names)
    plain = all(isinstance(value, int | float | np.number) for value in values)
    numbers = np.array(values if plain else [np.nan], dtype=float)
    if not ((numbers > 0) & (numbers <= 1)).all():
        raise InvalidInputError(
            f"expected_accuracy={given!r} is no share", "Give shares above 0 and up to 1: 0.9."
        )
    return numbers


def _needed(target_se: float, accuracy: np.ndarray | None, sizes: np.ndarray) -> int:
    """Cochran 1977 eq 5.25, as in Olofsson et al. 2014 eq 13."""
    if not isinstance(target_se, int | float) or not 0 < target_se < 0.5:
        raise InvalidInputError(
            f"target_se={target_se!r} is no standard error of a share",
            "Give one between 0 and 0.5: 0.01 is one percent.",
        )
    assert accuracy is not None
    weight = sizes / sizes.sum()
    deviation = np.sqrt(accuracy * (1 - accuracy))
    least = (weight * deviation).sum() ** 2 / (
        target_se**2 + (weight * deviation**2).sum() / sizes.sum()
    )
    return max(int(np.ceil(least - 1e-9)), 1)


def _expected_se(accuracy: np.ndarray, sizes: np.ndarray, drawn: np.ndarray) -> float:
    """Standard error of overall accuracy that this allocation gives (Cochran 1977 eq 5.6)."""
    weight = sizes / sizes.sum()
    rest = 1 - drawn / sizes
    return float(np.sqrt((weight**2 * accuracy * (1 - accuracy) / drawn * rest).sum()))


def _enough(
    target_se: float,
    accuracy: np.ndarray | None,
    sizes: np.ndarray,
    allocation: Allocation,
    minimum: int,
) -> int:
    """The least number of samples whose allocation is expected to reach a standard error."""
    assert accuracy is not None
    low, high = _needed(target_se, accuracy, sizes), int(sizes.sum())
    while low < high:
        middle = (low + high) // 2
        drawn = allocate(middle, sizes, allocation, minimum, accuracy)
        if _expected_se(accuracy, sizes, drawn) > target_se:
            low = middle + 1
        else:
            high = middle
    return low


def allocate(
    n: int,
    sizes: np.ndarray,
    allocation: Allocation,
    minimum: int,
    accuracy: np.ndarray | None = None,
) -> np.ndarray:
    """Samples of each stratum: n in all, none below ``minimum`` or above its pixels.

    Args:
        n: Number of samples.
        sizes: Pixels of each stratum.
        allocation: How to share.
        minimum: Fewest of each; strata that are smaller are taken whole.
        accuracy: Expected user's accuracies, for the optimal allocation.

    Raises:
        InvalidInputError: n is too small for the minimum.
    """
    least = np.minimum(minimum, sizes)
    if n < least.sum():
        raise InvalidInputError(
            f"{n} samples are too few: {len(sizes)} classes need {least.sum()} with "
            f"minimum={minimum}",
            "Draw more, lower minimum=, or leave rare classes out by exclude=.",
        )
    if allocation == "equal":
        share = np.ones(len(sizes))
    elif allocation == "optimal":
        assert accuracy is not None
        share = sizes * np.sqrt(accuracy * (1 - accuracy))
        share = share if share.any() else sizes.astype(float)
    else:
        share = sizes.astype(float)
    # Strata that would fall out of their bounds are set to them, and the rest is shared again.
    wanted = np.zeros(len(sizes))
    free = np.ones(len(sizes), bool)
    while free.any():
        left = n - wanted[~free].sum()
        weights = share[free] if share[free].any() else np.ones(free.sum())
        trial = left * weights / weights.sum()
        low, high = trial < least[free], trial > sizes[free]
        out = low if (least[free] - trial)[low].sum() >= (trial - sizes[free])[high].sum() else high
        if not out.any():
            wanted[free] = trial
            break
        places = np.flatnonzero(free)[out]
        wanted[places] = np.where(out is low, least[places], sizes[places])
        free[places] = False
    drawn = np.floor(wanted + 1e-9).astype(np.int64)
    # Largest remainders first; then whoever has room.
    order = np.argsort(-(wanted - drawn), kind="stable")
    while (rest := n - int(drawn.sum())) > 0:
        room = [i for i in order if drawn[i] < sizes[i]][:rest]
        drawn[room] += 1
    return drawn
