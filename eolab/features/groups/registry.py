"""What feature groups and views there are: one small database beside the tables.

Rows are names, versions and a JSON description; the data and its history are in the Delta tables.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import ConflictError, InvalidInputError, NotFoundError, nearest
from eolab.files import disk, folders

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

FORMAT = 1
_WORDS = {"group": "feature group", "view": "feature view", "dataset": "training dataset"}


@dataclass(frozen=True)
class RegistryEntry:
    """A group or view in the registry.

    Attributes:
        kind: "group" or "view".
        name: Its name.
        version: Its version.
        document: Its description as JSON text.
        created: When it was made, seconds since the epoch.
    """

    kind: str
    name: str
    version: int
    document: str
    created: float

    @property
    def spec(self) -> Mapping[str, object]:
        """The description as plain JSON."""
        found: dict[str, object] = json.loads(self.document)
        return found


class Registry:
    """Names in a SQLite file of ``folder``; made with the first thing that is registered.

    Safe for several processes: each call is one transaction and waits up to 30 s for another's.
    No write-ahead log, so that it works on network file systems too.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "registry.db"
        self._engine: Engine | None = None
        self._table: Table | None = None

    def add(self, kind: str, name: str, version: int, spec: Mapping[str, object]) -> RegistryEntry:
        """Register a new thing.

        Raises:
            ConflictError: Name and version are taken.
        """
        entry = RegistryEntry(kind, name, version, json.dumps(dict(spec)), time.time())
        self._insert(entry, "cannot be made")
        return entry

    def _insert(self, entry: RegistryEntry, what: str) -> None:
        import sqlalchemy as sa

        kind, name, version = entry.kind, entry.name, entry.version
        doing = disk.translate_errors(f"the {_WORDS[kind]} {name!r} {what}", self.path.parent)
        with doing, self._begin() as (connection, table):
            values = {
                "kind": kind,
                "name": name,
                "version": version,
                "spec": entry.document,
                "created": entry.created,
            }
            try:
                connection.execute(table.insert().values(values))
            except sa.exc.IntegrityError:
                raise ConflictError(
                    f"the {_WORDS[kind]} {name!r}, version {version}, exists already",
                    "Take another version, or open the existing one.",
                ) from None

    def update(self, entry: RegistryEntry, spec: Mapping[str, object]) -> RegistryEntry:
        """Replace the description of a registered thing.

        Args:
            entry: The thing.
            spec: Its new description, plain JSON.
        """
        document = json.dumps(dict(spec))
        doing = disk.translate_errors(
            f"the {_WORDS[entry.kind]} {entry.name!r} cannot be changed", self.path.parent
        )
        with doing, self._begin() as (connection, table):
            connection.execute(
                table.update()
                .where(
                    table.c.kind == entry.kind,
                    table.c.name == entry.name,
                    table.c.version == entry.version,
                )
                .values(spec=document)
            )
        return RegistryEntry(entry.kind, entry.name, entry.version, document, entry.created)

    def remove(self, entry: RegistryEntry) -> None:
        """Take a registered thing out.

        Raises:
            NotFoundError: It is not there (any more).
        """
        doing = disk.translate_errors(
            f"the {_WORDS[entry.kind]} {entry.name!r} cannot be deleted", self.path.parent
        )
        with doing, self._begin() as (connection, table):
            found = connection.execute(
                table.delete().where(
                    table.c.kind == entry.kind,
                    table.c.name == entry.name,
                    table.c.version == entry.version,
                    table.c.created == entry.created,
                )
            )
            if not found.rowcount:
                raise NotFoundError(
                    f"the {_WORDS[entry.kind]} {entry.name!r} is not there",
                    "It was deleted already.",
                )

    def bring_back(self, entry: RegistryEntry) -> None:
        """Enter a thing again that was taken out, as it was.

        Raises:
            ConflictError: Name and version are taken.
        """
        self._insert(entry, "cannot be restored")

    def find(self, kind: str, name: str, version: int | None = None) -> RegistryEntry | None:
        """The thing of this name; its newest version where none is named; None if not there."""
        found = [e for e in self.all(kind, name) if version in {None, e.version}]
        return max(found, key=lambda e: e.version, default=None)

    def get(self, kind: str, name: str, version: int | None = None) -> RegistryEntry:
        """Like `find`, but a missing thing is an error.

        Raises:
            NotFoundError: With the names or versions that there are.
        """
        entry = self.find(kind, name, version)
        if entry is None:
            word = _WORDS[kind]
            versions = [e.version for e in self.all(kind, name)]
            if versions:
                raise NotFoundError(
                    f"the {word} {name!r} has no version {version}",
                    f"Its versions are: {', '.join(map(str, versions))}.",
                )
            names = sorted({e.name for e in self.all(kind)})
            raise NotFoundError(f"no {word} {name!r}", nearest(str(name), names, f"{word}s"))
        return entry

    def all(self, kind: str, name: str | None = None) -> list[RegistryEntry]:
        """Everything of a kind, or all versions of one name, by name and version."""
        import sqlalchemy as sa

        if not self.path.exists():
            return []
        with self._begin() as (connection, table):
            query = (
                sa.select(table).where(table.c.kind == kind).order_by(table.c.name, table.c.version)
            )
            if name is not None:
                query = query.where(table.c.name == name)
            rows = connection.execute(query).all()
        return [RegistryEntry(r.kind, r.name, r.version, r.spec, r.created) for r in rows]

    @contextmanager
    def _begin(self) -> Iterator[tuple[Connection, Table]]:
        if self._engine is None or self._table is None:
            self._engine, self._table = self._open()
        with self._engine.begin() as connection:
            yield connection, self._table

    def _open(self) -> tuple[Engine, Table]:
        import sqlalchemy as sa

        folders.make(self.path.parent)
        # No pool: a connection that outlives a call would also outlive a fork.
        engine = sa.create_engine(
            f"sqlite:///{self.path}", poolclass=sa.pool.NullPool, connect_args={"timeout": 30}
        )
        metadata = sa.MetaData()
        table = sa.Table(
            "entries",
            metadata,
            sa.Column("kind", sa.String(32), primary_key=True),
            sa.Column("name", sa.String(128), primary_key=True),
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("spec", sa.Text, nullable=False),
            sa.Column("created", sa.Float, nullable=False),
        )
        with engine.begin() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if found not in {0, FORMAT}:
                raise InvalidInputError(
                    f"{self.path} has format {found}, allowed: {FORMAT}",
                    "It was written by another version of eolab; upgrade eolab.",
                )
            if found == 0:
                connection.exec_driver_sql(
                    "CREATE TABLE IF NOT EXISTS entries "
                    "(kind VARCHAR(32) NOT NULL, name VARCHAR(128) NOT NULL, "
                    "version INTEGER NOT NULL, spec TEXT NOT NULL, created FLOAT NOT NULL, "
                    "PRIMARY KEY (kind, name, version))"
                )
                connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")
        return engine, table
