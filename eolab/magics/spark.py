"""`%%spark`: the cell runs here, with `spark` bound to a cluster's session.

%%spark [NAME] [-o FRAME ...] [-n ROWS]

-o hands a Spark data frame over as pandas, under the same name; -n takes at most so many rows. Time
stamps come with their zone, UTC.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from eolab import progress
from eolab.clusters.spark.patience import soon
from eolab.errors import InvalidInputError, RemoteError, nearest
from eolab.magics import spark_errors
from eolab.magics.cells import CellFailedError
from eolab.magics.flags import FlagParser, register_cell, variables

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql import DataFrame, SparkSession

    from eolab.magics.clusters import Cells

TAG = f"eolab-cell-{uuid.uuid4().hex[:12]}"  # of this kernel: others may share its session


class Stage(Protocol):
    """What Connect's progress handler tells of a stage."""

    num_tasks: int
    num_completed_tasks: int


def parser(prog: str, description: str | None) -> FlagParser:
    """Flags that `%%spark` and `%%sql` share."""
    made = FlagParser(prog, description)
    made.add_argument("name", nargs="?", help="cluster (default: that of %%clusters use)")
    made.add_argument("-o", "--output", action="append", default=[], help="variable for pandas")
    made.add_argument("-n", "--rows", type=int, help="take at most so many rows")
    return made


def register(shell: InteractiveShell, cells: Cells) -> None:
    """Make `%%spark` known to the shell."""

    def spark(line: str, cell: str) -> None:
        _spark(shell, cells, line, cell)

    register_cell(shell, "spark", spark, _parser)


def _parser() -> FlagParser:
    return parser("%%spark", __doc__)


def _spark(shell: InteractiveShell, cells: Cells, line: str, cell: str) -> None:
    options = _parser().read(line)
    if options is None:
        return
    session = cells.session(options.name)
    shell.user_ns["spark"] = session
    with watched(session, "spark") as finish:
        with spark_errors.short(shell):
            outcome = shell.run_cell(cell, store_history=False)
        if isinstance(outcome.error_in_exec, KeyboardInterrupt):
            interrupt(session)
        name = options.name or cells.current
        if not outcome.success:  # the shell has shown the error of the cell
            ended = "The cell ended with an error" + (
                ", nothing was fetched." if options.output else "."
            )
            raise _failed(ended, cells, name)
        for variable in options.output:
            try:
                found = to_pandas(variable, shell.user_ns, options.rows)
            except Exception as error:  # what is lazy fails now
                if type(error).__module__.partition(".")[0] != "pyspark":
                    raise
                lines = [*spark_errors.described(error), f"-o {variable}: nothing was fetched."]
                raise _failed("\n".join(lines), cells, name) from error
            shell.user_ns[variable] = found
        finish()


def _failed(ended: str, cells: Cells, name: str) -> CellFailedError:
    lost = f"\n{server_lost(name)}" if cells.has_lost_server(name) else ""
    return CellFailedError(ended + lost)


def to_pandas(name: str, names: dict[str, Any], rows: int | None) -> pd.DataFrame:
    """The Spark data frame of this name as pandas.

    Raises:
        InvalidInputError: There is no such variable, or it is no Spark data frame.
    """
    if name not in names:
        raise InvalidInputError(
            f"-o {name}: no such variable", nearest(name, variables(names), "variables")
        )
    frame = names[name]
    if not hasattr(frame, "toPandas"):
        raise InvalidInputError(
            f"-o {name} is a {type(frame).__name__}, not a Spark data frame",
            "Other variables are here already: the cell runs in this kernel.",
        )
    return collected(frame if rows is None else frame.limit(rows))


def collected(frame: DataFrame) -> pd.DataFrame:
    """A Spark data frame as pandas, its time stamps with their zone (UTC).

    Spark's own way gives wall-clock times of the session without a zone.
    """
    from pyspark.sql.types import TimestampType

    fields = frame.schema.fields
    times = [i for i, field in enumerate(fields) if isinstance(field.dataType, TimestampType)]
    if not times:
        plain: pd.DataFrame = frame.toPandas()
        return plain
    import numpy as np
    import pandas as pd

    # NumPy's "not a time" is the least number, and no number is rounded on the way.
    least = f"CAST({np.iinfo(np.int64).min} AS BIGINT)"
    named = frame.toDF(*[f"c{i}" for i in range(len(fields))])
    found: pd.DataFrame = named.selectExpr(
        *[
            f"coalesce(unix_micros(c{i}), {least}) AS c{i}" if i in times else f"c{i}"
            for i in range(len(fields))
        ]
    ).toPandas()
    for i in times:
        stamps = pd.Series(found[f"c{i}"].to_numpy().astype("datetime64[us]"), found.index)
        found[f"c{i}"] = stamps.dt.tz_localize("UTC")
    return found.set_axis([field.name for field in fields], axis=1)


def server_lost(name: str) -> RemoteError:
    """What is said when the server of a cluster has ended under a cell."""
    return RemoteError(
        f"the Spark server of {name} has gone, and with it what ran there and its views",
        "Run the cells again that make them: the next one takes the server that is there then.",
    )


@contextlib.contextmanager
def watched(session: SparkSession, label: str) -> Iterator[Callable[[], None]]:
    """Draw the progress of what the session runs meanwhile; an interrupt cancels it there.

    Yields:
        What to call when all went well: a bar is drawn to its end then only.
    """
    bar = progress.start(label)
    tasks = 0

    def draw(
        stages: Iterable[Stage] | None, inflight_tasks: int, operation_id: str | None, done: bool
    ) -> None:
        nonlocal tasks
        del operation_id
        found = list(stages or ())
        total = sum(s.num_tasks for s in found)
        if total and not done:
            tasks = total
            # Spark counts failed attempts as completed: tasks that are tried again.
            ended = sum(min(s.num_completed_tasks, s.num_tasks) for s in found)
            again = sum(max(s.num_completed_tasks - s.num_tasks, 0) for s in found)
            text = f"{inflight_tasks} tasks running" + (f", {again} tried again" if again else "")
            # It may be the last one that failed: only `finish` knows that all went well.
            bar.update(min(ended, total - 1), total, text)

    def finish() -> None:
        if tasks:
            bar.update(tasks, tasks, "")

    by_connect = "connect" in type(session).__module__  # classic Spark has no such handlers
    session.addTag(TAG)
    if by_connect:
        session.registerProgressHandler(draw)  # type: ignore[arg-type]
    try:
        yield finish
    except KeyboardInterrupt:
        interrupt(session)
        raise
    finally:
        if by_connect:
            session.removeProgressHandler(draw)  # type: ignore[arg-type]
        session.removeTag(TAG)
        bar.close()


def interrupt(session: SparkSession) -> None:
    """Cancel on the cluster what a cell of this kernel has started."""
    soon(session.interruptTag)(TAG)
