"""A small draw of `benchmarks.archive`: layers of all kinds, each with the number it was given."""

from __future__ import annotations

from benchmarks.archive import measure


def test_each_layer_of_a_mixed_archive_is_right_or_refused_with_a_way_out():
    found = measure(seed=20, layers=60)
    assert found.wrong == []
    assert found.unclear == []
    assert found.layers >= 55
    assert found.refused
