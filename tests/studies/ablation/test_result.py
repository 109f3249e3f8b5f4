"""What the runs of an ablation say: pairs, intervals, corrected tests, words, tables, bars."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eolab.errors import NotFoundError
from eolab.studies.ablation.components import BASELINE, Component
from eolab.studies.ablation.design import Run, Variant, variants
from eolab.studies.ablation.inference import (
    Estimate,
    describe_effect,
    estimate,
    holm,
    shapley,
)
from eolab.studies.ablation.result import summarise

# -- statistics ------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_without_overlap_the_interval_is_students(differences):
    from scipy import stats

    known = estimate(differences)
    assert known.value == pytest.approx(np.mean(differences), abs=1e-12)
    if np.std(differences) < 1e-9:
        return
    theirs = stats.ttest_1samp(differences, 0.0)
    low, high = theirs.confidence_interval(0.95)
    assert known.p == pytest.approx(theirs.pvalue, abs=1e-9)
    assert (known.low, known.high) == (pytest.approx(low), pytest.approx(high))


def test_overlapping_folds_widen_the_interval_as_nadeau_and_bengio_say():
    differences = [0.1, 0.2, 0.15, 0.3, 0.05, 0.2, 0.1, 0.25, 0.2, 0.1]
    plain, wide = estimate(differences), estimate(differences, overlap=1 / 9)
    ratio = (wide.high - wide.low) / (plain.high - plain.low)
    assert ratio == pytest.approx(math.sqrt((1 / 10 + 1 / 9) / (1 / 10)))
    assert wide.p > plain.p
    assert estimate([]) is None
    assert estimate([0.3]).low is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_scipys_step_down(ps):
    adjusted = holm(ps)
    order = np.argsort(ps, kind="stable")
    expected, largest = np.empty(len(ps)), 0.0
    for rank, i in enumerate(order):  # the definition in Holm 1979
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[i]))
        expected[i] = largest
    assert adjusted == pytest.approx(expected)
    assert all(a >= p for a, p in zip(adjusted, ps, strict=True))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(0, 2**20))
def test_shapley_values_are_the_mean_over_all_orders_and_add_up(n, seed):
    chance = random.Random(seed)
    names = [f"c{i}" for i in range(n)]
    value = {
        frozenset(subset): chance.random()
        for size in range(n + 1)
        for subset in itertools.combinations(names, size)
    }
    ours = shapley(value, names)
    for name in names:
        gains = []
        for order in itertools.permutations(names):
            before = frozenset(order[: order.index(name)])
            gains.append(value[before | {name}] - value[before])
        assert ours[name] == pytest.approx(np.mean(gains))
    total = value[frozenset(names)] - value[frozenset()]
    assert sum(ours.values()) == pytest.approx(total)


# -- words -----------------------------------------------------------------------------------


@given(
    st.floats(-1, 1), st.floats(0.001, 1), st.floats(0, 1), st.integers(2, 30), st.integers(1, 20)
)
def test_words_claim_a_difference_only_if_interval_and_corrected_test_do(
    value, half, corrected, pairs, comparisons
):
    drop = Estimate(value, value - half, value + half, 0.01, pairs)
    said = describe_effect(
        "Without x", drop, metric="f1", corrected=corrected, comparisons=comparisons
    )
    claims = "f1 is " in said
    assert claims == (not drop.low <= 0 <= drop.high and corrected <= 0.05)
    if claims:
        assert ("worse" in said) == (value > 0)
    elif drop.low <= 0 <= drop.high:
        assert "which is not significant" in said
    else:
        assert f"not significant among {comparisons} comparisons" in said


def test_one_pair_or_none_says_nothing_about_chance():
    one = describe_effect("Without x", estimate([0.4]), metric="f1", corrected=None, comparisons=1)
    none = describe_effect("Without x", None, metric="f1", corrected=None, comparisons=1)
    assert "nothing can be said about chance" in one
    assert none == "Without x: no pair of runs has ended, so nothing can be said."


def test_what_changes_nothing_in_any_run_is_said_so():
    same = describe_effect(
        "Without x", estimate([0.0] * 4), metric="f1", corrected=1.0, comparisons=2
    )
    assert same == "Without x: f1 was the same, run by run (4 folds)."


def deterministic(*, folds, repeats, drop=0.05, noise=0.0):
    """Runs of a model that the seed does not touch."""
    planned = [Variant("baseline"), Variant("without a", ("a",))]
    values = {
        Run(v.name, fold, repeat): 0.8
        + fold / 7
        - (drop * (1 + fold * noise) if v.removed else 0)
        + (1e-16 * repeat)
        for v in planned
        for fold in range(folds)
        for repeat in range(repeats)
    }
    return summarise(
        planned, values, metric="f1", direction="maximize", overlap=0.0, one_split=folds == 1
    )


def test_identical_repeats_are_one_run_about_whose_chance_nothing_is_said():
    result = deterministic(folds=1, repeats=3)
    drop = result.rows[1].drop
    assert (drop.pairs, drop.low, drop.high, drop.p) == (1, None, None, None)
    assert result.rows[1].corrected is None
    assert "3 runs that repeat each other exactly and count as one" in result.describe()[0]
    assert "Give several folds, or let train and build use the seed" in result.describe()[0]


def test_one_fold_is_one_pair_however_many_seeds_it_has():
    result = deterministic(folds=1, repeats=3, drop=0.1)
    values = {run: v + 0.01 * run.repeat * len(run.variant) for run, v in result.values.items()}
    planned = [row.variant for row in result.rows]
    known = {"metric": "f1", "direction": "maximize", "overlap": 0.25}
    assert summarise(planned, values, **known).rows[1].drop.p is None  # the first of several folds
    assert summarise(planned, values, one_split=True, **known).rows[1].drop.p is not None


def test_a_difference_that_is_the_same_on_every_fold_has_no_p_and_says_what_would_help():
    result = deterministic(folds=4, repeats=2)
    drop = result.rows[1].drop
    assert (drop.pairs, drop.p) == (4, None)
    assert "on each of 4 folds, exactly" in result.describe()[0]
    assert deterministic(folds=4, repeats=2, noise=0.5).rows[1].drop.p is not None


def result_of(effects, *, direction="maximize", folds=5, noise=0.01, **options):
    chance = random.Random(1)
    planned = variants([Component(name, "group") for name in effects], "leave-one-out")
    sign = 1 if direction == "maximize" else -1
    values = {}
    for fold in range(folds):
        level = 0.7 + chance.gauss(0, 0.1)  # folds differ much more than variants do
        for variant in planned:
            loss = sum(effects[name] for name in variant.removed) + chance.gauss(0, noise)
            values[Run(variant.name, fold, 0)] = sign * (level - loss)
    return summarise(planned, values, metric="f1", direction=direction, overlap=0.25, **options)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_pairing_finds_a_small_drop_in_the_large_noise_of_folds(direction):
    result = result_of({"a": 0.1, "b": 0.0}, direction=direction)
    assert [row.variant.name for row in result.rows] == [BASELINE, "without a", "without b"]
    a, b = result.row("without a").drop, result.row("without b").drop
    assert a.value == pytest.approx(0.1, abs=0.02)
    assert a.low > 0
    assert b.low < 0 < b.high
    assert result.row("without a").std > 0.05
    assert result.describe()[0].startswith("Without a: f1 is 0.0887 worse (95% interval +0.0709")
    assert "not significant" in result.describe()[1]


def test_seeds_on_the_same_fold_do_not_count_as_independent():
    once = result_of({"a": 0.1})
    values = {
        Run(run.variant, run.fold, repeat): value
        for run, value in once.values.items()
        for repeat in range(10)
    }
    planned = [row.variant for row in once.rows]
    many = summarise(planned, values, metric="f1", direction="maximize", overlap=0.25)
    for end in ("value", "low", "high", "pairs"):
        expected = getattr(once.row("without a").drop, end)
        assert getattr(many.row("without a").drop, end) == pytest.approx(expected)
    assert many.row("without a").runs == 50
    one_split = {Run(run.variant, 0, run.fold): value for run, value in once.values.items()}
    single = summarise(
        planned, one_split, metric="f1", direction="maximize", overlap=0.0, one_split=True
    )
    assert single.row("without a").drop.pairs == 5
    assert "5 seeds on one split" in single.describe()[0]


def test_a_stopped_study_still_says_something_and_what_is_missing():
    result = result_of({"a": 0.1, "b": 0.0}, planned=30)
    assert result.describe()[-1] == "15 of 30 runs have not ended with a value."
    values = {run: v for run, v in result.values.items() if run.fold == 0}
    one = summarise(
        [row.variant for row in result.rows],
        values,
        metric="f1",
        direction="maximize",
        overlap=0.25,
    )
    assert all("single pair" in sentence for sentence in one.describe())


@given(st.floats(-1, 1), st.floats(0.001, 3))
def test_the_axis_of_the_bars_has_a_few_round_ticks_with_zero(low, width):
    from eolab.studies.ablation.bars import ticks

    low, high = min(low, 0.0), max(low + width, 0.0)
    found = ticks(low, high)
    assert 2 <= len(found) <= 7
    assert 0.0 in found
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)


def test_a_misspelt_variant_is_told_with_the_nearest():
    with pytest.raises(NotFoundError, match="no variant 'without aa'") as error:
        result_of({"a": 0.1}).row("without aa")
    assert "'without a'" in error.value.hint


def test_the_table_is_markdown_latex_and_csv(tmp_path):
    result = result_of({"a_1": 0.1})
    assert result.to_markdown().splitlines()[2].startswith("| baseline | 0.")
    latex = result.to_latex()
    assert r"without a\_1" in latex
    assert r"$\pm$" in latex
    assert latex.count(r"\\") == 3
    path = tmp_path / "t.csv"
    assert result.to_csv(path) == path.read_text()
    assert result.to_dataframe().shape[0] == 2


def test_bars_are_drawn_with_their_intervals_and_names_are_escaped():
    from xml.etree import ElementTree as ET

    result = result_of({"a<b": 0.1, "c": 0.0})
    html = result._repr_html_()
    drawn = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    space = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{space}rect")) == 2
    assert next(t.text for t in drawn.iter(f"{space}title")).startswith("Without a<b: f1 is")
    assert "a<b" not in html.replace("&lt;", "")
    none = summarise(
        [row.variant for row in result.rows], {}, metric="f1", direction="maximize", overlap=0
    )
    assert "nothing can be said" in none._repr_html_()


def test_interactions_show_that_two_components_replace_each_other():
    planned = variants([Component(name, "group") for name in "ac"], "pairs")
    worth = {(): 0.9, ("a",): 0.9, ("c",): 0.9, ("a", "c"): 0.5}
    values = {
        Run(v.name, fold, 0): worth[v.removed] + fold / 100 for v in planned for fold in range(4)
    }
    result = summarise(planned, values, metric="f1", direction="maximize", overlap=0.0)
    assert result.interactions()["a", "c"].value == pytest.approx(0.4)


def test_shapley_values_are_said_in_words_once_all_subsets_have_run():
    slope = 0.3
    components = [Component(name, "group") for name in ("sar", "slope")]
    planned = variants(components, "subsets")
    worth = {(): 0.9, ("sar",): 0.7, ("slope",): 0.9 - slope, ("sar", "slope"): 0.75 - slope}
    values = {Run(v.name, fold, 0): worth[v.removed] for v in planned for fold in range(3)}
    options = {"components": components, "metric": "f1", "direction": "maximize", "overlap": 0.0}
    words = summarise(planned, values, **options).describe()
    shown = [sentence for sentence in words if sentence.startswith("Shapley")]
    assert len(shown) == 2
    worths = {"sar": 0.175, "slope": slope - 0.025}
    for name, value in worths.items():
        assert any(s.startswith(f"Shapley value of {name}: {value:+.3g} f1") for s in shown)
    some = {run: value for run, value in values.items() if run.variant != "none of them"}
    assert not any("Shapley" in s for s in summarise(planned, some, **options).describe())
