"""The `.eo` accessor of cubes, registered by `%load_ext eolab` and by the first cube loaded."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Literal

import xarray as xr

from eolab.catalog.cube.load import RAW
from eolab.catalog.cube.odc_adapter import known_values
from eolab.catalog.items.spectral_indices import LETTERS, constant, find_index
from eolab.errors import InvalidInputError, nearest
from eolab.features.extract.interface import Extraction
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from matplotlib.figure import Figure
    from pyspark.sql import SparkSession

    from eolab.features.extract.chips import Chips
    from eolab.features.extract.on_spark import OnSpark


@xr.register_dataset_accessor("eo")
class EoAccessor(Extraction["pd.DataFrame"]):
    """What eolab adds to a cube: indices, composites, statistics by zone, pixels, patches.

    Every cube of `eolab.load` has it as ``cube.eo``, and any other dataset with ``y`` and ``x``
    once eolab has loaded one, or by ``%load_ext eolab``.

    Example:
        >>> cube.eo
        <eolab on a cube of time 2, y 248, x 526: .chips, .composite, ...>
    """

    def __init__(self, cube: xr.Dataset) -> None:
        self._given = cube

    @property
    def _cube(self) -> xr.Dataset:
        """The cube as it is now: xarray keeps this accessor while bands come to the cube."""
        systems = self._systems
        return self._given.set_coords(systems) if systems else self._given

    @property
    def _systems(self) -> list[Hashable]:
        """Reference systems that lie among the bands, as files come back by default."""
        data = self._given.data_vars
        return [name for name, v in data.items() if not v.dims and "crs_wkt" in v.attrs]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {size}" for name, size in self._cube.sizes.items())
        calls = ", ".join(name for name in dir(type(self)) if not name.startswith("_"))
        return f"<eolab on a cube of {sizes}: .{calls.replace(', ', ', .')}>"

    def _repr_html_(self) -> str:
        """What a cell shows: the text, and a fold with the provenance where the cube says it."""
        from html import escape

        from eolab.catalog.cube.provenance import ATTR, as_html

        fold = as_html(self._cube) if isinstance(self._cube.attrs.get(ATTR), str) else ""
        return f"<div><code>{escape(repr(self))}</code>{fold}</div>"

    def spectral_index(self, name: str, **parameters: str | float | xr.DataArray) -> xr.DataArray:
        """A spectral index by its name in the Awesome Spectral Indices (NDVI, NDWI, EVI, ...).

        Args:
            name: Name of the index; capitals do not count.
            parameters: A band by the index's letter (``N="nir08"``), or a constant (``L=0.5``);
                by default bands go by common name and constants as published.

        Returns:
            The index, dims as the bands', NaN where a band is NaN or the index is undefined. A cube
            of stored numbers (``raw=True``) gives a warning: offsets are still in them.

        Raises:
            InvalidInputError: No such index, or a band that it needs is not in the cube.

        Example:
            >>> ndvi = cube.eo.spectral_index("NDVI")
            >>> ndvi.dims, ndvi.attrs["formula"]
            (('time', 'y', 'x'), '(N-R)/(N+R)')
            >>> round(float(ndvi.median()), 2)
            0.61
        """
        import numpy as np
        import spyndex

        index = spyndex.indices[find_index(name)]
        values = {letter: self._operand(name, letter, parameters) for letter in index.bands}
        for letter in parameters:
            if letter not in values:
                raise InvalidInputError(
                    f"{name} takes no {letter!r}", nearest(letter, list(values))
                )
        if self._cube.attrs.get("eolab_radiometry") == RAW:
            warn(
                f"{name} of stored numbers: scale and offset are not applied. "
                "Load without raw=True for values to compare.",
                UserWarning,
            )
        with np.errstate(divide="ignore", invalid="ignore"):
            result: xr.DataArray = spyndex.computeIndex(index=[index.short_name], params=values)
        # What is no coordinate of the cube must be none of what may join it.
        result = result.drop_vars(self._systems, errors="ignore")
        result = result.where(np.isfinite(result)).astype("float32")
        result.name = index.short_name
        if "spatial_ref" in result.coords:  # by which a saved file says where it lies
            result.attrs["grid_mapping"] = "spatial_ref"
        return result.assign_attrs(long_name=index.long_name, formula=index.formula)

    def _operand(
        self, index: str, letter: str, parameters: dict[str, str | float | xr.DataArray]
    ) -> float | xr.DataArray:
        given = parameters.get(letter)
        if isinstance(given, str):
            if given not in self._cube:
                names = [str(band) for band in self._cube.data_vars]
                raise InvalidInputError(
                    f"no band {given!r} in the cube", nearest(given, names, "bands")
                )
            return known_values(self._cube[given])
        if given is not None:
            return given
        for name in LETTERS.get(letter, ()):
            if name in self._cube:
                return known_values(self._cube[name])
        if (published := constant(find_index(index), letter)) is not None:
            return published
        wanted = " or ".join(LETTERS.get(letter, (letter,))[:2])
        raise InvalidInputError(
            f"{index} needs {wanted}, which is not in the cube",
            f"Load it, or name the band: spectral_index({index!r}, {letter}='...').",
        )

    def provenance(self) -> pd.DataFrame:
        """What was done to the numbers of each band of each item, and who said so.

        Returns:
            One row per item and band: the asset and the number of the band in its file,
            ``data_type`` as stored, ``scale``, ``offset``, ``nodata`` and ``unit`` as used, the
            ``quantity`` where it is known, the ``rule`` in words; and in ``scale_from`` and the
            like who said it: "user", "band" or "asset" (of the item), "file", "rule" (the
            publisher's table) or "none". The layer of a mask has no ``band``. ``license`` as the
            item states it ("" where it does not), ``attribution`` as its publisher asks for it.
            All of it is kept in saved files; ``cube.eo`` at the end of a cell shows it in a fold.

        Raises:
            InvalidInputError: The cube does not say: attributes are lost in arithmetic.

        Example:
            >>> done = cube.eo.provenance()
            >>> red = done[done.band == "red"].iloc[0]
            >>> float(red.scale), float(red.offset), red.scale_from
            (0.0001, -0.1, 'asset')
        """
        from eolab.catalog.cube.provenance import provenance

        return provenance(self._cube)

    def composite(
        self,
        method: Literal["median", "medoid", "geomedian", "mean"] = "median",
        *,
        period: str = "1M",
    ) -> xr.Dataset:
        """Reduce the dates of each period to one, with the number of clear dates.

        Args:
            method: "median" or "mean", band by band; "medoid", the date whose bands are nearest to
                all others (Flood 2013, doi:10.3390/rs5126481); "geomedian", the point in band
                space with the least sum of distances to all dates (Roberts et al. 2017,
                doi:10.1109/TGRS.2017.2723896).
            period: Such as "10D", "2W", "1M", "1Y"; months and years begin with the calendar's.

        Returns:
            The variables (time, y, x) by period, NaN where no date is clear, and ``count``, the
            number of clear dates, int16. ``time`` is the period's first day, ``time_end`` the
            moment after its last. Of a lazy cube it is lazy.

        Raises:
            InvalidInputError: Another method or period, no time, radar of several orbits.

        Example:
            >>> months = cube.eo.composite("median", period="1M")
            >>> [str(day)[:10] for day in months.time.values], int(months["count"].max())
            (['2021-05-01', '2021-06-01'], 1)
        """
        from eolab.catalog.cube.composite import composite

        return composite(self._cube, method, period=period)

    def decibels(self) -> xr.Dataset:
        """Linear power to decibels: 10 * log10, NaN where it is not positive. The last step of all.

        Polarisations (vv, vh, ...) are converted, and where none is so named all variables of real
        numbers; counts and classes stay. A lazy cube stays lazy.

        Raises:
            InvalidInputError: Some are in decibels already.

        Example:
            >>> power = xr.Dataset({"vv": ("x", [0.1, 0.01])})
            >>> power.eo.decibels().vv.values.tolist()
            [-10.0, -20.0]
        """
        from eolab.catalog.cube.radar import to_decibels

        return to_decibels(self._cube)

    def speckle_filter(self, *, window: int = 7) -> xr.Dataset:
        """Multitemporal speckle filter: keeps each date's local mean, averages speckle over dates.

        J_k = E[I_k] / N * sum_i(I_i / E[I_i]), with E the mean over a window (Quegan and Yu 2001,
        doi:10.1109/36.964972). The cube is linear power (time, y, x) of one orbit.

        Args:
            window: Odd number of pixels a side, from 3 on.

        Returns:
            The same variables, filtered, NaN where they were.

        Raises:
            InvalidInputError: Decibels, several orbits, or an even window.

        Example:
            >>> noise = np.random.default_rng(0).gamma(4, 0.25, (8, 40, 40)).astype("float32")
            >>> radar = xr.Dataset({"vv": (("time", "y", "x"), noise)})
            >>> calm = radar.eo.speckle_filter(window=7)
            >>> bool(calm.vv.std() < 0.5 * radar.vv.std())
            True
        """
        from eolab.catalog.cube.radar import speckle_filter

        return speckle_filter(self._cube, window=window)

    def plot(
        self,
        bands: Sequence[str] | str | None = None,
        *,
        stretch: tuple[float, float] | None = None,
        columns: int = 4,
        cmap: str = "viridis",
    ) -> Figure:
        """One small picture per date, all with the same stretch, so that dates can be compared.

        Args:
            bands: Three for colour, one for a colour map; by default true colour, else the first.
            stretch: Values drawn darkest and brightest; by default the 2nd and 98th percentile.
            columns: Pictures side by side.
            cmap: Colour map of Matplotlib for one band.

        Returns:
            A figure of Matplotlib, which a cell shows.

        Raises:
            InvalidInputError: An unknown band or colour map, not one or three bands, a stretch
                that is no pair of numbers, or too many dates.

        Example:
            >>> figure = cube.eo.plot("nir", stretch=(0, 0.5))
            >>> [axis.get_title() for axis in figure.axes[:2]]
            ['2021-05-20', '2021-06-02']
        """
        from eolab.catalog.cube.plots import plot

        return plot(self._cube, bands, stretch=stretch, columns=columns, cmap=cmap)

    def explore(self, *, cmap: str = "viridis", width: int = 420) -> object:
        """Sliders for time and band over the image; a click draws the pixel's time series.

        Args:
            cmap: Colour map.
            width: Of the image in pixels.

        Returns:
            A layout of HoloViews, live while the kernel runs.

        Raises:
            InvalidInputError: hvplot is not installed (``pip install 'eolab[explore]'``), or an
                unknown colour map.

        Example:
            >>> cube.eo.explore(cmap="no such map")
            Traceback (most recent call last):
            ...
            eolab.errors.InvalidInputError: no colour map 'no such map'...
        """
        from eolab.catalog.cube.plots import explore

        return explore(self._cube, cmap=cmap, width=width)

    def trim_border(self, *, floor: float = -30.0, margin: int = 2) -> xr.Dataset:
        """Leave out the noise that processors leave in at the ends of a radar swath.

        What is darker than the floor and hangs together with the end of the data is no ground;
        dark water inside the image stays (after Ali et al. 2018, doi:10.3390/rs10050775).

        Args:
            floor: Decibels below which the local mean (5 x 5 pixels) is noise.
            margin: Pixels beside the noise that go with it.

        Returns:
            The same variables (linear power); a pixel that is noise in one is NaN in all.

        Raises:
            InvalidInputError: Decibels.

        Example:
            >>> values = np.full((1, 20, 20), 0.1, "float32")
            >>> values[:, :, :4] = 1e-5
            >>> trimmed = xr.Dataset({"vv": (("time", "y", "x"), values)}).eo.trim_border()
            >>> int(trimmed.vv.isnull().sum()) > 80, float(trimmed.vv.max()) > 0.09
            (True, True)
        """
        from eolab.catalog.cube.radar import trim_border

        return trim_border(self._cube, floor=floor, margin=margin)

    def terrain(self, band: str = "elevation") -> xr.Dataset:
        """Slope and the direction that it faces, by Horn's differences over 3 x 3 pixels.

        Horn 1981, Proceedings of the IEEE 69, 14-47; the same as `gdaldem slope` and `gdaldem
        aspect`.

        Args:
            band: Elevation in metres, dims (y, x), in a cube whose CRS is in metres.

        Returns:
            ``slope`` (degrees, 0 is flat), and ``northness`` and ``eastness``: cosine and sine of
            the direction that the slope faces, both 0 where it is flat. float32, dims (y, x); NaN
            at the edge and beside missing pixels.

        Raises:
            InvalidInputError: No such band, one with time, or a CRS in other units than metres.

        Example:
            >>> up = np.tile(np.arange(5.0) * 10, (5, 1))  # 10 m up in each pixel of 20 m
            >>> place = {"y": cube.y[:5], "x": cube.x[:5], "spatial_ref": cube.spatial_ref}
            >>> elevation = xr.Dataset({"elevation": (("y", "x"), up)}, coords=place)
            >>> slopes = elevation.eo.terrain()
            >>> round(float(slopes.slope[2, 2]), 2), float(slopes.eastness[2, 2])
            (26.57, -1.0)
        """
        from eolab.features.extract.terrain import terrain

        return terrain(self._cube, band)

    def _zonal(
        self,
        zones: gpd.GeoDataFrame,
        id: str,
        stats: Sequence[str],
        buffer: float,
        min_pixels: float,
    ) -> pd.DataFrame:
        from eolab.features.extract.points_and_pixels import zonal

        return zonal(self._cube, zones, id=id, stats=stats, buffer=buffer, min_pixels=min_pixels)

    def _pixels(
        self,
        labels: gpd.GeoDataFrame,
        columns: Sequence[str],
        stratify: str | None,
        per_class: int,
    ) -> pd.DataFrame:
        from eolab.features.extract.points_and_pixels import pixels

        return pixels(self._cube, labels, columns=columns, stratify=stratify, per_class=per_class)

    def _sample(self, points: gpd.GeoDataFrame, id: str, columns: Sequence[str]) -> pd.DataFrame:
        from eolab.features.extract.points_and_pixels import sample

        return sample(self._cube, points, id=id, columns=columns)

    def on_spark(self, spark: SparkSession, *, tile: int = 512) -> OnSpark:
        """The same ``zonal``, ``pixels`` and ``sample`` by Spark's tasks, one tile each, same rows.

        A lazy cube (``eo.load(..., chunks=...)``) travels as the recipe of its window, and each
        task reads its own pixels.

        Args:
            spark: Any session, classic or Connect, whose executors have eolab.
            tile: Side of a tile in pixels.

        Returns:
            An object with these three methods; their rows are Spark DataFrames, in no order.

        Raises:
            InvalidInputError: No number of pixels; later, pixels in memory that are too many to
                send.

        Example:
            >>> def medians(spark):
            ...     frame = cube.eo.on_spark(spark, tile=512).zonal(parcels)
            ...     return frame.groupBy("parcel_id").count()
        """
        from eolab.features.extract.on_spark import OnSpark

        return OnSpark(self._cube, spark, tile)

    def chips(
        self,
        size: int,
        stride: int | None = None,
        *,
        masks: gpd.GeoDataFrame | xr.DataArray | None = None,
        column: str | None = None,
        min_labelled: float = 0.0,
    ) -> Chips:
        """Square patches with masks, for segmentation; cut when asked for, so no season need fit.

        Patches that would cross the edge are left out.

        Args:
            size: Side of a patch in pixels.
            stride: Pixels from one patch to the next; default: ``size``, so that none overlap.
            masks: What makes the masks: shapes with a CRS (where they overlap, the last counts),
                or a raster of classes (y, x) on the cube's own grid, in which NaN, or the value of
                its attribute ``nodata``, is no class.
            column: The shapes' column of classes.
            min_labelled: Share of pixels with a label, 0..1, below which a patch is left out.

        Returns:
            Patches, float32, shape (t, size, size, bands), each with its mask, int16, shape
            (size, size), -1 without a label.

        Raises:
            InvalidInputError: Sizes that do not fit, shapes without a column, a raster on another
                grid, no patch left.

        Example:
            >>> patches = cube.eo.chips(64, masks=parcels, column="crop", min_labelled=0.1)
            >>> X, mask = patches[0]
            >>> X.shape, mask.shape
            ((2, 64, 64, 2), (64, 64))
        """
        from eolab.features.extract.chips import chips

        return chips(
            self._cube, size, stride, masks=masks, column=column, min_labelled=min_labelled
        )
