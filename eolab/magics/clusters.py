"""`%clusters`: which clusters there are, starting and stopping ours, choosing one for cells."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from eolab.clusters.spark.patience import is_closed, refuses
from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql import SparkSession

    from eolab.facade import Workspace

USAGE = """%clusters list
%clusters start [NAME]    a Spark Connect server on this machine
%clusters stop [NAME]
%clusters use NAME        for %%spark and %%sql without a name"""
WORDS = ("list", "start", "stop", "use")


Address = tuple[str, int] | None


class Cells:
    """The sessions of this kernel's cells, one a cluster, and the cluster that they take."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.current = "spark"
        self._sessions: dict[str, tuple[SparkSession, Address]] = {}

    def workspace(self) -> Workspace:
        """The notebook's workspace: `ws`, else the one that counts here."""
        from eolab.facade import Workspace, workspace

        found = self.shell.user_ns.get("ws")
        return found if isinstance(found, Workspace) else workspace()

    def session(self, name: str | None) -> SparkSession:
        """The session on a cluster; opened at first, and again after its server has gone."""
        from eolab.clusters.spark.session import address_of

        name, ours = name or self.current, self.workspace().clusters
        held = self._sessions.get(name)
        if held is not None:
            session, address = held
            now = address_of(ours.table(name))
            # A server that was started again has another address, and does not know the session.
            closed = getattr(session, "is_stopped", False)  # by spark.stop() in a cell
            if now == address and not closed and (now is None or not refuses(*now)):
                return session
        session, found = ours.notebook_session(name, os.environ.get("JPY_SESSION_NAME", ""))
        if found == "back":
            print(f"back in this notebook's session on {name}: its views and settings are there")
        elif found == "lost" or held is not None:
            print(f"a new session on {name}: the one of before has gone, and its views with it")
        self._sessions[name] = session, address_of(ours.table(name))
        return session

    def has_lost_server(self, name: str | None) -> bool:
        """Whether the server of the session that a cell was given listens no more."""
        held = self._sessions.get(name or self.current)
        return held is not None and held[1] is not None and is_closed(*held[1])

    def forget(self, name: str) -> None:
        """Let go of a session whose server stops."""
        self._sessions.pop(name, None)


def register(shell: InteractiveShell, cells: Cells) -> None:
    """Make `%clusters` known to the shell."""

    def clusters(line: str) -> pd.DataFrame | None:
        return _clusters(cells, line)

    clusters.__doc__ = USAGE
    shell.register_magic_function(clusters, "line", "clusters")  # type: ignore[arg-type]


def _clusters(cells: Cells, line: str) -> pd.DataFrame | None:
    import pandas as pd

    words = shlex.split(line) or ["list"]
    if words[0] in {"-h", "--help"}:
        print(USAGE)
        return None
    if words[0] not in WORDS or len(words) > 2:
        raise InvalidInputError(f"%clusters {line}", nearest(words[0], WORDS, "words"))
    ours = cells.workspace().clusters
    name = words[1] if len(words) == 2 else "spark"
    if words[0] == "list":
        table = pd.DataFrame(ours.snapshot())
        table["for cells"] = ["*" if n == cells.current else "" for n in table["name"]]
        return table.astype(object).where(table.notna(), "")
    if words[0] == "start":
        row = ours.start(name)
        print(f"{name} runs at {row['place']} (Spark {row['version']}, {row['slots']} workers)")
    elif words[0] == "stop":
        cells.forget(name)
        print(f"{name} is stopped" if ours.stop(name) else f"{name} was not running")
    else:
        ours.table(name)  # an unknown name is an error now, not in the next cell
        cells.current = name
        print(f"%%spark and %%sql take {name}")
    return None
