"""What the names of raster files say: which scene, which band, when; and what a raster is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from eolab.errors import InvalidInputError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_GAP, _YEAR = "[-_. ]?", r"(?P<year>(?:19|20)\d{2})"
# Dates as they stand in names: 20210324T101031 (or _ or nothing between), 2021083T101031 (day of
# the year), 2021-03-24T10-10-31, 2021-03-24, 24.03.2021, 20210324, 2021083, 24Mar2021, of months
# 2021-03. A number may stand beside others (20230517_101010 of PlanetScope), so none begins or ends
# within one.
_DAY = r"(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
_HOUR = r"(?P<hour>[01]\d|2[0-3])"
_CLOCK = rf"{_HOUR}(?P<minute>[0-5]\d)(?P<second>[0-5]\d)"
_SPLIT_DAY = r"(?P<month>0[1-9]|1[0-2])[-_.](?P<day>0[1-9]|[12]\d|3[01])"
_SPLIT_CLOCK = rf"{_HOUR}[-_.:h]?(?P<minute>[0-5]\d)(?:[-_.:m]?(?P<second>[0-5]\d))?"
DATES = (
    rf"(?<!\d)(?P<year>\d{{4}}){_DAY}T{_CLOCK}",
    rf"(?<!\d){_YEAR}(?P<ordinal>[0-3]\d{{2}})T{_CLOCK}",
    rf"(?<!\d){_YEAR}{_DAY}(?:[-_]|-S){_CLOCK}(?:\d{{3}})?(?!\d)",
    rf"(?<!\d){_YEAR}{_DAY}T(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)?(?!\d)",
    rf"(?<!\d){_YEAR}[-_.]{_SPLIT_DAY}[T_ ]{_SPLIT_CLOCK}(?!\d)",
    # A2021137.1035 of MODIS and VIIRS, s20211371200207 of GOES.
    rf"(?<!\d){_YEAR}(?P<ordinal>[0-3]\d{{2}})[._]{_HOUR}(?P<minute>[0-5]\d)(?=[._])",
    rf"(?<=_s){_YEAR}(?P<ordinal>[0-3]\d{{2}}){_CLOCK}\d?(?!\d)",
    rf"(?<!\d){_YEAR}[-_.]{_SPLIT_DAY}(?!\d)",
    # 24.03.2021: dots between day, month and year are the custom of places that put days first.
    rf"(?<!\d)(?P<day>0?[1-9]|[12]\d|3[01])\.(?P<month>0?[1-9]|1[0-2])\.{_YEAR}(?!\d)",
    rf"(?<!\d){_YEAR}{_DAY}(?!\d)",
    rf"(?<!\d){_YEAR}[-_.]?(?P<ordinal>[0-3]\d{{2}})(?!\d)",
    rf"(?<!\d)(?P<day>[0-3]?\d){_GAP}(?P<month>(?i:{'|'.join(_MONTHS)}))[a-z]*{_GAP}{_YEAR}(?!\d)",
    # Digits without a break: beside another date they mostly are the time of processing.
    rf"(?<!\d){_YEAR}{_DAY}{_CLOCK}(?!\d)",
    rf"(?<!\d){_YEAR}(?P<ordinal>[0-3]\d{{2}}){_CLOCK}(?!\d)",
    r"(?<!\d)(?P<year>(?:19[7-9]|20\d)\d)[-_.]?(?P<month>0[1-9]|1[0-2])(?!\d)",
)
_BANDS = r"B\d{1,2}A?|SCL|CLM|CLP|QA_PIXEL|FMASK|VV|VH|NDVI|red|green|blue|nir|swir\d*"
_BAND = re.compile(rf"(?:^|[_.\-])({_BANDS})(?:_\d+m)?$", re.IGNORECASE)
_ONLY_BAND = re.compile(_BANDS, re.IGNORECASE)
# In a SAFE folder each file ends with its layer: aerosol, water vapour and true colour too.
_SAFE_BAND = re.compile(r"(?:^|_)(B\d\d|B8A|SCL|AOT|WVP|TCI)(?:_\d+m)?$")
# HLS User Guide 2.0: product, tile, day of the year and clock, version, layer.
_HLS = re.compile(
    r"(?P<product>HLS\.(?P<sensor>[LS]30)\.T(?P<tile>\d{2}[A-Z]{3})\.\d{7}T\d{6}\.v\d\.\d)\.(?P<layer>\w+)"
)
_RESOLUTION = re.compile(r"R\d+m")
_PRODUCT = re.compile(
    r"(S2[A-D])_MSI(L1C|L2A)_(\d{8}T\d{6})_N(\d{2})(\d{2})_R(\d{3})_T(\d{2}[A-Z]{3})"
)
# Landsat Collection 2 Data Format Control Book: sensor and satellite, level, path and row, dates of
# acquisition and processing, collection, tier, layer.
_LANDSAT = re.compile(
    r"(?P<product>L[COTEM]0(?P<satellite>\d)_L\d\w{2}_(?P<path>\d{3})(?P<row>\d{3})_\d{8}_\d{8}"
    r"_\d{2}_(?:T1|T2|RT|A1|A2))_(?P<layer>\w+)"
)
# Planet, naming of orders: date, clock, satellite, level, and the picture or its mask.
_PLANET = re.compile(
    r"(?P<product>\d{8}_\d{6}_\w+?_[13][AB])_(?P<layer>(?:Analytic|udm|ortho|basic|pansharp)\w*)"
)
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # stands in where a date is missing
NO_DATE = (
    "no date in its name or tags",
    "Give pattern= with the groups year, month, day; or time=, one for all, or by file name.",
)
_LARGEST = 16 << 20  # bytes of a product's metadata


DateOrigin: TypeAlias = Literal["given", "name", "folder", "tags", "axis", "default", "missing"]
"""Where a date was found.

