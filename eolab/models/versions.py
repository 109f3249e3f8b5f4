"""A version of a registered model: its facts, its files, its predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard, overload, runtime_checkable

from eolab.errors import ConflictError, InvalidInputError, nearest
from eolab.records import lineage
from eolab.records.lineage import Ref
from eolab.studies.worker.predicting import Output

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pystac
    import xarray as xr

    from eolab.catalog.areas.areas import Area
    from eolab.catalog.items.parsed import ParsedItem
    from eolab.catalog.items.quality_masks import Mask
    from eolab.features.views.view import FeatureView
    from eolab.maps.predicted_map import PredictedMap
    from eolab.models.loaded import LoadedModel
    from eolab.training_data import TrainingData

FILE = "model.json"


@dataclass(frozen=True)
class _Parts:
    """How the training part of a model was transformed, as a batch asks a split."""

    source: Mapping[str, object]


@runtime_checkable
class Fitted(Protocol):
    """What is registered: `eolab.studies.FittedModel`, or anything with the same attributes."""

    @property
    def folder(self) -> Path: ...
    @property
    def flavour(self) -> str: ...
    @property
    def params(self) -> Mapping[str, object]: ...
    @property
    def study(self) -> str | None: ...
    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def steps(self) -> tuple[str, ...]: ...
    @property
    def data_digest(self) -> str: ...
    @property
    def source(self) -> Mapping[str, object]: ...


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model.

    Attributes:
        name: The model's name.
        version: Counted from 1.
        aliases: Names that point at this version ("champion").
        description: One line for the panel.
        flavour: "keras", "sklearn", "torch" or "pickle".
        study: The study that it comes from, or None.
        params: The hyperparameters.
        metrics: Metrics on the held-out test set (``accuracy``, ``macro_f1``, each with ``_low``
            and ``_high``; ``test_openings`` counts the evaluations on this test set), and those of
            the study, prefixed ``study_``.
        columns: Names of the features, in order.
        classes: Names of the classes in the order of their codes.
        steps: For sequences, the labels of the steps.
        created: Seconds since the epoch.
        folder: Where its files lie.
        root: The workspace.

    Example:
        >>> model.name, model.version, model.flavour
        ('crops', 1, 'sklearn')
        >>> model.columns
        ('red_median', 'nir_median')
    """

    name: str
    version: int
    aliases: tuple[str, ...]
    description: str
    flavour: str
    study: str | None
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    steps: tuple[str, ...]
    created: float
    folder: Path
    root: Path

    def load(self) -> object:
        """The model object, after a check that its files are as they were registered.

        A class of your own module is the one that went with the model, as it was when it was
        fitted, also where the module is there: ``isinstance(model.load(), Mine)`` is False.

        Raises:
            ConflictError: A file was changed or is gone.

        Example:
            >>> type(model.load()).__name__
            'RandomForestClassifier'
        """
        from eolab.studies.client.fitted_model import load_model

        document = read(self.folder)
        files = document.get("files")
        for name, known in (files if isinstance(files, dict) else {}).items():
            path = self.folder / name
            if not path.is_file() or digest(path) != known:
                raise ConflictError(
                    f"{path} is not the file that was registered",
                    "Restore it, or register the model again.",
                )
        return load_model(self.folder, self.flavour)

    @overload
    def predict(
        self,
        X: xr.Dataset | xr.DataArray,
        *,
        features: Mapping[str, str] | None = None,
        sensor: str | None = None,
        force: bool = False,
        fill: float | None = None,
    ) -> xr.Dataset: ...
    @overload
    def predict(
        self,
        X: FeatureView,
        *,
        entities: object = None,
        start: object = None,
        end: object = None,
        as_of: object = None,
    ) -> pd.DataFrame: ...
    @overload
    def predict(self, X: TrainingData | np.ndarray | pd.DataFrame) -> np.ndarray: ...

    def predict(
        self,
        X: TrainingData | np.ndarray | pd.DataFrame | FeatureView | xr.Dataset | xr.DataArray,
        *,
        features: Mapping[str, str] | None = None,
        sensor: str | None = None,
        force: bool = False,
        fill: float | None = None,
        entities: object = None,
        start: object = None,
        end: object = None,
        as_of: object = None,
    ) -> np.ndarray | pd.DataFrame | xr.Dataset:
        """Class codes (int64), or values for a regression, shape (n,); of a cube a map.

        A model that was trained on arrays without names of classes answers in its own way.

        Of a cube each pixel is asked about, as the view that the model was trained on makes its
        features: by the names of bands, with its functions and transformations, and for a sequence
        from the dates of the season that is on at the cube's last date. The map is a Dataset with
        ``prediction`` (class codes; 255 is nodata; names as CF's flags) and, where the model gives
        them, ``probability`` (class, y, x). A pixel without a needed feature is nodata. A cube of
        several dates for a model of one gives a map of each.

        A network on patches that answers for each pixel of them (trained on a dataset of chips) is
        asked for overlapping patches; their probabilities are averaged with weights that fall
        towards the edge.

        Of a view what has no label is asked about (see `FeatureView.batch_data`), transformed as
        the training part of this model was: a table of the keys, their times, ``prediction`` (as
        above) and, for classes, ``class`` (their names); both are missing where nothing is known.

        Args:
            X: Samples: features in the order of ``columns`` (n, f) or (n, steps, f), or anything
                with columns of these names; or a cube, or the view that the model was trained on. A
                model without ``columns`` takes what it was trained on.
            features: Of a cube, the bands of features that are called otherwise:
                ``{"red_median": "red"}``. A mean or median of zones goes by its band's name, with a
                warning.
            sensor: Of a cube, the sensor that may be taken for the one that the model learnt from.
            force: Map a cube whose values are far from all that the model has seen.
            fill: Of a cube, for a network on patches: what stood for missing values in training.
                By default patches with any are left out, and what only they show is nodata.
            entities: Of a view, what to ask about, as in `FeatureView.batch_data`; by default all
                that has no label.
            start: Of a view, the first moment of the window.
            end: Of a view, its last.
            as_of: Of a view, use what was known then.

        Raises:
            InvalidInputError: Features are missing or the shape does not fit; a cube of another
                sensor, quantity or unit than the model learnt from, or with values far from those;
                another view.

        Example:
            >>> len(model.predict(split.test)) == len(split.test.y)
            True
            >>> model.predict(pd.DataFrame({"red_median": [0.05], "nir_median": [0.4]})).shape
            (1,)
            >>> bands = {"red_median": "red", "nir_median": "nir"}
            >>> crops = model.predict(cube.isel(time=1), features=bands)
            >>> crops.prediction.dims, crops.prediction.dtype
            (('y', 'x'), dtype('uint8'))
            >>> _ = fg.insert(rows.head(1).assign(parcel_id="P0999"))  # all others have a label
            >>> model.predict(fv)["parcel_id"].tolist()
            ['P0999']
        """
        from eolab.models import flavours

        of_view = {"entities": entities, "start": start, "end": end, "as_of": as_of}
        of_cube = {"features": features, "sensor": sensor, "force": force or None, "fill": fill}
        cube, view = _is_cube(X), _is_view(X)
        for options, fits, what in ((of_view, view, "views"), (of_cube, cube, "cubes")):
            given = [f"{name}=" for name, value in options.items() if value is not None]
            if given and not fits:
                raise InvalidInputError(
                    f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} for {what}, and this "
                    f"is a {type(X).__name__}",
                    "Leave it out: columns of a table go by their names.",
                )
        if _is_cube(X):
            from eolab.maps.pixels import predict_cube

            return predict_cube(
                self.loaded(), X, features=features, sensor=sensor, force=force, fill=fill
            )
        if _is_view(X):
            return self._of_view(X, entities, start, end, as_of)
        document = read(self.folder)
        frame = bool(document.get("frame"))
        samples = feature_values(X, self.columns, frame=frame)
        model = self.load()
        answer = flavours.outputs(model, self.flavour, samples, self.columns)
        if self.classes:
            return flavours.classes(answer, self._output(document, model), self.classes)
        return answer.reshape(-1) if answer.size == len(samples) else answer

    def predict_map(
        self,
        source: xr.Dataset | xr.DataArray | Iterable[pystac.Item | ParsedItem],
        path: str | Path,
        *,
        area: Area | list[float] | tuple[float, ...] | None = None,
        features: Mapping[str, str] | None = None,
        sensor: str | None = None,
        force: bool = False,
        crs: str | int | None = None,
        resolution: float | None = None,
        mask: Mask | None = None,
        composite: Literal["median", "mean"] | None = None,
        fill: float | None = None,
        probability: bool = True,
        colours: Mapping[str, str] | None = None,
        tile: int = 1024,
        workers: int = 2,
        overwrite: bool = False,
    ) -> PredictedMap:
        """Map a whole area onto disk, tile by tile; called again it goes on where it was.

        Memory holds a few tiles, however large the area is. Beside ``path`` a folder keeps the
        tiles that are done, so that nothing is lost by a killed process, a full disk or a scene
        that cannot be read; it goes when the map is whole. Written are Cloud-Optimized GeoTIFFs of
        the predictions (names and colours of the classes, overviews of real classes, nodata) and of
        the probabilities, and a STAC item that describes them: classes, model, scenes, licence and
        attribution. The same map again is the one that is there.

        Args:
            source: A cube, best a lazy one (``eo.load(..., chunks=...)``), or scenes, which are
                loaded lazily with the bands that the model needs.
            path: The GeoTIFF of the predictions ("crops.tif").
            area: In longitude and latitude, four numbers are a box (west, south, east, north);
                pixels outside are nodata.
            features: Bands of features that are called otherwise, as in `predict`.
            sensor: The sensor that may be taken for the one that the model learnt from.
            force: Map values that are far from all that the model has seen.
            crs: Of scenes, the map's reference system, as in `eolab.load`.
            resolution: Of scenes, the map's pixel size.
            mask: Of scenes, what is left out, from `eolab.mask`.
            composite: Several dates become one: the "median" or "mean" of what is clear.
            fill: For a network on patches, as in `predict`.
            probability: Write the probability of each class, too.
            colours: Of classes by name: ``{"forest": "#117733"}``.
            tile: Side of a tile in pixels.
            workers: Tiles that are worked on at once.
            overwrite: Replace another map, or tiles of another one.

        Raises:
            InvalidInputError: As `predict`; several dates for a model of one; an area without
                scenes, or without any pixel that has all features.
            ConflictError: Tiles failed, the disk is full, another process makes this map, or
                another file stands there. What was done stays.

        Example:
            >>> bands = {"red_median": "red", "nir_median": "nir"}
            >>> made = model.predict_map(cube, "crops.tif", features=bands, composite="median")
            >>> made.areas["class"].tolist() == list(model.classes)
            True
            >>> sorted(made.item.assets)
            ['prediction', 'probability']
        """
        from eolab.maps.mapping import predict_map

        return predict_map(
            self.loaded(), source, Path(path), area=area, features=features, sensor=sensor,
            force=force, crs=crs, resolution=resolution, mask=mask, composite=composite,
            fill=fill, probability=probability, colours=colours, tile=tile, workers=workers,
            overwrite=overwrite,
        )  # fmt: skip

    def _of_view(
        self, view: FeatureView, entities: object, start: object, end: object, as_of: object
    ) -> pd.DataFrame:
        """What a view knows without a label, each row with its answer."""
        import numpy as np

        source = read(self.folder).get("source")
        fitted = _Parts(source if isinstance(source, dict) else {})
        of = (fitted.source.get("view"), fitted.source.get("version", 1))
        if of != (view.name, view.version):
            raise InvalidInputError(
                f"{self.name}/{self.version} was trained on "
                f"{f'the view {of[0]}/{of[1]}' if of[0] else 'no view'}, and this is {view.label}",
                "Give its own view, or rows: model.predict(view.batch_data(split=...).X).",
            )
        batch = view.batch_data(
            entities, start=start, end=end, as_of=as_of,
            split=fitted if fitted.source.get("transformations") else None,
        )  # fmt: skip
        columns = self.columns or batch.columns  # fewer, of an ablation or split.without(...)
        if not set(columns) <= set(batch.columns) or batch.steps != self.steps:
            raise ConflictError(
                f"the view {view.label} gives {', '.join(batch.columns)}, the model takes "
                f"{', '.join(self.columns)}: the view was changed since",
                "Train the model on the view of now, or restore the one of that time.",
            )
        rows, known = batch.rows.copy(), batch.known
        X = batch.X[known][..., [batch.columns.index(name) for name in columns]]
        answer = self.predict(X) if len(X) else np.zeros(0, np.int64)
        whole = np.zeros(len(rows), answer.dtype)
        whole[known] = answer
        rows["prediction"] = whole
        if not known.all():  # nobody can say anything of them
            said = rows["prediction"]
            said = said.astype("Int64") if whole.dtype.kind in "iu" else said
            rows["prediction"] = said.mask(~known)
        if self.classes:
            names = np.full(len(rows), None, dtype=object)
            names[known] = np.take(np.asarray(self.classes, dtype=object), answer)
            rows["class"] = names
        return rows

    def loaded(self) -> LoadedModel:
        """The model in memory, for many questions; its files are checked once, here.

        Raises:
            ConflictError: As `load`.

        Example:
            >>> model.loaded().ask(split.test.X[:3]).probabilities.shape == (3, len(model.classes))
            True
        """
        from eolab.models.loaded import LoadedModel

        document, model = read(self.folder), self.load()
        files, source = document.get("files"), document.get("source")
        columns, classes, patch = self.columns, self.classes, None
        ranges: Mapping[str, tuple[float, float]] = {}
        chips = source.get("chips") if isinstance(source, dict) else None
        if isinstance(chips, str):  # bands, classes and size are those of its patches
            columns, classes, patch, ranges = _of_chips(self.root, chips, columns, classes)
        return LoadedModel(
            label=f"{self.name}/{self.version}",
            model=model,
            flavour=self.flavour,
            columns=columns,
            classes=classes,
            patch=patch,
            patch_ranges=ranges,
            steps=self.steps,
            output=self._output(document, model) if self.classes else Output(kind="value"),
            source=source if isinstance(source, dict) else {},
            root=self.root,
            folder=self.folder,
            frame=bool(document.get("frame")),
            files=files if isinstance(files, dict) else {},
        )

    def _output(self, document: Mapping[str, object], model: object) -> Output:
        """How its answers are read, as was decided; of older models by what they are built of."""
        from eolab.models import flavours

        output, logits = document.get("output"), document.get("logits")
        if isinstance(output, dict):
            return Output(kind=str(output.get("kind", "")), order=output.get("order") or ())
        declared = None
        if isinstance(logits, bool) and len(self.classes) == 2:
            declared = "logit" if logits else None
        return flavours.decide(model, self.flavour, self.classes, declared=declared)

    def predict_labels(self, X: TrainingData | np.ndarray | pd.DataFrame) -> np.ndarray:
        """Names of the predicted classes, shape (n,).

        Args:
            X: As in `predict`.

        Raises:
            ConflictError: The model has no classes (a regression).

        Example:
            >>> set(model.predict_labels(split.test)) <= set(model.classes)
            True
        """
        import numpy as np

        if not self.classes:
            raise ConflictError(f"{self.name!r} has no classes", "Use predict().")
        return np.take(np.asarray(self.classes), self.predict(X))

    def lineage(self) -> list[Ref]:
        """What it was made from, nearest first: study, view, commits, scenes.

        Example:
            >>> model.lineage()[0]
            Ref(kind='study', id='forest')
        """
        return lineage.upstream(self.root, self.ref)

    @property
    def ref(self) -> Ref:
        """Its node in the lineage graph.

        Example:
            >>> model.ref
            Ref(kind='model', id='crops/1')
        """
        return Ref("model", f"{self.name}/{self.version}")

    def _repr_html_(self) -> str:
        from html import escape

        metrics = "".join(
            f"<tr><td>{escape(name)}</td><td>{value:.4g}</td></tr>"
            for name, value in self.metrics.items()
        )
        aliases = f" ({', '.join(self.aliases)})" if self.aliases else ""
        title = f"{self.name} version {self.version}{aliases}"
        return f"<b>{escape(title)}</b><table>{metrics}</table>"


