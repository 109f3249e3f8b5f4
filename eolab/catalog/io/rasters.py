"""Opening rasters: by their catalogue's login, with time limits, and without detours.

A file from the network may be no more than a list of other files (a VRT, a tile index, HDF5 with
external parts), which GDAL would open wherever they are, on this machine too. So what is read over
the network must be of a format that holds its own pixels. So must what was downloaded: it lies here
now, and its words are as little to be trusted (`DOWNLOADED`).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eolab.catalog.io import redirects
from eolab.catalog.io.allowed_folders import local_files
from eolab.catalog.io.item_logins import is_refusal, login_of
from eolab.catalog.io.logins import SourceLogin, hide_signatures
from eolab.files.folders import is_endless

if TYPE_CHECKING:
    from types import TracebackType

    import pystac
    import rasterio

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
# A listing of the folder would be asked for first, file by file, to look for side files.
_LISTING = "GDAL_DISABLE_READDIR_ON_OPEN"
NO_LISTING: Mapping[str, object] = {_LISTING: "EMPTY_DIR"}
SIDE_FILES: Mapping[str, object] = {_LISTING: "TRUE"}
"""Side files, such as the mask in a .msk, are looked for by name: for local files only."""
DOWNLOADED = ".downloaded"
"""A file in each folder of downloads: what lies beside it came from elsewhere."""
_ZARR = re.compile(r"^(?P<store>[^?]+\.zarr)/(?P<array>[^?]+)$")


def environment(**options: object) -> AbstractContextManager[object]:
    """GDAL's settings for reading from the network; the user's own count first.

    No login is among them: many files may be read within (see `login_environment`).
    """
    import rasterio

    # GDAL says there which address was refused, signature and all.
    for name in ("rasterio._env", "rasterio._io", "rasterio._base", "rasterio.env"):
        logging.getLogger(name).addFilter(hide_signatures)
    limits = {name: value for name, value in _NETWORK.items() if name not in os.environ}
    settings: AbstractContextManager[object] = rasterio.Env(**{**limits, **options})
    return settings


@contextmanager
def login_environment(login: SourceLogin, href: str) -> Iterator[str]:
    """GDAL's settings for reading one file by its login, in this thread, within `environment`.

    Args:
        login: Its catalogue's.
        href: Where it lies, not signed.

    Yields:
        Its address for GDAL: signed, and beyond the redirects that lead to another host.
    """
    import rasterio

    found = redirects.resolved(login, href)
    options = login.gdal_options(found)
    try:
        with rasterio.Env(_session_class()(login), **options):
            yield gdal_address(login.signed(found))
    except rasterio.errors.RasterioError as error:
        if found != href and is_refusal(str(error)):
            redirects.forget(login, href)  # what signs it may have ended
        raise


@lru_cache(maxsize=1)
def _session_class() -> type:
    from rasterio.session import Session

    class StoreSession(Session):  # type: ignore[misc]  # rasterio has no types
        """rasterio's own AWS session needs boto3; GDAL needs the keys only."""

        def __init__(self, login: SourceLogin) -> None:
            self.login = login

        def get_credential_options(self) -> dict[str, str]:
            return self.login.keys()

    return StoreSession


def gdal_address(href: str) -> str:
    """An address as GDAL reads it: an array inside of a Zarr store is named apart from the store.

    "folder/cube.zarr/ndvi" is the array "ndvi" of "folder/cube.zarr".
    """
    found = _ZARR.match(href)
    if found is None or found["array"].lower().endswith((".tif", ".tiff", ".jp2")):
        return href  # a folder may be called like a store
    store = found["store"]
    if store.startswith(("http://", "https://")):
        store = f"/vsicurl/{store}"
    elif store.startswith("s3://"):
        store = f"/vsis3/{store.removeprefix('s3://')}"
    return f'ZARR:"{store}":/{found["array"].rstrip("/")}'


