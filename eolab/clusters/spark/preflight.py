"""What executors said of themselves before the first trial, and what follows from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eolab.errors import RemoteError


@dataclass(frozen=True)
class Report:
    """One executor's answer.

    Attributes:
        host: Its name.
        python: Its version.
        ways: How the study can be reached ("url", "mailbox") to why not ("" where it can).
        missing: Libraries that it lacks.
        devices: CUDA_VISIBLE_DEVICES of a worker there.
    """

    host: str
    python: str
    ways: Mapping[str, str]
    missing: tuple[str, ...]
    devices: str


def read_reports(answers: Iterable[str]) -> list[Report]:
    """The answers of the probes.

    Raises:
        RemoteError: A probe did not run.
    """
    reports = []
    for answer in answers:
        found = json.loads(answer)
        if "reason" in found:
            raise RemoteError(
                f"no worker runs on an executor: {found['reason']}",
                "The study's spark.log says more.",
            )
        reports.append(
            Report(found["host"], found["python"], found["ways"], tuple(found["missing"]),
                   found["devices"])
        )  # fmt: skip
    return reports


def verdict(
    reports: Sequence[Report], addresses: Sequence[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """The addresses that workers should get: those that all of the asked executors reach.

    Raises:
        RemoteError: A library or a way back is missing; names it, and says what to do.
    """
    lacking: dict[str, str] = {name: r.host for r in reports for name in r.missing}
    if lacking:
        host = next(iter(lacking.values()))
        names = ", ".join(lacking)
        raise RemoteError(
            f"executors ({host}) lack: {names}",
            "Install it there, or ship an environment with spark.archives; a module of your own "
            "travels with modules=[...].",
        )
    ours = sys.version_info[:2]
    for report in reports:
        if tuple(int(p) for p in report.python.split(".")[:2]) != ours:
            raise RemoteError(
                f"{report.host} runs Python {report.python}, here is {ours[0]}.{ours[1]}",
                'Name the same version on the executors: python = "..." in the cluster\'s table.',
            )
    usable = [a for a in addresses if all(not r.ways.get(_way(a), "?") for r in reports)]
    if usable:
        return usable
    failures = []
    for address in addresses:
        way = _way(address)
        where = address.get("url") or address.get("mailbox")
        report = next(r for r in reports if r.ways.get(way, "?"))
        failures.append(f"{report.host} does not reach {where} ({report.ways.get(way)})")
    hint = "Give this machine's address as executors see it in the cluster's table: advertise"
    if not any("mailbox" in a for a in addresses):
        hint += "; or a folder or object store that both see: mailbox"
    raise RemoteError("; ".join(failures), hint + ".")


def _way(address: Mapping[str, object]) -> str:
    return "mailbox" if "mailbox" in address else "url"
