"""Studies and cells on Spark: any cluster that PySpark reaches, by Connect or classic.

Why a Spark task holds a process that holds a process: the task only starts the worker and waits,
the worker talks to the study, its child runs the function. A killed trial costs one attempt, a
killed task one worker.
"""

from __future__ import annotations

from eolab.clusters.spark.placement import SparkPlacement

__all__ = ["SparkPlacement"]
