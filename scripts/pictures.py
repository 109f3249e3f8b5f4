"""Make the pictures of README and pages from screenshots that the browser tests have left.

`make pictures` after `make test`: each is cut to a width for pages and to 64 colours, so that all
of them together stay below a megabyte.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "test-results"
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1200
LIMIT = 1_000_000  # bytes of all pictures together
# Name of the picture -> name of the screenshot.
TAKEN = {
    "ablation": "ablation-light",
    "group": "group-spectra-distributions-light",
    "lineage": "lineage-model",
    "map": "search-sample-pictures",
    "search": "search-sample-field",
    "study": "study-curves-light",
    "study-dark": "study-curves-dark",
}


def main() -> int:
    missing = [shot for shot in TAKEN.values() if not (SHOTS / f"{shot}.png").is_file()]
    if missing:
        print(f"No screenshots {', '.join(missing)} in {SHOTS}: run make test first.")
        return 1
    for name, shot in TAKEN.items():
        shrink(SHOTS / f"{shot}.png", PICTURES / f"{name}.png")
    total = sum(path.stat().st_size for path in PICTURES.glob("*.png"))
    print(f"{len(TAKEN)} pictures, {total / 1e3:.0f} kB in all")
    return int(total > LIMIT)


def shrink(shot: Path, picture: Path) -> None:
    """Write a smaller copy of a screenshot."""
    with Image.open(shot) as image:
        height = round(image.height * WIDTH / image.width)
        small = image.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    reduced = small.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(picture, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
