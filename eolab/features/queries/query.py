"""What to take from which group: a description that a view keeps and an engine carries out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from eolab.features.groups.group import FeatureGroup

Fill = Literal["previous", "linear"]
How = Literal["mean", "last"]
JoinKind = Literal["left", "inner"]
MONTH_DAY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
_DAYS = re.compile(r"^\s*(\d+)\s*(D|h)\s*$")


@dataclass(frozen=True)
class Steps:
    """A window of time cut in equal steps (see `Query.sequence`)."""

    start: str
    end: str
    every: str
    how: How = "mean"
    fill: Fill | None = None
    max_gap: str | None = None


@dataclass(frozen=True)
class Near:
    """Matched by place: a row's middle lies "within" a thing, is "nearest", or shares its "tile".

    ``max_distance`` (for "nearest") and ``tile`` (a tile's side) are in metres.
    """

    how: Literal["within", "nearest", "tile"]
    max_distance: float | None = None
    tile: float | None = None


@dataclass(frozen=True)
class Join:
    """Another query's columns, matched by key and, where its group has event times, as of a time.

    With ``repeat`` its values at the label's time are repeated along a sequence's steps.
    """

    query: Query
    on: tuple[str, ...] | None = None
    prefix: str = ""
    kind: JoinKind = "left"
    max_age: str | None = None
    repeat: bool = False
    near: Near | None = None


@dataclass(frozen=True)
class Query:
    """Columns of a group and of what is joined to it; made by `FeatureGroup.select` and its kin.

    Attributes:
        group: The base group.
        columns: Its columns, in order.
        joins: What is joined, in order.
        where: An SQL condition on the base group's columns.
        steps: Set by `sequence`.
    """

    group: FeatureGroup
    columns: tuple[str, ...]
    joins: tuple[Join, ...] = ()
    where: str | None = None
    steps: Steps | None = field(default=None)

    def join(
        self,
        other: Query,
        *,
        on: Sequence[str] | None = None,
        prefix: str = "",
        join_type: JoinKind = "left",
        max_age: str | None = None,
    ) -> Query:
        """Add another query's columns.

        Rows are matched on the other group's primary key. Where that group has event times, each
        row gets the newest values that were so at its own time, never later ones. Joined before
        `sequence`, such a group is cut into steps too; joined after it, its values at the label's
        time are repeated along the steps.

        Args:
            other: What to join; without joins of its own.
            on: Columns to match on; default: the other group's primary key.
            prefix: Put before the other's column names.
            join_type: "left" keeps every row; "inner" drops those without a match.
            max_age: Older values count as missing ("30D", "12h").

        Raises:
            InvalidInputError: Two columns would have the same name, or nested joins.
        """
        if other.joins or other.steps:
            raise InvalidInputError(
                "a query with joins or a sequence cannot be joined itself",
                "Join its parts one after the other.",
            )
        if join_type not in {"left", "inner"}:
            raise InvalidInputError(f"unknown join_type={join_type!r}", "Use 'left' or 'inner'.")
        if max_age is not None:
            seconds(max_age, "max_age")
        part = Join(
            other,
            None if on is None else tuple(on),
            prefix,
            join_type,
            max_age,
            self.steps is not None,
        )
        joined = replace(self, joins=(*self.joins, part))
        names = joined.names
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise InvalidInputError(
                f"two joined columns are called {twice[0]!r}", f"Pass prefix='{other.group.name}_'."
            )
        return joined

    def join_spatial(
        self,
        other: Query,
        *,
        how: Literal["within", "nearest", "tile"] = "within",
        max_distance: float | None = None,
        tile: float | None = None,
        prefix: str = "",
        join_type: JoinKind = "left",
        max_age: str | None = None,
    ) -> Query:
        """Add another query's columns of what lies at the same place.

        Both groups need a geometry, in any CRS. Of a row that is an area its middle counts. Where
        the other group has event times, its things are found by where they last were, and their
        values are those of the row's time.

        Args:
            other: What to join; without joins of its own.
            how: What the row lies "within" (a point in a polygon), is "nearest" to, or shares a
                "tile" with: a cell of an absolute equal-area grid; of several there the nearest.
            max_distance: Metres beyond which nothing is near.
            tile: Side of a tile in metres, with how="tile".
            prefix: Put before the other's column names.
            join_type: "left" keeps every row; "inner" drops those that meet nothing.
            max_age: Older values count as missing ("30D", "12h").

        Raises:
            InvalidInputError: Two columns would have the same name, a group without geometry, bad
                options.
        """
        if how not in {"within", "nearest", "tile"}:
            raise InvalidInputError(f"unknown how={how!r}", "Use 'within', 'nearest' or 'tile'.")
        if (tile is not None) != (how == "tile") or (tile is not None and not tile > 0):
            raise InvalidInputError(
                f"tile={tile!r} with how={how!r}", "Give a tile's side in metres, with how='tile'."
            )
        if max_distance is not None and (how != "nearest" or not max_distance > 0):
            raise InvalidInputError(
                f"max_distance={max_distance!r} with how={how!r}",
                "Give metres, with how='nearest'.",
            )
        if other.group.geometry is None:
            raise InvalidInputError(
                f"{other.group.label} has no geometry, so it cannot be joined by place",
                "Insert a GeoDataFrame, or make the group with geometry=('lon', 'lat').",
            )
        joined = self.join(other, prefix=prefix, join_type=join_type, max_age=max_age)
        part = replace(joined.joins[-1], near=Near(how, max_distance, tile))
        return replace(joined, joins=(*joined.joins[:-1], part))

    def filter(self, condition: str) -> Query:
        """Only rows of the base group that meet an SQL condition, for example ``"clear > 0.5"``."""
        return replace(
            self, where=condition if self.where is None else f"({self.where}) AND ({condition})"
        )

    def sequence(
        self,
        start: str,
        end: str,
        every: str = "10D",
        *,
        how: How = "mean",
        fill: Fill | None = None,
        max_gap: str | None = None,
    ) -> Query:
        """One array (steps, features) a label instead of one row.

        Groups with event times are cut into steps; columns of groups without, and of groups joined
        later, are repeated along them. Steps without an observation are NaN. Nothing later than
        the label's event time is used. Where the labels are a column of this same group there is
        one sample a thing and season (its last label of that season), not one a row.

        Args:
            start: First day: "2024-03-01", or "03-01" for the season that began last at or before
                the label's event time.
            end: Last day, included; a season may cross New Year ("10-01" to "07-31").
            every: Length of a step ("10D").
            how: "mean" of a step's observations, or the "last" one.
            fill: Fill empty steps from the "previous" step, or "linear" in between.
            max_gap: Longest gap that is filled ("30D"); default: any.

        Raises:
            InvalidInputError: Bad dates or steps, or the base group has no event time.
        """
        import pandas as pd

        if self.group.event_time is None:
            raise InvalidInputError(
                f"the group {self.group.name!r} has no event time, so there is no sequence",
                "Make the group with event_time=.",
            )
        if bool(MONTH_DAY.match(start)) != bool(MONTH_DAY.match(end)):
            raise InvalidInputError(
                f"start {start!r} and end {end!r} are of two kinds",
                "Write both as '03-01' or both as '2024-03-01'.",
            )
        if not MONTH_DAY.match(start):
            try:
                first, last = pd.Timestamp(start), pd.Timestamp(end)
            except ValueError as error:
                raise InvalidInputError(
                    f"not a date: {error}", "Write '2024-03-01', or '03-01' for any year."
                ) from error
            if last < first:
                raise InvalidInputError(
                    f"the sequence ends ({end}) before it starts ({start})", "Swap the dates."
                )
        seconds(every, "every")
        if how not in {"mean", "last"}:
            raise InvalidInputError(f"unknown how={how!r}", "Use 'mean' or 'last'.")
        if fill not in {None, "previous", "linear"}:
            raise InvalidInputError(f"unknown fill={fill!r}", "Use 'previous', 'linear' or None.")
        if max_gap is not None:
            seconds(max_gap, "max_gap")
        return replace(self, steps=Steps(start, end, every, how, fill, max_gap))

    @property
    def parts(self) -> tuple[Join, ...]:
        """The base group and the joined ones, alike."""
        base = Join(replace(self, joins=(), steps=None))
        return (base, *self.joins)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, with their prefixes."""
        return tuple(p.prefix + c for p in self.parts for c in p.query.columns)

    def read(self, *, known_at: object = None) -> pd.DataFrame:
        """The base group's rows with the joined columns, each row as of its own event time."""
        frame: pd.DataFrame = self.to_arrow(known_at=known_at).to_pandas()
        return frame

    def to_arrow(self, *, known_at: object = None) -> pa.Table:
        """What `read` gives as an Arrow table (see `FeatureGroup.to_arrow`)."""
        from eolab.features.samples.samples import read_query

        return read_query(self, known_at=known_at)

    def to_spark(self, spark: SparkSession, *, known_at: object = None) -> DataFrame:
        """What `read` gives as a Spark DataFrame, in no order (see `FeatureGroup.to_spark`)."""
        from eolab.features.engines.spark import query_on_spark

        return query_on_spark(self, spark, known_at=known_at)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON."""
        return {
            "group": [self.group.name, self.group.version],
            "columns": list(self.columns),
            "where": self.where,
            "steps": None if self.steps is None else vars(self.steps),
            "joins": [
                {
                    "query": j.query.to_dict(),
                    "on": None if j.on is None else list(j.on),
                    "prefix": j.prefix,
                    "kind": j.kind,
                    "max_age": j.max_age,
                    "repeat": j.repeat,
                    "near": None if j.near is None else vars(j.near),
                }
                for j in self.joins
            ],
        }

    def __repr__(self) -> str:
        groups = ", ".join(p.query.group.label for p in self.parts)
        return f"<Query of {len(self.names)} columns of {groups}>"


def seconds(length: str, what: str) -> int:
    """A length of time as text, in seconds.

    Raises:
        InvalidInputError: Not days ("10D") or hours ("12h").
    """
    match = _DAYS.match(length) if isinstance(length, str) else None
    if match is None or int(match[1]) == 0:
        raise InvalidInputError(
            f"{what}={length!r} is not a length of time", "Write days or hours: '10D', '12h'."
        )
    return int(match[1]) * (86400 if match[2] == "D" else 3600)


def chosen(names: Sequence[str], available: Sequence[str], what: str) -> tuple[str, ...]:
    """The names, all of which must be available.

    Raises:
        InvalidInputError: One is not, or one is named twice.
    """
    for name in names:
        if name not in available:
            raise InvalidInputError(
                f"no column {name!r} in {what}", nearest(str(name), list(available), "columns")
            )
    if len(set(names)) < len(names):
        raise InvalidInputError(f"a column is named twice in {list(names)}", "Name each once.")
    return tuple(names)


def from_dict(spec: Mapping[str, object], group: object) -> Query:
    """A query from its plain JSON; ``group(name, version)`` opens its groups."""
    where = spec["group"]
    assert isinstance(where, list)
    assert callable(group)
    steps = spec.get("steps")
    joins = spec.get("joins") or []
    assert isinstance(joins, list)
    return Query(
        group(*where),
        tuple(spec["columns"]),  # type: ignore[arg-type]
        tuple(
            Join(
                from_dict(j["query"], group),
                None if j["on"] is None else tuple(j["on"]),
                j["prefix"],
                j["kind"],
                j["max_age"],
                j["repeat"],
                None if j["near"] is None else Near(**j["near"]),
            )
            for j in joins
        ),
        spec.get("where"),  # type: ignore[arg-type]
        None if steps is None else Steps(**steps),  # type: ignore[arg-type]
    )
