"""What rows made from a cube say of themselves in ``frame.attrs``: scenes, cube, model, place.

An insert records it as the origin of its commit, and learns from it where the rows are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eolab.records.lineage import Ref, record

# The scenes that rows were made from, the cube that was made of them first, and a model.
ITEMS = "eolab_items"
CUBE = "eolab_cube"
MODEL = "eolab_model"
# Sensors, quantities and units of the cube's bands.
LAYERS = "eolab_layers"
# The CRS of the columns x and y, and that rows are pixels.
CRS_ATTR = "eolab_crs"
PIXELS = "eolab_pixels"


@dataclass(frozen=True)
class FrameAttrs:
    """The attributes of a frame that are ours.

    Attributes:
        items: Names of the scenes.
        cube: Name of the cube (see `cube_layout.recipe`).
        model: Name and version of the model whose vectors these are.
        crs: The coordinate reference system of ``x`` and ``y``.
        pixels: Whether the rows are pixels of a raster.
        layers: Sensors, quantities and units of the cube's bands (see `extract.layer_facts`).
    """

    items: tuple[str, ...] = ()
    cube: str | None = None
    model: str | None = None
    crs: str | None = None
    pixels: bool = False
    layers: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def of(frame: object) -> FrameAttrs:
        """Those of a frame; empty where it has none."""
        # Spark's DataFrame has a column for each attribute that is asked for.
        found = getattr(frame, "attrs", None)
        return FrameAttrs.from_dict(found) if isinstance(found, Mapping) else FrameAttrs()

    @staticmethod
    def from_dict(attrs: Mapping[str, object]) -> FrameAttrs:
        """Those of plain attributes; others are passed over."""

        def text(name: str) -> str | None:
            value = attrs.get(name)
            return None if value is None else str(value)

        items, layers = attrs.get(ITEMS, []), attrs.get(LAYERS)
        assert isinstance(items, list)
        return FrameAttrs(
            tuple(str(i) for i in items),
            text(CUBE),
            text(MODEL) or None,
            text(CRS_ATTR),
            bool(attrs.get(PIXELS)),
            layers if isinstance(layers, Mapping) else {},
        )


def source_refs(root: Path, attrs: FrameAttrs) -> list[Ref]:
    """The cube that rows were made from, else the scenes, as nodes of the lineage.

    That the cube was made from its scenes is recorded on the way.

    Args:
        root: The workspace's folder.
        attrs: What the rows say of themselves.
    """
    scenes = [Ref("item", name) for name in attrs.items]
    if attrs.cube is None:
        return scenes
    node = Ref("cube", attrs.cube)
    record(root, scenes, node)
    return [node]
