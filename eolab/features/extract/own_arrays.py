"""Checks of arrays that users bring as chips: axes, classes, places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized

import numpy as np

from eolab.errors import InvalidInputError
from eolab.features.geometry import crs_text, positions

_ORDER = "nthwc"
_EXACT = 2**24  # up to here float32 holds every whole number
_LARGEST = 2**53  # up to here float64 holds every whole number
NONE = -1


def axes_ordered(
    x: object, y: object, bands: Sequence[str] | None, layout: str | None
) -> np.ndarray:
    """The array as (n, t, h, w, c), without a copy.

    Raises:
        InvalidInputError: No numbers, or axes that cannot be stated apart.
    """
    values = _whole(x)
    if values.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"x holds no numbers of one type ({values.dtype})",
            "Give one array, for example np.stack(chips).astype('float32').",
        )
    known = layout or _layout(values, y, bands)
    letters = sorted(known)
    if len(known) != values.ndim or len(set(known)) < len(known) or not set("nhw") <= set(letters):
        raise InvalidInputError(
            f"layout={known!r} for an array of shape {values.shape}",
            "Name each axis: 'nhwc', 'nchw', 'nthwc', 'ntchw' or 'nhw'.",
        )
    if set(letters) - set(_ORDER):
        raise InvalidInputError(
            f"layout={known!r} names an unknown axis", "The letters are n, t, h, w and c."
        )
    out = values.transpose([known.index(a) for a in _ORDER if a in known])
    for place, axis in enumerate(_ORDER):
        if axis not in known:
            out = np.expand_dims(out, place)
    if not all(out.shape):
        raise InvalidInputError(f"x of shape {values.shape} holds no value", "Give some chips.")
    if values.dtype.kind in "iu" and values.dtype.itemsize > 2:
        stated = values.compressed() if isinstance(values, np.ma.MaskedArray) else values
        high = max(int(stated.max()), -int(stated.min())) if stated.size else 0
        if high > _EXACT:
            raise InvalidInputError(
                f"x holds whole numbers up to {high}, and chips are float32, which is "
                f"exact up to {_EXACT}",
                "Scale them first, for example x / 10000.",
            )
    return out


def _whole(given: object, kind: type | None = None) -> np.ndarray:
    """One array; a list of masked ones keeps their masks."""
    if isinstance(given, np.ndarray):
        return given
    if isinstance(given, Sequence) and any(isinstance(v, np.ma.MaskedArray) for v in given):
        return np.ma.stack(list(given))
    return np.asarray(given, dtype=kind)


def _layout(values: np.ndarray, y: object, bands: Sequence[str] | None) -> str:
    """The layout that bands or masks tell."""
    if values.ndim == 3:
        return "nhw"
    ways = {4: ("nhwc", "nchw"), 5: ("nthwc", "ntchw")}.get(values.ndim)
    if ways is None:
        raise InvalidInputError(
            f"x has the shape {values.shape}", "Give (n, h, w, c), (n, c, h, w) or with times."
        )
    fit = list(ways)
    if bands is not None:
        fit = [w for w in fit if values.shape[w.index("c")] == len(bands)]
    mask = () if y is None or isinstance(y, Sequence) else np.asarray(y).shape
    if len(mask) >= 3:
        fit = [w for w in fit if (values.shape[w.index("h")], values.shape[w.index("w")])
               == tuple(mask[1:3])]  # fmt: skip
    if len(fit) != 1:
        raise InvalidInputError(
            f"x of shape {values.shape} may be {' or '.join(ways)}"
            + ("" if fit else ", and neither fits bands and masks"),
            "Pass layout='nhwc' or 'nchw' (with times 'nthwc' or 'ntchw').",
        )
    return fit[0]


def masks_of(
    y: object,
    shape: tuple[int, int, int],
    classes: Sequence[str] | None,
    nodata: float | None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class codes of each pixel, int16, -1 without one; and the names of the classes.

    Raises:
        InvalidInputError: Another shape, or values that are no classes.
    """
    if y is None:
        return np.full(shape, NONE, np.int16), tuple(classes or ())
    given = _whole(y, _kind_of(y))
    known = ~np.ma.getmaskarray(given)
    values = np.ma.getdata(given)
    if values.ndim == 4 and 1 in {values.shape[-1], values.shape[1]}:
        axis = -1 if values.shape[-1] == 1 else 1
        values, known = np.squeeze(values, axis), np.squeeze(known, axis)
    if values.shape not in {shape, shape[:1]}:
        raise InvalidInputError(
            f"y of shape {np.shape(given)} for chips of {shape}",
            f"Give masks of shape {shape}, or one class a chip: ({shape[0]},).",
        )
    values, known = _comparable(values, known)
    values, known = _without_nodata(values, known, nodata)
    codes, names = _coded(values, known, classes)
    out = np.full(values.shape, NONE, np.int16)
    out[known] = codes
    return np.array(np.broadcast_to(out.reshape(*out.shape, *(1,) * (3 - out.ndim)), shape)), names


