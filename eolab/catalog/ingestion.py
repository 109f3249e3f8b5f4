"""A user's own rasters as a STAC collection: GeoTIFF, netCDF variables, SAFE folders.

Each file becomes an item, or one asset of an item together with the files that differ only in
their band's name. The result is a static catalogue that any source opens.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.query import stamp
from eolab.catalog.sources import Skipped
from eolab.config import check_name
from eolab.errors import BadInput, NotFound
from eolab.progress import track

if TYPE_CHECKING:
    from rasterio import DatasetReader

FORMAT = 1
SUFFIXES = (".tif", ".tiff", ".jp2", ".nc", ".vrt", ".img")
# Dates as they stand in names: 20210324T101031, 2021-03-24, 2021083 (day of the year).
DATES = (
    r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)T(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)",
    r"(?P<year>\d{4})[-_.](?P<month>0[1-9]|1[0-2])[-_.](?P<day>[0-3]\d)",
    r"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?!\d)",
    r"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<ordinal>[0-3]\d{2})(?!\d)",
)
_BAND = re.compile(
    r"(?:^|[_.\-])(B\d{1,2}A?|SCL|CLM|CLP|QA_PIXEL|FMASK|VV|VH|NDVI|red|green|blue|nir|swir\d*)"
    r"(?:_\d+m)?$",
    re.IGNORECASE,
)
_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
]


@dataclass(frozen=True)
class Ingested:
    """What became of the files.

    Attributes:
        catalog: The collection's document.
        items: Ids of the items, in order.
        skipped: Files that could not be used.
        converted: Files written as Cloud-Optimized GeoTIFF in this call.
    """

    catalog: Path
    items: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    converted: int


@dataclass(frozen=True)
class _Raster:
    """One raster: a file or a variable of one."""

    path: Path
    address: str
    item: str
    asset: str
    crs: str
    transform: list[float]
    shape: list[int]
    bands: list[dict[str, object]]
    time: datetime
    properties: Mapping[str, object] = field(default_factory=dict)


def ingest(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    to: str | os.PathLike[str],
    collection: str,
    pattern: str | None = None,
    cog: bool = False,
    title: str = "",
    license: str = "other",
) -> Ingested:
    """Describe rasters as a STAC collection; a second call takes up what is new.

    Args:
        files: A folder (searched through), or files.
        to: Folder of the catalogue.
        collection: Its id.
        pattern: Regular expression for the time in a path, with groups year, month, day (or
            ordinal) and optionally hour, minute, second; by default common spellings, then the
            file's own tags.
        cog: Write copies as Cloud-Optimized GeoTIFF beside the items; else assets point to the
            files where they are (variables of netCDF files are always copied).
        title: For people.
        license: Of the data, as SPDX.

    Returns:
        The items made, and the files that were skipped: a bad file stops nothing.

    Raises:
        NotFound: There is no such folder or file, or no raster in it.
        BadInput: A bad pattern or id.
    """
    check_name(collection, "collection")
    found = _find(files)
    expressions = [_compile(pattern)] if pattern else [re.compile(p) for p in DATES]
    home = Path(to).expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    rasters: list[_Raster] = []
    skipped: list[Skipped] = []
    for path in track(found, "reading rasters"):
        if home in path.parents:
            continue  # copies that an earlier call wrote
        try:
            rasters += _read(path, expressions)
        except Exception as error:  # files can be broken in ways nobody listed
            skipped.append(Skipped(str(path), getattr(error, "message", None) or str(error)))
    groups: dict[str, list[_Raster]] = {}
    for raster in rasters:
        groups.setdefault(raster.item, []).append(raster)
    converted, documents = 0, []
    for name, members in track(sorted(groups.items()), "writing items"):
        try:
            document, written = _item(home, collection, name, members, cog=cog)
        except Exception as error:  # a full disk ends in the same list as a broken file
            skipped.append(Skipped(str(members[0].path), str(error)))
            continue
        documents.append(document)
        converted += written
    if not documents:
        raise NotFound(
            f"none of {len(found)} files could be used",
            f"The first: {skipped[0].href}: {skipped[0].message}" if skipped else "Name rasters.",
        )
    catalog = _collection(home, collection, documents, title, license)
    ids = tuple(str(document["id"]) for document in documents)
    return Ingested(catalog, ids, tuple(skipped), converted)


def _find(files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    listed = [files] if isinstance(files, str | os.PathLike) else list(files)
    found: list[Path] = []
    for entry in listed:
        path = Path(entry).expanduser().resolve()
        if path.is_dir():
            inner = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            # In a SAFE folder the quality and preview rasters are no bands.
            found += [p for p in inner if not {"QI_DATA", "AUX_DATA", "HTML"} & set(p.parts)]
        elif path.is_file():
            found.append(path)
        else:
            raise NotFound(f"{path} is not there", "Check the path.")
    if not found:
        raise NotFound("there is no raster", f"Looked for {', '.join(SUFFIXES)}.")
    return found


def _compile(pattern: str) -> re.Pattern[str]:
    hint = r"For example: (?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise BadInput(f"pattern = {pattern!r}: {error}", hint) from error
    if "year" not in compiled.groupindex:
        raise BadInput(f"pattern = {pattern!r} has no group `year`", hint)
    return compiled


def _read(path: Path, expressions: Sequence[re.Pattern[str]]) -> list[_Raster]:
    """The rasters of one file.

    Raises:
        BadInput: No reference system, no time.
    """
    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            # A container of several rasters (netCDF) names them; each is an asset.
            inner = [name for name in file.subdatasets if "bounds" not in name.lower()]
            if not inner:
                return [_describe(path, str(path), file, expressions)]
        made = []
        for address in inner:
            with rasterio.open(address) as file:
                if file.crs is not None and not file.transform.is_identity:
                    made.append(_describe(path, address, file, expressions))
    if not made:
        raise BadInput("none of its variables says where it lies", "Write its grid into the file.")
    return made


def _describe(
    path: Path, address: str, file: DatasetReader, expressions: Sequence[re.Pattern[str]]
) -> _Raster:
    if file.crs is None:
        raise BadInput("no reference system", "Write one into it: gdal_edit.py -a_srs EPSG:...")
    if file.transform.is_identity:
        raise BadInput("no position", "Write one into it: gdal_edit.py -a_ullr ...")
    stem = path.stem
    variable = address.rpartition(":")[2].strip('"') if address != str(path) else ""
    band = _BAND.search(stem)
    if variable:
        item, asset = stem, variable
    elif band:
        item, asset = stem[: band.start()] or path.parent.name, band[1]
    else:
        item, asset = stem, "data"
    bands = []
    for k in range(1, file.count + 1):
        name = file.descriptions[k - 1] or (asset if file.count == 1 else f"band{k}")
        entry: dict[str, object] = {"name": name, "data_type": file.dtypes[k - 1]}
        nodata = file.nodatavals[k - 1]
        if nodata is not None:
            entry["nodata"] = "nan" if nodata != nodata else nodata  # noqa: PLR0124
        if (file.scales[k - 1], file.offsets[k - 1]) != (1.0, 0.0):
            entry |= {"raster:scale": file.scales[k - 1], "raster:offset": file.offsets[k - 1]}
        bands.append(entry)
    return _Raster(
        path=path,
        address=address,
        item=re.sub(r"[^A-Za-z0-9_.-]", "_", item),
        asset=asset,
        crs=file.crs.to_string(),
        transform=list(file.transform)[:6],
        shape=list(file.shape),
        bands=bands,
        time=_time(path, file.tags(), expressions),
        properties=_platform(path),
    )


def _time(path: Path, tags: Mapping[str, str], expressions: Sequence[re.Pattern[str]]) -> datetime:
    """By the nearest part of the path that holds a date, else by the file's tags."""
    for part in (path.stem, *(parent.name for parent in list(path.parents)[:3])):
        for expression in expressions:
            for found in expression.finditer(part):
                time = _build(found.groupdict())
                if time is not None:
                    return time
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
                return datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise BadInput("no date in its name or tags", "Give pattern= with the groups year, month, day.")


