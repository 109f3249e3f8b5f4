"""What DuckDB can leave out before items are read: filters as SQL, for all that match and more."""

from __future__ import annotations

from collections.abc import Mapping

from eolab.catalog.query.match import COMPARE, Expression, as_time


def to_sql(expression: Expression, columns: Mapping[str, str]) -> str | None:
    """A condition for DuckDB that holds for all rows that match, perhaps for more.

    Args:
        expression: Made by `eolab.catalog.query.cql2.parse`.
        columns: SQL type of each property that is a column.

    Returns:
        SQL, or None where nothing of it can be said in SQL.
    """
    op, args = str(expression.get("op")), expression.get("args")
    if not isinstance(args, list):
        return None  # a property that is true or false
    if op == "and":
        parts = [sql for part in args if (sql := to_sql(part, columns)) is not None]
        return f"({' AND '.join(parts)})" if parts else None
    if op == "or":
        alternatives = [to_sql(part, columns) for part in args]
        if None in alternatives or not alternatives:
            return None
        return f"({' OR '.join(str(sql) for sql in alternatives)})"
    # A negation of something wider would be something narrower: left to the second filter.
    if op not in (*COMPARE, "between", "in", "isNull"):
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
        time = as_time(value)
        return None if time is None else f"TIMESTAMPTZ '{time.isoformat()}'"
    return quote_literal(value) if kind == "VARCHAR" else None


def quote_literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
