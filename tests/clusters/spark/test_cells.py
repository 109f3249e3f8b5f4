"""`%%spark`, `%%sql` and `%clusters` in a real shell, against a real Connect server."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import eolab as eo
from eolab import progress
from eolab.errors import InvalidInputError, NotFoundError
from eolab.magics import clusters, spark, sql
from tests.clusters.spark.conftest import Cluster
from tests.studies.conftest import until


@pytest.fixture
def shell(connect: Cluster, tmp_path: Path) -> Iterator[InteractiveShell]:
    (tmp_path / "eolab.toml").write_text(
        f'format = 1\n[workspace]\npath = "space"\n[clusters.c]\nkind = "spark"\n{connect.table}'
    )
    made = InteractiveShell.instance()
    made.user_ns["ws"] = eo.workspace(tmp_path)
    cells = clusters.Cells(made)
    for magic in (clusters, spark, sql):
        magic.register(made, cells)
    yield made
    InteractiveShell.clear_instance()


class Bar:
    """A display that keeps what it was told."""

    told: list[tuple[int, int, str]] = []  # noqa: RUF012  one list for the test to read

    def update(self, done: int, total: int, text: str) -> None:
        self.told.append((done, total, text))

    def close(self) -> None:
        pass


def test_a_cell_runs_here_on_the_clusters_session(shell: InteractiveShell) -> None:
    shell.user_ns["here"] = 3
    cell = "df = spark.range(10).where(f'id < {here}')\nother = here + 1"
    shell.run_cell_magic("spark", "c -o df", cell)
    assert list(shell.user_ns["df"]["id"]) == [0, 1, 2]  # pandas now
    assert shell.user_ns["other"] == 4
    shell.run_line_magic("clusters", "use c")
    shell.run_cell_magic("spark", "-o df -n 2", "df = spark.range(10)")
    assert len(shell.user_ns["df"]) == 2
    with pytest.raises(InvalidInputError, match="no such variable"):
        shell.run_cell_magic("spark", "-o dg", "df = spark.range(10)")
    with pytest.raises(InvalidInputError, match="is a int, not a Spark data frame"):
        shell.run_cell_magic("spark", "-o n", "n = 1")
    with pytest.raises(UsageError, match=r"no flag --rowz\. Did you mean .--rows."):
        shell.run_cell_magic("spark", "--rowz 3", "n = 1")


def test_sql_gives_a_table_and_knows_views_of_spark_cells(shell: InteractiveShell) -> None:
    shell.run_cell_magic("spark", "c", "spark.range(5).createOrReplaceTempView('numbers')")
    found = shell.run_cell_magic("sql", "c", "SELECT sum(id) AS total FROM numbers;")
    assert found["total"].tolist() == [10]
    many = "SELECT * FROM range(1000)"
    assert len(shell.run_cell_magic("sql", "c", many)) == 100
    assert shell.run_cell_magic("sql", "c -o rows", many) is None
    assert len(shell.user_ns["rows"]) == 1000
    with pytest.raises(InvalidInputError, match=r"(?i)nowhere.*cannot be found"):
        shell.run_cell_magic("sql", "c", "SELECT * FROM nowhere")
    with pytest.raises(InvalidInputError, match="no query"):
        shell.run_cell_magic("sql", "c", " ;\n")


def test_time_stamps_come_with_their_zone_from_any_session(shell: InteractiveShell) -> None:
    cell = """SELECT timestamp '2024-10-27 00:30:00+00:00' AS t,
        CAST(NULL AS TIMESTAMP) AS t, 1 AS n, timestamp_ntz '2024-01-01 00:00:00' AS naive,
        timestamp '9999-12-31 00:00:00+00:00' AS late"""
    moment = pd.Timestamp("2024-10-27T00:30Z")
    for zone in ("UTC", "Europe/Rome"):
        # In Rome this wall-clock time is there twice.
        setting = f"spark.conf.set('spark.sql.session.timeZone', '{zone}')"
        shell.run_cell_magic("spark", "c -o rows", f'{setting}\nrows = spark.sql("""{cell}""")')
        shell.run_cell_magic("sql", "c -o same", cell)
        for found in (shell.user_ns["rows"], shell.user_ns["same"]):
            assert list(found.columns) == ["t", "t", "n", "naive", "late"]
            assert found.iloc[0, 0] == moment
            assert found.iloc[0, 1] is pd.NaT
            assert found.iloc[0, 4].year == 9999
            assert [str(kind) for kind in found.dtypes[:2]] == ["datetime64[us, UTC]"] * 2
            assert found["naive"].dt.tz is None
    shell.run_cell_magic("spark", "c", "spark.conf.set('spark.sql.session.timeZone', 'UTC')")


SLEEPY = """
def nap(batches):
    import time
    for batch in batches:
        time.sleep({seconds})
        yield batch
rows = spark.range(0, 4, 1, 4).mapInArrow(nap, "id long").collect()
"""


def test_progress_is_drawn_and_an_interrupt_cancels(
    shell: InteractiveShell, connect: Cluster
) -> None:
    Bar.told = []
    progress.set_display(bar=lambda label: Bar())
    try:
        shell.run_cell_magic("spark", "c", SLEEPY.format(seconds=5))
        assert any(total == 4 and "running" in text for _, total, text in Bar.told)
        session = shell.user_ns["spark"]
        Bar.told = []

        def press() -> None:
            until(lambda: Bar.told, 60)
            _thread.interrupt_main()

        threading.Thread(target=press, daemon=True).start()
        # IPython shows the interrupt of a cell; the magic itself just ends.
        shell.run_cell_magic("spark", "c", SLEEPY.format(seconds=120))
        assert shell.user_ns["rows"] is not None
        # Nothing of it is left: the same tag has nothing to cancel, and slots are free again.
        until(lambda: not session.interruptTag(spark.TAG), 30)
        shell.run_cell_magic("spark", "c -o df", "df = spark.range(3)")
        assert len(shell.user_ns["df"]) == 3
    finally:
        progress.set_display(bar=progress._Terminal)


def test_clusters_are_listed_and_chosen(shell: InteractiveShell) -> None:
    table = shell.run_line_magic("clusters", "list").set_index("name")
    assert table.loc["c", "state"] == "elsewhere"
    assert "token" not in table.loc["c", "place"]
    assert table.loc["spark", "state"] == "stopped"
    assert table.loc["local", "kind"] == "local"
    with pytest.raises(NotFoundError, match="no cluster 'cc'"):
        shell.run_line_magic("clusters", "use cc")
    with pytest.raises(InvalidInputError, match="started and stopped elsewhere"):
        shell.run_line_magic("clusters", "stop c")
    with pytest.raises(InvalidInputError, match="has no Spark"):
        shell.run_cell_magic("spark", "local", "1")
    with pytest.raises(InvalidInputError, match="%clusters lst"):
        shell.run_line_magic("clusters", "lst")
