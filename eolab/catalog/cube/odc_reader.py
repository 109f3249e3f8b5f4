"""How odc-stac reads files for us: each layer of each item by its own recipe and login.

What odc hands to its threads and to tasks elsewhere (the driver, sources, readers) says what is
done to the numbers, whose login opens the file and where the secrets are; these are read in the
thread or process that opens it. Nothing is decided here: that is the business of the plan.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eolab.catalog.io.logins import SourceLogin, hide_signatures
from eolab.catalog.io.overviews import picks_pixels
from eolab.catalog.io.rasters import gdal_address, login_environment, open_raster, opened_href
from eolab.catalog.items.file_facts import (
    FileFacts,
    file_facts,
    held_nodata,
    masks_of,
    nodata_of,
    same_facts,
)
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac
    import rasterio
    from odc.geo.geobox import GeoBox
    from odc.geo.overlap import ReprojectInfo
    from odc.loader._rio import LocalContext, RioReader
    from odc.loader.types import (
        RasterLoadParams,
        RasterSource,
        ReaderDriver,
        ReaderSubsetSelection,
    )

RECIPES = "eolab:recipes"  # own field of the bare items that odc gets: what to do by asset
_TAG = "#eolab:"  # in an address: by which recipe and login it is read
_EXACT = 2**53  # float64 holds all whole numbers below


class StoredDifferentlyError(InvalidInputError):
    """A file says something else of its numbers than its item, or than is taken for granted."""


@dataclass(frozen=True)
class NumberRule:
    """What becomes of numbers of one data type: value = number * scale + offset, but nodata."""

    nodata: float | None
    scale: float
    offset: float


@dataclass(frozen=True)
class LayerRecipe:
    """How one layer of one item is read.

    Attributes:
        item: Its id, for messages.
        asset: Its key, for messages.
        band: Number of the band in the file.
        data_type: As it is stored, as far as is known; "" where not.
        nodata: Stored number that means nothing; None where there is none.
        only: No other number does, whatever the file says.
        scale: Factor.
        offset: Added after the factor.
        spectral: Numbers of the bands that are no alpha band, whatever the file calls them.
        as_stored: Scale nothing.
        login: By which the file is read.
        by_type: What is done where the file holds another data type than is known, for a cube that
            is read later; without it that is an error, upon which the load is planned anew.
        stated: Where its item says that it lies, if the grid of the cube came from that.
        assumed: What its bands are taken to say, since others of its kind do: it is looked whether
            they do when it is read.
        crs: Reference system as the item says it, for Zarr arrays that say none.
        thermal: K1 and K2 by which radiance becomes a temperature, after factor and addend.
        side_mask: Address of the mask that lies beside the file; None for none.
        more_nodata: Other stored numbers that mean nothing.
        picked: A coarser cube picks of its pixels: overviews that may hold averages, which are
            classes of their own, are not read.
    """

    item: str
    asset: str
    band: int
    data_type: str
    nodata: float | None
    only: bool
    scale: float
    offset: float
    spectral: tuple[int, ...] = ()
    as_stored: bool = False
    login: SourceLogin | None = None
    by_type: Mapping[str, NumberRule] | None = None
    stated: GeoBox | None = None
    assumed: tuple[FileFacts, ...] | None = None
    crs: str | None = None
    thermal: tuple[float, float] | None = None
    side_mask: str | None = None
    more_nodata: tuple[float, ...] = ()
    picked: bool = False

    def check_assumed(self, file: rasterio.DatasetReader) -> None:
        """Whether a file is as others of its kind.

        Args:
            file: Open.

        Raises:
            StoredDifferentlyError: It is not.
        """
        if self.assumed is not None and not same_facts(self.assumed, file_facts(file)):
            raise StoredDifferentlyError(
                f"asset {self.asset!r} of item {self.item} is stored in another way than the same"
                " asset of other items",
                "Load them apart.",
            )

    def as_found(self, stored: np.dtype, out: np.dtype) -> LayerRecipe:
        """The recipe for numbers of the type that the file holds.

        Args:
            stored: Data type in the file.
            out: In the cube.

        Raises:
            StoredDifferentlyError: It is not the one that is known, and nothing is said of it.
        """
        expected = np.dtype(self.data_type or stored)
        if stored == expected:
            return self
        # Numbers of the cube hold whole ones of 16 bits and real ones of 32.
        fits = stored.itemsize <= (4 if stored.kind == "f" else 2) or out == np.float64
        fits = np.can_cast(stored, out) if self.as_stored else fits
        rule = (self.by_type or {}).get(stored.name)
        if rule is None or not fits:
            raise StoredDifferentlyError(
                f"asset {self.asset!r} of item {self.item} holds {stored}, not {expected} as the"
                " item states",
                "Correct the item's data_type, leave the item out, or load it at once: without"
                " chunks=.",
            )
        return replace(
            self,
            data_type=stored.name,
            nodata=rule.nodata,
            scale=rule.scale,
            offset=rule.offset,
        )

    @property
    def digest(self) -> str:
        """Text that tells it from all other recipes and logins."""
        login = "" if self.login is None else self.login.digest
        facts = (self.band, self.nodata, self.only, self.scale, self.offset, self.spectral)
        more = (self.crs, self.thermal, self.side_mask, self.more_nodata, self.picked)
        text = repr((facts, self.as_stored, login, self.by_type, *more))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def source_address(href: str, recipe: LayerRecipe) -> str:
    """An asset's address as odc gets it.

    Dask takes what has one address for the same: so it tells recipes and logins apart.

    Args:
        href: As its item says it.
        recipe: How it is read.
    """
    return f"{href}{_TAG}{recipe.digest}"


def reader_driver() -> ReaderDriver:
    """Odc's driver for reading bare items, with addresses from `source_address`, by recipe."""
    made: ReaderDriver = _classes()[0]()
    return made


