"""What decides a result is seen, wherever it is; what does not is not."""

import functools
import importlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import edits
from eolab.studies.identity.changes import changes
from eolab.studies.identity.walk import Identity, identify, modules_by_value

CELL = """
import functools
from copy import deepcopy

class Base:
    def fit(self, x):
        return self.go(x)

    @staticmethod
    def go(x):
        return x + 16

class Net(Base):
    size = [3]

    def fit(self, x):
        return super().fit(x)

def small():
    return 1.0

def down(n):
    return down(n - 1) if n else small()

MODELS = {"small": small, "down": down}
BANDS = {"red", "green", "blue", "nir", "swir16"}
NET = Net()

def train(*, lr=0.5):
    import math
    import operator
    if len(BANDS) in {5, 6, 7}:
        return operator.add(deepcopy(NET).fit(1), math.pi)
    return MODELS["small"]()
"""


def of_cell(text: str) -> Identity:
    return identify(edits.run_cell(text), "train")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("x + 16", "x + 6", "constant 16 -> 6 in Base.go"),
        ("return 1.0", "return 2.0", "constant 1.0 -> 2.0 in MODELS['small']"),
        ("return self.go(x)", "return self.go(-x)", "Base.fit"),
        ("size = [3]", "size = [4]", "constant 3 -> 4 in Net.size"),
        ('"nir"', '"nir08"', "BANDS"),
        ("class Net(Base)", "class Net", "Net"),
        ("lr=0.5", "lr=0.25", "constant 0.5 -> 0.25 in train(lr=)"),
    ],
)
def test_a_change_is_seen_and_named(old: str, new: str, named: str) -> None:
    before, after = of_cell(CELL), of_cell(CELL.replace(old, new))
    assert before.digest != after.digest
    assert named in changes(before.parts, after.parts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    import math\n    import operator\n", "    import operator\n    import math\n"),
        ("    return 1.0", '    """Says one."""\n    return (\n        1.0  # one\n    )\n'),
        ("import functools\nfrom copy import deepcopy", "from copy import deepcopy"),
        ("\nNET = Net()\n", "\nNET = Net()\nOTHER = 3\n"),
    ],
)
def test_comments_docstrings_format_and_the_order_of_imports_do_not_count(
    old: str, new: str
) -> None:
    assert old in CELL
    assert of_cell(CELL).digest == of_cell(CELL.replace(old, new)).digest


def test_generated_edits_that_change_a_result_are_all_seen(tmp_path: Path) -> None:
    rng = random.Random(7)
    with edits.programs(7, tmp_path) as made:
        for _, program in zip(range(60), made, strict=False):
            other = edits.changed(program, rng)
            before, after = identify(program.make(), "t"), identify(other.make(), "t")
            assert before.digest != after.digest, (program.way, program.helper, other.helper)
            assert not before.unknown, program.way


def test_generated_edits_that_change_nothing_are_not_told_as_changes(tmp_path: Path) -> None:
    rng = random.Random(8)
    with edits.programs(8, tmp_path) as made:
        for _, program in zip(range(60), made, strict=False):
            other = edits.neutral(program, rng)
            before, after = identify(program.make(), "t"), identify(other.make(), "t")
            assert before.digest == after.digest, (program.way, other.helper, other.cell)


def test_one_value_of_the_data_is_seen_in_every_kind_of_data() -> None:
    for _, (kind, one, other) in zip(range(15), edits.data_pairs(3), strict=False):
        before, after = identify(one, "data"), identify(other, "data")
        assert before.digest != after.digest, kind
        assert not before.unknown, kind


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 16], [11, 6]),
        (["a", "b"], ["ab", ""]),
        ([1], [True]),
        ([1], [1.0]),
        ([1], ["1"]),
        ([b"a"], ["a"]),
        ((1, 2), [1, 2]),
        ([[1], 2], [[1, 2]]),
        ({"a": 1}, {"a": None}),
        (0.0, -0.0),
        (np.float32(1), np.float64(1)),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, "i4"), np.zeros(2, "f4")),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]}, index=[1, 0])),
    ],
)
def test_values_are_typed_and_delimited(one: object, other: object) -> None:
    assert identify(one, "data").digest != identify(other, "data").digest


def test_equal_content_is_equal_however_it_is_held() -> None:
    rows = np.arange(12.0).reshape(3, 4)
    assert identify(rows, "x").digest == identify(np.asfortranarray(rows), "x").digest
    assert identify(rows[::2], "x").digest == identify(rows[::2].copy(), "x").digest
    shared = [1, [2]]
    assert identify([shared, shared], "x").digest == identify([[1, [2]], [1, [2]]], "x").digest
    apart = pd.DataFrame({"a": [1.0, 2.0]})
    apart["b"] = [3.0, 4.0]
    together = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert identify(apart, "x").digest == identify(together, "x").digest


def test_a_helper_defined_again_with_the_same_text_is_the_same() -> None:
    text = "def down(n):\n    return down(n - 1) if n else 0\n"
    names: dict[str, object] = {"__name__": "__main__"}
    exec(text + "STEPS = [down]\ndef train():\n    return STEPS[0](down(2))\n", names)
    before = identify(names["train"], "train").digest
    exec(text, names)  # STEPS holds the old one, which calls the new one
    assert identify(names["train"], "train").digest == before


