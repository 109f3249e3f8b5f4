"""Taking layers out of a Keras 3 model.

A layer goes by passing on what it was given: its consumers read its input instead of its output.
The rest must stay as it was: the same layers with the same names and the same shapes of weights,
and the same outputs. What cannot go under these conditions is an error that says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Generic, TypeVar

from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    import keras

ModelT_co = TypeVar("ModelT_co", covariant=True)
Shapes = dict[str, tuple[tuple[int, ...], ...]]


@dataclass(frozen=True)
class Surgery(Generic[ModelT_co]):
    """A model with layers taken out, and the proof that they are out.

    Attributes:
        model: The new model: of Keras functional, with new weights; of PyTorch a copy.
        removed: Names of the layers that went.
        inserted: Names of projections that came in their places.
        parameters: Number of parameters before and after.
        flops: Estimated floating-point operations of one sample before and after (see `flops`).
        rebuilt: Names of layers whose weights got other shapes, since what they read has.
    """

    model: ModelT_co
    removed: tuple[str, ...]
    inserted: tuple[str, ...]
    parameters: tuple[int, int]
    flops: tuple[int, int]
    rebuilt: tuple[str, ...] = ()


def layer_names(model: keras.Model) -> tuple[str, ...]:
    """Names of the layers that could be asked for, in order; inputs are none of them."""
    return tuple(layer.name for layer in model.layers if type(layer).__name__ != "InputLayer")


def remove_layers(
    model: keras.Model, names: Sequence[str], *, project: bool = False
) -> Surgery[keras.Model]:
    """The model without these layers (see `Surgeon.remove`)."""
    return Surgeon(model).remove(names, project=project)


class Surgeon:
    """Tries out removals from one model, which stays as it is.

    Args:
        model: Sequential or functional, built.

    Raises:
        InvalidInputError: A subclassed model, whose graph is unknown, or one that is not built.
    """

    def __init__(self, model: keras.Model) -> None:
        import keras

        # A copy: calling layers on new inputs adds nodes to their graph.
        self.template = keras.models.clone_model(_functional(model))
        self.names = layer_names(self.template)
        self._shapes = weight_shapes(self.template)
        self._readers = _readers(self.template)
        self.parameters: int = self.template.count_params()
        self.flops = flops(self.template)

    def remove(
        self, names: Sequence[str], *, project: bool = False, rebuild: bool = False
    ) -> Surgery[keras.Model]:
        """The model without these layers.

        Args:
            names: Names of layers; several go together (a block).
            project: Where what the layers lead to expects another size of the last axis, put one
                linear projection (Dense) there, in the place of the last of them.
            rebuild: Where they cannot go without changing other layers, build those anew from
                their settings, with the shapes that follow.

        Raises:
            InvalidInputError: An unknown name, an input, or a removal that would change the weights
                of other layers (without ``rebuild``), take other layers away, or change the
                outputs.
        """
        import keras

        if not names:
            raise InvalidInputError("no layer to remove", nearest("", self.names, "layers"))
        for name in names:
            if name not in self.names:
                raise InvalidInputError(f"no layer {name!r}", nearest(name, self.names, "layers"))
        removed = set(names)
        # Only where a block is left do shapes count: between its own layers anything may go.
        exits = {name for name in removed if self._readers[name] - removed}
        problem = ""
        for choice in _choices(self.template, names):
            try:
                rewired, inserted = _rewire(
                    self.template, removed, choice, project=exits if project else set()
                )
                self._check(rewired, removed, inserted)
                # Anew, so that its layers have no nodes but those of this graph, and are built:
                # built ones (Concatenate) no longer look whether their inputs fit.
                new = keras.models.clone_model(rewired)
            except Exception as error:  # whatever a layer says of shapes that it cannot take
                problem = problem or first_line(error)
                continue
            self._prove(new, removed, inserted)
            return Surgery(
                new,
                tuple(name for name in self.names if name in removed),
                tuple(inserted),
                (self.parameters, new.count_params()),
                (self.flops, flops(new)),
            )
        if rebuild:
            for choice in _choices(self.template, names):
                try:
                    new = _rebuilt(self.template, removed, choice)
                    self._check(new, removed, (), rebuilt=True)
                except Exception as error:
                    problem = first_line(error)
                    continue
                after = weight_shapes(new)
                return Surgery(
                    new,
                    tuple(name for name in self.names if name in removed),
                    (),
                    (self.parameters, new.count_params()),
                    (self.flops, flops(new)),
                    tuple(name for name in after if after[name] != self._shapes[name]),
                )
        raise refusal("layer", names, problem, project=project or rebuild)

    def _check(
        self,
        new: keras.Model,
        removed: set[str],
        inserted: Sequence[str],
        *,
        rebuilt: bool = False,
    ) -> None:
        """Whether nothing else than the removed layers differs; rebuilt, their shapes may.

        Raises:
            InvalidInputError: What differs.
        """
        after = weight_shapes(new)
        lost = [name for name in self.names if name not in removed and name not in after]
        if lost:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            raise InvalidInputError(f"{lost[0]!r}{more} would no longer lead to the output")
        for old, now in zip(self.template.outputs, new.outputs, strict=True):
            if tuple(old.shape) != tuple(now.shape):
                raise InvalidInputError(
                    f"the output would change its shape from {old.shape} to {now.shape}"
                )
        if len(new.inputs) != len(self.template.inputs):
            raise InvalidInputError("an input would go unused")
        for name in set(after) - set(inserted):
            if after[name] != self._shapes[name] and not rebuilt:
                raise InvalidInputError(f"the weights of {name!r} would change")

    def _prove(self, new: keras.Model, removed: set[str], inserted: Sequence[str]) -> None:
        """That exactly these layers went, in graph and in parameters."""
        after = weight_shapes(new)
        lost = sum(math.prod(shape) for name in removed for shape in self._shapes[name])
        came = sum(math.prod(shape) for name in inserted for shape in after[name])
        kept = {name: shapes for name, shapes in self._shapes.items() if name not in removed}
        if {name: after[name] for name in after if name not in inserted} != kept:
            raise AssertionError(f"the graph still differs in {set(after) ^ set(kept)}")
        if new.count_params() != self.parameters - lost + came:
            raise AssertionError(
                f"{self.parameters} parameters should have become "
                f"{self.parameters - lost + came}, and are {new.count_params()}"
            )


def _functional(model: keras.Model) -> keras.Model:
    """The model as a graph of layers."""
    import keras

    if isinstance(model, keras.Sequential):
        if not model.built:
            raise InvalidInputError(
                f"model {model.name!r} is not built, so its shapes are unknown",
                "Begin it with keras.Input(shape).",
            )
        return keras.Model(model.inputs, model.outputs, name=model.name)
    if not getattr(model, "inputs", None) or not hasattr(model, "operations"):
        raise InvalidInputError(
            f"{type(model).__name__} is no sequential or functional model",
            "Build it from layers and keras.Model(inputs, outputs), so that its graph is known.",
        )
    return model


def _choices(model: keras.Model, names: Sequence[str]) -> list[dict[str, int]]:
    """Which input each layer with several (Add, Concatenate, ...) passes on, best guess first.

    An input with the shape of the output comes first; among those the one that most layers lead
    to, so that a residual block loses its shortcut rather than its layers.
    """
    wide: dict[str, list[int]] = {}
    for name in names:
        inputs = _inputs(model.get_layer(name))
        if len(inputs) > 1:
            target = tuple(_outputs(model.get_layer(name))[0].shape)
            wide[name] = sorted(
                range(len(inputs)),
                key=lambda i: (
                    tuple(inputs[i].shape) != target,
                    -_depth(model, inputs[i]),
                ),
            )
    choices: list[dict[str, int]] = [{}]
    for name, order in wide.items():
        choices = [{**choice, name: i} for choice in choices for i in order][:MOST_CHOICES]
    return choices


MOST_CHOICES = 64
"""Combinations of inputs that are tried where several merging layers go together."""


_calls = attrgetter("_inbound_nodes")
"""The calls of a layer or operation in a model's graph, to which Keras has no public way."""

