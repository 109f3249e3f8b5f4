"""Where work runs: what every kind of cluster must do for a study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict, cast

if TYPE_CHECKING:
    from eolab.settings.config import ClusterConfig


class ClusterSpec(TypedDict):
    """A cluster as placements and sessions get it, and as `study.json` has it.

    Attributes:
        name: Its name in `eolab.toml`.
        kind: "local", "external" or "spark".
        home: Folder for what a server of ours keeps.
        workers: How many it carries by default; 0 for what fits.

    The other keys are the options of its table (see `eolab.settings.clusters`).
    """

    name: str
    kind: str
    home: str
    workers: int
    connect: NotRequired[str]
    token_env: NotRequired[str]
    master: NotRequired[str]
    conf: NotRequired[dict[str, str]]
    python: NotRequired[str]
    cpus: NotRequired[int]
    gpus: NotRequired[int]
    memory: NotRequired[str]
    advertise: NotRequired[str]
    mailbox: NotRequired[str]
    paths: NotRequired[dict[str, str]]


def cluster_spec(cluster: ClusterConfig, root: Path) -> ClusterSpec:
    """What a placement or a session needs to know of a cluster.

    Args:
        cluster: As `eolab.toml` has it, its options checked.
        root: The workspace's folder.
    """
    table: dict[str, object] = {
        "name": cluster.name,
        "kind": cluster.kind,
        "home": str(root / "clusters" / cluster.name),
        "workers": cluster.workers,
        **cluster.options,
    }
    return cast("ClusterSpec", table)


class Placement(ABC):
    """Workers of one study on one cluster.

    Contract: used by one thread, never blocks for longer than a moment; a worker has the name that
    it was added under; nothing of it is left after `stop`. A placement knows nothing of trials.

    Attributes:
        has_eolab: Whether eolab can be imported where the workers run.
        starts_workers: False where workers come by themselves.
        shares_slots: Whether others may hold the places that workers wait for.

    Example:
        >>> from eolab.clusters import Placement
        >>> class Nowhere(Placement):
        ...     starts_workers = False
        ...     def add(self, worker): ...
        ...     def ended_workers(self): return iter(())
        ...     def stop(self): ...
        >>> Nowhere().trouble()
        ''
    """

    has_eolab: bool = True
    starts_workers: bool = True
    shares_slots: bool = False

    @abstractmethod
    def add(self, worker: str) -> None:
        """Start one more worker."""

    @abstractmethod
    def ended_workers(self) -> Iterator[tuple[str, str]]:
        """Workers that have ended since the last call, each with the reason."""

    def trouble(self) -> str:
        """Why no worker can start, told once; nothing where they can."""
        return ""

    @abstractmethod
    def stop(self) -> None:
        """End all workers, kindly first; returns when they are gone."""


class External(Placement):
    """Workers that somebody else starts (`python supervisor.py SETTINGS.json`)."""

    starts_workers = False

    def add(self, worker: str) -> None:
        """Nothing to start."""

    def ended_workers(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def stop(self) -> None:
        """They leave when the study tells them."""
