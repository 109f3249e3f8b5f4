"""Band groups on labelled points: optical, SAR, weather, terrain (WorldCereal extractions, or made
ones of their layout)."""

from __future__ import annotations

import numpy as np
import pytest

from eolab.training_data import TrainingData


def train(data, *, seed):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score

    X, V = (np.nan_to_num(part.X, nan=-999.0) for part in (data.train, data.validation))
    model = RandomForestClassifier(60, random_state=seed, n_jobs=1).fit(X, data.train.y)
    codes = range(len(data.train.classes))
    each = f1_score(
        data.validation.y, model.predict(V), average=None, labels=codes, zero_division=0
    )
    names = [f"f1_{name}" for name in data.train.classes]
    return {"macro_f1": float(np.mean(each)), **dict(zip(names, map(float, each), strict=True))}


def test_groups_of_bands_on_blocks_of_land(real_or_made_data, data_are_real, config, run):
    from eolab.features import FeatureStore, SpatialBlocks
    from eolab.features.extract.labelled_tables import read_labelled_table
    from eolab.studies.ablation import ablate

    path = real_or_made_data / "worldcereal-s1s2" / "test_public_extractions.parquet"
    table = read_labelled_table(path, label="sampling_label")
    store = FeatureStore(config)
    group = store.create_feature_group("w", primary_key=[table.key])
    group.insert(table.frame)
    view = store.create_feature_view(
        "w", labels=group.select(table.label), query=group.select(list(table.features))
    )
    fold = view.folds(by=SpatialBlocks(0.05, crs="EPSG:4326"), n_splits=5, min_samples=20)[0]
    data = TrainingData.concatenate(
        TrainingData.concatenate(fold.train, fold.validation), fold.test
    )
    assert len(data.classes) == 4
    groups = {"optical": "OPTICAL*", "sar": "SAR*", "weather": "METEO*", "terrain": "DEM*"}
    done = ablate(
        config, train, data=data, name="bands", metric="macro_f1", groups=groups, folds=5,
        repeats=1, workers=2, tracking=False,
    )  # fmt: skip
    result = done.result()
    assert len(result.values) == 25
    if data_are_real:
        # Random folds would say 0.71 here; blocks of land about 0.57.
        assert result.baseline.mean == pytest.approx(0.57, abs=0.05)
    assert result.row("without optical").cost == {"columns": 50}
    drops = [result.row(f"without {name}").drop for name in groups]
    assert all(drop.pairs == 5 and drop.low < drop.value < drop.high for drop in drops)
    # With five folds of some 90 points nothing may be claimed lightly.
    for sentence, row in zip(result.describe(), result.rows[1:], strict=True):
        clear = row.drop.low * row.drop.high > 0 and row.corrected <= 0.05
        assert ("macro_f1 is" in sentence) == clear
    assert done.result("f1_maize").baseline.runs == 5
