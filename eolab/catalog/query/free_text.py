"""Free text: which items mention all words, and which rows of a table may."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eolab.catalog.query.prefilter import quote_literal

if TYPE_CHECKING:
    import pystac

# Property of an item out of a static catalogue: what the catalogues above it are called. A file of
# the items keeps properties, no other fields of ours.
ABOVE = "eolab:above"
_NUMBER = re.compile(r"^[-+.0-9einfa]+$")  # a part of one, "nan" and "inf" among them
_WHOLE = re.compile(r"^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|^BOOLEAN$")


def mentions(item: pystac.Item, words: Sequence[str], about: Mapping[str, str]) -> bool:
    """Whether all words occur in the item or in what its collection and catalogues are called.

    Args:
        item: Its id and the texts and numbers among its properties are searched.
        words: Parts of words count, in capitals or not.
        about: What collections say of themselves, by id.
    """
    if not words:
        return True
    values = [str(v) for v in item.properties.values() if isinstance(v, str | int | float)]
    above = item.properties.get(ABOVE)
    values += [str(v) for v in above] if isinstance(above, list) else []
    text = " ".join([item.id, about.get(item.collection_id or "", ""), *values]).lower()
    return all(word.lower() in text for word in words)


def words_to_sql(
    words: Sequence[str], about: Mapping[str, str], columns: Mapping[str, str]
) -> list[str]:
    """Conditions of DuckDB that hold for every row whose item mentions the words, perhaps for more.

    Args:
        words: As for `mentions`; one in other letters than ASCII gives no condition, since lower
            case is not the same everywhere.
        about: As for `mentions`.
        columns: Types of the table's columns by name.
    """
    return [
        f"({' OR '.join(_tests(word.lower(), about, columns))})" for word in words if word.isascii()
    ]


def _tests(word: str, about: Mapping[str, str], columns: Mapping[str, str]) -> list[str]:
    wanted = quote_literal(word)
    tests = []
    named = [quote_literal(name) for name, text in about.items() if word in text.lower()]
    if named and "collection" in columns:
        tests.append(f"collection IN ({', '.join(named)})")
    for name, kind in columns.items():
        column = '"' + name.replace('"', '""') + '"'
        if kind == "VARCHAR":
            tests.append(f"contains(lower({column}), {wanted})")
        elif kind == "VARCHAR[]" and name == ABOVE:
            tests.append(f"contains(lower(array_to_string({column}, ' ')), {wanted})")
        elif _WHOLE.match(kind):
            tests.append(f"contains(CAST({column} AS VARCHAR), {wanted})")
        elif kind in ("FLOAT", "DOUBLE"):
            if not _NUMBER.match(word):
                continue
            # Python writes very large and very small ones otherwise.
            number = f"CAST({column} AS DOUBLE)"
            usual = f"abs({number}) BETWEEN 1e-3 AND 1e15 OR {number} = 0"
            tests.append(f"contains(CAST({number} AS VARCHAR), {wanted})")
            tests.append(f"({column} IS NOT NULL AND NOT ({usual}))")
        elif kind.startswith("TIMESTAMP"):
            # As items have it, but for the Z at its end: that follows as many digits as a file has.
            finest = "%n" if kind == "TIMESTAMP_NS" else "%f"
            written = f"lower(strftime({column}, '%Y-%m-%dT%H:%M:%S.{finest}'))"
            tests.append(f"contains({written}, {quote_literal(word.removesuffix('z'))})")
    return tests or ["false"]
