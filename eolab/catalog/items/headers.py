"""What raster files say of themselves before a pixel is read: each opened once, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eolab.catalog.io.item_logins import is_refusal, login_of, refusal_hint
from eolab.catalog.io.logins import without_signature
from eolab.catalog.io.rasters import Readers, opened
from eolab.catalog.items.file_facts import FileFacts, alpha_band, file_facts
from eolab.catalog.items.parsed import ParsedItem
from eolab.errors import InvalidInputError, RemoteError

AT_ONCE = 16  # files that are looked at


@dataclass(frozen=True)
class Header:
    """What a raster file says about itself.

    Attributes:
        crs: Reference system.
        transform: Six numbers.
        shape: Rows and columns.
        bands: Each band's own facts.
        alpha: Number of the band that says what is transparent, 0 for none.
    """

    crs: str | None
    transform: tuple[float, ...]
    shape: tuple[int, int]
    bands: tuple[FileFacts, ...]
    alpha: int = 0

    @property
    def dtype(self) -> str:
        """Data type of the first band."""
        return self.bands[0].data_type


def read_header(item: ParsedItem, key: str) -> Header:
    """Open a raster for its header, once for each parsed item.

    Raises:
        InvalidInputError: It cannot be opened.
        RemoteError: Its server refuses it, with this login or without one.
    """
    import rasterio

    known = item.opened.get(key)
    if isinstance(known, Header):
        return known
    try:
        with opened(item.item, key) as file:
            header = Header(
                None if file.crs is None else file.crs.to_string(),
                tuple(file.transform)[:6],
                file.shape,
                file_facts(file),
                alpha_band(file),
            )
    except rasterio.errors.RasterioError as error:
        message = f"asset {key!r} of item {item.id} cannot be opened: "
        message += without_signature(str(error))
        leave_out = "leave the item out, or load with missing='skip'."
        if is_refusal(message):
            hint = refusal_hint(item.item.assets[key].href, login_of(item.item))
            raise RemoteError(message, f"{hint} Or {leave_out}") from error
        hint = "Check the file"
        if ".zarr" in item.item.assets[key].href:
            hint = (
                "An asset is read where it is one array of a Zarr store of version 2, such as"
                " PRODUCT.zarr/measurements/reflectance/r10m/b04: ask for such an asset. Of a group"
                " or a whole product, download the store and describe it with eo.ingest"
            )
        raise InvalidInputError(message, f"{hint}; {leave_out}") from error
    item.opened[key] = header
    return header


def look_ahead(files: Iterable[tuple[ParsedItem, str]]) -> None:
    """Open files for their headers, many at a time, so that asking for one waits for none.

    Args:
        files: Items with the keys of the assets.

    Raises:
        InvalidInputError: One cannot be opened.
        RemoteError: Its server refuses it.
    """
    wanted = [(item, key) for item, key in files if key not in item.opened]
    if not wanted:
        return
    with Readers(AT_ONCE) as pool:
        for done in [pool.submit(read_header, item, key) for item, key in wanted]:
            done.result()
