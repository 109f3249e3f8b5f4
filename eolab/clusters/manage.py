"""The workspace's clusters: what is configured, what runs, sessions for cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eolab.clusters.base import ClusterSpec, cluster_spec
from eolab.errors import InvalidInputError, NotFoundError, nearest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from eolab.clusters.spark.session import Found
    from eolab.settings.config import Config


class Clusters:
    """Clusters of `eolab.toml`, and "local" and "spark", which need no configuration.

    Args:
        config: The workspace.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def snapshot(self) -> list[dict[str, object]]:
        """Each cluster: ``name kind place state slots version``; no secrets.

        ``state`` is "running" or "stopped" for a server that eolab starts, "here" for processes of
        this machine, "elsewhere" for what others look after.
        """
        return [self._row(name) for name in self._config.clusters]

    def _row(self, name: str) -> dict[str, object]:
        cluster = self._config.clusters[name]
        row: dict[str, object] = {
            "name": name, "kind": cluster.kind, "place": "this machine", "state": "here",
            "slots": cluster.workers or None, "version": None,
        }  # fmt: skip
        if cluster.kind != "spark":
            return row
        from eolab.clusters.spark import server, session

        table = self.table(name)
        if not session.is_ours(table):
            place = str(table.get("connect") or table.get("master"))
            return {**row, "place": place, "state": "elsewhere"}
        found = server.find(session.server_folder(table))
        if found is None:
            return {**row, "place": "Spark Connect on this machine", "state": "stopped"}
        return {
            **row, "place": f"sc://localhost:{found.port}", "state": "running",
            "slots": found.worker_slots, "version": found.version,
        }  # fmt: skip

    def table(self, name: str) -> ClusterSpec:
        """What a placement or a session needs to know of a cluster.

        Raises:
            NotFoundError: No cluster of this name.
        """
        cluster = self._config.clusters.get(name)
        if cluster is None:
            raise NotFoundError(
                f"no cluster {name!r}", nearest(name, tuple(self._config.clusters), "clusters")
            )
        return cluster_spec(cluster, self._config.root)

    def start(self, name: str = "spark") -> dict[str, object]:
        """Start the Spark Connect server of a cluster that names no other; its row.

        Raises:
            InvalidInputError: The cluster is not ours to start.
            ConfigError, RemoteError: Spark is missing or does not start.
        """
        from eolab.clusters.spark import session

        session.start_server(self._ours(name))
        return self._row(name)

    def stop(self, name: str = "spark") -> bool:
        """Stop a server that `start`, a study or a cell has started; False where none runs."""
        from eolab.clusters.spark import kept_sessions, server, session

        folder = session.server_folder(self._ours(name))
        kept_sessions.forget(folder)
        return server.stop(folder)

    def session(self, name: str = "spark") -> SparkSession:
        """A Spark session on a cluster, for cells and scripts.

        Raises:
            InvalidInputError: The cluster has no Spark.
            ConfigError, RemoteError: It cannot be reached.
        """
        from eolab.clusters.spark import session

        return session.open_session(self._spark(name), name="eolab")

    def notebook_session(self, name: str, notebook: str) -> tuple[SparkSession, Found]:
        """The session that a notebook's cells have on a cluster, also after its kernel died.

        Args:
            name: The cluster.
            notebook: Path of the notebook; "" for shells without one, of which one at a time
                comes back to the session of the last.

        Returns:
            The session, and whether it is "new", the one of before ("back"), or new because that
            one has gone ("lost").

        Raises:
            InvalidInputError: The cluster has no Spark.
            ConfigError, RemoteError: It cannot be reached.
        """
        from eolab.clusters.spark import session

        return session.open_for_cells(self._spark(name), notebook)

    def _spark(self, name: str) -> ClusterSpec:
        table = self.table(name)
        if table["kind"] != "spark":
            names = tuple(n for n, c in self._config.clusters.items() if c.kind == "spark")
            raise InvalidInputError(
                f"cluster {name!r} has no Spark", f"Take one of: {', '.join(names)}."
            )
        return table

    def _ours(self, name: str) -> ClusterSpec:
        from eolab.clusters.spark import session

        table = self._spark(name)
        if not session.is_ours(table):
            raise InvalidInputError(
                f"cluster {name!r} is started and stopped elsewhere",
                "Only a cluster without connect= and master= is ours.",
            )
        return table
