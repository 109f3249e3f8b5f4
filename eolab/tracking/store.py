"""MLflow's client: the one file that wraps it."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eolab.errors import ConfigError, RemoteError
from eolab.files import disk, locks

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from eolab.settings.config import Config

METRICS_A_BATCH, PARAMS_A_BATCH, LONGEST = 1_000, 100, 6_000

# A metric of a run: name, value, time in milliseconds since the epoch, step.
Point = tuple[str, float, int, int]

_clients: dict[str, MlflowClient] = {}


def open_client(uri: str, root: Path) -> MlflowClient:
    """The MLflow client of a workspace; its database is made at the first call (some seconds).

    Args:
        uri: The tracking address, ``sqlite:///...`` by default.
        root: The workspace, in which the making of the database is locked.

    Raises:
        RemoteError: MLflow cannot be reached, or its database is newer or damaged.
    """
    if uri in _clients:
        return _clients[uri]
    # MLflow calls home unless it is switched off; a workspace works without a network.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        with locks.locked(root / ".mlflow.lock", required=False):
            client = MlflowClient(tracking_uri=uri)
            # The store is made on first use: two processes must not make it at once.
            client.get_experiment_by_name("Default")
    except ImportError as error:
        raise ConfigError(
            f"{shown(uri)} needs a driver: {error}", "Install it, or mend workspace.tracking."
        ) from error
    except (MlflowException, OSError) as error:
        raise RemoteError(
            f"MLflow at {shown(uri)} does not work: {error}", "Check workspace.tracking."
        ) from error
    _clients[uri] = client
    return client


def client(config: Config) -> MlflowClient:
    """The MLflow client of this workspace (see `open_client`)."""
    return open_client(config.mlflow_uri, config.root)


@contextlib.contextmanager
def session(config: Config) -> Iterator[MlflowClient]:
    """The client, with MLflow's and the database's faults as `RemoteError`."""
    with translate_errors(config.mlflow_uri):
        yield client(config)


@contextlib.contextmanager
def translate_errors(uri: str) -> Iterator[None]:
    """MLflow's and the database's faults, raised as `RemoteError`."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        hint = "Try again in a moment."
        if (reason := disk.trouble(error)) != "":
            hint = "Make room." if reason == "full" else "Check the permissions of its folder."
        raise RemoteError(f"MLflow at {shown(uri)} failed: {said}", hint) from error


def shown(uri: str) -> str:
    """An address without its password."""
    return re.sub(r"//[^/@]*@", "//...@", uri)


def exists(config: Config) -> bool:
    """Whether there is anything to ask: without a file nothing was written yet."""
    return config.tracking_uri is not None or (config.root / "mlflow.db").is_file()


def experiment(client: MlflowClient, name: str, root: Path) -> str:
    """The id of an experiment by name; made, or brought back from the bin, where needed."""
    from mlflow.exceptions import MlflowException

    for _ in range(2):
        found = client.get_experiment_by_name(name)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        # MLflow would note a folder below the working directory of whoever was first; a server
        # has a place of its own.
        local = client.tracking_uri.startswith("sqlite:")
        place = (root / "mlflow").as_uri() if local else None
        try:
            return str(client.create_experiment(name, artifact_location=place))
        except MlflowException:
            continue  # another process was first
    raise RemoteError(f"MLflow cannot make the experiment {name!r}", "Try again.")


def log(
    client: MlflowClient,
    run: str,
    *,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write metrics without steps, parameters and tags of a run."""
    now = int(time.time() * 1000)
    points = [(name, float(value), now, 0) for name, value in (metrics or {}).items()]
    log_points(client, run, points, params or {}, tags or {})


def log_points(
    client: MlflowClient,
    run: str,
    points: Sequence[Point],
    params: Mapping[str, object],
    tags: Mapping[str, str],
) -> None:
    """Write metrics, parameters and tags of a run in as few batches as MLflow allows."""
    from mlflow.entities import Metric, Param, RunTag

    metrics = [Metric(as_key(n), v, t, s) for n, v, t, s in points if math.isfinite(v)]
    # Names that MLflow cannot tell apart would make it refuse all of them: the last one stays.
    known = {as_key(name): as_text(value) for name, value in params.items()}
    values = [Param(name, value) for name, value in known.items()]
    marks = [RunTag(k, as_text(v)) for k, v in tags.items()]
    while metrics or values or marks:
        client.log_batch(
            run,
            metrics=metrics[:METRICS_A_BATCH],
            params=values[:PARAMS_A_BATCH],
            tags=marks[:PARAMS_A_BATCH],
        )
        del metrics[:METRICS_A_BATCH], values[:PARAMS_A_BATCH], marks[:PARAMS_A_BATCH]


def as_key(name: str) -> str:
    """MLflow allows letters, digits and ``_ - . space : /`` in names, at most 250."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in name)[:250] or "_"


def as_text(value: object) -> str:
    """A parameter's or tag's value as MLflow keeps it.

    Names of files that are no UTF-8 stand in errors as halves of letters, which no database takes.
    """
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode()[:LONGEST]


def runs_of(
    client: MlflowClient, experiment: str, identity: str
) -> Iterator[tuple[dict[str, str], str, int | None]]:
    """Tags, id and end of each run of a study."""
    token = None
    while True:
        page = client.search_runs(
            [experiment],
            filter_string=f"tags.`eolab.study_id` = '{identity}'",
            max_results=1_000,
            page_token=token,
        )
        for run in page:
            yield dict(run.data.tags), str(run.info.run_id), run.info.end_time
        token = page.token
        if not token:
            return
