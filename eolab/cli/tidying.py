"""`eolab delete|rename|archive|restore|bin`: tidying up from a terminal."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from eolab.cli.options import add_json, add_workspace
from eolab.records.deleted import DAYS, KINDS

if TYPE_CHECKING:
    from eolab.cli.options import Commands
    from eolab.facade import Workspace
    from eolab.records.lineage import Ref

_NAME = 'name or title; "spectra/1", "season/1#2" and "crops/1" name a version'


def add_parser(commands: Commands) -> None:
    """Add the commands to the parser of `eolab`."""
    for name, help_text, run in (
        ("delete", f"move something to the bin, for {DAYS} days", run_delete),
        ("rename", "give something a title; its name stays", run_rename),
        ("archive", "leave something out of lists", run_archive),
        ("restore", "bring back what was deleted or archived", run_restore),
        ("bin", "what was deleted and archived", run_bin),
    ):
        parser = commands.add_parser(name, help=help_text)
        add_workspace(parser)
        add_json(parser)
        if name != "bin":
            parser.add_argument("kind", choices=KINDS, help="what it is")
            parser.add_argument("name", help=_NAME)
        if name == "rename":
            parser.add_argument("title", help="what it is called from now on")
        if name == "delete":
            parser.add_argument(
                "--cascade", action="store_true", help="delete what cannot be read without it, too"
            )
        parser.set_defaults(run=run)


def run_delete(options: argparse.Namespace) -> int:
    """Move a thing to the bin, after what hangs on it has been told."""
    ws, ref = _found(options)
    hang = ws.dependents(ref)
    entry = ws.delete(ref, cascade=options.cascade)
    if options.json:
        print(json.dumps({"kind": entry.kind, "id": entry.name, "entry": entry.id}))
        return 0
    for other in hang.made:
        print(f"{other.kind} {other.id} was made from it and stays")
    for other in hang.broken:
        print(f"{other.kind} {other.id}: deleted with it; restore it after it")
    undo = f"eolab restore {ref.kind} {ref.id}"
    print(f"{ref.kind} {ref.id}: deleted; for {DAYS} days `{undo}` undoes it")
    return 0


def run_rename(options: argparse.Namespace) -> int:
    """Give a thing a title."""
    ws, ref = _found(options)
    ws.rename(ref, options.title)
    return _say(options, ref, f"is called {options.title!r} now; {ref.id} opens it, too")


def run_archive(options: argparse.Namespace) -> int:
    """Put a thing away."""
    ws, ref = _found(options)
    ws.archive(ref)
    return _say(options, ref, f"archived; `eolab restore {ref.kind} {ref.id}` undoes it")


def run_restore(options: argparse.Namespace) -> int:
    """Bring a thing back."""
    ws = _workspace(options)
    return _say(options, ws.restore(f"{options.kind} {options.name}"), "restored")


def run_bin(options: argparse.Namespace) -> int:
    """Print what was deleted, the latest first, and what was archived."""
    ws = _workspace(options)
    entries, away = ws.deleted(), ws.archived()
    if options.json:
        rows = [
            {
                "entry": entry.id,
                "kind": entry.kind,
                "name": entry.name,
                "title": entry.title,
                "deleted": entry.deleted.timestamp(),
            }
            for entry in entries
        ]
        archived = [{"kind": ref.kind, "id": ref.id} for ref in away]
        print(json.dumps({"deleted": rows, "archived": archived}))
        return 0
    if not entries and not away:
        print("The bin is empty, and nothing is archived.")
    for entry in entries:
        title = f"  {entry.title}" if entry.title else ""
        print(f"{entry.deleted:%Y-%m-%d %H:%M}  {entry.kind:<8} {entry.name}{title}")
    for ref in away:
        print(f"{'archived':<16}  {ref.kind:<8} {ref.id}")
    return 0


def _workspace(options: argparse.Namespace) -> Workspace:
    from eolab.facade import workspace

    return workspace(options.workspace)


def _found(options: argparse.Namespace) -> tuple[Workspace, Ref]:
    from eolab.tidying import ref_of

    ws = _workspace(options)
    return ws, ref_of(ws.config, f"{options.kind} {options.name}")


def _say(options: argparse.Namespace, ref: Ref, text: str) -> int:
    if options.json:
        print(json.dumps({"kind": ref.kind, "id": ref.id}))
    else:
        print(f"{ref.kind} {ref.id}: {text}")
    return 0
