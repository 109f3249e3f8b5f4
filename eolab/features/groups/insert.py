"""How rows come into a group: expectations, types, geometry, and the commit's origin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eolab.features import arrays
from eolab.features.engines.writers import writer_of
from eolab.features.frame_attrs import FrameAttrs
from eolab.features.geometry import RowGeometry, check_same_crs, detect
from eolab.features.groups.options import GroupSpec
from eolab.features.groups.record import GroupRecord
from eolab.features.queries.arguments import require_columns
from eolab.features.queries.query import GroupHandle
from eolab.features.storage import arrow
from eolab.features.storage import expectations as validation
from eolab.features.storage.commits import Commit
from eolab.records.lineage import Ref
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pyarrow as pa


class Inserter:
    """Takes rows into a group, all of an insert or none.

    Args:
        group: The group.
        record: Its place in the workspace.
        spec: Its keys, parents and expectations.
    """

    def __init__(self, group: GroupHandle, record: GroupRecord, spec: GroupSpec) -> None:
        self._group, self._record, self._spec = group, record, spec

    def insert(
        self, frame: object, *, only_new: bool, add_columns: bool, sources: Iterable[Ref]
    ) -> Commit:
        """Write the rows of a frame as one commit, and record its origin.

        Args:
            frame: Any kind that `FeatureGroup.insert` takes.
            only_new: Refuse rows whose key is there already.
            add_columns: Add columns that the group does not have.
            sources: What else the rows were made from.
        """
        if arrays.is_mapping_of_columns(frame):
            frame = arrays.frame_of(frame)
        attrs = FrameAttrs.of(frame)
        rules = _Rules(self._group, self._record, self._spec, attrs, add_columns=add_columns)
        commit = writer_of(frame).insert(
            self._group, frame, rules, only_new=only_new, add_columns=add_columns
        )
        if self._spec.expectations:
            total = len(self._spec.expectations)
            validation.note(self._record.folder, commit.rows, rules.failed, total, commit.version)
        self._record.record_insert(commit, attrs, self._spec.parents, sources)
        return commit


class _Rules:
    """What one insert asks of its rows (see `InsertRules`).

    Attributes:
        failed: Rows that break each expectation, by name, where the policy lets them in.
    """

    def __init__(
        self,
        group: GroupHandle,
        record: GroupRecord,
        spec: GroupSpec,
        attrs: FrameAttrs,
        *,
        add_columns: bool,
    ) -> None:
        self._group, self._record, self._spec, self._attrs = group, record, spec, attrs
        self._add_columns = add_columns
        self.failed: dict[str, int] = {}

    def geometry(self, frame: object) -> RowGeometry | None:
        spec = self._record.spec()
        if spec.geometry is None and self._group.table.open() is None:
            return detect(
                frame,
                spec.declared_geometry,
                spec.declared_crs,
                xy_crs=self._attrs.crs,
                pixels=self._attrs.pixels,
            )
        return spec.geometry

    def check_geometry(
        self, columns: Sequence[str], frame: object, geometry: RowGeometry | None
    ) -> None:
        if geometry is not None:
            for name in geometry.columns:
                require_columns([name], columns, "the table (its geometry)")
            check_same_crs(frame, geometry)

    def check_rows(self, rows: pa.Table | Sequence[str]) -> None:
        record, spec = self._record, self._spec
        found = validation.validate(rows, spec.expectations, record.folder)
        if found is None:
            return
        message = f"rows for {record.label} break its expectations: {found}"
        if spec.policy == "warn":
            warn(message, validation.Unexpected)
            self.failed = dict(found.failed)
            return
        validation.note(record.folder, found.total, found.failed, len(spec.expectations), None)
        error = validation.UnexpectedRows(
            message, "Nothing was inserted. Mend or drop the rows; error.rows holds the ten worst."
        )
        error.rows = found.rows
        raise error

    def fit(
        self, rows: pa.Table, existing: pa.Schema | None, geometry: RowGeometry | None
    ) -> pa.Table:
        require_columns(
            self._spec.partition_key, rows.column_names, "the table (its partition_key)"
        )
        if existing is not None:
            rows = arrow.cast_to_schema(rows, existing, add_columns=self._add_columns)
        spec = self._record.spec()
        order = [n for n in spec.columns if existing and n in existing.names]
        names = (*order, *(n for n in rows.column_names if n not in order))
        if names != spec.columns or spec.geometry != geometry:
            # The description first: without a table it is harmless, the next insert mends it.
            self._record.save(replace(spec, columns=names, geometry=geometry))
        return rows
