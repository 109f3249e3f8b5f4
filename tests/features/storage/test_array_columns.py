"""Columns of arrays come back as they were: values, shape, type, and what is missing in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr

from eolab.errors import InvalidInputError
from eolab.features import arrays, panel

CHIPS = np.arange(48, dtype=np.float32).reshape(2, 4, 3, 2)


@pytest.fixture
def group(store):
    return store.create_feature_group("g", primary_key="id")


def kept(group, cells):
    """The cells after they were inserted and read."""
    group.insert(pd.DataFrame({"id": range(len(cells)), "v": pd.Series(cells, dtype=object)}))
    return list(group.read()["v"])


def test_arrays_of_a_dict_keep_shape_and_type_through_every_commit(group):
    keys = {"id": ["a", "b"], "y": [0, 1]}
    group.insert({**keys, "chip": CHIPS})
    kind = group.schema.field("chip").type
    assert arrays.shape_of(kind) == (4, 3, 2)
    shown = {c["name"]: c["type"] for c in panel.summary(group)["columns"]}
    assert shown["chip"] == "arrays of shape (4, 3, 2) of float"
    group.insert({"id": ["a"], "y": [1], "chip": -CHIPS[:1].astype(np.float64)})
    group.insert(pd.DataFrame({"id": ["c"], "y": [1], "chip": [CHIPS[0].tolist()]}))
    group.insert(pd.DataFrame({"id": ["d"], "y": [1], "chip": [None]}))
    found = group.read()["chip"]
    np.testing.assert_array_equal(np.stack(found[:3]), [-CHIPS[0], CHIPS[1], CHIPS[0]])
    assert found[3] is None
    assert found[0].dtype == np.float32
    group.delete_rows(pd.DataFrame({"id": ["a"]}))
    group.optimize()
    group.insert({"id": ["e"], "y": [0], "chip": CHIPS[:1], "e": np.ones((1, 5), np.int16)},
                 add_columns=True)  # fmt: skip
    assert group.schema.field("chip").type == kind == group.to_arrow().schema.field("chip").type
    assert [None if e is None else e.tolist() for e in group.read()["e"]] == [None] * 3 + [[1] * 5]
    assert group.read(filter="chip[2][1][1] = 6")["id"].tolist() == ["c", "e"]
    assert group.changes()["chip"].iloc[-1].shape == (4, 3, 2)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (CHIPS[:1, :2], r"shape \(2, 3, 2\) of float, the group keeps arrays of shape \(4, 3, 2\)"),
        (CHIPS[:1, ..., 0], r"shape \(4, 3\)"),
        (["text"], "type string"),
        ([[[[1.0]]]], "expected size"),
    ],
)
def test_another_shape_is_refused_and_nothing_is_written(group, column, said):
    group.insert({"id": [1, 2], "v": CHIPS})
    with pytest.raises(InvalidInputError, match=said):
        group.insert({"id": [3], "v": column})
    assert len(group.read()) == 2


def test_memory_order_byte_order_and_masks_do_not_change_values(group, store):
    plane = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    plane.setflags(write=False)
    odd = [plane, plane[::-1], plane.astype(">f8"), np.ma.array(plane, mask=plane == 4), None]
    found = kept(group, odd)
    np.testing.assert_array_equal(found[0], plane)
    np.testing.assert_array_equal(found[1], plane[::-1])
    np.testing.assert_array_equal(found[2], plane)
    assert np.isnan(found[3][1, 1])
    assert np.nansum(found[3]) == 11
    assert found[4] is None
    small = store.create_feature_group("small", primary_key="id")
    halves, bytes_ = np.array([0.5, np.inf], np.float16), np.array([255, 0], np.uint8)
    small.insert({"id": [1], "h": halves[None], "b": bytes_[None], "t": np.array([[True, False]])})
    row = small.read().iloc[0]
    assert row["h"].tolist() == [0.5, np.inf]
    assert row["b"].tolist() == [255, 0]
    assert row["b"].dtype == np.int16
    assert row["t"].tolist() == [True, False]


def test_whole_numbers_beside_gaps_stay_whole(group, store):
    big = 2**60 + 1
    ragged = [np.ma.array([1, 2], mask=[0, 1]), np.array([3], ">i4"), [big, None, 4], None]
    found = kept(group, ragged)
    assert [None if f is None else f.tolist() for f in found] == [
        [1, None],
        [3],
        [big, None, 4],
        None,
    ]
    assert found[1].dtype == np.int64
    # What was read goes in again.
    group.insert(group.read())
    assert group.read()["v"][2].tolist() == [big, None, 4]
    fixed = store.create_feature_group("f", primary_key="id")
    found = kept(fixed, [np.ma.array([big, 2], mask=[0, 1]), np.array([3, 4])])
    assert found[0].tolist() == [big, None]
    assert found[1].dtype == np.int64
    small = store.create_feature_group("i1", primary_key="id")
    found = kept(small, [np.ma.array([1, 2], "i1", mask=[0, 1]), np.array([3, 4], "i1")])
    assert found[1].dtype == np.int8
    structs = store.create_feature_group("s", primary_key="id")
    found = kept(structs, [{"a": big, "b": [1, None]}, {"a": None, "b": None}])
    assert found == [{"a": big, "b": [1, None]}, {"a": None, "b": None}]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([CHIPS[0], CHIPS[0][:2]], r"shapes \(4, 3, 2\) and \(2, 3, 2\)"),
        ([np.zeros((0, 3))] * 2, "holds no value"),
        ([np.array([2**60 + 1]), np.array([0.5])], "too large"),
        ([np.array([1]), np.array([True])], "types int64, bool"),
        ([np.ones(2, np.longdouble)], "types float128"),
        ([np.ones(2, complex)], "unknown types"),
        ([np.array([2**63], np.uint64)], "not in range"),
        ([np.ones(2), 3.0], "mixed"),
    ],
)
def test_arrays_that_have_no_one_meaning_are_refused_by_name(group, cells, said):
    with pytest.raises(InvalidInputError, match=f"'v'.*{said}"):
        kept(group, cells)


def test_dimensions_that_name_no_row_are_axes_of_arrays(store):
    cube = xr.Dataset(
        {"chip": (("y", "id", "x"), CHIPS[0]), "crop": ("id", [1, 2, 3])},
        {"id": ["a", "b", "c"], "y": [4, 3, 2, 1]},
    )
    group = store.create_feature_group("x", primary_key="id")
    group.insert(cube)
    np.testing.assert_array_equal(np.stack(group.read()["chip"]), CHIPS[0].transpose(1, 0, 2))
    assert group.read()["crop"].tolist() == [1, 2, 3]
    # Times that are a variable, and arrays that do not change along them.
    cube = xr.Dataset(
        {"e": (("id", "k"), [[1, 2], [3, 4]]), "seen": ("t", pd.date_range("2024", periods=2))},
        {"id": [7, 8]},
    )
    group = store.create_feature_group("still", primary_key="id", event_time="seen")
    group.insert(cube)
    assert np.stack(group.read()["e"]).tolist() == [[1, 2], [1, 2], [3, 4], [3, 4]]
    times = pd.date_range("2024-01-01", periods=2)
    cube = xr.Dataset(
        {"e": (("k", "id", "time"), np.arange(12).reshape(3, 2, 2))}, {"id": [7, 8], "time": times}
    )
    group = store.create_feature_group("t", primary_key="id", event_time="time")
    group.insert(cube)
    assert np.stack(group.read()["e"]).tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]


def test_tensors_of_arrow_are_arrays_also_from_the_middle_of_a_table(group):
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(CHIPS))
    group.insert(pa.table({"id": [1, 2], "v": tensors}).slice(1))
    np.testing.assert_array_equal(group.read()["v"][0], CHIPS[1])


def test_columns_of_several_lengths_make_no_table(group):
    with pytest.raises(InvalidInputError, match="make no table"):
        group.insert({"id": [1, 2, 3], "v": CHIPS})
