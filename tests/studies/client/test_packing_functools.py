"""What functools and weakref make of a user's functions travels to workers without their module."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from eolab.errors import InvalidInputError
from eolab.studies.client.packing import pack_function
from eolab.studies.identity.walk import modules_by_value

CELL = """
import functools

@functools.lru_cache(maxsize=3)
def once():
    return [1]

@functools.lru_cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

@functools.singledispatch
def said(x):
    return "anything"

@said.register
def _(x: int):
    return "a number"

class Net:
    @functools.lru_cache
    def cached(self):
        return 5

    @functools.cached_property
    def held(self):
        return 6

    @functools.singledispatchmethod
    def ask(self, x):
        return "anything"

    @ask.register
    def _(self, x: int):
        return "a number"

net = Net()

def train():
    once().append(len(once()))
    return [
        once(), fibonacci(30), once.cache_parameters()["maxsize"], said(3), said("x"),
        net.cached(), net.held, net.ask(1), net.ask("x"),
    ]
"""


def test_caches_and_dispatch_of_a_notebook_travel(tmp_path):
    names: dict[str, object] = {"__name__": "__main__"}
    exec(CELL, names)
    train = names["train"]
    assert callable(train)
    names["once"]()  # type: ignore[operator]
    (tmp_path / "train.pkl").write_bytes(pack_function(train))
    code = "import json, pickle, sys; print(json.dumps(pickle.load(open(sys.argv[1], 'rb'))()))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "train.pkl")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        [1, 1], 832040, 3, "a number", "anything", 5, 6, "a number", "anything"
    ]  # fmt: skip


WEAK = """
import weakref

class Net:
    size = 3

NET, OTHER = Net(), Net()
BY_NAME = weakref.WeakValueDictionary(other=OTHER)
SIZES = weakref.WeakKeyDictionary({NET: 7, Net: 8})

def train():
    return [BY_NAME["other"].size, SIZES[NET], SIZES[Net], len(SIZES)]
"""


def test_what_dictionaries_of_weak_references_hold_travels(tmp_path):
    names: dict[str, object] = {"__name__": "__main__"}
    exec(WEAK, names)
    train = names["train"]
    assert callable(train)
    (tmp_path / "train.pkl").write_bytes(pack_function(train))
    code = "import json, pickle, sys; print(json.dumps(pickle.load(open(sys.argv[1], 'rb'))()))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "train.pkl")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [3, 7, 8, 2]


@pytest.mark.parametrize("name", ["", ".helpers", "no_such_helpers"])
def test_what_names_no_module_is_refused_by_name(name):
    def train():
        return 1.0

    assert modules_by_value([], [name]) == {name}  # packing says so
    with pytest.raises(InvalidInputError, match=f"the module '{re.escape(name)}' cannot travel"):
        pack_function(train, modules=[name])
