"""What an ablation would run, and what each variant costs: layers are really taken out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eolab.errors import BadInput
from eolab.studies.ablation.components import BASELINE
from eolab.studies.ablation.cutting import Cutter, cutter_for
from eolab.studies.ablation.design import Run, Variant
from eolab.studies.ablation.folds import Folds
from eolab.studies.ablation.trial import Recipe, call_named, seed_everything
from eolab.studies.seeds import derive_seed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Preview:
    """What an ablation would run (`dry_run=True`).

    Attributes:
        variants: The variants, the baseline first.
        costs: Name of a variant -> columns, parameters, flops, where they are known.
        runs: All runs in their order.
    """

    variants: tuple[Variant, ...]
    costs: Mapping[str, Mapping[str, float]]
    runs: tuple[Run, ...]

    def to_dataframe(self) -> pd.DataFrame:
        """One row a variant."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"variant": v.name, "removed": ", ".join(v.removed), **self.costs.get(v.name, {})}
                for v in self.variants
            ]
        )

    def __repr__(self) -> str:
        table = self.to_dataframe().to_string(index=False)
        return f"{table}\n{len(self.runs)} runs of {len(self.variants)} variants"


def make_surgeon(recipe: Recipe, folded: Folds) -> Cutter:
    """The model that `build` makes for the first fold, ready to be cut.

    Raises:
        BadInput: There is no `build`, or nobody can read the model that it makes.
    """
    if recipe.build is None:
        raise BadInput(
            "layers are part of a model, and there is no model",
            "Give build=, a function that returns the model, and let train take `model`.",
        )
    # `build` may load TensorFlow here, in the notebook: its start-up notes are not the reader's.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    seed = derive_seed(recipe.seed, 0, "ablation")
    seed_everything(seed)
    data = folded.parts[""][0]
    offered = {"data": data, "seed": seed, **recipe.params}
    return cutter_for(call_named(recipe.build, offered), data)


def costs_of(recipe: Recipe, folded: Folds, surgeon: Cutter | None) -> dict[str, dict[str, float]]:
    """Columns, parameters and FLOPs of each variant; layers are really taken out.

    Raises:
        BadInput: A layer that cannot go.
    """
    costs: dict[str, dict[str, float]] = {}
    total = len(folded.columns)
    for name, variant in recipe.variants.items():
        cost: dict[str, float] = {}
        if total:
            cost["columns"] = total - len(recipe.columns(variant))
        if surgeon is not None:
            layers = recipe.layers(variant)
            after = (surgeon.parameters, surgeon.flops)
            if layers:
                try:
                    surgery = surgeon.remove(layers, project=recipe.project)
                except BadInput as error:
                    what = "" if name == BASELINE else f"{name}: "
                    raise BadInput(f"{what}{error.message}", error.hint) from None
                after = (surgery.parameters[1], surgery.flops[1])
            cost["parameters"], cost["flops"] = after
        costs[name] = cost
    return costs
