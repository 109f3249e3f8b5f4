"""What was done to the numbers of a cube, layer by layer, and who said so; and what looks wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from eolab.catalog.cube import licences
from eolab.catalog.cube.plan import MASK, LoadEstimate, Scene
from eolab.catalog.items.bands import common_name
from eolab.errors import InvalidInputError
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

ATTR = "eolab_provenance"
FACTS = ("scale", "offset", "nodata", "unit")
_MANY = 0.05  # share of the known pixels
_COLDEST = 150.0  # kelvin: nothing on the ground is colder
_ZERO_CELSIUS = 273.15
WARNED: set[str] = set()  # products whose rule was told in this process


def as_text(made: LoadEstimate) -> str:
    """The facts of every layer as JSON, which every file format keeps.

    Layers of equal facts are one entry; their items are numbers in ``attrs["eolab_items"]``.
    """
    scenes = [scene for group in made.slices for scene in group]
    entries: dict[str, list[int]] = {}
    for number, scene in enumerate(scenes):
        for name in scene.bands:
            entries.setdefault(json.dumps(_facts(scene, name)), []).append(number)
    listed = [{**json.loads(facts), "items": _ranges(items)} for facts, items in entries.items()]
    return json.dumps(listed)


def _facts(scene: Scene, name: str) -> dict[str, object]:
    layer, rule = scene.bands[name], scene.radiometry[name]
    nodata = rule.nodata
    more = ", ".join(f"{each:g}" for each in rule.more_nodata)
    return {
        "band": "" if name == MASK else name,
        "asset": layer.asset,
        "number": layer.index,
        "data_type": rule.data_type,
        "scale": rule.scale,
        "offset": rule.offset,
        "nodata": "nan" if nodata is not None and math.isnan(nodata) else nodata,
        **({"more_nodata": more} if more else {}),
        "unit": rule.unit,
        "quantity": rule.quantity,
        "rule": rule.rule,
        "from": {fact: rule.origins.get(fact, "none") for fact in FACTS},
    }


def _ranges(numbers: Sequence[int]) -> str:
    """0, 1, 2, 5 as "0-2,5"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def _numbers(text: str) -> Iterable[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def provenance(cube: xr.Dataset) -> pd.DataFrame:
    """The table of `EoAccessor.provenance`.

    Raises:
        InvalidInputError: The cube does not say.
    """
    import pandas as pd

    text = cube.attrs.get(ATTR)
    if not isinstance(text, str):
        raise InvalidInputError(
            "the cube does not say what was done to its numbers",
            "Ask the cube that eolab.load returned: attributes are lost in arithmetic.",
        )
    items = str(cube.attrs.get("eolab_items", "")).split(", ")
    rights = licences.by_item(cube.attrs.get(licences.ATTR))
    rows = []
    for entry in json.loads(text):
        facts = {key: value for key, value in entry.items() if key not in ("from", "items")}
        where = {f"{fact}_from": origin for fact, origin in entry["from"].items()}
        rows += [
            (number, {"item": items[number], **facts, **where, **rights.get(number, {})})
            for number in _numbers(entry["items"])
        ]
    rows.sort(key=lambda row: row[0])
    return pd.DataFrame([row for _, row in rows])


def as_html(cube: xr.Dataset) -> str:
    """A fold for a cell: what was done to each layer, items of equal facts in one row.

    Args:
        cube: As `load` returned it, or as it was read back.
    """
    table = provenance(cube)
    rows: dict[tuple[str, ...], list[str]] = {}
    for row in table.to_dict("records"):
        shown = [str(row["band"]) or "(mask)"]
        for fact in FACTS:
            value = row[fact]
            origin = row[f"{fact}_from"]
            said = f"{value:g}" if _real(value) else str(value or "")
            if fact == "nodata" and isinstance(more := row.get("more_nodata"), str):
                said = f"{said}, {more}"
            unsaid = "1" if fact == "scale" else "0" if fact == "offset" else "none"
            shown.append(unsaid if origin == "none" else f"{said} ({origin})")
        shown += [str(row["rule"]), str(row.get("license") or "not stated")]
        shown.append(str(row.get("attribution") or "not stated"))
        rows.setdefault(tuple(shown), []).append(str(row["item"]))
    heads = ("band", *FACTS, "rule", "licence", "attribution", "items")
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in heads)
    body = ""
    for cells, items in rows.items():
        many = items[0] if len(items) == 1 else f"{len(items)}: {items[0]}, …"
        texts = "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in cells)
        title = escape(", ".join(items[:50]))
        body += f"<tr>{texts}<td style='text-align:left' title='{title}'>{escape(many)}</td></tr>"
    return (
        "<details><summary>Provenance: what was done to the numbers, and who said so</summary>"
        f"<div style='overflow-x:auto'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div></details>"
    )


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def warn_of_rules(made: LoadEstimate) -> None:
    """Once for each product: nobody but its publisher's table says how numbers become values."""
    for group in made.slices:
        for scene in group:
            product = scene.item.product
            if product is None or product.name in WARNED:
                continue
            by_rule = [
                name
                for name, rule in scene.radiometry.items()
                if name != MASK and rule.origins.get("scale") == "rule"
            ]
            if not by_rule:
                continue
            WARNED.add(product.name)
            rule = scene.radiometry[by_rule[0]]
            warn(
                f"neither item {scene.item.id} nor its file says how {by_rule[0]} is scaled: it is"
                f" read as {product.name} publishes it, numbers x {rule.scale:g}"
                f"{f' {rule.offset:+g}' if rule.offset else ''}. eo.load(scale=, offset=) overrides"
                " it; cube.eo.provenance() shows what was done.",
                UserWarning,
            )


