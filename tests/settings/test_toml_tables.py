"""A table is added to, changed in and taken out of a file of which the rest stays to the letter."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eolab.settings import toml_tables
from eolab.settings.toml_tables import CannotChange

PATH = ("catalogs", "mine")
BEFORE = """\
# all of it
format = 1

[catalogs.other]
url = "a"  # [catalogs.mine]

# mine: from the office
[catalogs.mine]
# the new server
url = "https://old.example"   # since May
kind = "api"

[catalogs.mine.headers]
X-Key = "env:A"

# what follows
[clusters.local]
paths = [
  ["x"],
]
"""


def test_a_changed_key_leaves_the_others_and_the_comments():
    values = {"url": "https://new.example", "kind": "api", "headers": {"X-Key": "env:A"}}
    after = toml_tables.change_table(BEFORE, PATH, values)
    assert after == BEFORE.replace("https://old.example", "https://new.example")


def test_keys_come_and_go():
    values = {"url": "https://old.example", "description": 'a "b"\nc', "s3": {"profile": "me"}}
    after = toml_tables.change_table(BEFORE, PATH, values)
    assert tomllib.loads(after)["catalogs"]["mine"] == values
    assert 'url = "https://old.example"   # since May' in after
    assert "[catalogs.mine.headers]" not in after
    assert "kind" not in after
    for comment in ("# all of it", "# mine: from the office", "# the new server", "# what follows"):
        assert comment in after


def test_a_table_goes_with_all_below_it():
    own = BEFORE[BEFORE.index("[catalogs.mine]\n# the") : BEFORE.index("\n# what follows")]
    assert toml_tables.drop_table(BEFORE, PATH) == BEFORE.replace(own, "")


@pytest.mark.parametrize(
    "text",
    [
        'catalogs = { mine = { url = "a" } }\n',
        '[catalogs]\nmine = { url = "a" }\n',
        'catalogs.mine.url = "a"\n',
        '[catalogs.mine]\nurl = """\na"""\n',
        '[catalogs.mine]\nurl = "a"\n[clusters.x]\n[catalogs.other]\nurl = "c"\n',
    ],
)
def test_a_table_may_be_written_in_any_way(text):
    others = tomllib.loads(text)["catalogs"].keys() - {"mine"}
    after = toml_tables.change_table(text, PATH, {"url": "b"})
    assert tomllib.loads(after)["catalogs"]["mine"] == {"url": "b"}
    dropped = tomllib.loads(toml_tables.drop_table(text, PATH))
    assert dropped.get("catalogs", {}).keys() == others


@pytest.mark.parametrize(
    "text", ['text = """\n[catalogs.mine]\nurl = 1\n"""\n', "no toml\n", "catalogs.mine = 1\n"]
)
@pytest.mark.parametrize(
    "change", [toml_tables.drop_table, lambda *a: toml_tables.change_table(*a, {"url": "b"})]
)
def test_what_is_no_table_is_left_alone(text, change):
    with pytest.raises(CannotChange, match=r"catalogs.mine|no toml|line 1"):
        change(text, PATH)


def test_comments_of_the_first_table_stay():
    text = "format = 1\n\n[catalogs.mine]\nurl = 1\n\n# next\n[clusters.local]\n"
    assert toml_tables.drop_table(text, PATH) == "format = 1\n\n# next\n[clusters.local]\n"


@pytest.mark.parametrize("name", ["a.b", "a-b", "1", "ä"])
def test_any_name_comes_back(name):
    text = toml_tables.add_table("format = 1", ("catalogs", name), {"url": "x"})
    assert tomllib.loads(text) == {"format": 1, "catalogs": {name: {"url": "x"}}}
    assert toml_tables.drop_table(text, ("catalogs", name)) == "format = 1\n"


def test_line_ends_of_another_system_stay():
    text = BEFORE.replace("\n", "\r\n")
    after = toml_tables.drop_table(text, PATH)
    assert after.replace("\r\n", "\n") == toml_tables.drop_table(BEFORE, PATH)
    assert "\n" not in after.replace("\r\n", "")


VALUE = st.text(st.characters(codec="utf-8"), max_size=12)
TABLE = st.dictionaries(
    st.sampled_from(["url", "kind", "token", "a b"]),
    VALUE | st.booleans() | st.dictionaries(VALUE, VALUE | st.booleans(), max_size=2),
    min_size=1,
)
NAME = st.sampled_from(["one", "two", "th.ree", "mine"])


@given(
    st.dictionaries(NAME, TABLE, min_size=1),
    st.lists(st.sampled_from(["# a note", "", "# [catalogs.one]"]), max_size=3),
    TABLE,
    st.data(),
)
def test_any_tables_by_turns(tables, between, other, data):
    """Against the reader of the standard library: what is meant, and that the rest is untouched."""
    text = "format = 1\n"
    for name, values in tables.items():
        text = toml_tables.add_table(text, ("catalogs", name), values)
        text += "".join(line + "\n" for line in between)
    meant = {"format": 1, "catalogs": dict(tables)}
    assert tomllib.loads(text) == meant
    name = data.draw(st.sampled_from(sorted(tables)))
    changed = toml_tables.change_table(text, ("catalogs", name), other)
    assert tomllib.loads(changed)["catalogs"] == {**tables, name: other}
    assert changed.count("# a note") == text.count("# a note")
    gone = toml_tables.drop_table(changed, ("catalogs", name))
    assert tomllib.loads(gone).get("catalogs", {}) == {
        key: value for key, value in tables.items() if key != name
    }
    assert gone.count("# a note") == text.count("# a note")


def test_an_error_of_ours_is_a_value_error():
    assert issubclass(CannotChange, ValueError)
