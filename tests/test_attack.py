"""The table of attacks names tests that are there, and counts what fails."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def attack():
    path = Path(__file__).parents[1] / "scripts" / "attack.py"
    spec = importlib.util.spec_from_file_location("attack", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_row_names_tests_that_are_there(attack):
    assert attack.missing() == []


def test_a_test_that_fails_is_a_fault(attack, tmp_path, capsys):
    (tmp_path / "test_it.py").write_text(
        "def test_good(): pass\ndef test_bad(): assert 0, 'so it is'\n"
    )
    attack.ROWS = {"good and bad": (str(tmp_path / "test_it.py"),), "later": ()}
    assert attack.main([]) == 1
    table = capsys.readouterr().out
    assert "1 faults" in table
    assert "not yet" in table
    attack.ROWS = {"nothing": (str(tmp_path / "gone.py"),)}
    assert attack.main([]) == 1
