"""What a train function gets: arrays with names.

This file imports NumPy and the standard library only: it travels by value to executors on which
eolab is not installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from eolab.errors import ConflictError, InvalidInputError, nearest


@dataclass(frozen=True, repr=False)
class TrainingData:
    """Samples with their labels.

    Attributes:
        X: Features, float32, shape (n, f) or, for sequences, (n, t, f); NaN where unknown.
        y: Labels, shape (n,): int64 class codes into ``classes``, or float64 for regression.
        groups: The unit of each sample (block, parcel), shape (n,); the bootstrap resamples units.
        columns: Names of the f features.
        classes: Names of the classes in the order of their codes; empty for regression.
        steps: For sequences, the label of each of the t steps.
        ids: The primary key of each sample as text, shape (n,), or None.
        weights: How sure each label is, float32, shape (n,), 0 or more; None where all are alike.
    """

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    columns: tuple[str, ...]
    classes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    ids: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.X)
        if (
            len(self.y) != n
            or len(self.groups) != n
            or (self.ids is not None and len(self.ids) != n)
            or (self.weights is not None and len(self.weights) != n)
        ):
            raise InvalidInputError(
                f"X has {n} samples, y {len(self.y)}, groups {len(self.groups)}",
                "Give arrays of the same length.",
            )
        if self.X.shape[-1] != len(self.columns):
            raise InvalidInputError(
                f"X has {self.X.shape[-1]} features, columns names {len(self.columns)}",
                "Name each feature once.",
            )

    def __len__(self) -> int:
        return len(self.X)

    @property
    def task(self) -> str:
        """What the labels are: "classification" where they are codes of ``classes``, else
        "regression".
        """
        return "classification" if self.classes else "regression"

    def __repr__(self) -> str:
        steps = f" x {len(self.steps)} steps" if self.steps else ""
        target = f"{len(self.classes)} classes" if self.classes else "a number to predict"
        units = len(np.unique(self.groups))
        return (
            f"<{len(self)} samples{steps} x {len(self.columns)} features, {target}, {units} blocks>"
        )

    def subset(self, rows: np.ndarray) -> TrainingData:
        """The samples at ``rows`` (a boolean mask of shape (n,) or integer positions)."""
        ids = None if self.ids is None else self.ids[rows]
        weights = None if self.weights is None else self.weights[rows]
        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            groups=self.groups[rows],
            ids=ids,
            weights=weights,
        )

    def without(self, columns: Sequence[str]) -> TrainingData:
        """The same samples without these features.

        Raises:
            InvalidInputError: A column that is not there, or none would be left.
        """
        # One name is no list of its letters, and an iterator is read once.
        if not hasattr(columns, "__iter__") or isinstance(columns, Mapping):
            raise InvalidInputError(
                f"{columns!r} names no features", "Give a list: without(['ndvi'])."
            )
        columns = [columns] if isinstance(columns, str) else list(columns)
        for name in columns:
            if name not in self.columns:
                raise InvalidInputError(
                    f"no feature {name!r}", nearest(name, self.columns, "features")
                )
        keep = [i for i, name in enumerate(self.columns) if name not in set(columns)]
        if not keep:
            raise InvalidInputError("without() would leave no feature", "Name fewer columns.")
        return replace(self, X=self.X[..., keep], columns=tuple(self.columns[i] for i in keep))

    def scores(
        self, said: Sequence[object] | np.ndarray, *, regions: Sequence[object] | None = None
    ) -> dict[str, float]:
        """Figures of a model's answers: in all, of each class, of each region.

        Args:
            said: Its answers, shape (n,): class codes, or numbers for regression.
            regions: The region of each sample, shape (n,), for figures of each.

        Returns:
            For classes ``accuracy``, ``macro_f1`` (over the classes that occur, as scikit-learn
            counts them), ``f1_<class>`` and ``macro_f1_in_<region>``; for regression ``rmse``,
            ``mae``, ``bias`` (answer minus label), ``r2`` and each ``_in_<region>``. What there is
            not has no figure: a class that is neither there nor said, R2 where no label differs.

        Raises:
            InvalidInputError: Another number of answers or regions.
        """
        answers = np.asarray(said)
        places = None if regions is None else np.asarray(regions)
        for what, array in (("answers", answers), ("regions", places)):
            if array is not None and array.shape != self.y.shape:
                raise InvalidInputError(
                    f"{what} of shape {array.shape} for {len(self)} samples",
                    "Give one for each sample; class codes are argmax(axis=1) of probabilities.",
                )
        inside = {"": np.ones(len(self), dtype=bool)}
        if places is not None:
            inside.update({f"_in_{region}": places == region for region in np.unique(places)})
        found: dict[str, float] = {}
        for suffix, here in inside.items():
            y, answer = self.y[here], answers[here]
            if not self.classes:
                found.update({f"{name}{suffix}": v for name, v in _errors(y, answer).items()})
                continue
            each = _f1(y, answer)
            found[f"macro_f1{suffix}"] = float(np.mean(list(each.values())))
            if not suffix:
                found["accuracy"] = float(np.mean(y == answer))
                found.update({f"f1_{self.classes[code]}": value for code, value in each.items()})
        return found

    def digest(self) -> str:
        """A SHA-256 of values, labels, units and names: equal data, equal digest."""
        h = hashlib.sha256()
        weights = () if self.weights is None else (self.weights,)
        for array in (self.X, self.y, self.groups, *weights):
            h.update(str((array.dtype.str, array.shape)).encode())
            # Text arrays of dtype object hold pointers; their values are what counts.
            h.update(
                repr(array.tolist()).encode()
                if array.dtype == object
                else np.ascontiguousarray(array).tobytes()
            )
        h.update(repr((self.columns, self.classes, self.steps)).encode())
        return h.hexdigest()

    @staticmethod
    def concatenate(first: TrainingData, second: TrainingData) -> TrainingData:
        """The samples of both; they must agree in columns, classes and steps."""
        if (first.columns, first.classes, first.steps) != (
            second.columns,
            second.classes,
            second.steps,
        ):
            raise InvalidInputError(
                "the two parts differ in columns, classes or steps", "Take both from one view."
            )
        ids = None
        if first.ids is not None and second.ids is not None:
            ids = np.concatenate([first.ids, second.ids])
        weights = None
        if first.weights is not None and second.weights is not None:
            weights = np.concatenate([first.weights, second.weights])
        return replace(
            first,
            X=np.concatenate([first.X, second.X]),
            y=np.concatenate([first.y, second.y]),
            groups=np.concatenate([first.groups, second.groups]),
            ids=ids,
            weights=weights,
        )


def _errors(y: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """RMSE, MAE, bias and, where labels differ, R2 of answers."""
    error = said.astype(np.float64) - y
    found = {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "bias": float(np.mean(error)),
    }
    if len(y) and np.ptp(y) > 0:
        found["r2"] = float(1 - np.sum(error**2) / np.sum((y - y.mean()) ** 2))
    return found


def _f1(y: np.ndarray, said: np.ndarray) -> dict[int, float]:
    """F1 of each class that is there or said: 2 TP / (there + said)."""
    return {
        int(code): float(2 * np.sum((y == code) & (said == code)))
        / float(np.sum(y == code) + np.sum(said == code))
        for code in np.union1d(y, said)
    }


@dataclass(frozen=True, repr=False)
class Split:
    """Training, validation and test part of one view.

    Tuning sees ``train`` and ``validation`` only; ``test`` is opened once, at registration.

    Attributes:
        train: What models learn from.
        validation: What trials are compared on; None where there is none.
        source: Where it comes from, as plain JSON: view, version, how it was split, seed.
    """

    train: TrainingData
    validation: TrainingData | None = None
    held_out: TrainingData | None = field(default=None, repr=False)
    source: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = [f"train {self.train!r}"]
        parts += [] if self.validation is None else [f"validation {self.validation!r}"]
        # How much is held out, not what: looking at the test part is what a split guards against.
        parts += [] if self.held_out is None else [f"test <{len(self.held_out)} samples, closed>"]
        return "Split(\n  " + ",\n  ".join(parts) + "\n)"

    @property
    def test(self) -> TrainingData:
        """The held-out part.

        Raises:
            ConflictError: In a train function, from which it is kept away, or where there is none.
        """
        if self.held_out is None:
            raise ConflictError(
                "this split has no test part here",
                "A train function compares on data.validation; "
                "the test part is opened once, when the model is registered.",
            )
        return self.held_out

    def sealed(self) -> Split:
        """The split as a train function gets it: without the test part."""
        return replace(self, held_out=None)

    def _each(self, change: Callable[[TrainingData], TrainingData]) -> Split:
        return replace(
            self,
            train=change(self.train),
            validation=None if self.validation is None else change(self.validation),
            held_out=None if self.held_out is None else change(self.held_out),
        )

    def without(self, columns: Sequence[str]) -> Split:
        """Every part without these features (see `TrainingData.without`)."""
        once = isinstance(columns, str | Mapping) or not hasattr(columns, "__iter__")
        names = columns if once else list(columns)
        return self._each(lambda part: part.without(names))

    def digest(self) -> str:
        """A SHA-256 of the train and the validation part."""
        h = hashlib.sha256(self.train.digest().encode())
        if self.validation is not None:
            h.update(self.validation.digest().encode())
        return h.hexdigest()


@dataclass(frozen=True, repr=False)
class StoredSplit:
    """A training dataset that stays in its folder until a worker reads it there.

    What travels to a cluster is where it is and what it must be, not its arrays.

    Attributes:
        folders: Where it may be, the first that is there counts: a path on the cluster, one here.
            URLs are opened by fsspec.
        parts: "train", "validation" -> columns, classes, steps, names of arrays, digest.
        source: As of a `Split`.
    """

    folders: tuple[str, ...]
    parts: Mapping[str, Mapping[str, Sequence[str]]]
    source: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<training dataset in {self.folders[0]}>"

    def digest(self) -> str:
        """That of the split, which so need not be read."""
        h = hashlib.sha256(str(self.parts["train"]["digest"]).encode())
        if "validation" in self.parts:
            h.update(str(self.parts["validation"]["digest"]).encode())
        return h.hexdigest()

    def open_on_worker(self) -> Split:
        """The split without its test part.

        Raises:
            InvalidInputError: It is in none of its folders.
            ConflictError: A file was changed after it was written.
        """
        problems = []
        for folder in self.folders:
            try:
                found = {part: self._read(folder, part) for part in self.parts}
            except (OSError, ImportError, ValueError) as error:
                problems.append(f"{folder}: {type(error).__name__}: {error}")
            else:
                return Split(found["train"], found.get("validation"), None, self.source)
        raise InvalidInputError(
            f"the training dataset cannot be read here ({'; '.join(problems)})",
            "Say what its folder is called on the cluster: "
            'paths = { "/folder/here" = "/folder/there" } in the table of the cluster.',
        )

    def _read(self, folder: str, part: str) -> TrainingData:
        about = self.parts[part]
        arrays = {n: _load(f"{folder.rstrip('/')}/{part}.{n}.npy") for n in about["arrays"]}
        data = TrainingData(
            arrays["X"], arrays["y"], arrays["groups"], tuple(about["columns"]),
            tuple(about["classes"]), tuple(about["steps"]), arrays.get("ids"),
            arrays.get("weights"),
        )  # fmt: skip
        if data.digest() != about["digest"]:
            raise ConflictError(
                f"the {part} part in {folder} is not the one that the study was started with",
                "Copy the training dataset there again, unchanged.",
            )
        return data


def _load(path: str) -> np.ndarray:
    """An array without pickled objects, by its path or URL."""
    if "://" not in path:
        with Path(path).open("rb") as file:
            return np.asarray(np.load(file, allow_pickle=False))
    import fsspec

    with fsspec.open(path, "rb") as file:
        return np.asarray(np.load(file, allow_pickle=False))
