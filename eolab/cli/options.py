"""Options that several commands of `eolab` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import argparse


class Commands(Protocol):
    """What `add_subparsers` gives: it takes one command after the other."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """``--workspace``: which one, where it is not the one that is found."""
    parser.add_argument("--workspace", type=Path, help="folder or eolab.toml (default: found)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``: for programs rather than people."""
    parser.add_argument("--json", action="store_true", help="print JSON")
