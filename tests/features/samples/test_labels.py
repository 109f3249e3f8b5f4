"""Labels are classes or a quantity: as is said, else as they seem, and where that is open, told."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features.samples.task import InferredTask, ManyClasses

HARVEST = np.arange(150) + 4000


def make_view(store, label, features=("x",), task=None, **columns):
    frame = pd.DataFrame({"id": range(150), "x": np.arange(150.0), **columns})
    group = store.create_feature_group("g", primary_key="id")
    group.insert(frame)
    return store.create_feature_view(
        "v", labels=group.select(label), query=group.select(list(features)), task=task
    )


def test_many_whole_numbers_are_a_quantity_and_that_is_told(store):
    view = make_view(store, "harvest", harvest=HARVEST)
    with pytest.warns(InferredTask, match=r"harvest holds 150 different whole numbers.*task="):
        data = view.training_data()
    assert (data.task, data.classes, data.y.dtype) == ("regression", (), np.float64)
    assert data.y.tolist() == HARVEST.tolist()
    assert view.task == "regression"
    assert repr(view) == "<FeatureView v/1: regression of harvest from 1 features of g/1>"


def test_what_the_user_says_of_whole_numbers_counts_and_is_not_questioned(store, recwarn):
    as_classes = make_view(store, "harvest", task="classification", harvest=HARVEST)
    assert len(as_classes.training_data().classes) == 150
    group = as_classes.labels.group
    few = store.create_feature_view(
        "few", labels=group.select("harvest"), query=group.select("x"), task="regression"
    )
    assert few.training_data().y.tolist() == HARVEST.tolist()
    assert not [w for w in recwarn if issubclass(w.category, InferredTask | ManyClasses)]


def test_a_view_made_before_there_were_tasks_keeps_its_classes_and_says_so(store):
    view = make_view(store, "harvest", harvest=HARVEST)
    spec = json.loads(store._registry.find("view", "v", 1).document)
    del spec["task"]
    store._registry.add("view", "v", 2, spec)
    old = store.feature_view("v", 2)
    with pytest.warns(ManyClasses, match="when this view was made"):
        assert len(old.training_data().classes) == 150
    assert old.task == "classification"
    same = store.get_or_create_feature_view("v", 2, labels=view.labels, query=view.query)
    assert same.task == "classification"


def test_codes_that_stand_as_decimals_are_told(store):
    codes = [Decimal(n % 4) for n in range(150)]
    view = make_view(store, "crop", crop=codes)
    with pytest.warns(InferredTask, match=r"crop holds 4 different whole numbers, as decimal ones"):
        assert view.training_data().task == "regression"


def test_decimals_as_classes_keep_all_their_digits(store):
    codes = [Decimal(f"12345678901234567890.{n % 2 + 1}") for n in range(150)]
    data = make_view(store, "crop", task="classification", crop=codes).training_data()
    assert data.classes == ("12345678901234567890.1", "12345678901234567890.2")


def test_codes_that_a_missing_value_turned_into_decimals_are_told(store):
    codes = np.where(np.arange(150) == 3, np.nan, np.arange(150) % 4 + 1.0)
    view = make_view(store, "crop", crop=codes)
    with pytest.warns(InferredTask, match=r"crop holds 4 different whole numbers, as floating"):
        data = view.training_data()
    assert (data.task, len(data)) == ("regression", 149)
    said = store.create_feature_view(
        "said", labels=view.labels, query=view.query, task="classification"
    )
    assert said.training_data().classes == ("1", "2", "3", "4")


@pytest.mark.parametrize(
    ("values", "task", "y"),
    [
        ([Decimal("1.50"), Decimal("2.25"), Decimal("3.75")] * 50, None, [1.5, 2.25, 3.75]),
        ([True, False, True] * 50, "regression", [1.0, 0.0, 1.0]),
        ([0.1, 0.2, 0.3] * 50, None, [0.1, 0.2, 0.3]),
    ],
)
def test_quantities_of_any_number_type_keep_their_values(store, values, task, y):
    data = make_view(store, "q", task=task, q=values).training_data()
    assert data.task == "regression"
    assert data.y[:3].tolist() == y


@pytest.mark.parametrize(
    ("label", "task", "message"),
    [
        (["a", "b"] * 75, "regression", "task='regression', and the label 'q' is no number"),
        (list(np.arange(150.0)), "regresion", "unknown task='regresion'"),
        ([[1.0, 2.0]] * 150, None, "the label 'q' is neither a class nor a number"),
    ],
)
def test_a_label_that_is_none_of_its_task_is_refused_when_the_view_is_made(
    store, label, task, message
):
    with pytest.raises(InvalidInputError, match=message):
        make_view(store, "q", task=task, q=label)


def test_the_place_of_a_row_is_no_label(parcels, spectra, store):
    labels, query = parcels.select("geometry"), spectra.select_all()
    with pytest.raises(InvalidInputError, match="the label 'geometry' says where a row is"):
        store.create_feature_view("v", labels=labels, query=query)


def test_names_that_differ_in_every_row_are_no_classes(store):
    view = make_view(store, "name", name=[f"field {i}" for i in range(150)])
    with pytest.raises(InvalidInputError, match="each of the 150 labels in 'name' is a class"):
        view.training_data()


def test_infinite_labels_are_refused_by_their_number(store):
    view = make_view(store, "q", q=np.where(np.arange(150) < 2, np.inf, np.arange(150) / 7))
    with pytest.raises(InvalidInputError, match="2 of 150 labels in 'q' are infinite"):
        view.training_data()


def test_labels_that_are_not_a_number_count_as_missing(store):
    import pyarrow as pa

    group = store.create_feature_group("nan", primary_key="id")
    rows = {"id": range(40), "x": np.arange(40.0), "q": [np.nan, 1.5, 2.5, 3.5] * 10}
    group.insert(pa.table(rows))
    view = store.create_feature_view("nan", labels=group.select("q"), query=group.select("x"))
    assert len(view.training_data()) == 30


def test_as_floating_point_numbers_it_is_a_regression(store):
    data = make_view(store, "harvest", harvest=np.arange(150) + 4000.0).training_data()
    assert data.classes == ()
    assert data.y.tolist() == (np.arange(150) + 4000.0).tolist()


@pytest.mark.parametrize("classes", [2, 100])
def test_codes_of_classes_are_no_quantity(store, classes, recwarn):
    view = make_view(store, "crop", crop=np.arange(150) % classes)
    assert len(view.training_data().classes) == classes
    assert view.task == "classification"
    assert not [w for w in recwarn if issubclass(w.category, InferredTask | ManyClasses)]


def test_a_column_of_lists_of_text_is_refused_with_what_takes_arrays(store):
    tags = [["wet", "flat"]] * 150
    with pytest.raises(InvalidInputError, match="the feature 'tags' is no number") as error:
        make_view(store, "crop", ("tags",), tags=tags, crop=["a", "b"] * 75)
    assert "arrays of numbers" in error.value.hint
    assert "onehot" not in error.value.hint
