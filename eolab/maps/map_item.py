"""The STAC item of a map: its files, classes, model (MLM), scenes, licence and attribution."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.maps.layers import MapLayers
from eolab.maps.predictor import MapModel

if TYPE_CHECKING:
    import pystac
    from affine import Affine

COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def map_item(
    path: Path,
    predictor: MapModel,
    layers: MapLayers,
    *,
    files: Mapping[str, Path],
    place: tuple[Affine, str],
    shape: tuple[int, int],
    colours: Mapping[str, tuple[int, int, int]],
    features: Sequence[str],
    about: Mapping[str, object],
    times: Sequence[dt.datetime],
    identity: Mapping[str, object],
) -> pystac.Item:
    """The item of a map.

    Args:
        path: Where it will stand.
        predictor: The model.
        layers: What the map holds.
        files: "prediction" and perhaps "probability".
        place: Transform and reference system (WKT).
        shape: Rows and columns.
        colours: Of the classes.
        features: Names of the model's features.
        about: Attributes of the cube: its scenes and their licences.
        times: First and last moment of the cube; empty where it has no time.
        identity: By which the same map is known again.
    """
    import pystac
    import shapely
    from pyproj import CRS
    from pystac.extensions.classification import Classification, ClassificationExtension
    from pystac.extensions.projection import ProjectionExtension
    from rasterio.warp import transform_geom

    transform, wkt = place
    rows, columns = shape
    at = ((0, 0), (columns, 0), (columns, rows), (0, rows), (0, 0))
    t = transform
    corners = [(t.c + t.a * column, t.f + t.e * row) for column, row in at]
    ring = {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}
    geometry = transform_geom(wkt, "EPSG:4326", ring)
    now = dt.datetime.now(dt.UTC)
    properties: dict[str, object] = {
        "created": now.isoformat(),
        "eolab:model": predictor.label,
        "eolab:map": dict(identity),
    }
    if len(times) == 2 and times[0] != times[1]:
        properties["start_datetime"] = times[0].isoformat()
        properties["end_datetime"] = times[1].isoformat()
    scenes = [name for name in str(about.get("eolab_items") or "").split(", ") if name]
    if scenes:
        properties["eolab:items"] = scenes
    properties.update(_rights(about.get("eolab_licences")))
    item = pystac.Item(
        id=path.stem,
        geometry=geometry,
        bbox=list(shapely.geometry.shape(geometry).bounds),
        datetime=times[-1] if times else now,
        properties=properties,
    )
    for name, file in files.items():
        item.add_asset(
            name,
            pystac.Asset(href=f"./{file.name}", media_type=COG, roles=["data"], title=name),
        )
    projection = ProjectionExtension.ext(item, add_if_missing=True)
    code = CRS.from_user_input(wkt).to_authority()
    projection.apply(
        code=":".join(code) if code else None,
        wkt2=None if code else wkt,
        shape=[rows, columns],
        transform=list(transform)[:6],
    )
    if layers.classes:
        classes = [
            Classification.create(
                value=number, name=_slug(name), description=name,
                color_hint="".join(f"{c:02X}" for c in colours[name]),
            )
            for number, name in enumerate(layers.classes)
        ]  # fmt: skip
        ClassificationExtension.ext(item.assets["prediction"], add_if_missing=True).apply(classes)
    _describe_model(item, predictor, layers, features)
    item.set_self_href(str(path))
    return item


def _slug(name: str) -> str:
    """A class's name as the classification extension takes it: letters, digits, _ and -."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)


def _rights(text: object) -> dict[str, object]:
    """Licence and attribution of all scenes, each once."""
    try:
        entries = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return {}
    found: dict[str, object] = {}
    for fact in ("license", "attribution"):
        said = list(dict.fromkeys(str(e.get(fact) or "") for e in entries if e.get(fact)))
        if said:
            # STAC knows one licence of an item; several are named in words.
            name = fact if fact == "attribution" or len(said) == 1 else "eolab:licenses"
            found[name] = said if name == "eolab:licenses" else "; ".join(said)
    return found


def _describe_model(
    item: pystac.Item, predictor: MapModel, layers: MapLayers, features: Sequence[str]
) -> None:
    """The model, by the MLM extension."""
    from pystac.extensions import mlm
    from pystac.extensions.raster import DataType

    steps = len(predictor.steps)
    shape = [-1, steps, len(features)] if steps else [-1, len(features)]
    order = ["batch", "time", "bands"] if steps else ["batch", "bands"]
    answer, answers = [-1], ["batch"]
    task = mlm.TaskType.CLASSIFICATION if layers.classes else mlm.TaskType.REGRESSION
    kind = DataType.INT64 if layers.classes else DataType.FLOAT64
    patch = predictor.patch_shape()
    if patch is not None:
        sides = ["height", "width"]
        order = ["batch", *(["time"] if len(patch) == 4 else []), *sides, "bands"]
        shape = [-1, *(-1 if side is None else side for side in patch)]
        answer, answers = [-1, *shape[-3:-1], len(layers.classes)], ["batch", *sides, "classes"]
        task = mlm.TaskType.SEMANTIC_SEGMENTATION
        kind = DataType.FLOAT32  # the probability of each class
    mlm.MLMExtension.ext(item, add_if_missing=True).apply(
        name=predictor.label,
        architecture=predictor.architecture,
        tasks=[task],
        framework=predictor.framework,
        input=[
            mlm.ModelInput.create(
                name="features",
                bands=list(features),
                input=mlm.InputStructure.create(shape, order, DataType.FLOAT32),
            )
        ],
        output=[
            mlm.ModelOutput.create(
                name="prediction",
                tasks=[task],
                result=mlm.ResultStructure.create(answer, answers, kind),
                classes=None,
            )
        ],
    )