def test_the_digest_is_the_same_in_every_process() -> None:
    code = (
        "import sys, numpy as np\nfrom benchmarks import edits\n"
        "from eolab.studies.identity.walk import identify\n"
        f"print(identify(edits.run_cell({CELL!r}), 'train').digest)\n"
        "print(identify({'s': {'b', 'a', 'c', ('d', 1)}, 'x': np.arange(9.0)}, 'data').digest)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed,
                 "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the user's with modules that import each other."""
    package = tmp_path / "crops_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "numbers_.py").write_text("WIDTH = 16\nUNUSED = 1\n")
    (package / "nets.py").write_text(
        "from .numbers_ import WIDTH\nimport numpy as np\n\n"
        "def build():\n    return inner() * WIDTH\n\ndef inner():\n    return 2\n\n"
        "def other():\n    return 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith("crops_of_mine")]:
        del sys.modules[name]


def reached(project: Path) -> dict[str, str]:
    for name in [name for name in sys.modules if name.startswith("crops_of_mine")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    cells = {
        "function": "from crops_of_mine.nets import build\ndef train(): return build()",
        "module": "import crops_of_mine.nets\ndef train(): return crops_of_mine.nets.build()",
        "alias": "from crops_of_mine import nets as n\ndef train(): return n.build()",
        "inside": "def train():\n    from crops_of_mine.nets import build\n    return build()",
    }
    return {way: of_cell(text).digest for way, text in cells.items()}


@pytest.mark.parametrize(
    ("file", "old", "new", "seen"),
    [
        ("nets.py", "return 2", "return 4", True),
        ("numbers_.py", "WIDTH = 16", "WIDTH = 6", True),
        ("nets.py", "return 3", "return 5", False),
        ("numbers_.py", "UNUSED = 1", "UNUSED = 2", False),
        ("nets.py", "def inner():\n", 'def inner():\n    """Two."""\n    # more\n', False),
        ("nets.py", "def other", "print\n\n\ndef other", True),  # importing it does something
    ],
)
def test_of_modules_of_the_user_what_is_reached_counts(
    project: Path, file: str, old: str, new: str, seen: bool
) -> None:
    before = reached(project)
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    after = reached(project)
    assert {way for way in before if before[way] != after[way]} == (set(before) if seen else set())


def test_a_file_that_was_edited_counts_although_the_kernel_holds_the_old_module(
    project: Path,
) -> None:
    """The workers import the file, so that is what they run."""
    names: dict[str, object] = {"__name__": "__main__"}
    exec("from crops_of_mine.nets import build\ndef train(): return build()", names)
    before = identify(names["train"], "train").digest
    file = project / "nets.py"
    file.write_text(file.read_text().replace("return 2", "return 7"))
    assert identify(names["train"], "train").digest != before


def test_a_module_that_travels_counts_as_it_is_in_the_kernel(project: Path) -> None:
    module = importlib.import_module("crops_of_mine.nets")
    along = modules_by_value([module.build], [])
    assert along == {"crops_of_mine.nets"}
    before = identify(module.build, "build", by_value=along).digest
    module.inner = lambda: 5
    assert identify(module.build, "build", by_value=along).digest != before


def test_paths_count_by_what_is_there(tmp_path: Path) -> None:
    file, folder = tmp_path / "x.csv", tmp_path / "tiles"
    file.write_text("1")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.tif").write_text("1")
    reads = f"def train():\n    return open({str(file)!r}).read()\n"
    table = f"FILE = {str(file)!r}\ndef train():\n    return open(FILE).read()\n"

    def all_of_them() -> dict[str, str]:
        found = {"file": file, "text": str(file), "folder": folder, "listed": [str(folder)]}
        digests = {name: identify(value, "data").digest for name, value in found.items()}
        return digests | {"constant": of_cell(reads).digest, "global": of_cell(table).digest}

    before = all_of_them()
    assert before == all_of_them()
    file.write_text("2")
    (folder / "deep" / "a.tif").write_text("2")
    assert all(digest != before[name] for name, digest in all_of_them().items())
    moved = file.rename(tmp_path / "y.csv")
    assert identify(moved, "data").digest == identify(tmp_path / "y.csv", "data").digest


def test_what_cannot_be_compared_is_named() -> None:
    found = identify({"x": 1, "rows": (i for i in range(3))}, "data")
    assert found.unknown == ("data['rows'] (generator)",)
    assert identify(threading.Lock(), "LOCK").unknown == ("LOCK (lock)",)
    assert "s3://" in identify("s3://bucket/table.parquet", "data").unknown[0]


def test_our_own_functions_count_by_name_only() -> None:
    from eolab.training_data import TrainingData

    def train(data: object) -> object:
        return TrainingData.concatenate

    assert len(identify(train, "train").parts) <= 2
    assert identify(functools.partial(TrainingData.concatenate), "f").unknown == ()
