#!/usr/bin/env bash
# pytest-xdist 3.8.0 loses its groups with pytest 9.2.0: `--dist loadgroup` spreads tests of one
# xdist_group over processes, without a word. xdist writes "@group" into the item's `_nodeid`, from
# which pytest up to 9.1 makes `nodeid`; pytest 9.2 makes it from a structured id instead. So fixtures
# of a module are made once a process, and tests that count on an earlier one of their group fail by
# chance. `--dist loadfile` is not affected, nor a scheduler of one's own by
# pytest_xdist_make_scheduler.
# Seen, eight tests of one group with -n 2: one process with pytest 9.1.1, two with 9.2.0.
# Exits 0 while this holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat > "$folder/test_group.py" <<'PYTHON'
import os
import time

import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(8))
def test_one_of_a_group(number):
    time.sleep(0.3)
    with open("ran_by.txt", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
PYTHON
processes() {
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
  rm -f "$folder/ran_by.txt"
  (cd "$folder" && venv/bin/python -m pytest -q -n 2 --dist "$2" test_group.py >/dev/null)
  sort -u "$folder/ran_by.txt" | wc -l
}
before=$(processes 9.1.1 loadgroup)
now=$(processes 9.2.0 loadgroup)
by_file=$(processes 9.2.0 loadfile)
echo "processes that ran one group: pytest 9.1.1 $before, pytest 9.2.0 $now (by file $by_file)"
[ "$before" = 1 ] && [ "$now" = 2 ] && [ "$by_file" = 1 ]
