"""What `ingest` will understand of files, before anything is written."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.catalog.ingestion.collection import (
    Times,
    dating_of,
    given_numbers,
    group_by_item,
    read_files,
)
from eolab.catalog.ingestion.collection_files import read_items
from eolab.catalog.ingestion.destination import destination
from eolab.catalog.ingestion.file_names import NO_DATE, DateOrigin, Raster
from eolab.catalog.ingestion.item_documents import (
    copy_name,
    is_copied,
    item_document,
    with_earlier,
)
from eolab.catalog.ingestion.raster_files import find_rasters
from eolab.catalog.ingestion.user_words import Bands, Numbers, UserWords
from eolab.catalog.items.parsed import GIVEN, Origin, parse_item
from eolab.catalog.items.radiometry import radiometry
from eolab.catalog.query.times import stamp
from eolab.catalog.sources.base import Skipped, Source
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from eolab.catalog.ingestion.answers import IngestPreviewJson, PreviewedFileJson

SHOWN = 200  # files
LOOKED_AT = 100_000  # entries of a folder
NAMED = 20  # items of a file that are named
FACTS = ("scale", "offset", "nodata")
NOWHERE = Path("/nowhere/to/be/found")
_FROM: Mapping[DateOrigin, str] = {
    "given": "given",
    "name": "file name",
    "folder": "folder name",
    "tags": "file's tags",
    "axis": "time axis",
    "default": "default given",
    "missing": "missing",
}
# What the item states is what the file said when it was described.
_ORIGINS: Mapping[Origin, str] = {
    "user": "user", "band": "file", "asset": "file", "item": "file", "file": "file",
    "rule": "rule", "none": "none",
}  # fmt: skip


@dataclass(frozen=True)
class PreviewedBand:
    """One band, and who says what of its numbers.

    Attributes:
        name: As it will be loaded.
        data_type: Of the stored numbers.
        scale: value = number * scale + offset.
        offset: Added after the factor.
        nodata: Stored number that means nothing; None where there is none.
        origins: Of scale, offset and nodata: "user", "file", "rule" (published for the product),
            or "none".
        rule: Which rule decided, for people.
    """

    name: str
    data_type: str
    scale: float
    offset: float
    nodata: float | None
    origins: Mapping[str, str]
    rule: str


@dataclass(frozen=True)
class PreviewedFile:
    """What one file will be.

    Attributes:
        path: The file or Zarr store.
        items: Ids of the items that it is part of, one a step of its time axis.
        times: Their first and last time, UTC; None where it has none.
        time_from: Where the time was found.
        bands: Its bands.
        crs: Code, or name of the reference system.
        resolution: Size of a pixel, in ``unit``; None where nothing can be used.
        unit: Of the resolution: "m", "°", or its name in the reference system ("US survey foot").
        known: Whether the collection holds its items already.
        skipped: Why it, or a part of it, is left out.
    """

    path: Path
    items: tuple[str, ...] = ()
    times: tuple[datetime, datetime] | None = None
    time_from: DateOrigin = "missing"
    bands: tuple[PreviewedBand, ...] = ()
    crs: str = ""
    resolution: float | None = None
    unit: str = ""
    known: bool = False
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class IngestPreview:
    """What `ingest` will make of files.

    Attributes:
        collection: Id of the collection; "" where none is named.
        folder: Where its documents go; None where none is named.
        files: What each file will be, of many the first.
        found: Rasters that were found.
        whole: Whether all entries of the folders were looked at.
        items: Ids of the items that come of the files shown.
        there: Ids of the items that the collection holds now.
        notes: Where files say something else than you, and what stays of earlier calls.

    Example:
        >>> cube.red.isel(time=0).odc.write_cog("field_20210520_red.tif").name
        'field_20210520_red.tif'
        >>> seen = eo.preview_ingest("field_20210520_red.tif", to="mine")
        >>> seen.items, seen.there, [file.time_from for file in seen.files]
        (('field_20210520',), (), ['name'])
    """

    collection: str
    folder: Path | None
    files: tuple[PreviewedFile, ...]
    found: int
    whole: bool = True
    items: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Files, and parts of files, that cannot be used, as `ingest` lists them.

        Example:
            >>> _ = Path("broken_20210520.tif").write_text("no raster")
            >>> [skipped.href for skipped in eo.preview_ingest("broken_20210520.tif").skipped]
            ['...broken_20210520.tif']
        """
        return tuple(
            Skipped(str(file.path), message) for file in self.files for message in file.skipped
        )

    def to_dataframe(self) -> pd.DataFrame:
        """The preview as a table, a row for each file.

        Example:
            >>> _ = cube.red.isel(time=0).odc.write_cog("field_20210520_red.tif")
            >>> table = eo.preview_ingest("field_20210520_red.tif").to_dataframe()
            >>> table.loc[0, ["file", "date", "date_from", "bands"]].tolist()
            ['field_20210520_red.tif', '2021-05-20', 'file name', 'red']
        """
        import pandas as pd

        return pd.DataFrame([_row(file) for file in self.files], columns=list(_HEADS))

    def __repr__(self) -> str:
        rows = [_HEADS, *(tuple(_row(file).values()) for file in self.files)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_HEADS))]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([self._summary(), *table, *(f"note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        def cells(tag: str, texts: Iterable[str]) -> str:
            style = "style='text-align:left;white-space:nowrap'"
            return "".join(f"<{tag} {style}>{escape(text)}</{tag}>" for text in texts)

        body = "".join(f"<tr>{cells('td', _row(file).values())}</tr>" for file in self.files)
        notes = "".join(f"<p>note: {escape(note)}</p>" for note in self.notes)
        return (
            f"<p>{escape(self._summary())}</p><div style='overflow-x:auto'><table><thead><tr>"
            f"{cells('th', _HEADS)}</tr></thead><tbody>{body}</tbody></table></div>{notes}"
        )

    def _summary(self) -> str:
        usable = sum(bool(file.items) for file in self.files)
        shown = f"{usable} of {len(self.files)} files can be used"
        if not self.whole or self.found > len(self.files):
            more = "" if self.whole else "more than "
            shown = f"first {len(self.files)} of {more}{self.found:,} files, {usable} can be used"
        new = len(set(self.items) - set(self.there))
        made = f"{len(self.items)} item{'' if len(self.items) == 1 else 's'}"
        if not self.collection:
            return f"<{shown}: {made}; nothing is written>"
        there = f", {len(self.items) - new} of them there already" if new < len(self.items) else ""
        holds = f"collection {self.collection!r} holds {len(self.there)}"
        return f"<{shown}: {made}{there}; {holds}; nothing is written>"

    def to_json(self) -> IngestPreviewJson:
        """The body of the panel's answer.

        Example:
            >>> _ = cube.red.isel(time=0).odc.write_cog("field_20210520_red.tif")
            >>> eo.preview_ingest("field_20210520_red.tif").to_json()["files"][0]["start"]
            '2021-05-20T00:00:00Z'
        """
        return {
            "collection": self.collection,
            "folder": "" if self.folder is None else str(self.folder),
            "files": [_file_json(file) for file in self.files],
            "found": self.found,
            "whole": self.whole,
            "items": len(self.items),
            "new": len(set(self.items) - set(self.there)),
            "there": len(self.there),
            "notes": list(self.notes),
        }


def preview_ingest(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    to: str | os.PathLike[str] | Source | None = None,
    collection: str | None = None,
    pattern: str | None = None,
    time: Times | None = None,
    bands: Bands | None = None,
    scale: Numbers | None = None,
    offset: Numbers | None = None,
    nodata: Numbers | None = None,
    limit: int = SHOWN,
    workspace: Path | None = None,
) -> IngestPreview:
    """Show what `ingest` will understand of files: nothing is written.

    Of each file its dates and where they were found, bands, reference system, pixel size, type,
    and scale, offset and nodata with who says so, as `load` will read them; or why it is left out.

    Args:
        files: A folder (searched through), or files.
        to: As in `ingest`; without it nothing is said of the collection.
        collection: Its id, by default the name.
        pattern: Regular expression for the time in a path.
        time: Of files that tell none, or of some files.
        bands: Names of the bands.
        scale: Your own factor.
        offset: Your own addend, in the values' unit.
        nodata: Your own stored number that means nothing.
        limit: At most so many files are opened; ``found`` counts all.
        workspace: Folder or `eolab.toml` of the workspace; by default the one that counts here.

    Raises:
        NotFoundError: There is no such folder or file, or no raster in it.
        InvalidInputError: What `ingest` would refuse: a bad pattern or id, a catalogue that it has
            not made, more or fewer names than a file has bands.
        ConflictError: The collection cannot be written where it is to lie.

    Example:
        >>> _ = cube.red.isel(time=0).odc.write_cog("Field 20.05.2021.tif")
        >>> eo.preview_ingest("Field 20.05.2021.tif", bands=["red"], scale=0.0001, nodata=0)
        <1 of 1 files can be used: 1 item; nothing is written>
        file                  date        date_from  bands  crs  ...
        Field 20.05.2021.tif  2021-05-20  file name  red    EPSG:...
    """
    if limit < 1:
        raise InvalidInputError(f"limit = {limit}", "Give how many files are shown, 1 or more.")
    target = None if to is None else destination(to, collection, workspace)
    if target is not None:
        target.check()
    home = NOWHERE if target is None else target.home
    listed = [files] if isinstance(files, str | os.PathLike) else list(files)
    found, whole = find_rasters(listed, most=LOOKED_AT)
    found = [path for path in found if home not in path.parents]
    dating = replace(dating_of(pattern, time, found), required=False)
    words = UserWords(bands, given_numbers(scale, offset, nodata), found)
    shown = found[:limit]
    rasters, skipped = read_files(shown, dating)
    rasters = words.apply(rasters, whole=whole and len(shown) == len(found))
    dated = [raster for raster in rasters if raster.time_from != "missing"]
    groups = group_by_item(home, dated, skipped)
    there = read_items(home)
    ids = {id(raster): name for name, members in groups.items() for raster in members}
    by_path: dict[Path, list[Raster]] = {path: [] for path in shown}
    for raster in rasters:
        if id(raster) in ids or raster.time_from == "missing":
            by_path[raster.path].append(raster)
    near = _Collection(ids, there, {})
    made = [_file(path, members, skipped, near) for path, members in by_path.items()]
    return IngestPreview(
        collection="" if target is None else target.collection,
        folder=None if target is None else target.home,
        files=tuple(made),
        found=len(found),
        whole=whole,
        items=tuple(sorted(groups)),
        there=tuple(sorted(there)),
        notes=(*words.notes, *near.kept),
    )


_HEADS = (
    "file", "date", "date_from", "bands", "crs", "pixel", "type", "nodata", "scale", "offset",
    "skipped",
)  # fmt: skip
_FINER = "a finer raster of the same band of its item is taken"


@dataclass(frozen=True)
class _Collection:
    """What a preview is compared with.

    Attributes:
        ids: Ids of the items by raster (its `id`).
        there: Documents of the items that the collection holds.
        kept: Gets a line for what stays of earlier calls.
    """

    ids: Mapping[int, str]
    there: Mapping[str, Mapping[str, object]]
    kept: dict[str, None]


def _file(path: Path, members: Sequence[Raster], skipped: Sequence[Skipped], near: _Collection
          ) -> PreviewedFile:  # fmt: skip
    messages = [one.message for one in skipped if one.href == str(path)]
    if not members:
        return PreviewedFile(path, skipped=tuple(messages or [_FINER]))
    dated = [raster for raster in members if raster.time_from != "missing"]
    undated = dict.fromkeys(r.name.asset for r in members if r.time_from == "missing")
    lead = [f"variable {asset!r}: " for asset in undated] if dated else [""] * bool(undated)
    messages += [f"{start}{NO_DATE[0]}. {NO_DATE[1]}" for start in lead]
    items = tuple(dict.fromkeys(near.ids[id(raster)] for raster in dated))
    first = members[0]
    crs, unit = _reference(first.crs)
    return PreviewedFile(
        path,
        items=items,
        times=(min(r.time for r in dated), max(r.time for r in dated)) if dated else None,
        time_from=dated[0].time_from if dated else "missing",
        bands=tuple(_bands(members, items[0] if items else first.name.item, near)),
        crs=crs,
        resolution=first.pixel,
        unit=unit,
        known=bool(items) and all(name in near.there for name in items),
        skipped=tuple(messages),
    )


def _bands(members: Sequence[Raster], name: str, near: _Collection) -> Iterable[PreviewedBand]:
    """The bands of a file, with the numbers as they will be read."""
    import pystac

    firsts = {raster.name.asset: raster for raster in reversed(members)}
    rasters, notes = with_earlier(list(reversed(firsts.values())), near.there.get(name, {}))
    near.kept.update(dict.fromkeys(notes))
    copies = {r.name.asset: Path(copy_name(r)) for r in rasters if is_copied(r)}
    document = item_document(name, rasters, collection="preview", copies=copies)
    parsed = parse_item(pystac.Item.from_dict(document))
    for raster in rasters:
        for number, band in enumerate(raster.bands, 1):
            layer = parsed.layer(raster.name.asset, number)
            rule = radiometry(parsed, layer)
            said = _words(band)
            yield PreviewedBand(
                name=str(band["name"]),
                data_type=str(band["data_type"]),
                scale=rule.scale,
                offset=rule.offset,
                nodata=rule.nodata,
                origins={
                    fact: "user" if fact in said else _ORIGINS[rule.origins.get(fact, "none")]
                    for fact in FACTS
                },
                rule=rule.rule,
            )


def _words(band: Mapping[str, object]) -> Sequence[object]:
    said = band.get(GIVEN)
    return said if isinstance(said, list) else []


def _reference(crs: str) -> tuple[str, str]:
    """A reference system as people call it, and its unit."""
    from pyproj import CRS

    system = CRS(crs)
    unit = system.axis_info[0].unit_name if system.axis_info else ""
    name = crs if re.fullmatch(r"[A-Z]+:\w+", crs) else system.name
    return name, {"metre": "m", "degree": "°"}.get(unit, f" {unit}" if unit else "").strip()


def _row(file: PreviewedFile) -> dict[str, str]:
    return {
        "file": file.path.name,
        "date": _dates(file),
        "date_from": _FROM[file.time_from] if file.bands else "",
        "bands": ", ".join(band.name for band in file.bands),
        "crs": file.crs,
        "pixel": "" if file.resolution is None else _size(file.resolution, file.unit),
        "type": _alike(file, lambda band: band.data_type),
        "nodata": _alike(file, lambda band: _said(band, "nodata")),
        "scale": _alike(file, lambda band: _said(band, "scale")),
        "offset": _alike(file, lambda band: _said(band, "offset")),
        "skipped": "; ".join(file.skipped),
    }


def _size(resolution: float, unit: str) -> str:
    return f"{resolution:.6g}{'' if unit == '°' else ' '}{unit}".strip()


def _dates(file: PreviewedFile) -> str:
    if file.times is None:
        return ""
    first, last = (
        f"{time:%Y-%m-%d}" if (time.hour, time.minute, time.second) == (0, 0, 0)
        else f"{time:%Y-%m-%d %H:%M}"
        for time in file.times
    )  # fmt: skip
    if len(file.items) <= 1:
        return first
    return f"{first} to {last} ({len(file.items)})"


def _said(band: PreviewedBand, fact: str) -> str:
    """A fact with who says it; "" for what nobody says."""
    origin = band.origins[fact]
    value = {"scale": band.scale, "offset": band.offset, "nodata": band.nodata}[fact]
    if origin == "none" or value is None:
        return ""
    # To be compared with what is stored: 4294967295 is not 4.29497e+09.
    return f"{value:.15g} ({origin})" if fact == "nodata" else f"{value:.6g} ({origin})"


def _alike(file: PreviewedFile, fact: Callable[[PreviewedBand], str]) -> str:
    """A fact of all bands, or band by band where they differ."""
    facts = {band.name: fact(band) for band in file.bands}
    if len(set(facts.values())) <= 1:
        return next(iter(facts.values()), "")
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value)


def _file_json(file: PreviewedFile) -> PreviewedFileJson:
    return {
        "path": str(file.path),
        "items": list(file.items[:NAMED]),
        "steps": len(file.items),
        "start": None if file.times is None else stamp(file.times[0]),
        "end": None if file.times is None else stamp(file.times[1]),
        "time_from": file.time_from,
        "bands": [
            {
                "name": band.name,
                "data_type": band.data_type,
                "scale": band.scale,
                "scale_from": band.origins["scale"],
                "offset": band.offset,
                "offset_from": band.origins["offset"],
                "nodata": "" if band.nodata is None else f"{band.nodata:.15g}",
                "nodata_from": band.origins["nodata"],
                "rule": band.rule,
            }
            for band in file.bands
        ],
        "crs": file.crs,
        "resolution": file.resolution,
        "unit": file.unit,
        "known": file.known,
        "skipped": list(file.skipped),
    }
