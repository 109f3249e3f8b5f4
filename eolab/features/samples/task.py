"""Whether a label is a class or a quantity: said by the user, else found from its type and values.

Text and truth values are classes, decimals are quantities. Whole numbers are either: of codes few
differ, of a quantity (a yield in kg, a moisture in per mille) many.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, get_args

import numpy as np

from eolab.errors import InvalidInputError, nearest
from eolab.features.queries.query import Task
from eolab.user_warnings import warn

if TYPE_CHECKING:
    import pyarrow as pa

TASKS: tuple[Task, ...] = get_args(Task)

MANY = 100  # different whole numbers of a label above which they are a quantity
FEW = 20  # different whole numbers among decimals up to which they look like codes of classes
REPEATED = 5  # times that each of these occurs on average
ALL_OF_THEIR_OWN = 20  # samples from which a class a sample is no classification


class InferredTask(UserWarning):
    """Labels that could be classes or a quantity are taken for one of the two."""


class ManyClasses(UserWarning):
    """A column of whole numbers that looks like a quantity is taken for classes."""


def check(task: str | None, kind: pa.DataType, name: str) -> None:
    """A check that a column can be the label of a task.

    Args:
        task: What the user says; None to find it.
        kind: The column's type.
        name: The column.

    Raises:
        InvalidInputError: It cannot, or there is no such task.
    """
    import pyarrow as pa

    if task is not None and task not in TASKS:
        raise InvalidInputError(f"unknown task={task!r}", nearest(task, TASKS, "tasks"))
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise InvalidInputError(
            f"the label {name!r} is neither a class nor a number ({kind})",
            "Select a column of text or numbers. For masks of classes cut chips: "
            "cube.eo.chips(..., masks=...).",
        )
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if task == "regression" and not (number or pa.types.is_boolean(kind)):
        raise InvalidInputError(
            f"task='regression', and the label {name!r} is no number ({kind})",
            "Insert it as numbers (days since a date, say), or leave task away for classes.",
        )


def infer(column: pa.ChunkedArray) -> Task:
    """What a label is by its type and, of whole numbers, by how many differ."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return "regression"
    if pa.types.is_integer(column.type) and pc.count_distinct(column).as_py() > MANY:
        return "regression"
    return "classification"


def of(declared: Task | None, column: pa.ChunkedArray, name: str, *, before: bool) -> Task:
    """The task of a label, and a warning where the column could mean the other one too.

    Args:
        declared: What the user said.
        column: All labels, without nulls.
        name: Of the column.
        before: Whether the view is of an eolab that took all whole numbers for classes.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if declared is not None:
        return declared
    found = infer(column)
    if pa.types.is_integer(column.type) and found == "regression":
        count = pc.count_distinct(column).as_py()
        if before:
            warn(
                f"{name} holds {count} different whole numbers, and each is taken for a class, as "
                'when this view was made. For a regression make a new version: task="regression".',
                ManyClasses,
            )
            return "classification"
        warn(
            f"{name} holds {count} different whole numbers, so it is taken for a quantity "
            '(task="regression"). If each is a class, make the view with task="classification".',
            InferredTask,
        )
    if (pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)) and not before:
        kept = "floating-point" if pa.types.is_floating(column.type) else "decimal"
        values = np.asarray(column.to_numpy(), dtype=np.float64)
        different = np.unique(values)
        whole = bool((different == np.round(different)).all())
        if whole and 1 < len(different) <= FEW and len(values) >= REPEATED * len(different):
            warn(
                f"{name} holds {len(different)} different whole numbers, as {kept} ones, "
                'so it is taken for a quantity (task="regression"). If each is a class, make the '
                'view with task="classification".',
                InferredTask,
            )
    return found


def target(column: pa.ChunkedArray, task: Task, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class codes (int64) with their names, or values (float64) without.

    Raises:
        InvalidInputError: Infinite values, or as many classes as samples.
    """
    import pyarrow as pa

    if task == "regression":
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        y = column.to_pandas().to_numpy(dtype=np.float64)
        endless = int(np.isinf(y).sum())
        if endless:
            raise InvalidInputError(
                f"{endless} of {len(y)} labels in {name!r} are infinite",
                "Insert missing values (None) in their place, or filter them out.",
            )
        return y, ()
    values = column.to_numpy()
    names, codes = np.unique(values, return_inverse=True)
    if len(names) == len(values) >= ALL_OF_THEIR_OWN and not pa.types.is_integer(column.type):
        raise InvalidInputError(
            f"each of the {len(values)} labels in {name!r} is a class of its own",
            "Select the column that says the class; the label of a quantity is a number.",
        )
    return codes.astype(np.int64), tuple(_text(each) for each in names)


def _text(value: object) -> str:
    if isinstance(value, Decimal):  # all its digits: as a float it may be another one
        return format(value.normalize(), "f")
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
