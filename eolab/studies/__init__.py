"""Studies: many trials of a train function, in parallel, that lose nothing.

Names are loaded when first used: the Jupyter server imports `eolab.studies.journal.files` only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.studies.client.fitted_model import FittedModel as FittedModel
    from eolab.studies.client.study import Study as Study
    from eolab.studies.client.tune import (
        list_studies as list_studies,
    )
    from eolab.studies.client.tune import (
        open_study as open_study,
    )
    from eolab.studies.client.tune import (
        tune as tune,
    )
    from eolab.studies.samplers.base import Sampler as Sampler
    from eolab.studies.space.parameters import (
        choice as choice,
    )
    from eolab.studies.space.parameters import (
        integer as integer,
    )
    from eolab.studies.space.parameters import (
        loguniform as loguniform,
    )
    from eolab.studies.space.parameters import (
        ordinal as ordinal,
    )
    from eolab.studies.space.parameters import (
        uniform as uniform,
    )
    from eolab.studies.space.space import Space as Space
    from eolab.studies.worker.reporter import Reporter as Reporter

_HOMES = {
    "FittedModel": "client.fitted_model",
    "Reporter": "worker.reporter",
    "Sampler": "samplers.base",
    "Space": "space.space",
    "Study": "client.study",
    "choice": "space.parameters",
    "integer": "space.parameters",
    "list_studies": "client.tune",
    "loguniform": "space.parameters",
    "open_study": "client.tune",
    "ordinal": "space.parameters",
    "tune": "client.tune",
    "uniform": "space.parameters",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  the list is the table's


_RENAMED = {"discrete": "ordinal"}


def __getattr__(name: str) -> object:
    if name in _RENAMED:
        from eolab.deprecation import warn_renamed

        warn_renamed(f"eolab.studies.{name}", f"eolab.studies.{_RENAMED[name]}")
        name = _RENAMED[name]
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