_maker = attrgetter("_keras_history.operation")
"""The layer or operation that made a tensor, to which Keras has no public way either."""


def _inputs(layer: keras.Layer) -> list[keras.KerasTensor]:
    return list(_calls(layer)[0].input_tensors)


def _outputs(layer: keras.Layer) -> list[keras.KerasTensor]:
    return list(_calls(layer)[0].output_tensors)


def _depth(model: keras.Model, tensor: keras.KerasTensor) -> int:
    """Position in the model's order of the layer that makes a tensor."""
    order = {layer.name: i for i, layer in enumerate(model.layers)}
    return order.get(_maker(tensor).name, -1)


def _rewire(
    template: keras.Model, names: set[str], choice: Mapping[str, int], *, project: set[str]
) -> tuple[keras.Model, list[str]]:
    """The same layers without some of them, and the names of projections that were put in.

    Args:
        template: The model.
        names: Layers that go.
        choice: Which of its inputs a layer with several passes on.
        project: Those of them in whose place a projection may come.

    Raises whatever a layer says of a shape that it cannot take.
    """
    import keras

    inserted: list[str] = []

    def call(layer: keras.Layer, *args: object, **kwargs: object) -> object:
        if layer.name not in names:
            return layer(*args, **kwargs)
        given = keras.tree.flatten((args, kwargs))
        tensors = [value for value in given if hasattr(value, "shape")]
        passed = tensors[choice.get(layer.name, 0)]
        expected = _outputs(layer)[0].shape
        if (
            layer.name in project
            and tuple(passed.shape) != tuple(expected)
            and passed.shape[1:-1] == expected[1:-1]
        ):
            name = f"{layer.name}_projection"
            inserted.append(name)
            return keras.layers.Dense(expected[-1], name=name)(passed)
        return passed

    new = keras.models.clone_model(template, clone_function=lambda layer: layer, call_function=call)
    return new, inserted