def _reader(*arguments: object) -> object:
    return _classes()[1](*arguments)


@lru_cache(maxsize=1)
def _classes() -> tuple[type, type]:
    """The driver and its reader, which odc's own are the base of."""
    from odc.loader._rio import RioDriver, RioReader
    from odc.stac._mdtools import StacMDParser

    # It writes the address of what it cannot read into its log.
    logging.getLogger("odc.loader._rio").addFilter(hide_signatures)

    class RecipeParser(StacMDParser):
        """Gives each source its recipe."""

        def driver_data(self, md: pystac.Item, band_key: object) -> object:
            recipes = md.extra_fields.get(RECIPES)
            asset = band_key[0] if isinstance(band_key, tuple) else band_key
            return recipes.get(asset) if isinstance(recipes, Mapping) else None

    class RecipeReader(RioReader):
        """Reads one file, by its recipe, in the settings of its login."""

        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return _reader, (self._src, self._ctx)

        def read(
            self,
            cfg: RasterLoadParams,
            dst_geobox: GeoBox,
            *,
            dst: np.ndarray | None = None,
            selection: ReaderSubsetSelection | None = None,
        ) -> tuple[tuple[slice, slice], np.ndarray]:
            del selection  # one band a file
            recipe = self._src.driver_data
            assert isinstance(recipe, LayerRecipe), "each source has one"
            href = self._src.uri.rpartition(_TAG)[0]
            login = recipe.login
            if login is None:
                return _read(gdal_address(href), recipe, cfg, dst_geobox, dst)
            # A signature ends, and is a secret while it lasts: it is made for this reading.
            with login_environment(login, href) as address:
                return _read(address, recipe, cfg, dst_geobox, dst)

    class RecipeDriver(RioDriver):
        """Opens each source by its recipe; it travels as the name of a function."""

        def __init__(self) -> None:
            super().__init__(md_parser=RecipeParser({}))

        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return reader_driver, ()

        def open(self, src: RasterSource, ctx: LocalContext) -> RioReader:
            return RecipeReader(src, ctx)

    return RecipeDriver, RecipeReader


