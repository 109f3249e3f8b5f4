"""No name of a user's column meets one of ours, of DuckDB or of pandas: joins tell them apart."""

from __future__ import annotations

import string

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError
from eolab.features.store import FeatureStore
from eolab.settings import config as configuration

OWN = """
file_row_number file_index FILE_INDEX filename Filename rowid file_last_modified __index_level_0__
_row _t _e _n k0 k1 c0 c1 C2 s s0 g p0 i h f w x y z a b id time row_number _row_number spine
theirs resolved labels base present raw again hits gone incoming every touched newest mark arrived
_season _last _label _last_max _w0 _w1 _since _since_ _near0_0 _step _broken _was _number _side _i
_v _at _found _k0 _spot count_all index level_0 columns values values_ name names shape size dtype
"""
WORDS = """
select from where group order by limit offset join left inner on using union all distinct as case
when then end and or not null true false in is like between exists table view index_ column key
primary unique default check date timestamp interval year month day hour minute second
current_date count sum avg min max first last list struct map array lateral qualify window over
partition rows range asof semi anti pivot unpivot sample tablesample describe explain set pragma
call
"""
SIGNS = [
    *[f"a{sign}b" for sign in string.punctuation],
    *[
        "a b",
        " a",
        "a ",
        "a\tb",
        "a\nb",
        "a.b.c",
        '"',
        '""',
        "'",
        "`",
        "``",
        "{}",
        "{0}",
        "{frame}",
    ],
    *["%", "%s", "?", "$1", ":name", "*", "a::int", "--", "/* */", ";", "\\", "\\n", "a\\"],
    *[
        "größe",
        "größe_2",
        "Ñ",
        "数据",
        "β",
        "🌾",
        "e\u0301",
        "\u200b_",
        "ﬁ",
        "İ",
        "\u0131_",
        "\u017f_",
        "1",
        "1e5",
    ],
    *["-1", "0x1", "inf", "NaN", "nan_", "None", "x" * 200, "true_", "_", "__", "___class__"],
    *[
        "sum(x)",
        "min.x",
        "null_count.y",
        "num_records",
        "path",
        "stats",
        "add",
        "metaData",
        "element",
    ],
]
NAMES = sorted({name.lower(): name for name in [*f"{OWN} {WORDS}".split(), *SIGNS]}.values())
KEYS, WIDTH = 7, 21
GROUPS = [NAMES[i : i + WIDTH] for i in range(0, len(NAMES) - WIDTH + 1, WIDTH)]
GROUPS.append(NAMES[-WIDTH:])


@pytest.fixture
def store(tmp_path):
    return FeatureStore(configuration.init(tmp_path))


def tables(names, seed):
    """Rows with the first names as keys and the next as event time, and labels for them."""
    keys, time, features = names[:KEYS], names[KEYS], names[KEYS + 1 :]
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-05-01", periods=4, tz="UTC")
    times = np.tile(days, 5)
    rows = pd.DataFrame(rng.integers(0, 100, (20, len(names))).astype(float), columns=names)
    rows[keys] = np.repeat(np.arange(5), 4)[:, None] + np.arange(KEYS)
    rows = rows.assign(**{time: times})
    labels = rows.iloc[2::4][keys].reset_index(drop=True)
    return rows, labels.assign(**{time: days[2] + pd.Timedelta("5h"), "a label": "wheat"}), features


def test_there_are_two_hundred_odd_names():
    assert len(NAMES) > 200


