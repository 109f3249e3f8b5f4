"""Patches of a cube with masks, for segmentation: cut when asked for, so that no season need fit.

A mask holds the class code of each pixel whose centre lies in a labelled shape, or of each cell of
a raster of classes on the cube's grid, and -1 elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eolab.argument_checks import checked
from eolab.errors import InvalidInputError
from eolab.features.extract.cube_layout import inside, known_numbers, layout, origin, recipe, scenes
from eolab.features.extract.saved_chips import FORMAT, digest_of, patch_digest
from eolab.features.frame_attrs import CRS_ATTR
from eolab.features.geometry import crs_text
from eolab.features.storage.files import new_folder
from eolab.progress import track

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr

NONE = -1


class Array(Protocol):
    """What patches are written into."""

    def __setitem__(self, key: int, value: np.ndarray) -> None: ...


@dataclass(frozen=True)
class Chips:
    """Patches of one cube, or your own arrays; made by `cube.eo.chips` and `Chips.from_arrays`.

    Example:
        >>> X = np.random.default_rng(0).random((6, 32, 32, 2), dtype="float32")
        >>> own = eo.Chips.from_arrays(X, (X[..., 0] > 0.5).astype(int), bands=["red", "nir"])
        >>> own
        <Chips: 6 of 32 x 32 pixels, red, nir, 2 classes>

    Attributes:
        cube: What they are cut from.
        size: Side in pixels.
        corners: Row and column of each patch's first pixel, int, shape (n, 2).
        bands: Names of the bands.
        classes: Names of the classes in the order of their codes.
        mask: Class code of each pixel of the cube, int16, shape (y, x); -1 without a label.
        crs: The cube's coordinate reference system.
    """

    cube: xr.Dataset
    size: int
    corners: np.ndarray
    bands: tuple[str, ...]
    classes: tuple[str, ...]
    mask: np.ndarray
    crs: str

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """A patch, float32, shape (t, size, size, bands), and its mask, shape (size, size)."""
        row, column = self.corners[number]
        where = {"y": slice(row, row + self.size), "x": slice(column, column + self.size)}
        window = self.cube[list(self.bands)].isel(where)
        if "time" not in window.dims:
            window = window.expand_dims("time")
        layers = [known_numbers(window[b], "time", "y", "x") for b in self.bands]
        X = np.stack(layers, axis=-1).astype(np.float32)
        return X, self.mask[where["y"], where["x"]]

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        bands = ", ".join(self.bands)
        return f"<Chips: {len(self)} of {self.size} pixels, {bands}, {len(self.classes)} classes>"

    @staticmethod
    @checked
    def from_arrays(
        x: object,
        y: object = None,
        *,
        bands: Sequence[str | int] | None = None,
        layout: str | None = None,
        classes: Sequence[str | int] | None = None,
        nodata: float | None = None,
        times: Sequence[object] | None = None,
        geometries: object = None,
        crs: object = None,
        ids: Sequence[object] | None = None,
    ) -> Chips:
        """Your own arrays as chips, which save, split by blocks and train like extracted ones.

        Args:
            x: Numbers, one chip a first index; masked values and NaN are missing. A memory map is
                read a chip at a time.
            y: Masks (n, h, w) of class codes or names, or a class for each whole chip (n,), which
                is then that of all its pixels. -1, NaN, None, NA, blanks and masked values are no
                class.
            bands: Names of the bands; default ``b0``, ``b1``, ...
            layout: The axes of x by letters, n for chips, t for times, h, w, c for bands: "nhwc",
                "nchw", "nthwc", "ntchw", "nhw". By default where the number of bands, or the mask,
                tells them apart.
            classes: Names of the classes 0, 1, ... of codes, or the order of names; default: the
                values that are there, in order.
            nodata: A code that is no class (255).
            times: When each of the t slices was; kept beside them.
            geometries: Where each chip is: shapes or (n, 2) middles, x before y.
            crs: Their coordinate reference system; a GeoSeries brings it.
            ids: A name for each chip; default 0, 1, ...

        Raises:
            InvalidInputError: Axes that cannot be told apart, numbers of chips, bands, times or ids
                that differ, whole numbers beyond float32, codes without a class, places without a
                CRS.

        Example:
            >>> X = np.zeros((4, 3, 16, 16), dtype="uint8")
            >>> own = eo.Chips.from_arrays(
            ...     X,
            ...     ["forest", "water", "forest", None],
            ...     layout="nchw",
            ...     geometries=[[500_000 + 160 * i, 5_400_000] for i in range(4)],
            ...     crs="EPSG:32633",
            ... )
            >>> own.classes, own[0][0].shape, own.places()["x"].tolist()[:2]
            (('forest', 'water'), (1, 16, 16, 3), [500000.0, 500160.0])
        """
        from eolab.features.extract import own_arrays

        called = None if bands is None else tuple(map(str, bands))
        ordered = None if classes is None else tuple(map(str, classes))
        values = own_arrays.axes_ordered(x, y, called, layout)
        n, t, height, width, count = values.shape
        mask, known = own_arrays.masks_of(y, (n, height, width), ordered, nodata)
        names = own_arrays.band_names(called, count)
        own_arrays.check_count("times", times, t, "slices")
        own_arrays.check_count("ids", ids, n, "chips")
        middles, system = own_arrays.middles_of(geometries, crs, n)
        texts = tuple(str(i) for i in (range(n) if ids is None else ids))
        if len(set(texts)) < n:
            raise InvalidInputError("some ids are there twice", "Name each chip once.")
        when = () if times is None else own_arrays.texts_of_times(times)
        return _ArrayChips(values, mask, names, known, texts, when, middles, system)

    def origin(self) -> dict[str, object]:
        """What is recorded of the scenes that they were cut from.

        Example:
            >>> sorted(cube.eo.chips(64).origin())[:2]
            ['eolab:cube', 'eolab:items']
        """
        return origin(self.cube)

    def places(self) -> pd.DataFrame:
        """``chip_id`` and the centre ``x``, ``y`` of each patch, for a feature group or a split.

        Raises:
            InvalidInputError: They are your own arrays, and nobody said where they are.

        Example:
            >>> cube.eo.chips(64).places().columns.tolist()
            ['chip_id', 'x', 'y']
        """
        import pandas as pd

        _, _, transform, _ = layout(self.cube)
        middle = self.corners + self.size / 2
        frame = pd.DataFrame(
            {
                "chip_id": [f"{r}_{c}" for r, c in self.corners],
                "x": transform.c + middle[:, 1] * transform.a,
                "y": transform.f + middle[:, 0] * transform.e,
            }
        )
        frame.attrs.update({CRS_ATTR: self.crs, **origin(self.cube)})
        return frame

    def digest(self) -> str:
        """A number for the patches, their masks and what they are, in hexadecimal (SHA-256).

        Example:
            >>> len(cube.eo.chips(64).digest())
            64
        """
        return digest_of(self.about(), [patch_digest(X, mask) for X, mask in self])

    @checked
    def save(
        self, folder: str | os.PathLike[str], *, more: Mapping[str, object] | None = None
    ) -> Path:
        """Write all patches, one in memory at a time; all or nothing.

        A name that ends in ".zarr" makes a Zarr group with one chunk a patch, any other a folder of
        NumPy files. `open_chips` opens both for training, a patch at a time, and checks that none
        was changed. `FeatureStore.create_chip_dataset` does the same under a name and a number.

        Args:
            folder: A new folder.
            more: What else is kept beside them, plain JSON.

        Returns:
            The folder: ``X`` (n, t, size, size, bands) and ``mask`` (n, size, size), as arrays of
            the group or as ``X.npy`` and ``mask.npy``; what they are stands in the group's
            attributes or in ``chips.json``.

        Raises:
            InvalidInputError: Zarr is not installed.
            ConflictError: The folder is there.
            RemoteError: It cannot be written; nothing is left.

        Example:
            >>> folder = cube.eo.chips(64).save(ws.root / "patches")
            >>> len(eo.open_chips(folder))
            24
        """
        folder = Path(folder)
        write = _to_zarr if folder.suffix == ".zarr" else _to_numpy
        with new_folder(folder) as temporary:
            write(self, temporary, more or {})
        return folder

    def about(self) -> dict[str, object]:
        """What is kept beside the patches, as plain JSON.

        Example:
            >>> cube.eo.chips(64).about()["bands"]
            ['red', 'nir']
        """
        return {**self._kind(), "items": scenes(self.cube), "cube": recipe(self.cube)}

    def _kind(self) -> dict[str, object]:
        """What every kind of chips keeps beside itself."""
        return {
            "format": FORMAT,
            "bands": list(self.bands),
            "classes": list(self.classes),
            "crs": self.crs,
            "corners": self.corners.tolist(),
        }


class _ArrayChips(Chips):
    """Chips that are arrays in memory, or in a file that is mapped."""

    def __init__(
        self,
        values: np.ndarray,
        masks: np.ndarray,
        bands: tuple[str, ...],
        classes: tuple[str, ...],
        ids: tuple[str, ...],
        times: tuple[str, ...],
        middles: np.ndarray | None,
        crs: str,
    ) -> None:
        corners = np.column_stack([np.arange(len(values)), np.zeros(len(values), np.int64)])
        import xarray as xr

        super().__init__(xr.Dataset(), values.shape[2], corners, bands, classes, masks, crs)
        object.__setattr__(self, "_parts", (values, ids, times, middles))

    @property
    def _own(self) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...], np.ndarray | None]:
        parts: tuple[np.ndarray, tuple[str, ...], tuple[str, ...], np.ndarray | None]
        parts = self.__dict__["_parts"]
        return parts

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        values = self._own[0][number]
        if isinstance(values, np.ma.MaskedArray):
            values = np.where(np.ma.getmaskarray(values), np.nan, np.ma.getdata(values))
        try:
            with np.errstate(over="raise"):
                found = np.array(values, np.float32, order="C")
        except FloatingPointError as error:
            raise InvalidInputError(
                f"chip {self._own[1][number]!r} holds numbers beyond float32", "Scale them first."
            ) from error
        return found, self.mask[number].copy()

    def __repr__(self) -> str:
        bands, (_, _, height, width, _) = ", ".join(self.bands), self._own[0].shape
        size = f"{height} x {width} pixels"
        return f"<Chips: {len(self)} of {size}, {bands}, {len(self.classes)} classes>"

    def origin(self) -> dict[str, object]:
        return {}

    def places(self) -> pd.DataFrame:
        import pandas as pd

        _, ids, _, middles = self._own
        if middles is None:
            raise InvalidInputError(
                "nobody said where these chips are", "Pass geometries= and crs= to from_arrays()."
            )
        frame = pd.DataFrame({"chip_id": ids, "x": middles[:, 0], "y": middles[:, 1]})
        frame.attrs[CRS_ATTR] = self.crs
        return frame

    def about(self) -> dict[str, object]:
        _, ids, times, middles = self._own
        return {
            **self._kind(),
            "ids": list(ids),
            "times": list(times),
            "middles": None if middles is None else middles.tolist(),
        }


def _copied(chips: Chips, X: Array, mask: Array, more: Mapping[str, object]) -> dict[str, object]:
    """Write the patches into arrays; what is kept beside them."""
    digests = []
    for i in track(range(len(chips)), "Chips"):
        patch, codes = chips[i]
        X[i], mask[i] = patch, codes
        digests.append(patch_digest(patch, codes))
    about = chips.about()
    return {**more, **about, "patches": digests, "digest": digest_of(about, digests)}


def _to_numpy(chips: Chips, folder: Path, more: Mapping[str, object]) -> None:
    shape = chips[0][0].shape
    create = np.lib.format.open_memmap
    X = create(folder / "X.npy", "w+", np.float32, (len(chips), *shape))
    mask = create(folder / "mask.npy", "w+", np.int16, (len(chips), *shape[1:3]))
    about = _copied(chips, X, mask, more)
    X.flush()
    mask.flush()
    (folder / "chips.json").write_text(json.dumps(about))


def _to_zarr(chips: Chips, folder: Path, more: Mapping[str, object]) -> None:
    try:
        import zarr
    except ImportError as error:
        raise InvalidInputError(
            "Zarr is not installed", "pip install 'eolab[zarr]', or save without .zarr."
        ) from error
    shape = chips[0][0].shape
    group = zarr.open_group(str(folder), mode="w")
    X = group.create_array(
        "X", shape=(len(chips), *shape), chunks=(1, *shape), dtype="float32", fill_value=np.nan
    )
    mask = group.create_array(
        "mask", shape=(len(chips), *shape[1:3]), chunks=(1, *shape[1:3]), dtype="int16",
        fill_value=NONE,
    )  # fmt: skip
    about = _copied(chips, X, mask, more)
    # Through text, so that attributes are plain JSON whatever the corners' integers are.
    group.attrs.update(json.loads(json.dumps(about)))


def chips(
    cube: xr.Dataset,
    size: int,
    stride: int | None = None,
    *,
    masks: gpd.GeoDataFrame | xr.DataArray | None = None,
    column: str | None = None,
    min_labelled: float = 0.0,
) -> Chips:
    """Cut a cube into square patches; those that would cross its edge are left out.

    Args:
        cube: (time, y, x) or (y, x), NaN where nothing was seen.
        size: Side of a patch in pixels.
        stride: Pixels from one patch to the next; default: ``size``, so that none overlap.
        masks: What makes the masks: shapes with a CRS (where they overlap, the last counts), or a
            raster of classes (y, x) on the cube's own grid, in which NaN, or the value of its
            attribute ``nodata``, is no class.
        column: The shapes' column of classes.
        min_labelled: Share of pixels with a label below which a patch is left out.

    Raises:
        InvalidInputError: Sizes that do not fit, shapes without a column, a raster on another grid,
            no patch left.
    """
    for name, value in (("size", size), ("stride", size if stride is None else stride)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidInputError(f"{name}={value!r} is no number of pixels", "Give 1 or more.")
    step = size if stride is None else stride
    bands, _, transform, crs = layout(cube)
    height, width = cube.sizes["y"], cube.sizes["x"]
    if size > min(height, width):
        raise InvalidInputError(
            f"patches of {size} pixels do not fit into {height} x {width}", "Take smaller ones."
        )
    mask = np.full((height, width), NONE, dtype=np.int16)
    classes: tuple[str, ...] = ()
    if masks is not None and hasattr(masks, "dims"):
        classes = _copy(mask, masks, cube)
    elif masks is not None:
        if column is None:
            raise InvalidInputError(
                "masks of shapes need a column of classes", "Pass column='crop'."
            )
        placed = inside(masks, crs, cube, transform, [column], "masks")
        classes = _burn(mask, placed, column, transform)
    corners = np.array(
        [
            (row, left)
            for row in range(0, height - size + 1, step)
            for left in range(0, width - size + 1, step)
            if (mask[row : row + size, left : left + size] != NONE).mean() >= min_labelled
        ],
        dtype=np.int64,
    ).reshape(-1, 2)
    if not len(corners):
        raise InvalidInputError(
            f"no patch has {min_labelled:.0%} of its pixels labelled", "Ask for less."
        )
    return Chips(cube, size, corners, bands, classes, mask, crs_text(crs))


def _copy(mask: np.ndarray, raster: xr.DataArray, cube: xr.Dataset) -> tuple[str, ...]:
    """Write a raster's classes into the mask; their names in the order of the codes."""
    if set(raster.dims) != {"y", "x"} or any(
        raster.sizes[d] != cube.sizes[d] or not np.allclose(raster[d], cube[d]) for d in ("y", "x")
    ):
        raise InvalidInputError(
            f"the raster of classes ({dict(raster.sizes)}) is not on the cube's grid "
            f"({cube.sizes['y']} x {cube.sizes['x']})",
            "Load it like the cube: the same crs and resolution, resampling='nearest'.",
        )
    values = raster.transpose("y", "x").to_numpy()
    known = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if "nodata" in raster.attrs:
        known &= values != raster.attrs["nodata"]
    names, codes = np.unique(values[known], return_inverse=True)
    mask[known] = codes
    return tuple(f"{n:g}" if values.dtype.kind == "f" else str(n) for n in names.tolist())


def _burn(
    mask: np.ndarray, placed: gpd.GeoDataFrame, column: str, transform: object
) -> tuple[str, ...]:
    """Write class codes into the mask; the names in the order of the codes."""
    from rasterio.features import rasterize

    # A blank name is no name.
    placed = placed[placed[column].notna() & (placed[column].astype(str).str.strip() != "")]
    names: Sequence[str] = sorted({str(v) for v in placed[column]})
    codes = [names.index(str(v)) for v in placed[column]]
    if codes:
        rasterize(zip(placed.geometry, codes, strict=True), out=mask, transform=transform)
    return tuple(names)