def _read(
    address: str,
    recipe: LayerRecipe,
    cfg: RasterLoadParams,
    grid: GeoBox,
    dst: np.ndarray | None,
) -> tuple[tuple[slice, slice], np.ndarray]:
    """What of a layer falls on a grid, and where; the rest is left as it is."""
    from odc.geo.converters import rio_geobox
    from odc.geo.geobox import GeoBox
    from odc.geo.overlap import compute_reproject_roi
    from odc.geo.roi import roi_is_empty, roi_shape
    from odc.loader._reader import pick_overview

    # By nearest neighbour a shift of less than a pixel is none.
    tolerance = 0.9 if cfg.nearest else 0.05
    with open_raster(address) as file:
        recipe.check_assumed(file)
        recipe = recipe.as_found(_stored(file, recipe), np.dtype(cfg.dtype))
        stored = np.dtype(file.dtypes[recipe.band - 1])
        own = rio_geobox(file)
        if file.crs is None and recipe.crs is not None and not file.transform.is_identity:
            # An array of a Zarr store lies where its axes say; its system is the item's word.
            own = GeoBox(file.shape, file.transform, recipe.crs)
        if recipe.stated is not None and isinstance(own, GeoBox):
            if own == recipe.stated:
                own = recipe.stated  # the same, with a system that is compared at once
            else:
                _check_place(own, recipe, recipe.stated)
        how = compute_reproject_roi(own, grid, ttol=tolerance)
        rows, columns = how.roi_dst
        place = (slice(rows.start, rows.stop), slice(columns.start, columns.stop))
        out = np.empty(roi_shape(place), dtype=np.dtype(cfg.dtype)) if dst is None else dst[place]
        if roi_is_empty(place):
            return place, out
        fill = out.dtype.type(np.nan if cfg.fill_value is None else cfg.fill_value)
        if roi_is_empty(how.roi_src):
            np.copyto(out, fill)
            return place, out
        layer = _Layer(recipe, stored, fill, out.dtype, file.shape)
        shrinks = cfg.use_overviews and how.read_shrink > 1
        level = pick_overview(how.read_shrink, file.overviews(recipe.band)) if shrinks else None
        if level is not None and recipe.picked and cfg.nearest:
            rows, columns = how.roi_src
            middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
            with open_raster(address, overview_level=0) as first:
                level = level if picks_pixels(file, first, recipe.band, middle) else None
        if level is None:
            layer.put(file, how, grid, cfg.resampling, out, whole=False)
        else:
            with open_raster(address, overview_level=level) as overview:
                layer.put(overview, how, grid, cfg.resampling, out, whole=True)
    return place, out


def _stored(file: rasterio.DatasetReader, recipe: LayerRecipe) -> np.dtype:
    """Data type of the band.

    Raises:
        InvalidInputError: There is no such band.
    """
    if recipe.band > file.count:
        raise InvalidInputError(
            f"asset {recipe.asset!r} of item {recipe.item} has {file.count} bands: there is no"
            f" band {recipe.band}",
            "Correct the item, or leave it out.",
        )
    found: np.dtype = np.dtype(file.dtypes[recipe.band - 1])
    return found


def _check_place(own: GeoBox, recipe: LayerRecipe, stated: GeoBox) -> None:
    """A file that reaches beyond the place that its item states would be cut, or not be seen.

    Raises:
        InvalidInputError: It does, by more than a pixel.
    """
    assert stated.crs is not None, "an item that states a grid states its system"
    edges = own.extent if own.crs == stated.crs else own.extent.to_crs(stated.crs)
    inside = stated.project(edges).boundingbox
    rows, columns = stated.shape
    # Of a coarse file of which the item states the grid of a finer one: by a pixel of its own.
    size = max(1.0, rows / own.shape[0], columns / own.shape[1]) + 1e-3
    if (
        min(inside.left, inside.bottom) < -size
        or inside.right > columns + size
        or (inside.top > rows + size)
    ):
        raise InvalidInputError(
            f"asset {recipe.asset!r} of item {recipe.item} does not lie where its item states"
            " (proj:code, proj:transform, proj:shape)",
            "Correct the item, or take these fields out of it; or say the grid yourself: geobox=,"
            " or crs=, resolution= and bbox=.",
        )


