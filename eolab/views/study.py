"""A study under a cell: the live view's name, and a static picture of how it stood."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from eolab.settings.config import Config
from eolab.views import svg

if TYPE_CHECKING:
    from eolab.studies import Study

FORMAT = 1
MIME = "application/vnd.eolab.view+json"
ROWS, CURVES = 10, 40
# Said aloud: without a doctype a table does not inherit these.
TABLE = "color:inherit;font-size:inherit"
LIVE = "JupyterLab with eolab shows it live."
Snapshot = Mapping[str, Any]


def study_view(study: Study) -> dict[str, object]:
    """What a cell shows of a study, by MIME type.

    JupyterLab with eolab draws the first entry from the workspace, live also after a reload of the
    page or the kernel's death; every other front end and each export shows the static HTML.
    """
    return {
        **output(study),
        "text/html": static_html(study.snapshot()),
        "text/plain": repr(study),
    }


def output(study: Study) -> dict[str, object]:
    """The name by which JupyterLab draws a study from the workspace."""
    root = study.folder.parents[1]
    return {
        MIME: {
            "format": FORMAT,
            "view": "study",
            "name": study.name,
            "workspace": Config(root=root).identity(),
        }
    }


def static_html(snapshot: Snapshot) -> str:
    """A study's snapshot (see the server's `studies/{name}`) as HTML that needs nothing else.

    No script, no style sheet, no colour of its own but one accent; all names are escaped.
    """
    charts = best_chart(snapshot) + curves_chart(snapshot)
    return "".join(
        (
            '<div style="font-size:13px;line-height:1.5">',
            _headline(snapshot),
            f'<div style="display:flex;flex-wrap:wrap;gap:16px;margin:6px 0">{charts}</div>',
            _table(snapshot),
            f'<div style="opacity:.75">As of {_clock(snapshot["now"])}. {LIVE}</div>',
            "</div>",
        )
    )


def best_chart(snapshot: Snapshot) -> str:
    """The best value so far over time, as SVG."""
    curve = snapshot["best_curve"]
    if not curve:
        return ""
    start = snapshot["started"] or curve[0][0]
    points = [(t - start, value) for t, value in curve]
    # The last best holds until the end.
    points.append((_end(snapshot) - start, points[-1][1]))
    metric = str(snapshot["metric"])
    return svg.lines(
        [points],
        title=f"Best {metric} so far",
        x="seconds since the start",
        y=f"best {metric}",
        steps=True,
    )


def curves_chart(snapshot: Snapshot) -> str:
    """Learning curves of the best trials, as SVG; the best in full colour."""
    ranked = [t for t in _ranked(snapshot) if t["curve"]]
    rest = [t for t in snapshot["trials"] if t["curve"] and t["value"] is None]
    drawn = [*ranked, *rest][:CURVES]
    curves = [[(s, math.nan if v is None else v) for s, v in t["curve"]] for t in drawn]
    if not any(len(curve) > 1 for curve in curves):
        return ""  # a single figure a trial is no curve
    metric = str(snapshot["metric"])
    return svg.lines(curves, title=f"Learning curves: {metric} by step", x="step", y=metric)


def _headline(snapshot: Snapshot) -> str:
    counts: Mapping[str, int] = snapshot["counts"]
    total = max(int(snapshot["budget"]["trials"]), sum(counts.values()))
    done = counts["completed"] + counts["failed"] + counts["stopped"]
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    parts = [
        f"<strong>{escape(str(snapshot['name']))}</strong> {escape(str(snapshot['state']))}",
        f"{done} of {total} trials" + (f" ({states})" if states else ""),
    ]
    best = snapshot["best"]
    if best is not None:
        params = ", ".join(f"{key}={_value(value)}" for key, value in best["params"].items())
        parts.append(
            f"best {escape(str(snapshot['metric']))} <strong>{svg.number(best['value'])}</strong> "
            f"in trial {best['trial']}: {escape(params)}"
        )
    message = snapshot.get("message")
    if message:
        parts.append(escape(str(message)))
    shares = [
        ("full", counts["completed"]),
        ("half", counts["stopped"] + counts["failed"]),
        ("faint", counts["running"]),
    ]
    progress = svg.bar(shares, total, title=f"{done} of {total} trials finished")
    return "".join(f"<div>{part}</div>" for part in parts) + progress


def _table(snapshot: Snapshot) -> str:
    trials = _ranked(snapshot)
    finished = [t for t in snapshot["trials"] if t["value"] is None and t["state"] != "queued"]
    shown = [*trials, *finished][:ROWS]
    if not shown:
        return ""
    names = list(dict.fromkeys(name for trial in shown for name in trial["params"]))
    heads = ["trial", "state", str(snapshot["metric"]), *names, "seconds", "error"]
    if not any(trial["error"] for trial in shown):
        heads.pop()
    rows = []
    for trial in shown:
        started, ended = trial["started"], trial["ended"]
        cells = [
            str(trial["number"]),
            str(trial["state"]),
            "" if trial["value"] is None else svg.number(trial["value"]),
            *(_value(trial["params"].get(name, "")) for name in names),
            f"{ended - started:.1f}" if started and ended else "",
        ]
        if "error" in heads[-1:]:
            cells.append((str(trial["error"] or "").strip().splitlines() or [""])[0][:200])
        rows.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
    left = sum(snapshot["counts"].values()) - len(shown)
    more = f"<caption>The best {len(shown)} of {left + len(shown)} trials</caption>" if left else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<table style="{TABLE}">{more}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _end(snapshot: Snapshot) -> float:
    """When the study ended: now, while it lives; when its last trial ended, if its process died."""
    if snapshot["ended"] is not None:
        return float(snapshot["ended"])
    if snapshot["state"] != "interrupted":
        return float(snapshot["now"])
    return max(float(t["ended"] or t["started"] or 0.0) for t in snapshot["trials"])


def _ranked(snapshot: Snapshot) -> Sequence[Mapping[str, Any]]:
    """Trials with a value: completed ones before stopped ones, the best first."""
    sign = -1 if snapshot["direction"] == "maximize" else 1
    valued = [t for t in snapshot["trials"] if t["value"] is not None]
    return sorted(valued, key=lambda t: (t["state"] != "completed", sign * t["value"], t["number"]))


def _value(value: object) -> str:
    return svg.number(value) if isinstance(value, float) else str(value)


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds))
