"""Features that a function makes of others, the same for training and for serving.

    @eo.on_demand_transformation
    def nir_over_red(NIR_median, RED_median):
        return NIR_median / RED_median

A view keeps the function's source, so that another process, and a model server, compute the same.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from eolab.deprecation import old_names
from eolab.errors import InvalidInputError, nearest

if TYPE_CHECKING:
    from eolab.training_data import TrainingData


class FunctionSpec(TypedDict):
    """`Transformation` as plain JSON."""

    name: str
    inputs: list[str]
    source: str


@dataclass(frozen=True)
class Transformation:
    """A feature called ``name``, made of the features ``inputs``; by `on_demand_transformation`.

    Attributes:
        name: The new feature.
        inputs: The function's parameters: names of features of the view, or of functions before.
        source: Its text, which defines ``name`` and uses nothing but NumPy (``np``).
    """

    name: str
    inputs: tuple[str, ...]
    source: str
    _call: Callable[..., object] = field(repr=False, compare=False)

    def __call__(self, *values: np.ndarray) -> np.ndarray:
        """The feature's values, float64, shaped as the inputs; NaN where it is not defined."""
        arrays = [np.asarray(v, dtype=np.float64) for v in values]
        with np.errstate(all="ignore"):
            try:
                found = np.asarray(self._call(*arrays), dtype=np.float64)
            except Exception as error:
                raise InvalidInputError(
                    f"the transformation {self.name!r} failed: {type(error).__name__}: {error}",
                    "It gets one array a parameter and must use NumPy (np) only.",
                ) from error
        shape = arrays[0].shape
        if found.shape != shape:
            raise InvalidInputError(
                f"the transformation {self.name!r} gives shape {found.shape} for {shape}",
                "Give one value for each sample.",
            )
        return np.where(np.isfinite(found), found, np.nan)

    def to_dict(self) -> FunctionSpec:
        return {"name": self.name, "inputs": list(self.inputs), "source": self.source}


def on_demand_transformation(function: Callable[..., object]) -> Transformation:
    """Make a function a feature (see the module); its parameters name the features it needs.

    Raises:
        InvalidInputError: It has no source, no parameter, or uses names from around it.

    Example:
        >>> source = "def ratio(red_median, nir_median): return nir_median / red_median"
        >>> from eolab.features.samples.on_demand import from_source
        >>> ratio = from_source("ratio", source)
        >>> view = ws.features.create_feature_view(
        ...     "r", labels=labels.select("crop"), query=fv.query, functions=[ratio]
        ... )
        >>> view.features
        ('red_median', 'nir_median', 'ratio')
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise InvalidInputError(
            f"the source of {function!r} cannot be read", "Define it with def, in a cell or a file."
        ) from error
    # Without decorators: the text defines the plain function.
    source = source[source.index("def ") :] if "def " in source else source
    return from_source(function.__name__, source)


def from_source(name: str, source: str) -> Transformation:
    """A transformation from its text, in a namespace that holds NumPy only."""
    names: dict[str, object] = {"np": np, "numpy": np}
    try:
        # dont_inherit: our own future imports are not the function's.
        exec(compile(source, f"<transformation {name}>", "exec", dont_inherit=True), names)  # noqa: S102
    except Exception as error:
        raise InvalidInputError(
            f"the transformation {name!r} cannot be read: {error}",
            "Write a function that uses its parameters and np only.",
        ) from error
    call = names.get(name)
    if not inspect.isfunction(call):
        raise InvalidInputError(
            f"the text of {name!r} defines no such function", "Write it with def."
        )
    inputs = tuple(inspect.signature(call).parameters)
    if not inputs:
        raise InvalidInputError(
            f"the transformation {name!r} has no parameter", "Its parameters name the features."
        )
    # Names of attributes (np.log) count as unbound there too.
    unbound = sorted(inspect.getclosurevars(call).unbound - _attributes(source))
    if unbound:
        raise InvalidInputError(
            f"the transformation {name!r} uses {unbound[0]!r}, which is defined outside",
            "Define it inside the function: the view keeps only its text.",
        )
    return Transformation(name, inputs, source, call)


def _attributes(source: str) -> set[str]:
    import ast

    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def check(functions: Sequence[Transformation], names: Sequence[str]) -> tuple[str, ...]:
    """All features of a view, its functions' last.

    Raises:
        InvalidInputError: An input that is no feature, or a name that is taken.
    """
    known = list(names)
    for made in functions:
        for name in made.inputs:
            if name not in known:
                raise InvalidInputError(
                    f"the transformation {made.name!r} needs {name!r}, which is no feature",
                    nearest(name, known, "features"),
                )
        if made.name in known:
            raise InvalidInputError(
                f"there is a feature {made.name!r} already", "Give the function another name."
            )
        known.append(made.name)
    return tuple(known)


def extended(data: TrainingData, functions: Sequence[Transformation]) -> TrainingData:
    """The samples with the functions' features behind the others."""
    for made in functions:
        for name in made.inputs:
            if name not in data.columns:
                raise InvalidInputError(
                    f"the transformation {made.name!r} asks for {name!r}, of whose arrays each "
                    "element is a feature",
                    "Functions take numbers, or arrays (h, w) of which each is one feature.",
                )
        inputs = [data.X[..., data.columns.index(name)] for name in made.inputs]
        new = made(*inputs)[..., None].astype(np.float32)
        data = replace(
            data, X=np.concatenate([data.X, new], axis=-1), columns=(*data.columns, made.name)
        )
    return data


def extend_vector(
    vector: Sequence[object], names: Sequence[str], functions: Sequence[Transformation]
) -> list[object]:
    """An online vector with the functions' features behind the others."""
    values: dict[str, object] = dict(zip(names, vector, strict=True))
    for made in functions:
        values[made.name] = float(made(*[_number(values[n], n) for n in made.inputs]))
    return list(values.values())


def _number(value: object, name: str) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"the feature {name!r} is no number: {value!r}", "Pass a number."
        ) from error


def from_specs(specs: Sequence[FunctionSpec]) -> tuple[Transformation, ...]:
    """A view's functions from their plain JSON."""
    return tuple(from_source(f["name"], f["source"]) for f in specs)


__getattr__ = old_names(__name__, {"transformation": "on_demand_transformation"})
