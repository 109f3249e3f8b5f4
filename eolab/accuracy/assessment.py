"""What an accuracy assessment says: matrix, accuracies and areas, with their errors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from eolab.argument_checks import checked
from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import pandas as pd

Design: TypeAlias = Literal[
    "stratified random", "simple random", "post-stratified", "census", "not design-based"
]
Table: TypeAlias = Literal["classes", "counts", "proportions", "strata"]
NOT_DESIGN_BASED = (
    "Not design-based: nothing says by which design the reference was drawn, so these figures "
    "describe these samples, and no standard error holds for the map. "
    "eo.sample_design(map, n=...) draws a sample for which they do."
)


@dataclass(frozen=True)
class SampleEstimate:
    """A number with its sampling error.

    Attributes:
        value: NaN where the sample has nothing to say.
        se: Standard error; NaN where it is not known, 0 of a census.
        low, high: Ends of the confidence interval, that of a share by its logit.
    """

    value: float
    se: float
    low: float
    high: float

    @staticmethod
    def of_area(value: float, se: float, z: float) -> SampleEstimate:
        """With the normal interval, cut at 0."""
        return SampleEstimate(value, se, max(value - z * se, 0.0), value + z * se)

    @staticmethod
    def of_share(value: float, se: float, z: float) -> SampleEstimate:
        """With the normal interval of the logit, which stays between 0 and 1.

        Accuracies near 1 have skewed errors: plain normal intervals of 100 samples at 0.9 hold the
        truth in 93 of 100 cases, these in 95 (Korn and Graubard 1998, Survey Methodology 24).
        """
        if math.isnan(se) or not 0 < value < 1:
            return SampleEstimate(value, se, value - z * se, value + z * se)
        middle, half = math.log(value / (1 - value)), z * se / (value * (1 - value))
        low, high = (
            1 / (1 + math.exp(-min(max(v, -700), 700))) for v in (middle - half, middle + half)
        )
        return SampleEstimate(value, se, low, high)

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON: unknown numbers are None."""
        known = {"value": self.value, "se": self.se, "low": self.low, "high": self.high}
        return {name: _number(value) for name, value in known.items()}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


@dataclass(frozen=True)
class ClassAccuracy:
    """One class of the map, or of the reference alone.

    Attributes:
        name: Of the class.
        users: User's accuracy: how much of what is mapped so is so.
        producers: Producer's accuracy: how much of what is so is mapped so.
        f1: Harmonic mean of both.
        hectares: Area of the class as the reference says it.
        map_hectares: Area of the class's pixels in the map: biased by its errors.
        n_map: Samples in this class of the map.
        n_reference: Samples with this label.
    """

    name: str
    users: SampleEstimate
    producers: SampleEstimate
    f1: SampleEstimate
    hectares: SampleEstimate
    map_hectares: float
    n_map: int
    n_reference: int


@dataclass(frozen=True)
class StratumSize:
    """One stratum of the design.

    Attributes:
        name: Of the stratum; of its class where it is one of the map's.
        n: Samples in it.
        pixels: In all of it.
        hectares: Area of it.
    """

    name: str
    n: int
    pixels: int
    hectares: float


