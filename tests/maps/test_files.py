"""Maps on disk: whole or not at all, the same pixels however they were tiled, killed or resumed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Geod

import eolab as eo
from eolab.errors import ConflictError, InvalidInputError, RemoteError
from eolab.maps.mapping import predict_map
from eolab.maps.predicted_map import MapEstimate, PredictedMap
from eolab.maps.predictor import PixelAnswer
from eolab.records import lineage
from eolab.records.lineage import Ref
from tests.maps.conftest import CLASSES, make_cube


@dataclass(frozen=True)
class Rule:
    """A model in one line, which may take its time or fail."""

    root: Path
    pause: float = 0.0
    fails: list = field(default_factory=list)
    classes: tuple[str, ...] = CLASSES
    label: str = "rule/1"
    architecture: str = "Rule"
    framework: str = "none"
    columns: tuple[str, ...] = ("red", "nir")
    steps: tuple[str, ...] = ()
    source: Mapping[str, object] = field(default_factory=dict)
    digest: str = "d"
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def ask(self, X: np.ndarray) -> PixelAnswer:
        time.sleep(self.pause)
        if self.fails and len(X) > 100:
            raise self.fails.pop()
        codes = (X[:, 0] > 0.2).astype(int) + (X[:, 1] > 0.4).astype(int)
        if not self.classes:
            return PixelAnswer(X.sum(axis=1))
        return PixelAnswer(codes, np.eye(3, dtype=np.float32)[codes] * 0.8 + np.float32(1 / 15))

    def patch_shape(self) -> None:
        return None

    def ask_patches(self, X: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def mapped(model: Rule, cube, path: Path, **more) -> PredictedMap:
    options = {
        "area": None, "features": None, "sensor": None, "force": False, "crs": None,
        "resolution": None, "mask": None, "composite": None, "fill": None, "probability": True,
        "colours": None,
        "tile": 16, "workers": 2, "overwrite": False,
    }  # fmt: skip
    return predict_map(model, cube, path, **{**options, **more})


def test_the_files_say_what_the_model_says_with_names_colours_scenes_and_lineage(
    maker, forest, tmp_path: Path
) -> None:
    cube = make_cube(dates=("2024-06-01",), seed=3)
    cube.attrs["eolab_items"] = "S2_2024-06-01"
    cube.attrs["eolab_licences"] = (
        '[{"license": "CC-BY-4.0", "attribution": "Contains data", "items": [0]}]'
    )
    cube.red[0, 30:, 50:] = np.nan
    made = forest.predict_map(cube, tmp_path / "land.tif", tile=16, colours={"forest": "#00ff00"})
    memory = forest.predict(cube.isel(time=0))
    opened = made.open()
    assert (opened.prediction.to_numpy() == memory.prediction.to_numpy()).all()
    np.testing.assert_array_equal(opened.probability.to_numpy(), memory.probability.to_numpy())
    with rasterio.open(made.path) as file:
        assert (file.count, file.dtypes[0], file.nodata) == (1, "uint8", 255)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.colormap(1)[2] == (0, 255, 0, 255)
    with rasterio.open(made.probability_path) as file:
        assert file.descriptions == CLASSES
    item = made.item
    named = item.assets["prediction"].extra_fields["classification:classes"]
    assert [each["name"] for each in named] == ["bare_soil", "crop", "forest"]
    assert item.properties["mlm:architecture"] == "RandomForestClassifier"
    assert item.properties["license"] == "CC-BY-4.0"
    assert item.properties["attribution"] == "Contains data"
    assert item.properties["eolab:items"] == ["S2_2024-06-01"]
    assert (item.datetime.year, item.properties["proj:shape"]) == (2024, [40, 60])
    above = lineage.upstream(maker.ws.root, Ref("map", str(made.path)))
    assert Ref("model", "land/1") in above
    assert Ref("item", "S2_2024-06-01") in above
    assert [row.name for row in eo.assess(made.path, made.path).classes] == list(CLASSES)
    assert not list(tmp_path.glob("*.tiles"))
    before = made.path.stat().st_mtime_ns
    again = forest.predict_map(cube, tmp_path / "land.tif", tile=16, colours={"forest": "#00ff00"})
    assert again == made
    assert made.path.stat().st_mtime_ns == before
    with pytest.raises(ConflictError, match=r"land.tif is there, and is not this map"):
        forest.predict_map(cube, tmp_path / "land.tif", tile=20)


def test_seams_do_not_show_and_overviews_are_of_classes_that_there_are(tmp_path: Path) -> None:
    cube = make_cube(540, 520)
    model = Rule(tmp_path)
    one = mapped(model, cube, tmp_path / "one.tif", tile=512)
    other = mapped(model, cube.chunk({"y": 100, "x": 70}), tmp_path / "other.tif", tile=151)
    assert (one.open().prediction.to_numpy() == other.open().prediction.to_numpy()).all()
    with rasterio.open(one.path, overview_level=0) as coarse:
        small = coarse.read(1)
    fine = one.open().prediction.to_numpy()
    assert small.shape == (270, 260)
    assert (small == fine[::2, ::2]).mean() > 0.2
    assert set(np.unique(small)) <= {0, 1, 2}


@pytest.mark.parametrize(
    ("crs", "pixel", "corner"),
    [("EPSG:4326", 0.001, (14.0, 60.0)), ("EPSG:3857", 10.0, (1_600_000.0, 8_000_000.0))],
)
def test_areas_are_those_of_the_ground(
    crs: str, pixel: float, corner: tuple[float, float], tmp_path: Path
) -> None:
    from pyproj import Transformer

    cube = make_cube(20, 30, crs=crs, pixel=pixel, corner=corner)
    areas = mapped(Rule(tmp_path), cube, tmp_path / "map.tif").areas
    assert areas["class"].tolist() == list(CLASSES)
    to_degrees = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    x = [corner[0], corner[0] + 30 * pixel]
    y = [corner[1], corner[1] - 20 * pixel]
    (west, east), (north, south) = to_degrees.transform(x, y)
    ring = [(west, south), (east, south), (east, north), (west, north)]
    whole = abs(Geod(ellps="WGS84").polygon_area_perimeter(*zip(*ring, strict=True))[0]) / 1e4
    assert areas["hectares"].sum() == pytest.approx(whole, rel=2e-4)
    assert areas["pixels"].sum() == 600


@dataclass(frozen=True)
class Tiring(Rule):
    """A model that answers a few times and is then at work until it is killed."""

    asked: list = field(default_factory=list)

    def ask(self, X: np.ndarray) -> PixelAnswer:
        self.asked.append(len(X))
        if len(self.asked) > 10:
            time.sleep(600)
        return super().ask(X)


def _map_in_a_child(root: Path, path: Path) -> None:
    mapped(Tiring(root), make_cube(64, 64), path, tile=8)


def test_a_killed_run_goes_on_where_it_was_and_makes_no_tile_twice(tmp_path: Path) -> None:
    path, whole = tmp_path / "map.tif", tmp_path / "whole.tif"
    mapped(Rule(tmp_path), make_cube(64, 64), whole, tile=8)
    tiles = tmp_path / "map.tif.tiles"
    for _ in range(3):
        child = multiprocessing.get_context("fork").Process(
            target=_map_in_a_child, args=(tmp_path, path)
        )
        before = {f.name: f.stat().st_ino for f in tiles.glob("*.npz")}
        child.start()
        deadline = time.monotonic() + 30
        while len(list(tiles.glob("*.npz"))) < len(before) + 5 and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        after = {f.name: f.stat().st_ino for f in tiles.glob("*.npz")}
        assert len(after) >= len(before) + 5
        assert before.items() <= after.items()  # none was written again
        assert not path.exists()
    asked = len(after)
    assert 0 < asked < 64
    made = mapped(Rule(tmp_path), make_cube(64, 64), path, tile=8)
    np.testing.assert_array_equal(
        made.open().prediction, PredictedMap.read(whole).open().prediction
    )
    assert not tiles.exists()
    mapped(Rule(tmp_path), make_cube(64, 64), path, tile=8)


def test_tiles_that_fail_are_named_and_the_others_stay(tmp_path: Path) -> None:
    cube, path = make_cube(32, 32), tmp_path / "map.tif"
    # The first answer estimates the time.
    model = Rule(tmp_path, fails=[RemoteError("no answer from the bucket", "wait")] * 2)
    with pytest.raises(ConflictError, match=r"1 of 4 tiles failed; .*no answer") as refused:
        mapped(model, cube, path, workers=1)
    assert "3 tiles are done and stay" in refused.value.hint
    assert not path.exists()
    with pytest.raises(ConflictError, match=r"tiles of another map: values differs"):
        mapped(Rule(tmp_path), cube + 0.01, path)
    damaged = tmp_path / "map.tif.tiles" / "00001_00001.npz"
    whole = damaged.read_bytes()
    for left in (100, 0):
        damaged.write_bytes(whole[:left])
        with pytest.raises(ConflictError, match=r"00001_00001\.npz is damaged"):
            mapped(Rule(tmp_path), cube, path)
    assert mapped(Rule(tmp_path), cube, path).areas["pixels"].sum() == 1024


def test_a_map_that_was_refused_leaves_nothing_in_the_way_of_the_right_one(tmp_path: Path) -> None:
    cube, path = make_cube(32, 32), tmp_path / "map.tif"
    model = Rule(tmp_path, ranges={"red": (0.0, 0.4)})
    with pytest.raises(InvalidInputError, match="learnt from values between"):
        mapped(model, cube * 10_000, path)
    assert not list(tmp_path.iterdir())
    made = mapped(model, cube, path)
    assert made.probability_path is not None
    other = mapped(model, cube, path, probability=False, overwrite=True)
    assert other.probability_path is None
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == [
        "lineage.jsonl", "map.json", "map.tif",
    ]  # fmt: skip


def test_what_making_a_map_takes_is_said_also_where_nothing_could_be_read() -> None:
    assert str(MapEstimate(0, 0, 0.0, None)) == "all tiles are done"
    assert str(MapEstimate(4, 1_200_000, 3.0, None)).startswith("4 tiles, 1.2 million pixels")
    assert str(MapEstimate(4, 1_200_000, 3.0, 2.2)).endswith("up to 3 MB, about 2 min")


def test_a_full_disk_stops_the_map_and_what_was_done_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube, path, real, left = make_cube(32, 32), tmp_path / "map.tif", np.savez, [2]

    def savez(file, **arrays):
        if not left[0]:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        left[0] -= 1
        real(file, **arrays)

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(ConflictError, match=r"the disk of .* is full"):
        mapped(Rule(tmp_path), cube, path, workers=1)
    monkeypatch.undo()
    tiles = tmp_path / "map.tif.tiles"
    assert len(list(tiles.glob("*.npz"))) == 2
    assert mapped(Rule(tmp_path), cube, path).areas["pixels"].sum() == 1024


def test_an_area_is_cut_out_and_one_beside_the_scenes_is_refused(tmp_path: Path) -> None:
    from pyproj import Transformer

    cube = make_cube(40, 60)
    to_degrees = Transformer.from_crs(32633, 4326, always_xy=True)
    corners = [(500_100, 5_299_900), (500_200, 5_299_900), (500_200, 5_299_800)]
    triangle = shapely.Polygon([to_degrees.transform(*c) for c in corners])
    made = mapped(Rule(tmp_path), cube, tmp_path / "cut.tif", area=triangle)
    whole = mapped(Rule(tmp_path), cube, tmp_path / "whole.tif").open().prediction
    cut = made.open().prediction
    assert cut.size <= 12 * 12
    x, y = np.meshgrid(cut.x, cut.y)
    inside = shapely.contains_xy(shapely.Polygon(corners), x, y)
    assert ((cut.to_numpy() != 255) == inside).mean() > 0.97  # edges are straight in degrees
    same = whole.sel(x=cut.x, y=cut.y, method="nearest").to_numpy()
    assert (cut.to_numpy()[cut.to_numpy() != 255] == same[cut.to_numpy() != 255]).all()
    assert made.probability_path is not None
    box = [*to_degrees.transform(500_100, 5_299_800), *to_degrees.transform(500_200, 5_299_900)]
    boxed = mapped(Rule(tmp_path), cube, tmp_path / "box.tif", area=box).open().prediction
    assert 80 < (boxed != 255).sum() < 130
    with pytest.raises(InvalidInputError, match=r"bbox = .* upside down"):
        mapped(Rule(tmp_path), cube, tmp_path / "none.tif", area=(14, 48, 15, 47))
    with pytest.raises(InvalidInputError, match="outside of the scenes"):
        mapped(Rule(tmp_path), cube, tmp_path / "none.tif", area=shapely.box(0, 0, 1, 1))
    with pytest.raises(InvalidInputError, match="no pixel of the area has all features"):
        mapped(Rule(tmp_path), cube * np.nan, tmp_path / "none.tif")
    assert not list(tmp_path.glob("none*"))


def test_several_dates_are_one_map_only_by_a_composite(tmp_path: Path) -> None:
    cube = make_cube(dates=("2024-06-01", "2024-06-11", "2024-06-21"))
    with pytest.raises(InvalidInputError, match="there are 3 dates"):
        mapped(Rule(tmp_path), cube, tmp_path / "map.tif")
    made = mapped(Rule(tmp_path), cube.chunk({"x": 16}), tmp_path / "map.tif", composite="median")
    median = cube.median("time")
    expected = (median.red > 0.2).astype(int) + (median.nir > 0.4).astype(int)
    assert (made.open().prediction.to_numpy() == expected.to_numpy()).all()
    assert made.item.properties["start_datetime"].startswith("2024-06-01")
    assert made.item.properties["end_datetime"].startswith("2024-06-21")
    for bad, why in (({"tile": 0}, "tile=0"), ({"composite": "best"}, "composite='best'")):
        with pytest.raises(InvalidInputError, match=why):
            mapped(Rule(tmp_path), cube, tmp_path / "bad.tif", **bad)
    with pytest.raises(InvalidInputError, match="a map is a GeoTIFF"):
        mapped(Rule(tmp_path), cube, tmp_path / "map.png")
    with pytest.raises(InvalidInputError, match="'sand', which is no class"):
        mapped(Rule(tmp_path), cube, tmp_path / "bad.tif", colours={"sand": "#ffffff"})


def test_a_lazy_cube_of_other_values_is_another_map(tmp_path: Path) -> None:
    cube = make_cube(dates=("2024-06-01", "2024-06-11", "2024-06-21"))
    cube.red[2] = 0.9
    lazy, path = cube.chunk({"x": 30, "y": 40, "time": 1}), tmp_path / "map.tif"
    one = mapped(Rule(tmp_path), lazy, path, composite="median")
    again = cube.chunk({"x": 30, "y": 40, "time": 1})  # as the next process makes it
    assert mapped(Rule(tmp_path), again, path, composite="median") == one
    for other, more in (
        (lazy, {"composite": "mean"}),
        (lazy * 2, {"composite": "median"}),
        (lazy.isel(time=[0]), {}),
        (lazy.isel(time=[1]), {}),
    ):
        with pytest.raises(ConflictError, match="is there, and is not this map"):
            mapped(Rule(tmp_path), other, path, **more)
    clear = lazy.drop_vars(["item_id", "platform"])  # nothing but the values says which date it is
    mapped(Rule(tmp_path), clear.isel(time=0), path, overwrite=True)
    with pytest.raises(ConflictError, match="is there, and is not this map"):
        mapped(Rule(tmp_path), clear.isel(time=1), path)


def test_nodata_of_stored_numbers_is_in_no_composite(tmp_path: Path) -> None:
    cube = make_cube(dates=("2024-06-01", "2024-06-11"))
    stored = (cube * 10_000).astype("int16")
    for band in ("red", "nir"):
        stored[band][0, :20] = -9999
        stored[band].attrs["nodata"] = -9999
    made = mapped(Rule(tmp_path, classes=()), stored, tmp_path / "map.tif", composite="mean")
    both = (stored.red.astype(float) + stored.nir.astype(float)).to_numpy()
    expected = np.concatenate([both[1, :20], both[:, 20:].mean(axis=0)])
    np.testing.assert_allclose(made.open().prediction, expected)
    assert stored.red.attrs == {"nodata": -9999}


def test_a_map_of_a_quantity_has_numbers_and_no_classes(tmp_path: Path) -> None:
    cube = make_cube()
    cube.nir[0, 0] = np.nan
    made = mapped(Rule(tmp_path, classes=()), cube, tmp_path / "map.tif")
    found = made.open().prediction.to_numpy()
    assert np.isnan(found[0, 0])
    expected = (cube.red + cube.nir).to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert made.probability_path is None
    with pytest.raises(InvalidInputError, match="a map of a quantity"):
        _ = made.areas
