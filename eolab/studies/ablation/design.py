"""Which variants are run, how often and in which order."""

from __future__ import annotations

import itertools
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from eolab.errors import InvalidInputError, nearest
from eolab.studies.ablation.components import BASELINE, Component

Design: TypeAlias = Literal["leave-one-out", "leave-group-out", "add-one-in", "pairs", "subsets"]

MOST_SUBSETS = 6
"""All subsets of more components than this are more runs than anybody waits for."""


@dataclass(frozen=True)
class Variant:
    """The data and model of a run.

    Attributes:
        name: "baseline", "without sar", "only sar", ...
        removed: Names of the components that are taken away.
    """

    name: str
    removed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "removed": list(self.removed)}


@dataclass(frozen=True)
class Run:
    """One trial: a variant on a fold with a seed. Equal folds and repeats make pairs."""

    variant: str
    fold: int
    repeat: int


def variants(components: Sequence[Component], design: Design) -> list[Variant]:
    """The variants of a design, the baseline first.

    - "leave-one-out": each component (a feature, a group, a layer, ...) goes alone.
    - "leave-group-out": the same by the name that it has for groups and modules, and only for them.
    - "add-one-in": without all components, and with each of them alone. Where the components
      together are all features there is nothing to begin from, and that variant sees a column of
      zeros.
    - "pairs": each goes alone, and each two together.
    - "subsets": every subset goes, from which Shapley values follow.

    Raises:
        InvalidInputError: An unknown design, one that does not fit the components, or more than six
            of them for "subsets".
    """
    if design not in typing.get_args(Design):
        raise InvalidInputError(
            f"design={design!r}", nearest(str(design), typing.get_args(Design), "designs")
        )
    names = [component.name for component in components]
    changes = [component.name for component in components if component.kind == "change"]
    alone = [c.name for c in components if c.kind in ("feature", "layer")]
    if design == "leave-group-out" and alone:
        raise InvalidInputError(
            f"{alone[0]!r} is no group",
            "Put it in a group or module of its own, or use design='leave-one-out'.",
        )
    if changes and design not in ("leave-one-out", "leave-group-out"):
        raise InvalidInputError(
            f"{changes[0]!r} is a change, which can only be compared alone",
            'Use design="leave-one-out" for it.',
        )
    found = [Variant(BASELINE)]
    if design == "add-one-in":
        found.append(Variant(_title(names, names), tuple(names)))
        for name in names:
            rest = tuple(other for other in names if other != name)
            if rest:
                found.append(Variant(_title(rest, names), rest))
        return found
    if design == "subsets":
        if len(names) > MOST_SUBSETS:
            raise InvalidInputError(
                f"{len(names)} components have {2 ** len(names):,} subsets",
                f"Put them together in at most {MOST_SUBSETS} groups.",
            )
        sizes = range(1, len(names) + 1)
    else:
        sizes = range(1, 3 if design == "pairs" else 2)
    found.extend(
        Variant(_title(removed, names), removed)
        for size in sizes
        for removed in itertools.combinations(names, size)
    )
    if changes:  # a change is not a removal
        return [
            Variant(v.name.removeprefix("without "), v.removed)
            if v.removed and v.removed[0] in changes
            else v
            for v in found
        ]
    return found


def _title(removed: Sequence[str], names: Sequence[str]) -> str:
    kept = [name for name in names if name not in removed]
    if len(names) > 2 and len(kept) == 1:
        return f"only {kept[0]}"
    if len(names) > 1 and not kept:
        return "none of them"
    return "without " + " + ".join(removed)


def runs(
    variants: Sequence[Variant],
    *,
    folds: int,
    repeats: int,
    cost: dict[str, float] | None = None,
) -> list[Run]:
    """All runs, the most informative first.

    Pass after pass over all variants: after each pass every difference has one more pair, so that
    a study that is stopped early still says something about each component, on as many folds as
    possible (a new fold says more than a new seed). In a pass the baseline comes first, since
    every difference needs it; then variants that remove little, then cheap ones.

    Args:
        variants: What is run.
        folds: Number of folds.
        repeats: Seeds for each fold.
        cost: Relative cost of a variant (parameters, columns); equal where it is not known.
    """
    order = sorted(
        variants, key=lambda v: (len(v.removed) > 0, len(v.removed), (cost or {}).get(v.name, 0.0))
    )
    return [
        Run(variant.name, fold, repeat)
        for repeat in range(repeats)
        for fold in range(folds)
        for variant in order
    ]
