"""What users pass in another form is taken for what it means, or refused by name with a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr

import eolab as eo
from eolab.argument_checks import checked, checked_except, names
from eolab.errors import InvalidInputError, NotFoundError
from eolab.features import FeatureGroup, FeatureStore
from eolab.training_data import Split, TrainingData


@checked
def everything(
    columns: str | Sequence[str] | None = None,
    *,
    listed: Sequence[str] = (),
    count: int = 1,
    share: float | None = None,
    sure: bool = False,
    word: Literal["a", "b"] = "a",
    by_name: Mapping[str, float] | None = None,
    call: Callable[..., object] | None = None,
    box: Sequence[float] | None = None,
    bands: Sequence[str] | None = None,
    said: str = "",
) -> dict[str, object]:
    return dict(locals())


@pytest.mark.parametrize(
    "given",
    [
        ["a", "b"], ("a", "b"), pd.Index(["a", "b"]), pd.Series(["a", "b"]), np.array(["a", "b"]),
        {"b", "a"}, {"a": 1, "b": 2}.keys(), pa.array(["a", "b"]), np.array(["a", "b"], object),
    ],
    ids=lambda given: type(given).__name__,
)  # fmt: skip
def test_names_are_names_in_any_form(given):
    assert everything(given)["columns"] == everything(listed=given)["listed"] == ("a", "b")
    assert all(type(name) is str for name in names(given, "columns"))


def test_one_name_is_never_its_letters_and_an_iterator_is_read():
    assert everything("ab")["columns"] == everything(np.str_("ab"))["columns"] == "ab"
    assert everything(listed="ab")["listed"] == ("ab",)
    assert everything(listed=(name for name in "ab"))["listed"] == ("a", "b")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"count": np.int64(3)}, 3), ({"count": np.array(3)}, 3), ({"share": np.float32(0.5)}, 0.5),
        ({"share": Decimal("0.25")}, 0.25), ({"share": 1}, 1), ({"sure": np.True_}, True),
        ({"sure": 1}, True), ({"word": np.str_("b")}, "b"), ({"box": np.arange(4)}, (0, 1, 2, 3)),
        ({"by_name": {"a": np.float64(2)}}, {"a": 2.0}),
        ({"count": pd.Series({"trial": 3, "value": 0.5})["trial"]}, 3), ({"count": 1000.0}, 1000),
        ({"share": xr.DataArray(0.25)}, 0.25), ({"share": pa.scalar(0.25)}, 0.25),
        ({"share": Fraction(1, 4)}, 0.25),
        ({"listed": xr.DataArray(["b", "a"], dims="band")}, ("b", "a")),
        ({"listed": xr.Dataset({"b": 1, "a": 2}).data_vars}, ("b", "a")),
        ({"said": None}, ""),
    ],
)  # fmt: skip
def test_what_means_the_same_arrives_as_the_function_expects_it(given, meant):
    [(name, _)] = given.items()
    found = everything(**given)[name]
    assert found == meant
    assert type(found).__module__ == "builtins"


def test_a_loss_of_torch_is_a_number():
    class Tensor:
        __module__, ndim = "torch", 0

        def __float__(self):
            return 0.25

    assert everything(by_name={"loss": Tensor()})["by_name"] == {"loss": 0.25}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"columns": Path("a")}, r"columns=PosixPath\('a'\) is not a name or a list of names"),
        ({"columns": {"a": 1}}, "is not a name or a list of names"),
        ({"columns": pd.DataFrame({"a": [1]})}, r"columns=\(a DataFrame\) is not"),
        ({"columns": ["a", None]}, "is not a name or a list of names"),
        ({"listed": None}, "listed=None is not a name or a list of names"),
        ({"listed": np.array("a", object)}, "is not a name or a list of names"),
        ({"count": "3"}, "count='3' is not a whole number"),
        ({"count": True}, "count=True is not a whole number"),
        ({"count": 2.5}, "count=2.5 is not a whole number"),
        ({"share": [0.5]}, r"share=\[0.5\] is not a number"),
        ({"sure": "no"}, "sure='no' is not True or False"),
        ({"sure": np.array([True, False])}, "is not True or False"),
        ({"word": ["a"]}, r"word=\['a'\] is not text"),
        ({"by_name": ["a"]}, "is not a mapping from names to a number"),
        ({"by_name": {1: 2.0}}, "is not a mapping from names"),
        ({"call": 3}, "call=3 is not a function"),
        ({"box": "1,2"}, "box='1,2' is not a list of a number"),
        ({"bands": {"red", "nir"}}, "is a set, and a set has no order"),
        ({"box": np.array(["1", "2"])}, "is not a list of a number"),
        ({"share": np.array("3", object)}, "is not a number"),
        ({"count": float("inf")}, "count=inf is not a whole number"),
        ({"colums": "a"}, r"everything\(\) has no argument colums="),
    ],
)
def test_what_means_something_else_is_refused_by_name(given, said):
    with pytest.raises(InvalidInputError, match=said) as refused:
        everything(**given)
    assert refused.value.hint


def test_several_values_in_place_of_one_list_are_told_how_to_be_written():
    with pytest.raises(InvalidInputError, match="takes one value, and 2 were given") as refused:
        everything("a", "b")
    assert refused.value.hint == "Give several as one list: everything(['a', 'b'])."


def test_several_values_are_no_list_where_a_function_takes_other_things():
    @checked
    def alias(name: str, to: str) -> None: ...

    @checked
    def title(name: str) -> None: ...

    @checked
    def plot() -> None: ...

    for call, given in ((alias, "abc"), (title, "ab"), (plot, "a"), (plot, "ab")):
        with pytest.raises(InvalidInputError, match="too many values") as refused:
            call(*given)
        assert "[" not in refused.value.hint


def test_arguments_may_be_left_to_their_function():
    @checked_except("count")
    def lenient(count: int, share: float) -> object:
        return count, share

    assert lenient("3", np.float64(1)) == ("3", 1.0)
    with pytest.raises(InvalidInputError, match="share='x' is not a number"):
        lenient(3, "x")


@pytest.fixture
def group(config):
    made = FeatureStore(config).create_feature_group(
        "spectra", primary_key="id", event_time="t", online_enabled=True
    )
    rows = pd.DataFrame({"id": [1, 2], "t": pd.Timestamp("2024-05-01", tz="UTC")})
    made.insert(rows.assign(a=[0.1, 0.2], b=[0.3, 0.4], ab=[0.5, 0.6], crop=["x", "y"]))
    return made


def test_columns_of_a_group_are_never_the_letters_of_a_name(group):
    assert list(group.read("ab")) == group.to_arrow("ab").column_names == ["ab"]
    assert group.select(np.array(["b", "a"])).columns == ("b", "a")
    with pytest.raises(InvalidInputError, match="takes one value") as refused:
        group.select("a", "b")
    assert "select(['a', 'b'])" in refused.value.hint
    frame = group.read().rename(columns={"id": "parcel_id", "t": "time"})
    given = {"start": "04-01", "end": "06-30", "min_observations": 1}
    for columns in ("ab", iter(["ab"])):  # an iterator gave no column at all
        assert "ab_median" in eo.seasonal_features(frame, columns=columns, **given)
    with pytest.raises(InvalidInputError, match="nothing is asked for"):
        eo.seasonal_features(frame, columns=[], **given)


def test_what_is_not_said_of_a_group_is_nothing_and_a_set_is_no_x_before_y(config):
    store = FeatureStore(config)
    made = store.create_feature_group(
        "heights", primary_key="id", description=None, owner=None, units={"h": "m", "id": None}
    )
    assert (made.description, made.owner, made.column_units) == ("", "", {"h": "m"})
    with pytest.raises(InvalidInputError, match="is a set, and a set has no order"):
        store.create_feature_group("places", primary_key="id", geometry={"lon", "lat"})


def test_names_and_groups_in_place_of_selections_are_refused_with_the_way_to_write_them(
    config, group
):
    store, query = FeatureStore(config), group.select("a")
    for wrong in ({"labels": "crop"}, {"labels": group}, {"query": "a"}, {"query": None}):
        with pytest.raises(InvalidInputError, match="is not a selection of") as refused:
            store.create_feature_view(
                "v", **{"labels": group.select("crop"), "query": query, **wrong}
            )
        assert "group.select(['ndvi'])" in refused.value.hint
    for wrong in (group, "spectra", None):
        with pytest.raises(InvalidInputError, match=r"other=.* is not a selection of"):
            query.join(wrong)
    with pytest.raises(InvalidInputError, match="parents holds 'spectra'"):
        store.create_feature_group("later", primary_key="id", parents=["spectra"])
    with pytest.raises(InvalidInputError, match="condition="):
        group.select("a").filter(["a > 0"])


def test_a_key_of_another_type_is_a_mistake_and_not_missing(config, group):
    view = FeatureStore(config).create_feature_view(
        "v", labels=group.select("crop"), query=group.select(["a", "b"])
    )
    assert view.get_feature_vector(pd.Series({"id": 1})) == [0.1, 0.3]
    assert view.get_feature_vectors(pd.DataFrame({"id": [2, 1]})) == [[0.2, 0.4], [0.1, 0.3]]
    assert view.get_feature_vectors({"id": i} for i in (1, 2)) == [[0.1, 0.3], [0.2, 0.4]]
    with pytest.raises(InvalidInputError, match="the key id='1' is text"):
        view.get_feature_vector({"id": "1"})
    with pytest.raises(InvalidInputError, match="missing='eror'"):
        view.get_feature_vector({"id": 9}, missing="eror")
    with pytest.raises(InvalidInputError, match="key='1' has no names"):
        view.get_feature_vector("1")
    with pytest.raises(InvalidInputError, match="split='first' is no split"):
        view.get_feature_vector({"id": 1}, split="first")
    with pytest.raises(InvalidInputError, match=r"keys=.* is no list"):
        view.get_feature_vectors({"id": 1})
    assert view.batch_data(i for i in (8, 9)).rows["id"].tolist() == [8, 9]


def test_keys_that_are_not_there_read_nothing_of_the_group(config, group, monkeypatch):
    view = FeatureStore(config).create_feature_view(
        "v", labels=group.select("crop"), query=group.select(["a", "b"])
    )
    assert view.get_feature_vectors(pa.table({"id": [2, 1]})) == [[0.2, 0.4], [0.1, 0.3]]
    monkeypatch.setattr(FeatureGroup, "schema", property(lambda _: pytest.fail("read again")))
    assert np.isnan(view.get_feature_vectors([{"id": 8}, {"id": 9}])).all()
    with pytest.raises(NotFoundError, match="has no row of"):
        view.get_feature_vector({"id": 9}, missing="error")


def test_features_are_left_out_by_whole_names_from_every_part():
    data = TrainingData(np.zeros((2, 3)), np.zeros(2), np.arange(2), ("a", "b", "ab"))
    split = Split(data, data, data)
    for given in ("ab", iter(["ab"]), ["ab"]):
        found = split.without(given)
        assert found.train.columns == found.validation.columns == found.test.columns == ("a", "b")
    with pytest.raises(InvalidInputError, match="names no features"):
        split.without(None)


def test_choices_come_from_any_list_in_one_order():
    assert eo.choice({"b", "a"}) == eo.choice(pd.Series(["a", "b"])) == eo.choice("a", "b")
    assert eo.ordinal(i for i in (1, 2)) == eo.ordinal(pd.Index([1, 2])) == eo.ordinal(1, 2)
    assert eo.uniform(0, 1, when={"n": np.array([1, 2])}).when == (("n", (1, 2)),)
    with pytest.raises(InvalidInputError, match="when= is a str"):
        eo.uniform(0, 1, when="adam")
    assert eo.SpatialBlocks(np.int64(300)) == eo.SpatialBlocks(300)
    with pytest.raises(InvalidInputError, match="names no column"):
        eo.Column(None, train=[0], test=[1])
    with pytest.raises(InvalidInputError, match="no value of a column"):
        eo.Column("part", train=[[0]], test=[1])


def test_a_registry_that_is_asked_in_another_way_says_so(config):
    from eolab.models import ModelRegistry

    registry = ModelRegistry(config)
    for wrong in (None, Path("crops"), ["crops"]):
        with pytest.raises(InvalidInputError, match=r"name=.* is not text"):
            registry.get(wrong)
    with pytest.raises((InvalidInputError, NotFoundError), match="no model 'crops'"):
        registry.get("crops", np.int64(1))
