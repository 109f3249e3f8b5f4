"""A user's own rasters as a STAC collection: GeoTIFF, netCDF and Zarr variables, SAFE folders.

Each file becomes an item, or one asset of an item together with the files that differ only in
their band's name. The result is a static catalogue that any source opens.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from eolab.catalog.ingestion.collection_files import (
    read_items,
    safe_name,
    write_collection,
)
from eolab.catalog.ingestion.file_names import DATES, Dating, compile_pattern
from eolab.catalog.ingestion.raster import Raster
from eolab.catalog.ingestion.raster_files import find_rasters, read_rasters
from eolab.catalog.io.allowed_folders import is_inside, remember
from eolab.catalog.io.documents import is_remote
from eolab.catalog.query.times import Moment, parse_interval, stamp
from eolab.catalog.sources.base import Skipped, Source
from eolab.errors import EolabError, InvalidInputError, NotFoundError, nearest
from eolab.files import folders, writes
from eolab.progress import track
from eolab.settings.config import check_name

FORMAT = 1
Times: TypeAlias = Moment | Mapping[str, Moment] | Callable[[Path], Moment | None]
SHOWN = 20
CLASSES = 256  # kinds of numbers that a map of classes may have
FOLDER = "eolab:folder"  # field of an item: where its files were
_ABOUT = "Rasters described by eolab"
_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
]


@dataclass(frozen=True, repr=False)
class IngestResult:
    """What became of the files.

    Attributes:
        catalog: The collection's document.
        items: Ids of the items, in order.
        skipped: Files that could not be used.
        converted: Files written as Cloud-Optimized GeoTIFF in this call.
        total: Items that the collection holds now.

    Example:
        >>> cube.red.isel(time=0).odc.write_cog("field_20210520_red.tif").name
        'field_20210520_red.tif'
        >>> made = eo.ingest("field_20210520_red.tif", to="mine", collection="mine")
        >>> made.items, made.skipped
        (('field_20210520',), ())
    """

    catalog: Path
    items: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    converted: int
    total: int = 0

    def __repr__(self) -> str:
        names = self.items if len(self.items) <= SHOWN else (*self.items[:SHOWN], "...")
        more = f" of {self.total}" if self.total > len(self.items) else ""
        lines = [f"<{len(self.items)}{more} items in {self.catalog}>", *names]
        if self.skipped:
            lines.append(f"{len(self.skipped)} files skipped:")
            lines += [f"  {Path(s.href).name}: {s.message}" for s in self.skipped[:SHOWN]]
            lines += ["  ... (.skipped has all)"] if len(self.skipped) > SHOWN else []
        return "\n  ".join(lines)


def ingest(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    to: str | os.PathLike[str] | Source,
    collection: str | None = None,
    pattern: str | None = None,
    time: Times | None = None,
    cog: bool = False,
    title: str | None = None,
    license: str | None = None,
    workspace: Path | None = None,
) -> IngestResult:
    """Describe rasters as a STAC collection; a second call takes up what is new.

    Of a band in several pixel sizes (SAFE folders) the finest is taken. Files of one name in
    several folders are several items.

    Args:
        files: A folder (searched through), or files.
        to: Folder of the catalogue, or a catalogue that an earlier call has made.
        collection: Its id; a catalogue that was made keeps its own, and its title and
            license unless they are given.
        pattern: Regular expression for the time in a path, with groups year, month, day (or
            ordinal) and optionally hour, minute, second; where it does not match, and by default,
            common spellings, then the file's own tags. Time axes of netCDF and Zarr count before.
        time: Of files that tell none (an elevation model), such as "2021-05-17". Or of some files,
            before all that they say: by file name, ``{"a.tif": "2021-05-17"}`` (without the suffix
            too), or a function that gets the path and returns a time, or None for the usual ways.
        cog: Write copies as Cloud-Optimized GeoTIFF beside the items; else assets point to the
            files where they are (variables of netCDF and Zarr are always copied).
        title: For people; by default the id.
        license: Of the data, as SPDX; by default "other".
        workspace: Folder of the workspace that is to read the files where they are; by default
            the one that counts here.

    Returns:
        The items made, and the files that were skipped: a bad file stops nothing. What an
        interrupted call has written is not done again.

    Raises:
        NotFoundError: There is no such folder or file, or no raster in it.
        InvalidInputError: A bad pattern or id; a catalogue that `ingest` has not made.

    Example:
        >>> for name in ("red", "nir"):
        ...     _ = cube[name].isel(time=0).odc.write_cog(f"field_20210520_{name}.tif")
        >>> made = eo.ingest(["field_20210520_red.tif"], to="mine", collection="mine")
        >>> own = ws.catalog(str(made.catalog))
        >>> made = eo.ingest(["field_20210520_red.tif", "field_20210520_nir.tif"], to=own)
        >>> list(eo.load(own.search(), native=True))
        ['red', 'nir']
    """
    about: dict[str, str] = {}
    if isinstance(to, Source):
        home, about = _home_of(to)
        if collection not in (None, about["id"]):
            raise InvalidInputError(
                f"the catalogue's collection is {about['id']!r}, not {collection!r}",
                "Leave collection= out.",
            )
        collection = about["id"]
        workspace = to.workspace if workspace is None else workspace
    else:
        home = Path(to).expanduser().resolve()
    if collection is None:
        raise InvalidInputError("the collection has no id", "Give one: collection=NAME.")
    check_name(collection, "collection")
    listed = [files] if isinstance(files, str | os.PathLike) else list(files)
    found = find_rasters(listed)
    dating = _dating(pattern, time, found)
    folders.make(home)
    rasters: list[Raster] = []
    skipped: list[Skipped] = []
    for path in track(found, "reading rasters"):
        if home in path.parents:
            continue  # copies that an earlier call wrote
        try:
            unused: list[str] = []
            rasters += read_rasters(path, dating, unused)
            skipped += [Skipped(str(path), line) for line in unused]
        except EolabError as error:
            skipped.append(Skipped(str(path), f"{error.message}. {error.hint}".strip()))
        except Exception as error:  # files can be broken in ways nobody listed
            skipped.append(Skipped(str(path), str(error)))
    groups = _groups(home, rasters, skipped)
    converted, documents = 0, []
    for name, members in track(sorted(groups.items()), "writing items"):
        try:
            document, written = _item(home, collection, name, members, cog=cog)
        except Exception as error:  # a full disk ends in the same list as a broken file
            skipped += [Skipped(str(raster.path), str(error)) for raster in members]
            continue
        documents.append(document)
        converted += written
    if not documents:
        raise NotFoundError(
            f"none of {len(found)} files could be used",
            f"The first: {skipped[0].href}: {skipped[0].message}" if skipped else "Name rasters.",
        )
    catalog = write_collection(
        home,
        collection,
        title=title or about.get("title", ""),
        license=license or about.get("license", "other"),
        description=f"{_ABOUT}, format {FORMAT}.",
    )
    remember(workspace, _outside(listed, home, documents))
    ids = tuple(str(document["id"]) for document in documents)
    return IngestResult(catalog, ids, tuple(skipped), converted, len(read_items(home)))


def _dating(pattern: str | None, time: Times | None, found: Sequence[Path]) -> Dating:
    """How the files are dated.

    Raises:
        InvalidInputError: A time that is none, or of a file that is not there.
    """
    expressions = [re.compile(p) for p in DATES]
    own = compile_pattern(pattern) if pattern else None
    if time is None or isinstance(time, str | date | np.datetime64):
        fallback = None if time is None else parse_interval(time)[0]
        return Dating(expressions, fallback, own=own)
    if isinstance(time, Mapping):
        times = {str(name): parse_interval(value)[0] for name, value in time.items()}
        known = {text for path in found for text in (path.name, path.stem, str(path))}
        for name in times:
            if name not in known:
                raise InvalidInputError(
                    f"time: there is no file {name!r}",
                    nearest(name, [path.name for path in found], "files"),
                )

        def of_name(path: Path) -> datetime | None:
            texts = (str(path), path.name, path.stem)
            return next((times[text] for text in texts if text in times), None)

        return Dating(expressions, given=of_name, own=own)
    if not callable(time):
        raise InvalidInputError(
            f"time = {time!r}", "Give a time, a dict by file name, or a function of the path."
        )
    asked = time

    def of_path(path: Path) -> datetime | None:
        return parse_interval(asked(path))[0]

    return Dating(expressions, given=of_path, own=own)


def _home_of(source: Source) -> tuple[Path, dict[str, str]]:
    """Folder, id, title and license of a catalogue that `ingest` has made.

    Raises:
        InvalidInputError: A catalogue of another kind.
    """
    path = Path(source.url)
    home = path if path.is_dir() else path.parent
    try:
        document = json.loads((home / "collection.json").read_text(encoding="utf-8"))
        ours = str(document["description"]).startswith(_ABOUT) and path.name != "catalog.json"
        about = {key: str(document[key]) for key in ("id", "title", "license")}
    except (OSError, ValueError, KeyError, TypeError):
        ours, about = False, {}
    if is_remote(source.url) or not ours:
        raise InvalidInputError(
            f"catalogue {source.name!r} was not made by `ingest`",
            "Make one: eolab.ingest(files, to=FOLDER, collection=NAME).",
        )
    return home, about


Source.ingester = staticmethod(ingest)


def _groups(
    home: Path, rasters: Sequence[Raster], skipped: list[Skipped]
) -> dict[str, list[Raster]]:
    """Rasters by the id of their item; what takes another's place is listed as skipped."""
    gathered: dict[tuple[Path, str], dict[str, Raster]] = {}
    for raster in rasters:
        members = gathered.setdefault((raster.name.folder, raster.name.item), {})
        other = members.get(raster.name.asset)
        if other is not None and other.pixel == raster.pixel:
            message = f"{other.path.name} is asset {raster.name.asset!r} of this item already"
            skipped.append(Skipped(str(raster.path), message))
        elif other is None or raster.pixel < other.pixel:
            members[raster.name.asset] = raster
    owners = _owners(home)
    groups: dict[str, list[Raster]] = {}
    for (folder, item), members in gathered.items():
        # The same name in another folder is another scene.
        for text in (item, f"{folder.name}_{item}", f"{folder}_{item}"):
            name = safe_name(text)
            if owners.setdefault(name, folder) == folder:
                groups[name] = list(members.values())
                break
    return groups


