"""`%stac`: search catalogues and load cubes in one line."""

from __future__ import annotations

import argparse
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic import Magics, line_cell_magic, magics_class

from eolab.catalog import load, mask, open_source
from eolab.catalog.items.bands import common_names
from eolab.catalog.items.parsed import parse_item
from eolab.catalog.items.quality_masks import LAYERS
from eolab.catalog.query.query import item_time
from eolab.errors import EolabError, InvalidInputError, nearest
from eolab.magics.flags import VARIABLE, value_of, variables
from eolab.settings import config as configuration

if TYPE_CHECKING:
    from types import SimpleNamespace

    import pandas as pd
    import pystac
    import xarray as xr
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.catalog.areas.areas import Area

_USAGES = {
    "collections": "%stac collections [-c CATALOG]",
    "search": """%stac search [-c CATALOG] [COLLECTION ...] [--when 2021-04/2021-09] [--cloud 60]
             [--bbox W S E N | --area VARIABLE] [--filter CQL2] [--text WORDS]
             [--sort -eo:cloud_cover] [--limit 10] [--to NAME]
%%stac search ...                with a CQL2 filter below""",
    "items": "%stac items [same as search]      a table of what was found, without keeping it",
    "load": """%stac load NAME --bands red nir [--crs EPSG:32633] [--resolution 10] [--native]
           [--bbox W S E N | --area VARIABLE] [--mask cloud shadow] [--dilate 20] [--raw]
           [--to NAME]""",
}
_WORDS = ("search", "collections", "items", "load")
_USAGE = "\n".join(_USAGES.values())


def register(shell: InteractiveShell) -> None:
    """Make `%stac` known to a shell, with completion."""
    shell.register_magics(StacMagics)
    # The hook gets the shell as its first argument, whatever it is called.
    for key in ("%stac", "%%stac"):
        shell.set_hook("complete_command", complete, str_key=key)


_SEARCH = ("-c", "--when", "--bbox", "--area", "--cloud", "--filter", "--text", "--sort", "--limit")
_FLAGS = {
    "collections": ("-c",),
    "search": (*_SEARCH, "--to"),
    "items": _SEARCH,
    "load": (
        "--bands", "--crs", "--resolution", "--native", "--raw", "--bbox", "--area", "--mask",
        "--dilate", "--to",
    ),
}  # fmt: skip
# After these comes a value that nobody can guess, not another flag.
_VALUES = {
    "--when", "--bbox", "--cloud", "--filter", "--text", "--sort", "--limit", "--to", "--crs",
    "--resolution", "--dilate",
}  # fmt: skip


