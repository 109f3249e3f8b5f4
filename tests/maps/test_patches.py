"""Networks that look around: overlapping patches, whose probabilities are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eolab.errors import InvalidInputError
from eolab.maps.patches import PatchPlan, predict_patches
from eolab.maps.pixels import predict_cube
from eolab.models.loaded import LoadedModel
from tests.maps.conftest import CLASSES, make_cube
from tests.maps.test_files import Rule, mapped


@dataclass(frozen=True)
class Around(Rule):
    """A network in numbers: each pixel by itself, and by the place in the patch where it errs."""

    size: tuple[int | None, ...] = (16, 16, 2)
    bias: float = 0.0

    def patch_shape(self):
        return self.size

    def ask_patches(self, X: np.ndarray) -> np.ndarray:
        X = X[:, -1] if X.ndim == 5 else X
        assert np.isfinite(X).all()
        p = np.clip(X[..., 0] + self.bias * np.linspace(-1, 1, X.shape[2]), 0, 1)
        return np.stack([p, (1 - p) / 2, (1 - p) / 2], axis=-1).astype(np.float32)


def test_the_map_is_the_same_however_it_is_tiled_and_follows_the_weighted_average(
    tmp_path: Path,
) -> None:
    cube = make_cube(50, 70)
    model = Around(tmp_path, bias=0.3)
    whole = predict_cube(model, cube)
    for tile in (13, 32):
        made = mapped(model, cube.chunk({"x": 20}), tmp_path / f"{tile}.tif", tile=tile).open()
        np.testing.assert_array_equal(made.prediction, whole.prediction)
        np.testing.assert_array_equal(made.probability, whole.probability)
    # Column 20 is seen by patches that begin at 12 and at 24 - of which one does not reach it.
    place = 20
    begins = [b for b in (0, 12, 24, 36, 48, 54) if b <= place < b + 16]
    ramp = np.minimum(np.minimum(np.arange(16), np.arange(16)[::-1]) / 5 + 1 / 5, 1)
    shift = np.linspace(-1, 1, 16)
    red = cube.red.to_numpy()[25, place]
    each = [np.clip(red + 0.3 * shift[place - b], 0, 1) for b in begins]
    mean = np.average(each, weights=[ramp[place - b] for b in begins])
    assert whole.probability.to_numpy()[0, 25, place] == pytest.approx(mean, abs=1e-6)


def test_patches_with_missing_pixels_are_left_out_or_filled_as_in_training(tmp_path: Path) -> None:
    cube = make_cube(40, 40)
    cube.nir[20, 20] = np.nan
    model = Around(tmp_path)
    strict, filled = predict_cube(model, cube), predict_cube(model, cube, fill=0.0)
    lost = strict.prediction.to_numpy() == 255
    assert lost[20, 20]
    assert lost.sum() > 1
    assert lost[12:28, 12:28].sum() == lost.sum()
    assert (filled.prediction.to_numpy() == 255).sum() == 1
    kept = ~lost
    np.testing.assert_array_equal(
        strict.prediction.to_numpy()[kept], filled.prediction.to_numpy()[kept]
    )
    made = mapped(model, cube, tmp_path / "map.tif", fill=np.float32(0), tile=np.int64(20))
    assert made.open().prediction.to_numpy().tolist() == filled.prediction.to_numpy().tolist()
    for bad in (np.nan, "0"):
        with pytest.raises(InvalidInputError, match=r"fill=.* is no number"):
            predict_cube(model, cube, fill=bad)
    with pytest.raises(InvalidInputError, match="takes pixels"):
        predict_cube(Rule(tmp_path), cube, fill=0.0)


def test_a_network_gets_the_dates_and_sizes_that_it_takes_or_says_what_is_wrong(
    tmp_path: Path,
) -> None:
    dates = ("2024-06-01", "2024-06-11")
    cube = make_cube(20, 20, dates=dates)
    several = Around(tmp_path, size=(2, 16, 16, 2))
    assert predict_cube(several, cube).prediction.dims == ("y", "x")
    made = mapped(several, cube, tmp_path / "two.tif")
    assert made.open().prediction.shape == (20, 20)
    taken = made.item.properties["mlm:input"][0]["input"]
    assert taken["shape"] == [-1, 2, 16, 16, 2]
    assert taken["dim_order"] == ["batch", "time", "height", "width", "bands"]
    assert made.item.properties["mlm:tasks"] == ["semantic-segmentation"]
    with pytest.raises(InvalidInputError, match="takes 2 dates: composite='median' would leave"):
        mapped(several, cube, tmp_path / "one.tif", composite="median")
    with pytest.raises(InvalidInputError, match="takes 2 dates, and there are 1"):
        predict_cube(several, cube.isel(time=[0]))
    with pytest.raises(InvalidInputError, match=r"patches of 16 x 16 pixels, .* only 8 x 20"):
        predict_cube(Around(tmp_path), make_cube(8, 20))
    with pytest.raises(InvalidInputError, match="takes 3 bands, and 2 are named"):
        predict_cube(Around(tmp_path, size=(16, 16, 3)), make_cube())
    with pytest.raises(InvalidInputError, match="patches of any size"):
        predict_cube(Around(tmp_path, size=(None, None, 2)), make_cube())


def test_a_network_on_patches_is_asked_for_values_that_it_has_seen(maker, tmp_path: Path) -> None:
    cube = make_cube(32, 32, dates=("2024-06-01",))
    chips = maker.ws.features.create_chip_dataset("seen", cube.eo.chips(16), format="numpy")
    ranges = maker.register(
        "seen", Scores(None), source={"chips": chips.label}, flavour="pickle"
    ).loaded().ranges  # fmt: skip
    assert set(ranges) == {"red", "nir"}
    assert ranges["red"] == (float(cube.red.min()), float(cube.red.max()))
    model = Around(tmp_path, ranges=ranges)
    assert predict_cube(model, cube.isel(time=0)).prediction.size
    counts = cube.isel(time=0) * 10_000
    with pytest.raises(InvalidInputError, match=r"learnt from values between"):
        predict_cube(model, counts)
    with pytest.raises(InvalidInputError, match=r"learnt from values between"):
        mapped(model, counts, tmp_path / "map.tif")
    assert mapped(model, counts, tmp_path / "map.tif", force=True).areas["pixels"].sum() == 1024


class Scores:
    """As far as a Keras network is asked."""

    input_shape = (None, None, None, 2)

    def __init__(self, answer) -> None:
        self._answer = answer

    def predict(self, X, verbose=0):
        return self._answer(X)


def test_scores_that_are_no_probabilities_are_never_averaged(tmp_path: Path) -> None:
    def loaded(answer) -> LoadedModel:
        return LoadedModel(
            "net/1", Scores(answer), "keras", ("red", "nir"), CLASSES, (), {}, {}, tmp_path,
            tmp_path, patch=(16, 16),
        )  # fmt: skip

    flat = loaded(lambda X: np.full((*X.shape[:3], 3), 1 / 3, np.float32))
    assert flat.patch_shape() == (16, 16, 2)
    made = predict_patches(
        flat, PatchPlan(16, 16, None, ("red", "nir")), make_cube(), slice(0, 40), slice(0, 60)
    )
    np.testing.assert_allclose(made.probability, 1 / 3, rtol=1e-5)
    with pytest.raises(InvalidInputError, match="no probabilities"):
        predict_cube(loaded(lambda X: np.ones((*X.shape[:3], 3))), make_cube())
    with pytest.raises(InvalidInputError, match="an answer for each pixel"):
        predict_cube(loaded(lambda X: np.ones((len(X), 3)) / 3), make_cube())
    with pytest.raises(InvalidInputError, match="2 scores a pixel for 3 classes"):
        predict_cube(loaded(lambda X: np.ones((*X.shape[:3], 2)) / 2), make_cube())