def _owners(home: Path) -> dict[str, Path]:
    """From which folders the items come that an earlier call wrote, as long as these are there."""
    folders = {name: document.get(FOLDER) for name, document in read_items(home).items()}
    paths = {name: Path(folder) for name, folder in folders.items() if isinstance(folder, str)}
    return {name: path for name, path in paths.items() if path.is_dir()}


def _outside(
    listed: Sequence[str | os.PathLike[str]], home: Path, documents: Sequence[dict[str, Any]]
) -> list[Path]:
    """Folders of the user's in which items point to files."""
    hrefs = [
        Path(asset["href"])
        for document in documents
        for asset in document["assets"].values()
        if Path(asset["href"]).is_absolute()
    ]
    folders = []
    for entry in listed:
        path = Path(entry).expanduser().resolve()
        folder = path if path.is_dir() else path.parent
        if not is_inside(folder, [home]) and any(is_inside(href, [folder]) for href in hrefs):
            folders.append(folder)
    return list(dict.fromkeys(folders))


def _item(
    home: Path, collection: str, name: str, members: Sequence[Raster], *, cog: bool
) -> tuple[dict[str, object], int]:
    """Write one item, and its copies where asked; returns the document and their number."""
    from affine import Affine
    from odc.geo.geobox import GeoBox

    folder = home / name
    folder.mkdir(exist_ok=True)
    writes.sweep_drafts(folder)
    assets: dict[str, object] = {}
    written = 0
    outline = None
    for raster in members:
        href = raster.address
        # A variable of a container has an address that only GDAL understands.
        copied = cog or raster.write is not None or raster.address != str(raster.path)
        if copied:
            target = folder / f"{safe_name(raster.name.asset)}.tif"
            written += _convert(raster, target)
            href = f"./{target.name}"
        grid = GeoBox((raster.shape[0], raster.shape[1]), Affine(*raster.transform), raster.crs)
        shape = grid.extent.to_crs("EPSG:4326", resolution=grid.extent.length / 40).geom
        outline = shape if outline is None else outline.union(shape)
        assets[raster.name.asset] = {
            "href": href,
            "type": "image/tiff; application=geotiff; profile=cloud-optimized"
            if copied
            else _media_type(raster.path),
            # In a SAFE folder the picture in true colour lies among the bands.
            "roles": ["visual"] if raster.name.asset == "TCI" else ["data"],
            **_projection(raster.crs),
            "proj:shape": raster.shape,
            "proj:transform": raster.transform,
            "raster:spatial_resolution": raster.pixel,
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
            **_projection(first.crs),
            **first.properties,
        },
        "links": [
            {"rel": "root", "href": "../collection.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": assets,
        FOLDER: str(first.name.folder),
    }
    writes.write_json(folder / f"{name}.json", document, nan=True)
    return document, written


def _projection(crs: str) -> dict[str, object]:
    """A reference system as the projection extension states it."""
    if re.fullmatch(r"[A-Z]+:\w+", crs):
        return {"proj:code": crs}
    return {"proj:code": None, "proj:wkt2": crs}


def _media_type(path: Path) -> str:
    kinds = {".jp2": "image/jp2", ".nc": "application/netcdf", ".vrt": "application/xml"}
    return kinds.get(path.suffix.lower(), "image/tiff; application=geotiff")


def _convert(raster: Raster, target: Path) -> int:
    """Copy to a Cloud-Optimized GeoTIFF unless an up-to-date copy is there; 1 if written."""
    import rasterio.shutil

    if target.exists() and target.stat().st_mtime >= raster.path.stat().st_mtime:
        return 0
    with writes.draft(target) as draft:
        plain = draft.with_name(f"{draft.name}.tif")
        try:
            if raster.write is not None:
                raster.write(plain)
            source = raster.address if raster.write is None else plain
            rasterio.shutil.copy(
                source,
                draft,
                driver="COG",
                compress="DEFLATE",
                overview_resampling=_overviews(str(source)),
            )
        finally:
            plain.unlink(missing_ok=True)
    return 1


def _overviews(address: str) -> str:
    """How the overviews of a raster are made: of classes and bit masks only by picking pixels.

    Whole numbers of few kinds are taken for classes: an average of two would be a third one.
    """
    import rasterio

    with rasterio.open(address) as file:
        if any(np.dtype(kind).kind not in "iub" for kind in file.dtypes):
            return "AVERAGE"
        size = [min(side, CLASSES) for side in file.shape]
        values = file.read(out_shape=(file.count, *size))  # picks pixels, where no overview is
        kinds = max(len(np.unique(band)) for band in values)
    return "NEAREST" if kinds <= CLASSES else "AVERAGE"
