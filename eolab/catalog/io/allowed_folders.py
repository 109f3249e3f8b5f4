"""Which files of this machine the documents of a catalogue may name.

Those of a local catalogue: files inside its own folder, inside the workspace, and inside the
folders that the user named: `[workspace] roots` in `eolab.toml`, and those whose rasters were
described by `ingest` (see `eolab.settings.roots`). Those of a remote one: none.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac

OUTSIDE = "eolab:outside"  # field of an item: assets that were left out, with their files


def may_open(href: str, allowed: tuple[str, ...]) -> bool:
    """Whether a document on this machine may name this.

    Links inside the folders are the user's own and are followed.

    Args:
        href: An absolute address or path.
        allowed: From `prefixes`.
    """
    if href.startswith(("https://", "http://", "s3://")):
        return True
    return all(os.path.normpath(f).startswith(allowed) for f in local_files(href))


_PREFIX = re.compile(r"^[A-Za-z][A-Za-z0-9_+.-]*:")
_FAR = tuple(f"/vsi{kind}/" for kind in ("curl", "curl_streaming", "s3", "gs", "az", "adls", "oss"))


def local_files(href: str) -> list[str]:
    """Files of this machine that GDAL opens for an address; empty where it is one elsewhere.

    Of GDAL's own forms the file is the part that is a path: "/vsizip//data/a.zip/b.tif",
    'NETCDF:"/data/a.nc":ndvi'.
    """
    if href.startswith(_FAR) or href.partition("?")[0].startswith(("http://", "https://")):
        return []
    if href.lower().startswith("file:"):
        return [unquote(urlsplit(href).path)]
    if href.startswith("/vsi"):
        inner = href.split("/", 2)[2].lstrip("{").rstrip("}")
        return local_files(inner if "://" in inner or inner.startswith("/") else f"/{inner}")
    if driver := _PREFIX.match(href):
        rest = href[driver.end() :]
        if rest.startswith("//") and driver[0].lower() != "vrt:":
            return []  # s3://, gs://
        parts = re.findall(r'"([^"]+)"', rest) or [rest.removeprefix("//")]
        return [file for part in parts for file in local_files(part)]
    return [href]


def outside_error(item: pystac.Item) -> InvalidInputError | None:
    """Why an item lacks assets, if that is because their files may not be named; else None."""
    found = item.extra_fields.get(OUTSIDE)
    if not isinstance(found, dict) or not found:
        return None
    key, href = next(iter(found.items()))
    folder = str(Path(str(href)).parent)
    return InvalidInputError(
        f"asset {key!r} of item {item.id} is {href}, outside of its catalogue's folder",
        f"If you trust the catalogue: roots = [{json.dumps(folder)}] below [workspace] in "
        "eolab.toml.",
    )
