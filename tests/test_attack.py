"""The table of attacks names what is there, counts what fails, and in short is all zero."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture
def attack(monkeypatch):
    path = Path(__file__).parents[1] / "scripts" / "attack.py"
    spec = importlib.util.spec_from_file_location("attack", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "attack", module)  # its classes ask for it
    spec.loader.exec_module(module)
    return module


def test_every_row_names_what_is_there(attack):
    assert attack.missing() == []
    assert all(bool(row.tests) != bool(row.attack) for row in attack.ROWS)
    assert {row.stands_for for row in attack.ROWS} <= set(attack.COLUMNS)


def test_the_campaign_makes_the_attacks_that_it_promises(attack):
    made = {" ".join(row.attack): row.long for row in attack.ROWS if row.attack}
    assert made["routes sign_ins"] >= 2_730
    assert made["routes traversals"] >= 2_604
    assert made["routes fuzz"] >= 5_000
    assert made["study_endpoint fuzz"] >= 5_000
    assert made["geoparquet mutated"] >= 500
    assert made["studies kills"] >= 60
    assert made["studies soak"] >= 10_000
    acts = ("insert", "ingest", "index", "download", "register")
    assert all(made[f"writing {act}"] >= 10 for act in acts)


def test_a_test_that_fails_is_a_fault_of_its_kind(attack, tmp_path, capsys):
    (tmp_path / "test_it.py").write_text(
        "def test_good(): pass\ndef test_bad(): assert 0, 'so it is'\n"
    )
    attack.ROWS = (attack.Row("good and bad", (str(tmp_path / "test_it.py"),), "leaks"),)
    assert attack.main([]) == 1
    head, row, *_ = capsys.readouterr().out.splitlines()
    cells = dict(zip(head.split()[1:], row.removeprefix("good and bad").split(), strict=False))
    assert cells["done"] == "2"
    assert row.split()[-7:-1] == ["0", "0", "1", "0", "0", "0"]
    attack.ROWS = (attack.Row("nothing", (str(tmp_path / "gone.py"),)),)
    assert attack.main([]) == 1


def test_an_attack_that_breaks_off_or_does_not_end_is_a_fault(attack, capsys):
    attack.ROWS = (
        attack.Row("broken", attack=("writing", "none"), long=1),
        attack.Row("endless", attack=("studies", "kills"), long=60, seconds=0.2),
    )
    assert attack.main([]) == 1
    out = capsys.readouterr().out
    assert "2 faults" in out
    broken, endless = (line for line in out.splitlines() if line.startswith(("broken", "endless")))
    assert broken.split()[-3] == "1"
    assert endless.split()[-2] == "1"


@pytest.mark.timeout(280)
def test_the_short_campaign_finds_nothing(attack, capfd):
    assert attack.main(short=True) == 0, capfd.readouterr().out
