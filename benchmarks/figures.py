"""Pictures of what was measured, in `benchmarks/results/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"


class Curves(TypedDict):
    """Learning curves of one study, each [[step, value], ...], and whether it was stopped."""

    stop: str | None
    seed: int
    curves: Sequence[Sequence[Sequence[float]]]
    stopped: Sequence[bool]


def _new(width: float, columns: int = 1) -> tuple[Figure, Sequence[Axes]]:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    # The same picture for the same figures: no date, no random ids.
    mpl.rcParams["svg.hashsalt"] = "eolab"
    figure, axes = plt.subplots(1, columns, figsize=(width, 3.4), sharey=columns > 1, squeeze=False)
    return figure, list(axes[0])


def _save(figure: Figure, name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    figure.tight_layout()
    figure.savefig(RESULTS / name, metadata={"Date": None})


def draw_scaling(scaling: Mapping[str, float]) -> None:
    """Speed-up over workers, from the efficiency at each number of workers."""
    figure, (axes,) = _new(5)
    known = {int(k): v for k, v in scaling.items()}
    axes.plot(list(known), [k * v for k, v in known.items()], "o-", label="measured")
    axes.plot(list(known), list(known), "--", label="linear")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="workers",
        ylabel="speed-up",
        title="Sleeping trials of 1 s",
    )
    axes.legend()
    _save(figure, "engine_scaling.svg")


def draw_curves(studies: Sequence[Curves], *, metric: str) -> None:
    """Learning curves without and with a stop rule, and the best so far over the epochs run.

    The epochs of a study are counted in the order of its trials.
    """
    figure, panels = _new(11, 3)
    for axes, study in zip(panels, studies, strict=False):
        for curve, stopped in zip(study["curves"], study["stopped"], strict=True):
            steps, values = zip(*curve, strict=True)
            colour = "tab:orange" if stopped else "tab:blue"
            axes.plot(steps, values, color=colour, alpha=0.5, linewidth=1)
        epochs = sum(len(curve) for curve in study["curves"])
        axes.set(
            xlabel="epoch",
            title=f"{study['stop'] or 'no rule'}: {epochs} epochs, {sum(study['stopped'])} stopped",
        )
        axes.title.set_fontsize(9)
        best, found, count = [], float("-inf"), 0
        for curve in study["curves"]:
            count += len(curve)
            found = max(found, *(value for _, value in curve))
            best.append((count, found))
        panels[-1].step(*zip(*best, strict=True), where="post", label=study["stop"] or "no rule")
    panels[0].set_ylabel(metric)
    panels[-1].set(xlabel="epochs run", title="best so far")
    panels[-1].legend(fontsize=8)
    _save(figure, "stopping_curves.svg")
