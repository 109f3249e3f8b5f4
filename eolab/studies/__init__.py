"""Studies: many trials of a train function, in parallel, that lose nothing.

Names are loaded when first used: the Jupyter server imports `eolab.studies.journal` only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eolab.studies.fitted import FittedModel as FittedModel
    from eolab.studies.parameters import (
        choice as choice,
    )
    from eolab.studies.parameters import (
        discrete as discrete,
    )
    from eolab.studies.parameters import (
        integer as integer,
    )
    from eolab.studies.parameters import (
        loguniform as loguniform,
    )
    from eolab.studies.parameters import (
        uniform as uniform,
    )
    from eolab.studies.reporter import Reporter as Reporter
    from eolab.studies.space import Space as Space
    from eolab.studies.study import Study as Study
    from eolab.studies.suggest import Sampler as Sampler
    from eolab.studies.tuning import (
        list_studies as list_studies,
    )
    from eolab.studies.tuning import (
        open_study as open_study,
    )
    from eolab.studies.tuning import (
        tune as tune,
    )

_HOMES = {
    "FittedModel": "fitted",
    "Reporter": "reporter",
    "Sampler": "suggest",
    "Space": "space",
    "Study": "study",
    "choice": "parameters",
    "discrete": "parameters",
    "integer": "parameters",
    "list_studies": "tuning",
    "loguniform": "parameters",
    "open_study": "tuning",
    "tune": "tuning",
    "uniform": "parameters",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  the list is the table's


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
