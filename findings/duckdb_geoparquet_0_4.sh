#!/usr/bin/env bash
# DuckDB 2.0.1 cannot read one column of a GeoParquet 0.4 file, not even one that is no geometry and
# with no extension loaded: it reads the "geo" metadata of every Parquet file, and asks for the key
# `geometry_types` of GeoParquet 1.0, which 0.4 calls `geometry_type`. Archives hold such files.
# Seen: InvalidInputException "Geoparquet column 'geometry' does not have geometry types".
# After `SET enable_geoparquet_conversion=false` the same query reads, and the geometry is WKB.
# Exits 0 while this holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet duckdb==2.0.1 pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder/old.parquet" <<'PYTHON'
import json
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

point = struct.pack("<BIdd", 1, 1, 10.0, 50.0)
geo = {
    "version": "0.4.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_type": ["Point"], "bbox": [10, 50, 10, 50]}},
}
table = pa.table({"id": [7], "geometry": pa.array([point], pa.binary())})
pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), sys.argv[1])

query = f"SELECT id FROM '{sys.argv[1]}'"
try:
    print("now it reads:", duckdb.sql(query).fetchall())
    sys.exit(1)
except duckdb.Error as error:
    print("refused:", type(error).__name__, str(error)[:200])
    assert "does not have geometry types" in str(error), error
duckdb.sql("SET enable_geoparquet_conversion=false")
rows = duckdb.sql(f"SELECT id, geometry FROM '{sys.argv[1]}'").fetchall()
print("without the conversion:", rows)
assert rows == [(7, point)], rows
PYTHON
