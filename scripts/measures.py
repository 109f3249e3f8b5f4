"""How the house stands: fullest folders, circles, examples, and what type checking does not see.

    python scripts/measures.py           # a table in Markdown
    python scripts/measures.py --json

The table stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import json
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from circles import ROOT, Imports
from public_names import public_names

EOLAB = ROOT / "eolab"
SOURCES = ROOT / "labextension/src"


def fullest(folder: Path, *patterns: str) -> str:
    """Number of files in the fullest folder, and which it is."""
    count = Counter(
        path.parent
        for pattern in patterns
        for path in folder.rglob(pattern)
        if "node_modules" not in path.parts
    )
    if not count:
        return "0"
    where, number = count.most_common(1)[0]
    return f"{number} ({where.relative_to(ROOT)})"


def tokens(kind: int) -> Iterator[str]:
    """Comments or names in all of eolab: what stands in a string does not count."""
    for path in sorted(EOLAB.rglob("*.py")):
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == kind:
                    yield token.string


def measures() -> dict[str, int | str]:
    """The measures by name, in the order of the table."""
    found = Imports().circles()
    names = public_names()
    several = [public for public in names if len(public.arguments) > 1]
    comments, words = list(tokens(tokenize.COMMENT)), Counter(tokens(tokenize.NAME))
    calls = "".join(path.read_text(encoding="utf-8") for path in EOLAB.rglob("*.py"))
    examples = sum(bool(public.examples) for public in names)
    explained = sum(not public.unexplained for public in several)
    return {
        "files in the fullest folder of eolab/": fullest(EOLAB, "*.py"),
        "files in the fullest folder of labextension/src/": fullest(SOURCES, "*.ts", "*.tsx"),
        "circles of files": len(found),
        "files in the largest circle": max(map(len, found), default=0),
        "public names with an example that runs": f"{examples} of {len(names)}",
        "with arguments explained, of two or more": f"{explained} of {len(several)}",
        "noqa: SLF001": sum("SLF001" in comment for comment in comments),
        "Any, imports included": words["Any"],
        "type: ignore": sum("type: ignore" in comment for comment in comments),
        "cast(": len(re.findall(r"(?<![.\w])(?<!def )cast\(", calls)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = measures()
    if options.json:
        print(json.dumps(table))
        return
    print("| measure | now |\n| --- | --- |")
    for name, value in table.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
