"""The ablation notebook: layers of a network on chips, sensors on real points."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from eolab.facade import Workspace
from eolab.settings.config import Config
from tests.notebooks import run_notebook

ROOT = Path(__file__).resolve().parents[3]
POINTS = ROOT.parent / "shared/data/worldcereal-s1s2/test_public_extractions.parquet"


@pytest.mark.keras
@pytest.mark.timeout(1200)
def test_the_ablation_notebook(
    config: Config, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(sample, config.sample)
    if POINTS.exists():
        monkeypatch.setenv("WORLDCEREAL_POINTS", str(POINTS))
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
    if not POINTS.exists():
        assert "see the text above" in text
        return
    # Seen before: 0.57 with both sensors, 0.41 without SAR, 0.44 without optical bands.
    sensors = ws.ablation("sensors").result()
    assert sensors.baseline.mean == pytest.approx(0.55, abs=0.05)
    sar = sensors.row("without sar").drop
    assert sar is not None
    assert 0 < sar.low < sar.value
    assert "Without sar: macro_f1 is" in text
    sources = ws.ablation("sources").result()
    subsets = ws.ablation("subsets").result()
    assert len(subsets.rows) == 16
    total = subsets.baseline.mean - subsets.row("none of them").mean
    assert sum(worth.value for worth in subsets.shapley().values()) == pytest.approx(total)
    assert "Shapley value of sar: +" in text
    assert {"without weather", "without terrain"} < {row.variant.name for row in sources.rows}
    assert "Without weather: macro_f1 was" in text  # not more than the interval says