@dataclass(frozen=True)
class _Layer:
    """One band on its way into a cube.

    Attributes:
        recipe: What to do.
        stored: Data type in the file.
        fill: What stands where nothing is known.
        out: Data type in the cube.
        shape: Rows and columns of the file.
    """

    recipe: LayerRecipe
    stored: np.dtype
    fill: np.generic
    out: np.dtype
    shape: tuple[int, int]

    def put(
        self,
        file: rasterio.DatasetReader,
        how: ReprojectInfo,
        grid: GeoBox,
        resampling: str,
        target: np.ndarray,
        *,
        whole: bool,
    ) -> None:
        """Read the band onto its place in the grid; of an overview the whole."""
        import rasterio
        import rasterio.warp
        from odc.geo.warp import resampling_s2rio
        from rasterio.windows import Window

        window_from_slices = Window.from_slices

        band = self.recipe.band
        nothing = self._nothing(file)
        masks = self._masks(file)
        if how.paste_ok and how.read_shrink == 1:
            window = window_from_slices(*how.roi_src)
            if masks is _no_masks and self._fits(nothing) and target.flags.c_contiguous:
                file.read(band, window=window, out=target)
                return
            numbers = file.read(band, window=window)
            np.copyto(target, self._values(numbers, nothing, masks(window)))
            return
        place = {
            "dst_transform": grid[how.roi_dst].transform,
            "dst_crs": str(grid.crs),
            "dst_nodata": self.fill,
            "resampling": resampling_s2rio(resampling),
        }
        # GDAL's warper computes in doubles, which hold no whole number above 2^53.
        small = self.stored.kind == "f" or self.stored.itemsize < 8
        # Without a nodata of the call rasterio takes that of the file's first band.
        known = len(nothing) == 1 or (not nothing and file.nodata is None)
        if known and masks is _no_masks and small and file.crs is not None:
            rasterio.warp.reproject(
                rasterio.band(file, band),
                target,
                # Else GDAL takes not a number for a value, and neighbours become it.
                src_nodata=next(iter(nothing), math.nan if self.stored.kind == "f" else None),
                **place,
            )
            if not self.recipe.as_stored:
                self._scale(target)
            return
        # GDAL's warper knows one nodata and no mask: what is unknown is marked first.
        window = None if whole else window_from_slices(*how.roi_src)
        numbers = file.read(band, window=window)
        rasterio.warp.reproject(
            self._values(numbers, nothing, masks(window)),
            target,
            src_transform=file.transform if window is None else file.window_transform(window),
            src_crs=file.crs or self.recipe.crs,
            src_nodata=self.fill,
            **place,
        )

    def _fits(self, nothing: set[float]) -> bool:
        """Whether the numbers of the file, as they are, are those of the cube."""
        same = self.recipe.as_stored and self.stored == self.out
        return same and nothing <= {float(self.fill)}

    def _nothing(self, file: rasterio.DatasetReader) -> set[float]:
        """Stored numbers that mean nothing, of those that the data type has at all."""
        stated = [self.recipe.nodata, *self.recipe.more_nodata]
        if not self.recipe.only:
            stated += nodata_of(file, self.recipe.band)
        # Not a number is never a value: that need not be asked.
        held = [held_nodata(value, self.stored) for value in stated]
        return {value for value in held if value is not None and not math.isnan(value)}

    def _masks(self, file: rasterio.DatasetReader) -> _Masks:
        """The masks of the file beside its nodata: its own, one beside it, or an alpha band."""
        band = self.recipe.band
        alpha, mask = masks_of(file, band, self.recipe.spectral)
        beside = None if mask else self.recipe.side_mask
        if not (alpha or mask or beside):
            return _no_masks

        def masked(window: object) -> np.ndarray | None:
            found = np.zeros((), dtype=bool)
            if alpha:
                found = found | (file.read(alpha, window=window) == 0)
            if mask:
                found = found | (file.read_masks(band, window=window) == 0)
            if beside:
                found = found | self._invalid(beside, window, file.shape)
            return found

        return masked

    def _invalid(self, mask: str, window: object, shape: tuple[int, int]) -> np.ndarray:
        """Where the mask beside the file says that nothing is known.

        Args:
            mask: Its address.
            window: Of the file; None for all of an overview.
            shape: Of that overview.
        """
        from rasterio.enums import MaskFlags

        with opened_href(mask, self.recipe.login) as file:
            if file.shape != self.shape:
                raise InvalidInputError(
                    f"the mask beside asset {self.recipe.asset!r} of item {self.recipe.item} has"
                    f" {file.shape[0]} x {file.shape[1]} pixels, the file"
                    f" {self.shape[0]} x {self.shape[1]}",
                    "Mend or remove the .msk file, or leave the item out.",
                )
            band, tags = self.recipe.band, file.tags()
            # As GDAL does: one mask for all bands, unless it says that each has its own.
            shared = int(tags.get(f"INTERNAL_MASK_FLAGS_{band}", "2")) & MaskFlags.per_dataset
            band = 1 if shared or band > file.count else band
            if window is not None:
                return np.asarray(file.read(band, window=window) == 0)
            return np.asarray(file.read(band, out_shape=shape) == 0)

    def _values(
        self, numbers: np.ndarray, nothing: set[float], masked: np.ndarray | None
    ) -> np.ndarray:
        """Numbers as values, or as they are stored, with the fill where nothing is known."""
        unknown = masked
        for value in nothing:
            same = numbers == self.stored.type(value)
            unknown = same if unknown is None else unknown | same
        self._check_size(numbers, unknown)
        values = numbers.astype(self.out)
        if not self.recipe.as_stored:
            self._scale(values)
        if unknown is not None:
            values[unknown] = self.fill
        return values

    def _scale(self, values: np.ndarray) -> None:
        """In place: value = number * scale + offset."""
        if self.recipe.scale != 1:
            values *= self.out.type(self.recipe.scale)
        if self.recipe.offset != 0:
            values += self.out.type(self.recipe.offset)
        if self.recipe.thermal is not None:
            k1, k2 = map(self.out.type, self.recipe.thermal)
            values[values <= 0] = math.nan  # no body is as cold: nothing is known there
            with np.errstate(invalid="ignore", divide="ignore"):
                np.divide(k1, values, out=values)
                np.log1p(values, out=values)
                np.divide(k2, values, out=values)

    def _check_size(self, numbers: np.ndarray, unknown: np.ndarray | None) -> None:
        """Real numbers hold no whole number above 2^53."""
        if self.stored.itemsize < 8 or self.stored.kind == "f" or self.out.kind != "f":
            return
        known = numbers if unknown is None else numbers[~unknown]
        if known.size and (known.max() > _EXACT or known.min() < -_EXACT):
            raise InvalidInputError(
                f"asset {self.recipe.asset!r} of item {self.recipe.item} holds numbers above 2^53,"
                " which would lose their last digits",
                "Load with raw=True: the numbers as they are stored.",
            )


class _Masks(Protocol):
    """Where a window of a file is masked; None where it has no mask."""

    def __call__(self, window: object) -> np.ndarray | None: ...


def _no_masks(window: object) -> np.ndarray | None:
    del window
    return None
