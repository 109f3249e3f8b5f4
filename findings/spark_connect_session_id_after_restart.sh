#!/usr/bin/env bash
# PySpark 4.3.0: a client that comes back to a Spark Connect session by ";session_id=ID" is given an
# empty session of that very id, without an error or a warning, when the server has started anew
# meanwhile: views and options of before are gone, and the id says nothing of it. Options fall back
# to the defaults: the same query with "spark.sql.session.timeZone" set gives another day. (An id
# that was closed by `stop()` is refused instead: INVALID_HANDLE.SESSION_CLOSED.)
# Seen: the view is found while the server lives; after its restart the session has the same id, the
# view is unknown, and the hour is 12 where it was 7. Exits 0 while that is so. Needs Java 17.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  "pyspark[connect]==4.3.0" pandas==2.3.3 pyarrow==25.0.1
home=$("$folder/venv/bin/python" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
cd "$folder"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

start() {
  SPARK_HOME="$home" SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON="$folder/venv/bin/python" \
    SPARK_CONNECT_AUTHENTICATE_TOKEN=t "$home/bin/spark-submit" \
    --class org.apache.spark.sql.connect.service.SparkConnectServer \
    --conf spark.connect.grpc.binding.address=127.0.0.1 \
    --conf "spark.connect.grpc.binding.port=$port" --conf spark.ui.enabled=false \
    --master 'local[1]' --name finding > server.log 2>&1 &
  server=$!
  for _ in $(seq 300); do
    if python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null
    then return; fi
    sleep 0.3
  done
  tail -5 server.log; exit 1
}

cat > client.py <<'PYTHON'
import sys

from pyspark.errors import AnalysisException
from pyspark.sql.connect.session import SparkSession

port, session, act = sys.argv[1:]
url = f"sc://localhost:{port}/;token=t;session_id={session}"
spark = SparkSession.builder.remote(url).create()
if act == "make":
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    spark.range(7).createOrReplaceTempView("seven")
try:
    view = str(spark.table("seven").count())
except AnalysisException:
    view = "unknown"
hour = spark.sql("SELECT hour(timestamp '2024-01-01 12:00:00+00:00') AS h").collect()[0].h
print(spark.session_id == session, view, hour)
PYTHON

ask() { TZ=UTC venv/bin/python -W ignore client.py "$port" "$id" "$1" 2>/dev/null; }
id=$(python3 -c 'import uuid; print(uuid.uuid4())')
export TZ=UTC
start
echo "version $(venv/bin/python -c 'import pyspark; print(pyspark.__version__)')"
first=$(ask make); again=$(ask look)
kill "$server"; wait "$server" 2>/dev/null || true
start
after=$(ask look)
printf 'made: %s\nanother process: %s\nafter a restart: %s\n' "$first" "$again" "$after"
[ "$first" = "True 7 7" ] && [ "$again" = "True 7 7" ] && [ "$after" = "True unknown 12" ]
