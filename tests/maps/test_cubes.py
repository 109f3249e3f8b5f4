"""A registered model asked for each pixel of a cube: features as in training, or a refusal."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from sklearn.ensemble import RandomForestClassifier

import eolab as eo
from eolab.errors import ConflictError, InvalidInputError, NotFoundError
from eolab.features.extract.layer_facts import LayerFacts, sensor_of
from tests.maps.conftest import CLASSES, make_cube


def test_each_pixel_is_what_the_model_says_of_its_features_as_they_were_made_in_training(
    forest, by_hand
) -> None:
    cube = make_cube(seed=5)[["nir", "red"]]  # another order of bands
    cube.red[3, :7] = np.nan
    made = forest.predict(cube)
    said = made.prediction.to_numpy()
    expected = by_hand(cube.red.to_numpy().ravel(), cube.nir.to_numpy().ravel()).reshape(said.shape)
    missing = np.isnan(cube.red.to_numpy())
    assert (said[~missing] == expected[~missing]).all()
    assert (said[missing] == 255).all()
    assert made.prediction.attrs["nodata"] == 255
    likely = made.probability.to_numpy()
    assert np.isnan(likely[:, missing]).all()
    np.testing.assert_allclose(likely[:, ~missing].sum(axis=0), 1, atol=1e-5)
    assert (likely.argmax(axis=0)[~missing] == said[~missing]).all()
    assert made["class"].to_numpy().tolist() == list(forest.classes) == list(CLASSES)


def test_a_lazy_cube_and_one_of_several_dates_give_the_same_map_for_each(forest) -> None:
    dates = ("2024-06-01", "2024-06-11")
    cube = make_cube(dates=dates)
    each = [forest.predict(cube.isel(time=i)).prediction.to_numpy() for i in (0, 1)]
    both = forest.predict(cube.chunk({"x": 16, "y": 16, "time": 1}))
    assert both.prediction.dims == ("time", "y", "x")
    assert (both.prediction.to_numpy() == np.stack(each)).all()
    assert (each[0] != each[1]).any()


def test_the_map_is_assessed_with_the_names_of_its_classes(forest) -> None:
    cube = make_cube()
    made = forest.predict(cube).prediction
    result = eo.assess(made, made)
    assert [row.name for row in result.classes] == list(CLASSES)
    assert result.overall.value == 1


def test_bands_that_are_not_there_or_have_no_names_are_refused(forest) -> None:
    cube = make_cube()
    with pytest.raises(InvalidInputError, match="no band for 'nir'"):
        forest.predict(cube.drop_vars("nir"))
    stacked = cube.to_dataarray("band")
    assert forest.predict(stacked).prediction.equals(forest.predict(cube).prediction)
    with pytest.raises(InvalidInputError, match="by position only"):
        forest.predict(stacked.assign_coords(band=[4, 8]))
    with pytest.raises(InvalidInputError, match="no name"):
        forest.predict(cube.red.rename(None))
    called = cube.rename(nir="B08")
    assert forest.predict(called, features={"nir": "B08"}).prediction.equals(
        forest.predict(cube).prediction
    )
    with pytest.raises(InvalidInputError, match="'B8A', which is not in the cube"):
        forest.predict(called, features={"nir": "B8A"})
    with pytest.raises(InvalidInputError, match="'green', which is no feature"):
        forest.predict(cube, features={"green": "red"})


def test_a_labelled_array_of_samples_is_no_cube_and_goes_by_its_labels(forest) -> None:
    X = np.random.default_rng(0).random((20, 3), dtype=np.float32)
    columns = list(forest.columns)
    turned = xr.DataArray(X[:, ::-1], dims=("sample", "feature"), coords={"feature": columns[::-1]})
    said = forest.predict(X)
    assert len(set(said.tolist())) > 1
    assert forest.predict(turned).tolist() == said.tolist()
    assert forest.predict(xr.DataArray(X)).tolist() == said.tolist()


def test_another_sensor_quantity_or_unit_is_refused_by_name(forest) -> None:
    landsat = make_cube(platform="landsat-8")
    with pytest.raises(InvalidInputError, match=r"learnt from sentinel-2, .* of landsat-oli"):
        forest.predict(landsat)
    assert forest.predict(landsat, sensor="landsat-9").prediction.sizes == {"y": 40, "x": 60}
    assert forest.predict(make_cube(platform="sentinel-2c")).prediction.size
    months = make_cube(platform="landsat-8", dates=("2024-06-01", "2024-06-11")).eo.composite()
    assert months["platform"].to_numpy().tolist() == ["landsat-8"]
    with pytest.raises(InvalidInputError, match=r"learnt from sentinel-2, .* of landsat-oli"):
        forest.predict(months.isel(time=0))
    counts = make_cube(facts={"quantity": "digital numbers"})
    with pytest.raises(InvalidInputError, match=r"red as surface reflectance, .* digital numbers"):
        forest.predict(counts)
    with pytest.raises(InvalidInputError, match=r"in 1, the cube has it in %"):
        forest.predict(make_cube(facts={"unit": "%"}))
    raw = make_cube()
    raw.attrs["eolab_radiometry"] = "raw"
    with pytest.raises(InvalidInputError, match="stored numbers"):
        forest.predict(raw)


def test_numbers_far_from_all_that_the_model_has_seen_are_refused_where_no_fact_is_known(
    forest,
) -> None:
    cube = make_cube() * 10_000  # arithmetic drops the attributes
    with pytest.raises(InvalidInputError, match=r"learnt from values between .* and "):
        forest.predict(cube)
    assert forest.predict(cube, force=True).prediction.size


def test_a_view_that_was_deleted_or_changed_since_is_said(maker, forest) -> None:
    cube = make_cube()
    entry = maker.ws.delete("view pixels/1")
    with pytest.raises(NotFoundError, match="view pixels/1, which is not there"):
        forest.predict(cube)
    spectra = maker.ws.features.feature_group("spectra")
    labels = maker.ws.features.feature_group("truth").select("kind")
    maker.ws.features.create_feature_view("pixels", labels=labels, query=spectra.select("red"))
    with pytest.raises(ConflictError, match="changed since"):
        forest.predict(cube)
    maker.ws.delete("view pixels/1")
    maker.ws.restore(entry)
    assert forest.predict(cube).prediction.size


def test_pixels_stand_for_zones_of_their_own_with_a_warning(maker, forest) -> None:
    from sklearn.linear_model import LogisticRegression

    X = np.random.default_rng(0).random((60, 2)).astype(np.float32)
    model = LogisticRegression().fit(X, (X[:, 0] > X[:, 1]).astype(int))
    zones = maker.register(
        "zones", model, columns=("red_median", "nir_mean"), classes=("no", "yes")
    )
    cube = make_cube()
    with pytest.warns(UserWarning, match="statistics of zones"):
        made = zones.predict(cube)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = zones.predict(cube, features={"red_median": "red", "nir_mean": "nir"})
    assert said.prediction.equals(made.prediction)
    deviation = maker.register("dev", model, columns=("red_std", "nir_mean"), classes=("n", "y"))
    with pytest.raises(InvalidInputError, match="no band for 'red_std'"):
        deviation.predict(cube)
    index = maker.register("index", model, columns=("NDVI", "nir"), classes=("n", "y"))
    with pytest.raises(InvalidInputError, match="no band for 'NDVI'") as refused:
        index.predict(cube)
    assert "cube.eo.spectral_index('NDVI')" in refused.value.hint


def test_a_sequence_is_cut_into_the_steps_of_its_view(maker, pixel_view) -> None:
    store = maker.ws.features
    dates = ("2024-05-02", "2024-05-06", "2024-05-13", "2024-05-28", "2024-06-09")
    cube = make_cube(dates=dates)
    from tests.maps.conftest import fields

    rows = cube.eo.pixels(fields(cube))
    group = store.create_feature_group("dated", primary_key=["pixel_id"], event_time="time")
    group.insert(rows)
    season = group.select(["red", "nir"]).sequence("05-01", "05-31", "10D")
    view = store.create_feature_view(
        "season", labels=store.feature_group("truth").select("kind"), query=season
    )
    split = view.train_test_split(by="random", test_size=0.2)

    class Steps:
        """A model of sequences, without a library."""

        def predict(self, X: np.ndarray) -> np.ndarray:
            assert X.shape[1:] == (4, 2)
            filled = np.nan_to_num(X, nan=0.2)
            return (filled[:, 0, 1] > 0.4).astype(int) + (filled[:, 3, 0] > 0.2).astype(int)

    model = maker.register("steps", Steps(), split, flavour="pickle")
    clouded = cube.copy(deep=True)
    clouded.nir[0, :20] = np.nan  # the first step then goes by its other date
    clouded.red[:, 39, 59] = clouded.nir[:, 39, 59] = np.nan
    made = model.predict(clouded).prediction.to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one pixel no date is known
        first = np.nanmean(clouded.nir.to_numpy()[:2].astype(float), axis=0).astype(np.float32)
    assert split.train.steps == ("05-01", "05-11", "05-21", "05-31")
    expected = (first > 0.4).astype(int)  # no date is in the last step: 0.2 there
    expected[39, 59] = 255
    assert (made == expected).all()
    with pytest.raises(InvalidInputError, match="the cube has no time"):
        model.predict(make_cube())


def test_rows_of_a_view_without_labels_are_answered_by_key(maker, pixel_view, forest) -> None:
    spectra = maker.ws.features.feature_group("spectra")
    new = spectra.read().head(3).assign(pixel_id=["new1", "new2", "new3"])
    spectra.insert(new)
    said = forest.predict(pixel_view)
    assert said["pixel_id"].tolist() == ["new1", "new2", "new3"]
    known = spectra.read().set_index("pixel_id").loc[said["pixel_id"], ["red", "nir"]]
    assert said["class"].tolist() == [forest.classes[code] for code in said["prediction"]]
    twice = {b: np.tile(known[b].to_numpy(), (2, 1)) for b in ("red", "nir")}
    cube = xr.Dataset({b: (("y", "x"), values) for b, values in twice.items()})
    place = make_cube(2, 3)
    mapped = forest.predict(cube.assign_coords(place.coords)).prediction.to_numpy()[0]
    assert said["prediction"].tolist() == mapped.tolist()
    assert forest.predict(pixel_view, entities=["new2"])["pixel_id"].tolist() == ["new2"]
    assert not len(forest.predict(pixel_view, entities=[]))
    some = forest.predict(pixel_view, entities=["new3", "nobody"])
    assert some["class"].isna().tolist() == some["prediction"].isna().tolist() == [False, True]
    assert some["prediction"].tolist()[0] == said["prediction"].tolist()[2]
    with pytest.raises(InvalidInputError, match=r"entities= is for views"):
        forest.predict(make_cube(), entities=["new2"])
    with pytest.raises(InvalidInputError, match=r"sensor= is for cubes"):
        forest.predict(pixel_view, sensor="sentinel-2")


def test_a_model_of_fewer_features_than_its_view_has_is_asked_by_their_names(
    maker, pixel_view
) -> None:
    less = pixel_view.train_test_split(by="random", test_size=0.2).without("nir")
    assert less.train.columns == ("red", "ratio")  # and the ratio is made of nir
    plain = RandomForestClassifier(5, random_state=0).fit(less.train.X, less.train.y)
    model = maker.register("less", plain, less)
    cube = make_cube(8, 9)
    step = model.loaded().source["transformations"]["red"][0]
    red, nir = (cube[band].to_numpy().astype(float).ravel() for band in ("red", "nir"))
    X = np.stack([(red - step["center"]) / step["scale"], (nir - red) / (nir + red)], axis=1)
    said = model.predict(cube).prediction.to_numpy().ravel()
    assert said.tolist() == plain.predict(X.astype(np.float32)).tolist()
    ids = maker.ws.features.feature_group("spectra").read()["pixel_id"].tolist()
    with pytest.warns(UserWarning, match="2 of 3 entities have a label"):
        assert len(model.predict(pixel_view, entities=[*ids[:2], "new pixel"])) == 1


def test_facts_of_layers_survive_as_plain_json_and_sensors_are_families() -> None:
    facts = LayerFacts(frozenset({"sentinel-2"}), {"red": {"unit": frozenset({"1"})}})
    assert LayerFacts.from_dict(facts.to_dict()) == facts
    assert LayerFacts.from_dict(["no", "facts"]) == LayerFacts()
    assert sensor_of("Sentinel-2B") == sensor_of("sentinel-2a") == "sentinel-2"
    assert sensor_of("landsat-8") == sensor_of("LANDSAT_9") == "landsat-oli"
    assert sensor_of("landsat-7") != sensor_of("landsat-5")
