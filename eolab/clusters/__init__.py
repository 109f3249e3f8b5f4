"""Where work runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eolab.clusters.base import ClusterSpec, External, Placement
from eolab.errors import ConfigError, nearest

__all__ = ["Placement", "make_placement", "way_back"]

KINDS = ("local", "external", "spark")
LOOPBACK = "127.0.0.1"


def way_back(cluster: ClusterSpec) -> tuple[str, str]:
    """Where a study on this cluster listens, and the host that its workers are told.

    Example:
        >>> from eolab.clusters import way_back
        >>> way_back({"name": "local", "kind": "local", "home": "", "workers": 2})
        ('127.0.0.1', '127.0.0.1')
    """
    if cluster["kind"] != "spark":
        return LOOPBACK, LOOPBACK
    from eolab.clusters.spark import reach

    return reach.way_back(cluster)


def make_placement(
    cluster: ClusterSpec, run: Path, program: Path, settings: Mapping[str, object]
) -> Placement:
    """The placement of a study's workers.

    Args:
        cluster: What `study.json` says: ``kind`` and the options of that kind.
        run: The study's folder.
        program: The file that is the worker.
        settings: What each worker is told.

    Raises:
        ConfigError: An unknown kind.

    Example:
        >>> from eolab.clusters import make_placement
        >>> table = {"name": "mine", "kind": "external", "home": "", "workers": 2}
        >>> make_placement(table, study.folder, study.folder, {}).starts_workers
        False
    """
    kind = cluster["kind"]
    if kind == "local":
        from eolab.clusters.local import LocalPlacement

        return LocalPlacement(run, program, settings)
    if kind == "external":
        return External()
    if kind == "spark":
        from eolab.clusters.spark import SparkPlacement

        return SparkPlacement(cluster, run, program, settings)
    raise ConfigError(f"unknown kind of cluster {kind!r}", nearest(kind, KINDS, "kinds"))
