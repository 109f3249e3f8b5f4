"""`%%sql`: the cell is a query for a cluster; its rows come back as a table.

%%sql [NAME] [-o VARIABLE] [-n ROWS]

Shows the first 100 rows (-n: so many); -o keeps all of them, or -n, as pandas instead. Time stamps
come with their zone, UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError
from eolab.magics import spark_errors
from eolab.magics.flags import FlagParser, register_cell
from eolab.magics.spark import collected, parser, server_lost, watched

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.magics.clusters import Cells

SHOWN_ROWS = 100


def register(shell: InteractiveShell, cells: Cells) -> None:
    """Make `%%sql` known to the shell."""

    def sql(line: str, cell: str) -> pd.DataFrame | None:
        return _sql(shell, cells, line, cell)

    register_cell(shell, "sql", sql, _parser)


def _parser() -> FlagParser:
    return parser("%%sql", __doc__)


def _sql(shell: InteractiveShell, cells: Cells, line: str, cell: str) -> pd.DataFrame | None:
    options = _parser().read(line)
    if options is None:
        return None
    query = cell.strip().rstrip(";")
    if not query:
        raise InvalidInputError("the cell holds no query", "Write SQL below %%sql.")
    if len(options.output) > 1:
        raise InvalidInputError("%%sql has one result", "Give -o once.")
    session = cells.session(options.name)
    with watched(session, "sql") as finish, spark_errors.short(shell):
        try:
            frame = session.sql(query)
            rows = options.rows or (None if options.output else SHOWN_ROWS)
            found = collected(frame if rows is None else frame.limit(rows))
            finish()
        except Exception as error:
            if cells.has_lost_server(options.name):
                raise server_lost(options.name or cells.current) from error
            if type(error).__module__.partition(".")[0] != "pyspark":
                raise
            raise InvalidInputError(spark_errors.cause(error), "Mend the query.") from error
    if options.output:
        shell.user_ns[options.output[0]] = found
        return None
    return found
