"""Ablation: what is left out is really gone, runs are paired, and words claim no more than data."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.errors import InvalidInputError
from eolab.studies.ablation import components as parts
from eolab.studies.ablation.components import BASELINE, Component
from eolab.studies.ablation.design import runs, variants
from eolab.studies.ablation.folds import group_folds, make_folds, without
from eolab.training_data import Split
from tests.studies.ablation.points import COLUMNS, table

# -- what can be left out --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["slope"], ("slope",)),
        ("VV* VH*", ("VV_03", "VV_04", "VH_03")),
        ("VV, B0?_03", ("VV_03", "VV_04", "B02_03", "B08_03")),
        ("V", ("VV_03", "VV_04", "VH_03")),
        (["height", "slope", "height"], ("slope", "height")),
    ],
)
def test_a_selection_is_names_globs_or_prefixes(names, expected):
    assert parts.select(names, COLUMNS, "features") == expected


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        (lambda: parts.features(["slop"], COLUMNS[:3]), "no feature 'slop'", "VV"),
        (lambda: parts.features(["hieght"], COLUMNS), "'hieght'", "'height'"),
        (lambda: parts.groups({"sar": "VX*"}, COLUMNS), "group 'sar': no feature 'VX*'", "VV"),
        (lambda: parts.groups({"sar": ""}, COLUMNS), "empty selection", "Name one"),
        (lambda: parts.groups({"all": "*"}, COLUMNS), "all 7 features", "Leave some"),
        (lambda: parts.groups({"sar": []}, COLUMNS), "group 'sar': an empty selection", "Name one"),
        (lambda: parts.groups({"": "VV"}, COLUMNS), "holds the name ''", "groups={"),
        (lambda: parts.groups(["VV*"], COLUMNS), "groups= is a list", "groups={"),
        (lambda: parts.groups({"sar": 3}, COLUMNS), "3 selects no features", "list of names"),
        (lambda: parts.features([7], COLUMNS), "7 is no name of a feature", "text"),
        (lambda: parts.layers("cnv2", ["conv1", "conv2"]), "no layer 'cnv2'", "'conv2'"),
        (lambda: parts.layers("", ["conv1", "conv2"]), "empty selection of layers", "Name one"),
        (lambda: parts.modules({"b": "cnv"}, ["conv1", "conv2"]), "module 'b': no layer", "conv"),
        (lambda: parts.modules({"b": []}, ["conv1", "conv2"]), "module 'b': an empty", "Name one"),
        (lambda: parts.modules({"b": "*"}, ["conv1", "conv2"]), "all 2 layers", "Leave some"),
        (lambda: parts.modules("conv", ["conv1", "conv2"]), "modules= is a str", "modules={"),
        (lambda: parts.features(True, ["x"]), "without it nothing", "two features"),
        (lambda: parts.check_distinct([]), "nothing to ablate", "groups="),
        (
            lambda: parts.check_distinct(parts.groups({"a": "VV", "b": "VV*"}, COLUMNS)),
            "'b' and 'a' remove the same",
            "Leave one",
        ),
        (
            lambda: parts.check_distinct(
                parts.features("slope", COLUMNS) + parts.groups({"slope": "VV"}, COLUMNS)
            ),
            "two components are called 'slope'",
            "Rename",
        ),
    ],
)
def test_a_name_that_means_nothing_or_everything_is_told_before_any_run(call, message, hint):
    with pytest.raises(InvalidInputError, match=re.escape(message)) as error:
        call()
    assert hint in error.value.hint


# -- designs ---------------------------------------------------------------------------------

GROUPS = [Component(name, "group", (name,)) for name in "abcd"]


def test_designs_have_the_variants_that_they_name():
    assert [v.name for v in variants(GROUPS, "leave-one-out")] == [
        BASELINE, "without a", "without b", "without c", "without d",
    ]  # fmt: skip
    assert {v.removed for v in variants(GROUPS, "pairs")} == {
        (), *[(a,) for a in "abcd"], *itertools.combinations("abcd", 2),
    }  # fmt: skip
    assert variants(GROUPS, "leave-group-out") == variants(GROUPS, "leave-one-out")
    assert len(variants(GROUPS, "subsets")) == 16
    only = variants(GROUPS, "add-one-in")
    assert [v.name for v in only] == [
        BASELINE, "none of them", "only a", "only b", "only c", "only d",
    ]  # fmt: skip
    assert only[2].removed == ("b", "c", "d")
    for design in ("leave-one-out", "add-one-in", "pairs", "subsets"):
        names = [v.name for v in variants(GROUPS, design)]
        assert len(names) == len(set(names))


def test_impossible_designs_are_told():
    with pytest.raises(InvalidInputError, match="'leave-on-out'"):
        variants(GROUPS, "leave-on-out")
    with pytest.raises(InvalidInputError, match="'slope' is no group"):
        variants([*GROUPS, Component("slope", "feature", ("slope",))], "leave-group-out")
    with pytest.raises(InvalidInputError, match="128 subsets"):
        variants([Component(name, "group") for name in "abcdefg"], "subsets")
    with pytest.raises(InvalidInputError, match="compared alone"):
        variants([*GROUPS, Component("other", "change")], "pairs")


def test_after_each_pass_every_variant_has_one_more_pair_and_small_ones_come_first():
    planned = variants(GROUPS, "pairs")
    listed = runs(planned, folds=3, repeats=2, cost={"without b": -1})
    assert len(listed) == len(set(listed)) == len(planned) * 6
    for i in range(6):
        one = listed[i * len(planned) : (i + 1) * len(planned)]
        assert {run.variant for run in one} == {v.name for v in planned}
        assert len({(run.fold, run.repeat) for run in one}) == 1
        assert [run.variant for run in one[:3]] == [BASELINE, "without b", "without a"]
    assert [run.fold for run in listed[:: len(planned)]] == [0, 1, 2, 0, 1, 2]


# -- folds -----------------------------------------------------------------------------------


@given(st.integers(2, 12), st.integers(0, 2**20))
@settings(max_examples=30, deadline=None)
def test_folds_share_no_group_and_cover_everything_once(folds, seed):
    data = table()
    made = group_folds(data, folds, seed)
    seen = np.concatenate([np.flatnonzero(np.isin(data.groups, f.validation.groups)) for f in made])
    assert sorted(seen) == list(range(len(data)))
    for fold in made:
        assert not set(fold.train.groups) & set(fold.validation.groups)
        assert len(fold.train) + len(fold.validation) == len(data)


def test_the_test_part_of_a_split_is_out_of_reach():
    data = table()
    split = Split(data, data, data)
    assert make_folds(split, folds=None, seed=0).parts[""][0].held_out is None
    with pytest.raises(InvalidInputError, match="validation"):
        make_folds(Split(data), folds=1, seed=0)
    with pytest.raises(InvalidInputError, match="99 folds of 12 groups"):
        make_folds(data, folds=99, seed=0)
    with pytest.raises(InvalidInputError, match="'other' has 3 folds"):
        make_folds([split, split], folds=None, seed=0, datasets={"other": [split] * 3})


def test_a_number_of_folds_that_the_data_do_not_have_is_refused():
    split = Split(table(), table())
    with pytest.raises(InvalidInputError, match=r"folds=5, and the data \(a Split\) are 1 fold\b"):
        make_folds(split, folds=5, seed=0)
    with pytest.raises(InvalidInputError, match="are 2 folds"):
        make_folds([split, split], folds=3, seed=0)
    assert len(make_folds([split, split], folds=2, seed=0)) == 2
    assert len(make_folds(table(), folds=None, seed=0)) == 5


def test_columns_are_gone_and_without_all_of_them_a_column_of_zeros_is_left():
    fold = group_folds(table(), 3, 0)[0]
    less = without(fold, ["VV_03", "slope"])
    assert less.train.columns == ("VV_04", "VH_03", "B02_03", "B08_03", "height")
    np.testing.assert_array_equal(less.validation.X[:, 0], fold.validation.X[:, 1])
    nothing = without(fold, COLUMNS)
    assert nothing.train.columns == ("nothing",)
    assert not nothing.train.X.any()
    with pytest.raises(InvalidInputError, match="cannot be given without"):
        without(3, ["a"])
