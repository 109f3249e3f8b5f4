"""What attributes of the CF conventions say of a variable's numbers beside scale and fill."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

VALID = ("valid_range", "valid_min", "valid_max")


def valid_limits(attrs: Mapping[str, object], dtype: np.dtype) -> tuple[float, float] | None:
    """Lowest and highest stored number that is a value; None where none is stated.

    As the NetCDF User's Guide has it: in stored numbers, but where the data are packed whole
    numbers and the limits real ones, in values.

    Args:
        attrs: Of the variable.
        dtype: Of its stored numbers.
    """
    stated = attrs.get("valid_range")
    if stated is None:
        pair = [attrs.get("valid_min"), attrs.get("valid_max")]
    else:
        pair = list(np.atleast_1d(np.asarray(stated)))
    if len(pair) != 2 or all(end is None for end in pair):
        return None
    ends = []
    for end, open_end in zip(pair, (-math.inf, math.inf), strict=True):
        if end is None:
            ends.append(open_end)
            continue
        held = np.asarray(end)
        if held.size != 1 or held.dtype.kind not in "iuf":
            return None
        number = float(held.ravel()[0])
        if dtype.kind in "iu" and held.dtype.kind == "f":
            scale, offset = (_number(attrs.get(key)) for key in ("scale_factor", "add_offset"))
            # What was rounded on its way must not cut off the limit itself.
            number = (number - (offset or 0.0)) / (scale or 1.0)
            number = round(number) if abs(number - round(number)) < 1e-3 else number
        ends.append(number)
    low, high = sorted(ends) if not any(map(math.isnan, ends)) else (math.nan, math.nan)
    return None if math.isnan(low) else (low, high)


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
    return float(ends.max) if ends.max > limits[1] else None


def flags(attrs: Mapping[str, object]) -> dict[str, object]:
    """Flags as STAC lists classes and bits: such numbers are names, and never averaged.

    Args:
        attrs: Of the variable.
    """
    names = str(attrs.get("flag_meanings", "")).split()
    values, masks = (_whole(attrs.get(key)) for key in ("flag_values", "flag_masks"))
    if masks:
        return {
            "classification:bitfields": [
                {"name": name, "offset": (mask & -mask).bit_length() - 1,
                 "length": mask.bit_length() - (mask & -mask).bit_length() + 1,
                 "classes": [{"value": 1, "name": name}]}
                for name, mask in zip(names or map(str, masks), masks, strict=False)
                if mask > 0
            ]
        }  # fmt: skip
    if not values:
        return {}
    called = names if len(names) == len(values) else [str(value) for value in values]
    return {
        "classification:classes": [
            {"value": value, "name": name} for value, name in zip(values, called, strict=True)
        ]
    }


def _whole(stated: object) -> list[int]:
    held = np.atleast_1d(np.asarray(0 if stated is None else stated))
    return [] if stated is None or held.dtype.kind not in "iu" else [int(v) for v in held]


def _number(stated: object) -> float | None:
    held = np.asarray(math.nan if stated is None else stated)
    if held.size != 1 or held.dtype.kind not in "iuf":
        return None
    number = float(held.ravel()[0])
    return number if math.isfinite(number) and number else None
