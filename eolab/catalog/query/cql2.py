"""CQL2, the filter language of STAC APIs (OGC 21-065r2): text and JSON.

Text is parsed by the `cql2` library. Matching is ours (`match`): the library raises where a
property is null, as it does for what it does not know, and takes twice the time an item.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from eolab.catalog.query.match import (
    ARITHMETIC,
    ARRAY,
    CONDITIONS,
    COUNTS,
    HINT,
    SPATIAL,
    TEMPORAL,
    Expression,
    matcher,
)
from eolab.errors import InvalidInputError, nearest

_NAMES = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "!=": "<>"}
# Beyond the basic class, what a service must declare before it is asked for it.
_CLASSES = {
    "casei": "case-insensitive-comparison",
    "accenti": "accent-insensitive-comparison",
    **dict.fromkeys(set(SPATIAL) - {"s_intersects"}, "spatial-functions"),
    **dict.fromkeys(TEMPORAL, "temporal-functions"),
    **dict.fromkeys(ARRAY, "array-functions"),
    **dict.fromkeys(ARITHMETIC, "arithmetic"),
}
# Deeper nesting ends the process inside of the parser.
_DEPTH, _OPERATORS = 100, 1_000
_WORD = re.compile(
    r"\b(?:AND|OR|NOT|LIKE|IN|BETWEEN|IS)\b|[=<>+*/%^]|-(?=[\s(A-Za-z\"-])", re.IGNORECASE
)
_EXACT = 2**53  # beyond it the parser's numbers are not the written ones


def parse(filter: str | Expression) -> Expression:
    """CQL2 text or JSON as checked CQL2 JSON.

    Knows all of CQL2 but functions of a service's own: logic, comparisons, ``like``, ``between``,
    ``in``, ``isNull``, ``casei`` and ``accenti``, arithmetic, and the spatial (``s_``), temporal
    (``t_``) and array (``a_``) functions.

    Args:
        filter: Text such as ``"eo:cloud_cover < 20"``, or the JSON of it as a mapping or text.

    Raises:
        InvalidInputError: Where it is wrong or not known.

    Example:
        >>> from eolab.catalog.query.cql2 import parse
        >>> parse("eo:cloud_cover < 20")
        {'op': '<', 'args': [{'property': 'eo:cloud_cover'}, 20]}
    """
    if isinstance(filter, str):
        parsed = _parse_text(filter)
    elif isinstance(filter, Mapping):
        parsed = filter
    else:
        raise InvalidInputError(f"the filter is {type(filter).__name__}", f"Write CQL2. {HINT}")
    try:
        return _check(parsed)
    except RecursionError:
        raise InvalidInputError("the filter is nested too deeply", HINT) from None


def _parse_text(text: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"the filter is no JSON: {error}", HINT) from None
    import cql2

    plain = re.sub(r"'(?:[^']|'')*'", "''", text)
    if _nesting(plain) > _DEPTH or len(_WORD.findall(plain)) > _OPERATORS:
        raise InvalidInputError(
            f"the filter is nested deeper than {_DEPTH} brackets, or has more than "
            f"{_OPERATORS:,} operators",
            "Write a list of values as: NAME IN (...).",
        )
    try:
        return _plain_numbers(cql2.parse_text(text).to_json())
    except InvalidInputError:
        raise
    except Exception as error:  # the library raises no class of its own
        found = re.search(r"--> (\d+):(\d+)", str(error))
        lines = text.split("\n")
        near = lines[int(found[1]) - 1][int(found[2]) - 1 :].strip()[:20] if found else text[:20]
        raise InvalidInputError(
            f"the filter is not understood at {near or 'its end'!r}: {text[:120]}", HINT
        ) from None


def _nesting(text: str) -> int:
    depth = deepest = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    return deepest


def _plain_numbers(value: object) -> object:
    """Whole numbers as such: services with columns of integers take 20 and may refuse 20.0."""
    if isinstance(value, dict):
        return {key: _plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        if abs(value) > _EXACT:
            raise InvalidInputError(
                f"the filter's number {value:.0f} has more digits than are kept",
                "Give the filter as JSON, with the number as a whole one.",
            )
        return int(value)
    return value


def properties(expression: object) -> set[str]:
    """Names of all properties in an expression."""
    if isinstance(expression, Mapping):
        name = expression.get("property")
        if isinstance(name, str):
            return {name}
        inner = expression.get("args", expression.get("interval", []))
        return properties(inner)
    if isinstance(expression, list):
        return {name for part in expression for name in properties(part)}
    return set()


def classes(expression: object) -> set[str]:
    """Conformance classes beyond the basic ones that a service needs for an expression.

    They are named by the end of their URI, such as "temporal-functions".
    """
    if isinstance(expression, list):
        return {name for part in expression for name in classes(part)}
    if not isinstance(expression, Mapping) or not isinstance(expression.get("args"), list):
        return set()
    own = _CLASSES.get(str(expression.get("op")))
    return classes(expression["args"]) | ({own} if own else set())


def within(expression: Expression, known: Callable[[str], bool]) -> Expression | None:
    """What a service can be asked of an expression: it keeps all that matches, perhaps more.

    Args:
        expression: Made by `parse`.
        known: Whether the service declares a class (see `classes`).

    Returns:
        The expression, those of its conditions joined by ``and`` that the service knows, or None.
    """
    if all(known(name) for name in classes(expression)):
        return expression
    args = expression.get("args")
    if expression.get("op") != "and" or not isinstance(args, list):
        return None
    left = [part for arg in args if (part := within(arg, known)) is not None]
    return {"op": "and", "args": left} if len(left) > 1 else left[0] if left else None


def _check(condition: object) -> Expression:
    """A condition with today's names of operators and the right number of operands."""
    if isinstance(condition, Mapping) and isinstance(condition.get("property"), str):
        return dict(condition)  # a property that is true or false
    if isinstance(condition, bool):
        return {"op": "=", "args": [condition, True]}
    if not isinstance(condition, Mapping) or "op" not in condition:
        raise InvalidInputError(f"the filter has {condition!r} where a condition is wanted", HINT)
    given = str(condition["op"])
    op = _NAMES.get(given, given)
    args = condition.get("args")
    if not isinstance(args, list):
        raise InvalidInputError(f"the filter's {given!r} has no list of args", HINT)
    if op in ("and", "or"):
        return {"op": op, "args": [_check(part) for part in args]}
    if op not in COUNTS:
        raise InvalidInputError(
            f"the filter's operator {given!r} is not known", nearest(given, sorted(CONDITIONS))
        )
    if len(args) != COUNTS[op]:
        raise InvalidInputError(
            f"the filter's {given!r} has {len(args)} args, not {COUNTS[op]}", HINT
        )
    if op == "not":
        return {"op": op, "args": [_check(args[0])]}
    if op == "in" and not isinstance(args[1], list):
        raise InvalidInputError("the filter's 'in' wants a list", "eo:cloud_cover IN (1, 2)")
    checked = {"op": op, "args": [_operand(arg) for arg in args]}
    matcher(checked)  # shapes and times that are none are found here, not at the first item
    return checked


def _operand(value: object) -> object:
    """What stands beside an operator: a literal, a property, a function of them.

    Raises:
        InvalidInputError: A function that is not known, or with the wrong number of operands.
    """
    if isinstance(value, list):
        return [_operand(inner) for inner in value]
    if not isinstance(value, Mapping) or "op" not in value:
        return value
    op, args = str(value["op"]), value.get("args")
    wanted = 1 if op in ("casei", "accenti") else 2 if op in ARITHMETIC else None
    if op in CONDITIONS:
        return _check(value)
    if wanted is None:
        raise InvalidInputError(
            f"the filter's function {op!r} is not known",
            nearest(op, ["casei", "accenti", *ARITHMETIC, *sorted(CONDITIONS)]),
        )
    if not isinstance(args, list) or len(args) != wanted:
        raise InvalidInputError(f"the filter's {op!r} takes {wanted} operands", HINT)
    return {"op": op, "args": [_operand(arg) for arg in args]}
