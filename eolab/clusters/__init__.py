"""Where work runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eolab.clusters.base import External, Placement
from eolab.errors import ConfigError, nearest

__all__ = ["Placement", "make_placement"]

KINDS = ("local", "external")


def make_placement(
    cluster: Mapping[str, Any], run: Path, program: Path, settings: Mapping[str, Any]
) -> Placement:
    """The placement of a study's workers.

    Args:
        cluster: What `study.json` says: ``kind`` and the options of that kind.
        run: The study's folder.
        program: The file that is the worker.
        settings: What each worker is told.

    Raises:
        ConfigError: An unknown kind.
    """
    kind = str(cluster["kind"])
    if kind == "local":
        from eolab.clusters.local import LocalPlacement

        return LocalPlacement(run, program, settings)
    if kind == "external":
        return External()
    raise ConfigError(f"unknown kind of cluster {kind!r}", nearest(kind, KINDS, "kinds"))
