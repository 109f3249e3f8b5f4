"""`%features`: what the feature store holds, in one line, with completion."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class

from eolab.errors import InvalidInputError, nearest
from eolab.features import FeatureStore
from eolab.settings import config as configuration

if TYPE_CHECKING:
    from types import SimpleNamespace

    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from eolab.features import FeatureGroup, FeatureView

_USAGE = """%features                              all groups and views
%features search WORDS                 those that hold every word
%features show NAME[/VERSION]          columns with types and descriptions
%features read NAME[/VERSION] [--as-of TIME] [--where SQL] [--to NAME]
%features stats NAME[/VERSION]         figures of each column
%features commits NAME[/VERSION]       what came in when
%features lineage NAME[/VERSION]       what it was made from, and what of it
%features open NAME[/VERSION] [--to NAME]   the group or view itself, in a variable"""
_NAMED = ("show", "read", "stats", "commits", "lineage", "open")
_WORDS = ("search", *_NAMED)


def register(shell: InteractiveShell) -> None:
    """Make `%features` known to a shell, with completion of words and names."""
    shell.register_magics(FeaturesMagics)
    shell.set_hook("complete_command", _complete, str_key="%features")


def _complete(_: object, event: SimpleNamespace) -> list[str]:
    """Words after `%features`, then names of groups and views."""
    words = event.text_until_cursor.split()
    typed = not event.text_until_cursor.endswith(" ")
    place = len(words) - (1 if typed else 0)
    if place <= 1:
        return list(_WORDS)
    if place == 2 and words[1] in _NAMED:
        store = FeatureStore(configuration.find())
        views = [view.label for view in store.feature_views()]
        return [*(group.label for group in store.feature_groups()), *views]
    return []


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(f"%features: {message}", f"Usage:\n{_USAGE}")


@magics_class
class FeaturesMagics(Magics):
    """What the feature store holds, in one line."""

    @line_magic
    def features(self, line: str) -> pd.DataFrame | FeatureGroup | FeatureView | None:
        """List, search and read feature groups and views; `%features -h` shows all words."""
        words = shlex.split(line)
        if words and words[0] in ("-h", "--help"):
            print(_USAGE)
            return None
        store = FeatureStore(configuration.find())
        if not words:
            return _listed(store, [])
        if words[0] == "search":
            return _listed(store, words[1:])
        if words[0] not in _WORDS:
            raise InvalidInputError(f"%features knows no {words[0]!r}", nearest(words[0], _WORDS))
        parser = _Parser(add_help=False)
        parser.add_argument("name")
        if words[0] == "read":
            parser.add_argument("--as-of")
            parser.add_argument("--where")
        if words[0] in {"read", "open"}:
            parser.add_argument("--to")
        asked = parser.parse_args(words[1:])
        source = _found(store, asked.name)
        result = self._answer(words[0], source, asked)
        if getattr(asked, "to", None):
            assert self.shell is not None
            self.shell.user_ns[asked.to] = result
        return result

    def _answer(
        self, word: str, source: FeatureGroup | FeatureView, asked: argparse.Namespace
    ) -> pd.DataFrame | FeatureGroup | FeatureView:
        import pandas as pd

        from eolab.features import FeatureGroup

        if word == "open":
            return source
        if word == "lineage":
            return _lineage(source)
        if not isinstance(source, FeatureGroup):
            if word == "show":
                rows = [
                    {"feature": p.prefix + c, "group": p.query.group.label}
                    for p in source.query.parts
                    for c in p.query.columns
                ]
                return pd.DataFrame(rows)
            if word == "read":
                return source.read(as_of=asked.as_of)
            raise InvalidInputError(
                f"{source.label} is a view, which has no {word}", "Name one of its groups."
            )
        if word == "show":
            descriptions = source.column_descriptions
            rows = [
                {
                    "column": f.name,
                    "type": str(f.type),
                    "unit": source.column_units.get(f.name, ""),
                    "description": descriptions.get(f.name, ""),
                }
                for f in source.schema
            ]
            return pd.DataFrame(rows)
        if word == "read":
            return source.read(as_of=asked.as_of, filter=asked.where)
        if word == "stats":
            kept = ("column", "count", "nulls", "distinct", "min", "mean", "max", "std")
            found = source.statistics()
            return pd.DataFrame([{k: getattr(s, k) for k in kept} for s in found])
        commits = pd.DataFrame([vars(c) for c in source.commits()])
        if len(commits):
            commits["time"] = pd.to_datetime(commits["time"], unit="s", utc=True).dt.floor("s")
        return commits


def _listed(store: FeatureStore, words: list[str]) -> pd.DataFrame:
    import pandas as pd

    wanted = set(store.search(" ".join(words)))
    rows: list[dict[str, object]] = []
    for group in store.feature_groups():
        last = group.table.last()
        if f"group {group.label}" in wanted:
            rows.append(
                {
                    "kind": "group",
                    "name": group.label,
                    "rows": last.total if last else 0,
                    "columns": len(group.columns),
                    "description": group.description,
                }
            )
    rows += [
        {
            "kind": "view",
            "name": view.label,
            "rows": None,
            "columns": len(view.query.names),
            "description": view.description,
        }
        for view in store.feature_views()
        if f"view {view.label}" in wanted
    ]
    frame = pd.DataFrame(rows, columns=["kind", "name", "rows", "columns", "description"])
    return frame.astype({"rows": "Int64"})


def _found(store: FeatureStore, name: str) -> FeatureGroup | FeatureView:
    """A group, else a view, by ``name`` or ``name/version``."""
    head, _, number = name.partition("/")
    if number and not number.isdigit():
        raise InvalidInputError(f"{name!r} has no version number", "Write for example parcels/1.")
    version = int(number) if number else None
    if any(v.name == head for v in store.feature_views()) and not any(
        g.name == head for g in store.feature_groups()
    ):
        return store.feature_view(head, version)
    return store.feature_group(head, version)


def _lineage(source: FeatureGroup | FeatureView) -> pd.DataFrame:
    import pandas as pd

    found = source.lineage()
    rows = [
        {"direction": direction, "kind": node.kind, "id": node.id}
        for direction, nodes in found.items()
        for node in nodes
    ]
    return pd.DataFrame(rows, columns=["direction", "kind", "id"])