"given": what the call says of this file; "name" of the file; "folder": a folder around it; "tags"
in the file; "axis": the file's own axis of times; "default": what the call says of files that tell
none; "missing": nobody says.
"""


@dataclass(frozen=True)
class Dated:
    """A time, and where it was found.

    Attributes:
        time: UTC.
        origin: Where it was found.
    """

    time: datetime
    origin: DateOrigin


@dataclass(frozen=True)
class Name:
    """To what a file belongs.

    Attributes:
        folder: Files of one item lie in it or below.
        item: Name of the item.
        asset: Which of its assets the file is.
    """

    folder: Path
    item: str
    asset: str


class RasterWriter(Protocol):
    """Writes a raster as a GeoTIFF; by the user's own nodata, where it is given, not the file's."""

    def __call__(self, target: Path, given: float | None = None) -> None: ...


@dataclass(frozen=True)
class Raster:
    """One raster: a file, or a variable or time step of one.

    Attributes:
        path: The file or Zarr store.
        address: How GDAL opens it.
        name: To which item it belongs, as which asset.
        crs: Code, or WKT where it has none.
        transform: Six numbers of the affine transform.
        shape: Rows and columns.
        bands: As STAC lists them.
        time: Acquisition, UTC.
        time_from: Where it was found.
        properties: More of the item.
        write: Writes it as a GeoTIFF, where GDAL cannot open it by an address.
    """

    path: Path
    address: str
    name: Name
    crs: str
    transform: list[float]
    shape: list[int]
    bands: list[dict[str, object]]
    time: datetime
    time_from: DateOrigin
    properties: Mapping[str, object] = field(default_factory=dict)
    write: RasterWriter | None = None

    @property
    def pixel(self) -> float:
        """Pixel size in units of the reference system."""
        return abs(self.transform[0])


def name_of(path: Path, variable: str = "") -> Name:
    """What a file's path says: files that differ only in their band are one item.

    Args:
        path: Of the file.
        variable: Of a container, "" for a plain file.
    """
    product = safe_folder(path)
    home = path.parent
    if product is None and _RESOLUTION.fullmatch(home.name):
        home = home.parent
    if variable:
        return Name(path.parent, path.stem, variable)
    if product is not None:
        layer = _SAFE_BAND.search(path.stem)
        return Name(product, product.stem, layer[1] if layer else path.stem)
    for naming in (_LANDSAT, _HLS, _PLANET):
        if found := naming.fullmatch(path.stem):
            return Name(home, found["product"], found["layer"])
    if band := _BAND.search(path.stem):
        return Name(home, path.stem[: band.start()] or home.name, band[1])
    if _ONLY_BAND.fullmatch(home.name):  # a folder for each band
        return Name(home.parent, path.stem, home.name)
    return Name(home, path.stem, "data")


def safe_folder(path: Path) -> Path | None:
    """The product's folder, as ESA delivers it, in which a file lies."""
    return next((folder for folder in path.parents if folder.suffix.upper() == ".SAFE"), None)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A user's regular expression for the time in a path.

    Raises:
        InvalidInputError: It is none, or does not name the year.
    """
    hint = r"For example: (?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InvalidInputError(f"pattern = {pattern!r}: {error}", hint) from error
    if "year" not in compiled.groupindex:
        raise InvalidInputError(f"pattern = {pattern!r} has no group `year`", hint)
    return compiled


@dataclass(frozen=True)
class Dating:
    """How the time of a file is told.

    Attributes:
        expressions: For the parts of its path.
        fallback: Time of a file that tells none.
        given: What the user says of a file, None where nothing; counts before all else.
        own: The user's expression, which counts before the others.
        required: Whether a file that tells none is refused; else it is read, its date "missing".
    """

    expressions: Sequence[re.Pattern[str]]
    fallback: datetime | None = None
    given: Callable[[Path], datetime | None] | None = None
    own: re.Pattern[str] | None = None
    required: bool = True


def time_of(path: Path, tags: Mapping[str, str], dating: Dating) -> Dated:
    """As given, else by the nearest part of the path with a date or a month, else by its tags.

    Raises:
        InvalidInputError: None holds one, there is no fallback, and one is required.
    """
    if dating.given is not None and (time := dating.given(path)) is not None:
        return Dated(time, "given")
    own = [] if dating.own is None else [dating.own]
    days = [e for e in dating.expressions if {"day", "ordinal"} & e.groupindex.keys()]
    for wanted in (own, days, [e for e in dating.expressions if e not in days]):
        for part in (path.stem, *(parent.name for parent in list(path.parents)[:3])):
            for expression in wanted:
                for found in expression.finditer(part):
                    time = _build(found.groupdict())
                    if time is not None:
                        return Dated(time, "name" if part == path.stem else "folder")
    for name in (
        "TIFFTAG_DATETIME",
        "ACQUISITION_DATE",
        "acquisition_date",
        "datetime",
        "DATETIME",
    ):
        text = tags.get(name, "").strip().replace("/", "-")
        for form in ("%Y:%m:%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"):
            try:
                return Dated(datetime.strptime(text, form).replace(tzinfo=UTC), "tags")
            except ValueError:
                continue
    if dating.fallback is not None:
        return Dated(dating.fallback, "default")
    if not dating.required:
        return Dated(NO_TIME, "missing")
    raise InvalidInputError(*NO_DATE)


def _build(parts: Mapping[str, str | None]) -> datetime | None:
    year = int(parts["year"] or 0)
    clock = [int(parts.get(name) or 0) for name in ("hour", "minute", "second")]
    try:
        if parts.get("ordinal"):
            day = datetime.strptime(f"{year} {parts['ordinal']}", "%Y %j").replace(tzinfo=UTC)
            return day.replace(hour=clock[0], minute=clock[1], second=clock[2])
        named = str(parts.get("month") or 1).lower()
        month = _MONTHS.index(named) + 1 if named in _MONTHS else int(named)
        day_ = int(parts.get("day") or 1)
        return datetime(year, month, day_, clock[0], clock[1], clock[2], tzinfo=UTC)
    except ValueError:
        return None


def properties_of(path: Path) -> Mapping[str, object]:
    """What the path of a product says: satellite, tile, orbit, baseline.

    Of Sentinel-2 also its product's metadata.
    """
    if landsat := _LANDSAT.fullmatch(path.stem):
        return {
            "platform": f"landsat-{landsat['satellite']}",
            "constellation": "landsat",
            "landsat:wrs_path": landsat["path"],
            "landsat:wrs_row": landsat["row"],
        }
    if hls := _HLS.fullmatch(path.stem):
        return {"grid:code": f"MGRS-{hls['tile']}"}
    found = _PRODUCT.search(str(path))
    if not found:
        return {}
    product = safe_folder(path)
    return {
        "platform": f"sentinel-2{found[1][-1].lower()}",
        "constellation": "sentinel-2",
        "s2:product_type": f"S2MSI{found[2][1:]}",
        "s2:processing_baseline": f"{found[4]}.{found[5]}",
        "sat:relative_orbit": int(found[6]),
        "grid:code": f"MGRS-{found[7]}",
        **({} if product is None else _metadata(product)),
    }


@lru_cache(maxsize=64)
def _metadata(product: Path) -> Mapping[str, object]:
    """Cloud cover and datatake by `MTD_MSIL2A.xml`; nothing where it is missing or damaged."""
    properties: dict[str, object] = {}
    for file in sorted(product.glob("MTD_MSI*.xml")):
        try:
            with file.open("rb") as read:
                text = read.read(_LARGEST).decode("utf-8", "replace")
        except OSError:
            continue
        # Two values out of many: no reason to build the tree.
        cover = re.search(r"<Cloud_Coverage_Assessment>\s*(\d+(?:\.\d+)?)\s*<", text)
        if cover and float(cover[1]) <= 100:
            properties["eo:cloud_cover"] = round(float(cover[1]), 3)
        if datatake := re.search(r"datatakeIdentifier=\"(\w[\w.]*)\"", text):
            properties["s2:datatake_id"] = datatake[1]
    return properties