def _build(parts: Mapping[str, str | None]) -> datetime | None:
    year = int(parts["year"] or 0)
    clock = [int(parts.get(name) or 0) for name in ("hour", "minute", "second")]
    try:
        if parts.get("ordinal"):
            day = datetime.strptime(f"{year} {parts['ordinal']}", "%Y %j").replace(tzinfo=UTC)
            return day.replace(hour=clock[0], minute=clock[1], second=clock[2])
        month, day_ = int(parts.get("month") or 1), int(parts.get("day") or 1)
        return datetime(year, month, day_, clock[0], clock[1], clock[2], tzinfo=UTC)
    except ValueError:
        return None


def _platform(path: Path) -> Mapping[str, object]:
    """What a Sentinel-2 name says: satellite, tile, orbit, baseline."""
    found = re.search(
        r"(S2[ABC])_MSI(L1C|L2A)_(\d{8}T\d{6})_N(\d{2})(\d{2})_R(\d{3})_T(\d{2}[A-Z]{3})", str(path)
    )
    if not found:
        return {}
    return {
        "platform": f"sentinel-2{found[1][-1].lower()}",
        "constellation": "sentinel-2",
        "s2:product_type": f"S2MSI{found[2][1:]}",
        "s2:processing_baseline": f"{found[4]}.{found[5]}",
        "sat:relative_orbit": int(found[6]),
        "grid:code": f"MGRS-{found[7]}",
    }


