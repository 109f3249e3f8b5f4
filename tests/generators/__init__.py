"""Made data with the shapes and faults of the real data that tests find beside the checkout.

A stranger's clone has no real data; the same tests run there on what is made here, in the same
folders under the same names. Figures that only the real data have are tested on those alone (the
fixture `real_data`).
"""

from __future__ import annotations

from pathlib import Path

from tests.generators.disaster import write_disaster
from tests.generators.nested import write_nested
from tests.generators.scenes import write_scenes
from tests.generators.table import write_table


def write_like_real(folder: Path) -> Path:
    """Write all of it; the folder."""
    write_scenes(folder / "eolearn-slovenia-stac", folder / "eolearn-slovenia")
    write_table(folder / "worldcereal-s1s2" / "test_public_extractions.parquet")
    write_disaster(folder / "stac-planet-disaster")
    write_nested(folder / "stac-api-cassettes" / "data")
    return folder
