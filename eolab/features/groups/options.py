"""Options of a feature group, and the group as the registry keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Required, TypedDict

from eolab.argument_checks import check_given, shown
from eolab.errors import InvalidInputError, nearest
from eolab.features.geometry import RowGeometry, crs_text
from eolab.features.queries.query import GroupHandle
from eolab.features.storage.expectations import Policy, check_expectations, check_policy
from eolab.settings.config import check_name

FORMAT = 1


class GroupDetails(TypedDict, total=False):
    """What people say of a group, and expect of its rows; it may change (see `GroupOptions`)."""

    description: str
    columns: Mapping[str, str] | None
    units: Mapping[str, str] | None
    expectations: Mapping[str, str] | None
    policy: Policy
    tags: Sequence[str]
    keywords: Sequence[str]
    owner: str


class GroupOptions(GroupDetails, total=False):
    """Options of a feature group.

    Attributes:
        primary_key: The columns that identify a thing.
        event_time: The column that says when the values were so; timestamps with a zone.
        partition_key: Columns by whose values the rows of a commit lie together in its files, so
            that a filter on them passes over the rest (a tile, a year).
        description: One line for the panel.
        geometry: The geometry column, or the two columns of x and y (longitude, latitude). Found by
            itself in a GeoDataFrame, in rows made from a cube, and as ``lon``/``lat``.
        crs: The coordinate reference system of ``geometry`` ("EPSG:32633").
        columns: Descriptions of columns by name.
        units: Units of columns by name ("m", "dB"); text for people, nothing is converted.
        online_enabled: Keep the newest row of each thing for `FeatureView.get_feature_vector`.
        expectations: SQL conditions by name that every row must meet ("ndvi BETWEEN -1 AND 1").
        policy: "strict" refuses an insert with rows that break one; "warn" says so.
        statistics: Whether inserts compute statistics; else they are when first asked for.
        tags: Labels by which the panel sorts groups ("crops", "2024"); `search` finds them too.
        keywords: What it is about, in words that a stranger would search for ("phenology").
        owner: Who answers for it.
        parents: Groups that its rows are made from; their newest commits are each insert's origin.
    """

    primary_key: Required[str | Sequence[str]]
    event_time: str | None
    partition_key: str | Sequence[str]
    geometry: str | Sequence[str] | None
    crs: object
    online_enabled: bool
    statistics: bool
    parents: Sequence[GroupHandle]


@dataclass(frozen=True)
class GroupSpec:
    """A group as the registry keeps it; attributes as in `GroupOptions`, where not said.

    Attributes:
        primary_key: Its columns.
        event_time: Its column.
        partition_key: Its columns.
        declared_geometry: ``geometry`` as it was given.
        declared_crs: ``crs`` as text.
        parents: Names and versions.
        online: ``online_enabled``.
        statistics: As given.
        description: As given.
        descriptions: Of columns.
        units: Of columns.
        expectations: As given.
        policy: As given.
        tags: As given.
        keywords: As given.
        owner: As given.
        columns: The columns in the users' order, once rows came in.
        geometry: How rows know where they are, once rows came in.
    """

    primary_key: tuple[str, ...]
    event_time: str | None = None
    partition_key: tuple[str, ...] = ()
    declared_geometry: str | tuple[str, ...] | None = None
    declared_crs: str | None = None
    parents: tuple[str, ...] = ()
    online: bool = False
    statistics: bool = True
    description: str = ""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    expectations: Mapping[str, str] = field(default_factory=dict)
    policy: Policy = "strict"
    tags: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    owner: str = ""
    columns: tuple[str, ...] = ()
    geometry: RowGeometry | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain JSON, as the registry has kept it since the first version."""
        declared = self.declared_geometry
        return {
            "format": FORMAT,
            "primary_key": list(self.primary_key),
            "event_time": self.event_time,
            "partition_key": list(self.partition_key),
            "description": self.description,
            "declared_geometry": list(declared) if isinstance(declared, tuple) else declared,
            "declared_crs": self.declared_crs,
            "descriptions": dict(self.descriptions),
            "units": dict(self.units),
            "columns": list(self.columns),
            "geometry": self.geometry.to_dict() if self.geometry else None,
            "online": self.online,
            "expectations": dict(self.expectations),
            "policy": self.policy,
            "statistics": self.statistics,
            "tags": list(self.tags),
            "keywords": list(self.keywords),
            "owner": self.owner,
            "parents": list(self.parents),
        }

    @staticmethod
    def from_dict(spec: Mapping[str, object]) -> GroupSpec:
        """From plain JSON; what an older version did not keep has its default."""
        declared, place = spec.get("declared_geometry"), spec.get("geometry")
        return GroupSpec(
            primary_key=_texts(spec["primary_key"]),
            event_time=_text(spec.get("event_time")),
            partition_key=_texts(spec.get("partition_key")),
            declared_geometry=_texts(declared) if isinstance(declared, list) else _text(declared),
            declared_crs=_text(spec.get("declared_crs")),
            parents=_texts(spec.get("parents")),
            online=bool(spec.get("online")),
            statistics=bool(spec.get("statistics", True)),
            description=str(spec.get("description") or ""),
            descriptions=_text_by_name(spec.get("descriptions")),
            units=_text_by_name(spec.get("units")),
            expectations=_text_by_name(spec.get("expectations")),
            policy=check_policy(spec.get("policy") or "strict"),
            tags=_texts(spec.get("tags")),
            keywords=_texts(spec.get("keywords")),
            owner=str(spec.get("owner") or ""),
            columns=_texts(spec.get("columns")),
            geometry=RowGeometry.from_dict(place) if isinstance(place, Mapping) else None,
        )

    def updated(self, options: GroupDetails, columns: Sequence[str]) -> GroupSpec:
        """With other details (see `FeatureGroup.update`).

        Args:
            options: What changes.
            columns: The columns that the group has; none before its first insert.

        Raises:
            InvalidInputError: Another option, a column that is not there, or a bad condition.
        """
        check_options(options, GroupDetails, ())
        described, units = options.get("columns") or {}, options.get("units") or {}
        for name in (*described, *units) if columns else ():
            if name not in columns:
                raise InvalidInputError(
                    f"there is no column {name!r}", nearest(name, list(columns), "columns")
                )
        policy = check_policy(options.get("policy", self.policy))
        conditions = options.get("expectations", self.expectations)
        out = replace(
            self,
            descriptions={**self.descriptions, **described},
            units={**self.units, **units},
            expectations=check_expectations(conditions),
            policy=policy,
        )
        if "description" in options:
            out = replace(out, description=str(options["description"]))
        if "owner" in options:
            out = replace(out, owner=str(options["owner"]))
        if "tags" in options:
            out = replace(out, tags=_words("tags", options["tags"]))
        if "keywords" in options:
            out = replace(out, keywords=_words("keywords", options["keywords"]))
        return out


