"""Windows that end at each label's own time, against plain pandas."""

import numpy as np
import pandas as pd
import pytest

from eolab.errors import InvalidInputError

DAY = pd.Timedelta(days=1)


@pytest.fixture
def seen(store, at):
    """Three plots with a value a day over 200 days, and labels at times of their own."""
    times = [at("2023-11-01") + k * DAY for k in range(200)]
    frame = pd.DataFrame({"plot": np.repeat([1, 2, 3], 200), "time": times * 3})
    frame["v"] = np.random.default_rng(0).normal(size=600)
    values = store.create_feature_group("values", primary_key="plot", event_time="time")
    values.insert(frame)
    truth = pd.DataFrame(
        {
            "plot": [1, 1, 2, 3],
            "when": [at("2024-01-20"), at("2024-04-15"), at("2024-02-29"), at("2023-12-01")],
            "moisture": [0.1, 0.2, 0.3, 0.4],
        }
    )
    labels = store.create_feature_group("truth", primary_key="plot", event_time="when")
    labels.insert(truth)
    return store, values, labels, frame, truth


def test_each_label_has_the_steps_before_its_own_time(seen):
    store, values, labels, frame, truth = seen
    query = values.select("v").sequence(last="90D", every="30D")
    view = store.create_feature_view("v", labels=labels.select("moisture"), query=query)
    data = view.training_data()
    assert data.steps == ("-90D", "-60D", "-30D")
    for label in truth.itertuples():
        row = list(data.y).index(label.moisture)
        for step, days in enumerate((90, 60, 30)):
            begin, end = label.when - days * DAY, label.when - (days - 30) * DAY
            inside = frame[
                (frame["plot"] == label.plot) & (frame.time > begin) & (frame.time <= end)
            ]
            expected = inside.v.mean() if len(inside) else np.nan
            np.testing.assert_allclose(data.X[row, step, 0], expected, rtol=1e-5)
    assert view.observations().sum() == 81 + 90 + 90 + 31  # values begin on 1 November


def test_every_row_of_a_group_that_labels_itself_is_a_sample(seen):
    store, _, _, frame, _ = seen
    group = store.create_feature_group("own", primary_key="plot", event_time="time")
    group.insert(frame.assign(y=np.where(frame.index % 50 == 49, frame.index / 7, np.nan)))
    query = group.select("v").sequence(last="20D", every="10D", how="last")
    view = store.create_feature_view("own", labels=group.select("y"), query=query)
    data = view.training_data()
    assert data.X.shape == (12, 2, 1)
    own = frame.v[frame.index % 50 == 49].to_numpy()
    np.testing.assert_allclose(data.X[:, 1, 0], own, rtol=1e-6)


def test_a_view_with_such_windows_is_opened_and_compared_again(seen):
    store, values, labels, *_ = seen
    query = values.select("v").sequence(last="48h", every="12h", fill="previous")
    asked = {"labels": labels.select("moisture"), "query": query}
    view = store.create_feature_view("again", **asked)
    again = store.get_or_create_feature_view("again", **asked)
    assert again.query.steps == view.query.steps
    assert again.training_data().steps == ("-48h", "-36h", "-24h", "-12h")
    season = values.select("v").sequence("11-01", "12-31").to_dict()
    assert "last" not in season["steps"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"last": "90D", "every": "40D"}, "is no whole number of steps"),
        ({"last": "90D", "start": "03-01", "end": "05-01"}, "beside start and end"),
        ({"last": "3 months"}, "is not a length of time"),
        ({"every": "30D"}, "without a window"),
    ],
)
def test_windows_that_cannot_be_are_refused(seen, asked, message):
    with pytest.raises(InvalidInputError, match=message):
        seen[1].select("v").sequence(**asked)


def test_labels_without_a_time_have_no_window_before_them(seen):
    store, values, *_ = seen
    labels = store.create_feature_group("timeless", primary_key="plot")
    labels.insert(pd.DataFrame({"plot": [1, 2, 3], "y": [0.1, 0.2, 0.4]}))
    query = values.select("v").sequence(last="30D", every="10D")
    view = store.create_feature_view("none", labels=labels.select("y"), query=query)
    with pytest.raises(InvalidInputError, match="some labels have no event time"):
        view.training_data()
