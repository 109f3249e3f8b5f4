"""Options of the JVMs that tests start: they live for a minute, and most of it was compiling."""

from __future__ import annotations

# The first of the two compilers alone: the second one pays for itself after minutes.
OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
DRIVER = {"spark.driver.extraJavaOptions": OPTIONS}
