"""What a group's Delta log tells of each commit: our own account of it travels in the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from eolab.errors import ConflictError

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import CommitProperties

FORMAT = 1
_META = "eolab"


@dataclass(frozen=True)
class Commit:
    """One change of a feature group.

    Attributes:
        version: The Delta table's version.
        time: When it was made, seconds since the epoch.
        operation: "insert", "delete", "optimize" or "vacuum".
        rows: Rows that it brought or deleted.
        new: Of these, rows whose key was not there.
        ingested: The newest ingestion time in the table, microseconds since the epoch.
        total: Rows of the group after it.
        changed: Whether the table holds several rows of one key.
        deleted: Whether rows were ever deleted.

    Example:
        >>> commit = fg.commits()[-1]
        >>> commit.operation, commit.rows, commit.new
        ('insert', 102, 102)
    """

    version: int
    time: float
    operation: str
    rows: int
    new: int
    ingested: int
    total: int
    changed: bool
    deleted: bool


class TableSnapshot(NamedTuple):
    """A table as it is: its files, its columns (the store's own too) and its newest commit."""

    files: list[str]
    schema: pa.Schema
    commit: Commit


def properties(commit: Commit) -> CommitProperties:
    """What Delta is to keep of a commit."""
    from deltalake import CommitProperties

    account = {"format": FORMAT, **asdict(commit)}
    return CommitProperties(custom_metadata={_META: json.dumps(account)})


def commit_of(entry: Mapping[str, object]) -> Commit:
    """The commit of an entry of `DeltaTable.history`.

    Raises:
        ConflictError: Somebody else wrote to the table.
    """
    try:
        account = json.loads(str(entry[_META]))
        assert account.pop("format") == FORMAT
        account["version"] = int(str(entry["version"]))
        return Commit(**account)
    except (KeyError, ValueError, TypeError, AssertionError) as error:
        raise ConflictError(
            f"commit {entry.get('version')} of the table was not made by this version of eolab",
            "Write to feature tables through feature groups only.",
        ) from error


def logged(file: Path) -> Commit:
    """The commit that a file of a Delta log tells of.

    Raises:
        ConflictError: Somebody else wrote to the table.
    """
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    info: dict[str, object] = next(
        (line["commitInfo"] for line in lines if "commitInfo" in line), {}
    )
    return commit_of({**info, "version": int(file.stem)})