@dataclass(frozen=True, repr=False, eq=False)
class Assessment:
    """Accuracy and areas of a map, as `eolab.assess` estimates them.

    Attributes:
        design: How the reference was drawn; "not design-based" where nothing says it.
        overall: Overall accuracy: the share of the area that is mapped as it is.
        classes: One row per class, those that only the reference has at the end.
        counts: Samples by map class (rows) and label (columns); pixels of a census.
        proportions: The same as shares of the area.
        strata: Sizes of the strata; empty for a census.
        hectares: Area that is assessed.
        confidence: Of the intervals.
        notes: What else to know: samples left out, classes without a sample, strata of one.

    Example:
        >>> truth = cube.red.isel(time=0).fillna(0)
        >>> land = (truth > truth.median()).astype("uint8")
        >>> result = eo.assess(land, land, classes={0: "dark", 1: "bright"})
        >>> result.design, result.overall.value
        ('census', 1.0)
    """

    design: Design
    overall: SampleEstimate
    classes: tuple[ClassAccuracy, ...]
    counts: np.ndarray
    proportions: np.ndarray
    strata: tuple[StratumSize, ...]
    hectares: float
    confidence: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for array in (self.counts, self.proportions):
            array.flags.writeable = False

    @property
    def design_based(self) -> bool:
        """Whether the standard errors hold for the map, because a design says how it was sampled.

        Example:
            >>> land = (cube.red.isel(time=0).fillna(0) > 0.1).astype("uint8")
            >>> points = eo.sample_design(land, n=20).assign(label=1)
            >>> eo.assess(land, points).design_based
            True
        """
        return self.design != "not design-based"

    def __getitem__(self, name: str) -> ClassAccuracy:
        for row in self.classes:
            if row.name == str(name):
                return row
        raise InvalidInputError(
            f"there is no class {name!r}", nearest(str(name), [c.name for c in self.classes])
        )

    @checked
    def to_frame(self, table: Table = "classes") -> pd.DataFrame:
        """One of the tables as a DataFrame.

        Args:
            table: "classes": user's and producer's accuracy, F1 and hectares by class, each with
                ``_se``, ``_low`` and ``_high``. "counts" and "proportions": the error matrix, rows
                by map class, columns by label. "strata": n, pixels and hectares of each.

        Raises:
            InvalidInputError: No such table.

        Example:
            >>> land = (cube.red.isel(time=0).fillna(0) > 0.1).astype("uint8")
            >>> eo.assess(land, land).to_frame("proportions").to_numpy().sum().round(6)
            np.float64(1.0)
        """
        import pandas as pd

        if table in {"counts", "proportions"}:
            names = [row.name for row in self.classes]
            matrix = self.counts if table == "counts" else self.proportions
            frame = pd.DataFrame(matrix, names[: len(matrix)], names)
            return frame.rename_axis(index="map", columns="reference")
        if table == "strata":
            rows = [vars(stratum) for stratum in self.strata]
            names = list(StratumSize.__dataclass_fields__)
            return pd.DataFrame(rows, columns=names).set_index("name")
        if table != "classes":
            raise InvalidInputError(
                f"there is no table {table!r}",
                nearest(str(table), ["classes", "counts", "proportions", "strata"], "tables"),
            )
        return pd.DataFrame([_flat(row) for row in self.classes]).set_index("class")

    def to_dict(self) -> dict[str, object]:
        """All of it as plain JSON; unknown numbers are None.

        Example:
            >>> land = (cube.red.isel(time=0).fillna(0) > 0.1).astype("uint8")
            >>> eo.assess(land, land).to_dict()["design_based"]
            True
        """
        return {
            "design": self.design,
            "design_based": self.design_based,
            "confidence": self.confidence,
            "hectares": self.hectares,
            "overall": self.overall.to_dict(),
            "classes": [
                {
                    "name": row.name,
                    **{part: getattr(row, part).to_dict() for part in _PARTS},
                    "map_hectares": row.map_hectares,
                    "n_map": row.n_map,
                    "n_reference": row.n_reference,
                }
                for row in self.classes
            ],
            "counts": self.counts.tolist(),
            "proportions": self.proportions.tolist(),
            "strata": [dict(vars(stratum)) for stratum in self.strata],
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """`to_dict` as text.

        Example:
            >>> land = (cube.red.isel(time=0).fillna(0) > 0.1).astype("uint8")
            >>> eo.assess(land, land).to_json()[:19]
            '{"design": "census"'
        """
        return json.dumps(self.to_dict(), allow_nan=False)

    # --- shown ---------------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows = [_HEAD, *self._cells()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join([self._title(), *(line.rstrip() for line in lines), *self._sentences()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in _HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._cells()
        )
        matrices = "".join(
            f"<details><summary>{title}</summary>{self._matrix_html(kind)}</details>"
            for kind, title in (
                ("counts", "Error matrix, counts"),
                ("proportions", "Error matrix, shares of the area"),
            )
        )
        notes = "".join(f"<li>{escape(sentence)}</li>" for sentence in self._sentences())
        return (
            f"<div><p><b>{escape(self._title())}</b></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"{matrices}<ul>{notes}</ul></div>"
        )

    @property
    def _z(self) -> float:
        return NormalDist().inv_cdf(0.5 + self.confidence / 2)

    def _title(self) -> str:
        if self.design == "census":
            reference = f"census of {int(self.counts.sum()):,} pixels"
        else:
            reference = f"{self.design}, n = {int(self.counts.sum())}"
        return f"Overall accuracy {_percent(self.overall, self._z)} ({reference})"

    def _cells(self) -> list[list[str]]:
        return [
            [
                row.name,
                *(_percent(getattr(row, part), self._z) for part in _PARTS[:3]),
                _hectares(row.hectares, self._z),
                f"{row.map_hectares:,.1f}",
                str(row.n_map),
                str(row.n_reference),
            ]
            for row in self.classes
        ]

    def _sentences(self) -> list[str]:
        if not self.design_based:
            return [NOT_DESIGN_BASED, *self.notes]
        if self.design == "census":
            error = "Every pixel was compared: there is no sampling error."
        else:
            error = f"± is {self._z:.2f} standard errors ({self.confidence:.0%})."
        return [error, *self.notes]

    def _matrix_html(self, kind: str) -> str:
        names = [escape(row.name) for row in self.classes]
        matrix = self.counts if kind == "counts" else self.proportions
        head = "<th>map \\ reference</th>" + "".join(f"<th>{name}</th>" for name in names)
        form = "{:,.0f}" if kind == "counts" else "{:.4f}"
        body = "".join(
            f"<tr><th>{name}</th>" + "".join(f"<td>{form.format(v)}</td>" for v in row) + "</tr>"
            for name, row in zip(names, matrix, strict=False)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_PARTS = ("users", "producers", "f1", "hectares")
_HEAD = ["class", "user's", "producer's", "F1", "hectares", "map's hectares", "n map", "n label"]


def _flat(row: ClassAccuracy) -> Mapping[str, object]:
    flat: dict[str, object] = {"class": row.name}
    for part in _PARTS:
        estimate: SampleEstimate = getattr(row, part)
        flat[part] = estimate.value
        flat |= {f"{part}_{end}": getattr(estimate, end) for end in ("se", "low", "high")}
    return flat | {
        "map_hectares": row.map_hectares,
        "n_map": row.n_map,
        "n_reference": row.n_reference,
    }


def _percent(estimate: SampleEstimate, z: float) -> str:
    if math.isnan(estimate.value):
        return "-"
    shown = f"{100 * estimate.value:.1f} %"
    if math.isnan(estimate.se) or estimate.se == 0:
        return shown
    return f"{100 * estimate.value:.1f} ± {100 * z * estimate.se:.1f} %"


def _hectares(estimate: SampleEstimate, z: float) -> str:
    shown = f"{estimate.value:,.1f}"
    if math.isnan(estimate.se) or estimate.se == 0:
        return shown
    return f"{shown} ± {z * estimate.se:,.1f}"
