"""Files of items into a folder, which then is a catalogue of its own that needs no network."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from eolab import progress
from eolab.catalog.cube.checks import check_items
from eolab.catalog.downloads.transfer import Stopped, fetch_file
from eolab.catalog.ingestion.collection_files import safe_name, write_collection
from eolab.catalog.io.allowed_folders import OUTSIDE, outside_error
from eolab.catalog.io.cancellation import Line
from eolab.catalog.io.item_logins import FIELD, login_of
from eolab.catalog.io.rasters import DOWNLOADED, Readers
from eolab.catalog.items.bands import find_band, has_band
from eolab.catalog.items.parsed import ParsedItem
from eolab.catalog.items.side_masks import mask_asset
from eolab.errors import ConfigError, EolabError, InvalidInputError, nearest
from eolab.files import writes
from eolab.settings import config as configuration
from eolab.settings.limits import Limits, in_force

if TYPE_CHECKING:
    import pystac

AT_ONCE = 4
PATIENCE = 2.0  # seconds for transfers to end when they are broken off


@dataclass
class File:
    """One file on its way.

    Attributes:
        item: Id of its item.
        collection: Id of its collection.
        asset: Key of the asset.
        path: Where it goes.
        state: "waiting", "running", "done", "there" (it was before), "failed".
        done: Bytes that came.
        total: Bytes in all; None where nobody said.
        message: Why it failed.
    """

    item: str
    collection: str
    asset: str
    path: Path
    state: str = "waiting"
    done: int = 0
    total: int | None = None
    message: str = ""


@dataclass(frozen=True)
class DownloadResult:
    """What a download has brought.

    Attributes:
        folder: Where everything lies.
        catalogs: Catalogues in it, one a collection: `ws.catalog(path)` searches one.
        files: All files, with what failed.

    Example:
        >>> done = eo.download(items[0], ws.root / "here", assets=["B04"])
        >>> [file.state for file in done.files], done.failed
        (['done'], [])
    """

    folder: Path
    catalogs: tuple[Path, ...]
    files: tuple[File, ...] = field(repr=False)

    @property
    def failed(self) -> list[File]:
        """Files that could not be had."""
        return [file for file in self.files if file.state == "failed"]


def download(
    items: Iterable[pystac.Item] | pystac.Item,
    to: str | Path | None = None,
    *,
    assets: Sequence[str] | str | None = None,
    watch: Callable[[Sequence[File]], None] | None = None,
    stop: threading.Event | None = None,
) -> DownloadResult:
    """Save files of items as FOLDER/COLLECTION/ITEM/FILE, with items that point to them.

    A file stands under its name only when it is whole; what came of one that broke off is gone on
    with by the same call again. Files that are there are not fetched again.

    Args:
        items: From a search.
        to: Folder; by default the workspace's (``[workspace] downloads`` in `eolab.toml`).
        assets: Keys of assets or names of bands; by default those whose role is
            "data", all where none says so.
        watch: Called now and then with all files.
        stop: Ends the download when it is set.

    Returns:
        Where they are, and which failed: one that cannot be had stops no other.

    Raises:
        InvalidInputError: No items, or an asset that none has.
        Stopped: ``stop`` was set.

    Example:
        >>> done = eo.download(items[:1], ws.root / "here", assets=["red", "SCL"])
        >>> sorted(file.path.name for file in done.files)
        ['B04.tif', 'SCL.tif']
        >>> len(ws.catalog(str(done.catalogs[0])).search())  # a catalogue of its own
        1
    """
    parsed = check_items(items)
    listed = [item.item for item in parsed]
    home = _home(to)
    work = [(item.item, file) for item in parsed for file in _files(home, item, assets)]
    files = [file for _, file in work]
    if not files:
        for item in listed:
            if (outside := outside_error(item)) is not None:
                raise outside
        known = sorted({key for item in listed for key in item.assets})
        wanted = [assets] if isinstance(assets, str) else list(assets or [])
        raise InvalidInputError(
            f"no item has an asset {wanted[0]!r}" if wanted else "there is nothing to download",
            nearest(wanted[0], known, "assets") if wanted and known else "Search for items first.",
        )
    line = Line(_limits())
    bar = progress.start(f"downloading {len(files)} files") if watch is None else None

    def tell() -> None:
        if watch is not None:
            watch(files)
        elif bar is not None:
            done, total = megabytes(files)
            bar.update(round(done), round(total), "MB")

    try:
        with Readers(AT_ONCE) as pool:
            running = [pool.submit(_bring, item, file, line) for item, file in work]
            try:
                while wait(running, timeout=0.2).not_done:
                    tell()
                    if stop is not None and stop.is_set():
                        raise Stopped
                for future in running:
                    future.result()
            except BaseException:
                line.cut()
                pool.shutdown(wait=False, cancel_futures=True)
                wait(running, timeout=PATIENCE)
                raise
            finally:
                tell()
        catalogs = _describe(home, listed, files)
    finally:
        if bar is not None:
            bar.close()
    return DownloadResult(home, catalogs, tuple(files))


def megabytes(files: Sequence[File]) -> tuple[float, float]:
    """What came, and all; files of unknown size count as far as they came."""
    done = sum(file.done for file in files)
    total = sum(max(file.done, file.total or 0) for file in files)
    return done / 1e6, total / 1e6


def default_assets(item: pystac.Item) -> list[str]:
    """Keys of the assets that hold the data: by their role, else all."""
    data = [key for key, asset in item.assets.items() if "data" in (asset.roles or [])]
    return data or list(item.assets)


def _limits() -> Limits:
    """Those of the workspace that counts here; a folder that is named needs none."""
    try:
        return in_force(configuration.find().limits)
    except ConfigError:
        return in_force()


def _home(to: str | Path | None) -> Path:
    if to is None:
        return configuration.find().downloads
    return Path(to).expanduser().resolve()


def _files(home: Path, parsed: ParsedItem, assets: Sequence[str] | str | None) -> list[File]:
    item = parsed.item
    if assets is None:
        wanted = default_assets(item)
    else:
        asked = [assets] if isinstance(assets, str) else list(assets)
        found_keys = [_key_of(parsed, name) for name in asked]
        wanted = list(dict.fromkeys(key for key in found_keys if key is not None))
    collection = item.collection_id or "items"
    masks = [mask_asset(parsed, item.assets[key].href) for key in wanted]
    wanted = list(dict.fromkeys([*wanted, *(key for key in masks if key is not None)]))
    folder = home / safe_name(collection) / safe_name(item.id)
    names: dict[str, str] = {}
    for key in wanted:
        name = _file_name(item.assets[key].href, key)
        # Files of several folders may have one name.
        names[key] = name if name not in names.values() else f"{safe_name(key)}-{name}"
    found = []
    for key, name in names.items():
        size = item.assets[key].extra_fields.get("file:size")
        total = size if isinstance(size, int) and size > 0 else None
        found.append(File(item.id, collection, key, folder / name, total=total))
    return found


def _key_of(item: ParsedItem, name: str) -> str | None:
    """The asset of a key, or the one that holds a band of this name."""
    if name in item.item.assets:
        return name
    return find_band(item, name).asset if has_band(item, name) else None


def _file_name(href: str, key: str) -> str:
    """The last part of an address; the asset's key where that says nothing."""
    try:
        path = urlsplit(href).path if "://" in href else href
    except ValueError:  # no address, which the transfer says
        path = ""
    last = unquote(path).rstrip("/").rsplit("/", 1)[-1]
    return safe_name(last if "." in last.strip(".") else key)


