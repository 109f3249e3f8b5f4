"""What Shift-Tab and Tab show of `ws.tune` and `ws.ablate`: the options themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable


def show_options() -> None:
    """Give the two methods the signature and the words of the functions that they call.

    The class itself passes options on unseen, so that opening a workspace loads no domain.
    """
    from eolab.facade import Workspace
    from eolab.studies import tune
    from eolab.studies.ablation import ablate

    _like(Workspace.tune, tune)
    _like(Workspace.ablate, ablate)


def _like(method: Callable[..., object], function: Callable[..., object]) -> None:
    first, *others = inspect.signature(function).parameters.values()
    assert first.name == "config"
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.signature(function).replace(parameters=[me, *others])
    method.__signature__ = signature  # type: ignore[attr-defined]
    method.__doc__ = (function.__doc__ or "").replace("        config: The workspace.\n", "")