def group_spec(name: str, version: int, options: GroupOptions) -> GroupSpec:
    """A new group from its options.

    Args:
        name: The group's name.
        version: Its version.
        options: As the user gave them.

    Raises:
        InvalidInputError: A bad name, key, option or CRS.
    """
    check_name(name, "feature group")
    check_version(version)
    check_options(options, GroupOptions, ("primary_key",))
    keys, event_time = _names(options["primary_key"]), options.get("event_time")
    if not keys:
        raise InvalidInputError(
            "primary_key is empty", "Name the column or columns that tell one thing from another."
        )
    if len(set(keys)) < len(keys) or event_time in keys:
        raise InvalidInputError(
            f"primary_key={list(keys)} and event_time={event_time!r} name a column twice",
            "Name each column once.",
        )
    geometry, crs = options.get("geometry"), options.get("crs")
    if geometry is not None and len(_names(geometry)) not in {1, 2}:
        raise InvalidInputError(
            f"geometry={geometry!r} is not one column or two",
            "Name the geometry column, or ('x', 'y').",
        )
    policy = check_policy(options.get("policy", "strict"))
    return GroupSpec(
        primary_key=keys,
        event_time=event_time,
        partition_key=_names(options.get("partition_key", ())),
        declared_geometry=geometry
        if geometry is None or isinstance(geometry, str)
        else tuple(geometry),
        declared_crs=None if crs is None else crs_text(crs),
        parents=_labels(options.get("parents", ())),
        online=bool(options.get("online_enabled")),
        statistics=bool(options.get("statistics", True)),
        description=options.get("description", ""),
        descriptions=dict(options.get("columns") or {}),
        units=dict(options.get("units") or {}),
        expectations=check_expectations(options.get("expectations")),
        policy=policy,
        tags=_words("tags", options.get("tags", ())),
        keywords=_words("keywords", options.get("keywords", ())),
        owner=options.get("owner", ""),
    )


def check_version(version: object) -> None:
    """Raises InvalidInputError where this is not 1, 2, 3, ..."""
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InvalidInputError(
            f"version={version!r} is not a version", "Versions are 1, 2, 3, ..."
        )


def check_options(given: Mapping[str, object], known: type, needed: Sequence[str]) -> None:
    """A check of the names of options and of their kinds.

    Args:
        given: Options by name; what means the same in another kind is replaced (a list of NumPy's
            texts by one of Python's).
        known: The TypedDict that lists them.
        needed: Those that must be there.

    Raises:
        InvalidInputError: One is unknown, missing or of another kind.
    """
    allowed = list(known.__annotations__)
    for name in given:
        if name not in allowed:
            raise InvalidInputError(
                f"there is no option {name!r}", nearest(name, allowed, "options")
            )
    for name in needed:
        if name not in given:
            raise InvalidInputError(f"{name}= is missing", f"Pass {name}=.")
    assert isinstance(given, dict)  # the keywords of one call
    # Of one text nobody knows whether it is one tag or several.
    words = {k: v for k, v in given.items() if k in {"tags", "keywords"} and isinstance(v, str)}
    for option in ("columns", "units"):
        said = given.get(option)
        if isinstance(said, Mapping):  # nothing is said of some columns
            given[option] = {name: text for name, text in said.items() if text is not None}
    given.update(check_given(given, known) | words)


def _labels(parents: Sequence[GroupHandle]) -> tuple[str, ...]:
    found = [getattr(parent, "label", None) for parent in parents]
    for parent, label in zip(parents, found, strict=True):
        if not isinstance(label, str):
            raise InvalidInputError(
                f"parents holds {shown(parent)}, which is no feature group",
                "Give the groups themselves: parents=[ws.features.feature_group('spectra')].",
            )
    return tuple(map(str, found))


def _words(option: str, words: Sequence[str]) -> tuple[str, ...]:
    if isinstance(words, str) or not all(isinstance(w, str) and w.strip() for w in words):
        raise InvalidInputError(
            f"{option}={words!r} are no words", f"Give a list: {option}=['crops', '2024']."
        )
    return tuple(dict.fromkeys(w.strip() for w in words))


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a list in a description; none where it has no such list."""
    return tuple(str(v) for v in value) if isinstance(value, list) else ()


def _text_by_name(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}
