"""Expectations: conditions that every row of a group must meet, checked at insert.

They are SQL on the group's columns, checked by the engine that is there anyway; a validation
library would bring its own schema language and a second engine for the same question.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from eolab.errors import InvalidInputError
from eolab.features.storage.arrow import OWN
from eolab.features.storage.duckdb import connect, parquet, run
from eolab.files import writes

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Policy = Literal["strict", "warn"]
POLICIES: tuple[Policy, ...] = ("strict", "warn")
_SHOWN = 10
FORMAT = 1
FILE = "validation.jsonl"
_BROKEN = f"{OWN}broken"
Outcome = Literal["met", "warned", "refused"]


class Unexpected(UserWarning):
    """Rows that do not meet a group's expectations, with policy "warn"."""


class UnexpectedRows(InvalidInputError):
    """Rows that do not meet a group's expectations, with policy "strict".

    Attributes:
        rows: The ten worst rows: those that break most expectations; None after unpickling.
    """

    rows: pd.DataFrame | None = None


@dataclass(frozen=True)
class Validation:
    """What a check of rows against expectations found.

    Attributes:
        failed: How many rows break each expectation, by name; only those that are broken.
        rows: The ten worst rows, those that break most first, with ``_broken`` (their number).
        total: Rows that were looked at.
    """

    failed: Mapping[str, int]
    rows: pd.DataFrame
    total: int

    def __str__(self) -> str:
        found = "; ".join(f"{name}: {count} rows" for name, count in self.failed.items())
        return f"{found}\n{self.rows.to_string(index=False, max_colwidth=30)}"


@dataclass(frozen=True)
class Check:
    """How one insert met a group's expectations.

    Attributes:
        time: When, seconds since the epoch.
        rows: Rows that were to be inserted.
        outcome: "met"; "warned" (inserted all the same); "refused" (nothing was inserted).
        failed: How many rows broke each expectation, by name; only those that were broken.
        expectations: How many expectations there were.
        commit: The commit that brought the rows; None where they were refused.
    """

    time: float
    rows: int
    outcome: Outcome
    failed: Mapping[str, int]
    expectations: int
    commit: int | None


def note(
    folder: Path, rows: int, failed: Mapping[str, int], expectations: int, commit: int | None
) -> None:
    """Append one check to the group's history; processes may append at once (one write a call)."""
    outcome: Outcome = "met" if not failed else "refused" if commit is None else "warned"
    check = Check(time.time(), rows, outcome, dict(failed), expectations, commit)
    line = json.dumps({"v": FORMAT, **asdict(check)})
    # The rows are in (or refused) by now: a history that cannot be written must not undo that.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        writes.append(folder / FILE, line)


def history(folder: Path) -> list[Check]:
    """The checks of a group, oldest first; a torn or foreign line is passed over."""
    out = []
    with contextlib.suppress(FileNotFoundError):
        for line in (folder / FILE).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                if entry.pop("v") == FORMAT:
                    out.append(Check(**entry))
    return out


def validate(
    rows: pa.Table | Sequence[str], expectations: Mapping[str, str], folder: Path
) -> Validation | None:
    """Check rows; None where all expectations are met.

    Args:
        rows: What is to be inserted: a table, or parquet files.
        expectations: SQL conditions by name; a condition that is neither true nor false (a value is
            missing) counts as met: add ``AND ndvi IS NOT NULL`` where it must be there.
        folder: For rows that do not fit in memory.

    Raises:
        InvalidInputError: A condition is not valid SQL on the columns.
    """
    if not expectations or not len(rows):
        return None
    names = list(expectations)
    broken = [f"CAST(NOT coalesce(({expectations[n]}), true) AS INTEGER)" for n in names]
    with connect(folder) as con:
        if isinstance(rows, Sequence):
            con.execute(f"CREATE TEMP VIEW incoming AS SELECT * FROM {parquet(rows)}")
        else:
            con.register("incoming", rows)
        sums = ", ".join(f"sum({b})" for b in broken)
        total, *counts = run(con, f"SELECT count(*), {sums} FROM incoming").to_pylist()[0].values()
        failed = {n: int(c or 0) for n, c in zip(names, counts, strict=True) if c}
        if not failed:
            return None
        number = " + ".join(broken)
        worst = run(
            con,
            f"SELECT *, {number} AS {_BROKEN} FROM incoming WHERE {number} > 0 "
            f"ORDER BY {_BROKEN} DESC LIMIT {_SHOWN}",
        )
    shown = "_broken"
    while shown in worst.column_names:
        shown += "_"
    worst = worst.rename_columns([*worst.column_names[:-1], shown])
    return Validation(failed, worst.to_pandas(), int(total))


def check_policy(policy: object) -> Policy:
    """A policy that is one.

    Raises:
        InvalidInputError: It is not.
    """
    for known in POLICIES:
        if policy == known:
            return known
    raise InvalidInputError(f"unknown policy {policy!r}", "Use 'strict' or 'warn'.")


def check_expectations(expectations: Mapping[str, str] | None) -> dict[str, str]:
    """Expectations as they are kept.

    Raises:
        InvalidInputError: A condition that is no text.
    """
    for name, condition in (expectations or {}).items():
        if not isinstance(condition, str) or not condition.strip():
            raise InvalidInputError(
                f"the expectation {name!r} is no condition", "Write SQL: 'ndvi BETWEEN -1 AND 1'."
            )
    return dict(expectations or {})