def warn_of_values(cube: xr.Dataset, made: LoadEstimate) -> None:
    """Values that cannot be, with the likeliest cause."""
    scenes = [scene for group in made.slices for scene in group]
    for name in made.bands:
        rules = [scene.radiometry[name] for scene in scenes]
        quantities = {rule.quantity for rule in rules}
        if quantities & {"surface reflectance", "top of atmosphere reflectance"}:
            _check_reflectance(cube[name].to_numpy(), name, scenes)
        elif "temperature" in quantities:
            kelvin = any((rule.unit or "").lower() in ("k", "kelvin") for rule in rules)
            lowest = _COLDEST if kelvin else _COLDEST - _ZERO_CELSIUS
            if (share := _share(cube[name].to_numpy(), below=lowest)) > _MANY:
                warn(
                    f"{share:.0%} of {name} is under {lowest:g}: a scale, an offset or the nodata"
                    " may be missing. See cube.eo.provenance(); eo.load(scale=, offset=, nodata=)"
                    " says them.",
                    UserWarning,
                )


def _check_reflectance(values: np.ndarray, name: str, scenes: Sequence[Scene]) -> None:
    # Red over land is never negative; other bands may be, a little, over water and in shadow.
    below = 0.0 if common_name(scenes[0].item, scenes[0].bands[name]) == "red" else -0.05
    # Of each slice: one of thirty that is wrong is few of all numbers.
    slices = values if values.ndim == 3 else values[None]
    if (share := max(_share(one, below=below) for one in slices)) > _MANY:
        denied = [s.item.id for s in scenes if s.item.offset_applied is False]
        cause = (
            f"its provider says of item {denied[0]} that the offset is still in, which is wrong of"
            " some of its items: compare offset=0"
            if denied
            else "compare offset=0, or raw=True"
        )
        where = f"{name} in one slice" if len(slices) > 1 else name
        warn(
            f"{share:.0%} of {where} is negative: an offset may have been applied twice. See"
            f" cube.attrs['eolab_radiometry'] and cube.eo.provenance(); {cause}.",
            UserWarning,
        )
    elif (share := max(_share(-one, below=-1.6) for one in slices)) > _MANY:
        warn(
            f"{share:.0%} of {name} is over 1.6, which no reflectance is: a scale may be missing."
            " See cube.eo.provenance(); eo.load(scale=) says it.",
            UserWarning,
        )


def _share(values: np.ndarray, *, below: float) -> float:
    known = np.isfinite(values)
    count = int(known.sum())
    with np.errstate(invalid="ignore"):
        return float((values < below).sum() / count) if count else 0.0
