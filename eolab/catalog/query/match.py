"""Whether an item satisfies a CQL2 filter.

Logic has three values, as in SQL: a comparison with a null, or of values of different kinds, is
unknown, and an item whose answer is unknown does not match.
"""

from __future__ import annotations

import json
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from eolab.catalog.areas.areas import boxes, check_bbox, footprint, parse_area
from eolab.catalog.query.times import parse_interval
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac
    from shapely.geometry.base import BaseGeometry

T = TypeVar("T")
Expression = Mapping[str, object]
Value = str | float | bool | datetime | None
Interval = tuple[datetime, datetime]
HINT = "For example: eo:cloud_cover < 20 AND platform = 'sentinel-2a'."
COMPARE = ("=", "<>", "<", "<=", ">", ">=")
# By whether the left value is less, and whether both are equal.
_HOLDS: Mapping[str, Callable[[bool, bool], bool]] = {
    "=": lambda _, equal: equal,
    "<>": lambda _, equal: not equal,
    "<": lambda less, _: less,
    "<=": lambda less, equal: less or equal,
    ">": lambda less, equal: not (less or equal),
    ">=": lambda less, _: not less,
}
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
SPATIAL = {
    f"s_{name}": name
    for name in (
        "contains", "crosses", "disjoint", "equals", "intersects", "overlaps", "touches", "within",
    )
}  # fmt: skip
# Of two closed intervals; an instant is one that ends as it begins (Allen 1983, as OGC 21-065r2
# 7.8 lists them).
TEMPORAL: Mapping[str, Callable[[Interval, Interval], bool]] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_contains": lambda a, b: a[0] < b[0] and a[1] > b[1],
    "t_disjoint": lambda a, b: a[1] < b[0] or a[0] > b[1],
    "t_during": lambda a, b: a[0] > b[0] and a[1] < b[1],
    "t_equals": lambda a, b: a == b,
    "t_finishedBy": lambda a, b: a[0] < b[0] and a[1] == b[1],
    "t_finishes": lambda a, b: a[0] > b[0] and a[1] == b[1],
    "t_intersects": lambda a, b: a[0] <= b[1] and a[1] >= b[0],
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metBy": lambda a, b: a[0] == b[1],
    "t_overlappedBy": lambda a, b: b[0] < a[0] < b[1] < a[1],
    "t_overlaps": lambda a, b: a[0] < b[0] < a[1] < b[1],
    "t_startedBy": lambda a, b: a[0] == b[0] and a[1] > b[1],
    "t_starts": lambda a, b: a[0] == b[0] and a[1] < b[1],
}
ARRAY: Mapping[str, Callable[[list[object], list[object]], bool]] = {
    "a_containedBy": lambda a, b: all(value in b for value in a),
    "a_contains": lambda a, b: all(value in a for value in b),
    "a_equals": operator.eq,
    "a_overlaps": lambda a, b: any(value in b for value in a),
}
ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "div": lambda a, b: float(math.trunc(a / b)),
    "^": math.pow,
}
# Operators of conditions with the number of their operands; "and" and "or" take any.
COUNTS = {"not": 1, "isNull": 1, "like": 2, "between": 3, "in": 2}
COUNTS |= dict.fromkeys((*COMPARE, *SPATIAL, *TEMPORAL, *ARRAY), 2)
CONDITIONS = frozenset(("and", "or", *COUNTS))
Matcher = Callable[["pystac.Item"], "bool | None"]


def matcher(expression: Expression) -> Callable[[pystac.Item], bool]:
    """Tells of an item whether it satisfies a filter; unknown is no.

    Shapes and times of the filter are read once, not for each item.

    Args:
        expression: Made by `eolab.catalog.query.cql2.parse`.

    Raises:
        InvalidInputError: A literal that is no shape, time or value.
    """
    made = _compiled(expression)
    return lambda item: made(item) is True


