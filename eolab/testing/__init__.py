"""Contract suites: what every source, engine, placement, transport, sampler and stop rule promises.

Write a class of tests that inherits a contract and overrides its one fixture; pytest runs what the
parts of eolab themselves are held to against yours.

    from eolab.testing import SamplerContract

    class TestMySampler(SamplerContract):
        @pytest.fixture
        def sampler(self):
            return MySampler

| contract | for | fixture to override |
| --- | --- | --- |
| `SourceContract` | a subclass of `eolab.catalog.Source` | `source` |
| `QueryContract` | an engine that inserts and reads features | `engine` |
| `SamplerContract` | a sampler of your own for `tune` | `sampler` |
| `StopRuleContract` | a stop rule of your own for `tune` | `rule` |
| `PlacementContract` | a way to start workers | `start` |
| `TransportContract` | a way between workers and their study | `make` (a method) |
| `ClusterContract` | a table of your `eolab.toml` that names a cluster | `table` |

pytest is needed as soon as one of these names is used, and not before.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.testing.clusters import ClusterContract as ClusterContract
    from eolab.testing.engines import FeatureEngine as FeatureEngine
    from eolab.testing.engines import QueryContract as QueryContract
    from eolab.testing.placements import PlacementContract as PlacementContract
    from eolab.testing.samplers import SamplerContract as SamplerContract
    from eolab.testing.sources import SourceContract as SourceContract
    from eolab.testing.stop_rules import StopRuleContract as StopRuleContract
    from eolab.testing.transports import EchoStudy as EchoStudy
    from eolab.testing.transports import TransportContract as TransportContract

_HOMES = {
    "ClusterContract": "eolab.testing.clusters",
    "EchoStudy": "eolab.testing.transports",
    "FeatureEngine": "eolab.testing.engines",
    "PlacementContract": "eolab.testing.placements",
    "QueryContract": "eolab.testing.engines",
    "SamplerContract": "eolab.testing.samplers",
    "SourceContract": "eolab.testing.sources",
    "StopRuleContract": "eolab.testing.stop_rules",
    "TransportContract": "eolab.testing.transports",
}

__all__ = [
    "ClusterContract",
    "EchoStudy",
    "FeatureEngine",
    "PlacementContract",
    "QueryContract",
    "SamplerContract",
    "SourceContract",
    "StopRuleContract",
    "TransportContract",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'eolab.testing' has no attribute {name!r}")
    if importlib.util.find_spec("pytest") is None:
        raise ImportError(f"eolab.testing.{name} needs pytest. Run `pip install pytest`.")
    import pytest

    if home not in sys.modules:
        # A failing assert of a contract then shows its values, as in a test file.
        pytest.register_assert_rewrite(home)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
