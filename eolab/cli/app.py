"""`eolab`: the command line. Thin: it parses, calls the library and prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

from eolab.cli.options import add_workspace
from eolab.errors import EolabError, InvalidInputError


class IngestWords(TypedDict):
    """What a user says of files, as `ingest` and its preview take it."""

    bands: list[str] | None
    scale: float | None
    offset: float | None
    nodata: float | None
    collection: str | None
    pattern: str | None
    time: str | None
    workspace: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; expected errors end with status 1 and two lines, not with a traceback."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except EolabError as error:
        from eolab.errors import write_log

        write_log(error)
        print(f"eolab: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"Hint: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("eolab: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eolab", description="AI on Earth Observation data, inside JupyterLab"
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    parser.set_defaults(run=_version_or_help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    lab = commands.add_parser("lab", help="open JupyterLab on the sample region")
    lab.add_argument("notebook", nargs="?", help="the notebook to open")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    lab.add_argument("--port", type=int, help="port to listen on (default: 8888 or the next free)")
    lab.set_defaults(run=_lab)

    init = commands.add_parser("init", help="write an eolab.toml")
    init.add_argument("folder", nargs="?", default=".", type=Path)
    init.set_defaults(run=_init)

    sample = commands.add_parser("sample", help="make the simulated sample region")
    sample.add_argument("--seed", type=int, default=0)
    sample.add_argument("--force", action="store_true", help="make it again if it is there")
    add_workspace(sample)
    sample.set_defaults(run=_sample)

    ingest = commands.add_parser("ingest", help="describe your rasters as a STAC collection")
    ingest.add_argument("files", nargs="+", type=Path, metavar="FOLDER|FILE")
    ingest.add_argument(
        "--to", help="a name: the workspace then has the catalogue; or a folder (default: the id)"
    )
    ingest.add_argument("--collection", help="its id (default: the name)")
    ingest.add_argument("--dry-run", action="store_true", help="only show what is understood")
    ingest.add_argument("--pattern", help="regular expression for the date in a path")
    ingest.add_argument("--time", help="of files that tell none, such as 2021-05-17")
    ingest.add_argument("--bands", help="names of the bands of each file, such as red,nir")
    for word in ("scale", "offset", "nodata"):
        ingest.add_argument(f"--{word}", type=float, help="your own, before what files say")
    ingest.add_argument("--cog", action="store_true", help="write Cloud-Optimized copies")
    add_workspace(ingest)
    ingest.set_defaults(run=_ingest)

    download = commands.add_parser(
        "download", help="save files of scenes, resumed where broken off"
    )
    download.add_argument("catalog", help="its name in eolab.toml, URL, folder or .parquet file")
    download.add_argument("items", nargs="+", metavar="ITEM", help="ids of items")
    download.add_argument("--collection", help="of the items")
    download.add_argument("--assets", nargs="+", metavar="KEY", help="default: those with the data")
    download.add_argument("--to", type=Path, help="folder (default: [workspace] downloads)")
    add_workspace(download)
    download.set_defaults(run=_download)

    from eolab.demo.command import add_parser as add_demo

    add_demo(commands)

    from eolab.cli.studies import add_parser as add_studies

    add_studies(commands)

    from eolab.cli.tidying import add_parser as add_tidying

    add_tidying(commands)
    return parser


def _version_or_help(
    parser: argparse.ArgumentParser,
) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        if options.version:
            from eolab import __version__

            print(__version__)
        else:
            parser.print_help()
        return 0

    return run


def _init(options: argparse.Namespace) -> int:
    from eolab.settings import config

    made = config.init(options.folder)
    print(f"{made.file} names the workspace {made.root}")
    return 0


def _sample(options: argparse.Namespace) -> int:
    from eolab.catalog.simulate.write import write_sample
    from eolab.facade import workspace

    ws = workspace(options.workspace)
    if (ws.config.sample / "sample.json").exists() and not options.force:
        print(f"The sample region is there: {ws.config.sample}")
        return 0
    info = write_sample(ws.config.sample, seed=options.seed)
    print(
        f"A simulated region (not real data): {info.items} scenes, {info.parcels} parcels, "
        f"{info.megabytes} MB in {info.folder}"
    )
    return 0


def _ingest(options: argparse.Namespace) -> int:
    from eolab.catalog import ingest, preview_ingest
    from eolab.facade import workspace

    if options.to is None and options.collection is None and not options.dry_run:
        raise InvalidInputError(
            "the collection has no name", "Give one: --to NAME; --dry-run only looks."
        )
    ws = workspace(options.workspace)
    words: IngestWords = {
        "bands": [name.strip() for name in options.bands.split(",")] if options.bands else None,
        "scale": options.scale,
        "offset": options.offset,
        "nodata": options.nodata,
        "collection": options.collection,
        "pattern": options.pattern,
        "time": options.time,
        "workspace": ws.root,
    }
    to = options.to or options.collection
    if options.dry_run:
        print(preview_ingest(options.files, to=to, **words))
        return 0
    made = ingest(options.files, to=to, cog=options.cog, **words)
    for skipped in made.skipped:
        print(f"skipped {skipped.href}: {skipped.message}", file=sys.stderr)
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{len(made.items)} items in {made.catalog}, which holds {made.total}")
    if made.name:
        print(f"The workspace knows it as {made.name!r}: ws.catalog({made.name!r})")
    return 0


def _download(options: argparse.Namespace) -> int:
    from eolab.catalog import download
    from eolab.facade import workspace

    ws = workspace(options.workspace)
    collections = [options.collection] if options.collection else None
    items = ws.catalog(options.catalog).search(collections, ids=options.items)
    done = download(items, options.to or ws.config.downloads, assets=options.assets)
    for file in done.failed:
        print(f"{file.item} {file.asset}: {file.message}", file=sys.stderr)
    print(f"{len(done.files) - len(done.failed)} files in {done.folder}")
    return 1 if done.failed else 0


def _lab(options: argparse.Namespace) -> int:
    from eolab.lab import start

    return start(notebook=options.notebook, browser=not options.no_browser, port=options.port)


if __name__ == "__main__":
    sys.exit(main())
