"""The made-up farming region: fields, crops and how they grow and reflect.

Coordinates are metres in EPSG:3035 (LAEA Europe), a third reference system beside the two UTM zones
of the scenes, as a farm register would have. The region lies across the zone boundary at 12 E.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

GROUND_CRS = "EPSG:3035"
CENTRE = (12.0, 48.6)  # longitude, latitude: on the boundary of UTM zones 32 and 33
WIDTH, HEIGHT = 10_200.0, 4_200.0  # metres
PAD = 700.0  # the land goes on around the region, so that tiles have no bare rim
DISTRICTS = ("Aubach", "Birkfeld")
DISTRICT_LINE = -700.0  # metres east of the centre: deliberately not the zone boundary
LATE_DAYS = 21  # the second district sows three weeks later

BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")

# Reflectance by band of what a field consists of, after common spectral libraries, rounded.
_SOIL = (0.080, 0.110, 0.145, 0.165, 0.185, 0.205, 0.225, 0.245, 0.320, 0.280)
_DRY = (0.080, 0.120, 0.160, 0.200, 0.240, 0.270, 0.300, 0.320, 0.350, 0.250)
_BLOOM = (0.055, 0.140, 0.130, 0.170, 0.310, 0.370, 0.410, 0.420, 0.220, 0.120)
_GREEN = {
    "winter_wheat": (0.025, 0.050, 0.030, 0.080, 0.255, 0.330, 0.380, 0.400, 0.180, 0.090),
    "winter_rapeseed": (0.028, 0.060, 0.034, 0.092, 0.285, 0.360, 0.410, 0.430, 0.190, 0.095),
    "spring_barley": (0.028, 0.056, 0.034, 0.086, 0.255, 0.325, 0.372, 0.390, 0.190, 0.098),
    "maize": (0.028, 0.055, 0.032, 0.086, 0.275, 0.350, 0.400, 0.415, 0.190, 0.095),
    "sugar_beet": (0.030, 0.060, 0.033, 0.094, 0.300, 0.385, 0.435, 0.450, 0.185, 0.090),
    "grassland": (0.032, 0.064, 0.042, 0.098, 0.245, 0.305, 0.345, 0.365, 0.220, 0.120),
}
_FOREST = (0.020, 0.035, 0.022, 0.055, 0.180, 0.230, 0.260, 0.275, 0.120, 0.055)
_BUILT = (0.120, 0.140, 0.160, 0.180, 0.195, 0.205, 0.220, 0.230, 0.260, 0.240)

CROPS = tuple(_GREEN)
_SHARES = (0.24, 0.15, 0.16, 0.19, 0.12, 0.14)


@dataclass(frozen=True)
class Season:
    """Days of the year of one crop's course in the first district.

    Attributes:
        sown: Sowing (negative: last autumn).
        rise: Half of the ground is covered.
        fall: Half of the green is gone.
        harvest: Stubble and soil afterwards.
        bloom: Peak of a yellow bloom, 0 for none.
    """

    sown: int
    rise: int
    fall: int
    harvest: int
    bloom: int = 0


SEASONS = {
    "winter_wheat": Season(-75, 88, 178, 206),
    "winter_rapeseed": Season(-125, 78, 172, 200, bloom=124),
    "spring_barley": Season(76, 112, 180, 204),
    "maize": Season(117, 166, 256, 275),
    "sugar_beet": Season(97, 150, 300, 296),
    "grassland": Season(0, 78, 330, 365),
}


# What is sown after a crop; meadows, woods and villages stay.
_FOLLOWS = {
    "winter_wheat": ("winter_rapeseed", "maize", "sugar_beet"),
    "winter_rapeseed": ("winter_wheat",),
    "spring_barley": ("winter_rapeseed", "maize"),
    "maize": ("winter_wheat", "spring_barley", "maize"),
    "sugar_beet": ("winter_wheat", "spring_barley"),
}


@dataclass(frozen=True)
class Land:
    """All fields of the region, parcels with labels among them.

    Attributes:
        polygons: Field outlines in ground coordinates (metres from the centre), n of them.
        kind: Crop of each field, or "forest" or "built", shape (n,).
        district: 0 or 1, shape (n,).
        shift: Days by which the field is later than its crop's season, shape (n,).
        vigour: Factor on the green cover, about 1, shape (n,).
        soil: Factor on soil brightness, about 1, shape (n,).
        cuts: Mowing days of meadows, shape (n, 3).
        parcels: Positions of the fields that the farm register lists.
        label: Crop that the register says, for each of ``parcels``; some are wrong.
        centre: (x, y) of the centre in EPSG:3035.
    """

    polygons: list[np.ndarray]
    kind: np.ndarray
    district: np.ndarray
    shift: np.ndarray
    vigour: np.ndarray
    soil: np.ndarray
    cuts: np.ndarray
    parcels: np.ndarray
    label: np.ndarray
    centre: tuple[float, float]

    def reflectance(self, day: float) -> np.ndarray:
        """Noise-free reflectance of each field on a day of the year, shape (n, 10), 0..1."""
        green = np.array([_GREEN.get(str(kind), _FOREST) for kind in self.kind])
        cover, dry, bloom = self.fractions(day)
        bare = np.clip(1 - cover - dry, 0, 1)
        soil = np.array(_SOIL) * self.soil[:, None]
        out: np.ndarray = (
            cover[:, None] * green + dry[:, None] * np.array(_DRY) + bare[:, None] * soil
        )
        out += (bloom * cover)[:, None] * (np.array(_BLOOM) - green)
        out[self.kind == "forest"] = _FOREST
        out[self.kind == "built"] = _BUILT
        return out

    def fractions(self, day: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Green cover, dry matter and bloom of each field, each 0..1 of shape (n,)."""
        n = len(self.kind)
        cover, dry, bloom = np.zeros(n), np.zeros(n), np.zeros(n)
        for crop, season in SEASONS.items():
            at = np.flatnonzero(self.kind == crop)
            t = day - self.shift[at]
            rise = 1 / (1 + np.exp(-(t - season.rise) / 7.5))
            fall = 1 / (1 + np.exp(-(t - season.fall) / 5.5))
            standing = t < season.harvest
            base = 0.35 if crop == "grassland" else 0.04
            cover[at] = np.clip(base + (0.90 - base) * rise * (1 - fall), 0, 1) * self.vigour[at]
            cover[at] = np.where(standing, cover[at], 0.08)
            dry[at] = np.where(standing, 0.75 * fall * rise, 0.30)
            if season.bloom:
                bloom[at] = 0.8 * np.exp(-(((t - season.bloom) / 9.0) ** 2))
            if crop == "grassland":
                since = t[:, None] - self.cuts[at]
                cut = np.where(since >= 0, 0.5 * np.exp(-since / 16.0), 0).max(axis=1)
                cover[at] *= 1 - cut
                dry[at] = 0.15
        return np.clip(cover, 0, 0.97), np.clip(dry, 0, 1), bloom


