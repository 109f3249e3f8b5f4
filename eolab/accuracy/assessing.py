"""From a map and a reference to an assessment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from eolab.accuracy.assessment import Assessment, ClassAccuracy, Design, SampleEstimate, StratumSize
from eolab.accuracy.census import compare_rasters
from eolab.accuracy.class_raster import count_classes, open_map
from eolab.accuracy.estimators import SampleCells, StratifiedEstimator
from eolab.accuracy.population import MapPopulation
from eolab.accuracy.reference import is_raster, read_points
from eolab.accuracy.sampled_rows import SampledRows
from eolab.accuracy.strata import DESIGNS, DesignStrata, StatedDesign, variance_groups
from eolab.argument_checks import checked_except
from eolab.errors import InvalidInputError, nearest
from eolab.user_warnings import warn

if TYPE_CHECKING:
    from eolab.accuracy.class_raster import MapLike
    from eolab.accuracy.reference import Reference

_DESIGN_NAMES: Mapping[StatedDesign | None, Design] = {
    "stratified": "stratified random",
    "simple random": "simple random",
    "post-stratified": "post-stratified",
    None: "not design-based",
}


@checked_except("classes", "exclude", "collapse", "confidence", "nodata", "band")
def assess(
    map: MapLike,
    reference: Reference,
    *,
    label: str = "label",
    classes: Mapping[int, str] | None = None,
    design: StatedDesign | None = None,
    stratum: str | None = None,
    inclusion: str | None = None,
    exclude: Sequence[int | str] = (),
    collapse: Sequence[Sequence[int | str]] = (),
    unlabelled: Literal["refuse", "drop"] = "refuse",
    duplicates: Literal["refuse", "keep"] = "refuse",
    finite_correction: bool = True,
    confidence: float = 0.95,
    nodata: float | None = None,
    band: int | None = None,
) -> Assessment:
    """Accuracy of a map of classes and the areas of its classes, with standard errors.

    A map's pixel counts are biased areas: its errors of omission and commission rarely cancel. A
    probability sample says how large both are, and corrects the areas.

    Samples of `eolab.sample_design` say by their columns how they were drawn. The estimators are
    those of Olofsson et al. 2014 (Good practices for estimating area and assessing accuracy of land
    change, Remote Sensing of Environment 148, eqs 2 to 11) where the strata are the map's classes,
    and of Stehman 2014 (International Journal of Remote Sensing 35, 4923-4939) where they are not;
    pixels of unequal area (degrees, Web Mercator) count by their area on the ellipsoid. See
    `eolab.accuracy.estimators` for the formulas. Kappa is not among the results: Olofsson et al.
    2014, section 4.1, say why not.

    Args:
        map: Whole-number codes as an xarray map with a reference system, or the path of a GeoTIFF,
            which is read strip by strip.
        reference: Labelled points (GeoDataFrame of any reference system, a vector file, or a table
            with x and y of the map), one pixel each; or a raster of the map's grid, of which every
            pixel is compared (a census).
        label: Column of the labels: codes or names.
        classes: Names of the codes, ``{1: "wheat", 2: "maize"}``.
        design: How the points were drawn, where no columns say it. "stratified": at random within
            each class of the map, or within each ``stratum``. "simple random": at random over the
            map. "post-stratified": the same, estimated by the map's classes, which is more precise.
            None: as the columns say; without them the result is labelled "not design-based" and has
            no standard errors.
        stratum: Column of the strata, with ``stratum_pixels`` (pixels in all of the stratum) or
            ``inclusion`` beside it.
        inclusion: Column of the inclusion probabilities: samples over pixels of the stratum.
        exclude: Classes of the map, by code or name, that are not assessed.
        collapse: Groups of strata whose variance is estimated together, for strata of one sample.
        unlabelled: "refuse" rows without a label, or "drop" them, which takes them for missing at
            random.
        duplicates: "refuse" two samples on one pixel, or "keep" both, as drawn with replacement.
        finite_correction: Whether variances count that pixels were drawn without replacement.
        confidence: Of the intervals: normal ones of areas, by the logit of accuracies.
        nodata: The map's code that means nothing; by default as it says itself.
        band: Number of the map's band, for files of several.

    Returns:
        The matrix in counts and shares of the area, accuracies, areas, and what to know about them.

    Raises:
        InvalidInputError: What would give a wrong number: a map without a reference system or with
            fractions, classes without a sample, labels that are no classes, two samples on one
            pixel, strata whose sizes are not those of the map.
        NotFoundError: No such file.

    Example:
        >>> land = (cube.red.isel(time=0).fillna(0) > 0.1).astype("uint8")
        >>> names = {0: "dark", 1: "bright"}
        >>> points = eo.sample_design(land, n=60, classes=names, seed=1)
        >>> points["label"] = (["dark"] * 3 + ["bright"]) * 15  # as an interpreter would
        >>> result = eo.assess(land, points, classes=names)
        >>> result.design, result.to_frame("strata")["n"].sum()
        ('stratified random', np.int64(60))
        >>> 0 < result.overall.se < 0.1
        True
    """
    if not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise InvalidInputError(
            f"confidence={confidence!r} is no share", "Give one between 0 and 1, such as 0.95."
        )
    if design is not None and design not in DESIGNS:
        raise InvalidInputError(f"there is no design {design!r}", nearest(design, DESIGNS))
    raster = open_map(map, nodata=nodata, band=band)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    if is_raster(reference):
        return compare_rasters(
            raster, open_map(reference, what="reference"), classes, exclude, confidence
        )
    sample = read_points(reference, raster, label)
    counts = count_classes(raster, (sample.rows, sample.columns))
    population = MapPopulation.of(raster, counts, classes, exclude)
    rows = SampledRows.of(sample, counts, population, label, unlabelled, duplicates)
    strata = DesignStrata.of(rows, population, design, stratum, inclusion)
    notes = [*rows.notes, *strata.notes]
    shape = len(strata.strata), len(population.codes) + 1, len(rows.labels.classes) + 1
    cells = SampleCells.of(strata.index, strata.mapped, strata.labelled, strata.hectares, shape)
    groups, lone = variance_groups(
        strata.strata, cells.n.sum(axis=(1, 2)), collapse, population.names
    )
    if lone and strata.design is not None:
        text = (
            f"Strata of one sample have no variance: {', '.join(lone)}. Standard errors that need "
            "it are unknown; collapse= joins them with others of their kind, more samples are "
            "better."
        )
        warn(text, UserWarning)
        notes.append(text)
    estimator = StratifiedEstimator(
        cells,
        strata.strata,
        groups=groups,
        finite=finite_correction and duplicates == "refuse",
    )
    return _result(estimator, cells, strata, population, rows.labels.classes, z, confidence, notes)


def _result(
    estimator: StratifiedEstimator,
    cells: SampleCells,
    strata: DesignStrata,
    population: MapPopulation,
    labels: tuple[str, ...],
    z: float,
    confidence: float,
    notes: list[str],
) -> Assessment:
    shape = len(population.codes), len(labels)
    mapped, labelled = np.indices(shape)
    agree = mapped == labelled
    every = np.ones(shape)

    def ratio(y: np.ndarray, x: np.ndarray) -> SampleEstimate:
        value, se = estimator.ratio(y, x)
        return SampleEstimate.of_share(value, se if strata.design else float("nan"), z)

    def total(y: np.ndarray) -> SampleEstimate:
        value, se = estimator.total(y)
        return SampleEstimate.of_area(value, se if strata.design else float("nan"), z)

    counts = cells.n.sum(axis=0)[:-1, :-1]
    areas = estimator.proportions
    rows = []
    for place, name in enumerate(labels):
        is_mapped, is_so = mapped == place, labelled == place
        on_map = place < shape[0]
        rows.append(
            ClassAccuracy(
                name=name,
                users=ratio(is_mapped & is_so, is_mapped),
                producers=ratio(is_mapped & is_so, is_so),
                f1=ratio(2.0 * (is_mapped & is_so), is_mapped * 1.0 + is_so),
                hectares=total(is_so),
                map_hectares=float(population.hectares[place]) if on_map else 0.0,
                n_map=int(counts[place].sum()) if on_map else 0,
                n_reference=int(counts[:, place].sum()),
            )
        )
    unseen = [row.name for row in rows if not row.n_reference]
    if unseen:
        text = (
            f"No sample is labelled {', '.join(unseen)}: the area of 0 ha is what the sample "
            "shows, and its standard error says nothing."
        )
        notes = [*notes, text]
    if strata.design is not None and (certain := _certain(rows, population)):
        text = (
            f"Exactly 0 or 100 % in the sample: {', '.join(certain)}. A standard error of 0 says "
            "little there: of n samples that are all alike, 3 / n may still be otherwise."
        )
        notes = [*notes, text]
    sizes = cells.n.sum(axis=(1, 2))
    return Assessment(
        design=_DESIGN_NAMES[strata.design],
        overall=ratio(agree, every),
        classes=tuple(rows),
        counts=counts.astype(np.int64),
        proportions=areas / areas.sum(),
        strata=tuple(
            StratumSize(s.name, int(n), s.pixels, s.hectares)
            for s, n in zip(strata.strata, sizes, strict=True)
        ),
        hectares=float(population.hectares.sum()),
        confidence=confidence,
        notes=tuple(notes),
    )


def _certain(rows: Sequence[ClassAccuracy], population: MapPopulation) -> list[str]:
    """Accuracies whose error is estimated as nothing though pixels were left out."""
    found = []
    for row, pixels in zip(rows, population.pixels.tolist(), strict=False):
        if row.n_map < pixels:
            found += [
                f"{whose} accuracy of {row.name} (n = {n})"
                for whose, estimate, n in (
                    ("user's", row.users, row.n_map),
                    ("producer's", row.producers, row.n_reference),
                )
                if n and estimate.se == 0
            ]
    return found
