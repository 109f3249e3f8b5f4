"""`%stac`: search catalogues and load cubes in one line."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic import Magics, line_cell_magic, magics_class

from eolab import config as configuration
from eolab.catalog import load, mask, open_source
from eolab.catalog.bands import bands_of, common_name
from eolab.catalog.masks import LAYERS
from eolab.catalog.query import item_time
from eolab.errors import BadInput, EolabError, nearest

if TYPE_CHECKING:
    from types import SimpleNamespace

    import pandas as pd
    import pystac
    import xarray as xr
    from IPython.core.interactiveshell import InteractiveShell

_WORDS = ("search", "collections", "items", "load")
_USAGE = """%stac collections [-c CATALOG]
%stac search [-c CATALOG] [COLLECTION ...] [--when 2021-04/2021-09] [--bbox W S E N] [--cloud 60]
             [--filter CQL2] [--text WORDS] [--sort=-eo:cloud_cover] [--limit 10] [--to NAME]
%%stac search ...                with a CQL2 filter below
%stac items [same as search]      a table of what was found, without keeping it
%stac load NAME --bands red nir [--crs EPSG:32633] [--resolution 10] [--native]
           [--mask cloud shadow] [--dilate 20] [--to NAME]"""


def register(shell: InteractiveShell) -> None:
    """Make `%stac` known to a shell, with completion."""
    shell.register_magics(StacMagics)
    # The hook gets the shell as its first argument, whatever it is called.
    for key in ("%stac", "%%stac"):
        shell.set_hook("complete_command", complete, str_key=key)  # type: ignore[no-untyped-call]


_FLAGS = {
    "collections": ("-c",),
    "search": (
        "-c", "--when", "--bbox", "--cloud", "--filter", "--text", "--sort", "--limit", "--to",
    ),
    "items": ("-c", "--when", "--bbox", "--cloud", "--filter", "--text", "--sort", "--limit"),
    "load": (
        "--bands", "--crs", "--resolution", "--native", "--mask", "--dilate", "--to",
    ),
}  # fmt: skip


def complete(shell: InteractiveShell, event: SimpleNamespace) -> list[str]:
    """What may stand at the cursor: words, flags, catalogues, collections, variables, bands.

    Nothing is asked over the network for it.
    """
    words = event.line.split()[1:]
    given = words if event.line.endswith(" ") else words[:-1]
    try:
        offered = _offer(shell, given)
    except EolabError:  # a key was pressed, nothing was run: a faulty file is told when it is
        return []
    typed = event.symbol
    return [text for text in offered if text.startswith(typed)]


def _offer(shell: InteractiveShell, given: list[str]) -> list[str]:
    if not given:
        return list(_WORDS)
    flags = [flag for flag in _FLAGS.get(given[0], ()) if flag not in given]
    catalogs = configuration.find().catalogs
    if given[-1] == "-c":
        return list(catalogs)
    last = next((word for word in reversed(given) if word.startswith("-")), "")
    if given[0] == "load":
        from pystac import ItemCollection

        known = {k: v for k, v in shell.user_ns.items() if isinstance(v, ItemCollection)}
        if len(given) == 1:
            return sorted(k for k in known if not k.startswith("_"))
        items = known.get(given[1])
        if last == "--bands" and items is not None and len(items):
            first = items[0]
            return [*dict.fromkeys(common_name(first, band) for band, _ in bands_of(first)), *flags]
        if last == "--mask":
            return [*sorted({kind for layer in LAYERS for kind in layer.kinds}), *flags]
        return flags
    if given[0] in ("search", "items") and (not last or last == "-c"):
        name = given[given.index("-c") + 1] if "-c" in given else "sample"
        entry = catalogs.get(name)
        if entry is not None and "://" not in entry.url:
            source = open_source(configuration.find(), name)
            return [*(c.id for c in source.collections()), *flags]
    return flags


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"%{self.prog}: {message}", f"Usage:\n{_USAGE}")


@magics_class
class StacMagics(Magics):
    """Search catalogues and load cubes in one line."""

    @line_cell_magic
    def stac(self, line: str, cell: str | None = None) -> pd.DataFrame | xr.Dataset | None:
        """Search catalogues and load cubes.

        `%stac search` keeps the items found in a variable (`items` unless `--to` names another)
        and shows them as a table; `%stac load items` makes a cube of them (`cube` unless `--to`).
        `%%stac search` takes a CQL2 filter as the cell's text.
        """
        words = shlex.split(line)
        if not words or words[0] in ("-h", "--help"):
            print(_USAGE)
            return None
        if words[0] not in _WORDS:
            raise BadInput(f"%stac knows no {words[0]!r}", nearest(words[0], list(_WORDS)))
        result: pd.DataFrame | xr.Dataset = getattr(self, f"_{words[0]}")(words[1:], cell)
        return result

    def _collections(self, words: list[str], cell: str | None) -> pd.DataFrame:
        import pandas as pd

        del cell  # only searches take a filter
        parser = _Parser("stac collections", add_help=False)
        parser.add_argument("-c", "--catalog", default="sample")
        source = open_source(configuration.find(), parser.parse_args(words).catalog)
        rows = [
            {"id": c.id, "title": c.title, "license": c.license, "description": c.description}
            for c in source.collections()
        ]
        self._tell_skipped(len(source.skipped))
        return pd.DataFrame(rows, columns=["id", "title", "license", "description"])

    def _search(self, words: list[str], cell: str | None) -> pd.DataFrame:
        found, name = self._find(words, cell)
        self._names()[name] = found
        print(f"{len(found)} items in `{name}`")
        return _table(found)

    def _items(self, words: list[str], cell: str | None) -> pd.DataFrame:
        return _table(self._find(words, cell)[0])

    def _find(self, words: list[str], cell: str | None) -> tuple[pystac.ItemCollection, str]:
        parser = _Parser("stac search", add_help=False)
        parser.add_argument("collections", nargs="*")
        parser.add_argument("-c", "--catalog", default="sample")
        parser.add_argument("--when")
        parser.add_argument("--bbox", nargs=4, type=float)
        parser.add_argument("--cloud", type=float)
        parser.add_argument("--filter")
        parser.add_argument("--text")
        parser.add_argument("--sort")
        parser.add_argument("--limit", type=int)
        parser.add_argument("--to", default="items")
        asked = parser.parse_args(words)
        source = open_source(configuration.find(), asked.catalog)
        found = source.search(
            asked.collections or None,
            datetime=asked.when,
            bbox=asked.bbox,
            max_cloud=asked.cloud,
            limit=asked.limit,
            filter=asked.filter or (cell.strip() if cell else None),
            text=asked.text,
            sortby=asked.sort.split(",") if asked.sort else None,
        )
        self._tell_skipped(len(source.skipped))
        return found, asked.to

    def _load(self, words: list[str], cell: str | None) -> xr.Dataset:
        del cell
        parser = _Parser("stac load", add_help=False)
        parser.add_argument("items")
        parser.add_argument("--bands", nargs="+")
        parser.add_argument("--crs")
        parser.add_argument("--resolution", type=float)
        parser.add_argument("--native", action="store_true")
        parser.add_argument("--mask", nargs="+")
        parser.add_argument("--dilate", type=float, default=0.0)
        parser.add_argument("--to", default="cube")
        asked = parser.parse_args(words)
        if asked.items not in self._names():
            raise BadInput(f"no variable {asked.items!r}", "Make it: `%stac search ...`.")
        cube = load(
            self._names()[asked.items],
            bands=asked.bands,
            crs=asked.crs,
            resolution=asked.resolution,
            native=asked.native,
            mask=mask(asked.mask, dilate=asked.dilate) if asked.mask else None,
        )
        self._names()[asked.to] = cube
        return cube

    def _names(self) -> dict[str, Any]:
        """The notebook's variables."""
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        return names

    @staticmethod
    def _tell_skipped(count: int) -> None:
        if count:
            print(f"{count} broken documents were skipped; `.skipped` of the catalogue lists them")


def _table(items: pystac.ItemCollection) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "id": [item.id for item in items],
            "collection": [item.collection_id for item in items],
            "datetime": pd.Series([item_time(item)[0] for item in items]),
            "cloud": [item.properties.get("eo:cloud_cover") for item in items],
            "platform": [item.properties.get("platform") for item in items],
        }
    )
