"""Pictures in a cell: of cubes by date, of items on a map."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pystac
import pytest
import xarray as xr

import eolab as eo
from eolab.catalog.cube.plots import explore, explore_items, plot
from eolab.errors import InvalidInputError, NotFoundError


@pytest.fixture
def cube():
    time = pd.date_range("2021-05-01", periods=3, freq="10D")
    rng = np.random.default_rng(0)
    values = rng.uniform(0.02, 0.4, (3, 20, 30)).astype(np.float32)
    values[1, :10] = np.nan
    dims = ("time", "y", "x")
    bands = {name: (dims, values * k) for k, name in enumerate(("red", "green", "blue", "nir"), 1)}
    return xr.Dataset(bands, coords={"time": time, "y": np.arange(20.0), "x": np.arange(30.0)})


def test_a_plot_has_one_picture_a_date_in_one_stretch(cube):
    figure = plot(cube, stretch=(0.0, 0.5))
    shown = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in shown] == ["2021-05-01", "2021-05-11", "2021-05-21"]
    second = np.asarray(shown[1].images[0].get_array())
    assert second.shape == (20, 30, 4)
    assert (second[:10, :, 3] == 0).all()  # unknown is transparent
    expected = np.clip(cube.red.data[1, 10:] / 0.5, 0, 1)
    np.testing.assert_allclose(second[10:, :, 0], expected, rtol=1e-5)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    assert out.getvalue()[:4] == b"\x89PNG"


def test_one_band_has_a_colour_map_and_a_bar(cube):
    figure = plot(cube, "nir", columns=2)
    images = [axis.images[0] for axis in figure.axes if axis.images]
    assert len({image.get_clim() for image in images}) == 1
    one = plot(cube.isel(time=0), "nir")
    assert len([axis for axis in one.axes if axis.images]) == 1
    for wrong, message in (
        (["red", "nir"], "2 bands cannot be drawn"),
        ("ultraviolet", "no band 'ultraviolet'"),
        ([], "0 bands cannot be drawn"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            plot(cube, wrong)
    many = xr.concat([cube] * 30, dim="time")
    with pytest.raises(InvalidInputError, match="too many"):
        plot(many)


def test_a_map_shows_every_outline_with_its_name(sample_source):
    items = sample_source.search()
    shown = eo.explore(items)
    html = shown._repr_html_()
    tree = ET.fromstring(shown.svg)
    space = "{http://www.w3.org/2000/svg}"
    titles = [node.text for node in tree.iter(f"{space}title")]
    assert len(titles) == len(items) == 52
    assert all(any(t.startswith(item.id) for t in titles) for item in items)
    assert "and 42 more" in html
    assert "52 footprints" in shown.svg
    # Places are drawn where they are: further east is further right.
    paths = {
        n.find(f"{space}title").text.split(",")[0]: n.get("d")
        for n in tree.iter(f"{space}path")
        if n.find(f"{space}title") is not None
    }
    left = {k: float(d[1:].split()[0]) for k, d in paths.items()}
    east = next(i.id for i in items if "33UTP" in i.id)
    west = next(i.id for i in items if "32UQU" in i.id)
    assert left[east] > left[west]


def test_nothing_to_draw_is_said_and_names_are_escaped(sample_items):
    with pytest.raises(InvalidInputError, match="search found none"):
        explore_items([])
    bare = pystac.Item("b", None, None, sample_items[0].datetime, {})
    with pytest.raises(NotFoundError, match="nothing to draw"):
        explore_items([bare])
    item = sample_items[0].clone()
    item.id = "<script>alert(1)</script>"
    assert "<script>" not in explore_items([item])._repr_html_()
    point = pystac.Item(
        "p", {"type": "Point", "coordinates": [1, 2]}, [1, 2, 1, 2], item.datetime, {}
    )
    assert "1 footprints" in explore_items([point]).svg


def test_slips_are_told(cube, sample_items):
    assert repr(explore_items(sample_items[0])) == "<map of 1 footprints>"
    for wrong in (cube, "S2A", 3):
        with pytest.raises(InvalidInputError, match=r"no collection of items|no STAC item"):
            explore_items(wrong)
        with pytest.raises(InvalidInputError, match=r"no collection of items|no STAC item"):
            eo.download(wrong)
    for call in (plot, explore):
        with pytest.raises(InvalidInputError, match="no colour map 'virids'") as error:
            call(cube, cmap="virids")
        assert "viridis" in error.value.hint
    for stretch in ((1,), (0.4, 0.1), ("a", "b"), 3, (0, float("nan"))):
        with pytest.raises(InvalidInputError, match="stretch"):
            plot(cube, stretch=stretch)


def test_exploring_draws_the_series_of_the_pixel_clicked(cube):
    holoviews = pytest.importorskip("holoviews")
    pytest.importorskip("hvplot")
    layout = explore(cube)
    image, series = layout.traverse(lambda x: x, [holoviews.DynamicMap])[:2]
    assert [d.name for d in image.kdims] == ["time", "band"]
    curves = series[()]
    assert set(curves.keys()) == {"red", "green", "blue", "nir"}
    (stream,) = series.streams
    stream.event(x=3.2, y=7.9)
    nir = series[()]["nir"].dimension_values("value")
    np.testing.assert_array_equal(nir, cube.nir.sel(x=3, y=8).to_numpy())


def test_without_hvplot_the_way_out_is_named(cube, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "holoviews", None)
    with pytest.raises(InvalidInputError, match="hvplot") as error:
        explore(cube)
    assert "eolab[explore]" in error.value.hint
