"""Names of the release before work, and say the new one."""

from __future__ import annotations

import pytest

import eolab as eo
from eolab import catalog
from eolab.catalog import clear_fraction, estimate_load, load
from eolab.catalog.simulate.names import COLLECTION

AREA = {
    "type": "Polygon",
    "coordinates": [[[11.95, 48.59], [11.96, 48.59], [11.96, 48.6], [11.95, 48.6], [11.95, 48.59]]],
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Downloaded", "DownloadResult"),
        ("Ingested", "IngestResult"),
        ("Plan", "LoadEstimate"),
        ("plan", "estimate_load"),
    ],
)
def test_names_of_the_package(old, new):
    with pytest.warns(DeprecationWarning, match=rf"{old} is now eolab\.catalog\.{new}"):
        assert getattr(catalog, old) is getattr(catalog, new)


def test_plan_is_estimate_load():
    with pytest.warns(DeprecationWarning, match=r"eolab\.plan is now eolab\.estimate_load"):
        assert eo.plan is eo.estimate_load


@pytest.mark.parametrize("call", [load, estimate_load, clear_fraction])
def test_geometry_is_intersects(call, sample_source):
    items = sample_source.search(COLLECTION, datetime="2021-06-02")
    options = {} if call is clear_fraction else {"bands": ["red"], "crs": "EPSG:32633"}
    new = call(items, intersects=AREA, **options)
    with pytest.warns(DeprecationWarning, match="geometry= is now intersects="):
        old = call(items, geometry=AREA, **options)
    assert repr(old) == repr(new)
    with pytest.raises(TypeError, match="both intersects= and geometry="):
        call(items, geometry=AREA, intersects=AREA, **options)


def test_a_source_ingests_by_eo_ingest(sample_items, tmp_path, config):
    file = sample_items[0].assets["B04"].href
    made = catalog.ingest(file, to=tmp_path / "c", collection="mine", time="2021-05-17")
    source = catalog.open_source(config, str(made.catalog))
    with pytest.warns(DeprecationWarning, match=r"eo\.ingest\(files, to=source\)"):
        again = source.ingest(file, time="2021-05-17")
    assert again.items == made.items
    with pytest.raises(AttributeError, match="no attribute 'serch'"):
        source.serch  # noqa: B018
