"""Labels that a view cannot take as they seem to be meant: told, with the way."""

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features.samples.samples import ManyClasses


def make_view(store, label, features=("x",), **columns):
    frame = pd.DataFrame({"id": range(150), "x": np.arange(150.0), **columns})
    group = store.create_feature_group("g", primary_key="id")
    group.insert(frame)
    return store.create_feature_view(
        "v", labels=group.select(label), query=group.select(list(features))
    )


def test_a_quantity_in_whole_numbers_is_told_with_the_way_to_a_regression(store):
    view = make_view(store, "harvest", harvest=np.arange(150) + 4000)
    with pytest.warns(ManyClasses, match=r"harvest holds 150 different whole numbers.*regression"):
        view.training_data()


def test_as_floating_point_numbers_it_is_a_regression(store):
    data = make_view(store, "harvest", harvest=np.arange(150) + 4000.0).training_data()
    assert data.classes == ()
    assert data.y.tolist() == (np.arange(150) + 4000.0).tolist()


@pytest.mark.parametrize("classes", [2, 100])
def test_codes_of_classes_are_no_quantity(store, classes, recwarn):
    data = make_view(store, "crop", crop=np.arange(150) % classes).training_data()
    assert len(data.classes) == classes
    assert not [w for w in recwarn if issubclass(w.category, ManyClasses)]


def test_a_column_of_arrays_is_refused_with_what_takes_arrays(store):
    image = [np.zeros((3, 3)).tolist()] * 150
    with pytest.raises(InvalidInputError, match="the feature 'image' is no number") as error:
        make_view(store, "crop", ("image",), image=image, crop=["a", "b"] * 75)
    assert "TrainingData" in error.value.hint
    assert "onehot" not in error.value.hint
