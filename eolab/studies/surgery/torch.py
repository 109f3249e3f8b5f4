"""Taking modules out of a PyTorch model.

PyTorch keeps no graph, so nothing can be rewired: a module goes by standing aside (`nn.Identity`),
which passes on what it was given. Whether the model can live with that is tried by running it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from eolab.errors import InvalidInputError, nearest
from eolab.studies.surgery.keras import Surgery, first_line, refusal
from eolab.training_data import Split

if TYPE_CHECKING:
    import torch

SAMPLES = 3
"""Samples that a dry run takes: few, but more than the pairs that a module may give back, so that
`a, b = module(x)` does not take two samples for them."""


@dataclass
class Call:
    """What a module was given and gave back when the whole model ran.

    Attributes:
        given: The first tensor among its arguments, or None.
        gave: The tensor that it returned, or None where it returned something else.
    """

    given: torch.Tensor | None
    gave: torch.Tensor | None


@dataclass
class ModelRun:
    """One run of a model.

    Attributes:
        shapes: Shapes of all that came out.
        calls: Name of a module -> its first call.
        flops: Floating-point operations a sample.
    """

    shapes: tuple[tuple[int, ...], ...]
    calls: dict[str, Call] = field(default_factory=dict)
    flops: int = 0


class TorchSurgeon:
    """Tries out removals from one model, which stays as it is.

    Args:
        model: The model. Where it has an ``example_input_array`` (Lightning's name), it is run on
            that.
        data: Else on the first samples of what it is trained on: a `Split`, or anything with
            ``X`` of shape (samples, ...), given as float32.

    Raises:
        InvalidInputError: There is nothing to run it on, or it cannot take that.
    """

    def __init__(self, model: torch.nn.Module, data: object = None) -> None:
        self.template = copy.deepcopy(model)
        self._given = _example(self.template, data)
        self.names = tuple(name for name, _ in self.template.named_modules() if name)
        try:
            self._run = _run(self.template, self._given)
        except Exception as error:
            raise InvalidInputError(
                f"{type(model).__name__} cannot be run on its data: {first_line(error)}",
                "Give the model an attribute example_input_array: what its forward takes.",
            ) from error
        self.parameters = _count(self.template)
        self.flops = self._run.flops

    def remove(
        self,
        names: Sequence[str],
        *,
        project: bool = False,
        rebuild: bool = False,  # noqa: ARG002  PyTorch keeps no settings to build from
    ) -> Surgery[torch.nn.Module]:
        """The model with these modules replaced by `nn.Identity`.

        Args:
            names: Names as in `named_modules`; what is inside a module goes with it.
            project: Where a module changed the size of one axis (channels, features), put a
                linear projection of that axis in its place.
            rebuild: Of no effect: a module holds no settings from which it could be built anew.

        Raises:
            InvalidInputError: An unknown name, a module that is not run, gives back no single
                tensor, or without which the model does not run or gives other shapes.
        """
        if not names:
            raise InvalidInputError("no module to remove", nearest("", self.names, "modules"))
        for name in names:
            if name not in self.names:
                raise InvalidInputError(f"no module {name!r}", nearest(name, self.names, "modules"))
        removed = [name for name in self.names if name in names]
        outer = [name for name in removed if not any(name.startswith(f"{x}.") for x in removed)]
        new = copy.deepcopy(self.template)
        inserted = []
        for name in outer:
            stand_in = self._stand_in(name, project=project)
            if stand_in is not None:
                inserted.append(name)
            _replace(new, name, stand_in)
        try:
            run = _run(new, self._given)
        except Exception as error:  # whatever a module says of shapes that it cannot take
            raise refusal("module", removed, first_line(error), project=project) from None
        if run.shapes != self._run.shapes:
            raise refusal(
                "module",
                removed,
                f"the output would change its shape from {_shown(self._run.shapes)} "
                f"to {_shown(run.shapes)}",
                project=project,
            )
        self._prove(new, outer)
        return Surgery(
            new,
            tuple(removed),
            tuple(f"{name}_projection" for name in inserted),
            (self.parameters, _count(new)),
            (self.flops, run.flops),
        )

    def _stand_in(self, name: str, *, project: bool) -> torch.nn.Module | None:
        """A projection in the place of a module, or None for the identity.

        Raises:
            InvalidInputError: Nothing can stand there.
        """
        call = self._run.calls.get(name)
        if call is None:
            raise InvalidInputError(
                f"module {name!r} is never run, so taking it out would change nothing",
                "It may be a list of modules (name its members), or used through its weights only.",
            )
        if call.given is None or call.gave is None:
            raise InvalidInputError(
                f"module {name!r} does not make one tensor from a tensor",
                "What it gives back is more than an identity can pass on: remove the block that "
                "holds it.",
            )
        if not project:
            return None
        return _projection(call.given.shape, call.gave.shape)

    def _prove(self, new: torch.nn.Module, removed: Sequence[str]) -> None:
        """That the weights of all other modules are there as before, and those of these are not."""
        before = {name: tuple(p.shape) for name, p in _weights(self.template)}
        after = {name: tuple(p.shape) for name, p in _weights(new)}
        modules = [self.template.get_submodule(name) for name in removed]
        inside = tuple(f"{name}." for m in modules for name in _names_of(self.template, m))
        kept = {name: shape for name, shape in before.items() if not name.startswith(inside)}
        rest = {name: shape for name, shape in after.items() if not name.startswith(inside)}
        if rest != kept:
            raise AssertionError(f"the rest differs in {set(rest) ^ set(kept)}")


def _example(model: torch.nn.Module, data: object) -> tuple[object, ...]:
    """The arguments to run the model with."""
    import torch

    example = getattr(model, "example_input_array", None)
    if example is not None:
        return tuple(example) if isinstance(example, (tuple, list)) else (example,)
    part = data.train if isinstance(data, Split) else data
    X = getattr(part, "X", None)
    if X is None:
        raise InvalidInputError(
            f"no sample to run {type(model).__name__} on: the data is a {type(data).__name__}",
            "Give the model an attribute example_input_array: what its forward takes.",
        )
    rows = np.array(X[:SAMPLES], dtype=np.float32)
    return (torch.from_numpy(np.nan_to_num(rows)),)


def _run(model: torch.nn.Module, given: Sequence[object]) -> ModelRun:
    """Run a copy of the model, in evaluation mode, and look."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    model = copy.deepcopy(model).eval()
    calls: dict[str, Call] = {}

    def look(name: str) -> None:
        def hook(
            _module: torch.nn.Module, args: tuple[object, ...], kwargs: Mapping[str, object],
            output: object,
        ) -> None:  # fmt: skip
            tensors = list(_tensors((args, dict(kwargs))))
            first = tensors[0] if tensors else None
            calls.setdefault(name, Call(first, output if torch.is_tensor(output) else None))

        model.get_submodule(name).register_forward_hook(hook, with_kwargs=True)

    for name, _ in model.named_modules():
        if name:
            look(name)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = model(*given)
    rows = next((int(t.shape[0]) for t in _tensors(given) if t.dim()), 1)
    shapes = tuple(tuple(t.shape) for t in _tensors(output))
    return ModelRun(shapes, calls, int(counter.get_total_flops()) // max(rows, 1))


def _tensors(value: object) -> Iterator[torch.Tensor]:
    """All tensors in nested tuples, lists and dicts."""
    import torch

    if torch.is_tensor(value):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)


def _projection(given: Sequence[int], gave: Sequence[int]) -> torch.nn.Module | None:
    """A linear projection from one shape to another that differs in one axis.

    None where shapes are equal, or where no such axis is a usual one: the last of a table or
    series, the second (channels) of an image or of a signal.
    """
    from torch import nn

    if len(given) != len(gave):
        return None
    axes = [i for i, (old, new) in enumerate(zip(given, gave, strict=True)) if old != new]
    if axes == [len(given) - 1] and axes != [0]:
        return nn.Linear(given[-1], gave[-1])
    convolutions = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}
    if axes == [1] and len(given) in convolutions:
        return convolutions[len(given)](given[1], gave[1], 1)
    return None


def _replace(model: torch.nn.Module, name: str, module: torch.nn.Module | None) -> None:
    """Put a module (None: the identity) in the place of another, wherever that is used."""
    from torch import nn

    old = model.get_submodule(name)
    stand_in = nn.Identity() if module is None else module
    # A module shared under several names goes under all of them, as a shared Keras layer does.
    for other in _names_of(model, old):
        parent, _, child = other.rpartition(".")
        setattr(model.get_submodule(parent), child, stand_in)


def _names_of(model: torch.nn.Module, module: torch.nn.Module) -> list[str]:
    """All names under which a module is used."""
    every = model.named_modules(remove_duplicate=False)
    return [name for name, found in every if found is module]


def _weights(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Weights under all their names: tied ones stay although one of their owners goes."""
    yield from model.named_parameters(remove_duplicate=False)
    yield from model.named_buffers(remove_duplicate=False)


def _count(model: torch.nn.Module) -> int:
    """Number of parameters, shared ones once."""
    return sum(p.numel() for p in model.parameters())


def _shown(shapes: Sequence[Sequence[int]]) -> str:
    return " and ".join(str(tuple(shape)) for shape in shapes)
