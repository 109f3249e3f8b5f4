"""What `eolab.toml` may say of a cluster, besides its kind and number of workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eolab.errors import ConfigError

if TYPE_CHECKING:
    from eolab.settings.tables import Section

# Options of clusters of kind "spark", with their types. Without `connect` and `master` eolab starts
# a Spark Connect server on this machine.
CLUSTER_OPTIONS: Mapping[str, type] = {
    "connect": str,  # sc://host:port of a Spark Connect server
    "token_env": str,  # environment variable that holds its token
    "master": str,  # or a classic master: spark://host:port, yarn, k8s://..., local[8]
    "conf": dict,  # Spark options, as text
    "python": str,  # interpreter on the executors
    "cpus": int,  # for each worker, by Spark's resource requests
    "gpus": int,
    "memory": str,
    "advertise": str,  # host name or address of this machine as executors see it
    "mailbox": str,  # folder or URL that both see, where executors cannot dial back
    "paths": dict,  # folders here to folders there, for data that is given as a path
}


def read_options(section: Section, kind: str) -> dict[str, object]:
    """The options of a cluster, each of its type.

    Raises:
        ConfigError: An option of another kind of cluster, of another type, or with a secret in it.
    """
    found: dict[str, object] = {}
    for name, type_ in CLUSTER_OPTIONS.items():
        if name not in section.value:
            continue
        full = f"{section.file}: {section.key}.{name}"
        if kind != "spark":
            raise ConfigError(
                f"{full} is for clusters of kind 'spark'", 'Add kind = "spark", or remove it.'
            )
        value: object = section.get(name, type_)
        if isinstance(value, dict) and not all(isinstance(v, str) for v in value.values()):
            raise ConfigError(
                f"{full}: allowed are texts only", 'Put each value in quotes: key = "4".'
            )
        found[name] = value
    if "connect" in found and "master" in found:
        raise ConfigError(
            f"{section.file}: {section.key} has both connect and master", "Leave one of them out."
        )
    if "token=" in str(found.get("connect", "")):
        raise ConfigError(
            f"{section.file}: {section.key}.connect holds a token",
            'Put it into an environment variable and name that: token_env = "MY_TOKEN".',
        )
    return found
