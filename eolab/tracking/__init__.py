"""MLflow: its client, and the process that feeds studies into it."""

from __future__ import annotations

from eolab.tracking.feeder import Feeder, feed
from eolab.tracking.store import client, exists, experiment, log, open_client, session, shown

__all__ = [
    "Feeder",
    "client",
    "exists",
    "experiment",
    "feed",
    "log",
    "open_client",
    "session",
    "shown",
]
