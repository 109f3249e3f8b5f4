"""CQL2, the filter language of STAC APIs (OGC 21-065r2): text and JSON, for items and for DuckDB.

A null property never matches a comparison: logic has three values, as in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eolab.catalog.query.query import parse_interval
from eolab.errors import InvalidInputError

if TYPE_CHECKING:
    import pystac

Expression = Mapping[str, object]
_COMPARE = ("=", "<>", "<", "<=", ">", ">=")
_NAMES = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "!=": "<>"}
_HINT = "For example: eo:cloud_cover < 20 AND platform = 'sentinel-2a'."
_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|'(?P<text>(?:[^']|'')*)'"
    r'|"(?P<quoted>[^"]+)"|(?P<name>[A-Za-z_][\w:.\-]*)|(?P<op><=|>=|<>|!=|[=<>(),]))'
)


def parse(filter: str | Expression) -> Expression:
    """CQL2 text or JSON as checked CQL2 JSON.

    Knows: and, or, not, comparisons, like, between, in, isNull, s_intersects, TIMESTAMP, DATE.

    Raises:
        InvalidInputError: Where it is wrong or not known.
    """
    if isinstance(filter, str):
        expression = _Text(filter).whole()
    elif isinstance(filter, Mapping):
        expression = filter
    else:
        raise InvalidInputError(f"the filter is {type(filter).__name__}", f"Write CQL2. {_HINT}")
    return _check(expression)


def properties(expression: object) -> set[str]:
    """Names of all properties in an expression."""
    if isinstance(expression, Mapping):
        name = expression.get("property")
        if isinstance(name, str):
            return {name}
        return properties(expression.get("args", []))
    if isinstance(expression, list):
        return {name for part in expression for name in properties(part)}
    return set()


def _check(expression: object) -> Expression:
    if not isinstance(expression, Mapping) or "op" not in expression:
        raise InvalidInputError(f"the filter has {expression!r} where a condition is wanted", _HINT)
    given = str(expression["op"])
    op = _NAMES.get(given, given)
    args = expression.get("args")
    if not isinstance(args, list):
        raise InvalidInputError(f"the filter's {given!r} has no list of args", _HINT)
    counts = {"not": 1, "isNull": 1, "like": 2, "between": 3, "in": 2, "s_intersects": 2}
    wanted = 2 if op in _COMPARE else counts.get(op)
    if op in ("and", "or"):
        return {"op": op, "args": [_check(part) for part in args]}
    if wanted is None:
        raise InvalidInputError(
            f"the filter's operator {given!r} is not known",
            "Known are and, or, not, =, <>, <, <=, >, >=, like, between, in, isNull, s_intersects.",
        )
    if len(args) != wanted:
        raise InvalidInputError(f"the filter's {given!r} has {len(args)} args, not {wanted}", _HINT)
    if op == "not":
        return {"op": op, "args": [_check(args[0])]}
    if op == "in" and not isinstance(args[1], list):
        raise InvalidInputError("the filter's 'in' wants a list", "eo:cloud_cover IN (1, 2)")
    return {"op": op, "args": list(args)}


class _Text:
    """Recursive descent over CQL2 text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise self._wrong(text[at:].strip()[:20])
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self.at = 0

    def _wrong(self, near: str) -> InvalidInputError:
        return InvalidInputError(
            f"the filter is not understood at {near!r}: {self.text[:120]}", _HINT
        )

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self._wrong("its end")
        self.at += 1
        return self.tokens[self.at - 1]

    def _word(self, *words: str) -> str | None:
        """Take the next token if it is one of these words."""
        if self.at < len(self.tokens):
            kind, value = self.tokens[self.at]
            if kind in ("name", "op") and value.upper() in words:
                self.at += 1
                return value.upper()
        return None

    def _expect(self, *words: str) -> None:
        if self._word(*words) is None:
            raise self._wrong(self._next()[1])

    def whole(self) -> Expression:
        expression = self._or()
        if self.at < len(self.tokens):
            raise self._wrong(self.tokens[self.at][1])
        return expression

    def _or(self) -> Expression:
        parts = [self._and()]
        while self._word("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else {"op": "or", "args": parts}

    def _and(self) -> Expression:
        parts = [self._not()]
        while self._word("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else {"op": "and", "args": parts}

    def _not(self) -> Expression:
        if self._word("NOT"):
            return {"op": "not", "args": [self._not()]}
        if self._word("("):
            inner = self._or()
            self._expect(")")
            return inner
        return self._condition()

    def _condition(self) -> Expression:
        if self._word("S_INTERSECTS"):
            self._expect("(")
            name = self._operand()
            self._expect(",")
            shape = self._shape()
            return {"op": "s_intersects", "args": [name, shape]}
        left = self._operand()
        if self._word("IS"):
            negated = self._word("NOT")
            self._expect("NULL")
            return self._maybe_not(negated, {"op": "isNull", "args": [left]})
        negated = self._word("NOT")
        if self._word("LIKE"):
            return self._maybe_not(negated, {"op": "like", "args": [left, self._operand()]})
        if self._word("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            return self._maybe_not(negated, {"op": "between", "args": [left, low, self._operand()]})
        if self._word("IN"):
            self._expect("(")
            values = [self._operand()]
            while self._word(","):
                values.append(self._operand())
            self._expect(")")
            return self._maybe_not(negated, {"op": "in", "args": [left, values]})
        kind, value = self._next()
        op = _NAMES.get(value, value)
        if negated or kind != "op" or op not in _COMPARE:
            raise self._wrong(value)
        return {"op": op, "args": [left, self._operand()]}

    @staticmethod
    def _maybe_not(negated: str | None, expression: Expression) -> Expression:
        return {"op": "not", "args": [expression]} if negated else expression

    def _operand(self) -> object:
        kind, value = self._next()
        if kind == "number":
            number = float(value)
            return int(number) if number.is_integer() and "." not in value else number
        if kind == "text":
            return value.replace("''", "'")
        if kind == "quoted":
            return {"property": value}
        if kind != "name":
            raise self._wrong(value)
        if value.upper() in ("TRUE", "FALSE"):
            return value.upper() == "TRUE"
        if value.upper() in ("TIMESTAMP", "DATE") and self._word("("):
            literal = self._next()[1]
            self._expect(")")
            return {value.lower(): literal}
        return {"property": value}

    def _shape(self) -> object:
        """Well-known text up to the bracket that closes s_intersects."""
        from shapely import from_wkt
        from shapely.errors import ShapelyError
        from shapely.geometry import mapping

        words, depth = [], 0
        while self.at < len(self.tokens):
            value = self.tokens[self.at][1]
            if value == ")" and depth == 0:
                break
            depth += (value == "(") - (value == ")")
            words.append(value)
            self.at += 1
        self._expect(")")
        try:
            return mapping(from_wkt(" ".join(words)))
        except ShapelyError as error:
            raise self._wrong(" ".join(words)[:40]) from error


Value = str | float | bool | datetime | None


def matches(expression: Expression, item: pystac.Item) -> bool:
    """Whether an item satisfies a filter made by `parse`; unknown is no."""
    return _evaluate(expression, lambda name: _lookup(item, name), item) is True


def _lookup(item: pystac.Item, name: str) -> object:
    name = name.removeprefix("properties.")
    if name == "id":
        return item.id
    if name == "collection":
        return item.collection_id
    if name == "datetime":
        return item.datetime
    return item.properties.get(name)


def _evaluate(
    expression: Expression, lookup: Callable[[str], object], item: pystac.Item
) -> bool | None:
    op, args = str(expression["op"]), expression["args"]
    assert isinstance(args, list)
    if op in ("and", "or"):
        values = [_evaluate(part, lookup, item) for part in args]
        decisive = op == "or"
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if op == "not":
        inner = _evaluate(args[0], lookup, item)
        return None if inner is None else not inner
    if op == "s_intersects":
        from eolab.catalog.areas.areas import footprint, parse_area

        shape = footprint(item)
        return None if shape is None else bool(shape.intersects(parse_area(args[1])))
    values_of = [_value(arg, lookup) for arg in args if not isinstance(arg, list)]
    if op == "isNull":
        return values_of[0] is None
    left = values_of[0]
    if op == "in":
        assert isinstance(args[1], list)
        choices = [_value(choice, lookup) for choice in args[1]]
        return None if left is None else any(_compare("=", left, choice) for choice in choices)
    if op == "like":
        pattern = values_of[1]
        if not isinstance(left, str) or not isinstance(pattern, str):
            return None
        return re.fullmatch(_like(pattern), left, re.DOTALL) is not None
    if op == "between":
        above = _compare(">=", left, values_of[1])
        below = _compare("<=", left, values_of[2])
        return None if above is None or below is None else above and below
    return _compare(op, left, values_of[1])


def _like(pattern: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern)


def _value(arg: object, lookup: Callable[[str], object]) -> Value:
    if isinstance(arg, Mapping):
        if isinstance(arg.get("property"), str):
            return _plain(lookup(str(arg["property"])))
        literal = arg.get("timestamp", arg.get("date"))
        return None if literal is None else parse_interval(str(literal))[0]
    return _plain(arg)


def _plain(value: object) -> Value:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, float) and value != value:  # noqa: PLR0124  NaN
        return None
    return value if isinstance(value, str | int | float | bool) else None


def _compare(op: str, left: Value, right: Value) -> bool | None:
    if isinstance(left, datetime) and isinstance(right, str):
        right = _as_time(right)
    if isinstance(right, datetime) and isinstance(left, str):
        left = _as_time(left)
    if left is None or right is None or _family(left) is not _family(right):
        return None
    equal, less = left == right, left < right  # type: ignore[operator]
    return {
        "=": equal,
        "<>": not equal,
        "<": less,
        "<=": less or equal,
        ">": not (less or equal),
        ">=": not less,
    }[op]


def _as_time(text: str) -> datetime | None:
    try:
        return parse_interval(text)[0]
    except InvalidInputError:
        return None


def _family(value: Value) -> type:
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, int | float) else type(value)


def to_sql(expression: Expression, columns: Mapping[str, str]) -> str | None:
    """A condition for DuckDB that holds for all rows that match, perhaps for more.

    Args:
        expression: Made by `parse`.
        columns: SQL type of each property that is a column.

    Returns:
        SQL, or None where nothing of it can be said in SQL.
    """
    op, args = str(expression["op"]), expression["args"]
    assert isinstance(args, list)
    if op == "and":
        parts = [sql for part in args if (sql := to_sql(part, columns)) is not None]
        return f"({' AND '.join(parts)})" if parts else None
    if op == "or":
        alternatives = [to_sql(part, columns) for part in args]
        if None in alternatives or not alternatives:
            return None
        return f"({' OR '.join(str(sql) for sql in alternatives)})"
    # A negation of something wider would be something narrower: left to the second filter.
    if op in ("not", "s_intersects", "like"):
        return None
    left = args[0]
    name = left.get("property") if isinstance(left, Mapping) else None
    plain = str(name).removeprefix("properties.")
    if name is None or plain not in columns:
        return None
    column = '"' + plain.replace('"', '""') + '"'
    if op == "isNull":
        # NaN is null to us and a number to SQL.
        return None if columns[plain] in ("DOUBLE", "FLOAT") else f"{column} IS NULL"
    right = args[1] if op == "in" else args[1:]
    literals = [_literal(value, columns[plain]) for value in right]
    if None in literals:
        return None
    if op == "in":
        return f"{column} IN ({', '.join(map(str, literals))})" if literals else "FALSE"
    if op == "between":
        return f"{column} BETWEEN {literals[0]} AND {literals[1]}"
    return f"{column} {op} {literals[0]}"


def _literal(value: object, kind: str) -> str | None:
    """A SQL literal of the column's family, or None where they do not fit."""
    number = kind in ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT")
    if isinstance(value, bool):
        return str(value).upper() if kind == "BOOLEAN" else None
    if isinstance(value, int | float):
        return repr(value) if number else None
    if isinstance(value, Mapping):
        value = value.get("timestamp", value.get("date"))
    if not isinstance(value, str):
        return None
    if kind.startswith("TIMESTAMP"):
        time = _as_time(value)
        return None if time is None else f"TIMESTAMPTZ '{time.isoformat()}'"
    return quote(value) if kind == "VARCHAR" else None


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
