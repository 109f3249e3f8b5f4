"""What attributes of the CF conventions say of a variable's numbers beside scale and fill."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from eolab.errors import InvalidInputError

VALID = ("valid_range", "valid_min", "valid_max")


class UnreadablePackingError(InvalidInputError):
    """What makes values of a variable's numbers is unreadable: no other reader may guess it."""


def packing(attrs: Mapping[str, object]) -> tuple[float | None, float | None]:
    """Factor and addend of packed numbers; None for each that is not stated.

    Args:
        attrs: Of the variable.

    Raises:
        UnreadablePackingError: One is no number: without it all values would be wrong.
    """
    found: list[float | None] = []
    for key in ("scale_factor", "add_offset"):
        stated = attrs.get(key)
        if stated is None:
            found.append(None)
            continue
        try:
            (number,) = (float(str(held)) for held in np.atleast_1d(np.asarray(stated)).tolist())
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UnreadablePackingError(
                f"its {key} is {stated!r:.80}, no number", f"Correct {key} in the file."
            )
        found.append(number)
    return found[0], found[1]


def valid_limits(attrs: Mapping[str, object], dtype: np.dtype) -> tuple[float, float] | None:
    """Lowest and highest stored number that is a value; None where none is stated.

    As the NetCDF User's Guide has it: in stored numbers, but where the data are packed whole
    numbers and the limits real ones, in values.

    Args:
        attrs: Of the variable.
        dtype: Of its stored numbers.

    Raises:
        UnreadablePackingError: See `packing`.
    """
    stated = attrs.get("valid_range")
    if stated is None:
        pair = [attrs.get("valid_min"), attrs.get("valid_max")]
    elif isinstance(stated, str):
        pair = list(re.split(r"[,\s]+", stated.strip("[](){} ")))
    else:
        pair = list(np.atleast_1d(np.asarray(stated)))
    pair = [_of_text(end) if isinstance(end, str) else end for end in pair]
    if len(pair) != 2 or all(end is None for end in pair):
        return None
    ends: list[tuple[float, float]] = []  # each with how far rounding may have moved it
    real = [end for end in pair if end is not None and np.asarray(end).dtype.kind == "f"]
    # By a negative factor the lowest value is the highest number.
    turned = bool(real) and dtype.kind in "iu" and (packing(attrs)[0] or 1.0) < 0
    for end, open_end in zip(pair, (math.inf, -math.inf)[:: 1 if turned else -1], strict=True):
        if end is None:
            ends.append((open_end, 0.0))
            continue
        held = np.asarray(end)
        if held.size != 1 or held.dtype.kind not in "iuf":
            return None
        number = float(held.ravel()[0])
        whole = dtype.kind in "iu" and held.dtype.kind == "f"
        ends.append(_stored_limit(number, held.dtype, attrs) if whole else (number, 0.0))
    if any(math.isnan(number) for number, _ in ends):
        return None
    (low, below), (high, above) = sorted(ends)
    if dtype.kind in "iu":
        # What was rounded on its way must not cut off the limit itself.
        low = low if math.isinf(low) else float(math.ceil(low - below))
        high = high if math.isinf(high) else float(math.floor(high + above))
    return low, high


def _of_text(text: str) -> int | float | str:
    """The number that a text is: a whole one stays one; what is none stays text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _stored_limit(
    limit: float, dtype: np.dtype, attrs: Mapping[str, object]
) -> tuple[float, float]:
    """The stored number of a value that is a limit, and how far rounding may have moved it."""
    scale, offset = packing(attrs)
    factor, addend = abs(scale or 1.0), abs(offset or 0.0)
    stated = (np.asarray(attrs.get(key, 1)) for key in ("scale_factor", "add_offset"))
    types = [dtype, *(held.dtype for held in stated)]
    coarse = max(float(np.finfo(kind).eps) for kind in types if kind.kind == "f")
    rounding = 1e-3 + 1.5 * coarse * (abs(limit) + addend) / factor
    return (limit - (offset or 0.0)) / (scale or 1.0), rounding


def free_number(limits: tuple[float, float], dtype: np.dtype) -> float | None:
    """A number of this type outside of the limits, None where there is none.

    Args:
        limits: Lowest and highest number that is a value.
        dtype: Of the numbers.
    """
    if dtype.kind == "f":
        return math.nan
    ends = np.iinfo(dtype)
    if ends.min < limits[0]:
        return float(ends.min)
    # The highest of 64 bits is none that a real number holds.
    top = float(ends.max)
    return top if limits[1] < top <= ends.max else None


def flags(attrs: Mapping[str, object], dtype: np.dtype) -> dict[str, object]:
    """Flags as STAC lists classes and bits: such numbers are names, and never averaged.

    Args:
        attrs: Of the variable.
        dtype: Of its stored numbers.
    """
    names = str(attrs.get("flag_meanings", "")).split()
    values, masks = (_whole(attrs.get(key)) for key in ("flag_values", "flag_masks"))
    if dtype.kind == "u":  # attributes of older formats have no unsigned numbers either
        values = [value % 2 ** (8 * dtype.itemsize) for value in values]
    if dtype.kind in "iu":
        masks = [mask % 2 ** (8 * dtype.itemsize) for mask in masks]
    if any(masks):
        return {"classification:bitfields": _bitfields(names, values, masks)}
    if not values:
        return {}
    called = names if len(names) == len(values) else [str(value) for value in values]
    return {
        "classification:classes": [
            {"value": value, "name": name} for value, name in zip(values, called, strict=True)
        ]
    }


def _bitfields(
    names: Sequence[str], values: Sequence[int], masks: Sequence[int]
) -> list[dict[str, object]]:
    """Bits by mask: each a flag of its own, or with values several classes in the same bits."""
    called = names if len(names) == len(masks) else [str(mask) for mask in masks]
    stated = values if len(values) == len(masks) else masks
    classes: dict[int, list[dict[str, object]]] = {}
    for name, value, mask in zip(called, stated, masks, strict=True):
        if mask > 0:
            found = {"value": (value & mask) >> _first_bit(mask), "name": name}
            classes.setdefault(mask, []).append(found)
    return [
        {
            **({"name": listed[0]["name"]} if len(listed) == 1 else {}),
            "offset": _first_bit(mask),
            "length": mask.bit_length() - _first_bit(mask),
            "classes": listed,
        }
        for mask, listed in classes.items()
    ]


def _first_bit(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _whole(stated: object) -> list[int]:
    """Whole numbers, also as text ("0b, 1b") or as real ones, which some programs write."""
    if stated is None:
        return []
    if isinstance(stated, str):
        found = re.findall(r"0[xX][0-9a-fA-F]+|-?\d+", stated)
        return [int(text, 16 if text[:2].lower() == "0x" else 10) for text in found]
    held = np.atleast_1d(np.asarray(stated))
    if held.dtype.kind == "f" and np.array_equal(held, np.floor(held)):
        return [int(value) for value in held]
    return [int(value) for value in held] if held.dtype.kind in "iu" else []
