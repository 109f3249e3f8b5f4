"""How workers reach the study: which address it listens on, and which one they are told."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from eolab.clusters.base import ClusterSpec

LOOPBACK = "127.0.0.1"


def way_back(cluster: ClusterSpec) -> tuple[str, str]:
    """Where a study on this cluster listens, and the host that its workers are told.

    Loopback wherever that is enough. Else the configured ``advertise``, or this machine's address
    on the way to the cluster (found without sending anything).
    """
    if cluster.get("advertise"):
        host = str(cluster["advertise"])
        return (LOOPBACK if host in {LOOPBACK, "localhost"} else "0.0.0.0"), host  # noqa: S104
    there = urlsplit(str(cluster.get("connect") or cluster.get("master") or "")).hostname
    if cluster["kind"] != "spark" or _is_local(cluster) or there in {LOOPBACK, "localhost", "::1"}:
        return LOOPBACK, LOOPBACK
    found = _address_towards(there or "192.0.2.1")
    return (LOOPBACK if found == LOOPBACK else "0.0.0.0"), found  # noqa: S104


def _is_local(cluster: ClusterSpec) -> bool:
    master = str(cluster.get("master") or "")
    return not cluster.get("connect") and (not master or master.startswith("local"))


def _address_towards(host: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))  # a datagram socket that connects sends nothing
        except OSError:
            return LOOPBACK
        return str(probe.getsockname()[0])
