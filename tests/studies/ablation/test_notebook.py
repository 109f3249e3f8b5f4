"""The ablation notebook: layers of a network on chips, sensors on real points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eolab.facade import Workspace
from eolab.settings.config import Config
from tests.notebooks import run_notebook


@pytest.mark.keras
@pytest.mark.timeout(1200)
def test_the_ablation_notebook(
    config: Config,
    sample: Path,
    real_or_made_data: Path,
    data_are_real: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config.root.mkdir(parents=True)
    config.sample.symlink_to(sample)
    points = real_or_made_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    monkeypatch.setenv("WORLDCEREAL_POINTS", str(points))
    text = run_notebook("03-ablation.ipynb", config, monkeypatch).text
    assert re.search(r"no layer 'conv3'\s+Did you mean 'conv2' or 'conv1'", text)
    assert "layer 'conv1' cannot be removed" in text
    ws = Workspace(config)
    layers = ws.ablation("layers").result()
    assert {row.variant.name for row in layers.rows} == {
        "baseline", "without conv2", "without drop", "without second block",
    }  # fmt: skip
    assert all(row.mean > 0.4 for row in layers.rows)  # six crops
    whole, cut = (layers.row(name).cost["parameters"] for name in ("baseline", "without conv2"))
    assert whole - cut == 24 * 24 * 9 + 24
    sensors = ws.ablation("sensors").result()
    sar = sensors.row("without sar").drop
    assert sar is not None
    if data_are_real:
        # Seen before: 0.57 with both sensors, 0.41 without SAR, 0.44 without optical bands.
        assert sensors.baseline.mean == pytest.approx(0.55, abs=0.05)
        assert 0 < sar.low < sar.value
        assert "Without sar: macro_f1 is" in text
        assert "Without weather: macro_f1 was" in text  # not more than the interval says
        assert "Shapley value of sar: +" in text
    sources = ws.ablation("sources").result()
    subsets = ws.ablation("subsets").result()
    assert len(subsets.rows) == 16
    total = subsets.baseline.mean - subsets.row("none of them").mean
    assert sum(worth.value for worth in subsets.shapley().values()) == pytest.approx(total)
    assert "Shapley value of sar: " in text
    assert {"without weather", "without terrain"} < {row.variant.name for row in sources.rows}