def make_land(rng: np.random.Generator, *, parcels: int = 340, wrong: float = 0.05) -> Land:
    """Lay out fields on two rotated, jittered grids, one a district, and sow them."""
    from pyproj import Transformer

    to_ground = Transformer.from_crs("EPSG:4326", GROUND_CRS, always_xy=True)
    centre = to_ground.transform(*CENTRE)
    polygons, district = [], []
    for number, (west, east, turn) in enumerate(
        ((-WIDTH / 2 - PAD, DISTRICT_LINE, 0.12), (DISTRICT_LINE, WIDTH / 2 + PAD, -0.20))
    ):
        for polygon in _fields(rng, west, east, turn):
            polygons.append(polygon)
            district.append(number)
    n = len(polygons)
    where = np.array([p.mean(axis=0) for p in polygons])
    side = np.array(district)
    kind = rng.choice(np.array(CROPS), size=n, p=_SHARES)
    # Woods and villages come in patches, by a smooth function of place.
    wood = np.sin(where[:, 0] / 900 + 1) * np.cos(where[:, 1] / 700) + 0.3 * rng.standard_normal(n)
    kind = np.where(wood > 0.95, "forest", kind)
    kind = np.where(wood < -1.25, "built", kind)
    inside = (np.abs(where[:, 0]) < WIDTH / 2 - 150) & (np.abs(where[:, 1]) < HEIGHT / 2 - 150)
    # Fields of the two grids overlap along the line between the districts: no parcels there.
    own = np.abs(where[:, 0] - DISTRICT_LINE) > 200
    candidates = np.flatnonzero(inside & own & (kind != "forest") & (kind != "built"))
    listed = np.sort(rng.choice(candidates, size=min(parcels, len(candidates)), replace=False))
    label = kind[listed].copy()
    for position in rng.choice(len(listed), size=round(wrong * len(listed)), replace=False):
        label[position] = rng.choice([crop for crop in CROPS if crop != label[position]])
    # Soil brightness varies over kilometres: what random folds of pixels can cheat with.
    soil = 1 + 0.15 * np.sin(where[:, 0] / 1300) * np.sin(where[:, 1] / 1100 + 0.5)
    return Land(
        polygons=polygons,
        kind=kind,
        district=side,
        shift=LATE_DAYS * side + 8.0 * rng.standard_normal(n),
        vigour=np.clip(1 + 0.16 * rng.standard_normal(n), 0.45, 1.2),
        soil=soil + 0.08 * rng.standard_normal(n),
        cuts=np.array([140.0, 190.0, 240.0]) + 10 * rng.standard_normal((n, 3)),
        parcels=listed,
        label=label,
        centre=(float(centre[0]), float(centre[1])),
    )