def _bring(item: pystac.Item, file: File, line: Line) -> None:
    if line.is_cut():
        raise Stopped
    if file.path.exists():
        file.state, file.done = "there", file.path.stat().st_size
        file.total = file.done
        return
    asset = item.assets[file.asset]
    checksum = asset.extra_fields.get("file:checksum")

    def report(done: int, total: int | None) -> None:
        file.done, file.total = done, file.total if total is None else total

    file.state = "running"
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        (file.path.parent / DOWNLOADED).touch()
        file.done = file.total = fetch_file(
            asset.href,
            file.path,
            login=login_of(item),
            checksum=checksum if isinstance(checksum, str) else "",
            web_page=(asset.media_type or "").startswith("text/html"),
            report=report,
            line=line,
        )
        _refuse_list(file.path)
        file.state = "done"
    except EolabError as error:
        file.state, file.message = "failed", f"{error.message} {error.hint}".strip()
    except Stopped:
        file.state = "waiting"
        raise
    except OSError as error:
        file.state, file.message = "failed", str(error)


def _refuse_list(path: Path) -> None:
    """Refuse a VRT: what it lists does not come with it, and may lie anywhere on this machine.

    Raises:
        InvalidInputError: It is one; it is gone.
    """
    with path.open("rb") as file:
        if b"<VRTDataset" not in file.read(4096):
            return
    path.unlink()
    raise InvalidInputError(
        f"{path.name} is a list of other files (a VRT), which do not come with it",
        "Download the files that it lists.",
    )


def _describe(home: Path, items: Sequence[pystac.Item], files: Sequence[File]) -> tuple[Path, ...]:
    """Write the items with the addresses of what lies here, and their collections."""
    here: dict[tuple[str, str], dict[str, Path]] = {}
    for file in files:
        if file.state in ("done", "there"):
            here.setdefault((file.collection, file.item), {})[file.asset] = file.path
    folders: dict[str, Path] = {}
    for item in items:
        collection = item.collection_id or "items"
        paths = here.get((collection, item.id))
        if not paths:
            continue
        folders[collection] = home / safe_name(collection)
        name = safe_name(item.id)
        document = home / safe_name(collection) / name / f"{name}.json"
        local = _local(item, collection, paths, _known(document))
        writes.write_json(document, local, nan=True)  # as others state it
    return tuple(
        write_collection(folder, name, title="", license="other", description="Downloaded scenes.")
        for name, folder in sorted(folders.items())
    )


def _known(document: Path) -> Mapping[str, object]:
    """Assets that an earlier download brought, as long as their files lie there."""
    try:
        assets = json.loads(document.read_text(encoding="utf-8"))["assets"]
        return {k: a for k, a in assets.items() if (document.parent / a["href"]).exists()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _local(
    item: pystac.Item, collection: str, paths: Mapping[str, Path], known: Mapping[str, object]
) -> dict[str, object]:
    """An item whose files lie beside it; assets that were not fetched are left out."""
    document = copy.deepcopy(item.to_dict(include_self_link=False, transform_hrefs=False))
    for field_of_ours in (FIELD, OUTSIDE):
        document.pop(field_of_ours, None)
    link = {"rel": "collection", "href": "../collection.json", "type": "application/json"}
    document |= {"collection": collection, "links": [link]}
    here = {
        key: {**asset, "href": f"./{paths[key].name}"}
        for key, asset in document["assets"].items()
        if key in paths
    }
    document["assets"] = {**known, **here}
    return document
