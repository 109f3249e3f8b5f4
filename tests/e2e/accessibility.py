"""What a view is to those who cannot see it: axe-core's findings and the accessibility tree."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.e2e.jupyter import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SNAPSHOTS = Path(__file__).parent / "snapshots"
# Numbers, times and dates differ from run to run; what is read out around them does not.
UNIT = r"(?:min|s|h|d)\b"
FIGURE = re.compile(rf"[-\u2212]?\d[\d,.:]*(?:e-?\d+)?(?: {UNIT}(?: \d+ {UNIT})?)?")

# How long ago something was depends on how fast the machine is.
AGE = re.compile(r"\bjust now\b|# (?:days? )?ago")

# Text that JupyterLab's own colours make too faint, as (text, ground): not ours to mend.
FAINT_IN_LAB: dict[str, set[tuple[str, str]]] = {"light": set(), "dark": set()}

RUN_AXE = """async () => {
  const found = await axe.run(
    { include: [['.eolab-Root']] },
    // A part of a page has no landmarks of its own: those are JupyterLab's.
    { resultTypes: ['violations'], rules: { region: { enabled: false } } }
  );
  return found.violations.flatMap(rule => rule.nodes.map(node => ({
    rule: rule.id, help: rule.help, html: node.html.slice(0, 200),
    data: node.any.map(check => check.data).find(data => data?.fgColor) ?? null,
  })));
}"""
# The theme's colours by name, as axe writes colours.
TOKENS = """() => {
  const probe = document.createElement('span');
  document.body.append(probe);
  const hex = name => {
    probe.style.color = `var(${name})`;
    const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
    return '#' + parts.slice(0, 3).map(part => Math.round(part).toString(16).padStart(2, '0'))
      .join('');
  };
  const names = [0, 1, 2, 3, 4].flatMap(n => [
    `--jp-ui-font-color${n}`, `--jp-content-font-color${n}`, `--jp-layout-color${n}`,
    `--jp-brand-color${n}`,
  ]);
  const all = Object.fromEntries(names.map(name => [name, hex(name)]));
  probe.remove();
  return all;
}"""


def findings(page: Page) -> list[str]:
    """What axe-core objects to inside our root elements; Lab's own faint colours are left out."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    theme = "light"
    if page.locator("body").get_attribute("data-jp-theme-light") == "false":
        theme = "dark"
    tokens = page.evaluate(TOKENS)
    told = []
    for found in page.evaluate(RUN_AXE):
        if found["rule"] == "color-contrast" and found["data"]:
            pair = (found["data"]["fgColor"], found["data"]["bgColor"])
            text, ground = (
                sorted(name for name, colour in tokens.items() if colour == part) for part in pair
            )
            if FAINT_IN_LAB[theme] & {(a, b) for a in text for b in ground}:
                continue
            told.append(f"{theme}: contrast {pair} {text} on {ground}: {found['html']}")
        else:
            told.append(f"{found['rule']}: {found['help']}: {json.dumps(found['html'])}")
    return told


def check_tree(view: Locator, name: str) -> None:
    """Compare a view's accessibility tree with the one that is kept, figures left out.

    With `EOLAB_KEEP_TREES=1` in the environment it is kept anew.
    """
    tree = AGE.sub("#", FIGURE.sub("#", view.aria_snapshot())) + "\n"
    path = SNAPSHOTS / f"{name}.yaml"
    if os.environ.get("EOLAB_KEEP_TREES"):
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(tree, encoding="utf-8")
    assert tree == path.read_text(encoding="utf-8"), f"see {path.name}; kept anew on request"