def _comparable(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Names or numbers of one type, and which of them say something."""
    import pandas as pd

    if values.dtype.kind in "OT":
        values = values.astype(object)
        known = known & ~np.asarray(pd.isna(values))
        # Codes among gaps are numbers all the same.
        stated = np.array(values[known].tolist() or [NONE])
        texts = all(isinstance(v, str) for v in values[known])
        if stated.ndim > 1 or (stated.dtype.kind == "U") != (texts and known.any()):
            raise InvalidInputError(
                "y holds values of several types", "Give names for all of them, or codes."
            )
        values = np.zeros(values.shape, stated.dtype)
        values[known] = stated if known.any() else NONE
    if values.dtype.kind not in "biufU":
        raise InvalidInputError(
            f"y holds neither names nor codes ({values.dtype})", "Give text, or whole numbers."
        )
    if values.dtype.kind == "U":
        known = known & (np.char.strip(values) != "")
    return values, known


def _without_nodata(
    values: np.ndarray, known: np.ndarray, nodata: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Names, or codes as int64 or bool, and which of them are classes."""
    if values.dtype.kind == "U":
        if nodata is not None:
            raise InvalidInputError(
                f"nodata={nodata!r} is a code, and y holds names",
                "Write None where there is no class.",
            )
        return values, known
    if values.dtype.kind == "f":
        known = known & ~np.isnan(values)
    known = known & (values != NONE)
    if nodata is not None:
        known = known & (values != nodata)
    codes = values[known]
    if codes.dtype.kind == "f" and (~np.isfinite(codes) | (codes != np.round(codes))).any():
        raise InvalidInputError(
            "y holds decimals, and masks hold classes", "Give whole numbers or names."
        )
    if values.dtype.kind in "uf" and codes.size and np.abs(codes).max() > _LARGEST:
        raise InvalidInputError(
            f"y holds the code {codes[np.abs(codes).argmax()]:g}", "Codes go up to 2 ** 53."
        )
    if values.dtype.kind == "b":
        return values, known
    return np.where(known, values, 0).astype(np.int64), known


def _kind_of(y: object) -> type | None:
    """Lists of names with None among them are no text "None", and 1 among them is no "1"."""
    return object if isinstance(y, Sequence) and any(isinstance(v, str) for v in y) else None


def _coded(
    values: np.ndarray, known: np.ndarray, classes: Sequence[str] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    found, codes = np.unique(values[known], return_inverse=True)
    if classes is not None and (isinstance(classes, str) or len(set(classes)) < len(classes)):
        raise InvalidInputError(
            f"classes={classes!r} is no list of different names", "Name each class once."
        )
    if classes is None:
        names = tuple(str(v) for v in found.tolist())
    elif values.dtype.kind == "U":
        names = tuple(classes)
        missing = [v for v in found.tolist() if v not in names]
        if missing:
            raise InvalidInputError(
                f"y holds {missing[0]!r}, which is not among the classes {list(names)}",
                "Name it in classes=, or replace it by None.",
            )
        codes = np.array([names.index(v) for v in found.tolist()], np.int64)[codes]
    else:
        names = tuple(classes)
        wrong = [v for v in found.tolist() if not 0 <= v < len(names)]
        if wrong:
            raise InvalidInputError(
                f"y holds the code {wrong[0]}, and there are {len(names)} classes from 0 on",
                "Name all classes, or pass nodata= for a code that is none.",
            )
        codes = values[known]
    if len(names) > np.iinfo(np.int16).max:
        raise InvalidInputError(
            f"y holds {len(names)} classes", "Masks hold classes, not quantities."
        )
    return codes, names


def band_names(bands: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """The names of the bands, one each."""
    if bands is None:
        return tuple(f"b{i}" for i in range(count))
    if isinstance(bands, str) or len(bands) != count or len(set(bands)) < count:
        raise InvalidInputError(
            f"bands={bands!r} for {count} bands", "Name each once: bands=['red', 'nir']."
        )
    return tuple(map(str, bands))


def check_count(option: str, given: Sized | None, count: int, what: str) -> None:
    """Raises InvalidInputError where there is not one for each."""
    if given is not None and len(given) != count:
        raise InvalidInputError(
            f"{option}= has {len(given)} values for {count} {what}", f"Give one for each of {what}."
        )


def texts_of_times(times: Sequence[object]) -> tuple[str, ...]:
    """Times in ISO 8601, those without a zone in UTC."""
    import pandas as pd

    try:
        stamps = [pd.Timestamp(str(t)) for t in times]
    except ValueError as error:
        raise InvalidInputError(f"times= holds no times: {error}", "Write '2024-05-01'.") from error
    if any(pd.isna(stamp) for stamp in stamps):
        raise InvalidInputError("times= holds no time for some slices", "Give one for each.")
    return tuple(
        (s.tz_localize("UTC") if s.tzinfo is None else s.tz_convert("UTC")).isoformat()
        for s in stamps
    )


def _same_crs(one: object, other: object) -> bool:
    from pyproj import CRS

    left, right = (CRS.from_user_input(crs_text(each)) for each in (one, other))
    return left.equals(right, ignore_axis_order=True)


def middles_of(geometries: object, crs: object, n: int) -> tuple[np.ndarray | None, str]:
    """The middle of each chip, shape (n, 2), and the CRS; None and "" where nobody says.

    Raises:
        InvalidInputError: Another number of places, none for some, no CRS, or two of them.
    """
    import shapely

    if geometries is None:
        return None, "" if crs is None else crs_text(crs)
    own = getattr(geometries, "crs", None)
    if own is not None and crs is not None and not _same_crs(own, crs):
        raise InvalidInputError(
            f"the geometries are in {crs_text(own)}, and crs={crs!r} says otherwise",
            "Leave crs= out: places keep their own system. geometries.to_crs(...) changes it.",
        )
    crs = own if crs is None else crs
    if crs is None:
        raise InvalidInputError(
            "the geometries have no coordinate reference system", "Pass crs='EPSG:32633'."
        )
    geometry = getattr(geometries, "geometry", geometries)  # of a GeoDataFrame
    if not isinstance(geometry, Iterable):
        raise InvalidInputError(
            f"geometries={geometries!r} are no places", "Give a GeoSeries, or an array (n, 2)."
        )
    cells = list(geometry)
    check_count("geometries", cells, n, "chips")
    if all(isinstance(cell, shapely.Geometry) for cell in cells):
        middles = positions(np.array(cells, dtype=object))
    else:
        try:
            middles = np.asarray(cells, dtype=np.float64)
        except (TypeError, ValueError):
            middles = np.zeros(0)
        if middles.shape != (n, 2):
            raise InvalidInputError(
                "geometries= are neither shapes nor pairs of x and y",
                "Give a GeoSeries without gaps, shapely geometries, or an array (n, 2).",
            )
    if not np.isfinite(middles).all():
        raise InvalidInputError("some chips have no place", "Give each one, or none.")
    return middles, crs_text(crs)
