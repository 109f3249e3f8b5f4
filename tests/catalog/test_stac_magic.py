"""`%stac` parses, calls the library and shows."""

from __future__ import annotations

import pytest
from IPython.testing.globalipapp import start_ipython

from eolab import config as configuration
from eolab.errors import BadInput
from eolab.magics.stac import complete, register


@pytest.fixture
def shell(config, sample, monkeypatch):
    monkeypatch.chdir(config.file.parent)
    config.root.mkdir(parents=True)
    config.sample.symlink_to(sample)
    assert configuration.find().root == config.root
    shell = start_ipython() or __import__("IPython").get_ipython()
    register(shell)
    yield shell
    shell.reset()


def test_search_then_load(shell, capsys):
    table = shell.run_line_magic(
        "stac", "search sentinel-2-l2a-simulated --when 2021-08 --cloud 10 --to found"
    )
    assert len(table) == 2
    assert "2 items in `found`" in capsys.readouterr().out
    cube = shell.run_line_magic(
        "stac", "load found --bands red nir --crs EPSG:32633 --resolution 40 --mask cloud --to c"
    )
    assert shell.user_ns["c"] is cube
    assert set(cube.data_vars) == {"red", "nir"}


def test_collections_and_items(shell):
    assert list(shell.run_line_magic("stac", "collections")["id"]) == [
        "sentinel-1-rtc-simulated",
        "sentinel-2-l2a-simulated",
    ]
    box = shell.run_line_magic("stac", "items --bbox -12.5 48.5 11.95 48.7 --limit 3")
    assert len(box) == 3
    assert "items" not in shell.user_ns


def test_a_cell_holds_a_filter(shell):
    table = shell.run_cell_magic(
        "stac", "search --sort=-eo:cloud_cover --to found", "eo:cloud_cover < 20\nAND gsd = 10\n"
    )
    assert table["cloud"].max() < 20
    assert table["cloud"].is_monotonic_decreasing
    assert len(shell.user_ns["found"]) == len(table)


def test_mistakes_are_helped(shell, capsys):
    with pytest.raises(BadInput) as error:
        shell.run_line_magic("stac", "serch")
    assert "'search'" in error.value.hint
    with pytest.raises(BadInput) as error:
        shell.run_line_magic("stac", "search --cloud much")
    assert "Usage" in error.value.hint
    with pytest.raises(BadInput, match="no variable"):
        shell.run_line_magic("stac", "load nothing --bands red")
    shell.run_line_magic("stac", "")
    assert "%stac search" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%stac se", ["search"]),
        ("%stac search sentinel-1", ["sentinel-1-rtc-simulated"]),
        ("%stac search --cl", ["--cloud"]),
        ("%stac search -c pl", ["planetary-computer"]),
        ("%stac search -c sample sentinel-2", ["sentinel-2-l2a-simulated"]),
        ("%stac load fou", ["found"]),
        ("%stac load found --bands re", ["red", "rededge1", "rededge2", "rededge3"]),
        ("%stac load found --mask lay", ["layover"]),
        ("%stac load found --na", ["--native"]),
        ("%stac unknown x", []),
    ],
)
def test_the_tab_key_offers_what_may_stand_there(shell, line, offered):
    shell.run_line_magic("stac", "search sentinel-2-l2a-simulated --limit 2 --to found")
    _, found = shell.complete("", line=line, cursor_pos=len(line))
    assert [text for text in found if not text.startswith("%")] == offered
    from types import SimpleNamespace

    event = SimpleNamespace(line=line, symbol=line.split()[-1])
    assert complete(shell, event) == offered


def test_missing_sample(shell, config):
    config.sample.unlink()
    with pytest.raises(Exception, match="eolab sample"):
        shell.run_line_magic("stac", "items")