def open_raster(address: str, *, afresh: bool = False, **options: object) -> rasterio.DatasetReader:
    """A raster by its address; from the network, and of downloads, only in one of `FORMATS`.

    Args:
        address: As GDAL reads it.
        afresh: See `opened_href`.
        options: Of the driver, such as ``overview_level``.

    GDAL remembers a file that it could not have as one that is not there, for as long as the
    process lives: whatever login it is given later, and though the server was only busy. So it is
    made to ask again, at once where it was refused, else the next time.

    Raises:
        rasterio.errors.RasterioError: It is not there, or is none.
    """
    import rasterio

    files = local_files(address)
    for file in files:
        if is_endless(Path(file)):
            raise rasterio.errors.RasterioIOError(f"{file} is no file")
    if any(is_downloaded(file) for file in files):
        # As from the network: nothing beside it counts.
        with rasterio.Env(**NO_LISTING):
            return _open_own(address, **options)
    if files:
        if rasterio.env.hasenv() and rasterio.env.getenv().get(_LISTING) == SIDE_FILES[_LISTING]:
            return rasterio.open(address, sharing=False, **options)
        with rasterio.Env(**SIDE_FILES):
            return rasterio.open(address, sharing=False, **options)
    try:
        urlsplit(address)
    except ValueError as error:
        raise rasterio.errors.RasterioIOError(f"{address} is no address: {error}") from error
    if not afresh and address not in _missed:
        try:
            return _checked(_network_opener()(address, **options))
        except rasterio.errors.RasterioError as error:
            if not is_refusal(str(error)):
                _miss(address)
                raise
    with rasterio.Env(CPL_VSIL_CURL_NON_CACHED=_gdal_file(address)):
        try:
            found = _checked(_network_opener()(address, **options))
        except rasterio.errors.RasterioError:
            _miss(address)
            raise
    _missed.pop(address, None)
    return found


# Addresses that could not be opened: what GDAL remembers of them may be over.
_missed: dict[str, None] = {}
_MISSED_MOST = 10_000


def _miss(address: str) -> None:
    if len(_missed) >= _MISSED_MOST:
        _missed.clear()
    _missed[address] = None


def is_downloaded(file: str) -> bool:
    """Whether a file lies in a folder of downloads."""
    folder = os.path.abspath(file)  # noqa: PTH100 - each file of a load is asked
    for _ in range(3):
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return False
        folder = above
        if os.path.exists(os.path.join(folder, DOWNLOADED)):  # noqa: PTH110, PTH118
            return True
    return False


def _open_own(address: str, **options: object) -> rasterio.DatasetReader:
    """A downloaded raster that holds its own pixels.

    Raises:
        rasterio.errors.RasterioIOError: It is of another format, or names a file.
    """
    import rasterio

    try:
        return _checked(_network_opener()(address, **options))
    except rasterio.errors.RasterioIOError as error:
        if "not recognized" not in str(error):
            raise
        raise rasterio.errors.RasterioIOError(
            f"{address} was downloaded, and its format may name other files of this machine; "
            "if you trust it, move it out of the downloads and ingest it"
        ) from error


def _checked(file: rasterio.DatasetReader) -> rasterio.DatasetReader:
    """The same raster, unless its metadata name a file in which GDAL would look for overviews.

    Raises:
        rasterio.errors.RasterioIOError: They do: any raster of this machine could be shown for it.
    """
    import rasterio

    named = file.tags(ns="OVERVIEWS").get("OVERVIEW_FILE")
    if named is None:
        return file
    file.close()
    raise rasterio.errors.RasterioIOError(
        f"{file.name} names another file in place of its overviews, which is not opened"
    )


def _gdal_file(address: str) -> str:
    """The file of an address as GDAL's own file systems name it."""
    if address.startswith("ZARR:"):
        return address.split('"')[1]
    if address.startswith("s3://"):
        return f"/vsis3/{address.removeprefix('s3://')}"
    return f"/vsicurl/{address}" if address.startswith("http") else address


@lru_cache(maxsize=1)
def _network_opener() -> Callable[..., rasterio.DatasetReader]:
    import rasterio
    from rasterio.env import ensure_env_with_credentials

    def opener(address: str, **options: object) -> rasterio.DatasetReader:
        # rasterio.open takes one format only, its class several.
        return rasterio.DatasetReader(address, driver=list(FORMATS), sharing=False, **options)

    made: Callable[..., rasterio.DatasetReader] = ensure_env_with_credentials(opener)
    return made


@contextmanager
def opened_href(
    href: str, login: SourceLogin | None, *, afresh: bool = False
) -> Iterator[rasterio.DatasetReader]:
    """One raster by its address, opened by a login.

    Args:
        href: Its address, not signed.
        login: By which it is read.
        afresh: Ask, whatever GDAL remembers of it: it takes a server that was busy for one that
            lacks the file.
    """
    with environment(**NO_LISTING):
        if login is None:
            with open_raster(gdal_address(href), afresh=afresh) as file:
                yield file
        else:
            with (
                login_environment(login, href) as address,
                open_raster(address, afresh=afresh) as file,
            ):
                yield file


@contextmanager
def opened(item: pystac.Item, key: str) -> Iterator[rasterio.DatasetReader]:
    """One raster of an item, opened by its catalogue's login."""
    with opened_href(item.assets[key].href, login_of(item)) as file:
        yield file


class Readers(ThreadPoolExecutor):
    """Threads that read; when the work breaks off nobody waits for those that a server keeps."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown(wait=kind is None, cancel_futures=kind is not None)
