"""Where work runs: what every kind of cluster must do for a study."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator


class Placement(ABC):
    """Workers of one study on one cluster.

    Contract: used by one thread, never blocks for longer than a moment; a worker has the name that
    it was added under; nothing of it is left after `stop`. A placement knows nothing of trials.

    Attributes:
        has_eolab: Whether eolab can be imported where the workers run.
        starts_workers: False where workers come by themselves.
        shares_slots: Whether others may hold the places that workers wait for.
    """

    has_eolab: bool = True
    starts_workers: bool = True
    shares_slots: bool = False

    @abstractmethod
    def add(self, worker: str) -> None:
        """Start one more worker."""

    @abstractmethod
    def gone(self) -> Iterator[tuple[str, str]]:
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

    def gone(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def stop(self) -> None:
        """They leave when the study tells them."""
