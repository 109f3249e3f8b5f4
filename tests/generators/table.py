"""A table of labelled points with a year of satellite values, in WorldCereal's layout.

As such data come: whole numbers with 65535 for nodata (in up to four of ten rows of an optical
column), columns of codes and quality that give the label away, 13 classes of which four are large,
49 places that two sources tell of.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

NODATA = 65535
COUNTS = {
    "sorghum": 305, "maize": 97, "other_oilseeds": 32, "trees_mixed": 23,
    "dry_pulses_legumes": 15, "sunflower": 9, "fibre_crops": 6, "root_tuber_crops": 5,
    "herbaceous_vegetation": 3, "grasslands": 2, "built_up": 1, "millet": 1, "potatoes": 1,
}  # fmt: skip
BANDS = {
    "OPTICAL-B02": 10, "OPTICAL-B03": 10, "OPTICAL-B04": 10, "OPTICAL-B05": 20, "OPTICAL-B06": 20,
    "OPTICAL-B07": 20, "OPTICAL-B08": 10, "OPTICAL-B8A": 20, "OPTICAL-B11": 20, "OPTICAL-B12": 20,
    "SAR-VH": 20, "SAR-VV": 20, "METEO-temperature_mean": 100, "METEO-precipitation_flux": 100,
}  # fmt: skip


def write_table(path: Path) -> None:
    """500 rows of 192 columns."""
    rng = np.random.default_rng(12)
    labels = rng.permutation([name for name, n in COUNTS.items() for _ in range(n)])
    kinds = np.array([list(COUNTS).index(name) for name in labels])
    # Blocks of villages, each with its own soil; 49 points are told of twice.
    village = rng.integers(0, 110, 500)
    lon = 33.55 + 0.05 * (village % 11) + rng.uniform(0.005, 0.045, 500)
    lat = 0.15 + 0.45 * (village // 11) + rng.uniform(0.005, 0.045, 500)
    lon, lat = lon.round(5) + 2e-6, lat.round(5) + 2e-6
    village[451:], lon[451:], lat[451:] = village[:49], lon[:49] + 2e-10, lat[:49] + 4e-10
    source = np.where(np.arange(500) < 451, "ESA-project-Sen2Agri", "WFP-field-survey")
    columns: dict[str, object] = {
        "year": np.full(500, 2017, "int32"),
        "lon": lon,
        "irrigation_status": 0,
        "quality_score_lc": rng.choice([80, 98], 500),
        "ref_id": [f"2017_SSD_{name}_POLY_111" for name in source],
        "start_date": "2016-12-01",
        "available_timesteps": 12,
        "valid_position": 6,
        "DEM-slo-20m": rng.integers(0, 9, 500).astype("uint16"),
        "lat": lat,
        "geom_text": [f"POINT ({x} {y})" for x, y in zip(lon, lat, strict=True)],
        "tile": "36NWL",
        "DEM-alt-20m": (600 + village).astype("uint16"),
        "sample_id": [f"2017_SSD_{name}_{i}" for i, name in enumerate(source)],
        "ewoc_code": 1_101_000_000 + 10_000 * kinds,
        "extract": 1,
        "valid_time": "2017-07-01",
        "quality_score_ct": rng.choice([80, 94], 500),
        "end_date": "2017-11-01",
        "h3_l3_cell": "836a5efffffffff",
    }
    steps = np.arange(12)
    for band, metres in BANDS.items():
        optical, radar = band.startswith("OPTICAL"), band.startswith("SAR")
        peak = 4 + kinds % 5 + rng.normal(0, 1.5, 500)
        season = np.exp(-(((steps - peak[:, None]) / 2.5) ** 2))
        soil = rng.normal(0, 1, 110)[village][:, None]
        # Values rise to the north over the whole of the land: points are alike over a long way.
        base = 1_500 + 250 * lat[:, None] + 40 * soil + rng.normal(0, 150, (500, 12))
        values = base + season * rng.uniform(300, 900)
        for step in steps:
            found = np.clip(values[:, step], 1, 60_000).astype("uint16")
            share = rng.uniform(0, 0.39) if optical else 0.08 if radar and step < 3 else 0.0
            found[rng.random(500) < share] = NODATA
            columns[f"{band}-ts{step}-{metres}m"] = found
    columns["label_full"] = [f"unspecified_{name}" for name in labels]
    columns["sampling_label"] = labels
    columns["finetune_class"] = np.where(kinds < 3, "temporary_crops", "other")
    columns["balancing_class"] = labels
    path.parent.mkdir(parents=True)
    pd.DataFrame(columns).to_parquet(path)
