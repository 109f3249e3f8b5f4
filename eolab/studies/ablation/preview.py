"""What an ablation would run, and what each variant costs: layers are really taken out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eolab.errors import InvalidInputError
from eolab.studies.ablation.cutting import Cutter, cutter_for, size_of
from eolab.studies.ablation.design import Run, Variant
from eolab.studies.ablation.folds import Folds, columns_of
from eolab.studies.ablation.trial import Recipe, call_named, seed_everything
from eolab.studies.space.seeds import derive_seed
from eolab.studies.surgery.keras import Surgery, first_line
from eolab.studies.worker.tensorflow_notes import without_notes

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Preview:
    """What an ablation would run (`dry_run=True`).

    Attributes:
        variants: The variants, the baseline first.
        costs: Name of a variant -> columns, parameters, flops, where they are known.
        runs: All runs in their order.

    Example:
        >>> preview = ws.ablate(
        ...     train, data=split, metric="accuracy", features=True, repeats=1, dry_run=True
        ... )
        >>> len(preview.runs) == len(preview.variants)
        True
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
        table = self._shown().to_string(index=False)
        return f"{table}\n{self._count()}"

    def _repr_html_(self) -> str:
        return f"{self._shown().to_html(index=False, border=0)}<p>{self._count()}</p>"

    def _shown(self) -> pd.DataFrame:
        """The table with thousands set apart, empty where something is unknown."""
        table = self.to_dataframe()
        for name in ("columns", "parameters", "flops", "parameters_change", "rebuilt"):
            if name in table:
                table[name] = [
                    "" if value != value else f"{int(value):,}"  # noqa: PLR0124 - NaN
                    for value in table[name]
                ]
        return table

    def _count(self) -> str:
        return f"{len(self.runs)} runs of {len(self.variants)} variants"


def make_surgeon(recipe: Recipe, folded: Folds) -> Cutter:
    """The model that `build` makes for the first fold, ready to be cut.

    Raises:
        InvalidInputError: There is no `build`, or nobody can read the model that it makes.
    """
    if recipe.build is None:
        raise InvalidInputError(
            "layers are part of a model, and there is no model",
            "Give build=, a function that returns the model, and let train take `model`.",
        )
    seed = derive_seed(recipe.seed, 0, "ablation")
    seed_everything(seed)
    data = folded.parts[""][0]
    offered = {"data": data, "seed": seed, **recipe.params}
    with without_notes():  # it may load TensorFlow here, in the notebook
        model = call_named(recipe.build, offered)
    return cutter_for(model, data)


PATIENCE = 20.0
"""Seconds that counting parameters may hold up a study (not a dry run, which does nothing else)."""


def costs_of(
    recipe: Recipe, folded: Folds, surgeon: Cutter | None, *, dry_run: bool = False
) -> dict[str, dict[str, float]]:
    """Columns, parameters and FLOPs of each variant; layers are really taken out.

    Models of variants with other data or parameters are built where something of the model is
    asked for anyhow, as long as that takes no longer than `PATIENCE`; in a dry run always.

    Raises:
        InvalidInputError: A layer that cannot go, or a model that cannot be built.
    """
    costs: dict[str, dict[str, float]] = {}
    total = len(folded.columns)
    builds = recipe.build is not None and (dry_run or surgeon is not None)
    until = time.monotonic() + PATIENCE
    for name, variant in recipe.variants.items():
        cost: dict[str, float] = {}
        other = next((name for name in variant.removed if name in folded.parts), "")
        if total:
            whole = len(columns_of(folded.parts[other][0]))
            cost["columns"] = whole - len(recipe.columns(variant))
        layers = recipe.layers(variant)
        size: tuple[int, int] | None = None
        if surgeon is not None and not recipe.other_model(variant):
            size = (surgeon.parameters, surgeon.flops)
            if layers:
                surgery = _removed(surgeon, layers, name, recipe)
                size = (surgery.parameters[1], surgery.flops[1])
                cost["parameters_change"] = size[0] - surgery.parameters[0]
                cost["rebuilt"] = len(surgery.rebuilt)
        elif builds and (dry_run or layers or time.monotonic() < until):
            size = _built(recipe, folded, name)
        if size is not None:
            cost["parameters"], cost["flops"] = size
        costs[name] = cost
    return costs


def _removed(surgeon: Cutter, layers: Sequence[str], name: str, recipe: Recipe) -> Surgery[object]:
    try:
        return surgeon.remove(layers, project=recipe.project, rebuild=recipe.rebuild)
    except InvalidInputError as error:
        # The name of a single layer is in the message already.
        what = "" if name == f"without {layers[0]}" else f"{name}: "
        raise InvalidInputError(f"{what}{error.message}", error.hint) from None


def _built(recipe: Recipe, folded: Folds, name: str) -> tuple[int, int] | None:
    seed = derive_seed(recipe.seed, 0, "ablation")
    try:
        with without_notes():
            data, model, _ = recipe.prepare(folded, recipe.variants[name], 0, seed)
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error.message}", error.hint) from None
    except Exception as error:  # whatever the user's build says of data with fewer columns
        raise InvalidInputError(
            f"{name}: the model cannot be built: {type(error).__name__}: {first_line(error)}",
            "Let build take its shapes from data, for example data.train.X.shape[1:].",
        ) from error
    return size_of(model, data)
