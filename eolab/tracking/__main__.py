"""`python -m eolab.tracking RUN_FOLDER`: feed the study in a folder (started by its process)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eolab.errors import EolabError
from eolab.tracking.feeder import feed


def main() -> int:
    """Feed the study in a folder (started by its process)."""
    parser = argparse.ArgumentParser(prog="python -m eolab.tracking", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the study")
    parser.add_argument("--uri", help="MLflow's address")
    parser.add_argument("--once", action="store_true", help="write what is there and leave")
    options = parser.parse_args()
    try:
        feed(options.run, uri=options.uri, follow=not options.once, courteous=True)
    except EolabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
