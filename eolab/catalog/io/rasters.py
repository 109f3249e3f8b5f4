"""Opening rasters: by their catalogue's login, with time limits, and without detours.

A file from the network may be no more than a list of other files (a VRT, a tile index, HDF5 with
external parts), which GDAL would open wherever they are, on this machine too. So what is read over
the network must be of a format that holds its own pixels.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.logins import Access, href_of, of_item, store_session

if TYPE_CHECKING:
    from types import TracebackType

    import pystac
    import rasterio
    from odc.loader.types import ReaderDriver

# GDAL's names of formats that hold their own pixels.
FORMATS = (
    "GTiff", "LIBERTIFF", "JP2OpenJPEG", "JP2KAK", "JP2ECW", "JP2MrSID", "JPEG", "PNG", "WEBP",
    "GRIB", "Zarr",
)  # fmt: skip
# By itself GDAL waits for ever, and gives up at the first 429 or 503.
_NETWORK: Mapping[str, object] = {
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1,  # bytes a second
    "GDAL_HTTP_LOW_SPEED_TIME": 30,
    "GDAL_HTTP_MAX_RETRY": 3,
    "GDAL_HTTP_RETRY_DELAY": 0.5,
}


def environment(
    access: Access | None, hrefs: Iterable[str], **options: object
) -> AbstractContextManager[object]:
    """GDAL's settings for reading these addresses; the user's own count first."""
    import rasterio

    limits = {name: value for name, value in _NETWORK.items() if name not in os.environ}
    settings: AbstractContextManager[object]
    if access is None:
        settings = rasterio.Env(**{**limits, **options})
    else:
        told = {**limits, **options, **access.gdal(hrefs)}
        settings = rasterio.Env(store_session(access), **told)
    return settings


def open_raster(address: str) -> rasterio.DatasetReader:
    """A raster by its address, from the network only in one of `FORMATS`.

    Raises:
        rasterio.errors.RasterioError: It is not there, or is none.
    """
    import rasterio

    return rasterio.open(address) if local_files(address) else _network_opener()(address)


@lru_cache(maxsize=1)
def _network_opener() -> Callable[[str], rasterio.DatasetReader]:
    import rasterio
    from rasterio.env import ensure_env_with_credentials

    def opener(address: str) -> rasterio.DatasetReader:
        # rasterio.open takes one format only, its class several.
        return rasterio.DatasetReader(address, driver=list(FORMATS), sharing=False)

    made: Callable[[str], rasterio.DatasetReader] = ensure_env_with_credentials(opener)
    return made


@contextmanager
def opened(item: pystac.Item, key: str) -> Iterator[rasterio.DatasetReader]:
    """One raster of an item, opened by its catalogue's login."""
    href = href_of(item, key)
    # A listing of the folder would be asked for first, file by file, to look for side files.
    settings = environment(of_item(item), [href], GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")
    with settings, open_raster(href) as file:
        yield file


def driver(access: Access | None, hrefs: Iterable[str]) -> ReaderDriver | None:
    """Odc's reader with this login in each of its threads; None for its own."""
    listed = list(hrefs)
    if access is None and all(local_files(href) for href in listed):
        return None
    import rasterio
    from odc.loader._rio import GlobalContext, LocalContext, RioDriver, RioReader
    from odc.loader.types import RasterSource

    options = {} if access is None else access.gdal(listed)
    session = None if access is None else store_session(access)

    class NetworkDriver(RioDriver):
        """odc leaves credentials out of what it hands to its threads, and opens any format."""

        @contextmanager
        def restore_env(
            self, env: dict[str, object], load_state: GlobalContext
        ) -> Iterator[LocalContext]:
            if session is None:
                with super().restore_env(env, load_state) as context:
                    yield context
            else:
                with rasterio.Env(session, **{**env, **options}):
                    yield load_state.local_ctx(LocalContext)

        def open(self, src: RasterSource, ctx: LocalContext) -> RioReader:
            _check_format(src.uri)
            return super().open(src, ctx)

    return NetworkDriver()


@lru_cache(maxsize=10_000)
def _check_format(address: str) -> None:
    """Refuse what is no format for the network; GDAL keeps the header that this reads."""
    if not local_files(address):
        open_raster(address).close()


class Readers(ThreadPoolExecutor):
    """Threads that read; when the work breaks off nobody waits for those that a server keeps."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown(wait=kind is None, cancel_futures=kind is not None)