def _item(
    home: Path, collection: str, name: str, members: Sequence[_Raster], *, cog: bool
) -> tuple[dict[str, object], int]:
    """Write one item, and its copies where asked; returns the document and their number."""
    from affine import Affine
    from odc.geo.geobox import GeoBox

    folder = home / name
    folder.mkdir(exist_ok=True)
    assets: dict[str, object] = {}
    written = 0
    outline = None
    for raster in members:
        href = raster.address
        # A variable of a container has an address that only GDAL understands.
        copied = cog or raster.address != str(raster.path)
        if copied:
            target = folder / f"{raster.asset}.tif"
            written += _convert(raster, target)
            href = f"./{target.name}"
        grid = GeoBox((raster.shape[0], raster.shape[1]), Affine(*raster.transform), raster.crs)
        shape = grid.extent.to_crs("EPSG:4326", resolution=grid.extent.length / 40).geom
        outline = shape if outline is None else outline.union(shape)
        assets[raster.asset] = {
            "href": href,
            "type": "image/tiff; application=geotiff; profile=cloud-optimized"
            if copied
            else _media_type(raster.path),
            "roles": ["data"],
            "proj:code": raster.crs,
            "proj:shape": raster.shape,
            "proj:transform": raster.transform,
            "raster:spatial_resolution": abs(raster.transform[0]),
            "bands": raster.bands,
        }
    assert outline is not None
    first = members[0]
    document: dict[str, object] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": name,
        "collection": collection,
        "geometry": outline.__geo_interface__,
        "bbox": list(outline.bounds),
        "properties": {
            "datetime": stamp(first.time),
            "proj:code": first.crs,
            **first.properties,
        },
        "links": [
            {"rel": "root", "href": "../collection.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": assets,
    }
    _dump(folder / f"{name}.json", document)
    return document, written


def _media_type(path: Path) -> str:
    kinds = {".jp2": "image/jp2", ".nc": "application/netcdf", ".vrt": "application/xml"}
    return kinds.get(path.suffix.lower(), "image/tiff; application=geotiff")


def _convert(raster: _Raster, target: Path) -> int:
    """Copy to a Cloud-Optimized GeoTIFF unless an up-to-date copy is there; 1 if written."""
    import rasterio.shutil

    if target.exists() and target.stat().st_mtime >= raster.path.stat().st_mtime:
        return 0
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        rasterio.shutil.copy(raster.address, draft, driver="COG", compress="DEFLATE")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return 1


def _collection(
    home: Path, name: str, documents: Sequence[Mapping[str, object]], title: str, license: str
) -> Path:
    """Write the collection with all items that lie in the folder."""
    items: dict[str, Mapping[str, object]] = {}
    for path in sorted(home.glob("*/*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if body.get("type") == "Feature" and path.stem == path.parent.name:
            items[str(body["id"])] = body
    items |= {str(document["id"]): document for document in documents}
    boxes = [body["bbox"] for body in items.values() if isinstance(body.get("bbox"), list)]
    times = sorted(str(_properties(body)["datetime"]) for body in items.values())
    west, south, east, north = zip(*boxes, strict=True)
    _dump(
        home / "collection.json",
        {
            "type": "Collection",
            "stac_version": "1.1.0",
            "id": name,
            "title": title or name,
            "description": f"Rasters described by eolab, format {FORMAT}.",
            "license": license,
            "extent": {
                "spatial": {"bbox": [[min(west), min(south), max(east), max(north)]]},
                "temporal": {"interval": [[times[0], times[-1]]]},
            },
            "links": [
                {"rel": "root", "href": "./collection.json", "type": "application/json"},
                *(
                    {"rel": "item", "href": f"./{key}/{key}.json", "type": "application/geo+json"}
                    for key in sorted(items)
                ),
            ],
        },
    )
    return home / "collection.json"


def _properties(document: Mapping[str, object]) -> Mapping[str, object]:
    found = document.get("properties")
    return found if isinstance(found, Mapping) else {}


def _dump(path: Path, document: Mapping[str, object]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(json.dumps(document, indent=1), encoding="utf-8")
    draft.replace(path)
