"""The start of a worker on an executor: finds the way back to the study, then is the worker.

    python launch.py SETTINGS.json [probe]

It travels with the worker's files to machines without eolab: standard library only. It ends when
the Spark task that started it does: its standard input closes then.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TypedDict

PING_SECONDS = 3.0


class LaunchSettings(TypedDict, total=False):
    """What the launcher reads of a worker's settings."""

    addresses: list[dict[str, str]]
    modules: list[str]
    sys_path: list[str]


def find_way(addresses: list[dict[str, str]]) -> tuple[dict[str, str] | None, dict[str, str]]:
    """The first address at which the study answers, and why the ones before it do not."""
    link = importlib.import_module("link")
    troubles: dict[str, str] = {}
    for address in addresses:
        name = "mailbox" if "mailbox" in address else "url"
        connection = link.make_link(address)
        try:
            connection.call("ping", {}, timeout=PING_SECONDS)
        except (link.Unreachable, link.Refused, OSError, ImportError) as error:
            troubles[name] = str(error)[:300]
        else:
            return address, troubles
        finally:
            connection.close()
    return None, troubles


def probe(settings: LaunchSettings) -> dict[str, object]:
    """What an executor can and has: ways to the study, Python, libraries."""
    start = time.monotonic()
    ways: dict[str, str] = {}
    for address in settings["addresses"]:
        name = "mailbox" if "mailbox" in address else "url"
        found, troubles = find_way([address])
        ways[name] = "" if found is not None else troubles.get(name, "no answer")
    sys.path.extend(p for p in settings.get("sys_path", ()) if p not in sys.path)
    missing = [name for name in settings["modules"] if importlib.util.find_spec(name) is None]
    return {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "ways": ways,
        "missing": missing,
        "devices": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
        "seconds": round(time.monotonic() - start, 3),
    }


def die_with_task() -> None:
    """End when standard input closes: the task has been killed, or Spark has."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    settings: LaunchSettings = json.loads(Path(sys.argv[1]).read_text())
    if sys.argv[2:] == ["probe"]:
        print(json.dumps(probe(settings)))
        return 0
    address, troubles = find_way(settings.pop("addresses"))
    if address is None:
        failures = "; ".join(f"{name}: {why}" for name, why in troubles.items())
        print(
            f"{socket.gethostname()} does not reach the study ({failures}); give advertise= or "
            "mailbox= in the cluster's table",
            file=sys.stderr,
        )
        return 3
    worker = importlib.import_module("supervisor")
    supervisor = worker.Supervisor({**settings, "address": address})
    die_with_task()
    supervisor.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
