"""When the satellites pass over the sample region, and what their products say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

YEAR = 2021  # the first season, of which the farm register in `parcels.parquet` tells


@dataclass(frozen=True)
class Pass:
    """One overpass of Sentinel-2.

    Attributes:
        month: Month of the year.
        day: Day of the month.
        orbit: Relative orbit; 22 sees the region at the edge of its swath.
        cover: Share of sky under cloud.
        baseline: Processing baseline of the products.
        offset: Digital numbers carry the offset of baseline 04.00 and later.
        declared: The items say so in `raster:offset`; else only the baseline tells.
        applied: The items say that a provider has taken the offset out again.
        older: Baseline of a second, older product of the same datatake, or "".
        year: Of the season.
    """

    month: int
    day: int
    orbit: int
    cover: float
    baseline: str = "03.01"
    offset: bool = False
    declared: bool = False
    applied: bool = False
    older: str = ""
    year: int = YEAR

    @property
    def time(self) -> datetime:
        return datetime(self.year, self.month, self.day, 10, 10, 31, tzinfo=UTC)


# The archive of that year is half reprocessed: what decides is the item, never its date.
PASSES = (
    Pass(3, 24, 65, 0.05),
    Pass(4, 10, 22, 0.30, "05.00", offset=True),
    Pass(4, 23, 65, 0.00, "05.00", offset=True, declared=True),
    Pass(5, 8, 65, 0.40),
    Pass(5, 20, 22, 0.15, "05.10", offset=True, older="03.00"),
    Pass(6, 2, 65, 0.10, "05.00", declared=True, applied=True),
    Pass(6, 17, 65, 0.92),
    Pass(7, 4, 22, 0.20, "05.00", offset=True, declared=True),
    Pass(7, 17, 65, 0.35, "05.10", offset=True),
    Pass(8, 6, 65, 0.00),
    Pass(9, 2, 22, 0.25, "05.10", offset=True),
    Pass(9, 25, 65, 0.08),
)
# The year after: other crops on the same fields, and a cold spring that holds all back.
LATE_SPRING = 9.0  # days
PASSES_AFTER = (
    Pass(4, 8, 65, 0.10, "04.00", offset=True, declared=True, year=YEAR + 1),
    Pass(5, 25, 22, 0.05, "05.10", offset=True, declared=True, year=YEAR + 1),
    Pass(6, 22, 65, 0.15, "04.00", offset=True, year=YEAR + 1),
    Pass(7, 17, 65, 0.30, "05.10", offset=True, declared=True, year=YEAR + 1),
    Pass(9, 8, 22, 0.10, "05.10", offset=True, declared=True, year=YEAR + 1),
)


@dataclass(frozen=True)
class Orbit:
    """A relative orbit of Sentinel-1 from which the region is seen.

    Attributes:
        number: Relative orbit.
        state: "ascending" or "descending".
        hour: UTC hour of the overpass.
        minute: Of that hour.
        incidence: Angle in degrees: the steeper, the brighter vegetation and soil.
        looks_east: Towards where the antenna looks; slopes that face it are laid over.
        noisy: The swath ends over the region, in a border of noise that the processor left in.
    """

    number: int
    state: str
    hour: int
    minute: int
    incidence: float
    looks_east: bool
    noisy: bool


ORBITS = (
    Orbit(117, "ascending", 16, 58, 34.0, looks_east=True, noisy=False),
    Orbit(95, "descending", 5, 24, 42.5, looks_east=False, noisy=True),
)
# Both orbits pass on the same days: a mosaic by day lays one over the other.
RADAR_DAYS = (
    (YEAR, 4, 3),
    (YEAR, 5, 21),
    (YEAR, 6, 14),
    (YEAR, 7, 8),
    (YEAR, 8, 25),
    (YEAR + 1, 4, 10),
    (YEAR + 1, 7, 3),
    (YEAR + 1, 8, 20),
)