def read(folder: Path) -> dict[str, object]:
    """What `model.json` says; empty where the files are on another machine."""
    try:
        document = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_cube(X: object) -> TypeGuard[xr.Dataset | xr.DataArray]:
    """Whether it is xarray's and lies on a grid, without importing xarray for what is none.

    An array of samples by features is as good as one of NumPy's.
    """
    if type(X).__module__.partition(".")[0] != "xarray":
        return False
    return hasattr(X, "data_vars") or {"y", "x"} <= set(getattr(X, "dims", ()))


def _of_chips(
    root: Path, label: str, columns: tuple[str, ...], classes: tuple[str, ...]
) -> tuple[
    tuple[str, ...],
    tuple[str, ...],
    tuple[int, int] | None,
    Mapping[str, tuple[float, float]],
]:
    """Bands, classes, size and ranges of the patches of a model, where they are there."""
    import numpy as np

    from eolab.errors import NotFoundError
    from eolab.features.training import chip_datasets
    from eolab.settings.config import Config

    name, _, version = label.partition("#")
    try:
        chips = chip_datasets.load(Config(root=root), name, int(version))
    except (NotFoundError, ValueError):
        return columns, classes, None, {}
    height, width = chips.mask.shape[1:3]
    ranges = {}
    if len(chips):
        some = chips.rows[np.unique(np.linspace(0, len(chips) - 1, 64).astype(int))].tolist()
        patches = np.stack([np.asarray(chips.X[row]) for row in some])
        flat = patches.reshape(-1, patches.shape[-1])
        low, high = np.fmin.reduce(flat), np.fmax.reduce(flat)
        ends = zip(chips.bands, low.tolist(), high.tolist(), strict=True)
        ranges = {band: (a, b) for band, a, b in ends if np.isfinite(a) and np.isfinite(b)}
    return columns or chips.bands, classes or chips.classes, (int(height), int(width)), ranges


def _is_view(X: object) -> TypeGuard[FeatureView]:
    if type(X).__module__.partition(".")[0] != "eolab":
        return False
    from eolab.features.views.view import FeatureView

    return isinstance(X, FeatureView)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def feature_values(
    X: object, columns: tuple[str, ...], *, frame: bool = False
) -> np.ndarray | pd.DataFrame:
    """The features of ``X`` in the order in which the model learnt them; see `predicting.arrange`.

    Raises:
        InvalidInputError: One is missing or no number, or the shape does not fit.
    """
    from eolab.models import flavours
    from eolab.studies.worker import predicting
    from eolab.training_data import TrainingData

    given = tuple(str(name) for name in getattr(X, "columns", ()))
    for name in columns if given else ():
        if name not in given:
            raise InvalidInputError(
                f"feature {name!r} is missing", nearest(name, given, "features")
            )
    if isinstance(X, TrainingData):
        X = X.X[..., [given.index(name) for name in columns]] if columns else X.X
    with flavours.translated():
        return predicting.arrange(X, columns, frame=frame)
