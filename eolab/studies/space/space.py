"""What a study may try: its hyperparameters together, and how they are found and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eolab.errors import InvalidInputError, nearest
from eolab.studies.space.parameters import Parameter, Params, Value, describe, plain_value

INJECTED = ("data", "reporter", "seed", "model", "budget")
"""Arguments of a train function that the study fills in; no hyperparameter may be called so."""


@dataclass(frozen=True)
class Space(Mapping[str, Parameter]):
    """All hyperparameters of a study, in the order in which they were given.

    Attributes:
        parameters: Name -> parameter.
        defaults: What the train function takes where nothing is suggested (not part of equality).

    Example:
        >>> from eolab.studies import Space
        >>> space = Space.from_dict({"lr": eo.loguniform(1e-4, 1e-1), "depth": eo.integer(2, 8)})
        >>> list(space)
        ['lr', 'depth']
    """

    parameters: Mapping[str, Parameter]
    defaults: Mapping[str, Value] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    @staticmethod
    def from_dict(parameters: Mapping[str, Parameter | Mapping[str, object]]) -> Space:
        """A checked space from name -> `eo.uniform(...)`, or -> a description as in `study.json`.

        Raises:
            InvalidInputError: See `check`.
        """
        found: dict[str, Parameter] = {}
        for name, value in parameters.items():
            if isinstance(value, Parameter):
                found[name] = value
            elif isinstance(value, Mapping):
                found[name] = Parameter.from_json(value)
            else:
                raise InvalidInputError(
                    f"parameter {name!r} is {value!r}",
                    "Give eo.uniform, eo.loguniform, eo.integer, eo.choice or eo.ordinal.",
                )
        space = Space(found)
        space.check()
        return space

    @staticmethod
    def from_signature(train: Callable[..., object]) -> Space:
        """The checked space in a train function's annotations.

        ``lr: Annotated[float, eo.loguniform(1e-5, 1e-1)] = 1e-3`` is a hyperparameter with a
        default, so that the function still runs alone. Arguments without a space stay at their
        default.

        Raises:
            InvalidInputError: An annotation that cannot be read, and whatever `check` finds.
        """
        name_of_function = getattr(train, "__name__", type(train).__name__)
        found: dict[str, Parameter] = {}
        defaults: dict[str, Value] = {}
        for name, argument in inspect.signature(train).parameters.items():
            if isinstance(argument.default, Parameter):
                raise InvalidInputError(
                    f"{name_of_function}: {name} has a space as its default",
                    f"Write `{name}: Annotated[float, eo.{argument.default.kind}(...)] = <value>`.",
                )
            annotation = _evaluate(train, name, argument.annotation)
            if isinstance(annotation, Parameter):
                kind = {"integer": "int", "choice": "str"}.get(annotation.kind, "float")
                raise InvalidInputError(
                    f"{name_of_function}: {name} has a space where its type belongs",
                    f"Write `{name}: Annotated[{kind}, {annotation!r}]`.",
                )
            spaces = [
                m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Parameter)
            ]
            if len(spaces) > 1:
                raise InvalidInputError(
                    f"{name_of_function}: {name} has {len(spaces)} spaces", "Keep one."
                )
            if not spaces:
                continue
            found[name] = spaces[0]
            if argument.default is not inspect.Parameter.empty:
                defaults[name] = plain_value(argument.default)
            if getattr(annotation, "__origin__", None) is int and spaces[0].kind in (
                "uniform",
                "loguniform",
            ):
                raise InvalidInputError(
                    f"{name_of_function}: {name} is an int, eo.{spaces[0].kind} gives floats",
                    "Use eo.integer, or annotate it as float.",
                )
        space = Space(found, defaults)
        space.check()
        return space

    def to_json(self) -> list[dict[str, object]]:
        """One description a parameter, in order, with its name."""
        return [{"name": name, **parameter.to_json()} for name, parameter in self.items()]

    @staticmethod
    def from_json(document: Sequence[Mapping[str, object]]) -> Space:
        """The space that `to_json` described."""
        return Space({str(entry["name"]): Parameter.from_json(entry) for entry in document})

    def check(self) -> None:
        """Everything that can be wrong with a space before a trial has run.

        Raises:
            InvalidInputError: No parameter; a name that the study fills in itself; an empty or
                impossible range; a condition on a name or a value that cannot occur, or in a
                circle; a default outside the range.
        """
        if not self:
            raise InvalidInputError(
                "the space is empty: there is nothing to tune",
                "Annotate an argument, `lr: Annotated[float, eo.loguniform(1e-5, 1e-1)] = 1e-3`, "
                "or give space={...}.",
            )
        for name, parameter in self.items():
            if not isinstance(name, str) or not name.isidentifier():
                raise InvalidInputError(
                    f"{name!r} cannot be an argument's name", "Use letters, digits and '_'."
                )
            if name in INJECTED:
                raise InvalidInputError(
                    f"{name!r} is filled in by the study", "Give the hyperparameter another name."
                )
            problem = parameter.problem()
            if problem:
                raise InvalidInputError(f"parameter {name!r} {problem[0]}", problem[1])
            self._check_condition(name, parameter)
            if name in self.defaults and not parameter.contains(self.defaults[name]):
                raise InvalidInputError(
                    f"parameter {name!r}: the default {self.defaults[name]!r} is outside "
                    f"{describe(parameter)}",
                    "Widen the range or change the default.",
                )
        self.order()

    def _check_condition(self, name: str, parameter: Parameter) -> None:
        for other, values in parameter.when:
            if other not in self.parameters:
                raise InvalidInputError(
                    f"parameter {name!r} depends on {other!r}, which is no parameter",
                    nearest(other, list(self.parameters), "parameters"),
                )
            if not values:
                raise InvalidInputError(
                    f"parameter {name!r} depends on no value of {other!r}",
                    "Give one value or more.",
                )
            for value in values:
                if not self[other].contains(value):
                    raise InvalidInputError(
                        f"parameter {name!r} depends on {other} = {value!r}, which never occurs: "
                        f"{describe(self[other])}",
                        nearest(str(value), [str(v) for v in self[other].choices], "values"),
                    )
            if self[other].count is None:
                raise InvalidInputError(
                    f"parameter {name!r} depends on {other!r}, which is continuous",
                    "Let it depend on a choice, an ordinal or an integer parameter.",
                )

    def order(self) -> list[str]:
        """The names, each after those that it depends on; otherwise as given.

        Raises:
            InvalidInputError: Conditions in a circle.
        """
        done: list[str] = []
        rest = list(self.parameters)
        while rest:
            ready = next((n for n in rest if all(other in done for other, _ in self[n].when)), None)
            if ready is None:
                raise InvalidInputError(
                    f"the conditions of {', '.join(rest)} form a circle", "Take one `when` away."
                )
            rest.remove(ready)
            done.append(ready)
        return done

    @property
    def conditional(self) -> bool:
        """Whether any parameter is active only sometimes."""
        return any(parameter.when for parameter in self.values())

    def active(self, name: str, params: Mapping[str, Value]) -> bool:
        """Whether parameter ``name`` is active, given those that it depends on."""
        return all(other in params and params[other] in values for other, values in self[name].when)

    def sometimes(self, name: str) -> bool:
        """Whether there are suggestions without parameter ``name``."""
        return any(
            self.sometimes(other) or not set(self[other].values()) <= set(values)
            for other, values in self[name].when
        )

    def from_unit(self, point: Sequence[float]) -> Params:
        """The suggestion at a point of the unit cube, one coordinate a parameter in `order`.

        Coordinates of inactive parameters count for nothing.
        """
        params: Params = {}
        for name, u in zip(self.order(), point, strict=True):
            if self.active(name, params):
                params[name] = self[name].from_unit(u)
        return {name: params[name] for name in self.parameters if name in params}

    def require(self, params: Mapping[str, Value], source: str) -> None:
        """Check a suggestion that came from elsewhere.

        Args:
            params: The suggestion.
            source: Who made it, for the message.

        Raises:
            InvalidInputError: A name too many, too few or a value outside its range.
        """
        for name, value in params.items():
            if name not in self.parameters:
                raise InvalidInputError(
                    f"{source} suggested {name!r}, which is no parameter",
                    nearest(name, list(self), "parameters"),
                )
            if not self.active(name, params):
                raise InvalidInputError(
                    f"{source} suggested {name!r}, which is inactive here", "Leave it out."
                )
            if not self[name].contains(value):
                raise InvalidInputError(
                    f"{source} suggested {name} = {value!r}, outside {describe(self[name])}",
                    "Mend the sampler.",
                )
        for name in self.parameters:
            if name not in params and self.active(name, params):
                raise InvalidInputError(
                    f"{source} suggested nothing for {name!r}",
                    "Suggest a value for every active parameter.",
                )


def _evaluate(train: Callable[..., object], name: str, annotation: object) -> object:
    """The annotation as an object: with postponed evaluation it is text."""
    if not isinstance(annotation, str):
        return annotation
    function = inspect.unwrap(train)
    closure = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
    try:
        # The annotation is the user's own code in the user's own process.
        return eval(annotation, getattr(function, "__globals__", {}), dict(closure))  # noqa: S307
    except Exception as error:
        if "Annotated" not in annotation:
            return None  # some other annotation, for example a type imported for checking only
        raise InvalidInputError(
            f"the annotation of {name!r} cannot be read: {error}",
            "Import the names it uses at the top of the file, or give space={...}.",
        ) from error
