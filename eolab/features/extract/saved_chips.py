"""Patches that `Chips.save` wrote: read one at a time, as batches for Keras or PyTorch.

The digest of a patch is checked whenever it is read, so that nobody trains on what was changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from eolab.argument_checks import checked, values
from eolab.errors import ConflictError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import tensorflow as tf
    import torch

FORMAT = 2
_NAMED = re.compile(r"[\w.-]+#\d+")


def patch_digest(X: np.ndarray, mask: np.ndarray) -> str:
    """SHA-256 of a patch and its mask."""
    X, mask = np.ascontiguousarray(X, np.float32), np.ascontiguousarray(mask, np.int16)
    found = hashlib.sha256(repr(X.shape).encode())
    found.update(X.data)
    found.update(mask.data)
    return found.hexdigest()


def digest_of(about: Mapping[str, object], patches: Sequence[str]) -> str:
    """SHA-256 of what patches are (see `Chips.about`) and of their digests."""
    text = json.dumps([about, list(patches)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Lazy(Protocol):
    """An array on disk: a NumPy file that is mapped, or one of a Zarr group."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, key: int) -> np.ndarray: ...


@dataclass(frozen=True)
class SavedChips:
    """Patches and masks on disk; made by `open_chips`.

    Attributes:
        X: Patches, float32, shape (n, t, size, size, bands), NaN where nothing was seen.
        mask: Class codes, int16, shape (n, size, size); -1 without a label.
        rows: Which of them these are, in order.
        ids: ``chip_id`` of each of ``rows``, as in `Chips.places`.
        bands: Names of the bands.
        classes: Names of the classes in the order of their codes.
        crs: The coordinate reference system.
        label: Name and version ("patches#2"), or the folder of what was saved without a name.
        digest: Of all patches and what they are (see `Chips.digest`).
        patches: The digest of each patch on disk.
    """

    X: Lazy
    mask: Lazy
    rows: np.ndarray
    ids: tuple[str, ...]
    bands: tuple[str, ...]
    classes: tuple[str, ...]
    crs: str
    label: str
    digest: str
    patches: tuple[str, ...]

    @property
    def source(self) -> Mapping[str, object]:
        """Where data that a study gets comes from: the dataset of chips, where it has a name."""
        return {"chips": self.label} if _NAMED.fullmatch(self.label) else {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """A patch, float32, shape (t, size, size, bands), and its mask, shape (size, size).

        Raises:
            ConflictError: It was changed after it was written.
        """
        row = int(self.rows[number])
        # Copied: what is mapped cannot be written to, and training changes its batches.
        X, mask = np.array(self.X[row]), np.array(self.mask[row])
        if patch_digest(X, mask) != self.patches[row]:
            raise ConflictError(
                f"the patch {self.ids[number]} of {self.label} was changed after it was written",
                "Saved patches never change: save them again under another name or version.",
            )
        return X, mask

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.X.shape[1:]))
        return f"<SavedChips {self.label}: {len(self)} of {shape}, {len(self.classes)} classes>"

    def subset(self, ids: Sequence[str] | np.ndarray) -> SavedChips:
        """The patches of these ids, for example ``split.train.ids``, in their order.

        Raises:
            NotFoundError: One is not there.
        """
        at = dict(zip(self.ids, self.rows, strict=True))
        wanted = [str(i) for i in values(ids, "ids")]
        for name in wanted:
            if name not in at:
                raise NotFoundError(
                    f"there is no patch {name!r}", "Take ids of Chips.places() of these chips."
                )
        rows = np.array([at[i] for i in wanted], dtype=np.int64)
        return replace(self, rows=rows, ids=tuple(wanted))

    @checked
    def to_tf_dataset(
        self, *, batch_size: int = 16, shuffle: bool = True, seed: int = 0
    ) -> tf.data.Dataset:
        """Batches (X, mask) for Keras, read ahead; another order each epoch, the same for a seed.

        Raises:
            InvalidInputError: TensorFlow is not installed.
        """
        try:
            import tensorflow as tf
        except ImportError as error:
            raise InvalidInputError(
                "TensorFlow is not installed", "pip install 'eolab[tensorflow]'"
            ) from error
        shapes = self.X.shape[1:], self.mask.shape[1:]

        def read(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            kinds = tf.float32, tf.int16
            X, mask = tf.numpy_function(lambda i: self[int(i)], [number], kinds)
            return tf.ensure_shape(X, shapes[0]), tf.ensure_shape(mask, shapes[1])

        out = tf.data.Dataset.range(len(self))
        if shuffle:
            # Numbers are shuffled, not patches: a true permutation costs no memory.
            out = out.shuffle(len(self), seed=seed, reshuffle_each_iteration=True)
        out = out.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return out.batch(batch_size).prefetch(tf.data.AUTOTUNE)

    @checked
    def to_torch(
        self, *, batch_size: int = 16, shuffle: bool = True, seed: int = 0, workers: int = 0
    ) -> torch.utils.data.DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        """Batches (X, mask) for PyTorch; another order each epoch, the same for a seed.

        Args:
            batch_size: Patches in a batch.
            shuffle: Draw them in another order each epoch.
            seed: Of the orders.
            workers: Processes that read ahead; none by default.

        Raises:
            InvalidInputError: PyTorch is not installed.
        """
        try:
            import torch
        except ImportError as error:
            raise InvalidInputError(
                "PyTorch is not installed", "pip install 'eolab[torch]'"
            ) from error
        order = torch.Generator().manual_seed(seed)
        return torch.utils.data.DataLoader(
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            generator=order,
            num_workers=workers,
        )


@checked
def open_chips(folder: str | os.PathLike[str]) -> SavedChips:
    """Open what `Chips.save` wrote, a Zarr group or a folder of NumPy files; nothing is loaded yet.

    Raises:
        NotFoundError: No such folder.
        ConflictError: It is damaged, or of another version of eolab.
        InvalidInputError: A Zarr group, and Zarr is not installed.

    Example:
        >>> folder = cube.eo.chips(64).save(ws.root / "patches")
        >>> patches = eo.open_chips(folder)
        >>> patches[0][0].shape
        (2, 64, 64, 2)
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotFoundError(f"there is no folder {folder}", "Write it with Chips.save().")
    try:
        X, mask, about = _zarr(folder) if folder.suffix == ".zarr" else _numpy(folder)
        corners, bands, classes = about["corners"], about["bands"], about["classes"]
        found, crs = about["format"], str(about["crs"])
        if found != FORMAT:
            raise ConflictError(
                f"{folder} has format {found}, allowed: {FORMAT}", "Save the chips again."
            )
        digest, patches = str(about["digest"]), about["patches"]
        assert isinstance(corners, list)
        assert isinstance(patches, list)
        assert isinstance(bands, list)
        assert isinstance(classes, list)
        named = about.get("ids", corners)
        assert isinstance(named, list)
        whole = X.shape[0] == mask.shape[0] == len(corners) == len(patches) == len(named)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise ConflictError(f"{folder} is damaged: {error}", "Save the chips again.") from error
    if not whole:
        raise ConflictError(
            f"{folder} is damaged: {X.shape[0]} patches, {len(corners)} corners",
            "Save the chips again.",
        )
    cut = [f"{row}_{column}" for row, column in corners]
    ids = tuple(map(str, named)) if "ids" in about else tuple(cut)
    label = f"{about['name']}#{about['version']}" if "name" in about else str(folder)
    names, known = (tuple(map(str, values)) for values in (bands, classes))
    rows, digests = np.arange(len(ids)), tuple(map(str, patches))
    return SavedChips(X, mask, rows, ids, names, known, crs, label, digest, digests)


def _numpy(folder: Path) -> tuple[Lazy, Lazy, dict[str, object]]:
    X, mask = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("X", "mask"))
    return X, mask, json.loads((folder / "chips.json").read_text())


def _zarr(folder: Path) -> tuple[Lazy, Lazy, dict[str, object]]:
    try:
        import zarr
    except ImportError as error:
        raise InvalidInputError("Zarr is not installed", "pip install 'eolab[zarr]'.") from error
    group = zarr.open_group(str(folder), mode="r")
    X, mask = group["X"], group["mask"]
    assert isinstance(X, zarr.Array)
    assert isinstance(mask, zarr.Array)
    return cast("Lazy", X), cast("Lazy", mask), dict(group.attrs)
