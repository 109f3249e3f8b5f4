"""eolab: the life cycle of AI on Earth Observation data, inside JupyterLab.

    import eolab as eo
    ws = eo.workspace()

Names are loaded when first used, so that this import stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from eolab import first_cube, moved_modules

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.accuracy import assess as assess
    from eolab.accuracy import sample_design as sample_design
    from eolab.catalog import clear_fraction as clear_fraction
    from eolab.catalog import download as download
    from eolab.catalog import estimate_load as estimate_load
    from eolab.catalog import explore as explore
    from eolab.catalog import ingest as ingest
    from eolab.catalog import load as load
    from eolab.catalog import mask as mask
    from eolab.catalog import preview_ingest as preview_ingest
    from eolab.errors import EolabError as EolabError
    from eolab.facade import workspace as workspace
    from eolab.features import Chips as Chips
    from eolab.features import Column as Column
    from eolab.features import SpatialBlocks as SpatialBlocks
    from eolab.features import TimeSplit as TimeSplit
    from eolab.features import check_leakage as check_leakage
    from eolab.features import cross_validate as cross_validate
    from eolab.features import find_label_issues as find_label_issues
    from eolab.features import on_demand_transformation as on_demand_transformation
    from eolab.features import open_chips as open_chips
    from eolab.features import seasonal_features as seasonal_features
    from eolab.studies import Reporter as Reporter
    from eolab.studies import choice as choice
    from eolab.studies import integer as integer
    from eolab.studies import loguniform as loguniform
    from eolab.studies import ordinal as ordinal
    from eolab.studies import uniform as uniform

    __version__: str

moved_modules.install()
first_cube.when_loaded(lambda: importlib.import_module("eolab.accessor"))

_HOMES = {
    "Chips": "eolab.features",
    "Column": "eolab.features",
    "EolabError": "eolab.errors",
    "Reporter": "eolab.studies",
    "SpatialBlocks": "eolab.features",
    "TimeSplit": "eolab.features",
    "assess": "eolab.accuracy",
    "check_leakage": "eolab.features",
    "choice": "eolab.studies",
    "clear_fraction": "eolab.catalog",
    "cross_validate": "eolab.features",
    "download": "eolab.catalog",
    "estimate_load": "eolab.catalog",
    "explore": "eolab.catalog",
    "find_label_issues": "eolab.features",
    "ingest": "eolab.catalog",
    "integer": "eolab.studies",
    "load": "eolab.catalog",
    "loguniform": "eolab.studies",
    "mask": "eolab.catalog",
    "on_demand_transformation": "eolab.features",
    "open_chips": "eolab.features",
    "ordinal": "eolab.studies",
    "preview_ingest": "eolab.catalog",
    "sample_design": "eolab.accuracy",
    "seasonal_features": "eolab.features",
    "uniform": "eolab.studies",
    "workspace": "eolab.facade",
}
_RENAMED = {
    "Blocks": "SpatialBlocks",
    "Times": "TimeSplit",
    "discrete": "ordinal",
    "fold_scores": "cross_validate",
    "plan": "estimate_load",
    "seasonal": "seasonal_features",
    "suspect_labels": "find_label_issues",
    "transformation": "on_demand_transformation",
}

__all__ = [
    "Chips",
    "Column",
    "EolabError",
    "Reporter",
    "SpatialBlocks",
    "TimeSplit",
    "assess",
    "check_leakage",
    "choice",
    "clear_fraction",
    "cross_validate",
    "download",
    "estimate_load",
    "explore",
    "find_label_issues",
    "ingest",
    "integer",
    "load",
    "load_ipython_extension",
    "loguniform",
    "mask",
    "on_demand_transformation",
    "open_chips",
    "ordinal",
    "preview_ingest",
    "sample_design",
    "seasonal_features",
    "uniform",
    "workspace",
]


if not TYPE_CHECKING:  # a type checker takes any name for a module that has one

    def __getattr__(name: str) -> object:
        if name == "__version__":
            return importlib.import_module("eolab.version").version()
        if name in _RENAMED:
            from eolab.deprecation import warn_renamed

            warn_renamed(f"eolab.{name}", f"eolab.{_RENAMED[name]}")
            name = _RENAMED[name]
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'eolab' has no attribute {name!r}")
        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return list(__all__)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext eolab`: the magics, the live views and the `.eo` accessor."""
    from eolab.magics import register

    register(shell)


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from eolab.server import EolabApp

    return [{"module": "eolab.server", "app": EolabApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "eolab"}]
