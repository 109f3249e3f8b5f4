"""Make the pictures of README and pages from screenshots that the browser tests have left.

`make pictures` after `make test`: each is cut to the main area and to few colours, so that all of
them together stay below a megabyte.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SHOTS = ROOT / "test-results"
PICTURES = ROOT / "docs" / "pictures"
LIMIT = 1_000_000  # bytes of all pictures together
WINDOW = (0, 0, 1440, 900)


def _main(bottom: int) -> tuple[int, int, int, int]:
    """The main area of JupyterLab in that window, as far as something stands there."""
    return 283, 28, 1402, bottom


# Name of the picture -> name of the screenshot, and its part.
TAKEN = {
    "ablation": ("ablation-light", _main(700)),
    "group": ("group-spectra-histograms-light", _main(560)),
    "lineage": ("lineage-model", _main(420)),
    "map": ("search-light-scene", _main(872)),
    "overview": ("four-sections-light", WINDOW),
    "search": ("search-light-calendar", _main(872)),
    "study": ("study-curves-light", _main(872)),
    "together": ("study-together-light", _main(872)),
}


def main() -> int:
    missing = [shot for shot, _ in TAKEN.values() if not (SHOTS / f"{shot}.png").is_file()]
    if missing:
        print(f"No screenshots {', '.join(missing)} in {SHOTS}: run make test first.")
        return 1
    for name, (shot, part) in TAKEN.items():
        shrink(SHOTS / f"{shot}.png", PICTURES / f"{name}.png", part)
    total = sum(path.stat().st_size for path in PICTURES.glob("*.png"))
    print(f"{len(TAKEN)} pictures, {total / 1e3:.0f} kB in all")
    return int(total > LIMIT)


def shrink(shot: Path, picture: Path, part: tuple[int, int, int, int]) -> None:
    """Write the part of a screenshot that a page shows, in few colours."""
    with Image.open(shot) as image:
        cut = image.convert("RGB").crop(part)
    # A scene has many colours, a chart few: the same number serves both.
    reduced = cut.quantize(96, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(picture, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
