"""Print what `pyproject.toml` asks for: base, named extras, and "build" for the build tools."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def main(extras: list[str]) -> None:
    document = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    optional = project["optional-dependencies"]
    wanted = list(project["dependencies"])
    while extras:
        extra = extras.pop(0)
        if extra == "build":
            wanted += document["build-system"]["requires"]
            hooks = document["tool"]["hatch"]["build"]["hooks"]
            wanted += [*hooks["jupyter-builder"]["dependencies"], "editables"]
            continue
        for requirement in optional[extra]:
            nested = re.fullmatch(r"eolab\[(.+)\]", requirement)
            if nested:
                extras += nested.group(1).split(",")
            else:
                wanted.append(requirement)
    print("\n".join(wanted))


main(sys.argv[1:])