@pytest.mark.parametrize("number", range(len(GROUPS)))
@pytest.mark.parametrize("turn", range(0, WIDTH, KEYS))
def test_a_join_gives_the_values_that_pandas_gives(store, number, turn):
    """Each name is a key once, and a feature in the other turns."""
    names = GROUPS[number][turn:] + GROUPS[number][:turn]
    rows, labels, features = tables(names, turn)
    key, time = names[:KEYS], names[KEYS]
    group = store.create_feature_group(f"g{turn}", primary_key=key, event_time=time)
    truth = store.create_feature_group(f"t{turn}", primary_key=key, event_time=time)
    truth.insert(labels)
    group.insert(rows)
    if (number + turn) % 2:
        rows = rows.assign(**{features[0]: rows[features[0]] + 1})
        group.insert(rows)
    condition = '"' + features[1].replace('"', '""') + '" >= 0'
    query = group.select(features).filter(condition)
    view = store.create_feature_view(f"v{turn}", labels=truth.select("a label"), query=query)
    expected = pd.merge_asof(
        labels.sort_values(time), rows.sort_values(time), on=time, by=key
    ).sort_values(key)
    for found in (view.read(), view.read(as_of="2100-01-01")):
        for name in features:
            assert found[name].tolist() == expected[name].tolist(), name
    back = group.read().sort_values([*key, time])
    for name in features:
        assert back[name].tolist() == rows[name].tolist(), name


def test_labels_may_have_the_name_of_a_feature(store):
    days = pd.date_range("2024-05-01", periods=3, tz="UTC")
    rows = pd.DataFrame({"id": [1, 2, 3], "time": days, "x": [1.0, 2.0, 3.0]})
    rows["x_feature"] = rows["x"] + 3
    group = store.create_feature_group("g", primary_key="id", event_time="time")
    group.insert(rows)
    truth = store.create_feature_group("t", primary_key="id", event_time="time")
    truth.insert(rows.assign(x=[7.0, 8.0, 9.0]))
    query = group.select(["x", "x_feature"])
    view = store.create_feature_view("v", labels=truth.select("x"), query=query)
    found = view.read()
    assert found.columns.tolist() == ["id", "time", "x", "x_feature", "x_feature_feature"]
    assert found["x_feature"].tolist() == [1.0, 2.0, 3.0]
    assert found["x_feature_feature"].tolist() == [4.0, 5.0, 6.0]


@pytest.mark.parametrize("other", ["VV", "Vv"])
def test_names_that_differ_by_capitals_only_are_refused(store, other):
    group = store.create_feature_group("g", primary_key="id")
    with pytest.raises(InvalidInputError, match=r"'vv' and .* differ only by capitals"):
        group.insert(pd.DataFrame({"id": [1], "vv": [1.0], other: [2.0]}))
    group.insert(pd.DataFrame({"id": [1], "vv": [1.0]}))
    with pytest.raises(InvalidInputError, match="differ only by capitals"):
        group.insert(pd.DataFrame({"id": [1], "vv": [1.0], other: [2.0]}), add_columns=True)


@pytest.mark.parametrize("name", ["_change", "_CHANGE", "_Ingested_At", "__eolab_x", "__EOLAB_row"])
def test_names_of_the_store_are_refused(store, name):
    group = store.create_feature_group("g", primary_key="id")
    with pytest.raises(InvalidInputError, match="used by the store itself"):
        group.insert(pd.DataFrame({"id": [1], name: [1.0]}))


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_names_that_cannot_be_written_are_refused(store, name):
    group = store.create_feature_group("g", primary_key="id")
    with pytest.raises(InvalidInputError, match="empty or cannot be written"):
        group.insert(pd.DataFrame({"id": [1], name: [1.0]}))


def test_a_folder_called_like_a_partition_adds_no_column(tmp_path):
    """DuckDB takes year=2020 in a path for a column of that name."""
    folder = tmp_path / "year=1900" / "x=5"
    folder.mkdir(parents=True)
    store = FeatureStore(configuration.init(folder))
    days = pd.date_range("2024-05-01", periods=3, tz="UTC")
    group = store.create_feature_group("g", primary_key="id", event_time="time")
    group.insert(pd.DataFrame({"id": [1, 2, 3], "time": days, "year": [1.0, 2.0, 3.0]}))
    truth = store.create_feature_group("t", primary_key="id", event_time="time")
    truth.insert(pd.DataFrame({"id": [1, 2, 3], "time": days, "y": ["a", "b", "a"]}))
    view = store.create_feature_view("v", labels=truth.select("y"), query=group.select("year"))
    assert view.read()["year"].tolist() == [1.0, 2.0, 3.0]
    assert group.read().columns.tolist() == ["id", "time", "year"]
