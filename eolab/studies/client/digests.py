"""What a study must be to be the same one, and what changed where it is not.

Digests carry a version. A study made under version 1 or 2 is compared by that version, which saw
less, and is written anew only when it goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from eolab.errors import ConflictError
from eolab.studies.client import packing
from eolab.studies.identity.changes import Parts, changes
from eolab.studies.identity.walk import VERSION, Identity, identify, modules_by_value
from eolab.studies.journal import files as journal
from eolab.studies.journal.spec import Digests, StudySpec

_WORDS = {
    "code": "the train function",
    "space": "the space",
    "data": "the data",
    "options": "metric, direction, seed, sampler or pruner",
}


@dataclass(frozen=True)
class StudyIdentity:
    """What a call of `tune` asks for.

    Attributes:
        train: The train function.
        given: The data, as `tune` was given it.
        code: Identity of the function with all that it reaches.
        data: Identity of the data.
        space: Digest of the space.
        options: Digest of what decides which trials run.
        options_before: The same under version 1.
        strategies: Sampler and pruner of the user's own classes.
        along: Modules that travel with the function.
    """

    train: Callable[..., object]
    given: object
    code: Identity
    data: Identity
    space: str
    options: str
    options_before: str
    strategies: tuple[object, ...] = ()
    along: frozenset[str] = frozenset()

    def digests(self) -> Digests:
        """What `study.json` holds."""
        return {
            "version": VERSION, "code": self.code.digest, "space": self.space,
            "data": self.data.digest, "options": self.options,
        }  # fmt: skip

    def document(self) -> bytes:
        """What `identity.json` holds: the parts, by which a change is named."""
        parts = {"code": self.code.parts, "data": self.data.parts}
        return json.dumps({"version": VERSION, **parts}).encode()

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of what nobody can compare."""
        return (*self.code.unknown, *self.data.unknown)

    def changed_since(self, old: StudySpec, run: Path) -> list[str]:
        """What is another than in the study that is there; empty where nothing is.

        Args:
            old: Its `study.json`.
            run: Its folder.

        Raises:
            ConflictError: A newer eolab made it.
        """
        version = old["digest"].get("version", 1)
        if version > VERSION:
            raise ConflictError(
                f"study {old['name']!r} was made by a newer eolab", "Upgrade eolab."
            )
        mine = self if version == VERSION else self._under(version)
        now: Mapping[str, object] = mine.digests() if version > 1 else self._before()
        before: Mapping[str, object] = old["digest"]
        parts = _read_parts(run)
        found = []
        for key, words in _WORDS.items():
            if before.get(key) == now[key]:
                continue
            whole = {"code": mine.code, "data": mine.data}.get(key)
            named = "" if whole is None or key not in parts else changes(parts[key], whole.parts)
            found.append(f"{words} changed since" + (f" ({named})" if named else ""))
        return found

    def _under(self, version: int) -> StudyIdentity:
        """The same under an older version, which saw less; version 1 has digests of its own."""
        if version < 2:
            return self
        return _identified(
            self.train, self.given, self.space, self.options_before, self.strategies, self.along,
            version,
        )  # fmt: skip

    def _before(self) -> dict[str, str]:
        """The digests that version 1 had."""
        try:
            code = packing.digest_function(self.train)
        except Exception:  # it could not read every function; those have no study of then
            code = ""
        return {
            "code": code, "space": self.space, "data": packing.digest_data(self.given),
            "options": self.options_before,
        }  # fmt: skip


def identify_study(
    train: Callable[..., object],
    data: object,
    *,
    space: object,
    options: object,
    strategies: Iterable[object] = (),
    modules: Iterable[str] = (),
) -> StudyIdentity:
    """The identity of a study that is about to be.

    Args:
        train: The train function.
        data: What it gets.
        space: The space as JSON has it.
        options: What decides which trials run, as JSON has it.
        strategies: Sampler and pruner where they are objects, maybe of the user's own classes.
        modules: The user's modules that travel with the function.
    """
    along = modules_by_value(getattr(train, "parts", (train,)), modules)
    return _identified(
        train,
        data,
        packing.digest_data(json.dumps(space)),
        packing.digest_data(json.dumps(options)),
        tuple(each for each in strategies if _users(each)),
        along,
        VERSION,
    )


def _identified(
    train: Callable[..., object],
    data: object,
    space: str,
    plain: str,
    strategies: tuple[object, ...],
    along: frozenset[str],
    version: int,
) -> StudyIdentity:
    def seen(value: object, name: str, *, layout: bool = False) -> Identity:
        return identify(value, name, by_value=along, version=version, layout=layout)

    own = [seen(each, "strategy").digest for each in strategies]
    options = packing.digest_data(json.dumps([plain, *own])) if own else plain
    code = seen(train, packing.function_name(train))
    given = seen(data, "data", layout=code.layout)
    return StudyIdentity(train, data, code, given, space, options, plain, strategies, along)


def _users(strategy: object) -> bool:
    """Whether somebody else than we wrote a sampler or pruner."""
    kind = strategy if isinstance(strategy, type) else type(strategy)
    return strategy is not None and kind.__module__.partition(".")[0] not in {"builtins", "eolab"}


def _read_parts(run: Path) -> Mapping[str, Parts]:
    try:
        document = json.loads((run / journal.IDENTITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: document[key] for key in ("code", "data") if key in document}
