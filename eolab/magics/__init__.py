"""Magics and displays of a notebook: parse, call the library, show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def register(shell: InteractiveShell) -> None:
    """Everything that `%load_ext eolab` brings: magics, live views, the `.eo` accessor."""
    from eolab import accessor  # noqa: F401  registering it is the point
    from eolab.magics import ablate, clusters, features, signatures, spark, sql, stac, tune
    from eolab.views import notebook

    notebook.install()
    signatures.show_options()
    stac.register(shell)
    features.register(shell)
    tune.register(shell)
    ablate.register(shell)
    cells = clusters.Cells(shell)
    clusters.register(shell, cells)
    spark.register(shell, cells)
    sql.register(shell, cells)
