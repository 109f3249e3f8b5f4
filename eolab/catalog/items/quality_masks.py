"""Leaving out what is not land: clouds, shadows, snow, by what the product says of its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from eolab.catalog.items.bands import find_band, has_band
from eolab.catalog.items.parsed import ParsedItem, parse_item
from eolab.errors import InvalidInputError, nearest
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pystac
    import xarray as xr

Test: TypeAlias = "Callable[[xr.DataArray], xr.DataArray]"
PixelSize: TypeAlias = "float | tuple[np.ndarray, np.ndarray]"


@dataclass(frozen=True)
class QualityLayer:
    """A quality layer.

    Attributes:
        band: Its name in items.
        bits: Kinds are bits of the number; else they are its values.
        kinds: Values, or numbers of bits, by what users call them.
        source: Where the table is from.
    """

    band: str
    bits: bool
    kinds: Mapping[str, tuple[int, ...]]
    source: str


SCL = QualityLayer(
    "SCL",
    bits=False,
    kinds={
        "nodata": (0,),
        "saturated": (1,),
        "dark": (2,),
        "shadow": (3,),
        "vegetation": (4,),
        "bare": (5,),
        "water": (6,),
        "unclassified": (7,),
        "cloud": (8, 9, 10),
        "cirrus": (10,),
        "snow": (11,),
    },
    source="Sentinel-2 Level-2A Algorithm Theoretical Basis Document, scene classification",
)
QA_PIXEL = QualityLayer(
    "qa_pixel",
    bits=True,
    kinds={
        "nodata": (0,),
        "cloud": (1, 2, 3),
        "cirrus": (2,),
        "shadow": (4,),
        "snow": (5,),
        "water": (7,),
    },
    source="Landsat Collection 2 QA_PIXEL: 1 dilated cloud, 2 cirrus, 3 cloud, 4 shadow, 5 snow",
)
FMASK = QualityLayer(
    "Fmask",
    bits=True,
    kinds={"cirrus": (0,), "cloud": (1, 2), "shadow": (3,), "snow": (4,), "water": (5,)},
    source="HLS User Guide 2.0: 0 cirrus, 1 cloud, 2 adjacent, 3 shadow, 4 snow, 5 water",
)
RADAR = QualityLayer(
    "mask",
    bits=False,
    kinds={"shadow": (1, 3), "layover": (2, 3), "nodata": (255,)},
    source="OPERA RTC-S1 Product Specification: 1 shadow, 2 layover, 3 both, 255 outside",
)
LAYERS = (SCL, QA_PIXEL, FMASK, RADAR)
PROBABILITY = ("cld", "cloud", "CLP", "cloud_probability")


@dataclass(frozen=True)
class Mask:
    """What `eo.load` leaves out.

    Attributes:
        drop: Kinds of pixels.
        dilate: Metres by which they grow, since classifications miss the thin edges.
        probability: Leave out where the cloud probability is at least this, in percent.
        layer: Name of the band that ``test`` gets.
        test: Tells of each value of ``layer`` whether to leave it out.
        maximum: Stored number of a certain cloud: 1, 100, 255 or another; None as the items say.

    Example:
        >>> clouds = eo.mask(["cloud"], dilate=20)
        >>> clouds.drop, clouds.dilate
        (('cloud',), 20.0)
        >>> clouds.band(items)  # the layer that it reads
        'SCL'
    """

    drop: tuple[str, ...] = ()
    dilate: float = 0.0
    probability: float | None = None
    layer: str | None = None
    test: Test | None = None
    maximum: float | None = None

    def with_scale_of(self, items: Sequence[pystac.Item | ParsedItem], band: str) -> Mask:
        """With the scale of the probabilities as the items say it.

        By their scale or unit; else by the layer's name: CLP of Sentinel Hub goes to 255; real
        numbers that nobody explains go to 1, and whole ones to 100.

        Args:
            items: To be masked.
            band: Which layer, from `band`.

        Raises:
            InvalidInputError: They say two scales.
        """
        if self.probability is None or self.maximum is not None:
            return self
        said: dict[float, str] = {}
        for item in map(parse_item, items):
            if (stated := _maximum(item, band)) is not None:
                said.setdefault(stated, item.id)
        if len(said) > 1:
            (one, first), (other, second) = list(said.items())[:2]
            raise InvalidInputError(
                f"the cloud probability goes to {one:g} in item {first}, to {other:g} in {second}",
                "Load them apart, or say it: mask(probability=..., maximum=...).",
            )
        return replace(self, maximum=next(iter(said), None))

    def band(self, items: Sequence[pystac.Item | ParsedItem]) -> str:
        """Name of the band to mask with, which all items have.

        Raises:
            InvalidInputError: They have none, or it knows nothing of an asked kind.
        """
        parsed = [parse_item(item) for item in items]
        names = [layer.band for layer in LAYERS]
        if self.layer is not None:
            names = [self.layer]
        elif self.probability is not None:
            names = list(PROBABILITY)
        for name in names:
            if all(has_band(item, name) for item in parsed):
                self._check_kinds(name)
                return name
        without = [item.id for item in parsed if not any(has_band(item, n) for n in names)]
        if not without:
            held = [name for name in names if any(has_band(item, name) for item in parsed)]
            raise InvalidInputError(
                f"the items do not share one quality layer: {', '.join(held)}",
                "Load each sensor with its mask, then xarray.concat([...], 'time').sortby('time').",
            )
        some = ", ".join(without[:3]) + (", ..." if len(without) > 3 else "")
        named = self.layer is not None or self.probability is not None
        what = f"band {' or '.join(names)}" if named else "scene classification"
        raise InvalidInputError(
            f"{len(without)} of {len(items)} items have no {what}: there is nothing to mask with"
            f" ({some})",
            "Load with mask=None and keep cloudy scenes out with search(max_cloud=...).",
        )

    def _check_kinds(self, name: str) -> None:
        layer = _layer(name)
        if layer is None or self.test is not None or self.probability is not None:
            return
        for kind in self.drop:
            if kind not in layer.kinds:
                raise InvalidInputError(
                    f"mask(drop): {layer.band} does not know {kind!r}",
                    nearest(kind, list(layer.kinds), "kinds"),
                )

    def bad(self, values: xr.DataArray, band: str, resolution: PixelSize) -> xr.DataArray:
        """Where to leave pixels out.

        Args:
            values: The layer's numbers, dims (time, y, x).
            band: Which layer it is, from `band`.
            resolution: Pixel size in metres; or height and width, each by row.

        Returns:
            Booleans of the same shape.
        """
        import xarray as xr

        if self.test is not None:
            answer = self.test(values)
            if not isinstance(answer, xr.DataArray) or answer.shape != values.shape:
                kind = type(answer).__name__
                raise InvalidInputError(
                    f"mask(function) returned {kind!r}, not a value for each pixel",
                    f"Return booleans like its argument, such as {self.layer} == 9.",
                )
            found = answer.astype(bool)
        else:
            found = xr.apply_ufunc(
                self._seen(values).flags,
                values,
                kwargs={"band": band},
                dask="parallelized",
                output_dtypes=[bool],
            )
        if self.dilate <= 0:
            return found
        grown: xr.DataArray = xr.apply_ufunc(
            grow,
            found,
            kwargs={"metres": self.dilate, "size": resolution},
            input_core_dims=[["y", "x"]],
            output_core_dims=[["y", "x"]],
            vectorize=True,
            dask="parallelized",
            dask_gufunc_kwargs={"allow_rechunk": True},
            output_dtypes=[bool],
        )
        return grown

    def _seen(self, values: xr.DataArray) -> Mask:
        """With the maximum that the numbers show where nobody says it; of a lazy cube none is."""
        if self.probability is None or self.maximum is not None or values.chunks is not None:
            return self
        highest = _highest(values.to_numpy(), values.attrs.get("nodata"))
        steps = (1.0, 100.0, 255.0) if values.dtype.kind == "f" else (100.0, 255.0)
        maximum = next((m for m in steps if highest <= m), 255.0)
        warn(
            "nobody says what a certain cloud is in the layer of cloud probability: as it reaches"
            f" {highest:g}, {maximum:g} is taken. Say it: mask(probability=, maximum={maximum:g}).",
            UserWarning,
        )
        return replace(self, maximum=maximum)

    def flags(self, values: np.ndarray, band: str) -> np.ndarray:
        """Where the numbers of a layer name something to leave out, of the same shape, undilated.

        Not for a mask by a function, which gets the whole cube.
        """
        if self.probability is not None:
            usual = 1.0 if values.dtype.kind == "f" else 100.0
            maximum = usual if self.maximum is None else self.maximum
            if self.maximum is None and (highest := _highest(values, None)) > usual:
                raise InvalidInputError(
                    f"the cloud probability {band!r} reaches {highest:g}: is it of {usual:g}?",
                    "Say what a certain cloud is: mask(probability=..., maximum=255).",
                )
            return np.asarray(values >= self.probability / 100 * maximum)
        layer = _layer(band)
        assert layer is not None
        codes = sorted({code for kind in self.drop for code in layer.kinds[kind]})
        if not layer.bits:
            return np.isin(values, codes)
        return np.asarray((values.astype("int64") & sum(1 << code for code in codes)) != 0)


def unseen(values: xr.DataArray, band: str) -> xr.DataArray:
    """Where a quality layer tells of no look at all: its own kind for that, and its nodata.

    Landsat's fill is a bit of the number, whatever an item declares.
    """
    found: xr.DataArray = values == values.attrs.get("nodata", 0)
    layer = _layer(band)
    if layer is not None and "nodata" in layer.kinds:
        found = found | Mask(("nodata",)).bad(values, band, 1.0)
    return found


def quality_layer(item: ParsedItem) -> str | None:
    """Name of the layer that tells which pixels of an item to leave out, by the tables above."""
    return next((layer.band for layer in LAYERS if has_band(item, layer.band)), None)


def _highest(values: np.ndarray, nodata: float | None) -> float:
    """Highest probability: not 255 alone, which marks what was not seen where others are below."""
    known = values[(values != nodata) & (values != 255)]
    return float(np.nanmax(known)) if known.size and not np.isnan(known).all() else 0.0


def _maximum(item: ParsedItem, band: str) -> float | None:
    """Stored number of a probability of one; None where the item does not say."""
    layer = find_band(item, band)
    percent = (layer.unit or "").strip().lower() in ("%", "percent", "pct")
    if layer.scale is not None and layer.scale != 1:
        return round((100.0 if percent else 1.0) / layer.scale, 6)
    if percent:
        return 100.0
    if "CLP" in (layer.asset.upper(), layer.name.upper()):
        return 1.0 if (layer.data_type or "").startswith("float") else 255.0
    rule = None if item.product is None else item.product.rule(layer.asset, layer.name)
    whole = not (layer.data_type or "").startswith("float")
    return 100.0 if rule is not None and rule.unit == "percent" and whole else None


def _layer(band: str) -> QualityLayer | None:
    return next((layer for layer in LAYERS if layer.band == band), None)


def mask(
    drop: Sequence[str] | Test = ("cloud", "shadow"),
    *,
    dilate: float = 0.0,
    probability: float | None = None,
    layer: str | None = None,
    maximum: float | None = None,
) -> Mask:
    """What to leave out when loading.

    Args:
        drop: Kinds: cloud, cirrus, shadow, snow, water, saturated, dark, layover, ...; by
            Sentinel-2's scene classification, Landsat's QA_PIXEL, HLS's Fmask or the mask of
            radar (layover and its shadow), whichever the items have. Or a function that gets
            ``layer`` (time, y, x) and returns where to leave pixels out.
        dilate: Metres by which that grows.
        probability: Use the cloud probability layer (s2cloudless) instead: leave out from this
            many percent on.
        layer: Band for a function, or for ``probability``.
        maximum: Stored number of a certain cloud in the probability layer: 1, 100 or 255; by
            default as the items say, else as their numbers show.

    Raises:
        InvalidInputError: An unknown kind, a negative distance, a function without its layer.

    Example:
        >>> clear = eo.load(items[0], bands="red", mask=eo.mask(["cloud", "shadow"], dilate=20))
        >>> open_land = eo.mask(lambda scl: scl == 6, layer="SCL")  # without water
        >>> int(clear.red.isnull().sum()) > 0
        True
    """
    if not is_number(dilate) or not 0 <= dilate < float("inf"):
        raise InvalidInputError(f"mask(dilate={dilate!r})", "Give metres, 0 or more.")
    if callable(drop):
        if layer is None:
            raise InvalidInputError("mask(function) needs layer=", "Name the band that it gets.")
        return Mask((), float(dilate), None, layer, drop)
    kinds = (drop,) if isinstance(drop, str) else tuple(drop)
    if probability is not None:
        if not is_number(probability) or not 0 <= probability <= 100:
            raise InvalidInputError(f"mask(probability={probability!r})", "Give percent, 0 to 100.")
        if set(kinds) - {"cloud", "shadow"} or kinds == ("shadow",):
            raise InvalidInputError("a cloud probability knows clouds only", "Leave drop out.")
        if maximum is not None and (not is_number(maximum) or maximum <= 0):
            raise InvalidInputError(f"mask(maximum={maximum!r})", "Give 1, 100 or 255.")
        return Mask(("cloud",), float(dilate), float(probability), layer, maximum=maximum)
    if maximum is not None:
        raise InvalidInputError(
            f"mask(maximum={maximum!r}) goes with a probability", "Give probability= too."
        )
    if layer is not None:
        raise InvalidInputError(
            f"mask(layer={layer!r}) goes with a function or a probability",
            "Leave it out: kinds are read from the layer that tells of them.",
        )
    known = sorted({kind for table in LAYERS for kind in table.kinds})
    for kind in kinds:
        if kind not in known:
            raise InvalidInputError(
                f"mask(drop): unknown kind {kind!r}", nearest(kind, known, "kinds")
            )
    if not kinds:
        raise InvalidInputError("mask(drop) is empty", "Name a kind, or leave mask out.")
    return Mask(kinds, float(dilate))


def is_number(value: object) -> bool:
    """Whether it is a real number, NumPy's too; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def grow(found: np.ndarray, *, metres: float, size: PixelSize) -> np.ndarray:
    """True within ``metres`` of the centre of a true pixel, shape (y, x).

    Args:
        found: Booleans.
        metres: Euclidean distance.
        size: Of a pixel in metres; or height and width, each by row. Where these change along the
            rows (degrees, Mercator) strips of rows are grown that are alike to one part in 50.
    """
    from scipy.ndimage import distance_transform_edt

    if not found.any():
        return found
    rows = found.shape[0]
    tall, wide = (np.full(rows, size),) * 2 if isinstance(size, int | float) else size
    reach = metres * (1 + 1e-9)  # a pixel at just this distance belongs to it
    out = np.empty_like(found)
    for first, last in _strips(tall, wide):
        height, width = (float(v[first:last].mean()) for v in (tall, wide))
        halo = int(metres / height) + 1
        top, bottom = max(0, first - halo), min(rows, last + halo)
        near = found[top:bottom]
        grown = near
        if near.any():
            grown = distance_transform_edt(~near, sampling=(height, width)) <= reach
        out[first:last] = grown[first - top : last - top]
    return out


def _strips(tall: np.ndarray, wide: np.ndarray) -> list[tuple[int, int]]:
    """Rows, from and to, whose pixels are alike."""
    logs = np.log(np.maximum([tall, wide], 1e-9))
    ends, first = [], 0
    if np.ptp(logs, axis=1).max() > 0.02:
        for row in range(1, len(tall)):
            if np.abs(logs[:, row] - logs[:, first]).max() > 0.02:
                ends.append((first, row))
                first = row
    return [*ends, (first, len(tall))]
