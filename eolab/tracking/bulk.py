"""Whole runs into MLflow's own database, hundreds in one transaction.

MLflow's client has no call for many runs: making one, its batch and its end are six transactions,
20 ms of processor at least. Where the store is a database that we reach ourselves, runs that have
ended are written as MLflow would have left them, with MLflow's own table models; what is the same
for all runs of a study is taken from a run that MLflow made. `tests/test_tracking.py` holds both
ways to each other. Everything else goes through the client.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from eolab.tracking.store import Point, as_key, as_text

if TYPE_CHECKING:
    from sqlalchemy import Engine

Row: TypeAlias = dict[str, object]
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
AT_ONCE = 250


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended.

    Attributes:
        name: As it stands in MLflow.
        status: "FINISHED", "FAILED" or "KILLED".
        started: Milliseconds since the epoch.
        ended: Milliseconds since the epoch.
        params: Its parameters.
        tags: Its tags.
        points: Its metrics.
    """

    name: str
    status: str
    started: int
    ended: int | None
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    points: Sequence[Point] = ()


def open_engine(uri: str) -> Engine | None:
    """MLflow's database, or None where ``uri`` names a server."""
    if uri.partition(":")[0].partition("+")[0] not in DATABASES:
        return None
    from sqlalchemy import create_engine

    return create_engine(uri, pool_pre_ping=True)


def write_runs(engine: Engine, like: str, runs: Sequence[EndedRun]) -> list[str]:
    """Write runs, all or none.

    Args:
        engine: See `open_engine`.
        like: Id of a run that MLflow made, in whose experiment they are.
        runs: What is written.

    Returns:
        Their ids.
    """
    from mlflow.store.tracking.dbmodels import models
    from sqlalchemy import insert, select
    from sqlalchemy.orm import Session

    ids = [uuid.uuid4().hex for _ in runs]
    heads: list[Row] = []
    tags: list[Row] = []
    params: list[Row] = []
    metrics: list[Row] = []
    latest: list[Row] = []
    with Session(engine) as session, session.begin():
        table = models.SqlRun.__table__
        row = session.execute(select(table).where(table.c.run_uuid == like)).mappings().one()
        for own, run in zip(ids, runs, strict=True):
            heads.append(
                {
                    **row, "run_uuid": own, "name": run.name, "status": run.status,
                    "start_time": run.started, "end_time": run.ended,
                    "artifact_uri": str(row["artifact_uri"]).replace(like, own),
                }
            )  # fmt: skip
            marks = {"mlflow.runName": run.name, **run.tags}
            tags += [_word(own, key, as_text(value)) for key, value in marks.items()]
            known = {as_key(key): as_text(value) for key, value in run.params.items()}
            params += [_word(own, key, value) for key, value in known.items()]
            last: dict[str, Row] = {}
            # By the names that MLflow keeps: where it cannot tell two apart, equal points are one.
            points = {
                (as_key(key), value, at, step)
                for key, value, at, step in run.points
                if math.isfinite(value)
            }
            for name, value, at, step in sorted(points, key=lambda p: (p[3], p[2], p[1])):
                point = {"timestamp": at, "step": step, "is_nan": False}
                last[name] = {"run_uuid": own, "key": name, "value": value, **point}
                metrics.append(last[name])
            latest += last.values()
        for model, rows in (
            (models.SqlRun, heads), (models.SqlTag, tags), (models.SqlParam, params),
            (models.SqlMetric, metrics), (models.SqlLatestMetric, latest),
        ):  # fmt: skip
            if rows:
                session.execute(insert(model.__table__), rows)
    return ids


def _word(run: str, key: str, value: str) -> Row:
    return {"run_uuid": run, "key": key, "value": value}
