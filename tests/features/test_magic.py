"""`%features` in a shell, and what lineage tells of the cell that made a thing."""

from __future__ import annotations

import re

import pytest
from IPython.core.interactiveshell import InteractiveShell

from eolab.errors import InvalidInputError, NotFoundError
from eolab.magics import features as magic
from eolab.records.lineage import Ref, made_by


@pytest.fixture
def shell(config, monkeypatch):
    monkeypatch.setenv("EOLAB_WORKSPACE", str(config.file))
    shell = InteractiveShell.instance()
    magic.register(shell)
    yield shell
    InteractiveShell.clear_instance()


def test_each_word_answers(shell, store, parcels, spectra):
    view = store.create_feature_view(
        "crops", labels=parcels.select("crop"), query=spectra.select("ndvi")
    )

    def features(line):
        return shell.run_line_magic("features", line)

    assert features("")["name"].tolist() == ["spectra/1", "truth/1", "crops/1"]
    assert features("search ndvi")["name"].tolist() == ["spectra/1", "crops/1"]
    assert features("show spectra")["column"].tolist() == ["parcel_id", "time", "ndvi"]
    assert features("show crops/1")["group"].tolist() == ["spectra/1"]
    found = features("read spectra --where 'parcel_id < 2' --to some")
    assert len(found) == len(shell.user_ns["some"]) == 24
    assert len(features("read crops")) == len(view.read())
    assert features("stats spectra").set_index("column").loc["ndvi", "nulls"] == 0
    assert features("commits spectra")["rows"].tolist() == [2400]
    assert ("upstream", "commit") in set(
        features("lineage crops")[["direction", "kind"]].itertuples(index=False, name=None)
    )
    assert features("open spectra").label == "spectra/1"
    for says, line, kind in (
        ("%features knows no 'sho'", "sho spectra", InvalidInputError),
        ("no feature group 'spectr'", "show spectr", NotFoundError),
        ("'a/b' has no version number", "show a/b", InvalidInputError),
    ):
        with pytest.raises(kind, match=re.escape(says)) as caught:
            features(line)
        assert caught.value.hint


def test_names_are_completed(shell, spectra):
    assert "lineage" in shell.complete("lin", "%features lin", 13)[1]
    assert shell.complete("spec", "%features read spec", 19)[1] == ["spectra/1"]


def test_lineage_keeps_the_cell_that_made_a_commit(shell, store, spectra, config):
    shell.user_ns["group"] = spectra
    shell.user_ns["scene"] = Ref("item", "S2")
    cell = "again = group.read().head(3)\ngroup.insert(again, sources=[scene])"
    shell.run_cell(cell, store_history=True)
    assert made_by(config.root, spectra.commit_ref(1))["code"] == cell
    assert not made_by(config.root, spectra.commit_ref(0))
