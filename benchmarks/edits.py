"""Train functions that reach their code by many ways, and random edits of that code.

An edit of the first kind changes what the function returns (which is tried by calling it), one of
the second kind is a comment, another format or another order of imports.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import itertools
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HELPER = """
def {name}(x):
    import math
    import operator
    scale = {a}
    if x > {b}:
        scale = scale + {c}
    names = {{"red": {d}, "nir": {e}}}
    total = 0
    for key in ("red", "nir"):
        total = total + names[key] * scale
    try:
        total = total + math.floor(x)
    except ValueError:
        total = {a}
    return operator.add(total, x) - {f}
"""

HEAD = "import functools\nimport collections\nimport dataclasses\nimport enum\n"

# How the train function comes to the helper: what stands after the helper, and the call of it.
WAYS: dict[str, tuple[str, str]] = {
    "global": ("", "helper(3)"),
    "dict": ("MODELS = {'small': helper, 'other': abs}", "MODELS['small'](3)"),
    "list": ("STEPS = [abs, helper]", "STEPS[1](3)"),
    "nested": ("TREE = {'a': [{'b': (helper,)}]}", "TREE['a'][0]['b'][0](3)"),
    "base": (
        "class Base:\n    def go(self, x): return helper(x)\nclass Net(Base):\n    pass",
        "Net().go(3)",
    ),
    "static": ("class Net:\n    go = staticmethod(helper)", "Net.go(3)"),
    "classmethod": (
        "class Net:\n    @classmethod\n    def go(cls, x): return helper(x)",
        "Net.go(3)",
    ),
    "property": (
        "class Net:\n    @property\n    def size(self): return helper(3)",
        "Net().size",
    ),
    "class attribute": ("class Net:\n    steps = [helper]", "Net.steps[0](3)"),
    "instance": ("class Net:\n    pass\nNET = Net()\nNET.step = helper", "NET.step(3)"),
    "bound": ("class Net:\n    go = lambda self, x: helper(x)\nGO = Net().go", "GO(3)"),
    "closure": (
        (
            "def make():\n    inner = helper\n    def run(x): return inner(x)\n    return run\n"
            "RUN = make()"
        ),
        "RUN(3)",
    ),
    "partial": ("RUN = functools.partial(helper, 3)", "RUN()"),
    "keyword": ("RUN = functools.partial(helper, x=3)", "RUN()"),
    "default": ("def run(x, f=helper): return f(x)", "run(3)"),
    "keyword default": ("def run(x, *, f=helper): return f(x)", "run(3)"),
    "cached": ("RUN = functools.lru_cache(helper)", "RUN(3)"),
    "wrapped": (
        (
            "def twice(f):\n    @functools.wraps(f)\n    def g(x): return f(x)\n    return g\n"
            "RUN = twice(helper)"
        ),
        "RUN(3)",
    ),
    "attribute": ("def run(x): return run.inner(x)\nrun.inner = helper", "run(3)"),
    "callable": ("class Net:\n    def __call__(self, x): return helper(x)\nNET = Net()", "NET(3)"),
    "dataclass": (
        "@dataclasses.dataclass\nclass Plan:\n    f: object = helper\nPLAN = Plan()",
        "PLAN.f(3)",
    ),
    "factory": (
        (
            "@dataclasses.dataclass\nclass Plan:\n"
            "    f: object = dataclasses.field(default_factory=lambda: helper)"
        ),
        "Plan().f(3)",
    ),
    "named tuple": (
        "Plan = collections.namedtuple('Plan', 'f')\nPLAN = Plan(helper)",
        "PLAN.f(3)",
    ),
    "defaultdict": ("TABLE = collections.defaultdict(lambda: helper)", "TABLE['x'](3)"),
    "deque": ("STEPS = collections.deque([helper])", "STEPS[0](3)"),
    "set": ("STEPS = {helper}", "sum(step(3) for step in STEPS)"),
    "enum": ("class Kind(enum.Enum):\n    A = functools.partial(helper, 3)", "Kind.A.value()"),
    "metaclass": (
        (
            "class Meta(type):\n    def go(cls, x): return helper(x)\n"
            "class Net(metaclass=Meta):\n    pass"
        ),
        "Net.go(3)",
    ),
    "slots": (
        "class Net:\n    __slots__ = ('f',)\n    def __init__(self): self.f = helper\nNET = Net()",
        "NET.f(3)",
    ),
    "cached property": (
        "class Net:\n    @functools.cached_property\n    def size(self): return helper(3)",
        "Net().size",
    ),
    "nested function": (
        "def outer(x):\n    def inner(y): return helper(y)\n    return inner(x)",
        "outer(3)",
    ),
    "recursion": (
        "def down(n): return up(n - 1) if n else helper(3)\ndef up(n): return down(n)",
        "down(2)",
    ),
    "descriptor": (
        "class Step:\n    def __get__(self, obj, kind): return helper\nclass Net:\n    f = Step()",
        "Net().f(3)",
    ),
    "subclass of a list": (
        "class Steps(list):\n    pass\nSTEPS = Steps([helper])",
        "STEPS[0](3)",
    ),
    "generator": ("def steps():\n    yield helper", "next(steps())(3)"),
    "operator": ("class Net:\n    def __add__(self, x): return helper(x)\nNET = Net()", "NET + 3"),
    "transformer": (
        (
            "from sklearn.preprocessing import FunctionTransformer\n"
            "STEP = FunctionTransformer(helper, validate=False)"
        ),
        "STEP.transform(3)",
    ),
    "pipeline": (
        (
            "from sklearn.pipeline import make_pipeline\n"
            "from sklearn.preprocessing import FunctionTransformer\n"
            "STEPS = make_pipeline(FunctionTransformer(helper, validate=False))"
        ),
        "STEPS.steps[0][1].func(3)",
    ),
}
# The helper stands in modules of the user's: their files, what the cell says, and the call. MOD is
# the name of the module or package, HELPER the helper's text.
_PLAIN = {"MOD.py": "HELPER"}
_REGISTRY = "TABLE = {}\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n"
_PICK = "def pick(name): return TABLE[name]\n"
FILES: dict[str, tuple[Mapping[str, str], str, str]] = {
    "module": (_PLAIN, "import MOD", "MOD.helper(3)"),
    "from module": (_PLAIN, "from MOD import helper", "helper(3)"),
    "alias": (_PLAIN, "import MOD as m", "m.helper(3)"),
    "module in a dict": (_PLAIN, "import MOD\nM = {'m': MOD}", "M['m'].helper(3)"),
    "function of a module in a dict": (_PLAIN, "import MOD\nM = [MOD.helper]", "M[0](3)"),
    "registry": (
        {"MOD.py": f"{_REGISTRY}HELPER{_PICK}register(helper)\n"},
        "from MOD import pick",
        "pick('helper')(3)",
    ),
    "decorator registry": (
        {
            "MOD.py": f"{_REGISTRY}HELPER@register\n"
            f"def outer(x): return TABLE['helper'](x)\nTABLE['helper'] = helper\n{_PICK}"
        },
        "import MOD",
        "MOD.pick('outer')(3)",
    ),
    "registry of a plugin": (
        {
            "MOD/__init__.py": "from .core import pick\nfrom . import plugin\n",
            "MOD/core.py": _REGISTRY + _PICK,
            "MOD/plugin.py": "from .core import register\nHELPERregister(helper)\n",
        },
        "from MOD import pick",
        "pick('helper')(3)",
    ),
    "subclass that registers": (
        {
            "MOD.py": "class Base:\n    TABLE = {}\n    def __init_subclass__(cls):\n"
            "        Base.TABLE[cls.__name__] = cls\nHELPER"
            "class Net(Base):\n    def go(self, x): return helper(x)\n"
            "def pick(name): return Base.TABLE[name]()\n"
        },
        "from MOD import pick",
        "pick('Net').go(3)",
    ),
    "subclass that is looked for": (
        {
            "MOD/__init__.py": "from . import nets\n",
            "MOD/core.py": "class Base: pass\n"
            "def pick(name):\n    return {c.__name__: c for c in Base.__subclasses__()}[name]()\n",
            "MOD/nets.py": "from .core import Base\nHELPER"
            "class Net(Base):\n    def go(self, x): return helper(x)\n",
        },
        "from MOD.core import pick",
        "pick('Net').go(3)",
    ),
    "call at import": (
        {"MOD.py": "HELPERREADY = helper(3)\ndef pick(): return READY\n"},
        "from MOD import pick",
        "pick()",
    ),
    "global that a call sets": (
        {
            "MOD.py": "HELPERSTEP = abs\ndef choose():\n    global STEP\n    STEP = helper\n"
            "    return 1\nDONE = choose()\ndef run(x): return STEP(x)\n"
        },
        "import MOD",
        "MOD.run(3)",
    ),
    "module __getattr__": (
        {"MOD.py": "HELPERdef __getattr__(name): return helper\n"},
        "import MOD",
        "MOD.anything(3)",
    ),
    "globals": (
        {"MOD.py": "HELPERdef pick(name): return globals()[name]\n"},
        "from MOD import pick",
        "pick('helper')(3)",
    ),
    "eval": (
        {"MOD.py": "HELPERdef pick(name): return eval(name + '')\n"},
        "from MOD import pick",
        "pick('helper')(3)",
    ),
    "getattr of a module": (
        {
            "MOD/__init__.py": "",
            "MOD/nets.py": "HELPER",
            "MOD/core.py": "from . import nets\ndef pick(name): return getattr(nets, name)\n",
        },
        "from MOD.core import pick",
        "pick('helper')(3)",
    ),
    "package without __init__": (
        {"MOD/nets.py": "from .deep import helper\n", "MOD/deep.py": "HELPER"},
        "from MOD import nets",
        "nets.helper(3)",
    ),
    "star": (
        {"MOD/__init__.py": "", "MOD/core.py": "from .deep import *\n"
         "def run(x): return helper(x)\n", "MOD/deep.py": "HELPER"},
        "from MOD.core import run",
        "run(3)",
    ),
    "import_module": (_PLAIN, "import importlib", "importlib.import_module('MOD').helper(3)"),
    "import_module of a part": (
        {
            "MOD/__init__.py": "import importlib\n"
            "def pick(name): return importlib.import_module(f'{__name__}.{name}').helper\n",
            "MOD/deep.py": "HELPER",
        },
        "from MOD import pick",
        "pick('deep')(3)",
    ),
}  # fmt: skip
COUNT = itertools.count()


@dataclass
class Program:
    """A cell, maybe with a module beside it.

    Attributes:
        way: How the train function comes to its helper.
        helper: The helper's text, which is edited.
        cell: What follows it.
        module: The helper's module or package; empty where it stands in the cell.
        folder: Of the module.
        files: Of the module, by their paths in the folder.
    """

    way: str
    helper: str
    cell: str
    module: str = ""
    folder: Path = field(default_factory=Path)
    files: Mapping[str, str] = field(default_factory=dict)

    def make(self) -> Callable[..., object]:
        """Run the cell, as a notebook does, and hand back its train function."""
        if not self.module:
            return run_cell(HEAD + self.helper + self.cell)
        for name, text in self.files.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace("HELPER", HEAD + self.helper))
        importlib.invalidate_caches()
        for name in [n for n in sys.modules if n.partition(".")[0] == self.module]:
            del sys.modules[name]
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            return run_cell(HEAD + self.cell)
        finally:
            sys.dont_write_bytecode = before


def run_cell(text: str) -> Callable[..., object]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, f"<cell {next(COUNT)}>", "exec"), names)
    train: Callable[..., object] = names["train"]
    return train


@contextlib.contextmanager
def programs(seed: int, folder: Path) -> Iterator[Iterator[Program]]:
    """Programs without end, by every way in turn."""
    sys.path.insert(0, str(folder))
    try:
        yield _programs(random.Random(seed), folder)
    finally:
        sys.path.remove(str(folder))


def _programs(rng: random.Random, folder: Path) -> Iterator[Program]:
    ways = [*WAYS, *FILES]
    while True:
        rng.shuffle(ways)
        for way in ways:
            numbers = {k: rng.randint(1, 40) for k in "abcdef"} | {"b": rng.randint(-9, 9)}
            helper = HELPER.format(name="helper", **numbers)
            files: Mapping[str, str] = {}
            module = ""
            if way in FILES:
                module = f"edited_{next(COUNT)}"
                files, before, call = FILES[way]
                files = {k.replace("MOD", module): v.replace("MOD", module)
                         for k, v in files.items()}  # fmt: skip
                before, call = before.replace("MOD", module), call.replace("MOD", module)
            else:
                before, call = WAYS[way]
            cell = f"\n{before}\ndef train(*, lr=0.5):\n    return {call}\n"
            yield Program(way, helper, cell, module, folder, files)


# -- edits that change a result ------------------------------------------------------------


def changed(program: Program, rng: random.Random) -> Program:
    """The program after a random edit of its helper that gives another result."""
    before = program.make()()
    while True:
        tree = ast.parse(program.helper)
        spots = [n for n in ast.walk(tree) if _editable(n)]
        _edit(rng.choice(spots), rng)
        other = replace(program, helper=f"\n{ast.unparse(tree)}\n")
        try:
            if other.make()() != before:
                return other
        except Exception:  # the edit broke it, which any run would show
            continue


def _editable(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant | ast.BinOp | ast.Compare | ast.Tuple | ast.Try)


def _edit(node: ast.AST, rng: random.Random) -> None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            node.value = {"red": "nir", "nir": "red"}.get(node.value, node.value)
        else:
            node.value = rng.choice((node.value + 1, node.value * 10 + 1, float(node.value) + 0.5))
    elif isinstance(node, ast.BinOp):
        node.op = rng.choice((ast.Add(), ast.Sub(), ast.Mult(), ast.FloorDiv()))
    elif isinstance(node, ast.Compare):
        node.ops = [rng.choice((ast.Lt(), ast.GtE(), ast.Eq(), ast.NotEq()))]
    elif isinstance(node, ast.Tuple):
        node.elts = node.elts[: rng.randint(0, len(node.elts) - 1)]
    elif isinstance(node, ast.Try):
        node.body = [*node.body, *ast.parse(f"total = total * {rng.randint(2, 9)}").body]


# -- edits that change none -----------------------------------------------------------------


def neutral(program: Program, rng: random.Random) -> Program:
    """The program after a random edit that cannot change a result."""
    edit = rng.choice((_comment, _docstring, _unparsed, _blank_lines, _parentheses, _imports,
                       _annotations))  # fmt: skip
    helper = edit(program.helper, rng)
    cell = rng.choice((_comment, _blank_lines))(program.cell, rng)
    return replace(program, helper=helper, cell=cell)


def _comment(text: str, rng: random.Random) -> str:
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    if lines[at].strip():
        lines[at] += f"  # note {rng.random()}"
    lines.insert(0, "# a line above")
    return "\n".join(lines) + "\n"


def _docstring(text: str, rng: random.Random) -> str:
    return text.replace("(x):\n", f'(x):\n    """Says {rng.random()}."""\n', 1)


def _unparsed(text: str, _: random.Random) -> str:
    return f"\n{ast.unparse(ast.parse(text))}\n"


def _blank_lines(text: str, rng: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(3):
        lines.insert(rng.randrange(len(lines) + 1), "")
    return "\n".join(lines) + "\n"


def _parentheses(text: str, _: random.Random) -> str:
    return text.replace(
        "scale = scale + ", "scale = (\n        scale\n        +\n        "
    ).replace("\n    names = {", "\n        )\n    names = {\n        ")


def _imports(text: str, _: random.Random) -> str:
    return text.replace(
        "    import math\n    import operator\n", "    import operator\n    import math\n"
    )


def _annotations(text: str, rng: random.Random) -> str:
    kind = rng.choice(("int", "float", "complex"))
    text = text.replace("helper(x):", f"helper(x: {kind}) -> {kind}:")
    return text.replace("    total = 0\n", "    total: int = 0\n")


# -- edits of data ---------------------------------------------------------------------------


def data_pairs(seed: int, folder: Path | None = None) -> Iterator[tuple[str, object, object]]:
    """Data by kind, and the same after one value was changed.

    Args:
        seed: Of the values.
        folder: Where data that are files are written; without it there are none.
    """
    rng = np.random.default_rng(seed)

    def function(k: int) -> Callable[[float], float]:
        return lambda v: v + k

    def array() -> np.ndarray:
        return rng.random((40, 3), dtype="float32")

    def edited(x: np.ndarray) -> np.ndarray:
        y = x.copy()
        y[rng.integers(len(y)), 0] += 1
        return y

    kinds: Mapping[str, Callable[[np.ndarray], object]] = {
        "array": lambda x: x,
        "dict": lambda x: {"x": x, "f": abs},
        "beside a lambda": lambda x: {"x": x, "f": function(1)},
        "Fortran order": np.asfortranarray,
        "frame": lambda x: pd.DataFrame(x, columns=list("abc")),
        "series": lambda x: pd.Series(x[:, 0]),
        "text": lambda x: [f"{v:.6f}" for v in x[:, 0]],
        "objects": lambda x: np.array([str(v) for v in x[:, 0]], dtype=object),
        "set": lambda x: {float(v) for v in x[:, 0]},
        "nested": lambda x: ({"a": [x.tolist()]}, None),
        "masked": lambda x: np.ma.masked_greater(x, 0.99),
        "categories": lambda x: pd.Series(x[:, 0]).round(1).astype("category"),
        "times": lambda x: pd.to_datetime((x[:, 0] * 1e6).astype("int64"), unit="s", utc=True),
        "structured": lambda x: np.array([tuple(v) for v in x.tolist()], dtype="f4,f4,f4"),
        "closure": lambda x: lambda: x,
    }
    if folder is not None:
        kinds = {**kinds, **_kinds_of_files(folder)}
    while True:
        for kind, make in kinds.items():
            x = array()
            yield kind, make(x), make(edited(x))


class Marked(np.ndarray):
    """An array of the user's own class."""

    scale: float


def _kinds_of_files(place: Path) -> Mapping[str, Callable[[np.ndarray], object]]:
    def written(x: np.ndarray) -> Path:
        folder = place / f"data {next(COUNT)}"
        (folder / "deep").mkdir(parents=True)
        np.savetxt(folder / "deep" / "x.csv", x)
        return folder

    def linked(x: np.ndarray) -> Path:
        folder = place / f"linked {next(COUNT)}"
        folder.mkdir()
        (folder / "part").symlink_to(written(x))
        return folder

    def scaled(x: np.ndarray) -> np.ndarray:
        marked = np.zeros(3).view(Marked)
        marked.scale = float(x.sum())
        return marked

    return {
        "folder": written, "file": lambda x: written(x) / "deep" / "x.csv",
        "folder in text": lambda x: {"root": str(written(x))}, "linked folder": linked,
        "bytes": lambda x: os.fsencode(written(x) / "deep" / "x.csv"),
        "own class": scaled,
    }  # fmt: skip