def _compiled(expression: object) -> Matcher:
    if not isinstance(expression, Mapping) or "op" not in expression:
        holds = _value_of(expression)
        return lambda item: value if isinstance(value := holds(item), bool) else None
    op, args = str(expression["op"]), expression["args"]
    assert isinstance(args, list)
    if op in ("and", "or"):
        return _joined([_compiled(part) for part in args], decisive=op == "or")
    if op == "not":
        inner = _compiled(args[0])
        return lambda item: None if (found := inner(item)) is None else not found
    if op in SPATIAL:
        return _spatial(SPATIAL[op], args)
    if op in TEMPORAL:
        return _both(_interval_of(args[0]), _interval_of(args[1]), TEMPORAL[op])
    if op in ARRAY:
        return _both(_array_of(args[0]), _array_of(args[1]), ARRAY[op])
    left = _value_of(args[0])
    if op == "isNull":
        return _is_null(args[0])
    if op == "in":
        choices = [_value_of(choice) for choice in args[1]]
        equal = [_compared("=", left, choice) for choice in choices]
        either = _joined(equal, decisive=True)
        # Of an empty list nothing is known of a null either.
        return either if equal else lambda item: None if left(item) is None else False
    right = _value_of(args[1])
    if op == "like":
        return lambda item: _like(left(item), right(item))
    if op == "between":
        low = _compared(">=", left, right)
        high = _compared("<=", left, _value_of(args[2]))
        return _joined([low, high], decisive=False)
    return _compared(op, left, right)


def _joined(parts: Sequence[Matcher], *, decisive: bool) -> Matcher:
    def match(item: pystac.Item) -> bool | None:
        known = True
        for part in parts:
            found = part(item)
            if found is decisive:
                return decisive
            known = known and found is not None
        return not decisive if known else None

    return match


def _both(
    left: Callable[[pystac.Item], T | None],
    right: Callable[[pystac.Item], T | None],
    holds: Callable[[T, T], bool],
) -> Matcher:
    def match(item: pystac.Item) -> bool | None:
        a, b = left(item), right(item)
        return None if a is None or b is None else holds(a, b)

    return match


def _lookup(item: pystac.Item, name: str) -> object:
    name = name.removeprefix("properties.")
    if name == "id":
        return item.id
    if name == "collection":
        return item.collection_id
    if name == "datetime":
        return item.datetime
    return item.properties.get(name)


def _is_null(arg: object) -> Matcher:
    if isinstance(arg, Mapping) and isinstance(arg.get("property"), str):
        name = str(arg["property"])
        if name in ("geometry", "properties.geometry"):
            return lambda item: footprint(item) is None
        return lambda item: (value := _lookup(item, name)) is None or value != value  # noqa: PLR0124
    value = _value_of(arg)
    return lambda item: value(item) is None


def _value_of(arg: object) -> Callable[[pystac.Item], Value]:
    """How one operand becomes a value that can be compared."""
    if isinstance(arg, Mapping):
        if isinstance(arg.get("property"), str):
            name = str(arg["property"])
            return lambda item: _plain(_lookup(item, name))
        if "op" in arg:
            return _called(str(arg["op"]), arg["args"])
        literal = arg.get("timestamp", arg.get("date"))
        if literal is None:
            raise InvalidInputError(f"the filter has {dict(arg)!r} where a value is wanted", HINT)
        time = parse_interval(str(literal))[0]
        return lambda _: time
    value = _plain(arg)
    return lambda _: value


def _called(op: str, args: object) -> Callable[[pystac.Item], Value]:
    assert isinstance(args, list)
    if op in CONDITIONS:
        return _compiled({"op": op, "args": args})
    inner = [_value_of(arg) for arg in args]
    if op in ("casei", "accenti"):
        fold = str.casefold if op == "casei" else _without_accents
        return lambda item: fold(text) if isinstance(text := inner[0](item), str) else None
    return lambda item: _computed(op, inner[0](item), inner[1](item))


