"""How odc-stac reads files for us: each by the login of its own item, in formats of the network.

What odc hands to its threads and to tasks elsewhere (the driver, sources, readers) says whose login
it is and where the secrets are; these are read in the thread or process that opens the file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.logins import SourceLogin, hide_signatures
from eolab.catalog.io.rasters import gdal_address, login_environment, open_raster

if TYPE_CHECKING:
    import numpy as np
    import pystac
    from odc.geo.geobox import GeoBox
    from odc.loader._rio import LocalContext, RioReader
    from odc.loader.types import (
        RasterLoadParams,
        RasterSource,
        ReaderDriver,
        ReaderSubsetSelection,
    )

LOGIN = "eolab:login"  # own field of the bare items that odc gets: the login of its files
_TAG = "#eolab:"  # in an address: by which login it is read


def source_address(href: str, login: SourceLogin | None) -> str:
    """An asset's address as odc gets it.

    Dask takes what has one address for the same: so it tells the logins apart, by which two files
    of two stores may have it.

    Args:
        href: As its item says it.
        login: The item's.
    """
    return gdal_address(href) if login is None else f"{href}{_TAG}{login.digest}"


def reader_driver(items: Iterable[pystac.Item]) -> ReaderDriver | None:
    """Odc's driver for reading bare items by their logins; None for its own.

    Args:
        items: As odc gets them, with addresses from `source_address`.
    """
    listed = list(items)
    hrefs = (asset.href for item in listed for asset in item.assets.values())
    if not any(LOGIN in item.extra_fields for item in listed) and all(map(local_files, hrefs)):
        return None
    driver: ReaderDriver = _driver()
    return driver


def _driver() -> ReaderDriver:
    made: ReaderDriver = _classes()[0]()
    return made


def _reader(*arguments: object) -> object:
    return _classes()[1](*arguments)


@lru_cache(maxsize=1)
def _classes() -> tuple[type, type]:
    """The driver and its reader, which odc's own are the base of."""
    from odc.loader._rio import RioDriver, RioReader, rio_read
    from odc.stac._mdtools import StacMDParser

    # It writes the address of what it cannot read into its log.
    logging.getLogger("odc.loader._rio").addFilter(hide_signatures)

    class LoginParser(StacMDParser):
        """Gives each source the login of its item."""

        def driver_data(self, md: pystac.Item, band_key: object) -> object:
            del band_key
            return md.extra_fields.get(LOGIN)

    class LoginReader(RioReader):
        """Reads one file, in the settings of its login."""

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
            source, login = self._src, self._src.driver_data
            if not isinstance(login, SourceLogin):
                _check_format(source.uri, None)
                return rio_read(source, cfg, dst_geobox, dst=dst, selection=selection)
            href = source.uri.rpartition(_TAG)[0]
            # A signature ends, and is a secret while it lasts: it is made for this reading.
            address = gdal_address(login.signed(href))
            with login_environment(login, href):
                _check_format(address, login)
                bare = source.patch(uri=address, driver_data=None)
                return rio_read(bare, cfg, dst_geobox, dst=dst, selection=selection)

    class LoginDriver(RioDriver):
        """Opens each source by its login; it travels as the name of a function."""

        def __init__(self) -> None:
            super().__init__(md_parser=LoginParser({}))

        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return _driver, ()

        def open(self, src: RasterSource, ctx: LocalContext) -> RioReader:
            return LoginReader(src, ctx)

    return LoginDriver, LoginReader


@lru_cache(maxsize=10_000)
def _check_format(address: str, login: SourceLogin | None) -> None:
    """Refuse what is no format for the network; GDAL keeps the header that this reads."""
    del login  # two stores may have different files at one address
    if not local_files(address):
        open_raster(address).close()
