"""Patches under a name and a number: written once, never changed, with where they come from."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eolab.errors import InvalidInputError, NotFoundError, nearest
from eolab.features.extract.saved_chips import SavedChips, open_chips
from eolab.features.frame_attrs import FrameAttrs, source_refs
from eolab.records.lineage import Ref, record
from eolab.settings.config import check_name

if TYPE_CHECKING:
    from eolab.features.extract.chips import Chips
    from eolab.settings.config import Config

_ENDINGS = {"zarr": ".zarr", "numpy": ""}


def create(
    config: Config,
    name: str,
    chips: Chips,
    *,
    description: str,
    format: Literal["zarr", "numpy"],
) -> SavedChips:
    """Write the next version (see `FeatureStore.create_chip_dataset`)."""
    check_name(name, "dataset of chips")
    if format not in _ENDINGS:
        raise InvalidInputError(f"unknown format={format!r}", "Use 'zarr' or 'numpy'.")
    known = _versions(config, name)
    version = max(known, default=0) + 1
    if known:
        newest = open_chips(known[max(known)])
        if len(newest) == len(chips) and newest.digest == chips.digest():
            return newest
    folder = config.features / "chips" / name / f"{version}{_ENDINGS[format]}"
    about = {"description": description, "created": time.time()}
    saved = open_chips(chips.save(folder, more={"name": name, "version": version, **about}))
    attrs = FrameAttrs.from_dict(chips.origin())
    layers = {"layers": dict(attrs.layers)} if attrs.layers else {}
    record(
        config.root,
        source_refs(config.root, attrs),
        Ref("chips", saved.label),
        {"patches": len(saved), "digest": saved.digest, **layers},
    )
    return saved


def load(config: Config, name: str, version: int | None) -> SavedChips:
    """Open a version, by default the newest.

    Raises:
        NotFoundError: There is none.
    """
    check_name(name, "dataset of chips")
    known = _versions(config, name)
    if not known:
        names = list(listed(config))
        raise NotFoundError(
            f"there is no dataset of chips {name!r}", nearest(name, names, "datasets of chips")
        )
    wanted = max(known) if version is None else version
    if wanted not in known:
        there = ", ".join(map(str, sorted(known)))
        raise NotFoundError(f"{name!r} has no version {wanted}", f"There are: {there}.")
    return open_chips(known[wanted])


def listed(config: Config) -> dict[str, list[int]]:
    """Versions by name, in order; nothing is opened."""
    names = sorted(folder.name for folder in (config.features / "chips").glob("*"))
    found = {name: sorted(_versions(config, name)) for name in names}
    return {name: versions for name, versions in found.items() if versions}


def _versions(config: Config, name: str) -> dict[int, Path]:
    """The folder of each version."""
    folders = (config.features / "chips" / name).glob("*")
    return {int(f.stem): f for f in folders if f.stem.isdigit()}
