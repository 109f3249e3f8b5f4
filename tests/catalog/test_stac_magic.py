"""`%stac` parses, calls the library and shows."""

from __future__ import annotations

import re

import geopandas as gpd
import pytest
import shapely
from IPython.testing.globalipapp import start_ipython

from eolab.errors import InvalidInputError
from eolab.magics.stac import complete, register
from eolab.settings import config as configuration


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
    with pytest.raises(InvalidInputError, match="knows no 'serch'") as error:
        shell.run_line_magic("stac", "serch")
    assert "'search'" in error.value.hint
    with pytest.raises(InvalidInputError, match="--cloud") as error:
        shell.run_line_magic("stac", "search --cloud much")
    assert "Usage" in error.value.hint
    with pytest.raises(InvalidInputError, match="no variable"):
        shell.run_line_magic("stac", "load nothing --bands red")
    shell.run_line_magic("stac", "")
    assert "%stac search" in capsys.readouterr().out


def test_an_area_is_a_box_or_a_variable(shell):
    box = "11.96 48.59 12.02 48.61"
    fields = gpd.GeoDataFrame(geometry=[shapely.box(*map(float, box.split()))], crs=4326)
    shell.user_ns["fields"] = fields.to_crs(32633)
    search = "search sentinel-2-l2a-simulated --when 2021-08"
    found = [
        shell.run_line_magic("stac", f"{search} {area}")
        for area in (f"--bbox {box}", f"--bbox {box.replace(' ', ',')}", "--area fields")
    ]
    assert len(found[0]) == 2
    assert all(one.equals(found[0]) for one in found)
    assert not len(shell.run_line_magic("stac", f"{search} --bbox -12 48.59 -11.9 48.61"))
    shell.run_line_magic("stac", f"{search}")
    load = "load items --bands red --resolution 20"
    cropped = shell.run_line_magic("stac", f"{load} --bbox {box}")
    assert cropped.sizes["x"] < shell.run_line_magic("stac", load).sizes["x"]
    clipped = shell.run_line_magic("stac", f"{load} --area fields --raw")
    assert clipped.red.dtype == "uint16"


def test_a_descending_sort_needs_no_equals_sign(shell):
    table = shell.run_line_magic(
        "stac", "search sentinel-2-l2a-simulated --sort -eo:cloud_cover,id --limit 4"
    )
    assert table["cloud"].is_monotonic_decreasing


def test_what_is_warned_of_is_a_line(shell, capsys, recwarn):
    shell.run_line_magic("stac", "search sentinel-2-l2a --limit 4")
    assert "Did you mean 'sentinel-2-l2a-simulated'" in capsys.readouterr().out
    shell.run_cell_magic("stac", "search", "eo:cloudcover < 3")
    assert "Did you mean 'eo:cloud_cover'" in capsys.readouterr().out
    assert not [w for w in recwarn.list if issubclass(w.category, UserWarning)]


@pytest.mark.parametrize(
    ("line", "cell", "message", "hint"),
    [
        ("search 'unclosed", None, "No closing quotation", "quote"),
        ("search --bbox 1 2 3", None, "four numbers", "--bbox W S E N"),
        ("search --bbox 1,2,3,x", None, "four numbers", "--bbox W S E N"),
        ("search --to 'my items'", None, "no name of a variable", "letters"),
        ("load items --band red", None, "no variable 'items'", "search"),
        ("search --clout 3", None, "no flag '--clout'", "'--cloud'"),
        ("search --area nowhere", None, "no such variable", ""),
        ("load items --dilate 20", None, "no variable", ""),
        ("search --filter 'gsd=10'", "gsd = 10", "two filters", "AND"),
        ("load items", "gsd = 10", "takes nothing below", "filter"),
        ("collections", "gsd = 10", "takes nothing below", "filter"),
    ],
)
def test_slips_say_what_is_wanted(shell, line, cell, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        shell.find_line_magic("stac")(line, cell)
    assert hint in error.value.hint
    assert "%stac collections" not in error.value.hint, "the usage of this word only"


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
        ("%stac search --when 20", []),
        ("%stac load found --area my_fie", ["my_fields"]),
    ],
)
def test_the_tab_key_offers_what_may_stand_there(shell, line, offered):
    shell.run_line_magic("stac", "search sentinel-2-l2a-simulated --limit 2 --to found")
    shell.user_ns["my_fields"] = 1
    _, found = shell.complete("", line=line, cursor_pos=len(line))
    assert [text for text in found if not text.startswith("%")] == offered
    from types import SimpleNamespace

    event = SimpleNamespace(line=line, symbol=line.split()[-1])
    assert complete(shell, event) == offered


def test_missing_sample(shell, config):
    config.sample.unlink()
    with pytest.raises(Exception, match="eolab sample"):
        shell.run_line_magic("stac", "items")