def complete(shell: InteractiveShell, event: SimpleNamespace) -> list[str]:
    """What may stand at the cursor: words, flags, catalogues, collections, variables, bands.

    Nothing is asked over the network for it.
    """
    words = event.line.split()[1:]
    given = words if event.line.endswith(" ") else words[:-1]
    try:
        offered = _offer(shell, given)
    except EolabError:  # a key was pressed, nothing was run: a faulty file is reported when it is
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
    if given[-1] in _VALUES:
        return []
    if given[-1] == "--area":
        return variables(shell.user_ns)
    last = next((word for word in reversed(given) if word.startswith("-")), "")
    if given[0] == "load":
        from pystac import ItemCollection

        known = {k: v for k, v in shell.user_ns.items() if isinstance(v, ItemCollection)}
        if len(given) == 1:
            return sorted(k for k in known if not k.startswith("_"))
        items = known.get(given[1])
        if last == "--bands" and items is not None and len(items):
            first = items[0]
            return [*dict.fromkeys(common_names(parse_item(first))), *flags]
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
    """The flags of one word."""

    def __init__(self, word: str) -> None:
        super().__init__(f"stac {word}", add_help=False)
        self.word = word

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(f"%{self.prog}: {message}", f"Usage:\n{_USAGES[self.word]}")

    def read(self, words: list[str]) -> argparse.Namespace:
        """The flags; a descending sort needs no equals sign."""
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] == "--sort" and word[:1] == "-" and word[:2] != "--":
                joined[-1] = f"--sort={word}"
            else:
                joined.append(word)
        options, unknown = self.parse_known_args(joined)
        if unknown:
            hint = nearest(unknown[0].partition("=")[0], _FLAGS[self.word], "flags")
            raise InvalidInputError(
                f"%{self.prog}: no flag {unknown[0]!r}"
                if unknown[0].startswith("-")
                else f"%{self.prog}: {unknown[0]!r} belongs to no flag",
                f"{hint}\nUsage:\n{_USAGES[self.word]}",
            )
        return options

    def add_area(self) -> None:
        self.add_argument("--bbox", nargs="+", help="west, south, east, north in degrees")
        self.add_argument("--area", metavar=VARIABLE)

    def bbox(self, given: list[str] | None) -> list[float] | None:
        """Four numbers, with blanks or commas between."""
        if given is None:
            return None
        parts = [part for part in ",".join(given).split(",") if part]
        try:
            west, south, east, north = (float(part) for part in parts)
        except ValueError:
            self.error(f"--bbox {' '.join(given)}: four numbers are wanted")
        return [west, south, east, north]


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
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise InvalidInputError(
                f"%stac: {error}", "Close the quote, or leave it out."
            ) from None
        if not words or words[0] in ("-h", "--help"):
            print(_USAGE)
            return None
        if words[0] not in _WORDS:
            raise InvalidInputError(f"%stac knows no {words[0]!r}", nearest(words[0], list(_WORDS)))
        if cell is not None and words[0] not in ("search", "items"):
            raise InvalidInputError(
                f"%%stac {words[0]} takes nothing below it", "Only a search does: a CQL2 filter."
            )
        result: pd.DataFrame | xr.Dataset = getattr(self, f"_{words[0]}")(words[1:], cell)
        return result

    def _collections(self, words: list[str], cell: str | None) -> pd.DataFrame:
        import pandas as pd

        del cell  # only searches take a filter
        parser = _Parser("collections")
        parser.add_argument("-c", "--catalog", default="sample")
        source = open_source(configuration.find(), parser.read(words).catalog)
        rows = [
            {"id": c.id, "title": c.title, "license": c.license, "description": c.description}
            for c in source.collections()
        ]
        self._tell_skipped(len(source.skipped))
        return pd.DataFrame(rows, columns=["id", "title", "license", "description"])

    def _search(self, words: list[str], cell: str | None) -> pd.DataFrame:
        found, name = self._find("search", words, cell)
        self._names()[name] = found
        print(f"{len(found)} items in `{name}`")
        return _table(found)

    def _items(self, words: list[str], cell: str | None) -> pd.DataFrame:
        return _table(self._find("items", words, cell)[0])

    def _find(
        self, word: str, words: list[str], cell: str | None
    ) -> tuple[pystac.ItemCollection, str]:
        parser = _Parser(word)
        parser.add_argument("collections", nargs="*")
        parser.add_argument("-c", "--catalog", default="sample")
        parser.add_argument("--when")
        parser.add_area()
        parser.add_argument("--cloud", type=float)
        parser.add_argument("--filter")
        parser.add_argument("--text")
        parser.add_argument("--sort")
        parser.add_argument("--limit", type=int)
        parser.add_argument("--to", default="items")
        asked = parser.read(words)
        _check_name(asked.to)
        below = (cell or "").strip()
        if below and asked.filter:
            raise InvalidInputError(
                "there are two filters: --filter and the cell", "Join them with AND."
            )
        source = open_source(configuration.find(), asked.catalog)
        with _print_warnings():
            found = source.search(
                asked.collections or None,
                datetime=asked.when,
                bbox=parser.bbox(asked.bbox),
                intersects=self._area(asked.area),
                max_cloud=asked.cloud,
                limit=asked.limit,
                filter=asked.filter or below or None,
                text=asked.text,
                sortby=asked.sort.split(",") if asked.sort else None,
            )
        self._tell_skipped(len(source.skipped))
        return found, asked.to

    def _load(self, words: list[str], cell: str | None) -> xr.Dataset:
        del cell
        parser = _Parser("load")
        parser.add_argument("items")
        parser.add_argument("--bands", nargs="+")
        parser.add_argument("--crs")
        parser.add_argument("--resolution", type=float)
        parser.add_argument("--native", action="store_true")
        parser.add_argument("--raw", action="store_true")
        parser.add_area()
        parser.add_argument("--mask", nargs="+")
        parser.add_argument("--dilate", type=float, default=0.0)
        parser.add_argument("--to", default="cube")
        asked = parser.read(words)
        _check_name(asked.to)
        if asked.items not in self._names():
            raise InvalidInputError(f"no variable {asked.items!r}", "Make it: `%stac search ...`.")
        if asked.dilate and not asked.mask:
            raise InvalidInputError(
                "--dilate without --mask", "Say what grows: --mask cloud shadow."
            )
        with _print_warnings():
            cube = load(
                self._names()[asked.items],
                bands=asked.bands,
                crs=asked.crs,
                resolution=asked.resolution,
                native=asked.native,
                raw=asked.raw,
                bbox=parser.bbox(asked.bbox),
                intersects=self._area(asked.area),
                mask=mask(asked.mask, dilate=asked.dilate) if asked.mask else None,
            )
        self._names()[asked.to] = cube
        return cube

    def _area(self, name: str | None) -> Area | None:
        area: Area | None = value_of(name, self._names(), "--area")  # type: ignore[assignment]
        return area

    def _names(self) -> dict[str, Any]:
        """The notebook's variables."""
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        return names

    @staticmethod
    def _tell_skipped(count: int) -> None:
        if count:
            print(f"{count} broken documents were skipped; `.skipped` of the catalogue lists them")


@contextmanager
def _print_warnings() -> Iterator[None]:
    """Show what is warned of as a line: the line of code would be IPython's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        print(text)


def _check_name(name: str) -> None:
    if not name.isidentifier():
        raise InvalidInputError(
            f"--to {name!r} is no name of a variable", "Use letters, digits and _."
        )


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
