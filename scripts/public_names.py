"""The public names of eolab: what has a docstring with an example that runs, and what has none yet.

    python scripts/public_names.py              # each name, `+` with an example, `-` without
    python scripts/public_names.py --missing    # what misses an example or words on an argument

Public is what stands in the `__all__` of eolab and its domains, and the methods of what a user
holds in a notebook.
"""

from __future__ import annotations

import argparse
import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

PACKAGES = (
    "eolab", "eolab.catalog", "eolab.features", "eolab.studies", "eolab.studies.ablation",
    "eolab.models", "eolab.clusters", "eolab.accuracy",
    "eolab.maps",
)  # fmt: skip
CLASSES = (
    "eolab.facade.Workspace",
    "eolab.catalog.Source",
    "eolab.features.FeatureStore",
    "eolab.features.FeatureGroup",
    "eolab.features.FeatureView",
    "eolab.features.Query",
    "eolab.studies.Study",
    "eolab.studies.ablation.Ablation",
    "eolab.studies.ablation.AblationResult",
    "eolab.models.ModelRegistry",
    "eolab.models.ModelVersion",
    "eolab.accessor.EoAccessor",
    "eolab.accuracy.Assessment",
    "eolab.maps.PredictedMap",
)
# Called by IPython, or a plug-in's part whose contract is a test suite.
NOT_IN_A_NOTEBOOK = {"eolab.load_ipython_extension"}


@dataclass(frozen=True)
class PublicName:
    """One public name.

    Attributes:
        name: Dotted, as a user reads it: ``eolab.load``, ``FeatureGroup.insert``.
        value: The function, class, method or property.
        handed_out: A class whose objects come from other calls, never from its constructor.
    """

    name: str
    value: object
    handed_out: bool = False

    @property
    def doc(self) -> str:
        """Its own docstring: one that a base class has does not count."""
        return getattr(self.value, "__doc__", None) or ""

    @property
    def module(self) -> str:
        """Where it is defined."""
        function = self.value.fget if isinstance(self.value, property) else self.value
        return str(getattr(function, "__module__", ""))

    @property
    def examples(self) -> list[doctest.Example]:
        """The examples of its own docstring."""
        return doctest.DocTestParser().get_examples(self.doc)

    @property
    def unexplained(self) -> list[str]:
        """Arguments without a word on them, where there are two or more."""
        names = self.arguments
        if len(names) < 2:
            return []
        section = re.search(
            r"^ *(?:Args|Attributes):\n(.*?)(?=^ *[A-Z]\w+:\n|\Z)",
            self.doc,
            re.DOTALL | re.MULTILINE,
        )
        text = section.group(1) if section else ""
        entry = r"^ *[\w, *`]*\b{}\b[^:\n]*:"  # `name:`, or `low, high:` for both
        return [n for n in names if not re.search(entry.format(n), text, re.MULTILINE)]

    @property
    def arguments(self) -> list[str]:
        """What it takes, `self` and `cls` left out; nothing for what a user does not make."""
        if isinstance(self.value, property) or self.handed_out:
            return []
        try:
            signature = inspect.signature(self.value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return []
        return [name for name in signature.parameters if name not in {"self", "cls"}]


def public_names() -> list[PublicName]:
    """Every public name once, under the first of its names."""
    found: dict[int, PublicName] = {}
    held = {path: _object(path) for path in CLASSES}
    handed_out = {id(value) for value in held.values()}
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            full = f"{package}.{name}"
            value = getattr(module, name)
            if full not in NOT_IN_A_NOTEBOOK and callable(value):
                public = PublicName(full, value, handed_out=id(value) in handed_out)
                found.setdefault(id(value), public)
    for path, value in held.items():
        name = path.rpartition(".")[2]
        found.setdefault(id(value), PublicName(name, value, handed_out=True))
        for method, function in _methods(value):
            found.setdefault(id(function), PublicName(f"{name}.{method}", function))
    return list(found.values())


def _object(path: str) -> type:
    package, _, name = path.rpartition(".")
    value = getattr(importlib.import_module(package), name)
    assert isinstance(value, type)
    return value


def _methods(held: type) -> Iterator[tuple[str, object]]:
    for name in dir(held):
        value = inspect.getattr_static(held, name)
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        public = not name.startswith("_") and (callable(value) or isinstance(value, property))
        if public and PublicName(name, value).module.startswith("eolab"):
            yield name, value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--missing", action="store_true", help="only what misses something")
    options = parser.parse_args()
    names = public_names()
    for public in names:
        unexplained = public.unexplained
        if options.missing and public.examples and not unexplained:
            continue
        mark = "+" if public.examples else "-"
        arguments = f"   no word on {', '.join(unexplained)}" if unexplained else ""
        print(f"{mark} {public.name}  ({public.module}){arguments}")
    examples = sum(bool(public.examples) for public in names)
    several = [public for public in names if len(public.arguments) > 1]
    explained = sum(not public.unexplained for public in several)
    print(f"{examples} of {len(names)} with an example that runs")
    print(f"{explained} of {len(several)} with two arguments or more explain them")


if __name__ == "__main__":
    main()
