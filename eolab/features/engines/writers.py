"""How rows of each kind of frame come into a group: in this process, or by Spark's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from eolab.features import arrays
from eolab.features.engines import spark
from eolab.features.geometry import RowGeometry
from eolab.features.queries.query import GroupHandle
from eolab.features.storage.arrow import check_keys, to_arrow
from eolab.features.storage.commits import Commit

if TYPE_CHECKING:
    import pyarrow as pa


class InsertRules(Protocol):
    """What a group asks of rows; a writer calls it at the right moments."""

    def geometry(self, frame: object) -> RowGeometry | None:
        """How the group's rows know where they are, or will after this first insert."""

    def check_geometry(
        self, columns: Sequence[str], frame: object, geometry: RowGeometry | None
    ) -> None:
        """Raises InvalidInputError where the geometry is missing or in another CRS."""

    def check_rows(self, rows: pa.Table | Sequence[str]) -> None:
        """Raises InvalidInputError where rows, or parquet files of them, break an expectation."""

    def fit(
        self, rows: pa.Table, existing: pa.Schema | None, geometry: RowGeometry | None
    ) -> pa.Table:
        """The rows in the group's types; None is a group without columns yet."""


class FrameWriter(Protocol):
    """Writes one kind of frame as one commit, all rows or none."""

    def accepts(self, frame: object) -> bool:
        """Whether this is its kind of frame."""

    def insert(
        self,
        group: GroupHandle,
        frame: object,
        rules: InsertRules,
        *,
        only_new: bool,
        add_columns: bool,
    ) -> Commit:
        """Write the rows.

        Raises:
            InvalidInputError: Rows that do not fit; nothing is written.
            ConflictError: Keys are there already, with ``only_new``.
            RemoteError: It cannot be written; nothing was added.
        """


class ArrowWriter:
    """Writes what becomes an Arrow table in this process: pandas, polars, pyarrow, xarray."""

    def accepts(self, frame: object) -> bool:  # noqa: ARG002
        return True

    def insert(
        self,
        group: GroupHandle,
        frame: object,
        rules: InsertRules,
        *,
        only_new: bool,
        add_columns: bool,  # noqa: ARG002  (the rules know)
    ) -> Commit:
        geometry = rules.geometry(frame)
        shapes = geometry.columns if geometry and len(geometry.columns) == 1 else ()
        rows = to_arrow(frame, shapes, group.table.schema(), group.keys)
        check_keys(rows, group.primary_key, group.event_time)
        rules.check_geometry(rows.column_names, frame, geometry)
        rules.check_rows(arrays.as_lists(rows))
        return group.table.append(
            lambda existing: rules.fit(rows, existing, geometry), only_new=only_new
        )


class SparkWriter:
    """Writes a Spark DataFrame: its tasks write the files, the driver makes them one commit."""

    def accepts(self, frame: object) -> bool:
        return spark.is_spark(frame)

    def insert(
        self,
        group: GroupHandle,
        frame: object,
        rules: InsertRules,
        *,
        only_new: bool,
        add_columns: bool,
    ) -> Commit:
        assert spark.is_spark(frame)

        def prepare(empty: pa.Table, existing: pa.Schema | None) -> pa.Table:
            geometry = rules.geometry(empty)
            rules.check_geometry(empty.column_names, empty, geometry)
            return rules.fit(empty, existing, geometry)

        return spark.insert_from_spark(
            group,
            frame,
            only_new=only_new,
            add_columns=add_columns,
            prepare=prepare,
            check=rules.check_rows,
        )


# The first that accepts a frame writes it.
WRITERS: tuple[FrameWriter, ...] = (SparkWriter(), ArrowWriter())


def writer_of(frame: object) -> FrameWriter:
    """The writer for a frame."""
    return next(writer for writer in WRITERS if writer.accepts(frame))