def rotate(rng: np.random.Generator, land: Land, *, late: float, wrong: float = 0.05) -> Land:
    """The same fields one year on: crops follow crops as farmers let them, meadows stay.

    Args:
        rng: Source of what cannot be known beforehand.
        land: The year before.
        late: Days by which the year's weather holds everything back.
        wrong: Share of the register's crops that are wrong.
    """
    kind = land.kind.copy()
    for before, after in _FOLLOWS.items():
        at = np.flatnonzero(land.kind == before)
        kind[at] = rng.choice(np.array(after), size=len(at))
    n = len(kind)
    label = kind[land.parcels].copy()
    for position in rng.choice(len(label), size=round(wrong * len(label)), replace=False):
        label[position] = rng.choice([crop for crop in CROPS if crop != label[position]])
    return replace(
        land,
        kind=kind,
        shift=LATE_DAYS * land.district + late + 8.0 * rng.standard_normal(n),
        vigour=np.clip(1 + 0.16 * rng.standard_normal(n), 0.45, 1.2),
        cuts=np.array([140.0, 190.0, 240.0]) + late + 10 * rng.standard_normal((n, 3)),
        label=label,
    )


def _fields(rng: np.random.Generator, west: float, east: float, turn: float) -> list[np.ndarray]:
    """Quadrilaterals (4, 2) of a jittered grid turned by ``turn`` radians, with tracks between."""
    middle = np.array([(west + east) / 2, 0.0])
    reach = np.hypot(east - west, HEIGHT + 2 * PAD) / 2
    columns = np.arange(-reach, reach, 210.0)
    rows = np.arange(-reach, reach, 150.0)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    grid = grid + rng.uniform(-28, 28, size=grid.shape)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    grid = grid @ spin.T + middle
    fields = []
    for i in range(len(rows) - 1):
        for j in range(len(columns) - 1):
            corners = grid[[i, i, i + 1, i + 1], [j, j + 1, j + 1, j]]
            x, y = corners.mean(axis=0)
            if west <= x < east and abs(y) <= HEIGHT / 2 + PAD:
                fields.append(corners + (corners.mean(axis=0) - corners) * 0.07)
    return fields