def _without_accents(text: str) -> str:
    """Letters without their marks: "Crème" is "Creme"."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def _computed(op: str, left: Value, right: Value) -> float | None:
    if isinstance(left, bool) or isinstance(right, bool):
        return None
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    try:
        found = ARITHMETIC[op](left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return found if found == found else None  # noqa: PLR0124  NaN


def _spatial(relation: str, args: list[object]) -> Matcher:
    def holds(a: BaseGeometry, b: BaseGeometry) -> bool:
        return bool(getattr(a, relation)(b))

    return _both(_shape_of(args[0]), _shape_of(args[1]), holds)


def _shape_of(arg: object) -> Callable[[pystac.Item], BaseGeometry | None]:
    if isinstance(arg, Mapping) and isinstance(arg.get("property"), str):
        name = str(arg["property"]).removeprefix("properties.")
        if name == "geometry":
            return footprint

        def read(item: pystac.Item) -> BaseGeometry | None:
            value = item.properties.get(name)
            return parse_area(value) if isinstance(value, Mapping) else None

        return read
    if not isinstance(arg, Mapping):
        raise InvalidInputError(f"the filter has {arg!r} where a shape is wanted", HINT)
    shape = _literal_shape(json.dumps(arg, sort_keys=True))
    return lambda _: shape


@lru_cache(maxsize=64)
def _literal_shape(document: str) -> BaseGeometry:
    arg = json.loads(document)
    return (
        boxes(check_bbox(arg["bbox"])) if "bbox" in arg and "type" not in arg else parse_area(arg)
    )


def _interval_of(arg: object) -> Callable[[pystac.Item], Interval | None]:
    """First and last instant of an operand: a date is its whole day."""
    if isinstance(arg, Mapping) and "interval" in arg:
        ends = arg["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise InvalidInputError("the filter's interval needs its start and its end", HINT)
        first, last = (_interval_of(end) for end in ends)

        def read(item: pystac.Item) -> Interval | None:
            start, end = first(item), last(item)
            return None if start is None or end is None else (start[0], end[1])

        return read
    if isinstance(arg, Mapping) and isinstance(arg.get("property"), str):
        name = str(arg["property"])
        return lambda item: _as_interval(_lookup(item, name))
    literal = arg.get("timestamp", arg.get("date")) if isinstance(arg, Mapping) else arg
    found = _as_interval(literal)
    if found is None:
        raise InvalidInputError(
            f"the filter has {literal!r} where a time is wanted",
            "For example: T_AFTER(datetime, DATE('2024-05-01')).",
        )
    return lambda _: found


def _as_interval(value: object) -> Interval | None:
    """First and last instant; `..` is all of time, of which an interval takes its open end."""
    if isinstance(value, datetime):
        time = _in_utc(value)
        return time, time
    if not isinstance(value, str):
        return None
    try:
        first, last = parse_interval(value)
    except InvalidInputError:
        return None
    return first or _FIRST, last or _LAST


def _array_of(arg: object) -> Callable[[pystac.Item], list[object] | None]:
    if isinstance(arg, Mapping) and isinstance(arg.get("property"), str):
        name = str(arg["property"])
        return lambda item: value if isinstance(value := _lookup(item, name), list) else None
    if not isinstance(arg, list):
        raise InvalidInputError(
            f"the filter has {arg!r} where a list is wanted",
            "For example: A_CONTAINS(instruments, ('msi')).",
        )
    return lambda _: arg


def _like(text: Value, pattern: Value) -> bool | None:
    if not isinstance(text, str) or not isinstance(pattern, str):
        return None
    return _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=64)
def _pattern(pattern: str) -> re.Pattern[str]:
    """``%`` is any text, ``_`` one character; a backslash takes that meaning away."""
    parts = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def _plain(value: object) -> Value:
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, float) and value != value:  # noqa: PLR0124  NaN
        return None
    return value if isinstance(value, str | int | float | bool) else None


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _compared(
    op: str, left: Callable[[pystac.Item], Value], right: Callable[[pystac.Item], Value]
) -> Matcher:
    holds = _HOLDS[op]

    def match(item: pystac.Item) -> bool | None:
        a, b = left(item), right(item)
        if isinstance(a, datetime) and isinstance(b, str):
            b = as_time(b)
        if isinstance(b, datetime) and isinstance(a, str):
            a = as_time(a)
        less = _less(a, b)
        return None if less is None else holds(less, a == b)

    return match


def as_time(text: str) -> datetime | None:
    """The first instant that a text tells; None where it is no time."""
    try:
        return parse_interval(text)[0]
    except InvalidInputError:
        return None


def _less(a: Value, b: Value) -> bool | None:
    """None where the two cannot be compared: a null, or values of two kinds."""
    if isinstance(a, str) and isinstance(b, str):
        return a < b
    if isinstance(a, datetime) and isinstance(b, datetime):
        return a < b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a < b if isinstance(a, bool) is isinstance(b, bool) else None
    return None
