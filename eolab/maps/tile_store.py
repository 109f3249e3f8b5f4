"""The tiles of a map on disk: what is to do, what is done, what failed and why.

Each tile is a file that is there whole or not at all, so that a killed run goes on where it was and
writes none twice. The manifest says of which map they are: tiles of another one are never mixed in.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eolab.errors import ConflictError
from eolab.files import disk, folders, locks, writes
from eolab.maps.layers import MapTile

FORMAT = 1
MANIFEST = "manifest.json"
_LOCK = "lock"


@dataclass(frozen=True)
class TileKey:
    """A tile's place: its number down and across, and the pixels that it covers."""

    row: int
    column: int
    rows: slice
    columns: slice

    @property
    def name(self) -> str:
        return f"{self.row:05d}_{self.column:05d}"


@dataclass(frozen=True)
class TileGrid:
    """Squares that cover a map.

    Attributes:
        height, width: Of the map in pixels.
        side: Of a tile in pixels; those at the right and lower edge are cut.
    """

    height: int
    width: int
    side: int

    def tiles(self) -> Iterator[TileKey]:
        """All tiles, row by row from the top left."""
        for row in range(-(-self.height // self.side)):
            for column in range(-(-self.width // self.side)):
                top, left = row * self.side, column * self.side
                rows = slice(top, min(top + self.side, self.height))
                yield TileKey(row, column, rows, slice(left, min(left + self.side, self.width)))

    def __len__(self) -> int:
        return -(-self.height // self.side) * -(-self.width // self.side)


class TileStore:
    """A folder of tiles beside the map that is made of them.

    Args:
        folder: It is made when the work begins.
        grid: The tiles.
    """

    def __init__(self, folder: Path, grid: TileGrid) -> None:
        self.folder, self.grid = folder, grid

    @contextmanager
    def working(self, identity: Mapping[str, object], *, overwrite: bool) -> Iterator[None]:
        """Work on the tiles inside; nobody else does meanwhile.

        Args:
            identity: What the map is of, as plain JSON: model, grid, source.
            overwrite: Begin anew where the tiles are of another map.

        Raises:
            ConflictError: Another process makes this map, or the tiles are of another one.
        """
        with disk.translate_errors("the map cannot be made", self.folder.parent):
            folders.make(self.folder)
            held = locks.take(self.folder / _LOCK)
        if held is None:
            raise ConflictError(
                f"another process makes the map of {self.folder} now",
                "Wait for it, or write to another path.",
            )
        try:
            self._begin(dict(identity), overwrite=overwrite)
            yield
        except BaseException:
            if not self.done():  # nothing to go on with, and nothing that another map would mix in
                self.remove()
            raise
        finally:
            os.close(held)

    def _begin(self, identity: dict[str, object], *, overwrite: bool) -> None:
        path = self.folder / MANIFEST
        before = self.identity()
        wanted = json.loads(json.dumps(identity))
        if before is not None and before != wanted:
            if not overwrite:
                names = sorted({*before, *wanted})
                other = [name for name in names if before.get(name) != wanted.get(name)]
                raise ConflictError(
                    f"{self.folder} holds tiles of another map: {', '.join(other)} differs",
                    "Call it as before to go on with that one, or say overwrite=True.",
                )
            before = None
        if before is None:
            for pattern in ("*.npz", "*.failed", MANIFEST):  # nobody else's files
                for file in self.folder.glob(pattern):
                    file.unlink()
            with disk.translate_errors("the map cannot be made", self.folder):
                writes.write_json(path, {"format": FORMAT, "identity": wanted})
        writes.sweep_drafts(self.folder)

    def identity(self) -> dict[str, object] | None:
        """What the tiles are of; None where nobody has begun, or the manifest is damaged."""
        try:
            document = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        found = document.get("identity") if isinstance(document, dict) else None
        return found if isinstance(found, dict) else None

    def done(self) -> set[str]:
        """Names of the tiles that are there."""
        return {file.stem for file in self.folder.glob("*.npz") if not file.name.startswith(".")}

    def failed(self) -> dict[str, str]:
        """Why tiles failed when they were last tried, by name."""
        found = {}
        for file in self.folder.glob("*.failed"):
            with suppress(OSError):
                found[file.stem] = file.read_text(encoding="utf-8")
        return {name: why for name, why in found.items() if name not in self.done()}

    def todo(self) -> list[TileKey]:
        """The tiles that are not there, in order."""
        done = self.done()
        return [key for key in self.grid.tiles() if key.name not in done]

    def write(self, key: TileKey, tile: MapTile) -> None:
        """Keep a tile, whole or not at all."""
        arrays = {"prediction": tile.prediction}
        if tile.probability is not None:
            arrays["probability"] = tile.probability
        with writes.draft(self.folder / f"{key.name}.npz") as beside, beside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        (self.folder / f"{key.name}.failed").unlink(missing_ok=True)

    def note_failure(self, key: TileKey, why: str) -> None:
        writes.write_text(self.folder / f"{key.name}.failed", why)

    def read(self, key: TileKey) -> MapTile:
        """A tile that is done.

        Raises:
            ConflictError: Its file is damaged; it is taken away, and made anew by the next run.
        """
        path = self.folder / f"{key.name}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                likely = file.get("probability")
                return MapTile(file["prediction"], likely)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            path.unlink(missing_ok=True)
            raise ConflictError(
                f"the tile {path} is damaged: {error}", "Call it again: this tile is made anew."
            ) from error

    def remove(self) -> None:
        """Take the tiles away: the map is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
