"""What lies between the land and the sensor: clouds, their shadows, haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP = 20.0  # metres between nodes of the fields below
CLOUD_HEIGHT = 900.0  # metres


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], length: float) -> np.ndarray:
    """Gaussian noise of mean 0, spread 1 and a correlation length in nodes, shape ``shape``."""
    white = np.fft.rfft2(rng.standard_normal(shape))
    ky = np.fft.fftfreq(shape[0])[:, None]
    kx = np.fft.rfftfreq(shape[1])[None, :]
    field = np.fft.irfft2(white * np.exp(-2 * (np.pi * length) ** 2 * (kx**2 + ky**2)), s=shape)
    return np.asarray((field - field.mean()) / field.std())


@dataclass(frozen=True)
class Grid:
    """Nodes over the ground in metres from its centre: column 0 at ``west``, row 0 at ``north``."""

    west: float
    north: float
    shape: tuple[int, int]

    def index(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest node (row, column) of each point; points outside take the rim."""
        row = np.clip(np.rint((self.north - y) / STEP), 0, self.shape[0] - 1).astype(np.intp)
        column = np.clip(np.rint((x - self.west) / STEP), 0, self.shape[1] - 1).astype(np.intp)
        return row, column


@dataclass(frozen=True)
class Sky:
    """Clouds over the ground at one time.

    Attributes:
        opacity: Of clouds, 0..1 on the grid.
        shadow: Share of light that the clouds take from the ground, 0..1 on the grid.
        haze: Added reflectance by band, shape (10,).
    """

    grid: Grid
    opacity: np.ndarray
    shadow: np.ndarray
    haze: np.ndarray


def make_sky(
    rng: np.random.Generator, grid: Grid, cover: float, sun_zenith: float, sun_azimuth: float
) -> Sky:
    """Clouds that cover about ``cover`` (0..1) of the ground; angles in degrees.

    A shadow lies away from the sun by height * tan(zenith).
    """
    noise = smooth_noise(rng, grid.shape, 9.0) + 0.35 * smooth_noise(rng, grid.shape, 3.0)
    haze = np.abs(rng.normal(0.002, 0.002)) * np.array(
        [1.6, 1.2, 1, 0.9, 0.6, 0.5, 0.4, 0.4, 0.1, 0.1]
    )
    if cover <= 0:
        nothing = np.zeros(grid.shape)
        return Sky(grid, nothing, nothing, haze)
    level = np.quantile(noise, 1 - cover)
    opacity = np.clip((noise - level) / 0.55 + 0.30, 0, 1)
    length = CLOUD_HEIGHT * np.tan(np.radians(sun_zenith))
    away = np.radians(sun_azimuth + 180)
    rows = -round(length * np.cos(away) / STEP)
    columns = round(length * np.sin(away) / STEP)
    return Sky(grid, opacity, np.roll(opacity, (rows, columns), axis=(0, 1)) * 0.65, haze)
