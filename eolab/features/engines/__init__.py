"""Joins as of a time and by place, on DuckDB and on Spark."""