def _rebuilt(template: keras.Model, names: set[str], choice: Mapping[str, int]) -> keras.Model:
    """The network built anew from the settings of its layers, without some of them.

    Raises whatever a layer says of a shape that it cannot take; or an `InvalidInputError` where a
    merge would stretch one of its inputs over the others, which it did not do before.
    """
    import keras

    def make(layer: keras.Layer) -> keras.Layer:
        return type(layer).from_config(layer.get_config())

    def call(layer: keras.Layer, *args: object, **kwargs: object) -> object:
        given = keras.tree.flatten((args, kwargs))
        tensors = [value for value in given if hasattr(value, "shape")]
        if layer.name in names:
            return tensors[choice.get(layer.name, 0)]
        if len(tensors) > 1 and type(layer).__name__ in _ELEMENTWISE:
            before = {tuple(t.shape) for t in _inputs(template.get_layer(layer.name))}
            if len({tuple(t.shape) for t in tensors}) > len(before):
                raise InvalidInputError(f"the inputs of {layer.name!r} would differ in shape")
        return layer(*args, **kwargs)

    return keras.models.clone_model(template, clone_function=make, call_function=call)


_ELEMENTWISE = frozenset({"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"})
"""Layers that would stretch an input of another shape instead of refusing it."""


def _readers(model: keras.Model) -> dict[str, set[str]]:
    """Layer or operation -> what reads it; "" for the model's output.

    Between layers there may be plain operations (``x + 3``), which are no layers and stay.
    """
    readers: dict[str, set[str]] = {operation.name: set() for operation in model.operations}
    for operation in model.operations:
        for node in _calls(operation):
            for tensor in node.input_tensors:
                readers[_maker(tensor).name].add(operation.name)
    for tensor in model.outputs:
        readers[_maker(tensor).name].add("")
    return readers


def refusal(what: str, names: Sequence[str], problem: str, *, project: bool) -> InvalidInputError:
    """The error that says why layers or modules cannot go.

    Args:
        what: "layer" or "module".
        names: Those that were to go.
        problem: Why not.
        project: Whether a projection was allowed, or a rebuilt network.
    """
    them = f"{what} {names[0]!r}"
    it = "it"
    if len(names) > 1:
        shown = ", ".join(map(repr, names[:3])) + (
            f" and {len(names) - 3} more" if names[3:] else ""
        )
        them, it = f"{what}s {shown} together", "them"
    hint = f"Remove {it} together with the {what}s that depend on the shape"
    if not project:
        hint += ", or allow a projection (project=True) or other shapes (shapes='rebuild')"
    return InvalidInputError(f"{them} cannot be removed: {problem}", hint + ".")


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def weight_shapes(model: keras.Model) -> Shapes:
    """Layer name -> shapes of its weights; inputs left out."""
    return {
        layer.name: tuple(tuple(w.shape) for w in layer.weights)
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    }


def flops(model: keras.Model) -> int:
    """Floating-point operations for one sample, estimated.

    Two for each weight of a kernel at each position where it is applied (dense, convolution,
    recurrent layers, also inside other models); layers without a kernel are not counted. Unknown
    sizes of an axis count as 1.
    """
    total = 0
    for layer in model.layers:
        for node in _calls(layer):
            if node.output_tensors:
                total += _operations(layer, node.input_tensors, node.output_tensors[0])
    return total


def _operations(
    layer: keras.Layer, inputs: Sequence[keras.KerasTensor], output: keras.KerasTensor
) -> int:
    if hasattr(layer, "layers") and hasattr(layer, "inputs"):  # a model as a layer
        return flops(layer)
    kernels = [w for w in layer.weights if "kernel" in w.path.rsplit("/", 1)[-1]]
    given = inputs[0].shape if inputs else output.shape
    positions = _positions(layer, given, output.shape)
    return sum(2 * math.prod(k.shape) * positions for k in kernels)


def _positions(layer: keras.Layer, given: Sequence[int | None], gave: Sequence[int | None]) -> int:
    """How often a kernel is applied to one sample.

    Args:
        layer: The layer, or a wrapper around it.
        given: Shape of what it reads, the batch first.
        gave: Shape of what it makes.
    """
    inner = layer
    while type(inner).__name__ in ("Bidirectional", "TimeDistributed"):
        inner = getattr(inner, "forward_layer", None) or inner.layer
    kind = type(inner).__name__
    if kind.startswith("ConvLSTM"):
        series = getattr(inner, "return_sequences", False)
        places = _product(gave[2:-1] if series else gave[1:-1])
        return int(given[1] or 1) * places
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        return int(given[1] or 1)
    # A transposed convolution spreads its kernel around each position that it reads.
    shape = given if "Transpose" in kind else gave
    first = getattr(inner, "data_format", "channels_last") == "channels_first"
    return _product(shape[2:] if first else shape[1:-1])


def _product(axes: Sequence[int | None]) -> int:
    return math.prod(int(n or 1) for n in axes)
