"""A user's own rasters as a STAC collection: GeoTIFF, netCDF and Zarr variables, SAFE folders.

Each file becomes an item, or one asset of an item together with the files that differ only in
their band's name. The result is a static catalogue that any source opens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, cast

import numpy as np

from eolab.catalog.ingestion.collection_files import name_items, read_items, write_collection
from eolab.catalog.ingestion.destination import ABOUT, destination
from eolab.catalog.ingestion.file_names import DATES, Dating, Raster, compile_pattern
from eolab.catalog.ingestion.item_documents import (
    assets_of,
    copy_name,
    is_copied,
    item_document,
    with_earlier,
)
from eolab.catalog.ingestion.raster_files import find_rasters, read_rasters
from eolab.catalog.ingestion.user_words import Bands, Numbers, UserWords
from eolab.catalog.items.parsed import CATEGORIES, CLASS_FIELDS, GIVEN
from eolab.catalog.query.times import Moment, parse_interval, stamp
from eolab.catalog.sources.base import Skipped, Source
from eolab.errors import EolabError, InvalidInputError, NotFoundError, nearest
from eolab.files import disk, folders, writes
from eolab.progress import track
from eolab.records.ingests import check_words
from eolab.settings.roots import is_inside, remember
from eolab.user_warnings import warn

FORMAT = 1
Times: TypeAlias = Moment | Mapping[str, Moment] | Callable[[Path], Moment | None]
SHOWN = 20
CLASSES = 256  # kinds of numbers that a map of classes may have
_COPY, _COPIES = "EOLAB_COPY", 2  # tag of copies: how they were made
_ONE_LOOK = timedelta(minutes=10)  # bands of one item are seen within
_ONE_DAY = timedelta(days=1)  # as the tags of files have it: mostly when they were written


class FileWords(TypedDict, total=False):
    """What a request says of files, as `ingest` and its preview take it."""

    collection: str
    pattern: str
    time: Times
    bands: Bands
    scale: Numbers
    offset: Numbers
    nodata: Numbers


@dataclass(frozen=True, repr=False)
class IngestResult:
    """What became of the files.

    Attributes:
        catalog: The collection's document.
        items: Ids of the items, in order.
        skipped: Files that could not be used.
        converted: Files written as Cloud-Optimized GeoTIFF in this call.
        total: Items that the collection holds now.
        notes: Where files say something else than you, and what stays of earlier calls.
        name: By which the workspace knows the catalogue, ``ws.catalog(name)``; "" for a folder
            that has none.

    Example:
        >>> cube.red.isel(time=0).odc.write_cog("field_20210520_red.tif").name
        'field_20210520_red.tif'
        >>> made = eo.ingest("field_20210520_red.tif", to="mine")
        >>> made.items, made.skipped, made.total
        (('field_20210520',), (), 1)
    """

    catalog: Path
    items: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    converted: int
    total: int = 0
    notes: tuple[str, ...] = ()
    name: str = ""

    def __repr__(self) -> str:
        names = self.items if len(self.items) <= SHOWN else (*self.items[:SHOWN], "...")
        more = f" of {self.total}" if self.total > len(self.items) else ""
        lines = [f"<{len(self.items)}{more} items in {self.catalog}>", *names]
        if self.skipped:
            lines.append(f"{len(self.skipped)} files skipped:")
            lines += [f"  {Path(s.href).name}: {s.message}" for s in self.skipped[:SHOWN]]
            lines += ["  ... (.skipped has all)"] if len(self.skipped) > SHOWN else []
        lines += [f"note: {note}" for note in self.notes[:SHOWN]]
        lines += ["... (.notes has all)"] if len(self.notes) > SHOWN else []
        if self.name:
            lines.append(f"the workspace's catalogue {self.name!r}: ws.catalog({self.name!r})")
        return "\n  ".join(lines)


def ingest(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    to: str | os.PathLike[str] | Source,
    collection: str | None = None,
    pattern: str | None = None,
    time: Times | None = None,
    bands: Bands | None = None,
    scale: Numbers | None = None,
    offset: Numbers | None = None,
    nodata: Numbers | None = None,
    cog: bool = False,
    title: str | None = None,
    license: str | None = None,
    workspace: Path | None = None,
) -> IngestResult:
    """Describe rasters as a STAC collection; a second call takes up what is new.

    Of a band in several pixel sizes (SAFE folders) the finest is taken. Files of one name in
    several folders are several items. An item has one time: a band of another one is skipped.

    Args:
        files: A folder (searched through), or files.
        to: A plain name: the catalogue lies in the workspace, stands in the panel and opens by
            ``ws.catalog(name)``. Or its folder (also a plain name where no `eolab.toml` counts),
            or a catalogue that an earlier call has made.
        collection: Its id, by default the name; a catalogue that was made keeps its own, and its
            title and license unless they are given.
        pattern: Regular expression for the time in a path, with groups year, month, day (or
            ordinal) and optionally hour, minute, second; where it does not match, and by default,
            common spellings, then the file's own tags. Time axes of netCDF and Zarr count before.
        time: Of files that tell none (an elevation model), such as "2021-05-17". Or of some files,
            before all that they say: by file name, ``{"a.tif": "2021-05-17"}`` (without the suffix
            too), or a function that gets the path and returns a time, or None for the usual ways.
        bands: Names of the bands, in the order of each file: ``["blue", "green", "red"]``. Or
            by file (name, with or without suffix, or a pattern), other files keep theirs:
            ``{"drone_*": ["red", "nir"], "dem.tif": "height"}``. Or new names for bands, as in
            `load`: ``{"red": "band3"}``.
        scale: Your own factor, for all or by band or file: ``{"red": 0.0001}``,
            ``{"drone_*": 0.0001}``. It counts before what files and tables of products say,
            wherever the items are read; without ``offset`` nothing is added.
        offset: Your own addend, in the values' unit: value = number * scale + offset.
        nodata: Your own stored number that means nothing.
        cog: Write copies as Cloud-Optimized GeoTIFF beside the items; else assets point to the
            files where they are (variables of netCDF and Zarr are always copied).
        title: For people; by default the id.
        license: Of the data, as SPDX; by default "other".
        workspace: Folder or `eolab.toml` of the workspace that is to read the files where they
            are; by default the one that counts here.

    Returns:
        The items made, and the files that were skipped: a bad file stops nothing. What an
        interrupted call has written is not done again. What you said of a file in an earlier call
        stays, as do the other bands of an item, until you say otherwise.

    Raises:
        NotFoundError: There is no such folder or file, or no raster in it.
        InvalidInputError: A bad pattern or id; a catalogue that `ingest` has not made; more or
            fewer names than a file has bands. Nothing is written then.
        ConflictError: The collection cannot be written where it is to lie.

    Warns:
        UserWarning: A file says another scale, offset or nodata than you: yours counts.

    Example:
        >>> for name in ("red", "nir"):
        ...     _ = cube[name].isel(time=0).odc.write_cog(f"field_20210520_{name}.tif")
        >>> made = eo.ingest("field_20210520_red.tif", to="mine")
        >>> own = ws.catalog("mine")
        >>> made = eo.ingest("field_20210520_nir.tif", to=own, nodata={"nir": 0})
        >>> sorted(eo.load(own.search(), native=True))
        ['nir', 'red']
    """
    target = destination(to, collection, workspace)
    target.check()
    home, collection = target.home, target.collection
    listed = [files] if isinstance(files, str | os.PathLike) else list(files)
    found, _ = find_rasters(listed)
    found = [path for path in found if home not in path.parents]  # but copies of an earlier call
    dating = dating_of(pattern, time, found)
    words = UserWords(bands, given_numbers(scale, offset, nodata), found)
    rasters, skipped = read_files(found, dating)
    rasters = words.apply(rasters)
    if words.notes:
        _warn_of(list(words.notes))
    folders.make(home)
    groups = group_by_item(home, rasters, skipped)
    rights = license or target.about.get("license", "other")
    changed = cache(_changed)
    converted, documents, notes = 0, [], list(words.notes)
    for name, members in track(sorted(groups.items()), "writing items"):
        try:
            document, written, kept = _item(
                home, collection, name, members, cog=cog, license=rights, changed=changed
            )
        except Exception as error:  # a full disk ends in the same list as a broken file
            skipped += [Skipped(str(raster.path), str(error)) for raster in members]
            continue
        documents.append(document)
        converted += written
        notes += kept
    if not documents:
        with disk.translate_errors("nothing was ingested", home):
            disk.check_room(home)
        raise NotFoundError(
            f"none of {len(found)} files could be used",
            f"The first: {skipped[0].href}: {skipped[0].message}" if skipped else "Name rasters.",
        )
    with disk.translate_errors(f"the collection {collection!r} cannot be written", home):
        catalog = write_collection(
            home,
            collection,
            title=title or target.about.get("title", ""),
            license=rights,
            description=f"{ABOUT}, format {FORMAT}.",
        )
        remember(target.workspace, _outside(listed, home, documents))
        target.register()
    ids = tuple(str(document["id"]) for document in documents)
    total = len(read_items(home))
    return IngestResult(catalog, ids, tuple(skipped), converted, total, tuple(notes), target.name)


def words_of(said: Mapping[str, object]) -> FileWords:
    """What a request says of files; `ingest` itself checks what each word is.

    Raises:
        InvalidInputError: A word that there is not.
    """
    return cast("FileWords", check_words(said))


def read_files(files: Sequence[Path], dating: Dating) -> tuple[list[Raster], list[Skipped]]:
    """The rasters of many files, and what cannot be used of them: a bad file stops nothing.

    Args:
        files: Files and Zarr stores.
        dating: How their times are told.
    """
    rasters: list[Raster] = []
    skipped: list[Skipped] = []
    for path in track(files, "reading rasters"):
        try:
            unused: list[str] = []
            rasters += read_rasters(path, dating, unused)
            skipped += [Skipped(str(path), line) for line in unused]
        except EolabError as error:
            skipped.append(Skipped(str(path), f"{error.message}. {error.hint}".strip()))
        except Exception as error:  # files can be broken in ways nobody listed
            # GDAL begins with the path, which stands beside it.
            skipped.append(Skipped(str(path), str(error).removeprefix(f"'{path}' ")))
    return rasters, skipped


def given_numbers(
    scale: Numbers | None, offset: Numbers | None, nodata: Numbers | None
) -> dict[str, Numbers]:
    """What was said of scale, offset and nodata, without what was not."""
    said = {"scale": scale, "offset": offset, "nodata": nodata}
    return {word: value for word, value in said.items() if value is not None}


def _warn_of(notes: Sequence[str]) -> None:
    more = f" And {len(notes) - 1} more: see the result's notes." if len(notes) > 1 else ""
    warn(f"{notes[0]}. Yours counts.{more}", UserWarning)


def dating_of(pattern: str | None, time: Times | None, found: Sequence[Path]) -> Dating:
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


Source.ingester = staticmethod(ingest)


def group_by_item(
    home: Path, rasters: Sequence[Raster], skipped: list[Skipped]
) -> dict[str, list[Raster]]:
    """Rasters by the id of their item; what takes another's place is listed as skipped.

    So is what was seen at another time than the item's first: an item has one.
    """
    gathered: dict[tuple[Path, str], dict[str, Raster]] = {}
    for raster in rasters:
        members = gathered.setdefault((raster.name.folder, raster.name.item), {})
        other = members.get(raster.name.asset)
        first = next(iter(members.values()), raster)
        near = _ONE_DAY if {first.time_from, raster.time_from} == {"tags"} else _ONE_LOOK
        if abs(raster.time - first.time) >= near:
            message = (
                f"it is of {stamp(raster.time)}, {first.path.name} of the same item"
                f" {raster.name.item!r} of {stamp(first.time)}: an item has one time. Say the time"
                " of both (time=), or give their files names that differ in more than the band."
            )
            skipped.append(Skipped(str(raster.path), message))
            continue
        if other is not None and other.pixel == raster.pixel:
            message = f"{other.path.name} is asset {raster.name.asset!r} of this item already"
            skipped.append(Skipped(str(raster.path), message))
        elif other is None or raster.pixel < other.pixel:
            members[raster.name.asset] = raster
    named = name_items(home, list(gathered))
    return {named[key]: list(members.values()) for key, members in gathered.items()}


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
    home: Path,
    collection: str,
    name: str,
    members: Sequence[Raster],
    *,
    cog: bool,
    license: str,
    changed: Callable[[Path], float],
) -> tuple[dict[str, object], int, list[str]]:
    """Write one item, and its copies where asked.

    Returns:
        The document, the number of copies, and what stays of an earlier call.
    """
    folder = home / name
    folder.mkdir(exist_ok=True)
    writes.sweep_drafts(folder)
    before = read_items(home, name).get(name, {})
    members, kept = with_earlier(members, before)
    copies = {raster.name.asset: folder / copy_name(raster) for raster in members
              if cog or is_copied(raster)}  # fmt: skip
    written = sum(
        _convert(raster, copies[raster.name.asset], changed(raster.path))
        for raster in members
        if raster.name.asset in copies
    )
    document = item_document(
        name, members, collection=collection, license=license, copies=copies,
        before=before, folder=folder,
    )  # fmt: skip
    if left_out := sorted(set(assets_of(before)) - set(assets_of(document))):
        kept.append(
            f"item {name}: {', '.join(left_out)} of an earlier call left out: of another time, or"
            " the file is gone"
        )
    writes.write_json(folder / f"{name}.json", document, nan=True)
    return document, written, kept


def _changed(path: Path) -> float:
    """When a file was changed, or a Zarr store, whose folder does not show that chunks are new."""
    times = [path.stat().st_mtime]
    if path.is_dir():
        times += [entry.stat().st_mtime for entry in path.rglob("*")]
    return max(times)


def _convert(raster: Raster, target: Path, changed: float) -> int:
    """Copy to a Cloud-Optimized GeoTIFF unless an up-to-date copy is there; 1 if written."""
    import rasterio.shutil

    given = _given_nodata(raster)
    if target.exists() and target.stat().st_mtime >= changed:
        with rasterio.open(target) as copy:
            # Earlier versions took numbers beyond the limits, and some no-data ones, for values.
            current = raster.write is None or copy.tags().get(_COPY) == str(_COPIES)
            if current and (given is None or str(copy.nodata) == str(given)):
                return 0
    with writes.draft(target) as draft:
        plain = draft.with_name(f"{draft.name}.tif")
        try:
            if raster.write is not None:
                raster.write(plain, given)
            elif given is not None:
                rasterio.shutil.copy(raster.address, plain, driver="GTiff")
            if plain.exists():
                with rasterio.open(plain, "r+") as file:
                    file.update_tags(**{_COPY: str(_COPIES)})
                    if given is not None:
                        # Else the averages of the overviews hold numbers that mean nothing.
                        file.nodata = given
            source = plain if plain.exists() else raster.address
            rasterio.shutil.copy(
                source,
                draft,
                driver="COG",
                compress="DEFLATE",
                overview_resampling=_overviews(str(source), raster),
            )
        finally:
            plain.unlink(missing_ok=True)
    return 1


def _given_nodata(raster: Raster) -> float | None:
    """The user's nodata of all bands, where it is one that the file can hold."""
    said = [band.get("nodata") for band in raster.bands if "nodata" in str(band.get(GIVEN))]
    if len(said) < len(raster.bands) or len(set(map(str, said))) > 1:
        return None
    number, kind = float(str(said[0])), np.dtype(str(raster.bands[0]["data_type"]))
    if kind.kind in "iu":
        info = np.iinfo(kind)
        fits = number == np.floor(number) and info.min <= number <= info.max
        return number if fits else None
    return number


def _overviews(address: str, raster: Raster) -> str:
    """How the overviews of a raster are made: of classes and bit masks only by picking pixels.

    Whole numbers of few kinds are taken for classes: an average of two would be a third one.
    """
    import rasterio

    names = {raster.name.asset.lower(), *(str(band["name"]).lower() for band in raster.bands)}
    if names & CATEGORIES or any(CLASS_FIELDS & band.keys() for band in raster.bands):
        return "NEAREST"
    with rasterio.open(address) as file:
        if any(np.dtype(kind).kind not in "iub" for kind in file.dtypes):
            return "AVERAGE"
        size = [min(side, CLASSES) for side in file.shape]
        values = file.read(out_shape=(file.count, *size))  # picks pixels, where no overview is
        kinds = max(len(np.unique(band)) for band in values)
    return "NEAREST" if kinds <= CLASSES else "AVERAGE"
